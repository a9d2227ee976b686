//! A chain in memory with parties, money and clocks, for the tests of streams.
#![allow(dead_code, reason = "each test binary uses its part")]

use rivulet_core::{
    book::Book,
    cell::Slot,
    error::Error,
    fee::RelayTerms,
    host::Key,
    ids::{Address, StreamNumber, Token},
    ledger::{self, Config, TokenState, credit_of},
    outcome::RowOutcome,
    record::Reader,
    stream::{self, Balances, Details, NewStream, Stream, StreamStatus, claim::ALL, schedule::Stated},
    testing::{MemoryHost, THIS},
};

pub mod invariants;
pub mod model;
pub mod seen;

pub const NATIVE: Token = Address::ZERO;
/// USDT, asset 1984, behind the ERC-20 precompile.
pub const USDT: Token = Address([0, 0, 7, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x20, 0, 0]);
pub const PAYER: Address = Address([0xa1; 20]);
pub const PAYEE: Address = Address([0xb1; 20]);
pub const OTHER: Address = Address([0xc1; 20]);
pub const RELAYER: Address = Address([0xd1; 20]);
pub const PAYER2: Address = Address([0xa2; 20]);
pub const PAYEE2: Address = Address([0xb2; 20]);
/// Where payees send their claims when not to themselves.
pub const SINK: Address = Address([0xe1; 20]);
pub const ALL_PARTIES: [Address; 7] = [PAYER, PAYER2, PAYEE, PAYEE2, OTHER, RELAYER, SINK];
pub const SEED: u128 = 10_000;
/// The smallest native amount that moves.
pub const GRAIN: u128 = 100_000_000;
/// One unit a second.
pub const UNIT: u128 = 1_000_000_000;
pub const RICH: u128 = 1 << 95;

pub struct World {
    pub h: MemoryHost,
}

impl Default for World {
    fn default() -> Self {
        let mut h = MemoryHost::default();
        let config = Config { min_period_secs: 60, max_period_secs: 600, fee_ceiling_bps: 1_000, sweep_to: OTHER, books: 0, tokens: 0 };
        ledger::deploy(&mut h, [USDT].into_iter(), [SEED].into_iter(), config).unwrap();
        h.endow(&USDT, &THIS, SEED);
        for who in ALL_PARTIES {
            h.endow(&USDT, &who, RICH);
            h.endow(&NATIVE, &who, RICH);
        }
        Self { h }
    }
}

/// A stream of USDT from PAYER to PAYEE, of one unit a second from now on, funded with 1,000, cancellable.
pub fn plain() -> NewStream {
    NewStream {
        payee: PAYEE,
        token: USDT,
        stated: Stated { rate_per_second_scaled: UNIT, total: 0, start_at: 0, cliff_at: 0, cliff_amount: 0, end_at: 0, flags: 1 },
        amount: 1_000,
        committed: 0,
        memo: [7; 32],
    }
}

/// The same with an end.
pub fn ending(new: NewStream, end_at: u64) -> NewStream {
    NewStream { stated: Stated { end_at, ..new.stated }, ..new }
}

/// A native stream of so many wei a second.
pub fn native(rate_wei: u128, amount: u128) -> NewStream {
    let plain = plain();
    NewStream { token: NATIVE, amount, stated: Stated { rate_per_second_scaled: rate_wei * UNIT, ..plain.stated }, ..plain }
}

impl World {
    pub fn now(&self) -> u64 {
        self.h.now
    }

    pub fn pass(&mut self, secs: u64) {
        self.h.now += secs;
    }

    pub fn try_create(&mut self, new: NewStream) -> Result<StreamNumber, Error> {
        self.try_create_by(PAYER, new)
    }

    pub fn try_create_by(&mut self, payer: Address, new: NewStream) -> Result<StreamNumber, Error> {
        let value = if new.token == NATIVE { new.amount } else { 0 };
        self.h.call(payer, value, |h| stream::create(h, &new)).map(|(number, _)| number)
    }

    pub fn create(&mut self, new: NewStream) -> StreamNumber {
        self.try_create(new).unwrap()
    }

    /// Tops up, naming the right parties.
    pub fn top_up(&mut self, by: Address, number: StreamNumber, amount: u128) -> Result<(), Error> {
        let v = stream::stream(&self.h, number);
        let value = if v.token == NATIVE { amount } else { 0 };
        self.h.call(by, value, |h| stream::top_up(h, number, v.payer, v.payee, v.token, amount))
    }

    pub fn claim(&mut self, by: Address, number: StreamNumber, amount: u128, to: Address) -> Result<u128, Error> {
        self.h.call(by, 0, |h| stream::claim(h, number, amount, &to))
    }

    /// All, by anyone, to the payee.
    pub fn claim_all(&mut self, number: StreamNumber) -> Result<u128, Error> {
        let payee = Book::load(&self.h, number.book).map_or(PAYEE, |b| b.payee);
        self.claim(OTHER, number, ALL, payee)
    }

    pub fn batch(&mut self, rows: &[StreamNumber]) -> Result<Vec<RowOutcome>, Error> {
        let bytes = blob(rows, false);
        let outcomes = self.h.call(RELAYER, 0, |h| stream::claim_batch(h, &bytes))?;
        Ok(outcomes.into_iter().map(|o| RowOutcome::from_code(o).expect("a known code")).collect())
    }

