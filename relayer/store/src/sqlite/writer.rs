//! The thread that writes, and its queue.

use super::{
    accept::{self, Group},
    mark::MarkFile,
};
use crate::{Accepted, StoreError, changes::Changes};
use rivulet_core::ids::ChannelNumber;
use rivulet_rules::accept::{Rejection, Verified};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// How many calls may wait. Beyond it callers are told to come back: a queue that only grows answers nobody in time.
const QUEUE: usize = 4_096;
/// How many vouchers share a commit at most: what comes after should not wait for them.
const GROUP_VOUCHERS: usize = 16_384;

type Accept = (Vec<Verified>, u64, oneshot::Sender<Result<Vec<Result<Accepted, Rejection>>, StoreError>>);
/// Told how the commit went.
type Finish = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// Writes within the shared transaction.
type Write = Box<dyn FnOnce(&mut Transaction<'_>) -> Finish + Send>;

enum Job {
    Accept(Accept),
    Write(Write),
}

/// The writing thread's queue. The thread ends when this is dropped and the queue is empty.
#[derive(Debug)]
pub struct Writer {
    queue: Option<mpsc::Sender<Job>>,
    changes: Arc<Changes>,
    thread: Option<std::thread::JoinHandle<()>>,
}

fn gone() -> StoreError {
    StoreError::Database("the writer has stopped, or the database was opened to read only".to_owned())
}

impl Writer {
    /// Starts the thread.
    pub fn start(db: Connection, mark: MarkFile, changes: Arc<Changes>) -> Result<Self, StoreError> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let noted = Arc::clone(&changes);
        let run = move || Loop { db, jobs, mark, changes: noted }.run();
        let thread = std::thread::Builder::new().name("store-writer".to_owned()).spawn(run).map_err(|e| StoreError::Database(e.to_string()))?;
        Ok(Self { queue: Some(queue), changes, thread: Some(thread) })
    }

    /// Nothing can be written.
    pub fn none() -> Self {
        Self { queue: None, changes: Arc::default(), thread: None }
    }

    fn queue(&self) -> Result<&mpsc::Sender<Job>, StoreError> {
        self.queue.as_ref().ok_or_else(gone)
    }

    /// Stores vouchers in the next commit.
    pub async fn accept(&self, vouchers: Vec<Verified>, now_ms: u64) -> Result<Vec<Result<Accepted, Rejection>>, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.queue()?.try_send(Job::Accept((vouchers, now_ms, reply))).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy { waiting: QUEUE },
            mpsc::error::TrySendError::Closed(_) => gone(),
        })?;
        answer.await.map_err(|_| gone())?
    }

    /// As [`Writer::run`]; the channels that `write` says are marked as changed once they are.
    pub async fn run_and_mark<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> Result<(T, Vec<ChannelNumber>), StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let changes = Arc::clone(&self.changes);
        self.run_then(write, move |(value, numbers)| {
            changes.mark(numbers);
            value
        })
        .await
    }

    /// Runs `write` in the next commit; waits for room in the queue. What it did is undone when it fails, and only that.
    pub async fn run<T: Send + 'static>(&self, write: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static) -> Result<T, StoreError> {
        self.run_then(write, |value| value).await
    }

    /// `then`: on the writing thread, after the commit and only then.
    async fn run_then<U: Send + 'static, T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> Result<U, StoreError> + Send + 'static,
        then: impl FnOnce(U) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job = move |tx: &mut Transaction<'_>| -> Finish {
            let result = in_savepoint(tx, write);
            Box::new(move |commit| {
                // The caller may be gone; then nobody needs the answer.
                let _ = reply.send(match (result, commit) {
                    (Ok(_), Err(e)) => Err(e),
                    (result, _) => result.map(then),
                });
            })
        };
        self.queue()?.send(Job::Write(Box::new(job))).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn in_savepoint<T>(tx: &mut Transaction<'_>, write: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
    // Dropped without commit, it undoes its part.
    let part = tx.savepoint()?;
    let value = write(&part)?;
    part.commit()?;
    Ok(value)
}

struct Loop {
    db: Connection,
    jobs: mpsc::Receiver<Job>,
    mark: MarkFile,
    changes: Arc<Changes>,
}

impl Loop {
    fn run(mut self) {
        while let Some(first) = self.jobs.blocking_recv() {
            let mut jobs = vec![first];
            let mut vouchers = 0usize;
            while vouchers < GROUP_VOUCHERS {
                match self.jobs.try_recv() {
                    Ok(job) => {
                        if let Job::Accept((batch, ..)) = &job {
                            vouchers = vouchers.saturating_add(batch.len());
                        }
                        jobs.push(job);
                    }
                    Err(_) => break,
                }
            }
            self.commit(jobs);
        }
    }

    /// Does the jobs in one transaction, then answers them all. If the transaction fails, none of them is stored and every caller is told.
    fn commit(&mut self, jobs: Vec<Job>) {
        let mut accepts = Vec::new();
        let mut finishes: Vec<Finish> = Vec::new();
        let result = (|| {
            let mut tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut group = Group::default();
            let mut failed = None;
            for job in jobs {
                match job {
                    Job::Write(write) => finishes.push(write(&mut tx)),
                    Job::Accept((batch, now_ms, reply)) => {
                        // After the first failure the rest need not be tried: the transaction is lost.
                        let outcome = if failed.is_none() { group.accept(&tx, &batch, now_ms) } else { Ok(Vec::new()) };
                        match outcome {
                            Ok(answers) => accepts.push((reply, answers)),
                            Err(e) => {
                                failed = Some(e);
                                accepts.push((reply, Vec::new()));
                            }
                        }
                    }
                }
            }
            let last_ms = match failed {
                Some(e) => return Err(e),
                None => accept::write_totals(&tx, &group)?,
            };
            tx.commit()?;
            self.changes.mark(group.into_numbers());
            Ok(last_ms)
        })();
        if let Ok(Some(at_ms)) = result {
            self.mark.accepted(at_ms);
        }
        let result = result.map(drop);
        if let Err(e) = &result {
            tracing::error!(error = %e, accepts = accepts.len(), writes = finishes.len(), "commit failed, nothing of it is stored");
        }
        let again = |e: &StoreError| StoreError::Database(e.to_string());
        for (reply, answers) in accepts {
            let _ = reply.send(result.as_ref().map(|()| answers).map_err(again));
        }
        for finish in finishes {
            finish(result.as_ref().copied().map_err(again));
        }
    }
}
