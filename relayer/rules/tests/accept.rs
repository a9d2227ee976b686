//! given a voucher
//! ├── of a channel that is not known, is closed, or is another: refused, nothing said of amounts
//! ├── not signed, or by somebody else: refused, nothing said of amounts
//! └── signed by the voucher signer or the payer
//!     ├── not above the best: passes, the store answers as it did before
//!     ├── the channel is closing: refused
//!     ├── above what the money covers: refused
//!     ├── the channel is not final and the total above what is risked: refused
//!     ├── the first, and below the least: refused
//!     └── else: passes

use proptest::prelude::*;
use rivulet_core::ids::{ChannelId, Number};
use rivulet_rules::{
    accept::{Best, Policy, Rejection, cover, growth, verify},
    chain::{ChannelState, ChannelView},
    testing::{Key, channel, id, offer, payee, separator, snapshot, verified},
};

const NUMBER: Number = Number { book: 3, serial: 7 };

fn setup() -> (Key, ChannelState) {
    let key = Key::of(1);
    (key, channel(NUMBER, &key, 1_000))
}

fn code(result: Result<impl Sized, Rejection>) -> &'static str {
    result.err().map_or("accepted", |e| e.code())
}

fn check(state: ChannelState, key: &Key, total: u128, now: u64) -> &'static str {
    code(verify(&offer(&state, key, total), &snapshot(state), &Policy::default(), &separator(), now))
}

#[test]
fn a_good_voucher_passes_with_what_was_signed() {
    let (key, state) = setup();
    let v = verified(&state, &key, 400);
    assert_eq!((v.number(), v.channel_id(), v.cumulative_amount(), v.payee()), (NUMBER, id(&state), 400, payee(1)));
}

#[test]
fn the_payers_own_key_counts_beside_the_session_key() {
    let (key, mut state) = setup();
    state.terms.payer = key.address();
    state.terms.voucher_signer = Key::of(2).address();
    assert_eq!(check(state, &key, 5, 0), "accepted");
    assert_eq!(check(state, &Key::of(2), 5, 0), "accepted");
    assert_eq!(check(state, &Key::of(3), 5, 0), "wrong_signer");
}

#[test]
fn unknown_and_closed_channels_are_told_apart() {
    let (key, state) = setup();
    let offer = offer(&state, &key, 5);
    for (view, expected) in [(ChannelView::Unknown, "unknown_channel"), (ChannelView::Closed, "channel_closed")] {
        let snapshot = rivulet_rules::accept::Snapshot { view, ..snapshot(state) };
        assert_eq!(code(verify(&offer, &snapshot, &Policy::default(), &separator(), 0)), expected);
    }
}

#[test]
fn a_voucher_of_a_renumbered_channel_is_refused_by_its_id() {
    let (key, state) = setup();
    let mut offer = offer(&state, &key, 5);
    offer.channel_id = ChannelId([9; 32]);
    assert_eq!(code(verify(&offer, &snapshot(state), &Policy::default(), &separator(), 0)), "wrong_channel_id");
}

#[test]
fn who_cannot_sign_learns_nothing_of_amounts() {
    let (_, mut state) = setup();
    state.close_due_at = Some(9_000);
    assert_eq!(check(state, &Key::of(2), 2_000, 0), "wrong_signer");
}

#[test]
fn a_signature_for_another_domain_is_refused() {
    let (key, state) = setup();
    assert_eq!(code(verify(&offer(&state, &key, 5), &snapshot(state), &Policy::default(), &[7; 32], 0)), "wrong_signer");
}

#[test]
fn a_closing_channel_takes_nothing_new_but_answers_what_it_has() {
    let (key, mut state) = setup();
    state.close_due_at = Some(9_000);
    assert_eq!(check(state, &key, 5, 0), "channel_closing");
    let snapshot = rivulet_rules::accept::Snapshot { best_total: Some(5), ..snapshot(state) };
    assert_eq!(code(verify(&offer(&state, &key, 5), &snapshot, &Policy::default(), &separator(), 0)), "accepted");
    assert_eq!(code(verify(&offer(&state, &key, 6), &snapshot, &Policy::default(), &separator(), 0)), "channel_closing");
}

#[test]
fn cover_is_the_deposit_less_what_was_asked_back_until_that_lapses() {
    let (key, mut state) = setup();
    assert_eq!([1_000, 1_001].map(|t| check(state, &key, t, 0)), ["accepted", "not_covered"]);
    (state.refund_requested, state.refund_due_at) = (300, Some(5_000));
    assert_eq!([700, 701].map(|t| check(state, &key, t, 0)), ["accepted", "not_covered"]);
    let lapses_at = 5_000 + 3_600;
    assert_eq!(check(state, &key, 701, lapses_at - 1), "not_covered");
    assert_eq!(check(state, &key, 701, lapses_at), "accepted");
}

