//! Streams as `contracts/README.md` tells of them, in plain Rust that knows neither core nor the pallet. A test puts the same call to this and to the
//! compiled contract, and compares.

use super::super::{
    base::{Addr, GRAIN, NATIVE, Number, Refused, Result, Word, answer_of, movable, no_money, only, word, word_of, words_of},
    blobs::Group,
    cells::Cell,
    ledger::{Contract, Ledger, Shared, Signed},
    money::{Rows, Waiting},
};
use super::{
    create::Stated,
    stream::{CANCELLABLE, DAY_SECS, Fate, Raw, Stream, TRANSFERABLE, read},
};
use std::collections::BTreeMap;

/// All that there is.
pub const ALL: u128 = u128::MAX;
/// The largest rate.
pub const MAX_RATE: u128 = 1 << 95;
/// What a delegate may do.
pub mod rights {
    pub const PAUSE: u8 = 1;
    pub const RESUME: u8 = 2;
    pub const ADJUST: u8 = 4;
    pub const REFUND: u8 = 8;
    pub const CANCEL: u8 = 16;
    /// The payer's alone.
    pub const NONE: u8 = 0;
}

#[derive(Clone, Debug)]
pub enum Call {
    Create {
        one: Stated,
        token: Addr,
    },
    /// `None`: the lists differ in length.
    CreateMany {
        many: Option<Vec<Stated>>,
        token: Addr,
    },
    CreateFor {
        payer: Addr,
        one: Stated,
        token: Addr,
        signed: Signed,
    },
    TopUp {
        number: Number,
        payer: Addr,
        payee: Addr,
        token: Addr,
        amount: u128,
    },
    Claim {
        number: Number,
        amount: u128,
        to: Addr,
    },
    Batch {
        groups: Vec<Group<()>>,
    },
    AdjustRate {
        number: Number,
        rate: u128,
    },
    Pause {
        number: Number,
    },
    Resume {
        number: Number,
    },
    Refund {
        number: Number,
        amount: u128,
    },
    Cancel {
        number: Number,
    },
    Renounce {
        number: Number,
    },
    Void {
        number: Number,
    },
    HandOver {
        number: Number,
        to: Addr,
    },
    SetDelegate {
        number: Number,
        delegate: Addr,
        rights: u8,
        cap: u128,
    },
    Shared(Shared),
}

impl From<Shared> for Call {
    fn from(call: Shared) -> Self {
        Self::Shared(call)
    }
}

impl Call {
    /// Which stream it is about.
    pub fn number(&self) -> Option<Number> {
        match *self {
            Self::TopUp { number, .. }
            | Self::Claim { number, .. }
            | Self::AdjustRate { number, .. }
            | Self::Pause { number }
            | Self::Resume { number }
            | Self::Refund { number, .. }
            | Self::Cancel { number }
            | Self::Renounce { number }
            | Self::Void { number }
            | Self::HandOver { number, .. }
            | Self::SetDelegate { number, .. } => Some(number),
            _ => None,
        }
    }
}

/// Codes of a row's outcome.
const APPLIED: u8 = 0;
const CAPPED: u8 = 1;
const STALE: u8 = 2;
const UNKNOWN: u8 = 4;
const CLOSED: u8 = 5;

impl Contract for Stream {
    type Record = Raw;
    type Call = Call;
    const DOMAIN: &'static str = "Rivulet Streams";

    fn read(cells: Vec<Cell<'_>>) -> Result<BTreeMap<Number, Raw>, String> {
        read(cells)
    }

    fn record(&self) -> Raw {
        self.raw()
    }

    fn balance(&self) -> u128 {
        Stream::balance(self)
    }

    fn run(model: &mut Model, caller: Addr, value: u128, call: &Call) -> Result<Vec<Word>> {
        if !matches!(call, Call::Create { .. } | Call::CreateMany { .. } | Call::TopUp { .. }) {
            no_money(value)?;
        }
        match *call {
            Call::Create { one, token } => model.create(caller, caller, value, one, token),
            Call::CreateFor { payer, one, token, signed } => {
                model.check_signed(payer, signed)?;
                model.create(caller, payer, value, one, token)
            }
            Call::CreateMany { ref many, token } => model.create_many(caller, value, many.as_deref().ok_or(Refused::LengthsDiffer)?, token),
            Call::TopUp { number, payer, payee, token, amount } => model.top_up(caller, value, number, (payer, payee, token), amount),
            Call::Claim { number, amount, to } => model.claim(caller, number, amount, to),
            Call::Batch { ref groups } => Ok(model.batch(groups)),
            Call::AdjustRate { number, rate } => model.adjust(caller, number, rate),
            Call::Pause { number } => model.pause(caller, number),
            Call::Resume { number } => model.resume(caller, number),
            Call::Refund { number, amount } => model.refund(caller, number, amount),
            Call::Cancel { number } => model.cancel(caller, number),
            Call::Renounce { number } => model.renounce(caller, number),
            Call::Void { number } => model.void(caller, number),
            Call::HandOver { number, to } => model.hand_over(caller, number, to),
            Call::SetDelegate { number, delegate, rights, cap } => model.set_delegate(caller, number, delegate, rights, cap),
            Call::Shared(ref call) => model.shared(caller, value, call),
        }
    }
}

