//! The committed wasm is what the sources of the runtime give.

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
