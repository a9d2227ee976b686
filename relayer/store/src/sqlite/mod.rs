//! SQLite: one thread writes, a few connections read.
//!
//! WAL with `synchronous = FULL`: a commit has reached the disk when it returns. Every write goes through the writer's queue; what has gathered there
//! while the last commit was under way goes into the next one together, so a thousand callers pay for one fsync.

mod accept;
mod chain;
mod codec;
mod intents;
mod payee;
mod read;
mod writer;

use crate::{
    Accepted, Answer, ChainUpdate, Counts, DayEarnings, DeploymentId, Earnings, Intent, IntentEnd, IntentId, NewIntent, Pending, PendingStream,
    SetAside, Store, StoreError, StoredChannel, migrate,
};
use codec::Hex;
use read::Readers;
use rivulet_core::ids::{Address, ChannelNumber};
use rivulet_rules::{
    accept::{Rejection, Verified},
    batch::BookView,
    chain::{BlockHead, ContractKind},
};
use rusqlite::{Connection, OptionalExtension};
use std::{
    collections::BTreeMap,
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};
use writer::Writer;

/// The store in an SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
    /// Held as long as the store lives: a second relayer on the same file would use the same nonces. `None`: it only reads.
    _lock: Option<File>,
}

impl From<rusqlite::Error> for StoreError {
    fn from(e: rusqlite::Error) -> Self {
        Self::Database(e.to_string())
    }
}

/// The file beside the database whose lock says that it is open.
fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-lock");
    name.into()
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let file = File::create(lock_path(path)).map_err(|e| StoreError::Database(format!("{}: {e}", lock_path(path).display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.display().to_string() }),
        Err(TryLockError::Error(e)) => Err(StoreError::Database(e.to_string())),
    }
}

/// Writes whose database it is, or compares.
fn check_deployment(db: &Connection, expected: &DeploymentId) -> Result<(), StoreError> {
    let found = db
        .query_row("SELECT chain_id, genesis_hash, channels, streams FROM deployment", [], |row| {
            Ok(DeploymentId {
                chain_id: codec::u64_at(row, 0)?,
                genesis_hash: codec::bytes_at(row, 1)?,
                channels: Address(codec::bytes_at(row, 2)?),
                streams: Address(codec::bytes_at(row, 3)?),
            })
        })
        .optional()?;
    let Some(found) = found else {
        let DeploymentId { chain_id, genesis_hash, channels, streams } = expected;
        let sql = "INSERT INTO deployment (id, chain_id, genesis_hash, channels, streams) VALUES (1, ?1, ?2, ?3, ?4)";
        db.execute(sql, (codec::int(*chain_id), genesis_hash, &channels.0, &streams.0))?;
        return Ok(());
    };
    let other = |field, found: String, expected: String| Err(StoreError::OtherDeployment { field, found, expected });
    if found.chain_id != expected.chain_id {
        return other("chain_id", found.chain_id.to_string(), expected.chain_id.to_string());
    }
    if found.genesis_hash != expected.genesis_hash {
        return other("genesis_hash", Hex(&found.genesis_hash).to_string(), Hex(&expected.genesis_hash).to_string());
    }
    if found.channels != expected.channels {
        return other("channels", found.channels.to_string(), expected.channels.to_string());
    }
    if found.streams != expected.streams {
        return other("streams", found.streams.to_string(), expected.streams.to_string());
    }
    Ok(())
}

