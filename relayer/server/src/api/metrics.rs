//! `GET /metrics`, and what is measured of every request.

use super::{Api, problem::Problem};
use axum::{
    extract::{MatchedPath, Request, State},
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::time::Instant;

/// `GET /metrics`
pub async fn get(State(api): State<Api>) -> Response {
    match text(&api).await {
        Ok(text) => ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response(),
        Err(problem) => problem.into_response(),
    }
}

async fn text(api: &Api) -> Result<String, Problem> {
    let counts = api.store.counts().await.map_err(|e| Problem::from(&e))?;
    let intents = api.store.open_intents().await.map_err(|e| Problem::from(&e))?;
    api.metrics.endpoints(&api.chain.endpoints());
    Ok(api.metrics.text(&api.chain.signers(), &counts, &intents, &api.status, &api.control, api.acceptor.now()))
}

/// Counts each answer by its route, not by its path: there are few of the one and any number of the other.
pub async fn measure(State(api): State<Api>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let started = Instant::now();
    let response = next.run(request).await;
    api.metrics.answered(&route, response.status().as_u16(), started.elapsed());
    response
}
