//! What is particular to the chain's assets: remainders that move along, gifts, who pays for what.

use crate::support::{DOT, USD, world};
use alloy_primitives::U256;
use rivulet_sandbox::{
    NATIVE, Sandbox, USDC,
    abi::{channels::Channels, erc20::Erc20, to_sol},
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
