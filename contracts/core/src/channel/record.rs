//! A channel's fields, and the cell they lie in. Four channels of a book share a cell: a batch pays for a cold cell, not for the bytes in it.

use super::claim::is_signed;
use crate::{
    amount::floor_to_grain,
    book::Book,
    error::{Error, Refused},
    host::{Host, Key},
    ids::{Address, ChannelId, ChannelNumber, ChannelTerms, Token},
    outcome::RowOutcome,
    record::{Reader, Writer},
    signature::CompactSignature,
};

/// A channel's record. Payee and token are its book's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Channel {
    /// Who locked the money.
    pub payer: Address,
    /// Whose vouchers count, beside the payer's own.
    pub voucher_signer: Address,
    /// All that was paid in and not refunded.
    pub deposit: u128,
    /// All that was paid out to the payee's side.
    pub claimed: u128,
    /// The payee's time to answer a request.
    pub challenge_period_secs: u32,
    /// When it was opened.
    pub opened_at: u64,
    /// When it can be finished; 0: no close was requested.
    pub close_due_at: u64,
    /// The part of the balance asked back; 0: none.
    pub refund_requested: u128,
    /// When that part can be taken; 0: not asked.
    pub refund_due_at: u64,
}

impl Channel {
    /// Bytes of a record.
    pub const BYTES: usize = 95;

    /// The record.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut b = [0; Self::BYTES];
        Writer::new(&mut b)
            .address(&self.payer)
            .address(&self.voucher_signer)
            .amount(self.deposit)
            .amount(self.claimed)
            .u32(self.challenge_period_secs)
            .time(self.opened_at)
            .time(self.close_due_at)
            .amount(self.refund_requested)
            .time(self.refund_due_at);
        b
    }

    /// From the record.
    pub fn from_bytes(b: &[u8]) -> Self {
        let mut r = Reader::new(b);
        Self {
            payer: r.address(),
            voucher_signer: r.address(),
            deposit: r.amount(),
            claimed: r.amount(),
            challenge_period_secs: r.u32(),
            opened_at: r.time(),
            close_due_at: r.time(),
            refund_requested: r.amount(),
            refund_due_at: r.time(),
        }
    }

    /// What the payer would get back if the channel ended now.
    pub fn balance(&self) -> u128 {
        self.deposit.saturating_sub(self.claimed)
    }

    /// When a refund request is void if nobody executed it: one challenge period after it is due, so that no matured request lies in wait.
    pub fn refund_lapses_at(&self) -> u64 {
        self.refund_due_at.saturating_add(u64::from(self.challenge_period_secs))
    }

    /// The highest total that a new voucher is covered up to: what is asked back no longer counts. Older vouchers stay good until it is taken.
    pub fn cover(&self, now: u64) -> u128 {
        if self.close_due_at != 0 {
            return self.claimed;
        }
        let asked = if self.refund_due_at != 0 && now < self.refund_lapses_at() { self.refund_requested } else { 0 };
        self.deposit.saturating_sub(asked).max(self.claimed)
    }

    /// What a good voucher of this total would do: the outcome, and what it adds. Rounded down to what can move; the rest stays owed.
    pub fn gain(&self, token: &Token, cumulative_amount: u128) -> (RowOutcome, u128) {
        let covered = cumulative_amount.min(self.deposit);
        match floor_to_grain(token, covered).saturating_sub(self.claimed) {
            0 => (RowOutcome::Stale, 0),
            gain if cumulative_amount > self.deposit => (RowOutcome::Capped, gain),
            gain => (RowOutcome::Applied, gain),
        }
    }

    /// Takes a voucher: nothing of it counts unless it is signed. The outcome, and what it added.
    pub(super) fn take<H: Host>(
        &mut self,
        h: &H,
        separator: &[u8; 32],
        number: ChannelNumber,
        book: &Book,
        cumulative_amount: u128,
        signature: &CompactSignature,
    ) -> (RowOutcome, u128) {
        let (outcome, gain) = self.gain(&book.token, cumulative_amount);
        if gain == 0 {
            return (outcome, 0);
        }
        let id = self.terms(number, book).channel_id(&h.deployment(), h);
        if !is_signed(h, separator, self, id, cumulative_amount, signature) {
            return (RowOutcome::BadSignature, 0);
        }
        self.claimed = self.claimed.saturating_add(gain);
        (outcome, gain)
    }

    /// The terms, with what the book knows.
    pub fn terms(&self, number: ChannelNumber, book: &Book) -> ChannelTerms {
        ChannelTerms {
            number,
            payer: self.payer,
            payee: book.payee,
            voucher_signer: self.voucher_signer,
            token: book.token,
            challenge_period_secs: self.challenge_period_secs,
            opened_at: self.opened_at,
        }
    }
}

