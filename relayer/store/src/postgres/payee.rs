//! What a payee asks: its channels, and its days.

use super::{
    chain::{STATE, STORED, some_books, stored_at},
    codec::{Amount, address_at, amount_at, contract, contract_at, int, uint_at},
    db::Failure,
};
use crate::{BookClaim, DayEarnings, SECS_PER_DAY, StoredChannel, earnings::Days};
use deadpool_postgres::{Object, Transaction};
use rivulet_core::ids::{Address, ChannelNumber};
use rivulet_rules::{batch::BookView, chain::ContractKind};
use std::collections::BTreeMap;

async fn books(client: &Object, payee: Address) -> Result<Vec<i64>, Failure> {
    let sql = "SELECT book FROM books WHERE payee = $1 AND contract = 0 ORDER BY book";
    let rows = client.query(&client.prepare_cached(sql).await?, &[&&payee.0[..]]).await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

/// A payee's channels by number, from the one after `after` on.
pub async fn channels(client: &Object, payee: Address, after: Option<ChannelNumber>, limit: usize) -> Result<Vec<StoredChannel>, Failure> {
    let sql = format!("SELECT {STATE}, {STORED} WHERE c.book = $1 AND c.serial >= $2 ORDER BY c.serial LIMIT $3");
    let page = client.prepare_cached(&sql).await?;
    let mut found = Vec::new();
    // Book by book, each in the order of its index: a page costs what it holds, however many channels there are.
    for book in books(client, payee).await? {
        let from = match after {
            Some(after) if book < i64::from(after.book) => continue,
            Some(after) if book == i64::from(after.book) => i64::from(after.serial).saturating_add(1),
            _ => 0,
        };
        let left = int(limit.saturating_sub(found.len()) as u64);
        if left == 0 {
            break;
        }
        for row in client.query(&page, &[&book, &from, &left]).await? {
            found.push(stored_at(&row)?);
        }
    }
    Ok(found)
}

/// One book.
pub async fn book(client: &Object, kind: ContractKind, book: u32) -> Result<Option<BookView>, Failure> {
    Ok(some_books(client, kind, Some(book)).await?.remove(&book))
}

/// What a payee earned on the days `from..=to` (days since 1970), oldest first.
pub async fn days(client: &Object, payee: Address, from: u64, to: u64) -> Result<Vec<DayEarnings>, Failure> {
    let (from, to) = (int(from), int(to));
    let mut days = Days::default();
    let sql = "SELECT day, token, accepted, vouchers FROM totals WHERE payee = $1 AND day BETWEEN $2 AND $3";
    for row in client.query(&client.prepare_cached(sql).await?, &[&&payee.0[..], &from, &to]).await? {
        days.accepted(uint_at(&row, 0)?, address_at(&row, 1)?, amount_at(&row, 2)?, uint_at(&row, 3)?);
    }
    let sql =
        "SELECT d.day, d.contract, b.token, d.gain, d.fee, d.rows FROM books b JOIN claims_by_day d ON d.contract = b.contract AND d.book = b.book
         WHERE b.payee = $1 AND d.day BETWEEN $2 AND $3";
    for row in client.query(&client.prepare_cached(sql).await?, &[&&payee.0[..], &from, &to]).await? {
        let (gain, fee, rows) = (amount_at(&row, 3)?, amount_at(&row, 4)?, uint_at(&row, 5)?);
        days.claimed(uint_at(&row, 0)?, contract_at(&row, 1)?, address_at(&row, 2)?, (gain, fee, rows));
    }
    Ok(days.into())
}

/// Adds what blocks paid out that are beyond `taken_in`: what is below was added before, by this relayer or another.
pub async fn add_claims(tx: &Transaction<'_>, claims: &[BookClaim], taken_in: Option<u64>) -> Result<(), Failure> {
    let mut sums = BTreeMap::<(i64, i64, i64), (u128, u128, u64)>::new();
    for claim in claims.iter().filter(|c| taken_in.is_none_or(|taken_in| c.block_number > taken_in)) {
        let sum = sums.entry((contract(claim.contract), i64::from(claim.book), int(claim.at / SECS_PER_DAY))).or_default();
        *sum = (sum.0.saturating_add(claim.gain), sum.1.saturating_add(claim.fee), sum.2.saturating_add(claim.rows));
    }
    if sums.is_empty() {
        return Ok(());
    }
    let contracts: Vec<_> = sums.keys().map(|key| key.0).collect();
    let books: Vec<_> = sums.keys().map(|key| key.1).collect();
    let days: Vec<_> = sums.keys().map(|key| key.2).collect();
    let gains: Vec<_> = sums.values().map(|sum| Amount(sum.0)).collect();
    let fees: Vec<_> = sums.values().map(|sum| Amount(sum.1)).collect();
    let rows: Vec<_> = sums.values().map(|sum| int(sum.2)).collect();
    // A sum stays within what an amount can be, as everywhere.
    let sql = "INSERT INTO claims_by_day (contract, book, day, gain, fee, rows)
         SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::numeric[], $5::numeric[], $6::bigint[])
         ON CONFLICT (contract, book, day) DO UPDATE SET rows = claims_by_day.rows + excluded.rows,
             gain = least(claims_by_day.gain + excluded.gain, 340282366920938463463374607431768211455),
             fee = least(claims_by_day.fee + excluded.fee, 340282366920938463463374607431768211455)";
    tx.execute(&tx.prepare_cached(sql).await?, &[&contracts, &books, &days, &gains, &fees, &rows]).await?;
    Ok(())
}