impl SqliteStore {
    /// Opens the database, creating it when there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::OtherDeployment`], [`StoreError::InUse`], [`StoreError::TooNew`], or [`StoreError::Database`] when the file cannot be used.
    pub fn open(path: &Path, deployment: &DeploymentId) -> Result<Self, StoreError> {
        let lock = lock(path)?;
        let mut db = Connection::open(path).map_err(|e| StoreError::Database(format!("{}: {e}", path.display())))?;
        // FULL: in WAL mode, NORMAL would lose commits on a power cut.
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 10000; PRAGMA cache_size = -32768;",
        )?;
        migrate::up(&mut db)?;
        check_deployment(&db, deployment)?;
        Ok(Self { writer: Writer::start(db)?, readers: Readers::new(path), _lock: Some(lock) })
    }

    /// Opens the database to read from it, beside a relayer that may be running. Whatever would change something is refused.
    ///
    /// # Errors
    /// [`StoreError::OtherDeployment`], [`StoreError::NotMigrated`], [`StoreError::TooNew`], or [`StoreError::Database`] when the file cannot be read.
    pub fn read_only(path: &Path, deployment: &DeploymentId) -> Result<Self, StoreError> {
        let db = read::open(path).map_err(|e| StoreError::Database(format!("{}: {e}", path.display())))?;
        migrate::is_newest(&db)?;
        check_deployment(&db, deployment)?;
        Ok(Self { writer: Writer::none(), readers: Readers::new(path), _lock: None })
    }
}

impl Store for SqliteStore {
    fn accept(&self, vouchers: Vec<Verified>, now_ms: u64) -> Answer<'_, Vec<Result<Accepted, Rejection>>> {
        Box::pin(self.writer.accept(vouchers, now_ms))
    }
    fn channels(&self, numbers: Vec<ChannelNumber>) -> Answer<'_, Vec<Option<StoredChannel>>> {
        Box::pin(self.readers.run(move |db| numbers.into_iter().map(|number| chain::channel(db, number)).collect()))
    }
    fn apply(&self, update: ChainUpdate) -> Answer<'_, ()> {
        Box::pin(self.writer.run(move |db| chain::apply(db, &update)))
    }
    fn cursor(&self) -> Answer<'_, Option<BlockHead>> {
        Box::pin(self.readers.run(chain::cursor))
    }
    fn books(&self, contract: ContractKind) -> Answer<'_, BTreeMap<u32, BookView>> {
        Box::pin(self.readers.run(move |db| chain::books(db, contract)))
    }
    fn pending_channels(&self) -> Answer<'_, Vec<Pending>> {
        Box::pin(self.readers.run(|db| read::pending_channels(db, "")))
    }
    fn closing_channels(&self) -> Answer<'_, Vec<Pending>> {
        Box::pin(self.readers.run(|db| read::pending_channels(db, read::CLOSING)))
    }
    fn pending_streams(&self) -> Answer<'_, Vec<PendingStream>> {
        Box::pin(self.readers.run(read::pending_streams))
    }
    fn live_channels(&self) -> Answer<'_, Vec<ChannelNumber>> {
        Box::pin(self.readers.run(read::live_channels))
    }
    fn open_intent(&self, intent: NewIntent) -> Answer<'_, IntentId> {
        Box::pin(self.writer.run(move |db| intents::open(db, &intent)))
    }
    fn open_intents(&self) -> Answer<'_, Vec<Intent>> {
        Box::pin(self.readers.run(intents::list_open))
    }
    fn finish_intent(&self, id: IntentId, end: IntentEnd) -> Answer<'_, ()> {
        Box::pin(self.writer.run(move |db| intents::finish(db, id, &end)))
    }
    fn set_aside(&self, rows: Vec<SetAside>) -> Answer<'_, ()> {
        Box::pin(self.writer.run(move |db| intents::set_aside(db, &rows)))
    }
    fn earnings(&self, payee: Address) -> Answer<'_, Vec<Earnings>> {
        Box::pin(self.readers.run(move |db| read::earnings(db, payee)))
    }
    fn payee_channels(&self, payee: Address, after: Option<ChannelNumber>, limit: usize) -> Answer<'_, Vec<StoredChannel>> {
        Box::pin(self.readers.run(move |db| payee::channels(db, payee, after, limit)))
    }
    fn payee_days(&self, payee: Address, from: u64, to: u64) -> Answer<'_, Vec<DayEarnings>> {
        Box::pin(self.readers.run(move |db| payee::days(db, payee, from, to)))
    }
    fn book(&self, contract: ContractKind, book: u32) -> Answer<'_, Option<BookView>> {
        Box::pin(self.readers.run(move |db| payee::book(db, contract, book)))
    }
    fn counts(&self) -> Answer<'_, Counts> {
        Box::pin(self.readers.run(read::counts))
    }
}
