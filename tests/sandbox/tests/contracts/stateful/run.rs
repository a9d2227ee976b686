//! A sequence on its way: the chain and the model side by side, a call put to both, and what is compared after it.

use super::{
    base::{Addr, CEILING_BPS, DOT, EXISTENTIAL_WEI, GRAIN, NATIVE, Number, Word, name, word},
    cells::{Stored, parse},
    ledger::{Contract, Ledger, Signed},
    money::{Account, Kind},
    parties::{Amount, Form, HABITS, Habit, KEYS, To, Who, Who::*, unit},
};
use alloy_primitives::{Address as SolAddress, U256};
use alloy_sol_types::SolCall;
use proptest::{
    prelude::*,
    test_runner::{TestError, TestRunner},
};
// The type that the sandbox is driven by; nothing else of core is used here, and nothing at all in the model.
use rivulet_core::ids::Address;
use rivulet_runtime::hub;
use rivulet_sandbox::{
    Failure, Outcome, Parameters, Sandbox, Snapshot, USDC, USDT, VoucherKey,
    abi::{both::Both, erc20::Erc20},
    evm,
};
use std::{cell::RefCell, collections::BTreeMap, fmt::Debug};

/// Sequences of this many steps, after a few that there is something to call. One in a hundred is left out, which is what shrinking does to steps.
const STEPS: usize = 100;
const SEQUENCES: u32 = 200;

pub type Tally = BTreeMap<String, u32>;
pub type Checked = Result<(), TestCaseError>;

/// What a call's storage may cost who sends it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Growth {
    /// Nothing, and it gives nothing back.
    None,
    /// Nothing, but it may give back.
    Shrinks,
    Any,
}

/// What a test adds to the model of its contract.
pub trait Driven: Contract {
    fn deploy(chain: &mut Sandbox) -> Address;
    /// What a call may cost beside accounts that it makes.
    fn growth(call: &Self::Call) -> Growth;
    /// True when the call is a batch: its answer is outcomes of rows.
    fn is_batch(call: &Self::Call) -> bool;
    /// The 32 bytes that messages about it are bound to.
    fn id(model: &Ledger<Self>, number: Number) -> Word;
    /// What always holds of one that is stored, and of what became of it in a call by somebody.
    fn invariants(model: &Ledger<Self>, by: Addr, number: Number, before: Option<&Self>, after: &Self) -> Checked;
}

pub fn sol(a: Addr) -> SolAddress {
    SolAddress::new(a.0)
}

impl From<Addr> for Address {
    fn from(a: Addr) -> Self {
        Self(a.0)
    }
}

/// The chain before any sequence, and the model of it.
pub struct World<C> {
    pub chain: Sandbox,
    start: Snapshot,
    model: Ledger<C>,
    pub keys: BTreeMap<Who, VoucherKey>,
    pub session: VoucherKey,
    guests: Vec<Addr>,
}

impl<C: Driven> World<C> {
    fn new() -> Self {
        let mut chain = Sandbox::new();
        let contract = Addr(C::deploy(&mut chain).0);
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
                chain.fund(NATIVE.into(), key.address, native);
                chain.fund(USDC, key.address, usdc);
            }
            if [PayerA, PayerB, Stranger].contains(who) {
                let approve = Erc20::approveCall { spender: sol(contract), amount: U256::MAX };
                chain.call_as(key.address, USDC, 0, approve.abi_encode()).bytes();
            }
        }
        let push = Both::pushCall { owner: sol(Addr(keys[&Relayer].address.0)), token: sol(NATIVE) }.abi_encode();
        let guests = HABITS.map(|habit| {
            let code = match habit {
                Habit::Reverts => evm::REVERTS.to_vec(),
                Habit::BurnsGas => evm::BURNS_GAS.to_vec(),
                Habit::InsistsOnCallingBack => evm::calls_back(contract.into(), &push, true),
                Habit::CallsBackAndTakes => evm::calls_back(contract.into(), &push, false),
            };
            let guest = chain.deploy_evm(&deployer, &code);
            chain.fund(NATIVE.into(), guest, 1_000 * DOT);
            Addr(guest.0)
        });
        let stored = parse::<C>(&chain.cells(contract.into())).expect("a new contract's storage");
        let model = Ledger {
            chain_id: hub::CHAIN_ID,
            contract,
            usdc: Addr(USDC.0),
            sweep_to: Addr(Parameters::default().sweep_to.0),
            platform: vec![Addr(USDC.0), Addr(USDT.0)],
            now: chain.now(),
            state: Stored { books: stored.books, records: BTreeMap::new(), credits: stored.credits, nonces: stored.nonces, owed: stored.owed },
            accounts: BTreeMap::new(),
            gifts: BTreeMap::new(),
            opened: Vec::new(),
            events: Vec::new(),
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
            let (native, usdc) = (world.chain.balance(NATIVE.into(), who.into()), world.chain.balance(USDC, who.into()));
            let approves = [PayerA, PayerB, Stranger].iter().any(|w| world.keys[w].address.0 == who.0);
            world.model.accounts.insert(who, Account { kind, native, usdc, approves });
        }
        world
    }
}

