//! Calls that must be refused: by the error's name, with its values, and without a trace.

use crate::support::{DOT, RATIO, USD, World, world};
use alloy_sol_types::SolCall;
use rivulet_core::{
    amount::MAX_AMOUNT,
    blob::VoucherRow,
    error::Error,
    ids::{Address, Number},
    signature::CompactSignature,
};
use rivulet_sandbox::{
    NATIVE, Opened, Party, USDC,
    abi::{both::Both, channels::Channels, to_sol},
};

impl World {
    fn channel(&mut self) -> Opened {
        self.channels.open(&mut self.chain, &self.payer, self.payee.address, self.session.address, NATIVE, DOT)
    }

    /// Calls, and checks that nothing of the contract's has changed.
    #[track_caller]
    fn refused<C: SolCall>(&mut self, who: &Party, value: u128, call: &C) -> Error {
        let before = (self.chain.cells(self.channels.address), self.chain.spendable(NATIVE, self.channels.address));
        let outcome = self.chain.send(who, self.channels.address, value, call);
        let after = (self.chain.cells(self.channels.address), self.chain.spendable(NATIVE, self.channels.address));
        assert_eq!(before, after, "{} was refused but changed something", C::SIGNATURE);
        assert!(outcome.logs.is_empty(), "{} was refused but logged something", C::SIGNATURE);
        outcome.refusal()
    }
}

#[test]
fn a_channel_is_refused_for_a_wrong_party_signer_token_period_amount_or_value() {
    let mut w = world();
    let (payer, payee, signer) = (w.payer.clone(), to_sol(&w.payee.address), to_sol(&w.session.address));
    let good = Channels::openCall { payee, voucherSigner: signer, token: to_sol(&NATIVE), challengePeriodSecs: 60, amount: DOT };
    let this = w.channels.address;
    let pallet = Address(rivulet_runtime::hub::erc20_address(77).0);
    for party in [Address::ZERO, payer.address, this, USDC, pallet, Address(std::array::from_fn(|i| u8::from(i == 19)))] {
        let call = Channels::openCall { payee: to_sol(&party), ..good.clone() };
        assert_eq!(w.refused(&payer, DOT, &call), Error::BadParty { party });
    }
    for signer in [Address::ZERO, w.payee.address] {
        let call = Channels::openCall { voucherSigner: to_sol(&signer), ..good.clone() };
        assert_eq!(w.refused(&payer, DOT, &call), Error::BadSigner { signer });
    }
    for given_secs in [59, 2_592_001] {
        let call = Channels::openCall { challengePeriodSecs: given_secs, ..good.clone() };
        assert_eq!(w.refused(&payer, DOT, &call), Error::BadPeriod { given_secs, min_secs: 60, max_secs: 2_592_000 });
    }
    let token = Address([9; 20]);
    assert_eq!(w.refused(&payer, 0, &Channels::openCall { token: to_sol(&token), ..good.clone() }), Error::NotListed { token });
    assert_eq!(w.refused(&payer, 0, &Channels::openCall { amount: 0, ..good.clone() }), Error::ZeroAmount {});
    assert_eq!(w.refused(&payer, 0, &good), Error::WrongValue { sent: 0, expected: DOT });
    assert_eq!(w.refused(&payer, DOT + RATIO, &good), Error::WrongValue { sent: DOT + RATIO, expected: DOT });
    let in_usdc = Channels::openCall { token: to_sol(&USDC), amount: USD, ..good.clone() };
    assert_eq!(w.refused(&payer, RATIO, &in_usdc), Error::WrongValue { sent: RATIO, expected: 0 });
    assert_eq!(w.refused(&payer, 0, &in_usdc), Error::PullFailed { token: USDC, expected: USD, received: 0 });
    let too_much = Channels::openCall { amount: MAX_AMOUNT + 1, ..in_usdc };
    assert!(matches!(w.refused(&payer, 0, &too_much), Error::PullFailed { .. } | Error::TooMuch { .. }));

    // Wei that the chain cannot move can only come from an Ethereum transaction; the contract would take them in and could not give them back.
    let dust = Channels::openCall { amount: DOT + 1, ..good };
    let outcome = w.chain.call_as(payer.address, this, DOT + 1, dust.abi_encode());
    assert_eq!(outcome.refusal(), Error::NotMovable { amount: DOT + 1, grain: RATIO });
}

