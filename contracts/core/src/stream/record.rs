//! A stream's cell. Its width never changes, so no later call grows it at its submitter's cost.

use super::{Cliff, Flags, Schedule};
use crate::{
    host::{Host, Key},
    ids::{Address, StreamId, StreamNumber},
    record::{Reader, Writer},
};

/// A stream's record. Payee and token are its book's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stream {
    /// Who pays.
    pub payer: Address,
    /// What flows, when.
    pub schedule: Schedule,
    /// What is left of the stated total after rate × duration, scaled: falls due at the end if the stream runs then.
    pub end_residue_scaled: u32,
    /// All that was paid in and not refunded.
    pub deposit: u128,
    /// All that was paid out to the payee's side. Never falls, never passes `deposit`.
    pub paid: u128,
    /// The part of the deposit that is never refunded: due to the payee on cancelling and at the end, whatever has accrued.
    pub committed: u128,
    /// All that the stream owed up to `snapshot_at`, paid or not, scaled. Never falls.
    pub snapshot_debt_scaled: u128,
    /// From when on the running rate counts.
    pub snapshot_at: u64,
    /// Bits of [`Flags`].
    pub flags: u8,
    /// Bits of [`State`].
    pub state: u8,
    /// Who may act for the payer; zero: nobody.
    pub delegate: Address,
    /// What the delegate may do.
    pub delegate_rights: u8,
    /// The largest rate that the delegate may set.
    pub delegate_rate_cap_scaled: u128,
    /// When it was created.
    pub created_at: u64,
    /// Its id, of the number and payee at creation: it stays when the payee's side is handed over.
    pub id: StreamId,
    /// For the payee's books.
    pub memo: [u8; 32],
}

/// Bits of a stream's state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct State;

impl State {
    /// Accrues nothing until it is resumed.
    pub const PAUSED: u8 = 1;
    /// Ended early: what is left of the deposit is the payee's.
    pub const CANCELLED: u8 = 2;
    /// Its uncovered debt was written off, for good. Set by no call yet.
    pub const VOIDED: u8 = 4;
    /// The snapshot holds the cliff's amount.
    pub const CLIFF_COUNTED: u8 = 8;
}

impl Stream {
    /// Bytes of the cell.
    pub const BYTES: usize = 239;

    /// The cell.
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut b = [0; Self::BYTES];
        let cliff = self.schedule.cliff.unwrap_or(Cliff { at: 0, amount: 0 });
        Writer::new(&mut b)
            .address(&self.payer)
            .amount(self.schedule.rate_per_second_scaled)
            .u64(self.schedule.start_at)
            .u64(cliff.at)
            .amount(cliff.amount)
            .u64(self.schedule.end_at)
            .u32(self.end_residue_scaled)
            .amount(self.deposit)
            .amount(self.paid)
            .amount(self.committed)
            .u128(self.snapshot_debt_scaled)
            .u64(self.snapshot_at)
            .u8(self.flags)
            .u8(self.state)
            .address(&self.delegate)
            .u8(self.delegate_rights)
            .amount(self.delegate_rate_cap_scaled)
            .u64(self.created_at)
            .bytes(&self.id.0)
            .bytes(&self.memo);
        b
    }

    /// From the cell.
    pub fn from_bytes(b: &[u8; Self::BYTES]) -> Self {
        let mut r = Reader::new(b);
        let payer = r.address();
        let rate_per_second_scaled = r.amount();
        let start_at = r.u64();
        let cliff = Cliff { at: r.u64(), amount: r.amount() };
        let end_at = r.u64();
        let mut stream = Self {
            payer,
            schedule: Schedule { rate_per_second_scaled, start_at, cliff: Some(cliff), end_at },
            end_residue_scaled: r.u32(),
            deposit: r.amount(),
            paid: r.amount(),
            committed: r.amount(),
            snapshot_debt_scaled: r.u128(),
            snapshot_at: r.u64(),
            flags: r.u8(),
            state: r.u8(),
            delegate: r.address(),
            delegate_rights: r.u8(),
            delegate_rate_cap_scaled: r.amount(),
            created_at: r.u64(),
            id: StreamId(r.array()),
            memo: r.array(),
        };
        if stream.flags & Flags::CLIFF == 0 {
            stream.schedule.cliff = None;
        }
        stream
    }

    /// True when one of these bits of [`State`] is set.
    pub fn is(&self, bits: u8) -> bool {
        self.state & bits != 0
    }

    pub(super) fn save<H: Host>(&self, h: &mut H, number: StreamNumber) {
        h.save(&Key::Record(number), &self.to_bytes());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cell_is_read_as_it_was_written(bytes in proptest::array::uniform32(any::<u8>()), more in any::<[[u8; 32]; 7]>(), flags in 0..8u8) {
            let mut cell = [0; Stream::BYTES];
            for (place, byte) in cell.iter_mut().zip(bytes.iter().chain(more.as_flattened())) {
                *place = *byte;
            }
            let mut stream = Stream::from_bytes(&cell);
            stream.flags = flags;
            if flags & Flags::CLIFF == 0 {
                stream.schedule.cliff = None;
            } else {
                stream.schedule.cliff = Some(Cliff { at: 5, amount: 6 });
            }
            prop_assert_eq!(Stream::from_bytes(&stream.to_bytes()), stream);
        }
    }

    #[test]
    fn every_byte_of_the_cell_is_used() {
        let cell = [0xff; Stream::BYTES];
        assert_eq!(Stream::from_bytes(&cell).to_bytes(), cell);
        assert_eq!(Stream::from_bytes(&cell).memo, [0xff; 32]);
    }
}
