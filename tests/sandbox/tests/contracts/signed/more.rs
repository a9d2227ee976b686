//! Many channels at once, requests that lapse, sweeping, listing, cover, and arguments that cannot be read.

use super::{
    open_for, opening,
    permits::{open_for_with_permit, open_with_permit},
};
use crate::support::{DOT, RATIO, USD, World, world};
use alloy_sol_types::SolCall;
use rivulet_core::{
    blob::VoucherRow,
    error::Error,
    ids::{Address, Number, Token},
    signature::CompactSignature,
};
use rivulet_runtime::{Assets, RuntimeOrigin, hub};
use rivulet_sandbox::{
    NATIVE, Parameters, USDC, VoucherKey,
    abi::{both::Both, channels::Channels, from_sol, to_sol},
};

fn many(token: Token, of: &[(Address, Address, u128)]) -> Channels::openManyCall {
    Channels::openManyCall {
        token: to_sol(&token),
        challengePeriodSecs: 60,
        payees: of.iter().map(|one| to_sol(&one.0)).collect(),
        voucherSigners: of.iter().map(|one| to_sol(&one.1)).collect(),
        amounts: of.iter().map(|one| one.2).collect(),
    }
}

#[test]
fn many_channels_open_at_once_for_the_sum_or_none_does() {
    for (token, unit) in [(NATIVE, DOT), (USDC, USD)] {
        let mut w = world();
        let (payer, session, this) = (w.payer.clone(), w.session.address, w.channels.address);
        let [a, b] = [w.payee.address, w.relayer.address];
        w.chain.approve(&payer, token_or_usdc(token), this, 100 * unit);
        let before = w.chain.balance(USDC, payer.address);
        let value = |sum: u128| if token == NATIVE { sum } else { 0 };
        let call = many(token, &[(a, session, unit), (b, session, 2 * unit), (a, payer.address, 3 * unit)]);
        let done = w.chain.send(&payer, this, value(6 * unit), &call);
        assert_eq!(done.ok::<Channels::openManyCall>(), [0, 0, 1]);
        let opened: Vec<_> = done.events::<Channels::ChannelOpened>().iter().map(|e| (e.book, e.serial, e.amount)).collect();
        assert_eq!(opened, [(1, 0, unit), (2, 0, 2 * unit), (1, 1, 3 * unit)]);
        assert_eq!(w.channels.owed(&mut w.chain, token), 6 * unit);
        assert_eq!(from_sol(&w.channels.view(&mut w.chain, Number { book: 1, serial: 1 }).voucherSigner), payer.address);
        if token != NATIVE {
            assert_eq!(w.chain.balance(USDC, payer.address), before - 6 * unit);
        }
        w.assert_balanced();

        let good = (a, session, unit);
        let mut longer = many(token, &[good, good]);
        longer.amounts.pop();
        assert_eq!(w.denied_to(&payer, 0, &longer), Error::LengthsDiffer {});
        let mut shorter = many(token, &[good]);
        shorter.voucherSigners.push(to_sol(&session));
        assert_eq!(w.denied_to(&payer, 0, &shorter), Error::LengthsDiffer {});
        assert_eq!(w.denied_to(&payer, 0, &many(token, &[])), Error::ZeroAmount {});
        assert_eq!(w.denied_to(&payer, value(unit), &many(token, &[good, (b, session, 0)])), Error::ZeroAmount {});
        let itself = (payer.address, session, unit);
        assert_eq!(w.denied_to(&payer, value(2 * unit), &many(token, &[good, itself])), Error::BadParty { party: payer.address });
        assert_eq!(w.denied_to(&payer, value(2 * unit), &many(token, &[good, (b, b, unit)])), Error::BadSigner { signer: b });
        let sent = if token == NATIVE { unit } else { RATIO };
        let expected = value(2 * unit);
        assert_eq!(w.denied_to(&payer, sent, &many(token, &[good, good])), Error::WrongValue { sent, expected });
        let late = Channels::openManyCall { challengePeriodSecs: 59, ..many(token, &[good]) };
        assert_eq!(w.denied_to(&payer, value(unit), &late), Error::BadPeriod { given_secs: 59, min_secs: 60, max_secs: 2_592_000 });
        let unlisted = Address([9; 20]);
        assert_eq!(w.denied_to(&payer, 0, &many(unlisted, &[good])), Error::NotListed { token: unlisted });
    }
    let mut w = world();
    let (payer, session, a) = (w.payer.clone(), w.session.address, w.payee.address);
    // Two amounts that cannot move, though their sum can.
    let odd = many(NATIVE, &[(a, session, RATIO + 1), (a, session, RATIO - 1)]);
    assert_eq!(w.denied_to(&payer, 2 * RATIO, &odd), Error::NotMovable { amount: RATIO + 1, grain: RATIO });
    // Two amounts whose sum passes any type.
    let vast = many(USDC, &[(a, session, u128::MAX), (a, session, u128::MAX)]);
    assert_eq!(w.denied_to(&payer, 0, &vast), Error::PullFailed { token: USDC, expected: u128::MAX, received: 0 });
}

