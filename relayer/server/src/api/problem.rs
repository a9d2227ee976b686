//! Errors: RFC 9457 `application/problem+json`, with a stable `code` and, where there is one, the field, what was expected and what was given.

use crate::{
    accept::{AcceptError, Refusal},
    channels::LookupError,
};
use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rivulet_rules::{accept::Rejection, text};
use rivulet_store::StoreError;
use serde::Serialize;
use std::{borrow::Cow, fmt::Display, time::Duration};

/// The best voucher stored: what a client goes on from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct BestJson {
    /// Its total.
    pub cumulative_amount: String,
    /// Its signature, compact.
    pub signature: String,
}

/// An error.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Problem {
    /// `urn:rivulet:problem:<code>`
    #[serde(rename = "type")]
    pub kind: String,
    /// The status's name.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What a program acts on. Stable.
    pub code: &'static str,
    /// What a person reads.
    pub detail: String,
    /// The rest, as far as there is any.
    #[serde(flatten)]
    pub details: Box<Details>,
}

/// What not every error has.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Details {
    /// Which field is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<Cow<'static, str>>,
    /// What would have been taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given: Option<String>,
    /// With `stale`: what is stored, with the client's own signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best: Option<BestJson>,
    /// With `rate_limited`: how long to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_secs: Option<u64>,
}

/// Every code that is not a [`Rejection`]'s, with its status. A test compares this with the documentation.
pub const OTHER_CODES: [(u16, &str); 12] = [
    (401, "unauthorized"),
    (404, "no_such_route"),
    (405, "method_not_allowed"),
    (413, "body_too_large"),
    (413, "too_many_items"),
    (429, "rate_limited"),
    (500, "internal"),
    (503, "overloaded"),
    (503, "store_unavailable"),
    (503, "chain_unavailable"),
    (503, "draining"),
    (504, "timeout"),
];

/// The status that a rejection's code is answered with.
pub fn status_of_code(code: &str) -> Option<u16> {
    let status = match code {
        "malformed" => StatusCode::BAD_REQUEST,
        "unknown_channel" => StatusCode::NOT_FOUND,
        "channel_closed" => StatusCode::GONE,
        "payee_not_served" | "wrong_signer" => StatusCode::FORBIDDEN,
        "wrong_channel_id" | "stale" | "channel_closing" | "not_final" => StatusCode::CONFLICT,
        "bad_signature" | "not_covered" | "first_total_too_small" => StatusCode::UNPROCESSABLE_ENTITY,
        other => return OTHER_CODES.iter().find(|(_, code)| *code == other).map(|(status, _)| *status),
    };
    Some(status.as_u16())
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        let kind = format!("urn:rivulet:problem:{code}");
        Self { kind, title, status: status.as_u16(), code, detail: detail.into(), details: Box::default() }
    }

    fn field(mut self, field: impl Into<Cow<'static, str>>, expected: impl Into<String>, given: impl Into<String>) -> Self {
        let details = &mut self.details;
        (details.field, details.expected, details.given) = (Some(field.into()), Some(expected.into()), Some(given.into()));
        self
    }

    /// A body that is not JSON of the right shape as a whole.
    pub fn malformed_body(expected: &str, given: impl Display) -> Self {
        let given = text::shown(&given.to_string());
        Self::new(StatusCode::BAD_REQUEST, "malformed", format!("body: expected {expected}, got {given}")).field("body", expected, given)
    }

    /// A parameter of a path or a query that is not in its form.
    pub fn malformed(field: &'static str, expected: &str, given: &str) -> Self {
        let given = text::shown(given);
        Self::new(StatusCode::BAD_REQUEST, "malformed", format!("{field}: expected {expected}, got {given}")).field(field, expected, given)
    }

    /// Too often.
    pub fn rate_limited(whose: &str, wait: Duration) -> Self {
        // Rounded up: a client that waits exactly so long is let in.
        let secs = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1);
        let detail = format!("too many requests of {whose}: come back in {secs} s; nothing was stored");
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail);
        problem.details.retry_after_secs = Some(secs);
        problem
    }

    /// No vouchers are taken any more.
    pub fn draining() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "draining", "this relayer takes no more vouchers; nothing was stored")
    }

    /// The admin's token is missing or another.
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "expected the header Authorization: Bearer with the admin token")
    }

    /// Nothing here.
    pub fn no_such_route(path: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "no_such_route", format!("there is nothing at {}", text::shown(path)))
    }

    /// Not by this method.
    pub fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this route takes another method")
    }

    /// The body is longer than allowed.
    pub fn body_too_large(max_bytes: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", format!("the body is longer than {max_bytes} bytes")).field(
            "body",
            format!("at most {max_bytes} bytes"),
            "more",
        )
    }

    /// More vouchers than allowed.
    pub fn too_many_items(max: usize, given: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_many_items", format!("expected at most {max} vouchers, got {given}")).field(
            "body",
            format!("at most {max} vouchers"),
            given.to_string(),
        )
    }

    /// Come back later.
    pub fn overloaded() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "too much at once; nothing was stored, send it again in a moment")
    }

    /// It took too long. It may have been stored: the same request again finds out.
    pub fn timeout() -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, "timeout", "this took too long; it may have been stored: send the same again")
    }

    /// Something that is not the caller's fault. The caller gets a safe text, the log the detail.
    pub fn internal(what: &'static str, detail: &dyn Display) -> Self {
        tracing::error!(error = %detail, "{what}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", what)
    }
}

impl From<&Rejection> for Problem {
    fn from(rejection: &Rejection) -> Self {
        let status = status_of_code(rejection.code()).and_then(|s| StatusCode::from_u16(s).ok()).unwrap_or(StatusCode::BAD_REQUEST);
        let mut problem =
            Self::new(status, rejection.code(), rejection.to_string()).field(rejection.field(), rejection.expected(), rejection.given());
        problem.details.best =
            rejection.best().map(|best| BestJson { cumulative_amount: best.cumulative_amount.to_string(), signature: text::hex(&best.signature.0) });
        problem
    }
}

impl From<&StoreError> for Problem {
    fn from(e: &StoreError) -> Self {
        match e {
            StoreError::Busy { .. } => Self::overloaded(),
            e => {
                tracing::error!(error = %e, "store");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", "the store failed; nothing was stored")
            }
        }
    }
}

impl From<&LookupError> for Problem {
    fn from(e: &LookupError) -> Self {
        match e {
            LookupError::Store(e) => e.into(),
            LookupError::Overloaded => Self::overloaded(),
            LookupError::Chain(e) => {
                tracing::warn!(error = %e, "chain");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "chain_unavailable",
                    "the channel is not known here and the chain did not answer; send it again",
                )
            }
        }
    }
}

impl From<&Refusal> for Problem {
    fn from(e: &Refusal) -> Self {
        match e {
            Refusal::Rejected(rejection) => rejection.into(),
            Refusal::Lookup(e) => e.into(),
            Refusal::RateLimited(wait) => Self::rate_limited("this payer", *wait),
        }
    }
}

impl From<&AcceptError> for Problem {
    fn from(e: &AcceptError) -> Self {
        match e {
            AcceptError::Store(e) => e.into(),
            AcceptError::Task(e) => Self::internal("a check did not finish", e),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], Body::from(body)).into_response();
        if let Some(secs) = self.details.retry_after_secs.or((status == StatusCode::SERVICE_UNAVAILABLE).then_some(1)) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
