//! How the worker is doing: for `/ready`, the log and whoever waits for it.

use crate::clock::now_ms;
use serde::Serialize;
use std::sync::{Mutex, PoisonError};

/// What the worker did last.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Report {
    /// The last finalized block whose events have been taken in.
    pub block_number: Option<u64>,
    /// When a pass last went through (Unix milliseconds); a pass follows the chain, reconciles and claims.
    pub last_pass_ms: Option<u64>,
    /// Why the last pass did not; absent when it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Shared by the worker, which writes, and the routes, which read.
#[derive(Debug, Default)]
pub struct Status(Mutex<Report>);

impl Status {
    /// What the worker did last.
    pub fn report(&self) -> Report {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A pass went through, up to this block.
    pub fn passed(&self, block_number: u64) {
        let mut report = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *report = Report { block_number: Some(block_number), last_pass_ms: Some(now_ms()), error: None };
    }

    /// A pass did not go through.
    pub fn failed(&self, error: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).error = Some(error);
    }

    /// True when a pass went through in the last `within_ms`.
    pub fn is_ready(&self, within_ms: u64) -> bool {
        self.report().last_pass_ms.is_some_and(|at| now_ms().saturating_sub(at) <= within_ms)
    }
}
