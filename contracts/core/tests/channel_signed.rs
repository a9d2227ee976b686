//! Calls in a party's name, and opening many channels at once.
//!
//! Open, RequestRefund, Terms, Close, Collect
//! ├── whoever submits it, before its deadline, once: does what its signer could do
//! ├── given any other field, signer, domain, contract or chain, or a nonce used or revoked: refused, nothing changes
//! └── the rules of the plain call hold: terms held, party, period, what must have been paid
//! nonces
//! └── unordered, each signer's own, any uint64
//! open_with_permit, open_for with a permit
//! ├── given a good permit: it allows the pull, and binds nobody else
//! └── given a bad one: ignored, so what was allowed before decides
//! open_many
//! ├── all or none; distinct numbers and ids; sums; what moved along is the last one's
//! └── given one bad opening: refused

mod support;

use rivulet_core::{
    Keccak256,
    amount::{MAX_AMOUNT, NATIVE_GRAIN},
    book::{self, Book},
    channel::{self, ChannelStatus, Opening},
    eip712::{Close, Collect, Domain, Message, Open, RequestRefund, Terms},
    error::Error,
    fee::RelayTerms,
    host::{Host, Permit},
    ids::{Address, ChannelId, Deployment, Number, Token},
    ledger,
    outcome::RowOutcome,
    signature::CompactSignature,
    signed as names,
    testing::{MemoryHost, THIS, sign},
};
use std::collections::BTreeSet;
use support::*;

const START: u64 = 1_700_000_000;
const NONCE: u64 = 7;
const DEADLINE: u64 = START + 100;

/// All that a form must refuse, then its success: the world after it.
fn check<M: Message + Copy>(
    h: &MemoryHost,
    signer: Address,
    message: M,
    altered: &[M],
    again: Error,
    submit: impl Fn(&mut MemoryHost, &M, &CompactSignature) -> Result<(), Error>,
) -> MemoryHost {
    let good = signed(h, signer, &message);
    let refuse = |mut h: MemoryHost, value, message: &M, signature: &CompactSignature, expected: Error| {
        let before = h.clone();
        assert_eq!(h.call(RELAYER, value, |h| submit(h, message, signature)), Err(expected));
        assert_eq!((h.cells, h.balances, h.events), (before.cells, before.balances, before.events));
    };
    let at = |now| MemoryHost { now, ..h.clone() };

    for other in altered {
        refuse(h.clone(), 0, other, &good, Error::BadSignature {});
    }
    for other in [PAYER, PAYEE, OTHER_PAYER, OTHER_PAYEE, SESSION, RELAYER, THIS, Address::ZERO].iter().filter(|who| **who != signer) {
        refuse(h.clone(), 0, &message, &signed(h, *other, &message), Error::BadSignature {});
    }
    let here = h.deployment();
    for (domain, deployment) in [
        (Domain::Streams, here),
        (Domain::Channels, Deployment { chain_id: here.chain_id + 1, ..here }),
        (Domain::Channels, Deployment { contract: RELAYER, ..here }),
    ] {
        let elsewhere = sign(&signer, &message.digest(&domain.separator(&deployment, h), h));
        refuse(h.clone(), 0, &message, &elsewhere, Error::BadSignature {});
    }
    let bare = sign(&signer, &h.keccak256(&message.struct_hash(h)));
    for nobodys in [bare, CompactSignature([0; 64]), CompactSignature([0xff; 64])] {
        refuse(h.clone(), 0, &message, &nobodys, Error::BadSignature {});
    }
    for now in [DEADLINE, DEADLINE + 1] {
        refuse(at(now), 0, &message, &good, Error::Expired { now, deadline: DEADLINE });
    }
    refuse(h.clone(), 1, &message, &good, Error::WrongValue { sent: 1, expected: 0 });
    let mut revoked = h.clone();
    revoked.call(RELAYER, 0, |h| names::revoke(h, NONCE)).expect("a stranger's nonce is its own");
    assert!(!names::is_used(&revoked, &signer, NONCE));
    revoked.call(signer, 0, |h| names::revoke(h, NONCE)).expect("revokes");
    refuse(revoked, 0, &message, &good, Error::NonceUsed { signer, nonce: NONCE });

    let mut done = at(DEADLINE - 1);
    done.call(RELAYER, 0, |h| submit(h, &message, &good)).expect("whoever submits it");
    assert!(names::is_used(&done, &signer, NONCE));
    check_books(&done);
    refuse(done.clone(), 0, &message, &good, again);
    done
}

