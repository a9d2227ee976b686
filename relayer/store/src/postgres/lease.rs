//! The lease to claim: one relayer at a time, until it fails to renew.
//!
//! It only saves work and fees: two that both believe to have it cannot do harm, because an intent is opened in a transaction that checks the fencing
//! number, and no row can be in two open intents. Times are the database's: clocks of relayers may differ.

use super::{codec::int, db::Failure};
use crate::{Fence, StoreError};
use deadpool_postgres::{Object, Transaction};
use std::time::Duration;
use tokio_postgres::types::ToSql;

/// The lease to claim.
const CLAIM: &str = "claim";
/// The database's time (Unix milliseconds), also within a long transaction.
const NOW_MS: &str = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)";

/// Takes the lease when it is free or over, or renews it. `None`: another one has it.
pub async fn take(client: &Object, holder: &str, ttl: Duration) -> Result<Option<Fence>, Failure> {
    let sql = format!(
        "INSERT INTO leases (name, holder, fence, until_ms) VALUES ($1, $2, 1, {NOW_MS} + $3)
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms,
             fence = leases.fence + CASE WHEN leases.holder = excluded.holder THEN 0 ELSE 1 END
         WHERE leases.holder = excluded.holder OR leases.until_ms <= {NOW_MS}
         RETURNING fence"
    );
    let ttl_ms = int(u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX));
    let values: [&(dyn ToSql + Sync); 3] = [&CLAIM, &holder, &ttl_ms];
    let row = client.query_opt(&client.prepare_cached(&sql).await?, &values).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.map(Fence))
}

/// Ends it now, if `holder` has it.
pub async fn give_back(client: &Object, holder: &str) -> Result<(), Failure> {
    let sql = "UPDATE leases SET until_ms = 0 WHERE name = $1 AND holder = $2";
    client.execute(&client.prepare_cached(sql).await?, &[&CLAIM, &holder]).await?;
    Ok(())
}

/// Locks it until the transaction's end. [`StoreError::LeaseLost`] when `holder` no longer has it, or has it anew.
pub async fn check(tx: &Transaction<'_>, holder: &str, fence: Fence) -> Result<(), Failure> {
    let sql = "SELECT fence FROM leases WHERE name = $1 AND holder = $2 AND fence = $3 FOR UPDATE";
    match tx.query_opt(&tx.prepare_cached(sql).await?, &[&CLAIM, &holder, &fence.0]).await? {
        Some(_) => Ok(()),
        None => Err(StoreError::LeaseLost.into()),
    }
}
