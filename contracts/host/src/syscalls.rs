//! The syscalls used. Off chain, where ink! builds the contract once to write its metadata, none can be called.

/// Weight that an outgoing call may use. pallet-revive takes the least of it and what is left.
#[derive(Clone, Copy)]
pub struct Limits {
    /// Picoseconds.
    pub ref_time: u64,
    /// Bytes.
    pub proof_size: u64,
    /// Storage deposit, in wei; charged to the submitter.
    pub deposit: [u8; 32],
}

/// No storage deposit.
pub const NO_DEPOSIT: [u8; 32] = [0; 32];
/// As much as the submitter allows.
pub const ANY_DEPOSIT: [u8; 32] = [0xff; 32];

#[cfg(target_arch = "riscv64")]
mod on_chain {
    use super::Limits;
    use ink::prelude::{vec, vec::Vec};
    use pallet_revive_uapi::{CallFlags, HostFn, HostFnImpl as api, StorageFlags};

    /// The calldata from a byte on.
    pub fn calldata(from: u32) -> Vec<u8> {
        let size = u32::try_from(api::call_data_size()).unwrap_or(0);
        let mut out = vec![0; size.saturating_sub(from) as usize];
        api::call_data_copy(&mut out, from);
        out
    }
    pub fn this() -> [u8; 20] {
        let mut out = [0; 20];
        api::address(&mut out);
        out
    }
    pub fn caller() -> [u8; 20] {
        let mut out = [0; 20];
        api::caller(&mut out);
        out
    }
    pub fn chain_id() -> [u8; 32] {
        let mut out = [0; 32];
        api::chain_id(&mut out);
        out
    }
    pub fn now() -> [u8; 32] {
        let mut out = [0; 32];
        api::now(&mut out);
        out
    }
    pub fn value() -> [u8; 32] {
        let mut out = [0; 32];
        api::value_transferred(&mut out);
        out
    }
    pub fn balance() -> [u8; 32] {
        let mut out = [0; 32];
        api::balance(&mut out);
        out
    }
    pub fn code_hash(of: &[u8; 20]) -> [u8; 32] {
        let mut out = [0; 32];
        api::code_hash(of, &mut out);
        out
    }
    pub fn keccak256(bytes: &[u8]) -> [u8; 32] {
        let mut out = [0; 32];
        api::hash_keccak_256(bytes, &mut out);
        out
    }
    /// How much it read; 0 without a cell.
    pub fn load(key: &[u8], out: &mut [u8]) -> usize {
        let mut out = out;
        if api::get_storage(StorageFlags::empty(), key, &mut out).is_ok() { out.len() } else { 0 }
    }
    pub fn save(key: &[u8], value: &[u8]) {
        api::set_storage(StorageFlags::empty(), key, value);
    }
    /// False when the callee refused, trapped or ran out of its limits. Nobody called from here can call back: re-entry is denied.
    pub fn call(to: &[u8; 20], limits: &Limits, value: &[u8; 32], input: &[u8], output: &mut [u8]) -> bool {
        let mut output = output;
        api::call(CallFlags::empty(), to, limits.ref_time, limits.proof_size, &limits.deposit, value, input, Some(&mut output)).is_ok()
    }
    /// The first `topics` words are topics, what follows is data.
    pub fn log(topics: usize, words: &[u8]) {
        let (topics, data) = words.split_at(topics.saturating_mul(32));
        let (topics, _) = topics.as_chunks();
        api::deposit_event(topics, data);
    }
    /// Ends the call: all it did is undone, and `data` says why.
    pub fn revert(data: &[u8]) -> ! {
        api::return_value(pallet_revive_uapi::ReturnFlags::REVERT, data)
    }
    /// Ends the call: all it did stays, and `data` is its answer.
    #[cfg(not(ink_abi = "all"))]
    pub fn answer(data: &[u8]) -> ! {
        api::return_value(pallet_revive_uapi::ReturnFlags::empty(), data)
    }
    pub fn delegate_call(to: &[u8; 20], input: &[u8]) -> bool {
        api::delegate_call(CallFlags::empty(), to, u64::MAX, u64::MAX, &super::ANY_DEPOSIT, input, None).is_ok()
    }
}

#[cfg(not(target_arch = "riscv64"))]
mod off_chain {
    use super::Limits;
    use ink::prelude::vec::Vec;
    const ONLY: &str = "syscalls exist on chain only";
    pub fn calldata(_: u32) -> Vec<u8> {
        unreachable!("{ONLY}")
    }
    pub fn this() -> [u8; 20] {
        unreachable!("{ONLY}")
    }
    pub fn caller() -> [u8; 20] {
        unreachable!("{ONLY}")
    }
    pub fn chain_id() -> [u8; 32] {
        unreachable!("{ONLY}")
    }
    pub fn now() -> [u8; 32] {
        unreachable!("{ONLY}")
    }
    pub fn value() -> [u8; 32] {
        unreachable!("{ONLY}")
    }
    pub fn balance() -> [u8; 32] {
        unreachable!("{ONLY}")
    }
    pub fn code_hash(_: &[u8; 20]) -> [u8; 32] {
        unreachable!("{ONLY}")
    }
    pub fn keccak256(_: &[u8]) -> [u8; 32] {
        unreachable!("{ONLY}")
    }
    pub fn load(_: &[u8], _: &mut [u8]) -> usize {
        unreachable!("{ONLY}")
    }
    pub fn save(_: &[u8], _: &[u8]) {
        unreachable!("{ONLY}")
    }
    pub fn call(_: &[u8; 20], _: &Limits, _: &[u8; 32], _: &[u8], _: &mut [u8]) -> bool {
        unreachable!("{ONLY}")
    }
    pub fn log(_: usize, _: &[u8]) {
        unreachable!("{ONLY}")
    }
    pub fn revert(_: &[u8]) -> ! {
        unreachable!("{ONLY}")
    }
    #[cfg(not(ink_abi = "all"))]
    pub fn answer(_: &[u8]) -> ! {
        unreachable!("{ONLY}")
    }
    pub fn delegate_call(_: &[u8; 20], _: &[u8]) -> bool {
        unreachable!("{ONLY}")
    }
}

#[cfg(not(target_arch = "riscv64"))]
pub use off_chain::*;
#[cfg(target_arch = "riscv64")]
pub use on_chain::*;
