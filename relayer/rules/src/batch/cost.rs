//! What a transaction, a group and a row cost.

use crate::chain::{DryRun, FeeModel, Weight};
use rivulet_core::{cell::Slot, channel::CHANNELS_A_CELL, ids::Number, stream::Stream};

/// How much weight the parts of a claim batch take. Only a first guess for choosing rows: the dry run of the chosen batch has the last word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    /// The call itself, the contract's code included, without what the chain adds to any call: that is in [`FeeModel::base_planck`].
    pub call: Weight,
    /// A book: its record, its payout, its event.
    pub group: Weight,
    /// A storage cell with the records of some rows.
    pub cell: Weight,
    /// How many serials share a cell.
    pub serials_a_cell: u32,
    /// A row beside its cell: its signature, its place in the log.
    pub row: Weight,
    /// A row whose record ends with the claim: it is taken out, an event says so, and its payer gets the remainder.
    pub end: Weight,
    /// The extrinsic around the blob, in bytes.
    pub envelope_bytes: usize,
}

impl Shape {
    /// Claims from channels, from `tests/bench/RESULTS.md`: native batches of 1 and 200 rows, of neighbours, of rows that share no cell and of as many payees.
    pub const CHANNELS: Self = Self {
        call: Weight { ref_time_ps: 329_000_000, proof_size_bytes: 55_700 },
        group: Weight { ref_time_ps: 640_000_000, proof_size_bytes: 18_400 },
        cell: Weight { ref_time_ps: 156_000_000, proof_size_bytes: 10_650 },
        serials_a_cell: CHANNELS_A_CELL,
        row: Weight { ref_time_ps: 447_000_000, proof_size_bytes: 1_830 },
        end: Weight { ref_time_ps: 0, proof_size_bytes: 0 }, // a claim ends no channel
        envelope_bytes: 260,
    };

    /// Claims from streams, from the same batches. A row's time is counted with its cell: that of three rows is cheaper than the cell's proof, so a neighbour
    /// adds next to nothing.
    pub const STREAMS: Self = Self {
        call: Weight { ref_time_ps: 290_000_000, proof_size_bytes: 65_300 },
        group: Weight { ref_time_ps: 635_000_000, proof_size_bytes: 18_400 },
        cell: Weight { ref_time_ps: 645_000_000, proof_size_bytes: 10_620 },
        serials_a_cell: Stream::PER_CELL,
        row: Weight { ref_time_ps: 0, proof_size_bytes: 0 },
        // What a claim of a cancelled stream takes more than another, and a payout like a group's.
        end: Weight { ref_time_ps: 840_000_000, proof_size_bytes: 32_200 },
        envelope_bytes: 260,
    };

    /// Where a record lies.
    pub(super) fn cell_of(&self, number: Number) -> (u32, u32) {
        (number.book, number.serial / self.serials_a_cell.max(1))
    }
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

    /// A row of this many bytes adds this, when so many rows share its cell, itself included.
    pub fn row_planck(&self, bytes: usize, sharing: u32) -> u128 {
        self.part(self.shape.row, bytes).saturating_add(self.fees.weight_fee_planck(self.shape.cell).div_ceil(u128::from(sharing.max(1))))
    }

    fn part(&self, weight: Weight, bytes: usize) -> u128 {
        (bytes as u128).saturating_mul(self.fees.per_byte_planck).saturating_add(self.fees.weight_fee_planck(weight))
    }

    /// The weight of this many rows in this many cells and groups, of which so many end.
    pub fn weight(&self, groups: usize, cells: usize, rows: usize, ends: usize) -> Weight {
        let parts = [(self.shape.group, groups), (self.shape.cell, cells), (self.shape.row, rows), (self.shape.end, ends)];
        let sum = |of: fn(&Weight) -> u64| {
            parts.iter().fold(of(&self.shape.call), |sum, (part, count)| sum.saturating_add(of(part).saturating_mul(*count as u64)))
        };
        Weight { ref_time_ps: sum(|w| w.ref_time_ps), proof_size_bytes: sum(|w| w.proof_size_bytes) }
    }

    /// A dry run with room for rows that end until it is included, though they did not when it was tried.
    pub fn with_ends(&self, dry_run: &DryRun, ends: usize) -> DryRun {
        let all = |of: fn(&Weight) -> u64| of(&self.shape.end).saturating_mul(ends as u64).saturating_add(of(&dry_run.weight));
        let weight = Weight { ref_time_ps: all(|w| w.ref_time_ps), proof_size_bytes: all(|w| w.proof_size_bytes) };
        let more = self.fees.weight_fee_planck(weight).saturating_sub(self.fees.weight_fee_planck(dry_run.weight));
        DryRun { weight, fee_planck: dry_run.fee_planck.saturating_add(more), ..dry_run.clone() }
    }

    /// True when so many fit into one extrinsic: three quarters of the limit, the rest is for what the guess misses.
    pub fn fits(&self, groups: usize, cells: usize, rows: usize, ends: usize) -> bool {
        let (weight, max) = (self.weight(groups, cells, rows, ends), self.fees.max_extrinsic);
        weight.ref_time_ps <= max.ref_time_ps / 4 * 3 && weight.proof_size_bytes <= max.proof_size_bytes / 4 * 3
    }
}

/// Flags, book and count of a group, at their longest.
pub(super) const GROUP_BYTES: usize = 1 + 5 + 2;
