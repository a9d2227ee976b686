//! Any stream that create accepts, at any times: nothing overflows, debt never falls, claiming often or once pays the same, depletion is exact.
#![no_main]

#[path = "../../core/tests/support/mod.rs"]
mod support;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use rivulet_core::stream::{self, NewStream, schedule::Stated};
use support::*;

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
    /// Seconds to wait, and whether to claim then.
    waits: Vec<(u32, bool)>,
}

fuzz_target!(|case: Case| {
    let mut h = world();
    h.now = 5_000_000_000;
    let token = if case.native { NATIVE } else { USDC };
    let start_at = h.now.saturating_add_signed(i64::from(case.start));
    let stated = Stated {
        rate_per_second_scaled: case.rate,
        total: case.total,
        start_at,
        cliff_at: if case.flags & 4 == 0 { 0 } else { start_at + u64::from(case.cliff_after) },
        cliff_amount: u128::from(case.cliff_amount),
        end_at: if case.runs == 0 { 0 } else { start_at + u64::from(case.runs) },
        flags: case.flags & 7,
    };
    let amount = if case.native { case.amount % (1_000 * DOT) / 100_000_000 * 100_000_000 } else { case.amount % 1_000_000_000 };
    let new = NewStream { payee: PAYEE, token, stated, amount, committed: u128::from(case.committed), memo: [0; 32] };
    let Ok((number, _)) = h.call(PAYER, value_of(&token, amount), |h| stream::create(h, &new)) else { return };
    let mut idle = h.clone();
    let before = h.balance(&token, &PAYEE);
    let mut owed = 0;
    for (wait, claims) in case.waits.iter().take(24) {
        h.now += u64::from(*wait);
        idle.now = h.now;
        let b = stream::balances(&h, number);
        assert_eq!(b.covered_debt + b.uncovered_debt, b.total_debt);
        let gross = b.paid + b.total_debt;
        if b.deposit == 0 && b.paid == 0 && gross == 0 {
            // Gone, or nothing yet.
        } else {
            assert!(gross >= owed || stream::stream(&h, number).status as u8 == 0, "debt fell from {owed} to {gross}");
            owed = owed.max(gross);
        }
        if b.depletes_at > h.now {
            let mut at = h.clone();
            at.now = b.depletes_at;
            assert!(stream::balances(&at, number).uncovered_debt > 0, "depleted at {}", b.depletes_at);
            at.now -= 1;
            assert_eq!(stream::balances(&at, number).uncovered_debt, 0, "covered a second before {}", b.depletes_at);
        }
        if *claims {
            let _ = h.call(RELAYER, 0, |h| stream::claim(h, number, u128::MAX, &PAYEE));
        }
    }
    // One claim at the end pays what all of them together paid.
    let _ = h.call(RELAYER, 0, |h| stream::claim(h, number, u128::MAX, &PAYEE));
    let _ = idle.call(RELAYER, 0, |h| stream::claim(h, number, u128::MAX, &PAYEE));
    assert_eq!(h.balance(&token, &PAYEE) - before, idle.balance(&token, &PAYEE) - before, "often or once");
});
