//! # rivulet-client: pay and be paid
//!
//! For programs that pay through channels and streams, and for payees that act on their own. The relayer's demo, tests and benches stand on it.
//!
//! - [`Payer`]: opens, tops up, closes channels; creates streams and all that a payer does with them.
//! - [`Channel`], [`VoucherSigner`], [`VoucherKey`]: promises, signed without any network.
//! - [`Relayer`]: hands vouchers to a relayer over HTTP; [`Receipt`]: proof that it had one.
//! - [`Payee`]: claims, closes, collects, hands streams over, sets relay terms.
//! - [`statement`]: what a payee was paid, for its books.
//!
//! ```no_run
//! # async fn example() -> Result<(), rivulet_client::Error> {
//! use rivulet_chain::{Chain, Deployment, NodeOptions, Signer};
//! use rivulet_client::{OpenChannel, Payer, Relayer, VoucherKey};
//! use rivulet_core::ids::Address;
//!
//! let deployment = Deployment::load("deployments/dev.json").map_err(rivulet_chain::Error::from)?;
//! let chain = Chain::connect(&["ws://127.0.0.1:9944".into()], &deployment, NodeOptions::default()).await?;
//! let payer = Payer::new(chain, Signer::from_uri("//Alice")?, VoucherKey::generate()?);
//! let dot = 1_000_000_000_000_000_000;
//! let wanted = OpenChannel { payee: Address([7; 20]), token: Address::ZERO, challenge_period_secs: 3600, amount: 5 * dot };
//! let mut channel = payer.open(&wanted).await?;
//!
//! let relayer = Relayer::new("http://127.0.0.1:8787")?;
//! let voucher = channel.pay(payer.vouchers(), dot / 1000)?; // no transaction, no fee
//! relayer.pay(&voucher).await?;
//! # Ok(()) }
//! ```
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod error;
mod key;
mod payee;
mod payer;
pub mod relay;
pub mod statement;
mod streams;
mod voucher;

pub use error::Error;
pub use key::VoucherKey;
pub use payee::{ALL, Payee};
pub use payer::{OpenChannel, Payer};
pub use relay::{Receipt, Relayer};
pub use streams::{CreateStream, REFUNDABLE, Stream, rate_per_second_scaled};
pub use voucher::{Channel, SignedVoucher, VoucherSigner};