/// How many channels share a cell.
pub const CHANNELS_A_CELL: u32 = 4;
/// A channel in its cell: the last two bits of its serial, then its record.
const SLOT_BYTES: usize = 1 + Channel::BYTES;
const CELL_BYTES: usize = SLOT_BYTES * CHANNELS_A_CELL as usize;

/// A cell while a call works on it: the slots of the channels that are open, in any order. Opening grows it by one slot at the opener's cost, ending
/// shrinks it by one; claims keep its length.
#[derive(Debug)]
pub(super) struct Cell {
    book: u32,
    index: u32,
    bytes: [u8; CELL_BYTES],
    len: usize,
    changed: bool,
}

impl Cell {
    /// Reads the cell of this number.
    pub(super) fn load<H: Host>(h: &H, number: ChannelNumber) -> Self {
        let index = number.serial / CHANNELS_A_CELL;
        let mut bytes = [0; CELL_BYTES];
        let len = h.read(&Key::Channels(number.book, index), &mut bytes);
        Self { book: number.book, index, bytes, len, changed: false }
    }

    /// True when a number belongs here.
    pub(super) fn is_of(&self, number: ChannelNumber) -> bool {
        self.book == number.book && self.index == number.serial / CHANNELS_A_CELL
    }

    /// Where the slot of a serial begins.
    fn slot(&self, serial: u32) -> Option<usize> {
        (0..self.len).step_by(SLOT_BYTES).find(|at| self.bytes.get(*at).copied().map(u32::from) == Some(serial % CHANNELS_A_CELL))
    }

    /// The channel, if it is open.
    pub(super) fn get(&self, serial: u32) -> Option<Channel> {
        let at = self.slot(serial)?;
        self.bytes.get(at.saturating_add(1)..at.saturating_add(SLOT_BYTES)).map(Channel::from_bytes)
    }

    /// Writes the channel, in a new slot if it has none.
    pub(super) fn put(&mut self, serial: u32, channel: &Channel) {
        let at = self.slot(serial).unwrap_or(self.len);
        let end = at.saturating_add(SLOT_BYTES);
        // At most four serials belong here, so there is always room.
        if let Some((low, record)) = self.bytes.get_mut(at..end).and_then(<[u8]>::split_first_mut) {
            *low = (serial % CHANNELS_A_CELL).to_be_bytes()[3];
            record.copy_from_slice(&channel.to_bytes());
            self.len = self.len.max(end);
            self.changed = true;
        }
    }

    /// Takes the channel out; the last slot moves into its place.
    pub(super) fn remove(&mut self, serial: u32) {
        let last = self.len.saturating_sub(SLOT_BYTES);
        let slot = self.bytes.get(last..self.len).and_then(|slot| <[u8; SLOT_BYTES]>::try_from(slot).ok());
        if let (Some(at), Some(slot)) = (self.slot(serial), slot)
            && let Some(place) = self.bytes.get_mut(at..at.saturating_add(SLOT_BYTES))
        {
            place.copy_from_slice(&slot);
            self.len = last;
            self.changed = true;
        }
    }

