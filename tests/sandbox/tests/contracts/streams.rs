//! Streams in both kinds of token; balances of real accounts move exactly.

use crate::support::{DOT, assert_balanced, cost_wei, one};
use rivulet_core::{
    error::Error,
    ids::Number,
    outcome::RowOutcome::{Applied, Capped, Closed, Stale, Unknown},
    stream,
};
use rivulet_sandbox::{
    NATIVE, Outcome, Party, Sandbox, StreamsContract, USDC,
    abi::{both::Both, streams::Streams, to_sol},
    evm,
};

struct World {
    chain: Sandbox,
    streams: StreamsContract,
    payer: Party,
    payee: Party,
    relayer: Party,
}

fn world() -> World {
    let mut chain = Sandbox::new();
    let streams = StreamsContract::deploy(&mut chain);
    let [payer, payee, relayer] = ["//payer", "//payee", "//relayer"].map(|uri| chain.party(uri));
    World { chain, streams, payer, payee, relayer }
}

impl World {
    #[track_caller]
    fn assert_balanced(&mut self) {
        assert_balanced(&mut self.chain, self.streams.address, |storage, number| {
            let (stream, book) = stream::find(storage, number).expect("it is there");
            assert!(stream.paid <= stream.deposit, "{stream:?}");
            (book.token, stream.deposit - stream.paid)
        });
    }

    /// A hundred of a token over a hundred seconds from now on, fully paid in.
    fn create(&mut self, token: rivulet_core::ids::Token) -> Number {
        let unit = one(token);
        let terms = StreamsContract::terms(self.payee.address, token, 100 * unit, self.chain.now(), 100, 100 * unit);
        let created = self.streams.create(&mut self.chain, &self.payer, &terms);
        let event = created.event::<Streams::StreamCreated>();
        assert_eq!((event.total, event.amount, event.endAt), (100 * unit, 100 * unit, self.chain.now() + 100));
        StreamsContract::created(&created)
    }

    fn by_payer<C: alloy_sol_types::SolCall>(&mut self, call: &C) -> Outcome {
        self.chain.send(&self.payer, self.streams.address, 0, call)
    }
}

#[test]
fn a_stream_pays_by_the_second_and_its_whole_total_at_the_end() {
    for token in [NATIVE, USDC] {
        let mut w = world();
        let unit = one(token);
        let before = w.chain.balance(token, w.payee.address);
        let number = w.create(token);
        w.assert_balanced();
        let nothing = w.streams.claim(&mut w.chain, &w.relayer, number, u128::MAX, w.payee.address);
        assert_eq!(nothing.refusal(), Error::NothingToPay {});

        w.chain.advance(30);
        let claimed = w.streams.claim(&mut w.chain, &w.relayer, number, u128::MAX, w.payee.address);
        assert_eq!(claimed.ok::<Streams::claimCall>(), 30 * unit);
        assert_eq!(w.chain.balance(token, w.payee.address), before + 30 * unit);
        assert_eq!(w.streams.claim_batch(&mut w.chain, &w.relayer, &[number]).rows(), [Stale]);
        w.assert_balanced();

        w.chain.advance(20);
        let shown = w.streams.balances(&mut w.chain, number);
        assert_eq!((shown.deposit, shown.paid, shown.totalDebt, shown.coveredDebt), (100 * unit, 30 * unit, 20 * unit, 20 * unit));
        assert_eq!(w.streams.claim_batch(&mut w.chain, &w.relayer, &[number]).rows(), [Applied]);
        w.chain.advance(1_000);
        let last = w.streams.claim_batch(&mut w.chain, &w.relayer, &[number]);
        assert_eq!(last.event::<Streams::StreamEnded>().paid, 100 * unit);
        assert_eq!(w.chain.balance(token, w.payee.address), before + 100 * unit);
        assert_eq!(w.streams.claim_batch(&mut w.chain, &w.relayer, &[number]).rows(), [Closed]);
        assert_eq!(w.streams.view(&mut w.chain, number).status, 10);
        w.assert_balanced();
    }
}

