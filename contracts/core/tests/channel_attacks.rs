//! What was done to other payment channels, and why it does nothing here. Numbers are the rows of the list of attacks in SECURITY.md; the rows that are
//! not here are shown by the tests named there.
//!
//! vouchers
//! ├── of another chain, contract, domain or any other term: nobody's signature
//! ├── carried by whomever, first or last: the payee's money, once; the fee its beneficiary's, within the ceiling
//! └── as old as may be
//! channels
//! ├── of one pair: two escrows
//! ├── up to the highest serial: as any other
//! └── renumbered by a reorg: no voucher and no top-up of the old one counts
//! calls
//! ├── that are one party's: refused to all others
//! ├── made twice: done once
//! └── with 0, 1 and the largest value
//! deployment
//! └── lists only the chain's own assets, and few

mod support;

use rivulet_core::{
    amount::MAX_AMOUNT,
    book,
    channel::{self, Opening},
    eip712::{Close, Collect, Domain, Message, Open, RequestRefund, Terms, Voucher},
    error::Error,
    fee::{RelayTerms, share_bps},
    host::{Host, Key},
    ids::{Address, ChannelId, ChannelTerms, Deployment, Number, Token},
    ledger::{self, Config},
    outcome::RowOutcome,
    signed as names,
    testing::{MemoryHost, THIS, sign},
};
use support::*;

fn terms_of(h: &MemoryHost, n: Number) -> ChannelTerms {
    let (c, book) = channel::find(h, n).expect("open");
    c.terms(n, &book)
}

#[test]
fn a_voucher_of_another_chain_contract_or_domain_is_worth_nothing() {
    // Attacks 1 and 32: the id binds the deployment, and so does the domain; either alone is enough.
    let mut h = world();
    let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    let (here, terms) = (h.deployment(), terms_of(&h, n));
    let elsewhere = [Deployment { chain_id: 1, ..here }, Deployment { contract: RELAYER, ..here }];
    let mut rows: Vec<_> = elsewhere.iter().map(|at| (terms.channel_id(at, &h), Domain::Channels.separator(&here, &h))).collect();
    rows.extend(elsewhere.iter().map(|at| (id, Domain::Channels.separator(at, &h))));
    rows.push((id, Domain::Streams.separator(&here, &h)));
    for (channel_id, separator) in rows {
        let signature = sign(&PAYER, &Voucher { channel_id, cumulative_amount: 50 }.digest(&separator, &h));
        let mut row = voucher(&h, id, PAYER, 50);
        assert_ne!(row.signature, signature);
        row.signature = signature;
        assert_eq!(claim_batch(&mut h, &[(n, row)]), [RowOutcome::BadSignature]);
    }
}

#[test]
fn a_voucher_binds_every_term_of_its_channel_and_its_total() {
    // Attacks 13 and 17: a field that is not signed is a field that somebody else chooses.
    let mut h = world();
    let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    let t = terms_of(&h, n);
    for altered in [
        ChannelTerms { number: Number { book: 2, ..n }, ..t },
        ChannelTerms { number: Number { serial: 1, ..n }, ..t },
        ChannelTerms { payer: OTHER_PAYER, ..t },
        ChannelTerms { payee: OTHER_PAYEE, ..t },
        ChannelTerms { voucher_signer: RELAYER, ..t },
        ChannelTerms { token: NATIVE, ..t },
        ChannelTerms { challenge_period_secs: PERIOD + 1, ..t },
        ChannelTerms { opened_at: t.opened_at + 1, ..t },
    ] {
        let row = voucher(&h, altered.channel_id(&h.deployment(), &h), SESSION, 50);
        assert_eq!(claim_batch(&mut h, &[(n, row)]), [RowOutcome::BadSignature]);
    }
    for cumulative_amount in [49, 51, 100, u128::MAX] {
        let mut row = voucher(&h, id, SESSION, 50);
        row.cumulative_amount = cumulative_amount;
        assert_eq!(claim_batch(&mut h, &[(n, row)]), [RowOutcome::BadSignature]);
    }
    assert_eq!(claim(&mut h, n, 50), Ok((RowOutcome::Applied, 50)));
}

