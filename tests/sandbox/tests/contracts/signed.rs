//! Calls in a party's name, and the calls that came with them, on the compiled bundle: what they do, and each refusal with its values.
//!
//! - here: forms of payer and payee that anybody carries, their nonces and deadlines
//! - [`permits`]: allowances that come along with an open
//! - [`more`]: many channels at once, lapsing requests, sweeping, listing, cover, arguments that cannot be read

mod more;
mod permits;

use crate::support::{DOT, RATIO, USD, World, world};
use alloy_primitives::U256;
use alloy_sol_types::SolCall;
use rivulet_core::{
    SoftKeccak,
    amount::MAX_AMOUNT,
    blob::VoucherRow,
    eip712::{Close, Collect, Domain, Message, Open, RequestRefund, Terms},
    error::Error,
    ids::{Address, Number},
    outcome::RowOutcome::Applied,
    signature::CompactSignature,
};
use rivulet_sandbox::{
    ChannelsContract, NATIVE, Opened, Outcome, Party, Sandbox, USDC, VoucherKey,
    abi::{both::Both, channels::Channels, erc20::Erc20, from_sol, to_sol},
};

type Halves = ([u8; 32], [u8; 32]);

fn halves(signature: CompactSignature) -> Halves {
    let (mut r, mut s) = ([0; 32], [0; 32]);
    r.copy_from_slice(&signature.0[..32]);
    s.copy_from_slice(&signature.0[32..]);
    (r, s)
}

impl World {
    /// A party with an Ethereum key, which can sign forms, and this money.
    fn signer(&mut self, name: &str, native: u128, usdc: u128) -> VoucherKey {
        let key = VoucherKey::named(name);
        for (token, amount) in [(NATIVE, native), (USDC, usdc)] {
            if amount > 0 {
                self.chain.fund(token, key.address, amount);
            }
        }
        key
    }

    fn sign(&self, key: &VoucherKey, message: &impl Message) -> Halves {
        let separator = Domain::Channels.separator(&Sandbox::deployment(self.channels.address), &SoftKeccak);
        halves(key.sign(&message.digest(&separator, &SoftKeccak)))
    }

    /// The relayer's call is refused, and nothing of the contract's has changed.
    #[track_caller]
    fn denied<C: SolCall>(&mut self, call: &C) -> Error {
        let relayer = self.relayer.clone();
        self.denied_to(&relayer, 0, call)
    }

    #[track_caller]
    fn denied_to<C: SolCall>(&mut self, who: &Party, value: u128, call: &C) -> Error {
        let this = self.channels.address;
        let before = (self.chain.cells(this), self.chain.spendable(NATIVE, this), self.chain.balance(USDC, this));
        let outcome = self.chain.send(who, this, value, call);
        let after = (self.chain.cells(this), self.chain.spendable(NATIVE, this), self.chain.balance(USDC, this));
        assert_eq!(before, after, "{} was refused but changed something", C::SIGNATURE);
        outcome.refusal()
    }

    /// By the relayer.
    fn carry<C: SolCall>(&mut self, call: &C) -> Outcome {
        let relayer = self.relayer.clone();
        self.chain.send(&relayer, self.channels.address, 0, call)
    }

    fn is_used(&mut self, signer: Address, nonce: u64) -> bool {
        self.chain.ask(self.channels.address, &Both::isNonceUsedCall { signer: to_sol(&signer), nonce })
    }

    /// A native channel of one DOT whose payer and payee can sign.
    fn signed_channel(&mut self, payer: &VoucherKey, payee: &VoucherKey) -> Opened {
        let open = Channels::openCall {
            payee: to_sol(&payee.address),
            voucherSigner: to_sol(&self.session.address),
            token: to_sol(&NATIVE),
            challengePeriodSecs: 60,
            amount: DOT,
        };
        ChannelsContract::opened(&self.chain.call_as(payer.address, self.channels.address, DOT, open.abi_encode()))
    }
}

fn open_for(m: &Open, (r, s): Halves) -> Channels::openForCall {
    Channels::openForCall {
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
    }
}

/// An `Open` of one USDC by this payer.
fn opening(w: &World, payer: &VoucherKey, nonce: u64) -> Open {
    Open {
        payer: payer.address,
        payee: w.payee.address,
        voucher_signer: w.session.address,
        token: USDC,
        challenge_period_secs: 60,
        amount: USD,
        nonce,
        deadline: w.chain.now() + 100,
    }
}

