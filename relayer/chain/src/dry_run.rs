//! Runs a call against a block's state without changing it.

use crate::{
    Error, Node,
    account::account_of,
    call::{WeightArg, bytes_arg},
    node::At,
    revert::Revert,
};
use alloy_sol_types::SolCall;
use rivulet_core::ids::Address;
use rivulet_rules::chain::{Account, BlockRef, ClaimLimits, Weight};
use subxt::{
    dynamic::Value,
    ext::{
        scale_decode::DecodeAsType,
        scale_encode::EncodeAsType,
        scale_value::{Composite, ValueDef},
    },
    metadata::Metadata,
    utils::Static,
};

/// What a call would do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DryCall {
    /// The least weight limit it runs under.
    pub weight_required: Weight,
    /// What it used in the end.
    pub weight_consumed: Weight,
    /// The most storage deposit it held at any time: the least deposit limit it runs under.
    pub max_storage_deposit_planck: u128,
    /// What it returned.
    pub returned: Vec<u8>,
}

impl DryCall {
    /// Limits under which it runs, with room for what changes between the dry run and the block: a tenth, and two cold storage accesses.
    pub fn limits(&self) -> ClaimLimits {
        ClaimLimits { weight: with_room(self.weight_required), storage_deposit_planck: deposit_with_room(self.max_storage_deposit_planck) }
    }
}

/// A tenth more, and what two cold storage accesses cost: rows can turn from stale to paying between the dry run and the block.
pub(crate) fn with_room(w: Weight) -> Weight {
    const ROOM_TIME_PS: u64 = 200_000_000;
    const ROOM_PROOF_BYTES: u64 = 22_000;
    Weight {
        ref_time_ps: w.ref_time_ps.saturating_add(w.ref_time_ps / 10).saturating_add(ROOM_TIME_PS),
        proof_size_bytes: w.proof_size_bytes.saturating_add(w.proof_size_bytes / 10).saturating_add(ROOM_PROOF_BYTES),
    }
}

/// A tenth more, and a new cell where the dry run saw room in an old one: somebody else's channel may take that place first. Nothing stays nothing.
pub(crate) fn deposit_with_room(planck: u128) -> u128 {
    // An item of a contract's storage and 416 bytes with their key on the Hub: 0.002 + 0.005 DOT.
    const NEW_CELL_PLANCK: u128 = 70_000_000;
    if planck == 0 { 0 } else { planck.saturating_add(planck / 10).saturating_add(NEW_CELL_PLANCK) }
}

/// Who asks when nobody in particular does. Made from an address, so it counts as mapped on every chain.
pub(crate) const NOBODY: Address = Address([0x11; 20]);

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct RawWeight {
    ref_time: u64,
    proof_size: u64,
}