#[test]
fn only_the_payer_asks_to_close_and_only_the_payee_closes() {
    let mut w = world();
    let channel = w.channel();
    let (payer, payee, relayer) = (w.payer.clone(), w.payee.clone(), w.relayer.clone());
    let request = Channels::requestCloseCall { book: 1, serial: 0 };
    for who in [&payee, &relayer] {
        assert_eq!(w.refused(who, 0, &request), Error::NotAllowed { caller: who.address, expected: payer.address });
    }
    let row = w.channels.voucher(&w.session, &channel, RATIO);
    for who in [&payer, &relayer] {
        let refused = w.channels.close(&mut w.chain, who, channel.number, &row);
        assert_eq!(refused.refusal(), Error::NotAllowed { caller: who.address, expected: payee.address });
    }
    let forged = VoucherRow { signature: CompactSignature([1; 64]), ..row };
    assert_eq!(w.channels.close(&mut w.chain, &payee, channel.number, &forged).refusal(), Error::BadSignature {});
    w.assert_balanced();
}

#[test]
fn finishing_waits_for_the_request_and_its_period_to_the_second() {
    let mut w = world();
    let (payer, relayer) = (w.payer.clone(), w.relayer.clone());
    let channel = w.channel();
    let finish = Channels::finishCall { book: 1, serial: 0 };
    assert_eq!(w.refused(&payer, 0, &finish), Error::NotRequested {});
    let due_at = w.chain.now() + 3_600;
    w.chain.send(&payer, w.channels.address, 0, &Channels::requestCloseCall { book: 1, serial: 0 }).bytes();
    w.chain.advance(3_599);
    assert_eq!(w.refused(&relayer, 0, &finish), Error::NotDue { now: due_at - 1, due_at });
    // Until it is finished, vouchers count, due or not.
    w.chain.advance(1_000_000);
    let voucher = w.channels.voucher(&w.session, &channel, DOT / 2);
    assert!(w.channels.claim(&mut w.chain, &relayer, channel.number, &voucher).result.is_ok());
    let finished = w.chain.send(&relayer, w.channels.address, 0, &finish).event::<Channels::Closed>();
    assert_eq!((finished.claimed, finished.refund), (DOT / 2, DOT / 2));
    w.assert_balanced();
}

#[test]
fn a_call_made_a_second_time_pays_nothing_twice() {
    let mut w = world();
    let (payer, payee, relayer) = (w.payer.clone(), w.payee.clone(), w.relayer.clone());
    let (this, unknown) = (w.channels.address, Error::UnknownNumber { book: 1, serial: 0 });
    let request = Channels::requestCloseCall { book: 1, serial: 0 };
    let finish = Channels::finishCall { book: 1, serial: 0 };
    assert_eq!(w.refused(&payer, 0, &request), unknown);
    assert_eq!(w.refused(&payer, 0, &finish), unknown);

    // open: another channel
    let first = w.channel();
    let second = w.channel();
    assert_eq!((first.number.serial, second.number.serial), (0, 1));
    assert_ne!(first.id, second.id);
    // claim: stale
    let row = w.channels.voucher(&w.session, &first, DOT / 2);
    assert!(w.channels.claim(&mut w.chain, &relayer, first.number, &row).result.is_ok());
    let stale = w.channels.claim(&mut w.chain, &relayer, first.number, &row);
    assert_eq!(stale.refusal(), Error::StaleVoucher { cumulative_amount: DOT / 2, claimed: DOT / 2 });
    // claimBatch: stale, and it logs as much
    let before = w.chain.balance(NATIVE, payee.address);
    let again = w.channels.claim_batch(&mut w.chain, &relayer, &[(first.number, row)]);
    assert_eq!(again.rows(), [rivulet_core::outcome::RowOutcome::Stale]);
    assert_eq!(w.chain.balance(NATIVE, payee.address), before);
    // setTerms: the same again
    let terms =
        Both::setTermsCall { token: to_sol(&NATIVE), beneficiary: to_sol(&relayer.address), feeBps: 100, flatFee: 0, minGain: 0, until: u64::MAX };
    w.chain.send(&payee, this, 0, &terms).bytes();
    w.chain.send(&payee, this, 0, &terms).bytes();
    // requestClose: the first counts
    let due_at = w.chain.now() + 3_600;
    w.chain.send(&payer, this, 0, &request).bytes();
    w.chain.advance(10);
    assert_eq!(w.refused(&payer, 0, &request), Error::AlreadyRequested { due_at });
    // topUp, of a channel that is closing: the timer goes on
    let top_up = Channels::topUpCall { book: 1, serial: 0, channelId: first.id.0.into(), amount: DOT };
    w.chain.send(&payer, this, DOT, &top_up).bytes();
    w.chain.send(&payer, this, DOT, &top_up).bytes();
    assert_eq!(w.channels.view(&mut w.chain, first.number).closeDueAt, due_at);
    w.assert_balanced();
    // finish, then anything: gone for good
    w.chain.advance(3_600);
    w.chain.send(&relayer, this, 0, &finish).bytes();
    let gone = Error::ClosedNumber { book: 1, serial: 0 };
    assert_eq!(w.refused(&relayer, 0, &finish), gone);
    assert_eq!(w.refused(&payer, 0, &request), gone);
    assert_eq!(w.refused(&payer, DOT, &top_up), gone);
    assert_eq!(w.channels.claim(&mut w.chain, &relayer, first.number, &row).refusal(), gone);
    assert_eq!(w.channels.close(&mut w.chain, &payee, first.number, &row).refusal(), gone);
    // close, twice
    let none = VoucherRow { cumulative_amount: 0, signature: CompactSignature([0; 64]) };
    w.channels.close(&mut w.chain, &payee, second.number, &none).bytes();
    let again = w.channels.close(&mut w.chain, &payee, second.number, &none);
    assert_eq!(again.refusal(), Error::ClosedNumber { book: 1, serial: 1 });
    // collect and push of nothing
    assert_eq!(w.refused(&payee, 0, &Both::collectCall { token: to_sol(&NATIVE), to: to_sol(&payee.address) }), Error::NothingToPay {});
    assert_eq!(w.refused(&relayer, 0, &Both::pushCall { owner: to_sol(&payee.address), token: to_sol(&NATIVE) }), Error::NothingToPay {});
    w.assert_balanced();
    assert_eq!(w.channels.owed(&mut w.chain, NATIVE), 0);
}

