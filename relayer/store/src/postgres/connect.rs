//! Connecting, and what must hold before anything is stored.

use super::db::{Db, Failure};
use crate::{DeploymentId, StoreError, deployment};
use deadpool_postgres::{GenericClient, Object};
use rivulet_core::ids::Address;
use std::time::Duration;
use tokio_postgres::error::SqlState;

/// Set for every connection. A commit returns when it is on the disk. No statement may hang, or hold locks, for longer than a client would wait; a
/// relayer that was cut off in the middle of a transaction holds nobody up.
const SETTINGS: &str = "-c synchronous_commit=on -c statement_timeout=60s -c lock_timeout=20s -c idle_in_transaction_session_timeout=20s";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A server that has vanished is noticed after about this.
const TCP_TIMEOUT: Duration = Duration::from_secs(15);

/// Set for who only reads: the server refuses what would change something.
const READ_ONLY: &str = "-c default_transaction_read_only=on";

/// Connects once, to see that it can.
pub async fn connect(config: &tokio_postgres::Config) -> Result<Db, StoreError> {
    connect_with(config, "").await
}

/// The same, to read only.
pub async fn connect_to_read(config: &tokio_postgres::Config) -> Result<Db, StoreError> {
    connect_with(config, READ_ONLY).await
}

async fn connect_with(config: &tokio_postgres::Config, more: &str) -> Result<Db, StoreError> {
    let mut config = config.clone();
    // What the operator set goes after ours, so it wins.
    config.options(format!("{SETTINGS} {} {more}", config.get_options().unwrap_or_default()));
    config.application_name("rivulet").tcp_user_timeout(TCP_TIMEOUT).keepalives_idle(TCP_TIMEOUT);
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    let db = Db::new(config)?;
    drop(db.client().await?);
    Ok(db)
}

/// A setting's value; `None` when this kind of server does not have it.
async fn setting(client: &Object, name: &str) -> Result<Option<String>, StoreError> {
    match client.query_one(&format!("SHOW {name}"), &[]).await {
        Ok(row) => Ok(Some(row.try_get(0).map_err(Failure::from)?)),
        Err(e) if e.code() == Some(&SqlState::UNDEFINED_OBJECT) => Ok(None),
        Err(e) => Err(Failure::from(e).into()),
    }
}

/// Refuses a server that says "committed" before its disk has it.
pub async fn assert_durable(db: &Db) -> Result<(), StoreError> {
    let client = db.client().await?;
    // remote_apply is on and more. full_page_writes: without it a power cut can tear a page that was changed.
    for (name, good) in [("synchronous_commit", &["on", "remote_apply"][..]), ("fsync", &["on"]), ("full_page_writes", &["on"])] {
        match setting(&client, name).await? {
            Some(found) if !good.contains(&found.as_str()) => return Err(StoreError::Unsafe { setting: name, found, expected: "on" }),
            _ => {}
        }
    }
    Ok(())
}

/// Compares whose database it is; says so in a new one, if `bind`.
pub async fn check_deployment(db: &Db, expected: &DeploymentId, bind: bool) -> Result<(), StoreError> {
    let client = db.client().await?;
    if bind {
        let DeploymentId { chain_id, genesis_hash, channels, streams } = expected;
        let sql = "INSERT INTO deployment (id, chain_id, genesis_hash, channels, streams) VALUES (1, $1, $2, $3, $4) ON CONFLICT DO NOTHING";
        let chain_id = super::codec::int(*chain_id);
        client.execute(sql, &[&chain_id, &&genesis_hash[..], &&channels.0[..], &&streams.0[..]]).await.map_err(Failure::from)?;
    }
    match read_deployment(&client).await? {
        Some(found) => deployment::compare(&found, expected),
        None => Err(StoreError::Database("it has no relayer's data: nothing was ever stored".to_owned())),
    }
}

/// Whose database it is.
pub async fn read_deployment(client: &impl GenericClient) -> Result<Option<DeploymentId>, Failure> {
    use super::codec::{bytes_at, uint_at};
    let row = client.query_opt("SELECT chain_id, genesis_hash, channels, streams FROM deployment", &[]).await?;
    let read = |row: tokio_postgres::Row| {
        Ok(DeploymentId {
            chain_id: uint_at(&row, 0)?,
            genesis_hash: bytes_at(&row, 1)?,
            channels: Address(bytes_at(&row, 2)?),
            streams: Address(bytes_at(&row, 3)?),
        })
    };
    row.map(read).transpose()
}
