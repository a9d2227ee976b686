//! The task that stores vouchers, and its queue.
//!
//! What gathers while one commit is under way goes into the next one together. Other writes are few and have their own transactions; the server
//! shares fsyncs between those by itself.

use super::{
    accept::{self, Answers, Call},
    db::{Db, in_transaction},
};
use crate::{Accepted, StoreError, changes::Changes};
use rivulet_rules::accept::{Rejection, Verified};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// How many calls may wait. Beyond it callers are told to come back: a queue that only grows answers nobody in time.
const QUEUE: usize = 4_096;
/// How many vouchers share a commit at most: what comes after should not wait for them.
const GROUP_VOUCHERS: usize = 16_384;

type Answer = Result<Vec<Result<Accepted, Rejection>>, StoreError>;

struct Job {
    call: Call,
    reply: oneshot::Sender<Answer>,
}

/// The writing task's queue. The task ends when this is dropped and the queue is empty.
#[derive(Debug)]
pub struct Writer {
    queue: mpsc::Sender<Job>,
}

fn gone() -> StoreError {
    StoreError::Database("the writer has stopped".to_owned())
}

impl Writer {
    /// Starts the task.
    pub fn start(db: Db, changes: Arc<Changes>) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        tokio::spawn(run(db, jobs, changes));
        Self { queue }
    }

    /// Stores vouchers in the next commit.
    pub async fn accept(&self, vouchers: Vec<Verified>, now_ms: u64) -> Answer {
        let (reply, answer) = oneshot::channel();
        self.queue.try_send(Job { call: (vouchers, now_ms), reply }).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy { waiting: QUEUE },
            mpsc::error::TrySendError::Closed(_) => gone(),
        })?;
        answer.await.map_err(|_| gone())?
    }
}

async fn run(db: Db, mut jobs: mpsc::Receiver<Job>, changes: Arc<Changes>) {
    while let Some(first) = jobs.recv().await {
        let mut vouchers = first.call.0.len();
        let (mut calls, mut replies) = (vec![first.call], vec![first.reply]);
        while vouchers < GROUP_VOUCHERS {
            let Ok(job) = jobs.try_recv() else { break };
            vouchers = vouchers.saturating_add(job.call.0.len());
            calls.push(job.call);
            replies.push(job.reply);
        }
        let result = commit(&db, &calls).await;
        if let Err(e) = &result {
            tracing::error!(error = %e, calls = calls.len(), vouchers, "commit failed: none of it was answered as stored");
        }
        // Also when it failed: it may have been stored all the same.
        changes.mark(calls.iter().flat_map(|(vouchers, _)| vouchers.iter().map(Verified::number)));
        match result {
            // A caller that has gone needs no answer.
            Ok(answers) => replies.into_iter().zip(answers).for_each(|(reply, answer)| drop(reply.send(Ok(answer)))),
            Err(e) => replies.into_iter().for_each(|reply| drop(reply.send(Err(StoreError::Database(e.to_string()))))),
        }
    }
}

/// All or nothing. When the connection breaks at the very end it may be stored all the same: the same vouchers again are answered as stored then.
async fn commit(db: &Db, calls: &[Call]) -> Result<Answers, StoreError> {
    in_transaction!(db, |tx| accept::accept(&tx, calls))
}
