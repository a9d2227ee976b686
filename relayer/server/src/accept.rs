//! From offered vouchers to stored ones.

use crate::{
    acknowledge::{Acknowledger, Signed},
    channels::{Channels, LookupError},
    clock::{ChainClock, now_ms},
    feed::{Feed, Happening},
    metrics::Metrics,
    rate::RateLimits,
};
use rivulet_core::ids::Address;
use rivulet_rules::accept::{Offer, Policy, Rejection, Snapshot, Verified, verify};
use rivulet_store::{Accepted, Store, StoreError};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::available_parallelism,
    time::{Duration, Instant},
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
    /// Its payer sends more than it may: it may be sent again after this time.
    #[error("too many vouchers of this payer")]
    RateLimited(Duration),
}

/// A voucher that is on disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Taken {
    /// What the store says.
    pub accepted: Accepted,
    /// What the relayer signed for it, if that was asked for and there is a key.
    pub acknowledgement: Option<Signed>,
}

/// What becomes of one voucher.
pub type Outcome = Result<Taken, Refusal>;

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

    /// Looks now, whatever has come.
    pub fn press(&self) {
        self.wake.notify_one();
    }

    /// Waits until enough has come.
    pub async fn wait(&self) {
        self.wake.notified().await;
    }
}

/// What an acceptor is made of.
#[derive(Clone)]
pub struct Parts {
    /// What is known of channels.
    pub channels: Arc<Channels>,
    /// The store.
    pub store: Arc<dyn Store>,
    /// What is taken.
    pub policy: Policy,
    /// The domain of vouchers.
    pub separator: [u8; 32],
    /// The chain's clock.
    pub clock: Arc<ChainClock>,
    /// Who is told that rows wait.
    pub pressure: Arc<Pressure>,
    /// Where it is counted.
    pub metrics: Arc<Metrics>,
    /// Where payees hear of it.
    pub feed: Arc<Feed>,
    /// How often a payer may come; `None`: as often as it likes.
    pub payers: Option<Arc<RateLimits<Address>>>,
    /// Who signs for what was stored.
    pub acknowledger: Option<Acknowledger>,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// Takes vouchers.
#[derive(Debug)]
pub struct Acceptor {
    parts: Parts,
    policy: Arc<Policy>,
    cores: usize,
}

/// A voucher that passed, and what was signed for it on the chance that it is new.
type Checked = Result<(Verified, Option<Signed>), Refusal>;

impl Acceptor {
    /// With everything it asks.
    pub fn new(parts: Parts) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self { policy: Arc::new(parts.policy.clone()), parts, cores }
    }

    /// The address that acknowledgements are signed by.
    pub fn acknowledges_as(&self) -> Option<Address> {
        self.parts.acknowledger.as_ref().map(Acknowledger::address)
    }

