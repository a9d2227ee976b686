//! Postgres: one task stores vouchers, a few connections do the rest; any number of relayers share the database.
//!
//! A commit is on the server's disk when it returns: `synchronous_commit` is set and asserted on every connection that writes, and a server that runs
//! without `fsync` is refused. What rows say is compared and set in SQL, so no interleaving of relayers loses a higher total. Only one of them claims: the
//! one that has the lease (`lease.rs`).

mod accept;
mod chain;
mod codec;
pub(crate) mod connect;
mod db;
mod doubts;
mod intents;
mod lease;
pub mod migrate;
mod payee;
mod read;
mod writer;

use crate::sqlite::channels_in;
use crate::{
    Accepted, Answer, ChainUpdate, Counts, DayEarnings, DeploymentId, Doubts, Earnings, Fence, Intent, IntentEnd, IntentId, NewIntent, Pending,
    PendingStream, SetAside, Store, StoreError, StoredChannel, UnclaimedPage, changes::Changes,
};
pub(crate) use codec::Amount;
pub use db::Db;
pub(crate) use db::Failure;
use db::in_transaction;
use rivulet_core::ids::{Address, ChannelNumber};
use rivulet_rules::{
    accept::{Rejection, Verified},
    batch::BookView,
    chain::{Account, BlockHead, ContractKind},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use writer::Writer;

/// The store in a Postgres database.
#[derive(Debug)]
pub struct PostgresStore {
    db: Db,
    writer: Writer,
    changes: Arc<Changes>,
    /// This run's name as a holder of the lease.
    holder: String,
}

impl PostgresStore {
    /// Connects, brings the schema up to date, and binds the database to the deployment when it is new.
    ///
    /// # Errors
    /// [`StoreError::OtherDeployment`], [`StoreError::TooNew`], [`StoreError::Unsafe`] when the server would answer before its disk has it,
    /// or [`StoreError::Database`].
    pub async fn open(config: &tokio_postgres::Config, deployment: &DeploymentId) -> Result<Self, StoreError> {
        let db = connect::connect(config).await?;
        connect::assert_durable(&db).await?;
        migrate::up(&db).await?;
        connect::check_deployment(&db, deployment, true).await?;
        doubts::count_start(&db).await?;
        Self::with(db)
    }

    /// Connects for reading: nothing is made, migrated or bound, and the server refuses what writes.
    ///
    /// # Errors
    /// [`StoreError::NotMigrated`] when the schema lacks a step; else as [`PostgresStore::open`].
    pub async fn open_read_only(config: &tokio_postgres::Config, deployment: &DeploymentId) -> Result<Self, StoreError> {
        let db = connect::connect_to_read(config).await?;
        crate::migrate::is_current(migrate::applied(&db).await?.as_deref())?;
        connect::check_deployment(&db, deployment, false).await?;
        Self::with(db)
    }

    fn with(db: Db) -> Result<Self, StoreError> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|e| StoreError::Database(format!("no random numbers: {e}")))?;
        let holder = format!("{}-{}", std::process::id(), rivulet_rules::text::hex(&random));
        let changes = Arc::<Changes>::default();
        Ok(Self { writer: Writer::start(db.clone(), Arc::clone(&changes)), changes, db, holder })
    }

    /// The database, for what is not a relayer's daily work.
    pub fn db(&self) -> &Db {
        &self.db
    }
}

/// Asks on any connection.
macro_rules! ask {
    ($store:expr, |$client:ident| $work:expr) => {
        Box::pin(async move {
            let $client = $store.db.client().await?;
            Ok($work.await?)
        })
    };
}

