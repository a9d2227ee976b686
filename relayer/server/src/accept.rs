//! From offered vouchers to stored ones.

use crate::{
    channels::{Channels, LookupError},
    clock::{ChainClock, now_ms},
};
use rivulet_rules::accept::{Offer, Policy, Rejection, Snapshot, Verified, verify};
use rivulet_store::{Accepted, Store, StoreError};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::available_parallelism,
};
use tokio::sync::Notify;

/// Below this many a batch is not worth spreading over cores.
const CHUNK: usize = 64;

/// Why nothing can be said of any voucher of a call. Nothing of it may be taken as stored; the same call may be made again.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A checking thread ended without an answer.
    #[error("a check did not finish: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// Why one voucher was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It did not pass.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// Its channel could not be looked up: nothing is said about the voucher, it may be sent again.
    #[error(transparent)]
    Lookup(#[from] LookupError),
}

/// What becomes of one voucher.
pub type Outcome = Result<Accepted, Refusal>;

/// Tells the worker that rows are waiting.
#[derive(Debug, Default)]
pub struct Pressure {
    grown: AtomicUsize,
    enough: usize,
    wake: Notify,
}

impl Pressure {
    /// Wakes the worker when this many vouchers have grown a channel since it last looked.
    pub fn new(enough: usize) -> Self {
        Self { enough, ..Self::default() }
    }

    fn add(&self, grown: usize) {
        let before = self.grown.fetch_add(grown, Ordering::Relaxed);
        if before < self.enough && before.saturating_add(grown) >= self.enough {
            self.wake.notify_one();
        }
    }

    /// The worker looks now.
    pub fn reset(&self) {
        self.grown.store(0, Ordering::Relaxed);
    }

    /// Waits until enough has come.
    pub async fn wait(&self) {
        self.wake.notified().await;
    }
}

/// Takes vouchers.
pub struct Acceptor {
    channels: Arc<Channels>,
    store: Arc<dyn Store>,
    policy: Arc<Policy>,
    separator: [u8; 32],
    clock: Arc<ChainClock>,
    pressure: Arc<Pressure>,
    cores: usize,
}

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Acceptor").field("policy", &self.policy).field("cores", &self.cores).finish_non_exhaustive()
    }
}

type Checked = Result<Verified, Refusal>;

impl Acceptor {
    /// With everything it asks.
    pub fn new(
        channels: Arc<Channels>,
        store: Arc<dyn Store>,
        policy: Policy,
        separator: [u8; 32],
        clock: Arc<ChainClock>,
        pressure: Arc<Pressure>,
    ) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self { channels, store, policy: Arc::new(policy), separator, clock, pressure, cores }
    }

    /// Checks and stores; answers in order once all of it is on disk. A bad voucher harms no other.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn accept(&self, offers: Vec<Offer>) -> Result<Vec<Outcome>, AcceptError> {
        let numbers: Vec<_> = offers.iter().map(|offer| offer.number).collect();
        // Before the records are read: by a later time a refund request that they still show could count as lapsed, although it was executed since.
        let now = self.clock.now();
        let snapshots = self.channels.get(&numbers, now_ms()).await?;
        let mut answers = Vec::with_capacity(offers.len());
        let (mut places, mut verified) = (Vec::with_capacity(offers.len()), Vec::with_capacity(offers.len()));
        for checked in self.check(offers.into_iter().zip(snapshots).collect(), now).await? {
            match checked {
                Ok(voucher) => {
                    places.push(answers.len());
                    // In its place until the store has answered.
                    answers.push(Ok(Accepted { cumulative_amount: voucher.cumulative_amount(), growth: 0 }));
                    verified.push(voucher);
                }
                Err(refusal) => answers.push(Err(refusal)),
            }
        }
        if verified.is_empty() {
            return Ok(answers);
        }
        let numbers: Vec<_> = verified.iter().map(Verified::number).collect();
        let stored = self.store.accept(verified, now_ms()).await?;
        self.channels.raise(numbers.iter().zip(&stored).filter_map(|(n, r)| r.as_ref().ok().map(|a| (*n, a.cumulative_amount))));
        self.pressure.add(stored.iter().filter(|r| r.as_ref().is_ok_and(|a| a.growth > 0)).count());
        for (place, result) in places.into_iter().zip(stored) {
            if let Some(answer) = answers.get_mut(place) {
                *answer = result.map_err(Refusal::from);
            }
        }
        Ok(answers)
    }

    /// The time of the last finalized block seen.
    pub fn now(&self) -> u64 {
        self.clock.now()
    }

    /// Checks on blocking threads, on all cores when there is enough to do: a signature takes some thirty microseconds, too long for an async thread.
    async fn check(&self, mut jobs: Vec<(Offer, Result<Snapshot, LookupError>)>, now: u64) -> Result<Vec<Checked>, AcceptError> {
        let chunk = jobs.len().div_ceil(self.cores).max(CHUNK);
        let mut tasks = Vec::new();
        while !jobs.is_empty() {
            let rest = jobs.split_off(jobs.len().min(chunk));
            let part = std::mem::replace(&mut jobs, rest);
            let (policy, separator) = (Arc::clone(&self.policy), self.separator);
            tasks.push(tokio::task::spawn_blocking(move || {
                let one = |(offer, snapshot): (Offer, Result<Snapshot, LookupError>)| Ok(verify(&offer, &snapshot?, &policy, &separator, now)?);
                part.into_iter().map(one).collect::<Vec<Checked>>()
            }));
        }
        let mut checked = Vec::new();
        for task in tasks {
            checked.extend(task.await?);
        }
        Ok(checked)
    }
}
