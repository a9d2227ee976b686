//! A purse for programs that wait: one promise of a channel at a time, and no disk on a thread that others need.

use crate::{Error, Purse};
use futures::lock::{Mutex, OwnedMutexGuard};
use rivulet_core::ids::ChannelId;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex as StdMutex, PoisonError},
};

/// Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Till {
    purse: Arc<Purse>,
    // The next total of a channel depends on what became of the one before.
    turns: Arc<StdMutex<BTreeMap<ChannelId, Arc<Mutex<()>>>>>,
}

impl Till {
    pub fn new(purse: impl Into<Arc<Purse>>) -> Self {
        Self { purse: purse.into(), turns: Arc::default() }
    }

    pub fn purse(&self) -> &Purse {
        &self.purse
    }

    /// Changes what is kept.
    pub async fn keep<T: Send + 'static>(&self, change: impl FnOnce(&Purse) -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
        let purse = self.purse.clone();
        // When this future is dropped the change runs on to its end, so memory and disk say the same.
        match tokio::task::spawn_blocking(move || change(&purse)).await {
            Ok(result) => result,
            Err(e) => std::panic::resume_unwind(e.into_panic()),
        }
    }

    /// Waits for a channel's turn, and has it until what is returned is dropped.
    pub async fn turn(&self, id: ChannelId) -> OwnedMutexGuard<()> {
        let turn = self.turns.lock().unwrap_or_else(PoisonError::into_inner).entry(id).or_default().clone();
        turn.lock_owned().await
    }
}
