//! # rivulet-chain: eyes and hands on the chain
//!
//! Follows finality, reads the contracts, prices and submits transactions and finds them again, deploys. It decides nothing: `rivulet-rules` does,
//! on the plain data that this crate fills. The relayer, the client and the deploy script stand on it.
//!
//! - [`Node`]: one chain behind one or several URLs: blocks, dry runs, signed transactions, fees. Knows no contract of ours.
//! - [`Chain`]: a node that was found to carry a [`Deployment`]: our views, events and claims.
//! - [`Lane`]: one key with many transactions in flight.
//! - [`FinalizedFeed`]: every finalized block once, without gaps, across restarts of the node.
//! - [`deploy`]: puts both contracts on a chain and writes the deployment's file.
//! - [`abi`]: the contracts' interface; [`revert`]: their errors by name.
//!
//! Everything is dynamic: the runtime's own metadata says how to encode, so an upgrade of the runtime that keeps the pallets' calls needs no new build.
//!
//! ```
//! use rivulet_chain::{Signer, abi::channels::Channels::requestCloseCall};
//! use alloy_sol_types::SolCall;
//! let alice = Signer::from_uri("//Alice")?;
//! assert_eq!(alice.address().to_string(), "0x9621dde636de098b43efb0fa9b61facfe328f99d");
//! assert_eq!(requestCloseCall { book: 1, serial: 0 }.abi_encode().len(), 4 + 2 * 32);
//! # Ok::<(), rivulet_chain::Error>(())
//! ```
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod abi;
pub mod account;
mod call;
mod chain;
pub mod deploy;
pub mod deployment;
mod dry_run;
mod endpoints;
mod error;
mod events;
mod feed;
mod fees;
mod lane;
mod node;
pub mod revert;
mod rpc;
mod standing;
mod track;
mod tx;
mod views;

pub use account::Signer;
pub use call::Call;
pub use chain::{Chain, claim_calldata};
pub use deployment::Deployment;
pub use dry_run::DryCall;
pub use error::{Error, Refusal};
pub use events::decode_event;
pub use feed::FinalizedFeed;
pub use fees::claim_limits;
pub use lane::{InFlight, Lane};
pub use node::{Node, NodeOptions};
pub use rpc::Limits;
pub use standing::Standing;
pub use tx::{RawEvent, Submitted, TxReport};
pub use views::{ContractConfig, StreamBalances, StreamDelegate, StreamDetails, TokenState};