pub type Model = Ledger<Stream>;

/// How much of what there is: all, or an amount that can move.
fn asked(token: Addr, asked: u128, payable: u128) -> Result<u128> {
    match asked {
        0 => Err(Refused::ZeroAmount),
        ALL if payable == 0 => Err(Refused::NothingToPay),
        ALL => Ok(payable),
        _ if asked > payable => Err(Refused::Overdraw { asked, payable }),
        _ if movable(token, asked) != asked => Err(Refused::NotMovable { amount: asked, grain: GRAIN }),
        _ => Ok(asked),
    }
}

impl Model {
    fn top_up(&mut self, caller: Addr, value: u128, number: Number, said: (Addr, Addr, Addr), amount: u128) -> Result<Vec<Word>> {
        let (s, book) = self.find(number)?;
        if said != (s.payer, book.payee, book.token) {
            return Err(Refused::WrongParties { payer: s.payer, payee: book.payee, token: book.token });
        }
        if s.fate != Fate::GoesOn || s.settled(book.token, self.now) {
            return Err(Refused::Ended);
        }
        let received = self.take(caller, caller, value, book.token, amount)?;
        self.at(number).deposit += received;
        self.log_of(number, "ToppedUp(uint32,uint32,address,uint128,uint128)", vec![word_of(caller), word(received), word(s.deposit + received)]);
        Ok(vec![])
    }

    /// The payer's, or its delegate's with this right.
    fn acting(&self, caller: Addr, number: Number, right: u8) -> Result<Stream> {
        let (s, _) = self.find(number)?;
        if caller == s.delegate && s.rights & right != 0 {
            return Ok(s);
        }
        only(caller, s.payer)?;
        Ok(s)
    }

    fn going_on(&self, caller: Addr, number: Number, right: u8) -> Result<Stream> {
        let s = self.acting(caller, number, right)?;
        if s.done(self.now) { Err(Refused::Ended) } else { Ok(s) }
    }

    fn adjust(&mut self, caller: Addr, number: Number, rate: u128) -> Result<Vec<Word>> {
        let (s, now) = (self.going_on(caller, number, rights::ADJUST)?, self.now);
        let max_scaled = if caller == s.payer { MAX_RATE } else { s.cap };
        if rate == 0 || rate > max_scaled {
            return Err(Refused::BadRate { given_scaled: rate, max_scaled });
        }
        if rate < s.last().rate && !s.is(CANCELLABLE) {
            return Err(Refused::NotCancellable);
        }
        let stream = self.at(number);
        stream.turn(now, rate, !s.is_paused());
        stream.total = 0;
        self.log_of(number, "RateAdjusted(uint32,uint32,uint128,address)", vec![word(rate), word_of(caller)]);
        Ok(vec![])
    }

    fn pause(&mut self, caller: Addr, number: Number) -> Result<Vec<Word>> {
        let (s, now) = (self.going_on(caller, number, rights::PAUSE)?, self.now);
        if !s.is(CANCELLABLE) {
            return Err(Refused::NotCancellable);
        }
        if s.is_paused() {
            return Err(Refused::WrongPause { paused: true });
        }
        if now < s.start_at {
            return Err(Refused::NotDue { now, due_at: s.start_at });
        }
        let stream = self.at(number);
        stream.turn(now, s.last().rate, false);
        stream.total = 0;
        self.log_of(number, "StreamPaused(uint32,uint32)", vec![]);
        Ok(vec![])
    }

    fn resume(&mut self, caller: Addr, number: Number) -> Result<Vec<Word>> {
        let (s, now) = (self.going_on(caller, number, rights::RESUME)?, self.now);
        if !s.is_paused() {
            return Err(Refused::WrongPause { paused: false });
        }
        self.at(number).turn(now, s.last().rate, true);
        self.log_of(number, "StreamResumed(uint32,uint32)", vec![]);
        Ok(vec![])
    }

