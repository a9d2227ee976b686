//! Create, top up, pause, resume, cancel.

use super::{
    Flags, ScheduleError, State, Stream,
    claim::{Ended, Group},
    find, find_record,
    schedule::{Stated, check_amount},
};
use crate::{
    amount::MAX_AMOUNT,
    book,
    error::Error,
    event::Event,
    host::Host,
    ids::{Address, StreamId, StreamNumber, StreamOrigin, Token},
    ledger,
};

/// What [`create`] is given. The fields mean what they mean in the interface and in [`crate::eip712::Create`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NewStream {
    /// Who is paid.
    pub payee: Address,
    /// In what.
    pub token: Token,
    /// What flows, when.
    pub stated: Stated,
    /// The first deposit, may be 0.
    pub amount: u128,
    /// The part of the deposit that is never refunded.
    pub committed: u128,
    /// For the payee's books.
    pub memo: [u8; 32],
}

/// Creates a stream of the caller's, with the caller's money or, for the time being, without any.
pub fn create<H: Host>(h: &mut H, new: &NewStream) -> Result<(StreamNumber, StreamId), Error> {
    let NewStream { payee, token, stated, amount, committed, memo } = *new;
    let (payer, created_at) = (h.caller(), h.now());
    ledger::check_party(h, &payer)?;
    ledger::check_party(h, &payee)?;
    if payee == payer {
        return Err(Error::BadParty { party: payee });
    }
    let (schedule, end_residue_scaled) = stated.check(&token, created_at)?;
    check_amount(&token, committed)?;
    if committed > amount {
        return Err(ScheduleError::CommittedAboveDeposit.into());
    }
    if stated.total != 0 && committed > stated.total {
        return Err(ScheduleError::CommittedAboveTotal.into());
    }
    let deposit = if amount == 0 {
        ledger::refuse_value(h)?;
        0
    } else {
        ledger::take_deposit(h, &token, &payer, amount)?
    };
    let number = book::next_number(h, &payee, &token)?;
    // A remainder that fails later must not grow storage at the cost of who carries it: in a batch it would undo all of it.
    ledger::make_credit(h, &payer, &token);
    let id = StreamOrigin { number, payer, payee, token, created_at }.stream_id(&h.deployment(), h);
    let stream = Stream {
        payer,
        schedule,
        end_residue_scaled,
        deposit,
        paid: 0,
        committed,
        snapshot_debt_scaled: 0,
        snapshot_at: schedule.start_at,
        flags: stated.flags,
        state: 0,
        delegate: Address::ZERO,
        delegate_rights: 0,
        delegate_rate_cap_scaled: 0,
        created_at,
        id,
        memo,
    };
    stream.save(h, number);
    let (flags, total) = (stated.flags, stated.total);
    let memo = &memo;
    h.emit(&Event::StreamCreated { number, payer, payee, token, schedule, total, flags, amount: deposit, committed, memo, id });
    Ok((number, id))
}

/// Adds the caller's money to the stream, if its parties are the expected ones: after a reorg the number may be another's. What is never used goes back to
/// the payer, whoever paid it in. Refused where money would do nothing: cancelled, voided, or ended with all debt covered.
pub fn top_up<H: Host>(h: &mut H, number: StreamNumber, payer: Address, payee: Address, token: Token, amount: u128) -> Result<(), Error> {
    let (mut stream, book) = find(h, number)?;
    if (payer, payee, token) != (stream.payer, book.payee, book.token) {
        return Err(Error::WrongParties { payer: stream.payer, payee: book.payee, token: book.token });
    }
    if stream.is(State::CANCELLED | State::VOIDED) || stream.is_settled(&token, h.now()) {
        return Err(Error::Ended {});
    }
    let from = h.caller();
    let received = ledger::take_deposit(h, &token, &from, amount)?;
    let deposit = stream.deposit.saturating_add(received);
    if deposit > MAX_AMOUNT {
        return Err(Error::TooMuch { amount: deposit, max: MAX_AMOUNT });
    }
    stream.deposit = deposit;
    stream.save(h, number);
    h.emit(&Event::ToppedUp { number, from, amount: received, deposit });
    Ok(())
}

