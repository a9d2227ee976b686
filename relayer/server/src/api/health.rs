//! `GET /health`: the process answers. `GET /ready`: it can take vouchers and its worker gets through.

use super::{Api, json, problem::Problem};
use crate::status::Report;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use rivulet_rules::endpoint::EndpointReport;
use serde::Serialize;

#[derive(Debug, Serialize)]
struct HealthJson {
    status: &'static str,
}

#[derive(Debug, Serialize)]
struct ReadyJson {
    status: &'static str,
    channels: u64,
    vouchers: u64,
    open_intents: u64,
    set_aside: u64,
    is_claiming_paused: bool,
    is_draining: bool,
    endpoints: Vec<EndpointJson>,
    worker: Report,
}

/// A node. What is said of it names no secret of its URL.
#[derive(Debug, Serialize)]
struct EndpointJson {
    name: String,
    is_used: bool,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block_number: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head_age_secs: Option<u64>,
}

impl From<EndpointReport> for EndpointJson {
    fn from(EndpointReport { name, is_used, state, block_number, head_age_secs }: EndpointReport) -> Self {
        Self { name, is_used, state: state.word(), reason: state.reason().map(str::to_owned), block_number, head_age_secs }
    }
}

/// `GET /health`
pub async fn health() -> Response {
    json(StatusCode::OK, &HealthJson { status: "ok" })
}

/// `GET /ready`
pub async fn ready(State(api): State<Api>) -> Response {
    let counts = match api.store.counts().await {
        Ok(counts) => counts,
        Err(e) => return Problem::from(&e).into_response(),
    };
    let endpoints = api.chain.endpoints();
    // None that may be used: what was known until now holds, and nothing new can be known.
    let is_blind = !endpoints.is_empty() && endpoints.iter().all(|e| e.state.is_refused());
    // A relayer that drains is not one to send vouchers to.
    let is_ready = api.status.is_ready(api.config.http.ready_within_ms) && !api.control.is_draining() && !is_blind;
    let (code, status) = if is_ready { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not_ready") };
    let body = ReadyJson {
        status,
        channels: counts.channels,
        vouchers: counts.vouchers,
        open_intents: counts.open_intents,
        set_aside: counts.set_aside,
        is_claiming_paused: api.control.is_paused(),
        is_draining: api.control.is_draining(),
        endpoints: endpoints.into_iter().map(EndpointJson::from).collect(),
        worker: api.status.report(),
    };
    json(code, &body)
}
