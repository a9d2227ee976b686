//! Properties of streams, for any schedule, any time and any order of calls. What is expected is computed here, by a model that adds up the seconds of
//! running periods and knows nothing of core's accrual.

mod stream_world;

use proptest::prelude::*;
use rivulet_core::{
    cell::Slot,
    error::Error,
    host::Key,
    ids::{Address, StreamNumber, Token},
    outcome::RowOutcome,
    stream::{self, Cliff, Flags, NewStream, Schedule, State, Stream, StreamStatus as S, claim::ALL, schedule::*},
};
use stream_world::*;

const SCALED: u128 = 1_000_000_000;

/// A stream as its parties understand it.
#[derive(Clone, Debug)]
struct Model {
    number: StreamNumber,
    payer: Address,
    payee: Address,
    token: Token,
    cancellable: bool,
    /// Scaled.
    rate: u128,
    start: u64,
    cliff: Option<(u64, u128)>,
    end: Option<u64>,
    residue: u128,
    committed: u128,
    deposit: u128,
    paid: u128,
    /// Running from, to; the last may be open.
    periods: Vec<(u64, Option<u64>)>,
    cancelled: bool,
    gone: bool,
}

impl Model {
    fn new(number: StreamNumber, payer: Address, new: &NewStream, now: u64) -> Self {
        let s = &new.stated;
        let start = if s.start_at == 0 { now } else { s.start_at };
        let cliff = (s.flags & 4 != 0).then_some((s.cliff_at, s.cliff_amount));
        let flow_start = cliff.map_or(start, |(at, _)| at);
        let (rate, residue) = match s.total {
            0 => (s.rate_per_second_scaled, 0),
            total => {
                let flowing = (total - s.cliff_amount) * SCALED;
                let secs = u128::from(s.end_at - flow_start);
                (flowing.checked_div(secs).unwrap_or(0), flowing.checked_rem(secs).unwrap_or(0))
            }
        };
        Self {
            number,
            payer,
            payee: new.payee,
            token: new.token,
            cancellable: s.flags & 1 != 0,
            rate,
            start,
            cliff,
            end: (s.end_at != 0).then_some(s.end_at),
            residue,
            committed: new.committed,
            deposit: new.amount,
            paid: 0,
            periods: vec![(0, None)],
            cancelled: false,
            gone: false,
        }
    }

    fn grain(&self) -> u128 {
        if self.token == NATIVE { GRAIN } else { 1 }
    }

    fn down(&self, amount: u128) -> u128 {
        amount / self.grain() * self.grain()
    }

    fn gross(&self, t: u64) -> u128 {
        let flow_start = self.cliff.map_or(self.start, |(at, _)| at);
        let flow_end = self.end.unwrap_or(self.start + u64::from(u32::MAX));
        let mut gross = 0;
        for (from, to) in &self.periods {
            let (from, to) = ((*from).max(flow_start), to.unwrap_or(u64::MAX).min(t).min(flow_end));
            if from < to {
                gross += u128::from(to - from) * self.rate;
            }
        }
        if let Some((at, amount)) = self.cliff {
            // Some running moment, the one of a pause included, is at or after the cliff.
            if self.periods.iter().any(|(from, to)| at.max(*from) <= to.unwrap_or(u64::MAX).min(t)) {
                gross += amount * SCALED;
            }
        }
        if self.is_ended(t) && !self.is_paused() {
            gross += self.residue;
        }
        gross
    }

    fn is_paused(&self) -> bool {
        self.periods.last().is_some_and(|(_, to)| to.is_some())
    }

    fn is_ended(&self, t: u64) -> bool {
        self.end.is_some_and(|end| t >= end)
    }

    fn balance(&self) -> u128 {
        self.deposit - self.paid
    }

    fn total(&self, t: u64) -> u128 {
        if self.cancelled {
            return self.balance();
        }
        let committed = if self.is_ended(t) { self.committed } else { 0 };
        (self.gross(t) / SCALED).max(committed).saturating_sub(self.paid)
    }

    fn covered(&self, t: u64) -> u128 {
        self.total(t).min(self.balance())
    }

    fn uncovered(&self, t: u64) -> u128 {
        self.total(t) - self.covered(t)
    }