impl Store for PostgresStore {
    fn accept(&self, vouchers: Vec<Verified>, now_ms: u64) -> Answer<'_, Vec<Result<Accepted, Rejection>>> {
        Box::pin(self.writer.accept(vouchers, now_ms))
    }
    fn channels(&self, numbers: Vec<ChannelNumber>) -> Answer<'_, Vec<Option<StoredChannel>>> {
        ask!(self, |client| chain::channels(&client, &numbers))
    }
    fn apply(&self, update: ChainUpdate) -> Answer<'_, ()> {
        Box::pin(async move {
            let done: Result<(), StoreError> = in_transaction!(self.db, |tx| chain::apply(&tx, &update));
            done?;
            self.changes.mark(update.channels.iter().map(|(_, channel)| channel.number()));
            self.changes.mark_books(update.books.iter().filter(|(_, kind, _)| *kind == ContractKind::Channels).map(|(.., book)| book.book));
            Ok(())
        })
    }
    fn cursor(&self) -> Answer<'_, Option<BlockHead>> {
        ask!(self, |client| chain::cursor(&client))
    }
    fn books(&self, contract: ContractKind) -> Answer<'_, BTreeMap<u32, BookView>> {
        ask!(self, |client| chain::books(&client, contract))
    }
    fn pending_channels(&self) -> Answer<'_, Vec<Pending>> {
        ask!(self, |client| read::pending_channels(&client, ""))
    }
    fn pending_of(&self, numbers: Vec<ChannelNumber>) -> Answer<'_, Vec<Pending>> {
        ask!(self, |client| read::pending_of(&client, &numbers))
    }
    fn unclaimed(&self, after: Option<ChannelNumber>, limit: usize) -> Answer<'_, UnclaimedPage> {
        ask!(self, |client| read::unclaimed(&client, after, limit))
    }
    fn changes(&self) -> &Changes {
        &self.changes
    }
    fn is_shared(&self) -> bool {
        true
    }
    fn closing_channels(&self) -> Answer<'_, Vec<Pending>> {
        ask!(self, |client| read::pending_channels(&client, read::CLOSING))
    }
    fn pending_streams(&self) -> Answer<'_, Vec<PendingStream>> {
        ask!(self, |client| read::pending_streams(&client))
    }
    fn live_channels(&self) -> Answer<'_, Vec<ChannelNumber>> {
        ask!(self, |client| read::live_channels(&client))
    }
    fn channels_of(&self, payee: Address) -> Answer<'_, Vec<StoredChannel>> {
        ask!(self, |client| read::channels_of(&client, payee))
    }
    fn open_intent(&self, intent: NewIntent) -> Answer<'_, IntentId> {
        Box::pin(async move {
            let id = in_transaction!(self.db, |tx| intents::open(&tx, &self.holder, &intent))?;
            self.changes.mark(channels_in(intent.contract, intent.rows.iter().map(|row| row.number)));
            Ok(id)
        })
    }
    fn open_intents(&self) -> Answer<'_, Vec<Intent>> {
        ask!(self, |client| intents::list_open(&client))
    }
    fn finish_intent(&self, id: IntentId, end: IntentEnd) -> Answer<'_, ()> {
        Box::pin(async move {
            let freed: Vec<ChannelNumber> = in_transaction!(self.db, |tx| intents::finish(&tx, id, &end))?;
            self.changes.mark(freed);
            Ok(())
        })
    }
    fn set_aside(&self, rows: Vec<SetAside>) -> Answer<'_, ()> {
        Box::pin(async move {
            let done: Result<(), StoreError> = in_transaction!(self.db, |tx| intents::set_aside(&tx, &rows));
            done?;
            self.changes.mark(rows.iter().flat_map(|row| channels_in(row.contract, [row.number])));
            Ok(())
        })
    }
    fn earnings(&self, payee: Address) -> Answer<'_, Vec<Earnings>> {
        ask!(self, |client| read::earnings(&client, payee))
    }
    fn payee_channels(&self, payee: Address, after: Option<ChannelNumber>, limit: usize) -> Answer<'_, Vec<StoredChannel>> {
        ask!(self, |client| payee::channels(&client, payee, after, limit))
    }
    fn payee_days(&self, payee: Address, from: u64, to: u64) -> Answer<'_, Vec<DayEarnings>> {
        ask!(self, |client| payee::days(&client, payee, from, to))
    }
    fn book(&self, contract: ContractKind, book: u32) -> Answer<'_, Option<BookView>> {
        ask!(self, |client| payee::book(&client, contract, book))
    }
    fn counts(&self) -> Answer<'_, Counts> {
        ask!(self, |client| read::counts(&client))
    }
    fn lease(&self, ttl: Duration) -> Answer<'_, Option<Fence>> {
        ask!(self, |client| lease::take(&client, &self.holder, ttl))
    }
    fn give_back(&self) -> Answer<'_, ()> {
        ask!(self, |client| lease::give_back(&client, &self.holder))
    }
    fn take_doubts(&self, signer: Account) -> Answer<'_, Doubts> {
        Box::pin(async move { in_transaction!(self.db, |tx| doubts::take(&tx, signer)) })
    }
}
