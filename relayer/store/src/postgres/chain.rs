//! The cache of the chain.

use super::{
    codec::{Amount, address_at, amount_at, bytes_at, contract, int, number_at, some_uint_at, uint_at},
    db::Failure,
    payee,
};
use crate::{ChainUpdate, ChannelUpdate, StoredChannel, StreamUpdate};
use deadpool_postgres::{Object, Transaction};
use rivulet_core::{
    fee::RelayTerms,
    ids::{ChannelId, ChannelNumber, ChannelTerms},
    signature::CompactSignature,
};
use rivulet_rules::{
    accept::Best,
    batch::BookView,
    chain::{BlockHead, BlockRef, BookState, ChannelState, ContractKind},
};
use std::collections::{BTreeMap, HashMap};
use tokio_postgres::{Row, types::ToSql};

/// The columns that [`state_at`] reads, from the first on.
pub const STATE: &str = "c.book, c.serial, c.payer, c.payee, c.voucher_signer, c.token, c.challenge_period_secs, c.opened_at, c.deposit, c.claimed, \
     c.close_due_at, c.refund_requested, c.refund_due_at";
/// How many they are.
pub const STATE_COLUMNS: usize = 13;

/// A channel's record from a row that begins with [`STATE`].
pub fn state_at(row: &Row) -> Result<ChannelState, Failure> {
    Ok(ChannelState {
        terms: ChannelTerms {
            number: number_at(row, 0)?,
            payer: address_at(row, 2)?,
            payee: address_at(row, 3)?,
            voucher_signer: address_at(row, 4)?,
            token: address_at(row, 5)?,
            challenge_period_secs: uint_at(row, 6)?,
            opened_at: uint_at(row, 7)?,
        },
        deposit: amount_at(row, 8)?,
        claimed: amount_at(row, 9)?,
        close_due_at: some_uint_at(row, 10)?,
        refund_requested: amount_at(row, 11)?,
        refund_due_at: some_uint_at(row, 12)?,
    })
}

/// What [`stored_at`] reads: channels `c` with their best vouchers `v`, if those are of the same id. Conditions follow.
pub const STORED: &str = "c.channel_id, c.is_closed, v.cumulative_amount, v.signature, v.accepted_ms, v.set_aside FROM channels c
     LEFT JOIN vouchers v ON v.book = c.book AND v.serial = c.serial AND v.channel_id = c.channel_id";

/// A channel with its best voucher, from a row of [`STATE`] and [`STORED`].
pub fn stored_at(row: &Row) -> Result<StoredChannel, Failure> {
    const ID: usize = STATE_COLUMNS;
    let best = match row.try_get::<_, Option<Amount>>(ID + 2)? {
        None => None,
        Some(Amount(cumulative_amount)) => Some(Best { cumulative_amount, signature: CompactSignature(bytes_at(row, ID + 3)?) }),
    };
    Ok(StoredChannel {
        state: state_at(row)?,
        channel_id: ChannelId(bytes_at(row, ID)?),
        is_closed: row.try_get(ID + 1)?,
        best,
        accepted_ms: some_uint_at(row, ID + 4)?,
        set_aside: row.try_get(ID + 5)?,
    })
}

/// Channels and their best vouchers, in the order asked.
pub async fn channels(client: &Object, numbers: &[ChannelNumber]) -> Result<Vec<Option<StoredChannel>>, Failure> {
    let books: Vec<_> = numbers.iter().map(|n| i64::from(n.book)).collect();
    let serials: Vec<_> = numbers.iter().map(|n| i64::from(n.serial)).collect();
    let sql =
        format!("SELECT {STATE}, {STORED} JOIN unnest($1::bigint[], $2::bigint[]) AS k (book, serial) ON c.book = k.book AND c.serial = k.serial");
    let rows = client.query(&client.prepare_cached(&sql).await?, &[&books, &serials]).await?;
    let found: HashMap<_, _> = rows.iter().map(|row| Ok((number_at(row, 0)?, stored_at(row)?))).collect::<Result<_, Failure>>()?;
    Ok(numbers.iter().map(|number| found.get(number).cloned()).collect())
}

/// Sets one value of a channel, unless it is known from a later block.
async fn set(tx: &Transaction<'_>, column: &str, n: &ChannelNumber, value: &(dyn ToSql + Sync), block: u64) -> Result<(), Failure> {
    let sql = format!("UPDATE channels SET {column} = $3, seen_at_block = $4 WHERE book = $1 AND serial = $2 AND seen_at_block <= $4");
    tx.execute(&tx.prepare_cached(&sql).await?, &[&i64::from(n.book), &i64::from(n.serial), value, &int(block)]).await?;
    Ok(())
}

