//! Opening channels and topping them up.

use alloc::vec::Vec;

use super::record::{Cell, Channel, Found};
use crate::{
    amount::{MAX_AMOUNT, NATIVE_GRAIN, floor_to_grain},
    book,
    eip712::{Domain, Open},
    error::{Error, Refused},
    event::Event,
    host::{Host, Permit},
    ids::{Address, ChannelId, ChannelNumber, ChannelTerms, Token},
    ledger::{self, Config},
    signature::CompactSignature,
    signed,
};

/// One of many channels opened at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opening {
    /// Who is paid.
    pub payee: Address,
    /// Whose vouchers count, beside the payer's own.
    pub voucher_signer: Address,
    /// The deposit.
    pub amount: u128,
}

fn check<H: Host>(h: &H, config: &Config, payer: &Address, one: &Opening, challenge_period_secs: u32) -> Result<(), Refused> {
    ledger::check_party(h, payer)?;
    ledger::check_party(h, &one.payee)?;
    if one.payee == *payer {
        return Err(h.refuse(Error::BadParty { party: one.payee }));
    }
    if one.voucher_signer.is_zero() || one.voucher_signer == one.payee {
        return Err(h.refuse(Error::BadSigner { signer: one.voucher_signer }));
    }
    let Config { min_period_secs: min_secs, max_period_secs: max_secs, .. } = *config;
    if challenge_period_secs < min_secs || challenge_period_secs > max_secs {
        return Err(h.refuse(Error::BadPeriod { given_secs: challenge_period_secs, min_secs, max_secs }));
    }
    Ok(())
}

/// Writes a channel whose deposit has arrived.
fn record<H: Host>(
    h: &mut H,
    payer: Address,
    one: &Opening,
    token: Token,
    challenge_period_secs: u32,
    deposit: u128,
) -> Result<(ChannelNumber, ChannelId), Refused> {
    let Opening { payee, voucher_signer, .. } = *one;
    let number = book::next_number(h, &payee, &token)?;
    let opened_at = h.now();
    let channel = Channel {
        payer,
        voucher_signer,
        deposit,
        claimed: 0,
        challenge_period_secs,
        opened_at,
        close_due_at: 0,
        refund_requested: 0,
        refund_due_at: 0,
    };
    // A refund that fails later must not grow storage at the cost of who carries it.
    ledger::make_credit(h, &payer, &token);
    let mut cell = Cell::load(h, number);
    cell.put(number.serial, &channel);
    cell.store(h);
    let terms = ChannelTerms { number, payer, payee, voucher_signer, token, challenge_period_secs, opened_at };
    let id = terms.channel_id(&h.deployment(), h);
    h.emit(&Event::ChannelOpened { terms, amount: deposit, id });
    Ok((number, id))
}

/// Opens a channel with the caller's money.
pub fn open<H: Host>(h: &mut H, one: &Opening, token: Token, challenge_period_secs: u32) -> Result<(ChannelNumber, ChannelId), Refused> {
    let payer = h.caller();
    open_from(h, payer, one, token, challenge_period_secs)
}

/// The same, and the allowance comes with the call. A permit that does not count is ignored: the allowance may be there already.
pub fn open_with_permit<H: Host>(
    h: &mut H,
    one: &Opening,
    token: Token,
    challenge_period_secs: u32,
    permit: &Permit,
) -> Result<(ChannelNumber, ChannelId), Refused> {
    let payer = h.caller();
    use_permit(h, &token, &payer, one.amount, permit)?;
    open_from(h, payer, one, token, challenge_period_secs)
}

/// Opens a channel with the payer's tokens, as the payer signed it; whoever calls pays the fees. Native money cannot be pulled, so it is refused.
/// A permit is used first, if there is one; by itself it allows nothing here.
pub fn open_for<H: Host>(
    h: &mut H,
    message: &Open,
    signature: &CompactSignature,
    permit: Option<&Permit>,
) -> Result<(ChannelNumber, ChannelId), Refused> {
    ledger::refuse_value(h)?;
    signed::check(h, Domain::Channels, message, &message.payer, message.nonce, message.deadline, signature)?;
    if let Some(permit) = permit {
        use_permit(h, &message.token, &message.payer, message.amount, permit)?;
    }
    let one = Opening { payee: message.payee, voucher_signer: message.voucher_signer, amount: message.amount };
    open_from(h, message.payer, &one, message.token, message.challenge_period_secs)
}

/// Opens many channels of one token with the caller's money; all of them or none. What a token moves along with the pull (see
/// [`ledger::take_deposit`]) is the last one's.
pub fn open_many<H: Host>(h: &mut H, token: Token, challenge_period_secs: u32, many: &[Opening]) -> Result<Vec<ChannelNumber>, Refused> {
    let payer = h.caller();
    let config = Config::load(h);
    let mut total = 0u128;
    for one in many {
        check(h, &config, &payer, one, challenge_period_secs)?;
        if one.amount == 0 {
            return Err(h.refuse(Error::ZeroAmount {}));
        }
        if floor_to_grain(&token, one.amount) != one.amount {
            return Err(h.refuse(Error::NotMovable { amount: one.amount, grain: NATIVE_GRAIN }));
        }
        total = total.saturating_add(one.amount);
    }
    let mut more = ledger::take_deposit(h, &token, &payer, total)?.saturating_sub(total);
    let mut numbers = Vec::with_capacity(many.len());
    for (i, one) in many.iter().enumerate() {
        let along = if i.saturating_add(1) == many.len() { core::mem::take(&mut more) } else { 0 };
        numbers.push(record(h, payer, one, token, challenge_period_secs, one.amount.saturating_add(along))?.0);
    }
    Ok(numbers)
}

fn open_from<H: Host>(
    h: &mut H,
    payer: Address,
    one: &Opening,
    token: Token,
    challenge_period_secs: u32,
) -> Result<(ChannelNumber, ChannelId), Refused> {
    check(h, &Config::load(h), &payer, one, challenge_period_secs)?;
    let deposit = ledger::take_deposit(h, &token, &payer, one.amount)?;
    record(h, payer, one, token, challenge_period_secs, deposit)
}

/// Only of a listed token: what is called must be the chain's own code.
fn use_permit<H: Host>(h: &mut H, token: &Token, owner: &Address, amount: u128, permit: &Permit) -> Result<(), Refused> {
    if token.is_zero() || ledger::TokenState::load(h, token).is_none() {
        return Err(h.refuse(Error::NotListed { token: *token }));
    }
    h.permit(token, owner, amount, permit);
    Ok(())
}

/// Adds the caller's money to the channel, if it is the expected one: after a reorg the number may be another's. Timers go on as they were.
pub fn top_up<H: Host>(h: &mut H, number: ChannelNumber, expected: ChannelId, amount: u128) -> Result<(), Refused> {
    let mut found = Found::load(h, number)?;
    let actual = found.id(h);
    if actual != expected {
        return Err(h.refuse(Error::WrongChannel { expected: expected.0, actual: actual.0 }));
    }
    let from = h.caller();
    let received = ledger::take_deposit(h, &found.book.token, &from, amount)?;
    let deposit = found.channel.deposit.saturating_add(received);
    if deposit > MAX_AMOUNT {
        return Err(h.refuse(Error::TooMuch { amount: deposit, max: MAX_AMOUNT }));
    }
    found.channel.deposit = deposit;
    found.save(h);
    h.emit(&Event::ToppedUp { number, from, amount: received, deposit });
    Ok(())
}
