//! Random calls by several parties, put to the compiled contract and to a model that knows nothing of core. After each: the same answer or the same
//! refusal with the same values, the same raw storage, and everybody has what the model says, to the unit.
//!
//! any calls in any order
//! ├── opens (one, many, by signature), top-ups, claims, batches, requests, ends, terms, credit, sweeps, nonces, gifts, replays
//! ├── time jumps to the second before, at and after a thing is due or lapses
//! └── then all leave: whatever was done, everybody gets its own and the contract owes nothing
//!
//! `RIVULET_SEQUENCES` says how many sequences; `PROPTEST_RNG_SEED` repeats a run.

mod model;
mod steps;

use alloy_primitives::{Address as SolAddress, U256};
use alloy_sol_types::SolCall;
use model::{Account, Addr, Call, GRAIN, Group, Kind, Model, Number, Opening, Row, Signed, State, Terms, blob, words};
use proptest::{
    prelude::*,
    test_runner::{TestError, TestRunner},
};
// The type that the sandbox is driven by; nothing else of core is used here, and nothing at all in the model.
use rivulet_core::ids::Address;
use rivulet_runtime::hub;
use rivulet_sandbox::{
    ChannelsContract, Failure, Outcome, Parameters, Sandbox, Snapshot, USDC, USDT, VoucherKey,
    abi::{both::Both, channels::Channels, erc20::Erc20},
    evm,
};
use std::{cell::RefCell, collections::BTreeMap};
use steps::{Amount, Ask, Damage, Form, HABITS, Habit, Hand, Jump, KEYS, Owner, Pick, Signer, Step, TermsOf, To, Total, Who, Who::*, first, step};

/// Sequences of up to this many steps, after a few that there is something to call.
const STEPS: usize = 100;
const SEQUENCES: u32 = 200;
/// What so many sequences reach many times over.
#[rustfmt::skip]
const REACHED: &[&str] = &[
    "Open", "OpenMany", "OpenFor", "TopUp", "Claim", "Batch", "RequestClose", "RequestRefund", "RequestRefundFor", "Finish", "Close", "CloseFor",
    "SetTerms", "SetTermsFor", "Collect", "CollectFor", "Push", "Sweep", "RevokeNonce",
    "outcome 0", "outcome 1", "outcome 2", "outcome 3", "outcome 4", "outcome 5",
    "BadParty", "BadSigner", "BadPeriod", "ZeroAmount", "NotMovable", "WrongValue", "PullFailed", "UnknownNumber", "ClosedNumber", "WrongChannel",
    "NotAllowed", "AlreadyRequested", "NotRequested", "NotDue", "Lapsed", "BadSignature", "StaleVoucher", "NothingToPay", "PayoutFailed", "BadBlob",
    "TermsHeld", "FeeAboveCeiling", "Expired", "NonceUsed", "Unpaid",
];

fn sol(a: Addr) -> SolAddress {
    SolAddress::new(a.0)
}

/// The chain before any sequence, and the model of it.
struct World {
    chain: Sandbox,
    start: Snapshot,
    model: Model,
    keys: BTreeMap<Who, VoucherKey>,
    session: VoucherKey,
    guests: Vec<Addr>,
}

impl World {
    fn new() -> Self {
        let mut chain = Sandbox::new();
        let contract = Addr(ChannelsContract::deploy(&mut chain).address.0);
        let deployer = chain.party("//deployer");
        let keys: BTreeMap<_, _> = KEYS.map(|who| (who, VoucherKey::named(&format!("{who:?}")))).into();
        let wealth = |who| match who {
            NewPayee => (0, 0),
            PayerB => (1_000_000 * DOT, 60_003),
            _ => (1_000_000 * DOT, 1_000_000_000_000),
        };
        for (who, key) in &keys {
            let (native, usdc) = wealth(*who);
            if native > 0 {
                chain.fund(model::NATIVE.into(), key.address, native);
                chain.fund(USDC, key.address, usdc);
            }
            if [PayerA, PayerB, Stranger].contains(who) {
                let approve = Erc20::approveCall { spender: sol(contract), amount: U256::MAX };
                chain.call_as(key.address, USDC, 0, approve.abi_encode()).bytes();
            }
        }
        let push = Both::pushCall { owner: sol(Addr(keys[&Relayer].address.0)), token: sol(model::NATIVE) }.abi_encode();
        let guests = HABITS.map(|habit| {
            let code = match habit {
                Habit::Reverts => evm::REVERTS.to_vec(),
                Habit::BurnsGas => evm::BURNS_GAS.to_vec(),
                Habit::InsistsOnCallingBack => evm::calls_back(contract.into(), &push, true),
                Habit::CallsBackAndTakes => evm::calls_back(contract.into(), &push, false),
            };
            let guest = chain.deploy_evm(&deployer, &code);
            chain.fund(model::NATIVE.into(), guest, 1_000 * DOT);
            Addr(guest.0)
        });
        let model = Model {
            chain_id: hub::CHAIN_ID,
            contract,
            usdc: Addr(USDC.0),
            sweep_to: Addr(Parameters::default().sweep_to.0),
            platform: vec![Addr(USDC.0), Addr(USDT.0)],
            now: chain.now(),
            state: State::parse(&chain.cells(contract.into())).expect("a new contract's storage"),
            accounts: BTreeMap::new(),
            gifts: BTreeMap::new(),
            opened: Vec::new(),
            credited: Vec::new(),
            funded: 0,
        };
        let start = chain.snapshot();
        let mut world = Self { chain, start, model, keys, session: VoucherKey::named("session"), guests: guests.to_vec() };
        for who in world.keys.values().map(|key| Addr(key.address.0)).chain([world.model.sweep_to]).chain(guests).collect::<Vec<_>>() {
            let kind = match (world.guests.iter().position(|guest| *guest == who), world.chain.exists(who.into())) {
                (Some(n), _) => Kind::Code { takes: matches!(HABITS[n], Habit::CallsBackAndTakes) },
                (None, true) => Kind::Account,
                (None, false) => Kind::Absent,
            };
            let (native, usdc) = (world.chain.balance(model::NATIVE.into(), who.into()), world.chain.balance(USDC, who.into()));
            let approves = [PayerA, PayerB, Stranger].iter().any(|w| world.keys[w].address.0 == who.0);
            world.model.accounts.insert(who, Account { kind, native, usdc, approves });
        }
        world
    }
}

