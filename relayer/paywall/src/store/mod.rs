//! What must not be forgotten: what each channel has paid, and what for. SQLite, one file a payee.
//!
//! Every change goes through one thread, which commits what has gathered with one fsync and then answers all of it: what a caller was told is on the disk.

mod db;
mod writer;

use crate::grant::{Account, Refused};
use rivulet_core::{
    ids::{Address, ChannelId, ChannelNumber, Deployment, Token},
    signature::CompactSignature,
};
use rusqlite::Connection;
use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use writer::Writer;

/// The store does not do what it should.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StoreError {
    /// The database or the disk.
    #[error("database: {0}")]
    Database(String),
    /// It belongs to another payee or deployment.
    #[error("the database is another's: {field} is {found} there, {expected} here; take another file")]
    Other {
        /// What differs.
        field: &'static str,
        /// What it has.
        found: String,
        /// What it should have.
        expected: String,
    },
    /// Another paywall has it open.
    #[error("{0} is in use by another paywall: a payee has one")]
    InUse(String),
    /// Too much is waiting for the disk.
    #[error("too much is waiting for the disk")]
    Busy,
    /// There is no such purchase.
    #[error("no such purchase: see `rivulet paywall purchases`")]
    NoPurchase,
    /// What is asked for is against the rules.
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl From<rusqlite::Error> for StoreError {
    fn from(e: rusqlite::Error) -> Self {
        Self::Database(e.to_string())
    }
}

/// Whose money a store counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Owner {
    /// The chain and the channels contract.
    pub at: Deployment,
    /// Who is paid.
    pub payee: Address,
}

/// A channel as the store has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Channel {
    /// Its id.
    pub id: ChannelId,
    /// Where it is.
    pub number: ChannelNumber,
    /// Who pays.
    pub payer: Address,
    /// In what.
    pub token: Token,
    /// Its money.
    pub account: Account,
    /// The payer's signature of the accepted total.
    pub signature: Option<CompactSignature>,
}

/// A total that the relayer has accepted, with the payer's signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Accepted {
    /// The total.
    pub total: u128,
    /// The payer's signature of it.
    pub signature: CompactSignature,
}

/// What names a purchase.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PurchaseId {
    /// The channel that pays.
    pub channel: ChannelId,
    /// The payer's name for it.
    pub nonce: [u8; 32],
}

/// A purchase to be charged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Charge {
    /// Which.
    pub id: PurchaseId,
    /// What was signed for.
    pub request: String,
    /// The most that may be charged.
    pub budget: u128,
    /// What it costs, or its first step.
    pub price: u128,
    /// True: `price` is a step, due on every request. False: it is due once.
    pub is_step: bool,
    /// How often it may be asked for.
    pub most_requests: u32,
    /// Until when it may be asked for.
    pub valid_until: u64,
    /// What the relayer accepted with it.
    pub accepted: Option<Accepted>,
    /// Now.
    pub now: u64,
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It is paid, durably.
    Granted {
        /// What was charged now; 0: it had been paid.
        due: u128,
        /// What the purchase has cost so far.
        cost: u128,
    },
    /// It is not.
    Refused(Refused),
    /// The nonce names another request.
    Replayed,
    /// It was asked for too often.
    UsedUp,
}

/// A purchase as a creator sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PurchaseRow {
    /// Which.
    pub id: PurchaseId,
    /// Its channel.
    pub number: ChannelNumber,
    /// Who paid.
    pub payer: Address,
    /// In what.
    pub token: Token,
    /// What was bought.
    pub request: String,
    /// What it cost, less what was given back.
    pub charged: u128,
    /// How often it was asked for.
    pub requests: u32,
    /// When it was bought (Unix seconds).
    pub bought_at: u64,
}

/// The store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    writer: Arc<Writer>,
    reader: Arc<Mutex<Connection>>,
    /// Held as long as the store lives.
    _lock: Option<Arc<File>>,
}

impl Store {
    /// Opens the file, creating it when there is none, for a paywall: the only one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Other`], [`StoreError::InUse`], or [`StoreError::Database`] when the file cannot be used.
    pub fn open(path: &Path, owner: &Owner) -> Result<Self, StoreError> {
        let lock = lock(path)?;
        Self::connect(path, Some(owner), Some(Arc::new(lock)))
    }

