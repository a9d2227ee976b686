//! The lease to claim, when several relayers share a database: one of them claims, all of them accept and follow.
//!
//! It is renewed beside the worker's passes, since a pass may take long, but only as long as passes go through: a relayer whose node does not answer, or
//! that hangs, lets another one have the work. Nothing depends on it but time and fees: the store checks its number where an intent is opened.

use crate::status::Status;
use rivulet_store::{Fence, Store};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, timeout},
};

/// Renewed this often while it lasts, so that one failed try does not lose it.
const TRIES_IN_TTL: u32 = 3;
/// When no pass went through for this many times the lease's length, another relayer may try.
const STALLED_AFTER: u32 = 5;

/// What this relayer knows of the lease.
#[derive(Debug)]
pub struct Lease {
    store_ttl: Duration,
    held: Mutex<Option<(Fence, Instant)>>,
    gained: Notify,
}

impl Lease {
    /// Not held yet. `ttl`: after this without renewal another relayer takes it.
    pub fn new(ttl: Duration) -> Self {
        Self { store_ttl: ttl, held: Mutex::default(), gained: Notify::new() }
    }

    /// Its number while it is surely held.
    pub fn fence(&self) -> Option<Fence> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.filter(|(_, until)| Instant::now() < *until).map(|(fence, _)| fence)
    }

    /// Waits until it is gained.
    pub async fn gained(&self) {
        self.gained.notified().await;
    }

    /// Another relayer has it: learnt from the store before this one noticed.
    pub fn lost(&self) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Asks once.
    pub async fn ask(&self, store: &dyn Store) {
        let before = self.fence();
        // What is held ends for sure this long after the question, whenever it was answered.
        let until = Instant::now() + self.store_ttl;
        let now = match timeout(self.store_ttl, store.lease(self.store_ttl)).await {
            Ok(Ok(fence)) => fence,
            Ok(Err(e)) => {
                tracing::warn!(error = %e, "cannot ask for the lease to claim");
                return;
            }
            Err(_) => {
                tracing::warn!("the database does not answer in time about the lease to claim");
                return;
            }
        };
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = now.map(|fence| (fence, until));
        match (before, now) {
            (None, Some(fence)) => {
                tracing::info!(fence = fence.0, "this relayer claims");
                self.gained.notify_one();
            }
            (Some(_), None) => tracing::warn!("another relayer claims now"),
            _ => {}
        }
    }

    /// Keeps it while passes go through, until told to stop; then gives it back.
    pub async fn keep(self: Arc<Self>, store: Arc<dyn Store>, status: Arc<Status>, mut stop: watch::Receiver<bool>) {
        let stalled_ms = u64::try_from(self.store_ttl.saturating_mul(STALLED_AFTER).as_millis()).unwrap_or(u64::MAX);
        while !*stop.borrow() {
            if status.is_ready(stalled_ms) {
                self.ask(store.as_ref()).await;
            }
            tokio::select! {
                () = sleep(self.store_ttl / TRIES_IN_TTL) => {}
                _ = stop.changed() => break,
            }
        }
    }

    /// Gives it back, so that another one need not wait.
    pub async fn give_back(&self, store: &dyn Store) {
        self.lost();
        if let Ok(Err(e)) = timeout(self.store_ttl, store.give_back()).await {
            tracing::warn!(error = %e, "cannot give back the lease to claim");
        }
    }
}
