//! Backups: one file that either database can be put back from.
//!
//! The file is an SQLite database with the relayer's own schema, so anything that reads SQLite reads a backup, and a backup of SQLite is SQLite's own
//! consistent copy. From Postgres it is filled in one read-only snapshot. `marks.taken_ms` in it says when it was taken.

mod file;
mod postgres;
pub mod tables;

use crate::{Counts, DeploymentId, Location, StoreError};
use std::path::Path;

/// What is in a backup.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Contents {
    /// When it was taken (Unix milliseconds).
    pub taken_ms: u64,
    /// When the last voucher in it was accepted (Unix milliseconds); 0: there is none.
    pub last_accepted_ms: u64,
    /// Up to which finalized block the chain had been followed.
    pub block_number: Option<u64>,
    /// How much there is.
    pub counts: Counts,
}

/// Takes a backup while relayers work on the database. The file is there whole, on the disk, or not at all.
///
/// # Errors
/// [`StoreError::Exists`] when there is such a file; [`StoreError::OtherDeployment`]; when the database or the file cannot be used.
pub async fn backup(from: &Location, deployment: &DeploymentId, to: &Path, now_ms: u64) -> Result<Contents, StoreError> {
    file::refuse_existing(to)?;
    let unfinished = file::Unfinished::beside(to)?;
    match from {
        Location::Sqlite(path) => {
            let (path, part, expected) = (path.clone(), unfinished.path().to_owned(), *deployment);
            blocking(move || file::copy(&path, &part, &expected)).await?;
        }
        Location::Postgres(config) => postgres::dump(config, deployment, unfinished.path()).await?,
    }
    let to = to.to_owned();
    blocking(move || {
        let contents = file::seal(unfinished.path(), now_ms)?;
        unfinished.rename(&to)?;
        Ok(contents)
    })
    .await
}

/// Puts a backup back into a database that has nothing yet; the file stays as it is. All of it, or nothing.
///
/// # Errors
/// [`StoreError::Exists`] or [`StoreError::NotEmpty`] when something is there; [`StoreError::InUse`]; [`StoreError::OtherDeployment`];
/// [`StoreError::NoBackup`] when the file is not a sound backup; when the database cannot be used.
pub async fn restore(from: &Path, to: &Location, deployment: &DeploymentId) -> Result<Contents, StoreError> {
    match to {
        Location::Sqlite(path) => {
            let (from, path, expected) = (from.to_owned(), path.clone(), *deployment);
            blocking(move || {
                let _lock = crate::sqlite::lock(&path)?;
                file::refuse_existing(&path)?;
                let unfinished = file::Unfinished::beside(&path)?;
                let contents = file::open_backup(&from, unfinished.path(), &expected)?;
                unfinished.rename(&path)?;
                Ok(contents)
            })
            .await
        }
        Location::Postgres(config) => {
            // A copy, since a backup by an older version must be migrated first.
            let dir = std::env::temp_dir().join("rivulet-restore");
            let unfinished = file::Unfinished::beside(&dir)?;
            let (from, part, expected) = (from.to_owned(), unfinished.path().to_owned(), *deployment);
            let contents = blocking(move || file::open_backup(&from, &part, &expected)).await?;
            postgres::load(config, deployment, unfinished.path()).await?;
            Ok(contents)
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, StoreError> + Send + 'static) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|e| StoreError::Database(e.to_string()))?
}