#[test]
fn a_reorg_that_renumbers_channels_kills_vouchers_and_moves_no_top_up() {
    // Attacks 2 and 15.
    let mut h = world();
    let mut reorged = h.clone();
    let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    reorged.now += 6;
    for payer in [PAYER, OTHER_PAYER] {
        let mut reorged = reorged.clone();
        let (theirs, their_id) = open(&mut reorged, payer, PAYEE, USDC, 100);
        assert_eq!(theirs, n);
        assert_ne!(their_id, id);
        let row = voucher(&h, id, SESSION, 50);
        assert_eq!(claim_batch(&mut reorged, &[(n, row)]), [RowOutcome::BadSignature], "though the session key is the same");
        let refused = reorged.call(PAYER, 0, |h| channel::top_up(h, n, id, 5));
        assert_eq!(refused, Err(Error::WrongChannel { expected: id.0, actual: their_id.0 }));
    }
}

#[test]
fn who_carries_a_voucher_changes_neither_where_its_money_goes_nor_the_fee() {
    // Attacks 13, 22 and 23: no carrier can take it, and none is needed.
    for carrier in [RELAYER, PAYEE, PAYER, SESSION, OTHER_PAYEE, Address([0x77; 20])] {
        let mut h = world();
        let terms = RelayTerms { beneficiary: RELAYER, fee_bps: 100, flat_fee: 0, min_gain: 0, until: h.now + 1 };
        h.call(PAYEE, 0, |h| book::set_terms(h, &USDC, terms)).expect("sets");
        let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 1_000);
        let before = h.clone();
        let blob = batch(&[(n, voucher(&h, id, PAYER, 500))], false);
        h.call(carrier, 0, |h| channel::claim_batch(h, &blob)).expect("taken");
        let mut expected = before.balances;
        *expected.entry((USDC, PAYEE)).or_default() += 495;
        *expected.entry((USDC, RELAYER)).or_default() += 5;
        *expected.entry((USDC, THIS)).or_default() -= 500;
        expected.retain(|_, v| *v != 0);
        h.balances.retain(|_, v| *v != 0);
        assert_eq!(h.balances, expected);
        check_books(&h);
    }
}

#[test]
fn a_voucher_claimed_by_a_front_runner_makes_its_row_stale_and_nothing_else() {
    // Attack 8.
    let mut h = world();
    let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    let (m, other_id) = open(&mut h, OTHER_PAYER, PAYEE, USDC, 100);
    let before = h.balance(&USDC, &PAYEE);
    let rows = [(n, voucher(&h, id, SESSION, 60)), (m, voucher(&h, other_id, SESSION, 30))];
    h.call(OTHER_PAYER, 0, |h| channel::claim(h, n, rows[0].1)).expect("front-runs");
    assert_eq!(claim_batch(&mut h, &rows), [RowOutcome::Stale, RowOutcome::Applied]);
    assert_eq!(h.balance(&USDC, &PAYEE) - before, 90);
    h.call(PAYEE, 0, |h| channel::close(h, n, rows[0].1)).expect("nor does a close fail for it");
    check_books(&h);
}

#[test]
fn carrying_every_voucher_between_earns_no_more_than_the_ceiling() {
    // Attack 24, with the greediest terms there can be: without `min_gain` a payee is exposed to the ceiling, never to more.
    let greedy = RelayTerms { beneficiary: RELAYER, fee_bps: 1_000, flat_fee: MAX_AMOUNT, min_gain: 0, until: u64::MAX };
    for steps in [1u128, 2, 7, 9, 10, 11, 100, 999, 1_000] {
        let mut h = world();
        h.call(PAYEE, 0, |h| book::set_terms(h, &USDC, greedy)).expect("sets");
        let (n, _) = open(&mut h, PAYER, PAYEE, USDC, 10_000);
        let before = (h.balance(&USDC, &RELAYER), h.balance(&USDC, &PAYEE));
        for i in 1..=steps {
            claim(&mut h, n, 10_000 * i / steps).expect("claims");
        }
        let (fee, paid) = (h.balance(&USDC, &RELAYER) - before.0, h.balance(&USDC, &PAYEE) - before.1);
        assert_eq!(fee + paid, 10_000);
        assert!(fee <= share_bps(10_000, 1_000), "{steps} rows earned {fee}");
        check_books(&h);
    }
}

