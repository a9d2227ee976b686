//! What the payer steers, itself or by a delegate: one rule a test.
//!
//! ```text
//! pause, resume   by whom, when             one cell; not where the payer gave up cancelling
//! adjust rate     a rise, a cut             from now on; before the start, in a pause, at the end; the stated total
//! refund          of all, of a part         what is neither owed nor committed; before and after the end
//! renounce        when                      what it ends, what it leaves
//! delegate        each right by itself      nothing beyond it; cap; rights for nobody; taken back
//! ```

mod stream_world;

use rivulet_core::{
    cell::Slot,
    error::Error,
    host::Key,
    ids::Address,
    stream::{self, Flags, NewStream, Rights, Stream, StreamStatus as S, claim::ALL, schedule::*},
};
use stream_world::*;

// pause, resume

#[test]
fn pause_and_resume_are_the_payers_and_in_turn() {
    let mut w = World::default();
    let n = w.create(plain());
    for by in [PAYEE, OTHER] {
        let refused = Err(Error::NotAllowed { caller: by, expected: PAYER });
        assert_eq!(w.h.call(by, 0, |h| stream::pause(h, n)), refused);
        assert_eq!(w.h.call(by, 0, |h| stream::resume(h, n)), refused);
    }
    assert_eq!(w.resume(n), Err(Error::WrongPause { paused: false }));
    w.pass(10);
    w.pause(n).unwrap();
    assert_eq!(w.pause(n), Err(Error::WrongPause { paused: true }));
    w.pass(10);
    assert_eq!(w.balances(n).total_debt, 10);
    w.resume(n).unwrap();
    w.pass(10);
    assert_eq!(w.claim_all(n), Ok(20));
    w.check();
}

#[test]
fn pause_is_refused_before_the_start_and_after_the_end() {
    let mut w = World::default();
    let (start_at, end_at) = (w.now() + 10, w.now() + 20);
    let n = w.create(NewStream { stated: Stated { start_at, end_at, ..plain().stated }, ..plain() });
    assert_eq!(w.pause(n), Err(Error::NotDue { now: w.now(), due_at: start_at }));
    w.pass(10);
    w.pause(n).unwrap();
    w.resume(n).unwrap();
    w.pass(9);
    w.pause(n).unwrap();
    w.pass(1);
    assert_eq!(w.resume(n), Err(Error::Ended {}));
    assert_eq!(w.pause(n), Err(Error::Ended {}));
}

#[test]
fn what_the_payer_steers_touches_the_records_cell_only() {
    let mut w = World::default();
    let n = w.create(plain());
    w.pass(10);
    // Nothing else is even read: it all works without.
    let key = Key::Streams(n.book, n.serial / Stream::PER_CELL);
    let cell = w.h.cells.remove(&key).unwrap();
    let rest = std::mem::take(&mut w.h.cells);
    w.h.cells.insert(key, cell);
    w.pause(n).unwrap();
    w.resume(n).unwrap();
    w.adjust(PAYER, n, 2 * UNIT).unwrap();
    w.renounce(PAYER, n).unwrap();
    assert_eq!(w.h.cells.keys().collect::<Vec<_>>(), [&key]);
    w.h.cells.extend(rest);
    w.check();
}

#[test]
fn an_insolvent_stream_can_be_paused_and_keeps_its_debt() {
    let mut w = World::default();
    let n = w.create(NewStream { amount: 5, ..plain() });
    w.pass(10);
    w.pause(n).unwrap();
    assert_eq!(w.status(n), S::PausedInsolvent);
    w.pass(100);
    w.top_up(OTHER, n, 100).unwrap();
    assert_eq!((w.status(n), w.claim_all(n)), (S::Paused, Ok(10)));
    w.check();
}

#[test]
fn pause_is_refused_where_the_payer_gave_up_cancelling() {
    let mut w = World::default();
    let n = w.create(bound(plain()));
    w.set_delegate(PAYER, n, OTHER, Rights::ALL, MAX_RATE_SCALED).unwrap();
    w.pass(10);
    for by in [PAYER, OTHER] {
        assert_eq!(w.pause_by(by, n), Err(Error::NotCancellable {}));
    }
}

// adjust rate

/// The same, by a payer that gave up cancelling.
fn bound(new: NewStream) -> NewStream {
    NewStream { stated: Stated { flags: new.stated.flags & !Flags::CANCELLABLE, ..new.stated }, ..new }
}

