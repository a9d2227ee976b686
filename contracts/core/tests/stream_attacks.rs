//! One test per class of attack or bug that other streaming systems had and this one could have: what was done elsewhere, and why it does nothing here. The
//! class is the test's name; the table in SECURITY.md lists them all.

mod stream_world;

use rivulet_core::{
    error::Error,
    host::Host,
    ids::{Address, StreamNumber, Token},
    outcome::RowOutcome,
    stream::{self, Balances, Flags, NewStream, Rights, ScheduleError, StreamStatus as S, claim::ALL, schedule::*},
    testing::{MemoryHost, THIS},
};
use stream_world::*;

type Call = Box<dyn Fn(&mut MemoryHost) -> Result<(), Error>>;

/// Every call that changes the stream, each as it would be done if it could.
fn every_call(n: StreamNumber) -> Vec<(&'static str, Call)> {
    vec![
        ("top up", Box::new(move |h| stream::top_up(h, n, PAYER, PAYEE, USDT, 5))),
        ("claim", Box::new(move |h| stream::claim(h, n, ALL, &PAYEE).map(|_| ()))),
        ("pause", Box::new(move |h| stream::pause(h, n))),
        ("resume", Box::new(move |h| stream::resume(h, n))),
        ("adjust", Box::new(move |h| stream::adjust_rate(h, n, 2 * UNIT))),
        ("refund", Box::new(move |h| stream::refund(h, n, ALL).map(|_| ()))),
        ("renounce", Box::new(move |h| stream::renounce(h, n))),
        ("delegate", Box::new(move |h| stream::set_delegate(h, n, &OTHER, Rights::ALL, UNIT))),
        ("hand over", Box::new(move |h| stream::hand_over(h, n, &PAYEE2).map(|_| ()))),
        ("void", Box::new(move |h| stream::void(h, n))),
        ("cancel", Box::new(move |h| stream::cancel(h, n))),
    ]
}

fn transferable() -> NewStream {
    NewStream { stated: Stated { flags: 3, ..plain().stated }, ..plain() }
}

#[test]
fn overflow_a_rate_so_high_that_the_stream_is_bricked() {
    let mut w = World::default();
    for rate in [MAX_RATE_SCALED + 1, u128::MAX] {
        let stated = Stated { rate_per_second_scaled: rate, ..plain().stated };
        assert!(matches!(w.try_create(NewStream { stated, ..plain() }), Err(Error::BadRate { .. })));
    }
    let fastest = Stated { rate_per_second_scaled: MAX_RATE_SCALED, flags: Flags::ALL, ..plain().stated };
    let stated = Stated { start_at: 1, cliff_at: 1, cliff_amount: (1 << 96) - 1, end_at: 1 + MAX_DURATION_SECS, ..fastest };
    let n = w.create(NewStream { stated, amount: 1 << 90, ..plain() });
    w.h.now = u64::MAX;
    assert_eq!(w.balances(n).covered_debt, 1 << 90);
    assert_eq!(w.claim_all(n), Ok(1 << 90));
    assert_eq!(w.status(n), S::EndedInsolvent);
    w.cancel(PAYEE, n).unwrap();
}

#[test]
fn overflow_by_rates_set_again_and_again_up_to_the_largest() {
    let mut w = World::default();
    let (start_at, end_at) = (w.now(), w.now() + MAX_DURATION_SECS);
    let stated = Stated { rate_per_second_scaled: 1, start_at, cliff_at: start_at, cliff_amount: (1 << 96) - 1, end_at, flags: 7, ..plain().stated };
    let n = w.create(NewStream { stated, amount: 1 << 90, ..plain() });
    for i in 0..64 {
        w.h.now = start_at + MAX_DURATION_SECS / 64 * i;
        w.adjust(PAYER, n, MAX_RATE_SCALED - u128::from(i)).unwrap();
        assert!(w.record(n).unwrap().gross_scaled(u64::MAX) < (1 << 127) + (1 << 126));
    }
    w.h.now = u64::MAX;
    assert_eq!(w.claim_all(n), Ok(1 << 90));
    w.void(PAYEE, n).unwrap();
    assert_eq!((w.claim_all(n), w.status(n)), (Ok(0), S::Closed));
    w.check();
}

