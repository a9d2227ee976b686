//! Claims: one, by the payee to any address or by anyone to the payee; or many, by anyone, each to its payee.
//!
//! Records are written before anything is paid. What a claim leaves over is deleted: a cancelled stream without a balance, and an ended or voided one
//! without debt that can be paid, whose remainder goes back to the payer.

use alloc::vec::Vec;

use super::{
    Stream,
    accrual::Debt,
    record::{Found, remove},
};
use crate::{
    amount::{NATIVE_GRAIN, floor_to_grain},
    batch::{self, Rows},
    blob::{self, StreamRow},
    book::{Fees, Tally},
    cell::Cell,
    error::{Error, Refused},
    event::Event,
    host::Host,
    ids::{Address, StreamNumber, Token},
    ledger,
    outcome::RowOutcome,
};

/// The amount that asks for all there is.
pub const ALL: u128 = u128::MAX;

/// How much is asked of what there is: an amount that can move, or [`ALL`].
#[inline(never)]
pub(super) fn asked<H: Host>(h: &H, token: &Token, amount: u128, there: u128) -> Result<u128, Refused> {
    match amount {
        0 => Err(h.refuse(Error::ZeroAmount {})),
        ALL if there == 0 => Err(h.refuse(Error::NothingToPay {})),
        ALL => Ok(there),
        _ if amount > there => Err(h.refuse(Error::Overdraw { asked: amount, payable: there })),
        _ if floor_to_grain(token, amount) != amount => Err(h.refuse(Error::NotMovable { amount, grain: NATIVE_GRAIN })),
        _ => Ok(amount),
    }
}

/// A stream whose record is gone.
#[derive(Debug)]
struct Ended {
    number: StreamNumber,
    paid: u128,
    payer: Address,
    remainder: u128,
}

/// Rows of one book being claimed, and the streams that end with them.
#[derive(Debug)]
pub(super) struct Group {
    tally: Tally,
    cell: Option<Cell<Stream>>,
    ended: Vec<Ended>,
}

impl Group {
    /// Of the one stream whose cell this is.
    pub(super) fn of<H: Host>(h: &H, number: StreamNumber, cell: Cell<Stream>) -> Self {
        Self { tally: Tally::new(h, number.book, 1), cell: Some(cell), ended: Vec::new() }
    }

    /// Takes `gain`, which is payable, off the stream, which owes `debt`; takes its record out when that was the last. Pays nothing yet. Capped if some of that
    /// debt was not covered.
    #[inline(never)]
    fn take<H: Host>(&mut self, h: &mut H, number: StreamNumber, mut stream: Stream, debt: &Debt, gain: u128) -> RowOutcome {
        let token = self.tally.book().map_or(Token::ZERO, |b| b.token);
        let outcome = match gain {
            0 => RowOutcome::Stale,
            _ if debt.uncovered > 0 => RowOutcome::Capped,
            _ => RowOutcome::Applied,
        };
        stream.paid = stream.paid.saturating_add(gain);
        if let Some(cell) = &mut self.cell {
            // Not negative: what is gained was owed.
            if stream.is_over(&token, h.now(), debt.total.saturating_sub(gain)) {
                remove(h, cell, number);
                self.ended.push(Ended { number, paid: stream.paid, payer: stream.payer, remainder: stream.balance() });
            } else if gain > 0 {
                cell.put(number.serial, &stream);
            }
        }
        self.tally.add(h, number.serial, outcome, gain, stream.paid);
        outcome
    }

    /// Writes the records; pays the payee, or whom it names; then the remainders of the streams that ended, to their payers.
    #[inline(never)]
    fn settle_to<H: Host>(mut self, h: &mut H, to: Option<&Address>, fund_new: bool, fees: &mut Fees) {
        if let Some(cell) = &mut self.cell {
            cell.store(h);
        }
        let token = self.tally.book().map_or(Token::ZERO, |b| b.token);
        self.tally.settle(h, to, fund_new, fees);
        for Ended { number, paid, payer, remainder } in self.ended {
            h.emit(&Event::StreamEnded { number, paid, remainder });
            ledger::pay(h, &token, &payer, remainder, false);
        }
    }

    /// One row, settled at once.
    #[inline(never)]
    pub(super) fn pay_one<H: Host>(mut self, h: &mut H, number: StreamNumber, stream: Stream, debt: &Debt, gain: u128, to: Option<&Address>) {
        self.take(h, number, stream, debt, gain);
        let mut fees = Fees::new();
        self.settle_to(h, to, false, &mut fees);
        fees.pay(h);
    }
}

impl<H: Host> Rows<H> for Group {
    type Payload = StreamRow;
    type Shared = ();

    fn begin(h: &H, group: &blob::Group, (): &()) -> Self {
        Self { tally: Tally::new(h, group.book, group.rows as usize), cell: None, ended: Vec::new() }
    }

    /// Everything payable.
    fn row(&mut self, h: &mut H, number: StreamNumber, _: &StreamRow) -> RowOutcome {
        let Some(book) = self.tally.book() else {
            // Without a book there is no record to look for.
            self.tally.add(h, number.serial, RowOutcome::Unknown, 0, 0);
            return RowOutcome::Unknown;
        };
        let token = book.token;
        let absent = book.absent(number.serial);
        if !self.cell.as_ref().is_some_and(|cell| cell.is_of(number)) {
            if let Some(done) = &mut self.cell {
                done.store(h);
            }
            self.cell = Some(Cell::load(h, number));
        }
        let Some(stream) = self.cell.as_ref().and_then(|cell| cell.get(number.serial)) else {
            self.tally.add(h, number.serial, absent, 0, 0);
            return absent;
        };
        let debt = stream.debt(h.now());
        self.take(h, number, stream, &debt, floor_to_grain(&token, debt.covered))
    }

    fn settle(self, h: &mut H, fund_new: bool, fees: &mut Fees) {
        self.settle_to(h, None, fund_new, fees);
    }
}

/// Claims `amount`, or [`ALL`] that is payable: the payee to any address, anyone else to the payee. Returns what left the deposit.
///
/// All of nothing is refused, except where a remainder waits for the payer of a stream that is over.
pub fn claim<H: Host>(h: &mut H, number: StreamNumber, amount: u128, to: &Address) -> Result<u128, Refused> {
    ledger::refuse_value(h)?;
    let Found { stream, cell, .. } = Found::load(h, number)?;
    let group = Group::of(h, number, cell);
    let Some(book) = group.tally.book() else { return Err(h.refuse(Error::UnknownNumber { book: number.book, serial: number.serial })) };
    if h.caller() == book.payee {
        ledger::check_party(h, to)?;
    } else if *to != book.payee {
        return Err(h.refuse(Error::NotAllowed { caller: h.caller(), expected: book.payee }));
    }
    let (all, now) = (amount == ALL, h.now());
    let mut debt = stream.debt(now);
    let last = all && stream.is_over(&book.token, now, debt.total);
    let gain = if last { 0 } else { asked(h, &book.token, amount, floor_to_grain(&book.token, debt.covered))? };
    if !all {
        // An amount that is paid is not capped, whatever else is owed.
        debt.uncovered = 0;
    }
    group.pay_one(h, number, stream, &debt, gain, Some(to));
    Ok(gain)
}

/// Claims all of many streams: each row has its own outcome, one payout a group. The blob is refused whole, or every row that can be paid is.
pub fn claim_batch<H: Host>(h: &mut H, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    batch::claim::<H, Group>(h, bytes, &())
}
