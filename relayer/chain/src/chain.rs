//! A node that carries a deployment of ours.

use crate::{
    Deployment, Error, FinalizedFeed, Node, NodeOptions, RawEvent, Refusal, Signer, Submitted, TxReport, abi::both::Both, decode_event, tx::Emitted,
};
use alloy_sol_types::SolCall;
use rivulet_core::{
    ids::{self, Address},
    outcome::RowOutcome,
};
use rivulet_rules::chain::{
    Account, BlockHead, BlockRef, ClaimLimits, ContractEvent, ContractKind, DryRun, EventRecord, FeeModel, IncludedTx, SignedTx, TxHash,
    WEI_PER_PLANCK, Weight,
};
use std::sync::Arc;
use subxt::events::Phase;

/// Both contracts, in the order in which they are asked.
pub(crate) const KINDS: [ContractKind; 2] = [ContractKind::Channels, ContractKind::Streams];

pub(crate) fn name_of(kind: ContractKind) -> &'static str {
    match kind {
        ContractKind::Channels => "channels",
        ContractKind::Streams => "streams",
    }
}

/// The chain with our contracts on it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Chain {
    node: Node,
    deployment: Arc<Deployment>,
}

impl Chain {
    /// Connects, and makes sure that this is the deployment's chain and that the contracts are those of the deployment.
    ///
    /// # Errors
    ///
    /// [`Error::WrongGenesis`], [`Error::WrongChain`] or [`Error::WrongCode`] when something is another than expected; nothing is used then.
    pub async fn connect(urls: &[String], deployment: &Deployment, options: NodeOptions) -> Result<Self, Error> {
        let node = Node::connect(urls, Some(deployment.genesis_hash.0), options).await?;
        Self::on(node, deployment).await
    }

    /// A deployment on a node that is connected already. Makes sure of the same as [`Chain::connect`].
    ///
    /// # Errors
    ///
    /// As [`Chain::connect`].
    pub async fn on(node: Node, deployment: &Deployment) -> Result<Self, Error> {
        let same = |what, expected: String, found: String| match expected == found {
            true => Ok(()),
            false => Err(Error::WrongChain { what, expected, found }),
        };
        same("genesis hash", deployment.genesis_hash.to_string(), format!("0x{}", hex::encode(node.genesis_hash())))?;
        let head = node.finalized().await?;
        let at = node.at(head).await?;
        same("chain id", deployment.chain_id.to_string(), node.constant::<u64>(&at, "Revive", "ChainId")?.to_string())?;
        let ratio = node.constant::<u32>(&at, "Revive", "NativeToEthRatio")?;
        same("number of wei in a planck", WEI_PER_PLANCK.to_string(), ratio.to_string())?;
        for kind in KINDS {
            let entry = deployment.contract(kind);
            let found = node.code_hash(&entry.address.0, head).await?;
            if found != Some(entry.code_hash.0) {
                return Err(Error::WrongCode {
                    contract: name_of(kind),
                    address: entry.address.0,
                    expected: entry.code_hash.to_string(),
                    found: found.map_or("no code".into(), |hash| format!("0x{}", hex::encode(hash))),
                });
            }
        }
        Ok(Self { node, deployment: Arc::new(deployment.clone()) })
    }

    /// The node behind it, for what is not about our contracts.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// What it was connected for.
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// A contract's address.
    pub fn contract(&self, kind: ContractKind) -> Address {
        self.deployment.contract(kind).address.0
    }

    /// What ids and signatures of a contract are bound to.
    pub fn binding(&self, kind: ContractKind) -> ids::Deployment {
        self.deployment.binding(kind)
    }

    /// The newest finalized block and its time.
    ///
    /// # Errors
    ///
    /// When the node does not answer.
    pub async fn finalized_head(&self) -> Result<BlockHead, Error> {
        self.node.finalized_head().await
    }

    /// Every finalized block from this number on, in order, without gaps.
    pub fn finalized_blocks(&self, from: u64) -> FinalizedFeed {
        self.node.finalized_blocks(from)
    }

    /// Every finalized block after this one; the first must be its child, so that a wiped or different chain is noticed.
    pub fn finalized_after(&self, block: BlockRef) -> FinalizedFeed {
        self.node.finalized_after(block)
    }

    /// What our contracts did in a block, in order. Events of failed transactions are not recorded by the chain.
    ///
    /// # Errors
    ///
    /// When the node does not answer or no longer has the block's state; [`Error::Decode`] when an event of ours cannot be read.
    pub async fn events(&self, block: BlockRef) -> Result<Vec<EventRecord>, Error> {
        let events = self.node.at(block).await?.events().fetch().await?;
        let mut records = Vec::new();
        for event in events.iter() {
            let event = event?;
            if (event.pallet_name(), event.event_name()) != ("Revive", "ContractEmitted") {
                continue;
            }
            let raw: RawEvent = event.decode_fields_unchecked_as::<Emitted>()?.into();
            let extrinsic_index = match event.phase() {
                Phase::ApplyExtrinsic(index) => Some(index),
                Phase::Finalization | Phase::Initialization => None,
            };
            if let Some((contract, event)) = self.read(&raw)? {
                records.push(EventRecord { contract, extrinsic_index, event });
            }
        }
        Ok(records)
    }

