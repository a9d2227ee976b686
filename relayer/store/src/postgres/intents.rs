//! Intents: what was about to be sent, and what became of it.

use super::{
    codec::{Amount, amount_at, bytes_at, contract, contract_at, int, number_at, uint_at},
    db::Failure,
    lease,
};
use crate::{Intent, IntentEnd, IntentId, NewIntent, SetAside, StoreError};
use deadpool_postgres::{Object, Transaction};
use rivulet_core::{
    ids::{ChannelNumber, Number},
    outcome::RowOutcome,
};
use rivulet_rules::{
    chain::{Account, BlockRef, ContractKind, SignedTx, TxHash},
    reconcile::{IntentRow, RowResult},
};
use std::collections::HashMap;
use tokio_postgres::{Row, error::SqlState, types::ToSql};

/// Books and serials, in two arrays.
fn columns<'a>(numbers: impl Iterator<Item = &'a Number>) -> (Vec<i64>, Vec<i64>) {
    numbers.map(|n| (i64::from(n.book), i64::from(n.serial))).unzip()
}

/// Records an intent, if `holder` still has the lease of that number. The lease stays locked until the commit: nobody can take it meanwhile.
pub async fn open(tx: &Transaction<'_>, holder: &str, intent: &NewIntent) -> Result<IntentId, Failure> {
    lease::check(tx, holder, intent.fence).await?;
    // The lock makes this the only transaction that counts.
    let id: i64 = tx.query_one(&tx.prepare_cached("SELECT coalesce(max(id), 0) + 1 FROM intents").await?, &[]).await?.try_get(0)?;
    let signed = &intent.tx;
    let sql = "INSERT INTO intents (id, contract, signer, nonce, valid_from_block, valid_until_block, tx_hash, tx_bytes, blob, state, created_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open', $10)";
    let values: [&(dyn ToSql + Sync); 10] = [
        &id,
        &contract(intent.contract),
        &&signed.signer.0[..],
        &int(signed.nonce),
        &int(signed.valid_from_block),
        &int(signed.valid_until_block),
        &&signed.hash.0[..],
        &signed.bytes,
        &intent.blob,
        &int(intent.created_ms),
    ];
    // Its id is new, and the same bytes cannot be signed twice: what is in the way is their signer's nonce.
    tx.execute(&tx.prepare_cached(sql).await?, &values).await.map_err(|e| in_the_way(e, StoreError::NonceInFlight))?;
    let (books, serials) = columns(intent.rows.iter().map(|row| &row.number));
    let amounts: Vec<_> = intent.rows.iter().map(|row| Amount(row.cumulative_amount)).collect();
    let gains: Vec<_> = intent.rows.iter().map(|row| Amount(row.gain)).collect();
    let sql = "INSERT INTO intent_rows (intent_id, contract, book, serial, cumulative_amount, gain, is_open)
         SELECT $1, $2, n.book, n.serial, n.amount, n.gain, TRUE
         FROM unnest($3::bigint[], $4::bigint[], $5::numeric[], $6::numeric[]) AS n (book, serial, amount, gain)";
    let values: [&(dyn ToSql + Sync); 6] = [&id, &contract(intent.contract), &books, &serials, &amounts, &gains];
    tx.execute(&tx.prepare_cached(sql).await?, &values).await.map_err(|e| in_the_way(e, StoreError::RowInFlight))?;
    let sql = "INSERT INTO row_claims (contract, book, serial, sent_at) SELECT $1, n.book, n.serial, $4 FROM unnest($2::bigint[], $3::bigint[]) AS n (book, serial)
         ON CONFLICT (contract, book, serial) DO UPDATE SET sent_at = excluded.sent_at";
    tx.execute(&tx.prepare_cached(sql).await?, &[&contract(intent.contract), &books, &serials, &int(intent.sent_at)]).await?;
    Ok(IntentId(id))
}

/// `what`, when something unique is there already.
fn in_the_way(e: tokio_postgres::Error, what: StoreError) -> Failure {
    match e.code() {
        Some(code) if *code == SqlState::UNIQUE_VIOLATION => what.into(),
        _ => e.into(),
    }
}

/// Intents whose end is not known, oldest first.
pub async fn list_open(client: &Object) -> Result<Vec<Intent>, Failure> {
    let sql = "SELECT id, contract, signer, nonce, valid_from_block, valid_until_block, tx_hash, tx_bytes, created_ms
         FROM intents WHERE state = 'open' ORDER BY id";
    let found = client.query(&client.prepare_cached(sql).await?, &[]).await?;
    let ids: Vec<i64> = found.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT intent_id, book, serial, cumulative_amount, gain FROM intent_rows WHERE intent_id = ANY($1) ORDER BY intent_id, book, serial";
    let mut rows = HashMap::<i64, Vec<IntentRow>>::new();
    for row in client.query(&client.prepare_cached(sql).await?, &[&ids]).await? {
        let of = rows.entry(row.try_get(0)?).or_default();
        of.push(IntentRow { number: number_at(&row, 1)?, cumulative_amount: amount_at(&row, 3)?, gain: amount_at(&row, 4)? });
    }
    let mut intent = |row: &Row| {
        let tx = SignedTx {
            bytes: row.try_get(7)?,
            hash: TxHash(bytes_at(row, 6)?),
            signer: Account(bytes_at(row, 2)?),
            nonce: uint_at(row, 3)?,
            valid_from_block: uint_at(row, 4)?,
            valid_until_block: uint_at(row, 5)?,
        };
        let id = row.try_get(0)?;
        let rows = rows.remove(&id).unwrap_or_default();
        Ok(Intent { id: IntentId(id), contract: contract_at(row, 1)?, tx, rows, created_ms: uint_at(row, 8)? })
    };
    found.iter().map(&mut intent).collect()
}

