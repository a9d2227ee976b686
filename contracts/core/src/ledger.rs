//! Money in, money out: what both contracts owe, per token, and to whom it could not be paid.
//!
//! Rules, whatever calls come (tested in `tests/channel_properties.rs` and on the compiled bundles):
//! - per token, the contract's balance is at least its seed plus `owed`, with equality while nobody sent it anything beside a deposit;
//! - `owed` falls before a transfer leaves, and rises again only as a credit of the same amount;
//! - nothing a recipient does makes a payout fail: it becomes the recipient's credit.

use crate::{
    amount::{MAX_AMOUNT, NATIVE_GRAIN, floor_to_grain},
    eip712::{Collect, Domain},
    error::{Error, Refused},
    event::Event,
    fee::BPS,
    host::{Host, Key, Recipient},
    ids::{Address, Token},
    record::{Reader, Writer},
    signature::CompactSignature,
    signed,
};

/// The most tokens beside the native one.
pub const MAX_TOKENS: usize = 16;
/// The longest challenge period that can be allowed: 365 days. Longer would lock a payer's money beyond reason.
pub const MAX_PERIOD_SECS: u32 = 31_536_000;

/// What deployment fixed, and the book counter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// The shortest challenge period.
    pub min_period_secs: u32,
    /// The longest challenge period.
    pub max_period_secs: u32,
    /// The most a row's relay fee can be, in hundredths of a percent of its gain.
    pub fee_ceiling_bps: u16,
    /// Where transfers by mistake may be swept to.
    pub sweep_to: Address,
    /// The highest book number.
    pub books: u32,
    /// How many tokens are listed, beside the native one.
    pub tokens: u32,
}

impl Config {
    /// Bytes of the cell.
    pub const BYTES: usize = 38;

    fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut b = [0; Self::BYTES];
        Writer::new(&mut b)
            .u32(self.min_period_secs)
            .u32(self.max_period_secs)
            .u16(self.fee_ceiling_bps)
            .address(&self.sweep_to)
            .u32(self.books)
            .u32(self.tokens);
        b
    }

    fn from_bytes(b: &[u8; Self::BYTES]) -> Self {
        let mut r = Reader::new(b);
        Self { min_period_secs: r.u32(), max_period_secs: r.u32(), fee_ceiling_bps: r.u16(), sweep_to: r.address(), books: r.u32(), tokens: r.u32() }
    }

    /// Reads it. Zeros before deployment, which allow nothing.
    pub fn load<H: Host>(h: &H) -> Self {
        Self::from_bytes(&h.load(&Key::Config).unwrap_or([0; Self::BYTES]))
    }

    /// Writes it.
    pub fn save<H: Host>(&self, h: &mut H) {
        h.save(&Key::Config, &self.to_bytes());
    }
}

/// A listed token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TokenState {
    /// Its minimum balance: kept by the contract, never owed, paid or swept.
    pub seed: u128,
    /// What all channels or streams and credits are owed together.
    pub owed: u128,
}

impl TokenState {
    /// Bytes of the cell.
    pub const BYTES: usize = 24;

    /// Reads it; `None` when the token is not listed.
    pub fn load<H: Host>(h: &H, token: &Token) -> Option<Self> {
        let b: [u8; Self::BYTES] = h.load(&Key::Token(*token))?;
        let mut r = Reader::new(&b);
        Some(Self { seed: r.amount(), owed: r.amount() })
    }

    fn save<H: Host>(&self, h: &mut H, token: &Token) {
        let mut b = [0; Self::BYTES];
        Writer::new(&mut b).amount(self.seed).amount(self.owed);
        h.save(&Key::Token(*token), &b);
    }
}

/// Fixes what deployment fixes. Tokens and seeds go in pairs; a token must be an external precompile (the chain's own assets), so that none can
/// re-enter, take a fee or lie about balances.
pub fn deploy<H: Host>(
    h: &mut H,
    tokens: impl ExactSizeIterator<Item = Token>,
    seeds: impl ExactSizeIterator<Item = u128>,
    mut config: Config,
) -> Result<(), Refused> {
    if tokens.len() > MAX_TOKENS {
        return Err(h.refuse(Error::BadConfig { field: 0 }));
    }
    if seeds.len() != tokens.len() {
        return Err(h.refuse(Error::BadConfig { field: 1 }));
    }
    if config.min_period_secs == 0 {
        return Err(h.refuse(Error::BadConfig { field: 2 }));
    }
    if config.max_period_secs > MAX_PERIOD_SECS || config.min_period_secs > config.max_period_secs {
        return Err(h.refuse(Error::BadConfig { field: 3 }));
    }
    if config.fee_ceiling_bps > BPS {
        return Err(h.refuse(Error::BadConfig { field: 4 }));
    }
    if !is_party(h, &config.sweep_to) {
        return Err(h.refuse(Error::BadConfig { field: 5 }));
    }
    TokenState::default().save(h, &Token::ZERO);
    config.books = 0;
    config.tokens = 0;
    for (token, seed) in tokens.zip(seeds) {
        if !token.is_asset() || TokenState::load(h, &token).is_some() {
            return Err(h.refuse(Error::BadConfig { field: 0 }));
        }
        if seed > MAX_AMOUNT {
            return Err(h.refuse(Error::BadConfig { field: 1 }));
        }
        TokenState { seed, owed: 0 }.save(h, &token);
        h.save(&Key::TokenAt(config.tokens), &token.0);
        config.tokens = config.tokens.saturating_add(1);
    }
    config.save(h);
    Ok(())
}

