//! Creating streams, one rule a test.
//!
//! ```text
//! create       when it is accepted            the record holds it all · unfunded · by total · two for one pair
//!              when it is not                 parties, token, commitment, value
//! create many  all or none                    sums, numbers and ids; what moved along is the last one's
//!              when it is not                 one bad one, lists of different lengths, value
//! create for   the payer's signed form        whoever submits it, before its deadline, once; every field signed
//!              with its money                 by allowance; native only without a deposit
//! ```

mod stream_world;

use rivulet_core::{
    eip712::{Create, Domain, Message},
    error::Error,
    host::Host,
    ids::{Address, Deployment, StreamNumber, StreamOrigin},
    signature::CompactSignature,
    signed,
    stream::{self, NewStream, NewStreams, ScheduleError, StreamStatus as S, schedule::Stated},
    testing::{THIS, sign},
};
use stream_world::*;

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
    assert_eq!(v.id, origin.stream_id(&w.h.deployment(), &rivulet_core::SoftKeccak));
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

// create many

const PAYEES: [Address; 3] = [PAYEE, PAYEE2, PAYEE];

/// Three open-ended streams of one, two and three units a second.
fn three() -> NewStreams<'static> {
    NewStreams {
        token: USDT,
        start_at: 0,
        cliff_at: 0,
        end_at: 0,
        flags: 1,
        payees: &PAYEES,
        rates_per_second_scaled: &[UNIT, 2 * UNIT, 3 * UNIT],
        totals: &[0; 3],
        cliff_amounts: &[0; 3],
        amounts: &[100, 0, 300],
        committed: &[0, 0, 50],
        memos: &[[1; 32], [2; 32], [3; 32]],
    }
}

fn try_many(w: &mut World, value: u128, many: &NewStreams<'_>) -> Result<Vec<StreamNumber>, Error> {
    w.h.call(PAYER, value, |h| stream::create_many(h, many))
}

#[test]
fn create_many_makes_what_as_many_calls_would_and_pulls_once() {
    let (mut w, mut single) = (World::default(), World::default());
    let numbers = try_many(&mut w, 0, &three()).unwrap();
    let m = three();
    for (i, n) in numbers.iter().enumerate() {
        let stated = Stated { rate_per_second_scaled: m.rates_per_second_scaled[i], ..plain().stated };
        let new = NewStream { payee: PAYEES[i], stated, amount: m.amounts[i], committed: m.committed[i], memo: m.memos[i], ..plain() };
        assert_eq!(single.create(new), *n);
    }
    assert_eq!(w.h.cells, single.h.cells);
    assert_eq!(numbers, [(1, 0), (2, 0), (1, 1)].map(|(book, serial)| StreamNumber { book, serial }));
    w.check();
}

#[test]
fn create_many_carries_the_sum_of_native_amounts() {
    let mut w = World::default();
    let many = NewStreams { token: NATIVE, amounts: &[GRAIN, 0, 2 * GRAIN], committed: &[0; 3], ..three() };
    for sent in [0, GRAIN, 2 * GRAIN, 4 * GRAIN] {
        assert_eq!(try_many(&mut w, sent, &many), Err(Error::WrongValue { sent, expected: 3 * GRAIN }));
    }
    assert_eq!(try_many(&mut w, 3 * GRAIN, &many).unwrap().len(), 3);
    let off = NewStreams { amounts: &[GRAIN - 1, 0, 1], ..many };
    assert_eq!(try_many(&mut w, GRAIN, &off), Err(Error::NotMovable { amount: GRAIN - 1, grain: GRAIN }));
    w.check();
}

#[test]
fn create_many_without_money_or_without_streams_takes_no_value() {
    let mut w = World::default();
    let unfunded = NewStreams { token: NATIVE, amounts: &[0; 3], committed: &[0; 3], ..three() };
    assert_eq!(try_many(&mut w, GRAIN, &unfunded), Err(Error::WrongValue { sent: GRAIN, expected: 0 }));
    assert_eq!(try_many(&mut w, 0, &unfunded).unwrap().len(), 3);
    let none: NewStreams<'_> = NewStreams {
        payees: &[],
        rates_per_second_scaled: &[],
        totals: &[],
        cliff_amounts: &[],
        amounts: &[],
        committed: &[],
        memos: &[],
        ..three()
    };
    assert_eq!(try_many(&mut w, 0, &none), Ok(vec![]));
    assert_eq!(try_many(&mut w, 1, &none), Err(Error::WrongValue { sent: 1, expected: 0 }));
    w.check();
}

