//! Requests of the payer for a part of its balance, and what executes them.
//!
//! request_refund
//! ├── given another caller, a number without a record, value, native dust: refused
//! ├── given 0: takes the request back
//! ├── given more than the balance, up to 2^128 − 1: asks for all of it
//! └── given again: takes the last one's place and starts anew
//! finish
//! ├── given a refund: from due on, until it lapses, each to the second
//! │   ├── pays min(asked, balance); old vouchers are paid before, the deposit left caps them after
//! │   ├── a payout that fails is credit
//! │   └── one that has lapsed is void: nothing lies in wait
//! └── given a close that is due too: executes the close
//! cover
//! └── in every state, what a new voucher can count on
//! top_up, request_close, close
//! └── neither moves a refund's timer, nor it theirs

mod support;

use rivulet_core::{
    amount::{MAX_AMOUNT, NATIVE_GRAIN},
    channel::{self, ChannelStatus},
    error::Error,
    ids::Number,
    ledger,
    outcome::RowOutcome,
    testing::MemoryHost,
};
use support::*;

const P: u64 = PERIOD as u64;

fn ask(h: &mut MemoryHost, number: Number, amount: u128) -> Result<u64, Error> {
    h.call(PAYER, 0, |h| channel::request_refund(h, number, amount))
}

fn finish(h: &mut MemoryHost, number: Number) -> Result<(), Error> {
    h.call(RELAYER, 0, |h| channel::finish(h, number))
}

/// What the payer gets of one `finish`.
fn refunded(h: &mut MemoryHost, number: Number) -> u128 {
    let before = h.balance(&USDC, &PAYER);
    finish(h, number).expect("finishes");
    check_books(h);
    h.balance(&USDC, &PAYER) - before
}

#[test]
fn only_the_payer_asks_and_only_for_what_is_there() {
    let mut h = world();
    let (n, _) = open(&mut h, PAYER, PAYEE, USDC, 100);
    for caller in [PAYEE, SESSION, RELAYER, OTHER_PAYER] {
        assert_eq!(h.call(caller, 0, |h| channel::request_refund(h, n, 1)), Err(Error::NotAllowed { caller, expected: PAYER }));
    }
    assert_eq!(h.call(PAYER, 1, |h| channel::request_refund(h, n, 1)), Err(Error::WrongValue { sent: 1, expected: 0 }));
    for unknown in [Number { book: 0, serial: 0 }, Number { book: 9, serial: 0 }, Number { serial: 1, ..n }] {
        assert_eq!(ask(&mut h, unknown, 1), Err(Error::UnknownNumber { book: unknown.book, serial: unknown.serial }));
    }
    let none = voucher(&h, channel::id(&h, n), SESSION, 0);
    h.call(PAYEE, 0, |h| channel::close(h, n, none)).expect("closes");
    assert_eq!(ask(&mut h, n, 1), Err(Error::ClosedNumber { book: n.book, serial: n.serial }));
}

#[test]
fn a_refund_can_be_taken_from_due_on_until_it_lapses_to_the_second() {
    // Attack 29.
    let mut h = world();
    let (n, _) = open(&mut h, PAYER, PAYEE, USDC, 100);
    let due_at = ask(&mut h, n, 30).expect("asks");
    assert_eq!(due_at, h.now + P);
    let lapsed_at = due_at + P;
    for (now, expected) in [
        (due_at - P, Err(Error::NotDue { now: due_at - P, due_at })),
        (due_at - 1, Err(Error::NotDue { now: due_at - 1, due_at })),
        (due_at, Ok(())),
        (lapsed_at - 1, Ok(())),
        (lapsed_at, Err(Error::Lapsed { now: lapsed_at, lapsed_at })),
        (lapsed_at + 1, Err(Error::Lapsed { now: lapsed_at + 1, lapsed_at })),
    ] {
        let mut h = h.clone();
        h.now = now;
        assert_eq!(finish(&mut h, n), expected);
        assert_eq!(record(&h, n).expect("open").deposit, if expected.is_ok() { 70 } else { 100 });
        if expected.is_ok() {
            assert_eq!(finish(&mut h, n), Err(Error::NotRequested {}), "it is paid once");
        }
        check_books(&h);
    }
}

