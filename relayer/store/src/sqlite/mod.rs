//! SQLite: one thread writes, a few connections read.
//!
//! WAL with `synchronous = FULL`: a commit has reached the disk when it returns. Every write goes through the writer's queue; what has gathered there
//! while the last commit was under way goes into the next one together, so a thousand callers pay for one fsync.

mod accept;
mod chain;
mod codec;
mod doubts;
mod intents;
mod mark;
mod payee;
mod read;
mod unclaimed;
mod writer;

use crate::{
    Accepted, Answer, ChainUpdate, Counts, DayEarnings, DeploymentId, Doubts, Earnings, Fence, Intent, IntentEnd, IntentId, Mark, NewIntent, Pending,
    PendingStream, SetAside, Store, StoreError, StoredChannel, UnclaimedPage, changes::Changes, deployment, migrate,
};
use read::Readers;
pub(crate) use read::counts;
use rivulet_core::ids::{Address, ChannelNumber, Number};
use rivulet_rules::{
    accept::{Rejection, Verified},
    batch::BookView,
    chain::{Account, BlockHead, ContractKind},
};
use rusqlite::{Connection, OptionalExtension};
use std::{
    collections::BTreeMap,
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use writer::Writer;

/// The store in an SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
    changes: Arc<Changes>,
    /// What stood in the file's place had come further.
    mark: Option<Mark>,
    /// Held as long as the store lives: a second relayer on the same file would use the same nonces. Who only reads needs none.
    _lock: Option<File>,
}

/// One process works on the file, so the lease to claim is its own for good.
const FENCE: Fence = Fence(1);

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

/// Takes the lock, which is held as long as the file is.
pub(crate) fn lock(path: &Path) -> Result<File, StoreError> {
    let file = File::create(lock_path(path)).map_err(|e| StoreError::Database(format!("{}: {e}", lock_path(path).display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.display().to_string() }),
        Err(TryLockError::Error(e)) => Err(StoreError::Database(e.to_string())),
    }
}

/// Whose database it is.
pub(crate) fn read_deployment(db: &Connection) -> Result<Option<DeploymentId>, StoreError> {
    let read = |row: &rusqlite::Row<'_>| {
        Ok(DeploymentId {
            chain_id: codec::u64_at(row, 0)?,
            genesis_hash: codec::bytes_at(row, 1)?,
            channels: Address(codec::bytes_at(row, 2)?),
            streams: Address(codec::bytes_at(row, 3)?),
        })
    };
    Ok(db.query_row("SELECT chain_id, genesis_hash, channels, streams FROM deployment", [], read).optional()?)
}

/// Writes whose database it is, or compares.
fn check_deployment(db: &Connection, expected: &DeploymentId) -> Result<(), StoreError> {
    let Some(found) = read_deployment(db)? else {
        let DeploymentId { chain_id, genesis_hash, channels, streams } = expected;
        let sql = "INSERT INTO deployment (id, chain_id, genesis_hash, channels, streams) VALUES (1, ?1, ?2, ?3, ?4)";
        db.execute(sql, (codec::int(*chain_id), genesis_hash, &channels.0, &streams.0))?;
        return Ok(());
    };
    deployment::compare(&found, expected)
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
        // A commit, and so a sync of all that a crash left in the log: nothing is shown that a power cut could take back.
        let now = doubts::count_start(&db)?;
        // A database that has started as often and heard as late as the mark says is the one that it was written for.
        let mark = mark::read(path).filter(|mark| mark.generation >= now.generation || mark.last_accepted_ms > now.last_accepted_ms);
        let file = mark::MarkFile::new(path, now)?;
        let changes = Arc::<Changes>::default();
        Ok(Self { writer: Writer::start(db, file, Arc::clone(&changes))?, readers: Readers::new(path), changes, mark, _lock: Some(lock) })
    }

    /// Opens the database for reading, beside the relayer that works on it: nothing is made, migrated or bound, and no lock is taken.
    ///
    /// # Errors
    /// [`StoreError::OtherDeployment`], [`StoreError::NotMigrated`], [`StoreError::TooNew`], or [`StoreError::Database`].
    pub fn open_read_only(path: &Path, expected: &DeploymentId) -> Result<Self, StoreError> {
        let db = read::open(path).map_err(|e| StoreError::Database(format!("{}: {e}", path.display())))?;
        migrate::is_current(migrate::applied(&db)?.as_deref())?;
        let found = read_deployment(&db)?.ok_or_else(|| StoreError::Database(format!("{}: nothing was ever stored", path.display())))?;
        deployment::compare(&found, expected)?;
        Ok(Self { writer: Writer::none(), readers: Readers::new(path), changes: Arc::default(), mark: None, _lock: None })
    }
}

