//! What `rivulet-core` needs of the chain, by pallet-revive's syscalls, and core's events and errors as Solidity sees them.
//!
//! Called by the ink! shells. Syscalls are used directly: ink!'s own `ecdsa_recover` does nothing on chain, its `transfer` hands the callee all weight,
//! and its builders cost code size. Source: pallet-revive-uapi 0.8.0 `HostFn`; pallet-revive 0.20.2 `vm/pvm/env.rs`.
#![cfg_attr(not(feature = "std"), no_std)]

mod chain;
mod error;
mod event;
#[cfg(feature = "std")]
mod event_abi;
mod syscalls;

pub use chain::Chain;
pub use error::{Error, revert};

/// The result of a call as ink! returns it. With the Solidity ABI an error ends the call here, so that ink!'s own encoders of errors are dead code.
#[inline(always)]
pub fn finish<T>(result: Result<T, rivulet_core::error::Error>) -> Result<T, Error> {
    #[cfg(ink_abi = "all")]
    return result.map_err(Error::from);
    #[cfg(not(ink_abi = "all"))]
    match result {
        Ok(value) => Ok(value),
        Err(e) => revert(e),
    }
}
