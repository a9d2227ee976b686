//! given a database with something in every table
//! ├── its backup, put back into either kind of database, is the same to the last column
//! ├── it is taken while vouchers are being accepted, and is of one moment
//! ├── a database that was put back says so at its first start, once
//! └── what is there is never overwritten; what is no sound backup is refused, and nothing is left of the try

mod support;

use rivulet_core::outcome::RowOutcome;
use rivulet_rules::{
    chain::{Account, BlockHead, BlockRef},
    testing::{payee, verified},
};
use rivulet_store::{
    BookClaim, ChainUpdate, ChannelUpdate, Location, StoreError, StreamUpdate,
    backup::{
        backup, restore,
        tables::{Kind, TABLES},
    },
    testing::server,
};
use rusqlite::Connection;
use std::{path::Path, sync::Arc};
use support::{Fresh, NOW_MS, NUMBER, deployment, finalized, intent};

/// Where a test's database is: of either kind.
mod place {
    use rivulet_store::{DeploymentId, Location, Store, StoreError};
    use std::sync::Arc;

    pub struct Place(pub Location, #[allow(dead_code)] pub Option<tempfile::TempDir>);

    impl Place {
        pub async fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            Self(Location::Sqlite(dir.path().join("relayer.db")), Some(dir))
        }
        pub fn location(&self) -> Location {
            self.0.clone()
        }
        pub async fn open(&self, deployment: &DeploymentId) -> Result<Arc<dyn Store>, StoreError> {
            rivulet_store::open(&self.0, deployment).await
        }
    }
}

const TAKEN_MS: u64 = 1_800_000_000_000;

async fn on_postgres() -> place::Place {
    place::Place(server().fresh().await, None)
}

/// Something in every table, and NULL and not NULL in every column that may be either.
async fn fill(place: place::Place) -> Fresh {
    let (fresh, key, state) = Fresh::with_channel_in(place).await;
    fresh.accept(&state, &key, 30).await.unwrap();
    let other = rivulet_rules::testing::channel(rivulet_core::ids::Number { book: u32::MAX, serial: u32::MAX }, &key, u128::MAX);
    fresh.read_at(3, other).await;
    fresh.store.accept(vec![verified(&other, &key, u128::MAX - 7)], NOW_MS + 9).await.unwrap().remove(0).unwrap();
    fresh.see(4, ChannelUpdate::Closed { number: other.terms.number, claimed: Some(5) }).await;
    fresh.see(4, ChannelUpdate::RefundRequested { number: NUMBER, amount: 5, due_at: Some(77) }).await;
    let first = fresh.store.open_intent(intent(&fresh, 1, 10)).await.unwrap();
    fresh.store.finish_intent(first, finalized(RowOutcome::Applied, 10)).await.unwrap();
    fresh.store.open_intent(intent(&fresh, 2, 30)).await.unwrap();
    let terms = rivulet_core::fee::RelayTerms { beneficiary: payee(9), fee_bps: 7, flat_fee: u128::MAX, min_gain: 1, until: u64::MAX };
    let book = rivulet_rules::chain::BookState { book: 1, payee: payee(1), token: payee(3), next_serial: 8, terms };
    let stream = StreamUpdate::Live { number: NUMBER, stream_id: rivulet_core::ids::StreamId([5; 32]) };
    let cursor = Some(BlockHead { block: BlockRef { number: 12, hash: [6; 32] }, now: 99 });
    let books = vec![(12, rivulet_rules::chain::ContractKind::Channels, book)];
    let contract = rivulet_rules::chain::ContractKind::Channels;
    let claim = BookClaim { contract, book: 1, block_number: 12, at: 86_400, gain: u128::MAX, fee: 3, rows: 2 };
    fresh.store.apply(ChainUpdate { cursor, books, streams: vec![stream], claims: vec![claim], ..ChainUpdate::default() }).await.unwrap();
    fresh
}

