//! # rivulet-server: the relayer's routes and its worker
//!
//! ```text
//!  client ──▶ api ──▶ accept ──▶ channels (cache, else store, else chain)
//!                        │
//!                        ├─▶ rules::accept (on blocking threads) ──▶ store, on disk ──▶ answer
//!                        ╰─▶ wakes the worker when enough has come
//!  chain ──▶ worker: follow ─▶ reconcile ─▶ claim (choose, dry run, intent on disk, submit)
//! ```
//!
//! - [`api`]: the routes, their JSON, and errors as `application/problem+json`.
//! - [`accept`]: from offered vouchers to stored ones. [`channels`]: what is known of channels, in little memory.
//! - [`worker`]: follows finalized blocks, sends batches, finds out what became of them.
//! - [`chain`]: what the worker needs of a chain; `rivulet-chain` has it, tests have a small one in memory.
//! - [`acknowledge`]: signs for what was stored. [`rate`], [`net`]: how often who may come.
//! - [`metrics`], [`feed`], [`control`]: what operators and payees see, and what operators may change.
//! - [`http`]: connections and their time limits. TLS and what web pages may do are `rivulet-http`'s.
//! - [`config`], [`overrides`], [`network`]: the operator's file, what variables change of it, and what the deployment says.
//! - [`serve`]: all of it together, until told to stop.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod accept;
pub mod acknowledge;
pub mod api;
pub mod chain;
pub mod channels;
pub mod clock;
pub mod config;
pub mod control;
pub mod dates;
pub mod feed;
pub mod http;
mod known;
pub mod metrics;
pub mod net;
pub mod network;
pub mod overrides;
pub mod rate;
pub mod serve;
pub mod status;
pub mod worker;
