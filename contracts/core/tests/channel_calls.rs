//! Channels, call by call, and the attacks of the field on them.
//!
//! open
//! ├── given bad parties, signer, period, amount, value, token: refused, nothing changes
//! └── it owes the deposit and binds the id to every term
//! claim, claim_batch
//! ├── a voucher pays once, whatever the order
//! ├── capped at the deposit; native floored to 1e8, the rest stays owed
//! ├── each row has its own outcome; one bad row harms only itself
//! └── a payout that fails is credit
//! request_close, finish, close (refunds: channel_requests.rs; signed forms: channel_signed.rs)
//! ├── half-open times
//! └── the record is gone, the number is never reused
//! channels of one cell
//! ├── a batch over open, closed and unknown ones reaches each of its rows
//! └── ending one leaves its neighbours; the last one deletes the cell
//! list
//! └── every open channel once, whatever the size of the pages
//! sweep
//! ├── takes what nobody is owed, and no seed
//! └── goes only where deployment said, or nothing changes

mod support;

use rivulet_core::{
    amount::{MAX_AMOUNT, NATIVE_GRAIN},
    blob::{Payload, VoucherRow},
    book,
    channel::{self, ChannelStatus, Opening},
    error::Error,
    fee::RelayTerms,
    host::Key,
    ids::{Address, ChannelId, Number},
    ledger,
    outcome::RowOutcome,
    signature::CompactSignature,
    testing::{MemoryHost, THIS},
};
use support::*;

#[test]
fn open_refuses_every_bad_term_and_changes_nothing() {
    let mut h = world();
    let before = h.cells.clone();
    let mut refuse = |payer: Address, payee, signer, token, period, amount, value, expected: Error| {
        let got = h.call(payer, value, |h| channel::open(h, &Opening { payee, voucher_signer: signer, amount }, token, period)).expect_err("refused");
        assert_eq!(got, expected);
        assert_eq!(h.cells, before);
    };
    let d = DOT;
    refuse(PAYER, Address::ZERO, SESSION, NATIVE, PERIOD, d, d, Error::BadParty { party: Address::ZERO });
    refuse(PAYER, PAYER, SESSION, NATIVE, PERIOD, d, d, Error::BadParty { party: PAYER });
    refuse(PAYER, THIS, SESSION, NATIVE, PERIOD, d, d, Error::BadParty { party: THIS });
    refuse(PAYER, USDC, SESSION, NATIVE, PERIOD, d, d, Error::BadParty { party: USDC });
    refuse(PAYER, PAYEE, Address::ZERO, NATIVE, PERIOD, d, d, Error::BadSigner { signer: Address::ZERO });
    refuse(PAYER, PAYEE, PAYEE, NATIVE, PERIOD, d, d, Error::BadSigner { signer: PAYEE });
    refuse(PAYER, PAYEE, SESSION, NATIVE, 59, d, d, Error::BadPeriod { given_secs: 59, min_secs: 60, max_secs: 864_000 });
    refuse(PAYER, PAYEE, SESSION, NATIVE, 864_001, d, d, Error::BadPeriod { given_secs: 864_001, min_secs: 60, max_secs: 864_000 });
    refuse(PAYER, PAYEE, SESSION, NATIVE, PERIOD, 0, 0, Error::ZeroAmount {});
    refuse(PAYER, PAYEE, SESSION, NATIVE, PERIOD, d, d - 1, Error::WrongValue { sent: d - 1, expected: d });
    refuse(PAYER, PAYEE, SESSION, NATIVE, PERIOD, d + 1, d + 1, Error::NotMovable { amount: d + 1, grain: NATIVE_GRAIN });
    refuse(PAYER, PAYEE, SESSION, USDC, PERIOD, 5, 1, Error::WrongValue { sent: 1, expected: 0 });
    let unlisted = Address([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x20, 0, 0]);
    refuse(PAYER, PAYEE, SESSION, unlisted, PERIOD, 5, 0, Error::NotListed { token: unlisted });
    let all = 1_000_000_000_000;
    refuse(PAYER, PAYEE, SESSION, USDC, PERIOD, all + 1, 0, Error::PullFailed { token: USDC, expected: all + 1, received: 0 });
}