#[test]
fn a_payer_without_a_dot_to_spend_opens_by_its_signature_and_an_allowance_given_earlier() {
    let mut w = world();
    // The chain keeps a deposit of 0.01 DOT for an allowance, and an account its 0.01.
    let payer = w.signer("payer", 2 * DOT / 100, 10 * USD);
    let approve = Erc20::approveCall { spender: to_sol(&w.channels.address), amount: U256::from(2 * USD) };
    w.chain.call_as(payer.address, USDC, 0, approve.abi_encode()).bytes();
    assert_eq!(w.chain.spendable(NATIVE, payer.address), 0);

    let message = opening(&w, &payer, 7);
    let signature = w.sign(&payer, &message);
    let done = w.carry(&open_for(&message, signature));
    let answer = done.ok::<Channels::openForCall>();
    let event = done.event::<Channels::ChannelOpened>();
    assert_eq!((answer.book, answer.serial, answer.channelId), (1, 0, event.channelId));
    assert_eq!((from_sol(&event.payer), from_sol(&event.payee), event.amount), (payer.address, w.payee.address, USD));
    let used = done.event::<Both::NonceUsed>();
    assert_eq!((from_sol(&used.signer), used.nonce), (payer.address, 7));
    assert!(w.is_used(payer.address, 7) && !w.is_used(payer.address, 8));
    assert_eq!((w.chain.balance(USDC, payer.address), w.chain.spendable(NATIVE, payer.address)), (9 * USD, 0));
    assert!(done.cost.storage_deposit_planck > 0, "whoever carries it pays for the storage");
    w.assert_balanced();

    // The payer's own vouchers count, and its money comes back to it.
    let id = rivulet_core::ids::ChannelId(answer.channelId.0);
    let row = payer.voucher(&Sandbox::deployment(w.channels.address), id, USD / 4);
    let (channels, relayer) = (w.channels, w.relayer.clone());
    assert_eq!(channels.claim_batch(&mut w.chain, &relayer, &[(Number { book: 1, serial: 0 }, row)]).rows(), [Applied]);
    let none = VoucherRow { cumulative_amount: 0, signature: CompactSignature([0; 64]) };
    let payee = w.payee.clone();
    channels.close(&mut w.chain, &payee, Number { book: 1, serial: 0 }, &none).bytes();
    assert_eq!(w.chain.balance(USDC, payer.address), 10 * USD - USD / 4);
    w.assert_balanced();
}

#[test]
fn a_signed_open_is_refused_when_used_before_late_changed_anywhere_unfunded_or_native() {
    let mut w = world();
    let payer = w.signer("payer", DOT, 10 * USD);
    let message = opening(&w, &payer, 7);
    let signature = w.sign(&payer, &message);

    // Without an allowance.
    assert_eq!(w.denied(&open_for(&message, signature)), Error::PullFailed { token: USDC, expected: USD, received: 0 });
    assert!(!w.is_used(payer.address, 7), "a refused call uses no nonce");
    let approve = Erc20::approveCall { spender: to_sol(&w.channels.address), amount: U256::from(5 * USD) };
    w.chain.call_as(payer.address, USDC, 0, approve.abi_encode()).bytes();

    let changed = [
        Open { payer: w.payer.address, ..message },
        Open { payee: w.relayer.address, ..message },
        Open { voucher_signer: w.relayer.address, ..message },
        Open { token: rivulet_sandbox::USDT, ..message },
        Open { challenge_period_secs: 61, ..message },
        Open { amount: USD + 1, ..message },
        Open { nonce: 8, ..message },
        Open { deadline: message.deadline + 1, ..message },
    ];
    for other in changed {
        assert_eq!(w.denied(&open_for(&other, signature)), Error::BadSignature {}, "{other:?}");
    }
    for scribble in [([0; 32], [0; 32]), ([0xff; 32], [0xff; 32])] {
        assert_eq!(w.denied(&open_for(&message, scribble)), Error::BadSignature {});
    }
    let stranger = VoucherKey::named("stranger");
    let forged = w.sign(&stranger, &message);
    assert_eq!(w.denied(&open_for(&message, forged)), Error::BadSignature {});

    // Native money cannot be pulled, with or without a relayer's own.
    let native = Open { token: NATIVE, amount: DOT, nonce: 9, ..message };
    let native_signature = w.sign(&payer, &native);
    assert_eq!(w.denied(&open_for(&native, native_signature)), Error::WrongValue { sent: 0, expected: DOT });
    let relayer = w.relayer.clone();
    assert_eq!(w.denied_to(&relayer, DOT, &open_for(&native, native_signature)), Error::WrongValue { sent: DOT, expected: 0 });

    // What is signed is checked like any open.
    let now = w.chain.now();
    let unlisted = Address([9; 20]);
    let wrong = [
        (Open { payee: payer.address, nonce: 10, ..message }, Error::BadParty { party: payer.address }),
        (Open { payee: USDC, nonce: 10, ..message }, Error::BadParty { party: USDC }),
        (Open { voucher_signer: Address::ZERO, nonce: 10, ..message }, Error::BadSigner { signer: Address::ZERO }),
        (Open { token: unlisted, nonce: 10, ..message }, Error::NotListed { token: unlisted }),
        (Open { amount: 0, nonce: 10, ..message }, Error::ZeroAmount {}),
        (Open { challenge_period_secs: 59, nonce: 10, ..message }, Error::BadPeriod { given_secs: 59, min_secs: 60, max_secs: 2_592_000 }),
        (Open { amount: 6 * USD, nonce: 10, ..message }, Error::PullFailed { token: USDC, expected: 6 * USD, received: 0 }),
        (Open { deadline: now, nonce: 10, ..message }, Error::Expired { now, deadline: now }),
    ];
    for (message, error) in wrong {
        let signature = w.sign(&payer, &message);
        assert_eq!(w.denied(&open_for(&message, signature)), error, "{message:?}");
    }

    // Good in the last second, once.
    w.chain.advance(99);
    w.carry(&open_for(&message, signature)).bytes();
    assert_eq!(w.denied(&open_for(&message, signature)), Error::NonceUsed { signer: payer.address, nonce: 7 });
    w.chain.advance(1);
    assert_eq!(w.denied(&open_for(&message, signature)), Error::Expired { now: now + 100, deadline: now + 100 });
    w.assert_balanced();
}