    fn refund(&mut self, caller: Addr, number: Number, amount: u128) -> Result<Vec<Word>> {
        let (s, now, token) = (self.acting(caller, number, rights::REFUND)?, self.now, self.state.books[&number.0].token);
        if !s.is(CANCELLABLE) && !s.done(now) {
            return Err(Refused::NotCancellable);
        }
        let refund = asked(token, amount, s.refundable(token, now))?;
        self.at(number).deposit -= refund;
        self.log_of(number, "Refunded(uint32,uint32,uint128,uint128)", vec![word(refund), word(s.deposit - refund)]);
        self.pay(token, s.payer, s.payer, refund, false);
        Ok(vec![word(refund)])
    }

    fn renounce(&mut self, caller: Addr, number: Number) -> Result<Vec<Word>> {
        let s = self.going_on(caller, number, rights::NONE)?;
        if !s.is(CANCELLABLE) {
            return Err(Refused::NotCancellable);
        }
        if s.is_paused() {
            return Err(Refused::WrongPause { paused: true });
        }
        self.at(number).flags &= !CANCELLABLE;
        self.log_of(number, "StreamRenounced(uint32,uint32)", vec![]);
        Ok(vec![])
    }

    /// A stream that may be ended early, what its payee has yet to get, and if that is who ends it.
    fn ending(&self, caller: Addr, number: Number) -> Result<(Stream, u128, bool)> {
        let (s, book) = self.find(number)?;
        let by_payee = caller == book.payee;
        if !by_payee {
            self.acting(caller, number, rights::CANCEL)?;
        }
        if s.fate != Fate::GoesOn || s.settled(book.token, self.now) {
            return Err(Refused::Ended);
        }
        if !by_payee && !s.is(CANCELLABLE) {
            return Err(Refused::NotCancellable);
        }
        let due = s.due(book.token, self.now, by_payee);
        Ok((s, due, by_payee))
    }

    fn cancel(&mut self, caller: Addr, number: Number) -> Result<Vec<Word>> {
        let (s, due, by_payee) = self.ending(caller, number)?;
        let (token, refund) = (self.state.books[&number.0].token, s.balance() - due);
        self.log_of(number, "StreamCancelled(uint32,uint32,address,uint128,uint128)", vec![word_of(caller), word(due), word(refund)]);
        let stream = self.at(number);
        (stream.fate, stream.deposit) = (Fate::Cancelled, stream.deposit - refund);
        if due == 0 {
            self.end(number);
        } else if by_payee {
            self.claim_one(number, due, false, None);
        }
        if !by_payee {
            self.pay(token, s.payer, s.payer, refund, false);
        } else if refund > 0 {
            self.credit(token, s.payer, refund);
        }
        Ok(vec![])
    }

    fn void(&mut self, caller: Addr, number: Number) -> Result<Vec<Word>> {
        let (s, due, _) = self.ending(caller, number)?;
        self.at(number).fate = Fate::Voided(s.paid + due);
        let lost = s.uncovered(self.now);
        self.log_of(number, "StreamVoided(uint32,uint32,address,uint128,uint128)", vec![word_of(caller), word(due), word(lost)]);
        Ok(vec![])
    }

    fn hand_over(&mut self, caller: Addr, number: Number, to: Addr) -> Result<Vec<Word>> {
        let (s, book) = self.find(number)?;
        only(caller, book.payee)?;
        if !s.is(TRANSFERABLE) {
            return Err(Refused::NotTransferable);
        }
        let (now, due_at) = (self.now, s.handed_over_at + DAY_SECS);
        if s.handed_over_at > 0 && now < due_at {
            return Err(Refused::NotDue { now, due_at });
        }
        self.party(to)?;
        if to == s.payer || to == caller {
            return Err(Refused::BadParty { party: to });
        }
        self.state.records.remove(&number);
        let new = self.put(to, book.token, Stream { handed_over_at: now, ..s })?;
        let data = vec![word(new.0), word(new.1), word_of(caller), word_of(to)];
        self.log_of(number, "StreamHandedOver(uint32,uint32,uint32,uint32,address,address)", data);
        Ok(vec![word(new.0), word(new.1)])
    }

