//! # rivulet-store: what the relayer must not forget
//!
//! The best voucher of every channel, what was about to be sent, how far the chain has been followed. One narrow trait, [`Store`]; behind it SQLite
//! ([`SqliteStore`], one relayer a file) or Postgres ([`PostgresStore`], any number of relayers). [`open`] takes either. An answer to [`Store::accept`] means that the voucher is on disk.
//!
//! Only a [`rivulet_rules::accept::Verified`] voucher can be stored, and totals only grow: compared and set in SQL, in one transaction, so that no
//! interleaving of requests, tasks or processes can lose the higher one.
//!
//! - [`types`]: what goes in and comes out.
//! - [`backup`]: one file from either, put back into either.
//! - [`location`]: a file or a server, as operators write it.
//! - [`migrate`]: the schema, in dated pairs of plain SQL under `migrations/`, for both databases.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod backup;
mod changes;
mod deployment;
mod earnings;
pub mod location;
pub mod migrate;
pub mod postgres;
mod sqlite;
#[cfg(feature = "testing")]
pub mod testing;
pub mod types;

pub use changes::{Changed, Changes};
pub use location::{Location, LocationError};
pub use postgres::PostgresStore;
pub use sqlite::SqliteStore;
pub use types::*;

use rivulet_core::ids::{Address, ChannelNumber};
use rivulet_rules::{
    accept::{Rejection, Verified},
    batch::BookView,
    chain::{Account, BlockHead, ContractKind},
};
use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc, time::Duration};

/// Vouchers are counted by day.
const MS_PER_DAY: u64 = 86_400_000;
/// Claims too.
const SECS_PER_DAY: u64 = 86_400;

/// What a store answers, in time.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Why the store did not do it. Nothing of the call is stored then.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database failed: disk full, file damaged, lock lost.
    #[error("database: {0}")]
    Database(String),
    /// More is waiting to be written than may wait.
    #[error("the store is busy: {waiting} writes are waiting")]
    Busy {
        /// How many.
        waiting: usize,
    },
    /// The database belongs to another chain or other contracts.
    #[error("the database belongs to another deployment: {field} is {found} there, expected {expected}")]
    OtherDeployment {
        /// What differs.
        field: &'static str,
        /// In the database.
        found: String,
        /// Of this relayer.
        expected: String,
    },
    /// Another process has it open.
    #[error("{path}: another relayer has this database open")]
    InUse {
        /// The database file.
        path: String,
    },
    /// The schema is newer than this program.
    #[error("the database has migration {found}, which this version does not know; the newest it knows is {newest}")]
    TooNew {
        /// The migration found.
        found: String,
        /// The newest known.
        newest: &'static str,
    },
    /// The server says "committed" before its disk has it.
    #[error("the database would lose what it has answered: {setting} is {found}, expected {expected}")]
    Unsafe {
        /// Which setting.
        setting: &'static str,
        /// As the server has it.
        found: String,
        /// As it must be.
        expected: &'static str,
    },
    /// Something is there already, and is not overwritten.
    #[error("{path} exists: it is not overwritten; move it away or choose another name")]
    Exists {
        /// Where.
        path: String,
    },
    /// The database is a relayer's already.
    #[error("the database is in use or was: a backup is put back into an empty one")]
    NotEmpty,
    /// The file is no sound backup.
    #[error("{path} is no backup, or a damaged one: {what}")]
    NoBackup {
        /// Which file.
        path: String,
        /// What is wrong with it.
        what: String,
    },
    /// The schema is older than this program, and was opened to read only.
    #[error("the database has migration {found}, this version reads {newest}: start the relayer once to migrate it")]
    NotMigrated {
        /// The migration found.
        found: String,
        /// The newest known.
        newest: &'static str,
    },
    /// A row of the intent is in another open intent.
    #[error("a row of the intent is in another open intent")]
    RowInFlight,
    /// Another relayer has the lease to claim.
    #[error("another relayer has the lease to claim")]
    LeaseLost,
    /// Another open intent has the same signer and nonce.
    #[error("another open intent has the same signer and nonce")]
    NonceInFlight,
    /// A stored value cannot be read back.
    #[error("damaged record: {0}")]
    Damaged(String),
}

