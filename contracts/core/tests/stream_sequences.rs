//! Many streams under random calls by several parties.
//!
//! any calls in any order
//! ├── each is done or refused as a model says that knows no core; every figure is the model's after each
//! ├── every invariant of `contracts/README.md` holds between any two steps (`stream_world/invariants.rs`)
//! ├── the contract holds what it owes; each party has, with its credit, what the model says
//! └── all that is stored can be told from the events and their times

mod stream_world;

use proptest::prelude::*;
use rivulet_core::{
    cell::Slot,
    host::Key,
    ids::{Address, StreamNumber, Token},
    outcome::RowOutcome,
    stream::{self, Flags, NewStream, NewStreams, ScheduleError, Stream, StreamStatus as S, claim::ALL, schedule::*},
};
use stream_world::{
    invariants::{self, Glance, glance},
    model::Model,
    seen::Seen,
    *,
};

/// Calls that need no more than a caller and a stream.
#[derive(Clone, Copy, Debug)]
enum Plain {
    Pause,
    Resume,
    Cancel,
    Void,
    Renounce,
}

#[derive(Clone, Debug)]
enum Op {
    Create {
        payer: u8,
        payee: u8,
        native: bool,
        new: Shape,
    },
    CreateMany {
        payer: u8,
        native: bool,
        rates: Vec<u128>,
        deposit: u128,
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
    Steer {
        call: Plain,
        by: u8,
        which: usize,
    },
    Adjust {
        by: u8,
        which: usize,
        rate: u128,
    },
    Refund {
        by: u8,
        which: usize,
        percent: u8,
    },
    HandOver {
        by: u8,
        which: usize,
        to: u8,
    },
    SetDelegate {
        by: u8,
        which: usize,
        who: u8,
        rights: u8,
        cap: u128,
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
    flags: u8,
}

fn shape() -> impl Strategy<Value = Shape> {
    let cliff = proptest::option::of((0..60u64, 0..50u128));
    let flags = prop_oneof![Just(3u8), Just(1), Just(2), Just(0)];
    (1..4 * UNIT, any::<[bool; 2]>(), -30..30i64, cliff, proptest::option::of(1..200u64), 0..300u128, flags)
        .prop_map(|(rate, [total, commit], start, cliff, secs, deposit, flags)| Shape { rate, total, start, cliff, secs, deposit, commit, flags })
}

fn op() -> impl Strategy<Value = Op> {
    use Op::*;
    let (by, which, side) = (|| 0..6u8, || 0..8usize, || prop_oneof![4 => 0..3u8, 1 => 3..6u8]);
    let call = prop_oneof![
        4 => Just(Plain::Pause), 4 => Just(Plain::Resume), 1 => Just(Plain::Cancel), 1 => Just(Plain::Void), 1 => Just(Plain::Renounce)
    ];
    let rates = || prop_oneof![8 => 0..4 * UNIT, 1 => Just(MAX_RATE_SCALED), 1 => Just(MAX_RATE_SCALED + 1), 1 => Just(u128::MAX)];
    prop_oneof![
        3 => (0..2u8, 0..2u8, any::<bool>(), shape()).prop_map(|(payer, payee, native, new)| Create { payer, payee, native, new }),
        1 => (0..2u8, any::<bool>(), proptest::collection::vec(1..4 * UNIT, 0..4), 0..200u128)
            .prop_map(|(payer, native, rates, deposit)| CreateMany { payer, native, rates, deposit }),
        2 => (by(), which(), 0..200u128).prop_map(|(by, which, amount)| TopUp { by, which, amount }),
        5 => (by(), which(), 0..=120u8, any::<bool>()).prop_map(|(by, which, percent, to_sink)| Claim { by, which, percent, to_sink }),
        2 => which().prop_map(|skip| Batch { skip }),
        7 => (call, side(), which()).prop_map(|(call, by, which)| Steer { call, by, which }),
        3 => (side(), which(), rates()).prop_map(|(by, which, rate)| Adjust { by, which, rate }),
        2 => (side(), which(), 0..=120u8).prop_map(|(by, which, percent)| Refund { by, which, percent }),
        2 => (2..6u8, which(), 0..8u8).prop_map(|(by, which, to)| HandOver { by, which, to }),
        2 => (0..3u8, which(), 0..8u8, prop_oneof![9 => 0..32u8, 1 => any::<u8>()], rates())
            .prop_map(|(by, which, who, rights, cap)| SetDelegate { by, which, who, rights, cap }),
        4 => (0..60u64).prop_map(|secs| Pass { secs }),
        4 => (which(), 0..4u8, 0..3u64).prop_map(|(which, edge, off)| PassToEdge { which, edge, off }),
        1 => (0..7u8).prop_map(|who| Refuse { who }),
        1 => (0..7u8, any::<bool>()).prop_map(|(who, native)| Collect { who, native }),
        1 => (any::<bool>(), 0..1_000u128).prop_map(|(native, amount)| Donate { native, amount }),
    ]
}

/// The chain beside the model of all its streams.
#[derive(Default)]
struct Run {
    w: World,
    models: Vec<Model>,
    glances: Vec<Glance>,
    /// Numbers that were handed over.
    left: Vec<StreamNumber>,
    events: Vec<(u64, String)>,
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
    ALL_PARTIES.get(usize::from(i)).copied().unwrap_or_default()
}

/// The exact figure of what is asked of what there is: done or refused.
fn part(m: &Model, there: u128, percent: u8) -> u128 {
    // Above 100: all.
    if percent > 100 { ALL } else { m.down(there / 100 * u128::from(percent)) }
}

impl Run {
    fn spend(&mut self, payer: Address, token: &Token, amount: i128) {
        match PAYERS.iter().position(|p| *p == payer) {
            Some(i) => self.spent[at(token)][i] += amount,
            None => self.earned[at(token)] -= amount,
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

    fn know(&mut self, model: Model) {
        self.glances.push(glance(&self.w, model.number));
        self.models.push(model);
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
                flags: s.flags | if cliff.is_some() { Flags::CLIFF } else { 0 },
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
                self.know(Model::new(number, payer, &new, now));
            }
            Err(e) => assert!(no_time && e == bad(ScheduleError::NoTimeToFlow), "{e:?} for {new:?}"),
        }
    }

    fn create_many(&mut self, payer: Address, token: Token, rates: &[u128], deposit: u128) {
        let (now, unit, count) = (self.w.now(), if token == NATIVE { GRAIN } else { 1 }, rates.len());
        let rates: Vec<_> = rates.iter().map(|rate| rate * unit).collect();
        let (payees, zeros): (Vec<_>, Vec<_>) = (0..count).map(|i| (PAYEES[i % 2], 0)).unzip();
        let amounts: Vec<_> = (0..count as u128).map(|i| i * deposit * unit).collect();
        let many = NewStreams {
            token,
            start_at: 0,
            cliff_at: 0,
            end_at: now + 90,
            flags: 3,
            payees: &payees,
            rates_per_second_scaled: &rates,
            totals: &zeros,
            cliff_amounts: &zeros,
            amounts: &amounts,
            committed: &zeros,
            memos: &vec![[2; 32]; count],
        };
        let sum: u128 = amounts.iter().sum();
        let numbers = self.w.h.call(payer, if token == NATIVE { sum } else { 0 }, |h| stream::create_many(h, &many)).unwrap();
        assert_eq!(numbers.len(), count);
        self.spend(payer, &token, sum as i128);
        for (i, number) in numbers.into_iter().enumerate() {
            let stated = Stated { rate_per_second_scaled: rates[i], total: 0, start_at: 0, cliff_at: 0, cliff_amount: 0, end_at: now + 90, flags: 3 };
            let new = NewStream { payee: payees[i], token, stated, amount: amounts[i], committed: 0, memo: [2; 32] };
            self.know(Model::new(number, payer, &new, now));
        }
    }

    /// Who called, if it was about one stream.
    fn step(&mut self, op: &Op) -> Option<Address> {
        let count = self.models.len().max(1);
        let t = self.w.now();
        match *op {
            Op::Create { .. } | Op::CreateMany { .. } if self.models.len() >= 8 => {}
            Op::Create { payer, payee, native, ref new } => {
                let token = if native { NATIVE } else { USDT };
                self.create(PAYERS[usize::from(payer)], PAYEES[usize::from(payee)], token, new);
            }
            Op::CreateMany { payer, native, ref rates, deposit } => {
                self.create_many(PAYERS[usize::from(payer)], if native { NATIVE } else { USDT }, rates, deposit);
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
            Op::Steer { by, which, .. } | Op::Adjust { by, which, .. } | Op::Refund { by, which, .. } => {
                let (by, i) = (who(by), which % count);
                let had = self.wealth(by);
                self.steer(by, i, op);
                let m = &self.models[i];
                assert!(self.wealth(by) == had || by == m.payer || by == m.payee, "a delegate gains nothing");
                return Some(by);
            }
            Op::HandOver { by, which, to } => self.hand_over(who(by), which % count, [PAYEE, PAYEE2, OTHER][usize::from(to) % 3], to),
            Op::SetDelegate { by, which, who: i, rights, cap } => self.set_delegate(who(by), which % count, who(i), rights, cap),
        }
        None
    }

    fn wealth(&self, by: Address) -> [i128; 2] {
        [NATIVE, USDT].map(|token| self.w.earned(&token, &by) + self.w.credit(&token, &by) as i128)
    }

    /// Pause, resume, cancel, void, renounce, adjust, refund.
    fn steer(&mut self, by: Address, i: usize, op: &Op) {
        let (t, n) = (self.w.now(), self.models[i].number);
        let m = &mut self.models[i];
        let goes_on = !m.gone && !m.is_done(t);
        match *op {
            Op::Steer { call: Plain::Pause, .. } => {
                let allowed = m.may(by, 1) && goes_on && m.cancellable && !m.is_paused() && t >= m.start;
                let result = self.w.pause_by(by, n);
                assert_eq!(result.is_ok(), allowed, "{result:?} {m:?}");
                if allowed {
                    m.periods.last_mut().unwrap().1 = Some(t);
                }
            }
            Op::Steer { call: Plain::Resume, .. } => {
                let allowed = m.may(by, 2) && goes_on && m.is_paused();
                let result = self.w.resume_by(by, n);
                assert_eq!(result.is_ok(), allowed, "{result:?} {m:?}");
                if allowed {
                    m.periods.push((t, None));
                }
            }
            Op::Steer { call: Plain::Renounce, .. } => {
                let allowed = by == m.payer && goes_on && m.cancellable && !m.is_paused();
                let result = self.w.renounce(by, n);
                assert_eq!(result.is_ok(), allowed, "{result:?} {m:?}");
                m.cancellable &= !allowed;
            }
            Op::Adjust { rate, .. } => {
                let cap = if by == m.payer { MAX_RATE_SCALED } else { m.delegate.2 };
                let cut = rate < m.rate() && !m.cancellable;
                let allowed = m.may(by, 4) && goes_on && rate > 0 && rate <= cap && !cut;
                let result = self.w.adjust(by, n, rate);
                assert_eq!(result.is_ok(), allowed, "{result:?} {m:?}");
                if allowed {
                    m.rates.push((t, rate));
                }
            }
            Op::Steer { call: Plain::Cancel, .. } => self.cancel(by, i),
            Op::Steer { call: Plain::Void, .. } => {
                let (allowed, due) = (m.may_end(by, t), m.due(t, by == m.payee));
                let result = self.w.void(by, n);
                assert_eq!(result.is_ok(), allowed, "{result:?} {m:?}");
                if allowed {
                    m.voided = Some(m.paid + due);
                }
            }
            Op::Refund { percent, .. } => {
                let (there, asked) = (m.refundable(t), part(m, m.refundable(t), percent));
                let free = m.cancellable || m.is_done(t);
                let allowed = m.may(by, 8) && !m.gone && free && asked > 0 && there > 0;
                let result = self.w.refund(by, n, asked);
                assert_eq!(result.is_ok(), allowed, "{result:?} {m:?}");
                if let Ok(refunded) = result {
                    assert_eq!(refunded, asked.min(there));
                    m.deposit -= refunded;
                    let (payer, token) = (m.payer, m.token);
                    self.spend(payer, &token, -(refunded as i128));
                }
            }
            _ => unreachable!("steered elsewhere"),
        }
    }

    fn cancel(&mut self, by: Address, i: usize) {
        let t = self.w.now();
        let m = &mut self.models[i];
        let (allowed, by_payee) = (m.may_end(by, t), by == m.payee);
        let result = self.w.cancel(by, m.number);
        assert_eq!(result.is_ok(), allowed, "{result:?} {m:?}");
        if allowed {
            let due = m.due(t, by_payee);
            let refund = m.balance() - due;
            m.deposit -= refund;
            m.cancelled = true;
            let (payer, token) = (m.payer, m.token);
            self.spend(payer, &token, -(refund as i128));
            if by_payee || due == 0 {
                self.pay(i, due);
            }
        }
    }

    fn hand_over(&mut self, by: Address, i: usize, to: Address, kind: u8) {
        let t = self.w.now();
        let m = &mut self.models[i];
        let bad = [Address::ZERO, m.payer, rivulet_core::testing::THIS, USDT, m.payee];
        let to = if kind < 6 { to } else { bad[usize::from(kind) % 5] };
        let allowed = by == m.payee && !m.gone && m.transferable && t >= m.stays_until && !bad.contains(&to);
        let result = self.w.hand_over(by, m.number, to);
        assert_eq!(result.is_ok(), allowed, "{result:?} {m:?}");
        if let Ok(new) = result {
            self.left.push(m.number);
            (m.number, m.payee, m.stays_until) = (new, to, t + 86_400);
        }
    }

    fn set_delegate(&mut self, by: Address, i: usize, delegate: Address, rights: u8, cap: u128) {
        let m = &mut self.models[i];
        let sound = if delegate.is_zero() { rights == 0 && cap == 0 } else { rights < 32 && cap <= MAX_RATE_SCALED };
        let allowed = by == m.payer && !m.gone && sound;
        let result = self.w.set_delegate(by, m.number, delegate, rights, cap);
        assert_eq!(result.is_ok(), allowed, "{result:?} {m:?}");
        if allowed {
            m.delegate = (delegate, rights, cap);
        }
    }

    fn top_up(&mut self, by: Address, i: usize, amount: u128) {
        let t = self.w.now();
        let m = &self.models[i];
        let amount = amount * m.grain();
        let (number, token, payer, payee) = (m.number, m.token, m.payer, m.payee);
        let allowed = amount > 0 && !m.gone && !m.cancelled && m.voided.is_none() && !m.is_settled(t);
        let value = if token == NATIVE { amount } else { 0 };
        let result = self.w.h.call(by, value, |h| stream::top_up(h, number, payer, payee, token, amount));
        assert_eq!(result.is_ok(), allowed, "{result:?}");
        if allowed {
            self.models[i].deposit += amount;
            self.spend(by, &token, amount as i128);
        }
    }

    fn claim(&mut self, by: Address, i: usize, percent: u8, to_sink: bool) {
        let t = self.w.now();
        let m = &self.models[i];
        let (payable, asked) = (m.payable(t), part(m, m.covered(t), percent));
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

    /// How much is stored.
    fn stored(&self) -> usize {
        self.w.h.cells.values().map(Vec::len).sum()
    }

    /// Everything that holds after any call.
    fn check(&mut self, by: Option<Address>) {
        let t = self.w.now();
        self.events.extend(self.w.h.events.drain(..).map(|e| (t, e)));
        let donated = self.donated;
        self.w.check_money(&|token| donated[at(token)]);
        for token in [NATIVE, USDT] {
            let got = |who: &Address| self.w.earned(&token, who) + self.w.credit(&token, who) as i128;
            for (payer, spent) in PAYERS.iter().zip(self.spent[at(&token)]) {
                assert_eq!(got(payer), -spent, "{payer} in {token}");
            }
            let side: i128 = [PAYEE, PAYEE2, OTHER, RELAYER, SINK].iter().map(got).sum();
            assert_eq!(side, self.earned[at(&token)], "the payees' sides in {token}");
        }
        for n in &self.left {
            assert_eq!((self.w.status(*n), self.w.record(*n)), (S::Closed, None), "a number is never used again");
        }
        for (m, before) in self.models.iter().zip(&mut self.glances) {
            m.check(&self.w);
            let now = glance(&self.w, m.number);
            invariants::check(before, &now, m, by == Some(m.payee));
            *before = now;
        }
    }
}

/// 200 sequences, or as many as RIVULET_SEQUENCES says.
fn sequences() -> ProptestConfig {
    let cases = std::env::var("RIVULET_SEQUENCES").map_or(200, |n| n.parse().expect("RIVULET_SEQUENCES: expected a number of sequences"));
    ProptestConfig::with_cases(cases)
}

proptest! {
    #![proptest_config(sequences())]

    #[test]
    fn any_calls_in_any_order_keep_every_promise_and_all_that_is_stored_can_be_told_from_the_events(ops in proptest::collection::vec(op(), 1..120)) {
        let mut run = Run::default();
        run.w.set_terms(PAYEE2, USDT, 700, 1, 5);
        run.w.set_terms(PAYEE2, NATIVE, 700, GRAIN, 5);
        for op in &ops {
            let stored = run.stored();
            let by = run.step(op);
            run.check(by);
            let makes = matches!(op, Op::Create { .. } | Op::CreateMany { .. } | Op::HandOver { .. });
            prop_assert!(makes || run.stored() <= stored, "no call but these grows storage");
        }
        assert_eq!(Seen::of_events(run.events.iter()), Seen::of_cells(&run.w.h));
    }
}

#[test]
fn the_model_sees_a_unit_too_many() {
    // A test of the test: a record that pays one unit more than it owes is found out.
    let mut run = Run::default();
    let shape = Shape { rate: UNIT, total: false, start: 0, cliff: None, secs: None, deposit: 100, commit: false, flags: 1 };
    run.create(PAYER, PAYEE, USDT, &shape);
    run.w.pass(10);
    run.check(None);
    let number = run.models[0].number;
    let mut s = run.w.record(number).unwrap();
    s.snapshot_debt_scaled += UNIT;
    let mut cell = vec![0; 1 + Stream::BYTES];
    s.write(&mut cell[1..]);
    run.w.h.cells.insert(Key::Streams(number.book, 0), cell);
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run.check(None))).is_err());
}