#[test]
fn rounding_loss_by_claims_that_anyone_can_make() {
    let mut w = World::default();
    let stated = Stated { rate_per_second_scaled: UNIT / 3, ..plain().stated };
    let (attacked, left_alone) = (w.create(NewStream { stated, ..plain() }), w.create(NewStream { stated, ..plain() }));
    let mut sum = 0;
    for _ in 0..1_000 {
        w.pass(1);
        sum += w.claim_all(attacked).unwrap_or(0);
    }
    assert_eq!((sum, w.claim_all(left_alone)), (333, Ok(333)));
    assert_eq!(w.record(attacked).unwrap().gross_scaled(w.now()), w.record(left_alone).unwrap().gross_scaled(w.now()));
}

#[test]
fn rounding_loss_by_pauses_rates_and_refunds_that_the_payer_can_make() {
    let mut w = World::default();
    let stated = Stated { rate_per_second_scaled: UNIT / 3, ..plain().stated };
    let (churned, left_alone) = (w.create(NewStream { stated, ..plain() }), w.create(NewStream { stated, ..plain() }));
    for i in 0..600 {
        w.pass(1);
        w.pause(churned).unwrap();
        w.resume(churned).unwrap();
        w.adjust(PAYER, churned, UNIT / 3).unwrap();
        w.refund(PAYER, churned, 1).unwrap();
        w.top_up(PAYER, churned, 1).unwrap();
        let _ = w.claim(OTHER, churned, 1 + i % 2, PAYEE);
    }
    assert_eq!(w.record(churned).unwrap().gross_scaled(w.now()), w.record(left_alone).unwrap().gross_scaled(w.now()));
    let paid = w.balances(churned).paid;
    assert_eq!((paid + w.claim_all(churned).unwrap_or(0), w.claim_all(left_alone)), (199, Ok(199)));
}

#[test]
fn blocked_recipient_cannot_stop_a_cancel_a_claim_or_a_batch() {
    let mut w = World::default();
    let end_at = w.now() + 100;
    let streams: Vec<_> = (0..3).map(|_| w.create(plain())).collect();
    let last = w.create(NewStream { stated: Stated { end_at, ..plain().stated }, ..plain() });
    let neighbour = w.create(NewStream { payee: OTHER, ..plain() });
    w.pass(100);
    w.h.refusing.extend([PAYER, PAYEE]);
    w.cancel(PAYER, streams[0]).unwrap();
    assert_eq!((w.credit(&USDT, &PAYER), w.status(streams[0])), (900, S::Cancelled));
    w.cancel(PAYEE, streams[1]).unwrap();
    assert_eq!((w.credit(&USDT, &PAYER), w.credit(&USDT, &PAYEE)), (1_800, 100));
    assert_eq!(w.batch(&[streams[0], streams[2], last, neighbour]).unwrap(), [RowOutcome::Applied; 4]);
    assert_eq!((w.credit(&USDT, &PAYER), w.credit(&USDT, &PAYEE), w.earned(&USDT, &OTHER)), (2_700, 400, 100));
    w.check();
}

#[test]
fn blocked_recipient_cannot_stop_a_refund_a_void_or_a_hand_over() {
    let mut w = World::default();
    let (n, m) = (w.create(transferable()), w.create(plain()));
    w.pass(100);
    w.h.refusing.extend([PAYER, PAYEE, PAYEE2]);
    assert_eq!(w.refund(PAYER, n, 400), Ok(400));
    w.void(PAYER, m).unwrap();
    assert_eq!((w.claim_all(m), w.status(m), w.credit(&USDT, &PAYER)), (Ok(100), S::Closed, 1_300));
    let n = w.hand_over(PAYEE, n, PAYEE2).unwrap();
    assert_eq!((w.claim_all(n), w.credit(&USDT, &PAYEE), w.credit(&USDT, &PAYEE2)), (Ok(100), 100, 100));
    w.check();
}

#[test]
fn forced_claim_cannot_send_money_anywhere_but_to_the_payee() {
    let mut w = World::default();
    let n = w.create(plain());
    w.pass(100);
    for to in [OTHER, RELAYER, PAYER, THIS, Address::ZERO] {
        assert_eq!(w.claim(RELAYER, n, ALL, to), Err(Error::NotAllowed { caller: RELAYER, expected: PAYEE }));
    }
}

#[test]
fn front_run_claim_does_not_make_a_claim_of_all_fail() {
    let mut w = World::default();
    let n = w.create(plain());
    w.pass(100);
    w.claim(OTHER, n, 1, PAYEE).unwrap();
    assert_eq!(w.claim(PAYEE, n, ALL, PAYEE), Ok(99));
}

