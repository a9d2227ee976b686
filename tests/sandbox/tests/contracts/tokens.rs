//! What is particular to the chain's assets: remainders that move along, gifts, who pays for what.

use crate::support::{DOT, RATIO, USD, world};
use alloy_primitives::U256;
use polkadot_sdk::{pallet_balances, pallet_revive, sp_runtime::FixedU128};
use rivulet_runtime::{Runtime, RuntimeCall, hub};
use rivulet_sandbox::{
    NATIVE, Sandbox, USDC,
    abi::{channels::Channels, erc20::Erc20, to_sol},
    batch,
};

#[test]
fn a_payers_remainder_below_the_minimum_balance_moves_along_and_is_credited_to_its_channel() {
    let mut w = world();
    let payer = w.chain.stranger("//poor");
    w.chain.endow(&payer, NATIVE, 100 * DOT);
    w.chain.endow(&payer, USDC, USD + 9_999);
    let channel = w.channels.open(&mut w.chain, &payer, w.payee.address, w.session.address, USDC, USD);
    assert_eq!(w.chain.balance(USDC, payer.address), 0);
    assert_eq!(w.channels.view(&mut w.chain, channel.number).deposit, USD + 9_999);
    w.assert_balanced();
    let all = w.channels.voucher(&w.session, &channel, USD + 9_999);
    assert_eq!(w.channels.claim(&mut w.chain, &w.relayer, channel.number, &all).ok::<Channels::claimCall>().gain, USD + 9_999);
    // The seed stays: the contract's last transfer takes nothing of it along.
    assert_eq!(w.chain.balance(USDC, w.channels.address), 10_000);
    w.assert_balanced();
}

#[test]
fn money_sent_to_the_contract_by_mistake_is_owed_to_nobody_and_paid_to_nobody() {
    let mut w = world();
    let this = w.channels.address;
    w.chain.send(&w.payer, USDC, 0, &Erc20::transferCall { to: to_sol(&this), amount: U256::from(5 * USD) }).bytes();
    w.chain.fund(NATIVE, this, 3 * DOT);
    let channel = w.channels.open(&mut w.chain, &w.payer, w.payee.address, w.session.address, USDC, USD);
    assert_eq!(w.channels.view(&mut w.chain, channel.number).deposit, USD, "a gift is not measured as a deposit");
    let more = w.channels.voucher(&w.session, &channel, 4 * USD);
    assert_eq!(w.channels.claim(&mut w.chain, &w.relayer, channel.number, &more).ok::<Channels::claimCall>().gain, USD);
    assert_eq!(w.channels.owed(&mut w.chain, USDC), 0);
    assert_eq!(w.chain.balance(USDC, this), 10_000 + 5 * USD);
    assert_eq!(w.chain.spendable(NATIVE, this), 3 * DOT);
}

#[test]
fn the_payer_pays_for_a_record_and_whoever_ends_the_channel_gets_that_deposit() {
    let mut w = world();
    let held = w.chain.held_deposit(w.channels.address);
    let (first, _) = w.channels.try_open(&mut w.chain, &w.payer, w.payee.address, w.session.address, NATIVE, 60, DOT);
    let (second, channel) = w.channels.try_open(&mut w.chain, &w.payer, w.payee.address, w.session.address, NATIVE, 60, DOT);
    let channel = channel.expect("it opens");
    let (book_and_record, record) = (first.cost.storage_deposit_planck, second.cost.storage_deposit_planck);
    assert!(book_and_record > record && record > 0, "{book_and_record} and {record} planck");
    assert_eq!(w.chain.held_deposit(w.channels.address) - held, (book_and_record + record) as u128);
    let request = Channels::requestCloseCall { book: channel.number.book, serial: channel.number.serial };
    assert_eq!(w.chain.send(&w.payer, w.channels.address, 0, &request).cost.storage_deposit_planck, 0);
    w.chain.advance(60);
    let finish = Channels::finishCall { book: channel.number.book, serial: channel.number.serial };
    let finished = w.chain.send(&w.payer, w.channels.address, 0, &finish);
    assert!(finished.cost.storage_deposit_planck < 0, "{} planck", finished.cost.storage_deposit_planck);
    w.assert_balanced();
}

#[test]
fn the_fee_at_the_lowest_multiplier_is_what_is_paid_there() {
    use polkadot_sdk::pallet_transaction_payment::NextFeeMultiplier;
    let mut w = world();
    let start = w.chain.snapshot();
    let open =
        |w: &mut crate::support::World| w.channels.try_open(&mut w.chain, &w.payer, w.payee.address, w.session.address, NATIVE, 60, DOT).0.cost;
    let at_one = open(&mut w);
    w.chain.restore(&start);
    w.chain.with(|| NextFeeMultiplier::<Runtime>::put(FixedU128::from_rational(1, 10)));
    let at_a_tenth = open(&mut w);
    assert!(at_one.fee_low_planck.abs_diff(at_a_tenth.fee_planck) <= 1, "{at_one} and {at_a_tenth}");
}

#[test]
fn money_paid_before_an_account_exists_stays_in_reach_of_its_owner() {
    let mut w = world();
    let owner = w.chain.stranger("//new");
    let channel = w.channels.open(&mut w.chain, &w.payer, owner.address, w.session.address, NATIVE, DOT);
    let row = w.channels.voucher(&w.session, &channel, DOT);
    w.channels.claim_blob(&mut w.chain, &w.relayer, batch(true, &[(channel.number, row)])).bytes();
    assert_eq!(w.chain.spendable(NATIVE, owner.address), DOT);
    // The chain did not know the owner's key: the money went to the address's own account. Once the owner has an account, its address means that.
    w.chain.endow(&owner, NATIVE, DOT);
    assert_eq!(w.chain.balance(NATIVE, owner.address), DOT);
    let to = w.payee.account.clone();
    let all = RuntimeCall::Balances(pallet_balances::Call::transfer_all { dest: to.into(), keep_alive: false });
    let before = w.chain.balance(NATIVE, w.payee.address);
    let fallback = RuntimeCall::Revive(pallet_revive::Call::dispatch_as_fallback_account { call: Box::new(all) });
    w.chain.dispatch(&owner, fallback).bytes();
    assert_eq!(w.chain.balance(NATIVE, w.payee.address), before + DOT + hub::EXISTENTIAL_DEPOSIT * RATIO);
}

#[test]
fn snapshots_and_the_clock_are_what_they_say() {
    let mut chain = Sandbox::new();
    assert_eq!((chain.now(), chain.block()), (Sandbox::START_SECS, 1));
    let who = chain.party("//payer");
    let first = chain.snapshot();
    chain.call(&who, who.address, 0, vec![]).bytes();
    assert_eq!((chain.now(), chain.block()), (Sandbox::START_SECS, 2));
    chain.advance(5);
    assert_eq!((chain.now(), chain.block()), (Sandbox::START_SECS + 5, 3));
    chain.restore(&first);
    assert_eq!((chain.now(), chain.block()), (Sandbox::START_SECS, 1));
    assert_eq!(chain.balance(NATIVE, who.address), Sandbox::ENDOWMENT_WEI);
    assert_eq!(chain.snapshot().root(), first.root());
}
