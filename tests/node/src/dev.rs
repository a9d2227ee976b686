//! `dev_*`: what tests do to the chain.

use crate::{
    chain::Client,
    seal::{Sealed, Sealer},
};
use jsonrpsee::{
    core::{RpcResult, async_trait},
    proc_macros::rpc,
    types::ErrorObjectOwned,
};
use polkadot_sdk::sp_blockchain::HeaderBackend;
use rivulet_runtime::{BlockNumber, Hash};
use serde::Serialize;
use std::sync::Arc;

/// A block that a test asked for.
#[derive(Serialize, Clone, Debug)]
#[serde(rename_all = "camelCase")]
pub struct SealedBlock {
    hash: Hash,
    number: BlockNumber,
    /// Transactions in it, the timestamp not counted.
    transactions: usize,
}

/// Calls for tests. Nothing here exists on a real network.
#[rpc(server, namespace = "dev")]
pub trait DevApi {
    /// Moves the chain's clock forward. The next block carries it. Returns the new time, in Unix seconds.
    #[method(name = "advanceTime")]
    async fn advance_time(&self, seconds: u64) -> RpcResult<u64>;

    /// Seals a block now, also while sealing is off; finalizes it, or leaves finality where it is.
    #[method(name = "sealBlock")]
    async fn seal_block(&self, finalize: bool) -> RpcResult<SealedBlock>;

    /// Stops (`false`) or resumes (`true`) sealing by timer or transaction. Returns what it was.
    #[method(name = "setSealing")]
    async fn set_sealing(&self, on: bool) -> RpcResult<bool>;

    /// Builds empty, unfinalized blocks on a parent that is not below the finalized block; longer than the best chain,
    /// they replace it. Returns their hashes.
    #[method(name = "buildFork")]
    async fn build_fork(&self, parent_hash: Hash, blocks: u32) -> RpcResult<Vec<Hash>>;

    /// Finalizes a block and all before it.
    #[method(name = "finalize")]
    async fn finalize(&self, hash: Hash) -> RpcResult<()>;
}

/// Serves [`DevApi`].
pub struct Dev {
    /// To look blocks up.
    pub client: Arc<Client>,
    /// To make them.
    pub sealer: Arc<Sealer>,
}

#[async_trait]
impl DevApiServer for Dev {
    async fn advance_time(&self, seconds: u64) -> RpcResult<u64> {
        Ok(self.sealer.advance_time(seconds).await)
    }

    async fn seal_block(&self, finalize: bool) -> RpcResult<SealedBlock> {
        let Sealed { hash, transactions } = self.sealer.seal_once(finalize).await.map_err(failed)?;
        let number = self.client.number(hash).map_err(failed)?.unwrap_or_default();
        Ok(SealedBlock { hash, number, transactions })
    }

    async fn set_sealing(&self, on: bool) -> RpcResult<bool> {
        Ok(self.sealer.set_sealing(on))
    }

    async fn build_fork(&self, parent_hash: Hash, blocks: u32) -> RpcResult<Vec<Hash>> {
        self.sealer.build_fork(parent_hash, blocks).await.map_err(failed)
    }

    async fn finalize(&self, hash: Hash) -> RpcResult<()> {
        self.sealer.finalize(hash).await.map_err(failed)
    }
}

fn failed(error: impl ToString) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(1, error.to_string(), None::<()>)
}
