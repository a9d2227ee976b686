//! Where a stream lies: what changes with its money in a cell that three streams share, what seldom does in one of its own. Widths never change, so no
//! later call grows a cell at its submitter's cost.

use super::{Cliff, Flags, Schedule, schedule::MAX_RATE_SCALED};
use crate::{
    book::Book,
    cell::{Cell, Slot},
    error::{Error, Refused},
    host::{Host, Key},
    ids::{Address, StreamId, StreamNumber},
    ledger,
    outcome::RowOutcome,
    record::{Reader, Writer},
};

/// A stream's record: all that a claim needs. Payee and token are its book's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stream {
    /// Who pays.
    pub payer: Address,
    /// Amount per second, × 1e9, from `snapshot_at` on.
    pub rate_per_second_scaled: u128,
    /// When seconds begin to count and the cliff's amount falls due: at the cliff, without one at the start.
    pub flow_start: u64,
    /// When seconds cease to count: the end, or 2^32 − 1 s after the start of an open-ended stream.
    pub flow_end: u64,
    /// All that was paid in and not refunded.
    pub deposit: u128,
    /// All that was paid out to the payee's side. Never falls, never passes `deposit`.
    pub paid: u128,
    /// The part of the deposit that is never refunded: due to the payee at the end, and when the payer's side ends the stream, whatever has accrued.
    pub committed: u128,
    /// All that the stream owed up to `snapshot_at`, paid or not, scaled. Falls by nothing but a void.
    pub snapshot_debt_scaled: u128,
    /// From when on the rate counts. It is the start's time until then, so before the start it lies in the future and after it never.
    pub snapshot_at: u64,
    /// What falls due at the cliff; 0 without one.
    pub cliff_amount: u128,
    /// What is left of the stated total after rate × duration, scaled: falls due at the end if the stream runs then.
    pub end_residue_scaled: u32,
    /// Bits of [`Flags`].
    pub flags: u8,
    /// Bits of [`State`].
    pub state: u8,
}

/// Bits of a stream's state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct State;

impl State {
    /// Accrues nothing until it is resumed.
    pub const PAUSED: u8 = 1;
    /// Ended early: what is left of the deposit is the payee's.
    pub const CANCELLED: u8 = 2;
    /// Ended early: what its snapshot holds beyond what is paid is the payee's, the rest the payer's. Its uncovered debt was written off.
    pub const VOIDED: u8 = 4;
    /// The snapshot holds the cliff's amount.
    pub const CLIFF_COUNTED: u8 = 8;
    /// It has no end of its own.
    pub const OPEN_ENDED: u8 = 16;
}

impl Stream {
    /// True when one of these bits of [`State`] is set.
    pub fn is(&self, bits: u8) -> bool {
        self.state & bits != 0
    }

    /// True while the payer has not given up cancelling.
    pub fn is_cancellable(&self) -> bool {
        self.flags & Flags::CANCELLABLE != 0
    }

    /// What flows, when, as it stands now.
    pub fn schedule(&self, start_at: u64) -> Schedule {
        Schedule {
            rate_per_second_scaled: self.rate_per_second_scaled,
            start_at,
            cliff: (self.flags & Flags::CLIFF != 0).then_some(Cliff { at: self.flow_start, amount: self.cliff_amount }),
            end_at: if self.is(State::OPEN_ENDED) { 0 } else { self.flow_end },
        }
    }
}

impl Slot for Stream {
    const BYTES: usize = 117;
    const PER_CELL: u32 = 3;

    fn key(book: u32, index: u32) -> Key {
        Key::Streams(book, index)
    }

    fn read(bytes: &[u8]) -> Self {
        let mut r = Reader::new(bytes);
        Self {
            payer: r.address(),
            rate_per_second_scaled: r.amount(),
            flow_start: r.time(),
            flow_end: r.time(),
            deposit: r.amount(),
            paid: r.amount(),
            committed: r.amount(),
            snapshot_debt_scaled: r.u128(),
            snapshot_at: r.time(),
            cliff_amount: r.amount(),
            end_residue_scaled: r.u32(),
            flags: r.u8(),
            state: r.u8(),
        }
    }