impl From<RawWeight> for Weight {
    fn from(w: RawWeight) -> Self {
        Self { ref_time_ps: w.ref_time, proof_size_bytes: w.proof_size }
    }
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
enum RawDeposit {
    Refund(#[allow(dead_code)] u128),
    Charge(u128),
}

impl RawDeposit {
    fn charge_planck(&self) -> u128 {
        match self {
            Self::Charge(planck) => *planck,
            Self::Refund(_) => 0,
        }
    }
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct RawReturn {
    flags: u32,
    data: Static<Vec<u8>>,
}

const FLAG_REVERT: u32 = 1;

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct RawInstance {
    result: RawReturn,
    addr: [u8; 20],
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct RawResult<T> {
    weight_consumed: RawWeight,
    weight_required: RawWeight,
    max_storage_deposit: RawDeposit,
    result: Result<T, Value>,
}

#[derive(EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
enum CodeArg {
    Upload(Static<Vec<u8>>),
}

/// The name of a dispatch error, such as `Revive::OutOfGas`.
fn dispatch_error(error: &Value, metadata: &Metadata) -> String {
    let number = |value: &Value| match &value.value {
        ValueDef::Primitive(p) => p.as_u128().and_then(|n| u8::try_from(n).ok()),
        // A byte array: the first byte is the error's index, the others are reserved.
        ValueDef::Composite(Composite::Unnamed(bytes)) => bytes.first().and_then(|b| b.as_u128()).and_then(|n| u8::try_from(n).ok()),
        _ => None,
    };
    let named = || {
        let ValueDef::Variant(variant) = &error.value else { return None };
        let Composite::Unnamed(fields) = &variant.values else { return None };
        let ValueDef::Composite(Composite::Named(fields)) = &fields.first()?.value else { return None };
        let field = |name: &str| fields.iter().find(|(n, _)| n == name).and_then(|(_, v)| number(v));
        let pallet = metadata.pallet_by_error_index(field("index")?)?;
        let error = pallet.error_variant_by_index(field("error")?)?;
        Some(format!("{}::{}", pallet.name(), error.name))
    };
    named().unwrap_or_else(|| error.to_string())
}

fn finish<T>(raw: RawResult<T>, at: &At, exec: impl FnOnce(T) -> (RawReturn, Option<Address>)) -> Result<(DryCall, Option<Address>), Error> {
    let value = raw.result.map_err(|e| Error::Failed(dispatch_error(&e, at.metadata_ref())))?;
    let (exec, address) = exec(value);
    if exec.flags & FLAG_REVERT != 0 {
        return Err(Error::Reverted(Revert::parse(&exec.data)));
    }
    let call = DryCall {
        weight_required: raw.weight_required.into(),
        weight_consumed: raw.weight_consumed.into(),
        max_storage_deposit_planck: raw.max_storage_deposit.charge_planck(),
        returned: exec.data.0,
    };
    Ok((call, address))
}

impl Node {
    /// Runs a call of a contract at a block.
    ///
    /// # Errors
    ///
    /// [`Error::Reverted`] with the contract's reason, [`Error::Failed`] with the chain's.
    pub async fn dry_call(
        &self,
        origin: &Account,
        contract: &Address,
        value_planck: u128,
        calldata: &[u8],
        block: BlockRef,
    ) -> Result<DryCall, Error> {
        let at = self.at(block).await?;
        let no_limit = (None::<WeightArg>, None::<u128>);
        let args = (origin.0, contract.0, value_planck, no_limit.0, no_limit.1, bytes_arg(calldata));
        let raw: RawResult<RawReturn> = self.runtime(&at, "ReviveApi", "call", args).await?;
        Ok(finish(raw, &at, |exec| (exec, None))?.0)
    }

    /// Runs the creation of a contract at a block; the address is what it would get.
    ///
    /// # Errors
    ///
    /// [`Error::Reverted`] with the constructor's reason, [`Error::Failed`] with the chain's.
    pub async fn dry_instantiate(
        &self,
        origin: &Account,
        code: &[u8],
        calldata: &[u8],
        salt: Option<[u8; 32]>,
        block: BlockRef,
    ) -> Result<(DryCall, Address), Error> {
        let at = self.at(block).await?;
        let args = (origin.0, 0u128, None::<WeightArg>, None::<u128>, CodeArg::Upload(bytes_arg(code)), bytes_arg(calldata), salt);
        let raw: RawResult<RawInstance> = self.runtime(&at, "ReviveApi", "instantiate", args).await?;
        let (call, address) = finish(raw, &at, |instance| (instance.result, Some(Address(instance.addr))))?;
        Ok((call, address.unwrap_or_default()))
    }

    /// Asks a contract something: a typed call of a view.
    ///
    /// # Errors
    ///
    /// As [`Node::dry_call`]; [`Error::Decode`] when the answer is not of the expected shape, as when there is no contract.
    pub async fn view<C: SolCall>(&self, contract: &Address, call: &C, block: BlockRef) -> Result<C::Return, Error> {
        let returned = self.dry_call(&account_of(&NOBODY), contract, 0, &call.abi_encode(), block).await?.returned;
        if returned.is_empty() {
            return Err(Error::decode(C::SIGNATURE, format!("no answer: there is no such contract at {contract}")));
        }
        C::abi_decode_returns(&returned).map_err(|e| Error::decode(C::SIGNATURE, e))
    }

    /// keccak256 of the code at an address; `None` when there is none.
    ///
    /// # Errors
    ///
    /// When the node does not answer or no longer has the block's state.
    pub async fn code_hash(&self, contract: &Address, block: BlockRef) -> Result<Option<[u8; 32]>, Error> {
        use rivulet_core::{Keccak256, SoftKeccak};
        let at = self.at(block).await?;
        let code: Static<Vec<u8>> = self.runtime(&at, "ReviveApi", "code", (contract.0,)).await?;
        Ok((!code.is_empty()).then(|| SoftKeccak.keccak256(&code)))
    }
}
