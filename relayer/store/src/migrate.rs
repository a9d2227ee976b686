//! The schema: dated pairs of plain SQL, each run in its own transaction, once.

use crate::StoreError;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

/// A step of the schema and its undoing, for both databases: a backup made from one can be put back into the other.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Date, number and name.
    pub name: &'static str,
    /// Makes it, in SQLite.
    pub up: &'static str,
    /// Undoes it, in SQLite.
    pub down: &'static str,
    /// Makes it, in Postgres.
    pub postgres_up: &'static str,
    /// Undoes it, in Postgres.
    pub postgres_down: &'static str,
}

macro_rules! migrations {
    ($($name:literal),*) => {
        &[$(Migration {
            name: $name,
            up: include_str!(concat!("../migrations/", $name, ".up.sql")),
            down: include_str!(concat!("../migrations/", $name, ".down.sql")),
            postgres_up: include_str!(concat!("../migrations/postgres/", $name, ".up.sql")),
            postgres_down: include_str!(concat!("../migrations/postgres/", $name, ".down.sql")),
        }),*]
    };
}

/// Every step, oldest first.
pub const MIGRATIONS: &[Migration] = migrations![
    "2026-11-20-000001-start",
    "2026-11-20-000002-schedule",
    "2026-11-20-000003-claims-by-day",
    "2026-11-21-000001-marks",
    "2026-11-21-000002-lanes",
    "2026-11-21-000003-book-block"
];

/// The steps that a database still needs.
///
/// # Errors
/// [`StoreError::TooNew`] when a newer program has been there.
pub fn missing(at: Option<&str>) -> Result<impl Iterator<Item = &'static Migration>, StoreError> {
    if let Some(found) = at.filter(|at| MIGRATIONS.iter().all(|m| m.name != *at)) {
        return Err(StoreError::TooNew { found: found.to_owned(), newest: MIGRATIONS.last().map_or("none", |m| m.name) });
    }
    let done = MIGRATIONS.iter().position(|m| Some(m.name) == at).map_or(0, |place| place.saturating_add(1));
    Ok(MIGRATIONS.iter().skip(done))
}

/// Refuses a schema that is not this program's; changes nothing.
///
/// # Errors
/// [`StoreError::NotMigrated`] or [`StoreError::TooNew`].
pub fn is_current(at: Option<&str>) -> Result<(), StoreError> {
    if missing(at)?.next().is_none() {
        return Ok(());
    }
    Err(StoreError::NotMigrated { found: at.unwrap_or("none").to_owned(), newest: MIGRATIONS.last().map_or("none", |m| m.name) })
}

/// The newest step applied.
///
/// # Errors
/// [`StoreError::Database`].
pub fn version(db: &Connection) -> Result<Option<String>, StoreError> {
    db.execute_batch("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID")?;
    applied(db)
}

/// The newest step applied, without changing anything: in what is no relayer's database it fails.
///
/// # Errors
/// [`StoreError::Database`].
pub fn applied(db: &Connection) -> Result<Option<String>, StoreError> {
    Ok(db.query_row("SELECT name FROM migrations ORDER BY name DESC LIMIT 1", [], |row| row.get(0)).optional()?)
}

/// Brings the schema up to date.
///
/// # Errors
/// [`StoreError::TooNew`] when a newer program has been here; [`StoreError::Database`].
pub fn up(db: &mut Connection) -> Result<(), StoreError> {
    let at = version(db)?;
    for step in missing(at.as_deref())? {
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(step.up)?;
        tx.execute("INSERT INTO migrations (name) VALUES (?1)", [step.name])?;
        tx.commit()?;
        tracing::info!(migration = step.name, "schema migrated");
    }
    Ok(())
}

/// Undoes every step, newest first. Everything stored is lost.
///
/// # Errors
/// [`StoreError::Database`].
pub fn down(db: &mut Connection) -> Result<(), StoreError> {
    let at = version(db)?;
    for step in MIGRATIONS.iter().rev().filter(|m| at.as_deref().is_some_and(|at| m.name <= at)) {
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(step.down)?;
        tx.execute("DELETE FROM migrations WHERE name = ?1", [step.name])?;
        tx.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(db: &Connection) -> Vec<String> {
        let mut query = db.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn up_down_up_leaves_the_same_schema() {
        let mut db = Connection::open_in_memory().unwrap();
        assert_eq!(version(&db).unwrap(), None);
        let empty = schema(&db);
        up(&mut db).unwrap();
        let full = schema(&db);
        up(&mut db).unwrap();
        assert_eq!(schema(&db), full);
        down(&mut db).unwrap();
        assert_eq!(schema(&db), empty);
        up(&mut db).unwrap();
        assert_eq!(schema(&db), full);
    }

    #[test]
    fn names_ascend_so_that_they_sort_by_age() {
        assert!(MIGRATIONS.windows(2).all(|w| w[0].name < w[1].name));
    }

    #[test]
    fn a_schema_of_a_newer_program_is_refused() {
        let mut db = Connection::open_in_memory().unwrap();
        up(&mut db).unwrap();
        db.execute("INSERT INTO migrations (name) VALUES ('2999-01-01-000001-future')", []).unwrap();
        assert!(matches!(up(&mut db), Err(StoreError::TooNew { .. })));
    }
}
