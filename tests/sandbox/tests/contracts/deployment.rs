//! Deploying: what is fixed, what is refused, seeds.

use crate::support::{DOT, USD};
use alloy_sol_types::SolCall;
use rivulet_core::{error::Error, ids::Address};
use rivulet_sandbox::{
    Bundle, ChannelsContract, NATIVE, Parameters, Sandbox, USDC, USDT,
    abi::{both::Both, erc20::Erc20, from_sol, to_sol},
};

#[test]
fn a_deployment_keeps_its_parameters_and_lists_its_tokens_with_their_seeds() {
    let mut chain = Sandbox::new();
    let channels = ChannelsContract::deploy(&mut chain);
    let config = chain.ask(channels.address, &Both::configCall {});
    let expected = Parameters::default();
    assert_eq!(config.minChallengePeriodSecs, expected.min_challenge_period_secs);
    assert_eq!(config.maxChallengePeriodSecs, expected.max_challenge_period_secs);
    assert_eq!(config.feeCeilingBps, expected.fee_ceiling_bps);
    assert_eq!(from_sol(&config.sweepTo), expected.sweep_to);
    assert_eq!((config.books, config.tokens), (0, 2));
    for (index, token) in [(0, USDC), (1, USDT)] {
        assert_eq!(from_sol(&chain.ask(channels.address, &Both::tokenAtCall { index })), token);
        let state = chain.ask(channels.address, &Both::tokenCall { token: to_sol(&token) });
        assert_eq!((state.listed, state.seed, state.owed), (true, 10_000, 0));
        assert_eq!(chain.balance(token, channels.address), 10_000);
    }
    let native = chain.ask(channels.address, &Both::tokenCall { token: to_sol(&NATIVE) });
    assert_eq!((native.listed, native.seed, native.owed), (true, 0, 0));
    let other = chain.ask(channels.address, &Both::tokenCall { token: to_sol(&Address([9; 20])) });
    assert!(!other.listed);
}

#[test]
fn a_token_without_its_seed_is_refused_until_it_has_it() {
    let mut chain = Sandbox::new();
    let who = chain.party("//payer");
    let channels = ChannelsContract { address: chain.deploy(&who, &Bundle::channels().code, Parameters::default().calldata()).contract };
    let payee = Address([7; 20]);

    let (refused, _) = channels.try_open(&mut chain, &who, payee, who.address, USDC, 3_600, USD);
    assert_eq!(refused.refusal(), Error::Unseeded { token: USDC, balance: 0, seed: 10_000 });
    let (native, opened) = channels.try_open(&mut chain, &who, payee, who.address, NATIVE, 3_600, DOT);
    assert!(opened.is_ok(), "the native token needs no seed: {native:?}");

    let seed = Erc20::transferCall { to: to_sol(&channels.address), amount: alloy_primitives::U256::from(10_000) };
    chain.send(&who, USDC, 0, &seed).bytes();
    assert!(channels.try_open(&mut chain, &who, payee, who.address, USDC, 3_600, USD).1.is_ok());
}

#[test]
fn parameters_out_of_bounds_are_refused_by_their_number() {
    let mut chain = Sandbox::new();
    let who = chain.party("//deployer");
    let good = Parameters::default;
    let cases = [
        (0, Parameters { tokens: vec![(Address([9; 20]), 0)], ..good() }),
        (0, Parameters { tokens: vec![(USDC, 1), (USDC, 1)], ..good() }),
        (0, Parameters { tokens: (0..17).map(|id| (Address(rivulet_runtime::hub::erc20_address(id).0), 1)).collect(), ..good() }),
        (1, Parameters { tokens: vec![(USDC, u128::MAX)], ..good() }),
        (3, Parameters { min_challenge_period_secs: 61, max_challenge_period_secs: 60, ..good() }),
        (3, Parameters { max_challenge_period_secs: u32::MAX, ..good() }),
        (4, Parameters { fee_ceiling_bps: 10_001, ..good() }),
        (5, Parameters { sweep_to: Address::ZERO, ..good() }),
    ];
    for (field, parameters) in cases {
        let refused = chain.deploy(&who, &Bundle::channels().code, parameters.calldata());
        assert_eq!(refused.refusal(), Error::BadConfig { field }, "{parameters:?}");
    }
}

#[test]
fn calldata_that_is_no_call_or_is_cut_changes_nothing_and_is_no_success() {
    let mut chain = Sandbox::new();
    let channels = ChannelsContract::deploy(&mut chain);
    let who = chain.party("//payer");
    let cells = chain.cells(channels.address);
    let whole = Both::collectCall { token: to_sol(&NATIVE), to: to_sol(&who.address) }.abi_encode();
    for calldata in [vec![], vec![1, 2, 3], vec![0xff; 4], whole[..whole.len() - 1].to_vec(), whole[..4].to_vec()] {
        let refused = chain.call(&who, channels.address, 0, calldata.clone());
        assert!(refused.result.is_err(), "{calldata:?} went through");
    }
    // Money sent without a call does not get lost in the contract.
    assert!(chain.call(&who, channels.address, DOT, vec![]).result.is_err());
    assert_eq!(chain.spendable(NATIVE, channels.address), 0);
    assert_eq!(chain.cells(channels.address), cells);
}
