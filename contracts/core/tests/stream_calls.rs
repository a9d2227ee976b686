//! The calls on streams, one rule a test.
//!
//! ```text
//! create   when it is accepted            the record holds it all · unfunded · by total · two for one pair
//!          when it is not                 parties, token, commitment, value
//! top up   given a running stream         by anyone · not for other parties
//!          given an ended one             pays its debt · refused without debt
//! claim    by the payee, by others        to whom
//!          of all, of a part              payable, too much, nothing, not movable
//!          when it is the last            the record goes, the remainder returns
//! batch    each outcome                   isolation, one payout a group, refused whole
//! pause    by whom, when, one cell        and resume
//! cancel   by payer, by payee, by others  due, refund, write-off, commitment
//! views    status                         allowed and forbidden edges
//! ```

mod stream_world;

use rivulet_core::{
    blob,
    cell::Slot,
    error::Error,
    host::Key,
    ids::{Address, StreamNumber, StreamOrigin},
    outcome::RowOutcome,
    stream::{self, NewStream, ScheduleError, Stream, StreamStatus as S, claim::ALL, schedule::Stated},
    testing::THIS,
};
use stream_world::*;

fn ending(new: NewStream, end_at: u64) -> NewStream {
    NewStream { stated: Stated { end_at, ..new.stated }, ..new }
}

fn native(rate_wei: u128, amount: u128) -> NewStream {
    let plain = plain();
    NewStream { token: NATIVE, amount, stated: Stated { rate_per_second_scaled: rate_wei * UNIT, ..plain.stated }, ..plain }
}

// create

#[test]
fn create_keeps_all_that_was_stated() {
    let mut w = World::default();
    let now = w.now();
    let stated =
        Stated { rate_per_second_scaled: 0, total: 1_000, start_at: now + 5, cliff_at: now + 10, cliff_amount: 100, end_at: now + 17, flags: 7 };
    let n = w.create(NewStream { stated, committed: 300, ..plain() });
    let s = w.record(n).unwrap();
    // 900 in 7 s: 128.571428571 a second, and 3 billionths at the end.
    assert_eq!((s.rate_per_second_scaled, s.end_residue_scaled), (128_571_428_571, 3));
    assert_eq!((s.payer, s.deposit, s.paid, s.committed, s.flags), (PAYER, 1_000, 0, 300, 7));
    let (v, details) = (stream::stream(&w.h, n), w.details(n));
    assert_eq!((details.start_at, details.memo, details.delegate, details.rights), (now + 5, [7; 32], Address::ZERO, 0));
    assert_eq!((v.payer, v.payee, v.token, v.schedule, v.id), (PAYER, PAYEE, USDT, s.schedule(now + 5), details.id));
    assert_eq!((v.schedule.start_at, v.schedule.end_at, v.memo), (now + 5, now + 17, [7; 32]));
    assert_eq!((v.cliff().at, v.cliff().amount), (now + 10, 100));
    let origin = StreamOrigin { number: n, payer: PAYER, payee: PAYEE, token: USDT, created_at: now };
    assert_eq!(v.id, origin.stream_id(&rivulet_core::host::Host::deployment(&w.h), &rivulet_core::SoftKeccak));
    assert!(w.h.events.last().unwrap().starts_with("StreamCreated"));
    w.check();
    w.h.now = now + 17;
    assert_eq!(w.claim_all(n), Ok(1_000));
}

#[test]
fn create_needs_no_money() {
    let mut w = World::default();
    let n = w.create(NewStream { amount: 0, ..plain() });
    w.pass(5);
    assert_eq!(w.status(n), S::StreamingInsolvent);
    assert_eq!(w.balances(n).uncovered_debt, 5);
    w.top_up(OTHER, n, 50).unwrap();
    assert_eq!(w.claim_all(n), Ok(5));
    w.check();
}

