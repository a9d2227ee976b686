//! Two clocks: the machine's, for logs and days; the chain's, for everything that is about money.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

/// The machine's time (Unix milliseconds).
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

/// The time of the last finalized block seen (Unix seconds). It only moves forward.
#[derive(Debug, Default)]
pub struct ChainClock(AtomicU64);

impl ChainClock {
    /// The time.
    pub fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
    /// A block was seen.
    pub fn advance(&self, to: u64) {
        self.0.fetch_max(to, Ordering::Relaxed);
    }
}