#[test]
fn front_run_top_up_or_claim_does_not_make_a_refund_of_all_fail() {
    let mut w = World::default();
    let n = w.create(plain());
    w.pass(100);
    w.claim(OTHER, n, 50, PAYEE).unwrap();
    w.top_up(OTHER, n, 3).unwrap();
    assert_eq!(w.refund(PAYER, n, ALL), Ok(903));
}

#[test]
fn sale_honeypot_a_seller_can_do_nothing_after_handing_over_and_nothing_is_transferable_by_default() {
    let mut w = World::default();
    let fixed = w.create(plain());
    assert_eq!(w.hand_over(PAYEE, fixed, PAYEE2), Err(Error::NotTransferable {}));
    let n = w.create(transferable());
    w.pass(100);
    let new = w.hand_over(PAYEE, n, PAYEE2).unwrap();
    for old in [n, new] {
        assert!(w.claim(PAYEE, old, ALL, PAYEE).is_err() && w.cancel(PAYEE, old).is_err() && w.void(PAYEE, old).is_err());
        assert!(w.hand_over(PAYEE, old, OTHER).is_err());
    }
    assert_eq!((w.claim_all(new), w.earned(&USDT, &PAYEE), w.earned(&USDT, &PAYEE2)), (Ok(100), 0, 100));
    w.check();
}

#[test]
fn reorg_that_renumbers_streams_moves_no_top_up_to_a_stranger() {
    let mut w = World::default();
    let mine = w.create(plain());
    // After the reorg the number is another payer's.
    let mut reorged = World::default();
    let theirs = reorged.try_create_by(OTHER, plain()).unwrap();
    assert_eq!(mine, theirs);
    let refused = reorged.h.call(PAYER, 0, |h| stream::top_up(h, mine, PAYER, PAYEE, USDT, 500));
    assert_eq!(refused, Err(Error::WrongParties { payer: OTHER, payee: PAYEE, token: USDT }));
    assert_ne!(w.details(mine).id, reorged.details(mine).id);
}

#[test]
fn third_partys_top_up_goes_back_to_the_payer_unless_it_is_committed() {
    // Documented, not prevented: whoever tops up pays for the payer.
    let mut w = World::default();
    let n = w.create(NewStream { committed: 1_000, ..plain() });
    w.top_up(OTHER, n, 500).unwrap();
    w.cancel(PAYER, n).unwrap();
    assert_eq!((w.earned(&USDT, &PAYER), w.earned(&USDT, &OTHER)), (-500, -500));
    assert_eq!(w.claim_all(n), Ok(1_000));
}

#[test]
fn fee_by_many_small_claims_is_never_above_the_ceiling_nor_charged_below_the_least_gain() {
    let mut w = World::default();
    let n = w.create(plain());
    w.set_terms(PAYEE, USDT, 0, 1_000, 30);
    w.pass(300);
    for _ in 0..5 {
        w.claim(RELAYER, n, 29, PAYEE).unwrap();
    }
    assert_eq!(w.earned(&USDT, &RELAYER), 0);
    for _ in 0..5 {
        w.claim(RELAYER, n, 31, PAYEE).unwrap();
    }
    // The flat fee of 1,000 is capped at 10 %, down.
    assert_eq!(w.earned(&USDT, &RELAYER), 5 * 3);
}

#[test]
fn third_partys_top_up_can_be_refunded_to_the_payer_and_to_nobody_else() {
    let mut w = World::default();
    let n = w.create(plain());
    w.top_up(OTHER, n, 500).unwrap();
    assert!(w.refund(OTHER, n, 500).is_err());
    assert_eq!((w.refund(PAYER, n, ALL), w.earned(&USDT, &PAYER)), (Ok(1_500), 500));
    w.check();
}

#[test]
fn fee_terms_set_later_do_not_touch_what_was_claimed() {
    let mut w = World::default();
    let n = w.create(plain());
    w.pass(100);
    w.claim_all(n).unwrap();
    w.set_terms(PAYEE, USDT, 1_000, 0, 0);
    assert_eq!((w.earned(&USDT, &PAYEE), w.earned(&USDT, &RELAYER)), (100, 0));
}

