//! Reading, on any connection.

use super::{
    chain::{STATE, STATE_COLUMNS, STORED, state_at, stored_at},
    codec::{address_at, amount_at, bytes_at, number_at, some_uint_at, uint_at},
    db::Failure,
};
use crate::{Counts, Earnings, Pending, PendingStream, StoredChannel, Unclaimed, UnclaimedPage, earnings};
use deadpool_postgres::Object;
use futures::TryStreamExt;
use rivulet_core::{
    ids::{Address, Number},
    signature::CompactSignature,
};
use rivulet_rules::{accept::Best, batch};
use tokio_postgres::{Row, types::ToSql};

/// Of the pending channels, those whose payer has asked for money back: the condition of the index `channels_closing`.
pub const CLOSING: &str = "AND (c.close_due_at IS NOT NULL OR c.refund_due_at IS NOT NULL)";

/// Every row through `read`, none kept longer than that: a table may be larger than memory should be.
async fn each<T>(client: &Object, sql: &str, values: &[&(dyn ToSql + Sync)], read: impl Fn(&Row) -> Result<T, Failure>) -> Result<Vec<T>, Failure> {
    let statement = client.prepare_cached(sql).await?;
    let rows = client.query_raw(&statement, values.iter().copied()).await?;
    let mut rows = std::pin::pin!(rows);
    let mut found = Vec::new();
    while let Some(row) = rows.try_next().await? {
        found.push(read(&row)?);
    }
    Ok(found)
}

/// What a pending channel is.
const PENDING: &str = "FROM vouchers v JOIN channels c ON c.book = v.book AND c.serial = v.serial
         LEFT JOIN row_claims s ON s.contract = 0 AND s.book = v.book AND s.serial = v.serial
         WHERE v.cumulative_amount > c.claimed AND c.deposit > c.claimed AND NOT c.is_closed AND v.set_aside IS NULL AND v.channel_id = c.channel_id
             AND NOT EXISTS (SELECT 1 FROM intent_rows r WHERE r.contract = 0 AND r.book = v.book AND r.serial = v.serial AND r.is_open)";

fn pending_at(row: &Row) -> Result<Pending, Failure> {
    let best = Best { cumulative_amount: amount_at(row, STATE_COLUMNS)?, signature: CompactSignature(bytes_at(row, STATE_COLUMNS + 1)?) };
    Ok(Pending { state: state_at(row)?, best, sent_at: some_uint_at(row, STATE_COLUMNS + 2)? })
}

/// Channels that could be claimed from, and for which `also` holds.
pub async fn pending_channels(client: &Object, also: &str) -> Result<Vec<Pending>, Failure> {
    each(client, &format!("SELECT {STATE}, v.cumulative_amount, v.signature, s.sent_at {PENDING} {also}"), &[], pending_at).await
}

/// Those of these channels that could be claimed from.
pub async fn pending_of(client: &Object, numbers: &[Number]) -> Result<Vec<Pending>, Failure> {
    let (books, serials): (Vec<_>, Vec<_>) = numbers.iter().map(|n| (i64::from(n.book), i64::from(n.serial))).unzip();
    let also = "AND (v.book, v.serial) IN (SELECT * FROM unnest($1::bigint[], $2::bigint[]))";
    let sql = format!("SELECT {STATE}, v.cumulative_amount, v.signature, s.sent_at {PENDING} {also}");
    each(client, &sql, &[&books, &serials], pending_at).await
}

/// A page of those whose payer has not asked for money back.
pub async fn unclaimed(client: &Object, after: Option<Number>, limit: usize) -> Result<UnclaimedPage, Failure> {
    // No book has number 0.
    let (book, serial) = after.map_or((0, 0), |n| (i64::from(n.book), i64::from(n.serial)));
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let sql = format!(
        "SELECT c.book, c.serial, c.token, c.deposit, c.claimed, v.cumulative_amount, coalesce(s.sent_at, c.opened_at) {PENDING}
         AND c.close_due_at IS NULL AND c.refund_due_at IS NULL AND (v.book, v.serial) > ($1, $2) ORDER BY v.book, v.serial LIMIT $3"
    );
    let read = |row: &Row| {
        let gain = batch::gain_of(&address_at(row, 2)?, amount_at(row, 3)?, amount_at(row, 4)?, amount_at(row, 5)?);
        Ok(Unclaimed { number: number_at(row, 0)?, gain, last_at: uint_at(row, 6)? })
    };
    let mut rows = each(client, &sql, &[&book, &serial, &most], read).await?;
    let next = rows.last().map(|row| row.number).filter(|_| rows.len() >= limit);
    rows.retain(|row| row.gain > 0);
    Ok(UnclaimedPage { rows, next })
}

/// Streams that could be claimed from.
pub async fn pending_streams(client: &Object) -> Result<Vec<PendingStream>, Failure> {
    let sql = "SELECT s.book, s.serial, c.sent_at FROM streams s LEFT JOIN row_claims c ON c.contract = 1 AND c.book = s.book AND c.serial = s.serial
         WHERE NOT s.is_ended AND s.set_aside IS NULL
         AND NOT EXISTS (SELECT 1 FROM intent_rows r WHERE r.contract = 1 AND r.book = s.book AND r.serial = s.serial AND r.is_open)
         ORDER BY s.book, s.serial";
    each(client, sql, &[], |row| Ok(PendingStream { number: number_at(row, 0)?, sent_at: some_uint_at(row, 2)? })).await
}

/// Channels that are not closed.
pub async fn live_channels(client: &Object) -> Result<Vec<Number>, Failure> {
    each(client, "SELECT book, serial FROM channels WHERE NOT is_closed", &[], |row| number_at(row, 0)).await
}

/// A payee's channels, closed ones included, by number.
pub async fn channels_of(client: &Object, payee: Address) -> Result<Vec<StoredChannel>, Failure> {
    let sql = format!("SELECT {STATE}, {STORED} WHERE c.payee = $1 ORDER BY c.book, c.serial");
    each(client, &sql, &[&&payee.0[..]], stored_at).await
}

/// What a payee has earned, by token.
pub async fn earnings(client: &Object, payee: Address) -> Result<Vec<Earnings>, Failure> {
    Ok(earnings::by_token(&channels_of(client, payee).await?))
}

/// Counts for the log, readiness and metrics.
pub async fn counts(client: &Object) -> Result<Counts, Failure> {
    let sql = "SELECT (SELECT count(*) FROM channels), (SELECT count(*) FROM vouchers), (SELECT count(*) FROM intents WHERE state = 'open'),
         (SELECT count(*) FROM vouchers WHERE set_aside IS NOT NULL)";
    let row = client.query_one(&client.prepare_cached(sql).await?, &[]).await?;
    Ok(Counts { channels: uint_at(&row, 0)?, vouchers: uint_at(&row, 1)?, open_intents: uint_at(&row, 2)?, set_aside: uint_at(&row, 3)? })
}
