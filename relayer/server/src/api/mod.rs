//! The routes.
//!
//! | route | answers |
//! |---|---|
//! | `POST /v1/vouchers` | one voucher: [`vouchers`] |
//! | `POST /v1/vouchers/batch` | an array of them, each with its own result |
//! | `GET /v1/channels/{book}/{serial}` | a channel and its best voucher: [`channels`] |
//! | `GET /v1/payees/{address}/earnings` | what a payee has earned, by token: [`payees`] |
//! | `GET /v1/info` | the network, the limits, who the relayer is: [`info`] |
//! | `GET /health`, `GET /ready` | is it up, does it work: [`health`] |
//!
//! Amounts are strings of digits, in the token's smallest unit (native: wei). Every error is [`problem::Problem`].

pub mod channels;
pub mod health;
pub mod info;
mod limits;
pub mod payees;
pub mod problem;
pub mod vouchers;

use crate::{accept::Acceptor, channels::Channels, config::Config, network::Network, status::Status};
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use problem::Problem;
use rivulet_store::Store;
use serde::Serialize;
use std::sync::Arc;

/// What the routes share.
#[derive(Clone)]
pub struct Api {
    /// Takes vouchers.
    pub acceptor: Arc<Acceptor>,
    /// What is known of channels.
    pub channels: Arc<Channels>,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The network.
    pub network: Arc<Network>,
    /// The configuration.
    pub config: Arc<Config>,
    /// How the worker is doing.
    pub status: Arc<Status>,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("network", &self.network.name).finish_non_exhaustive()
    }
}

/// All routes, with limits on body, time and number.
pub fn router(api: Api) -> Router {
    let limits = limits::Limits::new(&api.config.http);
    Router::new()
        .route("/v1/vouchers", post(vouchers::one))
        .route("/v1/vouchers/batch", post(vouchers::batch))
        .route("/v1/channels/{book}/{serial}", get(channels::get))
        .route("/v1/payees/{address}/earnings", get(payees::earnings))
        .route("/v1/info", get(info::get))
        .route("/ready", get(health::ready))
        .layer(middleware::from_fn_with_state(limits, limits::apply))
        // Outside the limits: a busy relayer is still alive.
        .route("/health", get(health::health))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .fallback(async |request: Request| Problem::no_such_route(request.uri().path()))
        .with_state(api)
}

/// A JSON answer.
fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(bytes) => (status, [(header::CONTENT_TYPE, "application/json")], Body::from(bytes)).into_response(),
        Err(e) => Problem::internal("cannot write the answer", &e).into_response(),
    }
}
