//! What `rivulet-core` needs of the chain, by pallet-revive's syscalls, and core's events and errors as Solidity sees them.
//!
//! Called by the ink! shells. Syscalls are used directly: ink!'s own `ecdsa_recover` does nothing on chain, its `transfer` hands the callee all weight,
//! and its builders cost code size. Source: pallet-revive-uapi 0.8.0 `HostFn`; pallet-revive 0.20.2 `vm/pvm/env.rs`.
#![cfg_attr(not(feature = "std"), no_std)]

pub mod abi;
mod chain;
pub mod common;
mod error;
mod event;
mod syscalls;

pub use chain::Chain;
pub use error::{Error, revert};

/// Ends a call that answers. With the Solidity ABI it ends right here, so that ink!'s own encoders of answers and errors are dead code.
#[inline(always)]
pub fn finish<T: abi::Answer>(result: Result<T, rivulet_core::error::Error>) -> Result<T, Error> {
    #[cfg(ink_abi = "all")]
    return result.map_err(Error::from);
    #[cfg(not(ink_abi = "all"))]
    match result {
        Ok(value) => syscalls::answer(&value.encode()),
        Err(e) => revert(e),
    }
}

/// Ends a view.
#[inline(always)]
pub fn answer<T: abi::Answer>(value: T) -> T {
    #[cfg(ink_abi = "all")]
    return value;
    #[cfg(not(ink_abi = "all"))]
    syscalls::answer(&value.encode())
}

/// Ends a constructor: a refusal at once, or ink! stores the contract.
#[inline(always)]
pub fn construct(result: Result<(), rivulet_core::error::Error>) -> Result<(), Error> {
    #[cfg(ink_abi = "all")]
    return result.map_err(Error::from);
    #[cfg(not(ink_abi = "all"))]
    result.or_else(|e| revert(e))
}