const DOT: u128 = 1_000_000_000_000_000_000;

impl From<Addr> for Address {
    fn from(a: Addr) -> Self {
        Self(a.0)
    }
}

/// A call as the contract and as the model take it.
#[derive(Clone)]
struct Made {
    by: Addr,
    value: u128,
    calldata: Vec<u8>,
    call: Call,
}

/// One sequence on its way.
struct Run<'a> {
    w: &'a mut World,
    model: Model,
    guest: Addr,
    /// Of every channel, the closed ones too.
    ids: BTreeMap<Number, [u8; 32]>,
    nonce: u64,
    last: Option<Made>,
    /// What was reached, and how often: calls that went through, refusals, outcomes of rows.
    tally: &'a mut Tally,
}

type Tally = BTreeMap<String, u32>;
type Checked = Result<(), TestCaseError>;

impl<'a> Run<'a> {
    fn new(w: &'a mut World, habit: usize, tally: &'a mut Tally) -> Self {
        w.chain.restore(&w.start);
        let (model, guest) = (w.model.clone(), w.guests[habit]);
        Self { w, model, guest, ids: BTreeMap::new(), nonce: 1_000, last: None, tally }
    }

    fn addr(&self, who: Who) -> Addr {
        if who == ContractPayee { self.guest } else { Addr(self.w.keys[&who].address.0) }
    }

    fn who(&self, addr: Addr) -> Option<&VoucherKey> {
        self.w.keys.values().find(|key| key.address.0 == addr.0)
    }

    fn to(&self, to: To) -> Addr {
        match to {
            To::Party(who) => self.addr(who),
            To::Nobody => model::NATIVE,
            To::Token => self.model.usdc,
            To::TheContract => self.model.contract,
        }
    }

    fn token(&self, native: bool) -> Addr {
        if native { model::NATIVE } else { self.model.usdc }
    }

    /// Who sends: for one without an account, the stranger.
    fn sender(&self, who: Addr) -> Addr {
        if who == self.addr(NewPayee) { self.addr(Stranger) } else { who }
    }

    fn pick(&self, pick: Pick) -> Number {
        let nth = |list: Vec<Number>, n: u8| list.get(usize::from(n) % list.len().max(1)).copied();
        let found = match pick {
            Pick::Open(n) => nth(self.model.state.channels.keys().copied().collect(), n),
            Pick::Asked(n) => nth(self.waiting(|c| c.close_due_at.max(c.refund_due_at)).into_iter().map(|(number, _)| number).collect(), n),
            Pick::OpenOrClosed(n) => nth(self.model.opened.clone(), n),
            Pick::Unknown(n) => Some(if n % 2 == 0 { (99, 0) } else { (1, 300) }),
        };
        found.unwrap_or((1, 0))
    }

    fn token_of(&self, number: Number) -> Addr {
        self.model.state.books.get(&number.0).map_or(model::NATIVE, |book| book.token)
    }