    fn payable(&self, t: u64) -> u128 {
        self.down(self.covered(t))
    }

    /// Nothing can ever be paid again.
    fn is_over(&self, t: u64) -> bool {
        (self.cancelled || self.is_ended(t)) && self.total(t) < self.grain()
    }

    fn is_settled(&self, t: u64) -> bool {
        self.is_ended(t) && self.down(self.total(t)) <= self.balance()
    }

    fn status(&self, t: u64) -> S {
        match (self.uncovered(t) > 0, self.is_paused()) {
            _ if self.gone => S::Closed,
            _ if self.cancelled => S::Cancelled,
            _ if t < self.start => S::Pending,
            (false, _) if self.is_ended(t) => S::Ended,
            (true, _) if self.is_ended(t) => S::EndedInsolvent,
            (false, true) => S::Paused,
            (true, true) => S::PausedInsolvent,
            (false, false) => S::Streaming,
            (true, false) => S::StreamingInsolvent,
        }
    }
}

// One stream, any schedule

/// Any schedule that create accepts, at the least and largest of everything, as a record that has just been created.
fn any_stream() -> impl Strategy<Value = Stream> {
    let amounts = || prop_oneof![Just(0), 1..1_000u128, any::<u128>().prop_map(|a| a >> 32)];
    let secs = prop_oneof![1..100u64, 1..=MAX_DURATION_SECS, Just(MAX_DURATION_SECS)];
    let rates = prop_oneof![1..100u128, 1..=MAX_RATE_SCALED, Just(MAX_RATE_SCALED), Just(UNIT / 3)];
    (rates, any::<bool>(), amounts(), amounts(), secs, any::<[bool; 2]>(), 0..=4u64, 1..=2u64 << 30).prop_filter_map(
        "a schedule that contradicts itself",
        |(rate, by_total, amount, deposit, secs, [cliff, end], quarter, start_at)| {
            let (flags, cliff_at, cliff_amount) = if cliff { (Flags::CLIFF, start_at + secs / 4 * quarter, amount / 3) } else { (0, 0, 0) };
            let end_at = if end || by_total { start_at + secs } else { 0 };
            let (rate, total) = if by_total { (0, amount) } else { (rate, 0) };
            let stated = Stated { rate_per_second_scaled: rate, total, start_at, cliff_at, cliff_amount, end_at, flags };
            let (schedule, residue) = stated.check(&USDT, 1 << 30).ok()?;
            Some(record(schedule, residue, flags, deposit))
        },
    )
}

fn record(schedule: Schedule, end_residue_scaled: u32, flags: u8, deposit: u128) -> Stream {
    Stream {
        payer: PAYER,
        rate_per_second_scaled: schedule.rate_per_second_scaled,
        flow_start: schedule.flow_start(),
        flow_end: schedule.flow_end(),
        deposit,
        paid: 0,
        committed: 0,
        snapshot_debt_scaled: 0,
        snapshot_at: schedule.start_at,
        cliff_amount: schedule.cliff.map_or(0, |c| c.amount),
        end_residue_scaled,
        flags,
        state: if schedule.end_at == 0 { State::OPEN_ENDED } else { 0 },
    }
}

/// The gross debt of an untouched stream, in steps that cannot lose anything: `None` would be an overflow.
fn exact_gross(s: &Stream, t: u64) -> Option<u128> {
    let Schedule { rate_per_second_scaled: rate, start_at, cliff, end_at } = s.schedule(s.snapshot_at);
    let from = cliff.map_or(start_at, |c| c.at);
    let to = t.min(if end_at == 0 { start_at + u64::from(u32::MAX) } else { end_at });
    let mut gross = rate.checked_mul(u128::from(to.saturating_sub(from)))?;
    if let Some(Cliff { at, amount }) = cliff
        && t >= at
    {
        gross = gross.checked_add(amount.checked_mul(SCALED)?)?;
    }
    if end_at != 0 && t >= end_at {
        gross = gross.checked_add(u128::from(s.end_residue_scaled))?;
    }
    Some(gross)
}

