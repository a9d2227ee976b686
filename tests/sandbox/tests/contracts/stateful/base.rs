//! Addresses, amounts, words and refusals, as a model writes them. Nothing here is core's.

use alloy_primitives::keccak256;
use std::fmt;

/// The smallest native amount that the chain moves, in wei.
pub const GRAIN: u128 = 100_000_000;
/// The chain's existential deposit, in wei: 0.01 DOT.
pub const EXISTENTIAL_WEI: u128 = 10_000_000_000_000_000;
/// One DOT in wei.
pub const DOT: u128 = 1_000_000_000_000_000_000;
/// The least that an account holds of USDC, and so the contract's seed.
pub const MINIMUM_USDC: u128 = 10_000;
/// The ceiling of relay fees that the tests' deployment fixes.
pub const CEILING_BPS: u16 = 500;
/// The largest amount: twelve bytes of it are stored.
pub const MAX_AMOUNT: u128 = 0xffff_ffff_ffff_ffff_ffff_ffff;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Addr(pub [u8; 20]);

impl fmt::Debug for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x")?;
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

/// The native token, and nobody's address.
pub const NATIVE: Addr = Addr([0; 20]);

/// A hash or a note: printed by its first bytes.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Id(pub [u8; 32]);

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zeros = self.0.iter().take_while(|b| **b == 0).count().min(31);
        write!(f, "0x")?;
        self.0[zeros..].iter().take(4).try_for_each(|b| write!(f, "{b:02x}"))
    }
}

/// Book and serial.
pub type Number = (u32, u32);

/// Thirty-two bytes, as the ABI and messages are made of.
pub type Word = [u8; 32];

pub fn word(v: impl Into<u128>) -> Word {
    let mut w = [0; 32];
    w[16..].copy_from_slice(&v.into().to_be_bytes());
    w
}

pub fn word_of(a: Addr) -> Word {
    let mut w = [0; 32];
    w[12..].copy_from_slice(&a.0);
    w
}

/// Bytes as the ABI has them behind their place: their length, then themselves, filled up with zeros.
pub fn words_of(bytes: &[u8]) -> Vec<Word> {
    let mut words = vec![word(bytes.len() as u128)];
    words.extend(bytes.chunks(32).map(|part| std::array::from_fn(|i| part.get(i).copied().unwrap_or(0))));
    words
}

/// A call's only answer, if it is bytes or a list.
pub fn answer_of(words: Vec<Word>) -> Vec<Word> {
    [vec![word(32u32)], words].concat()
}

/// An event, as it stands in a block: topics, then data.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    pub name: &'static str,
    pub topics: Vec<Word>,
    pub data: Vec<u8>,
}

impl Event {
    pub fn new(signature: &'static str, indexed: &[Word], data: Vec<Word>) -> Self {
        Self { name: signature, topics: [&[keccak256(signature).0][..], indexed].concat(), data: data.concat() }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of", self.name)?;
        let words = self.topics[1..].iter().map(|topic| &topic[..]).chain(self.data.chunks(32));
        words.map(|word| word.iter().map(|b| format!("{b:02x}")).collect::<String>()).try_for_each(|hex| {
            let digits = hex.trim_start_matches('0');
            write!(f, " {}", if digits.is_empty() { "0" } else { digits })
        })
    }
}

/// A refusal, written like the contract's own.
#[derive(PartialEq, Eq, Debug)]
pub enum Refused {
    NotListed { token: Addr },
    BadParty { party: Addr },
    BadSigner { signer: Addr },
    BadPeriod { given_secs: u32, min_secs: u32, max_secs: u32 },
    ZeroAmount,
    NotMovable { amount: u128, grain: u128 },
    WrongValue { sent: u128, expected: u128 },
    PullFailed { token: Addr, expected: u128, received: u128 },
    UnknownNumber { book: u32, serial: u32 },
    ClosedNumber { book: u32, serial: u32 },
    WrongChannel { expected: [u8; 32], actual: [u8; 32] },
    WrongParties { payer: Addr, payee: Addr, token: Addr },
    NotAllowed { caller: Addr, expected: Addr },
    AlreadyRequested { due_at: u64 },
    NotRequested,
    NotDue { now: u64, due_at: u64 },
    BadSignature,
    StaleVoucher { cumulative_amount: u128, claimed: u128 },
    NothingToPay,
    PayoutFailed { to: Addr, amount: u128 },
    // Found somewhere, which is not predicted.
    BadBlob { reason: u8 },
    TermsHeld { until: u64 },
    FeeAboveCeiling { given_bps: u16, ceiling_bps: u16 },
    BadSchedule { reason: u8 },
    BadRate { given_scaled: u128, max_scaled: u128 },
    Ended,
    WrongPause { paused: bool },
    NotCancellable,
    Overdraw { asked: u128, payable: u128 },
    Expired { now: u64, deadline: u64 },
    NonceUsed { signer: Addr, nonce: u64 },
    Lapsed { now: u64, lapsed_at: u64 },
    Unpaid { claimed: u128, expected: u128 },
    TooMuch { amount: u128, max: u128 },
    LengthsDiffer,
    NotTransferable,
    BadRights { given: u8 },
}

impl Refused {
    /// Its name.
    pub fn name(&self) -> String {
        name(self)
    }

    /// How the contract's error, printed, begins.
    pub fn text(&self) -> String {
        let text = format!("{self:?}");
        if matches!(self, Self::BadBlob { .. }) { text.trim_end_matches(" }").to_owned() + "," } else { text }
    }
}

/// The name of a call or a refusal.
pub fn name(of: &impl fmt::Debug) -> String {
    let text = format!("{of:?}");
    let text = text.strip_prefix("Shared(").unwrap_or(&text);
    text.split([' ', '(', ')']).next().unwrap_or_default().to_owned()
}

pub type Result<T, E = Refused> = std::result::Result<T, E>;

pub fn only(caller: Addr, expected: Addr) -> Result<()> {
    if caller == expected { Ok(()) } else { Err(Refused::NotAllowed { caller, expected }) }
}

pub fn no_money(sent: u128) -> Result<()> {
    if sent == 0 { Ok(()) } else { Err(Refused::WrongValue { sent, expected: 0 }) }
}

/// Rounded down to what the chain can move.
pub fn movable(token: Addr, amount: u128) -> u128 {
    if token == NATIVE { amount - amount % GRAIN } else { amount }
}