    fn total(&self, number: Number, total: Total) -> u128 {
        let native = self.token_of(number) == model::NATIVE;
        let channel = self.model.state.channels.get(&number);
        match total {
            Total::Units(units, odd) => u128::from(units) * unit(native) + if odd { 123_456_789_017 % unit(native) } else { 0 },
            Total::More(units) => channel.map_or(0, |c| c.claimed) + u128::from(units) * unit(native),
            Total::AboutTheLeastForAFee(more) => {
                let least = self.model.state.books.get(&number.0).map_or(0, |book| book.terms.min_gain);
                let grain = if native { GRAIN as i128 } else { 1 };
                (channel.map_or(0, |c| c.claimed) + least).saturating_add_signed(i128::from(more) * grain)
            }
            Total::WhatIsClaimed => channel.map_or(0, |c| c.claimed),
            Total::TheDeposit => channel.map_or(1, |c| c.deposit),
            Total::Most => u128::MAX,
        }
    }

    fn ask(&self, number: Number, ask: Ask) -> u128 {
        match ask {
            Ask::TakeBack => 0,
            Ask::Units(units) => u128::from(units) * unit(self.token_of(number) == model::NATIVE),
            Ask::Odd => GRAIN - 1,
            Ask::All => u128::MAX,
        }
    }

    /// A voucher's signature, and whom it recovers to.
    fn voucher(&self, number: Number, total: u128, hand: Hand) -> ([u8; 64], Option<Addr>) {
        let id = self.ids.get(&number).copied().unwrap_or_default();
        let session = &self.w.session;
        let by = |key: &VoucherKey| (key.sign(&self.model.voucher(id, total)).0, Some(Addr(key.address.0)));
        match hand {
            Hand::Session => by(session),
            Hand::ThePayer => by(self.model.state.channels.get(&number).and_then(|c| self.who(c.payer)).unwrap_or(session)),
            Hand::SomebodyElse => by(&self.w.keys[&Payee]),
            Hand::SessionForAnotherChannel => (session.sign(&self.model.voucher([7; 32], total)).0, None),
            Hand::Scribble => ([0xff; 64], None),
        }
    }

    /// A form's signature by `signer`, or by the stranger when it is not honest or has no key.
    fn form(&mut self, signer: Addr, form: Form, text: &str, words: Vec<[u8; 32]>) -> ([[u8; 32]; 2], Signed) {
        let nonce = form.nonce.map_or(self.nonce, u64::from);
        self.nonce += u64::from(form.nonce.is_none());
        let deadline = self.model.now.saturating_add_signed(form.good_for_secs.into());
        let key = self.who(signer).filter(|_| form.honest).unwrap_or(&self.w.keys[&Stranger]);
        let all = [words, vec![words::int(nonce), words::int(deadline)]].concat();
        let signature = key.sign(&self.model.digest(text, &all)).0;
        (halves(&signature), Signed { by: Some(Addr(key.address.0)), nonce, deadline })
    }

    fn amount(&self, payer: Addr, amount: Amount, native: bool) -> u128 {
        match amount {
            Amount::Units(units) => u128::from(units) * unit(native),
            Amount::Odd(units) => u128::from(units) * unit(native) + 1,
            Amount::LeavesTheLeast(_) if native || payer != self.addr(PayerB) => 500 * unit(native),
            Amount::LeavesTheLeast(more) => {
                let has = self.model.accounts.get(&payer).map_or(0, |account| account.usdc);
                has.saturating_sub(1_000 * unit(native)).saturating_add_signed(more.into())
            }
        }
    }

    fn opening(&self, payer: Addr, payee: To, native: bool, amount: Amount, signer: Signer) -> Opening {
        let payee = self.to(payee);
        let signer = match signer {
            Signer::Session => Addr(self.w.session.address.0),
            Signer::ThePayer => payer,
            Signer::ThePayee => payee,
            Signer::Nobody => model::NATIVE,
        };
        Opening { payee, signer, amount: self.amount(payer, amount, native) }
    }

    fn terms(&self, native: bool, t: TermsOf) -> Terms {
        let wide = |units: u16| u128::from(units) * unit(native);
        let until = self.model.now.saturating_add_signed(t.until_secs.into());
        Terms { beneficiary: self.to(t.beneficiary), bps: t.bps, flat: wide(t.flat), min_gain: wide(t.min_gain), until }
    }