#[test]
fn a_payer_asks_for_a_refund_by_its_signature() {
    let mut w = world();
    let (payer, payee) = (w.signer("payer", 100 * DOT, 0), w.signer("payee", DOT, 0));
    let (first, second) = (w.signed_channel(&payer, &payee), w.signed_channel(&payer, &payee));
    let now = w.chain.now();
    let of = |channel: &Opened, amount, nonce| RequestRefund { channel_id: channel.id, amount, nonce, deadline: now + 100 };
    let call = |channel: &Opened, m: &RequestRefund, (r, s): Halves| Channels::requestRefundForCall {
        book: channel.number.book,
        serial: channel.number.serial,
        amount: m.amount,
        nonce: m.nonce,
        deadline: m.deadline,
        r: r.into(),
        yParityAndS: s.into(),
    };
    let half = of(&first, DOT / 2, 1);
    let signature = w.sign(&payer, &half);
    assert_eq!(w.denied(&call(&second, &half, signature)), Error::BadSignature {}, "it names its channel");
    assert_eq!(w.denied(&call(&first, &RequestRefund { amount: DOT, ..half }, signature)), Error::BadSignature {});
    for other in [&payee, &w.session.clone()] {
        let forged = w.sign(other, &half);
        assert_eq!(w.denied(&call(&first, &half, forged)), Error::BadSignature {}, "only the payer asks");
    }
    let nothing = of(&first, 0, 2);
    let nothing_signed = w.sign(&payer, &nothing);
    assert_eq!(w.denied(&call(&first, &nothing, nothing_signed)), Error::NotRequested {});
    let dust = of(&first, RATIO - 1, 3);
    let dust_signed = w.sign(&payer, &dust);
    assert_eq!(w.denied(&call(&first, &dust, dust_signed)), Error::NotMovable { amount: RATIO - 1, grain: RATIO });
    let relayer = w.relayer.clone();
    assert_eq!(w.denied_to(&relayer, RATIO, &call(&first, &half, signature)), Error::WrongValue { sent: RATIO, expected: 0 });

    let done = w.carry(&call(&first, &half, signature));
    assert_eq!(done.ok::<Channels::requestRefundForCall>(), now + 60);
    let event = done.event::<Channels::RefundRequested>();
    assert_eq!((event.book, event.serial, event.amount, event.dueAt), (1, 0, DOT / 2, now + 60));
    assert_eq!(w.chain.ask(w.channels.address, &Channels::coverCall { book: 1, serial: 0 }), DOT / 2);
    assert_eq!(w.denied(&call(&first, &half, signature)), Error::NonceUsed { signer: payer.address, nonce: 1 });

    // It is taken back, by a signature too; asking for the most asks for all.
    assert_eq!(w.carry(&call(&first, &nothing, nothing_signed)).ok::<Channels::requestRefundForCall>(), 0);
    assert_eq!(w.chain.ask(w.channels.address, &Channels::coverCall { book: 1, serial: 0 }), DOT);
    let all = of(&first, u128::MAX, 4);
    let all_signed = w.sign(&payer, &all);
    let most = MAX_AMOUNT - MAX_AMOUNT % RATIO;
    assert_eq!(w.carry(&call(&first, &all, all_signed)).event::<Channels::RefundRequested>().amount, most);
    assert_eq!(w.chain.ask(w.channels.address, &Channels::coverCall { book: 1, serial: 0 }), 0);

    let expired = of(&first, DOT, 5);
    let expired_signed = w.sign(&payer, &expired);
    w.chain.advance(100);
    assert_eq!(w.denied(&call(&first, &expired, expired_signed)), Error::Expired { now: now + 100, deadline: now + 100 });
    let before = w.chain.balance(NATIVE, payer.address);
    w.carry(&Channels::finishCall { book: 1, serial: 0 }).bytes();
    assert_eq!(w.chain.balance(NATIVE, payer.address), before + DOT);
    let unknown = Opened { number: Number { book: 1, serial: 2 }, ..first };
    assert_eq!(w.denied(&call(&unknown, &expired, expired_signed)), Error::UnknownNumber { book: 1, serial: 2 });
    w.assert_balanced();
}

