//! Waits for many transactions at once: one task follows finality and looks each block through.

use crate::{Error, Node, TxReport};
use rivulet_rules::chain::{BlockRef, SignedTx, TxHash};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

type Answer = oneshot::Sender<Result<TxReport, Error>>;

#[derive(Default)]
struct Waiting {
    by_hash: HashMap<TxHash, (u64, Vec<Answer>)>,
    running: bool,
}

/// Who waits for which transaction.
#[derive(Default)]
pub(crate) struct Tracker(Mutex<Waiting>);

impl Tracker {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing in here can panic halfway: what a poisoned lock guards is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node {
    /// The report of a transaction, once it is in a finalized block after its birth. To be called before the transaction is sent: a follower that
    /// runs already has not passed a block that was not made yet.
    pub(crate) fn track(&self, tx: &SignedTx) -> oneshot::Receiver<Result<TxReport, Error>> {
        let (answer, report) = oneshot::channel();
        let mut waiting = self.inner.tracker.lock();
        waiting.by_hash.entry(tx.hash).or_insert_with(|| (tx.valid_until_block, Vec::new())).1.push(answer);
        if !waiting.running {
            waiting.running = true;
            tokio::spawn(follow(self.clone(), tx.valid_from_block + 1));
        }
        report
    }
}

/// Lives while somebody waits.
async fn follow(node: Node, from: u64) {
    let mut feed = node.finalized_blocks(from);
    loop {
        let seen = match feed.next().await {
            Ok(block) => look_through(&node, block).await,
            Err(e) => Err(e),
        };
        let mut waiting = node.inner.tracker.lock();
        if let Err(e) = seen {
            // Whoever waits can ask again by hash: the transaction may yet be included.
            let text = e.to_string();
            for (_, answers) in std::mem::take(&mut waiting.by_hash).into_values() {
                answers.into_iter().for_each(|a| drop(a.send(Err(Error::Unavailable(text.clone())))));
            }
        }
        waiting.by_hash.retain(|_, (_, answers)| answers.iter().any(|a| !a.is_closed()));
        if waiting.by_hash.is_empty() {
            waiting.running = false;
            return;
        }
    }
}

async fn look_through(node: &Node, block: BlockRef) -> Result<(), Error> {
    let hashes = node.tx_hashes(block).await?;
    let found: Vec<_> = {
        let waiting = node.inner.tracker.lock();
        hashes.iter().enumerate().filter(|(_, h)| waiting.by_hash.contains_key(h)).map(|(i, h)| (*h, i as u32)).collect()
    };
    let reports = if found.is_empty() { Vec::new() } else { node.report(block, &found).await? };
    let mut waiting = node.inner.tracker.lock();
    for report in reports {
        if let Some((_, answers)) = waiting.by_hash.remove(&report.hash) {
            answers.into_iter().for_each(|a| drop(a.send(Ok(report.clone()))));
        }
    }
    let expired: Vec<_> = waiting.by_hash.iter().filter(|(_, (until, _))| *until <= block.number).map(|(h, _)| *h).collect();
    for hash in expired {
        if let Some((valid_until_block, answers)) = waiting.by_hash.remove(&hash) {
            let error = || Error::Expired { hash: format!("0x{}", hex::encode(hash.0)), valid_until_block };
            answers.into_iter().for_each(|a| drop(a.send(Err(error()))));
        }
    }
    Ok(())
}
