//! Claims: one, by the payee to any address or by anyone to the payee; or many, by anyone, each to its payee.
//!
//! Records are written before anything is paid. What a claim leaves over is deleted: a cancelled stream without a balance, and an ended one without
//! debt that can be paid, whose remainder goes back to the payer.

use alloc::vec::Vec;

use super::{Stream, find, load};
use crate::{
    amount::{NATIVE_GRAIN, floor_to_grain},
    batch::{self, Rows},
    blob::{self, StreamRow},
    book::{Fees, Tally},
    error::Error,
    event::Event,
    host::{Host, Key},
    ids::{Address, StreamNumber, Token},
    ledger,
    outcome::RowOutcome,
};

/// The amount that asks for all that is payable.
pub const ALL: u128 = u128::MAX;

/// A stream whose record is gone.
#[derive(Debug)]
pub(super) struct Ended {
    number: StreamNumber,
    paid: u128,
    payer: Address,
    remainder: u128,
}

impl Ended {
    /// Deletes the record.
    pub(super) fn delete<H: Host>(h: &mut H, number: StreamNumber, stream: &Stream) -> Self {
        h.clear(&Key::Record(number));
        Self { number, paid: stream.paid, payer: stream.payer, remainder: stream.balance() }
    }

    /// Says so.
    pub(super) fn log<H: Host>(&self, h: &mut H) {
        h.emit(&Event::StreamEnded { number: self.number, paid: self.paid });
    }
}

/// Rows of one book being claimed, and the streams that end with them.
#[derive(Debug)]
pub(super) struct Group {
    tally: Tally,
    ended: Vec<Ended>,
}

impl Group {
    pub(super) fn new<H: Host>(h: &H, book: u32, rows: usize) -> Self {
        Self { tally: Tally::new(h, book, rows), ended: Vec::new() }
    }

    /// Takes `gain`, which is payable, off the stream; deletes its record when that was the last. Pays nothing yet.
    pub(super) fn pay_row<H: Host>(&mut self, h: &mut H, number: StreamNumber, mut stream: Stream, gain: u128) -> RowOutcome {
        let Some(token) = self.tally.book().map(|b| b.token) else { return RowOutcome::Unknown };
        let now = h.now();
        let outcome = match gain {
            0 => RowOutcome::Stale,
            _ if stream.debt(now).uncovered > 0 => RowOutcome::Capped,
            _ => RowOutcome::Applied,
        };
        stream.paid = stream.paid.saturating_add(gain);
        if stream.is_over(&token, now) {
            self.ended.push(Ended::delete(h, number, &stream));
        } else if gain > 0 {
            stream.save(h, number);
        }
        self.tally.add(h, number.serial, outcome, gain, stream.paid);
        outcome
    }

    /// Pays the payee, or whom it names; then the remainders of the streams that ended, to their payers.
    fn settle_to<H: Host>(self, h: &mut H, to: Option<&Address>, fund_new: bool, fees: &mut Fees) {
        let token = self.tally.book().map_or(Token::ZERO, |b| b.token);
        self.tally.settle(h, to, fund_new, fees);
        for ended in self.ended {
            ended.log(h);
            ledger::pay(h, &token, &ended.payer, ended.remainder, false);
        }
    }

    /// The same for a call on one stream.
    pub(super) fn settle_one<H: Host>(self, h: &mut H, to: Option<&Address>) {
        let mut fees = Fees::new();
        self.settle_to(h, to, false, &mut fees);
        fees.pay(h);
    }
}

impl<H: Host> Rows<H> for Group {
    type Payload = StreamRow;
    type Shared = ();

    fn begin(h: &H, group: &blob::Group, (): &()) -> Self {
        Self::new(h, group.book, group.rows as usize)
    }

    /// Everything payable.
    fn row(&mut self, h: &mut H, number: StreamNumber, _: &StreamRow) -> RowOutcome {
        // Without a book there is no record to look for.
        let outcome = match self.tally.book().map(|book| (book, load(h, number))) {
            Some((book, Some(stream))) => {
                let gain = stream.payable(&book.token, h.now());
                return self.pay_row(h, number, stream, gain);
            }
            Some((book, None)) => book.absent(number.serial),
            None => RowOutcome::Unknown,
        };
        self.tally.add(h, number.serial, outcome, 0, 0);
        outcome
    }

    fn settle(self, h: &mut H, fund_new: bool, fees: &mut Fees) {
        self.settle_to(h, None, fund_new, fees);
    }
}

/// Claims `amount`, or [`ALL`] that is payable: the payee to any address, anyone else to the payee. Returns what left the deposit.
///
/// All of nothing is refused, except where a remainder waits for the payer of an ended stream.
pub fn claim<H: Host>(h: &mut H, number: StreamNumber, amount: u128, to: &Address) -> Result<u128, Error> {
    ledger::refuse_value(h)?;
    let (stream, book) = find(h, number)?;
    if h.caller() == book.payee {
        ledger::check_party(h, to)?;
    } else if *to != book.payee {
        return Err(Error::NotAllowed { caller: h.caller(), expected: book.payee });
    }
    let payable = stream.payable(&book.token, h.now());
    let gain = if amount == ALL { payable } else { amount };
    if gain == 0 && amount == ALL && !stream.is_over(&book.token, h.now()) {
        return Err(Error::NothingToPay {});
    }
    if amount == 0 {
        return Err(Error::ZeroAmount {});
    }
    if gain > payable {
        return Err(Error::Overdraw { asked: amount, payable });
    }
    if floor_to_grain(&book.token, gain) != gain {
        return Err(Error::NotMovable { amount: gain, grain: NATIVE_GRAIN });
    }
    let mut group = Group::new(h, number.book, 1);
    group.pay_row(h, number, stream, gain);
    group.settle_one(h, Some(to));
    Ok(gain)
}

/// Claims all of many streams: each row has its own outcome, one payout a group. The blob is refused whole, or every row that can be paid is.
pub fn claim_batch<H: Host>(h: &mut H, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    batch::claim::<H, Group>(h, bytes, &())
}