/// The payer stops the accrual; the end does not move. Touches the record's cell only. Refused before the start, when ended, and when paused.
pub fn pause<H: Host>(h: &mut H, number: StreamNumber) -> Result<(), Error> {
    let now = h.now();
    let mut stream = turn(h, number, false)?;
    if now < stream.schedule.start_at {
        return Err(Error::NotDue { now, due_at: stream.schedule.start_at });
    }
    stream.take_snapshot(now);
    stream.state |= State::PAUSED;
    stream.save(h, number);
    h.emit(&Event::StreamPaused { number });
    Ok(())
}

/// The payer lets it accrue again, from now on. Touches the record's cell only. Refused when ended, and when not paused.
pub fn resume<H: Host>(h: &mut H, number: StreamNumber) -> Result<(), Error> {
    let mut stream = turn(h, number, true)?;
    stream.take_snapshot(h.now());
    stream.state &= !State::PAUSED;
    stream.save(h, number);
    h.emit(&Event::StreamResumed { number });
    Ok(())
}

/// The caller's stream, if it goes on and is `paused` or not as expected.
fn turn<H: Host>(h: &H, number: StreamNumber, paused: bool) -> Result<Stream, Error> {
    ledger::refuse_value(h)?;
    let stream = find_record(h, number)?;
    if h.caller() != stream.payer {
        return Err(Error::NotAllowed { caller: h.caller(), expected: stream.payer });
    }
    if stream.is(State::CANCELLED | State::VOIDED) || stream.is_ended(h.now()) {
        return Err(Error::Ended {});
    }
    if stream.is(State::PAUSED) != paused {
        return Err(Error::WrongPause { paused: !paused });
    }
    Ok(stream)
}

/// Ends a stream early, by its payer where that may cancel, or by its payee. Only the caller's side is paid, so that the other can block nothing: the
/// payee's due waits for a claim, the payer's refund becomes its credit. What the payee is due is what is owed and covered, at least what was committed;
/// uncovered debt, and what is below the smallest amount that can move, is written off. Refused once ended with all debt covered: a claim pays both sides.
pub fn cancel<H: Host>(h: &mut H, number: StreamNumber) -> Result<(), Error> {
    ledger::refuse_value(h)?;
    let (mut stream, book) = find(h, number)?;
    let (by, now) = (h.caller(), h.now());
    let by_payee = by == book.payee;
    if !by_payee && by != stream.payer {
        return Err(Error::NotAllowed { caller: by, expected: stream.payer });
    }
    if stream.is(State::CANCELLED) || stream.is_settled(&book.token, now) {
        return Err(Error::Ended {});
    }
    if !by_payee && stream.flags & Flags::CANCELLABLE == 0 {
        return Err(Error::NotCancellable {});
    }
    let due = stream.due_on_cancel(&book.token, now);
    // Not negative: due is at most the balance.
    let refund = stream.balance().saturating_sub(due);
    stream.deposit = stream.deposit.saturating_sub(refund);
    stream.state |= State::CANCELLED;
    h.emit(&Event::StreamCancelled { number, by, due, refund });
    if due == 0 {
        Ended::delete(h, number, &stream).log(h);
    } else if by_payee {
        let mut group = Group::new(h, number.book, 1);
        group.pay_row(h, number, stream, due);
        group.settle_one(h, None);
    } else {
        stream.save(h, number);
    }
    if !by_payee {
        ledger::pay(h, &book.token, &stream.payer, refund, false);
    } else if refund > 0 {
        ledger::add_credit(h, &book.token, &stream.payer, refund);
    }
    Ok(())
}
