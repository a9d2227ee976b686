//! What is known of channels, in memory: the store asked once, the chain only when the store knows nothing.

use crate::chain::ChainAccess;
use rivulet_core::{
    SoftKeccak,
    ids::{ChannelId, ChannelNumber, Deployment},
};
use rivulet_rules::{
    accept::Snapshot,
    chain::{ChainError, ChannelView},
};
use rivulet_store::{ChainUpdate, ChannelUpdate, Store, StoreError};
use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::Semaphore;

/// Limits on asking the chain about numbers that nobody knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LookupLimits {
    /// How long an unknown number is remembered as such, in milliseconds.
    pub unknown_ttl_ms: u64,
    /// How many unknown numbers are remembered; beyond it the chain is not asked.
    pub unknown_max: usize,
    /// How many questions are under way at once.
    pub at_once: usize,
}

/// Why nothing could be said of a channel.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The chain did not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// Too many numbers that nobody knows are being asked for.
    #[error("too many unknown channels are being asked for")]
    Overloaded,
}

/// The cache.
pub struct Channels {
    store: Arc<dyn Store>,
    chain: Arc<dyn ChainAccess>,
    deployment: Deployment,
    limits: LookupLimits,
    known: RwLock<HashMap<ChannelNumber, Snapshot>>,
    /// Raised by every [`Channels::forget`]: what was read from the store before it may be old.
    epoch: AtomicU64,
    /// What is not on the chain, until when (Unix milliseconds).
    missing: RwLock<HashMap<ChannelNumber, (Snapshot, u64)>>,
    lookups: Semaphore,
}

impl std::fmt::Debug for Channels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channels").field("limits", &self.limits).finish_non_exhaustive()
    }
}

fn absent(view: ChannelView) -> Snapshot {
    Snapshot { view, channel_id: ChannelId([0; 32]), best_total: None }
}

impl Channels {
    /// An empty cache.
    pub fn new(store: Arc<dyn Store>, chain: Arc<dyn ChainAccess>, deployment: Deployment, limits: LookupLimits) -> Self {
        let lookups = Semaphore::new(limits.at_once);
        Self { store, chain, deployment, limits, known: RwLock::default(), epoch: AtomicU64::new(0), missing: RwLock::default(), lookups }
    }

    /// What is in memory: no waiting.
    pub fn cached(&self, number: ChannelNumber) -> Option<Snapshot> {
        // Held for a copy, never across an await: a std lock is the fastest here.
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(&number).copied()
    }

    /// What is known of a channel. One that nobody knows is looked for on the chain, at the last finalized block, once.
    ///
    /// # Errors
    /// When the store or the chain does not answer: nothing is said then, least of all that the channel does not exist.
    pub async fn get(&self, number: ChannelNumber, now_ms: u64) -> Result<Snapshot, LookupError> {
        if let Some(snapshot) = self.cached(number) {
            return Ok(snapshot);
        }
        if let Some(snapshot) = self.load(number).await? {
            return Ok(snapshot);
        }
        if let Some(snapshot) = self.remembered_missing(number, now_ms) {
            return Ok(snapshot);
        }
        self.look_up(number, now_ms).await
    }

    async fn load(&self, number: ChannelNumber) -> Result<Option<Snapshot>, StoreError> {
        let epoch = self.epoch.load(Ordering::Acquire);
        let Some(stored) = self.store.channel(number).await? else { return Ok(None) };
        let view = if stored.is_closed { ChannelView::Closed } else { ChannelView::Live(stored.state) };
        let snapshot = Snapshot { view, channel_id: stored.channel_id, best_total: stored.best.map(|b| b.cumulative_amount) };
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if self.epoch.load(Ordering::Acquire) == epoch {
            known.insert(number, snapshot);
        }
        Ok(Some(snapshot))
    }

    fn remembered_missing(&self, number: ChannelNumber, now_ms: u64) -> Option<Snapshot> {
        let missing = self.missing.read().unwrap_or_else(PoisonError::into_inner);
        missing.get(&number).filter(|(_, until)| now_ms < *until).map(|(snapshot, _)| *snapshot)
    }

    async fn look_up(&self, number: ChannelNumber, now_ms: u64) -> Result<Snapshot, LookupError> {
        if !self.has_room(now_ms) {
            return Err(LookupError::Overloaded);
        }
        let _turn = self.lookups.acquire().await.map_err(|_| LookupError::Overloaded)?;
        // Another request may have found it meanwhile.
        if let Some(snapshot) = self.cached(number).or_else(|| self.remembered_missing(number, now_ms)) {
            return Ok(snapshot);
        }
        let head = self.chain.finalized_head().await?;
        match self.chain.channel(number, head.block).await? {
            ChannelView::Live(state) => {
                let channel_id = state.terms.channel_id(&self.deployment, &SoftKeccak);
                let channels = vec![(head.block.number, ChannelUpdate::Live { state, channel_id })];
                self.store.apply(ChainUpdate { channels, ..ChainUpdate::default() }).await?;
                let found = Snapshot { view: ChannelView::Live(state), channel_id, best_total: None };
                // Read back: the worker may have stored a later reading.
                Ok(self.load(number).await?.unwrap_or(found))
            }
            view => {
                let until = now_ms.saturating_add(self.limits.unknown_ttl_ms);
                self.missing.write().unwrap_or_else(PoisonError::into_inner).insert(number, (absent(view), until));
                Ok(absent(view))
            }
        }
    }

    /// Makes room among the missing; false when there is none: somebody is making up numbers.
    fn has_room(&self, now_ms: u64) -> bool {
        let mut missing = self.missing.write().unwrap_or_else(PoisonError::into_inner);
        if missing.len() >= self.limits.unknown_max {
            missing.retain(|_, (_, until)| now_ms < *until);
        }
        missing.len() < self.limits.unknown_max
    }

    /// Vouchers were stored: the best totals are at least these.
    pub fn raise(&self, totals: impl IntoIterator<Item = (ChannelNumber, u128)>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for (number, total) in totals {
            if let Some(snapshot) = known.get_mut(&number) {
                snapshot.best_total = snapshot.best_total.max(Some(total));
            }
        }
    }

    /// These have changed in the store.
    pub fn forget(&self, numbers: impl IntoIterator<Item = ChannelNumber>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        self.epoch.fetch_add(1, Ordering::AcqRel);
        for number in numbers {
            known.remove(&number);
        }
    }
}