/// Two channels of one pair of which the first paid 400 of 1,000, and 400 of credit for the payee.
fn ready() -> (MemoryHost, [(Number, ChannelId); 2]) {
    let mut h = world();
    let channels = [(); 2].map(|()| open(&mut h, PAYER, PAYEE, USDC, 1_000));
    h.refusing.insert(PAYEE);
    assert_eq!(claim(&mut h, channels[0].0, 400), Ok((RowOutcome::Applied, 400)));
    h.refusing.clear();
    (h, channels)
}

/// The number that a form names by its id.
fn of(channels: &[(Number, ChannelId)], id: ChannelId) -> Number {
    channels.iter().find(|c| c.1 == id).expect("one of them").0
}

const OPEN: Open = Open {
    payer: PAYER,
    payee: PAYEE,
    voucher_signer: SESSION,
    token: USDC,
    challenge_period_secs: PERIOD,
    amount: 500,
    nonce: NONCE,
    deadline: DEADLINE,
};

fn open_for(h: &mut MemoryHost, message: &Open, permit: Option<&Permit>) -> Result<(Number, ChannelId), Error> {
    let signature = signed(h, message.payer, message);
    h.call(RELAYER, 0, |h| channel::open_for(h, message, &signature, permit))
}

#[test]
fn open_in_the_payers_name() {
    let h = world();
    let altered = [
        Open { payer: OTHER_PAYER, ..OPEN },
        Open { payee: OTHER_PAYEE, ..OPEN },
        Open { voucher_signer: RELAYER, ..OPEN },
        Open { token: NATIVE, ..OPEN },
        Open { challenge_period_secs: PERIOD - 1, ..OPEN },
        Open { amount: 501, ..OPEN },
        Open { nonce: NONCE + 1, ..OPEN },
        Open { deadline: DEADLINE + 1, ..OPEN },
    ];
    let again = Error::NonceUsed { signer: PAYER, nonce: NONCE };
    let done = check(&h, PAYER, OPEN, &altered, again, |h, m, s| channel::open_for(h, m, s, None).map(|_| ()));
    let (c, book) = channel::find(&done, Number { book: 1, serial: 0 }).expect("open");
    assert_eq!((c.payer, book.payee, c.voucher_signer, book.token), (PAYER, PAYEE, SESSION, USDC));
    assert_eq!((c.challenge_period_secs, c.deposit, c.opened_at), (PERIOD, 500, DEADLINE - 1));
    assert_eq!((h.balance(&USDC, &PAYER) - done.balance(&USDC, &PAYER), done.balance(&USDC, &RELAYER)), (500, h.balance(&USDC, &RELAYER)));
}