    /// The call of a step; `None` when it is none.
    fn make(&mut self, step: &Step) -> Option<Made> {
        let made = |by, value, calldata, call| Some(Made { by, value, calldata, call });
        let relayer = self.addr(Relayer);
        match *step {
            Step::Open { payer, payee, native, period, amount, signer } => {
                let (payer, token) = (self.addr(payer), self.token(native));
                let one = self.opening(payer, payee, native, amount, signer);
                let (payee, voucher_signer) = (sol(one.payee), sol(one.signer));
                let data =
                    Channels::openCall { payee, voucherSigner: voucher_signer, token: sol(token), challengePeriodSecs: period, amount: one.amount };
                made(payer, if native { one.amount } else { 0 }, data.abi_encode(), Call::Open { one, token, period })
            }
            Step::OpenMany { payer, native, period, ref many } => {
                let (payer, token) = (self.addr(payer), self.token(native));
                let many: Vec<_> = many.iter().map(|(to, amount, signer)| self.opening(payer, *to, native, *amount, *signer)).collect();
                let sum = many.iter().map(|one| one.amount).sum();
                let data = Channels::openManyCall {
                    token: sol(token),
                    challengePeriodSecs: period,
                    payees: many.iter().map(|one| sol(one.payee)).collect(),
                    voucherSigners: many.iter().map(|one| sol(one.signer)).collect(),
                    amounts: many.iter().map(|one| one.amount).collect(),
                };
                made(payer, if native { sum } else { 0 }, data.abi_encode(), Call::OpenMany { many, token, period })
            }
            Step::OpenFor { payer, payee, native, period, amount, signer, form } => {
                let (payer, token) = (self.addr(payer), self.token(native));
                let one = self.opening(payer, payee, native, amount, signer);
                let mut said = [payer, one.payee, one.signer, token].map(words::addr).to_vec();
                said.extend([words::int(period), words::int(one.amount)]);
                let text = "Open(address payer,address payee,address voucherSigner,address token,uint32 challengePeriodSecs,uint128 amount,\
                            uint64 nonce,uint64 deadline)";
                let ([r, s], signed) = self.form(payer, form, text, said);
                let data = Channels::openForCall {
                    payer: sol(payer),
                    payee: sol(one.payee),
                    voucherSigner: sol(one.signer),
                    token: sol(token),
                    challengePeriodSecs: period,
                    amount: one.amount,
                    nonce: signed.nonce,
                    deadline: signed.deadline,
                    r: r.into(),
                    yParityAndS: s.into(),
                };
                made(relayer, 0, data.abi_encode(), Call::OpenFor { payer, one, token, period, signed })
            }
            Step::TopUp { by, which, amount, wrong_id } => {
                let (by, number) = (self.addr(by), self.pick(which));
                let native = self.token_of(number) == model::NATIVE;
                let id = if wrong_id { [1; 32] } else { self.ids.get(&number).copied().unwrap_or_default() };
                let amount = self.amount(by, amount, native);
                let data = Channels::topUpCall { book: number.0, serial: number.1, channelId: id.into(), amount };
                made(by, if native { amount } else { 0 }, data.abi_encode(), Call::TopUp { number, id, amount })
            }
            Step::Claim { by, which, total, hand } => {
                let number = self.pick(which);
                let total = self.total(number, total);
                let (signature, signed_by) = self.voucher(number, total, hand);
                let [r, s] = halves(&signature);
                let data = Channels::claimCall { book: number.0, serial: number.1, cumulativeAmount: total, r: r.into(), yParityAndS: s.into() };
                made(self.addr(by), 0, data.abi_encode(), Call::Claim { number, row: Row { total, by: signed_by } })
            }
            Step::Batch { by, ref rows, fund_new, damage } => {
                let (calldata, call) = self.batch(rows, fund_new, damage);
                made(self.addr(by), 0, Both::claimBatchCall { blob: calldata.into() }.abi_encode(), call)
            }
            Step::RequestClose { which, by_payer } => {
                let number = self.pick(which);
                let data = Channels::requestCloseCall { book: number.0, serial: number.1 };
                made(self.payer_of(number, by_payer), 0, data.abi_encode(), Call::RequestClose { number })
            }
            Step::RequestRefund { which, ask, by_payer } => {
                let number = self.pick(which);
                let amount = self.ask(number, ask);
                let data = Channels::requestRefundCall { book: number.0, serial: number.1, amount };
                made(self.payer_of(number, by_payer), 0, data.abi_encode(), Call::RequestRefund { number, amount })
            }
            Step::RequestRefundFor { which, ask, form } => {
                let number = self.pick(which);
                let (amount, payer) = (self.ask(number, ask), self.payer_of(number, true));
                let said = vec![self.ids.get(&number).copied().unwrap_or_default(), words::int(amount)];
                let text = "RequestRefund(bytes32 channelId,uint128 amount,uint64 nonce,uint64 deadline)";
                let ([r, s], signed) = self.form(payer, form, text, said);
                let data = Channels::requestRefundForCall {
                    book: number.0,
                    serial: number.1,
                    amount,
                    nonce: signed.nonce,
                    deadline: signed.deadline,
                    r: r.into(),
                    yParityAndS: s.into(),
                };
                made(relayer, 0, data.abi_encode(), Call::RequestRefundFor { number, amount, signed })
            }
            Step::Finish { by, which } => {
                let number = self.pick(which);
                made(self.addr(by), 0, Channels::finishCall { book: number.0, serial: number.1 }.abi_encode(), Call::Finish { number })
            }
            Step::Close { which, total, hand, by_payee } => {
                let number = self.pick(which);
                let total = self.total(number, total);
                let (signature, signed_by) = self.voucher(number, total, hand);
                let [r, s] = halves(&signature);
                let by = if by_payee { self.payee_of(number) } else { relayer };
                let data = Channels::closeCall { book: number.0, serial: number.1, cumulativeAmount: total, r: r.into(), yParityAndS: s.into() };
                made(self.sender(by), 0, data.abi_encode(), Call::Close { number, row: Row { total, by: signed_by } })
            }
            Step::CloseFor { which, total, form } => {
                let number = self.pick(which);
                let (total, payee) = (self.total(number, total), self.payee_of(number));
                let said = vec![self.ids.get(&number).copied().unwrap_or_default(), words::int(total)];
                let text = "Close(bytes32 channelId,uint128 cumulativeAmount,uint64 nonce,uint64 deadline)";
                let ([r, s], signed) = self.form(payee, form, text, said);
                let data = Channels::closeForCall {
                    book: number.0,
                    serial: number.1,
                    cumulativeAmount: total,
                    nonce: signed.nonce,
                    deadline: signed.deadline,
                    r: r.into(),
                    yParityAndS: s.into(),
                };
                made(relayer, 0, data.abi_encode(), Call::CloseFor { number, total, signed })
            }
            Step::SetTerms { payee, native, terms } => {
                let (token, terms) = (self.token(native), self.terms(native, terms));
                let data = Both::setTermsCall {
                    token: sol(token),
                    beneficiary: sol(terms.beneficiary),
                    feeBps: terms.bps,
                    flatFee: terms.flat,
                    minGain: terms.min_gain,
                    until: terms.until,
                };
                made(self.addr(payee), 0, data.abi_encode(), Call::SetTerms { token, terms })
            }
            Step::SetTermsFor { payee, native, terms, form } => {
                let (payee, token, terms) = (self.addr(payee), self.token(native), self.terms(native, terms));
                let mut said = [payee, token, terms.beneficiary].map(words::addr).to_vec();
                said.extend([words::int(terms.bps), words::int(terms.flat), words::int(terms.min_gain), words::int(terms.until)]);
                let text = "Terms(address payee,address token,address beneficiary,uint16 feeBps,uint128 flatFee,uint128 minGain,uint64 until,\
                            uint64 nonce,uint64 deadline)";
                let ([r, s], signed) = self.form(payee, form, text, said);
                let data = Both::setTermsForCall {
                    payee: sol(payee),
                    token: sol(token),
                    beneficiary: sol(terms.beneficiary),
                    feeBps: terms.bps,
                    flatFee: terms.flat,
                    minGain: terms.min_gain,
                    until: terms.until,
                    nonce: signed.nonce,
                    deadline: signed.deadline,
                    r: r.into(),
                    yParityAndS: s.into(),
                };
                made(relayer, 0, data.abi_encode(), Call::SetTermsFor { payee, token, terms, signed })
            }
            Step::Collect { owner, to } => {
                let ((owner, token), to) = (self.owner(owner), self.to(to));
                made(self.sender(owner), 0, Both::collectCall { token: sol(token), to: sol(to) }.abi_encode(), Call::Collect { token, to })
            }
            Step::CollectFor { owner, to, form } => {
                let ((owner, token), to) = (self.owner(owner), self.to(to));
                let text = "Collect(address owner,address token,address to,uint64 nonce,uint64 deadline)";
                let ([r, s], signed) = self.form(owner, form, text, [owner, token, to].map(words::addr).to_vec());
                let data = Both::collectForCall {
                    owner: sol(owner),
                    token: sol(token),
                    to: sol(to),
                    nonce: signed.nonce,
                    deadline: signed.deadline,
                    r: r.into(),
                    yParityAndS: s.into(),
                };
                made(relayer, 0, data.abi_encode(), Call::CollectFor { owner, token, to, signed })
            }
            Step::Push { owner } => {
                let (owner, token) = self.owner(owner);
                made(relayer, 0, Both::pushCall { owner: sol(owner), token: sol(token) }.abi_encode(), Call::Push { owner, token })
            }
            Step::Sweep { native } => {
                let token = self.token(native);
                made(self.addr(Stranger), 0, Both::sweepCall { token: sol(token) }.abi_encode(), Call::Sweep { token })
            }
            Step::Revoke { signer, nonce } => {
                let nonce = u64::from(nonce);
                made(self.addr(signer), 0, Both::revokeNonceCall { nonce }.abi_encode(), Call::RevokeNonce { nonce })
            }
            Step::Again { tip } => self.last.clone().map(|last| Made { value: last.value + if tip { GRAIN } else { 0 }, ..last }),
            Step::Give { .. } | Step::SendBare | Step::Wait(_) => None,
        }
    }

