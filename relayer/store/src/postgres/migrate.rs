//! The schema: the same dated steps as SQLite's, each in its own transaction. Several relayers may start at once.

use super::db::{Db, Failure, in_transaction};
use crate::{StoreError, migrate};
use deadpool_postgres::Transaction;
use std::time::Duration;
use tokio_postgres::error::SqlState;

/// How often the table of steps is tried to be made when others make it at the same time.
const TRIES: usize = 20;

/// The newest step applied.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn version(db: &Db) -> Result<Option<String>, StoreError> {
    let mut tries = 0;
    loop {
        let client = db.client().await?;
        // "If not exists" is looked at before it is made: two at once can both find nothing, and one fails, in one of three ways.
        const LOST: [SqlState; 3] = [SqlState::UNIQUE_VIOLATION, SqlState::DUPLICATE_TABLE, SqlState::DUPLICATE_OBJECT];
        match client.batch_execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY)").await {
            Err(e) if tries < TRIES && e.code().is_some_and(|code| LOST.contains(code)) => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(e) => return Err(Failure::from(e).into()),
            Ok(()) => break,
        }
    }
    applied(db).await
}

/// The newest step applied, without changing anything.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn applied(db: &Db) -> Result<Option<String>, StoreError> {
    match db.client().await?.query_opt("SELECT name FROM migrations ORDER BY name DESC LIMIT 1", &[]).await {
        Ok(row) => Ok(row.map(|row| row.try_get(0)).transpose().map_err(Failure::from)?),
        Err(e) if e.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(None),
        Err(e) => Err(Failure::from(e).into()),
    }
}

/// Does a step, unless another relayer has done it: the step's own row is the lock.
async fn step(tx: &Transaction<'_>, step: &migrate::Migration) -> Result<bool, Failure> {
    let is_ours = tx.execute("INSERT INTO migrations (name) VALUES ($1) ON CONFLICT DO NOTHING", &[&step.name]).await? == 1;
    if is_ours {
        tx.batch_execute(step.postgres_up).await?;
    }
    Ok(is_ours)
}

/// Brings the schema up to date.
///
/// # Errors
/// [`StoreError::TooNew`] when a newer program has been here; [`StoreError::Database`].
pub async fn up(db: &Db) -> Result<(), StoreError> {
    let at = version(db).await?;
    for migration in migrate::missing(at.as_deref())? {
        if in_transaction!(db, |tx| step(&tx, migration))? {
            tracing::info!(migration = migration.name, "schema migrated");
        }
    }
    Ok(())
}

/// Undoes every step, newest first. Everything stored is lost.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn down(db: &Db) -> Result<(), StoreError> {
    let at = version(db).await?;
    for migration in migrate::MIGRATIONS.iter().rev().filter(|m| at.as_deref().is_some_and(|at| m.name <= at)) {
        in_transaction!(db, |tx| async {
            tx.batch_execute(migration.postgres_down).await?;
            tx.execute("DELETE FROM migrations WHERE name = $1", &[&migration.name]).await?;
            Ok::<_, Failure>(())
        })?;
    }
    Ok(())
}
