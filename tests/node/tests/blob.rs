//! The committed wasm and metadata are what the sources of the runtime give.

use polkadot_sdk::sp_io::TestExternalities;
use rivulet_runtime::Runtime;
use std::{path::Path, process::Command};

#[test]
fn the_runtimes_blob_is_not_stale() {
    let root = Path::new(&std::env::var("CARGO_MANIFEST_DIR").expect("cargo says it")).join("../..");
    let hash =
        Command::new(root.join("scripts/source-hash")).args(["tests/runtime/src", "tests/runtime/Cargo.toml"]).output().expect("the script runs");
    let recorded = std::fs::read(root.join("deployments/dev/runtime.source-hash")).expect("the hash is committed");
    assert_eq!(
        String::from_utf8_lossy(&recorded),
        String::from_utf8_lossy(&hash.stdout),
        "tests/runtime changed: run scripts/build-runtime and commit deployments/dev"
    );
}

/// With `RIVULET_WRITE=1` it is written.
#[test]
fn the_runtimes_metadata_is_not_stale() {
    let path = Path::new(&std::env::var("CARGO_MANIFEST_DIR").expect("cargo says it")).join("../../deployments/dev/runtime.metadata.scale");
    // 16: the version that eth-rpc reads.
    let metadata = TestExternalities::default().execute_with(|| Runtime::metadata_at_version(16)).expect("the runtime has it");
    if std::env::var_os("RIVULET_WRITE").is_some() {
        std::fs::write(&path, &*metadata).expect("the file can be written");
    }
    let recorded = std::fs::read(&path).expect("the metadata is committed");
    assert!(
        recorded == *metadata,
        "tests/runtime changed: run RIVULET_WRITE=1 cargo test -p rivulet-node -p rivulet-runtime -p rivulet-sandbox --test blob"
    );
}
