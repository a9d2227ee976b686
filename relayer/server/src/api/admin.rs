//! `/v1/admin`: what an operator may do while the relayer runs. Without a token in the configuration there are no such routes; with one, every request must
//! carry it as `Authorization: Bearer …`. Nothing of it outlives a restart.

use super::{Api, json, problem::Problem};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use rivulet_core::{Keccak256, SoftKeccak};
use serde::{Deserialize, Serialize};

/// What opens the routes: only its hash is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AdminToken([u8; 32]);

impl std::fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AdminToken(…)")
    }
}

impl AdminToken {
    /// The shortest token, in characters.
    pub const SHORTEST: usize = 16;

    /// `None` when it is too short to be one.
    pub fn new(token: &str) -> Option<Self> {
        (token.len() >= Self::SHORTEST).then(|| Self(SoftKeccak.keccak256(token.as_bytes())))
    }

    /// Compares hashes: how long that takes says nothing of the token.
    fn is(&self, token: &str) -> bool {
        self.0 == SoftKeccak.keccak256(token.as_bytes())
    }
}

/// How things stand.
#[derive(Debug, Serialize)]
struct StateJson {
    is_claiming_paused: bool,
    is_draining: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogJson {
    filter: String,
}

fn state(api: &Api) -> Response {
    json(StatusCode::OK, &StateJson { is_claiming_paused: api.control.is_paused(), is_draining: api.control.is_draining() })
}

/// The routes.
pub fn routes(api: &Api) -> Router<Api> {
    let change = |apply: fn(&Api)| {
        post(async move |State(api): State<Api>| {
            apply(&api);
            state(&api)
        })
    };
    let pause = change(|api| {
        api.control.set_paused(true);
        tracing::warn!("claiming paused by an operator");
    });
    let resume = change(|api| {
        api.control.set_paused(false);
        tracing::warn!("claiming resumed by an operator");
        api.pressure.press();
    });
    let claim = change(|api| {
        tracing::info!("an operator asks for a batch now");
        api.pressure.press();
    });
    let drain = change(|api| {
        api.control.set_draining(true);
        tracing::warn!("draining: no vouchers are taken, by an operator's wish");
    });
    let undrain = change(|api| {
        api.control.set_draining(false);
        tracing::warn!("taking vouchers again, by an operator's wish");
    });
    Router::new()
        .route("/v1/admin/state", get(async |State(api): State<Api>| state(&api)))
        .route("/v1/admin/pause", pause)
        .route("/v1/admin/resume", resume)
        .route("/v1/admin/claim", claim)
        .route("/v1/admin/drain", drain)
        .route("/v1/admin/undrain", undrain)
        .route("/v1/admin/log", post(log))
        .route_layer(middleware::from_fn_with_state(api.clone(), authorize))
}

fn token_of(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

async fn authorize(State(api): State<Api>, request: Request, next: Next) -> Response {
    match &api.admin {
        None => Problem::no_such_route(request.uri().path()).into_response(),
        Some(token) if token_of(request.headers()).is_some_and(|given| token.is(given)) => next.run(request).await,
        Some(_) => Problem::unauthorized().into_response(),
    }
}

/// `POST /v1/admin/log` with `{"filter": "info,rivulet_server=debug"}`.
async fn log(State(api): State<Api>, body: Body) -> Response {
    match set_log(&api, body).await {
        Ok(()) => state(&api),
        Err(problem) => problem.into_response(),
    }
}

async fn set_log(api: &Api, body: Body) -> Result<(), Problem> {
    let max = api.config.http.max_body_bytes;
    let bytes = to_bytes(body, max).await.map_err(|_| Problem::body_too_large(max))?;
    let LogJson { filter } = serde_json::from_slice(&bytes).map_err(|e| Problem::malformed_body("{\"filter\": \"…\"}", e))?;
    api.control.set_log(&filter).map_err(|e| Problem::malformed("filter", &e, &filter))?;
    tracing::info!(filter, "the log's filter was changed by an operator");
    Ok(())
}
