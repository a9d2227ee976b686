//! What transactions cost, from the runtime's own figures.

use crate::{
    Error, Node,
    account::account_of,
    call::WeightArg,
    call::revive_call,
    dry_run::NOBODY,
    dry_run::{deposit_with_room, with_room},
};
use rivulet_rules::chain::{BlockRef, ClaimLimits, DryRun, FeeModel, Weight};
use subxt::{dynamic, ext::scale_decode::DecodeAsType};

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct BlockWeights {
    per_class: PerClass,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct PerClass {
    normal: ClassLimits,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct ClassLimits {
    base_extrinsic: RawWeight,
    max_extrinsic: Option<RawWeight>,
}

#[derive(Clone, Copy, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct RawWeight {
    ref_time: u64,
    proof_size: u64,
}

/// The multiplier is a fixed-point number with 18 decimals.
const MULTIPLIER_ONE: u128 = 1_000_000_000_000_000_000;
const SECOND_PS: u64 = 1_000_000_000_000;
const MIB: u64 = 1 << 20;

fn scaled(fee_planck: u128, multiplier: u128) -> u128 {
    fee_planck.saturating_mul(multiplier).div_ceil(MULTIPLIER_ONE)
}

impl Node {
    /// What fees are made of at a block. `base_planck` includes what calling a contract costs before its code runs, and `max_extrinsic` is what is
    /// left of a transaction's weight for the code.
    ///
    /// # Errors
    ///
    /// When the node does not answer or the runtime has not the figures.
    pub async fn fee_model(&self, block: BlockRef) -> Result<FeeModel, Error> {
        let at = self.at(block).await?;
        let of_weight = |w: RawWeight| {
            let weight = WeightArg { ref_time: w.ref_time, proof_size: w.proof_size };
            self.runtime::<_, u128>(&at, "TransactionPaymentApi", "query_weight_to_fee", (weight,))
        };
        let limits = self.constant::<BlockWeights>(&at, "System", "BlockWeights")?.per_class.normal;
        let multiplier = dynamic::storage::<(), u128>("TransactionPayment", "NextFeeMultiplier");
        let multiplier = at.storage().fetch(multiplier, ()).await?.decode()?;

        let no_limits = ClaimLimits { weight: Weight::default(), storage_deposit_planck: 0 };
        let empty = revive_call(&at, &NOBODY, 0, no_limits, &[])?;
        let around = self.query_info(&empty, &account_of(&NOBODY), block).await?;
        let around = RawWeight { ref_time: around.ref_time, proof_size: around.proof_size };
        let max = limits.max_extrinsic.unwrap_or(RawWeight { ref_time: u64::MAX, proof_size: u64::MAX });

        let base_planck = of_weight(limits.base_extrinsic).await?.saturating_add(scaled(of_weight(around).await?, multiplier));
        let per_byte_planck: u128 = self.runtime(&at, "TransactionPaymentApi", "query_length_to_fee", (1u32,)).await?;
        Ok(FeeModel {
            base_planck,
            per_byte_planck,
            per_ref_time_sec_planck: scaled(of_weight(RawWeight { ref_time: SECOND_PS, proof_size: 0 }).await?, multiplier),
            per_proof_mib_planck: scaled(of_weight(RawWeight { ref_time: 0, proof_size: MIB }).await?, multiplier),
            existential_deposit_planck: self.constant(&at, "Balances", "ExistentialDeposit")?,
            max_extrinsic: Weight {
                ref_time_ps: max.ref_time.saturating_sub(around.ref_time),
                proof_size_bytes: max.proof_size.saturating_sub(around.proof_size),
            },
        })
    }
}

/// The limits to send a claim with: what its dry run needed and some room, never more than one transaction may ask for.
pub fn claim_limits(dry_run: &DryRun, fees: &FeeModel) -> ClaimLimits {
    let weight = with_room(dry_run.weight);
    ClaimLimits {
        weight: Weight {
            ref_time_ps: weight.ref_time_ps.min(fees.max_extrinsic.ref_time_ps),
            proof_size_bytes: weight.proof_size_bytes.min(fees.max_extrinsic.proof_size_bytes),
        },
        storage_deposit_planck: deposit_with_room(dry_run.storage_deposit_planck),
    }
}