#[test]
fn terms_that_a_payee_slips_in_before_a_batch_do_not_take_the_relayers_fee() {
    let mut h = world();
    let terms = RelayTerms { beneficiary: RELAYER, fee_bps: 1_000, flat_fee: 0, min_gain: 0, until: h.now + 10 };
    h.call(PAYEE, 0, |h| book::set_terms(h, &USDC, terms)).expect("sets");
    let (n, _) = open(&mut h, PAYER, PAYEE, USDC, 1_000);
    // Signed before the present terms, or after: they hold against both.
    let slipped = Terms {
        payee: PAYEE,
        token: USDC,
        beneficiary: PAYEE,
        fee_bps: 0,
        flat_fee: 0,
        min_gain: MAX_AMOUNT,
        until: 0,
        nonce: 1,
        deadline: u64::MAX,
    };
    let signature = signed(&h, PAYEE, &slipped);
    let held = Err(Error::TermsHeld { until: terms.until });
    assert_eq!(h.call(PAYEE, 0, |h| book::set_terms(h, &USDC, RelayTerms::default())), held);
    assert_eq!(h.call(PAYEE, 0, |h| book::set_terms_signed(h, Domain::Channels, &slipped, &signature)), held);
    let before = h.balance(&USDC, &RELAYER);
    claim(&mut h, n, 500).expect("claims");
    assert_eq!(h.balance(&USDC, &RELAYER) - before, 50);
    // Nor can anybody else set them, better or worse.
    let theirs = RelayTerms { beneficiary: OTHER_PAYER, ..terms };
    h.call(OTHER_PAYER, 0, |h| book::set_terms(h, &USDC, theirs)).expect("sets its own book's");
    assert_eq!(book::Book::load(&h, n.book).expect("a book").terms, terms);
    // From `until` on there is no fee to take, and terms signed long ago are still the payee's word: it revokes what it no longer means.
    h.now = terms.until;
    h.call(PAYEE, 0, |h| names::revoke(h, slipped.nonce)).expect("revokes");
    let refused = h.call(RELAYER, 0, |h| book::set_terms_signed(h, Domain::Channels, &slipped, &signature));
    assert_eq!(refused, Err(Error::NonceUsed { signer: PAYEE, nonce: 1 }));
}