#[test]
fn value_that_comes_with_a_call_is_counted_once_or_refused() {
    let mut w = World::default();
    let n = w.create(plain());
    w.pass(10);
    let wrong = Error::WrongValue { sent: GRAIN, expected: 0 };
    let rows = blob(&[n], false);
    assert_eq!(w.h.call(PAYEE, GRAIN, |h| stream::claim(h, n, ALL, &PAYEE)), Err(wrong));
    assert_eq!(w.h.call(PAYER, GRAIN, |h| stream::claim_batch(h, &rows)), Err(wrong));
    assert_eq!(w.h.call(PAYER, GRAIN, |h| stream::pause(h, n)), Err(wrong));
    assert_eq!(w.h.call(PAYER, GRAIN, |h| stream::resume(h, n)), Err(wrong));
    assert_eq!(w.h.call(PAYER, GRAIN, |h| stream::cancel(h, n)), Err(wrong));
    assert_eq!(w.h.call(PAYER, GRAIN, |h| stream::top_up(h, n, PAYER, PAYEE, USDT, 5)), Err(wrong));
    w.check();
}

#[test]
fn value_that_comes_with_a_call_that_takes_none_is_refused_by_each() {
    let mut w = World::default();
    let n = w.create(transferable());
    w.pass(10);
    for by in [PAYER, PAYEE] {
        for (name, call) in every_call(n) {
            assert_eq!(w.h.call(by, GRAIN, |h| call(h)), Err(Error::WrongValue { sent: GRAIN, expected: 0 }), "{name}");
        }
    }
}

#[test]
fn fee_on_transfer_or_dust_a_pull_credits_what_arrived_and_a_payout_leaves_the_seed() {
    let mut w = World::default();
    w.h.min_balances.insert(USDT, SEED);
    w.h.balances.insert((USDT, PAYER), 1_005);
    let n = w.create(plain());
    assert_eq!(w.balances(n).deposit, 1_005);
    w.h.now += 2_000;
    assert_eq!(w.claim_all(n), Ok(1_005));
    w.check();
}

#[test]
fn donation_is_nobodys_and_changes_no_figure() {
    let mut w = World::default();
    let n = w.create(NewStream { amount: 50, ..plain() });
    w.pass(100);
    let before = w.balances(n);
    w.h.endow(&USDT, &THIS, 1_000_000);
    w.h.endow(&NATIVE, &THIS, 1_000_000);
    assert_eq!(w.balances(n), before);
    assert_eq!(w.claim_all(n), Ok(50));
    w.cancel(PAYEE, n).unwrap();
    w.check_money(&|_| 1_000_000);
}

#[test]
fn over_commit_one_streams_debt_is_not_paid_from_anothers_deposit() {
    let mut w = World::default();
    let (poor, rich) = (w.create(NewStream { amount: 10, ..plain() }), w.create(NewStream { amount: 1_000, ..plain() }));
    w.pass(100);
    assert_eq!(w.batch(&[poor, rich]).unwrap(), [RowOutcome::Capped, RowOutcome::Applied]);
    assert_eq!((w.balances(poor).paid, w.balances(rich).paid), (10, 100));
    w.check();
}

#[test]
fn unchecked_time_a_start_in_the_future_with_every_call() {
    let cliffs = [(0, 0, 0), (Flags::CLIFF, 1_000, 5), (Flags::CLIFF, 1_500, 5)];
    for (flag, after, cliff_amount) in cliffs {
        let mut w = World::default();
        let start_at = w.now() + 1_000;
        let cliff_at = if flag == 0 { 0 } else { w.now() + after };
        let stated = Stated { start_at, cliff_at, cliff_amount, flags: flag | 3, ..plain().stated };
        let (n, m) = (w.create(NewStream { stated, ..plain() }), w.create(NewStream { stated, ..plain() }));
        assert_eq!(w.status(n), S::Pending);
        let none = Balances { deposit: 1_000, refundable: 1_000, depletes_at: w.balances(n).depletes_at, ..Balances::default() };
        assert_eq!(w.balances(n), none);
        assert!(none.depletes_at > start_at);
        assert_eq!(w.claim_all(n), Err(Error::NothingToPay {}));
        assert_eq!(w.batch(&[n]).unwrap(), [RowOutcome::Stale]);
        assert_eq!(w.pause(n), Err(Error::NotDue { now: w.now(), due_at: start_at }));
        assert_eq!(w.resume(n), Err(Error::WrongPause { paused: false }));
        assert_eq!(stream::claimable(&w.h, n), (0, 0));
        w.adjust(PAYER, n, 2 * UNIT).unwrap();
        w.set_delegate(PAYER, n, OTHER, Rights::ALL, UNIT).unwrap();
        assert_eq!(w.refund(OTHER, n, 7), Ok(7));
        let (v, r) = (w.create(NewStream { stated, ..plain() }), w.create(NewStream { stated, ..plain() }));
        w.void(PAYER, v).unwrap();
        assert_eq!((w.status(v), w.claim_all(v), w.status(v)), (S::Voided, Ok(0), S::Closed));
        let r = w.hand_over(PAYEE, r, PAYEE2).unwrap();
        w.renounce(PAYER, r).unwrap();
        assert_eq!((w.status(r), w.refund(PAYER, r, ALL)), (S::Pending, Err(Error::NotCancellable {})));
        w.cancel(PAYEE2, r).unwrap();
        let collected = w.credit(&USDT, &PAYER);
        assert_eq!(w.h.call(PAYER, 0, |h| rivulet_core::ledger::collect(h, &USDT, &PAYER)), Ok(collected));
        w.top_up(OTHER, n, 7).unwrap();
        w.cancel(PAYER, n).unwrap();
        w.cancel(PAYEE, m).unwrap();
        assert_eq!((w.status(n), w.status(m), w.credit(&USDT, &PAYER)), (S::Closed, S::Closed, 1_000));
        w.check();
    }
}