/// Moments that matter to a stream, and some that do not.
fn moments(s: &Stream) -> Vec<u64> {
    let Schedule { start_at, cliff, end_at, .. } = s.schedule(s.snapshot_at);
    let edges = [start_at, cliff.map_or(0, |c| c.at), end_at, start_at + MAX_DURATION_SECS, s.depletes_at()];
    let mut all: Vec<_> = edges.into_iter().flat_map(|t| [t.saturating_sub(1), t, t.saturating_add(1), t / 2 + start_at / 2]).collect();
    all.extend([0, u64::MAX]);
    all.sort_unstable();
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nothing_overflows_and_debt_only_grows(s in any_stream()) {
        let mut last = 0;
        for t in moments(&s) {
            let gross = exact_gross(&s, t);
            prop_assert_eq!(Some(s.gross_scaled(t)), gross);
            prop_assert!(s.gross_scaled(t) >= last);
            last = s.gross_scaled(t);
        }
    }

    #[test]
    fn covered_and_uncovered_debt_make_the_total_and_the_balance_is_covered_debt_and_refundable(s in any_stream(), part in 0..=100u128) {
        for t in moments(&s) {
            let mut s = s;
            s.paid = s.debt(t).covered / 100 * part;
            let debt = s.debt(t);
            prop_assert_eq!(debt.covered + debt.uncovered, debt.total);
            prop_assert_eq!(s.deposit - s.paid, debt.covered + s.refundable(&USDT, t));
            prop_assert_eq!(s.paid + debt.total, s.gross_scaled(t) / SCALED);
            if debt.uncovered > 0 {
                prop_assert_eq!(debt.covered, s.balance());
            }
            prop_assert!(s.payable(&NATIVE, t) <= debt.covered && debt.covered - s.payable(&NATIVE, t) < GRAIN);
        }
    }

    #[test]
    fn depletion_is_exact_to_the_second(s in any_stream()) {
        match s.depletes_at() {
            0 => prop_assert_eq!(s.debt(u64::MAX).uncovered, 0),
            at => {
                prop_assert_eq!(s.debt(at - 1).uncovered, 0);
                prop_assert!(s.debt(at).uncovered > 0);
            }
        }
    }

    #[test]
    fn no_record_however_broken_makes_anything_panic(
        bytes in proptest::collection::vec(any::<u8>(), Stream::BYTES), flags in 0..8u8, state in 0..32u8, now: u64, by_payee: bool,
    ) {
        let s = Stream { flags, state, ..Stream::read(&bytes) };
        for token in [NATIVE, USDT] {
            let _ = (s.payable(&token, now), s.due_on_end(&token, now, by_payee), s.refundable(&token, now), s.is_over(&token, now), s.is_settled(&token, now));
        }
        let _ = (s.status(now), s.depletes_at(), s.debt(now), s.balance());
    }

    #[test]
    fn at_the_end_the_stated_total_is_owed_exactly(
        total in 1..=1u128 << 95, part in 0..=10u128, secs in 1..=MAX_DURATION_SECS, tenth in 0..=10u64, after in 0..1_000u64,
    ) {
        let mut w = World::default();
        let (start_at, end_at) = (w.now(), w.now() + secs);
        let (cliff_at, cliff_amount) = (start_at + secs / 10 * tenth, total / 10 * part);
        let stated = Stated { rate_per_second_scaled: 0, total, start_at, cliff_at, cliff_amount, end_at, flags: 5 };
        match w.try_create(NewStream { stated, amount: total, ..plain() }) {
            Ok(n) => {
                w.h.now = end_at - 1;
                prop_assert!(w.balances(n).total_debt <= total);
                w.h.now = end_at + after;
                prop_assert_eq!(w.balances(n).total_debt, total);
                prop_assert_eq!(w.claim_all(n), Ok(total));
                prop_assert_eq!((w.status(n), w.earned(&USDT, &PAYER)), (S::Closed, -(total as i128)));
            }
            Err(e) => {
                let (too_fast, no_time) = (matches!(e, Error::BadRate { .. }), e == bad(ScheduleError::NoTimeToFlow));
                prop_assert!(too_fast || no_time, "{:?}", e);
            }
        }
    }
}