#[test]
fn a_new_rate_counts_from_its_second_on_and_changes_nothing_before() {
    let mut w = World::default();
    let n = w.create(plain());
    w.pass(100);
    w.adjust(PAYER, n, 3 * UNIT).unwrap();
    assert_eq!(w.balances(n).total_debt, 100);
    w.pass(10);
    w.adjust(PAYER, n, UNIT / 2).unwrap();
    assert_eq!(w.balances(n).total_debt, 130);
    w.pass(9);
    // Half a unit that is not a whole one is kept.
    w.adjust(PAYER, n, UNIT / 2).unwrap();
    w.pass(1);
    assert_eq!((w.balances(n).total_debt, w.claim_all(n)), (135, Ok(135)));
    assert_eq!(stream::stream(&w.h, n).schedule.rate_per_second_scaled, UNIT / 2);
    // 1,000 are there and 135 owed: 866 more, at half a unit a second.
    assert_eq!(w.balances(n).depletes_at, w.now() + 1_732);
    w.check();
}

#[test]
fn a_rate_is_neither_nothing_nor_above_the_largest() {
    let mut w = World::default();
    let n = w.create(plain());
    for given_scaled in [0, MAX_RATE_SCALED + 1, u128::MAX] {
        assert_eq!(w.adjust(PAYER, n, given_scaled), Err(Error::BadRate { given_scaled, max_scaled: MAX_RATE_SCALED }));
    }
    w.adjust(PAYER, n, MAX_RATE_SCALED).unwrap();
    w.adjust(PAYER, n, 1).unwrap();
    assert_eq!(w.adjust(PAYEE, n, UNIT), Err(Error::NotAllowed { caller: PAYEE, expected: PAYER }));
}

#[test]
fn a_cut_needs_a_payer_that_may_cancel_and_a_rise_does_not() {
    let mut w = World::default();
    let n = w.create(bound(plain()));
    assert_eq!(w.adjust(PAYER, n, UNIT - 1), Err(Error::NotCancellable {}));
    w.adjust(PAYER, n, UNIT).unwrap();
    w.adjust(PAYER, n, UNIT + 1).unwrap();
    assert_eq!(w.adjust(PAYER, n, UNIT), Err(Error::NotCancellable {}));
}

#[test]
fn a_rate_set_before_the_start_counts_from_the_start_or_the_cliff_on() {
    for cliff_secs in [None, Some(0), Some(30)] {
        let mut w = World::default();
        let start_at = w.now() + 50;
        let flags = 1 | if cliff_secs.is_some() { Flags::CLIFF } else { 0 };
        let cliff_at = cliff_secs.map_or(0, |secs| start_at + secs);
        let n = w.create(NewStream { stated: Stated { start_at, cliff_at, flags, ..plain().stated }, ..plain() });
        w.pass(20);
        w.adjust(PAYER, n, 2 * UNIT).unwrap();
        assert_eq!((w.status(n), w.balances(n).total_debt), (S::Pending, 0));
        w.h.now = start_at + 10;
        w.adjust(PAYER, n, 3 * UNIT).unwrap();
        w.h.now = start_at + 40;
        let flowed = match cliff_secs {
            Some(30) => 10 * 3,
            _ => 10 * 2 + 30 * 3,
        };
        assert_eq!(w.balances(n).total_debt, flowed);
    }
}

#[test]
fn a_rate_set_in_a_pause_counts_from_its_end_on() {
    let mut w = World::default();
    let n = w.create(plain());
    w.pass(10);
    w.pause(n).unwrap();
    w.pass(10);
    w.adjust(PAYER, n, 5 * UNIT).unwrap();
    w.pass(10);
    assert_eq!((w.status(n), w.balances(n).total_debt), (S::Paused, 10));
    w.resume(n).unwrap();
    w.pass(2);
    assert_eq!(w.balances(n).total_debt, 20);
}

#[test]
fn a_rate_can_be_set_until_the_end_and_not_at_it() {
    let mut w = World::default();
    let end_at = w.now() + 100;
    let n = w.create(ending(plain(), end_at));
    w.h.now = end_at - 1;
    w.adjust(PAYER, n, 11 * UNIT).unwrap();
    w.h.now = end_at;
    assert_eq!(w.adjust(PAYER, n, UNIT), Err(Error::Ended {}));
    assert_eq!(w.claim_all(n), Ok(99 + 11));
    w.check();
}