#[test]
fn a_refund_is_what_was_asked_or_else_the_balance() {
    for (asked, claimed, expected) in [(30, 0, 30), (30, 80, 20), (100, 0, 100), (101, 0, 100), (u128::MAX, 0, 100), (u128::MAX, 80, 20), (1, 99, 1)]
    {
        let mut h = world();
        let (n, _) = open(&mut h, PAYER, PAYEE, USDC, 100);
        h.now = ask(&mut h, n, asked).expect("asks");
        if claimed > 0 {
            claim(&mut h, n, claimed).expect("claims");
        }
        assert_eq!(refunded(&mut h, n), expected);
        let left = record(&h, n).expect("a refund of everything leaves the channel open");
        assert_eq!((left.deposit, left.claimed, left.refund_requested, left.refund_due_at), (100 - expected, claimed, 0, 0));
    }
}

#[test]
fn a_refund_that_finds_no_balance_is_refused_and_still_lapses() {
    let mut h = world();
    let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    let due_at = ask(&mut h, n, 30).expect("asks");
    claim(&mut h, n, 100).expect("claims");
    h.now = due_at;
    assert_eq!(finish(&mut h, n), Err(Error::NothingToPay {}));
    h.call(PAYER, 0, |h| channel::top_up(h, n, id, 50)).expect("tops up");
    assert_eq!(channel::cover(&h, n), 120, "new vouchers know of it");
    assert_eq!(refunded(&mut h.clone(), n), 30);
    h.now = due_at + P;
    assert_eq!(finish(&mut h, n), Err(Error::Lapsed { now: h.now, lapsed_at: h.now }));
    assert_eq!(channel::cover(&h, n), 150);
}

#[test]
fn the_largest_number_asks_for_all_there_is() {
    let mut h = world();
    h.endow(&USDC, &PAYER, MAX_AMOUNT);
    let (n, _) = open(&mut h, PAYER, PAYEE, USDC, MAX_AMOUNT);
    h.now = ask(&mut h, n, u128::MAX).expect("asks");
    assert_eq!(record(&h, n).expect("open").refund_requested, MAX_AMOUNT);
    assert_eq!(channel::cover(&h, n), 0);
    assert_eq!(refunded(&mut h, n), MAX_AMOUNT);
}

#[test]
fn native_refunds_are_what_can_move() {
    let mut h = world();
    let (n, _) = open(&mut h, PAYER, PAYEE, NATIVE, DOT);
    for dust in [1, NATIVE_GRAIN - 1] {
        assert_eq!(ask(&mut h, n, dust), Err(Error::NotMovable { amount: dust, grain: NATIVE_GRAIN }));
    }
    for (asked, refund) in [(NATIVE_GRAIN, NATIVE_GRAIN), (3 * NATIVE_GRAIN - 1, 2 * NATIVE_GRAIN), (u128::MAX, DOT)] {
        let mut h = h.clone();
        h.now = ask(&mut h, n, asked).expect("asks");
        let before = h.balance(&NATIVE, &PAYER);
        finish(&mut h, n).expect("finishes");
        assert_eq!(h.balance(&NATIVE, &PAYER) - before, refund);
        check_books(&h);
    }
}

#[test]
fn a_new_request_takes_the_place_of_the_last_one_and_starts_anew() {
    for (amount, after) in [(40, P - 1), (20, P - 1), (30, 1), (u128::MAX, P), (30, 2 * P - 1), (40, 2 * P), (40, 9 * P)] {
        let mut h = world();
        let (n, _) = open(&mut h, PAYER, PAYEE, USDC, 100);
        let first_due_at = ask(&mut h, n, 30).expect("asks");
        h.now += after;
        let due_at = ask(&mut h, n, amount).expect("asks again");
        assert_eq!(due_at, h.now + P, "a matured request lends its age to none");
        h.now = h.now.max(first_due_at);
        if h.now < due_at {
            assert_eq!(finish(&mut h, n), Err(Error::NotDue { now: h.now, due_at }));
        }
        h.now = due_at;
        assert_eq!(refunded(&mut h, n), amount.min(100), "the two do not add up");
    }
}

#[test]
fn an_amount_of_zero_takes_the_request_back() {
    let mut h = world();
    let (n, _) = open(&mut h, PAYER, PAYEE, USDC, 100);
    assert_eq!(ask(&mut h, n, 0), Err(Error::NotRequested {}));
    let untouched = record(&h, n);
    for waited in [0, P, 2 * P] {
        ask(&mut h, n, 30).expect("asks");
        h.now += waited;
        assert_eq!(ask(&mut h, n, 0), Ok(0));
        assert_eq!(record(&h, n), untouched);
        // Attack 4: a timer of zero is no timer.
        assert_eq!(finish(&mut h, n), Err(Error::NotRequested {}));
        assert_eq!(ask(&mut h, n, 0), Err(Error::NotRequested {}));
    }
}