proptest! {
    #[test]
    fn any_pattern_of_claims_pays_the_same_total_to_the_unit(
        rate in 1..5 * UNIT, native: bool, deposit in 1..3_000u128, end in proptest::option::of(1..900u64),
        claims in proptest::collection::vec((0..40u64, 0..4u8, 1..60u128), 0..60),
    ) {
        let mut w = World::default();
        let (token, unit) = if native { (NATIVE, GRAIN) } else { (USDT, 1) };
        let end_at = end.map_or(0, |secs| w.now() + secs);
        // Fractions of what can move, in both tokens.
        let stated = Stated { rate_per_second_scaled: rate * unit, end_at, ..plain().stated };
        let new = NewStream { token, stated, amount: deposit * unit, ..plain() };
        let (often, once) = (w.create(new), w.create(NewStream { payee: PAYEE2, ..new }));
        let mut sum = 0;
        for (secs, how, part) in claims {
            w.pass(secs);
            sum += match how {
                0 => w.claim_all(often),
                1 => w.claim(PAYEE, often, part * unit, PAYEE),
                2 => w.batch(&[often]).map(|_| 0),
                // A pause in the same second is no claim, and costs nothing either.
                _ => w.pause(often).and_then(|()| w.resume(often)).map(|()| 0),
            }.unwrap_or(0);
        }
        w.pass(1_000);
        sum += w.claim_all(often).unwrap_or(0);
        let _ = w.claim_all(once);
        prop_assert_eq!(w.earned(&token, &PAYEE), w.earned(&token, &PAYEE2));
        prop_assert!(sum as i128 <= w.earned(&token, &PAYEE));
        prop_assert_eq!(w.status(often), w.status(once));
        w.check();
    }

    #[test]
    fn pauses_take_out_their_seconds_and_nothing_else(
        rate in 1..5 * UNIT, steps in proptest::collection::vec((0..100u64, any::<bool>()), 0..40),
        cliff in proptest::option::of((0..400u64, 0..500u128)), end in proptest::option::of(400..1_500u64),
    ) {
        let mut w = World::default();
        let (cliff_at, cliff_amount, flags) = cliff.map_or((0, 0, 0), |(secs, amount)| (w.now() + secs, amount, Flags::CLIFF));
        let end_at = end.map_or(0, |secs| w.now() + secs + 1);
        let flags = flags | Flags::CANCELLABLE;
        let stated = Stated { rate_per_second_scaled: rate, end_at, cliff_at, cliff_amount, flags, ..plain().stated };
        let new = NewStream { stated, ..plain() };
        let n = w.create(new);
        let mut model = Model::new(n, PAYER, &new, w.now());
        for (secs, turn) in steps {
            w.pass(secs);
            let t = w.now();
            prop_assert_eq!(w.record(n).unwrap().gross_scaled(t), model.gross(t));
            if turn && !model.is_ended(t) {
                match model.periods.last_mut().unwrap() {
                    (_, to @ None) => { w.pause(n).unwrap(); *to = Some(t); }
                    _ => { w.resume(n).unwrap(); model.periods.push((t, None)); }
                }
                prop_assert_eq!(w.record(n).unwrap().gross_scaled(t), model.gross(t));
            }
        }
    }
}

// Many streams, any calls

#[derive(Clone, Debug)]
enum Op {
    Create {
        payer: u8,
        payee: u8,
        native: bool,
        new: Shape,
    },
    TopUp {
        by: u8,
        which: usize,
        amount: u128,
    },
    Claim {
        by: u8,
        which: usize,
        percent: u8,
        to_sink: bool,
    },
    Batch {
        skip: usize,
    },
    Pause {
        by: u8,
        which: usize,
    },
    Resume {
        by: u8,
        which: usize,
    },
    Cancel {
        by: u8,
        which: usize,
    },
    Pass {
        secs: u64,
    },
    /// To the second of an edge of a stream, or one before or after.
    PassToEdge {
        which: usize,
        edge: u8,
        off: u64,
    },
    Refuse {
        who: u8,
    },
    Collect {
        who: u8,
        native: bool,
    },
    Donate {
        native: bool,
        amount: u128,
    },
}

#[derive(Clone, Debug)]
struct Shape {
    rate: u128,
    total: bool,
    start: i64,
    cliff: Option<(u64, u128)>,
    secs: Option<u64>,
    deposit: u128,
    commit: bool,
    cancellable: bool,
}

