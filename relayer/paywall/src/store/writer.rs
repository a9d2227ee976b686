//! The thread that writes, and its queue.

use super::StoreError;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

/// How many changes may wait. Beyond it callers are told to come back.
const QUEUE: usize = 4_096;
/// How many share a commit at most.
const GROUP: usize = 1_024;

/// Told how the commit went.
type Finish = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// Writes within the shared transaction.
type Write = Box<dyn FnOnce(&mut Transaction<'_>) -> Finish + Send>;

/// The writing thread's queue. The thread ends when this is dropped and the queue is empty.
#[derive(Debug)]
pub struct Writer {
    queue: Option<mpsc::Sender<Write>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

fn gone() -> StoreError {
    StoreError::Database("the writer has stopped".to_owned())
}

impl Writer {
    /// Starts the thread.
    pub fn start(mut db: Connection) -> Result<Self, StoreError> {
        let (queue, mut jobs) = mpsc::channel(QUEUE);
        let run = move || {
            while let Some(first) = jobs.blocking_recv() {
                let mut group = vec![first];
                while group.len() < GROUP {
                    match jobs.try_recv() {
                        Ok(job) => group.push(job),
                        Err(_) => break,
                    }
                }
                commit(&mut db, group);
            }
        };
        let thread = std::thread::Builder::new().name("paywall-writer".to_owned()).spawn(run).map_err(|e| StoreError::Database(e.to_string()))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Runs `write` in the next commit. What it did is undone when it fails, and only that. Answered when it is on the disk.
    pub async fn run<T: Send + 'static>(&self, write: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job: Write = Box::new(move |tx| {
            let result = in_savepoint(tx, write);
            Box::new(move |commit| {
                // The caller may be gone; then nobody needs the answer.
                let _ = reply.send(match (result, commit) {
                    (Ok(_), Err(e)) => Err(e),
                    (result, _) => result,
                });
            })
        });
        self.queue.as_ref().ok_or_else(gone)?.try_send(job).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => gone(),
        })?;
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

/// Does the jobs in one transaction, then answers them all. If it fails, nothing of it is stored and every caller is told.
fn commit(db: &mut Connection, jobs: Vec<Write>) {
    let mut finishes: Vec<Finish> = Vec::with_capacity(jobs.len());
    let result = (|| {
        let mut tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        finishes.extend(jobs.into_iter().map(|job| job(&mut tx)));
        tx.commit().map_err(StoreError::from)
    })();
    if let Err(e) = &result {
        tracing::error!(error = %e, changes = finishes.len(), "commit failed, nothing of it is stored");
    }
    for finish in finishes {
        finish(result.clone());
    }
}
