//! Intents: what was about to be sent, and what became of it.

use super::codec::{amount, amount_at, bytes_at, contract, contract_at, int, u64_at};
use crate::{Intent, IntentEnd, IntentId, NewIntent, SetAside, StoreError};
use rivulet_core::{
    ids::{ChannelNumber, Number},
    outcome::RowOutcome,
};
use rivulet_rules::{
    chain::{Account, BlockRef, ContractKind, SignedTx, TxHash},
    reconcile::{IntentRow, RowResult},
};
use rusqlite::{Connection, ErrorCode};

/// Records an intent.
pub fn open(db: &Connection, intent: &NewIntent) -> Result<IntentId, StoreError> {
    let tx = &intent.tx;
    let sql = "INSERT INTO intents (contract, signer, nonce, valid_from_block, valid_until_block, tx_hash, tx_bytes, blob, state, created_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'open', ?9)";
    let values = (
        contract(intent.contract),
        &tx.signer.0,
        int(tx.nonce),
        int(tx.valid_from_block),
        int(tx.valid_until_block),
        &tx.hash.0,
        &tx.bytes,
        &intent.blob,
        int(intent.created_ms),
    );
    // The same bytes cannot be signed twice: what is in the way is their signer's nonce.
    db.prepare_cached(sql)?.execute(values).map_err(|e| in_the_way(e, StoreError::NonceInFlight))?;
    let id = db.last_insert_rowid();
    let sql = "INSERT INTO intent_rows (intent_id, contract, book, serial, cumulative_amount, gain, is_open) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1)";
    let mut insert = db.prepare_cached(sql)?;
    let mut note = db.prepare_cached("INSERT OR REPLACE INTO row_claims (contract, book, serial, sent_at) VALUES (?1, ?2, ?3, ?4)")?;
    for row in &intent.rows {
        let values = (id, contract(intent.contract), row.number.book, row.number.serial, amount(row.cumulative_amount), amount(row.gain));
        insert.execute(values).map_err(|e| in_the_way(e, StoreError::RowInFlight))?;
        note.execute((contract(intent.contract), row.number.book, row.number.serial, int(intent.sent_at)))?;
    }
    Ok(IntentId(id))
}

/// `what`, when something unique is there already.
fn in_the_way(e: rusqlite::Error, what: StoreError) -> StoreError {
    match e.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => what,
        _ => e.into(),
    }
}

/// Intents whose end is not known, oldest first.
pub fn list_open(db: &Connection) -> Result<Vec<Intent>, StoreError> {
    let sql = "SELECT id, contract, signer, nonce, valid_from_block, valid_until_block, tx_hash, tx_bytes, created_ms
         FROM intents WHERE state = 'open' ORDER BY id";
    let mut query = db.prepare_cached(sql)?;
    let found = query.query_map([], |row| {
        let tx = SignedTx {
            bytes: row.get(7)?,
            hash: TxHash(bytes_at(row, 6)?),
            signer: Account(bytes_at(row, 2)?),
            nonce: u64_at(row, 3)?,
            valid_from_block: u64_at(row, 4)?,
            valid_until_block: u64_at(row, 5)?,
        };
        Ok(Intent { id: IntentId(row.get(0)?), contract: contract_at(row, 1)?, tx, rows: Vec::new(), created_ms: u64_at(row, 8)? })
    })?;
    let mut intents = found.collect::<Result<Vec<_>, _>>()?;
    let mut query = db.prepare_cached("SELECT book, serial, cumulative_amount, gain FROM intent_rows WHERE intent_id = ?1 ORDER BY book, serial")?;
    for intent in &mut intents {
        let rows = query.query_map([intent.id.0], |row| {
            let number = Number { book: row.get(0)?, serial: row.get(1)? };
            Ok(IntentRow { number, cumulative_amount: amount_at(row, 2)?, gain: amount_at(row, 3)? })
        })?;
        intent.rows = rows.collect::<Result<_, _>>()?;
    }
    Ok(intents)
}