/// True unless the address can be nobody's: zero, this contract, a token or another precompile.
fn is_party<H: Host>(h: &H, party: &Address) -> bool {
    !party.is_zero() && !party.is_precompile() && *party != h.deployment().contract
}

/// Refuses an address that can be nobody's.
pub fn check_party<H: Host>(h: &H, party: &Address) -> Result<(), Refused> {
    if !is_party(h, party) {
        return Err(h.refuse(Error::BadParty { party: *party }));
    }
    Ok(())
}

/// Refuses a call that takes no money but came with some.
pub fn refuse_value<H: Host>(h: &H) -> Result<(), Refused> {
    match h.value_wei() {
        0 => Ok(()),
        sent => Err(h.refuse(Error::WrongValue { sent, expected: 0 })),
    }
}

/// Takes `amount` and owes it: native money as the call's value, tokens from `from` by allowance. Returns what arrived: for tokens the measured
/// difference, which is more than asked when the payer's remainder was below the token's minimum balance and moved along.
pub fn take_deposit<H: Host>(h: &mut H, token: &Token, from: &Address, amount: u128) -> Result<u128, Refused> {
    let mut state = TokenState::load(h, token).ok_or_else(|| h.refuse(Error::NotListed { token: *token }))?;
    if amount == 0 {
        return Err(h.refuse(Error::ZeroAmount {}));
    }
    let expected_value = if token.is_zero() { amount } else { 0 };
    if h.value_wei() != expected_value {
        return Err(h.refuse(Error::WrongValue { sent: h.value_wei(), expected: expected_value }));
    }
    let received = if token.is_zero() {
        if h.caller() != *from {
            return Err(h.refuse(Error::PullFailed { token: *token, expected: amount, received: 0 }));
        }
        if floor_to_grain(token, amount) != amount {
            return Err(h.refuse(Error::NotMovable { amount, grain: NATIVE_GRAIN }));
        }
        amount
    } else {
        pull(h, token, from, state.seed, amount)?
    };
    let owed = state.owed.saturating_add(received);
    if owed > MAX_AMOUNT {
        return Err(h.refuse(Error::TooMuch { amount: owed, max: MAX_AMOUNT }));
    }
    state.owed = owed;
    state.save(h, token);
    Ok(received)
}

fn pull<H: Host>(h: &mut H, token: &Token, from: &Address, seed: u128, amount: u128) -> Result<u128, Refused> {
    let before = h.token_balance(token).unwrap_or(0);
    if before < seed {
        return Err(h.refuse(Error::Unseeded { token: *token, balance: before, seed }));
    }
    let pulled = h.pull_token(token, from, amount);
    let received = h.token_balance(token).unwrap_or(0).saturating_sub(before);
    if !pulled || received < amount {
        return Err(h.refuse(Error::PullFailed { token: *token, expected: amount, received }));
    }
    Ok(received)
}

/// `owed` as it is after paying `amount`. What is paid was owed, so it cannot fall below zero; if it could, the payout would be refused here.
fn release<H: Host>(h: &mut H, token: &Token, amount: u128) -> bool {
    match TokenState::load(h, token) {
        Some(mut state) if state.owed >= amount => {
            state.owed = state.owed.saturating_sub(amount);
            state.save(h, token);
            true
        }
        _ => false,
    }
}

/// `alone`: nothing but this payout depends on the call. Only then is a contract's code run: whatever limits a call has, pallet-revive lets some errors of the
/// callee undo the caller (0.20.2: an unsupported builtin precompile). An account that does not exist would charge its existential deposit to whoever submits.
fn send<H: Host>(h: &mut H, token: &Token, to: &Address, amount: u128, fund_new: bool, alone: bool) -> bool {
    if !token.is_zero() {
        return h.send_token(token, to, amount);
    }
    let may = match h.recipient(to) {
        Recipient::Absent => fund_new,
        Recipient::Account => true,
        Recipient::Contract => alone,
    };
    may && h.send_native(to, amount, fund_new)
}

/// Pays what is owed, or turns it into credit of `to`. The caller has already taken `amount` off the record it was owed by.
pub fn pay<H: Host>(h: &mut H, token: &Token, to: &Address, amount: u128, fund_new: bool) {
    pay_for(h, token, to, to, amount, fund_new);
}