async fn put_channel(tx: &Transaction<'_>, update: &ChannelUpdate, block: u64) -> Result<(), Failure> {
    match update {
        ChannelUpdate::Claimed { number, claimed } => set(tx, "claimed", number, &Amount(*claimed), block).await,
        ChannelUpdate::Deposit { number, deposit } => set(tx, "deposit", number, &Amount(*deposit), block).await,
        ChannelUpdate::CloseRequested { number, due_at } => set(tx, "close_due_at", number, &int(*due_at), block).await,
        ChannelUpdate::RefundRequested { number, amount, due_at } => {
            set(tx, "refund_requested", number, &Amount(*amount), block).await?;
            set(tx, "refund_due_at", number, &due_at.map(int), block).await
        }
        ChannelUpdate::Closed { number: n, claimed } => {
            let sql = "UPDATE channels SET is_closed = TRUE, claimed = greatest(claimed, coalesce($3, claimed)), seen_at_block = greatest(seen_at_block, $4)
                 WHERE book = $1 AND serial = $2";
            let values: [&(dyn ToSql + Sync); 4] = [&i64::from(n.book), &i64::from(n.serial), &claimed.map(Amount), &int(block)];
            tx.execute(&tx.prepare_cached(sql).await?, &values).await?;
            Ok(())
        }
        ChannelUpdate::Live { state, channel_id } => put_live(tx, state, channel_id, block).await,
    }
}

async fn put_live(tx: &Transaction<'_>, state: &ChannelState, channel_id: &ChannelId, block: u64) -> Result<(), Failure> {
    let t = &state.terms;
    // What was seen closed at a finalized block stays closed: numbers are never reused.
    let sql = "INSERT INTO channels (book, serial, channel_id, payer, payee, voucher_signer, token, challenge_period_secs, opened_at, deposit,
             claimed, close_due_at, refund_requested, refund_due_at, is_closed, seen_at_block)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, FALSE, $15)
         ON CONFLICT (book, serial) DO UPDATE SET channel_id = excluded.channel_id, payer = excluded.payer, payee = excluded.payee,
             voucher_signer = excluded.voucher_signer, token = excluded.token, challenge_period_secs = excluded.challenge_period_secs,
             opened_at = excluded.opened_at, deposit = excluded.deposit, claimed = excluded.claimed, close_due_at = excluded.close_due_at,
             refund_requested = excluded.refund_requested, refund_due_at = excluded.refund_due_at, seen_at_block = excluded.seen_at_block
         WHERE excluded.seen_at_block >= channels.seen_at_block AND NOT channels.is_closed";
    let values: [&(dyn ToSql + Sync); 15] = [
        &i64::from(t.number.book),
        &i64::from(t.number.serial),
        &&channel_id.0[..],
        &&t.payer.0[..],
        &&t.payee.0[..],
        &&t.voucher_signer.0[..],
        &&t.token.0[..],
        &i64::from(t.challenge_period_secs),
        &int(t.opened_at),
        &Amount(state.deposit),
        &Amount(state.claimed),
        &state.close_due_at.map(int),
        &Amount(state.refund_requested),
        &state.refund_due_at.map(int),
        &int(block),
    ];
    tx.execute(&tx.prepare_cached(sql).await?, &values).await?;
    Ok(())
}

async fn put_book(tx: &Transaction<'_>, block: u64, kind: ContractKind, book: &BookState) -> Result<(), Failure> {
    let terms = &book.terms;
    let sql = "INSERT INTO books (contract, book, payee, token, next_serial, beneficiary, fee_bps, flat_fee, min_gain, until_at, seen_at_block)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (contract, book) DO UPDATE SET payee = excluded.payee, token = excluded.token, next_serial = excluded.next_serial,
             beneficiary = excluded.beneficiary, fee_bps = excluded.fee_bps, flat_fee = excluded.flat_fee, min_gain = excluded.min_gain,
             until_at = excluded.until_at, seen_at_block = excluded.seen_at_block
         WHERE excluded.seen_at_block >= books.seen_at_block";
    let values: [&(dyn ToSql + Sync); 11] = [
        &contract(kind),
        &i64::from(book.book),
        &&book.payee.0[..],
        &&book.token.0[..],
        &i64::from(book.next_serial),
        &&terms.beneficiary.0[..],
        &i64::from(terms.fee_bps),
        &Amount(terms.flat_fee),
        &Amount(terms.min_gain),
        &int(terms.until),
        &int(block),
    ];
    tx.execute(&tx.prepare_cached(sql).await?, &values).await?;
    Ok(())
}

