//! # rivulet-rules: what the relayer decides
//!
//! Which vouchers are accepted, which rows go into a batch, what became of a transaction. Functions from data to data: no network, no database, no
//! clock. `rivulet-chain` fills the types of [`chain`], `rivulet-store` keeps what comes out, `rivulet-server` drives both.
//!
//! - [`chain`]: what is known of the chain.
//! - [`accept`]: the checks between a voucher and the store, one file a check; [`accept::Verified`] is their only product.
//! - [`acknowledgement`]: what the relayer signs when it has stored a voucher.
//! - [`batch`]: which rows pay for a transaction, and its blob.
//! - [`endpoint`]: which nodes can be believed.
//! - [`reconcile`]: what became of an intent.
//! - [`statement`]: what a payee was paid, for its books.
//! - [`text`]: hex and decimal, as people and JSON write them.
//!
//! Feature `testing`: keys, channels and signed vouchers for the tests of the crates above.
//!
//! ```
//! use rivulet_rules::text;
//! assert_eq!(text::amount("cumulative_amount", "100000000")?, 100_000_000);
//! assert_eq!(text::amount("cumulative_amount", "1e8").unwrap_err().code(), "malformed");
//! # Ok::<(), rivulet_rules::accept::Rejection>(())
//! ```
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod accept;
pub mod acknowledgement;
pub mod batch;
pub mod chain;
pub mod endpoint;
pub mod reconcile;
pub mod statement;
#[cfg(feature = "testing")]
pub mod testing;
pub mod text;