#[test]
fn open_in_the_payers_name_is_held_to_the_rules_of_open() {
    let mut h = world();
    for (message, expected) in [
        (Open { payer: Address::ZERO, ..OPEN }, Error::BadSignature {}),
        (Open { payee: PAYER, ..OPEN }, Error::BadParty { party: PAYER }),
        (Open { payee: THIS, ..OPEN }, Error::BadParty { party: THIS }),
        (Open { payee: Address::ZERO, ..OPEN }, Error::BadParty { party: Address::ZERO }),
        (Open { voucher_signer: PAYEE, ..OPEN }, Error::BadSigner { signer: PAYEE }),
        (Open { challenge_period_secs: 59, ..OPEN }, Error::BadPeriod { given_secs: 59, min_secs: 60, max_secs: 864_000 }),
        (Open { amount: 0, ..OPEN }, Error::ZeroAmount {}),
        (Open { token: RELAYER, ..OPEN }, Error::NotListed { token: RELAYER }),
        (Open { amount: u128::MAX, ..OPEN }, Error::PullFailed { token: USDC, expected: u128::MAX, received: 0 }),
        (Open { deadline: 0, ..OPEN }, Error::Expired { now: START, deadline: 0 }),
    ] {
        assert_eq!(open_for(&mut h, &message, None), Err(expected));
        assert!(!names::is_used(&h, &message.payer, NONCE), "a refusal spends no nonce");
    }
    open_for(&mut h, &Open { nonce: u64::MAX, deadline: u64::MAX, ..OPEN }, None).expect("any nonce, any deadline ahead");
}

#[test]
fn native_money_cannot_be_pulled_so_opening_in_another_name_is_refused() {
    let mut h = world();
    let message = Open { token: NATIVE, amount: DOT, ..OPEN };
    let signature = signed(&h, PAYER, &message);
    for (caller, value, expected) in [
        (RELAYER, 0, Error::WrongValue { sent: 0, expected: DOT }),
        (PAYER, 0, Error::WrongValue { sent: 0, expected: DOT }),
        (RELAYER, DOT, Error::WrongValue { sent: DOT, expected: 0 }),
        (PAYER, DOT, Error::WrongValue { sent: DOT, expected: 0 }),
    ] {
        assert_eq!(h.call(caller, value, |h| channel::open_for(h, &message, &signature, None)), Err(expected));
    }
    assert_eq!(open_for(&mut h, &message, Some(&permit_of(PAYER))), Err(Error::NotListed { token: NATIVE }));
}

#[test]
fn request_refund_in_the_payers_name() {
    let (h, channels) = ready();
    let [(n, id), (_, other_id)] = channels;
    let message = RequestRefund { channel_id: id, amount: 30, nonce: NONCE, deadline: DEADLINE };
    let altered = [
        RequestRefund { channel_id: other_id, ..message },
        RequestRefund { amount: 31, ..message },
        RequestRefund { amount: 0, ..message },
        RequestRefund { nonce: NONCE + 1, ..message },
        RequestRefund { deadline: DEADLINE + 1, ..message },
    ];
    let again = Error::NonceUsed { signer: PAYER, nonce: NONCE };
    let submit = |h: &mut MemoryHost, m: &RequestRefund, s: &CompactSignature| {
        channel::request_refund_for(h, of(&channels, m.channel_id), m.amount, m.nonce, m.deadline, s).map(|_| ())
    };
    let mut done = check(&h, PAYER, message, &altered, again, submit);
    let c = record(&done, n).expect("open");
    assert_eq!((c.refund_requested, c.refund_due_at), (30, done.now + u64::from(PERIOD)));

    let back = RequestRefund { amount: 0, nonce: 8, deadline: u64::MAX, ..message };
    let signature = signed(&done, PAYER, &back);
    done.call(RELAYER, 0, |h| submit(h, &back, &signature)).expect("an amount of 0 takes it back");
    assert_eq!(record(&done, n).expect("open").refund_due_at, 0);
    let all = RequestRefund { amount: u128::MAX, nonce: 9, ..back };
    let signature = signed(&done, PAYER, &all);
    done.call(RELAYER, 0, |h| submit(h, &all, &signature)).expect("asks for all");
    done.now += u64::from(PERIOD);
    done.call(RELAYER, 0, |h| channel::finish(h, n)).expect("finishes");
    assert_eq!(record(&done, n).expect("open").deposit, 400);
    check_books(&done);
}

