//! What can be asked of a stream. No view is ever refused; figures are zero where there is no record. They hold for the block they are asked at: the payer
//! can change them by its next call, so no contract should take them for a promise.

use alloc::vec::Vec;

use super::{Details, Schedule, State, Stream, find, schedule::Cliff};
use crate::{
    book::Book,
    cell::{Cell, Slot},
    error::Error,
    fee::relay_fee,
    host::Host,
    ids::{Address, StreamId, StreamNumber, Token},
};

/// A stream's status. Final; new ones are appended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum StreamStatus {
    /// No such number.
    Unknown = 0,
    /// Before its start.
    Pending = 1,
    /// Running, all debt covered.
    Streaming = 2,
    /// Running, some debt not covered.
    StreamingInsolvent = 3,
    /// Paused, all debt covered.
    Paused = 4,
    /// Paused, some debt not covered.
    PausedInsolvent = 5,
    /// At or after its end, paused or not, all debt covered.
    Ended = 6,
    /// At or after its end, paused or not, some debt not covered.
    EndedInsolvent = 7,
    /// Cancelled; the payee's due waits for a claim.
    Cancelled = 8,
    /// Its uncovered debt was written off, for good.
    Voided = 9,
    /// Its record is gone.
    Closed = 10,
}

impl Stream {
    /// Its status. Where several hold: cancelled, voided, pending, ended, paused, in this order.
    pub fn status(&self, now: u64) -> StreamStatus {
        if self.is(State::CANCELLED) {
            return StreamStatus::Cancelled;
        }
        if self.is(State::VOIDED) {
            return StreamStatus::Voided;
        }
        if self.is_pending(now) {
            return StreamStatus::Pending;
        }
        match (self.is_ended(now), self.is(State::PAUSED), self.debt(now).uncovered > 0) {
            (true, _, false) => StreamStatus::Ended,
            (true, _, true) => StreamStatus::EndedInsolvent,
            (_, true, false) => StreamStatus::Paused,
            (_, true, true) => StreamStatus::PausedInsolvent,
            (_, _, false) => StreamStatus::Streaming,
            (_, _, true) => StreamStatus::StreamingInsolvent,
        }
    }
}

/// The `stream` view: what does not change by the second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "as in the record")]
pub struct StreamView {
    pub status: StreamStatus,
    pub payer: Address,
    pub payee: Address,
    pub token: Token,
    pub schedule: Schedule,
    pub flags: u8,
    pub memo: [u8; 32],
    pub id: StreamId,
}

/// What a stream is.
pub fn stream<H: Host>(h: &H, number: StreamNumber) -> StreamView {
    match find(h, number) {
        Ok((stream, book)) => {
            let details = Details::load(h, number);
            StreamView {
                status: stream.status(h.now()),
                payer: stream.payer,
                payee: book.payee,
                token: book.token,
                schedule: stream.schedule(details.start_at),
                flags: stream.flags,
                memo: details.memo,
                id: details.id,
            }
        }
        Err(why) => StreamView {
            status: if matches!(why, Error::ClosedNumber { .. }) { StreamStatus::Closed } else { StreamStatus::Unknown },
            payer: Address::ZERO,
            payee: Address::ZERO,
            token: Token::ZERO,
            schedule: Schedule { rate_per_second_scaled: 0, start_at: 0, cliff: None, end_at: 0 },
            flags: 0,
            memo: [0; 32],
            id: StreamId([0; 32]),
        },
    }
}

impl StreamView {
    /// The cliff's time and amount, zeros without one.
    pub fn cliff(&self) -> Cliff {
        self.schedule.cliff.unwrap_or(Cliff { at: 0, amount: 0 })
    }
}

/// The `balances` view: what changes by the second.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Balances {
    /// All that was paid in and not refunded.
    pub deposit: u128,
    /// All that was paid out to the payee's side.
    pub paid: u128,
    /// The part of the deposit that is never refunded.
    pub committed: u128,
    /// What is owed: covered and uncovered.
    pub total_debt: u128,
    /// The part of it that the balance covers. A claim pays it, rounded down to what can move.
    pub covered_debt: u128,
    /// The part that it does not.
    pub uncovered_debt: u128,
    /// What the payer could take back without ending the stream, if it may: see [`super::refund`].
    pub refundable: u128,
    /// The first second at which some debt is not covered; 0: never, as things stand. See [`Stream::depletes_at`].
    pub depletes_at: u64,
}

/// What a stream has and owes.
pub fn balances<H: Host>(h: &H, number: StreamNumber) -> Balances {
    let Ok((stream, book)) = find(h, number) else { return Balances::default() };
    let debt = stream.debt(h.now());
    Balances {
        deposit: stream.deposit,
        paid: stream.paid,
        committed: stream.committed,
        total_debt: debt.total,
        covered_debt: debt.covered,
        uncovered_debt: debt.uncovered,
        refundable: stream.refundable(&book.token, h.now()),
        depletes_at: stream.depletes_at(),
    }
}

/// What a claim of all would take now, and the relay fee in it. Zeros without a record.
pub fn claimable<H: Host>(h: &H, number: StreamNumber) -> (u128, u128) {
    let Ok((stream, book)) = find(h, number) else { return (0, 0) };
    let gain = stream.payable(&book.token, h.now());
    (gain, relay_fee(&book.terms, book.fee_ceiling_bps, &book.token, gain, h.now()))
}

/// Who may act for the payer, what it may do, and the largest rate it may set. Zeros without a record, and where there is nobody.
pub fn delegate_of<H: Host>(h: &H, number: StreamNumber) -> (Address, u8, u128) {
    let details = Details::load(h, number);
    (details.delegate, details.rights, details.rate_cap_scaled)
}

/// The most serials that [`list`] looks at.
pub const MAX_LISTED: u32 = 400;

/// The streams of a book that have a record among `count` serials (1 to [`MAX_LISTED`]) from `from` on, and the serial to go on from; 0 at the end.
pub fn list<H: Host>(h: &H, book: u32, from: u32, count: u32) -> (Vec<u32>, u32) {
    let Some(next_serial) = Book::load(h, book).map(|b| b.next_serial) else { return (Vec::new(), 0) };
    let to = from.saturating_add(count.clamp(1, MAX_LISTED)).min(next_serial);
    let mut there = Vec::new();
    let mut cell: Option<Cell<Stream>> = None;
    for serial in from..to {
        let number = StreamNumber { book, serial };
        if serial == from || serial % Stream::PER_CELL == 0 {
            cell = Some(Cell::load(h, number));
        }
        if cell.as_ref().is_some_and(|c| c.get(serial).is_some()) {
            there.push(serial);
        }
    }
    (there, if to < next_serial { to } else { 0 })
}