fn token_or_usdc(token: Token) -> Token {
    if token == NATIVE { USDC } else { token }
}

#[test]
fn a_remainder_that_moves_along_is_the_last_of_many_channels() {
    let mut w = world();
    let payer = w.chain.stranger("//poor");
    w.chain.endow(&payer, NATIVE, 100 * DOT);
    w.chain.endow(&payer, USDC, 2 * USD + 9_999);
    let (session, this) = (w.session.address, w.channels.address);
    w.chain.approve(&payer, USDC, this, 2 * USD);
    let [a, b] = [w.payee.address, w.relayer.address];
    w.chain.send(&payer, this, 0, &many(USDC, &[(a, session, USD), (b, session, USD)])).bytes();
    let deposits = [1, 2].map(|book| w.channels.view(&mut w.chain, Number { book, serial: 0 }).deposit);
    assert_eq!(deposits, [USD, USD + 9_999]);
    w.assert_balanced();
}

#[test]
fn a_refund_request_lapses_one_period_after_it_is_due() {
    let mut w = world();
    let (payer, payee) = (w.signer("payer", 100 * DOT, 0), w.signer("payee", DOT, 0));
    w.signed_channel(&payer, &payee);
    let this = w.channels.address;
    let ask = Channels::requestRefundCall { book: 1, serial: 0, amount: DOT };
    let finish = Channels::finishCall { book: 1, serial: 0 };
    let now = w.chain.now();
    w.chain.call_as(payer.address, this, 0, ask.abi_encode()).bytes();
    w.chain.advance(59);
    assert_eq!(w.denied(&finish), Error::NotDue { now: now + 59, due_at: now + 60 });
    w.chain.advance(61);
    assert_eq!(w.denied(&finish), Error::Lapsed { now: now + 120, lapsed_at: now + 120 });
    assert_eq!(w.chain.ask(this, &Channels::coverCall { book: 1, serial: 0 }), DOT, "what lapsed covers again");
    w.chain.call_as(payer.address, this, 0, ask.abi_encode()).bytes();
    w.chain.advance(119);
    let refunded = w.carry(&finish).event::<Both::Refunded>();
    assert_eq!((refunded.amount, refunded.deposit), (DOT, 0));
    // What was asked for a second time is not there.
    w.chain.call_as(payer.address, this, 0, ask.abi_encode()).bytes();
    w.chain.advance(60);
    assert_eq!(w.denied(&finish), Error::NothingToPay {});
    w.assert_balanced();
}

