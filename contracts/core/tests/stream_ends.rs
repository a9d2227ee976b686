//! Ways out before the end, and the payee's side changing hands: one rule a test.
//!
//! ```text
//! cancel     by payer, by payee, by others   due, refund, write-off; the commitment, by who cancels
//! void       by payer, by payee, by others   no money moves; due, write-off; what is refused after it and what is not
//! hand over  by whom, to whom                the record moves whole, the old number is closed
//! ```

mod stream_world;

use rivulet_core::{
    error::Error,
    ids::{Address, StreamNumber},
    outcome::RowOutcome,
    stream::{self, NewStream, Rights, StreamStatus as S, claim::ALL, schedule::Stated},
    testing::THIS,
};
use stream_world::*;

// cancel

#[test]
fn cancel_by_the_payer_refunds_it_and_leaves_the_payee_its_due() {
    let mut w = World::default();
    let n = w.create(plain());
    w.pass(100);
    w.claim_all(n).unwrap();
    w.pass(50);
    w.cancel(PAYER, n).unwrap();
    assert_eq!((w.earned(&USDT, &PAYER), w.earned(&USDT, &PAYEE)), (-150, 100));
    w.pass(500);
    let b = w.balances(n);
    assert_eq!(
        (w.status(n), b.deposit, b.total_debt, b.covered_debt, b.uncovered_debt, b.refundable, b.depletes_at),
        (S::Cancelled, 150, 50, 50, 0, 0, 0)
    );
    assert_eq!(w.claim(PAYEE, n, 20, OTHER), Ok(20));
    assert_eq!(w.batch(&[n]).unwrap(), [RowOutcome::Applied]);
    assert_eq!((w.status(n), w.earned(&USDT, &PAYEE), w.earned(&USDT, &OTHER)), (S::Closed, 130, 20));
    w.check();
}

#[test]
fn cancel_by_the_payer_with_nothing_due_deletes_the_record_at_once() {
    let mut w = World::default();
    let n = w.create(plain());
    w.cancel(PAYER, n).unwrap();
    assert_eq!((w.status(n), w.earned(&USDT, &PAYER)), (S::Closed, 0));
    w.check();
}

#[test]
fn cancel_by_the_payee_pays_it_and_credits_the_payer() {
    let mut w = World::default();
    let n = w.create(NewStream { stated: Stated { flags: 0, ..plain().stated }, ..plain() });
    w.set_terms(PAYEE, USDT, 1_000, 0, 0);
    w.pass(100);
    assert_eq!(w.cancel(PAYER, n), Err(Error::NotCancellable {}));
    w.cancel(PAYEE, n).unwrap();
    assert_eq!((w.status(n), w.earned(&USDT, &PAYEE), w.earned(&USDT, &RELAYER), w.credit(&USDT, &PAYER)), (S::Closed, 90, 10, 900));
    w.check();
}

#[test]
fn cancel_is_for_the_two_sides_only_and_only_once() {
    let mut w = World::default();
    let n = w.create(plain());
    w.pass(10);
    assert_eq!(w.cancel(OTHER, n), Err(Error::NotAllowed { caller: OTHER, expected: PAYER }));
    w.cancel(PAYER, n).unwrap();
    for by in [PAYER, PAYEE] {
        assert_eq!(w.cancel(by, n), Err(Error::Ended {}));
    }
    for refused in [w.pause(n), w.resume(n)] {
        assert_eq!(refused, Err(Error::Ended {}));
    }
}

#[test]
fn cancel_writes_off_what_is_not_covered() {
    for by in [PAYER, PAYEE] {
        let mut w = World::default();
        let n = w.create(NewStream { amount: 30, ..plain() });
        w.pass(100);
        w.cancel(by, n).unwrap();
        let _ = w.claim_all(n);
        assert_eq!((w.status(n), w.earned(&USDT, &PAYEE), w.earned(&USDT, &PAYER)), (S::Closed, 30, -30));
        w.check();
    }
}

#[test]
fn cancel_leaves_the_payee_what_was_committed() {
    let mut w = World::default();
    let n = w.create(NewStream { committed: 400, ..plain() });
    w.pass(100);
    w.claim_all(n).unwrap();
    assert_eq!(w.balances(n).refundable, 600);
    w.cancel(PAYER, n).unwrap();
    assert_eq!(w.earned(&USDT, &PAYER), -400);
    assert_eq!(w.claim_all(n), Ok(300));
    w.check();
}

#[test]
fn pausing_until_the_end_does_not_take_a_commitment_back() {
    let mut w = World::default();
    let end_at = w.now() + 100;
    let n = w.create(ending(NewStream { committed: 400, ..plain() }, end_at));
    w.pass(10);
    w.pause(n).unwrap();
    w.h.now = end_at;
    assert_eq!(w.claim(PAYER, n, ALL, PAYEE), Ok(400));
    assert_eq!((w.status(n), w.earned(&USDT, &PAYER), w.earned(&USDT, &PAYEE)), (S::Closed, -400, 400));
    w.check();
}