    /// Opens a file that is there, beside a paywall that may be running: for refunds and lists.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`] when the file cannot be used.
    pub fn beside(path: &Path) -> Result<Self, StoreError> {
        if !path.is_file() {
            return Err(StoreError::Database(format!("{}: no such file", path.display())));
        }
        Self::connect(path, None, None)
    }

    fn connect(path: &Path, owner: Option<&Owner>, lock: Option<Arc<File>>) -> Result<Self, StoreError> {
        let named = |e: rusqlite::Error| StoreError::Database(format!("{}: {e}", path.display()));
        let write = db::open(path).map_err(named)?;
        // Not in a file that may be something else.
        if owner.is_some() {
            db::make_tables(&write).map_err(named)?;
        }
        db::check(&write, owner)?;
        let read = db::open(path).map_err(named)?;
        Ok(Self { writer: Arc::new(Writer::start(write)?), reader: Arc::new(Mutex::new(read)), _lock: lock })
    }

    /// A channel, when it has been here.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn channel(&self, id: &ChannelId) -> Result<Option<Channel>, StoreError> {
        // By its key, from a connection that waits for no writer: some microseconds.
        db::channel(&self.reader.lock().unwrap_or_else(PoisonError::into_inner), id)
    }

    /// What the purchase was signed for, when it has been here.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn request_of(&self, id: &PurchaseId) -> Result<Option<String>, StoreError> {
        Ok(db::purchase(&self.reader.lock().unwrap_or_else(PoisonError::into_inner), id)?.map(|p| p.request))
    }

    /// The newest purchases, newest first; of one channel, or of all.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn purchases(&self, number: Option<ChannelNumber>, limit: u32) -> Result<Vec<PurchaseRow>, StoreError> {
        db::purchases(&self.reader.lock().unwrap_or_else(PoisonError::into_inner), number, limit)
    }

    /// Writes down a channel that is new here, with what had been accepted before. One that is known stays as it is.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`], [`StoreError::Busy`].
    pub async fn open_channel(&self, channel: Channel, now: u64) -> Result<(), StoreError> {
        self.writer.run(move |db| db::insert_channel(db, &channel, now)).await
    }

    /// Charges a purchase. What is granted is on the disk.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`], [`StoreError::Busy`]; then nothing was charged.
    pub async fn charge(&self, charge: Charge) -> Result<Outcome, StoreError> {
        self.writer.run(move |db| db::charge(db, &charge)).await
    }

    /// Charges so much more for a purchase that goes on.
    ///
    /// # Errors
    ///
    /// [`StoreError::Refused`], [`StoreError::Database`], [`StoreError::Busy`]; then nothing was charged.
    pub async fn charge_more(&self, id: PurchaseId, due: u128) -> Result<(), StoreError> {
        self.writer.run(move |db| db::charge_more(db, &id, due)).await
    }

    /// Raises what a purchase that goes on may cost, and what its channel has paid.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoPurchase`], [`StoreError::Database`], [`StoreError::Busy`].
    pub async fn raise(&self, id: PurchaseId, budget: u128, valid_until: u64, accepted: Option<Accepted>) -> Result<(), StoreError> {
        self.writer.run(move |db| db::raise(db, &id, budget, valid_until, accepted.as_ref())).await
    }

    /// Gives back a part of what a purchase cost, or all of it: credit of its channel. Returns how much.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoPurchase`], [`StoreError::Refused`], [`StoreError::Database`], [`StoreError::Busy`].
    pub async fn give_back(&self, id: PurchaseId, amount: Option<u128>) -> Result<u128, StoreError> {
        self.writer.run(move |db| db::give_back(db, &id, amount)).await
    }

    /// Forgets purchases bought before `before` that nobody may ask for any more.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`], [`StoreError::Busy`].
    pub async fn forget(&self, before: u64, now: u64) -> Result<usize, StoreError> {
        self.writer.run(move |db| db::forget(db, before, now)).await
    }
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push("-lock");
    let name = PathBuf::from(name);
    let file = File::create(&name).map_err(|e| StoreError::Database(format!("{}: {e}", name.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(path.display().to_string())),
        Err(TryLockError::Error(e)) => Err(StoreError::Database(e.to_string())),
    }
}
