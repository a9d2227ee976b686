//! Payees that are contracts and misbehave: they get credit, and harm nobody.

use crate::support::{DOT, RATIO, World, cost_wei, world};
use alloy_sol_types::SolCall;
use rivulet_core::{error::Error, ids::Address, outcome::RowOutcome::Applied};
use rivulet_sandbox::{
    NATIVE, Opened, Outcome,
    abi::{both::Both, channels::Channels, to_sol},
    evm,
};

/// Builtin precompile 0x0a.
const POINT_EVALUATION: Address = Address([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0a]);

impl World {
    fn channel_to(&mut self, payee: Address) -> Opened {
        self.channels.open(&mut self.chain, &self.payer, payee, self.session.address, NATIVE, 2 * DOT)
    }

    /// Claims one DOT for the payee under test and for two good ones, before and after it, in one batch.
    fn batch_around(&mut self, payee: Address) -> Outcome {
        let good = [self.chain.party("//good/1").address, self.chain.party("//good/2").address];
        let opened = [self.channel_to(good[0]), self.channel_to(payee), self.channel_to(good[1])];
        let rows = opened.map(|c| (c.number, self.channels.voucher(&self.session, &c, DOT)));
        let before = good.map(|who| self.chain.balance(NATIVE, who));
        let done = self.channels.claim_batch(&mut self.chain, &self.relayer, &rows);
        assert_eq!(done.rows(), [Applied; 3]);
        assert_eq!(good.map(|who| self.chain.balance(NATIVE, who)), before.map(|b| b + DOT), "the good payees are paid");
        self.assert_balanced();
        done
    }
}

/// Batches around a payee of this code, and says how much of its DOT it got and how much became credit.
fn paid_and_credited(code: &[u8]) -> (u128, u128, Outcome) {
    let mut w = world();
    let deployer = w.chain.party("//deployer");
    let payee = w.chain.deploy_evm(&deployer, code);
    let before = w.chain.balance(NATIVE, payee);
    let done = w.batch_around(payee);
    let paid = w.chain.balance(NATIVE, payee) - before;
    let credit = w.channels.credit(&mut w.chain, payee, NATIVE);
    let events = done.events::<Both::Credited>();
    assert_eq!(events.iter().map(|e| e.amount).sum::<u128>(), credit);
    (paid, credit, done)
}

#[test]
fn a_contract_is_paid_by_credit_in_a_batch_and_takes_it_by_a_push() {
    let mut w = world();
    let deployer = w.chain.party("//deployer");
    let payee = w.chain.deploy_evm(&deployer, evm::ACCEPTS);
    w.batch_around(payee);
    assert_eq!(w.channels.credit(&mut w.chain, payee, NATIVE), DOT);
    let before = w.chain.balance(NATIVE, payee);
    let push = Both::pushCall { owner: to_sol(&payee), token: to_sol(&NATIVE) };
    w.chain.send(&w.relayer, w.channels.address, 0, &push).bytes();
    assert_eq!(w.chain.balance(NATIVE, payee) - before, DOT);
    assert_eq!(w.channels.credit(&mut w.chain, payee, NATIVE), 0);
    w.assert_balanced();
}

#[test]
fn whatever_a_contracts_code_would_do_a_batch_gives_it_credit_and_does_not_run_it() {
    let codes = [
        ("reverts", evm::REVERTS.to_vec()),
        ("traps", evm::TRAPS.to_vec()),
        ("burns gas", evm::BURNS_GAS.to_vec()),
        ("reverts at length", evm::REVERTS_AT_LENGTH.to_vec()),
        ("grows storage at the submitter's cost", evm::GROWS_STORAGE.to_vec()),
        ("pays on to an account that does not exist", evm::forwards(Address([0xab; 20]))),
        // The pallet passes this callee's error on to the caller: were the code run in a batch, it would undo the batch.
        ("calls a builtin precompile that is not supported", evm::calls_back(POINT_EVALUATION, &[0; 4], true)),
    ];
    let (_, _, reference) = paid_and_credited(evm::ACCEPTS);
    for (what, code) in codes {
        let (paid, credit, done) = paid_and_credited(&code);
        assert_eq!((paid, credit), (0, DOT), "a payee that {what}");
        assert_eq!(done.cost.ref_time_ps, reference.cost.ref_time_ps, "its code is not run: a payee that {what}");
    }
}