#[test]
fn create_takes_exactly_the_value_it_states() {
    let mut w = World::default();
    let create = |w: &mut World, value, new: NewStream| w.h.call(PAYER, value, |h| stream::create(h, &new)).map(|_| ());
    assert_eq!(create(&mut w, 1, plain()), Err(Error::WrongValue { sent: 1, expected: 0 }));
    assert_eq!(create(&mut w, 1, NewStream { amount: 0, ..plain() }), Err(Error::WrongValue { sent: 1, expected: 0 }));
    assert_eq!(create(&mut w, GRAIN, native(1, 0)), Err(Error::WrongValue { sent: GRAIN, expected: 0 }));
    assert_eq!(create(&mut w, GRAIN, native(1, 2 * GRAIN)), Err(Error::WrongValue { sent: GRAIN, expected: 2 * GRAIN }));
    assert_eq!(create(&mut w, GRAIN + 1, native(1, GRAIN + 1)), Err(Error::NotMovable { amount: GRAIN + 1, grain: GRAIN }));
    assert_eq!(create(&mut w, GRAIN, native(1, GRAIN)), Ok(()));
    w.check();
}

#[test]
fn create_refuses_who_cannot_be_a_party_and_what_is_no_token() {
    let mut w = World::default();
    for payee in [Address::ZERO, PAYER, THIS, USDT, Address([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])] {
        assert_eq!(w.try_create(NewStream { payee, ..plain() }), Err(Error::BadParty { party: payee }));
    }
    for amount in [0, 1_000] {
        assert_eq!(w.try_create(NewStream { token: OTHER, amount, ..plain() }), Err(Error::NotListed { token: OTHER }));
    }
}

#[test]
fn create_commits_no_more_than_it_deposits_and_only_what_can_move() {
    let mut w = World::default();
    assert_eq!(w.try_create(NewStream { committed: 1_001, ..plain() }), Err(bad(ScheduleError::CommittedAboveDeposit)));
    assert!(w.try_create(NewStream { committed: 1_000, ..plain() }).is_ok());
    let total = Stated { rate_per_second_scaled: 0, total: 500, end_at: w.now() + 9, ..plain().stated };
    assert_eq!(w.try_create(NewStream { committed: 501, stated: total, ..plain() }), Err(bad(ScheduleError::CommittedAboveTotal)));
    let off = NewStream { committed: 5, ..native(1, GRAIN) };
    assert_eq!(w.try_create(off), Err(Error::NotMovable { amount: 5, grain: GRAIN }));
}

#[test]
fn create_tells_streams_of_one_pair_apart() {
    let mut w = World::default();
    let (a, b) = (w.create(plain()), w.create(plain()));
    assert_eq!((a.book, a.serial + 1), (b.book, b.serial));
    assert_ne!(w.details(a).id, w.details(b).id);
    w.check();
}

#[test]
fn a_refused_schedule_is_refused_with_its_reason() {
    let mut w = World::default();
    let end_at = w.now();
    assert_eq!(w.try_create(ending(plain(), end_at)), Err(bad(ScheduleError::EndBeforeStart)));
}

#[test]
fn a_past_start_owes_at_once() {
    let mut w = World::default();
    let start_at = w.now() - 300;
    let n = w.create(NewStream { stated: Stated { start_at, ..plain().stated }, ..plain() });
    assert_eq!(w.claim_all(n), Ok(300));
}

#[test]
fn a_schedule_that_is_all_past_owes_all_at_once() {
    let mut w = World::default();
    let stated = Stated { rate_per_second_scaled: 0, total: 777, start_at: w.now() - 300, end_at: w.now() - 200, ..plain().stated };
    let n = w.create(NewStream { stated, ..plain() });
    assert_eq!(w.status(n), S::Ended);
    assert_eq!(w.claim_all(n), Ok(777));
    assert_eq!((w.status(n), w.earned(&USDT, &PAYER)), (S::Closed, -777));
    w.check();
}

// top up

#[test]
fn top_up_is_for_the_named_parties_only() {
    let mut w = World::default();
    let n = w.create(plain());
    let wrong = Error::WrongParties { payer: PAYER, payee: PAYEE, token: USDT };
    for (payer, payee, token) in [(OTHER, PAYEE, USDT), (PAYER, OTHER, USDT), (PAYER, PAYEE, NATIVE)] {
        assert_eq!(w.h.call(OTHER, 0, |h| stream::top_up(h, n, payer, payee, token, 5)), Err(wrong));
    }
    w.top_up(OTHER, n, 5).unwrap();
    assert_eq!(w.balances(n).deposit, 1_005);
    assert!(w.h.events.last().unwrap().starts_with("ToppedUp"));
    assert_eq!(w.top_up(OTHER, n, 0), Err(Error::ZeroAmount {}));
    w.check();
}

