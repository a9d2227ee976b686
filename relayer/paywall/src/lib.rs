//! # rivulet-paywall: a price on any web server
//!
//! HTTP 402 in front of a web server, as a reverse proxy (`rivulet paywall`) or a [tower layer](layer::PaywallLayer). A request is served when its payer has
//! signed for it and the relayer has written the voucher down; then it is charged here, on disk, and only then asked for behind.
//!
//! - [`price`], [`path`], [`rules`]: what costs what.
//! - [`grant`]: what may be served for what was accepted; [`flight`]: when money is given back.
//! - [`payload`]: what payers sign and send (`rivulet_client::buy` is their side); [`offer`], [`denied`], [`answer`]: what they are told.
//! - [`store`]: what must not be forgotten; [`relayer`]: who carries the vouchers.
//! - [`paywall`]: from a request to a decision; [`layer`], [`meter`]: what is done about it; [`cors`]: for pages of other origins too.
//! - [`proxy`], [`serve`], [`config`], [`metrics`]: the daemon.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use axum::{Router, routing::get};
//! use rivulet_paywall::{config::Config, paywall::Paywall};
//!
//! let config = Config::parse(include_str!("../config/minimal.toml"))?;
//! let paywall = Paywall::open(&config, &rivulet_chain::Deployment::load(&config.deployment)?)?;
//! paywall.check_relayer().await?;
//! let app: Router = Router::new().route("/articles/{id}", get(|| async { "worth ten cents" })).layer(paywall.layer());
//! # Ok(()) }
//! ```
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod answer;
pub mod config;
pub mod cors;
pub mod denied;
pub mod flight;
pub mod grant;
pub mod layer;
pub mod meter;
pub mod metrics;
pub mod offer;
pub mod path;
pub mod payload;
pub mod paywall;
pub mod price;
pub mod proxy;
pub mod relayer;
pub mod rules;
pub mod serve;
pub mod store;