fn shape() -> impl Strategy<Value = Shape> {
    let cliff = proptest::option::of((0..60u64, 0..50u128));
    (1..4 * UNIT, any::<[bool; 2]>(), -30..30i64, cliff, proptest::option::of(1..200u64), 0..300u128, any::<bool>()).prop_map(
        |(rate, [total, commit], start, cliff, secs, deposit, cancellable)| Shape { rate, total, start, cliff, secs, deposit, commit, cancellable },
    )
}

fn op() -> impl Strategy<Value = Op> {
    let (by, which) = (|| 0..6u8, || 0..8usize);
    prop_oneof![
        3 => (0..2u8, 0..2u8, any::<bool>(), shape()).prop_map(|(payer, payee, native, new)| Op::Create { payer, payee, native, new }),
        2 => (by(), which(), 0..200u128).prop_map(|(by, which, amount)| Op::TopUp { by, which, amount }),
        5 => (by(), which(), 0..=120u8, any::<bool>()).prop_map(|(by, which, percent, to_sink)| Op::Claim { by, which, percent, to_sink }),
        2 => which().prop_map(|skip| Op::Batch { skip }),
        2 => (0..3u8, which()).prop_map(|(by, which)| Op::Pause { by, which }),
        2 => (0..3u8, which()).prop_map(|(by, which)| Op::Resume { by, which }),
        1 => (by(), which()).prop_map(|(by, which)| Op::Cancel { by, which }),
        4 => (0..60u64).prop_map(|secs| Op::Pass { secs }),
        4 => (which(), 0..4u8, 0..3u64).prop_map(|(which, edge, off)| Op::PassToEdge { which, edge, off }),
        1 => (0..7u8).prop_map(|who| Op::Refuse { who }),
        1 => (0..7u8, any::<bool>()).prop_map(|(who, native)| Op::Collect { who, native }),
        1 => (any::<bool>(), 0..1_000u128).prop_map(|(native, amount)| Op::Donate { native, amount }),
    ]
}

/// The chain beside the model of all its streams.
#[derive(Default)]
struct Run {
    w: World,
    models: Vec<Model>,
    seen: Vec<S>,
    /// By token (native first): what each payer has put in less what it got back; what all payees' sides have got; donations.
    spent: [[i128; 2]; 2],
    earned: [i128; 2],
    donated: [u128; 2],
}

const PAYERS: [Address; 2] = [PAYER, PAYER2];
const PAYEES: [Address; 2] = [PAYEE, PAYEE2];

fn at(token: &Token) -> usize {
    usize::from(*token != NATIVE)
}

fn who(i: u8) -> Address {
    ALL_PARTIES[usize::from(i) % ALL_PARTIES.len()]
}

impl Run {
    fn spend(&mut self, payer: Address, token: &Token, amount: i128) {
        if let Some(i) = PAYERS.iter().position(|p| *p == payer) {
            self.spent[at(token)][i] += amount;
        }
    }

    /// What a payment does by the model: the payee's side earns, an exhausted stream goes and its payer gets the remainder.
    fn pay(&mut self, i: usize, gain: u128) {
        let t = self.w.now();
        let m = &mut self.models[i];
        m.paid += gain;
        self.earned[at(&m.token)] += gain as i128;
        if m.is_over(t) {
            m.gone = true;
            let (payer, token, rest) = (m.payer, m.token, m.balance());
            m.deposit = m.paid;
            self.spend(payer, &token, -(rest as i128));
        }
    }