    /// Writes what has changed; an empty cell is deleted.
    pub(super) fn store<H: Host>(&mut self, h: &mut H) {
        if core::mem::take(&mut self.changed) {
            let key = Key::Channels(self.book, self.index);
            match self.bytes.get(..self.len) {
                Some(slots) if !slots.is_empty() => h.write(&key, slots),
                _ => h.clear(&key),
            }
        }
    }
}

/// An open channel while a call works on it.
pub(super) struct Found {
    pub(super) number: ChannelNumber,
    pub(super) channel: Channel,
    pub(super) book: Book,
    cell: Cell,
}

impl Found {
    /// Looks for it: without a record, `Unknown` or `Closed`.
    pub(super) fn look<H: Host>(h: &H, number: ChannelNumber) -> Result<Self, RowOutcome> {
        let book = Book::load(h, number.book).ok_or(RowOutcome::Unknown)?;
        let cell = Cell::load(h, number);
        match cell.get(number.serial) {
            Some(channel) => Ok(Self { number, channel, book, cell }),
            None => Err(book.absent(number.serial)),
        }
    }

    pub(super) fn load<H: Host>(h: &H, number: ChannelNumber) -> Result<Self, Refused> {
        Self::look(h, number).map_err(|why| h.refuse(absent(number, why)))
    }

    pub(super) fn id<H: Host>(&self, h: &H) -> ChannelId {
        self.channel.terms(self.number, &self.book).channel_id(&h.deployment(), h)
    }

    pub(super) fn save<H: Host>(&mut self, h: &mut H) {
        self.cell.put(self.number.serial, &self.channel);
        self.cell.store(h);
    }

    pub(super) fn delete<H: Host>(&mut self, h: &mut H) {
        self.cell.remove(self.number.serial);
        self.cell.store(h);
    }
}

/// The error of a number without a record.
pub(super) fn absent(number: ChannelNumber, why: RowOutcome) -> Error {
    let ChannelNumber { book, serial } = number;
    if why == RowOutcome::Closed { Error::ClosedNumber { book, serial } } else { Error::UnknownNumber { book, serial } }
}

/// The channel and its book.
pub fn find<H: Host>(h: &H, number: ChannelNumber) -> Result<(Channel, Book), Error> {
    Found::look(h, number).map(|found| (found.channel, found.book)).map_err(|why| absent(number, why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::Number, testing::MemoryHost};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn every_byte_of_a_record_is_used() {
        let bytes: Vec<u8> = (1..=95).collect();
        assert_eq!(Channel::from_bytes(&bytes).to_bytes().as_slice(), bytes);
    }

    proptest! {
        #[test]
        fn cells_hold_what_was_put_and_are_gone_when_empty(steps in prop::collection::vec((0u32..3, 0u32..12, any::<bool>(), 0u128..1 << 96), 0..80)) {
            let mut h = MemoryHost::default();
            let mut model = BTreeMap::new();
            let blank = Channel::from_bytes(&[0; 95]);
            for (book, serial, put, deposit) in steps {
                let number = Number { book, serial };
                let mut cell = Cell::load(&h, number);
                prop_assert_eq!(cell.get(serial), model.get(&(book, serial)).copied());
                if put {
                    let channel = Channel { deposit, ..blank };
                    cell.put(serial, &channel);
                    model.insert((book, serial), channel);
                } else {
                    cell.remove(serial);
                    model.remove(&(book, serial));
                }
                cell.store(&mut h);
                prop_assert_eq!(h.cells.values().map(Vec::len).sum::<usize>(), model.len() * SLOT_BYTES, "each open channel takes one slot");
                prop_assert!(h.cells.values().all(|v| !v.is_empty()));
            }
            for (book, serial) in (0..3).flat_map(|b| (0..12).map(move |s| (b, s))) {
                prop_assert_eq!(Cell::load(&h, Number { book, serial }).get(serial), model.get(&(book, serial)).copied());
            }
        }
    }
}
