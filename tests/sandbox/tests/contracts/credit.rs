//! Payouts that cannot be made become credit, and credit is paid.

use crate::support::{DOT, RATIO, USD, cost_wei, world};
use alloy_sol_types::SolCall;
use rivulet_core::{error::Error, ids::Address, outcome::RowOutcome::Applied};
use rivulet_runtime::{Assets, RuntimeOrigin, genesis, hub};
use rivulet_sandbox::{
    Limits, NATIVE, USDC,
    abi::{both::Both, from_sol, to_sol},
    batch,
};

#[test]
fn a_payee_without_an_account_gets_credit_and_is_paid_when_the_batch_funds_it() {
    let mut w = world();
    let payee = w.chain.stranger("//new").address;
    let channel = w.channels.open(&mut w.chain, &w.payer, payee, w.session.address, NATIVE, DOT);
    let (channels, session) = (w.channels, w.session.clone());
    let row = |total| (channel.number, channels.voucher(&session, &channel, total));

    let first = w.channels.claim_batch(&mut w.chain, &w.relayer, &[row(RATIO)]);
    assert_eq!(first.rows(), [Applied]);
    let credited = first.event::<Both::Credited>();
    assert_eq!((from_sol(&credited.owner), credited.amount), (payee, RATIO));
    assert!(!w.chain.exists(payee));
    w.assert_balanced();

    // The submitter pays the existential deposit, as its deposit.
    let before = w.chain.balance(NATIVE, w.relayer.address) as i128;
    let funded = w.channels.claim_blob(&mut w.chain, &w.relayer, batch(true, &[row(DOT / 2)]));
    assert_eq!(funded.rows(), [Applied]);
    assert_eq!(funded.cost.storage_deposit_planck, hub::EXISTENTIAL_DEPOSIT as i128);
    assert_eq!(before - w.chain.balance(NATIVE, w.relayer.address) as i128, cost_wei(&funded));
    assert_eq!(w.chain.spendable(NATIVE, payee), DOT / 2 - RATIO);
    assert_eq!(w.channels.credit(&mut w.chain, payee, NATIVE), RATIO);

    // From now on it has an account, and the credit can be pushed by anyone.
    let third = w.channels.claim_batch(&mut w.chain, &w.relayer, &[row(DOT)]);
    assert_eq!(third.cost.storage_deposit_planck, 0);
    assert_eq!(w.chain.spendable(NATIVE, payee), DOT - RATIO);
    let pushed = w.chain.send(&w.relayer, w.channels.address, 0, &Both::pushCall { owner: to_sol(&payee), token: to_sol(&NATIVE) });
    let collected = pushed.event::<Both::Collected>();
    assert_eq!((from_sol(&collected.owner), from_sol(&collected.to), collected.amount), (payee, payee, RATIO));
    assert_eq!(w.chain.spendable(NATIVE, payee), DOT);
    w.assert_balanced();
    assert_eq!(w.channels.owed(&mut w.chain, NATIVE), 0);
}

#[test]
fn a_batch_that_funds_nobody_new_needs_no_deposit_even_when_a_payee_has_no_account() {
    let mut w = world();
    let payee = w.chain.stranger("//new").address;
    let channel = w.channels.open(&mut w.chain, &w.payer, payee, w.session.address, NATIVE, DOT);
    let row = w.channels.voucher(&w.session, &channel, RATIO);
    let calldata = Both::claimBatchCall { blob: batch(false, &[(channel.number, row)]).into() }.abi_encode();
    let done = w.chain.call_within(&w.relayer, w.channels.address, 0, calldata, &Limits::NO_DEPOSIT);
    assert_eq!(done.result.as_ref().map(|_| done.rows()), Ok(vec![Applied]));
}

#[test]
fn a_push_to_a_new_account_is_paid_for_by_who_pushes() {
    let mut w = world();
    let payee = w.chain.stranger("//new").address;
    let channel = w.channels.open(&mut w.chain, &w.payer, payee, w.session.address, NATIVE, DOT);
    let row = w.channels.voucher(&w.session, &channel, DOT);
    w.channels.claim_batch(&mut w.chain, &w.relayer, &[(channel.number, row)]).bytes();
    let friend = w.chain.party("//friend");
    let before = w.chain.balance(NATIVE, friend.address) as i128;
    let pushed = w.chain.send(&friend, w.channels.address, 0, &Both::pushCall { owner: to_sol(&payee), token: to_sol(&NATIVE) });
    pushed.bytes();
    assert_eq!(before - w.chain.balance(NATIVE, friend.address) as i128, cost_wei(&pushed));
    assert_eq!(w.chain.spendable(NATIVE, payee), DOT);
    w.assert_balanced();
}