#[test]
fn terms_in_the_payees_name() {
    let (h, _) = ready();
    let terms = RelayTerms { beneficiary: RELAYER, fee_bps: 100, flat_fee: 5, min_gain: 10, until: START + 1_000 };
    let RelayTerms { beneficiary, fee_bps, flat_fee, min_gain, until } = terms;
    let message = Terms { payee: PAYEE, token: USDC, beneficiary, fee_bps, flat_fee, min_gain, until, nonce: NONCE, deadline: DEADLINE };
    let altered = [
        Terms { payee: OTHER_PAYEE, ..message },
        Terms { token: NATIVE, ..message },
        Terms { beneficiary: OTHER_PAYER, ..message },
        Terms { fee_bps: 101, ..message },
        Terms { flat_fee: 6, ..message },
        Terms { min_gain: 9, ..message },
        Terms { until: until + 1, ..message },
        Terms { nonce: NONCE + 1, ..message },
        Terms { deadline: DEADLINE + 1, ..message },
    ];
    let again = Error::NonceUsed { signer: PAYEE, nonce: NONCE };
    let submit = |h: &mut MemoryHost, m: &Terms, s: &CompactSignature| book::set_terms_signed(h, Domain::Channels, m, s);
    let mut done = check(&h, PAYEE, message, &altered, again, submit);
    assert_eq!(Book::load(&done, 1).expect("a book").terms, terms);

    for (next, expected) in [
        (Terms { fee_bps: 99, ..message }, Err(Error::TermsHeld { until })),
        (Terms { beneficiary: Address::ZERO, ..message }, Err(Error::TermsHeld { until })),
        (Terms { beneficiary: THIS, ..message }, Err(Error::BadParty { party: THIS })),
        (Terms { fee_bps: 1_001, ..message }, Err(Error::FeeAboveCeiling { given_bps: 1_001, ceiling_bps: 1_000 })),
        (Terms { flat_fee: MAX_AMOUNT + 1, ..message }, Err(Error::TooMuch { amount: MAX_AMOUNT + 1, max: MAX_AMOUNT })),
        (Terms { payee: Address::ZERO, ..message }, Err(Error::BadSignature {})),
        (Terms { token: RELAYER, ..message }, Err(Error::NotListed { token: RELAYER })),
        (Terms { fee_bps: 101, ..message }, Ok(())),
    ] {
        let next = Terms { nonce: 8, ..next };
        let signature = signed(&done, next.payee, &next);
        assert_eq!(done.call(RELAYER, 0, |h| submit(h, &next, &signature)), expected);
    }
}

#[test]
fn close_in_the_payees_name() {
    let (h, channels) = ready();
    let [(n, id), (other, other_id)] = channels;
    let message = Close { channel_id: id, cumulative_amount: 400, nonce: NONCE, deadline: DEADLINE };
    let altered = [
        Close { channel_id: other_id, ..message },
        Close { cumulative_amount: 399, ..message },
        Close { cumulative_amount: 0, ..message },
        Close { nonce: NONCE + 1, ..message },
        Close { deadline: DEADLINE + 1, ..message },
    ];
    let again = Error::ClosedNumber { book: n.book, serial: n.serial };
    let submit = |h: &mut MemoryHost, m: &Close, s: &CompactSignature| {
        channel::close_for(h, of(&channels, m.channel_id), m.cumulative_amount, m.nonce, m.deadline, s)
    };
    let mut done = check(&h, PAYEE, message, &altered, again, submit);
    assert_eq!((channel::status(&done, n), channel::status(&done, other)), (ChannelStatus::Closed, ChannelStatus::Open));
    assert_eq!(done.balance(&USDC, &PAYER) - h.balance(&USDC, &PAYER), 600);
    assert_eq!(ledger::credit_of(&done, &PAYEE, &USDC), 400, "what it was owed before stays");

    let next = Close { channel_id: other_id, ..message };
    let signature = signed(&done, PAYEE, &next);
    assert_eq!(done.call(RELAYER, 0, |h| submit(h, &next, &signature)), Err(Error::NonceUsed { signer: PAYEE, nonce: NONCE }));
}