#[test]
fn a_new_rate_ends_the_stated_total_and_what_was_left_of_it_for_the_end() {
    let mut w = World::default();
    let stated = Stated { rate_per_second_scaled: 0, total: 1_000, end_at: w.now() + 7, ..plain().stated };
    let (kept, changed) = (w.create(NewStream { stated, ..plain() }), w.create(NewStream { stated, ..plain() }));
    let rate = w.record(changed).unwrap().rate_per_second_scaled;
    w.adjust(PAYER, changed, rate).unwrap();
    w.pass(7);
    assert_eq!((w.balances(kept).total_debt, w.balances(changed).total_debt), (1_000, 999));
}

#[test]
fn a_claim_in_the_second_of_a_new_rate_takes_the_old_ones_debt() {
    let mut w = World::default();
    let n = w.create(plain());
    w.pass(10);
    w.adjust(PAYER, n, 9 * UNIT).unwrap();
    assert_eq!(w.claim_all(n), Ok(10));
    w.pass(1);
    assert_eq!(w.claim_all(n), Ok(9));
    w.adjust(PAYER, n, UNIT).unwrap();
    assert_eq!(w.claim_all(n), Err(Error::NothingToPay {}));
}

// refund

#[test]
fn refund_takes_what_is_neither_owed_nor_committed() {
    let mut w = World::default();
    let n = w.create(NewStream { committed: 300, ..plain() });
    w.pass(100);
    w.claim_all(n).unwrap();
    assert_eq!(w.refund(PAYER, n, 701), Err(Error::Overdraw { asked: 701, payable: 700 }));
    assert_eq!(w.refund(PAYER, n, 0), Err(Error::ZeroAmount {}));
    assert_eq!(w.refund(PAYER, n, 200), Ok(200));
    assert_eq!(w.h.events.last().unwrap().split_once(" amount").unwrap().1, ": 200, deposit: 800 }");
    w.pass(300);
    assert_eq!(w.balances(n).refundable, 400);
    assert_eq!(w.refund(PAYER, n, ALL), Ok(400));
    assert_eq!(w.refund(PAYER, n, ALL), Err(Error::NothingToPay {}));
    assert_eq!((w.status(n), w.claim_all(n), w.earned(&USDT, &PAYER)), (S::Streaming, Ok(300), -400));
    // It goes on, and owes what it has not got.
    w.pass(1);
    assert_eq!((w.status(n), w.refund(PAYER, n, ALL)), (S::StreamingInsolvent, Err(Error::NothingToPay {})));
    w.check();
}

#[test]
fn refund_is_the_payers_and_goes_nowhere_else() {
    let mut w = World::default();
    let n = w.create(plain());
    for by in [PAYEE, OTHER] {
        assert_eq!(w.refund(by, n, 5), Err(Error::NotAllowed { caller: by, expected: PAYER }));
    }
    w.h.refusing.insert(PAYER);
    assert_eq!(w.refund(PAYER, n, 5), Ok(5));
    assert_eq!((w.credit(&USDT, &PAYER), w.earned(&USDT, &PAYER)), (5, -1_000));
    w.check();
}

#[test]
fn refund_before_the_end_needs_a_payer_that_may_cancel() {
    let mut w = World::default();
    let end_at = w.now() + 100;
    let n = w.create(bound(ending(plain(), end_at)));
    w.set_delegate(PAYER, n, OTHER, Rights::REFUND, 0).unwrap();
    w.h.now = end_at - 1;
    for by in [PAYER, OTHER] {
        assert_eq!(w.refund(by, n, 5), Err(Error::NotCancellable {}));
    }
    w.h.now = end_at;
    assert_eq!(w.refund(OTHER, n, 5), Ok(5));
    assert_eq!(w.refund(PAYER, n, ALL), Ok(895));
    assert_eq!((w.claim_all(n), w.status(n), w.earned(&USDT, &PAYER), w.earned(&USDT, &OTHER)), (Ok(100), S::Closed, -100, 0));
    w.check();
}

#[test]
fn refund_of_a_pending_and_of_a_paused_stream() {
    let mut w = World::default();
    let start_at = w.now() + 50;
    let n = w.create(NewStream { stated: Stated { start_at, ..plain().stated }, ..plain() });
    assert_eq!(w.refund(PAYER, n, 900), Ok(900));
    w.h.now = start_at + 20;
    w.pause(n).unwrap();
    w.pass(1_000);
    assert_eq!(w.refund(PAYER, n, ALL), Ok(80));
    assert_eq!((w.claim_all(n), w.status(n)), (Ok(20), S::Paused));
    w.check();
}

#[test]
fn refund_of_a_cancelled_stream_is_nothing() {
    let mut w = World::default();
    let n = w.create(plain());
    w.pass(10);
    w.cancel(PAYER, n).unwrap();
    assert_eq!(w.refund(PAYER, n, ALL), Err(Error::NothingToPay {}));
}