#[test]
fn a_call_that_takes_no_money_sends_it_back() {
    let mut w = world();
    let channel = w.channel();
    let (payer, payee) = (w.payer.clone(), w.payee.clone());
    let sent = Error::WrongValue { sent: RATIO, expected: 0 };
    let row = w.channels.voucher(&w.session, &channel, RATIO);
    let blob = rivulet_sandbox::batch(false, &[(channel.number, row)]);
    assert_eq!(w.refused(&payer, RATIO, &Channels::requestCloseCall { book: 1, serial: 0 }), sent);
    assert_eq!(w.refused(&payer, RATIO, &Channels::finishCall { book: 1, serial: 0 }), sent);
    assert_eq!(w.refused(&payer, RATIO, &Both::claimBatchCall { blob: blob.into() }), sent);
    assert_eq!(w.refused(&payee, RATIO, &Both::collectCall { token: to_sol(&NATIVE), to: to_sol(&payee.address) }), sent);
    assert_eq!(w.refused(&payee, RATIO, &Both::pushCall { owner: to_sol(&payee.address), token: to_sol(&NATIVE) }), sent);
    let terms = Both::setTermsCall { token: to_sol(&NATIVE), beneficiary: to_sol(&payer.address), feeBps: 1, flatFee: 0, minGain: 0, until: 1 };
    assert_eq!(w.refused(&payee, RATIO, &terms), sent);
    // A view is no place for money either.
    let view = w.chain.send(&payer, w.channels.address, RATIO, &Both::configCall {});
    assert!(view.result.is_err(), "a view took money");
    w.assert_balanced();
}

#[test]
fn terms_stay_below_the_ceiling_and_get_no_worse_before_their_time() {
    let mut w = world();
    let (payee, relayer) = (w.payee.clone(), w.relayer.clone());
    let until = w.chain.now() + 100;
    let terms =
        |fee, until| Both::setTermsCall { token: to_sol(&NATIVE), beneficiary: to_sol(&relayer.address), feeBps: fee, flatFee: 0, minGain: 0, until };
    assert_eq!(w.refused(&payee, 0, &terms(501, until)), Error::FeeAboveCeiling { given_bps: 501, ceiling_bps: 500 });
    let set = w.chain.send(&payee, w.channels.address, 0, &terms(300, until)).event::<Both::TermsSet>();
    assert_eq!((set.book, set.feeBps, set.until), (1, 300, until));
    assert_eq!(w.refused(&payee, 0, &terms(299, until)), Error::TermsHeld { until });
    w.chain.send(&payee, w.channels.address, 0, &terms(400, until)).bytes();
    w.chain.advance(100);
    w.chain.send(&payee, w.channels.address, 0, &terms(1, until + 1)).bytes();
    assert_eq!(w.book(1).map(|b| b.terms.fee_bps), Some(1));
    assert_eq!(w.record(Number { book: 1, serial: 0 }), None);
}