#[test]
fn create_many_is_all_or_none() {
    let mut w = World::default();
    let bad_party = NewStreams { payees: &[PAYEE, PAYEE2, PAYER], ..three() };
    let no_rate = NewStreams { rates_per_second_scaled: &[UNIT, UNIT, 0], ..three() };
    let over_committed = NewStreams { committed: &[0, 1, 0], ..three() };
    let too_much = NewStreams { amounts: &[1 << 95, 1 << 95, 300], ..three() };
    let before = (w.h.cells.clone(), w.h.balances.clone());
    for many in [bad_party, no_rate, over_committed, too_much, NewStreams { flags: 8, ..three() }] {
        assert!(try_many(&mut w, 0, &many).is_err());
    }
    assert_eq!((w.h.cells, w.h.balances), before);
}

#[test]
fn create_many_refuses_lists_of_different_lengths() {
    let mut w = World::default();
    let m = three();
    let longer = NewStreams { memos: &[[0; 32]; 4], ..m };
    let shorter = NewStreams { payees: &PAYEES[..2], ..m };
    let each = [
        NewStreams { rates_per_second_scaled: &[UNIT; 2], ..m },
        NewStreams { totals: &[0; 4], ..m },
        NewStreams { cliff_amounts: &[0; 2], ..m },
        NewStreams { amounts: &[1; 4], ..m },
        NewStreams { committed: &[0; 2], ..m },
    ];
    for many in [longer, shorter].iter().chain(&each) {
        assert_eq!(try_many(&mut w, 0, many), Err(Error::LengthsDiffer {}));
    }
}

#[test]
fn create_many_gives_what_moved_along_to_the_last_one() {
    let mut w = World::default();
    w.h.min_balances.insert(USDT, SEED);
    // 7 stay with the payer, which is less than the chain leaves: they move along.
    w.h.balances.insert((USDT, PAYER), 407);
    let numbers = try_many(&mut w, 0, &three()).unwrap();
    assert_eq!(numbers.iter().map(|n| w.balances(*n).deposit).collect::<Vec<_>>(), [100, 0, 307]);
    w.check();
}

// create for

const NONCE: u64 = 9;
const DEADLINE: u64 = 1_700_000_100;

fn form(new: &NewStream) -> Create {
    let s = new.stated;
    Create {
        payer: PAYER,
        payee: new.payee,
        token: new.token,
        rate_per_second_scaled: s.rate_per_second_scaled,
        total: s.total,
        start_at: s.start_at,
        cliff_at: s.cliff_at,
        cliff_amount: s.cliff_amount,
        end_at: s.end_at,
        flags: s.flags,
        amount: new.amount,
        committed: new.committed,
        memo: new.memo,
        nonce: NONCE,
        deadline: DEADLINE,
    }
}

fn sign_form(w: &World, signer: Address, new: &NewStream) -> CompactSignature {
    let separator = Domain::Streams.separator(&w.h.deployment(), &w.h);
    sign(&signer, &form(new).digest(&separator, &w.h))
}

fn create_for(w: &mut World, value: u128, new: &NewStream, signature: &CompactSignature) -> Result<StreamNumber, Error> {
    w.h.call(RELAYER, value, |h| stream::create_for(h, &PAYER, new, NONCE, DEADLINE, signature)).map(|(number, _)| number)
}

/// All fields used.
fn full() -> NewStream {
    let stated = Stated {
        rate_per_second_scaled: 0,
        total: 900,
        start_at: 1_700_000_010,
        cliff_at: 1_700_000_020,
        cliff_amount: 90,
        end_at: 1_700_000_110,
        flags: 7,
    };
    NewStream { stated, amount: 500, committed: 20, ..plain() }
}

#[test]
fn create_for_makes_what_its_signer_would_whoever_submits_it() {
    let (mut w, mut own) = (World::default(), World::default());
    w.h.now = DEADLINE - 91;
    own.h.now = w.h.now;
    let signature = sign_form(&w, PAYER, &full());
    let n = create_for(&mut w, 0, &full(), &signature).unwrap();
    assert_eq!(own.create(full()), n);
    assert_eq!((w.record(n), w.details(n)), (own.record(n), own.details(n)));
    assert_eq!((w.earned(&USDT, &PAYER), w.earned(&USDT, &RELAYER)), (-500, 0));
    assert!(signed::is_used(&w.h, &PAYER, NONCE));
    assert_eq!(create_for(&mut w, 0, &full(), &signature), Err(Error::NonceUsed { signer: PAYER, nonce: NONCE }));
    w.check();
}

