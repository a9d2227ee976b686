//! The routes.
//!
//! | route | file |
//! |---|---|
//! | `POST /v1/vouchers`, `POST /v1/vouchers/batch` | [`vouchers`] |
//! | `GET /v1/channels/{book}/{serial}` | [`channels`] |
//! | `GET /v1/payees/{address}/channels` | [`payees`] |
//! | `GET /v1/payees/{address}/earnings` | [`earnings`] |
//! | `GET /v1/payees/{address}/events` | [`events`] |
//! | `GET /v1/info` | [`info`] |
//! | `GET /v1/openapi.json` | [`openapi`] |
//! | `/v1/admin/…` | [`admin`] |
//! | `GET /`, `/pay`, `/pages/{file}`, `/v1/pages` | [`pages`] |
//! | `GET /health`, `GET /ready` | [`health`] |
//! | `GET /metrics` | [`metrics`] |
//!
//! Amounts are strings of digits, in the token's smallest unit (native: wei). Every error is [`problem::Problem`].

pub mod admin;
pub mod channels;
pub mod client;
mod csv;
pub mod earnings;
pub mod events;
pub mod health;
pub mod info;
mod limits;
pub mod metrics;
pub mod openapi;
pub mod pages;
mod params;
pub mod payees;
pub mod problem;
pub mod vouchers;

use crate::{
    accept::{Acceptor, Pressure},
    chain::ChainAccess,
    channels::Channels,
    config::Config,
    control::Control,
    feed::Feed,
    metrics::Metrics,
    network::Network,
    rate::RateLimits,
    status::Status,
};
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
    /// The chain: only to say how its nodes do.
    pub chain: Arc<dyn ChainAccess>,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The network.
    pub network: Arc<Network>,
    /// The configuration.
    pub config: Arc<Config>,
    /// How the worker is doing.
    pub status: Arc<Status>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What payees hear.
    pub feed: Arc<Feed>,
    /// What an operator has changed.
    pub control: Arc<Control>,
    /// Who wakes the worker.
    pub pressure: Arc<Pressure>,
    /// What opens the admin routes; `None`: there are none.
    pub admin: Option<admin::AdminToken>,
    /// The web pages; `None`: there are none.
    pub pages: Option<pages::Pages>,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("network", &self.network.name).finish_non_exhaustive()
    }
}

/// All routes, with limits on body, time and number. Without the operators', when those have an address of their own.
pub fn router(api: Api) -> Router {
    let limits = limits::Limits::new(&api.config.http);
    let has_operators = api.config.http.operator_listen.is_none();
    let addresses = RateLimits::new(api.config.address_rate()).map(Arc::new);
    Router::new()
        .route("/v1/vouchers", post(vouchers::one))
        .route("/v1/vouchers/batch", post(vouchers::batch))
        .route("/v1/channels/{book}/{serial}", get(channels::get))
        .route("/v1/payees/{address}/channels", get(payees::channels))
        .route("/v1/payees/{address}/earnings", get(earnings::get))
        .route("/v1/info", get(info::get))
        .route("/v1/openapi.json", get(openapi::get))
        .route("/ready", get(health::ready))
        .merge(pages::routes(&api))
        .merge(if has_operators { admin::routes(&api) } else { Router::new() })
        .layer(middleware::from_fn_with_state(limits, limits::apply))
        // Outside the limits on time and number: a feed has its own, and stays open.
        .route("/v1/payees/{address}/events", get(events::get))
        .layer(middleware::from_fn_with_state((api.clone(), addresses), client::limit))
        // Outside all limits: a busy relayer is still alive, and says how busy.
        .merge(health())
        .merge(if has_operators { counters() } else { Router::new() })
        .route_layer(middleware::from_fn_with_state(api.clone(), metrics::measure))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .fallback(async |request: Request| Problem::no_such_route(request.uri().path()))
        .with_state(api)
}

/// What operators alone should reach, for an address of its own: counters, admin routes, and whether it is alive.
pub fn operator_router(api: Api) -> Router {
    let limits = limits::Limits::new(&api.config.http);
    admin::routes(&api)
        .layer(middleware::from_fn_with_state(limits, limits::apply))
        .merge(health())
        .merge(counters())
        .route_layer(middleware::from_fn_with_state(api.clone(), metrics::measure))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .fallback(async |request: Request| Problem::no_such_route(request.uri().path()))
        .with_state(api)
}

fn health() -> Router<Api> {
    Router::new().route("/health", get(health::health))
}

fn counters() -> Router<Api> {
    Router::new().route("/metrics", get(metrics::get))
}

/// A JSON answer.
fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(bytes) => (status, [(header::CONTENT_TYPE, "application/json")], Body::from(bytes)).into_response(),
        Err(e) => Problem::internal("cannot write the answer", &e).into_response(),
    }
}
