//! The worker: one loop that follows finalized blocks, finds out what became of its transactions, and sends new ones.
//!
//! A pass does the three in this order, so that what was claimed is known before anything is claimed again. Everything that must survive a crash is in
//! the store before it has an effect outside; every pass begins from what the store says, so there is nothing to repair at a start.

mod backlog;
mod claim;
mod doubts;
mod follow;
mod lanes;
mod lease;
mod observe;
mod preview;
mod reconcile;
mod resync;

pub use lanes::{LaneState, Lanes};
pub use preview::{Preview, PreviewBatch, PreviewRow};

use crate::{
    accept::Pressure,
    chain::{ChainAccess, Feed},
    channels::Channels,
    clock::ChainClock,
    control::Control,
    feed::Feed as PayeeFeed,
    metrics::Metrics,
    network::Network,
    status::Status,
};
use lease::Lease;
use rivulet_core::ids::StreamNumber;
use rivulet_rules::{
    batch::{Policy, Shape},
    chain::{BlockHead, BlockRef, ChainError, ContractKind, FeeModel},
};
use rivulet_store::{Fence, IntentId, Store, StoreError};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval, sleep},
};

/// Why a pass did not go through. The next one begins afresh.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// The chain.
    #[error("chain: {0}")]
    Chain(#[from] ChainError),
    /// The store.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// The chain is not the one that was followed before: nothing is done until the operator has looked.
    #[error("the finalized chain is at block {head}, below block {cursor} that was taken in before: another chain, or a node that lags")]
    Behind {
        /// The node's head.
        head: u64,
        /// The store's cursor.
        cursor: u64,
    },
}

/// How the worker works.
#[derive(Clone, Debug)]
pub struct Options {
    /// Rules for batches of channels.
    pub channels: Policy,
    /// Rules for batches of streams; `None`: streams are not claimed.
    pub streams: Option<Policy>,
    /// How often to look for a batch.
    pub interval: Duration,
    /// How many transactions of each signing key may be under way.
    pub max_in_flight: usize,
    /// After this without renewal another relayer on the same database claims.
    pub lease: Duration,
}

/// The worker.
pub struct Worker {
    chain: Arc<dyn ChainAccess>,
    store: Arc<dyn Store>,
    channels: Arc<Channels>,
    network: Arc<Network>,
    clock: Arc<ChainClock>,
    status: Arc<Status>,
    pressure: Arc<Pressure>,
    metrics: Arc<Metrics>,
    feed: Arc<PayeeFeed>,
    control: Arc<Control>,
    options: Options,
    lanes: Lanes,
    /// How far each open intent's transaction has been searched for: a hint, searching again is only slow.
    searched_to: Mutex<HashMap<IntentId, u64>>,
    /// The last stream read, when there were more than one round reads: where the next begins.
    streams_read: Mutex<Option<StreamNumber>>,
    lease: Arc<Lease>,
    /// What could be claimed from channels, from one decision to the next; `None`: to be read.
    backlog: tokio::sync::Mutex<Option<backlog::Kept>>,
    /// What things cost at the last head that was asked for.
    fees: Mutex<Option<(BlockRef, FeeModel)>>,
    /// The last block of which this process has told payees; 0: none yet.
    told_to: AtomicU64,
    /// Whether this start has looked for signs of an old database.
    has_doubted: AtomicBool,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("options", &self.options).finish_non_exhaustive()
    }
}

/// What a worker is made of.
#[derive(Clone)]
pub struct Parts {
    /// The chain.
    pub chain: Arc<dyn ChainAccess>,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The cache to keep true.
    pub channels: Arc<Channels>,
    /// The network.
    pub network: Arc<Network>,
    /// The clock to move.
    pub clock: Arc<ChainClock>,
    /// Where to report.
    pub status: Arc<Status>,
    /// Who wakes it.
    pub pressure: Arc<Pressure>,
    /// Where it counts.
    pub metrics: Arc<Metrics>,
    /// Where payees hear of claims.
    pub feed: Arc<PayeeFeed>,
    /// What an operator has changed.
    pub control: Arc<Control>,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("network", &self.network.name).finish_non_exhaustive()
    }
}

/// A failed pass is tried again after this, doubling up to [`RETRY_MAX`].
const RETRY_FIRST: Duration = Duration::from_millis(250);
const RETRY_MAX: Duration = Duration::from_secs(15);

impl Worker {
    /// Not running yet.
    pub fn new(parts: Parts, options: Options) -> Self {
        let lanes = Lanes::new(parts.chain.signers(), options.max_in_flight);
        let Parts { chain, store, channels, network, clock, status, pressure, metrics, feed, control } = parts;
        Self {
            chain,
            store,
            channels,
            network,
            clock,
            status,
            pressure,
            metrics,
            feed,
            control,
            lease: Arc::new(Lease::new(options.lease)),
            options,
            lanes,
            searched_to: Mutex::default(),
            streams_read: Mutex::default(),
            backlog: tokio::sync::Mutex::default(),
            fees: Mutex::default(),
            told_to: AtomicU64::new(0),
            has_doubted: AtomicBool::new(false),
        }
    }

