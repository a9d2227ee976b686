//! What both contracts are in the model: books and their terms, signed forms, nonces, and the calls that they share.

use super::{
    base::{Addr, CEILING_BPS, Event, MAX_AMOUNT, NATIVE, Number, Refused, Result, Word, no_money, word, word_of},
    cells::{Cell, Stored},
    money::Account,
};
use alloy_primitives::keccak256;
use std::{collections::BTreeMap, fmt::Debug};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Terms {
    pub beneficiary: Addr,
    pub bps: u16,
    pub flat: u128,
    pub min_gain: u128,
    pub until: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Book {
    pub payee: Addr,
    pub token: Addr,
    pub next_serial: u32,
    pub ceiling_bps: u16,
    pub terms: Terms,
}

/// A signature in a form: whom it recovers to; `None` when to nobody of the test.
#[derive(Clone, Copy, Debug)]
pub struct Signed {
    pub by: Option<Addr>,
    pub nonce: u64,
    pub deadline: u64,
}

/// The calls that both contracts have.
#[derive(Clone, Debug)]
pub enum Shared {
    BadBatch { reason: u8 },
    SetTerms { token: Addr, terms: Terms },
    SetTermsFor { payee: Addr, token: Addr, terms: Terms, signed: Signed },
    Collect { token: Addr, to: Addr },
    CollectFor { owner: Addr, token: Addr, to: Addr, signed: Signed },
    Push { owner: Addr, token: Addr },
    Sweep { token: Addr },
    RevokeNonce { nonce: u64 },
}

/// One of the two contracts, by what it has many of: channels or streams. The model of one is told by its implementor.
pub trait Contract: Clone + Debug + 'static {
    /// What is stored of one.
    type Record: Clone + PartialEq + Debug;
    type Call: Clone + Debug + From<Shared>;
    /// The name of its EIP-712 domain.
    const DOMAIN: &'static str;
    /// All that are stored, from the cells that only this contract has.
    fn read(cells: Vec<Cell<'_>>) -> Result<BTreeMap<Number, Self::Record>, String>;
    fn record(&self) -> Self::Record;
    /// What is left of its deposit.
    fn balance(&self) -> u128;
    /// What the contract answers to one of its calls, and what changes.
    fn run(model: &mut Ledger<Self>, caller: Addr, value: u128, call: &Self::Call) -> Result<Vec<Word>>;
}

/// The model of a contract and of all that have to do with it.
#[derive(Clone, Debug)]
pub struct Ledger<C> {
    pub chain_id: u64,
    pub contract: Addr,
    pub usdc: Addr,
    pub sweep_to: Addr,
    /// Addresses that can be no party.
    pub platform: Vec<Addr>,
    pub now: u64,
    pub state: Stored<C>,
    pub accounts: BTreeMap<Addr, Account>,
    /// Sent to the contract beside any deposit, by token.
    pub gifts: BTreeMap<Addr, u128>,
    /// Every number that was ever given, in order.
    pub opened: Vec<Number>,
    /// What the last call logged.
    pub events: Vec<Event>,
    /// How many accounts the last call made by paying native money, at its sender's cost.
    pub funded: u32,
}

impl<C: Contract> Ledger<C> {
    /// What the contract answers, as ABI bytes, and what changes; or nothing changes.
    pub fn call(&mut self, caller: Addr, value: u128, call: &C::Call) -> Result<Vec<u8>> {
        let mut next = self.clone();
        next.events.clear();
        next.funded = 0;
        next.account(caller).native -= value;
        let answer = C::run(&mut next, caller, value, call)?;
        *self = next;
        Ok(answer.concat())
    }

    pub fn shared(&mut self, caller: Addr, value: u128, call: &Shared) -> Result<Vec<Word>> {
        no_money(value)?;
        Ok(match *call {
            Shared::BadBatch { reason } => return Err(Refused::BadBlob { reason }),
            Shared::SetTerms { token, terms } => self.set_terms(caller, token, terms)?,
            Shared::SetTermsFor { payee, token, terms, signed } => {
                self.check_signed(payee, signed)?;
                self.set_terms(payee, token, terms)?
            }
            Shared::Collect { token, to } => self.collect(caller, token, to)?,
            Shared::CollectFor { owner, token, to, signed } => {
                self.check_signed(owner, signed)?;
                self.collect(owner, token, to)?
            }
            Shared::Push { owner, token } => self.collect(owner, token, owner)?,
            Shared::Sweep { token } => self.sweep(token)?,
            Shared::RevokeNonce { nonce } => {
                self.spend(caller, nonce)?;
                vec![]
            }
        })
    }

    /// All that is stored, as it is stored.
    pub fn stored(&self) -> Stored<C::Record> {
        let Stored { books, records, credits, nonces, owed } = self.state.clone();
        Stored { books, records: records.iter().map(|(number, one)| (*number, one.record())).collect(), credits, nonces, owed }
    }

    /// What records and credits of a token are owed, added up.
    pub fn sum(&self, token: Addr) -> u128 {
        let records = self.state.records.iter().filter(|(n, _)| self.state.books[&n.0].token == token).map(|(_, one)| one.balance());
        records.chain(self.state.credits.iter().filter(|(k, _)| k.1 == token).map(|(_, v)| *v)).sum()
    }

    pub fn log(&mut self, signature: &'static str, indexed: &[Word], data: Vec<Word>) {
        self.events.push(Event::new(signature, indexed, data));
    }

    /// An event about one number.
    pub fn log_of(&mut self, number: Number, signature: &'static str, data: Vec<Word>) {
        self.log(signature, &[word(number.0), word(number.1)], data);
    }

    /// The EIP-712 digest of a message of this type.
    pub fn digest(&self, text: &str, words: &[Word]) -> Word {
        let domain = [
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)").0,
            keccak256(C::DOMAIN).0,
            keccak256("1").0,
            word(self.chain_id),
            word_of(self.contract),
        ];
        let hash = keccak256([&[keccak256(text).0][..], words].concat().concat());
        keccak256([&[0x19, 0x01][..], &keccak256(domain.concat()).0, &hash.0].concat()).0
    }

    pub fn find(&self, number: Number) -> Result<(C, Book)> {
        let (book, serial) = number;
        let Some(of) = self.state.books.get(&book) else { return Err(Refused::UnknownNumber { book, serial }) };
        match self.state.records.get(&number) {
            Some(one) => Ok((one.clone(), *of)),
            None if serial < of.next_serial => Err(Refused::ClosedNumber { book, serial }),
            None => Err(Refused::UnknownNumber { book, serial }),
        }
    }

    /// The one at a number where one was found before.
    pub fn at(&mut self, number: Number) -> &mut C {
        self.state.records.get_mut(&number).expect("it was found before")
    }

    pub fn check_signed(&mut self, signer: Addr, signed: Signed) -> Result<()> {
        if self.now >= signed.deadline {
            return Err(Refused::Expired { now: self.now, deadline: signed.deadline });
        }
        if signed.by != Some(signer) {
            return Err(Refused::BadSignature);
        }
        self.spend(signer, signed.nonce)
    }

    fn spend(&mut self, signer: Addr, nonce: u64) -> Result<()> {
        if !self.state.nonces.insert((signer, nonce)) {
            return Err(Refused::NonceUsed { signer, nonce });
        }
        self.log("NonceUsed(address,uint64)", &[word_of(signer)], vec![word(nonce)]);
        Ok(())
    }

    pub fn party(&self, party: Addr) -> Result<()> {
        if party == NATIVE || party == self.contract || self.platform.contains(&party) { Err(Refused::BadParty { party }) } else { Ok(()) }
    }

    pub fn listed(&self, token: Addr) -> Result<()> {
        if self.state.owed.contains_key(&token) { Ok(()) } else { Err(Refused::NotListed { token }) }
    }

    /// The book of a pair, made if there is none.
    fn book(&mut self, payee: Addr, token: Addr) -> Result<u32> {
        if let Some((number, _)) = self.state.books.iter().find(|(_, b)| (b.payee, b.token) == (payee, token)) {
            return Ok(*number);
        }
        self.listed(token)?;
        let number = self.state.books.len() as u32 + 1;
        self.state.books.insert(number, Book { payee, token, next_serial: 0, ceiling_bps: CEILING_BPS, terms: Terms::default() });
        self.log("BookCreated(uint32,address,address)", &[word(number), word_of(payee), word_of(token)], vec![]);
        Ok(number)
    }

    /// Puts a new one into the book of a pair.
    pub fn put(&mut self, payee: Addr, token: Addr, one: C) -> Result<Number> {
        let book = self.book(payee, token)?;
        let of = self.state.books.get_mut(&book).expect("just made");
        let number = (book, of.next_serial);
        of.next_serial += 1;
        self.state.records.insert(number, one);
        self.opened.push(number);
        Ok(number)
    }

    fn set_terms(&mut self, payee: Addr, token: Addr, terms: Terms) -> Result<Vec<Word>> {
        self.party(payee)?;
        if terms.beneficiary != NATIVE {
            self.party(terms.beneficiary)?;
        }
        for amount in [terms.flat, terms.min_gain] {
            if amount > MAX_AMOUNT {
                return Err(Refused::TooMuch { amount, max: MAX_AMOUNT });
            }
        }
        let number = self.book(payee, token)?;
        let now = self.now;
        let old = &mut self.state.books.get_mut(&number).expect("just made").terms;
        if terms.bps > CEILING_BPS {
            return Err(Refused::FeeAboveCeiling { given_bps: terms.bps, ceiling_bps: CEILING_BPS });
        }
        let worse = terms.beneficiary != old.beneficiary
            || terms.bps < old.bps
            || terms.flat < old.flat
            || terms.min_gain > old.min_gain
            || terms.until < old.until;
        if old.beneficiary != NATIVE && now < old.until && worse {
            return Err(Refused::TermsHeld { until: old.until });
        }
        *old = terms;
        let said = vec![word(terms.bps), word(terms.flat), word(terms.min_gain), word(terms.until)];
        self.log("TermsSet(uint32,address,uint16,uint128,uint128,uint64)", &[word(number), word_of(terms.beneficiary)], said);
        Ok(vec![])
    }
}