/// A call as the contract and as the model take it.
#[derive(Clone)]
pub struct Made<C> {
    pub by: Addr,
    pub value: u128,
    pub calldata: Vec<u8>,
    pub call: C,
}

/// One sequence on its way.
pub struct Run<'a, C: Contract> {
    pub w: &'a mut World<C>,
    pub model: Ledger<C>,
    guest: Addr,
    /// Of every number that was given, the closed ones too.
    pub ids: BTreeMap<Number, Word>,
    nonce: u64,
    pub last: Option<Made<C::Call>>,
    /// What was reached, and how often: calls that went through, refusals, outcomes of rows.
    pub tally: &'a mut Tally,
}

impl<'a, C: Driven> Run<'a, C> {
    fn new(w: &'a mut World<C>, habit: usize, tally: &'a mut Tally) -> Self {
        w.chain.restore(&w.start);
        let (model, guest) = (w.model.clone(), w.guests[habit]);
        Self { w, model, guest, ids: BTreeMap::new(), nonce: 1_000, last: None, tally }
    }

    pub fn addr(&self, who: Who) -> Addr {
        if who == ContractPayee { self.guest } else { Addr(self.w.keys[&who].address.0) }
    }

    pub fn key(&self, addr: Addr) -> Option<&VoucherKey> {
        self.w.keys.values().find(|key| key.address.0 == addr.0)
    }

    pub fn to(&self, to: To) -> Addr {
        match to {
            To::Party(who) => self.addr(who),
            To::Nobody => NATIVE,
            To::Token => self.model.usdc,
            To::TheContract => self.model.contract,
        }
    }

    pub fn token(&self, native: bool) -> Addr {
        if native { NATIVE } else { self.model.usdc }
    }

    /// Who sends: for one without an account, the stranger.
    pub fn sender(&self, who: Addr) -> Addr {
        if who == self.addr(NewPayee) { self.addr(Stranger) } else { who }
    }

    pub fn token_of(&self, number: Number) -> Addr {
        self.model.state.books.get(&number.0).map_or(NATIVE, |book| book.token)
    }

    pub fn payee_of(&self, number: Number) -> Addr {
        self.model.state.books.get(&number.0).map_or(self.addr(Payee), |book| book.payee)
    }

