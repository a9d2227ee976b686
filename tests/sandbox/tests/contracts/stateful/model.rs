//! Channels as `contracts/README.md` tells of them, in plain Rust that knows neither core nor the pallet: own records, own arithmetic, own reading of
//! the raw storage. A test puts the same call to this and to the compiled contract, and compares.

use alloy_primitives::keccak256;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// The smallest native amount that the chain moves, in wei.
pub const GRAIN: u128 = 100_000_000;
/// The chain's existential deposit, in wei: 0.01 DOT.
pub const EXISTENTIAL_WEI: u128 = 10_000_000_000_000_000;
/// The least that an account holds of USDC, and so the contract's seed.
const MINIMUM_USDC: u128 = 10_000;
/// What the tests' deployment fixes.
const PERIODS: (u32, u32) = (60, 2_592_000);
const CEILING_BPS: u16 = 500;
/// The largest amount: twelve bytes of it are stored.
const MAX_AMOUNT: u128 = 0xffff_ffff_ffff_ffff_ffff_ffff;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Addr(pub [u8; 20]);

impl fmt::Debug for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x")?;
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

pub const NATIVE: Addr = Addr([0; 20]);

/// Book and serial.
pub type Number = (u32, u32);

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Terms {
    pub beneficiary: Addr,
    pub bps: u16,
    pub flat: u128,
    pub min_gain: u128,
    pub until: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Book {
    pub payee: Addr,
    pub token: Addr,
    pub next_serial: u32,
    pub ceiling_bps: u16,
    pub terms: Terms,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Channel {
    pub payer: Addr,
    pub signer: Addr,
    pub deposit: u128,
    pub claimed: u128,
    pub period: u32,
    pub opened_at: u64,
    pub close_due_at: u64,
    pub asked: u128,
    pub refund_due_at: u64,
}

impl Channel {
    pub fn balance(&self) -> u128 {
        self.deposit - self.claimed
    }

    pub fn lapses_at(&self) -> u64 {
        self.refund_due_at + u64::from(self.period)
    }

    pub fn cover(&self, now: u64) -> u128 {
        let pending = self.refund_due_at != 0 && now < self.lapses_at();
        match (self.close_due_at != 0, pending) {
            (true, _) => self.claimed,
            (false, true) => self.deposit.saturating_sub(self.asked).max(self.claimed),
            (false, false) => self.deposit,
        }
    }
}

/// All that the contract stores, credits of zero left out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct State {
    pub books: BTreeMap<u32, Book>,
    pub channels: BTreeMap<Number, Channel>,
    pub credits: BTreeMap<(Addr, Addr), u128>,
    pub nonces: BTreeSet<(Addr, u64)>,
    /// By token.
    pub owed: BTreeMap<Addr, u128>,
}

struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or("a cell is too short")?;
        self.0 = rest;
        Ok(*head)
    }
    fn int(&mut self, bytes: usize) -> Result<u128, String> {
        (0..bytes).try_fold(0, |sum, _| Ok(sum << 8 | u128::from(self.take::<1>()?[0])))
    }
    fn addr(&mut self) -> Result<Addr, String> {
        self.take().map(Addr)
    }
    fn end(self) -> Result<(), String> {
        if self.0.is_empty() { Ok(()) } else { Err(format!("{} bytes too many in a cell", self.0.len())) }
    }
}