/// Everything in a backup, apart from how often relayers had started.
fn rows(file: &Path) -> Vec<(String, Vec<Vec<rusqlite::types::Value>>)> {
    let db = Connection::open(file).unwrap();
    let all = TABLES.iter().map(|table| {
        let names = table.names().replace("generation, ", "");
        let mut query = db.prepare(&format!("SELECT {names} FROM {} ORDER BY {names}", table.name)).unwrap();
        let columns = query.column_count();
        let rows = query.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap();
        (table.name.to_owned(), rows.map(Result::unwrap).collect())
    });
    all.collect()
}

#[tokio::test]
async fn a_backup_of_either_put_back_into_either_is_the_same_to_the_last_column() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    for (name, from) in [("sqlite", place::Place::new().await), ("postgres", on_postgres().await)] {
        let fresh = fill(from).await;
        let taken = file(name);
        let contents = backup(&fresh.place.location(), &deployment(), &taken, TAKEN_MS).await.unwrap();
        assert_eq!((contents.taken_ms, contents.last_accepted_ms, contents.block_number), (TAKEN_MS, NOW_MS + 9, Some(12)));
        assert_eq!((contents.counts.vouchers, contents.counts.open_intents), (2, 1));
        let before = rows(&taken);
        assert!(before.iter().all(|(table, rows)| !rows.is_empty() || panic!("nothing in {table}")));
        for (kind, to) in [("sqlite", place::Place::new().await), ("postgres", on_postgres().await)] {
            assert_eq!(restore(&taken, &to.location(), &deployment()).await.unwrap(), contents);
            let again = file(&format!("{name}-{kind}"));
            backup(&to.location(), &deployment(), &again, TAKEN_MS).await.unwrap();
            assert_eq!(rows(&again), before, "{name} to {kind}");
            // It works, and says what it is, once.
            let store = to.open(&deployment()).await.unwrap();
            let doubts = store.take_doubts(Account([4; 32])).await.unwrap();
            assert_eq!((doubts.taken_ms, doubts.last_accepted_ms), (Some(TAKEN_MS), NOW_MS + 9));
            assert_eq!(store.take_doubts(Account([4; 32])).await.unwrap().taken_ms, None);
            assert_eq!(store.open_intents().await.unwrap(), fresh.store.open_intents().await.unwrap());
            let fence = store.lease(std::time::Duration::from_secs(9)).await.unwrap().unwrap();
            let next = rivulet_store::NewIntent { fence, rows: Vec::new(), ..intent(&fresh, 3, 30) };
            assert_eq!(store.open_intent(next).await.unwrap().0, 3);
        }
    }
}