    pub fn amount(&self, payer: Addr, amount: Amount, native: bool) -> u128 {
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

    /// A form's signature by `signer`, or by the stranger when it is not honest or has no key.
    pub fn form(&mut self, signer: Addr, form: Form, text: &str, words: Vec<Word>) -> ([Word; 2], Signed) {
        let nonce = form.nonce.map_or(self.nonce, u64::from);
        self.nonce += u64::from(form.nonce.is_none());
        let deadline = self.model.now.saturating_add_signed(form.good_for_secs.into());
        let key = self.key(signer).filter(|_| form.honest).unwrap_or(&self.w.keys[&Stranger]);
        let all = [words, vec![word(nonce), word(deadline)]].concat();
        let signature = key.sign(&self.model.digest(text, &all)).0;
        (halves(&signature), Signed { by: Some(Addr(key.address.0)), nonce, deadline })
    }

    /// To a time, or if it is past not at all.
    pub fn advance_to(&mut self, at: u64) {
        self.w.chain.advance(at.saturating_sub(self.model.now));
        self.model.now = self.w.chain.now();
    }

    /// Puts a call to both, and compares what they answer.
    pub fn perform(&mut self, made: Made<C::Call>) -> Checked {
        let before = self.model.state.records.clone();
        let expected = self.model.call(made.by, made.value, &made.call);
        let done: Outcome = self.w.chain.call_as(made.by.into(), self.model.contract.into(), made.value, made.calldata.clone());
        let mut reached = |what: String| *self.tally.entry(what).or_default() += 1;
        match (&expected, &done.result) {
            (Ok(answer), Ok(bytes)) => {
                prop_assert_eq!(answer, bytes, "what {:?} answered", made.call);
                let own = done.logs.iter().filter(|log| log.contract.0 == self.model.contract.0);
                let logged: Vec<_> = own.map(|log| (&log.topics, &log.data)).collect();
                let told: Vec<_> = self.model.events.iter().map(|event| (&event.topics, &event.data)).collect();
                prop_assert!(logged == told, "{:?} logged {logged:02x?}, but expected was {:?}", made.call, self.model.events);
                for claimed in done.events::<Both::Claimed>() {
                    prop_assert!(claimed.fee * 10_000 <= claimed.gain * u128::from(CEILING_BPS), "a fee of {} for {}", claimed.fee, claimed.gain);
                }
                reached(name(&made.call));
                if C::is_batch(&made.call) {
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
        let accounts = (u128::from(self.model.funded) * EXISTENTIAL_WEI) as i128;
        match C::growth(&made.call) {
            _ if expected.is_err() => prop_assert_eq!(deposit, 0),
            Growth::None => prop_assert_eq!(deposit, accounts, "what {:?} cost its sender", made.call),
            Growth::Shrinks => prop_assert!(deposit <= accounts, "{:?} cost its sender {deposit} wei", made.call),
            Growth::Any => {}
        }
        let native = &mut self.model.account(made.by).native;
        *native = native.checked_add_signed(-deposit).expect("the sender can pay");
        for number in self.model.opened.iter().rev().take_while(|number| !self.ids.contains_key(*number)).copied().collect::<Vec<_>>() {
            self.ids.insert(number, C::id(&self.model, number));
        }
        let by = made.by;
        self.last = Some(made);
        self.model.state.records.iter().try_for_each(|(number, new)| C::invariants(&self.model, by, *number, before.get(number), new))
    }

    /// The chain is what the model says.
    pub fn check(&mut self) -> Checked {
        let chain = &mut self.w.chain;
        let this = self.model.contract;
        let stored = parse::<C>(&chain.cells(this.into())).map_err(TestCaseError::fail)?;
        prop_assert_eq!(&stored, &self.model.stored(), "the raw storage (left) and the model");
        for (token, seed) in [(NATIVE, 0), (self.model.usdc, 10_000), (self.model.platform[1], 10_000)] {
            prop_assert_eq!(stored.owed[&token], self.model.sum(token), "owed of {:?}, and the sum of all that is", token);
            let has = chain.spendable(token.into(), this.into());
            let gift = self.model.gifts.get(&token).copied().unwrap_or(0);
            prop_assert_eq!(has, seed + stored.owed[&token] + gift, "what the contract has of {:?}: seed, owed and gifts", token);
        }
        for (who, account) in &self.model.accounts {
            let has = (chain.balance(NATIVE.into(), (*who).into()), chain.balance(USDC, (*who).into()));
            prop_assert_eq!(has, (account.native, account.usdc), "wei and micro-USDC of {:?}", who);
        }
        Ok(())
    }

    /// Nothing is left, and nothing owed.
    pub fn all_left(&mut self) -> Checked {
        prop_assert!(self.model.state.owed.values().all(|owed| *owed == 0), "still owed: {:?}", self.model.state.owed);
        prop_assert!(self.model.state.records.is_empty() && self.model.state.credits.is_empty());
        self.check()
    }
}

pub fn halves(signature: &[u8; 64]) -> [Word; 2] {
    [0, 32].map(|at| std::array::from_fn(|i| signature[at + i]))
}

/// Runs random sequences: a few first steps, any steps, an end. A counterexample is shrunk and printed step by step. What so many sequences reach many
/// times over is `reached`.
pub fn sequences<C: Driven, S: Clone + Debug>(
    first: impl Strategy<Value = S>,
    step: impl Strategy<Value = S>,
    reached: &[&str],
    take: impl Fn(&mut Run<'_, C>, &S) -> Checked,
    end: impl Fn(&mut Run<'_, C>) -> Checked,
) {
    let sequences = std::env::var("RIVULET_SEQUENCES").map_or(SEQUENCES, |n| n.parse().expect("RIVULET_SEQUENCES is a number"));
    let config = ProptestConfig {
        cases: sequences,
        failure_persistence: None,
        max_shrink_iters: 20_000,
        max_shrink_time: 60_000,
        ..ProptestConfig::default()
    };
    let world = RefCell::new((World::<C>::new(), Tally::new(), 0));
    let strategy = (0..HABITS.len(), prop::collection::vec(first, 0..10), prop::collection::vec(prop::option::weighted(0.99, step), STEPS));
    let result = TestRunner::new(config).run(&strategy, |(habit, before, steps)| {
        let (world, tally, count) = &mut *world.borrow_mut();
        let mut run = Run::new(world, habit, tally);
        for step in before.iter().chain(steps.iter().flatten()) {
            take(&mut run, step)?;
            run.check()?;
            *count += 1;
        }
        end(&mut run)
    });
    let (_, tally, count) = world.into_inner();
    match result {
        Ok(()) => {}
        Err(TestError::Fail(why, (habit, before, steps))) => {
            let steps: Vec<_> = before.iter().chain(steps.iter().flatten()).map(|step| format!("  {step:?}\n")).collect();
            panic!("{why}\nafter these steps, with a contract payee that {:?}:\n{}", HABITS[habit], steps.concat());
        }
        Err(other) => panic!("{other}"),
    }
    println!("{sequences} sequences, {count} steps: {tally:?}");
    // So that the steps do not quietly cease to reach what they are made for.
    if sequences >= SEQUENCES {
        for what in reached {
            assert!(tally.contains_key(*what), "no sequence reached {what}");
        }
    }
}
