//! A channel from open to its end, in both kinds of token; balances of real accounts move exactly.

use crate::support::{RATIO, cost_wei, one, world};
use rivulet_core::{
    SoftKeccak,
    error::Error,
    ids::{Address, ChannelId, Deployment},
    outcome::RowOutcome,
};
use rivulet_runtime::genesis;
use rivulet_sandbox::{
    NATIVE, Sandbox, USDC, USDT, VoucherKey,
    abi::{both::Both, channels::Channels, from_sol, to_sol},
};

#[test]
fn a_payment_goes_all_the_way_and_every_unit_arrives() {
    for token in [NATIVE, USDC, USDT] {
        let mut w = world();
        let unit = one(token);
        let [payer_before, payee_before, relayer_before] =
            [w.payer.address, w.payee.address, w.relayer.address].map(|who| w.chain.balance(token, who));

        let channel = w.channels.open(&mut w.chain, &w.payer, w.payee.address, w.session.address, token, 5 * unit);
        w.assert_balanced();
        assert_eq!(w.channels.owed(&mut w.chain, token), 5 * unit);

        let first = w.channels.voucher(&w.session, &channel, unit);
        let claimed = w.channels.claim(&mut w.chain, &w.relayer, channel.number, &first);
        let returned = claimed.ok::<Channels::claimCall>();
        assert_eq!((returned.outcome, returned.gain), (RowOutcome::Applied as u8, unit));
        assert_eq!(w.chain.balance(token, w.payee.address), payee_before + unit);
        w.assert_balanced();

        let second = w.channels.voucher(&w.session, &channel, 3 * unit);
        let batch = w.channels.claim_batch(&mut w.chain, &w.relayer, &[(channel.number, second)]);
        assert_eq!(batch.rows(), [RowOutcome::Applied]);
        assert_eq!(w.chain.balance(token, w.payee.address), payee_before + 3 * unit);
        let event = batch.event::<Both::Claimed>();
        assert_eq!((event.book, event.gain, event.fee), (channel.number.book, 2 * unit, 0));
        assert_eq!(event.rows[..], [&0u32.to_be_bytes()[..], &[0], &(3 * unit).to_be_bytes()[..]].concat());

        let due = w.chain.now() + 3_600;
        let call = Channels::requestCloseCall { book: channel.number.book, serial: channel.number.serial };
        assert_eq!(w.chain.send(&w.payer, w.channels.address, 0, &call).ok::<Channels::requestCloseCall>(), due);
        w.chain.advance(3_600);
        let finish = Channels::finishCall { book: channel.number.book, serial: channel.number.serial };
        let finished = w.chain.send(&w.relayer, w.channels.address, 0, &finish);
        let closed = finished.event::<Channels::Closed>();
        assert_eq!((closed.claimed, closed.refund), (3 * unit, 2 * unit));
        w.assert_balanced();
        assert_eq!(w.channels.owed(&mut w.chain, token), 0);

        assert_eq!(w.chain.balance(token, w.payee.address), payee_before + 3 * unit);
        if token == NATIVE {
            assert_eq!(w.chain.spendable(NATIVE, w.channels.address), 0);
        } else {
            assert_eq!(w.chain.balance(token, w.payer.address), payer_before - 3 * unit);
            assert_eq!(w.chain.balance(token, w.relayer.address), relayer_before);
        }
    }
}

#[test]
fn what_a_transaction_costs_its_sender_is_what_its_cost_says() {
    let mut w = world();
    let before = w.chain.balance(NATIVE, w.payer.address) as i128;
    let (opened, channel) = w.channels.try_open(&mut w.chain, &w.payer, w.payee.address, w.session.address, NATIVE, 60, one(NATIVE));
    let channel = channel.expect("it opens");
    let after = w.chain.balance(NATIVE, w.payer.address) as i128;
    assert_eq!(before - after, one(NATIVE) as i128 + cost_wei(&opened));
    assert!(opened.cost.storage_deposit_planck > 0, "a record is stored");
    assert!(opened.cost.fee_low_planck < opened.cost.fee_planck && opened.cost.fee_low_planck > 0);

    // A refused call costs its fee, and nothing else.
    let refused = w.channels.claim(&mut w.chain, &w.payer, channel.number, &w.channels.voucher(&w.session, &channel, 0));
    assert_eq!(after - w.chain.balance(NATIVE, w.payer.address) as i128, cost_wei(&refused));
    assert_eq!(refused.cost.storage_deposit_planck, 0);
}