#[test]
fn close_in_the_payees_name_is_good_at_the_total_it_was_signed_for_and_at_no_other() {
    let (mut h, channels) = ready();
    let (n, id) = channels[0];
    for (cumulative_amount, expected) in [
        (u128::MAX, Err(Error::Unpaid { claimed: 400, expected: u128::MAX })),
        (401, Err(Error::Unpaid { claimed: 400, expected: 401 })),
        (400, Ok(())),
        (399, Err(Error::Unpaid { claimed: 400, expected: 399 })),
        (0, Err(Error::Unpaid { claimed: 400, expected: 0 })),
    ] {
        let message = Close { channel_id: id, cumulative_amount, nonce: NONCE, deadline: DEADLINE };
        let signature = signed(&h, PAYEE, &message);
        let mut tried = h.clone();
        assert_eq!(tried.call(PAYER, 0, |h| channel::close_for(h, n, cumulative_amount, NONCE, DEADLINE, &signature)), expected);
        check_books(&tried);
    }
    let message = Close { channel_id: id, cumulative_amount: 401, nonce: NONCE, deadline: DEADLINE };
    let signature = signed(&h, PAYEE, &message);
    claim(&mut h, n, 401).expect("claims");
    h.call(PAYER, 0, |h| channel::close_for(h, n, 401, NONCE, DEADLINE, &signature)).expect("the refusal did not spend it");
}

#[test]
fn collect_in_the_owners_name() {
    let (mut h, _) = ready();
    // So that an altered field would find something to take.
    for (owner, token, amount) in [(OTHER_PAYEE, USDC, 1_000), (PAYEE, NATIVE, DOT)] {
        let (n, _) = open(&mut h, PAYER, owner, token, amount);
        h.refusing.insert(owner);
        claim(&mut h, n, u128::MAX).expect("claims");
        h.refusing.clear();
    }
    let message = Collect { owner: PAYEE, token: USDC, to: OTHER_PAYER, nonce: NONCE, deadline: DEADLINE };
    let altered = [
        Collect { owner: OTHER_PAYEE, ..message },
        Collect { token: NATIVE, ..message },
        Collect { to: RELAYER, ..message },
        Collect { nonce: NONCE + 1, ..message },
        Collect { deadline: DEADLINE + 1, ..message },
    ];
    let submit = |h: &mut MemoryHost, m: &Collect, s: &CompactSignature| ledger::collect_signed(h, Domain::Channels, m, s).map(|_| ());
    let mut done = check(&h, PAYEE, message, &altered, Error::NonceUsed { signer: PAYEE, nonce: NONCE }, submit);
    assert_eq!(done.balance(&USDC, &OTHER_PAYER) - h.balance(&USDC, &OTHER_PAYER), 400);
    assert_eq!(ledger::credit_of(&done, &PAYEE, &USDC), 0);
    assert_eq!((ledger::credit_of(&done, &PAYEE, &NATIVE), ledger::credit_of(&done, &OTHER_PAYEE, &USDC)), (DOT, 1_000));

    done.refusing.insert(OTHER_PAYER);
    for (next, expected) in [
        (message, Error::NothingToPay {}),
        (Collect { token: NATIVE, ..message }, Error::PayoutFailed { to: OTHER_PAYER, amount: DOT }),
        (Collect { token: NATIVE, to: THIS, ..message }, Error::BadParty { party: THIS }),
        (Collect { owner: Address::ZERO, ..message }, Error::BadSignature {}),
    ] {
        let next = Collect { nonce: 8, ..next };
        let signature = signed(&done, next.owner, &next);
        assert_eq!(done.call(RELAYER, 0, |h| submit(h, &next, &signature)), Err(expected));
        assert!(!names::is_used(&done, &next.owner, 8));
    }
}