    fn set_delegate(&mut self, caller: Addr, number: Number, delegate: Addr, given: u8, cap: u128) -> Result<Vec<Word>> {
        self.acting(caller, number, rights::NONE)?;
        if given >= 32 || (delegate == NATIVE && given != 0) {
            return Err(Refused::BadRights { given });
        }
        let max_scaled = if delegate == NATIVE { 0 } else { MAX_RATE };
        if cap > max_scaled {
            return Err(Refused::BadRate { given_scaled: cap, max_scaled });
        }
        let stream = self.at(number);
        (stream.delegate, stream.rights, stream.cap) = (delegate, given, cap);
        self.log_of(number, "DelegateSet(uint32,uint32,address,uint8,uint128)", vec![word_of(delegate), word(given), word(cap)]);
        Ok(vec![])
    }
}

/// Claims.
impl Model {
    fn claim(&mut self, caller: Addr, number: Number, amount: u128, to: Addr) -> Result<Vec<Word>> {
        let ((s, book), now) = (self.find(number)?, self.now);
        if caller == book.payee {
            self.party(to)?;
        } else if to != book.payee {
            return Err(Refused::NotAllowed { caller, expected: book.payee });
        }
        let last = amount == ALL && s.over(book.token, now);
        let gain = if last { 0 } else { asked(book.token, amount, movable(book.token, s.covered(now)))? };
        self.claim_one(number, gain, amount == ALL, Some(to));
        Ok(vec![word(gain)])
    }

    fn claim_one(&mut self, number: Number, gain: u128, all: bool, to: Option<Addr>) {
        let (mut rows, mut fees, mut ended) = (Rows::default(), Waiting::default(), Vec::new());
        self.row(&mut rows, &mut ended, number, gain, all);
        self.settle(number.0, &rows, to, false, &mut fees);
        self.remainders(number.0, ended);
        self.pay_fees(&mut fees);
    }

    fn batch(&mut self, groups: &[Group<()>]) -> Vec<Word> {
        let (mut all, mut fees) = (Vec::new(), Waiting::default());
        for (book, fund_new, list) in groups {
            let (mut rows, mut ended) = (Rows::default(), Vec::new());
            for (serial, ()) in list {
                match self.find((*book, *serial)) {
                    Ok((s, of)) => self.row(&mut rows, &mut ended, (*book, *serial), movable(of.token, s.covered(self.now)), true),
                    Err(Refused::ClosedNumber { .. }) => rows.log.push((*serial, CLOSED, 0)),
                    Err(_) => rows.log.push((*serial, UNKNOWN, 0)),
                }
            }
            all.extend(rows.log.iter().map(|(_, outcome, _)| *outcome));
            self.settle(*book, &rows, None, *fund_new, &mut fees);
            self.remainders(*book, ended);
        }
        self.pay_fees(&mut fees);
        answer_of(words_of(&all))
    }

    /// Takes a gain off a stream, whose record goes when that was the last.
    fn row(&mut self, rows: &mut Rows, ended: &mut Vec<(u32, Stream)>, number: Number, gain: u128, all: bool) {
        let (now, book) = (self.now, self.state.books[&number.0]);
        let stream = self.at(number);
        let outcome = match gain {
            0 => STALE,
            _ if all && stream.uncovered(now) > 0 => CAPPED,
            _ => APPLIED,
        };
        stream.paid += gain;
        rows.log.push((number.1, outcome, stream.paid));
        if stream.over(book.token, now) {
            ended.extend(self.state.records.remove(&number).map(|stream| (number.1, stream)));
        }
        rows.gain += gain;
        rows.fee += self.fee(&book, gain);
    }

    /// What is left of streams that are over goes to their payers.
    fn remainders(&mut self, book: u32, ended: Vec<(u32, Stream)>) {
        let token = self.state.books.get(&book).map_or(NATIVE, |book| book.token);
        for (serial, stream) in ended {
            self.log_of((book, serial), "StreamEnded(uint32,uint32,uint128,uint128)", vec![word(stream.paid), word(stream.balance())]);
            self.pay(token, stream.payer, stream.payer, stream.balance(), false);
        }
    }

    /// Nothing is due to anybody, and the record goes.
    fn end(&mut self, number: Number) {
        if let Some(stream) = self.state.records.remove(&number) {
            self.remainders(number.0, vec![(number.1, stream)]);
        }
    }

    /// What a claim of all would take, and the fee in it.
    pub fn claimable(&self, number: Number) -> (u128, u128) {
        self.find(number).map_or((0, 0), |(s, book)| {
            let gain = movable(book.token, s.covered(self.now));
            (gain, self.fee(&book, gain))
        })
    }
}
