//! # rivulet-sandbox: the compiled contracts on the real pallet, without a node
//!
//! A chain in memory: the dev runtime (Polkadot Hub's fees, weights, deposits and limits) run natively by its own `Executive`. Bundles are deployed
//! and called by signed extrinsics, so nonces, fees, deposits and block limits are the true ones. The sandbox's tests, the invariants and the cost
//! tables stand on it. Its role is the one that DRink! has for ink! 5.
//!
//! - [`Sandbox`]: blocks, time, snapshots, money; deploys, calls, views.
//! - [`Party`], [`VoucherKey`]: who sends transactions, and who signs vouchers.
//! - [`Outcome`], [`Cost`], [`Failure`], [`Log`]: what became of a call.
//! - [`Bundle`]: the compiled contracts. [`ChannelsContract`], [`StreamsContract`]: deployed and seeded.
//! - [`abi`]: the contracts' interface. [`evm`]: payees that misbehave.
//!
//! Every transaction has a block of its own; blocks are a millisecond apart, so time stands still, in whole seconds, until [`Sandbox::advance`].
//!
//! ```
//! use rivulet_sandbox::{NATIVE, Sandbox};
//! let mut chain = Sandbox::new();
//! let payer = chain.party("//payer/1");
//! let before = chain.snapshot();
//! chain.advance(3600);
//! chain.restore(&before);
//! assert_eq!(chain.now(), Sandbox::START_SECS);
//! assert_eq!(chain.balance(NATIVE, payer.address), Sandbox::ENDOWMENT_WEI);
//! ```
//!
//! Bundles are read from `deployments/bundles`, or from the folder that `RIVULET_BUNDLES` names; `scripts/build contracts` makes them.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

// One file holds the whole interface; the relayer's crate has it, with clients that the sandbox does not need.
#[path = "../../../relayer/chain/src/abi.rs"]
pub mod abi;
mod bundle;
mod channels;
mod cost;
pub mod evm;
mod failure;
mod money;
mod outcome;
mod party;
mod sandbox;
mod state;
mod streams;
mod tx;

pub use bundle::Bundle;
pub use channels::{ChannelsContract, Opened, Parameters, batch};
pub use cost::Cost;
pub use failure::Failure;
pub use money::{NATIVE, USDC, USDT};
pub use outcome::{Log, Outcome};
pub use party::{Party, VoucherKey};
pub use sandbox::{Sandbox, Snapshot};
pub use streams::StreamsContract;
pub use tx::Limits;