#[test]
fn pausing_stops_the_flow_and_cancelling_gives_each_side_its_own() {
    for token in [NATIVE, USDC] {
        let mut w = world();
        let unit = one(token);
        let number = w.create(token);
        let (book, serial) = (number.book, number.serial);
        let [payer, payee] = [w.payer.address, w.payee.address].map(|who| w.chain.balance(token, who));
        w.chain.advance(10);
        let mut spent = cost_wei(&w.by_payer(&Streams::pauseCall { book, serial }));
        let again = w.by_payer(&Streams::pauseCall { book, serial });
        assert_eq!(again.refusal(), Error::WrongPause { paused: true });
        w.chain.advance(40);
        let resumed = w.by_payer(&Streams::resumeCall { book, serial });
        w.chain.advance(5);
        let cancelled = w.by_payer(&Streams::cancelCall { book, serial });
        let event = cancelled.event::<Streams::StreamCancelled>();
        assert_eq!((event.due, event.refund), (15 * unit, 85 * unit));
        spent += cost_wei(&again) + cost_wei(&resumed) + cost_wei(&cancelled);
        let spent = if token == NATIVE { spent } else { 0 };
        assert_eq!(w.chain.balance(token, w.payer.address) as i128, (payer + 85 * unit) as i128 - spent);
        assert_eq!(w.chain.balance(token, w.payee.address), payee);
        w.assert_balanced();
        w.chain.advance(1_000);
        assert_eq!(w.streams.claim_batch(&mut w.chain, &w.relayer, &[number]).rows(), [Applied]);
        assert_eq!(w.chain.balance(token, w.payee.address), payee + 15 * unit);
        assert_eq!(w.by_payer(&Streams::cancelCall { book, serial }).refusal(), Error::ClosedNumber { book, serial });
        w.assert_balanced();
    }
}

#[test]
fn an_unfunded_stream_owes_on_and_a_top_up_by_anyone_pays_the_debt() {
    let mut w = world();
    let terms = StreamsContract::terms(w.payee.address, NATIVE, 100 * DOT, w.chain.now(), 100, 10 * DOT);
    let number = StreamsContract::created(&w.streams.create(&mut w.chain, &w.payer, &terms));
    w.chain.advance(30);
    assert_eq!(w.streams.claim_batch(&mut w.chain, &w.relayer, &[number]).rows(), [Capped]);
    let shown = w.streams.balances(&mut w.chain, number);
    assert_eq!((shown.paid, shown.coveredDebt, shown.uncoveredDebt), (10 * DOT, 0, 20 * DOT));
    let top_up = Streams::topUpCall {
        book: number.book,
        serial: number.serial,
        payer: to_sol(&w.payer.address),
        payee: to_sol(&w.payee.address),
        token: to_sol(&NATIVE),
        amount: 20 * DOT,
    };
    let friend = w.chain.party("//friend");
    let wrong = Streams::topUpCall { payee: to_sol(&friend.address), ..top_up.clone() };
    let refused = w.chain.send(&friend, w.streams.address, 20 * DOT, &wrong);
    assert_eq!(refused.refusal(), Error::WrongParties { payer: w.payer.address, payee: w.payee.address, token: NATIVE });
    let done = w.chain.send(&friend, w.streams.address, 20 * DOT, &top_up);
    assert_eq!(done.event::<Both::ToppedUp>().deposit, 30 * DOT);
    assert_eq!(w.streams.claim_batch(&mut w.chain, &w.relayer, &[number, Number { serial: 1, ..number }]).rows(), [Applied, Unknown]);
    w.assert_balanced();
}

#[test]
fn the_payee_claims_to_any_address_and_others_only_to_the_payee() {
    let mut w = world();
    let number = w.create(USDC);
    w.chain.advance(10);
    let other = w.chain.party("//other").address;
    let before = w.chain.balance(USDC, other);
    let refused = w.streams.claim(&mut w.chain, &w.relayer, number, u128::MAX, other);
    assert_eq!(refused.refusal(), Error::NotAllowed { caller: w.relayer.address, expected: w.payee.address });
    let too_much = w.streams.claim(&mut w.chain, &w.payee, number, 11 * one(USDC), other);
    assert_eq!(too_much.refusal(), Error::Overdraw { asked: 11 * one(USDC), payable: 10 * one(USDC) });
    w.streams.claim(&mut w.chain, &w.payee, number, 4 * one(USDC), other).bytes();
    assert_eq!(w.chain.balance(USDC, other), before + 4 * one(USDC));
    assert_eq!(w.streams.balances(&mut w.chain, number).coveredDebt, 6 * one(USDC));
    w.assert_balanced();
}

#[test]
fn a_payee_that_refuses_gets_credit_and_a_good_one_beside_it_is_paid() {
    let mut w = world();
    let deployer = w.chain.party("//deployer");
    let bad = w.chain.deploy_evm(&deployer, evm::REVERTS);
    let numbers = [w.payee.address, bad].map(|payee| {
        let terms = StreamsContract::terms(payee, NATIVE, 100 * DOT, w.chain.now(), 100, 100 * DOT);
        StreamsContract::created(&w.streams.create(&mut w.chain, &w.payer, &terms))
    });
    w.chain.advance(7);
    let before = w.chain.balance(NATIVE, w.payee.address);
    assert_eq!(w.streams.claim_batch(&mut w.chain, &w.relayer, &numbers).rows(), [Applied, Applied]);
    assert_eq!(w.chain.balance(NATIVE, w.payee.address), before + 7 * DOT);
    assert_eq!(w.chain.spendable(NATIVE, bad), 0);
    let credit = w.chain.ask(w.streams.address, &Both::creditOfCall { owner: to_sol(&bad), token: to_sol(&NATIVE) });
    assert_eq!(credit, 7 * DOT);
    w.assert_balanced();
}