/// Records what became of an intent, and frees its rows: the channels among them.
pub async fn finish(tx: &Transaction<'_>, id: IntentId, end: &IntentEnd) -> Result<Vec<ChannelNumber>, Failure> {
    let (state, block, fee, reason): (_, Option<&BlockRef>, Option<u128>, Option<&str>) = match end {
        IntentEnd::Finalized { block, fee_planck, .. } => ("finalized", Some(block), *fee_planck, None),
        IntentEnd::Failed { block, fee_planck, reason } => ("failed", Some(block), *fee_planck, Some(reason)),
        IntentEnd::Expired { reason } => ("expired", None, None, Some(reason)),
    };
    let sql = "UPDATE intents SET state = $2, block_number = $3, block_hash = $4, fee_planck = $5, reason = $6
         WHERE id = $1 AND state = 'open' RETURNING contract";
    let values: [&(dyn ToSql + Sync); 6] = [&id.0, &state, &block.map(|b| int(b.number)), &block.map(|b| b.hash.to_vec()), &fee.map(Amount), &reason];
    let Some(row) = tx.query_opt(&tx.prepare_cached(sql).await?, &values).await? else {
        // Finished before, perhaps by another relayer: the first record stands.
        return Ok(Vec::new());
    };
    let kind = contract_at(&row, 0)?;
    let sql = "UPDATE intent_rows SET is_open = FALSE WHERE intent_id = $1 RETURNING book, serial";
    let rows = tx.query(&tx.prepare_cached(sql).await?, &[&id.0]).await?;
    let freed = rows.iter().filter(|_| kind == ContractKind::Channels).map(|row| number_at(row, 0)).collect::<Result<Vec<_>, _>>()?;
    let IntentEnd::Finalized { results, .. } = end else {
        // It came to nothing: its rows need not wait for their payee's next slot.
        let sql = "DELETE FROM row_claims WHERE (contract, book, serial) IN (SELECT contract, book, serial FROM intent_rows WHERE intent_id = $1)";
        tx.execute(&tx.prepare_cached(sql).await?, &[&id.0]).await?;
        return Ok(freed);
    };
    let (books, serials) = columns(results.iter().map(|r| &r.number));
    let outcomes: Vec<_> = results.iter().map(|r| i64::from(r.outcome as u8)).collect();
    let totals: Vec<_> = results.iter().map(|r| Amount(r.total)).collect();
    let sql = "UPDATE intent_rows r SET outcome = n.outcome, total = n.total
         FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::numeric[]) AS n (book, serial, outcome, total)
         WHERE r.intent_id = $1 AND r.book = n.book AND r.serial = n.serial";
    tx.execute(&tx.prepare_cached(sql).await?, &[&id.0, &books, &serials, &outcomes, &totals]).await?;
    if kind == ContractKind::Channels {
        record_claims(tx, id, results).await?;
    }
    Ok(freed)
}

/// What the chain has paid out is known before the record is read again; what it refused is set aside.
async fn record_claims(tx: &Transaction<'_>, id: IntentId, results: &[RowResult]) -> Result<(), Failure> {
    let paid: Vec<_> = results.iter().filter(|r| matches!(r.outcome, RowOutcome::Applied | RowOutcome::Capped)).collect();
    let (books, serials) = columns(paid.iter().map(|r| &r.number));
    let totals: Vec<_> = paid.iter().map(|r| Amount(r.total)).collect();
    let sql = "UPDATE channels c SET claimed = n.total FROM unnest($1::bigint[], $2::bigint[], $3::numeric[]) AS n (book, serial, total)
         WHERE c.book = n.book AND c.serial = n.serial AND c.claimed < n.total";
    tx.execute(&tx.prepare_cached(sql).await?, &[&books, &serials, &totals]).await?;
    // Stale and Closed: somebody claimed before; the record, read again, says how much.
    for (outcome, reason) in [(RowOutcome::BadSignature, "bad_signature"), (RowOutcome::Unknown, "unknown")] {
        let (books, serials) = columns(results.iter().filter(|r| r.outcome == outcome).map(|r| &r.number));
        if books.is_empty() {
            continue;
        }
        let sql = "UPDATE vouchers v SET set_aside = $2 FROM intent_rows r
             WHERE r.intent_id = $1 AND v.book = r.book AND v.serial = r.serial AND v.cumulative_amount = r.cumulative_amount
                 AND (r.book, r.serial) IN (SELECT * FROM unnest($3::bigint[], $4::bigint[]))";
        tx.execute(&tx.prepare_cached(sql).await?, &[&id.0, &reason, &books, &serials]).await?;
    }
    Ok(())
}

/// Leaves rows out of batches.
pub async fn set_aside(tx: &Transaction<'_>, rows: &[SetAside]) -> Result<(), Failure> {
    for row in rows {
        let (book, serial) = (i64::from(row.number.book), i64::from(row.number.serial));
        match row.contract {
            ContractKind::Channels => {
                let sql = "UPDATE vouchers SET set_aside = $4 WHERE book = $1 AND serial = $2 AND cumulative_amount = $3";
                tx.execute(&tx.prepare_cached(sql).await?, &[&book, &serial, &Amount(row.cumulative_amount), &row.reason]).await?
            }
            ContractKind::Streams => {
                let sql = "UPDATE streams SET set_aside = $3 WHERE book = $1 AND serial = $2";
                tx.execute(&tx.prepare_cached(sql).await?, &[&book, &serial, &row.reason]).await?
            }
        };
    }
    Ok(())
}