    /// An event, if it is of one of our contracts.
    fn read(&self, raw: &RawEvent) -> Result<Option<(ContractKind, ContractEvent)>, Error> {
        let Some(kind) = KINDS.into_iter().find(|kind| self.contract(*kind) == raw.contract) else { return Ok(None) };
        Ok(decode_event(kind, &self.binding(kind), raw)?.map(|event| (kind, event)))
    }

    /// What our contracts did in a transaction.
    ///
    /// # Errors
    ///
    /// [`Error::Decode`] when an event of ours cannot be read.
    pub fn events_of(&self, report: &TxReport) -> Result<Vec<ContractEvent>, Error> {
        report.events.iter().filter_map(|raw| self.read(raw).map(|found| found.map(|(_, event)| event)).transpose()).collect()
    }

    pub(crate) async fn ask<C: SolCall>(&self, kind: ContractKind, call: &C, block: BlockRef) -> Result<C::Return, Error> {
        self.node.view(&self.contract(kind), call, block).await
    }

    /// What a claim batch would do at a block, and what it would cost.
    ///
    /// # Errors
    ///
    /// When the node does not answer; [`Refusal::Payment`] when `origin` cannot pay what the batch would lock. A blob that the contract or the chain
    /// refuses is an answer: see [`DryRun::outcomes`].
    pub async fn dry_run_claim(&self, kind: ContractKind, blob: &[u8], origin: &Account, block: BlockRef) -> Result<DryRun, Error> {
        let calldata = claim_calldata(blob);
        let contract = self.contract(kind);
        let dry = match self.node.dry_call(origin, &contract, 0, &calldata, block).await {
            Ok(dry) => dry,
            // The rows may be good: it is the key that cannot pay the storage deposit, and another could.
            Err(Error::Failed(why)) if why.contains("StorageDepositNotEnoughFunds") => return Err(Error::Refused(Refusal::Payment)),
            Err(e @ (Error::Reverted(_) | Error::Failed(_))) => {
                return Ok(DryRun { weight: Weight::default(), storage_deposit_planck: 0, fee_planck: 0, outcomes: Err(e.to_string()) });
            }
            Err(e) => return Err(e),
        };
        let limits = ClaimLimits { weight: dry.weight_required, storage_deposit_planck: dry.max_storage_deposit_planck };
        let call = self.node.revive_call(block, &contract, 0, limits, &calldata).await?;
        let fee_planck = self.node.fee_planck(&call, origin, block).await?;
        let outcomes = Both::claimBatchCall::abi_decode_returns(&dry.returned).map_err(|e| Error::decode("claimBatch", e))?;
        let known = |code: &u8| RowOutcome::from_code(*code).ok_or_else(|| Error::decode("claimBatch", format!("unknown outcome {code}")));
        Ok(DryRun {
            weight: dry.weight_required,
            storage_deposit_planck: dry.max_storage_deposit_planck,
            fee_planck,
            outcomes: Ok(outcomes.iter().map(known).collect::<Result<_, _>>()?),
        })
    }

    /// Signs a claim batch. Nothing is sent: store the result first, then [`Chain::submit`] it.
    ///
    /// # Errors
    ///
    /// When the block cannot be had.
    pub async fn prepare_claim(
        &self,
        kind: ContractKind,
        blob: &[u8],
        limits: ClaimLimits,
        signer: &Signer,
        nonce: u64,
        birth: BlockRef,
    ) -> Result<SignedTx, Error> {
        let call = self.node.revive_call(birth, &self.contract(kind), 0, limits, &claim_calldata(blob)).await?;
        self.node.sign(&call, signer, nonce, birth).await
    }

    /// Gives a transaction to the pool. Sending the same bytes again is harmless.
    ///
    /// # Errors
    ///
    /// As [`Node::submit`].
    pub async fn submit(&self, tx: &SignedTx) -> Result<Submitted, Error> {
        self.node.submit(tx).await
    }

    /// Looks for a transaction in finalized blocks `from..=to`.
    ///
    /// # Errors
    ///
    /// As [`Node::find_report`].
    pub async fn find_tx(&self, hash: TxHash, from: u64, to: u64) -> Result<Option<IncludedTx>, Error> {
        let Some(report) = self.node.find_report(hash, from, to).await? else { return Ok(None) };
        let events = self.events_of(&report)?;
        let TxReport { block, extrinsic_index, result, fee_planck, .. } = report;
        Ok(Some(IncludedTx { block, extrinsic_index, result, fee_planck, events }))
    }

    /// The nonce after all transactions of this account that the node knows, those in its pool included.
    ///
    /// # Errors
    ///
    /// When the node does not answer.
    pub async fn account_next_nonce(&self, account: &Account) -> Result<u64, Error> {
        self.node.account_next_nonce(account).await
    }

    /// What fees are made of at a block.
    ///
    /// # Errors
    ///
    /// As [`Node::fee_model`].
    pub async fn fee_model(&self, block: BlockRef) -> Result<FeeModel, Error> {
        self.node.fee_model(block).await
    }
}

/// The calldata of `claimBatch` for a blob.
pub fn claim_calldata(blob: &[u8]) -> Vec<u8> {
    Both::claimBatchCall { blob: blob.to_vec().into() }.abi_encode()
}