/// The same to an address of the owner's choice. What does not go through stays the owner's: an address that cannot be paid may not be able to collect.
pub fn pay_for<H: Host>(h: &mut H, token: &Token, owner: &Address, to: &Address, amount: u128, fund_new: bool) {
    if amount == 0 {
        return;
    }
    if release(h, token, amount) {
        if send(h, token, to, amount, fund_new, false) {
            return;
        }
        if let Some(mut state) = TokenState::load(h, token) {
            state.owed = state.owed.saturating_add(amount);
            state.save(h, token);
        }
    }
    add_credit(h, token, owner, amount);
}

/// Bytes of a credit's cell.
pub const CREDIT_BYTES: usize = 12;

/// What `owner` can collect.
pub fn credit_of<H: Host>(h: &H, owner: &Address, token: &Token) -> u128 {
    h.load::<CREDIT_BYTES>(&Key::Credit(*owner, *token)).map_or(0, |b| Reader::new(&b).amount())
}

/// Makes the cell of a credit, empty, at the cost of who calls now: a payout that fails later then grows nothing at the cost of who submits it.
pub fn make_credit<H: Host>(h: &mut H, owner: &Address, token: &Token) {
    let key = Key::Credit(*owner, *token);
    if h.load::<CREDIT_BYTES>(&key).is_none() {
        h.save(&key, &[0; CREDIT_BYTES]);
    }
}

/// Owes `amount` to `owner` as credit; `owed` already counts it. The sum stays below `owed`, which is at most [`MAX_AMOUNT`].
pub fn add_credit<H: Host>(h: &mut H, token: &Token, owner: &Address, amount: u128) {
    let sum = credit_of(h, owner, token).saturating_add(amount);
    let mut b = [0; CREDIT_BYTES];
    Writer::new(&mut b).amount(sum);
    h.save(&Key::Credit(*owner, *token), &b);
    h.emit(&Event::Credited { owner: *owner, token: *token, amount });
}

/// Pays all of the caller's credit to an address of its choice.
pub fn collect<H: Host>(h: &mut H, token: &Token, to: &Address) -> Result<u128, Refused> {
    let owner = h.caller();
    collect_for(h, &owner, token, to)
}

/// The same in an owner's name, as it signed it.
pub fn collect_signed<H: Host>(h: &mut H, domain: Domain, message: &Collect, signature: &CompactSignature) -> Result<u128, Refused> {
    refuse_value(h)?;
    signed::check(h, domain, message, &message.owner, message.nonce, message.deadline, signature)?;
    collect_for(h, &message.owner, &message.token, &message.to)
}

/// Sends what nobody is owed, and is no seed, where deployment said: transfers by mistake. Of any of the chain's tokens, listed or not. Anyone may call it.
/// Refused if it touches what is owed of any listed token: should the chain ever give one balance two addresses, sweeping one of them would pay out the other.
pub fn sweep<H: Host>(h: &mut H, token: &Token) -> Result<u128, Refused> {
    refuse_value(h)?;
    if !token.is_zero() && !token.is_asset() {
        return Err(h.refuse(Error::NotListed { token: *token }));
    }
    let state = TokenState::load(h, token).unwrap_or_default();
    let kept = state.seed.saturating_add(state.owed);
    let amount = floor_to_grain(token, h.token_balance(token).unwrap_or(0).saturating_sub(kept));
    if amount == 0 {
        return Err(h.refuse(Error::NothingToPay {}));
    }
    let to = Config::load(h).sweep_to;
    if !send(h, token, &to, amount, true, true) {
        return Err(h.refuse(Error::PayoutFailed { to, amount }));
    }
    let listed = (0..Config::load(h).tokens).filter_map(|i| h.load::<20>(&Key::TokenAt(i)).map(Address)).chain([Address::ZERO]);
    for other in listed {
        let TokenState { seed, owed } = TokenState::load(h, &other).unwrap_or_default();
        if owed > 0 && h.token_balance(&other).unwrap_or(0) < seed.saturating_add(owed) {
            return Err(h.refuse(Error::PayoutFailed { to, amount }));
        }
    }
    h.emit(&Event::Swept { token: *token, to, amount });
    Ok(amount)
}

/// Pays all of an owner's credit to the owner. Anyone may call it, who also pays to create the owner's account if it does not exist.
pub fn push<H: Host>(h: &mut H, owner: &Address, token: &Token) -> Result<u128, Refused> {
    collect_for(h, owner, token, owner)
}

fn collect_for<H: Host>(h: &mut H, owner: &Address, token: &Token, to: &Address) -> Result<u128, Refused> {
    refuse_value(h)?;
    check_party(h, to)?;
    let amount = credit_of(h, owner, token);
    if amount == 0 {
        return Err(h.refuse(Error::NothingToPay {}));
    }
    // The cell stays: were its deposit given back here, the next payout that fails would charge it to a relayer again.
    h.save(&Key::Credit(*owner, *token), &[0; CREDIT_BYTES]);
    if !release(h, token, amount) || !send(h, token, to, amount, true, true) {
        // The whole call reverts, the credit with it.
        return Err(h.refuse(Error::PayoutFailed { to: *to, amount }));
    }
    h.emit(&Event::Collected { owner: *owner, token: *token, to: *to, amount });
    Ok(amount)
}
