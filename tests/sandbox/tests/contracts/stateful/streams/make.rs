//! Steps of a sequence on streams, made into calls.

use super::super::{
    base::{Addr, GRAIN, Id, MAX_AMOUNT, NATIVE, Number, movable, word, word_of},
    blobs::{Group, blob},
    ledger::Shared,
    parties::{Damage, To, Who::*, unit},
    run::{Made, sol},
};
use super::{
    Run,
    create::Stated,
    model::{ALL, Call, MAX_RATE},
    steps::{Ask, Flow, Hand, Pick, Plan, Speed, Step, Wrong},
    stream::{CANCELLABLE, CLIFF, MAX_SECS, SCALE, TRANSFERABLE},
};
use alloy_sol_types::SolCall;
use rivulet_sandbox::abi::{both::Both, streams::Streams};
use std::collections::{BTreeMap, BTreeSet};

impl Run<'_> {
    pub fn pick(&self, pick: Pick) -> Number {
        let nth = |list: Vec<Number>, n: u8| list.get(usize::from(n) % list.len().max(1)).copied();
        let found = match pick {
            Pick::GoingOn(n) => nth(self.model.state.records.iter().filter(|(_, s)| !s.done(self.model.now)).map(|(number, _)| *number).collect(), n),
            Pick::There(n) => nth(self.model.state.records.keys().copied().collect(), n),
            Pick::Given(n) => nth(self.model.opened.clone(), n),
            Pick::Unknown(n) => Some(if n % 2 == 0 { (99, 0) } else { (1, 300) }),
        };
        found.unwrap_or((1, 0))
    }

    fn hand(&self, hand: Hand, number: Number) -> Addr {
        let stream = self.model.state.records.get(&number);
        let who = match hand {
            Hand::ThePayer => stream.map(|s| s.payer),
            Hand::ThePayee => Some(self.payee_of(number)),
            Hand::TheDelegate => stream.map(|s| if [NATIVE, self.model.contract].contains(&s.delegate) { s.payer } else { s.delegate }),
            Hand::Somebody(who) => Some(self.addr(who)),
        };
        self.sender(who.unwrap_or(self.addr(Stranger)))
    }

    fn speed(&self, speed: Speed, native: bool, number: Option<Number>) -> u128 {
        let present = || number.and_then(|number| self.model.state.records.get(&number)).map_or(SCALE, |s| s.last().rate);
        match speed {
            Speed::Slow(n, odd) => u128::from(n) * unit(native) * (SCALE / 1_000) + if odd { 333_333_331 } else { 0 },
            Speed::Units(n) => u128::from(n) * unit(native) * SCALE,
            Speed::None => 0,
            Speed::Max => MAX_RATE,
            Speed::AboveMax => MAX_RATE + 1,
            Speed::Present(more) => present().saturating_add_signed(more.into()),
        }
    }

    fn ask(&self, ask: Ask, there: u128, token: Addr) -> u128 {
        let (native, grain) = (token == NATIVE, if token == NATIVE { GRAIN as i128 } else { 1 });
        match ask {
            Ask::All => ALL,
            Ask::None => 0,
            Ask::Units(units) => u128::from(units) * unit(native),
            Ask::Odd(units) => u128::from(units) * unit(native) + 1,
            Ask::AllAnd(more) => there.saturating_add_signed(i128::from(more) * grain),
        }
    }

    fn stated(&self, payer: Addr, payee: To, native: bool, plan: &Plan) -> Stated {
        let (now, wide) = (self.model.now, |units: u16| u128::from(units) * unit(native));
        let start_at = if plan.start == 0 { 0 } else { now.saturating_add_signed(plan.start.into()) };
        let start = if start_at == 0 { now } else { start_at };
        let (rate, total) = match plan.flow {
            Flow::At(speed) => (self.speed(speed, native, None), 0),
            Flow::InAll(amount) => (0, self.amount(payer, amount, native)),
        };
        let amount = self.amount(payer, plan.amount, native);
        let flag = |flag, set| if set { flag } else { 0 };
        let mut one = Stated {
            payee: self.to(payee),
            rate,
            total,
            start_at,
            cliff_at: plan.cliff.map_or(0, |(at, _)| start + u64::from(at)),
            cliff_amount: plan.cliff.map_or(0, |(_, units)| wide(units).min(if total == 0 { ALL } else { total })),
            end_at: plan.end.map_or(if total == 0 { 0 } else { start + 77 }, |secs| start + u64::from(secs)),
            flags: flag(CANCELLABLE, plan.cancellable) | flag(TRANSFERABLE, plan.transferable) | flag(CLIFF, plan.cliff.is_some()),
            amount,
            committed: movable(self.token(native), amount * u128::from(plan.committed) / 100),
            memo: Id(word(self.model.opened.len() as u128 + 1)),
        };
        match plan.wrong {
            None => {}
            Some(Wrong::Flags) => one.flags |= 8,
            Some(Wrong::RateAndTotal) => (one.rate, one.total, one.cliff_amount) = (1, wide(1_000), 0),
            Some(Wrong::TotalWithoutEnd) => (one.rate, one.total, one.end_at) = (0, wide(1_000), 0),
            Some(Wrong::StartTooFar) => one.start_at = now + (1 << 31) + 1,
            Some(Wrong::StartTooEarly) => one.start_at = 1,
            Some(Wrong::EndBeforeStart) => one.end_at = start,
            Some(Wrong::TooLong) => one.end_at = start + MAX_SECS + 1,
            Some(Wrong::CliffWithoutFlag) => (one.flags, one.cliff_at) = (one.flags & !CLIFF, start),
            Some(Wrong::CliffBeforeStart) => (one.flags, one.cliff_at) = (one.flags | CLIFF, start - 1),
            Some(Wrong::CliffAfterEnd) => (one.flags, one.cliff_at, one.end_at) = (one.flags | CLIFF, start + 51, start + 50),
            Some(Wrong::CliffAboveTotal) => (one.flags, one.cliff_at, one.cliff_amount) = (one.flags | CLIFF, start, one.total + wide(1)),
            Some(Wrong::NoTimeToFlow) => (one.flags, one.cliff_at, one.end_at, one.cliff_amount) = (one.flags | CLIFF, start + 50, start + 50, 0),
            Some(Wrong::CommittedAboveDeposit) => one.committed = amount + wide(1),
            Some(Wrong::CommittedAboveTotal) => (one.amount, one.committed) = (total + wide(1), total + wide(1)),
            Some(Wrong::TotalTooMuch) => (one.rate, one.total) = (0, MAX_AMOUNT + 1),
            Some(Wrong::CommittedTooMuch) => one.committed = MAX_AMOUNT + 1,
        }
        one
    }

    /// The call of a step; `None` when it is none.
    pub fn make(&mut self, step: &Step) -> Option<Made<Call>> {
        let made = |by, value, calldata, call| Some(Made { by, value, calldata, call });
        let plain = |by, calldata, call| made(by, 0, calldata, call);
        match *step {
            Step::Create { payer, payee, native, ref plan } => {
                let (payer, token) = (self.addr(payer), self.token(native));
                let one = self.stated(payer, payee, native, plan);
                let data = Streams::createCall {
                    payee: sol(one.payee),
                    token: sol(token),
                    ratePerSecondScaled: one.rate,
                    total: one.total,
                    startAt: one.start_at,
                    cliffAt: one.cliff_at,
                    cliffAmount: one.cliff_amount,
                    endAt: one.end_at,
                    flags: one.flags,
                    amount: one.amount,
                    committed: one.committed,
                    memo: one.memo.0.into(),
                };
                made(payer, if native { one.amount } else { 0 }, data.abi_encode(), Call::Create { one, token })
            }
            Step::CreateMany { payer, native, ref plans, uneven } => self.make_many(self.addr(payer), native, plans, uneven),
            Step::CreateFor { payer, payee, native, ref plan, form } => {
                let (payer, token) = (self.addr(payer), self.token(native));
                let mut one = self.stated(payer, payee, native, plan);
                // Native money cannot be pulled, which is tried now and then.
                if native && plan.transferable {
                    (one.amount, one.committed) = (0, 0);
                }
                let mut said = [payer, one.payee, token].map(word_of).to_vec();
                said.extend([word(one.rate), word(one.total), word(one.start_at), word(one.cliff_at), word(one.cliff_amount), word(one.end_at)]);
                said.extend([word(one.flags), word(one.amount), word(one.committed), one.memo.0]);
                let text = "Create(address payer,address payee,address token,uint128 ratePerSecondScaled,uint128 total,uint64 startAt,uint64 cliffAt,\
                            uint128 cliffAmount,uint64 endAt,uint8 flags,uint128 amount,uint128 committed,bytes32 memo,uint64 nonce,uint64 deadline)";
                let ([r, s], signed) = self.form(payer, form, text, said);
                let data = Streams::createForCall {
                    payer: sol(payer),
                    payee: sol(one.payee),
                    token: sol(token),
                    ratePerSecondScaled: one.rate,
                    total: one.total,
                    startAt: one.start_at,
                    cliffAt: one.cliff_at,
                    cliffAmount: one.cliff_amount,
                    endAt: one.end_at,
                    flags: one.flags,
                    amount: one.amount,
                    committed: one.committed,
                    memo: one.memo.0.into(),
                    nonce: signed.nonce,
                    deadline: signed.deadline,
                    r: r.into(),
                    yParityAndS: s.into(),
                };
                plain(self.addr(Relayer), data.abi_encode(), Call::CreateFor { payer, one, token, signed })
            }
            Step::TopUp { by, which, amount, wrong_parties } => {
                let (by, number) = (self.addr(by), self.pick(which));
                let (token, payee) = (self.token_of(number), self.payee_of(number));
                let amount = self.amount(by, amount, token == NATIVE);
                let payer = self.model.state.records.get(&number).map(|s| s.payer).filter(|_| !wrong_parties).unwrap_or(payee);
                let data = Streams::topUpCall { book: number.0, serial: number.1, payer: sol(payer), payee: sol(payee), token: sol(token), amount };
                let call = Call::TopUp { number, payer, payee, token, amount };
                made(by, if token == NATIVE { amount } else { 0 }, data.abi_encode(), call)
            }
            Step::Claim { by, which, ask, to } => {
                let number = self.pick(which);
                let to = to.map_or(self.payee_of(number), |to| self.to(to));
                let amount = self.ask(ask, self.model.claimable(number).0, self.token_of(number));
                let data = Streams::claimCall { book: number.0, serial: number.1, amount, to: sol(to) };
                plain(self.hand(by, number), data.abi_encode(), Call::Claim { number, amount, to })
            }
            Step::Batch { by, ref rows, fund_new, damage } => {
                let (blob, call) = self.batch(rows, fund_new, damage);
                plain(self.addr(by), Both::claimBatchCall { blob: blob.into() }.abi_encode(), call)
            }
            Step::AdjustRate { by, which, to } => {
                let number = self.pick(which);
                let rate = self.speed(to, self.token_of(number) == NATIVE, Some(number));
                let data = Streams::adjustRateCall { book: number.0, serial: number.1, ratePerSecondScaled: rate };
                plain(self.hand(by, number), data.abi_encode(), Call::AdjustRate { number, rate })
            }
            Step::Pause { by, which } => {
                let number = self.pick(which);
                let data = Streams::pauseCall { book: number.0, serial: number.1 };
                plain(self.hand(by, number), data.abi_encode(), Call::Pause { number })
            }
            Step::Resume { by, which } => {
                let number = self.pick(which);
                let data = Streams::resumeCall { book: number.0, serial: number.1 };
                plain(self.hand(by, number), data.abi_encode(), Call::Resume { number })
            }
            Step::Refund { by, which, ask } => {
                let number = self.pick(which);
                let (token, now) = (self.token_of(number), self.model.now);
                let amount = self.ask(ask, self.model.state.records.get(&number).map_or(0, |s| s.refundable(token, now)), token);
                let data = Streams::refundCall { book: number.0, serial: number.1, amount };
                plain(self.hand(by, number), data.abi_encode(), Call::Refund { number, amount })
            }
            Step::Cancel { by, which } => {
                let number = self.pick(which);
                let data = Streams::cancelCall { book: number.0, serial: number.1 };
                plain(self.hand(by, number), data.abi_encode(), Call::Cancel { number })
            }
            Step::Renounce { by, which } => {
                let number = self.pick(which);
                let data = Streams::renounceCall { book: number.0, serial: number.1 };
                plain(self.hand(by, number), data.abi_encode(), Call::Renounce { number })
            }
            Step::Void { by, which } => {
                let number = self.pick(which);
                let data = Streams::voidCall { book: number.0, serial: number.1 };
                plain(self.hand(by, number), data.abi_encode(), Call::Void { number })
            }
            Step::HandOver { by, which, to } => {
                let (number, to) = (self.pick(which), self.to(to));
                let data = Streams::handOverCall { book: number.0, serial: number.1, to: sol(to) };
                plain(self.hand(by, number), data.abi_encode(), Call::HandOver { number, to })
            }
            Step::SetDelegate { by, which, delegate, rights, cap } => {
                let (number, delegate) = (self.pick(which), self.to(delegate));
                let cap = if rights == 0 { 0 } else { self.speed(cap, self.token_of(number) == NATIVE, Some(number)) };
                let data = Streams::setDelegateCall { book: number.0, serial: number.1, delegate: sol(delegate), rights, rateCapScaled: cap };
                plain(self.hand(by, number), data.abi_encode(), Call::SetDelegate { number, delegate, rights, cap })
            }
            Step::Shared(_) | Step::Wait(_) => None,
        }
    }

    /// All with the times and flags of the first.
    fn make_many(&self, payer: Addr, native: bool, plans: &[(To, Plan)], uneven: bool) -> Option<Made<Call>> {
        let token = self.token(native);
        let stated = plans.iter().map(|(to, plan)| self.stated(payer, *to, native, plan)).collect::<Vec<_>>();
        let (start_at, cliff_at, end_at, flags) = stated.first().map_or((0, 0, 0, 0), |one| (one.start_at, one.cliff_at, one.end_at, one.flags));
        let many: Vec<_> = stated
            .into_iter()
            .map(|one| {
                let cliff_amount = if flags & CLIFF == 0 { 0 } else { one.cliff_amount };
                Stated { start_at, cliff_at, end_at, flags, cliff_amount, ..one }
            })
            .collect();
        let list = |of: fn(&Stated) -> u128| many.iter().map(of).collect::<Vec<_>>();
        let mut data = Streams::createManyCall {
            token: sol(token),
            startAt: start_at,
            cliffAt: cliff_at,
            endAt: end_at,
            flags,
            payees: many.iter().map(|one| sol(one.payee)).collect(),
            ratesPerSecondScaled: list(|one| one.rate),
            totals: list(|one| one.total),
            cliffAmounts: list(|one| one.cliff_amount),
            amounts: list(|one| one.amount),
            committed: list(|one| one.committed),
            memos: many.iter().map(|one| one.memo.0.into()).collect(),
        };
        let value = if native { many.iter().map(|one| one.amount).sum() } else { 0 };
        if uneven {
            // One of the lists is a place longer, or as long as none.
            match many.len() % 3 {
                0 => data.totals.push(1),
                1 => data.memos.clear(),
                _ => data.payees.push(sol(payer)),
            }
        }
        Some(Made { by: payer, value, calldata: data.abi_encode(), call: Call::CreateMany { many: (!uneven).then_some(many), token } })
    }

    /// A blob, and how it is to be read.
    fn batch(&self, rows: &[Pick], fund_new: u8, damage: Option<Damage>) -> (Vec<u8>, Call) {
        let mut books: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for number in rows.iter().map(|pick| self.pick(*pick)) {
            books.entry(number.0).or_default().insert(number.1);
        }
        let rows = |serials: &BTreeSet<u32>| serials.iter().map(|serial| (*serial, ())).collect();
        let groups: Vec<Group<()>> = books.iter().enumerate().map(|(i, (book, serials))| (*book, fund_new >> i & 1 == 1, rows(serials))).collect();
        let (bytes, refused) = blob(0x81, groups.clone(), damage, |_, _, ()| {});
        (bytes, refused.map_or(Call::Batch { groups }, |reason| Call::Shared(Shared::BadBatch { reason })))
    }
}