#[test]
fn a_top_up_neither_cancels_nor_shortens_nor_prolongs_a_request() {
    // Attack 5.
    let mut h = world();
    let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    let due_at = ask(&mut h, n, 30).expect("asks");
    for (from, after) in [(PAYER, 0), (OTHER_PAYER, P - 1), (PAYEE, 1), (PAYER, P - 1)] {
        h.now += after;
        h.call(from, 0, |h| channel::top_up(h, n, id, 10)).expect("tops up");
        let c = record(&h, n).expect("open");
        assert_eq!((c.refund_requested, c.refund_due_at, channel::cover(&h, n)), (30, due_at, c.deposit - 30));
    }
    assert_eq!(refunded(&mut h, n), 30);
    assert_eq!(record(&h, n).expect("open").deposit, 110);
}

#[test]
fn the_timers_of_a_refund_and_of_a_close_are_two() {
    let mut h = world();
    let (n, _) = open(&mut h, PAYER, PAYEE, USDC, 100);
    let refund_due_at = ask(&mut h, n, 30).expect("asks");
    h.now += 10;
    let close_due_at = h.call(PAYER, 0, |h| channel::request_close(h, n)).expect("requests");
    assert_eq!((close_due_at, record(&h, n).expect("open").refund_due_at), (refund_due_at + 10, refund_due_at));
    assert_eq!(finish(&mut h, n), Err(Error::NotDue { now: h.now, due_at: refund_due_at }), "the nearer one is told");
    h.now = refund_due_at;
    assert_eq!(refunded(&mut h, n), 30);
    assert_eq!((channel::status(&h, n), record(&h, n).expect("open").close_due_at), (ChannelStatus::Closing, close_due_at));
    let again = ask(&mut h, n, 20).expect("asks while it closes");
    assert_eq!(finish(&mut h, n), Err(Error::NotDue { now: h.now, due_at: close_due_at }));
    assert_eq!(record(&h, n).expect("open").refund_due_at, again);
    assert_eq!(ask(&mut h, n, 0), Ok(0));
    assert_eq!(record(&h, n).expect("open").close_due_at, close_due_at, "taking a refund back leaves the close");
    h.now = close_due_at;
    assert_eq!(refunded(&mut h, n), 70);
    assert_eq!(channel::status(&h, n), ChannelStatus::Closed);
}

#[test]
fn a_close_that_is_not_due_yet_does_not_hide_behind_a_refund_that_lapsed() {
    let mut h = world();
    let (n, _) = open(&mut h, PAYER, PAYEE, USDC, 100);
    h.now = ask(&mut h, n, 30).expect("asks") + P - 1;
    let due_at = h.call(PAYER, 0, |h| channel::request_close(h, n)).expect("requests");
    h.now += 1;
    assert_eq!(finish(&mut h, n), Err(Error::NotDue { now: h.now, due_at }));
}

#[test]
fn finish_executes_the_close_when_both_are_due() {
    let mut h = world();
    let (n, _) = open(&mut h, PAYER, PAYEE, USDC, 100);
    ask(&mut h, n, 30).expect("asks");
    h.now = h.call(PAYER, 0, |h| channel::request_close(h, n)).expect("requests");
    assert_eq!(refunded(&mut h, n), 100);
    assert_eq!(finish(&mut h, n), Err(Error::ClosedNumber { book: n.book, serial: n.serial }));
}

#[test]
fn the_payee_closes_whatever_was_asked_and_takes_its_last_voucher() {
    let mut h = world();
    let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    h.now = ask(&mut h, n, u128::MAX).expect("asks");
    let before = (h.balance(&USDC, &PAYER), h.balance(&USDC, &PAYEE));
    let row = voucher(&h, id, SESSION, 90);
    h.call(PAYEE, 0, |h| channel::close(h, n, row)).expect("closes");
    assert_eq!((h.balance(&USDC, &PAYER), h.balance(&USDC, &PAYEE)), (before.0 + 10, before.1 + 90));
    check_books(&h);
}