#[test]
fn an_asset_payout_below_the_minimum_balance_becomes_credit_of_a_payee_that_has_none_of_it() {
    let mut w = world();
    let payee = w.chain.stranger("//new").address;
    let channel = w.channels.open(&mut w.chain, &w.payer, payee, w.session.address, USDC, USD);
    let (channels, session) = (w.channels, w.session.clone());
    let row = |total| (channel.number, channels.voucher(&session, &channel, total));
    let small = w.channels.claim_batch(&mut w.chain, &w.relayer, &[row(9_999)]);
    assert_eq!(small.event::<Both::Credited>().amount, 9_999);
    assert_eq!((w.chain.balance(USDC, payee), w.channels.credit(&mut w.chain, payee, USDC)), (0, 9_999));
    w.assert_balanced();
    let push = Both::pushCall { owner: to_sol(&payee), token: to_sol(&USDC) };
    let refused = w.chain.send(&w.relayer, w.channels.address, 0, &push);
    assert_eq!(refused.refusal(), Error::PayoutFailed { to: payee, amount: 9_999 });
    // The minimum itself creates the account: USDC suffices for one.
    let enough = w.channels.claim_batch(&mut w.chain, &w.relayer, &[row(19_999)]);
    assert_eq!(enough.rows(), [Applied]);
    assert_eq!(w.chain.balance(USDC, payee), 10_000);
    w.chain.send(&w.relayer, w.channels.address, 0, &push).bytes();
    assert_eq!((w.chain.balance(USDC, payee), w.channels.credit(&mut w.chain, payee, USDC)), (19_999, 0));
    w.assert_balanced();
}

#[test]
fn a_payee_that_the_issuer_blocked_gets_credit_and_sends_it_elsewhere() {
    let mut w = world();
    let (payee, this) = (w.payee.clone(), w.channels.address);
    let issuer = genesis::substrate_accounts().remove(0);
    let blocked = w.chain.with(|| Assets::block(RuntimeOrigin::signed(issuer), hub::USDC_ID.into(), payee.account.clone().into()));
    assert_eq!(blocked, Ok(()));
    let channel = w.channels.open(&mut w.chain, &w.payer, payee.address, w.session.address, USDC, USD);
    let row = w.channels.voucher(&w.session, &channel, USD);
    assert_eq!(w.channels.claim_batch(&mut w.chain, &w.relayer, &[(channel.number, row)]).rows(), [Applied]);
    assert_eq!(w.channels.credit(&mut w.chain, payee.address, USDC), USD);
    w.assert_balanced();
    let other = w.chain.party("//other").address;
    let before = w.chain.balance(USDC, other);
    w.chain.send(&payee, this, 0, &Both::collectCall { token: to_sol(&USDC), to: to_sol(&other) }).bytes();
    assert_eq!(w.chain.balance(USDC, other), before + USD);
    w.assert_balanced();
}

#[test]
fn credit_is_its_owners_and_goes_to_no_party_that_cannot_be() {
    let mut w = world();
    let stranger = w.chain.stranger("//new");
    let channel = w.channels.open(&mut w.chain, &w.payer, stranger.address, w.session.address, NATIVE, DOT);
    let row = w.channels.voucher(&w.session, &channel, DOT);
    w.channels.claim_batch(&mut w.chain, &w.relayer, &[(channel.number, row)]).bytes();
    w.chain.endow(&stranger, NATIVE, 10 * DOT);
    let collect = |to: Address| Both::collectCall { token: to_sol(&NATIVE), to: to_sol(&to) };
    assert_eq!(w.chain.send(&w.payer, w.channels.address, 0, &collect(w.payer.address)).refusal(), Error::NothingToPay {});
    for party in [Address::ZERO, w.channels.address, USDC] {
        assert_eq!(w.chain.send(&stranger, w.channels.address, 0, &collect(party)).refusal(), Error::BadParty { party });
    }
    let other = w.chain.party("//other").address;
    let before = w.chain.balance(NATIVE, other);
    w.chain.send(&stranger, w.channels.address, 0, &collect(other)).bytes();
    assert_eq!(w.chain.balance(NATIVE, other), before + DOT);
    w.assert_balanced();
}

#[test]
fn no_weight_limit_that_a_submitter_may_choose_turns_a_payout_into_credit() {
    for token in [NATIVE, USDC] {
        let mut w = world();
        let unit = if token == NATIVE { DOT } else { USD };
        let channel = w.channels.open(&mut w.chain, &w.payer, w.payee.address, w.session.address, token, unit);
        let calldata =
            Both::claimBatchCall { blob: batch(false, &[(channel.number, w.channels.voucher(&w.session, &channel, unit))]).into() }.abi_encode();
        let start = w.chain.snapshot();
        let enough = w.chain.call(&w.relayer, w.channels.address, 0, calldata.clone()).required;
        let (mut paid, mut refused) = (0, 0);
        for permille in (700..=1_005).step_by(5) {
            let part = |whole: u64| whole / 1_000 * permille + 1_000;
            for limit in [(part(enough.0), enough.1 * 2), (enough.0 * 2, part(enough.1))] {
                w.chain.restore(&start);
                let limits = Limits { weight: Some(limit), deposit_planck: None };
                let done = w.chain.call_within(&w.relayer, w.channels.address, 0, calldata.clone(), &limits);
                assert!(done.events::<Both::Credited>().is_empty(), "credit with a limit of {limit:?}");
                *if done.result.is_ok() { &mut paid } else { &mut refused } += 1;
            }
        }
        assert!(paid > 0 && refused > 0, "{paid} paid, {refused} refused");
    }
}