/// What the relayer keeps. Every method that changes something answers only when it is on disk, wholly, or not at all.
pub trait Store: Send + Sync {
    /// Stores each voucher that is above the channel's best. Answers in the order asked; a rejection is [`Rejection::Stale`] with what is stored.
    /// Many callers share one transaction. Never waits for room: [`StoreError::Busy`] instead.
    fn accept(&self, vouchers: Vec<Verified>, now_ms: u64) -> Answer<'_, Vec<Result<Accepted, Rejection>>>;
    /// Channels and their best vouchers, in the order asked.
    fn channels(&self, numbers: Vec<ChannelNumber>) -> Answer<'_, Vec<Option<StoredChannel>>>;
    /// A channel and its best voucher.
    fn channel(&self, number: ChannelNumber) -> Answer<'_, Option<StoredChannel>> {
        Box::pin(async move { Ok(self.channels(vec![number]).await?.into_iter().next().flatten()) })
    }
    /// Takes in what the chain says.
    fn apply(&self, update: ChainUpdate) -> Answer<'_, ()>;
    /// How far the chain has been followed.
    fn cursor(&self) -> Answer<'_, Option<BlockHead>>;
    /// The books of a contract.
    fn books(&self, contract: ContractKind) -> Answer<'_, BTreeMap<u32, BookView>>;
    /// Channels whose best voucher is above what was claimed, not set aside and in no open intent.
    fn pending_channels(&self) -> Answer<'_, Vec<Pending>>;
    /// Those of these channels that are pending, by number.
    fn pending_of(&self, numbers: Vec<ChannelNumber>) -> Answer<'_, Vec<Pending>>;
    /// Every pending channel whose payer has not asked for money back, without its voucher: by number, after this one. Looks at `limit` vouchers at most;
    /// a page that says [`UnclaimedPage::next`] is followed by another.
    fn unclaimed(&self, after: Option<ChannelNumber>, limit: usize) -> Answer<'_, UnclaimedPage>;
    /// Those of the pending channels whose payer has asked for money back.
    fn closing_channels(&self) -> Answer<'_, Vec<Pending>>;
    /// What this process has changed in what is pending.
    fn changes(&self) -> &Changes;
    /// True when other relayers may change it too.
    fn is_shared(&self) -> bool;
    /// Streams that have not ended, not set aside and in no open intent.
    fn pending_streams(&self) -> Answer<'_, Vec<PendingStream>>;
    /// Every channel that is not closed, by number: to read them all again.
    fn live_channels(&self) -> Answer<'_, Vec<ChannelNumber>>;
    /// A payee's channels, closed ones included, by number.
    fn channels_of(&self, payee: Address) -> Answer<'_, Vec<StoredChannel>>;
    /// Records an intent before its transaction is sent. [`StoreError::LeaseLost`] when its fence is no longer this relayer's,
    /// [`StoreError::RowInFlight`] when one of its rows is under way.
    fn open_intent(&self, intent: NewIntent) -> Answer<'_, IntentId>;
    /// Intents whose end is not known, oldest first.
    fn open_intents(&self) -> Answer<'_, Vec<Intent>>;
    /// Records what became of one. Its rows are free again.
    fn finish_intent(&self, id: IntentId, end: IntentEnd) -> Answer<'_, ()>;
    /// Leaves rows out of batches: channels until a higher voucher comes, streams until their record changes.
    fn set_aside(&self, rows: Vec<SetAside>) -> Answer<'_, ()>;
    /// What a payee has earned, by token.
    fn earnings(&self, payee: Address) -> Answer<'_, Vec<Earnings>>;
    /// A payee's channels by number, after this one, at most so many.
    fn payee_channels(&self, payee: Address, after: Option<ChannelNumber>, limit: usize) -> Answer<'_, Vec<StoredChannel>>;
    /// What a payee has earned on the days `from..=to` (days since 1970, UTC), oldest first.
    fn payee_days(&self, payee: Address, from: u64, to: u64) -> Answer<'_, Vec<DayEarnings>>;
    /// One book of a contract.
    fn book(&self, contract: ContractKind, book: u32) -> Answer<'_, Option<BookView>>;
    /// Counts for the log, readiness and metrics.
    fn counts(&self) -> Answer<'_, Counts>;
    /// Takes the lease to claim, or renews it, until `ttl` from now. `None`: another relayer has it.
    fn lease(&self, ttl: Duration) -> Answer<'_, Option<Fence>>;
    /// Ends the lease, if it is this relayer's, so that another one need not wait.
    fn give_back(&self) -> Answer<'_, ()>;
    /// What speaks for an old copy put back. That it was put back from a backup is said once.
    fn take_doubts(&self, signer: Account) -> Answer<'_, Doubts>;
}

/// Opens the database for a relayer; makes it when there is none.
///
/// # Errors
/// As [`SqliteStore::open`] and [`PostgresStore::open`].
pub async fn open(location: &Location, deployment: &DeploymentId) -> Result<Arc<dyn Store>, StoreError> {
    Ok(match location {
        Location::Sqlite(path) => Arc::new(SqliteStore::open(path, deployment)?),
        Location::Postgres(config) => Arc::new(PostgresStore::open(config, deployment).await?),
    })
}

/// Opens the database for reading, beside the relayer that works on it. What writes fails.
///
/// # Errors
/// As [`SqliteStore::open_read_only`] and [`PostgresStore::open_read_only`].
pub async fn open_read_only(location: &Location, deployment: &DeploymentId) -> Result<Arc<dyn Store>, StoreError> {
    Ok(match location {
        Location::Sqlite(path) => Arc::new(SqliteStore::open_read_only(path, deployment)?),
        Location::Postgres(config) => Arc::new(PostgresStore::open_read_only(config, deployment).await?),
    })
}
