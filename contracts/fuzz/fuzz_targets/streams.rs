//! Any stream that create accepts, under any calls by anyone at any times: nothing overflows, the books balance, debt never falls but by an early end, depletion
//! is exact, all that is stored can be told from the events; and claiming often or once pays the same.
#![no_main]

#[path = "../../core/tests/stream_world/mod.rs"]
mod stream_world;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use rivulet_core::{
    ids::StreamNumber,
    stream::{self, NewStream, StreamStatus as S, claim::ALL, schedule::Stated},
};
use stream_world::{seen::Seen, *};

#[derive(Arbitrary, Debug)]
enum Action {
    ClaimAll,
    Claim(u32),
    Batch,
    TopUp(u32),
    Pause,
    Resume,
    Adjust(u128),
    Refund(u128),
    Renounce,
    Delegate(u8, u8, u128),
    HandOver(u8),
    Void,
    Cancel,
}

#[derive(Arbitrary, Debug)]
struct Case {
    rate: u128,
    total: u128,
    start: i32,
    cliff_after: u32,
    cliff_amount: u64,
    runs: u32,
    flags: u8,
    amount: u128,
    committed: u64,
    native: bool,
    /// Seconds to wait, who calls, what.
    steps: Vec<(u32, u8, Action)>,
}

fn who(i: u8) -> rivulet_core::ids::Address {
    ALL_PARTIES[usize::from(i) % ALL_PARTIES.len()]
}

/// One call; refused or done, nothing is said of which. The stream may have another number after it.
fn step(w: &mut World, n: StreamNumber, by: u8, action: &Action, unit: u128) -> StreamNumber {
    let by = who(by);
    match *action {
        Action::ClaimAll => drop(w.claim_all(n).ok()),
        Action::Claim(amount) => drop(w.claim(by, n, u128::from(amount) * unit, by).ok()),
        Action::Batch => assert_eq!(w.batch(&[n]).map(|rows| rows.len()), Ok(1)),
        Action::TopUp(amount) => drop(w.top_up(by, n, u128::from(amount) * unit).ok()),
        Action::Pause => drop(w.pause_by(by, n).ok()),
        Action::Resume => drop(w.resume_by(by, n).ok()),
        Action::Adjust(rate) => drop(w.adjust(by, n, rate).ok()),
        Action::Refund(amount) => drop(w.refund(by, n, amount).ok()),
        Action::Renounce => drop(w.renounce(by, n).ok()),
        Action::Delegate(delegate, rights, cap) => drop(w.set_delegate(by, n, who(delegate), rights, cap).ok()),
        Action::HandOver(to) => return w.hand_over(by, n, who(to)).unwrap_or(n),
        Action::Void => drop(w.void(by, n).ok()),
        Action::Cancel => drop(w.cancel(by, n).ok()),
    }
    n
}

/// The figures agree with each other, and with those before.
fn check(w: &World, n: StreamNumber, owed: &mut u128) {
    w.check();
    let (b, status) = (w.balances(n), w.status(n));
    assert_eq!(b.covered_debt + b.uncovered_debt, b.total_debt);
    assert!(b.paid + b.covered_debt <= b.deposit && b.covered_debt + b.refundable <= b.deposit - b.paid);
    if !matches!(status, S::Closed | S::Cancelled | S::Voided) {
        assert!(b.paid + b.total_debt >= *owed, "debt fell from {owed}");
        *owed = b.paid + b.total_debt;
    }
    if b.depletes_at > w.now() {
        let mut at = World { h: w.h.clone() };
        at.h.now = b.depletes_at;
        assert!(at.balances(n).uncovered_debt > 0, "depleted at {}", b.depletes_at);
        at.h.now -= 1;
        assert_eq!(at.balances(n).uncovered_debt, 0, "covered a second before {}", b.depletes_at);
    }
}

fuzz_target!(|case: Case| {
    let mut w = World::default();
    w.h.now = 5_000_000_000;
    let (token, unit) = if case.native { (NATIVE, GRAIN) } else { (USDT, 1) };
    let start_at = w.now().saturating_add_signed(i64::from(case.start));
    let stated = Stated {
        rate_per_second_scaled: case.rate,
        total: case.total,
        start_at,
        cliff_at: if case.flags & 4 == 0 { 0 } else { start_at + u64::from(case.cliff_after) },
        cliff_amount: u128::from(case.cliff_amount),
        end_at: if case.runs == 0 { 0 } else { start_at + u64::from(case.runs) },
        flags: case.flags & 7,
    };
    let amount = (case.amount >> 40) / unit * unit;
    let new = NewStream { payee: PAYEE, token, stated, amount, committed: u128::from(case.committed), memo: [0; 32] };
    let Ok(number) = w.try_create(new) else { return };
    let mut idle = World { h: w.h.clone() };
    let (mut n, mut owed, mut claims_only) = (number, 0, true);
    let mut events: Vec<_> = w.h.events.drain(..).map(|e| (5_000_000_000, e)).collect();
    for (wait, by, action) in case.steps.iter().take(24) {
        w.pass(u64::from(*wait));
        claims_only &= matches!(action, Action::ClaimAll | Action::Batch);
        n = step(&mut w, n, *by, action, unit);
        check(&w, n, &mut owed);
        let now = w.now();
        events.extend(w.h.events.drain(..).map(|e| (now, e)));
    }
    assert_eq!(Seen::of_events(events.iter()), Seen::of_cells(&w.h));
    if claims_only {
        // One claim at the end pays what all of them together paid.
        idle.h.now = w.now();
        let _ = (w.claim(RELAYER, n, ALL, PAYEE), idle.claim(RELAYER, n, ALL, PAYEE));
        assert_eq!(w.earned(&token, &PAYEE), idle.earned(&token, &PAYEE), "often or once");
        assert_eq!(stream::stream(&w.h, n).status, stream::stream(&idle.h, n).status);
    }
});
