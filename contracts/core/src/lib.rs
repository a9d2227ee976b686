//! # rivulet-core: the rules that move money
//!
//! Everything in Rivulet that decides who is owed what: ids, the types that parties sign, the batch blob's codec, relay fees, the state of
//! channels and streams, and the calls on them. No ink! type, no I/O, no panic, every step checked. The ink! shells in `contracts/channels` and
//! `contracts/streams` give it storage, time and transfers through the [`host::Host`] trait and add nothing; the relayer uses the same ids, digests
//! and codec.
//!
//! - [`ids`], [`eip712`], [`signature`]: what is signed. Final.
//! - [`blob`], [`outcome`]: the batch and what becomes of its rows. Final.
//! - [`amount`], [`fee`]: rounding and relay fees.
//! - [`ledger`], [`book`]: money in and out, credit; books and their terms.
//! - [`signed`]: calls in a party's name.
//! - [`channel`], [`stream`]: the calls; [`batch`]: many claims in one.
//! - [`host`], [`event`], [`error`], [`record`], [`cell`]: what lies between a call and the chain.
//!
//! ```
//! use rivulet_core::{eip712::{Domain, Message, Voucher}, ids::{Address, ChannelId, Deployment}, SoftKeccak};
//! let at = Deployment { chain_id: 420_420_420, contract: Address([7; 20]) };
//! let voucher = Voucher { channel_id: ChannelId([1; 32]), cumulative_amount: 5 };
//! let digest = voucher.digest(&Domain::Channels.separator(&at, &SoftKeccak), &SoftKeccak);
//! assert_eq!(digest.len(), 32);
//! ```
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(missing_docs)]
#![forbid(unsafe_code)]
#![cfg_attr(feature = "refusals-end-calls", allow(unreachable_code, reason = "what follows a refusal"))]

extern crate alloc;

pub mod amount;
pub mod batch;
pub mod blob;
pub mod book;
pub mod cell;
pub mod channel;
pub mod eip712;
pub mod error;
pub mod event;
pub mod fee;
pub mod host;
pub mod ids;
pub mod ledger;
pub mod outcome;
pub mod record;
pub mod signature;
pub mod signed;
pub mod stream;
#[cfg(feature = "testing")]
pub mod testing;
pub mod varint;
pub mod words;

/// keccak-256, by whoever can do it best: the chain's syscall in a contract, software off chain.
pub trait Keccak256 {
    /// The hash.
    fn keccak256(&self, bytes: &[u8]) -> [u8; 32];
}

/// keccak-256 in software.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug, Default)]
pub struct SoftKeccak;

#[cfg(feature = "std")]
impl Keccak256 for SoftKeccak {
    fn keccak256(&self, bytes: &[u8]) -> [u8; 32] {
        use tiny_keccak::Hasher;
        let mut hasher = tiny_keccak::Keccak::v256();
        let mut out = [0; 32];
        hasher.update(bytes);
        hasher.finalize(&mut out);
        out
    }
}
