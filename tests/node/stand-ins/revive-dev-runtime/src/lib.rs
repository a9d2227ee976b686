//! The dev runtime as eth-rpc's build script knows it: a thing that has metadata.
//!
//! `pallet-revive-eth-rpc` writes its calls against the metadata of a runtime that it compiles first, with XCM, parachains and
//! a wasm blob behind it. Here it gets the metadata of the runtime that it will talk to, committed beside that runtime's blob.

/// Rivulet's dev runtime, to who asks for its metadata only.
#[derive(Debug)]
pub struct Runtime;

impl Runtime {
    /// Metadata as SCALE, if `version` is the one that is kept.
    pub fn metadata_at_version(version: u32) -> Option<Vec<u8>> {
        const KEPT: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../deployments/dev/runtime.metadata.scale"));
        (version == 16).then(|| KEPT.to_vec())
    }
}
