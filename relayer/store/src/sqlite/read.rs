//! Reading: a few connections, off the async threads.

use super::{
    chain::{self, STATE, STATE_COLUMNS, state_at},
    codec::{amount_at, bytes_at, u64_at},
};
use crate::{Counts, Earnings, Pending, PendingStream, StoreError, earnings};
use rivulet_core::{
    ids::{Address, ChannelNumber, Number},
    signature::CompactSignature,
};
use rivulet_rules::accept::Best;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// Connections that are not in use. They see whole commits only, and never wait for the writer.
#[derive(Debug)]
pub struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), idle: Arc::default() }
    }

    /// Runs `read` on a blocking thread.
    pub async fn run<T: Send + 'static>(&self, read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static) -> Result<T, StoreError> {
        let (path, idle) = (self.path.clone(), Arc::clone(&self.idle));
        let task = tokio::task::spawn_blocking(move || {
            let taken = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let db = match taken {
                Some(db) => db,
                None => open(&path)?,
            };
            let result = read(&db);
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(db);
            result
        });
        task.await.map_err(|e| StoreError::Database(e.to_string()))?
    }
}

/// A connection that only reads.
pub fn open(path: &Path) -> Result<Connection, StoreError> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.execute_batch("PRAGMA busy_timeout = 10000; PRAGMA cache_size = -8192;")?;
    Ok(db)
}

/// Of the pending channels, those whose payer has asked for money back: the condition of the index `channels_closing`.
pub const CLOSING: &str = "AND (c.close_due_at IS NOT NULL OR c.refund_due_at IS NOT NULL)";

/// Reads the pending channels for which `also` holds.
fn pending_sql(also: &str) -> String {
    format!(
        "SELECT {STATE}, v.cumulative_amount, v.signature, s.sent_at FROM vouchers v JOIN channels c ON c.book = v.book AND c.serial = v.serial
         LEFT JOIN row_claims s ON s.contract = 0 AND s.book = v.book AND s.serial = v.serial
         WHERE v.cumulative_amount > c.claimed AND c.deposit > c.claimed AND c.is_closed = 0 AND v.set_aside IS NULL AND v.channel_id = c.channel_id
             AND NOT EXISTS (SELECT 1 FROM intent_rows r WHERE r.contract = 0 AND r.book = v.book AND r.serial = v.serial AND r.is_open = 1) {also}"
    )
}

fn pending_at(row: &Row<'_>) -> rusqlite::Result<Pending> {
    let best = Best { cumulative_amount: amount_at(row, STATE_COLUMNS)?, signature: CompactSignature(bytes_at(row, STATE_COLUMNS + 1)?) };
    Ok(Pending { state: state_at(row)?, best, sent_at: row.get(STATE_COLUMNS + 2)? })
}

/// Channels that could be claimed from, and for which `also` holds.
pub fn pending_channels(db: &Connection, also: &str) -> Result<Vec<Pending>, StoreError> {
    let mut query = db.prepare_cached(&pending_sql(also))?;
    let rows = query.query_map([], pending_at)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Those of these channels that could be claimed from, in the order given.
pub fn pending_of(db: &Connection, numbers: &[ChannelNumber]) -> Result<Vec<Pending>, StoreError> {
    let mut query = db.prepare_cached(&pending_sql("AND v.book = ?1 AND v.serial = ?2"))?;
    let mut found = Vec::with_capacity(numbers.len());
    for number in numbers {
        found.extend(query.query_row((number.book, number.serial), pending_at).optional()?);
    }
    Ok(found)
}

/// Streams that could be claimed from.
pub fn pending_streams(db: &Connection) -> Result<Vec<PendingStream>, StoreError> {
    let sql = "SELECT s.book, s.serial, c.sent_at FROM streams s LEFT JOIN row_claims c ON c.contract = 1 AND c.book = s.book AND c.serial = s.serial
         WHERE s.is_ended = 0 AND s.set_aside IS NULL
         AND NOT EXISTS (SELECT 1 FROM intent_rows r WHERE r.contract = 1 AND r.book = s.book AND r.serial = s.serial AND r.is_open = 1)
         ORDER BY s.book, s.serial";
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map([], |row| Ok(PendingStream { number: Number { book: row.get(0)?, serial: row.get(1)? }, sent_at: row.get(2)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Channels that are not closed.
pub fn live_channels(db: &Connection) -> Result<Vec<ChannelNumber>, StoreError> {
    let mut query = db.prepare_cached("SELECT book, serial FROM channels WHERE is_closed = 0")?;
    let rows = query.query_map([], |row| Ok(Number { book: row.get(0)?, serial: row.get(1)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What a payee has earned, by token.
pub fn earnings(db: &Connection, payee: Address) -> Result<Vec<Earnings>, StoreError> {
    Ok(earnings::by_token(&chain::channels_of(db, payee)?))
}

/// Counts for the log, readiness and metrics.
pub fn counts(db: &Connection) -> Result<Counts, StoreError> {
    let sql = "SELECT (SELECT count(*) FROM channels), (SELECT count(*) FROM vouchers), (SELECT count(*) FROM intents WHERE state = 'open'),
         (SELECT count(*) FROM vouchers WHERE set_aside IS NOT NULL)";
    let read = |row: &Row<'_>| {
        Ok(Counts { channels: u64_at(row, 0)?, vouchers: u64_at(row, 1)?, open_intents: u64_at(row, 2)?, set_aside: u64_at(row, 3)? })
    };
    Ok(db.query_row(sql, [], read)?)
}
