//! Signing, sending and finding transactions.

use crate::{Call, Error, Node, Refusal, Signer, account::account_id};
use rivulet_core::ids::Address;
use rivulet_rules::chain::{Account, BlockRef, SignedTx, TxHash};
use subxt::{
    config::{DefaultExtrinsicParamsBuilder, Hasher},
    error::DispatchError,
    events::Phase,
    ext::{codec::Encode, scale_decode::DecodeAsType},
    utils::{H256, MultiSignature, Static},
};

/// The pool has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Submitted {
    /// Since now.
    Accepted,
    /// It had it before.
    AlreadyKnown,
}

/// An event of any contract, as the chain records it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RawEvent {
    /// Who emitted it.
    pub contract: Address,
    /// Its topics: the signature's hash and the indexed fields.
    pub topics: Vec<[u8; 32]>,
    /// Its other fields.
    pub data: Vec<u8>,
}

/// What became of a transaction in a finalized block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TxReport {
    /// Its hash.
    pub hash: TxHash,
    /// Where it is.
    pub block: BlockRef,
    /// Its index there.
    pub extrinsic_index: u32,
    /// `Err` with the chain's reason when it failed: nothing changed but the fee.
    pub result: Result<(), String>,
    /// What its signer paid.
    pub fee_planck: Option<u128>,
    /// What contracts emitted in it, in order.
    pub events: Vec<RawEvent>,
    /// Contracts that it created.
    pub instantiated: Vec<Address>,
}

impl TxReport {
    /// Itself when it succeeded.
    ///
    /// # Errors
    ///
    /// [`Error::Failed`] with the chain's reason.
    pub fn success(self) -> Result<Self, Error> {
        match &self.result {
            Ok(()) => Ok(self),
            Err(reason) => Err(Error::Failed(reason.clone())),
        }
    }
}

impl Node {
    /// Signs a call. `newest` is a finalized block; the transaction can be included for about as many blocks after it as the node's options say.
    ///
    /// # Errors
    ///
    /// When the block cannot be had, or the runtime wants something of a transaction that this program does not know.
    pub async fn sign(&self, call: &Call, signer: &Signer, nonce: u64, newest: BlockRef) -> Result<SignedTx, Error> {
        let at = self.at(newest).await?;
        let period = self.options().mortality_blocks.clamp(4, 4096).next_power_of_two();
        let birth = self.birth(newest, period).await?;
        let params = DefaultExtrinsicParamsBuilder::new().nonce(nonce).mortal_from_unchecked(period, birth.number, H256(birth.hash)).build();
        let bytes = at.tx().create_signable_offline(call, params)?.sign(&signer.keypair)?.into_encoded();
        let hash = TxHash(at.hasher().hash(&bytes).0);
        // Up to a period of 4096, an era begins at its birth block exactly.
        Ok(SignedTx { bytes, hash, signer: signer.account(), nonce, valid_from_block: birth.number, valid_until_block: birth.number + period - 1 })
    }

    /// The block that a transaction's mortality counts from: a few before the newest, where there is time for it. A pool that lags behind finality by a
    /// moment does not know the newest block yet; it would refuse the transaction as too old and ban its hash for half an hour.
    async fn birth(&self, newest: BlockRef, period: u64) -> Result<BlockRef, Error> {
        let number = newest.number.saturating_sub((period / 8).min(LAG_BLOCKS));
        match number == newest.number {
            true => Ok(newest),
            false => self.block_at(number).await?.ok_or_else(|| Error::Pruned(format!("block {number}"))),
        }
    }

    /// What the transaction would cost if the call took all the weight it asks for, by the runtime's own reckoning, in planck.
    ///
    /// # Errors
    ///
    /// When the block cannot be had.
    pub async fn fee_planck(&self, call: &Call, signer: &Account, block: BlockRef) -> Result<u128, Error> {
        Ok(self.query_info(call, signer, block).await?.partial_fee)
    }

