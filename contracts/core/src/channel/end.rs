//! Ways out: requests by the payer, what executes them, and closing by the payee.

use super::record::Found;
use crate::{
    amount::{MAX_AMOUNT, NATIVE_GRAIN, floor_to_grain},
    blob::VoucherRow,
    book::{self, Tally},
    eip712::{Close, Domain, RequestRefund},
    error::{Error, Refused},
    event::Event,
    host::Host,
    ids::{Address, ChannelNumber},
    ledger,
    outcome::RowOutcome,
    signature::CompactSignature,
    signed,
};

fn only<H: Host>(h: &H, expected: Address) -> Result<(), Refused> {
    let caller = h.caller();
    if caller == expected { Ok(()) } else { Err(h.refuse(Error::NotAllowed { caller, expected })) }
}

/// The payer wants its balance back: from `due_at` on the channel can be finished.
pub fn request_close<H: Host>(h: &mut H, number: ChannelNumber) -> Result<u64, Refused> {
    ledger::refuse_value(h)?;
    let mut found = Found::load(h, number)?;
    only(h, found.channel.payer)?;
    if found.channel.close_due_at != 0 {
        return Err(h.refuse(Error::AlreadyRequested { due_at: found.channel.close_due_at }));
    }
    let due_at = h.now().saturating_add(u64::from(found.channel.challenge_period_secs));
    found.channel.close_due_at = due_at;
    found.save(h);
    h.emit(&Event::CloseRequested { number, due_at });
    Ok(due_at)
}

/// The payer wants a part of its balance back and keeps the channel. A new request takes the place of the last one and starts anew; an amount of 0
/// takes it back. More than the balance asks for all of it. Returns when it is due, 0 for none.
pub fn request_refund<H: Host>(h: &mut H, number: ChannelNumber, amount: u128) -> Result<u64, Refused> {
    ledger::refuse_value(h)?;
    let found = Found::load(h, number)?;
    only(h, found.channel.payer)?;
    ask_back(h, found, amount)
}

/// The same, as the payer signed it.
pub fn request_refund_for<H: Host>(
    h: &mut H,
    number: ChannelNumber,
    amount: u128,
    nonce: u64,
    deadline: u64,
    signature: &CompactSignature,
) -> Result<u64, Refused> {
    ledger::refuse_value(h)?;
    let found = Found::load(h, number)?;
    let message = RequestRefund { channel_id: found.id(h), amount, nonce, deadline };
    signed::check(h, Domain::Channels, &message, &found.channel.payer, nonce, deadline, signature)?;
    ask_back(h, found, amount)
}

fn ask_back<H: Host>(h: &mut H, mut found: Found, amount: u128) -> Result<u64, Refused> {
    let movable = floor_to_grain(&found.book.token, amount.min(MAX_AMOUNT));
    if amount == 0 && found.channel.refund_due_at == 0 {
        return Err(h.refuse(Error::NotRequested {}));
    }
    if amount != 0 && movable == 0 {
        return Err(h.refuse(Error::NotMovable { amount, grain: NATIVE_GRAIN }));
    }
    let due_at = if amount == 0 { 0 } else { h.now().saturating_add(u64::from(found.channel.challenge_period_secs)) };
    found.channel.refund_requested = movable;
    found.channel.refund_due_at = due_at;
    found.save(h);
    h.emit(&Event::RefundRequested { number: found.number, amount: movable, due_at });
    Ok(due_at)
}

/// Executes a close that is due, or else a refund that is. Anyone may; the money goes to the payer.
pub fn finish<H: Host>(h: &mut H, number: ChannelNumber) -> Result<(), Refused> {
    ledger::refuse_value(h)?;
    let mut found = Found::load(h, number)?;
    let (now, channel) = (h.now(), found.channel);
    if channel.close_due_at != 0 && now >= channel.close_due_at {
        end(h, found, None);
        return Ok(());
    }
    let refund_asked = channel.refund_due_at != 0 && now < channel.refund_lapses_at();
    if refund_asked && now >= channel.refund_due_at {
        let refund = channel.refund_requested.min(channel.balance());
        if refund == 0 {
            return Err(h.refuse(Error::NothingToPay {}));
        }
        found.channel.deposit = channel.deposit.saturating_sub(refund);
        found.channel.refund_requested = 0;
        found.channel.refund_due_at = 0;
        found.save(h);
        h.emit(&Event::Refunded { number, amount: refund, deposit: found.channel.deposit });
        ledger::pay(h, &found.book.token, &channel.payer, refund, false);
        return Ok(());
    }
    match (channel.close_due_at, refund_asked) {
        (0, false) if channel.refund_due_at != 0 => Err(h.refuse(Error::Lapsed { now, lapsed_at: channel.refund_lapses_at() })),
        (0, false) => Err(h.refuse(Error::NotRequested {})),
        (0, true) => Err(h.refuse(Error::NotDue { now, due_at: channel.refund_due_at })),
        (due_at, false) => Err(h.refuse(Error::NotDue { now, due_at })),
        (due_at, true) => Err(h.refuse(Error::NotDue { now, due_at: due_at.min(channel.refund_due_at) })),
    }
}

/// The payee closes at once: claims its last voucher, and the rest goes back to the payer. A voucher that adds nothing is not looked at.
pub fn close<H: Host>(h: &mut H, number: ChannelNumber, row: VoucherRow) -> Result<(), Refused> {
    ledger::refuse_value(h)?;
    let mut found = Found::load(h, number)?;
    only(h, found.book.payee)?;
    let separator = Domain::Channels.separator(&h.deployment(), h);
    let (outcome, gain) = found.channel.take(h, &separator, number, &found.book, row.cumulative_amount, &row.signature);
    let mut last = None;
    match outcome {
        RowOutcome::BadSignature => return Err(h.refuse(Error::BadSignature {})),
        _ if gain == 0 => {}
        _ => {
            last.insert(Tally::of(number.book, Some(found.book), 1)).add(h, number.serial, outcome, gain, found.channel.claimed);
        }
    }
    end(h, found, last);
    Ok(())
}

/// The same without a voucher, as the payee signed it: when the channel has paid exactly this total. Having paid more, it was used after the payee signed,
/// and what it may still hold of the payee's is not given up by an older word.
pub fn close_for<H: Host>(
    h: &mut H,
    number: ChannelNumber,
    cumulative_amount: u128,
    nonce: u64,
    deadline: u64,
    signature: &CompactSignature,
) -> Result<(), Refused> {
    ledger::refuse_value(h)?;
    let found = Found::load(h, number)?;
    let message = Close { channel_id: found.id(h), cumulative_amount, nonce, deadline };
    signed::check(h, Domain::Channels, &message, &found.book.payee, nonce, deadline, signature)?;
    if found.channel.claimed != cumulative_amount {
        return Err(h.refuse(Error::Unpaid { claimed: found.channel.claimed, expected: cumulative_amount }));
    }
    end(h, found, None);
    Ok(())
}

/// Deletes the record, then pays: the payee's last rows, and the balance back to the payer.
fn end<H: Host>(h: &mut H, mut found: Found, last: Option<Tally>) {
    found.delete(h);
    let refund = found.channel.balance();
    if let Some(tally) = last {
        book::settle_one(h, |h, fees| tally.settle(h, None, false, fees));
    }
    h.emit(&Event::Closed { number: found.number, claimed: found.channel.claimed, refund });
    ledger::pay(h, &found.book.token, &found.channel.payer, refund, false);
}