#[test]
fn refund_of_native_money_is_of_what_can_move() {
    let mut w = World::default();
    let n = w.create(native(70_000_000, 10 * GRAIN));
    w.pass(1);
    assert_eq!(w.refund(PAYER, n, GRAIN + 1), Err(Error::NotMovable { amount: GRAIN + 1, grain: GRAIN }));
    assert_eq!(w.refund(PAYER, n, ALL), Ok(9 * GRAIN));
    // What is left is more than is owed by less than can move.
    assert_eq!((w.balances(n).refundable, w.status(n)), (0, S::Streaming));
    w.check();
}

// renounce

#[test]
fn renounce_is_the_payers_once_and_for_good() {
    let mut w = World::default();
    let end_at = w.now() + 100;
    let n = w.create(ending(plain(), end_at));
    w.set_delegate(PAYER, n, OTHER, Rights::ALL, MAX_RATE_SCALED).unwrap();
    for by in [PAYEE, OTHER] {
        assert_eq!(w.renounce(by, n), Err(Error::NotAllowed { caller: by, expected: PAYER }));
    }
    w.renounce(PAYER, n).unwrap();
    assert!(w.h.events.last().unwrap().starts_with("StreamRenounced"));
    assert_eq!(w.renounce(PAYER, n), Err(Error::NotCancellable {}));
    w.pass(10);
    let given_up = Error::NotCancellable {};
    for by in [PAYER, OTHER] {
        assert_eq!((w.cancel(by, n), w.void(by, n)), (Err(given_up), Err(given_up)));
        assert_eq!((w.pause_by(by, n), w.adjust(by, n, UNIT / 2)), (Err(given_up), Err(given_up)));
        assert_eq!(w.refund(by, n, ALL), Err(given_up));
    }
    w.adjust(PAYER, n, 2 * UNIT).unwrap();
    w.top_up(PAYER, n, 10).unwrap();
    w.h.now = end_at;
    assert_eq!(w.renounce(PAYER, n), Err(Error::Ended {}));
    assert_eq!(w.claim_all(n), Ok(10 + 90 * 2));
    w.check();
}

#[test]
fn renounce_is_refused_in_a_pause() {
    let mut w = World::default();
    let n = w.create(plain());
    w.pass(10);
    w.pause(n).unwrap();
    assert_eq!(w.renounce(PAYER, n), Err(Error::WrongPause { paused: true }));
    w.resume(n).unwrap();
    w.renounce(PAYER, n).unwrap();
}

#[test]
fn a_payee_may_cancel_what_the_payer_cannot() {
    let mut w = World::default();
    let n = w.create(plain());
    w.renounce(PAYER, n).unwrap();
    w.pass(10);
    w.cancel(PAYEE, n).unwrap();
    assert_eq!((w.earned(&USDT, &PAYEE), w.credit(&USDT, &PAYER)), (10, 990));
}

// delegate

/// What each right is for, on a stream that runs (or is paused, for RESUME) with a little of everything.
fn try_all(w: &World, by: Address) -> Vec<(u8, bool)> {
    let n = rivulet_core::ids::Number { book: 1, serial: 0 };
    let fresh = || World { h: w.h.clone() };
    let mut paused = fresh();
    paused.pause(n).unwrap();
    vec![
        (Rights::PAUSE, fresh().pause_by(by, n).is_ok()),
        (Rights::RESUME, paused.resume_by(by, n).is_ok()),
        (Rights::ADJUST, fresh().adjust(by, n, 2 * UNIT).is_ok()),
        (Rights::REFUND, fresh().refund(by, n, 5).is_ok()),
        (Rights::CANCEL, fresh().cancel(by, n).is_ok()),
        (Rights::CANCEL, fresh().void(by, n).is_ok()),
        (0, fresh().renounce(by, n).is_ok()),
        (0, fresh().set_delegate(by, n, by, Rights::ALL, MAX_RATE_SCALED).is_ok()),
        (0, fresh().claim(by, n, ALL, by).is_ok()),
        (0, fresh().hand_over(by, n, by).is_ok()),
    ]
}