    fn owner(&self, owner: Owner) -> (Addr, Addr) {
        let credits = &self.model.state.credits;
        match owner {
            Owner::OfCredit(n) => credits.keys().nth(usize::from(n) % credits.len().max(1)).copied().unwrap_or((self.addr(Payee), model::NATIVE)),
            Owner::Party(who, native) => (self.addr(who), self.token(native)),
        }
    }

    fn payer_of(&self, number: Number, honest: bool) -> Addr {
        self.model.state.channels.get(&number).map(|c| c.payer).filter(|_| honest).unwrap_or(self.addr(Stranger))
    }

    fn payee_of(&self, number: Number) -> Addr {
        self.model.state.books.get(&number.0).map_or(self.addr(Payee), |book| book.payee)
    }

    /// A blob, and how it is to be read.
    fn batch(&self, rows: &[(Pick, Total, Hand)], fund_new: u8, damage: Option<Damage>) -> (Vec<u8>, Call) {
        let mut books: BTreeMap<u32, BTreeMap<u32, (Row, [u8; 64])>> = BTreeMap::new();
        for (pick, total, hand) in rows {
            let number = self.pick(*pick);
            let total = self.total(number, *total);
            let (signature, by) = self.voucher(number, total, *hand);
            books.entry(number.0).or_default().insert(number.1, (Row { total, by }, signature));
        }
        let signature = |number: Number, _: &Row| books[&number.0][&number.1].1;
        let mut groups: Vec<Group> = books
            .iter()
            .enumerate()
            .map(|(i, (book, rows))| (*book, fund_new >> i & 1 == 1, rows.iter().map(|(serial, (row, _))| (*serial, *row)).collect()))
            .collect();
        let Some(damage) = damage else { return (blob(&groups, signature), Call::Batch { groups }) };
        let mut bytes = blob(&groups, signature);
        let reason = match damage {
            Damage::Cut => {
                bytes.pop();
                0
            }
            Damage::LongCount => {
                // The count of groups in two bytes.
                bytes[1] |= 0x80;
                bytes.insert(2, 0);
                1
            }
            Damage::TheLastRowTwice => {
                let rows = &mut groups.last_mut().expect("a row").2;
                rows.extend(rows.last().copied());
                bytes = blob(&groups, signature);
                2
            }
            Damage::Version => {
                bytes[0] = 0x81;
                3
            }
            Damage::Flags => {
                bytes[2] = 2;
                4
            }
            Damage::NoRows => {
                groups.last_mut().expect("a row").2.clear();
                bytes = blob(&groups, signature);
                5
            }
            Damage::Trailing => {
                bytes.push(0);
                7
            }
        };
        (bytes, Call::BadBatch { reason })
    }

