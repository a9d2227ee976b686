//! Ways out before the end: cancel, void. Both are the payee's, and the payer's or its delegate's where the payer may cancel.

use super::{Rights, State, claim::Group, record::Found, schedule::SCALE};
use crate::{
    book::Book,
    error::{Error, Refused},
    event::Event,
    host::Host,
    ids::{Address, StreamNumber},
    ledger,
};

/// A stream that its caller may end.
struct Ending {
    found: Found,
    book: Book,
    by: Address,
    by_payee: bool,
    /// What the payee has yet to get.
    due: u128,
}

impl Ending {
    #[inline(never)]
    fn load<H: Host>(h: &H, number: StreamNumber) -> Result<Self, Refused> {
        ledger::refuse_value(h)?;
        let mut found = Found::load(h, number)?;
        let (book, by, now) = (found.book(h)?, h.caller(), h.now());
        let by_payee = by == book.payee;
        if !by_payee {
            found.check_caller(h, Rights::CANCEL)?;
        }
        let stream = &found.stream;
        if stream.is(State::CANCELLED | State::VOIDED) || stream.is_settled(&book.token, now) {
            return Err(h.refuse(Error::Ended {}));
        }
        if !by_payee && !stream.is_cancellable() {
            return Err(h.refuse(Error::NotCancellable {}));
        }
        let due = stream.due_on_end(&book.token, now, by_payee);
        Ok(Self { found, book, by, by_payee, due })
    }
}

/// Ends a stream early. Only the caller's side is paid, so that the other can block nothing: the payee's due waits for a claim, the payer's refund becomes its
/// credit. What the payee is due is what is owed and covered; when the payer's side cancels, at least what was committed (were it so when the payee does, it
/// could take a year's commitment on the first day). Uncovered debt, and what is below the smallest amount that can move, is written off. Refused once ended
/// with all debt covered: a claim pays both sides.
pub fn cancel<H: Host>(h: &mut H, number: StreamNumber) -> Result<(), Refused> {
    let Ending { mut found, book, by, by_payee, due } = Ending::load(h, number)?;
    let stream = &mut found.stream;
    // Not negative: due is at most the balance.
    let refund = stream.balance().saturating_sub(due);
    stream.deposit = stream.deposit.saturating_sub(refund);
    stream.state |= State::CANCELLED;
    let (payer, paid) = (stream.payer, stream.paid);
    h.emit(&Event::StreamCancelled { number, by, due, refund });
    if due == 0 {
        found.delete(h);
        h.emit(&Event::StreamEnded { number, paid, remainder: 0 });
    } else if by_payee {
        let debt = found.stream.debt(h.now());
        Group::of(h, number, found.cell).pay_one(h, number, found.stream, &debt, due, None);
    } else {
        found.save(h);
    }
    if !by_payee {
        ledger::pay(h, &book.token, &payer, refund, false);
    } else if refund > 0 {
        ledger::add_credit(h, &book.token, &payer, refund);
    }
    Ok(())
}

/// Ends a stream for good and moves no money: it accrues nothing any more, uncovered debt is written off, what is due (as in [`cancel`]) stays claimable and
/// the rest refundable. For a payer that would rather not be paid back at once, and a payee that wants to be paid by batches.
pub fn void<H: Host>(h: &mut H, number: StreamNumber) -> Result<(), Refused> {
    let Ending { mut found, by, due, .. } = Ending::load(h, number)?;
    let stream = &mut found.stream;
    let written_off = stream.debt(h.now()).uncovered;
    // Both are within the deposit, which is below 2^96.
    stream.snapshot_debt_scaled = stream.paid.saturating_add(due).saturating_mul(SCALE);
    stream.state |= State::VOIDED;
    found.save(h);
    h.emit(&Event::StreamVoided { number, by, due, written_off });
    Ok(())
}