#[test]
fn nonces_are_used_once_in_any_order_each_signers_its_own() {
    let (mut h, [(n, id), _]) = ready();
    let nonces = [9, 0, u64::MAX, 255, 256, 1, u64::MAX - 255, 7, 8];
    for (i, nonce) in nonces.into_iter().enumerate() {
        let message = RequestRefund { channel_id: id, amount: 1 + i as u128, nonce, deadline: DEADLINE };
        let signature = signed(&h, PAYER, &message);
        let mut send = || h.call(RELAYER, 0, |h| channel::request_refund_for(h, n, message.amount, nonce, DEADLINE, &signature));
        assert_eq!(send(), Ok(START + u64::from(PERIOD)));
        assert_eq!(send(), Err(Error::NonceUsed { signer: PAYER, nonce }));
        assert_eq!(h.call(PAYER, 0, |h| names::revoke(h, nonce)), Err(Error::NonceUsed { signer: PAYER, nonce }));
    }
    for nonce in (0..600).chain(u64::MAX - 600..=u64::MAX) {
        assert_eq!(names::is_used(&h, &PAYER, nonce), nonces.contains(&nonce));
        assert!(!names::is_used(&h, &OTHER_PAYER, nonce));
    }
    assert_eq!(h.call(PAYER, 1, |h| names::revoke(h, 2)), Err(Error::WrongValue { sent: 1, expected: 0 }));
}

#[test]
fn one_nonce_serves_one_form_only() {
    let (mut h, [(n, id), _]) = ready();
    open_for(&mut h, &OPEN, None).expect("opens");
    let message = RequestRefund { channel_id: id, amount: 1, nonce: NONCE, deadline: DEADLINE };
    let signature = signed(&h, PAYER, &message);
    let used = Err(Error::NonceUsed { signer: PAYER, nonce: NONCE });
    assert_eq!(h.call(RELAYER, 0, |h| channel::request_refund_for(h, n, 1, NONCE, DEADLINE, &signature)), used);
}

/// What [`MemoryHost::permit`] takes for this owner's permit.
fn permit_of(owner: Address) -> Permit {
    let mut r = [0; 32];
    r[..20].copy_from_slice(&owner.0);
    Permit { deadline: DEADLINE, v: 27, r, s: [1; 32] }
}

/// A world in which the payer allows so much, and the relayer nothing.
fn allowing(amount: u128) -> MemoryHost {
    let mut h = world();
    h.allowances.extend([((USDC, PAYER), amount), ((USDC, RELAYER), 0)]);
    h
}

fn open_with(h: &mut MemoryHost, caller: Address, token: Token, permit: &Permit) -> Result<(Number, ChannelId), Error> {
    h.call(caller, 0, |h| channel::open_with_permit(h, &to(PAYEE, 500), token, PERIOD, permit))
}

#[test]
fn a_good_permit_allows_what_it_opens() {
    let pull_failed = Err(Error::PullFailed { token: USDC, expected: 500, received: 0 });
    let mut h = allowing(0);
    assert_eq!(h.call(PAYER, 0, |h| channel::open(h, &to(PAYEE, 500), USDC, PERIOD)), pull_failed);
    let (n, _) = open_with(&mut h, PAYER, USDC, &permit_of(PAYER)).expect("opens");
    assert_eq!(open_for(&mut h, &OPEN, None), pull_failed, "the permit is used up");
    let (m, _) = open_for(&mut h, &OPEN, Some(&permit_of(PAYER))).expect("opens");
    assert_eq!([n, m].map(|n| record(&h, n).map(|c| (c.payer, c.deposit))), [Some((PAYER, 500)); 2]);
    check_books(&h);
}