#[test]
fn cancel_floors_the_native_due_and_refunds_the_rest() {
    let mut w = World::default();
    let n = w.create(native(70_000_000, 5 * GRAIN));
    w.pass(3);
    w.cancel(PAYER, n).unwrap();
    assert_eq!(w.earned(&NATIVE, &PAYER), -2 * GRAIN as i128);
    assert_eq!(w.claim_all(n), Ok(2 * GRAIN));
    w.check();
}

#[test]
fn cancel_of_an_ended_stream_is_refused_unless_it_owes_what_it_cannot_pay() {
    let mut w = World::default();
    let end_at = w.now() + 100;
    let (rich, poor) = (w.create(ending(plain(), end_at)), w.create(ending(NewStream { amount: 30, ..plain() }, end_at)));
    w.pass(100);
    for by in [PAYER, PAYEE] {
        assert_eq!(w.cancel(by, rich), Err(Error::Ended {}));
    }
    w.cancel(PAYEE, poor).unwrap();
    assert_eq!((w.status(poor), w.earned(&USDT, &PAYEE)), (S::Closed, 30));
    w.check();
}

#[test]
fn a_payee_that_cancels_on_the_first_day_does_not_take_the_commitment() {
    let mut w = World::default();
    let (mine, theirs) = (w.create(NewStream { committed: 400, ..plain() }), w.create(NewStream { committed: 400, ..plain() }));
    w.pass(100);
    w.cancel(PAYEE, mine).unwrap();
    assert_eq!((w.earned(&USDT, &PAYEE), w.credit(&USDT, &PAYER)), (100, 900));
    // And where the payer does it, it is the payee's.
    w.cancel(PAYER, theirs).unwrap();
    assert_eq!(w.claim_all(theirs), Ok(400));
    w.check();
}

#[test]
fn a_commitment_is_due_to_the_payee_when_a_delegate_cancels() {
    let mut w = World::default();
    let n = w.create(NewStream { committed: 400, ..plain() });
    w.set_delegate(PAYER, n, OTHER, Rights::CANCEL, 0).unwrap();
    w.pass(100);
    w.cancel(OTHER, n).unwrap();
    assert_eq!((w.earned(&USDT, &OTHER), w.earned(&USDT, &PAYER), w.claim_all(n)), (0, -400, Ok(400)));
    w.check();
}

// void

#[test]
fn void_moves_no_money_and_leaves_each_side_what_is_its_own() {
    for by in [PAYER, PAYEE] {
        let mut w = World::default();
        let n = w.create(plain());
        w.pass(50);
        w.claim_all(n).unwrap();
        w.pass(100);
        w.h.events.clear();
        let before = w.h.balances.clone();
        w.void(by, n).unwrap();
        assert_eq!(w.h.balances, before);
        assert_eq!(w.h.events.len(), 1);
        w.pass(10_000);
        let b = w.balances(n);
        assert_eq!(
            (w.status(n), b.deposit, b.paid, b.total_debt, b.covered_debt, b.refundable, b.depletes_at),
            (S::Voided, 1_000, 50, 100, 100, 850, 0)
        );
        assert_eq!(w.claim(OTHER, n, 30, PAYEE), Ok(30));
        assert_eq!(w.refund(PAYER, n, 50), Ok(50));
        assert_eq!(w.batch(&[n]).unwrap(), [RowOutcome::Applied]);
        // Nothing is due any more: the rest has gone back with it.
        assert_eq!((w.status(n), w.earned(&USDT, &PAYEE), w.earned(&USDT, &PAYER)), (S::Closed, 150, -150));
        w.check();
    }
}

#[test]
fn void_writes_off_what_is_not_covered() {
    let mut w = World::default();
    let n = w.create(NewStream { amount: 30, ..plain() });
    w.pass(100);
    w.void(PAYEE, n).unwrap();
    assert!(w.h.events.last().unwrap().ends_with("due: 30, written_off: 70 }"), "{:?}", w.h.events.last());
    let b = w.balances(n);
    assert_eq!((b.total_debt, b.covered_debt, b.uncovered_debt), (30, 30, 0));
    assert_eq!((w.claim_all(n), w.status(n)), (Ok(30), S::Closed));
    w.check();
}

