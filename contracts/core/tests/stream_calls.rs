//! Top up, claim, claim batch, views: one rule a test. Creating: `stream_create.rs`; what the payer steers: `stream_control.rs`; ends: `stream_ends.rs`.
//!
//! ```text
//! top up   given a running stream         by anyone · not for other parties
//!          given an ended one             pays its debt · refused without debt
//! claim    by the payee, by others        to whom
//!          of all, of a part              payable, too much, nothing, not movable; its outcome
//!          when it is the last            the record goes, the remainder returns
//! batch    each outcome                   isolation, one payout a group, refused whole; streams that share a cell
//! views    status                         allowed and forbidden edges
//!          claimable, streams             what a claim takes; pages
//! ```

mod stream_world;

use rivulet_core::{
    blob,
    error::Error,
    ids::StreamNumber,
    outcome::RowOutcome,
    stream::{self, NewStream, StreamStatus as S, claim::ALL, schedule::Stated},
    testing::THIS,
};
use stream_world::*;

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
fn an_exact_amount_that_is_paid_is_applied_and_all_of_a_stream_that_owes_more_is_capped() {
    let mut w = World::default();
    let n = w.create(NewStream { amount: 100, ..plain() });
    let last_outcome = |w: &World| w.h.events.last().unwrap().split_once("rows: [").unwrap().1.split(", ").nth(4).unwrap().to_string();
    w.pass(500);
    w.claim(OTHER, n, 40, PAYEE).unwrap();
    assert_eq!(last_outcome(&w), (RowOutcome::Applied as u8).to_string());
    let mut exact = World { h: w.h.clone() };
    exact.claim(OTHER, n, 60, PAYEE).unwrap();
    assert_eq!(last_outcome(&exact), (RowOutcome::Applied as u8).to_string());
    w.claim(OTHER, n, ALL, PAYEE).unwrap();
    assert_eq!(last_outcome(&w), (RowOutcome::Capped as u8).to_string());
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
fn streams_that_share_a_cell_are_claimed_and_deleted_each_by_itself() {
    let mut w = World::default();
    let end_at = w.now() + 10;
    let streams: Vec<_> = (0..7).map(|i| w.create(if i % 2 == 0 { ending(plain(), end_at) } else { plain() })).collect();
    w.pass(20);
    let outcomes = w.batch(&streams).unwrap();
    assert_eq!(outcomes, [RowOutcome::Applied; 7]);
    for (i, n) in streams.iter().enumerate() {
        assert_eq!(w.status(*n), if i % 2 == 0 { S::Closed } else { S::Streaming }, "stream {i}");
        assert_eq!(w.details(*n).id.0 == [0; 32], i % 2 == 0, "details of stream {i}");
    }
    assert_eq!(w.earned(&USDT, &PAYEE), 4 * 10 + 3 * 20);
    w.check();
    w.pass(1);
    assert_eq!(w.batch(&[streams[1], streams[2], streams[5]]).unwrap(), [RowOutcome::Applied, RowOutcome::Closed, RowOutcome::Applied]);
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

#[test]
fn status_of_what_was_ended_early_comes_before_all_other() {
    let mut w = World::default();
    let start_at = w.now() + 100;
    let stated = Stated { start_at, ..plain().stated };
    let (early, late) = (w.create(NewStream { stated, ..plain() }), w.create(ending(plain(), start_at)));
    w.void(PAYER, early).unwrap();
    w.pass(5);
    w.pause(late).unwrap();
    w.void(PAYEE, late).unwrap();
    w.h.now = start_at + 1_000;
    assert_eq!((w.status(early), w.status(late)), (S::Voided, S::Voided));
}

#[test]
fn claimable_is_what_a_claim_of_all_takes_and_its_fee() {
    let mut w = World::default();
    let n = w.create(native(70_000_000, 10 * GRAIN));
    w.set_terms(PAYEE, NATIVE, 1_000, 0, 0);
    w.pass(30);
    // 21 are owed, 10 are there; the tenth of them is the fee.
    assert_eq!(stream::claimable(&w.h, n), (10 * GRAIN, GRAIN));
    assert_eq!(w.claim_all(n), Ok(10 * GRAIN));
    assert_eq!((w.earned(&NATIVE, &RELAYER), stream::claimable(&w.h, n)), (GRAIN as i128, (0, 0)));
    assert_eq!(stream::claimable(&w.h, StreamNumber { book: 9, serial: 9 }), (0, 0));
    assert_eq!(stream::delegate_of(&w.h, StreamNumber { book: 9, serial: 9 }), Default::default());
}

#[test]
fn a_listing_has_every_stream_with_a_record_once_whatever_the_pages() {
    let mut w = World::default();
    let all: Vec<_> = (0..10).map(|_| w.create(plain())).collect();
    for gone in [0, 3, 4, 5, 9] {
        w.cancel(PAYER, all[gone]).unwrap();
    }
    let book = all[0].book;
    for count in [0, 1, 2, 3, 4, 7, 400, u32::MAX] {
        let (mut seen, mut from) = (Vec::new(), 0);
        loop {
            let (serials, next) = stream::list(&w.h, book, from, count);
            seen.extend(serials);
            if next == 0 {
                break;
            }
            from = next;
        }
        assert_eq!(seen, [1, 2, 6, 7, 8], "pages of {count}");
    }
    assert_eq!(stream::list(&w.h, book + 1, 0, 5), (vec![], 0));
    assert_eq!(stream::list(&w.h, book, u32::MAX, u32::MAX), (vec![], 0));
}

#[test]
fn a_listing_looks_at_a_bounded_number_of_serials() {
    let mut w = World::default();
    for _ in 0..401 {
        w.create(NewStream { amount: 0, ..plain() });
    }
    let (serials, next) = stream::list(&w.h, 1, 0, u32::MAX);
    assert_eq!((serials.len(), next), (400, 400));
}

// all calls

#[test]
fn zero_one_and_the_largest_value_are_taken_for_what_they_are() {
    let mut w = World::default();
    let n = w.create(plain());
    w.pass(10);
    let huge = u128::MAX - 1;
    assert_eq!(
        [0, 1, huge].map(|a| w.claim(OTHER, n, a, PAYEE)),
        [Err(Error::ZeroAmount {}), Ok(1), Err(Error::Overdraw { asked: huge, payable: 9 })]
    );
    assert_eq!([0, 1, huge].map(|a| w.refund(PAYER, n, a)), [Err(Error::ZeroAmount {}), Ok(1), Err(Error::Overdraw { asked: huge, payable: 989 })]);
    assert_eq!([0, 1].map(|a| w.top_up(OTHER, n, a)), [Err(Error::ZeroAmount {}), Ok(())]);
    w.h.endow(&USDT, &OTHER, u128::MAX >> 1);
    let most = (1 << 96) - 1;
    assert_eq!(w.top_up(OTHER, n, most), Err(Error::TooMuch { amount: most + 999, max: most }));
    // A deposit is counted with what was paid of it.
    w.top_up(OTHER, n, most - 1_000).unwrap();
    assert_eq!((w.balances(n).deposit, w.top_up(OTHER, n, 1)), (most, Err(Error::TooMuch { amount: most + 1, max: most })));
    assert_eq!([0, 1, huge].map(|rate| w.adjust(PAYER, n, rate).is_ok()), [false, true, false]);
    for (rights, cap, fine) in [(0, 0, true), (1, 1, true), (255, 0, false), (0, huge, false)] {
        assert_eq!(w.set_delegate(PAYER, n, OTHER, rights, cap).is_ok(), fine, "{rights} {cap}");
    }
    for (book, serial) in [(0, 0), (n.book, u32::MAX), (u32::MAX, 0), (u32::MAX, u32::MAX)] {
        let n = StreamNumber { book, serial };
        assert_eq!((w.claim_all(n), w.refund(PAYER, n, 1)), (Err(Error::UnknownNumber { book, serial }), Err(Error::UnknownNumber { book, serial })));
        assert_eq!(stream::list(&w.h, book, serial, u32::MAX).1, 0);
    }
    w.h.now = u64::MAX;
    assert!(w.balances(n).covered_debt > 0 && w.status(n) == S::Streaming);
    w.pause(n).unwrap();
    w.resume(n).unwrap();
    w.check();
}