async fn put_stream(tx: &Transaction<'_>, update: &StreamUpdate) -> Result<(), Failure> {
    const END: &str = "UPDATE streams SET is_ended = TRUE WHERE book = $1 AND serial = $2";
    let (StreamUpdate::Live { number, .. } | StreamUpdate::Changed { number } | StreamUpdate::Moved { number, .. } | StreamUpdate::Ended { number }) =
        update;
    let (book, serial) = (i64::from(number.book), i64::from(number.serial));
    match update {
        StreamUpdate::Ended { .. } => tx.execute(&tx.prepare_cached(END).await?, &[&book, &serial]).await?,
        StreamUpdate::Changed { .. } => {
            let sql = "UPDATE streams SET set_aside = NULL WHERE book = $1 AND serial = $2";
            tx.execute(&tx.prepare_cached(sql).await?, &[&book, &serial]).await?
        }
        StreamUpdate::Moved { new_number: new, .. } => {
            // Read anew before, it may be there already.
            let sql = "INSERT INTO streams (book, serial, stream_id, is_ended, set_aside)
                 SELECT $3, $4, stream_id, FALSE, NULL FROM streams WHERE book = $1 AND serial = $2 ON CONFLICT DO NOTHING";
            tx.execute(&tx.prepare_cached(sql).await?, &[&book, &serial, &i64::from(new.book), &i64::from(new.serial)]).await?;
            tx.execute(&tx.prepare_cached(END).await?, &[&book, &serial]).await?
        }
        StreamUpdate::Live { stream_id, .. } => {
            // What was seen ended stays ended: numbers are never reused.
            let sql = "INSERT INTO streams (book, serial, stream_id, is_ended, set_aside) VALUES ($1, $2, $3, FALSE, NULL)
                 ON CONFLICT (book, serial) DO UPDATE SET stream_id = excluded.stream_id, set_aside = NULL";
            tx.execute(&tx.prepare_cached(sql).await?, &[&book, &serial, &&stream_id.0[..]]).await?
        }
    };
    Ok(())
}

/// Takes in what the chain says. Blocks that another relayer has taken in already are not taken in again: what was read at them may be older.
pub async fn apply(tx: &Transaction<'_>, update: &ChainUpdate) -> Result<(), Failure> {
    let mut taken_in = None;
    if update.cursor.is_some() || !update.claims.is_empty() {
        tx.query_one(&tx.prepare_cached("SELECT id FROM deployment FOR UPDATE").await?, &[]).await?;
        let row = tx.query_opt(&tx.prepare_cached("SELECT block_number FROM cursor").await?, &[]).await?;
        taken_in = row.map(|row| uint_at::<u64>(&row, 0)).transpose()?;
    }
    if update.cursor.is_some_and(|to| taken_in.is_some_and(|taken_in| taken_in >= to.block.number)) {
        return Ok(());
    }
    for (block, kind, book) in &update.books {
        put_book(tx, *block, *kind, book).await?;
    }
    for (block, channel) in &update.channels {
        put_channel(tx, channel, *block).await?;
    }
    for stream in &update.streams {
        put_stream(tx, stream).await?;
    }
    payee::add_claims(tx, &update.claims, taken_in).await?;
    if let Some(BlockHead { block, now }) = &update.cursor {
        let sql = "INSERT INTO cursor (id, block_number, block_hash, block_at) VALUES (1, $1, $2, $3)
             ON CONFLICT (id) DO UPDATE SET block_number = excluded.block_number, block_hash = excluded.block_hash, block_at = excluded.block_at";
        tx.execute(&tx.prepare_cached(sql).await?, &[&int(block.number), &&block.hash[..], &int(*now)]).await?;
    }
    Ok(())
}

/// How far the chain has been followed.
pub async fn cursor(client: &Object) -> Result<Option<BlockHead>, Failure> {
    let sql = "SELECT block_number, block_hash, block_at FROM cursor";
    let row = client.query_opt(&client.prepare_cached(sql).await?, &[]).await?;
    row.map(|row| Ok(BlockHead { block: BlockRef { number: uint_at(&row, 0)?, hash: bytes_at(&row, 1)? }, now: uint_at(&row, 2)? })).transpose()
}

/// The books of a contract.
pub async fn books(client: &Object, kind: ContractKind) -> Result<BTreeMap<u32, BookView>, Failure> {
    some_books(client, kind, None).await
}

/// One book of a contract, or all.
pub async fn some_books(client: &Object, kind: ContractKind, book: Option<u32>) -> Result<BTreeMap<u32, BookView>, Failure> {
    let (from, to) = (i64::from(book.unwrap_or(0)), i64::from(book.unwrap_or(u32::MAX)));
    let sql =
        "SELECT book, payee, token, beneficiary, fee_bps, flat_fee, min_gain, until_at FROM books WHERE contract = $1 AND book BETWEEN $2 AND $3";
    let rows = client.query(&client.prepare_cached(sql).await?, &[&contract(kind), &from, &to]).await?;
    let read = |row: &Row| {
        let terms = RelayTerms {
            beneficiary: address_at(row, 3)?,
            fee_bps: uint_at(row, 4)?,
            flat_fee: amount_at(row, 5)?,
            min_gain: amount_at(row, 6)?,
            until: uint_at(row, 7)?,
        };
        Ok((uint_at(row, 0)?, BookView { payee: address_at(row, 1)?, token: address_at(row, 2)?, terms }))
    };
    rows.iter().map(read).collect()
}