#[test]
fn top_up_pays_the_debt_of_an_ended_stream_and_is_refused_without_debt() {
    let mut w = World::default();
    let end_at = w.now() + 1_500;
    let n = w.create(ending(plain(), end_at));
    w.pass(2_000);
    assert_eq!(w.status(n), S::EndedInsolvent);
    assert_eq!(w.claim_all(n), Ok(1_000));
    assert_eq!(w.status(n), S::EndedInsolvent);
    w.top_up(PAYER, n, 800).unwrap();
    assert_eq!(w.status(n), S::Ended);
    assert_eq!(w.top_up(PAYER, n, 1), Err(Error::Ended {}));
    assert_eq!(w.claim_all(n), Ok(500));
    assert_eq!((w.status(n), w.earned(&USDT, &PAYER), w.earned(&USDT, &PAYEE)), (S::Closed, -1_500, 1_500));
    w.check();
}

#[test]
fn top_up_of_a_cancelled_stream_is_refused() {
    let mut w = World::default();
    let n = w.create(plain());
    w.pass(5);
    w.cancel(PAYER, n).unwrap();
    assert_eq!(w.top_up(PAYER, n, 5), Err(Error::Ended {}));
}

// claim

#[test]
fn claim_goes_where_the_payee_says_and_otherwise_to_the_payee() {
    let mut w = World::default();
    let n = w.create(plain());
    w.pass(100);
    assert_eq!(w.claim(OTHER, n, 10, OTHER), Err(Error::NotAllowed { caller: OTHER, expected: PAYEE }));
    assert_eq!(w.claim(PAYER, n, 10, PAYER), Err(Error::NotAllowed { caller: PAYER, expected: PAYEE }));
    assert_eq!(w.claim(PAYEE, n, 10, THIS), Err(Error::BadParty { party: THIS }));
    assert_eq!(w.claim(PAYEE, n, 10, OTHER), Ok(10));
    assert_eq!(w.claim(OTHER, n, 20, PAYEE), Ok(20));
    assert_eq!((w.earned(&USDT, &OTHER), w.earned(&USDT, &PAYEE)), (10, 20));
    w.check();
}

#[test]
fn claim_of_a_part_leaves_the_rest() {
    let mut w = World::default();
    let n = w.create(plain());
    assert_eq!(w.claim_all(n), Err(Error::NothingToPay {}));
    w.pass(100);
    assert_eq!(w.claim(PAYEE, n, 0, PAYEE), Err(Error::ZeroAmount {}));
    assert_eq!(w.claim(PAYEE, n, 101, PAYEE), Err(Error::Overdraw { asked: 101, payable: 100 }));
    assert_eq!(w.claim(PAYEE, n, 40, PAYEE), Ok(40));
    assert_eq!(w.claim(PAYEE, n, ALL, PAYEE), Ok(60));
    assert_eq!(w.claim(PAYEE, n, ALL, PAYEE), Err(Error::NothingToPay {}));
    assert_eq!(w.claim(PAYEE, n, 1, PAYEE), Err(Error::Overdraw { asked: 1, payable: 0 }));
    w.check();
}

#[test]
fn claim_of_native_money_is_of_what_can_move() {
    let mut w = World::default();
    let n = w.create(native(70_000_000, 10 * GRAIN));
    w.pass(1);
    assert_eq!(w.claim_all(n), Err(Error::NothingToPay {}));
    w.pass(2);
    assert_eq!(w.claim(PAYEE, n, GRAIN + 1, PAYEE), Err(Error::NotMovable { amount: GRAIN + 1, grain: GRAIN }));
    assert_eq!(w.claim_all(n), Ok(2 * GRAIN));
    assert_eq!(w.balances(n).total_debt, 10_000_000);
    w.check();
}