    fn write(&self, bytes: &mut [u8]) {
        Writer::new(bytes)
            .address(&self.payer)
            .amount(self.rate_per_second_scaled)
            .time(self.flow_start)
            .time(self.flow_end)
            .amount(self.deposit)
            .amount(self.paid)
            .amount(self.committed)
            .u128(self.snapshot_debt_scaled)
            .time(self.snapshot_at)
            .amount(self.cliff_amount)
            .u32(self.end_residue_scaled)
            .u8(self.flags)
            .u8(self.state);
    }
}

/// What claims do not need.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Details {
    /// When it starts.
    pub start_at: u64,
    /// Who may act for the payer; zero: nobody.
    pub delegate: Address,
    /// What the delegate may do: bits of [`Rights`].
    pub rights: u8,
    /// The largest rate that the delegate may set.
    pub rate_cap_scaled: u128,
    /// When the payee's side was last handed over; 0: never.
    pub handed_over_at: u64,
    /// Its id, of the number and payee at creation: it stays when the payee's side is handed over.
    pub id: StreamId,
    /// For the payee's books.
    pub memo: [u8; 32],
}

/// Bits of what a delegate may do. Others are refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rights;

impl Rights {
    /// Pause.
    pub const PAUSE: u8 = 1;
    /// Resume.
    pub const RESUME: u8 = 2;
    /// Set a rate up to its cap.
    pub const ADJUST: u8 = 4;
    /// Refund to the payer.
    pub const REFUND: u8 = 8;
    /// Cancel and void.
    pub const CANCEL: u8 = 16;
    /// All that have a meaning.
    pub const ALL: u8 = Self::PAUSE | Self::RESUME | Self::ADJUST | Self::REFUND | Self::CANCEL;
    /// What no delegate can have: the payer's alone.
    pub(super) const NONE: u8 = 0;
}

impl Details {
    /// Bytes of the cell.
    pub const BYTES: usize = 107;

    /// Reads them; zeros where there are none.
    #[inline(never)]
    pub fn load<H: Host>(h: &H, number: StreamNumber) -> Self {
        let bytes = h.load::<{ Self::BYTES }>(&Key::Details(number)).unwrap_or([0; Self::BYTES]);
        let mut r = Reader::new(&bytes);
        Self {
            start_at: r.time(),
            delegate: r.address(),
            rights: r.u8(),
            rate_cap_scaled: r.amount(),
            handed_over_at: r.time(),
            id: StreamId(r.bytes32()),
            memo: r.bytes32(),
        }
    }

    pub(super) fn save<H: Host>(&self, h: &mut H, number: StreamNumber) {
        let mut bytes = [0; Self::BYTES];
        Writer::new(&mut bytes)
            .time(self.start_at)
            .address(&self.delegate)
            .u8(self.rights)
            .amount(self.rate_cap_scaled)
            .time(self.handed_over_at)
            .bytes(&self.id.0)
            .bytes(&self.memo);
        h.save(&Key::Details(number), &bytes);
    }
}

/// Writes a new stream, at the caller's cost.
pub(super) fn insert<H: Host>(h: &mut H, number: StreamNumber, stream: &Stream, details: &Details) {
    let mut cell = Cell::load(h, number);
    cell.put(number.serial, stream);
    cell.store(h);
    details.save(h, number);
}

/// Takes a stream's record out of its cell and deletes its details. The cell is still to be stored.
pub(super) fn remove<H: Host>(h: &mut H, cell: &mut Cell<Stream>, number: StreamNumber) {
    cell.remove(number.serial);
    h.clear(&Key::Details(number));
}

/// A stream while a call works on it.
pub(super) struct Found {
    pub(super) number: StreamNumber,
    pub(super) stream: Stream,
    pub(super) cell: Cell<Stream>,
    /// The largest rate that the caller may set.
    pub(super) max_rate_scaled: u128,
}