/// Those that are channels.
pub(crate) fn channels_in(contract: ContractKind, numbers: impl IntoIterator<Item = Number>) -> Vec<ChannelNumber> {
    if contract == ContractKind::Channels { numbers.into_iter().collect() } else { Vec::new() }
}

impl Store for SqliteStore {
    fn accept(&self, vouchers: Vec<Verified>, now_ms: u64) -> Answer<'_, Vec<Result<Accepted, Rejection>>> {
        Box::pin(self.writer.accept(vouchers, now_ms))
    }
    fn channels(&self, numbers: Vec<ChannelNumber>) -> Answer<'_, Vec<Option<StoredChannel>>> {
        Box::pin(self.readers.run(move |db| numbers.into_iter().map(|number| chain::channel(db, number)).collect()))
    }
    fn apply(&self, update: ChainUpdate) -> Answer<'_, ()> {
        Box::pin(async move {
            let books: Vec<_> = update.books.iter().filter(|(_, kind, _)| *kind == ContractKind::Channels).map(|(.., book)| book.book).collect();
            let apply = move |db: &Connection| {
                chain::apply(db, &update)?;
                Ok(((), update.channels.iter().map(|(_, channel)| channel.number()).collect()))
            };
            self.writer.run_and_mark(apply).await?;
            self.changes.mark_books(books);
            Ok(())
        })
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
    fn pending_of(&self, numbers: Vec<ChannelNumber>) -> Answer<'_, Vec<Pending>> {
        Box::pin(self.readers.run(move |db| read::pending_of(db, &numbers)))
    }
    fn unclaimed(&self, after: Option<ChannelNumber>, limit: usize) -> Answer<'_, UnclaimedPage> {
        Box::pin(self.readers.run(move |db| unclaimed::page(db, after, limit)))
    }
    fn changes(&self) -> &Changes {
        &self.changes
    }
    fn is_shared(&self) -> bool {
        false
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
    fn channels_of(&self, payee: Address) -> Answer<'_, Vec<StoredChannel>> {
        Box::pin(self.readers.run(move |db| chain::channels_of(db, payee)))
    }
    fn open_intent(&self, intent: NewIntent) -> Answer<'_, IntentId> {
        Box::pin(
            self.writer.run_and_mark(move |db| Ok((intents::open(db, &intent)?, channels_in(intent.contract, intent.rows.iter().map(|r| r.number))))),
        )
    }
    fn open_intents(&self) -> Answer<'_, Vec<Intent>> {
        Box::pin(self.readers.run(intents::list_open))
    }
    fn finish_intent(&self, id: IntentId, end: IntentEnd) -> Answer<'_, ()> {
        Box::pin(self.writer.run_and_mark(move |db| Ok(((), intents::finish(db, id, &end)?))))
    }
    fn set_aside(&self, rows: Vec<SetAside>) -> Answer<'_, ()> {
        Box::pin(self.writer.run_and_mark(move |db| {
            intents::set_aside(db, &rows)?;
            Ok(((), rows.iter().flat_map(|row| channels_in(row.contract, [row.number])).collect()))
        }))
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
        Box::pin(self.readers.run(counts))
    }
    fn lease(&self, _: Duration) -> Answer<'_, Option<Fence>> {
        Box::pin(std::future::ready(Ok(Some(FENCE))))
    }
    fn give_back(&self) -> Answer<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }
    fn take_doubts(&self, signer: Account) -> Answer<'_, Doubts> {
        let mark = self.mark;
        Box::pin(self.writer.run(move |db| doubts::take(db, &signer, mark)))
    }
}
