//! The bundle built with `abi = "all"`, called by ink!'s own selectors and codec. `RIVULET_BUNDLES_ALL` names its folder.

use crate::support::{DOT, RATIO, cost_wei};
use codec::{Decode, Encode};
use polkadot_sdk::sp_io::hashing::blake2_256;
use rivulet_core::{
    ids::{ChannelId, Number},
    outcome::RowOutcome::Applied,
};
use rivulet_sandbox::{Bundle, NATIVE, Sandbox, VoucherKey, abi::channels::Channels, batch};

/// ink!'s selector of a message: the first four bytes of blake2b-256 of its name.
fn message(name: &str, arguments: impl Encode) -> Vec<u8> {
    let [a, b, c, d, ..] = blake2_256(name.as_bytes());
    [vec![a, b, c, d], arguments.encode()].concat()
}

/// What a message returned: ink!'s own errors around the contract's, of which only the good side is read.
fn returned<T: Decode>(bytes: &[u8]) -> T {
    let [0, 0, value @ ..] = bytes else { panic!("an error: {bytes:?}") };
    T::decode(&mut &*value).expect("the message's type")
}

#[test]
fn ink_selectors_deploy_open_and_claim_on_the_bundle_with_both_abis() {
    let bundle = Bundle::with_both_abis("channels");
    let mut chain = Sandbox::new();
    let [payer, payee, relayer] = ["//payer", "//payee", "//relayer"].map(|uri| chain.party(uri));
    let session = VoucherKey::named("session");
    let arguments = (Vec::<[u8; 20]>::new(), Vec::<u128>::new(), 60u32, 3_600u32, 500u16, payer.address.0);
    let deployed = chain.deploy(&payer, &bundle.code, message("new", arguments));
    deployed.bytes();
    let contract = deployed.contract;

    let open = message("open", (payee.address.0, session.address.0, NATIVE.0, 60u32, DOT));
    let (book, serial, id): (u32, u32, [u8; 32]) = returned(chain.call(&payer, contract, DOT, open).bytes());
    // The same contract answers by Solidity's selectors.
    assert_eq!(chain.ask(contract, &Channels::channelIdCall { book, serial }), id);

    let deployment = Sandbox::deployment(contract);
    let row = |total| session.voucher(&deployment, ChannelId(id), total);
    let before = chain.balance(NATIVE, payee.address);
    let first = row(RATIO);
    let (r, s): ([u8; 32], [u8; 32]) = (first.signature.0[..32].try_into().expect("32 bytes"), first.signature.0[32..].try_into().expect("32 bytes"));
    let claim = message("claim", (book, serial, first.cumulative_amount, r, s));
    let (outcome, gain): (u8, u128) = returned(chain.call(&relayer, contract, 0, claim).bytes());
    assert_eq!((outcome, gain), (Applied as u8, RATIO));

    let blob = batch(false, &[(Number { book, serial }, row(DOT / 2))]);
    let outcomes: Vec<u8> = returned(chain.call(&relayer, contract, 0, message("claimBatch", blob)).bytes());
    assert_eq!(outcomes, [Applied as u8]);
    assert_eq!(chain.balance(NATIVE, payee.address), before + DOT / 2);

    // A refusal by the ink! ABI: the contract's error inside, and everything undone.
    let refused = chain.call(&payee, contract, 0, message("requestClose", (book, serial)));
    assert!(refused.result.is_err());
    assert!(cost_wei(&refused) > 0);
    let call = Channels::topUpCall { book, serial, channelId: id.into(), amount: RATIO };
    chain.send(&payer, contract, RATIO, &call).bytes();
}
