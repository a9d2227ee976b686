//! How often somebody may come: so many a second, with a burst.
//!
//! One number a key is kept, the time at which all that it took will have been earned (GCRA). A key that has earned everything is as good as
//! forgotten, so memory is bounded: when too many keys are busy at once, new ones share one budget.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const SHARDS: usize = 16;
/// Keys remembered in each shard.
const KEYS: usize = 8_192;
/// Between two looks for those that can be forgotten, in nanoseconds.
const SWEEP_NS: u64 = 100_000_000;

/// So many a second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// In the long run.
    pub per_sec: u32,
    /// At once, after a pause.
    pub burst: u32,
}

#[derive(Debug)]
struct Shard<K> {
    earned_at: HashMap<K, u64>,
    /// The budget of those that found no place.
    others: u64,
    /// When keys that have earned everything were last forgotten.
    swept_at: u64,
}

/// A limit for each key.
#[derive(Debug)]
pub struct RateLimits<K> {
    /// Nanoseconds that one costs.
    cost_ns: u64,
    /// Nanoseconds that can be saved up.
    burst_ns: u64,
    shards: Vec<Mutex<Shard<K>>>,
    hasher: RandomState,
    started: Instant,
}

impl<K: Hash + Eq> RateLimits<K> {
    /// `None` when the rate is 0: no limit.
    pub fn new(rate: Rate) -> Option<Self> {
        let cost_ns = 1_000_000_000u64.checked_div(u64::from(rate.per_sec))?;
        let shard = || Mutex::new(Shard { earned_at: HashMap::new(), others: 0, swept_at: 0 });
        Some(Self {
            cost_ns,
            burst_ns: cost_ns.saturating_mul(u64::from(rate.burst.max(1))),
            shards: std::iter::repeat_with(shard).take(SHARDS).collect(),
            hasher: RandomState::new(),
            started: Instant::now(),
        })
    }

    /// Takes `count` from the key's budget.
    ///
    /// # Errors
    /// How long to wait when it is not enough; nothing is taken then.
    pub fn take(&self, key: K, count: usize) -> Result<(), Duration> {
        self.take_at(key, count, u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    fn take_at(&self, key: K, count: usize, now: u64) -> Result<(), Duration> {
        let at = self.hasher.hash_one(&key) as usize % SHARDS;
        let Some(shard) = self.shards.get(at) else { return Ok(()) };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        // Not at every key that finds no place: a flood of them would make each pay for a look at all.
        if shard.earned_at.len() >= KEYS && !shard.earned_at.contains_key(&key) && now >= shard.swept_at.saturating_add(SWEEP_NS) {
            shard.swept_at = now;
            shard.earned_at.retain(|_, earned| *earned > now);
        }
        let is_full = shard.earned_at.len() >= KEYS && !shard.earned_at.contains_key(&key);
        let earned = if is_full { shard.others } else { shard.earned_at.get(&key).copied().unwrap_or(0) };
        let then = earned.max(now).saturating_add(self.cost_ns.saturating_mul(count as u64));
        let over = then.saturating_sub(now.saturating_add(self.burst_ns));
        if over > 0 {
            return Err(Duration::from_nanos(over));
        }
        if is_full {
            shard.others = then;
        } else {
            shard.earned_at.insert(key, then);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn limits() -> RateLimits<u32> {
        RateLimits::new(Rate { per_sec: 10, burst: 5 }).unwrap()
    }

    #[test]
    fn a_burst_then_the_rate_then_a_burst_again_after_a_pause() {
        let limits = limits();
        (0..5).for_each(|_| limits.take_at(1, 1, 0).unwrap());
        assert_eq!(limits.take_at(1, 1, 0), Err(Duration::from_millis(100)));
        limits.take_at(1, 1, SECOND / 10).unwrap();
        assert!(limits.take_at(1, 1, SECOND / 10).is_err());
        limits.take_at(1, 5, SECOND).unwrap();
        assert!(limits.take_at(1, 1, SECOND).is_err());
    }

    #[test]
    fn one_key_does_not_spend_anothers_budget() {
        let limits = limits();
        limits.take_at(1, 5, 0).unwrap();
        limits.take_at(2, 5, 0).unwrap();
        assert!(limits.take_at(1, 1, 0).is_err());
    }

    #[test]
    fn what_does_not_fit_takes_nothing() {
        let limits = limits();
        assert_eq!(limits.take_at(1, 6, 0), Err(Duration::from_millis(100)));
        limits.take_at(1, 5, 0).unwrap();
    }

    #[test]
    fn memory_is_bounded_and_those_without_a_place_share_a_budget() {
        let limits = limits();
        let most = (SHARDS * KEYS) as u32;
        (0..2 * most).for_each(|key| _ = limits.take_at(key, 1, 0));
        let kept: usize = limits.shards.iter().map(|s| s.lock().unwrap().earned_at.len()).sum();
        assert!(kept <= SHARDS * KEYS);
        assert!((2 * most..3 * most).any(|key| limits.take_at(key, 1, 0).is_err()));
        // A second later all have earned their budget back, and there is room.
        assert!((4 * most..4 * most + 100).all(|key| limits.take_at(key, 5, SECOND).is_ok()));
    }

    #[test]
    fn a_rate_of_zero_is_no_limit() {
        assert!(RateLimits::<u32>::new(Rate { per_sec: 0, burst: 5 }).is_none());
    }
}