#[test]
fn the_payee_closes_with_its_last_voucher_and_the_payer_gets_the_rest_at_once() {
    for token in [NATIVE, USDC] {
        let mut w = world();
        let unit = one(token);
        let channel = w.channels.open(&mut w.chain, &w.payer, w.payee.address, w.session.address, token, 4 * unit);
        let [payer, payee] = [w.payer.address, w.payee.address].map(|who| w.chain.balance(token, who));
        let last = w.channels.voucher(&w.session, &channel, unit);
        let closed = w.channels.close(&mut w.chain, &w.payee, channel.number, &last);
        closed.bytes();
        assert_eq!(w.chain.balance(token, w.payer.address), payer + 3 * unit);
        let cost = if token == NATIVE { cost_wei(&closed) } else { 0 };
        assert_eq!(w.chain.balance(token, w.payee.address) as i128, (payee + unit) as i128 - cost);
        assert!(cost_wei(&closed) < closed.cost.fee_planck as i128 * RATIO as i128, "the record's deposit comes back");
        assert_eq!(w.record(channel.number), None);
        w.assert_balanced();
    }
}

#[test]
fn the_views_tell_a_channels_whole_story() {
    let mut w = world();
    let unit = one(USDC);
    let unknown = w.channels.view(&mut w.chain, rivulet_core::ids::Number { book: 1, serial: 0 });
    assert_eq!((unknown.status, unknown.deposit), (0, 0));

    let channel = w.channels.open(&mut w.chain, &w.payer, w.payee.address, w.session.address, USDC, 5 * unit);
    let (book, serial) = (channel.number.book, channel.number.serial);
    assert_eq!((book, serial), (1, 0));
    let open = w.channels.view(&mut w.chain, channel.number);
    assert_eq!(open.status, 1);
    let parties = [&open.payer, &open.payee, &open.voucherSigner, &open.token].map(from_sol);
    assert_eq!(parties, [w.payer.address, w.payee.address, w.session.address, USDC]);
    assert_eq!((open.challengePeriodSecs, open.openedAt), (3_600, Sandbox::START_SECS));
    assert_eq!((open.deposit, open.claimed), (5 * unit, 0));
    assert_eq!((open.closeDueAt, open.refundRequested, open.refundDueAt), (0, 0, 0));

    let pair = (to_sol(&w.payee.address), to_sol(&USDC));
    assert_eq!(w.chain.ask(w.channels.address, &Both::bookOfCall { payee: pair.0, token: pair.1 }), book);
    let shown = w.chain.ask(w.channels.address, &Both::bookCall { book });
    assert_eq!((shown.payee, shown.token, shown.nextSerial), (pair.0, pair.1, 1));

    for (total, outcome, gain) in [(unit, 0, unit), (9 * unit, 1, 5 * unit), (0, 2, 0)] {
        let answer = w.chain.ask(w.channels.address, &Channels::claimableCall { book, serial, cumulativeAmount: total });
        assert_eq!((answer.outcome, answer.gain, answer.fee), (outcome, gain, 0));
    }
    let beyond = w.chain.ask(w.channels.address, &Channels::claimableCall { book, serial: 1, cumulativeAmount: unit });
    assert_eq!(beyond.outcome, RowOutcome::Unknown as u8);

    w.chain.send(&w.payer, w.channels.address, 0, &Channels::requestCloseCall { book, serial }).bytes();
    let closing = w.channels.view(&mut w.chain, channel.number);
    assert_eq!((closing.status, closing.closeDueAt), (2, w.chain.now() + 3_600));
    w.chain.advance(3_600);
    w.chain.send(&w.payer, w.channels.address, 0, &Channels::finishCall { book, serial }).bytes();
    let closed = w.channels.view(&mut w.chain, channel.number);
    assert_eq!((closed.status, closed.deposit), (3, 0));
    assert_eq!(w.chain.ask(w.channels.address, &Channels::channelIdCall { book, serial }), [0; 32]);
    let gone = w.chain.ask(w.channels.address, &Channels::claimableCall { book, serial, cumulativeAmount: unit });
    assert_eq!(gone.outcome, RowOutcome::Closed as u8);
}