    pub(crate) async fn query_info(&self, call: &Call, signer: &Account, block: BlockRef) -> Result<DispatchInfo, Error> {
        let at = self.at(block).await?;
        let period = self.options().mortality_blocks;
        // Length is part of the price: a signature of nothing is as long as a good one, and the nonce's few bytes hardly matter.
        let params = DefaultExtrinsicParamsBuilder::new().nonce(1 << 14).mortal_from_unchecked(period, block.number, H256(block.hash)).build();
        let unsigned = MultiSignature::Sr25519([0; 64]);
        let tx = at.tx().create_signable_offline(call, params)?.sign_with_account_and_signature(&account_id(signer), &unsigned)?;
        // The runtime reads the transaction from its own bytes: they already begin with their length.
        let mut args = tx.encoded().to_vec();
        (tx.encoded().len() as u32).encode_to(&mut args);
        let bytes = at.runtime_apis().call_raw("TransactionPaymentApi_query_info", Some(&args)).await?;
        subxt::ext::codec::Decode::decode(&mut &bytes[..]).map_err(|e| Error::decode("the price of a transaction", e))
    }

    /// Gives a transaction to the pool. Sending the same bytes again is harmless.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with the pool's reason. [`Refusal::StaleNonce`] and [`Refusal::Banned`] can mean that this very
    /// transaction is in a block already: look for it.
    pub async fn submit(&self, tx: &SignedTx) -> Result<Submitted, Error> {
        match self.inner.methods.author_submit_extrinsic(&tx.bytes).await {
            Ok(_) => Ok(Submitted::Accepted),
            Err(subxt::rpcs::Error::User(e)) if e.code == POOL_ALREADY_IMPORTED => Ok(Submitted::AlreadyKnown),
            Err(subxt::rpcs::Error::User(e)) => match refusal(e.code, &e.message, e.data.as_deref().map(|d| d.get())) {
                // An expired transaction is checked against a later era's block, so that its signature seems bad.
                Refusal::BadProof if self.finalized().await?.number >= tx.valid_until_block => Err(Refusal::Expired.into()),
                other => Err(other.into()),
            },
            Err(e) => Err(e.into()),
        }
    }

    /// Looks for a transaction in finalized blocks `from..=to`.
    ///
    /// # Errors
    ///
    /// When the node does not answer or no longer has one of the blocks.
    pub async fn find_report(&self, hash: TxHash, from: u64, to: u64) -> Result<Option<TxReport>, Error> {
        for number in from..=to.min(self.finalized().await?.number) {
            let Some(block) = self.block_at(number).await? else { break };
            let hashes = self.tx_hashes(block).await?;
            if let Some(index) = hashes.iter().position(|h| *h == hash) {
                return self.report(block, &[(hash, index as u32)]).await.map(|mut found| found.pop());
            }
        }
        Ok(None)
    }

    /// The hashes of a block's transactions, in order.
    pub(crate) async fn tx_hashes(&self, block: BlockRef) -> Result<Vec<TxHash>, Error> {
        let body = self.inner.methods.chain_get_block(Some(H256(block.hash))).await?;
        let body = body.ok_or_else(|| Error::Pruned(format!("{} (0x{})", block.number, hex::encode(block.hash))))?;
        let hasher = match self.inner.hasher.get() {
            Some(hasher) => hasher,
            None => {
                let hasher = *self.at(block).await?.hasher();
                self.inner.hasher.get_or_init(|| hasher)
            }
        };
        Ok(body.block.extrinsics.iter().map(|tx| TxHash(hasher.hash(&tx.0).0)).collect())
    }

    /// What became of some transactions of a block.
    pub(crate) async fn report(&self, block: BlockRef, wanted: &[(TxHash, u32)]) -> Result<Vec<TxReport>, Error> {
        let at = self.at(block).await?;
        let events = at.events().fetch().await?;
        let empty = |(hash, index): &(TxHash, u32)| TxReport {
            hash: *hash,
            block,
            extrinsic_index: *index,
            result: Err("the block says nothing about it".into()),
            fee_planck: None,
            events: Vec::new(),
            instantiated: Vec::new(),
        };
        let mut reports: Vec<_> = wanted.iter().map(empty).collect();
        for event in events.iter() {
            let event = event?;
            let Phase::ApplyExtrinsic(index) = event.phase() else { continue };
            let Some(report) = reports.iter_mut().find(|r| r.extrinsic_index == index) else { continue };
            match (event.pallet_name(), event.event_name()) {
                ("System", "ExtrinsicSuccess") => report.result = Ok(()),
                ("System", "ExtrinsicFailed") => {
                    let reason = DispatchError::decode_from(event.field_bytes(), at.metadata());
                    report.result = Err(reason.map_or_else(|e| e.to_string(), |e| dispatch_text(&e)));
                }
                ("TransactionPayment", "TransactionFeePaid") => {
                    report.fee_planck = Some(event.decode_fields_unchecked_as::<FeePaid>()?.actual_fee);
                }
                ("Revive", "ContractEmitted") => report.events.push(event.decode_fields_unchecked_as::<Emitted>()?.into()),
                ("Revive", "Instantiated") => report.instantiated.push(Address(event.decode_fields_unchecked_as::<Instantiated>()?.contract)),
                _ => {}
            }
        }
        Ok(reports)
    }
}

