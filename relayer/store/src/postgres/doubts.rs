//! Whether this may be an old copy.

use super::{
    codec::{address_at, amount_at, number_at, some_uint_at, uint_at},
    db::{Db, Failure, in_transaction},
};
use crate::{ClaimedAbove, DOUBTS_SHOWN, Doubts, StoreError};
use deadpool_postgres::Transaction;
use rivulet_rules::chain::Account;

/// One more start.
pub async fn count_start(db: &Db) -> Result<(), StoreError> {
    in_transaction!(db, |tx| async {
        tx.execute("UPDATE marks SET generation = generation + 1", &[]).await?;
        Ok::<_, Failure>(())
    })
}

/// What speaks for an old copy. That it was put back from a backup is said once.
pub async fn take(tx: &Transaction<'_>, signer: Account) -> Result<Doubts, Failure> {
    let marks = tx.query_one("SELECT taken_ms, last_accepted_ms FROM marks FOR UPDATE", &[]).await?;
    tx.execute("UPDATE marks SET taken_ms = NULL WHERE taken_ms IS NOT NULL", &[]).await?;
    let from = "FROM vouchers v JOIN channels c ON c.book = v.book AND c.serial = v.serial AND c.channel_id = v.channel_id
         WHERE c.claimed > v.cumulative_amount";
    let count = uint_at(&tx.query_one(&format!("SELECT count(*) {from}"), &[]).await?, 0)?;
    let mut claimed_above = Vec::new();
    if count > 0 {
        let sql = format!("SELECT c.book, c.serial, c.payee, v.cumulative_amount, c.claimed {from} ORDER BY c.book, c.serial LIMIT {DOUBTS_SHOWN}");
        for row in tx.query(&sql, &[]).await? {
            let number = number_at(&row, 0)?;
            claimed_above.push(ClaimedAbove { number, payee: address_at(&row, 2)?, best: amount_at(&row, 3)?, claimed: amount_at(&row, 4)? });
        }
    }
    let sql = "SELECT max(nonce) + 1 FROM intents WHERE signer = $1 AND state <> 'expired'";
    let next_nonce = some_uint_at(&tx.query_one(sql, &[&&signer.0[..]]).await?, 0)?;
    let (taken_ms, last_accepted_ms) = (some_uint_at(&marks, 0)?, uint_at(&marks, 1)?);
    Ok(Doubts { taken_ms, last_accepted_ms, mark: None, claimed_above, claimed_above_count: count, next_nonce })
}
