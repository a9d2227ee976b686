//! A chain in memory: storage, balances, events, and recipients that refuse. For tests of the calls; the compiled bundles are tested on the real pallet.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Keccak256, SoftKeccak,
    event::Event,
    host::{Host, Key, Permit, Recipient},
    ids::{Address, Deployment, Token},
    signature::SplitSignature,
};

/// The chain.
#[derive(Clone, Debug)]
pub struct MemoryHost {
    /// Storage cells.
    pub cells: BTreeMap<Key, Vec<u8>>,
    /// Balances by (token, owner); native as token zero.
    pub balances: BTreeMap<(Token, Address), u128>,
    /// Minimum balances: a remainder below moves along with a transfer, as the assets precompile does it.
    pub min_balances: BTreeMap<Token, u128>,
    /// What of a token an owner allows this contract to pull; all of it where there is no entry.
    pub allowances: BTreeMap<(Token, Address), u128>,
    /// Who refuses to be paid.
    pub refusing: BTreeSet<Address>,
    /// Accounts that do not exist.
    pub absent: BTreeSet<Address>,
    /// Events so far, printed.
    pub events: Vec<String>,
    /// The clock.
    pub now: u64,
    /// Who calls.
    pub caller: Address,
    /// What came with the call.
    pub value_wei: u128,
}

/// The contract's own address.
pub const THIS: Address = Address([0xcc; 20]);

impl Default for MemoryHost {
    fn default() -> Self {
        Self {
            cells: BTreeMap::new(),
            balances: BTreeMap::new(),
            min_balances: BTreeMap::new(),
            allowances: BTreeMap::new(),
            refusing: BTreeSet::new(),
            absent: BTreeSet::new(),
            events: Vec::new(),
            now: 1_700_000_000,
            caller: Address::ZERO,
            value_wei: 0,
        }
    }
}

impl MemoryHost {
    /// Makes one call as `caller`: the value moves first, and all is undone when the call refuses, as on the chain.
    pub fn call<T, E>(&mut self, caller: Address, value_wei: u128, f: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        let before = self.clone();
        self.caller = caller;
        self.value_wei = value_wei;
        assert!(self.shift(&Token::ZERO, &caller, &THIS, value_wei), "the caller has no {value_wei} wei");
        let result = f(self);
        if result.is_err() {
            *self = before;
        }
        result
    }

    /// A balance.
    pub fn balance(&self, token: &Token, who: &Address) -> u128 {
        self.balances.get(&(*token, *who)).copied().unwrap_or(0)
    }

    /// Gives `who` money.
    pub fn endow(&mut self, token: &Token, who: &Address, amount: u128) {
        *self.balances.entry((*token, *who)).or_default() += amount;
    }

    fn shift(&mut self, token: &Token, from: &Address, to: &Address, amount: u128) -> bool {
        match self.balance(token, from).checked_sub(amount) {
            Some(rest) => {
                let along = if rest < self.min_balances.get(token).copied().unwrap_or(0) { rest } else { 0 };
                self.balances.insert((*token, *from), rest - along);
                self.endow(token, to, amount + along);
                true
            }
            None => false,
        }
    }
}

impl Keccak256 for MemoryHost {
    fn keccak256(&self, bytes: &[u8]) -> [u8; 32] {
        SoftKeccak.keccak256(bytes)
    }
}

impl Host for MemoryHost {
    fn deployment(&self) -> Deployment {
        Deployment { chain_id: 420_420_420, contract: THIS }
    }
    fn caller(&self) -> Address {
        self.caller
    }
    fn value_wei(&self) -> u128 {
        self.value_wei
    }
    fn now(&self) -> u64 {
        self.now
    }
    fn read(&self, key: &Key, out: &mut [u8]) -> usize {
        self.cells.get(key).map_or(0, |v| {
            out[..v.len()].copy_from_slice(v);
            v.len()
        })
    }
    fn write(&mut self, key: &Key, value: &[u8]) {
        assert!(!value.is_empty() && value.len() <= 416, "a cell holds 1 to 416 bytes, not {}", value.len());
        self.cells.insert(*key, value.to_vec());
    }
    fn clear(&mut self, key: &Key) {
        self.cells.remove(key);
    }
    /// In memory a "signature" is the signer's address in `r`, and the digest's first bytes in `s`: enough to tell right from wrong.
    fn recover(&self, digest: &[u8; 32], signature: &SplitSignature) -> Option<Address> {
        let mut who = [0; 20];
        who.copy_from_slice(signature.r.get(..20)?);
        (signature.s.get(1..)? == digest.get(1..)?).then_some(Address(who))
    }
    fn recipient(&self, who: &Address) -> Recipient {
        if self.absent.contains(who) { Recipient::Absent } else { Recipient::Account }
    }
    fn send_native(&mut self, to: &Address, amount_wei: u128, _fund_new: bool) -> bool {
        !self.refusing.contains(to) && self.shift(&Token::ZERO, &THIS, to, amount_wei)
    }
    fn token_balance(&self, token: &Token) -> Option<u128> {
        Some(self.balance(token, &THIS))
    }
    /// In memory a permit is good when `r` begins with the owner; it sets the allowance that [`Self::pull_token`] looks at.
    fn permit(&mut self, token: &Token, owner: &Address, amount: u128, permit: &Permit) {
        if permit.r.starts_with(&owner.0) && self.now <= permit.deadline {
            self.allowances.insert((*token, *owner), amount);
        }
    }
    fn pull_token(&mut self, token: &Token, from: &Address, amount: u128) -> bool {
        if let Some(allowed) = self.allowances.get_mut(&(*token, *from)) {
            match allowed.checked_sub(amount) {
                Some(rest) => *allowed = rest,
                None => return false,
            }
        }
        self.shift(token, from, &THIS, amount)
    }
    fn send_token(&mut self, token: &Token, to: &Address, amount: u128) -> bool {
        !self.refusing.contains(to) && self.shift(token, &THIS, to, amount)
    }
    fn emit(&mut self, event: &Event<'_>) {
        self.events.push(format!("{event:?}"));
    }
}

/// A signature that [`MemoryHost::recover`] takes for `signer`'s.
pub fn sign(signer: &Address, digest: &[u8; 32]) -> crate::signature::CompactSignature {
    let mut bytes = [0; 64];
    bytes[..20].copy_from_slice(&signer.0);
    bytes[20] = 1;
    bytes[33..].copy_from_slice(&digest[1..]);
    bytes[32] = 1;
    crate::signature::CompactSignature(bytes)
}