/// `Revive::OutOfGas` rather than a sentence around it.
fn dispatch_text(error: &DispatchError) -> String {
    match error {
        DispatchError::Module(module) => module.details_string(),
        other => other.to_string(),
    }
}

/// What a transaction weighs and costs, before it runs.
#[derive(subxt::ext::codec::Decode)]
#[codec(crate = subxt::ext::codec)]
pub(crate) struct DispatchInfo {
    #[codec(compact)]
    pub(crate) ref_time: u64,
    #[codec(compact)]
    pub(crate) proof_size: u64,
    _class: u8,
    pub(crate) partial_fee: u128,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct FeePaid {
    actual_fee: u128,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Instantiated {
    contract: [u8; 20],
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub(crate) struct Emitted {
    contract: [u8; 20],
    data: Static<Vec<u8>>,
    topics: Static<Vec<[u8; 32]>>,
}

impl From<Emitted> for RawEvent {
    fn from(e: Emitted) -> Self {
        Self { contract: Address(e.contract), topics: e.topics.0, data: e.data.0 }
    }
}

/// How far a pool may be behind finality.
const LAG_BLOCKS: u64 = 4;

// Codes of sc-rpc-api, `author/error.rs`.
const POOL_INVALID_TX: i32 = 1010;
const POOL_TEMPORARILY_BANNED: i32 = 1012;
const POOL_ALREADY_IMPORTED: i32 = 1013;
const POOL_TOO_LOW_PRIORITY: i32 = 1014;
const POOL_IMMEDIATELY_DROPPED: i32 = 1016;

/// What the pool's answer means. The texts are those of sp-runtime's `InvalidTransaction`.
fn refusal(code: i32, message: &str, data: Option<&str>) -> Refusal {
    let data = data.unwrap_or_default().trim_matches('"');
    match code {
        POOL_TEMPORARILY_BANNED => Refusal::Banned,
        POOL_TOO_LOW_PRIORITY => Refusal::Occupied,
        POOL_IMMEDIATELY_DROPPED => Refusal::PoolFull,
        POOL_INVALID_TX if data.contains("outdated") => Refusal::StaleNonce,
        POOL_INVALID_TX if data.contains("ancient birth block") => Refusal::Expired,
        POOL_INVALID_TX if data.contains("pay some fees") => Refusal::Payment,
        POOL_INVALID_TX if data.contains("bad signature") => Refusal::BadProof,
        POOL_INVALID_TX if data.contains("exhaust") => Refusal::TooLarge,
        _ if data.is_empty() => Refusal::Other(format!("{message} ({code})")),
        _ => Refusal::Other(format!("{message}: {data} ({code})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pools_answers_are_told_apart() {
        let invalid = |text: &str| refusal(1010, "Invalid Transaction", Some(&format!("\"{text}\"")));
        assert_eq!(invalid("Transaction is outdated"), Refusal::StaleNonce);
        assert_eq!(invalid("Transaction has an ancient birth block"), Refusal::Expired);
        assert_eq!(invalid("Inability to pay some fees (e.g. account balance too low)"), Refusal::Payment);
        assert_eq!(invalid("Transaction has a bad signature"), Refusal::BadProof);
        assert_eq!(invalid("Transaction would exhaust the block limits"), Refusal::TooLarge);
        assert_eq!(refusal(1012, "Transaction is temporarily banned", None), Refusal::Banned);
        assert_eq!(refusal(1014, "Priority is too low: (1 vs 1)", None), Refusal::Occupied);
        assert_eq!(refusal(1016, "Immediately Dropped", None), Refusal::PoolFull);
        assert_eq!(refusal(1002, "Verification Error", Some("x")), Refusal::Other("Verification Error: x (1002)".into()));
    }
}
