//! Allowances as EIP-2612 permits, which the assets precompile takes.

use super::{Halves, open_for, opening};
use crate::support::{DOT, RATIO, USD, World, world};
use alloy_primitives::U256;
use alloy_sol_types::SolCall;
use rivulet_core::{
    Keccak256, SoftKeccak,
    eip712::Open,
    error::Error,
    ids::{Address, Number},
    words::Words,
};
use rivulet_runtime::hub;
use rivulet_sandbox::{
    NATIVE, USDC, VoucherKey,
    abi::{channels::Channels, erc20::Erc20, to_sol},
};

/// A permit of the assets precompile: deadline, v, r, s.
pub type Permit = (u64, u8, [u8; 32], [u8; 32]);

/// What EIP-2612 says of a permit of USDC for the contract, signed by this key, by the nonce and the domain that the token tells.
fn permit(w: &mut World, key: &VoucherKey, value: u128, deadline: u64) -> Permit {
    let nonce: U256 = w.chain.ask(USDC, &Erc20::noncesCall { owner: to_sol(&key.address) });
    let separator: [u8; 32] = w.chain.ask(USDC, &Erc20::DOMAIN_SEPARATORCall {}).0;
    let of = SoftKeccak.keccak256(b"Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    let mut words = Words::<192>::new();
    words.bytes32(&of).address(&key.address).address(&w.channels.address).u128(value).bytes32(&nonce.to_be_bytes()).u64(deadline);
    let hash = SoftKeccak.keccak256(words.bytes());
    let split = key.sign(&SoftKeccak.keccak256(&[&[0x19, 0x01][..], &separator, &hash].concat())).split().expect("a good signature");
    (deadline, split.v, split.r, split.s)
}

pub fn open_with_permit(m: &Open, (deadline, v, r, s): Permit) -> Channels::openWithPermitCall {
    Channels::openWithPermitCall {
        payee: to_sol(&m.payee),
        voucherSigner: to_sol(&m.voucher_signer),
        token: to_sol(&m.token),
        challengePeriodSecs: m.challenge_period_secs,
        amount: m.amount,
        permitDeadline: deadline,
        permitV: v,
        permitR: r.into(),
        permitS: s.into(),
    }
}

pub fn open_for_with_permit(m: &Open, (r, s): Halves, (deadline, v, pr, ps): Permit) -> Channels::openForWithPermitCall {
    Channels::openForWithPermitCall {
        payer: to_sol(&m.payer),
        payee: to_sol(&m.payee),
        voucherSigner: to_sol(&m.voucher_signer),
        token: to_sol(&m.token),
        challengePeriodSecs: m.challenge_period_secs,
        amount: m.amount,
        nonce: m.nonce,
        deadline: m.deadline,
        r: r.into(),
        yParityAndS: s.into(),
        permitDeadline: deadline,
        permitV: v,
        permitR: pr.into(),
        permitS: ps.into(),
    }
}

#[test]
fn the_chains_usdc_takes_permits_of_eip_2612() {
    let mut w = world();
    let owner = w.signer("payer", DOT, 10 * USD);
    let mut domain = Words::<160>::new();
    domain
        .bytes32(&SoftKeccak.keccak256(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"))
        .bytes32(&SoftKeccak.keccak256(b"USD Coin"))
        .bytes32(&SoftKeccak.keccak256(b"1"))
        .u64(hub::CHAIN_ID)
        .address(&USDC);
    assert_eq!(w.chain.ask(USDC, &Erc20::DOMAIN_SEPARATORCall {}).0, SoftKeccak.keccak256(domain.bytes()));
    let deadline = w.chain.now();
    let (_, v, r, s) = permit(&mut w, &owner, USD, deadline);
    let spender = to_sol(&w.channels.address);
    let call = Erc20::permitCall {
        owner: to_sol(&owner.address),
        spender,
        value: U256::from(USD),
        deadline: U256::from(deadline),
        v,
        r: r.into(),
        s: s.into(),
    };
    let relayer = w.relayer.clone();
    w.chain.send(&relayer, USDC, 0, &call).bytes();
    let allowance = Erc20::allowanceCall { owner: to_sol(&owner.address), spender };
    assert_eq!(w.chain.ask(USDC, &allowance), U256::from(USD));
    assert_eq!(w.chain.ask(USDC, &Erc20::noncesCall { owner: to_sol(&owner.address) }), U256::from(1));
    assert!(w.chain.send(&relayer, USDC, 0, &call).result.is_err(), "a permit is good once");
}

#[test]
fn a_payer_opens_with_a_permit_and_no_allowance() {
    let mut w = world();
    let payer = w.signer("payer", 10 * DOT, 10 * USD);
    let message = opening(&w, &payer, 0);
    // A permit is good until its deadline, included.
    let now = w.chain.now();
    let good = permit(&mut w, &payer, USD, now);
    let this = w.channels.address;
    let done = w.chain.call_as(payer.address, this, 0, open_with_permit(&message, good).abi_encode());
    let answer = done.ok::<Channels::openWithPermitCall>();
    assert_eq!((answer.book, answer.serial), (1, 0));
    assert_eq!(w.channels.view(&mut w.chain, Number { book: 1, serial: 0 }).deposit, USD);
    assert_eq!(w.chain.balance(USDC, payer.address), 9 * USD);
    w.assert_balanced();
    // The same permit once more gives no allowance.
    let again = w.chain.call_as(payer.address, this, 0, open_with_permit(&message, good).abi_encode());
    assert_eq!(again.refusal(), Error::PullFailed { token: USDC, expected: USD, received: 0 });
    // Native money needs no allowance, another token has none that counts.
    let other = permit(&mut w, &payer, USD, now);
    for (token, value) in [(NATIVE, USD * RATIO), (Address([9; 20]), 0)] {
        let call = open_with_permit(&Open { token, amount: USD * RATIO, ..message }, other);
        assert_eq!(w.chain.call_as(payer.address, this, value, call.abi_encode()).refusal(), Error::NotListed { token });
    }
    let paid = w.chain.call_as(payer.address, this, RATIO, open_with_permit(&message, other).abi_encode());
    assert_eq!(paid.refusal(), Error::WrongValue { sent: RATIO, expected: 0 });
}

#[test]
fn a_relayer_opens_with_a_payers_open_and_permit_and_neither_alone_suffices() {
    let mut w = world();
    let payer = w.signer("payer", 10 * DOT, 10 * USD);
    let message = opening(&w, &payer, 1);
    let signature = w.sign(&payer, &message);
    let now = w.chain.now();
    let good = permit(&mut w, &payer, USD, now + 10);
    let lost = Error::PullFailed { token: USDC, expected: USD, received: 0 };

    assert_eq!(w.denied(&open_for(&message, signature)), lost);
    let forged = w.sign(&VoucherKey::named("stranger"), &message);
    assert_eq!(w.denied(&open_for_with_permit(&message, forged, good)), Error::BadSignature {});
    let mine = Open { payee: w.relayer.address, ..message };
    assert_eq!(w.denied(&open_for_with_permit(&mine, signature, good)), Error::BadSignature {}, "a permit does not say whom to pay");

    // A permit that does not count leaves the allowance as it was: none.
    let late = permit(&mut w, &payer, USD, now - 1);
    let less = permit(&mut w, &payer, USD - 1, now + 10);
    let of_another = permit(&mut w, &VoucherKey::named("stranger"), USD, now + 10);
    let (deadline, v, r, s) = good;
    for bad in [late, less, of_another, (deadline + 1, v, r, s), (deadline, 0, r, s), (deadline, v, [0; 32], s), (deadline, v, r, [0xff; 32])] {
        assert_eq!(w.denied(&open_for_with_permit(&message, signature, bad)), lost, "{bad:?}");
    }

    let before = w.chain.balance(NATIVE, payer.address);
    let done = w.carry(&open_for_with_permit(&message, signature, good));
    let answer = done.ok::<Channels::openForWithPermitCall>();
    assert_eq!((answer.book, answer.serial), (1, 0));
    assert_eq!(w.chain.balance(USDC, payer.address), 9 * USD);
    assert_eq!(w.chain.balance(NATIVE, payer.address), before, "the deposit for the allowance came back when all of it was pulled");
    assert_eq!(w.denied(&open_for_with_permit(&message, signature, good)), Error::NonceUsed { signer: payer.address, nonce: 1 });
    w.assert_balanced();
}

#[test]
fn a_permit_that_fails_is_ignored_when_the_allowance_suffices() {
    let mut w = world();
    let payer = w.signer("payer", 10 * DOT, 10 * USD);
    let this = w.channels.address;
    let now = w.chain.now();

    // Somebody used the payer's permit first: the allowance is there all the same.
    let good = permit(&mut w, &payer, USD, now + 10);
    let (deadline, v, r, s) = good;
    let front_run = Erc20::permitCall {
        owner: to_sol(&payer.address),
        spender: to_sol(&this),
        value: U256::from(USD),
        deadline: U256::from(deadline),
        v,
        r: r.into(),
        s: s.into(),
    };
    let relayer = w.relayer.clone();
    w.chain.send(&relayer, USDC, 0, &front_run).bytes();
    let message = opening(&w, &payer, 1);
    let signature = w.sign(&payer, &message);
    w.carry(&open_for_with_permit(&message, signature, good)).ok::<Channels::openForWithPermitCall>();

    // Nor does a scribble do harm.
    let approve = Erc20::approveCall { spender: to_sol(&this), amount: U256::from(2 * USD) };
    w.chain.call_as(payer.address, USDC, 0, approve.abi_encode()).bytes();
    let scribble = (0, 0xff, [0xff; 32], [0xff; 32]);
    let message = opening(&w, &payer, 2);
    let signature = w.sign(&payer, &message);
    w.carry(&open_for_with_permit(&message, signature, scribble)).ok::<Channels::openForWithPermitCall>();
    w.chain.call_as(payer.address, this, 0, open_with_permit(&message, scribble).abi_encode()).ok::<Channels::openWithPermitCall>();
    assert_eq!(w.chain.balance(USDC, payer.address), 7 * USD);
    w.assert_balanced();
}

#[test]
fn a_permit_needs_its_owner_to_have_the_chains_deposit_for_an_allowance() {
    let mut w = world();
    let deposit = hub::EXISTENTIAL_DEPOSIT * RATIO;
    for (native, opens) in [(0, false), (deposit, false), (2 * deposit, true)] {
        let payer = w.signer(&format!("payer with {native}"), native, 10 * USD);
        let message = opening(&w, &payer, 1);
        let (signature, now) = (w.sign(&payer, &message), w.chain.now());
        let good = permit(&mut w, &payer, USD, now);
        let done = w.carry(&open_for_with_permit(&message, signature, good));
        if opens {
            done.bytes();
        } else {
            assert_eq!(done.refusal(), Error::PullFailed { token: USDC, expected: USD, received: 0 }, "{native} wei");
        }
    }
    w.assert_balanced();
}