#[test]
fn void_pays_the_commitment_when_the_payers_side_does_it_and_only_then() {
    for (by, due) in [(PAYER, 400), (OTHER, 400), (PAYEE, 100)] {
        let mut w = World::default();
        let n = w.create(NewStream { committed: 400, ..plain() });
        w.set_delegate(PAYER, n, OTHER, Rights::CANCEL, 0).unwrap();
        w.pass(100);
        w.void(by, n).unwrap();
        let b = w.balances(n);
        assert_eq!((b.total_debt, b.covered_debt, b.refundable), (due, due, 1_000 - due));
        assert_eq!(w.refund(PAYER, n, ALL), Ok(1_000 - due));
        assert_eq!((w.claim_all(n), w.status(n), w.earned(&USDT, &PAYER)), (Ok(due), S::Closed, -(due as i128)));
        w.check();
    }
}

#[test]
fn void_of_a_stream_that_owes_nothing_leaves_a_remainder_that_one_claim_returns() {
    let mut w = World::default();
    let n = w.create(plain());
    w.void(PAYER, n).unwrap();
    assert_eq!((w.status(n), w.balances(n).refundable, w.earned(&USDT, &PAYER)), (S::Voided, 1_000, -1_000));
    assert_eq!(w.claim(OTHER, n, 1, PAYEE), Err(Error::Overdraw { asked: 1, payable: 0 }));
    assert_eq!(w.claim(OTHER, n, ALL, PAYEE), Ok(0));
    assert_eq!((w.status(n), w.earned(&USDT, &PAYER)), (S::Closed, 0));
    w.check();
}

#[test]
fn void_is_for_good_and_leaves_claim_refund_and_hand_over() {
    let mut w = World::default();
    let n = w.create(NewStream { stated: Stated { flags: 3, ..plain().stated }, ..plain() });
    w.pass(10);
    w.void(PAYER, n).unwrap();
    let ended = Error::Ended {};
    assert_eq!(w.top_up(PAYER, n, 5), Err(ended));
    assert_eq!(w.adjust(PAYER, n, 2 * UNIT), Err(ended));
    assert_eq!((w.pause(n), w.resume(n), w.renounce(PAYER, n)), (Err(ended), Err(ended), Err(ended)));
    for by in [PAYER, PAYEE] {
        assert_eq!((w.cancel(by, n), w.void(by, n)), (Err(ended), Err(ended)));
    }
    w.set_delegate(PAYER, n, RELAYER, Rights::REFUND, 0).unwrap();
    assert_eq!(w.refund(RELAYER, n, 90), Ok(90));
    let n = w.hand_over(PAYEE, n, PAYEE2).unwrap();
    assert_eq!((w.status(n), w.claim_all(n), w.earned(&USDT, &PAYEE2)), (S::Voided, Ok(10), 10));
    w.check();
}

#[test]
fn void_is_refused_to_strangers_to_a_payer_that_gave_up_cancelling_and_once_settled() {
    let mut w = World::default();
    let end_at = w.now() + 100;
    let bound = w.create(NewStream { stated: Stated { flags: 0, ..plain().stated }, ..plain() });
    let rich = w.create(ending(plain(), end_at));
    let poor = w.create(ending(NewStream { amount: 30, ..plain() }, end_at));
    assert_eq!(w.void(OTHER, rich), Err(Error::NotAllowed { caller: OTHER, expected: PAYER }));
    assert_eq!(w.void(PAYER, bound), Err(Error::NotCancellable {}));
    w.pass(100);
    for by in [PAYER, PAYEE] {
        assert_eq!(w.void(by, rich), Err(Error::Ended {}));
    }
    w.void(PAYEE, poor).unwrap();
    w.void(PAYEE, bound).unwrap();
    // What is not the payee's is the payer's at once, though it had given up cancelling: the stream is over.
    assert_eq!((w.refund(PAYER, bound, ALL), w.claim_all(bound), w.claim_all(poor)), (Ok(900), Ok(100), Ok(30)));
    w.check();
}

#[test]
fn void_floors_the_native_due_and_leaves_the_rest_refundable() {
    let mut w = World::default();
    let n = w.create(native(70_000_000, 5 * GRAIN));
    w.pass(3);
    w.void(PAYEE, n).unwrap();
    assert_eq!((w.balances(n).total_debt, w.balances(n).refundable), (2 * GRAIN, 3 * GRAIN));
    assert_eq!(w.claim_all(n), Ok(2 * GRAIN));
    assert_eq!((w.status(n), w.earned(&NATIVE, &PAYER)), (S::Closed, -2 * GRAIN as i128));
    w.check();
}

// hand over

fn transferable() -> NewStream {
    NewStream { stated: Stated { flags: 3, ..plain().stated }, committed: 100, ..plain() }
}