    /// Works until told to stop. A pass under way is finished: what it left open is found by the next start.
    pub async fn run(&self, stop: watch::Receiver<bool>) {
        let keep = Arc::clone(&self.lease).keep(Arc::clone(&self.store), Arc::clone(&self.status), stop.clone());
        // Both in this task: when it is dropped nothing renews the lease any more.
        tokio::join!(keep, self.follow_and_claim(stop));
        self.lease.give_back(self.store.as_ref()).await;
    }

    async fn follow_and_claim(&self, mut stop: watch::Receiver<bool>) {
        let mut retry = RETRY_FIRST;
        while !*stop.borrow() {
            match self.run_from_cursor(&mut stop).await {
                Ok(()) => return,
                Err(e) => {
                    tracing::warn!(error = %e, retry_ms = retry.as_millis(), "pass failed");
                    self.status.failed(e.to_string());
                    if self.status.is_ready(2_000) {
                        retry = RETRY_FIRST;
                    }
                    tokio::select! {
                        () = sleep(retry) => {}
                        _ = stop.changed() => return,
                    }
                    retry = retry.saturating_mul(2).min(RETRY_MAX);
                }
            }
        }
    }

    /// Follows from the store's cursor; ends by an error, or in peace when told to stop.
    async fn run_from_cursor(&self, stop: &mut watch::Receiver<bool>) -> Result<(), WorkError> {
        // Blocks that another relayer has taken in meanwhile are not seen here again.
        self.channels.forget_all();
        self.store.changes().mark_all();
        let mut head = self.catch_up().await?;
        if !self.has_doubted.load(Ordering::Relaxed) {
            for doubt in self.doubts(&head).await? {
                tracing::warn!("{doubt}");
            }
            self.has_doubted.store(true, Ordering::Relaxed);
        }
        self.pass(&head).await?;
        let mut feed = self.chain.follow(crate::chain::Start::After(head.block));
        let mut tick = interval(self.options.interval);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tick.tick().await;
        loop {
            let is_new_block = tokio::select! {
                biased;
                _ = stop.changed() => return Ok(()),
                block = feed.next() => {
                    head = self.take_in(block?, &mut feed).await?;
                    true
                }
                _ = tick.tick() => false,
                () = self.pressure.wait() => false,
                () = self.lease.gained() => false,
            };
            if let Some(fence) = self.may_claim().await {
                self.reconcile(&head).await?;
                if !is_new_block || self.is_pressed(&head).await? {
                    self.claim_all(&head, fence).await?;
                }
            } else if !is_new_block {
                self.stand_by(&head).await;
            }
            self.status.passed(head.block.number);
        }
    }

    /// Everything once, at this head.
    ///
    /// # Errors
    /// The first thing that failed; what was done before it stands.
    pub async fn pass(&self, head: &BlockHead) -> Result<(), WorkError> {
        if let Some(fence) = self.may_claim().await {
            self.reconcile(head).await?;
            self.claim_all(head, fence).await?;
        } else {
            self.stand_by(head).await;
        }
        self.status.passed(head.block.number);
        Ok(())
    }

    /// Another relayer claims: this one only says whether it could.
    async fn stand_by(&self, head: &BlockHead) {
        self.pressure.reset();
        self.observe(head).await;
        self.observe_pending(0, &BTreeMap::new());
    }

    /// The lease's number, if this relayer has it or can have it.
    async fn may_claim(&self) -> Option<Fence> {
        if self.lease.fence().is_none() {
            self.lease.ask(self.store.as_ref()).await;
        }
        self.lease.fence()
    }

    /// Takes in a block, and those that are finalized behind it already, in one go.
    async fn take_in(&self, first: BlockRef, feed: &mut Box<dyn Feed>) -> Result<BlockHead, WorkError> {
        let newest = self.chain.finalized_head().await?.block.number;
        let mut blocks = vec![first];
        while blocks.last().is_some_and(|b| b.number < newest) && blocks.len() < follow::BLOCKS_AT_ONCE {
            blocks.push(feed.next().await?);
        }
        self.apply_blocks(&blocks).await
    }

    async fn claim_all(&self, head: &BlockHead, fence: Fence) -> Result<(), WorkError> {
        self.pressure.reset();
        self.observe(head).await;
        if self.control.is_paused() {
            return Ok(());
        }
        let started = Instant::now();
        self.claim_channels(head, fence, &self.options.channels, Shape::CHANNELS).await?;
        if let Some(policy) = &self.options.streams {
            self.claim_streams(head, fence, policy, Shape::STREAMS).await?;
        }
        tracing::debug!(block = head.block.number, elapsed_ms = started.elapsed().as_millis(), "looked for batches");
        Ok(())
    }

    fn name(contract: ContractKind) -> &'static str {
        match contract {
            ContractKind::Channels => "channels",
            ContractKind::Streams => "streams",
        }
    }
}
