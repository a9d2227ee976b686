//! # rivulet-rules: what the relayer decides
//!
//! Which vouchers are accepted, which rows go into a batch, what became of a transaction. Functions from data to data: no network, no database, no
//! clock. `rivulet-chain` fills the types of [`chain`], `rivulet-store` keeps what comes out, `rivulet-server` drives both.
//!
//! - [`chain`]: what is known of the chain.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod chain;
