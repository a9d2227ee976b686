//! # rivulet-client: pay and be paid
//!
//! For programs that pay through channels and streams, and for payees that act on their own. The relayer's demo, tests and benches stand on it.
//!
//! - [`Payer`]: opens, tops up, closes channels; creates streams and all that a payer does with them.
//! - [`Channel`], [`VoucherSigner`], [`VoucherKey`]: promises, signed without any network.
//! - [`Purse`]: channels with their totals, kept in a [`Folder`] or anything that can [`Keep`]; [`Limits`] by site.
//! - [`Session`]: a purse that pays through a relayer, whatever is dropped, cut off or killed.
//! - [`buy`]: the same for what costs something by HTTP 402.
//! - [`Relayer`]: hands vouchers to a relayer over HTTP; [`Receipt`]: proof that it had one.
//! - [`Payee`]: claims, closes, collects, hands streams over, sets relay terms.
//! - [`statement`]: what a payee was paid, for its books.
//!
//! ```no_run
//! # #[cfg(all(feature = "chain", feature = "http"))]
//! # async fn example() -> Result<(), rivulet_client::Error> {
//! use rivulet_chain::{Chain, Deployment, NodeOptions, Signer};
//! use rivulet_client::{Folder, OpenChannel, Payer, Purse, Relayer, Session, VoucherKey};
//! use rivulet_core::ids::Address;
//!
//! let deployment = Deployment::load("deployments/dev.json").map_err(rivulet_chain::Error::from)?;
//! let chain = Chain::connect(&["ws://127.0.0.1:9944".into()], &deployment, NodeOptions::default()).await?;
//! let payer = Payer::new(chain, Signer::from_uri("//Alice")?, VoucherKey::generate()?);
//! let dot = 1_000_000_000_000_000_000;
//! let wanted = OpenChannel { payee: Address([7; 20]), token: Address::ZERO, challenge_period_secs: 3600, amount: 5 * dot };
//! let channel = payer.open(&wanted).await?;
//!
//! let purse = Purse::open(Folder::open("kept")?, payer.vouchers().clone())?; // what was promised outlives a crash
//! purse.add(&channel, "news.example")?;
//! let session = Session::new(purse, Relayer::new("http://127.0.0.1:8787")?);
//! session.pay(channel.id, dot / 1000, "article 7").await?; // no transaction, no fee; named, so never paid twice
//! # Ok(()) }
//! ```
//!
//! Without the features `chain` and `http` (`default-features = false`) what is left signs, checks and keeps totals: README.md has the table.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

#[cfg(feature = "http")]
pub mod buy;
mod error;
mod keep;
mod key;
mod limits;
#[cfg(feature = "chain")]
mod payee;
#[cfg(feature = "chain")]
mod payer;
mod purse;
#[cfg(feature = "http")]
pub mod relay;
#[cfg(feature = "http")]
mod session;
#[cfg(feature = "chain")]
pub mod statement;
#[cfg(feature = "chain")]
mod streams;
#[cfg(feature = "http")]
mod till;
mod voucher;

#[cfg(feature = "http")]
pub use buy::Buyer;
pub use error::Error;
pub use keep::{Folder, Forgetful, Keep};
pub use key::VoucherKey;
pub use limits::{Limits, PeriodLimit};
#[cfg(feature = "chain")]
pub use payee::{ALL, Claimed, Claims, Gain, Payee};
#[cfg(feature = "chain")]
pub use payer::{OpenChannel, Payer};
pub use purse::{Kept, Purchase, Purse, Ticket};
#[cfg(feature = "http")]
pub use relay::{Receipt, Relayer};
#[cfg(feature = "http")]
pub use session::{Paid, Session};
#[cfg(feature = "chain")]
pub use streams::{CreateStream, REFUNDABLE, Stream, rate_per_second_scaled};
pub use voucher::{Channel, SignedVoucher, VoucherSigner};
