//! What is known of channels, in memory: the store asked once, the chain only when the store knows nothing.

use crate::{chain::ChainAccess, known::Known};
use rivulet_core::{
    SoftKeccak,
    ids::{ChannelId, ChannelNumber, Deployment},
};
use rivulet_rules::{
    accept::Snapshot,
    chain::{ChainError, ChannelView},
};
use rivulet_store::{ChainUpdate, ChannelUpdate, Store, StoreError, StoredChannel};
use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{sync::Semaphore, task::JoinSet};

/// Limits on asking the chain about numbers that nobody knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LookupLimits {
    /// How long an unknown number is remembered as such, in milliseconds.
    pub unknown_ttl_ms: u64,
    /// How many unknown numbers are remembered; beyond it the chain is not asked.
    pub unknown_max: usize,
    /// How many questions are under way at once.
    pub at_once: usize,
    /// Look at the best block too, when the last finalized one has nothing: the operator takes small amounts before finality.
    pub is_best_asked: bool,
}

/// Why nothing could be said of a channel.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// What was found could not be stored.
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
    known: RwLock<Known>,
    /// Raised by every [`Channels::forget`]: what was read from the store before it may be old.
    epoch: AtomicU64,
    /// What is not on the chain at a finalized block, until when (Unix milliseconds).
    missing: RwLock<HashMap<ChannelNumber, (Snapshot, u64)>>,
    lookups: Semaphore,
}

impl std::fmt::Debug for Channels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channels").field("limits", &self.limits).finish_non_exhaustive()
    }
}

fn snapshot(stored: StoredChannel) -> Snapshot {
    let view = if stored.is_closed { ChannelView::Closed } else { ChannelView::Live(stored.state) };
    Snapshot { view, channel_id: stored.channel_id, best_total: stored.best.map(|b| b.cumulative_amount), is_final: true }
}

fn absent(view: ChannelView) -> Snapshot {
    Snapshot { view, channel_id: ChannelId([0; 32]), best_total: None, is_final: true }
}

impl Channels {
    /// An empty cache.
    pub fn new(store: Arc<dyn Store>, chain: Arc<dyn ChainAccess>, deployment: Deployment, limits: LookupLimits) -> Self {
        let lookups = Semaphore::new(limits.at_once);
        Self { store, chain, deployment, limits, known: RwLock::default(), epoch: AtomicU64::new(0), missing: RwLock::default(), lookups }
    }

    /// What is in memory: no waiting.
    fn cached(&self, numbers: &[ChannelNumber]) -> Vec<Option<Snapshot>> {
        // Held for some copies, never across an await: a std lock is the fastest here.
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        numbers.iter().map(|number| known.get(*number)).collect()
    }