impl State {
    /// From the raw cells, byte by byte; anything that should not be there is an error.
    pub fn parse(cells: &BTreeMap<Vec<u8>, Vec<u8>>) -> Result<Self, String> {
        let mut state = Self::default();
        let (mut counted, mut pairs) = (0, BTreeMap::new());
        for (key, value) in cells.iter().filter(|(key, _)| **key != [0; 4]) {
            let (mut k, mut v) = (Bytes(key), Bytes(value));
            match k.take::<1>()?[0] {
                0 => {
                    v.take::<30>()?;
                    counted = v.int(4)? as usize;
                    v.int(4)?;
                }
                1 => {
                    let (token, _seed) = (k.addr()?, v.int(12)?);
                    state.owed.insert(token, v.int(12)?);
                }
                2 => {
                    k.int(4)?;
                    v.addr()?;
                }
                3 => {
                    pairs.insert((k.addr()?, k.addr()?), v.int(4)? as u32);
                }
                4 => {
                    let (payee, token, next_serial, ceiling_bps) = (v.addr()?, v.addr()?, v.int(4)? as u32, v.int(2)? as u16);
                    let (beneficiary, bps) = (v.addr()?, v.int(2)? as u16);
                    let terms = Terms { beneficiary, bps, flat: v.int(12)?, min_gain: v.int(12)?, until: v.int(8)? as u64 };
                    state.books.insert(k.int(4)? as u32, Book { payee, token, next_serial, ceiling_bps, terms });
                }
                6 => {
                    let (owner, token, credit) = (k.addr()?, k.addr()?, v.int(12)?);
                    if credit > 0 {
                        state.credits.insert((owner, token), credit);
                    }
                }
                7 => {
                    let (book, index) = (k.int(4)? as u32, k.int(4)? as u32);
                    if value.is_empty() || !value.len().is_multiple_of(96) || value.len() > 4 * 96 {
                        return Err(format!("a cell of channels has {} bytes", value.len()));
                    }
                    while !v.0.is_empty() {
                        let low = v.int(1)? as u32;
                        let channel = Channel {
                            payer: v.addr()?,
                            signer: v.addr()?,
                            deposit: v.int(12)?,
                            claimed: v.int(12)?,
                            period: v.int(4)? as u32,
                            opened_at: v.int(5)? as u64,
                            close_due_at: v.int(5)? as u64,
                            asked: v.int(12)?,
                            refund_due_at: v.int(5)? as u64,
                        };
                        if low > 3 || state.channels.insert((book, 4 * index + low), channel).is_some() {
                            return Err(format!("slot {low} in a cell of book {book} twice, or of no channel"));
                        }
                    }
                }
                8 => {
                    let (signer, high) = (k.addr()?, k.int(8)? as u64);
                    let used = v.take::<32>()?;
                    let bits = (0..256u64).filter(|bit| used[*bit as usize / 8] & 1 << (bit % 8) != 0);
                    state.nonces.extend(bits.map(|bit| (signer, high << 8 | bit)));
                }
                tag => return Err(format!("a cell with the tag {tag}")),
            }
            k.end()?;
            v.end()?;
        }
        let of_books: BTreeMap<_, _> = state.books.iter().map(|(n, b)| ((b.payee, b.token), *n)).collect();
        if counted != state.books.len() || of_books != pairs {
            return Err(format!("{counted} books are counted, and these are listed by pair: {pairs:?}, of these: {of_books:?}"));
        }
        Ok(state)
    }

    /// What channels and credits of a token are owed, added up.
    pub fn sum(&self, token: Addr) -> u128 {
        let channels = self.channels.iter().filter(|(n, _)| self.books[&n.0].token == token).map(|(_, c)| c.balance());
        channels.chain(self.credits.iter().filter(|(k, _)| k.1 == token).map(|(_, v)| *v)).sum()
    }
}

/// What stands at an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Account,
    Absent,
    // A contract, which takes native money, or does not.
    Code { takes: bool },
}

/// What somebody has outside of the contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Account {
    pub kind: Kind,
    /// Wei, the existential deposit included.
    pub native: u128,
    pub usdc: u128,
    /// The contract may pull its USDC.
    pub approves: bool,
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
    Expired { now: u64, deadline: u64 },
    NonceUsed { signer: Addr, nonce: u64 },
    Lapsed { now: u64, lapsed_at: u64 },
    Unpaid { claimed: u128, expected: u128 },
    TooMuch { amount: u128, max: u128 },
}

impl Refused {
    /// Its name.
    pub fn name(&self) -> String {
        format!("{self:?}").split(' ').next().unwrap_or_default().to_owned()
    }

    /// How the contract's error, printed, begins.
    pub fn text(&self) -> String {
        let text = format!("{self:?}");
        if matches!(self, Self::BadBlob { .. }) { text.trim_end_matches(" }").to_owned() + "," } else { text }
    }
}

/// A voucher in a call: whom its signature of this channel's id and this total recovers to; `None` when to nobody of the test.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub total: u128,
    pub by: Option<Addr>,
}

#[derive(Clone, Copy, Debug)]
pub struct Signed {
    pub by: Option<Addr>,
    pub nonce: u64,
    pub deadline: u64,
}

#[derive(Clone, Copy, Debug)]
pub struct Opening {
    pub payee: Addr,
    pub signer: Addr,
    pub amount: u128,
}

/// Rows of one book: the book, whether its payout may make an account, and rows by serial.
pub type Group = (u32, bool, Vec<(u32, Row)>);