#[test]
fn a_payee_closes_by_its_signature_once_it_is_paid() {
    let mut w = world();
    let (payer, payee) = (w.signer("payer", 100 * DOT, 0), w.signer("payee", DOT, 0));
    let (first, second) = (w.signed_channel(&payer, &payee), w.signed_channel(&payer, &payee));
    let now = w.chain.now();
    let message = Close { channel_id: first.id, cumulative_amount: DOT / 2, nonce: 1, deadline: now + 100 };
    let signature = w.sign(&payee, &message);
    let call = |channel: &Opened, m: &Close, (r, s): Halves| Channels::closeForCall {
        book: channel.number.book,
        serial: channel.number.serial,
        cumulativeAmount: m.cumulative_amount,
        nonce: m.nonce,
        deadline: m.deadline,
        r: r.into(),
        yParityAndS: s.into(),
    };
    assert_eq!(w.denied(&call(&first, &message, signature)), Error::Unpaid { claimed: 0, expected: DOT / 2 });
    assert_eq!(w.denied(&call(&second, &message, signature)), Error::BadSignature {}, "it names its channel");
    let less = Close { cumulative_amount: 0, ..message };
    assert_eq!(w.denied(&call(&first, &less, signature)), Error::BadSignature {}, "it names its total");
    for other in [&payer, &w.session.clone()] {
        let forged = w.sign(other, &message);
        assert_eq!(w.denied(&call(&first, &message, forged)), Error::BadSignature {}, "only the payee closes");
    }
    let (channels, relayer, session) = (w.channels, w.relayer.clone(), w.session.clone());
    let row = channels.voucher(&session, &first, DOT / 2 - RATIO);
    channels.claim(&mut w.chain, &relayer, first.number, &row).bytes();
    assert_eq!(w.denied(&call(&first, &message, signature)), Error::Unpaid { claimed: DOT / 2 - RATIO, expected: DOT / 2 });
    let start = w.chain.snapshot();
    let row = channels.voucher(&session, &first, DOT / 4 * 3);
    channels.claim(&mut w.chain, &relayer, first.number, &row).bytes();
    assert_eq!(w.denied(&call(&first, &message, signature)), Error::Unpaid { claimed: DOT / 4 * 3, expected: DOT / 2 }, "used since");
    w.chain.restore(&start);
    let row = channels.voucher(&session, &first, DOT / 2);
    channels.claim(&mut w.chain, &relayer, first.number, &row).bytes();
    let before = w.chain.balance(NATIVE, payer.address);
    let closed = w.carry(&call(&first, &message, signature)).event::<Channels::Closed>();
    assert_eq!((closed.book, closed.serial, closed.claimed, closed.refund), (1, 0, DOT / 2, DOT / 2));
    assert_eq!(w.chain.balance(NATIVE, payer.address), before + DOT / 2);
    assert_eq!(w.denied(&call(&first, &message, signature)), Error::ClosedNumber { book: 1, serial: 0 });

    // One nonce, one form, whatever the channel; and nothing after its deadline.
    let reused = Close { channel_id: second.id, cumulative_amount: 0, ..message };
    let reused_signed = w.sign(&payee, &reused);
    assert_eq!(w.denied(&call(&second, &reused, reused_signed)), Error::NonceUsed { signer: payee.address, nonce: 1 });
    let late = Close { nonce: 2, ..reused };
    let late_signed = w.sign(&payee, &late);
    w.chain.advance(100);
    assert_eq!(w.denied(&call(&second, &late, late_signed)), Error::Expired { now: now + 100, deadline: now + 100 });
    w.assert_balanced();
}

