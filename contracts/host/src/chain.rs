//! The chain as core sees it.

use crate::{
    event,
    syscalls::{self, ANY_DEPOSIT, Limits, NO_DEPOSIT},
};
#[cfg(not(ink_abi = "all"))]
use rivulet_core::error::Refused;
use rivulet_core::{
    Keccak256,
    error::Error,
    event::Event,
    host::{Host, Key, Permit, Recipient},
    ids::{Address, Deployment, Token},
    signature::SplitSignature,
    words::Words,
};

/// Weight of a native payout's callee, if it is a contract: enough for a wallet's receive hook, not enough to make a batch dear.
const PAYOUT: Limits = Limits { ref_time: 500_000_000, proof_size: 40_000, deposit: NO_DEPOSIT };
/// Weight of a call to an asset's precompile.
const TOKEN: Limits = Limits { ref_time: 3_000_000_000, proof_size: 100_000, deposit: NO_DEPOSIT };
/// Weight of ecRecover.
const RECOVER: Limits = Limits { ref_time: 1_000_000_000, proof_size: 50_000, deposit: NO_DEPOSIT };

const EC_RECOVER: [u8; 20] = short_address(&[0x01]);
const STORAGE: [u8; 20] = short_address(&[0x09, 0x01]);

const fn short_address(tail: &[u8]) -> [u8; 20] {
    let mut out = [0; 20];
    let mut i = 0;
    while i < tail.len() {
        out[20 - tail.len() + i] = tail[i];
        i += 1;
    }
    out
}

const fn selector(signature: &str) -> [u8; 4] {
    let h = keccak_const::Keccak256::new().update(signature.as_bytes()).finalize();
    [h[0], h[1], h[2], h[3]]
}

/// The chain, during one call.
pub struct Chain {
    deployment: Deployment,
    now: u64,
}

impl Chain {
    /// As the running call finds it.
    pub fn new() -> Self {
        Self {
            deployment: Deployment { chain_id: low_u64(&syscalls::chain_id()), contract: Address(syscalls::this()) },
            now: low_u64(&syscalls::now()),
        }
    }

    /// Calls an ERC-20 function that answers with a word.
    fn token_call<const N: usize>(&self, token: &Token, selector: [u8; 4], args: &Words<N>) -> Option<[u8; 32]> {
        let mut input = [0u8; 4 + 224];
        let len = 4usize.saturating_add(args.bytes().len());
        let (head, tail) = input.split_at_mut(4);
        head.copy_from_slice(&selector);
        tail.get_mut(..args.bytes().len())?.copy_from_slice(args.bytes());
        let mut output = [0u8; 32];
        syscalls::call(&token.0, &TOKEN, &[0; 32], input.get(..len)?, &mut output).then_some(output)
    }
}

impl Default for Chain {
    fn default() -> Self {
        Self::new()
    }
}

/// Syscalls give 256-bit numbers little-endian; what does not fit saturates.
fn low_u128(le: &[u8; 32]) -> u128 {
    let (low, high) = le.split_at(16);
    let mut word = [0; 16];
    word.copy_from_slice(low);
    if high.iter().any(|b| *b != 0) { u128::MAX } else { u128::from_le_bytes(word) }
}

fn low_u64(le: &[u8; 32]) -> u64 {
    u64::try_from(low_u128(le)).unwrap_or(u64::MAX)
}

fn wide_le(v: u128) -> [u8; 32] {
    let mut out = [0; 32];
    let (low, _) = out.split_at_mut(16);
    low.copy_from_slice(&v.to_le_bytes());
    out
}

/// A word of the ABI that must be a number below 2^128.
fn word_u128(be: &[u8; 32]) -> u128 {
    let (high, low) = be.split_at(16);
    let mut word = [0; 16];
    word.copy_from_slice(low);
    if high.iter().any(|b| *b != 0) { u128::MAX } else { u128::from_be_bytes(word) }
}

fn is_true(word: &[u8; 32]) -> bool {
    word_u128(word) == 1
}

impl Keccak256 for Chain {
    fn keccak256(&self, bytes: &[u8]) -> [u8; 32] {
        syscalls::keccak256(bytes)
    }
}