    fn create(&mut self, payer: Address, payee: Address, token: Token, s: &Shape) {
        let (now, unit) = (self.w.now(), if token == NATIVE { GRAIN } else { 1 });
        let start_at = now.checked_add_signed(s.start).unwrap();
        let end_at = s.secs.map_or(0, |secs| start_at + secs);
        let by_total = s.total && end_at != 0;
        let latest = s.secs.unwrap_or(60);
        let cliff = s.cliff.map(|(after, amount)| (start_at + after.min(latest), amount * unit));
        let total = if by_total { (s.rate / 10_000_000 + 50) * unit } else { 0 };
        let no_time = cliff.is_some_and(|(at, amount)| at == end_at && (!by_total || amount != total));
        let new = NewStream {
            payee,
            token,
            stated: Stated {
                rate_per_second_scaled: if by_total { 0 } else { s.rate * unit },
                total,
                start_at,
                cliff_at: cliff.map_or(0, |c| c.0),
                cliff_amount: cliff.map_or(0, |c| c.1),
                end_at,
                flags: u8::from(s.cancellable) | if cliff.is_some() { Flags::CLIFF } else { 0 },
            },
            amount: s.deposit * unit,
            // At most the least total.
            committed: if s.commit { (s.deposit / 3).min(50) * unit } else { 0 },
            memo: [1; 32],
        };
        match self.w.try_create_by(payer, new) {
            Ok(number) => {
                assert!(!no_time);
                self.spend(payer, &token, new.amount as i128);
                self.models.push(Model::new(number, payer, &new, now));
                self.seen.push(S::Unknown);
            }
            Err(e) => assert!(no_time && e == bad(ScheduleError::NoTimeToFlow), "{e:?} for {new:?}"),
        }
    }

    fn step(&mut self, op: &Op) {
        let count = self.models.len().max(1);
        let t = self.w.now();
        match *op {
            Op::Create { .. } if self.models.len() >= 8 => {}
            Op::Create { payer, payee, native, ref new } => {
                let token = if native { NATIVE } else { USDT };
                self.create(PAYERS[usize::from(payer)], PAYEES[usize::from(payee)], token, new);
            }
            Op::Pass { secs } => self.w.pass(secs),
            Op::Refuse { who: i } => {
                if !self.w.h.refusing.remove(&who(i)) {
                    self.w.h.refusing.insert(who(i));
                }
            }
            Op::Collect { who: i, native } => {
                let token = if native { NATIVE } else { USDT };
                let credit = self.w.credit(&token, &who(i));
                let result = self.w.h.call(who(i), 0, |h| rivulet_core::ledger::collect(h, &token, &who(i)));
                match result {
                    Ok(amount) => assert_eq!((amount, self.w.credit(&token, &who(i))), (credit, 0)),
                    Err(e) => assert!(credit == 0 || self.w.h.refusing.contains(&who(i)), "{e:?}"),
                }
            }
            Op::Donate { native, amount } => {
                let token = if native { NATIVE } else { USDT };
                self.w.h.endow(&token, &rivulet_core::testing::THIS, amount);
                self.donated[at(&token)] += amount;
            }
            Op::Batch { skip } => self.batch(skip),
            _ if self.models.is_empty() => {}
            Op::PassToEdge { which, edge, off } => {
                let m = &self.models[which % count];
                let edge = [m.start, m.cliff.map_or(0, |c| c.0), m.end.unwrap_or(0), self.w.balances(m.number).depletes_at][usize::from(edge)];
                self.w.h.now = t.max((edge + off).saturating_sub(1).min(t + 10_000));
            }
            Op::TopUp { by, which, amount } => self.top_up(who(by), which % count, amount),
            Op::Claim { by, which, percent, to_sink } => self.claim(who(by), which % count, percent, to_sink),
            Op::Pause { by, which } => {
                let m = &mut self.models[which % count];
                let allowed = who(by) == m.payer && m.cancellable && !m.gone && !m.cancelled && !m.is_paused() && t >= m.start && !m.is_ended(t);
                let result = self.w.h.call(who(by), 0, |h| stream::pause(h, m.number));
                assert_eq!(result.is_ok(), allowed, "{result:?}");
                if allowed {
                    m.periods.last_mut().unwrap().1 = Some(t);
                }
            }
            Op::Resume { by, which } => {
                let m = &mut self.models[which % count];
                let allowed = who(by) == m.payer && !m.gone && !m.cancelled && m.is_paused() && !m.is_ended(t);
                let result = self.w.h.call(who(by), 0, |h| stream::resume(h, m.number));
                assert_eq!(result.is_ok(), allowed, "{result:?}");
                if allowed {
                    m.periods.push((t, None));
                }
            }
            Op::Cancel { by, which } => self.cancel(who(by), which % count),
        }
    }

