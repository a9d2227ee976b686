//! The suite on SQLite, and what only a file has.

mod suite;
mod support;

use rivulet_store::{Mark, SqliteStore, Store, StoreError};
use support::{Fresh, deployment};

/// Where a test's database is.
mod place {
    use rivulet_store::{DeploymentId, Location, Store, StoreError};
    use std::{path::PathBuf, sync::Arc};

    pub struct Place(tempfile::TempDir);

    impl Place {
        pub async fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }
        pub fn path(&self) -> PathBuf {
            self.0.path().join("relayer.db")
        }
        pub fn location(&self) -> Location {
            Location::Sqlite(self.path())
        }
        pub async fn open(&self, deployment: &DeploymentId) -> Result<Arc<dyn Store>, StoreError> {
            rivulet_store::open(&self.location(), deployment).await
        }
        /// What lies in a column.
        pub async fn bytes(&self, sql: &str) -> Vec<u8> {
            rusqlite::Connection::open(self.path()).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
        }
    }
}

#[tokio::test]
async fn a_second_process_on_the_same_file_is_refused() {
    let fresh = Fresh::new().await;
    assert!(matches!(SqliteStore::open(&fresh.place.path(), &deployment()), Err(StoreError::InUse { .. })));
}

#[tokio::test]
async fn an_old_copy_of_the_file_put_back_is_noticed() {
    let (fresh, key, state) = Fresh::with_channel().await;
    let path = fresh.place.path();
    fresh.accept(&state, &key, 10).await.unwrap();
    let fresh = fresh.reopened().await;
    // As an operator does who knows no better: copied while nothing was being written.
    let Fresh { place, store, .. } = fresh;
    drop(store);
    let old = std::fs::read(&path).unwrap();
    let store = place.open(&deployment()).await.unwrap();
    let at_ms = support::NOW_MS + 5_000;
    store.accept(vec![rivulet_rules::testing::verified(&state, &key, 20 * support::UNIT)], at_ms).await.unwrap().remove(0).unwrap();
    drop(store);
    std::fs::write(&path, old).unwrap();
    let store = place.open(&deployment()).await.unwrap();
    let doubts = store.take_doubts(rivulet_rules::chain::Account([4; 32])).await.unwrap();
    assert_eq!((doubts.mark, doubts.last_accepted_ms), (Some(Mark { generation: 3, last_accepted_ms: at_ms }), support::NOW_MS));
    drop(store);
    // Known now: said once.
    let store = place.open(&deployment()).await.unwrap();
    assert_eq!(store.take_doubts(rivulet_rules::chain::Account([4; 32])).await.unwrap().mark, None);
}

#[test]
fn reading_where_nothing_is_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none.db");
    assert!(SqliteStore::open_read_only(&path, &deployment()).unwrap_err().to_string().contains("none.db"));
    assert!(!path.exists());
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let fresh = Fresh::new().await;
    let reader = SqliteStore::open_read_only(&fresh.place.path(), &deployment()).unwrap();
    assert!(reader.apply(rivulet_store::ChainUpdate::default()).await.is_err());
}