#[derive(Clone, Debug)]
pub enum Call {
    Open { one: Opening, token: Addr, period: u32 },
    OpenMany { many: Vec<Opening>, token: Addr, period: u32 },
    OpenFor { payer: Addr, one: Opening, token: Addr, period: u32, signed: Signed },
    TopUp { number: Number, id: [u8; 32], amount: u128 },
    Claim { number: Number, row: Row },
    Batch { groups: Vec<Group> },
    BadBatch { reason: u8 },
    RequestClose { number: Number },
    RequestRefund { number: Number, amount: u128 },
    RequestRefundFor { number: Number, amount: u128, signed: Signed },
    Finish { number: Number },
    Close { number: Number, row: Row },
    CloseFor { number: Number, total: u128, signed: Signed },
    SetTerms { token: Addr, terms: Terms },
    SetTermsFor { payee: Addr, token: Addr, terms: Terms, signed: Signed },
    Collect { token: Addr, to: Addr },
    CollectFor { owner: Addr, token: Addr, to: Addr, signed: Signed },
    Push { owner: Addr, token: Addr },
    Sweep { token: Addr },
    RevokeNonce { nonce: u64 },
}

fn word(v: u128) -> [u8; 32] {
    let mut w = [0; 32];
    w[16..].copy_from_slice(&v.to_be_bytes());
    w
}

fn word_of(a: Addr) -> [u8; 32] {
    let mut w = [0; 32];
    w[12..].copy_from_slice(&a.0);
    w
}

/// Codes of a row's outcome.
const APPLIED: u8 = 0;
const CAPPED: u8 = 1;
const STALE: u8 = 2;
const BAD_SIGNATURE: u8 = 3;
const UNKNOWN: u8 = 4;
const CLOSED: u8 = 5;

type Result<T, E = Refused> = std::result::Result<T, E>;

/// Fees that wait for the next group, which may have the same beneficiary and token.
#[derive(Default)]
struct Waiting(Option<(Addr, Addr, u128)>);

#[derive(Clone, Debug)]
pub struct Model {
    pub chain_id: u64,
    pub contract: Addr,
    pub usdc: Addr,
    pub sweep_to: Addr,
    /// Addresses that can be no party.
    pub platform: Vec<Addr>,
    pub now: u64,
    pub state: State,
    pub accounts: BTreeMap<Addr, Account>,
    /// Sent to the contract beside any deposit, by token.
    pub gifts: BTreeMap<Addr, u128>,
    /// Every number that was ever opened, in order.
    pub opened: Vec<Number>,
    /// What the last call could not pay: owner, token, amount.
    pub credited: Vec<(Addr, Addr, u128)>,
    /// How many accounts the last call made by paying native money, at its sender's cost.
    pub funded: u32,
}

impl Call {
    /// Its name.
    pub fn name(&self) -> String {
        format!("{self:?}").split(' ').next().unwrap_or_default().to_owned()
    }
}

impl Model {
    /// What the contract answers, as ABI bytes, and what changes; or nothing changes.
    pub fn call(&mut self, caller: Addr, value: u128, call: &Call) -> Result<Vec<u8>> {
        let mut next = self.clone();
        next.credited.clear();
        next.funded = 0;
        next.account(caller).native -= value;
        let answer = next.run(caller, value, call)?;
        *self = next;
        Ok(answer.concat())
    }

    pub fn account(&mut self, who: Addr) -> &mut Account {
        self.accounts.entry(who).or_insert(Account { kind: Kind::Absent, native: 0, usdc: 0, approves: false })
    }

    /// `keccak256(abi.encode(chainId, contract, book, serial, payer, payee, voucherSigner, token, challengePeriodSecs, openedAt))`
    pub fn id(&self, number: Number) -> [u8; 32] {
        let Some(c) = self.state.channels.get(&number) else { return [0; 32] };
        let book = &self.state.books[&number.0];
        let words = [
            word(self.chain_id.into()),
            word_of(self.contract),
            word(number.0.into()),
            word(number.1.into()),
            word_of(c.payer),
            word_of(book.payee),
            word_of(c.signer),
            word_of(book.token),
            word(c.period.into()),
            word(c.opened_at.into()),
        ];
        keccak256(words.concat()).0
    }