    /// Open channels for which a time is set, and that time.
    fn waiting(&self, time: impl Fn(&model::Channel) -> u64) -> Vec<(Number, u64)> {
        self.model.state.channels.iter().map(|(number, c)| (*number, time(c))).filter(|(_, at)| *at != 0).collect()
    }

    fn jump(&mut self, jump: Jump) {
        let nth = |of: Vec<u64>, n: u8| of.get(usize::from(n) % of.len().max(1)).copied().unwrap_or(0);
        let waiting = |time: fn(&model::Channel) -> u64| self.waiting(time).into_iter().map(|(_, at)| at).collect();
        let (at, beyond) = match jump {
            Jump::Secs(secs) => (self.model.now + u64::from(secs), 0),
            Jump::CloseDue(n, beyond) => (nth(waiting(|c| c.close_due_at), n), beyond),
            Jump::RefundDue(n, beyond) => (nth(waiting(|c| c.refund_due_at), n), beyond),
            Jump::RefundLapses(n, beyond) => (nth(waiting(|c| if c.refund_due_at == 0 { 0 } else { c.lapses_at() }), n), beyond),
            Jump::TermsEnd(n, beyond) => (nth(self.model.state.books.values().map(|b| b.terms.until).collect(), n), beyond),
        };
        self.w.chain.advance(at.saturating_add_signed(beyond.into()).saturating_sub(self.model.now));
        self.model.now = self.w.chain.now();
    }

    fn step(&mut self, step: &Step) -> Checked {
        match *step {
            Step::Wait(jump) => self.jump(jump),
            Step::Give { native, units } => {
                let (token, amount) = (self.token(native), u128::from(units) * unit(native));
                let this = self.model.contract;
                if native {
                    self.w.chain.fund(token.into(), this.into(), amount);
                } else {
                    let by = self.addr(Relayer);
                    let transfer = Erc20::transferCall { to: sol(this), amount: U256::from(amount) };
                    let done = self.w.chain.call_as(by.into(), token.into(), 0, transfer.abi_encode());
                    prop_assert!(done.result.is_ok(), "{:?}", done.result);
                    self.model.account(by).usdc -= amount;
                }
                *self.model.gifts.entry(token).or_default() += amount;
            }
            Step::SendBare => {
                let by = self.addr(Stranger);
                let done = self.w.chain.call_as(by.into(), self.model.contract.into(), DOT, vec![]);
                prop_assert!(done.result.is_err(), "native money without a call was kept");
            }
            _ => {
                if let Some(made) = self.make(step) {
                    self.perform(made)?;
                }
            }
        }
        self.check()
    }