#[test]
fn old_vouchers_are_paid_until_the_refund_is_executed_and_capped_at_what_is_left_after() {
    // Attack 3.
    let mut h = world();
    let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    h.now = ask(&mut h, n, 60).expect("asks") + P - 1;
    let row = voucher(&h, id, SESSION, 90);
    let mut raced = h.clone();
    assert_eq!(claim_batch(&mut raced, &[(n, row)]), [RowOutcome::Applied], "also when the refund is due");
    assert_eq!(refunded(&mut raced, n), 10);
    assert_eq!(refunded(&mut h, n), 60);
    // Attack 6: the voucher is worth more than there is now.
    assert_eq!(claim_batch(&mut h, &[(n, row)]), [RowOutcome::Capped]);
    assert_eq!(record(&h, n).expect("open").claimed, 40);
    h.call(PAYER, 0, |h| channel::top_up(h, n, id, 5)).expect("tops up");
    assert_eq!(claim_batch(&mut h, &[(n, row)]), [RowOutcome::Capped]);
    assert_eq!(record(&h, n).expect("open").claimed, 45);
    check_books(&h);
}

#[test]
fn cover_is_what_a_new_voucher_can_count_on_in_every_state() {
    let mut h = world();
    let unknown = Number { book: 1, serial: 0 };
    assert_eq!(channel::cover(&h, unknown), 0);
    let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    assert_eq!((n, channel::cover(&h, n)), (unknown, 100));
    let due_at = ask(&mut h, n, 30).expect("asks");
    assert_eq!(channel::cover(&h, n), 70);
    claim(&mut h, n, 60).expect("claims");
    assert_eq!(channel::cover(&h, n), 70);
    claim(&mut h, n, 80).expect("an old voucher");
    assert_eq!(channel::cover(&h, n), 80, "never below what is claimed");
    h.now = due_at + P - 1;
    assert_eq!(channel::cover(&h, n), 80);
    h.now += 1;
    assert_eq!(channel::cover(&h, n), 100, "a request that lapsed asks for nothing");
    ask(&mut h, n, u128::MAX).expect("asks");
    assert_eq!(channel::cover(&h, n), 80);
    ask(&mut h, n, 0).expect("takes it back");
    assert_eq!(channel::cover(&h, n), 100);
    h.now = ask(&mut h, n, 5).expect("asks");
    finish(&mut h, n).expect("finishes");
    assert_eq!(channel::cover(&h, n), 95);
    h.call(PAYER, 0, |h| channel::request_close(h, n)).expect("requests");
    h.call(PAYER, 0, |h| channel::top_up(h, n, id, 50)).expect("tops up");
    assert_eq!(channel::cover(&h, n), 80, "while it closes nothing new is covered");
    h.now += P;
    finish(&mut h, n).expect("finishes");
    assert_eq!(channel::cover(&h, n), 0);
}

#[test]
fn a_matured_refund_cannot_lie_in_wait_for_later_vouchers() {
    let mut h = world();
    let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    let lapsed_at = ask(&mut h, n, u128::MAX).expect("asks") + P;
    h.now = lapsed_at;
    assert_eq!(channel::cover(&h, n), 100);
    let accepted = voucher(&h, id, SESSION, 90);
    h.call(PAYER, 0, |h| channel::top_up(h, n, id, 1)).expect("a top-up revives nothing");
    assert_eq!(finish(&mut h, n), Err(Error::Lapsed { now: lapsed_at, lapsed_at }));
    h.now = ask(&mut h, n, u128::MAX).expect("asks anew") - 1;
    assert_eq!(claim_batch(&mut h, &[(n, accepted)]), [RowOutcome::Applied], "a whole period to bring it in");
}

#[test]
fn a_payer_that_cannot_be_paid_is_credited() {
    for (token, amount) in [(USDC, 100), (NATIVE, DOT)] {
        let mut h = world();
        let (n, _) = open(&mut h, PAYER, PAYEE, token, amount);
        h.now = ask(&mut h, n, amount / 2).expect("asks");
        h.refusing.insert(PAYER);
        finish(&mut h, n).expect("finishes");
        assert_eq!(ledger::credit_of(&h, &PAYER, &token), amount / 2);
        check_books(&h);
        assert_eq!(claim(&mut h, n, amount), Ok((RowOutcome::Capped, amount / 2)), "the channel goes on with the rest");
        h.refusing.clear();
        assert_eq!(h.call(RELAYER, 0, |h| ledger::push(h, &PAYER, &token)), Ok(amount / 2));
        check_books(&h);
    }
}
