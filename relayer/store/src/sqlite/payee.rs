//! What a payee asks: its channels, and its days.

use super::{
    chain,
    codec::{amount, amount_at, bytes_at, contract, contract_at, int, u64_at},
};
use crate::{BookClaim, DayEarnings, SECS_PER_DAY, StoreError, StoredChannel, earnings::Days};
use rivulet_core::ids::{Address, ChannelNumber, Number};
use rivulet_rules::{batch::BookView, chain::ContractKind};
use rusqlite::{Connection, OptionalExtension};

fn books(db: &Connection, payee: Address) -> Result<Vec<u32>, StoreError> {
    let mut query = db.prepare_cached("SELECT book FROM books WHERE payee = ?1 AND contract = 0 ORDER BY book")?;
    let rows = query.query_map([&payee.0], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A payee's channels by number, from the one after `after` on.
pub fn channels(db: &Connection, payee: Address, after: Option<ChannelNumber>, limit: usize) -> Result<Vec<StoredChannel>, StoreError> {
    let mut found = Vec::new();
    let mut query = db.prepare_cached("SELECT serial FROM channels WHERE book = ?1 AND serial >= ?2 ORDER BY serial LIMIT ?3")?;
    for book in books(db, payee)? {
        let from = match after {
            Some(after) if book < after.book => continue,
            Some(after) if book == after.book => u64::from(after.serial).saturating_add(1),
            _ => 0,
        };
        let left = limit.saturating_sub(found.len());
        let serials = query.query_map((book, int(from), int(left as u64)), |row| row.get(0))?.collect::<Result<Vec<u32>, _>>()?;
        for serial in serials {
            found.extend(chain::channel(db, Number { book, serial })?);
        }
    }
    Ok(found)
}

/// One book.
pub fn book(db: &Connection, kind: ContractKind, book: u32) -> Result<Option<BookView>, StoreError> {
    Ok(chain::some_books(db, kind, Some(book))?.remove(&book))
}

/// What a payee earned on the days `from..=to` (days since 1970), oldest first.
pub fn days(db: &Connection, payee: Address, from: u64, to: u64) -> Result<Vec<DayEarnings>, StoreError> {
    let mut days = Days::default();
    let mut query = db.prepare_cached("SELECT day, token, accepted, vouchers FROM totals WHERE payee = ?1 AND day BETWEEN ?2 AND ?3")?;
    let mut rows = query.query((&payee.0, int(from), int(to)))?;
    while let Some(row) = rows.next()? {
        days.accepted(u64_at(row, 0)?, Address(bytes_at(row, 1)?), amount_at(row, 2)?, u64_at(row, 3)?);
    }
    let sql =
        "SELECT d.day, d.contract, b.token, d.gain, d.fee, d.rows FROM books b JOIN claims_by_day d ON d.contract = b.contract AND d.book = b.book
         WHERE b.payee = ?1 AND d.day BETWEEN ?2 AND ?3";
    let mut query = db.prepare_cached(sql)?;
    let mut rows = query.query((&payee.0, int(from), int(to)))?;
    while let Some(row) = rows.next()? {
        let (gain, fee, rows) = (amount_at(row, 3)?, amount_at(row, 4)?, u64_at(row, 5)?);
        days.claimed(u64_at(row, 0)?, contract_at(row, 1)?, Address(bytes_at(row, 2)?), (gain, fee, rows));
    }
    Ok(days.into())
}

/// Adds what blocks paid out. What the cursor has passed was added before: another process may have been faster.
pub fn add_claims(db: &Connection, claims: &[BookClaim]) -> Result<(), StoreError> {
    let Some(first) = claims.first() else { return Ok(()) };
    let seen = chain::cursor(db)?.map(|at| at.block.number);
    debug_assert!(claims.iter().all(|c| c.block_number >= first.block_number));
    for claim in claims.iter().filter(|c| seen.is_none_or(|seen| c.block_number > seen)) {
        let (kind, day) = (contract(claim.contract), int(claim.at / SECS_PER_DAY));
        let mut read = db.prepare_cached("SELECT gain, fee, rows FROM claims_by_day WHERE contract = ?1 AND book = ?2 AND day = ?3")?;
        let before = read.query_row((kind, claim.book, day), |row| Ok((amount_at(row, 0)?, amount_at(row, 1)?, u64_at(row, 2)?))).optional()?;
        let (gain, fee, rows) = before.unwrap_or_default();
        let mut write =
            db.prepare_cached("INSERT OR REPLACE INTO claims_by_day (contract, book, day, gain, fee, rows) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        let (gain, fee) = (amount(gain.saturating_add(claim.gain)), amount(fee.saturating_add(claim.fee)));
        write.execute((kind, claim.book, day, gain, fee, int(rows.saturating_add(claim.rows))))?;
    }
    Ok(())
}