#[test]
fn a_token_cannot_be_used_before_its_seed_arrived() {
    let mut h = world();
    h.balances.insert((USDC, THIS), SEED - 1);
    let refused = h.call(PAYER, 0, |h| channel::open(h, &to(PAYEE, 5), USDC, PERIOD));
    assert_eq!(refused, Err(Error::Unseeded { token: USDC, balance: SEED - 1, seed: SEED }));
}

#[test]
fn a_voucher_pays_once_in_whatever_order_vouchers_arrive() {
    for order in [[10, 20, 30], [30, 20, 10], [20, 30, 20], [30, 30, 30]] {
        let mut h = world();
        let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 100);
        let before = h.balance(&USDC, &PAYEE);
        for total in order {
            let row = voucher(&h, id, SESSION, total);
            claim_batch(&mut h, &[(n, row)]);
            check_books(&h);
        }
        assert_eq!(h.balance(&USDC, &PAYEE) - before, 30);
    }
}

#[test]
fn the_payers_own_signature_counts_beside_the_session_keys_and_nobody_elses_does() {
    let mut h = world();
    let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    let (by_session, by_payer) = (voucher(&h, id, SESSION, 10), voucher(&h, id, PAYER, 20));
    assert_eq!(claim_batch(&mut h, &[(n, by_session)]), [RowOutcome::Applied]);
    assert_eq!(claim_batch(&mut h, &[(n, by_payer)]), [RowOutcome::Applied]);
    // Attack 10: the payee signs for itself.
    for thief in [PAYEE, RELAYER, OTHER_PAYER] {
        let forged = voucher(&h, id, thief, 100);
        assert_eq!(claim_batch(&mut h, &[(n, forged)]), [RowOutcome::BadSignature]);
    }
}

#[test]
fn a_voucher_above_the_deposit_pays_the_deposit() {
    // Attack 6: otherwise the payee could be locked out by one generous voucher.
    let mut h = world();
    let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    let row = voucher(&h, id, SESSION, u128::MAX);
    assert_eq!(claim_batch(&mut h, &[(n, row)]), [RowOutcome::Capped]);
    assert_eq!(claim_batch(&mut h, &[(n, row)]), [RowOutcome::Stale]);
    h.call(OTHER_PAYER, 0, |h| channel::top_up(h, n, id, 7)).expect("tops up");
    assert_eq!(claim_batch(&mut h, &[(n, row)]), [RowOutcome::Capped], "the same voucher reaches the new money");
    assert_eq!(record(&h, n).expect("open").claimed, 107);
    check_books(&h);
}

#[test]
fn native_gains_are_floored_to_what_can_move_and_the_rest_stays_owed() {
    let mut h = world();
    let (n, id) = open(&mut h, PAYER, PAYEE, NATIVE, DOT);
    let first = voucher(&h, id, SESSION, 3 * NATIVE_GRAIN - 1);
    let second = voucher(&h, id, SESSION, 3 * NATIVE_GRAIN);
    claim_batch(&mut h, &[(n, first)]);
    assert_eq!(record(&h, n).expect("open").claimed, 2 * NATIVE_GRAIN);
    claim_batch(&mut h, &[(n, second)]);
    assert_eq!(record(&h, n).expect("open").claimed, 3 * NATIVE_GRAIN);
    check_books(&h);
}