#[test]
fn cancelled_stream_does_not_accrue() {
    let mut w = World::default();
    let n = w.create(plain());
    w.pass(10);
    w.cancel(PAYER, n).unwrap();
    w.pass(1_000_000);
    assert_eq!((w.balances(n).total_debt, w.claim_all(n)), (10, Ok(10)));
}

#[test]
fn voided_stream_does_not_accrue_whatever_is_called() {
    let mut w = World::default();
    let n = w.create(transferable());
    w.pass(10);
    w.void(PAYEE, n).unwrap();
    for by in [PAYER, PAYEE, OTHER] {
        for (name, call) in every_call(n).into_iter().filter(|(name, _)| !["claim", "refund", "hand over", "delegate"].contains(name)) {
            w.pass(1_000);
            assert!(w.h.call(by, 0, |h| call(h)).is_err(), "{name}");
        }
    }
    assert_eq!((w.balances(n).total_debt, w.claim_all(n), w.earned(&USDT, &PAYER)), (10, Ok(10), -10));
}

#[test]
fn cliff_amount_of_zero_is_still_a_cliff() {
    let mut w = World::default();
    let stated = Stated { cliff_at: w.now() + 100, flags: Flags::CLIFF, ..plain().stated };
    let n = w.create(NewStream { stated, ..plain() });
    w.pass(99);
    assert_eq!(w.claim_all(n), Err(Error::NothingToPay {}));
    w.pass(2);
    assert_eq!(w.claim_all(n), Ok(1));
    let unflagged = Stated { flags: 0, ..stated };
    assert_eq!(w.try_create(NewStream { stated: unflagged, ..plain() }), Err(bad(ScheduleError::CliffWithoutFlag)));
}

#[test]
fn missing_existence_check_no_view_fails_or_invents() {
    let mut w = World::default();
    let n = w.create(plain());
    for none in [StreamNumber { book: 0, serial: 0 }, StreamNumber { book: 5, serial: 1 }, StreamNumber { serial: n.serial + 1, ..n }] {
        let v = stream::stream(&w.h, none);
        assert_eq!((v.status, v.payer, v.payee, v.token, v.id.0), (S::Unknown, Address::ZERO, Address::ZERO, Token::ZERO, [0; 32]));
        assert_eq!((w.balances(none), stream::claimable(&w.h, none)), (Balances::default(), (0, 0)));
        assert_eq!(stream::delegate_of(&w.h, none), (Address::ZERO, 0, 0));
        for (name, call) in every_call(none) {
            let unknown = Error::UnknownNumber { book: none.book, serial: none.serial };
            assert_eq!(w.h.call(PAYER, 0, |h| call(h)), Err(unknown), "{name}");
        }
    }
    w.cancel(PAYER, n).unwrap();
    for (name, call) in every_call(n) {
        assert_eq!(w.h.call(PAYER, 0, |h| call(h)), Err(Error::ClosedNumber { book: n.book, serial: n.serial }), "{name}");
    }
    assert_eq!((w.status(n), w.balances(n)), (S::Closed, Balances::default()));
}

