//! What a transaction, a group and a row cost.

use crate::chain::{FeeModel, Weight};

/// How much weight the parts of a claim batch take. Only a first guess for choosing rows: the dry run of the chosen batch has the last word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    /// The call itself, the contract's code included.
    pub call: Weight,
    /// A book: its record, its payout, its event.
    pub group: Weight,
    /// A row: its record, its signature.
    pub row: Weight,
    /// The extrinsic around the blob, in bytes.
    pub envelope_bytes: usize,
}

impl Shape {
    /// Claims from channels. Not measured: put together from the weights of SDK 2609 and a contract of 78 KB, most of the call's proof. One claim of three
    /// streams on the dev node cost 0.0156 DOT where an earlier guess, for 32 KB of code, said at most 0.0117. To be replaced by the sandbox's cost table.
    pub const CHANNELS: Self = Self {
        call: Weight { ref_time_ps: 450_000_000, proof_size_bytes: 90_000 },
        group: Weight { ref_time_ps: 250_000_000, proof_size_bytes: 26_000 },
        row: Weight { ref_time_ps: 250_000_000, proof_size_bytes: 10_400 },
        envelope_bytes: 260,
    };

    /// Claims from streams: no signature, the same record; code of 91 KB. A guess as well.
    pub const STREAMS: Self = Self {
        call: Weight { ref_time_ps: 450_000_000, proof_size_bytes: 105_000 },
        row: Weight { ref_time_ps: 150_000_000, proof_size_bytes: 10_400 },
        ..Self::CHANNELS
    };
}

/// Prices of the parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CostModel {
    /// The chain's prices.
    pub fees: FeeModel,
    /// How much of each the parts take.
    pub shape: Shape,
}

impl CostModel {
    /// The transaction without any row.
    pub fn base_planck(&self) -> u128 {
        self.fees.fee_planck(self.shape.call, self.shape.envelope_bytes)
    }

    /// A book's first row adds this.
    pub fn group_planck(&self) -> u128 {
        self.part(self.shape.group, GROUP_BYTES)
    }

    /// A row of this many bytes adds this.
    pub fn row_planck(&self, bytes: usize) -> u128 {
        self.part(self.shape.row, bytes)
    }

    fn part(&self, weight: Weight, bytes: usize) -> u128 {
        (bytes as u128).saturating_mul(self.fees.per_byte_planck).saturating_add(self.fees.weight_fee_planck(weight))
    }

    /// The weight of this many rows in this many groups.
    pub fn weight(&self, groups: usize, rows: usize) -> Weight {
        let sum = |call: u64, group: u64, row: u64| {
            call.saturating_add(group.saturating_mul(groups as u64)).saturating_add(row.saturating_mul(rows as u64))
        };
        let Shape { call, group, row, .. } = self.shape;
        Weight {
            ref_time_ps: sum(call.ref_time_ps, group.ref_time_ps, row.ref_time_ps),
            proof_size_bytes: sum(call.proof_size_bytes, group.proof_size_bytes, row.proof_size_bytes),
        }
    }

    /// True when so many fit into one extrinsic: three quarters of the limit, the rest is for what the guess misses.
    pub fn fits(&self, groups: usize, rows: usize) -> bool {
        let (weight, max) = (self.weight(groups, rows), self.fees.max_extrinsic);
        weight.ref_time_ps <= max.ref_time_ps / 4 * 3 && weight.proof_size_bytes <= max.proof_size_bytes / 4 * 3
    }
}

/// Flags, book and count of a group, at their longest.
pub(super) const GROUP_BYTES: usize = 1 + 5 + 2;
