//! Whose database it is.

use crate::{DeploymentId, StoreError};
use rivulet_rules::text::hex;

/// Compares, and names the first difference.
pub fn compare(found: &DeploymentId, expected: &DeploymentId) -> Result<(), StoreError> {
    let fields = |id: &DeploymentId| {
        [
            ("chain_id", id.chain_id.to_string()),
            ("genesis_hash", hex(&id.genesis_hash)),
            ("channels", id.channels.to_string()),
            ("streams", id.streams.to_string()),
        ]
    };
    match fields(found).into_iter().zip(fields(expected)).find(|(found, expected)| found != expected) {
        None => Ok(()),
        Some(((field, found), (_, expected))) => Err(StoreError::OtherDeployment { field, found, expected }),
    }
}