impl Host for Chain {
    #[cfg(not(ink_abi = "all"))]
    #[inline(always)]
    fn refuse(&self, why: Error) -> Refused {
        crate::revert(why)
    }
    fn deployment(&self) -> Deployment {
        self.deployment
    }
    fn caller(&self) -> Address {
        Address(syscalls::caller())
    }
    fn value_wei(&self) -> u128 {
        low_u128(&syscalls::value())
    }
    fn now(&self) -> u64 {
        self.now
    }
    fn read(&self, key: &Key, out: &mut [u8]) -> usize {
        syscalls::load(key.bytes(&mut [0; Key::MAX_BYTES]), out)
    }
    fn write(&mut self, key: &Key, value: &[u8]) {
        syscalls::save(key.bytes(&mut [0; Key::MAX_BYTES]), value);
    }
    fn clear(&mut self, key: &Key) {
        // clearStorage(uint32 flags, bool isFixedKey, bytes key): the pallet has no syscall for keys of variable length.
        let mut buf = [0; Key::MAX_BYTES];
        let key = key.bytes(&mut buf);
        let mut input = [0u8; 4 + 32 * 6];
        let mut args = Words::<128>::new();
        args.u32(0).u32(0).u32(96).u32(u32::try_from(key.len()).unwrap_or(0));
        let (head, tail) = input.split_at_mut(4);
        head.copy_from_slice(&const { selector("clearStorage(uint32,bool,bytes)") });
        let (words, bytes) = tail.split_at_mut(128);
        words.copy_from_slice(args.bytes());
        if let Some(place) = bytes.get_mut(..key.len()) {
            place.copy_from_slice(key);
        }
        if !syscalls::delegate_call(&STORAGE, &input) {
            // A record that stays after its money left could pay twice: stop here, and the call reverts whole.
            panic!("clearStorage");
        }
    }
    fn recover(&self, digest: &[u8; 32], signature: &SplitSignature) -> Option<Address> {
        let mut input = Words::<128>::new();
        input.bytes32(digest).u32(u32::from(signature.v)).bytes32(&signature.r).bytes32(&signature.s);
        let mut output = [0u8; 32];
        if !syscalls::call(&EC_RECOVER, &RECOVER, &[0; 32], input.bytes(), &mut output) {
            // The precompile answers every input, with nothing when nobody signed: only weight can have been missing.
            crate::revert(Error::OutOfWeight {});
        }
        let (_, low) = output.split_at(12);
        let mut who = Address::ZERO;
        who.0.copy_from_slice(low);
        // No answer leaves zeros: nobody's signature.
        (!who.is_zero()).then_some(who)
    }
    fn recipient(&self, who: &Address) -> Recipient {
        // Source: pallet-revive `code_hash`: zeros without an account, the hash of nothing without code.
        const NO_CODE: [u8; 32] = keccak_const::Keccak256::new().finalize();
        match syscalls::code_hash(&who.0) {
            hash if hash == [0; 32] => Recipient::Absent,
            hash if hash == NO_CODE => Recipient::Account,
            _ => Recipient::Contract,
        }
    }
    fn send_native(&mut self, to: &Address, amount_wei: u128, fund_new: bool) -> bool {
        let limits = Limits { deposit: if fund_new { ANY_DEPOSIT } else { NO_DEPOSIT }, ..PAYOUT };
        syscalls::call(&to.0, &limits, &wide_le(amount_wei), &[], &mut [])
    }
    fn token_balance(&self, token: &Token) -> Option<u128> {
        if token.is_zero() {
            return Some(low_u128(&syscalls::balance()));
        }
        let mut args = Words::<32>::new();
        args.address(&self.deployment.contract);
        self.token_call(token, const { selector("balanceOf(address)") }, &args).map(|w| word_u128(&w))
    }
    fn pull_token(&mut self, token: &Token, from: &Address, amount: u128) -> bool {
        let mut args = Words::<96>::new();
        args.address(from).address(&self.deployment.contract).u128(amount);
        self.token_call(token, const { selector("transferFrom(address,address,uint256)") }, &args).is_some_and(|w| is_true(&w))
    }
    fn permit(&mut self, token: &Token, owner: &Address, amount: u128, permit: &Permit) {
        let mut args = Words::<224>::new();
        args.address(owner).address(&self.deployment.contract).u128(amount).u64(permit.deadline);
        args.u32(u32::from(permit.v)).bytes32(&permit.r).bytes32(&permit.s);
        self.token_call(token, const { selector("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)") }, &args);
    }
    fn send_token(&mut self, token: &Token, to: &Address, amount: u128) -> bool {
        let mut args = Words::<64>::new();
        args.address(to).u128(amount);
        self.token_call(token, const { selector("transfer(address,uint256)") }, &args).is_some_and(|w| is_true(&w))
    }
    fn emit(&mut self, event: &Event<'_>) {
        event::emit(event);
    }
}