impl Found {
    /// Reads the record, and nothing else if there is one.
    #[inline(never)]
    pub(super) fn load<H: Host>(h: &H, number: StreamNumber) -> Result<Self, Refused> {
        let cell = Cell::load(h, number);
        match cell.get(number.serial) {
            Some(stream) => Ok(Self { number, stream, cell, max_rate_scaled: MAX_RATE_SCALED }),
            None => Err(h.refuse(absent(number, Book::load(h, number.book)))),
        }
    }

    /// Payee and token.
    pub(super) fn book<H: Host>(&self, h: &H) -> Result<Book, Refused> {
        // A record has a book.
        Book::load(h, self.number.book).ok_or_else(|| h.refuse(absent(self.number, None)))
    }

    /// Refuses who is neither the payer nor a delegate with this right.
    #[inline(never)]
    pub(super) fn check_caller<H: Host>(&mut self, h: &H, right: u8) -> Result<(), Refused> {
        let (caller, payer) = (h.caller(), self.stream.payer);
        if caller == payer {
            return Ok(());
        }
        let details = Details::load(h, self.number);
        if details.rights & right == 0 || caller != details.delegate {
            return Err(h.refuse(Error::NotAllowed { caller, expected: payer }));
        }
        self.max_rate_scaled = details.rate_cap_scaled;
        Ok(())
    }

    /// The caller's stream: its payer's, or its delegate's with this right.
    #[inline(never)]
    pub(super) fn of_caller<H: Host>(h: &H, number: StreamNumber, right: u8) -> Result<Self, Refused> {
        ledger::refuse_value(h)?;
        let mut found = Self::load(h, number)?;
        found.check_caller(h, right)?;
        Ok(found)
    }

    /// The same, if it goes on: not cancelled, voided or ended.
    pub(super) fn going_on<H: Host>(h: &H, number: StreamNumber, right: u8) -> Result<Self, Refused> {
        let found = Self::of_caller(h, number, right)?;
        if found.stream.is_done(h.now()) { Err(h.refuse(Error::Ended {})) } else { Ok(found) }
    }

    #[inline(never)]
    pub(super) fn save<H: Host>(&mut self, h: &mut H) {
        self.cell.put(self.number.serial, &self.stream);
        self.cell.store(h);
    }

    pub(super) fn delete<H: Host>(&mut self, h: &mut H) {
        remove(h, &mut self.cell, self.number);
        self.cell.store(h);
    }
}

/// Why there is no record.
fn absent(number: StreamNumber, book: Option<Book>) -> Error {
    match book.map(|b| b.absent(number.serial)) {
        Some(RowOutcome::Closed) => Error::ClosedNumber { book: number.book, serial: number.serial },
        _ => Error::UnknownNumber { book: number.book, serial: number.serial },
    }
}

/// The stream and its book, for views.
pub fn find<H: Host>(h: &H, number: StreamNumber) -> Result<(Stream, Book), Error> {
    let book = Book::load(h, number.book);
    match (Cell::<Stream>::load(h, number).get(number.serial), book) {
        (Some(stream), Some(book)) => Ok((stream, book)),
        (_, book) => Err(absent(number, book)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::MemoryHost;

    #[test]
    fn every_byte_of_a_record_is_used() {
        let bytes: Vec<u8> = (1..=117).collect();
        let mut written = [0; Stream::BYTES];
        Stream::read(&bytes).write(&mut written);
        assert_eq!(written.as_slice(), bytes);
    }

    #[test]
    fn every_byte_of_the_details_is_used() {
        let (mut h, from, to) = (MemoryHost::default(), StreamNumber { book: 1, serial: 0 }, StreamNumber { book: 2, serial: 0 });
        let bytes: Vec<u8> = (1..=107).collect();
        h.cells.insert(Key::Details(from), bytes.clone());
        Details::load(&h, from).save(&mut h, to);
        assert_eq!(h.cells[&Key::Details(to)], bytes);
        assert_eq!(Details::load(&h, StreamNumber { book: 3, serial: 0 }), Details::default());
    }
}