    /// Checks and stores; answers in order once all of it is on disk. A bad voucher harms no other.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn accept(&self, offers: Vec<Offer>) -> Result<Vec<Outcome>, AcceptError> {
        self.take(offers, None).await
    }

    /// As [`Acceptor::accept`], and signs for each voucher that is stored, if there is a key.
    ///
    /// # Errors
    /// As [`Acceptor::accept`].
    pub async fn accept_and_acknowledge(&self, offers: Vec<Offer>) -> Result<Vec<Outcome>, AcceptError> {
        self.take(offers, self.parts.acknowledger.clone()).await
    }

    async fn take(&self, offers: Vec<Offer>, acknowledger: Option<Acknowledger>) -> Result<Vec<Outcome>, AcceptError> {
        let Parts { channels, store, clock, pressure, metrics, feed, .. } = &self.parts;
        let started = Instant::now();
        let numbers: Vec<_> = offers.iter().map(|offer| offer.number).collect();
        // Before the records are read: by a later time a refund request that they still show could count as lapsed, although it was executed since.
        let now = clock.now();
        let snapshots = channels.get(&numbers, now_ms()).await?;
        let accepted_ms = now_ms();
        let mut answers = Vec::with_capacity(offers.len());
        let (mut places, mut verified) = (Vec::with_capacity(offers.len()), Vec::with_capacity(offers.len()));
        for checked in self.check(offers.into_iter().zip(snapshots).collect(), now, acknowledger.clone(), accepted_ms).await? {
            match checked.and_then(|(voucher, signed)| self.within_limit(voucher, signed)) {
                Ok((voucher, acknowledgement)) => {
                    places.push(answers.len());
                    // In its place until the store has answered.
                    let accepted = Accepted { cumulative_amount: voucher.cumulative_amount(), growth: 0, accepted_ms };
                    answers.push(Ok(Taken { accepted, acknowledgement }));
                    verified.push(voucher);
                }
                Err(refusal) => answers.push(Err(refusal)),
            }
        }
        if verified.is_empty() {
            return Ok(answers);
        }
        let asked = Instant::now();
        let stored = store.accept(verified.clone(), accepted_ms).await?;
        let store_time = asked.elapsed();
        channels.raise(verified.iter().zip(&stored).filter_map(|(v, r)| r.as_ref().ok().map(|a| (v.number(), a.cumulative_amount))));
        let grown = stored.iter().filter(|r| r.as_ref().is_ok_and(|a| a.growth > 0)).count();
        pressure.add(grown);
        feed.publish(verified.iter().zip(&stored).filter_map(|(voucher, result)| happening(voucher, result)));
        let mut signed = SignAgain { acknowledger, jobs: Vec::new() };
        for ((place, voucher), result) in places.into_iter().zip(&verified).zip(stored) {
            let Some(answer) = answers.get_mut(place) else { continue };
            let before = answer.as_ref().ok().and_then(|taken| taken.acknowledgement);
            *answer = result.map_err(Refusal::from).map(|accepted| {
                let acknowledgement = signed.keep_or_queue(place, voucher, &accepted, before);
                Taken { accepted, acknowledgement }
            });
        }
        for (place, acknowledgement) in signed.run().await? {
            if let Some(Ok(taken)) = answers.get_mut(place) {
                taken.acknowledgement = Some(acknowledgement);
            }
        }
        metrics.accepted(grown, started.elapsed(), store_time);
        Ok(answers)
    }

    /// Only a voucher that its payer signed is counted against that payer: nobody else can use up its share.
    fn within_limit(&self, voucher: Verified, signed: Option<Signed>) -> Checked {
        match self.parts.payers.as_ref().map(|limits| limits.take(voucher.payer(), 1)) {
            Some(Err(wait)) => Err(Refusal::RateLimited(wait)),
            _ => Ok((voucher, signed)),
        }
    }

    /// The time of the last finalized block seen.
    pub fn now(&self) -> u64 {
        self.parts.clock.now()
    }

    /// Checks on blocking threads, on all cores when there is enough to do: a signature takes some thirty microseconds, too long for an async thread.
    async fn check(
        &self,
        mut jobs: Vec<(Offer, Result<Snapshot, LookupError>)>,
        now: u64,
        acknowledger: Option<Acknowledger>,
        accepted_ms: u64,
    ) -> Result<Vec<Checked>, AcceptError> {
        let chunk = jobs.len().div_ceil(self.cores).max(CHUNK);
        let mut tasks = Vec::new();
        while !jobs.is_empty() {
            let rest = jobs.split_off(jobs.len().min(chunk));
            let part = std::mem::replace(&mut jobs, rest);
            let (policy, separator, acknowledger) = (Arc::clone(&self.policy), self.parts.separator, acknowledger.clone());
            tasks.push(tokio::task::spawn_blocking(move || {
                let one = |(offer, snapshot): (Offer, Result<Snapshot, LookupError>)| {
                    let snapshot = snapshot?;
                    let voucher = verify(&offer, &snapshot, &policy, &separator, now)?;
                    // Here, where a thread is at hand, for those that are likely to be new.
                    let is_new = snapshot.best_total.is_none_or(|best| best < voucher.cumulative_amount());
                    let signed = acknowledger.as_ref().filter(|_| is_new).map(|a| a.sign(&voucher, accepted_ms));
                    Ok((voucher, signed))
                };
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

/// What its payee hears of a stored voucher.
fn happening(voucher: &Verified, result: &Result<Accepted, Rejection>) -> Option<(Address, Address, Happening)> {
    let Accepted { cumulative_amount, growth, accepted_ms } = *result.as_ref().ok().filter(|a| a.growth > 0)?;
    Some((voucher.payee(), voucher.token(), Happening::Accepted { number: voucher.number(), cumulative_amount, growth, accepted_ms }))
}

/// Vouchers that were stored before: their acknowledgement has the time of the first.
struct SignAgain {
    acknowledger: Option<Acknowledger>,
    jobs: Vec<(usize, Verified, u64)>,
}

impl SignAgain {
    fn keep_or_queue(&mut self, place: usize, voucher: &Verified, accepted: &Accepted, before: Option<Signed>) -> Option<Signed> {
        let kept = before.filter(|signed| signed.accepted_at == accepted.accepted_ms / 1_000);
        if self.acknowledger.is_some() && kept.is_none() {
            self.jobs.push((place, *voucher, accepted.accepted_ms));
        }
        kept
    }

    async fn run(self) -> Result<Vec<(usize, Signed)>, AcceptError> {
        let Some(acknowledger) = self.acknowledger.filter(|_| !self.jobs.is_empty()) else { return Ok(Vec::new()) };
        let sign = move || self.jobs.iter().map(|(place, voucher, at)| (*place, acknowledger.sign(voucher, *at))).collect();
        Ok(tokio::task::spawn_blocking(sign).await?)
    }
}