#[test]
fn hand_over_moves_the_record_whole_and_closes_the_old_number() {
    let mut w = World::default();
    let n = w.create(transferable());
    w.set_delegate(PAYER, n, OTHER, Rights::ALL, 5 * UNIT).unwrap();
    w.pass(40);
    w.claim(PAYEE, n, 10, PAYEE).unwrap();
    let mut before = (w.record(n), w.details(n), w.balances(n));
    let new = w.hand_over(PAYEE, n, PAYEE2).unwrap();
    before.1.handed_over_at = w.now();
    assert_ne!(n.book, new.book);
    assert_eq!((w.record(new), w.details(new), w.balances(new)), before);
    assert_eq!((w.status(n), w.status(new)), (S::Closed, S::Streaming));
    let v = stream::stream(&w.h, new);
    assert_eq!((v.payer, v.payee, v.token, v.id), (PAYER, PAYEE2, USDT, before.1.id));
    let closed = Error::ClosedNumber { book: n.book, serial: n.serial };
    assert_eq!((w.claim(PAYEE, n, ALL, PAYEE), w.cancel(PAYER, n), w.pause(n)), (Err(closed), Err(closed), Err(closed)));
    assert_eq!(w.claim(PAYEE, new, ALL, PAYEE), Err(Error::NotAllowed { caller: PAYEE, expected: PAYEE2 }));
    w.pass(5);
    assert_eq!((w.claim_all(new), w.earned(&USDT, &PAYEE), w.earned(&USDT, &PAYEE2)), (Ok(35), 10, 35));
    w.cancel(PAYER, new).unwrap();
    w.check();
}

#[test]
fn hand_over_is_the_payees_where_the_flag_allows_it_and_to_who_can_be_a_party() {
    let mut w = World::default();
    let n = w.create(transferable());
    for by in [PAYER, OTHER, PAYEE2] {
        assert_eq!(w.hand_over(by, n, PAYEE2), Err(Error::NotAllowed { caller: by, expected: PAYEE }));
    }
    for to in [Address::ZERO, PAYER, PAYEE, THIS, USDT, Address([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])] {
        assert_eq!(w.hand_over(PAYEE, n, to), Err(Error::BadParty { party: to }));
    }
    let fixed = w.create(plain());
    assert_eq!(w.hand_over(PAYEE, fixed, PAYEE2), Err(Error::NotTransferable {}));
    let unknown = StreamNumber { serial: 99, ..n };
    assert_eq!(w.hand_over(PAYEE, unknown, PAYEE2), Err(Error::UnknownNumber { book: n.book, serial: 99 }));
}

#[test]
fn hand_over_works_as_long_as_there_is_a_record() {
    let end = |w: &mut World, how: u8, n| match how {
        0 => w.cancel(PAYER, n),
        1 => w.void(PAYER, n),
        _ => {
            w.pass(1_000);
            Ok(())
        }
    };
    for how in 0..3 {
        let mut w = World::default();
        let end_at = w.now() + 100;
        let n = w.create(ending(transferable(), end_at));
        w.pass(50);
        end(&mut w, how, n).unwrap();
        let due = w.balances(n).covered_debt;
        let n = w.hand_over(PAYEE, n, PAYEE2).unwrap();
        assert_eq!((w.claim_all(n), w.earned(&USDT, &PAYEE2) as u128, w.status(n)), (Ok(due), due, S::Closed));
        w.check();
    }
}

#[test]
fn hand_over_and_back_gives_a_new_number_each_time() {
    let mut w = World::default();
    let (n, neighbour) = (w.create(transferable()), w.create(transferable()));
    let there = w.hand_over(PAYEE, n, PAYEE2).unwrap();
    w.pass(86_400);
    let back = w.hand_over(PAYEE2, there, PAYEE).unwrap();
    assert_eq!((back.book, back.serial), (n.book, neighbour.serial + 1));
    assert_eq!(
        (w.status(n), w.status(there), w.status(back), w.status(neighbour)),
        (S::Closed, S::Closed, S::StreamingInsolvent, S::StreamingInsolvent)
    );
    w.check();
}

#[test]
fn hand_over_waits_a_day_after_the_last_so_that_a_payee_cannot_outrun_the_payers_calls() {
    let mut w = World::default();
    let n = w.create(transferable());
    let due_at = w.now() + 86_400;
    // The payee sees the payer's call and is there first, once.
    let there = w.hand_over(PAYEE, n, PAYEE2).unwrap();
    assert_eq!(w.cancel(PAYER, n), Err(Error::ClosedNumber { book: n.book, serial: n.serial }));
    assert_eq!(w.hand_over(PAYEE2, there, OTHER), Err(Error::NotDue { now: w.now(), due_at }));
    w.pass(86_399);
    assert_eq!(w.hand_over(PAYEE2, there, OTHER), Err(Error::NotDue { now: due_at - 1, due_at }));
    w.cancel(PAYER, there).unwrap();
    w.pass(1);
    w.hand_over(PAYEE2, there, OTHER).unwrap();
    w.check();
}
