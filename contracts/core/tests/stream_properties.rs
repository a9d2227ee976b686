//! Properties of one stream, for any schedule, any time and any pattern of claims, pauses and rates. What is expected is computed by a model that adds up the
//! seconds of running periods and knows nothing of core's accrual. Many streams under any calls: `stream_sequences.rs`.

mod stream_world;

use proptest::prelude::*;
use rivulet_core::{
    cell::Slot,
    error::Error,
    stream::{Cliff, Flags, NewStream, Schedule, ScheduleError, State, Stream, StreamStatus as S, schedule::*},
};
use stream_world::{model::Model, *};

const SCALED: u128 = 1_000_000_000;

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
            let _ = (s.payable(&token, now), s.due_on_end(&token, now, by_payee), s.refundable(&token, now), s.is_over(&token, now, s.total_debt(now)), s.is_settled(&token, now));
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
    fn however_a_stream_is_claimed_its_fees_are_at_most_the_ceilings_share(
        native: bool, fee_bps in 0..=1_000u16, flat in 0..50u128, min_gain in 0..40u128,
        claims in proptest::collection::vec((0..40u64, 0..3u8, 1..60u128), 1..60),
    ) {
        let mut w = World::default();
        let (token, unit) = if native { (NATIVE, GRAIN) } else { (USDT, 1) };
        // The ceiling of this world's deployment is 10 %.
        w.set_terms(PAYEE, token, fee_bps, flat * unit, min_gain * unit);
        let stated = Stated { rate_per_second_scaled: 3 * UNIT * unit / 2, ..plain().stated };
        let n = w.create(NewStream { token, stated, amount: 3_000 * unit, ..plain() });
        for (secs, how, part) in claims {
            w.pass(secs);
            let before = w.balances(n).paid;
            let _ = match how {
                0 => w.claim_all(n).map(|_| ()),
                1 => w.claim(RELAYER, n, part * unit, PAYEE).map(|_| ()),
                _ => w.batch(&[n]).map(|_| ()),
            };
            prop_assert!(w.earned(&token, &RELAYER) * 10 <= w.balances(n).paid as i128, "after a claim of {}", w.balances(n).paid - before);
        }
        prop_assert_eq!((w.earned(&token, &RELAYER) + w.earned(&token, &PAYEE)) as u128, w.balances(n).paid);
    }

    #[test]
    fn pauses_take_out_their_seconds_and_each_rate_counts_its_own_and_nothing_else(
        rate in 1..5 * UNIT, steps in proptest::collection::vec((0..100u64, proptest::option::of(1..9 * UNIT), any::<bool>()), 0..40),
        start in 0..50u64, cliff in proptest::option::of((0..400u64, 0..500u128)), end in proptest::option::of(400..1_500u64),
    ) {
        let mut w = World::default();
        let start_at = w.now() + start;
        let (cliff_at, cliff_amount, flags) = cliff.map_or((0, 0, 0), |(secs, amount)| (start_at + secs, amount, Flags::CLIFF));
        let end_at = end.map_or(0, |secs| start_at + secs + 1);
        let flags = flags | Flags::CANCELLABLE;
        let stated = Stated { rate_per_second_scaled: rate, start_at, end_at, cliff_at, cliff_amount, flags, ..plain().stated };
        let new = NewStream { stated, ..plain() };
        let n = w.create(new);
        let mut model = Model::new(n, PAYER, &new, w.now());
        for (secs, rate, turn) in steps {
            w.pass(secs);
            let t = w.now();
            prop_assert_eq!(w.record(n).unwrap().gross_scaled(t), model.gross(t));
            if model.is_ended(t) {
                prop_assert!(w.adjust(PAYER, n, UNIT).is_err() && w.pause(n).is_err() && w.resume(n).is_err());
                continue;
            }
            if let Some(rate) = rate {
                w.adjust(PAYER, n, rate).unwrap();
                model.rates.push((t, rate));
            }
            if turn && t >= start_at {
                match model.periods.last_mut().unwrap() {
                    (_, to @ None) => { w.pause(n).unwrap(); *to = Some(t); }
                    _ => { w.resume(n).unwrap(); model.periods.push((t, None)); }
                }
            }
            prop_assert_eq!(w.record(n).unwrap().gross_scaled(t), model.gross(t));
        }
    }
}