#[test]
fn claim_stops_at_the_deposit_and_goes_on_after_a_top_up() {
    let mut w = World::default();
    let n = w.create(plain());
    w.pass(1_500);
    assert_eq!(w.claim_all(n), Ok(1_000));
    assert_eq!(w.claim_all(n), Err(Error::NothingToPay {}));
    w.top_up(PAYER, n, 600).unwrap();
    assert_eq!(w.claim_all(n), Ok(500));
    w.check();
}

#[test]
fn the_last_claim_of_an_ended_stream_returns_the_remainder_and_deletes_the_record() {
    let mut w = World::default();
    let end_at = w.now() + 300;
    let n = w.create(ending(plain(), end_at));
    w.pass(300);
    assert_eq!(w.claim(PAYEE, n, 100, PAYEE), Ok(100));
    assert_eq!(w.status(n), S::Ended);
    assert_eq!(w.claim(PAYEE, n, 200, PAYEE), Ok(200));
    assert_eq!((w.earned(&USDT, &PAYEE), w.earned(&USDT, &PAYER)), (300, -300));
    assert!(w.record(n).is_none());
    assert!(w.h.events.last().unwrap().starts_with("StreamEnded"));
    assert_eq!(w.claim_all(n), Err(Error::ClosedNumber { book: n.book, serial: n.serial }));
    w.check();
}

#[test]
fn a_remainder_comes_back_even_when_nothing_is_left_to_claim() {
    let mut w = World::default();
    let end_at = w.now() + 300;
    let n = w.create(ending(plain(), end_at));
    w.pass(200);
    assert_eq!(w.claim_all(n), Ok(200));
    w.pause(n).unwrap();
    w.pass(100);
    assert_eq!(w.status(n), S::Ended);
    assert_eq!(w.claim(PAYER, n, 1, PAYEE), Err(Error::Overdraw { asked: 1, payable: 0 }));
    assert_eq!(w.claim(PAYER, n, ALL, PAYEE), Ok(0));
    assert_eq!((w.status(n), w.earned(&USDT, &PAYER)), (S::Closed, -200));
    w.check();
}

#[test]
fn an_open_ended_stream_never_ends_by_itself() {
    let mut w = World::default();
    let n = w.create(plain());
    w.pass(1_000);
    assert_eq!(w.claim_all(n), Ok(1_000));
    assert_eq!(w.status(n), S::Streaming);
    w.pass(1 << 40);
    assert_eq!(w.status(n), S::StreamingInsolvent);
    assert_eq!(w.balances(n).total_debt, u128::from(u32::MAX) - 1_000);
}

#[test]
fn native_dust_of_an_ended_stream_goes_back_to_the_payer() {
    let mut w = World::default();
    let end_at = w.now() + 3;
    // 2.1 of what can move is owed in the end: 2 are paid.
    let n = w.create(ending(native(70_000_000, 5 * GRAIN), end_at));
    w.pass(3);
    assert_eq!(w.claim_all(n), Ok(2 * GRAIN));
    assert_eq!((w.status(n), w.earned(&NATIVE, &PAYER)), (S::Closed, -2 * GRAIN as i128));
    w.check();
}

#[test]
fn native_dust_that_no_top_up_could_pay_leaves_a_stream_settled() {
    let mut w = World::default();
    let end_at = w.now() + 3;
    // 2.1 of what can move is owed in the end, 2 are there.
    let n = w.create(ending(native(70_000_000, 2 * GRAIN), end_at));
    w.pass(3);
    assert_eq!((w.status(n), w.balances(n).uncovered_debt), (S::EndedInsolvent, 10_000_000));
    assert_eq!(w.top_up(PAYER, n, GRAIN), Err(Error::Ended {}));
    assert_eq!(w.cancel(PAYER, n), Err(Error::Ended {}));
    assert_eq!(w.claim_all(n), Ok(2 * GRAIN));
    assert_eq!(w.status(n), S::Closed);
    w.check();
}