    /// What is known of these channels, in the order asked. Those that nobody knows are looked for on the chain, at the last finalized block, once.
    /// One that cannot be looked up harms no other, and nothing is said of it, least of all that it does not exist.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn get(self: &Arc<Self>, numbers: &[ChannelNumber], now_ms: u64) -> Result<Vec<Result<Snapshot, LookupError>>, StoreError> {
        let mut found = self.cached(numbers);
        let absent: Vec<_> = numbers.iter().zip(&found).filter(|(_, f)| f.is_none()).map(|(n, _)| *n).collect();
        if !absent.is_empty() {
            let mut loaded = self.load(absent).await?.into_iter();
            found.iter_mut().filter(|f| f.is_none()).for_each(|f| *f = loaded.next().flatten());
        }
        let mut lookups = JoinSet::new();
        let are_absent = found.iter().any(Option::is_none);
        for (place, number) in numbers.iter().enumerate().filter(|(place, _)| found.get(*place).is_none_or(Option::is_none)) {
            let (channels, number) = (Arc::clone(self), *number);
            lookups.spawn(async move { (place, channels.look_up(number, now_ms).await) });
        }
        let mut snapshots: Vec<_> = found.into_iter().map(|f| f.ok_or(LookupError::Overloaded)).collect();
        while let Some(done) = lookups.join_next().await {
            // A look-up that panicked has said nothing: its place stays as it is.
            if let Ok((place, result)) = done
                && let Some(slot) = snapshots.get_mut(place)
            {
                *slot = result;
            }
        }
        // Look-ups take time, and who asks chooses how much: what was read before them is read again.
        if are_absent {
            for (slot, fresh) in snapshots.iter_mut().zip(self.cached(numbers)) {
                if let Some(fresh) = fresh {
                    *slot = Ok(fresh);
                }
            }
        }
        Ok(snapshots)
    }

    async fn load(&self, numbers: Vec<ChannelNumber>) -> Result<Vec<Option<Snapshot>>, StoreError> {
        let epoch = self.epoch.load(Ordering::Acquire);
        let stored = self.store.channels(numbers.clone()).await?;
        let snapshots: Vec<_> = stored.into_iter().map(|s| s.map(snapshot)).collect();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if self.epoch.load(Ordering::Acquire) == epoch {
            numbers.into_iter().zip(&snapshots).filter_map(|(n, s)| s.map(|s| (n, s))).for_each(|(number, snapshot)| known.put(number, snapshot));
        }
        Ok(snapshots)
    }

    fn remembered_missing(&self, number: ChannelNumber, now_ms: u64) -> Option<Snapshot> {
        let missing = self.missing.read().unwrap_or_else(PoisonError::into_inner);
        missing.get(&number).filter(|(_, until)| now_ms < *until).map(|(snapshot, _)| *snapshot)
    }

    async fn look_up(&self, number: ChannelNumber, now_ms: u64) -> Result<Snapshot, LookupError> {
        if let Some(snapshot) = self.remembered_missing(number, now_ms) {
            return Ok(snapshot);
        }
        if !self.has_room(now_ms) {
            return Err(LookupError::Overloaded);
        }
        let _turn = self.lookups.acquire().await.map_err(|_| LookupError::Overloaded)?;
        // Another request may have found it meanwhile.
        let cached = self.cached(&[number]).into_iter().next().flatten();
        if let Some(snapshot) = cached.or_else(|| self.remembered_missing(number, now_ms)) {
            return Ok(snapshot);
        }
        let head = self.chain.finalized_head().await?;
        match self.chain.channel(number, head.block).await? {
            ChannelView::Live(state) => {
                let channel_id = state.terms.channel_id(&self.deployment, &SoftKeccak);
                let channels = vec![(head.block.number, ChannelUpdate::Live { state, channel_id })];
                self.store.apply(ChainUpdate { channels, ..ChainUpdate::default() }).await?;
                let found = Snapshot { view: ChannelView::Live(state), channel_id, best_total: None, is_final: true };
                // Read back: the worker may have stored a later reading.
                Ok(self.load(vec![number]).await?.into_iter().next().flatten().unwrap_or(found))
            }
            view => {
                let snapshot = self.best_or(view, number).await?;
                let until = now_ms.saturating_add(self.limits.unknown_ttl_ms);
                self.missing.write().unwrap_or_else(PoisonError::into_inner).insert(number, (snapshot, until));
                Ok(snapshot)
            }
        }
    }

    /// What the best block says of a number that is not given out at the last finalized one. It is never stored: a reorg may undo it.
    async fn best_or(&self, finalized: ChannelView, number: ChannelNumber) -> Result<Snapshot, LookupError> {
        if finalized != ChannelView::Unknown || !self.limits.is_best_asked {
            return Ok(absent(finalized));
        }
        match self.chain.channel_at_best(number).await? {
            ChannelView::Live(state) => {
                let channel_id = state.terms.channel_id(&self.deployment, &SoftKeccak);
                Ok(Snapshot { view: ChannelView::Live(state), channel_id, best_total: None, is_final: false })
            }
            ChannelView::Unknown | ChannelView::Closed => Ok(absent(ChannelView::Unknown)),
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
            known.raise(number, total);
        }
    }

    /// Anything may have changed in the store.
    pub fn forget_all(&self) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        self.epoch.fetch_add(1, Ordering::AcqRel);
        known.clear();
    }

    /// These have changed in the store.
    pub fn forget(&self, numbers: impl IntoIterator<Item = ChannelNumber>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        self.epoch.fetch_add(1, Ordering::AcqRel);
        for number in numbers {
            known.remove(number);
        }
    }
}