#[test]
fn what_nobody_is_owed_is_swept_where_deployment_said_and_nothing_else_is() {
    let mut w = world();
    let (this, to) = (w.channels.address, Parameters::default().sweep_to);
    for token in [NATIVE, USDC] {
        let amount = if token == NATIVE { DOT } else { USD };
        w.channels.open(&mut w.chain, &w.payer, w.payee.address, w.session.address, token, amount);
        assert_eq!(w.denied(&Both::sweepCall { token: to_sol(&token) }), Error::NothingToPay {});
    }
    let unlisted = Address(hub::erc20_address(77).0);
    let owner = w.payer.account.clone();
    let made = w.chain.with(|| Assets::force_create(RuntimeOrigin::root(), 77u32.into(), owner.into(), true, 1));
    assert_eq!(made, Ok(()));
    for (token, amount) in [(NATIVE, 3 * DOT), (USDC, 10_000), (unlisted, 500)] {
        let before = w.chain.spendable(token, to);
        w.chain.fund(token, this, amount);
        let relayer = w.relayer.clone();
        assert_eq!(w.denied_to(&relayer, RATIO, &Both::sweepCall { token: to_sol(&token) }), Error::WrongValue { sent: RATIO, expected: 0 });
        let done = w.carry(&Both::sweepCall { token: to_sol(&token) });
        assert_eq!(done.ok::<Both::sweepCall>(), amount);
        let event = done.event::<Both::Swept>();
        assert_eq!((from_sol(&event.token), from_sol(&event.to), event.amount), (token, to, amount));
        assert_eq!(w.chain.spendable(token, to), before + amount);
        assert_eq!(w.denied(&Both::sweepCall { token: to_sol(&token) }), Error::NothingToPay {});
    }
    // Money that is no account's yet, or code that is no asset, is not asked.
    for token in [Address([9; 20]), Address(std::array::from_fn(|i| u8::from(i == 19)))] {
        assert_eq!(w.denied(&Both::sweepCall { token: to_sol(&token) }), Error::NotListed { token });
    }
    w.assert_balanced();
}

#[test]
fn a_sweep_that_cannot_arrive_is_refused_and_can_be_made_later() {
    let mut w = world();
    let (this, to) = (w.channels.address, Parameters::default().sweep_to);
    w.chain.fund(USDC, this, 9_999);
    let sweep = Both::sweepCall { token: to_sol(&USDC) };
    assert_eq!(w.denied(&sweep), Error::PayoutFailed { to, amount: 9_999 });
    w.chain.fund(USDC, this, 1);
    w.carry(&sweep).bytes();
    assert_eq!(w.chain.balance(USDC, to), 10_000);
    w.assert_balanced();
}

#[test]
fn open_channels_are_listed_in_pages() {
    let mut w = world();
    let (payer, payee, session, this) = (w.payer.clone(), w.payee.clone(), w.session.address, w.channels.address);
    let of = vec![(payee.address, session, RATIO); 10];
    assert_eq!(w.chain.ask(this, &Channels::channelsCall { book: 1, from: 0, count: 400 }).serials, Vec::<u32>::new());
    w.chain.send(&payer, this, 10 * RATIO, &many(NATIVE, &of)).bytes();
    let none = VoucherRow { cumulative_amount: 0, signature: CompactSignature([0; 64]) };
    for serial in [0, 3, 4, 5, 6, 7, 9] {
        let channels = w.channels;
        channels.close(&mut w.chain, &payee, Number { book: 1, serial }, &none).bytes();
    }
    let expected: [(u32, u32, u32, &[u32], u32); 9] = [
        (1, 0, 400, &[1, 2, 8], 0),
        (1, 0, 10, &[1, 2, 8], 0),
        (1, 0, 9, &[1, 2, 8], 9),
        (1, 0, 2, &[1], 2),
        (1, 2, 4, &[2], 6),
        (1, 3, 5, &[], 8),
        // None is at least one.
        (1, 8, 0, &[8], 9),
        (1, 10, 5, &[], 0),
        (1, u32::MAX, u32::MAX, &[], 0),
    ];
    for (book, from, count, serials, next) in expected {
        let page = w.chain.ask(this, &Channels::channelsCall { book, from, count });
        assert_eq!((page.serials.as_slice(), page.next), (serials, next), "{count} from {from}");
    }
    // A page is at most 400.
    let many_of: Vec<_> = vec![(payee.address, session, RATIO); 200];
    for _ in 0..2 {
        w.chain.send(&payer, this, 200 * RATIO, &many(NATIVE, &many_of)).bytes();
    }
    let page = w.chain.ask(this, &Channels::channelsCall { book: 1, from: 0, count: u32::MAX });
    assert_eq!((page.serials.len(), page.next), (393, 400));
    let rest = w.chain.ask(this, &Channels::channelsCall { book: 1, from: 400, count: 400 });
    assert_eq!((rest.serials, rest.next), ((400..410).collect(), 0));
    w.assert_balanced();
}