#[test]
fn depletion_view_of_any_stream_at_any_time_does_not_fail() {
    let mut w = World::default();
    let n = w.create(NewStream { amount: 0, ..plain() });
    for now in [0, 1, w.now(), u64::from(u32::MAX), u64::MAX] {
        w.h.now = now;
        w.balances(n);
        w.status(n);
    }
}

#[test]
fn self_stream_is_refused() {
    let mut w = World::default();
    assert_eq!(w.try_create(NewStream { payee: PAYER, ..plain() }), Err(Error::BadParty { party: PAYER }));
    // Nor does one come about by handing over.
    let n = w.create(transferable());
    assert_eq!(w.hand_over(PAYEE, n, PAYER), Err(Error::BadParty { party: PAYER }));
}

#[test]
fn double_payout_by_making_each_call_twice() {
    let mut w = World::default();
    let n = w.create(plain());
    w.pass(100);
    w.claim_all(n).unwrap();
    assert_eq!(w.claim_all(n), Err(Error::NothingToPay {}));
    assert_eq!(w.batch(&[n]).unwrap(), [RowOutcome::Stale]);
    w.pause(n).unwrap();
    assert!(w.pause(n).is_err());
    w.resume(n).unwrap();
    assert!(w.resume(n).is_err());
    w.pass(50);
    w.cancel(PAYER, n).unwrap();
    assert!(w.cancel(PAYER, n).is_err() && w.cancel(PAYEE, n).is_err());
    assert_eq!((w.claim_all(n), w.earned(&USDT, &PAYEE), w.earned(&USDT, &PAYER)), (Ok(50), 150, -150));
    assert!(w.claim_all(n).is_err());
    let m = w.create(plain());
    w.cancel(PAYEE, m).unwrap();
    assert!(w.cancel(PAYEE, m).is_err());
    assert_eq!(w.credit(&USDT, &PAYER), 1_000);
    let collect = |w: &mut World| w.h.call(PAYER, 0, |h| rivulet_core::ledger::collect(h, &USDT, &PAYER));
    assert_eq!((collect(&mut w), collect(&mut w)), (Ok(1_000), Err(Error::NothingToPay {})));
    w.check();
}

#[test]
fn double_payout_by_making_each_call_twice_in_the_same_second() {
    // What is done a second time is refused, or changes nothing that is owed.
    let may_repeat = ["top up", "adjust", "delegate"];
    for (name, call) in every_call(StreamNumber { book: 1, serial: 0 }) {
        for by in [PAYER, PAYEE] {
            let mut w = World::default();
            let n = w.create(transferable());
            w.pass(100);
            if name == "resume" {
                w.pause(n).unwrap();
            }
            if w.h.call(by, 0, |h| call(h)).is_err() {
                continue;
            }
            let (sides, debt) = ([PAYER, PAYEE].map(|who| w.earned(&USDT, &who)), w.balances(n).total_debt);
            let again = w.h.call(by, 0, |h| call(h));
            assert_eq!(again.is_ok(), may_repeat.contains(&name), "{name}: {again:?}");
            let expected = if name == "top up" { sides.map(|s| s - 5) } else { sides };
            let after = [PAYER, PAYEE].map(|who| w.earned(&USDT, &who));
            assert!(after == sides || (name == "top up" && after.contains(&expected[usize::from(by == PAYEE)])), "{name}");
            assert_eq!(w.balances(n).total_debt, debt, "{name}");
            w.check();
        }
    }
}

#[test]
fn forged_caller_each_call_takes_its_caller_from_the_chain() {
    let mut w = World::default();
    let n = w.create(transferable());
    w.pass(10);
    for by in [OTHER, RELAYER] {
        let before = w.h.cells.clone();
        assert!(w.h.call(by, 0, |h| stream::pause(h, n)).is_err());
        assert!(w.h.call(by, 0, |h| stream::resume(h, n)).is_err());
        assert!(w.cancel(by, n).is_err());
        assert!(w.claim(by, n, ALL, by).is_err());
        for (name, call) in every_call(n).into_iter().filter(|(name, _)| !["top up", "claim"].contains(name)) {
            assert!(matches!(w.h.call(by, 0, |h| call(h)), Err(Error::NotAllowed { .. })), "{name}");
        }
        assert_eq!(w.h.cells, before);
    }
}

