//! # rivulet-e2e: all of it together, on a real node
//!
//! Node, contracts, relayer and clients as their users run them: real binaries, real ports, a database on disk. Nothing here is linked into them.
//!
//! - [`faults`]: what `scripts/faults` breaks, and what must be left of it.
//! - [`harness`]: starts the dev node and the relayer, deploys, kills, restarts, stops.
//! - [`ledger`]: finalized balances, by which everything here is judged.
//! - [`people`]: keys and the money they begin with.
//! - [`town`]: what the examples happen in.
//! - [`story`]: what `scripts/demo` plays, and the audit at its end.
//!
//! Programs: `story` (`scripts/demo`), `faults` (`scripts/faults`). Tests: `relayer_killed`, `relayers_shared`, `several_keys`, `watchtower`, `nodes`,
//! `bad_vouchers`, `streams_claimed`, `operated`, `payer`, `command`, `audit`, `power_cut`, `pages`, `cases` (the examples).
//!
//! ```
//! use rivulet_e2e::people::Person;
//! let anna = Person::new("payer-1")?;
//! assert_eq!(anna.uri(), "//Rivulet//payer-1");
//! # Ok::<(), rivulet_e2e::Error>(())
//! ```
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod error;
pub mod faults;
pub mod harness;
pub mod ledger;
pub mod people;
pub mod story;
pub mod town;

pub use error::{Context, Error, Result};