#[test]
fn a_permit_that_fails_is_ignored_when_the_allowance_suffices() {
    for bad in [permit_of(RELAYER), Permit { deadline: START - 1, ..permit_of(PAYER) }, Permit { deadline: 0, v: 0, r: [0; 32], s: [0; 32] }] {
        for (allowed, opens) in [(500, true), (499, false)] {
            let mut h = allowing(allowed);
            assert_eq!(open_with(&mut h, PAYER, USDC, &bad).is_ok(), opens);
            let mut h = allowing(allowed);
            assert_eq!(open_for(&mut h, &OPEN, Some(&bad)).is_ok(), opens);
            check_books(&h);
        }
    }
}

#[test]
fn a_permit_alone_binds_nothing_and_a_stolen_one_is_worth_nothing() {
    // Attack 22, of an opening: the thief saw the payer's permit, and perhaps its signed form, in the pool.
    let mut h = allowing(0);
    let (before, stolen) = (h.clone(), permit_of(PAYER));
    let pull_failed = Err(Error::PullFailed { token: USDC, expected: 500, received: 0 });
    assert_eq!(open_with(&mut h, RELAYER, USDC, &stolen), pull_failed, "it is not the caller's permit");
    for diverted in [Open { payee: RELAYER, ..OPEN }, Open { voucher_signer: RELAYER, ..OPEN }, Open { amount: 499, ..OPEN }] {
        for signature in [signed(&h, RELAYER, &diverted), signed(&h, PAYER, &OPEN), sign(&PAYER, &[0; 32])] {
            let refused = h.call(RELAYER, 0, |h| channel::open_for(h, &diverted, &signature, Some(&stolen)));
            assert_eq!(refused, Err(Error::BadSignature {}));
        }
    }
    assert_eq!(open_for(&mut h, &Open { payer: RELAYER, ..OPEN }, Some(&stolen)), pull_failed);
    assert_eq!((&h.cells, &h.balances, &h.allowances), (&before.cells, &before.balances, &before.allowances));
    // Used by somebody beforehand, it is an allowance for this contract, of which only the payer can make use.
    h.permit(&USDC, &PAYER, 500, &stolen);
    assert_eq!(open_with(&mut h, RELAYER, USDC, &stolen), pull_failed);
    open_with(&mut h, PAYER, USDC, &Permit { deadline: 0, ..stolen }).expect("the payer's call does not suffer");
}

#[test]
fn a_permit_is_asked_of_listed_tokens_only() {
    let mut h = world();
    for token in [NATIVE, RELAYER, Address([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x20, 0, 0])] {
        assert_eq!(open_with(&mut h, PAYER, token, &permit_of(PAYER)), Err(Error::NotListed { token }));
        assert_eq!(open_for(&mut h, &Open { token, ..OPEN }, Some(&permit_of(PAYER))), Err(Error::NotListed { token }));
    }
    assert_eq!(
        h.call(PAYER, 1, |h| channel::open_with_permit(h, &to(PAYEE, 500), USDC, PERIOD, &permit_of(PAYER))),
        Err(Error::WrongValue { sent: 1, expected: 0 })
    );
}

#[test]
fn many_channels_are_opened_with_one_payment_each_its_own() {
    for token in [USDC, NATIVE] {
        let mut h = world();
        let unit = if token == NATIVE { NATIVE_GRAIN } else { 1 };
        open(&mut h, OTHER_PAYER, PAYEE, token, 9 * unit);
        // The same twice, two payees in turn, more than a cell holds.
        let mut many: Vec<_> = (1..=9).map(|i| to(if i % 3 == 0 { OTHER_PAYEE } else { PAYEE }, i * unit)).collect();
        many.push(many[0]);
        many.push(Opening { voucher_signer: PAYER, ..many[0] });
        let before = h.balance(&token, &PAYER);
        let sum = 47 * unit;
        let numbers = h.call(PAYER, value_of(&token, sum), |h| channel::open_many(h, token, PERIOD, &many)).expect("opens");
        assert_eq!(before - h.balance(&token, &PAYER), sum);
        assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), 11);
        assert_eq!(numbers.iter().map(|n| channel::id(&h, *n).0).collect::<BTreeSet<_>>().len(), 11);
        for (n, one) in numbers.iter().zip(&many) {
            let (c, book) = channel::find(&h, *n).expect("open");
            assert_eq!((c.payer, book.payee, c.voucher_signer, book.token, c.deposit), (PAYER, one.payee, one.voucher_signer, token, one.amount));
            assert_eq!((c.claimed, c.challenge_period_secs, c.opened_at), (0, PERIOD, h.now));
        }
        let opened = h.events.iter().filter(|e| e.starts_with("ChannelOpened")).count();
        assert_eq!(opened, 1 + many.len());
        check_books(&h);
    }
}

