//! Whether this may be an old copy.

use super::codec::{amount_at, bytes_at, int, u64_at};
use crate::{ClaimedAbove, DOUBTS_SHOWN, Doubts, Mark, StoreError};
use rivulet_core::ids::{Address, Number};
use rivulet_rules::chain::Account;
use rusqlite::Connection;

/// One more start. What the database says of itself now.
pub fn count_start(db: &Connection) -> Result<Mark, StoreError> {
    let sql = "UPDATE marks SET generation = generation + 1 RETURNING generation, last_accepted_ms";
    Ok(db.query_row(sql, [], |row| Ok(Mark { generation: u64_at(row, 0)?, last_accepted_ms: u64_at(row, 1)? }))?)
}

/// Vouchers were stored.
pub fn accepted(db: &Connection, at_ms: u64) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE marks SET last_accepted_ms = max(last_accepted_ms, ?1)")?.execute([int(at_ms)])?;
    Ok(())
}

/// What speaks for an old copy. That it was put back from a backup is said once.
pub fn take(db: &Connection, signer: &Account, mark: Option<Mark>) -> Result<Doubts, StoreError> {
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, u64_at(row, 1)?));
    let (taken_ms, last_accepted_ms) = db.query_row("SELECT taken_ms, last_accepted_ms FROM marks", [], read)?;
    db.execute("UPDATE marks SET taken_ms = NULL WHERE taken_ms IS NOT NULL", [])?;
    let from = "FROM vouchers v JOIN channels c ON c.book = v.book AND c.serial = v.serial AND c.channel_id = v.channel_id
         WHERE c.claimed > v.cumulative_amount";
    let claimed_above_count = db.query_row(&format!("SELECT count(*) {from}"), [], |row| u64_at(row, 0))?;
    let sql = format!("SELECT c.book, c.serial, c.payee, v.cumulative_amount, c.claimed {from} ORDER BY c.book, c.serial LIMIT {DOUBTS_SHOWN}");
    let mut query = db.prepare(&sql)?;
    let rows = query.query_map([], |row| {
        let number = Number { book: row.get(0)?, serial: row.get(1)? };
        Ok(ClaimedAbove { number, payee: Address(bytes_at(row, 2)?), best: amount_at(row, 3)?, claimed: amount_at(row, 4)? })
    })?;
    let claimed_above = rows.collect::<Result<_, _>>()?;
    let next_nonce = db.query_row("SELECT max(nonce) + 1 FROM intents WHERE signer = ?1 AND state <> 'expired'", [&signer.0], |row| row.get(0))?;
    Ok(Doubts { taken_ms, last_accepted_ms, mark, claimed_above, claimed_above_count, next_nonce })
}