    /// The EIP-712 digest of a message of this type.
    pub fn digest(&self, text: &str, words: &[[u8; 32]]) -> [u8; 32] {
        let domain = [
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)").0,
            keccak256("Rivulet Channels").0,
            keccak256("1").0,
            word(self.chain_id.into()),
            word_of(self.contract),
        ];
        let hash = keccak256([&[keccak256(text).0][..], words].concat().concat());
        keccak256([&[0x19, 0x01][..], &keccak256(domain.concat()).0, &hash.0].concat()).0
    }

    /// What a voucher's signer signs.
    pub fn voucher(&self, id: [u8; 32], total: u128) -> [u8; 32] {
        self.digest("Voucher(bytes32 channelId,uint128 cumulativeAmount)", &[id, word(total)])
    }

    fn run(&mut self, caller: Addr, value: u128, call: &Call) -> Result<Vec<[u8; 32]>> {
        // Terms in a payee's name look at the signature first.
        let takes_money = matches!(call, Call::Open { .. } | Call::OpenMany { .. } | Call::TopUp { .. });
        if !takes_money && !matches!(call, Call::SetTermsFor { .. }) {
            no_money(value)?;
        }
        Ok(match *call {
            Call::Open { one, token, period } => self.open(caller, caller, value, one, token, period)?,
            Call::OpenFor { payer, one, token, period, signed } => {
                self.check_signed(payer, signed)?;
                self.open(caller, payer, value, one, token, period)?
            }
            Call::OpenMany { ref many, token, period } => self.open_many(caller, value, many, token, period)?,
            Call::TopUp { number, id, amount } => {
                let (token, actual) = (self.channel(number)?.1.token, self.id(number));
                if id != actual {
                    return Err(Refused::WrongChannel { expected: id, actual });
                }
                let received = self.take(caller, caller, value, token, amount)?;
                self.stored(number).deposit += received;
                vec![]
            }
            Call::Claim { number, row } => {
                let claimed = self.channel(number)?.0.claimed;
                let (mut fees, group) = (Waiting::default(), [(number.1, row)]);
                let (outcomes, gain, fee) = self.rows(number.0, &group);
                match outcomes[0] {
                    STALE => return Err(Refused::StaleVoucher { cumulative_amount: row.total, claimed }),
                    BAD_SIGNATURE => return Err(Refused::BadSignature),
                    outcome => {
                        self.settle(number.0, gain, fee, false, &mut fees);
                        self.pay_fees(&mut fees);
                        vec![word(outcome.into()), word(gain)]
                    }
                }
            }
            Call::Batch { ref groups } => {
                let (mut all, mut fees) = (Vec::new(), Waiting::default());
                for (book, fund_new, rows) in groups {
                    let (outcomes, gain, fee) = self.rows(*book, rows);
                    all.extend(outcomes);
                    self.settle(*book, gain, fee, *fund_new, &mut fees);
                }
                self.pay_fees(&mut fees);
                let mut answer = vec![word(32), word(all.len() as u128)];
                answer.extend(all.chunks(32).map(|part| std::array::from_fn(|i| part.get(i).copied().unwrap_or(0))));
                answer
            }
            Call::BadBatch { reason } => return Err(Refused::BadBlob { reason }),
            Call::RequestClose { number } => {
                let (c, _) = self.channel(number)?;
                only(caller, c.payer)?;
                if c.close_due_at != 0 {
                    return Err(Refused::AlreadyRequested { due_at: c.close_due_at });
                }
                let due_at = self.now + u64::from(c.period);
                self.stored(number).close_due_at = due_at;
                vec![word(due_at.into())]
            }
            Call::RequestRefund { number, amount } => {
                only(caller, self.channel(number)?.0.payer)?;
                self.ask_back(number, amount)?
            }
            Call::RequestRefundFor { number, amount, signed } => {
                let payer = self.channel(number)?.0.payer;
                self.check_signed(payer, signed)?;
                self.ask_back(number, amount)?
            }
            Call::Finish { number } => self.finish(number)?,
            Call::Close { number, row } => {
                only(caller, self.channel(number)?.1.payee)?;
                let (outcomes, gain, fee) = self.rows(number.0, &[(number.1, row)]);
                if outcomes[0] == BAD_SIGNATURE {
                    return Err(Refused::BadSignature);
                }
                self.end(number, Some((gain, fee)))
            }
            Call::CloseFor { number, total, signed } => {
                let (c, book) = self.channel(number)?;
                self.check_signed(book.payee, signed)?;
                if c.claimed != total {
                    return Err(Refused::Unpaid { claimed: c.claimed, expected: total });
                }
                self.end(number, None)
            }
            Call::SetTerms { token, terms } => self.set_terms(caller, token, terms)?,
            Call::SetTermsFor { payee, token, terms, signed } => {
                no_money(value)?;
                self.check_signed(payee, signed)?;
                self.set_terms(payee, token, terms)?
            }
            Call::Collect { token, to } => self.collect(caller, token, to)?,
            Call::CollectFor { owner, token, to, signed } => {
                self.check_signed(owner, signed)?;
                self.collect(owner, token, to)?
            }
            Call::Push { owner, token } => self.collect(owner, token, owner)?,
            Call::Sweep { token } => {
                let (to, gift) = (self.sweep_to, self.gifts.get(&token).copied().unwrap_or(0));
                if token != NATIVE && !self.platform.contains(&token) {
                    return Err(Refused::NotListed { token });
                }
                if gift == 0 {
                    return Err(Refused::NothingToPay);
                }
                if !self.send(token, to, gift, true, true) {
                    return Err(Refused::PayoutFailed { to, amount: gift });
                }
                self.gifts.remove(&token);
                vec![word(gift)]
            }
            Call::RevokeNonce { nonce } => {
                self.spend(caller, nonce)?;
                vec![]
            }
        })
    }

    fn channel(&self, number: Number) -> Result<(Channel, Book)> {
        let (book, serial) = number;
        let Some(of) = self.state.books.get(&book) else { return Err(Refused::UnknownNumber { book, serial }) };
        match self.state.channels.get(&number) {
            Some(channel) => Ok((*channel, *of)),
            None if serial < of.next_serial => Err(Refused::ClosedNumber { book, serial }),
            None => Err(Refused::UnknownNumber { book, serial }),
        }
    }

    fn stored(&mut self, number: Number) -> &mut Channel {
        self.state.channels.get_mut(&number).expect("it was found before")
    }

    fn check_signed(&mut self, signer: Addr, signed: Signed) -> Result<()> {
        if self.now >= signed.deadline {
            return Err(Refused::Expired { now: self.now, deadline: signed.deadline });
        }
        if signed.by != Some(signer) {
            return Err(Refused::BadSignature);
        }
        self.spend(signer, signed.nonce)
    }

    fn spend(&mut self, signer: Addr, nonce: u64) -> Result<()> {
        if self.state.nonces.insert((signer, nonce)) { Ok(()) } else { Err(Refused::NonceUsed { signer, nonce }) }
    }

    fn party(&self, party: Addr) -> Result<()> {
        if party == NATIVE || party == self.contract || self.platform.contains(&party) { Err(Refused::BadParty { party }) } else { Ok(()) }
    }

    fn listed(&self, token: Addr) -> Result<()> {
        if self.state.owed.contains_key(&token) { Ok(()) } else { Err(Refused::NotListed { token }) }
    }

    fn check_opening(&self, payer: Addr, one: &Opening, period: u32) -> Result<()> {
        self.party(payer)?;
        self.party(one.payee)?;
        if one.payee == payer {
            return Err(Refused::BadParty { party: payer });
        }
        if one.signer == NATIVE || one.signer == one.payee {
            return Err(Refused::BadSigner { signer: one.signer });
        }
        let (min_secs, max_secs) = PERIODS;
        if period < min_secs || period > max_secs {
            return Err(Refused::BadPeriod { given_secs: period, min_secs, max_secs });
        }
        Ok(())
    }

    fn open(&mut self, caller: Addr, payer: Addr, value: u128, one: Opening, token: Addr, period: u32) -> Result<Vec<[u8; 32]>> {
        self.check_opening(payer, &one, period)?;
        let deposit = self.take(caller, payer, value, token, one.amount)?;
        let number = self.record(payer, &one, token, period, deposit)?;
        Ok(vec![word(number.0.into()), word(number.1.into()), self.id(number)])
    }

    fn open_many(&mut self, payer: Addr, value: u128, many: &[Opening], token: Addr, period: u32) -> Result<Vec<[u8; 32]>> {
        for one in many {
            self.check_opening(payer, one, period)?;
            if one.amount == 0 {
                return Err(Refused::ZeroAmount);
            }
            if token == NATIVE && !one.amount.is_multiple_of(GRAIN) {
                return Err(Refused::NotMovable { amount: one.amount, grain: GRAIN });
            }
        }
        let total: u128 = many.iter().map(|one| one.amount).sum();
        let more = self.take(payer, payer, value, token, total)? - total;
        let mut answer = vec![word(32), word(many.len() as u128)];
        for (i, one) in many.iter().enumerate() {
            let deposit = one.amount + if i + 1 == many.len() { more } else { 0 };
            answer.push(word(self.record(payer, one, token, period, deposit)?.1.into()));
        }
        Ok(answer)
    }

    fn book(&mut self, payee: Addr, token: Addr) -> Result<u32> {
        if let Some((number, _)) = self.state.books.iter().find(|(_, b)| (b.payee, b.token) == (payee, token)) {
            return Ok(*number);
        }
        self.listed(token)?;
        let number = self.state.books.len() as u32 + 1;
        self.state.books.insert(number, Book { payee, token, next_serial: 0, ceiling_bps: CEILING_BPS, terms: Terms::default() });
        Ok(number)
    }

    fn record(&mut self, payer: Addr, one: &Opening, token: Addr, period: u32, deposit: u128) -> Result<Number> {
        let book = self.book(one.payee, token)?;
        let of = self.state.books.get_mut(&book).expect("just made");
        let number = (book, of.next_serial);
        of.next_serial += 1;
        let opened_at = self.now;
        let (claimed, close_due_at, asked, refund_due_at) = (0, 0, 0, 0);
        self.state
            .channels
            .insert(number, Channel { payer, signer: one.signer, deposit, claimed, period, opened_at, close_due_at, asked, refund_due_at });
        self.opened.push(number);
        Ok(number)
    }

    /// Takes a deposit; what arrived.
    fn take(&mut self, caller: Addr, from: Addr, value: u128, token: Addr, amount: u128) -> Result<u128> {
        self.listed(token)?;
        if amount == 0 {
            return Err(Refused::ZeroAmount);
        }
        let expected = if token == NATIVE { amount } else { 0 };
        if value != expected {
            return Err(Refused::WrongValue { sent: value, expected });
        }
        let received = if token == NATIVE {
            if caller != from {
                return Err(Refused::PullFailed { token, expected: amount, received: 0 });
            }
            if !amount.is_multiple_of(GRAIN) {
                return Err(Refused::NotMovable { amount, grain: GRAIN });
            }
            amount
        } else {
            let payer = self.account(from);
            if !payer.approves || payer.usdc < amount {
                return Err(Refused::PullFailed { token, expected: amount, received: 0 });
            }
            // What would be left below the minimum moves along.
            let moved = if payer.usdc - amount < MINIMUM_USDC { payer.usdc } else { amount };
            payer.usdc -= moved;
            moved
        };
        *self.state.owed.get_mut(&token).expect("it is listed") += received;
        Ok(received)
    }

    /// Takes rows of one book: outcomes, what they gained, and the fee of it.
    fn rows(&mut self, book: u32, rows: &[(u32, Row)]) -> (Vec<u8>, u128, u128) {
        let (mut outcomes, mut gains, mut fees) = (Vec::new(), 0, 0);
        for (serial, row) in rows {
            let number = (book, *serial);
            let (c, of) = match self.channel(number) {
                Ok(found) => found,
                Err(Refused::ClosedNumber { .. }) => {
                    outcomes.push(CLOSED);
                    continue;
                }
                Err(_) => {
                    outcomes.push(UNKNOWN);
                    continue;
                }
            };
            let mut good_for = row.total.min(c.deposit);
            if of.token == NATIVE {
                good_for -= good_for % GRAIN;
            }
            if good_for <= c.claimed {
                outcomes.push(STALE);
                continue;
            }
            if row.by != Some(c.signer) && row.by != Some(c.payer) {
                outcomes.push(BAD_SIGNATURE);
                continue;
            }
            let gain = good_for - c.claimed;
            self.stored(number).claimed = good_for;
            outcomes.push(if row.total > c.deposit { CAPPED } else { APPLIED });
            gains += gain;
            fees += self.fee(&of, gain);
        }
        (outcomes, gains, fees)
    }

    /// What a claim of the most that can be signed would do: outcome, gain, fee.
    pub fn claimable(&self, number: Number) -> (u8, u128, u128) {
        match self.channel(number) {
            Ok((c, _)) if c.balance() == 0 => (STALE, 0, 0),
            Ok((c, book)) => (CAPPED, c.balance(), self.fee(&book, c.balance())),
            Err(Refused::ClosedNumber { .. }) => (CLOSED, 0, 0),
            Err(_) => (UNKNOWN, 0, 0),
        }
    }

    fn fee(&self, book: &Book, gain: u128) -> u128 {
        let t = &book.terms;
        if t.beneficiary == NATIVE || self.now >= t.until || gain < t.min_gain {
            return 0;
        }
        let fee = (gain * u128::from(t.bps) / 10_000 + t.flat).min(gain * u128::from(CEILING_BPS) / 10_000);
        if book.token == NATIVE { fee - fee % GRAIN } else { fee }
    }

    fn settle(&mut self, book: u32, gain: u128, fee: u128, fund_new: bool, fees: &mut Waiting) {
        let Some(of) = self.state.books.get(&book).copied() else { return };
        if fee > 0 {
            match &mut fees.0 {
                Some((who, token, sum)) if (*who, *token) == (of.terms.beneficiary, of.token) => *sum += fee,
                _ => {
                    self.pay_fees(fees);
                    fees.0 = Some((of.terms.beneficiary, of.token, fee));
                }
            }
        }
        self.pay(of.token, of.payee, gain - fee, fund_new);
    }

    fn pay_fees(&mut self, fees: &mut Waiting) {
        if let Some((who, token, amount)) = fees.0.take() {
            self.pay(token, who, amount, false);
        }
    }

    /// Pays, or credits.
    fn pay(&mut self, token: Addr, to: Addr, amount: u128, fund_new: bool) {
        if amount == 0 {
            return;
        }
        if self.send(token, to, amount, fund_new, false) {
            *self.state.owed.get_mut(&token).expect("it is listed") -= amount;
        } else {
            *self.state.credits.entry((to, token)).or_default() += amount;
            self.credited.push((to, token, amount));
        }
    }

    /// Money leaves the contract, unless it cannot.
    fn send(&mut self, token: Addr, to: Addr, amount: u128, fund_new: bool, alone: bool) -> bool {
        let account = self.account(to);
        if token != NATIVE {
            let goes = account.usdc + amount >= MINIMUM_USDC;
            if goes {
                account.usdc += amount;
                // USDC suffices for an account.
                if account.kind == Kind::Absent {
                    account.kind = Kind::Account;
                }
            }
            return goes;
        }
        let goes = match account.kind {
            Kind::Absent => fund_new,
            // One that lives of its USDC has no existential deposit yet.
            Kind::Account => account.native + amount >= EXISTENTIAL_WEI,
            Kind::Code { takes } => alone && takes,
        };
        if goes {
            account.native += amount;
            if account.kind == Kind::Absent {
                // Whoever submits pays for a new account.
                account.native += EXISTENTIAL_WEI;
                account.kind = Kind::Account;
                self.funded += 1;
            }
        }
        goes
    }

    fn ask_back(&mut self, number: Number, amount: u128) -> Result<Vec<[u8; 32]>> {
        let (c, book) = self.channel(number)?;
        if amount == 0 {
            if c.refund_due_at == 0 {
                return Err(Refused::NotRequested);
            }
            let c = self.stored(number);
            (c.asked, c.refund_due_at) = (0, 0);
            return Ok(vec![word(0)]);
        }
        let mut asked = amount.min(MAX_AMOUNT);
        if book.token == NATIVE {
            asked -= asked % GRAIN;
        }
        if asked == 0 {
            return Err(Refused::NotMovable { amount, grain: GRAIN });
        }
        let due_at = self.now + u64::from(c.period);
        let c = self.stored(number);
        (c.asked, c.refund_due_at) = (asked, due_at);
        Ok(vec![word(due_at.into())])
    }

    fn finish(&mut self, number: Number) -> Result<Vec<[u8; 32]>> {
        let ((c, book), now) = (self.channel(number)?, self.now);
        if c.close_due_at != 0 && now >= c.close_due_at {
            return Ok(self.end(number, None));
        }
        let pending = c.refund_due_at != 0 && now < c.lapses_at();
        if pending && now >= c.refund_due_at {
            let refund = c.asked.min(c.balance());
            if refund == 0 {
                return Err(Refused::NothingToPay);
            }
            let c = self.stored(number);
            (c.deposit, c.asked, c.refund_due_at) = (c.deposit - refund, 0, 0);
            let payer = c.payer;
            self.pay(book.token, payer, refund, false);
            return Ok(vec![]);
        }
        Err(match (c.close_due_at, c.refund_due_at) {
            (0, 0) => Refused::NotRequested,
            (0, due_at) if pending => Refused::NotDue { now, due_at },
            (0, _) => Refused::Lapsed { now, lapsed_at: c.lapses_at() },
            (due_at, refund) => Refused::NotDue { now, due_at: if pending { due_at.min(refund) } else { due_at } },
        })
    }

    /// The record goes; the payee's last rows are paid, then the payer.
    fn end(&mut self, number: Number, last: Option<(u128, u128)>) -> Vec<[u8; 32]> {
        let token = self.state.books[&number.0].token;
        let c = self.state.channels.remove(&number).expect("it was found before");
        if let Some((gain, fee)) = last {
            let mut fees = Waiting::default();
            self.settle(number.0, gain, fee, false, &mut fees);
            self.pay_fees(&mut fees);
        }
        self.pay(token, c.payer, c.balance(), false);
        vec![]
    }

    fn set_terms(&mut self, payee: Addr, token: Addr, terms: Terms) -> Result<Vec<[u8; 32]>> {
        self.party(payee)?;
        if terms.beneficiary != NATIVE {
            self.party(terms.beneficiary)?;
        }
        for amount in [terms.flat, terms.min_gain] {
            if amount > MAX_AMOUNT {
                return Err(Refused::TooMuch { amount, max: MAX_AMOUNT });
            }
        }
        let number = self.book(payee, token)?;
        let now = self.now;
        let old = &mut self.state.books.get_mut(&number).expect("just made").terms;
        if terms.bps > CEILING_BPS {
            return Err(Refused::FeeAboveCeiling { given_bps: terms.bps, ceiling_bps: CEILING_BPS });
        }
        let worse = terms.beneficiary != old.beneficiary
            || terms.bps < old.bps
            || terms.flat < old.flat
            || terms.min_gain > old.min_gain
            || terms.until < old.until;
        if old.beneficiary != NATIVE && now < old.until && worse {
            return Err(Refused::TermsHeld { until: old.until });
        }
        *old = terms;
        Ok(vec![])
    }

    fn collect(&mut self, owner: Addr, token: Addr, to: Addr) -> Result<Vec<[u8; 32]>> {
        self.party(to)?;
        let Some(amount) = self.state.credits.remove(&(owner, token)) else { return Err(Refused::NothingToPay) };
        if !self.send(token, to, amount, true, true) {
            return Err(Refused::PayoutFailed { to, amount });
        }
        *self.state.owed.get_mut(&token).expect("it is listed") -= amount;
        Ok(vec![word(amount)])
    }
}

