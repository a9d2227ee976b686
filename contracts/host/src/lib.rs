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