    pub fn pause(&mut self, number: StreamNumber) -> Result<(), Error> {
        self.pause_by(PAYER, number)
    }

    pub fn pause_by(&mut self, by: Address, number: StreamNumber) -> Result<(), Error> {
        self.h.call(by, 0, |h| stream::pause(h, number))
    }

    pub fn resume(&mut self, number: StreamNumber) -> Result<(), Error> {
        self.resume_by(PAYER, number)
    }

    pub fn resume_by(&mut self, by: Address, number: StreamNumber) -> Result<(), Error> {
        self.h.call(by, 0, |h| stream::resume(h, number))
    }

    pub fn adjust(&mut self, by: Address, number: StreamNumber, rate: u128) -> Result<(), Error> {
        self.h.call(by, 0, |h| stream::adjust_rate(h, number, rate))
    }

    pub fn refund(&mut self, by: Address, number: StreamNumber, amount: u128) -> Result<u128, Error> {
        self.h.call(by, 0, |h| stream::refund(h, number, amount))
    }

    pub fn cancel(&mut self, by: Address, number: StreamNumber) -> Result<(), Error> {
        self.h.call(by, 0, |h| stream::cancel(h, number))
    }

    pub fn void(&mut self, by: Address, number: StreamNumber) -> Result<(), Error> {
        self.h.call(by, 0, |h| stream::void(h, number))
    }

    pub fn renounce(&mut self, by: Address, number: StreamNumber) -> Result<(), Error> {
        self.h.call(by, 0, |h| stream::renounce(h, number))
    }

    pub fn hand_over(&mut self, by: Address, number: StreamNumber, to: Address) -> Result<StreamNumber, Error> {
        self.h.call(by, 0, |h| stream::hand_over(h, number, &to))
    }

    pub fn set_delegate(&mut self, by: Address, number: StreamNumber, delegate: Address, rights: u8, cap: u128) -> Result<(), Error> {
        self.h.call(by, 0, |h| stream::set_delegate(h, number, &delegate, rights, cap))
    }

    pub fn set_terms(&mut self, payee: Address, token: Token, fee_bps: u16, flat_fee: u128, min_gain: u128) {
        let terms = RelayTerms { beneficiary: RELAYER, fee_bps, flat_fee, min_gain, until: u64::MAX };
        self.h.call(payee, 0, |h| rivulet_core::book::set_terms(h, &token, terms)).unwrap();
    }

    pub fn balances(&self, number: StreamNumber) -> Balances {
        stream::balances(&self.h, number)
    }

    pub fn status(&self, number: StreamNumber) -> StreamStatus {
        stream::stream(&self.h, number).status
    }

    pub fn record(&self, number: StreamNumber) -> Option<Stream> {
        stream::find(&self.h, number).ok().map(|(stream, _)| stream)
    }

    pub fn details(&self, number: StreamNumber) -> Details {
        Details::load(&self.h, number)
    }

    /// What `who` has beyond what it was given at first.
    pub fn earned(&self, token: &Token, who: &Address) -> i128 {
        self.h.balance(token, who) as i128 - RICH as i128
    }

    pub fn credit(&self, token: &Token, who: &Address) -> u128 {
        credit_of(&self.h, who, token)
    }

    /// Per token: the contract's balance is its seed, plus what is owed, plus what was donated; and what is owed is what records and credits hold.
    pub fn check_money(&self, donated: &dyn Fn(&Token) -> u128) {
        for token in [NATIVE, USDT] {
            let state = TokenState::load(&self.h, &token).expect("listed");
            assert_eq!(self.h.balance(&token, &THIS), state.seed + state.owed + donated(&token), "balance of {token}");
            let mut owed = 0;
            for (key, cell) in &self.h.cells {
                match key {
                    Key::Streams(book, _) if Book::load(&self.h, *book).expect("a book").token == token => {
                        for slot in cell.chunks_exact(1 + Stream::BYTES) {
                            let stream = Stream::read(&slot[1..]);
                            assert!(stream.paid <= stream.deposit, "paid more than came in");
                            owed += stream.deposit - stream.paid;
                        }
                    }
                    Key::Credit(_, t) if *t == token => owed += Reader::new(cell).amount(),
                    _ => {}
                }
            }
            assert_eq!(state.owed, owed, "owed of {token}");
        }
    }

    /// With nothing donated.
    pub fn check(&self) {
        self.check_money(&|_| 0);
    }
}

/// The blob of these rows, in any order.
pub fn blob(rows: &[StreamNumber], fund_new: bool) -> Vec<u8> {
    let mut groups = std::collections::BTreeMap::<u32, (bool, std::collections::BTreeMap<u32, _>)>::new();
    for n in rows {
        groups.entry(n.book).or_default().0 = fund_new;
        groups.entry(n.book).or_default().1.insert(n.serial, rivulet_core::blob::StreamRow);
    }
    rivulet_core::blob::encode(&groups)
}

/// The reason of a [`Error::BadSchedule`].
pub fn bad(reason: stream::ScheduleError) -> Error {
    Error::BadSchedule { reason: reason as u8 }
}