#[test]
fn a_chosen_address_that_cannot_be_paid_leaves_the_payee_a_credit() {
    let mut w = World::default();
    let n = w.create(plain());
    w.h.refusing.insert(OTHER);
    w.pass(10);
    assert_eq!(w.claim(PAYEE, n, ALL, OTHER), Ok(10));
    assert_eq!((w.credit(&USDT, &PAYEE), w.credit(&USDT, &OTHER)), (10, 0));
    w.check();
}

#[test]
fn the_relay_fee_of_the_book_is_paid_whoever_submits() {
    let mut w = World::default();
    let n = w.create(plain());
    w.set_terms(PAYEE, USDT, 500, 2, 50);
    w.pass(100);
    assert_eq!(w.claim(PAYEE, n, ALL, PAYEE), Ok(100));
    assert_eq!((w.earned(&USDT, &PAYEE), w.earned(&USDT, &RELAYER)), (93, 7));
    w.pass(49);
    assert_eq!(w.claim(OTHER, n, ALL, PAYEE), Ok(49));
    assert_eq!((w.earned(&USDT, &PAYEE), w.earned(&USDT, &RELAYER)), (93 + 49, 7));
    w.check();
}

#[test]
fn a_number_that_never_was_is_unknown() {
    let mut w = World::default();
    let n = w.create(plain());
    for n in [StreamNumber { book: 0, serial: 0 }, StreamNumber { book: 9, serial: 0 }, StreamNumber { serial: n.serial + 1, ..n }] {
        let unknown = Error::UnknownNumber { book: n.book, serial: n.serial };
        assert_eq!(w.claim(PAYEE, n, ALL, PAYEE), Err(unknown));
        assert_eq!(w.pause(n), Err(unknown));
        assert_eq!(w.resume(n), Err(unknown));
        assert_eq!(w.cancel(PAYER, n), Err(unknown));
        assert_eq!(w.top_up(PAYER, n, 1), Err(unknown));
    }
}

// claim batch

#[test]
fn each_row_of_a_batch_has_its_own_outcome_and_each_group_one_payout() {
    let mut w = World::default();
    let end_at = w.now() + 10;
    let full = w.create(plain());
    let short = w.create(NewStream { amount: 30, ..plain() });
    let fresh = w.create(NewStream { stated: Stated { start_at: w.now() + 1_000, ..plain().stated }, ..plain() });
    let closed = w.create(ending(NewStream { amount: 10, ..plain() }, end_at));
    let last = w.create(ending(plain(), end_at));
    let other_book = w.create(NewStream { payee: OTHER, ..plain() });
    w.pass(10);
    w.claim_all(closed).unwrap();
    w.pass(90);
    let unknown = StreamNumber { serial: 99, ..full };
    let no_book = StreamNumber { book: 77, serial: 0 };
    w.h.events.clear();
    let before = (w.earned(&USDT, &PAYEE), w.earned(&USDT, &OTHER), w.earned(&USDT, &PAYER));
    let outcomes = w.batch(&[full, short, fresh, closed, last, unknown, other_book, no_book]).unwrap();
    use RowOutcome as R;
    assert_eq!(outcomes, [R::Applied, R::Capped, R::Stale, R::Closed, R::Applied, R::Unknown, R::Applied, R::Unknown]);
    let after = (w.earned(&USDT, &PAYEE), w.earned(&USDT, &OTHER), w.earned(&USDT, &PAYER));
    assert_eq!((after.0 - before.0, after.1 - before.1, after.2 - before.2), (100 + 30 + 10, 100, 990));
    let kinds: Vec<_> = w.h.events.iter().map(|e| e.split(' ').next().unwrap()).collect();
    assert_eq!(kinds, ["Claimed", "StreamEnded", "Claimed", "Claimed"]);
    w.check();
    assert_eq!(w.batch(&[full, short, last]).unwrap(), [R::Stale, R::Stale, R::Closed]);
    w.check();
}