    fn top_up(&mut self, by: Address, i: usize, amount: u128) {
        let t = self.w.now();
        let m = &self.models[i];
        let amount = amount * m.grain();
        let (number, token, payer, payee) = (m.number, m.token, m.payer, m.payee);
        let allowed = amount > 0 && !m.gone && !m.cancelled && !m.is_settled(t);
        let value = if token == NATIVE { amount } else { 0 };
        let result = self.w.h.call(by, value, |h| stream::top_up(h, number, payer, payee, token, amount));
        assert_eq!(result.is_ok(), allowed, "{result:?}");
        if allowed {
            self.models[i].deposit += amount;
            if by == RELAYER || PAYEES.contains(&by) {
                self.earned[at(&token)] -= amount as i128;
            }
            self.spend(by, &token, amount as i128);
        }
    }

    fn claim(&mut self, by: Address, i: usize, percent: u8, to_sink: bool) {
        let t = self.w.now();
        let m = &self.models[i];
        let payable = m.payable(t);
        // Above 100: all.
        let asked = if percent > 100 { ALL } else { m.down(m.covered(t) / 100 * u128::from(percent)) };
        let to = if to_sink { SINK } else { m.payee };
        let last = asked == ALL && m.is_over(t);
        let allowed = !m.gone && (by == m.payee || to == m.payee) && asked != 0 && (payable > 0 || last);
        let result = self.w.claim(by, m.number, asked, to);
        assert_eq!(result.is_ok(), allowed, "{result:?}");
        if let Ok(gain) = result {
            assert_eq!(gain, asked.min(payable));
            self.pay(i, gain);
        }
    }

    fn batch(&mut self, skip: usize) {
        let t = self.w.now();
        let mut rows: Vec<_> = self.models.iter().enumerate().filter(|(i, _)| *i != skip).map(|(i, m)| (m.number, Some(i))).collect();
        let unknown = StreamNumber { book: 1, serial: 1_000 };
        rows.push((unknown, None));
        rows.sort_unstable();
        let numbers: Vec<_> = rows.iter().map(|r| r.0).collect();
        let outcomes = self.w.batch(&numbers).unwrap();
        for ((_, i), outcome) in rows.into_iter().zip(outcomes) {
            let Some(i) = i else {
                assert_eq!(outcome, RowOutcome::Unknown);
                continue;
            };
            let m = &self.models[i];
            let payable = m.payable(t);
            let expected = match payable {
                _ if m.gone => RowOutcome::Closed,
                0 => RowOutcome::Stale,
                _ if m.uncovered(t) > 0 => RowOutcome::Capped,
                _ => RowOutcome::Applied,
            };
            assert_eq!(outcome, expected, "{m:?}");
            if !m.gone {
                self.pay(i, payable);
            }
        }
    }

    fn cancel(&mut self, by: Address, i: usize) {
        let t = self.w.now();
        let m = &mut self.models[i];
        let side = by == m.payee || (by == m.payer && m.cancellable);
        let allowed = side && !m.gone && !m.cancelled && !m.is_settled(t);
        let result = self.w.h.call(by, 0, |h| stream::cancel(h, m.number));
        assert_eq!(result.is_ok(), allowed, "{result:?}");
        if allowed {
            let committed = if by == m.payee { 0 } else { m.committed.min(m.deposit) };
            let due = m.down((m.paid + m.covered(t)).max(committed) - m.paid);
            let refund = m.balance() - due;
            m.deposit -= refund;
            m.cancelled = true;
            let (payer, token, by_payee) = (m.payer, m.token, by == m.payee);
            self.spend(payer, &token, -(refund as i128));
            if by_payee || due == 0 {
                self.pay(i, due);
            }
        }
    }

    /// Everything that holds after any call.
    fn check(&mut self) {
        let t = self.w.now();
        let donated = self.donated;
        self.w.check_money(&|token| donated[at(token)]);
        for token in [NATIVE, USDT] {
            let got = |who: &Address| self.w.earned(&token, who) + self.w.credit(&token, who) as i128;
            for (payer, spent) in PAYERS.iter().zip(self.spent[at(&token)]) {
                assert_eq!(got(payer), -spent, "{payer} in {token}");
            }
            let side: i128 = [PAYEE, PAYEE2, RELAYER, SINK].iter().map(got).sum();
            assert_eq!(side, self.earned[at(&token)], "the payees' sides in {token}");
        }
        for (m, seen) in self.models.iter().zip(&mut self.seen) {
            check_stream(&self.w, m, t);
            let status = self.w.status(m.number);
            assert_eq!(status, m.status(t), "{m:?}");
            check_edge(*seen, status);
            *seen = status;
        }
    }
}