fn only(caller: Addr, expected: Addr) -> Result<()> {
    if caller == expected { Ok(()) } else { Err(Refused::NotAllowed { caller, expected }) }
}

fn no_money(sent: u128) -> Result<()> {
    if sent == 0 { Ok(()) } else { Err(Refused::WrongValue { sent, expected: 0 }) }
}

fn varint(out: &mut Vec<u8>, mut v: u128) {
    while v > 0x7f {
        out.push(v as u8 | 0x80);
        v >>= 7;
    }
    out.push(v as u8);
}

/// A blob of these groups, each row with its signature. Books and serials that do not ascend are written all the same, and cannot be read.
pub fn blob(groups: &[Group], mut signature: impl FnMut(Number, &Row) -> [u8; 64]) -> Vec<u8> {
    let mut out = vec![1];
    varint(&mut out, groups.len() as u128);
    let mut last_book: Option<u32> = None;
    for (book, fund_new, rows) in groups {
        out.push(u8::from(*fund_new));
        varint(&mut out, last_book.map_or(*book, |last| book.wrapping_sub(last).wrapping_sub(1)).into());
        varint(&mut out, rows.len() as u128);
        last_book = Some(*book);
        let mut last: Option<u32> = None;
        for (serial, row) in rows {
            varint(&mut out, last.map_or(*serial, |last| serial.wrapping_sub(last).wrapping_sub(1)).into());
            varint(&mut out, row.total);
            out.extend(signature((*book, *serial), row));
            last = Some(*serial);
        }
    }
    out
}

/// Words of a message.
pub mod words {
    use super::Addr;
    pub fn int(v: impl Into<u128>) -> [u8; 32] {
        super::word(v.into())
    }
    pub fn addr(a: Addr) -> [u8; 32] {
        super::word_of(a)
    }
}
