//! How many requests at once, and for how long each.

use super::problem::Problem;
use crate::config::Http;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Semaphore, time::timeout};

/// Shared by all requests.
#[derive(Clone, Debug)]
pub struct Limits {
    turns: Arc<Semaphore>,
    timeout: Duration,
}

impl Limits {
    pub fn new(http: &Http) -> Self {
        Self { turns: Arc::new(Semaphore::new(http.max_requests)), timeout: Duration::from_millis(http.request_timeout_ms) }
    }
}

/// Refuses at once what is too much: a queue would only make everybody late.
pub async fn apply(State(limits): State<Limits>, request: Request, next: Next) -> Response {
    let Ok(_turn) = limits.turns.try_acquire() else { return Problem::overloaded().into_response() };
    match timeout(limits.timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::timeout().into_response(),
    }
}
