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
    http::{HeaderName, Method, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use problem::Problem;
use rivulet_http::cors::Shared;
use rivulet_store::Store;
use serde::Serialize;
use std::{net::IpAddr, sync::Arc};

/// Where a feed is to go on: what a browser's `EventSource` sends by itself, and other clients must be allowed to.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

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
    let addresses = RateLimits::new(api.config.address_rate()).map(Arc::new);
    let operators = match api.config.http.operator_listen {
        None => limited(admin::routes(&api), &limits, &api, &addresses).merge(counters()),
        Some(_) => Router::new(),
    };
    public(&api, &limits, &addresses)
        .merge(limited(pages::routes(&api).route("/ready", get(health::ready)), &limits, &api, &addresses))
        // Outside all limits: a busy relayer is still alive, and says how busy.
        .merge(health())
        .merge(operators)
        .route_layer(middleware::from_fn_with_state(api.clone(), metrics::measure))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .fallback(async |request: Request| Problem::no_such_route(request.uri().path()))
        .with_state(api)
}

type Addresses = Option<Arc<RateLimits<IpAddr>>>;

fn limited(routes: Router<Api>, limits: &limits::Limits, api: &Api, addresses: &Addresses) -> Router<Api> {
    let routes = routes.layer(middleware::from_fn_with_state(limits.clone(), limits::apply));
    routes.layer(middleware::from_fn_with_state((api.clone(), addresses.clone()), client::limit))
}

/// What anybody may ask, from any program, and from web pages of the origins that are configured.
fn public(api: &Api, limits: &limits::Limits, addresses: &Addresses) -> Router<Api> {
    let routes = Router::new()
        .route("/v1/vouchers", post(vouchers::one))
        .route("/v1/vouchers/batch", post(vouchers::batch))
        .route("/v1/channels/{book}/{serial}", get(channels::get))
        .route("/v1/payees/{address}/channels", get(payees::channels))
        .route("/v1/payees/{address}/earnings", get(earnings::get))
        .route("/v1/info", get(info::get))
        .route("/v1/openapi.json", get(openapi::get))
        .merge(pages::setup_routes(api))
        .layer(middleware::from_fn_with_state(limits.clone(), limits::apply))
        // Outside the limits on time and number: a feed has its own, and stays open.
        .route("/v1/payees/{address}/events", get(events::get))
        .layer(middleware::from_fn_with_state((api.clone(), addresses.clone()), client::limit));
    // Outside the limits: a page must see that it was refused, and when to come back.
    match Shared::with(&api.config.http.cors_origins) {
        Some(shared) => {
            let requests = shared.taking([Method::GET, Method::POST], [header::CONTENT_TYPE, LAST_EVENT_ID]);
            // What is no method of a route, it must see too: a preflight is one.
            let routes = routes.method_not_allowed_fallback(async || Problem::method_not_allowed());
            routes.layer(requests.expose_headers([header::RETRY_AFTER, earnings::NEXT]))
        }
        None => routes,
    }
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