#[test]
fn a_payee_sets_its_terms_by_its_signature() {
    let mut w = world();
    let payee = w.signer("payee", 0, 0);
    let now = w.chain.now();
    let message = Terms {
        payee: payee.address,
        token: USDC,
        beneficiary: w.relayer.address,
        fee_bps: 300,
        flat_fee: 5,
        min_gain: 1_000,
        until: now + 1_000,
        nonce: 1,
        deadline: now + 100,
    };
    let call = |m: &Terms, (r, s): Halves| Both::setTermsForCall {
        payee: to_sol(&m.payee),
        token: to_sol(&m.token),
        beneficiary: to_sol(&m.beneficiary),
        feeBps: m.fee_bps,
        flatFee: m.flat_fee,
        minGain: m.min_gain,
        until: m.until,
        nonce: m.nonce,
        deadline: m.deadline,
        r: r.into(),
        yParityAndS: s.into(),
    };
    let signature = w.sign(&payee, &message);
    let changed = [
        Terms { payee: w.payee.address, ..message },
        Terms { token: NATIVE, ..message },
        Terms { beneficiary: w.payer.address, ..message },
        Terms { fee_bps: 301, ..message },
        Terms { flat_fee: 6, ..message },
        Terms { min_gain: 999, ..message },
        Terms { until: now + 1_001, ..message },
        Terms { nonce: 2, ..message },
        Terms { deadline: now + 101, ..message },
    ];
    for other in changed {
        assert_eq!(w.denied(&call(&other, signature)), Error::BadSignature {}, "{other:?}");
    }
    let relayer = w.relayer.clone();
    assert_eq!(w.denied_to(&relayer, RATIO, &call(&message, signature)), Error::WrongValue { sent: RATIO, expected: 0 });
    let unlisted = Address([9; 20]);
    let wrong = [
        (Terms { fee_bps: 501, ..message }, Error::FeeAboveCeiling { given_bps: 501, ceiling_bps: 500 }),
        (Terms { beneficiary: USDC, ..message }, Error::BadParty { party: USDC }),
        (Terms { token: unlisted, ..message }, Error::NotListed { token: unlisted }),
        (Terms { flat_fee: MAX_AMOUNT + 1, ..message }, Error::TooMuch { amount: MAX_AMOUNT + 1, max: MAX_AMOUNT }),
        (Terms { min_gain: MAX_AMOUNT + 1, ..message }, Error::TooMuch { amount: MAX_AMOUNT + 1, max: MAX_AMOUNT }),
        (Terms { deadline: now, ..message }, Error::Expired { now, deadline: now }),
    ];
    for (message, error) in wrong {
        let signature = w.sign(&payee, &message);
        assert_eq!(w.denied(&call(&message, signature)), error, "{message:?}");
    }
    let set = w.carry(&call(&message, signature)).event::<Both::TermsSet>();
    assert_eq!((set.book, set.feeBps, set.flatFee, set.minGain, set.until), (1, 300, 5, 1_000, now + 1_000));
    assert_eq!(w.denied(&call(&message, signature)), Error::NonceUsed { signer: payee.address, nonce: 1 });
    let worse = Terms { fee_bps: 299, nonce: 2, ..message };
    let worse_signed = w.sign(&payee, &worse);
    assert_eq!(w.denied(&call(&worse, worse_signed)), Error::TermsHeld { until: now + 1_000 });
}