#[test]
fn a_first_total_must_pay_for_its_row_and_later_ones_need_not() {
    let (key, mut state) = setup();
    state.claimed = 100;
    let policy = Policy { min_first_gain: [(state.terms.token, 50)].into(), ..Policy::default() };
    let run = |total, best_total| {
        let snapshot = rivulet_rules::accept::Snapshot { best_total, ..snapshot(state) };
        code(verify(&offer(&state, &key, total), &snapshot, &policy, &separator(), 0))
    };
    assert_eq!([149, 150].map(|t| run(t, None)), ["first_total_too_small", "accepted"]);
    assert_eq!(run(151, Some(150)), "accepted");
}

#[test]
fn a_payee_that_is_not_served_is_refused() {
    let (key, state) = setup();
    let policy = Policy { payees: [payee(2)].into(), ..Policy::default() };
    assert_eq!(code(verify(&offer(&state, &key, 5), &snapshot(state), &policy, &separator(), 0)), "payee_not_served");
}

#[test]
fn a_stale_total_is_answered_with_the_best_one() {
    let (key, state) = setup();
    let best = Best { cumulative_amount: 500, signature: key.voucher(id(&state), 500) };
    let rejection = growth::check(Some(&best), 499).unwrap_err();
    assert_eq!((rejection.code(), rejection.best()), ("stale", Some(&best)));
    assert_eq!((rejection.expected(), rejection.given()), ("more than 500".to_owned(), "499".to_owned()));
}

#[test]
fn a_channel_that_is_not_final_pays_only_what_is_risked() {
    let (key, state) = setup();
    let fresh = rivulet_rules::accept::Snapshot { is_final: false, ..snapshot(state) };
    let policy = Policy { unfinalized_max: [(state.terms.token, 50)].into(), ..Policy::default() };
    let run = |total, policy: &Policy| code(verify(&offer(&state, &key, total), &fresh, policy, &separator(), 0));
    assert_eq!([run(50, &policy), run(51, &policy), run(1, &Policy::default())], ["accepted", "not_final", "not_final"]);
    assert_eq!(code(verify(&offer(&state, &key, 51), &snapshot(state), &policy, &separator(), 0)), "accepted");
}

#[test]
fn a_wrong_signers_hint_names_who_may_sign_once_each() {
    let (key, mut state) = setup();
    let hint = |state: &ChannelState| {
        let refused = verify(&offer(state, &Key::of(9), 5), &snapshot(*state), &Policy::default(), &separator(), 0).unwrap_err();
        (refused.expected(), refused.to_string())
    };
    let (payer, session) = (state.terms.payer, state.terms.voucher_signer);
    assert_eq!(hint(&state).0, format!("signed by {session} (the channel's voucher signer) or {payer} (its payer)"));
    assert!(hint(&state).1.contains("another key, or a signature of another total, channel, chain or contract"));
    state.terms.payer = key.address();
    assert_eq!(hint(&state).0, format!("signed by {session}"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_changed_voucher_is_never_taken(byte in 0usize..64, bit in 0u8..8, total in 1u128..1_000) {
        let (key, state) = setup();
        let mut changed = offer(&state, &key, total);
        changed.signature.0[byte] ^= 1 << bit;
        prop_assert!(verify(&changed, &snapshot(state), &Policy::default(), &separator(), 0).is_err());
        let mut changed = offer(&state, &key, total);
        changed.cumulative_amount += 1;
        prop_assert!(verify(&changed, &snapshot(state), &Policy::default(), &separator(), 0).is_err());
    }

    #[test]
    fn what_is_taken_is_covered_and_grows(deposit in 0u128..2_000, asked in 0u128..2_000, total in 1u128..2_000, best in proptest::option::of(0u128..2_000)) {
        let (key, mut state) = setup();
        state.deposit = deposit;
        (state.refund_requested, state.refund_due_at) = (asked, Some(9_000));
        let snapshot = rivulet_rules::accept::Snapshot { best_total: best, ..snapshot(state) };
        if verify(&offer(&state, &key, total), &snapshot, &Policy::default(), &separator(), 0).is_ok() && best.is_none_or(|b| total > b) {
            prop_assert!(total <= cover::covered(&state, 0) && total <= deposit.saturating_sub(asked));
        }
    }
}
