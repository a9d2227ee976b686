//! The web pages: `GET /` for creators, `GET /pay` for payers, `GET /pages/{file}` of which they are made, and `GET /v1/pages`: what they must know.
//!
//! Built from `relayer/pages` and committed there. A page runs only what comes from here, and talks to this relayer and the Ethereum RPC alone: its policy says so to the
//! browser. Without `pages.eth_rpc_url` there are no such routes.

use super::{Api, json, problem::Problem};
use crate::config::{Config, ConfigError, rpc_origin};
use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rivulet_core::{Keccak256, SoftKeccak};
use rivulet_rules::text;
use serde::Serialize;
use serde_json::value::RawValue;
use std::{fs, sync::OnceLock};

struct File {
    name: &'static str,
    media: &'static str,
    bytes: &'static [u8],
}

macro_rules! built {
    ($name:literal, $media:literal) => {
        File { name: $name, media: $media, bytes: include_bytes!(concat!("../../../pages/built/", $name)) }
    };
}

const CREATOR: File = built!("index.html", "text/html; charset=utf-8");
const PAYER: File = built!("pay.html", "text/html; charset=utf-8");
const PARTS: [File; 4] = [
    built!("app.js", "text/javascript; charset=utf-8"),
    built!("app.css", "text/css; charset=utf-8"),
    built!("icon.svg", "image/svg+xml"),
    built!("licenses.txt", "text/plain; charset=utf-8"),
];

/// What the pages must know, and what the browser is told about them.
#[derive(Clone, Debug)]
pub struct Pages {
    setup: std::sync::Arc<Setup>,
    policy: HeaderValue,
}

#[derive(Debug, Serialize)]
struct Setup {
    eth_rpc_url: String,
    /// The deployment's file as it is: with what the chain's code is compared.
    deployment: Box<RawValue>,
}

impl Pages {
    /// What the configuration says; `None`: no pages.
    ///
    /// # Errors
    /// When the RPC's URL cannot be one of a page, or the deployment's file cannot be read.
    pub fn of(config: &Config) -> Result<Option<Self>, ConfigError> {
        let Some(url) = &config.pages.eth_rpc_url else { return Ok(None) };
        let origin = rpc_origin(url)?;
        let unreadable = |e: String| ConfigError::Value {
            key: "deployment".to_owned(),
            expected: "a JSON file that can be read: the pages show it".to_owned(),
            given: format!("{}: {e}", config.deployment.display()),
        };
        let file = fs::read_to_string(&config.deployment).map_err(|e| unreadable(e.to_string()))?;
        let deployment = RawValue::from_string(file).map_err(|e| unreadable(e.to_string()))?;
        // No inline script or style, no code from text, no frame around it, nothing from elsewhere. Only the text of an origin that was checked is put in.
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' {origin}; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
        );
        let policy = HeaderValue::from_str(&policy).map_err(|e| unreadable(e.to_string()))?;
        Ok(Some(Self { setup: std::sync::Arc::new(Setup { eth_rpc_url: url.clone(), deployment }), policy }))
    }
}

/// Pages and their parts; none without a configuration for them.
pub fn routes(api: &Api) -> Router<Api> {
    match api.pages {
        Some(_) => Router::new().route("/", get(creator)).route("/pay", get(payer)).route("/pages/{file}", get(part)),
        None => Router::new(),
    }
}

/// What pages must know: pages of other origins too, which find the chain by a relayer's address alone.
pub fn setup_routes(api: &Api) -> Router<Api> {
    match api.pages {
        Some(_) => Router::new().route("/v1/pages", get(setup)),
        None => Router::new(),
    }
}

async fn creator(State(api): State<Api>, headers: HeaderMap) -> Response {
    send(&api, &CREATOR, &headers)
}

async fn payer(State(api): State<Api>, headers: HeaderMap) -> Response {
    send(&api, &PAYER, &headers)
}

async fn part(State(api): State<Api>, Path(name): Path<String>, headers: HeaderMap, request: Request) -> Response {
    match PARTS.iter().find(|part| part.name == name) {
        Some(part) => send(&api, part, &headers),
        None => Problem::no_such_route(request.uri().path()).into_response(),
    }
}

/// `GET /v1/pages`
async fn setup(State(api): State<Api>) -> Response {
    match &api.pages {
        Some(pages) => json(StatusCode::OK, pages.setup.as_ref()),
        None => Problem::no_such_route("/v1/pages").into_response(),
    }
}

/// The hash of what is served: a browser that has it is sent nothing.
fn etag(file: &File) -> HeaderValue {
    static ALL: OnceLock<Vec<(&'static str, HeaderValue)>> = OnceLock::new();
    let hash = |file: &File| {
        let hash = SoftKeccak.keccak256(file.bytes);
        HeaderValue::from_str(&format!("\"{}\"", text::hex(hash.first_chunk::<16>().unwrap_or(&[0; 16])))).ok()
    };
    let all = ALL.get_or_init(|| [&CREATOR, &PAYER].into_iter().chain(&PARTS).filter_map(|file| Some((file.name, hash(file)?))).collect());
    all.iter().find(|(name, _)| *name == file.name).map_or(HeaderValue::from_static("\"none\""), |(_, tag)| tag.clone())
}

/// True when one of the tags that the browser has is this one.
fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let given = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','));
    given.map(|t| t.trim().trim_start_matches("W/")).any(|t| t == "*" || t.as_bytes() == tag.as_bytes())
}

fn send(api: &Api, file: &File, headers: &HeaderMap) -> Response {
    let tag = etag(file);
    let mut response = match is_known(headers, &tag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(header::CONTENT_TYPE, file.media)], Body::from(file.bytes)).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, tag);
    // Asked for each time, by the hash: after an update of the relayer no page runs with parts of the one before.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Some(pages) = &api.pages {
        headers.insert(header::CONTENT_SECURITY_POLICY, pages.policy.clone());
    }
    response
}