#[test]
fn what_a_token_moves_along_is_the_last_channels() {
    let mut h = world();
    h.balances.insert((USDC, PAYER), 60 + SEED - 1);
    let numbers = h.call(PAYER, 0, |h| channel::open_many(h, USDC, PERIOD, &[10, 20, 30].map(|a| to(PAYEE, a)))).expect("opens");
    let deposits: Vec<_> = numbers.iter().map(|n| record(&h, *n).expect("open").deposit).collect();
    assert_eq!(deposits, [10, 20, 30 + SEED - 1]);
    check_books(&h);
}

#[test]
fn one_bad_opening_stops_all() {
    let mut h = world();
    h.endow(&USDC, &PAYER, u128::MAX / 2);
    let before = h.clone();
    let mut refuse = |token: Token, period, value, many: &[Opening], expected: Error| {
        assert_eq!(h.call(PAYER, value, |h| channel::open_many(h, token, period, many)), Err(expected));
        assert_eq!((&h.cells, &h.balances, &h.events), (&before.cells, &before.balances, &before.events));
    };
    let good = to(PAYEE, 10);
    refuse(USDC, PERIOD, 0, &[], Error::ZeroAmount {});
    for (bad, expected) in [
        (to(PAYER, 10), Error::BadParty { party: PAYER }),
        (to(THIS, 10), Error::BadParty { party: THIS }),
        (to(Address::ZERO, 10), Error::BadParty { party: Address::ZERO }),
        (Opening { voucher_signer: Address::ZERO, ..good }, Error::BadSigner { signer: Address::ZERO }),
        (Opening { voucher_signer: PAYEE, ..good }, Error::BadSigner { signer: PAYEE }),
        (to(PAYEE, 0), Error::ZeroAmount {}),
        (to(PAYEE, MAX_AMOUNT), Error::TooMuch { amount: MAX_AMOUNT + 20, max: MAX_AMOUNT }),
        (to(PAYEE, u128::MAX), Error::PullFailed { token: USDC, expected: u128::MAX, received: 0 }),
    ] {
        refuse(USDC, PERIOD, 0, &[bad, good, good], expected);
        refuse(USDC, PERIOD, 0, &[good, bad, good], expected);
        refuse(USDC, PERIOD, 0, &[good, good, bad], expected);
    }
    refuse(USDC, 59, 0, &[good], Error::BadPeriod { given_secs: 59, min_secs: 60, max_secs: 864_000 });
    refuse(USDC, PERIOD, 20, &[good, good], Error::WrongValue { sent: 20, expected: 0 });
    refuse(RELAYER, PERIOD, 0, &[good], Error::NotListed { token: RELAYER });
    let native = to(PAYEE, DOT);
    for sent in [0, DOT, 2 * DOT - 1, 2 * DOT + 1] {
        refuse(NATIVE, PERIOD, sent, &[native, native], Error::WrongValue { sent, expected: 2 * DOT });
    }
    // Two halves of a grain make a whole one, but neither can be paid back.
    let half = to(PAYEE, NATIVE_GRAIN / 2);
    refuse(NATIVE, PERIOD, NATIVE_GRAIN, &[half, half], Error::NotMovable { amount: NATIVE_GRAIN / 2, grain: NATIVE_GRAIN });
}