#[test]
fn an_owner_without_an_account_sends_its_credit_elsewhere_by_its_signature() {
    let mut w = world();
    // No account: what a batch pays it becomes credit.
    let owner = w.signer("owner", 0, 0);
    let channel = w.channels.open(&mut w.chain, &w.payer, owner.address, w.session.address, NATIVE, DOT);
    let row = w.channels.voucher(&w.session, &channel, DOT);
    assert_eq!(w.channels.claim_batch(&mut w.chain, &w.relayer, &[(channel.number, row)]).rows(), [Applied]);
    assert_eq!(w.channels.credit(&mut w.chain, owner.address, NATIVE), DOT);

    let now = w.chain.now();
    let to = w.chain.party("//other").address;
    let message = Collect { owner: owner.address, token: NATIVE, to, nonce: u64::MAX, deadline: now + 1 };
    let call = |m: &Collect, (r, s): Halves| Both::collectForCall {
        owner: to_sol(&m.owner),
        token: to_sol(&m.token),
        to: to_sol(&m.to),
        nonce: m.nonce,
        deadline: m.deadline,
        r: r.into(),
        yParityAndS: s.into(),
    };
    let signature = w.sign(&owner, &message);
    let relayer = w.relayer.clone();
    for other in [Collect { to: relayer.address, ..message }, Collect { token: USDC, ..message }, Collect { owner: w.payer.address, ..message }] {
        assert_eq!(w.denied(&call(&other, signature)), Error::BadSignature {}, "{other:?}");
    }
    assert_eq!(w.denied_to(&relayer, RATIO, &call(&message, signature)), Error::WrongValue { sent: RATIO, expected: 0 });
    let this = w.channels.address;
    let wrong = [
        (Collect { to: this, ..message }, Error::BadParty { party: this }),
        (Collect { token: USDC, ..message }, Error::NothingToPay {}),
        (Collect { deadline: now, ..message }, Error::Expired { now, deadline: now }),
    ];
    for (message, error) in wrong {
        let signature = w.sign(&owner, &message);
        assert_eq!(w.denied(&call(&message, signature)), error, "{message:?}");
    }
    let deployer = w.chain.party("//deployer");
    let refuses = w.chain.deploy_evm(&deployer, rivulet_sandbox::evm::REVERTS);
    let stuck = Collect { to: refuses, ..message };
    let stuck_signed = w.sign(&owner, &stuck);
    assert_eq!(w.denied(&call(&stuck, stuck_signed)), Error::PayoutFailed { to: refuses, amount: DOT });

    let before = w.chain.balance(NATIVE, to);
    let done = w.carry(&call(&message, signature));
    assert_eq!(done.ok::<Both::collectForCall>(), DOT);
    let event = done.event::<Both::Collected>();
    assert_eq!((from_sol(&event.owner), from_sol(&event.to), event.amount), (owner.address, to, DOT));
    assert_eq!(w.chain.balance(NATIVE, to), before + DOT);
    assert_eq!(w.denied(&call(&message, signature)), Error::NonceUsed { signer: owner.address, nonce: u64::MAX });
    w.assert_balanced();
}

#[test]
fn a_signer_takes_back_what_it_signed_and_nobody_elses() {
    let mut w = world();
    let [payer, other] = ["payer", "other"].map(|name| w.signer(name, 10 * DOT, 10 * USD));
    let this = w.channels.address;
    for key in [&payer, &other] {
        let approve = Erc20::approveCall { spender: to_sol(&this), amount: U256::from(9 * USD) };
        w.chain.call_as(key.address, USDC, 0, approve.abi_encode()).bytes();
    }
    for nonce in [0, 255, 256, u64::MAX] {
        let revoke = Both::revokeNonceCall { nonce };
        let done = w.chain.call_as(payer.address, this, 0, revoke.abi_encode());
        let event = done.event::<Both::NonceUsed>();
        assert_eq!((from_sol(&event.signer), event.nonce), (payer.address, nonce));
        assert!(w.is_used(payer.address, nonce) && !w.is_used(other.address, nonce));
        let again = w.chain.call_as(payer.address, this, 0, revoke.abi_encode());
        assert_eq!(again.refusal(), Error::NonceUsed { signer: payer.address, nonce });
        let message = opening(&w, &payer, nonce);
        let signature = w.sign(&payer, &message);
        assert_eq!(w.denied(&open_for(&message, signature)), Error::NonceUsed { signer: payer.address, nonce });
        let message = opening(&w, &other, nonce);
        let signature = w.sign(&other, &message);
        w.carry(&open_for(&message, signature)).bytes();
    }
    assert!(!w.is_used(payer.address, 1) && !w.is_used(payer.address, 254) && !w.is_used(payer.address, 257));
    let paid = w.chain.call_as(payer.address, this, RATIO, Both::revokeNonceCall { nonce: 1 }.abi_encode());
    assert_eq!(paid.refusal(), Error::WrongValue { sent: RATIO, expected: 0 });
    w.assert_balanced();
}