/// Records what became of an intent, and frees its rows: the channels among them.
pub fn finish(db: &Connection, id: IntentId, end: &IntentEnd) -> Result<Vec<ChannelNumber>, StoreError> {
    let (state, block, fee, reason): (_, Option<&BlockRef>, Option<u128>, Option<&str>) = match end {
        IntentEnd::Finalized { block, fee_planck, .. } => ("finalized", Some(block), *fee_planck, None),
        IntentEnd::Failed { block, fee_planck, reason } => ("failed", Some(block), *fee_planck, Some(reason)),
        IntentEnd::Expired { reason } => ("expired", None, None, Some(reason)),
    };
    let sql = "UPDATE intents SET state = ?2, block_number = ?3, block_hash = ?4, fee_planck = ?5, reason = ?6 WHERE id = ?1 AND state = 'open'";
    let values = (id.0, state, block.map(|b| int(b.number)), block.map(|b| b.hash), fee.map(amount), reason);
    if db.prepare_cached(sql)?.execute(values)? == 0 {
        // Finished before: the first record stands.
        return Ok(Vec::new());
    }
    let kind = db.query_row("SELECT contract FROM intents WHERE id = ?1", [id.0], |row| contract_at(row, 0))?;
    db.prepare_cached("UPDATE intent_rows SET is_open = 0 WHERE intent_id = ?1")?.execute([id.0])?;
    let mut query = db.prepare_cached("SELECT book, serial FROM intent_rows WHERE intent_id = ?1 AND contract = 0")?;
    let freed = query.query_map([id.0], |row| Ok(Number { book: row.get(0)?, serial: row.get(1)? }))?.collect::<Result<_, _>>()?;
    let IntentEnd::Finalized { results, .. } = end else {
        // It came to nothing: its rows need not wait for their payee's next slot.
        let sql = "DELETE FROM row_claims WHERE (contract, book, serial) IN (SELECT contract, book, serial FROM intent_rows WHERE intent_id = ?1)";
        db.prepare_cached(sql)?.execute([id.0])?;
        return Ok(freed);
    };
    let mut record = db.prepare_cached("UPDATE intent_rows SET outcome = ?4, total = ?5 WHERE intent_id = ?1 AND book = ?2 AND serial = ?3")?;
    for RowResult { number, outcome, total } in results {
        record.execute((id.0, number.book, number.serial, *outcome as u8, amount(*total)))?;
    }
    if kind == ContractKind::Channels {
        record_claims(db, id, results)?;
    }
    Ok(freed)
}

/// What the chain has paid out is known before the record is read again; what it refused is set aside.
fn record_claims(db: &Connection, id: IntentId, results: &[RowResult]) -> Result<(), StoreError> {
    let mut grow = db.prepare_cached("UPDATE channels SET claimed = ?3 WHERE book = ?1 AND serial = ?2 AND claimed < ?3")?;
    let mut refuse = db.prepare_cached(
        "UPDATE vouchers SET set_aside = ?4 WHERE book = ?1 AND serial = ?2 AND cumulative_amount =
             (SELECT cumulative_amount FROM intent_rows r WHERE r.intent_id = ?3 AND r.book = ?1 AND r.serial = ?2)",
    )?;
    for RowResult { number, outcome, total } in results {
        match outcome {
            RowOutcome::Applied | RowOutcome::Capped => {
                grow.execute((number.book, number.serial, amount(*total)))?;
            }
            // Somebody claimed before: the record, read again, says how much.
            RowOutcome::Stale | RowOutcome::Closed => {}
            RowOutcome::BadSignature => {
                refuse.execute((number.book, number.serial, id.0, "bad_signature"))?;
            }
            RowOutcome::Unknown => {
                refuse.execute((number.book, number.serial, id.0, "unknown"))?;
            }
        }
    }
    Ok(())
}

/// Leaves rows out of batches.
pub fn set_aside(db: &Connection, rows: &[SetAside]) -> Result<(), StoreError> {
    for row in rows {
        match row.contract {
            ContractKind::Channels => {
                let sql = "UPDATE vouchers SET set_aside = ?4 WHERE book = ?1 AND serial = ?2 AND cumulative_amount = ?3";
                db.prepare_cached(sql)?.execute((row.number.book, row.number.serial, amount(row.cumulative_amount), row.reason))?
            }
            ContractKind::Streams => {
                let sql = "UPDATE streams SET set_aside = ?3 WHERE book = ?1 AND serial = ?2";
                db.prepare_cached(sql)?.execute((row.number.book, row.number.serial, row.reason))?
            }
        };
    }
    Ok(())
}