#[test]
fn a_batch_pays_what_single_claims_would() {
    let mut w = World::default();
    w.set_terms(PAYEE, NATIVE, 333, 3, 0);
    let streams: Vec<_> = (1..=9).map(|i| w.create(native(i * 33_333_333, 20 * GRAIN))).collect();
    w.pass(41);
    let mut single = World { h: w.h.clone() };
    w.batch(&streams).unwrap();
    for n in streams {
        single.claim_all(n).unwrap();
    }
    for who in [PAYEE, RELAYER] {
        assert_eq!(w.earned(&NATIVE, &who), single.earned(&NATIVE, &who));
    }
    w.check();
}

#[test]
fn a_batch_that_cannot_be_read_is_refused_whole() {
    let mut w = World::default();
    let n = w.create(plain());
    w.pass(10);
    let good = blob(&[n], false);
    let mut of_channels = good.clone();
    of_channels[0] = 1;
    let mut cut = good.clone();
    cut.pop();
    let mut longer = good.clone();
    longer.push(0);
    let before = w.h.cells.clone();
    for (bytes, reason) in [
        (of_channels, blob::BlobError::Version),
        (cut, blob::BlobError::Truncated),
        (longer, blob::BlobError::Trailing),
        (vec![], blob::BlobError::Truncated),
    ] {
        let refused = w.h.call(RELAYER, 0, |h| stream::claim_batch(h, &bytes));
        assert!(matches!(refused, Err(Error::BadBlob { reason: r, .. }) if r == reason as u8), "{refused:?}");
    }
    assert_eq!(w.h.cells, before);
}

#[test]
fn a_native_payee_without_account_gets_credit_from_a_batch() {
    let mut w = World::default();
    let n = w.create(native(GRAIN, 20 * GRAIN));
    w.h.absent.insert(PAYEE);
    w.pass(2);
    assert_eq!(w.batch(&[n]).unwrap(), [RowOutcome::Applied]);
    assert_eq!(w.credit(&NATIVE, &PAYEE), 2 * GRAIN);
    w.pass(1);
    let funding = blob(&[n], true);
    w.h.call(RELAYER, 0, |h| stream::claim_batch(h, &funding)).unwrap();
    assert_eq!(w.earned(&NATIVE, &PAYEE), GRAIN as i128);
    w.check();
}

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

// views

#[test]
fn status_codes_are_final() {
    let all = [
        S::Unknown,
        S::Pending,
        S::Streaming,
        S::StreamingInsolvent,
        S::Paused,
        S::PausedInsolvent,
        S::Ended,
        S::EndedInsolvent,
        S::Cancelled,
        S::Voided,
        S::Closed,
    ];
    for (code, status) in (0..).zip(all) {
        assert_eq!(status as u8, code);
    }
}

#[test]
fn status_follows_the_stream_through_its_life() {
    let mut w = World::default();
    let (start_at, end_at) = (w.now() + 10, w.now() + 110);
    let new = NewStream { amount: 50, stated: Stated { start_at, end_at, ..plain().stated }, ..plain() };
    let n = w.create(new);
    let next = StreamNumber { serial: n.serial + 1, ..n };
    assert_eq!((w.status(n), w.status(next)), (S::Pending, S::Unknown));
    w.h.now = start_at;
    assert_eq!(w.status(n), S::Streaming);
    w.pass(10);
    w.pause(n).unwrap();
    assert_eq!(w.status(n), S::Paused);
    w.resume(n).unwrap();
    w.pass(40);
    assert_eq!(w.status(n), S::Streaming);
    assert_eq!(w.balances(n).depletes_at, w.now() + 1);
    w.pass(1);
    assert_eq!(w.status(n), S::StreamingInsolvent);
    w.pause(n).unwrap();
    assert_eq!(w.status(n), S::PausedInsolvent);
    w.resume(n).unwrap();
    w.h.now = end_at;
    assert_eq!(w.status(n), S::EndedInsolvent);
    w.top_up(PAYER, n, 50).unwrap();
    assert_eq!(w.status(n), S::Ended);
    w.claim_all(n).unwrap();
    assert_eq!(w.status(n), S::Closed);
    let cancelled = w.create(NewStream { amount: 50, ..plain() });
    w.pass(1);
    w.cancel(PAYER, cancelled).unwrap();
    assert_eq!(w.status(cancelled), S::Cancelled);
}