    /// Puts a call to both, and compares what they answer.
    fn perform(&mut self, made: Made) -> Checked {
        let before = self.model.state.clone();
        let expected = self.model.call(made.by, made.value, &made.call);
        let done: Outcome = self.w.chain.call_as(made.by.into(), self.model.contract.into(), made.value, made.calldata.clone());
        let mut reached = |what: String| *self.tally.entry(what).or_default() += 1;
        match (&expected, &done.result) {
            (Ok(answer), Ok(bytes)) => {
                prop_assert_eq!(answer, bytes, "what {:?} answered", made.call);
                let credited: Vec<_> = done.events::<Both::Credited>().iter().map(|e| (Addr(e.owner.0.0), Addr(e.token.0.0), e.amount)).collect();
                prop_assert_eq!(&credited, &self.model.credited, "what became credit by {:?}", made.call);
                reached(made.call.name());
                if let Call::Batch { .. } = made.call {
                    let codes = Both::claimBatchCall::abi_decode_returns(bytes).map_err(|e| TestCaseError::fail(e.to_string()))?;
                    codes.iter().for_each(|code| reached(format!("outcome {code}")));
                }
            }
            (Err(refused), Err(Failure::Refused(error))) => {
                let (error, expected) = (format!("{error:?}"), refused.text());
                prop_assert!(error.starts_with(&expected), "{:?} was refused by {error}, not by {expected}", made.call);
                reached(refused.name());
            }
            _ => prop_assert!(false, "{:?} by {:?}: expected {expected:?}, but {:?}", made.call, made.by, done.result),
        }
        // What the call's storage cost, or gave back, is the sender's. What relayers submit grows nothing: only a new account costs them.
        let deposit = done.cost.storage_deposit_planck * GRAIN as i128;
        let accounts = (u128::from(self.model.funded) * model::EXISTENTIAL_WEI) as i128;
        match made.call {
            _ if expected.is_err() => prop_assert_eq!(deposit, 0),
            Call::Claim { .. } | Call::Batch { .. } => prop_assert_eq!(deposit, accounts, "what {:?} cost its sender", made.call),
            Call::Finish { .. } | Call::Close { .. } | Call::Collect { .. } | Call::Push { .. } | Call::Sweep { .. } => {
                prop_assert!(deposit <= accounts, "{:?} cost its sender {deposit} wei", made.call);
            }
            _ => {}
        }
        let native = &mut self.model.account(made.by).native;
        *native = native.checked_add_signed(-deposit).expect("the sender can pay");
        for number in self.model.opened.iter().rev().take_while(|number| !self.ids.contains_key(*number)).copied().collect::<Vec<_>>() {
            self.ids.insert(number, self.model.id(number));
        }
        for (number, old) in before.channels {
            if let Some(new) = self.model.state.channels.get(&number) {
                prop_assert!(new.claimed >= old.claimed, "claimed of {number:?} fell");
            }
        }
        self.last = Some(made);
        Ok(())
    }

    /// The chain is what the model says.
    fn check(&mut self) -> Checked {
        let chain = &mut self.w.chain;
        let this = self.model.contract;
        let stored = State::parse(&chain.cells(this.into())).map_err(TestCaseError::fail)?;
        prop_assert_eq!(&stored, &self.model.state, "the raw storage (left) and the model");
        for c in stored.channels.values() {
            prop_assert!(c.claimed <= c.deposit, "{c:?}");
        }
        for (token, seed) in [(model::NATIVE, 0), (self.model.usdc, 10_000), (self.model.platform[1], 10_000)] {
            prop_assert_eq!(stored.owed[&token], stored.sum(token), "owed of {:?}, and the sum of all that is", token);
            let has = chain.spendable(token.into(), this.into());
            let gift = self.model.gifts.get(&token).copied().unwrap_or(0);
            prop_assert_eq!(has, seed + stored.owed[&token] + gift, "what the contract has of {:?}: seed, owed and gifts", token);
        }
        for (who, account) in &self.model.accounts {
            let has = (chain.balance(model::NATIVE.into(), (*who).into()), chain.balance(USDC, (*who).into()));
            prop_assert_eq!(has, (account.native, account.usdc), "wei and micro-USDC of {:?}", who);
        }
        Ok(())
    }

