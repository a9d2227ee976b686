//! One key with many transactions in flight: nonces are given out here, not asked for each time.

use crate::{Call, Error, Node, Refusal, Signer, TxReport};
use rivulet_core::ids::Address;
use rivulet_rules::chain::{BlockRef, SignedTx};
use std::sync::Arc;
use tokio::sync::{Mutex, oneshot};

/// A transaction in the pool or already in a block.
#[must_use = "a transaction may fail: ask for its report"]
pub struct InFlight {
    /// What was sent.
    pub tx: SignedTx,
    report: oneshot::Receiver<Result<TxReport, Error>>,
    next_nonce: Arc<Mutex<Option<u64>>>,
}

impl InFlight {
    /// Its report, once its block is final, whether it succeeded or not.
    ///
    /// # Errors
    ///
    /// [`Error::Expired`] when it can no longer be included; others when the node is gone.
    pub async fn report(self) -> Result<TxReport, Error> {
        let report = self.report.await.unwrap_or_else(|_| Err(Error::Unavailable("nobody follows finality any more".into())));
        if matches!(report, Err(Error::Expired { .. })) {
            // Its nonce is still to be used, and whatever has a later one waits for it for ever: the node is asked again.
            *self.next_nonce.lock().await = None;
        }
        report
    }

    /// Its report, once it has succeeded in a final block.
    ///
    /// # Errors
    ///
    /// [`Error::Failed`] when it failed; as [`InFlight::report`].
    pub async fn success(self) -> Result<TxReport, Error> {
        self.report().await?.success()
    }
}

/// A key and its next nonce. Cheap to clone; all clones share the nonce. No other program may use the key at the same time.
#[derive(Clone, Debug)]
pub struct Lane {
    node: Node,
    signer: Signer,
    next_nonce: Arc<Mutex<Option<u64>>>,
}

impl Lane {
    /// A lane for this key.
    pub fn new(node: Node, signer: Signer) -> Self {
        Self { node, signer, next_nonce: Arc::default() }
    }

    /// The chain.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// The key.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// Forgets the next nonce: the node is asked before the next transaction. Needed after a transaction that moves the nonce by more than one, as the
    /// creation of a contract does, once that transaction is in a block.
    pub async fn forget_nonce(&self) {
        *self.next_nonce.lock().await = None;
    }

    /// Sends a call and returns when the pool has it, so that the next can follow at once.
    ///
    /// # Errors
    ///
    /// When the pool refuses it, even with a fresh nonce, or the node is gone.
    pub async fn send(&self, call: &Call) -> Result<InFlight, Error> {
        let mut next = self.next_nonce.lock().await;
        loop {
            let (nonce, guessed) = match *next {
                Some(nonce) => (nonce, true),
                None => (self.node.account_next_nonce(&self.signer.account()).await?, false),
            };
            let birth = self.node.finalized().await?;
            let tx = self.node.sign(call, &self.signer, nonce, birth).await?;
            let report = self.node.track(&tx);
            match self.node.submit(&tx).await {
                Ok(_) => {
                    *next = Some(nonce + 1);
                    return Ok(InFlight { tx, report, next_nonce: Arc::clone(&self.next_nonce) });
                }
                // Another program used the key, or the chain was wiped: ask the node once.
                Err(Error::Refused(Refusal::StaleNonce | Refusal::Occupied)) if guessed => *next = None,
                Err(e) => {
                    *next = None;
                    return Err(e);
                }
            }
        }
    }

    /// Runs a contract call against the newest finalized block and makes the transaction's call from it, with fitting limits.
    ///
    /// # Errors
    ///
    /// [`Error::Reverted`] with the contract's reason: nothing was sent and nothing paid.
    pub async fn prepare(&self, contract: &Address, value_planck: u128, calldata: &[u8]) -> Result<Call, Error> {
        let block = self.node.finalized().await?;
        self.prepare_at(contract, value_planck, calldata, block).await
    }

    pub(crate) async fn prepare_at(&self, contract: &Address, value_planck: u128, calldata: &[u8], block: BlockRef) -> Result<Call, Error> {
        let dry = self.node.dry_call(&self.signer.account(), contract, value_planck, calldata, block).await?;
        self.node.revive_call(block, contract, value_planck, dry.limits(), calldata).await
    }

    /// Calls a contract and waits until the call has succeeded in a finalized block.
    ///
    /// # Errors
    ///
    /// [`Error::Reverted`] with the contract's reason, before anything is sent; [`Error::Failed`] when the state changed in between.
    pub async fn call_contract(&self, contract: &Address, value_planck: u128, calldata: &[u8]) -> Result<TxReport, Error> {
        let call = self.prepare(contract, value_planck, calldata).await?;
        self.send(&call).await?.success().await
    }
}