#[test]
fn one_bad_row_harms_only_itself() {
    // Attack 7.
    let mut h = world();
    let (good, good_id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    let (forged, forged_id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    let (stale, stale_id) = open(&mut h, OTHER_PAYER, PAYEE, USDC, 100);
    let (gone, gone_id) = open(&mut h, OTHER_PAYER, PAYEE, USDC, 100);
    let (elsewhere, elsewhere_id) = open(&mut h, OTHER_PAYER, OTHER_PAYEE, NATIVE, DOT);
    let last_row = voucher(&h, gone_id, SESSION, 0);
    h.call(PAYEE, 0, |h| channel::close(h, gone, last_row)).expect("closes");
    let rows = [
        (good, voucher(&h, good_id, SESSION, 60)),
        (forged, voucher(&h, forged_id, PAYEE, 60)),
        (stale, voucher(&h, stale_id, SESSION, 0)),
        (gone, voucher(&h, gone_id, SESSION, 60)),
        (Number { book: good.book, serial: 99 }, voucher(&h, good_id, SESSION, 60)),
        (elsewhere, voucher(&h, elsewhere_id, SESSION, DOT / 2)),
        (Number { book: 77, serial: 0 }, voucher(&h, good_id, SESSION, 60)),
    ];
    let before = (h.balance(&USDC, &PAYEE), h.balance(&NATIVE, &OTHER_PAYEE));
    use RowOutcome::*;
    assert_eq!(claim_batch(&mut h, &rows), [Applied, BadSignature, Stale, Closed, Unknown, Applied, Unknown]);
    assert_eq!((h.balance(&USDC, &PAYEE), h.balance(&NATIVE, &OTHER_PAYEE)), (before.0 + 60, before.1 + DOT / 2));
    check_books(&h);
}

#[test]
fn a_blob_that_is_not_canonical_is_refused_whole_before_any_change() {
    let mut h = world();
    let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    let good = batch(&[(n, voucher(&h, id, SESSION, 60))], false);
    let before = h.cells.clone();
    for (bad, reason) in [(good[..good.len() - 1].to_vec(), 0u8), ([good.clone(), vec![9]].concat(), 7), (vec![0x81], 3), (vec![], 0)] {
        let refused = h.call(RELAYER, 0, |h| channel::claim_batch(h, &bad));
        assert!(matches!(refused, Err(Error::BadBlob { reason: r, .. }) if r == reason), "{refused:?}");
        assert_eq!(h.cells, before);
    }
    assert_eq!(VoucherRow::VERSION, good[0]);
}

#[test]
fn a_payee_that_refuses_money_gets_credit_and_delays_nobody() {
    let mut h = world();
    let (trap, trap_id) = open(&mut h, PAYER, PAYEE, NATIVE, DOT);
    let (fine, fine_id) = open(&mut h, PAYER, OTHER_PAYEE, NATIVE, DOT);
    h.refusing.insert(PAYEE);
    let rows = [(trap, voucher(&h, trap_id, SESSION, DOT)), (fine, voucher(&h, fine_id, SESSION, DOT))];
    let before = h.balance(&NATIVE, &OTHER_PAYEE);
    assert_eq!(claim_batch(&mut h, &rows), [RowOutcome::Applied; 2]);
    assert_eq!(h.balance(&NATIVE, &OTHER_PAYEE) - before, DOT);
    assert_eq!(ledger::credit_of(&h, &PAYEE, &NATIVE), DOT);
    check_books(&h);
    assert_eq!(h.call(RELAYER, 0, |h| ledger::push(h, &PAYEE, &NATIVE)), Err(Error::PayoutFailed { to: PAYEE, amount: DOT }));
    assert_eq!(ledger::credit_of(&h, &PAYEE, &NATIVE), DOT, "a failed collect loses nothing");
    let at = h.balance(&NATIVE, &RELAYER);
    h.call(PAYEE, 0, |h| ledger::collect(h, &NATIVE, &RELAYER)).expect("collects to another address");
    assert_eq!(h.balance(&NATIVE, &RELAYER) - at, DOT);
    assert_eq!(h.call(PAYEE, 0, |h| ledger::collect(h, &NATIVE, &RELAYER)), Err(Error::NothingToPay {}), "twice pays once");
    check_books(&h);
}

#[test]
fn an_account_that_does_not_exist_is_paid_only_when_the_submitter_says_so() {
    for (fund_new, credit) in [(false, DOT), (true, 0)] {
        let mut h = world();
        let (n, id) = open(&mut h, PAYER, PAYEE, NATIVE, DOT);
        h.absent.insert(PAYEE);
        let blob = batch(&[(n, voucher(&h, id, SESSION, DOT))], fund_new);
        h.call(RELAYER, 0, |h| channel::claim_batch(h, &blob)).expect("taken");
        assert_eq!(ledger::credit_of(&h, &PAYEE, &NATIVE), credit);
        check_books(&h);
    }
}

#[test]
fn a_voucher_of_one_channel_is_worth_nothing_in_another() {
    // Attacks 1 and 2: ids bind chain, contract, number, parties and time of opening.
    let mut h = world();
    let (a, a_id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    let (b, b_id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    assert_ne!(a_id, b_id);
    let row = voucher(&h, a_id, SESSION, 50);
    assert_eq!(claim_batch(&mut h, &[(b, row)]), [RowOutcome::BadSignature]);
    let none = VoucherRow { cumulative_amount: 0, ..row };
    h.call(PAYEE, 0, |h| channel::close(h, a, none)).expect("closes");
    let (c, c_id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    assert_ne!(c, a, "a number is never reused");
    assert_ne!(c_id, a_id);
    assert_eq!(claim_batch(&mut h, &[(a, row), (c, row)]), [RowOutcome::Closed, RowOutcome::BadSignature]);
}

#[test]
fn top_up_lands_only_in_the_expected_channel() {
    let mut h = world();
    let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    let wrong = ChannelId([9; 32]);
    let refused = h.call(OTHER_PAYER, 0, |h| channel::top_up(h, n, wrong, 5));
    assert_eq!(refused, Err(Error::WrongChannel { expected: wrong.0, actual: id.0 }));
    check_books(&h);
}

#[test]
fn finish_is_possible_from_due_on_and_not_a_second_before() {
    let mut h = world();
    let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    assert_eq!(h.call(RELAYER, 0, |h| channel::finish(h, n)), Err(Error::NotRequested {}), "attack 4: a timer of zero is no timer");
    assert_eq!(h.call(PAYEE, 0, |h| channel::request_close(h, n)), Err(Error::NotAllowed { caller: PAYEE, expected: PAYER }));
    let due_at = h.call(PAYER, 0, |h| channel::request_close(h, n)).expect("requests");
    assert_eq!(due_at, h.now + u64::from(PERIOD));
    assert_eq!(h.call(PAYER, 0, |h| channel::request_close(h, n)), Err(Error::AlreadyRequested { due_at }));
    // Attack 5: a top-up neither shortens nor cancels.
    h.call(PAYER, 0, |h| channel::top_up(h, n, id, 1)).expect("tops up");
    assert_eq!(record(&h, n).expect("open").close_due_at, due_at);
    h.now = due_at - 1;
    assert_eq!(h.call(RELAYER, 0, |h| channel::finish(h, n)), Err(Error::NotDue { now: due_at - 1, due_at }));
    // Attack 3: vouchers count until the record is gone, also when it is due.
    h.now = due_at;
    let row = voucher(&h, id, SESSION, 40);
    assert_eq!(claim_batch(&mut h, &[(n, row)]), [RowOutcome::Applied]);
    let before = h.balance(&USDC, &PAYER);
    h.call(RELAYER, 0, |h| channel::finish(h, n)).expect("finishes");
    assert_eq!(h.balance(&USDC, &PAYER) - before, 61);
    assert_eq!(channel::status(&h, n), ChannelStatus::Closed);
    assert_eq!(h.call(RELAYER, 0, |h| channel::finish(h, n)), Err(Error::ClosedNumber { book: n.book, serial: n.serial }));
    check_books(&h);
}

#[test]
fn close_by_payee_pays_the_last_voucher_and_refunds_the_rest_at_once() {
    let mut h = world();
    let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    let row = voucher(&h, id, SESSION, 30);
    assert_eq!(h.call(PAYER, 0, |h| channel::close(h, n, row)), Err(Error::NotAllowed { caller: PAYER, expected: PAYEE }));
    let forged = voucher(&h, id, PAYEE, 100);
    assert_eq!(h.call(PAYEE, 0, |h| channel::close(h, n, forged)), Err(Error::BadSignature {}));
    let before = (h.balance(&USDC, &PAYER), h.balance(&USDC, &PAYEE));
    h.call(PAYEE, 0, |h| channel::close(h, n, row)).expect("closes");
    assert_eq!((h.balance(&USDC, &PAYER), h.balance(&USDC, &PAYEE)), (before.0 + 70, before.1 + 30));
    assert_eq!(h.call(PAYEE, 0, |h| channel::close(h, n, row)), Err(Error::ClosedNumber { book: n.book, serial: n.serial }));
    check_books(&h);
}

#[test]
fn carrying_every_voucher_between_earns_a_relayer_nothing_more_than_agreed() {
    let mut h = world();
    let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 1_000_000);
    let terms = RelayTerms { beneficiary: RELAYER, fee_bps: 100, flat_fee: 50, min_gain: 10_000, until: h.now + 100 };
    h.call(PAYEE, 0, |h| book::set_terms(h, &USDC, terms)).expect("sets");
    let before = h.balance(&USDC, &RELAYER);
    for total in (1_000..=9_000).step_by(1_000) {
        let row = voucher(&h, id, SESSION, total);
        claim_batch(&mut h, &[(n, row)]);
    }
    assert_eq!(h.balance(&USDC, &RELAYER), before, "rows below min_gain pay no fee");
    let row = voucher(&h, id, SESSION, 109_000);
    claim_batch(&mut h, &[(n, row)]);
    assert_eq!(h.balance(&USDC, &RELAYER) - before, 1_000 + 50);
    h.now += 100;
    let row = voucher(&h, id, SESSION, 209_000);
    claim_batch(&mut h, &[(n, row)]);
    assert_eq!(h.balance(&USDC, &RELAYER) - before, 1_050, "no fee from `until` on");
    check_books(&h);
}

#[test]
fn terms_cannot_be_worsened_for_the_beneficiary_before_until() {
    let mut h = world();
    let now = h.now;
    let terms = RelayTerms { beneficiary: RELAYER, fee_bps: 100, flat_fee: 50, min_gain: 10, until: now + 100 };
    let mut set = |at, terms| {
        h.now = at;
        h.call(PAYEE, 0, |h| book::set_terms(h, &USDC, terms))
    };
    set(now, terms).expect("sets");
    let held = Err(Error::TermsHeld { until: now + 100 });
    for worse in [
        RelayTerms { beneficiary: PAYEE, ..terms },
        RelayTerms { fee_bps: 99, ..terms },
        RelayTerms { flat_fee: 49, ..terms },
        RelayTerms { min_gain: 11, ..terms },
        RelayTerms { until: now + 99, ..terms },
        RelayTerms::default(),
    ] {
        assert_eq!(set(now + 99, worse), held);
    }
    set(now + 99, RelayTerms { fee_bps: 101, ..terms }).expect("better is taken");
    set(now + 100, RelayTerms::default()).expect("free again");
    let ceiling = Err(Error::FeeAboveCeiling { given_bps: 1_001, ceiling_bps: 1_000 });
    assert_eq!(set(now, RelayTerms { fee_bps: 1_001, ..terms }), ceiling);
}

#[test]
fn a_pull_credits_what_arrived_and_a_payout_never_takes_the_seed_along() {
    let mut h = world();
    h.balances.insert((USDC, PAYER), 100_000 + SEED - 1);
    let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 100_000);
    let deposit = record(&h, n).expect("open").deposit;
    assert_eq!(deposit, 100_000 + SEED - 1, "a remainder below the minimum balance moved along");
    check_books(&h);
    let all = voucher(&h, id, SESSION, deposit);
    claim_batch(&mut h, &[(n, all)]);
    assert_eq!(h.balance(&USDC, &THIS), SEED);
    check_books(&h);
}

#[test]
fn sums_beyond_the_largest_amount_are_refused() {
    let mut h = world();
    h.endow(&USDC, &PAYER, u128::MAX / 2);
    let (n, id) = open(&mut h, PAYER, PAYEE, USDC, MAX_AMOUNT);
    let refused = h.call(PAYER, 0, |h| channel::top_up(h, n, id, 1));
    assert_eq!(refused, Err(Error::TooMuch { amount: MAX_AMOUNT + 1, max: MAX_AMOUNT }));
    check_books(&h);
}

#[test]
fn a_high_s_signature_is_nobodys() {
    // Attack 9.
    let mut h = world();
    let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    let mut row = voucher(&h, id, SESSION, 60);
    let mut bytes = row.signature.0;
    bytes[32] = 0x7f;
    bytes[33..].fill(0xff);
    row.signature = CompactSignature(bytes);
    assert_eq!(claim_batch(&mut h, &[(n, row)]), [RowOutcome::BadSignature]);
}

#[test]
fn records_keep_their_width_whatever_is_claimed() {
    let mut h = world();
    let (n, id) = open(&mut h, PAYER, PAYEE, USDC, 100);
    let width = |h: &MemoryHost| h.cells.values().map(Vec::len).sum::<usize>();
    let before = width(&h);
    let row = voucher(&h, id, SESSION, 60);
    claim_batch(&mut h, &[(n, row)]);
    assert_eq!(width(&h), before, "a claim grows no storage at its submitter's cost");
    assert!(record(&h, n).is_some());
}

/// Ten channels of one book, of the two payers in turn, over three cells.
fn ten(h: &mut MemoryHost) -> Vec<(Number, ChannelId)> {
    (0..10).map(|i| open(h, if i % 2 == 0 { PAYER } else { OTHER_PAYER }, PAYEE, USDC, 100 + i)).collect()
}

fn close(h: &mut MemoryHost, number: Number, total: u128) {
    let row = voucher(h, channel::id(h, number), SESSION, total);
    h.call(PAYEE, 0, |h| channel::close(h, number, row)).expect("closes");
}

#[test]
fn a_batch_reaches_each_channel_of_a_cell_and_no_other() {
    let mut h = world();
    let all = ten(&mut h);
    for i in [1, 6] {
        close(&mut h, all[i].0, 0);
    }
    let before = h.balance(&USDC, &PAYEE);
    let mut rows: Vec<_> = [0, 1, 2, 3, 5, 6, 7, 9].map(|i| (all[i].0, voucher(&h, all[i].1, SESSION, 10 + i as u128))).to_vec();
    rows[2].1 = voucher(&h, all[3].1, SESSION, 12);
    rows.push((Number { book: 1, serial: 10 }, rows[0].1));
    use RowOutcome::*;
    assert_eq!(claim_batch(&mut h, &rows), [Applied, Closed, BadSignature, Applied, Applied, Closed, Applied, Applied, Unknown]);
    let claimed: Vec<_> = all.iter().map(|(n, _)| record(&h, *n).map(|c| c.claimed)).collect();
    assert_eq!(claimed, [Some(10), None, Some(0), Some(13), Some(0), Some(15), None, Some(17), Some(0), Some(19)]);
    assert_eq!(h.balance(&USDC, &PAYEE) - before, 10 + 13 + 15 + 17 + 19);
    check_books(&h);
}

#[test]
fn ending_a_channel_leaves_the_others_of_its_cell_as_they_were() {
    let mut h = world();
    let all = ten(&mut h);
    let at_first: Vec<_> = all.iter().map(|(n, _)| record(&h, *n).expect("open")).collect();
    let cells = |h: &MemoryHost| h.cells.keys().filter(|k| matches!(k, Key::Channels(..))).count();
    let mut ended = Vec::new();
    for (i, cells_left) in [(0, 3), (9, 3), (8, 2), (5, 2), (2, 2), (3, 2), (1, 1), (7, 1), (4, 1), (6, 0)] {
        close(&mut h, all[i].0, 0);
        ended.push(i);
        for (j, (n, _)) in all.iter().enumerate() {
            assert_eq!(record(&h, *n), (!ended.contains(&j)).then_some(at_first[j]));
        }
        assert_eq!(cells(&h), cells_left);
        check_books(&h);
    }
    assert_eq!(open(&mut h, PAYER, PAYEE, USDC, 100).0.serial, 10, "a serial is never reused");
}

#[test]
fn a_listing_has_every_open_channel_once_whatever_the_pages() {
    let mut h = world();
    let all = ten(&mut h);
    for i in [0, 5, 9] {
        close(&mut h, all[i].0, 0);
    }
    open(&mut h, PAYER, OTHER_PAYEE, USDC, 100);
    for count in [0, 1, 2, 3, 4, 5, 9, 10, channel::MAX_LISTED, u32::MAX] {
        let (mut listed, mut from, mut pages) = (Vec::new(), 0, 0);
        loop {
            let (open, next) = channel::list(&h, all[0].0.book, from, count);
            listed.extend(open);
            pages += 1;
            if next == 0 {
                break;
            }
            from = next;
        }
        assert_eq!(listed, [1, 2, 3, 4, 6, 7, 8]);
        assert_eq!(pages, 10u32.div_ceil(count.max(1)));
    }
    for (book, from) in [(1, 10), (1, u32::MAX), (0, 0), (9, 0)] {
        assert_eq!(channel::list(&h, book, from, 5), (vec![], 0));
    }
}

#[test]
fn a_listing_looks_at_a_bounded_number_of_serials() {
    // Attack 35.
    let mut h = world();
    let many = vec![to(PAYEE, 1); 401];
    h.call(PAYER, 0, |h| channel::open_many(h, USDC, PERIOD, &many)).expect("opens");
    assert_eq!(channel::list(&h, 1, 0, u32::MAX), ((0..400).collect(), 400));
    assert_eq!(channel::list(&h, 1, 400, u32::MAX), (vec![400], 0));
}

#[test]
fn a_sweep_takes_what_nobody_is_owed_and_no_seed() {
    let unlisted = Address([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x20, 0, 0]);
    let mut h = world();
    open(&mut h, PAYER, PAYEE, USDC, 100);
    let (n, id) = open(&mut h, PAYER, PAYEE, NATIVE, DOT);
    h.refusing.insert(PAYEE);
    let row = voucher(&h, id, SESSION, DOT / 2);
    claim_batch(&mut h, &[(n, row)]);
    for token in [NATIVE, USDC, unlisted] {
        assert_eq!(h.call(RELAYER, 0, |h| ledger::sweep(h, &token)), Err(Error::NothingToPay {}));
    }
    for (token, sent, swept) in [(USDC, 7, 7), (unlisted, 9, 9), (NATIVE, 3 * NATIVE_GRAIN - 1, 2 * NATIVE_GRAIN)] {
        h.endow(&token, &THIS, sent);
        let before = h.balance(&token, &ADMIN);
        assert_eq!(h.call(RELAYER, 0, |h| ledger::sweep(h, &token)), Ok(swept));
        assert_eq!(h.balance(&token, &ADMIN) - before, swept, "whoever calls, it goes where deployment said");
        assert_eq!(h.call(RELAYER, 0, |h| ledger::sweep(h, &token)), Err(Error::NothingToPay {}));
    }
    *h.balances.get_mut(&(NATIVE, THIS)).expect("dust") -= NATIVE_GRAIN - 1;
    check_books(&h);
}

#[test]
fn a_sweep_that_cannot_be_done_changes_nothing() {
    let mut h = world();
    h.balances.insert((USDC, THIS), SEED - 1);
    assert_eq!(h.call(RELAYER, 0, |h| ledger::sweep(h, &USDC)), Err(Error::NothingToPay {}), "a seed that is not all there yet stays");
    h.endow(&USDC, &THIS, 8);
    h.refusing.insert(ADMIN);
    assert_eq!(h.call(RELAYER, 0, |h| ledger::sweep(h, &USDC)), Err(Error::PayoutFailed { to: ADMIN, amount: 7 }));
    assert_eq!(h.balance(&USDC, &THIS), SEED + 7);
    let builtin = Address([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    for not_an_asset in [PAYEE, builtin] {
        let refused = h.call(RELAYER, 0, |h| ledger::sweep(h, &not_an_asset));
        assert_eq!(refused, Err(Error::NotListed { token: not_an_asset }), "code that is not the chain's own is never called");
    }
    assert_eq!(h.call(RELAYER, 1, |h| ledger::sweep(h, &USDC)), Err(Error::WrongValue { sent: 1, expected: 0 }));
}