#[test]
fn create_for_refuses_every_other_field_signer_domain_and_time() {
    let mut w = World::default();
    let (good, new) = (sign_form(&w, PAYER, &full()), full());
    let s = new.stated;
    let stated = |stated| NewStream { stated, ..new };
    let altered = [
        NewStream { payee: PAYEE2, ..new },
        NewStream { token: NATIVE, ..new },
        stated(Stated { rate_per_second_scaled: 1, ..s }),
        stated(Stated { total: 901, ..s }),
        stated(Stated { start_at: s.start_at + 1, ..s }),
        stated(Stated { cliff_at: s.cliff_at + 1, ..s }),
        stated(Stated { cliff_amount: 91, ..s }),
        stated(Stated { end_at: s.end_at + 1, ..s }),
        stated(Stated { flags: 6, ..s }),
        NewStream { amount: 501, ..new },
        NewStream { committed: 21, ..new },
        NewStream { memo: [8; 32], ..new },
    ];
    let before = w.h.cells.clone();
    for other in &altered {
        assert_eq!(create_for(&mut w, 0, other, &good), Err(Error::BadSignature {}), "{other:?}");
    }
    for signer in [PAYEE, OTHER, RELAYER, Address::ZERO] {
        let theirs = sign_form(&w, signer, &new);
        assert_eq!(create_for(&mut w, 0, &new, &theirs), Err(Error::BadSignature {}));
    }
    let here = w.h.deployment();
    for (domain, at) in
        [(Domain::Channels, here), (Domain::Streams, Deployment { chain_id: 1, ..here }), (Domain::Streams, Deployment { contract: OTHER, ..here })]
    {
        let elsewhere = sign(&PAYER, &form(&new).digest(&domain.separator(&at, &w.h), &w.h));
        assert_eq!(create_for(&mut w, 0, &new, &elsewhere), Err(Error::BadSignature {}));
    }
    for (nonce, deadline) in [(NONCE + 1, DEADLINE), (NONCE, DEADLINE + 1)] {
        let refused = w.h.call(RELAYER, 0, |h| stream::create_for(h, &PAYER, &new, nonce, deadline, &good));
        assert_eq!(refused, Err(Error::BadSignature {}));
    }
    let other_payer = w.h.call(RELAYER, 0, |h| stream::create_for(h, &PAYER2, &new, NONCE, DEADLINE, &good));
    assert_eq!(other_payer, Err(Error::BadSignature {}));
    w.h.now = DEADLINE;
    assert_eq!(create_for(&mut w, 0, &new, &good), Err(Error::Expired { now: DEADLINE, deadline: DEADLINE }));
    w.h.now = DEADLINE - 1;
    assert_eq!(w.h.cells, before);
    w.h.call(PAYER, 0, |h| signed::revoke(h, NONCE)).unwrap();
    assert_eq!(create_for(&mut w, 0, &new, &good), Err(Error::NonceUsed { signer: PAYER, nonce: NONCE }));
}

#[test]
fn create_for_takes_what_the_payer_allowed_and_no_value() {
    let mut w = World::default();
    let good = sign_form(&w, PAYER, &full());
    w.h.allowances.insert((USDT, PAYER), 499);
    assert_eq!(create_for(&mut w, 0, &full(), &good), Err(Error::PullFailed { token: USDT, expected: 500, received: 0 }));
    assert_eq!(create_for(&mut w, 1, &full(), &good), Err(Error::WrongValue { sent: 1, expected: 0 }));
    w.h.allowances.insert((USDT, PAYER), 500);
    assert!(create_for(&mut w, 0, &full(), &good).is_ok());
    w.check();
}

#[test]
fn create_for_of_native_money_begins_without_a_deposit() {
    let mut w = World::default();
    let funded = native(1, GRAIN);
    let good = sign_form(&w, PAYER, &funded);
    assert_eq!(create_for(&mut w, 0, &funded, &good), Err(Error::WrongValue { sent: 0, expected: GRAIN }));
    assert_eq!(create_for(&mut w, GRAIN, &funded, &good), Err(Error::WrongValue { sent: GRAIN, expected: 0 }));
    let unfunded = native(1, 0);
    let good = sign_form(&w, PAYER, &unfunded);
    let n = create_for(&mut w, 0, &unfunded, &good).unwrap();
    w.top_up(RELAYER, n, GRAIN).unwrap();
    assert_eq!(w.balances(n).deposit, GRAIN);
    w.check();
}
