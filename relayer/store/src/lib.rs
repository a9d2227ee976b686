//! # rivulet-store: what the relayer must not forget
//!
//! The best voucher of every channel, what was about to be sent, how far the chain has been followed. One narrow trait, [`Store`]; SQLite behind it
//! ([`SqliteStore`]). An answer to [`Store::accept`] means that the voucher is on disk.
//!
//! Only a [`rivulet_rules::accept::Verified`] voucher can be stored, and totals only grow: compared and set in SQL, in one transaction, so that no
//! interleaving of requests, tasks or processes can lose the higher one.
//!
//! - [`types`]: what goes in and comes out.
//! - [`migrate`]: the schema, in dated pairs of plain SQL under `migrations/`.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod migrate;
mod sqlite;
pub mod types;

pub use sqlite::SqliteStore;
pub use types::*;

use rivulet_core::ids::{Address, ChannelNumber};
use rivulet_rules::{
    accept::{Rejection, Verified},
    batch::BookView,
    chain::{BlockHead, ContractKind},
};
use std::{collections::BTreeMap, future::Future, pin::Pin};

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
    /// Those of them whose payer has asked for money back.
    fn closing_channels(&self) -> Answer<'_, Vec<Pending>>;
    /// Streams that have not ended, not set aside and in no open intent.
    fn pending_streams(&self) -> Answer<'_, Vec<PendingStream>>;
    /// Every channel that is not closed, by number: to read them all again.
    fn live_channels(&self) -> Answer<'_, Vec<ChannelNumber>>;
    /// Records an intent before its transaction is sent.
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
}