#[test]
fn a_delegate_can_do_what_it_has_a_right_to_and_nothing_else() {
    let mut w = World::default();
    let n = w.create(NewStream { stated: Stated { flags: 3, ..plain().stated }, ..plain() });
    w.pass(10);
    for rights in 0..=Rights::ALL {
        w.set_delegate(PAYER, n, OTHER, rights, 2 * UNIT).unwrap();
        assert_eq!(stream::delegate_of(&w.h, n), (OTHER, rights, 2 * UNIT));
        for (right, done) in try_all(&w, OTHER) {
            assert_eq!(done, rights & right != 0, "right {right} of {rights}");
        }
        assert!(try_all(&w, RELAYER).iter().all(|(_, done)| !done), "somebody else");
    }
    w.check();
}

#[test]
fn a_delegate_sets_no_rate_above_its_cap() {
    let mut w = World::default();
    let n = w.create(plain());
    w.set_delegate(PAYER, n, OTHER, Rights::ADJUST, 2 * UNIT).unwrap();
    let beyond = 2 * UNIT + 1;
    assert_eq!(w.adjust(OTHER, n, beyond), Err(Error::BadRate { given_scaled: beyond, max_scaled: 2 * UNIT }));
    w.adjust(OTHER, n, 2 * UNIT).unwrap();
    w.adjust(PAYER, n, beyond).unwrap();
    // It may cut what the payer raised.
    w.adjust(OTHER, n, 1).unwrap();
    w.set_delegate(PAYER, n, OTHER, Rights::ADJUST, 0).unwrap();
    assert_eq!(w.adjust(OTHER, n, 1), Err(Error::BadRate { given_scaled: 1, max_scaled: 0 }));
}

#[test]
fn a_delegate_gains_nothing_and_what_it_takes_back_is_the_payers() {
    let mut w = World::default();
    let n = w.create(plain());
    w.set_delegate(PAYER, n, OTHER, Rights::ALL, MAX_RATE_SCALED).unwrap();
    w.pass(10);
    w.adjust(OTHER, n, MAX_RATE_SCALED).unwrap();
    w.adjust(OTHER, n, UNIT).unwrap();
    assert_eq!(w.refund(OTHER, n, 100), Ok(100));
    w.pause_by(OTHER, n).unwrap();
    w.resume_by(OTHER, n).unwrap();
    w.cancel(OTHER, n).unwrap();
    assert_eq!(w.claim(OTHER, n, ALL, OTHER), Err(Error::NotAllowed { caller: OTHER, expected: PAYEE }));
    assert_eq!((w.earned(&USDT, &OTHER), w.credit(&USDT, &OTHER), w.earned(&USDT, &PAYER)), (0, 0, -10));
    w.check();
}

#[test]
fn a_delegate_that_is_replaced_or_taken_back_can_do_nothing() {
    let mut w = World::default();
    let n = w.create(plain());
    w.pass(1);
    w.set_delegate(PAYER, n, OTHER, Rights::ALL, 1).unwrap();
    w.set_delegate(PAYER, n, RELAYER, Rights::PAUSE, 0).unwrap();
    assert_eq!(w.pause_by(OTHER, n), Err(Error::NotAllowed { caller: OTHER, expected: PAYER }));
    w.pause_by(RELAYER, n).unwrap();
    w.set_delegate(PAYER, n, Address::ZERO, 0, 0).unwrap();
    assert_eq!(w.resume_by(RELAYER, n), Err(Error::NotAllowed { caller: RELAYER, expected: PAYER }));
    assert_eq!(stream::delegate_of(&w.h, n), (Address::ZERO, 0, 0));
}

#[test]
fn set_delegate_refuses_unknown_rights_rights_for_nobody_and_a_cap_above_the_largest_rate() {
    let mut w = World::default();
    let n = w.create(plain());
    for given in [32, 64, 128, 255] {
        assert_eq!(w.set_delegate(PAYER, n, OTHER, given, 0), Err(Error::BadRights { given }));
    }
    assert_eq!(w.set_delegate(PAYER, n, Address::ZERO, 1, 0), Err(Error::BadRights { given: 1 }));
    assert_eq!(w.set_delegate(PAYER, n, Address::ZERO, 0, 1), Err(Error::BadRate { given_scaled: 1, max_scaled: 0 }));
    let given_scaled = MAX_RATE_SCALED + 1;
    assert_eq!(w.set_delegate(PAYER, n, OTHER, 0, given_scaled), Err(Error::BadRate { given_scaled, max_scaled: MAX_RATE_SCALED }));
    w.set_delegate(PAYER, n, OTHER, 0, MAX_RATE_SCALED).unwrap();
    for by in [OTHER, PAYEE] {
        assert_eq!(w.set_delegate(by, n, by, 1, 0), Err(Error::NotAllowed { caller: by, expected: PAYER }));
    }
}