#[test]
fn cover_falls_with_a_request_and_never_below_what_is_claimed() {
    let mut w = world();
    let (payer, payee) = (w.signer("payer", 100 * DOT, 0), w.signer("payee", DOT, 0));
    let this = w.channels.address;
    let cover = |w: &mut World| w.chain.ask(this, &Channels::coverCall { book: 1, serial: 0 });
    assert_eq!(cover(&mut w), 0, "no channel covers nothing");
    let channel = w.signed_channel(&payer, &payee);
    assert_eq!(cover(&mut w), DOT);
    let ask = |amount| Channels::requestRefundCall { book: 1, serial: 0, amount }.abi_encode();
    w.chain.call_as(payer.address, this, 0, ask(DOT / 4)).bytes();
    assert_eq!(cover(&mut w), DOT / 4 * 3);
    let (channels, relayer, session) = (w.channels, w.relayer.clone(), w.session.clone());
    let row = channels.voucher(&session, &channel, DOT / 10 * 9);
    channels.claim(&mut w.chain, &relayer, channel.number, &row).bytes();
    assert_eq!(cover(&mut w), DOT / 10 * 9, "older vouchers stay good until the refund is taken");
    w.chain.advance(60);
    let refunded = w.carry(&Channels::finishCall { book: 1, serial: 0 }).event::<Both::Refunded>();
    assert_eq!((refunded.amount, refunded.deposit), (DOT / 10, DOT / 10 * 9));
    let top_up = Channels::topUpCall { book: 1, serial: 0, channelId: channel.id.0.into(), amount: DOT };
    w.chain.call_as(payer.address, this, DOT, top_up.abi_encode()).bytes();
    assert_eq!(cover(&mut w), DOT / 10 * 19);
    w.chain.call_as(payer.address, this, 0, Channels::requestCloseCall { book: 1, serial: 0 }.abi_encode()).bytes();
    assert_eq!(cover(&mut w), DOT / 10 * 9, "nothing new is covered once a close is asked for");
    w.chain.advance(60);
    w.carry(&Channels::finishCall { book: 1, serial: 0 }).bytes();
    assert_eq!(cover(&mut w), 0);
    w.assert_balanced();
}