#[test]
fn two_channels_of_one_pair_are_two_escrows() {
    // Attack 14.
    let mut h = world();
    let (a, a_id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    let (b, _) = open(&mut h, PAYER, PAYEE, USDC, 50);
    let untouched = record(&h, b);
    let generous = voucher(&h, a_id, SESSION, 150);
    assert_eq!(claim_batch(&mut h, &[(a, generous)]), [RowOutcome::Capped], "not from the other's deposit");
    h.call(PAYER, 0, |h| channel::top_up(h, a, a_id, 10)).expect("tops up");
    h.now = h.call(PAYER, 0, |h| channel::request_refund(h, a, 5)).expect("asks");
    h.call(RELAYER, 0, |h| channel::finish(h, a)).expect("finishes");
    h.now = h.call(PAYER, 0, |h| channel::request_close(h, a)).expect("requests");
    assert_eq!(h.call(RELAYER, 0, |h| channel::finish(h, b)), Err(Error::NotRequested {}), "nor by its timers");
    h.call(RELAYER, 0, |h| channel::finish(h, a)).expect("finishes");
    assert_eq!(record(&h, b), untouched);
    assert_eq!(claim(&mut h, b, 50), Ok((RowOutcome::Applied, 50)));
    check_books(&h);
}

#[test]
fn a_partys_call_is_refused_to_everyone_else() {
    // Attack 28. The signed forms: `channel_signed.rs`.
    let mut h = world();
    let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    let row = voucher(&h, id, SESSION, 60);
    let before = h.cells.clone();
    for caller in [PAYER, PAYEE, SESSION, RELAYER, OTHER_PAYER, OTHER_PAYEE, ADMIN] {
        if caller != PAYER {
            let refused = Err(Error::NotAllowed { caller, expected: PAYER });
            assert_eq!(h.call(caller, 0, |h| channel::request_close(h, n)), refused);
            assert_eq!(h.call(caller, 0, |h| channel::request_refund(h, n, 1)), refused);
        }
        if caller != PAYEE {
            assert_eq!(h.call(caller, 0, |h| channel::close(h, n, row)), Err(Error::NotAllowed { caller, expected: PAYEE }));
        }
        assert_eq!(h.call(caller, 0, |h| channel::finish(h, n)), Err(Error::NotRequested {}));
        assert_eq!(h.call(caller, 0, |h| ledger::collect(h, &USDC, &RELAYER)), Err(Error::NothingToPay {}));
        assert_eq!(h.call(caller, 0, |h| ledger::sweep(h, &USDC)), Err(Error::NothingToPay {}));
        assert_eq!(h.cells, before);
    }
}

#[test]
fn a_voucher_does_not_expire() {
    // Attack 27: what has no expiry cannot expire before it is settled.
    let mut h = world();
    let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    let row = voucher(&h, id, SESSION, 60);
    h.now += 100 * 365 * 86_400;
    assert_eq!(claim_batch(&mut h, &[(n, row)]), [RowOutcome::Applied]);
}

#[test]
fn a_token_that_could_lie_or_take_a_fee_is_never_listed() {
    // Attacks 18, 30 and 35: only the chain's own assets, each once, and at most 16.
    let asset = |i: u8| Address([0, 0, 0, i, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x20, 0, 0]);
    let config = Config { min_period_secs: 60, max_period_secs: 864_000, fee_ceiling_bps: 1_000, sweep_to: ADMIN, books: 0, tokens: 0 };
    let deploy = |tokens: Vec<Token>| {
        let seeds = vec![SEED; tokens.len()];
        MemoryHost::default().call(ADMIN, 0, |h| ledger::deploy(h, tokens.into_iter(), seeds.into_iter(), config))
    };
    assert_eq!(deploy((1..=16).map(asset).collect()), Ok(()));
    for bad in [vec![RELAYER], vec![NATIVE], vec![USDC, USDC], vec![asset(1), THIS], (1..=17).map(asset).collect()] {
        assert_eq!(deploy(bad), Err(Error::BadConfig { field: 0 }));
    }
}

/// A call, prepared but not made.
type Call = Box<dyn Fn(&mut MemoryHost) -> Result<(), Error>>;

#[test]
fn a_call_made_twice_is_done_once() {
    // Attack 25. The calls that mean something else the second time are below.
    let mut h = world();
    let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 1_000);
    let (closing, _) = open(&mut h, PAYER, PAYEE, USDC, 1_000);
    let (refunding, _) = open(&mut h, PAYER, PAYEE, USDC, 1_000);
    h.call(PAYER, 0, |h| channel::request_close(h, closing)).expect("requests");
    h.now = h.call(PAYER, 0, |h| channel::request_refund(h, refunding, 100)).expect("asks");
    for owner in [PAYEE, OTHER_PAYEE] {
        let (m, _) = open(&mut h, PAYER, owner, NATIVE, DOT);
        h.refusing.insert(owner);
        claim(&mut h, m, DOT).expect("claims");
    }
    h.refusing.clear();
    h.endow(&USDC, &THIS, 3);

    let (nonce, deadline) = (1, u64::MAX);
    let row = voucher(&h, id, SESSION, 60);
    let open_form =
        Open { payer: PAYER, payee: PAYEE, voucher_signer: SESSION, token: USDC, challenge_period_secs: PERIOD, amount: 5, nonce, deadline };
    let open_signed = signed(&h, PAYER, &open_form);
    let refund_signed = signed(&h, PAYER, &RequestRefund { channel_id: id, amount: 5, nonce, deadline });
    let close_signed = signed(&h, PAYEE, &Close { channel_id: id, cumulative_amount: 0, nonce, deadline });
    let terms_form =
        Terms { payee: PAYEE, token: USDC, beneficiary: RELAYER, fee_bps: 1, flat_fee: 0, min_gain: 0, until: deadline, nonce, deadline };
    let terms_signed = signed(&h, PAYEE, &terms_form);
    let collect_form = Collect { owner: PAYEE, token: NATIVE, to: RELAYER, nonce, deadline };
    let collect_signed = signed(&h, PAYEE, &collect_form);

    let closed = |n: Number| Error::ClosedNumber { book: n.book, serial: n.serial };
    let used = |signer| Error::NonceUsed { signer, nonce };
    let calls: Vec<(Address, Call, Error)> = vec![
        (RELAYER, Box::new(move |h| channel::claim(h, n, row).map(|_| ())), Error::StaleVoucher { cumulative_amount: 60, claimed: 60 }),
        (PAYER, Box::new(move |h| channel::request_close(h, n).map(|_| ())), Error::AlreadyRequested { due_at: h.now + u64::from(PERIOD) }),
        (PAYER, Box::new(move |h| channel::request_refund(h, refunding, 0).map(|_| ())), Error::NotRequested {}),
        (RELAYER, Box::new(move |h| channel::finish(h, refunding)), Error::NotRequested {}),
        (RELAYER, Box::new(move |h| channel::finish(h, closing)), closed(closing)),
        (PAYEE, Box::new(move |h| channel::close(h, n, row)), closed(n)),
        (RELAYER, Box::new(move |h| channel::close_for(h, n, 0, nonce, deadline, &close_signed)), closed(n)),
        (RELAYER, Box::new(move |h| channel::open_for(h, &open_form, &open_signed, None).map(|_| ())), used(PAYER)),
        (RELAYER, Box::new(move |h| channel::request_refund_for(h, n, 5, nonce, deadline, &refund_signed).map(|_| ())), used(PAYER)),
        (RELAYER, Box::new(move |h| book::set_terms_signed(h, Domain::Channels, &terms_form, &terms_signed)), used(PAYEE)),
        (RELAYER, Box::new(move |h| ledger::collect_signed(h, Domain::Channels, &collect_form, &collect_signed).map(|_| ())), used(PAYEE)),
        (OTHER_PAYEE, Box::new(|h| ledger::collect(h, &NATIVE, &RELAYER).map(|_| ())), Error::NothingToPay {}),
        (RELAYER, Box::new(|h| ledger::push(h, &OTHER_PAYEE, &NATIVE).map(|_| ())), Error::NothingToPay {}),
        (RELAYER, Box::new(|h| ledger::sweep(h, &USDC).map(|_| ())), Error::NothingToPay {}),
        (PAYER, Box::new(move |h| names::revoke(h, nonce)), used(PAYER)),
    ];
    for (caller, call, second) in calls {
        let mut h = h.clone();
        h.call(caller, 0, &call).expect("once");
        let once = h.clone();
        assert_eq!(h.call(caller, 0, &call), Err(second));
        assert_eq!((h.cells, h.balances), (once.cells, once.balances));
    }
}