    /// The views tell what is stored.
    fn views(&mut self) -> Checked {
        let this = self.model.contract.into();
        for (book, serial) in self.model.opened.clone() {
            let stored = self.model.state.channels.get(&(book, serial)).copied();
            let view = self.w.chain.ask(this, &Channels::channelCall { book, serial });
            let status = stored.map_or(3, |c| if c.close_due_at == 0 { 1 } else { 2 });
            prop_assert_eq!((view.status, view.deposit, view.claimed), (status, stored.map_or(0, |c| c.deposit), stored.map_or(0, |c| c.claimed)));
            let cover = self.w.chain.ask(this, &Channels::coverCall { book, serial });
            prop_assert_eq!(cover, stored.map_or(0, |c| c.cover(self.model.now)), "cover of {}/{}", book, serial);
            let most = self.w.chain.ask(this, &Channels::claimableCall { book, serial, cumulativeAmount: u128::MAX });
            prop_assert_eq!((most.outcome, most.gain, most.fee), self.model.claimable((book, serial)), "claimable of {}/{}", book, serial);
        }
        for book in 1..=self.model.state.books.len() as u32 {
            let list = self.w.chain.ask(this, &Channels::channelsCall { book, from: 0, count: 400 });
            let open: Vec<u32> = self.model.state.channels.keys().filter(|n| n.0 == book).map(|n| n.1).collect();
            prop_assert_eq!((list.serials, list.next), (open, 0));
        }
        Ok(())
    }

    /// Everybody leaves: payers by request and finish, owners of credit to an account that can be paid.
    fn leave(&mut self) -> Checked {
        let this = self.addr(Relayer);
        for (number, c) in self.model.state.channels.clone() {
            if c.close_due_at == 0 {
                let calldata = Channels::requestCloseCall { book: number.0, serial: number.1 }.abi_encode();
                self.perform(Made { by: c.payer, value: 0, calldata, call: Call::RequestClose { number } })?;
            }
        }
        self.w.chain.advance(2_592_000);
        self.model.now = self.w.chain.now();
        for number in self.model.state.channels.keys().copied().collect::<Vec<_>>() {
            let calldata = Channels::finishCall { book: number.0, serial: number.1 }.abi_encode();
            self.perform(Made { by: this, value: 0, calldata, call: Call::Finish { number } })?;
        }
        while let Some((owner, _)) = self.model.state.credits.keys().next().copied() {
            let (form, to) = (Form { honest: true, nonce: None, good_for_secs: 1 }, To::Party(Relayer));
            let first = Owner::OfCredit(0);
            let step = if owner == self.guest { Step::Collect { owner: first, to } } else { Step::CollectFor { owner: first, to, form } };
            let before = self.model.state.credits.len();
            if let Some(made) = self.make(&step) {
                self.perform(made)?;
            }
            prop_assert!(self.model.state.credits.len() < before, "{owner:?} cannot have its credit");
        }
        prop_assert!(self.model.state.owed.values().all(|owed| *owed == 0), "still owed: {:?}", self.model.state.owed);
        prop_assert!(self.model.state.channels.is_empty() && self.model.state.credits.is_empty());
        self.check()
    }
}

fn unit(native: bool) -> u128 {
    if native { 10_000_000_000_000 } else { 10 }
}

fn halves(signature: &[u8; 64]) -> [[u8; 32]; 2] {
    [0, 32].map(|at| std::array::from_fn(|i| signature[at + i]))
}

#[test]
fn whatever_is_called_the_compiled_contract_does_what_the_model_says_and_everybody_gets_its_own() {
    let sequences = std::env::var("RIVULET_SEQUENCES").map_or(SEQUENCES, |n| n.parse().expect("RIVULET_SEQUENCES is a number"));
    let config = ProptestConfig {
        cases: sequences,
        failure_persistence: None,
        max_shrink_iters: 20_000,
        max_shrink_time: 60_000,
        ..ProptestConfig::default()
    };
    let world = RefCell::new((World::new(), BTreeMap::new(), 0));
    let strategy = (0..HABITS.len(), prop::collection::vec(first(), 0..10), prop::collection::vec(step(), 1..=STEPS));
    let result = TestRunner::new(config).run(&strategy, |(habit, before, steps)| {
        let (world, tally, count) = &mut *world.borrow_mut();
        let mut run = Run::new(world, habit, tally);
        for step in before.iter().chain(&steps) {
            run.step(step)?;
            *count += 1;
        }
        run.views()?;
        run.leave()
    });
    let (_, tally, count) = world.into_inner();
    match result {
        Ok(()) => {}
        Err(TestError::Fail(why, (habit, before, steps))) => {
            let steps: Vec<_> = before.iter().chain(&steps).map(|step| format!("  {step:?}\n")).collect();
            panic!("{why}\nafter these steps, with a contract payee that {:?}:\n{}", HABITS[habit], steps.concat());
        }
        Err(other) => panic!("{other}"),
    }
    println!("{sequences} sequences, {count} steps: {tally:?}");
    // So that the steps do not quietly cease to reach what they are made for.
    if sequences >= SEQUENCES {
        for what in REACHED {
            assert!(tally.contains_key(*what), "no sequence reached {what}");
        }
    }
}
