//! What a transaction does, encoded by the runtime's own metadata.

use crate::{Error, Node, node::At};
use rivulet_core::ids::Address;
use rivulet_rules::chain::{Account, BlockRef, ClaimLimits, Weight};
use subxt::{
    ext::{
        codec::{Compact, Encode},
        scale_encode::{EncodeAsFields, EncodeAsType, Error as EncodeError, FieldIter},
        scale_type_resolver::TypeResolver,
    },
    tx::{Payload, dynamic},
    utils::{AccountId32, MultiAddress, Static},
};

/// A call of a pallet, ready to be signed, alone or with others in a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    pallet: &'static str,
    name: &'static str,
    args: Args,
    /// Pallet and call index, as the runtime numbers them.
    index: [u8; 2],
}

/// Arguments that are encoded already.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Args(Vec<u8>);

impl EncodeAsFields for Args {
    fn encode_as_fields_to<R: TypeResolver>(&self, _: &mut dyn FieldIter<'_, R::TypeId>, _: &R, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.extend_from_slice(&self.0);
        Ok(())
    }
}

impl Payload for Call {
    type CallData = Args;
    fn pallet_name(&self) -> &str {
        self.pallet
    }
    fn call_name(&self) -> &str {
        self.name
    }
    fn call_data(&self) -> &Args {
        &self.args
    }
}

impl Call {
    /// Its length in bytes, as part of a transaction.
    pub fn len(&self) -> usize {
        self.index.len() + self.args.0.len()
    }

    /// Never: a call has at least its index.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The encoded call.
    pub fn bytes(&self) -> Vec<u8> {
        [&self.index[..], &self.args.0].concat()
    }
}

/// A weight, as extrinsics and runtime APIs take it.
#[derive(EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
pub(crate) struct WeightArg {
    pub(crate) ref_time: u64,
    pub(crate) proof_size: u64,
}

impl From<Weight> for WeightArg {
    fn from(w: Weight) -> Self {
        Self { ref_time: w.ref_time_ps, proof_size: w.proof_size_bytes }
    }
}

/// Calls of a batch: already encoded.
struct Calls(Vec<u8>);

impl Encode for Calls {
    fn encode_to<O: subxt::ext::codec::Output + ?Sized>(&self, out: &mut O) {
        out.write(&self.0);
    }
}

/// Bytes that are encoded in one go instead of each by its type.
pub(crate) fn bytes_arg(bytes: &[u8]) -> Static<Vec<u8>> {
    Static(bytes.to_vec())
}

fn encode<A: EncodeAsFields>(at: &At, pallet: &'static str, name: &'static str, args: A) -> Result<Call, Error> {
    let bytes = at.tx().call_data(&dynamic(pallet, name, args))?;
    let (index, args) = bytes.split_first_chunk::<2>().ok_or_else(|| Error::decode("a call", "shorter than its index"))?;
    Ok(Call { pallet, name, index: *index, args: Args(args.to_vec()) })
}

pub(crate) fn revive_call(at: &At, contract: &Address, value_planck: u128, limits: ClaimLimits, calldata: &[u8]) -> Result<Call, Error> {
    let args = (contract.0, value_planck, WeightArg::from(limits.weight), limits.storage_deposit_planck, bytes_arg(calldata));
    encode(at, "Revive", "call", args)
}

pub(crate) fn instantiate_with_code(at: &At, limits: ClaimLimits, code: &[u8], calldata: &[u8], salt: Option<[u8; 32]>) -> Result<Call, Error> {
    let args = (0u128, WeightArg::from(limits.weight), limits.storage_deposit_planck, bytes_arg(code), bytes_arg(calldata), salt);
    encode(at, "Revive", "instantiate_with_code", args)
}

fn to(account: &Account) -> MultiAddress<AccountId32, ()> {
    MultiAddress::Id(AccountId32(account.0))
}

impl Node {
    /// A call of a contract. `value_planck` goes with it; the limits come from a dry run.
    ///
    /// # Errors
    ///
    /// When the runtime has no such call, or the block cannot be had.
    pub async fn revive_call(
        &self,
        block: BlockRef,
        contract: &Address,
        value_planck: u128,
        limits: ClaimLimits,
        calldata: &[u8],
    ) -> Result<Call, Error> {
        revive_call(&self.at(block).await?, contract, value_planck, limits, calldata)
    }

    /// Several calls in one transaction: all of them or none.
    ///
    /// # Errors
    ///
    /// When the runtime has no `Utility::batch_all`, or the block cannot be had.
    pub async fn batch_all(&self, block: BlockRef, calls: &[Call]) -> Result<Call, Error> {
        let mut bytes = Compact(calls.len() as u32).encode();
        calls.iter().for_each(|call| bytes.extend_from_slice(&call.bytes()));
        encode(&self.at(block).await?, "Utility", "batch_all", (Static(Calls(bytes)),))
    }

    /// A transfer of the native token, in planck. The sender keeps its account alive.
    ///
    /// # Errors
    ///
    /// When the runtime has no such call, or the block cannot be had.
    pub async fn transfer(&self, block: BlockRef, dest: &Account, amount_planck: u128) -> Result<Call, Error> {
        encode(&self.at(block).await?, "Balances", "transfer_keep_alive", (to(dest), amount_planck))
    }

    /// A transfer of an asset, in its smallest unit.
    ///
    /// # Errors
    ///
    /// When the runtime has no such call, or the block cannot be had.
    pub async fn assets_transfer(&self, block: BlockRef, asset_id: u32, dest: &Account, amount_units: u128) -> Result<Call, Error> {
        encode(&self.at(block).await?, "Assets", "transfer", (asset_id, to(dest), amount_units))
    }
}