#[test]
fn unbounded_loop_a_batch_has_a_largest_size_and_a_claim_a_fixed_one() {
    let mut w = World::default();
    let n = w.create(plain());
    let rows: Vec<_> = (0..=rivulet_core::blob::MAX_ROWS).map(|serial| StreamNumber { serial, ..n }).collect();
    let reason = rivulet_core::blob::BlobError::Oversized as u8;
    assert!(matches!(w.batch(&rows), Err(Error::BadBlob { reason: r, .. }) if r == reason));
    assert!(w.batch(&rows[1..]).is_ok());
    // A hundred pauses leave one cell of one width.
    w.pass(1);
    for _ in 0..100 {
        w.pause(n).unwrap();
        w.resume(n).unwrap();
    }
    let width = w.h.cells[&rivulet_core::host::Key::Streams(n.book, 0)].len();
    assert!(width == 1 + <stream::Stream as rivulet_core::cell::Slot>::BYTES);
}

#[test]
fn unpayable_native_account_costs_the_submitter_nothing() {
    let mut w = World::default();
    let stated = Stated { rate_per_second_scaled: GRAIN * UNIT, ..plain().stated };
    let n = w.create(NewStream { token: NATIVE, amount: 10 * GRAIN, stated, ..plain() });
    w.h.absent.insert(PAYEE);
    w.pass(3);
    assert_eq!(w.claim_all(n), Ok(3 * GRAIN));
    assert_eq!((w.credit(&NATIVE, &PAYEE), w.h.token_balance(&NATIVE)), (3 * GRAIN, Some(10 * GRAIN)));
    w.check();
}

#[test]
fn commitment_cannot_be_taken_back_by_any_way_out_of_the_payer() {
    for way in 0..5 {
        let mut w = World::default();
        let end_at = w.now() + 100;
        let n = w.create(ending(NewStream { committed: 400, ..plain() }, end_at));
        w.pass(10);
        match way {
            0 => w.cancel(PAYER, n).unwrap(),
            1 => w.void(PAYER, n).unwrap(),
            2 => w.pause(n).unwrap(),
            3 => w.adjust(PAYER, n, 1).unwrap(),
            _ => assert_eq!(w.refund(PAYER, n, ALL), Ok(600)),
        }
        w.h.now = end_at;
        let _ = w.refund(PAYER, n, ALL);
        assert_eq!((w.claim_all(n), w.earned(&USDT, &PAYER), w.status(n)), (Ok(400), -400, S::Closed), "way {way}");
        w.check();
    }
}

#[test]
fn payer_that_gave_up_cancelling_cannot_bring_the_payee_below_what_was_stated() {
    let mut w = World::default();
    let stated = Stated { rate_per_second_scaled: 0, total: 900, end_at: w.now() + 100, flags: 0, ..plain().stated };
    let n = w.create(NewStream { stated, ..plain() });
    w.set_delegate(PAYER, n, OTHER, Rights::ALL, MAX_RATE_SCALED).unwrap();
    for secs in [0, 1, 50, 99] {
        w.h.now = stated.end_at - 100 + secs;
        for by in [PAYER, OTHER] {
            for (name, call) in every_call(n).into_iter().filter(|(name, _)| !["top up", "claim", "delegate"].contains(name)) {
                assert!(w.h.call(by, 0, |h| call(h)).is_err(), "{name} after {secs} s");
            }
        }
    }
    w.h.now = stated.end_at;
    assert_eq!((w.claim_all(n), w.earned(&USDT, &PAYER)), (Ok(900), -900));
}

#[test]
fn sides_in_the_same_second_whoever_comes_first_the_payee_gets_what_it_earned() {
    let ways: [fn(&mut World, StreamNumber) -> bool; 4] = [
        |w, n| w.refund(PAYER, n, ALL).is_ok(),
        |w, n| w.cancel(PAYER, n).is_ok(),
        |w, n| w.void(PAYER, n).is_ok(),
        |w, n| w.pause(n).and_then(|()| w.refund(PAYER, n, ALL)).is_ok(),
    ];
    for way in ways {
        let (mut first, mut last) = (World::default(), World::default());
        for (w, payer_first) in [(&mut first, true), (&mut last, false)] {
            let n = w.create(plain());
            w.pass(123);
            assert!(!payer_first || way(w, n));
            assert_eq!(w.claim_all(n), Ok(123));
            assert!(payer_first || way(w, n));
            w.check();
        }
        assert_eq!((first.earned(&USDT, &PAYEE), last.earned(&USDT, &PAYEE)), (123, 123));
    }
}
