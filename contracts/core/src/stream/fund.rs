//! Money in and back: top up, refund.

use super::{Rights, State, claim::asked, record::Found};
use crate::{
    amount::MAX_AMOUNT,
    error::{Error, Refused},
    event::Event,
    host::Host,
    ids::{Address, StreamNumber, Token},
    ledger,
};

/// Adds the caller's money to the stream, if its parties are the expected ones: after a reorg the number may be another's. What is never used goes back to
/// the payer, whoever paid it in. Refused where money would do nothing: cancelled, voided, or ended with all debt covered.
pub fn top_up<H: Host>(h: &mut H, number: StreamNumber, payer: Address, payee: Address, token: Token, amount: u128) -> Result<(), Refused> {
    let mut found = Found::load(h, number)?;
    let (book, stream) = (found.book(h)?, &mut found.stream);
    if payer != stream.payer || payee != book.payee || token != book.token {
        return Err(h.refuse(Error::WrongParties { payer: stream.payer, payee: book.payee, token: book.token }));
    }
    if stream.is(State::CANCELLED | State::VOIDED) || stream.is_settled(&token, h.now()) {
        return Err(h.refuse(Error::Ended {}));
    }
    let from = h.caller();
    let received = ledger::take_deposit(h, &token, &from, amount)?;
    let deposit = stream.deposit.saturating_add(received);
    if deposit > MAX_AMOUNT {
        return Err(h.refuse(Error::TooMuch { amount: deposit, max: MAX_AMOUNT }));
    }
    stream.deposit = deposit;
    found.save(h);
    h.emit(&Event::ToppedUp { number, from, amount: received, deposit });
    Ok(())
}

/// Takes `amount`, or with [`super::claim::ALL`] all that can be, back to the payer: what is neither owed nor committed. The stream goes on. By the payer, or a
/// delegate; before the end only where the payer may cancel. Returns what left the deposit.
pub fn refund<H: Host>(h: &mut H, number: StreamNumber, amount: u128) -> Result<u128, Refused> {
    let mut found = Found::of_caller(h, number, Rights::REFUND)?;
    let (token, now) = (found.book(h)?.token, h.now());
    let stream = &mut found.stream;
    if !stream.is_cancellable() && !stream.is_done(now) {
        return Err(h.refuse(Error::NotCancellable {}));
    }
    let refund = asked(h, &token, amount, stream.refundable(&token, now))?;
    // Not negative: what is refundable is in the deposit.
    stream.deposit = stream.deposit.saturating_sub(refund);
    let (payer, deposit) = (stream.payer, stream.deposit);
    found.save(h);
    h.emit(&Event::Refunded { number, amount: refund, deposit });
    ledger::pay(h, &token, &payer, refund, false);
    Ok(refund)
}