#[test]
fn calls_that_can_be_made_twice_do_each_time_what_they_say() {
    let mut h = world();
    let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    let (m, other_id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    assert!(n != m && id != other_id, "open: another channel");
    for expected in [150, 200] {
        h.call(PAYER, 0, |h| channel::top_up(h, n, id, 50)).expect("tops up");
        assert_eq!(record(&h, n).expect("open").deposit, expected);
    }
    let many = [2, 4].map(|_| h.call(PAYER, 0, |h| channel::open_many(h, USDC, PERIOD, &[to(PAYEE, 5); 2])).expect("opens"));
    assert_eq!(many.concat().iter().map(|n| n.serial).collect::<Vec<_>>(), [2, 3, 4, 5]);
    let row = voucher(&h, id, SESSION, 60);
    for expected in [RowOutcome::Applied, RowOutcome::Stale] {
        assert_eq!(claim_batch(&mut h, &[(n, row)]), [expected]);
    }
    let terms = RelayTerms { beneficiary: RELAYER, fee_bps: 1, flat_fee: 0, min_gain: 0, until: h.now + 1 };
    for _ in 0..2 {
        h.call(PAYEE, 0, |h| book::set_terms(h, &USDC, terms)).expect("the same terms are no worse");
        h.call(PAYER, 0, |h| channel::request_refund(h, n, 30)).expect("the same request");
        assert_eq!(record(&h, n).expect("open").refund_requested, 30);
    }
    check_books(&h);
}

#[test]
fn zero_one_and_the_largest_value_are_taken_for_what_they_are() {
    // Attacks 4, 6 and 24.
    let mut h = world();
    h.endow(&USDC, &PAYER, 2 * MAX_AMOUNT);
    let too_much = |amount| Error::TooMuch { amount, max: MAX_AMOUNT };
    let try_open = |h: &mut MemoryHost, amount, period| h.call(PAYER, 0, |h| channel::open(h, &to(PAYEE, amount), USDC, period)).map(|(n, _)| n);
    assert_eq!(try_open(&mut h, 0, PERIOD), Err(Error::ZeroAmount {}));
    assert_eq!(try_open(&mut h, MAX_AMOUNT + 1, PERIOD), Err(too_much(MAX_AMOUNT + 1)));
    for period in [0, u32::MAX] {
        let refused = Err(Error::BadPeriod { given_secs: period, min_secs: 60, max_secs: 864_000 });
        assert_eq!(try_open(&mut h, 1, period), refused);
    }
    for period in [60, 864_000] {
        let n = try_open(&mut h, 1, period).expect("opens");
        let id = channel::id(&h, n);
        assert_eq!(claim(&mut h, n, 0), Err(Error::StaleVoucher { cumulative_amount: 0, claimed: 0 }));
        assert_eq!(claim(&mut h, n, u128::MAX), Ok((RowOutcome::Capped, 1)));
        assert_eq!(h.call(PAYER, 0, |h| channel::top_up(h, n, id, 0)), Err(Error::ZeroAmount {}));
        assert!(h.call(PAYER, 0, |h| channel::top_up(h, n, id, u128::MAX)).is_err());
        h.call(PAYER, 0, |h| channel::top_up(h, n, id, 1)).expect("tops up");
        assert_eq!(claim(&mut h, n, 1), Err(Error::StaleVoucher { cumulative_amount: 1, claimed: 1 }));
        assert_eq!(claim(&mut h, n, 2), Ok((RowOutcome::Applied, 1)));
        assert_eq!(h.call(PAYER, 0, |h| channel::request_close(h, n)), Ok(h.now + u64::from(period)));
        h.now += u64::from(period);
        h.call(RELAYER, 0, |h| channel::finish(h, n)).expect("a close with nothing left is a close");
        check_books(&h);
    }
    let n = try_open(&mut h, MAX_AMOUNT, PERIOD).expect("opens");
    assert_eq!(try_open(&mut h, 1, PERIOD), Err(too_much(MAX_AMOUNT + 1)), "all deposits of a token together");
    assert_eq!(claim(&mut h, n, MAX_AMOUNT), Ok((RowOutcome::Applied, MAX_AMOUNT)));
    check_books(&h);

    let set = |h: &mut MemoryHost, terms| h.call(PAYEE, 0, |h| book::set_terms(h, &USDC, terms));
    let terms = RelayTerms { beneficiary: RELAYER, fee_bps: 0, flat_fee: 0, min_gain: 0, until: 0 };
    assert_eq!(set(&mut h, RelayTerms { flat_fee: MAX_AMOUNT + 1, ..terms }), Err(too_much(MAX_AMOUNT + 1)));
    assert_eq!(set(&mut h, RelayTerms { min_gain: u128::MAX, ..terms }), Err(too_much(u128::MAX)));
    let widest = RelayTerms { fee_bps: 1_000, flat_fee: MAX_AMOUNT, min_gain: MAX_AMOUNT, until: u64::MAX, ..terms };
    for each in [terms, widest] {
        set(&mut h, each).expect("sets");
        assert_eq!(book::Book::load(&h, n.book).expect("a book").terms, each);
    }
    let stranger = Opening { voucher_signer: Address([0xff; 20]), ..to(Address([0xff; 20]), 1) };
    assert!(h.call(PAYER, 0, |h| channel::open(h, &stranger, USDC, PERIOD)).is_err());
    for view in [Number { book: 0, serial: 0 }, Number { book: u32::MAX, serial: u32::MAX }] {
        assert_eq!((channel::cover(&h, view), channel::id(&h, view)), (0, ChannelId([0; 32])));
        assert_eq!(channel::claimable(&h, view, u128::MAX), (RowOutcome::Unknown, 0, 0));
    }
}

#[test]
fn a_book_that_is_full_refuses_channels_and_keeps_those_it_has() {
    // Attack 16: the highest serial is a channel as any other, in every place that takes one.
    let mut h = world();
    open(&mut h, PAYER, PAYEE, USDC, 100);
    let next_serial = h.cells.get_mut(&Key::Book(1)).and_then(|cell| cell.get_mut(40..44)).expect("a book");
    next_serial.copy_from_slice(&(u32::MAX - 1).to_be_bytes());
    let (last, id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    assert_eq!(last, Number { book: 1, serial: u32::MAX - 1 });
    let full = Err(Error::TooMuch { amount: u128::from(u32::MAX), max: u128::from(u32::MAX) });
    assert_eq!(h.call(PAYER, 0, |h| channel::open(h, &to(PAYEE, 100), USDC, PERIOD)).map(|_| ()), full);
    assert_eq!(h.call(PAYER, 0, |h| channel::open_many(h, USDC, PERIOD, &[to(OTHER_PAYEE, 5), to(PAYEE, 5)])).map(|_| ()), full);
    assert_eq!(channel::list(&h, 1, u32::MAX - 3, u32::MAX), (vec![u32::MAX - 1], 0));
    let row = voucher(&h, id, SESSION, 60);
    let beyond = Number { serial: u32::MAX, ..last };
    assert_eq!(claim_batch(&mut h, &[(last, row), (beyond, row)]), [RowOutcome::Applied, RowOutcome::Unknown]);
    h.call(PAYEE, 0, |h| channel::close(h, last, row)).expect("closes");
    check_books(&h);
}