fn check_stream(w: &World, m: &Model, t: u64) {
    let b = w.balances(m.number);
    let Some(record) = w.record(m.number) else {
        assert!(m.gone && b == stream::Balances::default(), "{m:?}");
        return;
    };
    assert!(!m.gone, "{m:?}");
    assert_eq!((b.deposit, b.paid, b.total_debt), (m.deposit, m.paid, m.total(t)), "{m:?}");
    assert_eq!((b.covered_debt, b.uncovered_debt), (m.covered(t), m.uncovered(t)), "{m:?}");
    if m.cancelled {
        assert_eq!((b.refundable, b.depletes_at, b.uncovered_debt), (0, 0, 0));
        return;
    }
    assert_eq!(record.gross_scaled(t), m.gross(t), "{m:?}");
    assert_eq!(record.is(State::PAUSED), m.is_paused());
    // Up to what can move: the balance is covered debt, or commitment, and refundable.
    let kept = b.covered_debt.max(m.committed.min(m.deposit).saturating_sub(m.paid));
    assert_eq!(b.refundable, m.down(m.balance() - kept));
    if b.uncovered_debt > 0 {
        assert_eq!((b.covered_debt, b.refundable), (m.balance(), 0));
    }
    match b.depletes_at {
        0 => assert_eq!(m.uncovered(u64::MAX), 0, "never depletes: {m:?}"),
        at if at <= t => assert!(b.uncovered_debt > 0, "depleted: {m:?}"),
        at => assert!(m.uncovered(at - 1) == 0 && m.uncovered(at) > 0, "depletes at {at}: {m:?}"),
    }
}

/// Sablier's forbidden transitions, and ours.
fn check_edge(from: S, to: S) {
    let forbidden = match from {
        S::Closed => to != S::Closed,
        S::Cancelled => !matches!(to, S::Cancelled | S::Closed),
        S::Ended => !matches!(to, S::Ended | S::Closed),
        S::EndedInsolvent => !matches!(to, S::EndedInsolvent | S::Ended | S::Cancelled | S::Closed),
        S::Pending => matches!(to, S::Paused | S::PausedInsolvent),
        S::Streaming | S::StreamingInsolvent | S::Paused | S::PausedInsolvent if to == S::Pending => true,
        S::Paused => to == S::PausedInsolvent,
        _ => to == S::Unknown,
    };
    assert!(!forbidden, "{from:?} to {to:?}");
}

/// 200 sequences, or as many as RIVULET_SEQUENCES says.
fn sequences() -> ProptestConfig {
    let cases = std::env::var("RIVULET_SEQUENCES").map_or(200, |n| n.parse().expect("RIVULET_SEQUENCES: expected a number of sequences"));
    ProptestConfig::with_cases(cases)
}

proptest! {
    #![proptest_config(sequences())]

    #[test]
    fn any_calls_in_any_order_keep_the_books_balanced(ops in proptest::collection::vec(op(), 1..100)) {
        let mut run = Run::default();
        run.w.set_terms(PAYEE2, USDT, 700, 1, 5);
        run.w.set_terms(PAYEE2, NATIVE, 700, GRAIN, 5);
        for op in &ops {
            run.step(op);
            run.check();
            run.w.h.events.clear();
        }
    }
}

#[test]
fn the_model_sees_a_unit_too_many() {
    // A test of the test: a record that pays one unit more than it owes is found out.
    let mut run = Run::default();
    run.create(
        PAYER,
        PAYEE,
        USDT,
        &Shape { rate: UNIT, total: false, start: 0, cliff: None, secs: None, deposit: 100, commit: false, cancellable: true },
    );
    run.w.pass(10);
    run.check();
    let number = run.models[0].number;
    let mut s = run.w.record(number).unwrap();
    s.snapshot_debt_scaled += UNIT;
    let mut cell = vec![0; 1 + Stream::BYTES];
    s.write(&mut cell[1..]);
    run.w.h.cells.insert(Key::Streams(number.book, 0), cell);
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run.check())).is_err());
}