#[tokio::test]
async fn every_column_of_both_schemas_is_in_a_backup() {
    let fresh = Fresh::new().await;
    let Location::Sqlite(path) = fresh.place.location() else { panic!() };
    let db = Connection::open(path).unwrap();
    let mut query =
        db.prepare("SELECT m.name || '.' || i.name FROM sqlite_schema m, pragma_table_info(m.name) i WHERE m.type = 'table' ORDER BY 1").unwrap();
    let sqlite: Vec<String> = query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let Location::Postgres(config) = server().fresh().await else { panic!() };
    let store = rivulet_store::PostgresStore::open(&config, &deployment()).await.unwrap();
    let sql = "SELECT table_name || '.' || column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'";
    let mut postgres: Vec<(String, String)> =
        store.db().client().await.unwrap().query(sql, &[]).await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect();
    postgres.retain(|(name, _)| !name.starts_with("leases.") && !name.starts_with("migrations."));
    postgres.sort();
    let kind = |kind| match kind {
        Kind::Int => "bigint",
        Kind::Bool => "boolean",
        Kind::Amount => "numeric",
        Kind::Bytes => "bytea",
        Kind::Text => "text",
    };
    let mut ours: Vec<_> = TABLES.iter().flat_map(|t| t.columns.iter().map(|(c, k)| (format!("{}.{c}", t.name), kind(*k).to_owned()))).collect();
    ours.sort();
    assert_eq!(postgres, ours);
    let ours: Vec<_> = ours.into_iter().map(|(name, _)| name).collect();
    assert_eq!(sqlite.into_iter().filter(|name| !name.starts_with("migrations.")).collect::<Vec<_>>(), ours);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_taken_while_vouchers_are_accepted_is_of_one_moment() {
    for place in [place::Place::new().await, on_postgres().await] {
        let (fresh, key, state) = Fresh::with_channel_in(place).await;
        let writer = tokio::spawn({
            let store = Arc::clone(&fresh.store);
            async move {
                for total in 1.. {
                    store.accept(vec![verified(&state, &key, total)], NOW_MS).await.unwrap().remove(0).unwrap();
                }
            }
        });
        let dir = tempfile::tempdir().unwrap();
        for n in 0..5 {
            let file = dir.path().join(n.to_string());
            backup(&fresh.place.location(), &deployment(), &file, TAKEN_MS).await.unwrap();
            let db = Connection::open(&file).unwrap();
            // What a commit writes together is together.
            let amount = |sql: &str| u128::from_be_bytes(db.query_row(sql, [], |row| row.get(0)).unwrap_or_default());
            assert_eq!(amount("SELECT cumulative_amount FROM vouchers"), amount("SELECT accepted FROM totals"));
        }
        writer.abort();
    }
}

#[tokio::test]
async fn what_is_there_is_never_overwritten() {
    let fresh = fill(place::Place::new().await).await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("backup");
    std::fs::write(&file, "mine").unwrap();
    assert!(matches!(backup(&fresh.place.location(), &deployment(), &file, TAKEN_MS).await, Err(StoreError::Exists { .. })));
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    std::fs::remove_file(&file).unwrap();
    backup(&fresh.place.location(), &deployment(), &file, TAKEN_MS).await.unwrap();
    // A relayer is at work on it; then none is, but it is there.
    assert!(matches!(restore(&file, &fresh.place.location(), &deployment()).await, Err(StoreError::InUse { .. })));
    let Fresh { place, store, .. } = fresh;
    drop(store);
    assert!(matches!(restore(&file, &place.location(), &deployment()).await, Err(StoreError::Exists { .. })));
    let full = fill(on_postgres().await).await;
    assert!(matches!(restore(&file, &full.place.location(), &deployment()).await, Err(StoreError::NotEmpty)));
    assert_eq!(full.store.counts().await.unwrap().vouchers, 2);
}

#[tokio::test]
async fn what_is_no_sound_backup_is_refused_and_nothing_is_left_of_the_try() {
    let fresh = fill(place::Place::new().await).await;
    let dir = tempfile::tempdir().unwrap();
    let (good, bad, to) = (dir.path().join("good"), dir.path().join("bad"), dir.path().join("new.db"));
    backup(&fresh.place.location(), &deployment(), &good, TAKEN_MS).await.unwrap();
    let target = Location::Sqlite(to.clone());
    let mut damaged = std::fs::read(&good).unwrap();
    damaged[4_096 * 3..4_096 * 4].fill(0xff);
    for content in [Vec::new(), b"not a database, but long enough to be taken for one perhaps".to_vec(), damaged] {
        std::fs::write(&bad, content).unwrap();
        let error = restore(&bad, &target, &deployment()).await.unwrap_err();
        assert!(matches!(&error, StoreError::NoBackup { path, .. } if path.ends_with("bad")), "{error}");
    }
    assert!(restore(&dir.path().join("none"), &target, &deployment()).await.unwrap_err().to_string().contains("none"));
    // A relayer's database is not put in another's place: it would claim with the same key twice.
    let Location::Sqlite(live) = fresh.place.location() else { panic!() };
    assert!(matches!(restore(&live, &target, &deployment()).await, Err(StoreError::NoBackup { .. })));
    let other = rivulet_store::DeploymentId { chain_id: 2, ..deployment() };
    assert!(matches!(restore(&good, &target, &other).await, Err(StoreError::OtherDeployment { .. })));
    assert!(matches!(backup(&fresh.place.location(), &other, &bad.with_extension("2"), TAKEN_MS).await, Err(StoreError::OtherDeployment { .. })));
    let mut left: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    left.sort();
    assert_eq!(left, ["bad", "good", "new.db-lock"]);
}
