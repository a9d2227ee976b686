//! What a relayer shows after a crash has reached the disk: else it would answer the same voucher again with "stored", and a power cut later it were gone.

use rivulet_core::ids::Address;
use rivulet_e2e::harness::Power;
use rivulet_store::{DeploymentId, Location};
use rusqlite::Connection;
use std::{path::Path, process::Command};

const STEP: &str = "RIVULET_TEST_STEP";

fn deployment() -> DeploymentId {
    DeploymentId { chain_id: 1, genesis_hash: [1; 32], channels: Address([2; 20]), streams: Address([3; 20]) }
}

fn is_there(path: &Path) -> bool {
    Connection::open(path).unwrap().query_row("SELECT x FROM proof", [], |row| row.get::<_, i64>(0)).is_ok()
}

/// One process of the relayer's, which dies in the middle of things.
async fn step(step: &str, path: &Path) {
    let store = rivulet_store::open(&Location::Sqlite(path.to_owned()), &deployment()).await.unwrap();
    if step == "write" {
        // Between a commit's write and its sync: SQLite's own way to get there.
        let db = Connection::open(path).unwrap();
        db.execute_batch("PRAGMA synchronous = OFF; CREATE TABLE proof (x INTEGER); INSERT INTO proof VALUES (7)").unwrap();
    }
    assert!(is_there(path));
    drop(store.counts().await.unwrap());
    std::process::abort();
}

#[tokio::test]
async fn what_is_shown_after_a_crash_survives_a_power_cut() {
    if let Ok(name) = std::env::var(STEP) {
        return step(&name, Path::new(&std::env::var("RIVULET_TEST_DB").unwrap())).await;
    }
    for (steps, is_kept) in [(&["write"][..], false), (&["write", "open"], true)] {
        let folder = tempfile::tempdir().unwrap();
        let power = Power::new(&folder.path().join("disk")).unwrap();
        let path = power.disk().join("relayer.db");
        for step in steps {
            let mut child = Command::new(std::env::current_exe().unwrap());
            child.envs(power.environment(0)).env(STEP, step).env("RIVULET_TEST_DB", &path);
            let output = child.arg("--exact").arg("what_is_shown_after_a_crash_survives_a_power_cut").output().unwrap();
            assert!(!output.status.success() && output.status.code().is_none(), "it was to die of a signal: {output:?}");
        }
        power.cut().unwrap();
        assert_eq!(is_there(&path), is_kept, "after {steps:?}");
    }
}
