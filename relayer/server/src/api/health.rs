//! `GET /health`: the process answers. `GET /ready`: it can take vouchers and its worker gets through.

use super::{Api, json, problem::Problem};
use crate::status::Report;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
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
    worker: Report,
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
    // A relayer that drains is not one to send vouchers to.
    let is_ready = api.status.is_ready(api.config.http.ready_within_ms) && !api.control.is_draining();
    let (code, status) = if is_ready { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not_ready") };
    let body = ReadyJson {
        status,
        channels: counts.channels,
        vouchers: counts.vouchers,
        open_intents: counts.open_intents,
        set_aside: counts.set_aside,
        is_claiming_paused: api.control.is_paused(),
        is_draining: api.control.is_draining(),
        worker: api.status.report(),
    };
    json(code, &body)
}