#[test]
fn a_contract_that_calls_back_while_it_is_paid_gets_nowhere() {
    let calls = |payee: Address| -> Vec<(&str, Vec<u8>)> {
        vec![
            ("push", Both::pushCall { owner: to_sol(&payee), token: to_sol(&NATIVE) }.abi_encode()),
            ("collect", Both::collectCall { token: to_sol(&NATIVE), to: to_sol(&payee) }.abi_encode()),
            ("finish", Channels::finishCall { book: 1, serial: 0 }.abi_encode()),
            ("creditOf", Both::creditOfCall { owner: to_sol(&payee), token: to_sol(&NATIVE) }.abi_encode()),
        ]
    };
    for insists in [true, false] {
        for (what, calldata) in calls(Address([1; 20])) {
            let mut w = world();
            let deployer = w.chain.party("//deployer");
            let payee = w.chain.deploy_evm(&deployer, &evm::calls_back(w.channels.address, &calldata, insists));
            let before = w.chain.balance(NATIVE, payee);
            w.batch_around(payee);
            let push = Both::pushCall { owner: to_sol(&payee), token: to_sol(&NATIVE) };
            let pushed = w.chain.send(&w.relayer, w.channels.address, 0, &push);
            assert_eq!(pushed.result.is_err(), insists, "{what}");
            let (paid, credit) = (w.chain.balance(NATIVE, payee) - before, w.channels.credit(&mut w.chain, payee, NATIVE));
            w.assert_balanced();
            // Even a view is denied while the contract pays.
            assert_eq!((paid, credit), if insists { (0, DOT) } else { (DOT, 0) }, "{what}, insists: {insists}");
        }
    }
}

#[test]
fn a_contract_that_refuses_its_credit_too_keeps_it_and_another_push_finds_it() {
    let mut w = world();
    let deployer = w.chain.party("//deployer");
    let payee = w.chain.deploy_evm(&deployer, evm::REVERTS);
    w.batch_around(payee);
    let push = Both::pushCall { owner: to_sol(&payee), token: to_sol(&NATIVE) };
    for _ in 0..2 {
        let refused = w.chain.send(&w.relayer, w.channels.address, 0, &push);
        assert_eq!(refused.refusal(), Error::PayoutFailed { to: payee, amount: DOT });
        assert_eq!(w.channels.credit(&mut w.chain, payee, NATIVE), DOT);
        w.assert_balanced();
    }
}

#[test]
fn a_payer_that_refuses_its_refund_cannot_keep_a_channel_from_ending() {
    let mut w = world();
    // A contract can be a payer when it calls; here it calls directly.
    let deployer = w.chain.party("//deployer");
    let payer = w.chain.deploy_evm(&deployer, evm::REVERTS);
    w.chain.fund(NATIVE, payer, 10 * DOT);
    let open = Channels::openCall {
        payee: to_sol(&w.payee.address),
        voucherSigner: to_sol(&w.session.address),
        token: to_sol(&NATIVE),
        challengePeriodSecs: 60,
        amount: 2 * DOT,
    };
    let outcome = w.chain.call_as(payer, w.channels.address, 2 * DOT, open.abi_encode());
    let channel = rivulet_sandbox::ChannelsContract::opened(&outcome);
    let last = w.channels.voucher(&w.session, &channel, DOT);
    let before = w.chain.balance(NATIVE, w.payee.address) as i128;
    let closed = w.channels.close(&mut w.chain, &w.payee, channel.number, &last);
    closed.bytes();
    assert_eq!(w.chain.balance(NATIVE, w.payee.address) as i128, before + DOT as i128 - cost_wei(&closed));
    assert_eq!(w.channels.credit(&mut w.chain, payer, NATIVE), DOT);
    w.assert_balanced();
}

#[test]
fn a_payee_that_takes_and_refuses_by_turns_cannot_make_its_relayer_pay_for_storage() {
    let mut w = world();
    let deployer = w.chain.party("//deployer");
    let payee = w.chain.deploy_evm(&deployer, evm::REVERTS);
    let channel = w.channel_to(payee);
    let row = w.channels.voucher(&w.session, &channel, RATIO);
    let before = w.chain.balance(NATIVE, w.relayer.address) as i128;
    let claimed = w.channels.claim_batch(&mut w.chain, &w.relayer, &[(channel.number, row)]);
    assert_eq!(claimed.rows(), [Applied]);
    let fee = claimed.cost.fee_planck as i128 * RATIO as i128;
    assert_eq!(
        before - w.chain.balance(NATIVE, w.relayer.address) as i128,
        fee,
        "the relayer paid {} planck of deposit",
        claimed.cost.storage_deposit_planck
    );
}
