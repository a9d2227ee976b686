//! What an operator can change while the relayer runs: nothing of it outlives the process.

use std::{
    fmt,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

/// Changes the log's filter; `Err` says what is wrong with it.
pub type SetLog = Box<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// Shared by the admin routes, which write, and by what obeys them.
#[derive(Default)]
pub struct Control {
    paused: AtomicBool,
    draining: AtomicBool,
    set_log: OnceLock<SetLog>,
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").field("paused", &self.paused).field("draining", &self.draining).finish_non_exhaustive()
    }
}

impl Control {
    /// True: no new claims are sent. What was sent is still followed.
    pub fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed)
    }

    /// Stops or resumes claiming.
    pub fn set_paused(&self, paused: bool) {
        self.paused.store(paused, Ordering::Relaxed);
    }

    /// True: no vouchers are taken. What was taken is still claimed.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Stops or resumes the taking of vouchers.
    pub fn set_draining(&self, draining: bool) {
        self.draining.store(draining, Ordering::Relaxed);
    }

    /// Says how the log's filter is changed. Only the first word counts.
    pub fn on_log(&self, set: SetLog) {
        let _ = self.set_log.set(set);
    }

    /// Changes the log's filter.
    ///
    /// # Errors
    /// What is wrong with it, or that this process cannot change it.
    pub fn set_log(&self, filter: &str) -> Result<(), String> {
        self.set_log.get().ok_or_else(|| "this process cannot change its log".to_owned())?(filter)
    }
}