#[test]
fn calldata_that_ends_early_or_holds_too_large_a_number_is_refused_as_bad_arguments() {
    let mut w = world();
    let who = w.payer.clone();
    let a = to_sol(&w.payee.address);
    let (r, s) = ([1u8; 32].into(), [2u8; 32].into());
    let key = VoucherKey::named("payer");
    let message = opening(&w, &key, 0);
    let both = (([1; 32], [2; 32]), (0, 27, [1; 32], [2; 32]));
    let calls: Vec<(&str, Vec<u8>)> = vec![
        ("openWithPermit", open_with_permit(&message, both.1).abi_encode()),
        ("openFor", open_for(&message, both.0).abi_encode()),
        ("openForWithPermit", open_for_with_permit(&message, both.0, both.1).abi_encode()),
        ("openMany", many(NATIVE, &[(w.payee.address, w.session.address, DOT), (w.payee.address, w.session.address, DOT)]).abi_encode()),
        ("open", Channels::openCall { payee: a, voucherSigner: a, token: a, challengePeriodSecs: 60, amount: 1 }.abi_encode()),
        ("topUp", Channels::topUpCall { book: 1, serial: 0, channelId: [3; 32].into(), amount: 1 }.abi_encode()),
        ("claim", Channels::claimCall { book: 1, serial: 0, cumulativeAmount: 1, r, yParityAndS: s }.abi_encode()),
        ("claimBatch", Both::claimBatchCall { blob: vec![1; 64].into() }.abi_encode()),
        ("requestClose", Channels::requestCloseCall { book: 1, serial: 0 }.abi_encode()),
        ("requestRefund", Channels::requestRefundCall { book: 1, serial: 0, amount: 1 }.abi_encode()),
        ("requestRefundFor", Channels::requestRefundForCall { book: 1, serial: 0, amount: 1, nonce: 0, deadline: 0, r, yParityAndS: s }.abi_encode()),
        ("finish", Channels::finishCall { book: 1, serial: 0 }.abi_encode()),
        ("close", Channels::closeCall { book: 1, serial: 0, cumulativeAmount: 1, r, yParityAndS: s }.abi_encode()),
        ("closeFor", Channels::closeForCall { book: 1, serial: 0, cumulativeAmount: 1, nonce: 0, deadline: 0, r, yParityAndS: s }.abi_encode()),
        ("setTerms", Both::setTermsCall { token: a, beneficiary: a, feeBps: 1, flatFee: 1, minGain: 1, until: 1 }.abi_encode()),
        (
            "setTermsFor",
            Both::setTermsForCall {
                payee: a,
                token: a,
                beneficiary: a,
                feeBps: 1,
                flatFee: 1,
                minGain: 1,
                until: 1,
                nonce: 1,
                deadline: 1,
                r,
                yParityAndS: s,
            }
            .abi_encode(),
        ),
        ("collect", Both::collectCall { token: a, to: a }.abi_encode()),
        ("collectFor", Both::collectForCall { owner: a, token: a, to: a, nonce: 1, deadline: 1, r, yParityAndS: s }.abi_encode()),
        ("push", Both::pushCall { owner: a, token: a }.abi_encode()),
        ("sweep", Both::sweepCall { token: a }.abi_encode()),
        ("revokeNonce", Both::revokeNonceCall { nonce: 1 }.abi_encode()),
        ("isNonceUsed", Both::isNonceUsedCall { signer: a, nonce: 1 }.abi_encode()),
        ("token", Both::tokenCall { token: a }.abi_encode()),
        ("bookOf", Both::bookOfCall { payee: a, token: a }.abi_encode()),
        ("creditOf", Both::creditOfCall { owner: a, token: a }.abi_encode()),
        ("channel", Channels::channelCall { book: 1, serial: 0 }.abi_encode()),
        ("claimable", Channels::claimableCall { book: 1, serial: 0, cumulativeAmount: 1 }.abi_encode()),
        ("cover", Channels::coverCall { book: 1, serial: 0 }.abi_encode()),
        ("channels", Channels::channelsCall { book: 1, from: 0, count: 1 }.abi_encode()),
    ];
    let this = w.channels.address;
    let cells = w.chain.cells(this);
    for (name, whole) in calls {
        for cut in (4..whole.len()).step_by(32).chain([whole.len() - 1]) {
            let refused = w.chain.call_as(who.address, this, 0, whole[..cut].to_vec());
            assert_eq!(refused.refusal(), Error::BadArguments {}, "{name}, cut to {cut} of {} bytes", whole.len());
        }
        // The first word of each is an address, a u32 or a u64, or points to what follows: none has a first byte.
        let mut large = whole.clone();
        large[4] = 1;
        assert_eq!(w.chain.call_as(who.address, this, 0, large).refusal(), Error::BadArguments {}, "{name}, with a first word that is too large");
    }
    assert_eq!(w.chain.cells(this), cells);
}
