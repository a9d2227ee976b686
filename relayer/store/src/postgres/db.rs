//! Connections, and what may go wrong with them.

use crate::StoreError;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime};
use std::{error::Error, time::Duration};
use tokio_postgres::{NoTls, error::SqlState};

/// Connections at once: the writer's, and readers'.
const CONNECTIONS: usize = 8;
/// How long to wait for one, made or given back.
const WAIT: Duration = Duration::from_secs(10);
/// How often a transaction is tried that others got in the way of.
const TRIES: u32 = 10;

/// Why a transaction did not go through.
#[derive(Debug)]
pub enum Failure {
    /// It is the answer.
    Store(StoreError),
    /// The server's word.
    Db(tokio_postgres::Error),
    /// Another process changed a row between reading and writing it: to be tried again.
    Raced,
}

impl Failure {
    /// A stored value cannot be read back.
    pub fn damaged(what: String) -> Self {
        Self::Store(StoreError::Damaged(what))
    }

    /// True when nothing was done, and the same may go through now.
    fn may_pass_now(&self) -> bool {
        match self {
            Self::Raced => true,
            Self::Db(e) => matches!(e.code(), Some(code) if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED),
            Self::Store(_) => false,
        }
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(e: tokio_postgres::Error) -> Self {
        Self::Db(e)
    }
}

impl From<StoreError> for Failure {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(e) => e,
            Failure::Db(e) => Self::Database(words(&e)),
            Failure::Raced => Self::Database("other relayers kept changing the same rows".to_owned()),
        }
    }
}

/// An error with its causes: the driver's own text only says where it happened. None of them repeats a password.
fn words(e: &dyn Error) -> String {
    let mut text = e.to_string();
    let mut cause = e.source();
    while let Some(e) = cause {
        let more = e.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = e.source();
    }
    text
}

/// Counts how often a transaction was tried.
#[derive(Debug, Default)]
pub struct Tries(u32);

impl Tries {
    /// True after a short wait, when it is worth another try.
    pub async fn again(&mut self, failure: &Failure) -> bool {
        self.0 = self.0.saturating_add(1);
        if !failure.may_pass_now() || self.0 >= TRIES {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(u64::from(self.0).saturating_mul(3))).await;
        true
    }
}

/// Runs `$work`, which may use the transaction `$tx`, and commits; again when others got in the way.
macro_rules! in_transaction {
    ($db:expr, |$tx:ident| $work:expr) => {{
        let mut tries = $crate::postgres::db::Tries::default();
        loop {
            let mut client = $db.client().await?;
            let attempt: Result<_, $crate::postgres::db::Failure> = async {
                let $tx = client.transaction().await?;
                let value = $work.await?;
                $tx.commit().await?;
                Ok(value)
            }
            .await;
            match attempt {
                Err(failure) if tries.again(&failure).await => {}
                attempt => break attempt.map_err($crate::StoreError::from),
            }
        }
    }};
}
pub(super) use in_transaction;

/// The server.
#[derive(Clone, Debug)]
pub struct Db {
    pool: Pool,
}

impl Db {
    /// Nothing is connected yet.
    pub fn new(config: tokio_postgres::Config) -> Result<Self, StoreError> {
        let manager = Manager::from_config(config, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(WAIT))
            .create_timeout(Some(WAIT))
            .recycle_timeout(Some(WAIT))
            .build()
            .map_err(|e| StoreError::Database(e.to_string()))?;
        Ok(Self { pool })
    }

    /// A connection. It is given back when it is dropped, also in the middle of a transaction, which is undone then.
    pub async fn client(&self) -> Result<Object, StoreError> {
        self.pool.get().await.map_err(|e| match e {
            PoolError::Backend(e) => StoreError::Database(words(&e)),
            PoolError::Timeout(_) => StoreError::Database(format!("no connection within {} s", WAIT.as_secs())),
            e => StoreError::Database(e.to_string()),
        })
    }
}