#[test]
fn anyone_tops_up_the_expected_channel_and_no_other() {
    for token in [NATIVE, USDC] {
        let mut w = world();
        let unit = one(token);
        let channel = w.channels.open(&mut w.chain, &w.payer, w.payee.address, w.session.address, token, unit);
        let friend = w.chain.party("//friend");
        let top_up = |id: ChannelId| Channels::topUpCall { book: 1, serial: 0, channelId: id.0.into(), amount: 2 * unit };
        if token != NATIVE {
            w.chain.approve(&friend, token, w.channels.address, 2 * unit);
        }
        let value = if token == NATIVE { 2 * unit } else { 0 };
        let other = ChannelId([1; 32]);
        let refused = w.chain.send(&friend, w.channels.address, value, &top_up(other));
        assert_eq!(refused.refusal(), Error::WrongChannel { expected: other.0, actual: channel.id.0 });
        let done = w.chain.send(&friend, w.channels.address, value, &top_up(channel.id));
        let event = done.event::<Both::ToppedUp>();
        assert_eq!((from_sol(&event.from), event.amount, event.deposit), (friend.address, 2 * unit, 3 * unit));
        w.assert_balanced();
        let all = w.channels.voucher(&w.session, &channel, 3 * unit);
        assert_eq!(w.channels.claim(&mut w.chain, &w.relayer, channel.number, &all).ok::<Channels::claimCall>().gain, 3 * unit);
        w.assert_balanced();
    }
}

#[test]
fn the_id_is_the_formula_over_the_terms_and_binds_chain_and_contract() {
    let mut w = world();
    let channel = w.channels.open(&mut w.chain, &w.payer, w.payee.address, w.session.address, NATIVE, one(NATIVE));
    let here = Sandbox::deployment(w.channels.address);
    assert_eq!(channel.terms.channel_id(&here, &SoftKeccak), channel.id);
    assert_eq!(w.chain.ask(w.channels.address, &Channels::channelIdCall { book: 1, serial: 0 }), channel.id.0);
    // A voucher for the same terms elsewhere is none here.
    for elsewhere in [Deployment { chain_id: here.chain_id + 1, ..here }, Deployment { contract: Address([1; 20]), ..here }] {
        let id = channel.terms.channel_id(&elsewhere, &SoftKeccak);
        for row in [
            w.session.voucher(&elsewhere, id, one(NATIVE)),
            w.session.voucher(&here, id, one(NATIVE)),
            w.session.voucher(&elsewhere, channel.id, one(NATIVE)),
        ] {
            assert_eq!(w.channels.claim(&mut w.chain, &w.relayer, channel.number, &row).refusal(), Error::BadSignature {});
        }
    }
}

#[test]
fn the_payers_own_signature_counts_beside_the_voucher_signers() {
    let mut w = world();
    // An Ethereum account: its key can sign vouchers. Its transactions are not built here, so it calls directly.
    let ethereum = VoucherKey::named("ethereum payer");
    let account = genesis::account_of(&polkadot_sdk::sp_core::H160(ethereum.address.0));
    assert_eq!(genesis::address_of(&account).0, ethereum.address.0);
    w.chain.fund(NATIVE, ethereum.address, 100 * one(NATIVE));
    let call = Channels::openCall {
        payee: to_sol(&w.payee.address),
        voucherSigner: to_sol(&w.session.address),
        token: to_sol(&NATIVE),
        challengePeriodSecs: 60,
        amount: one(NATIVE),
    };
    let outcome = w.chain.call_as(ethereum.address, w.channels.address, one(NATIVE), alloy_sol_types::SolCall::abi_encode(&call));
    let channel = rivulet_sandbox::ChannelsContract::opened(&outcome);
    let rows = [(&ethereum, 1), (&w.session, 2), (&VoucherKey::named("somebody"), 3)].map(|(key, n)| w.channels.voucher(key, &channel, n * RATIO));
    assert!(w.channels.claim(&mut w.chain, &w.relayer, channel.number, &rows[0]).result.is_ok());
    assert!(w.channels.claim(&mut w.chain, &w.relayer, channel.number, &rows[1]).result.is_ok());
    assert_eq!(w.channels.claim(&mut w.chain, &w.relayer, channel.number, &rows[2]).refusal(), Error::BadSignature {});
    w.assert_balanced();
}
