//! The real router on a fresh database, with one open channel. Every answer is held against the OpenAPI document.

use super::{CENT, FakeChain, relayer_on, relayer_with, schema};
use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Method, Request, StatusCode},
};
use http_body_util::BodyExt;
use rivulet_core::ids::Number;
use rivulet_rules::{
    accept::Offer,
    acknowledgement::AcknowledgementKey,
    chain::{ChannelState, ContractKind},
    testing::{Key, offer},
    text::hex,
};
use rivulet_server::{
    api::{admin::AdminToken, client::Peer, openapi, router},
    serve::{Relayer, Secrets},
};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tower::ServiceExt;

pub const NUMBER: Number = Number { book: 1, serial: 0 };
pub const TOKEN: &str = "a token of some length";

pub struct World {
    pub dir: tempfile::TempDir,
    pub chain: FakeChain,
    pub key: Key,
    pub state: ChannelState,
    pub relayer: Relayer,
    pub router: Router,
    document: Value,
}

/// The key that acknowledgements are signed with.
pub fn acknowledgement_key() -> AcknowledgementKey {
    AcknowledgementKey::from_bytes([7; 32]).unwrap()
}

pub async fn world(more: &str) -> World {
    world_with(more, Secrets::default()).await
}

/// With a key for acknowledgements and an admin token.
pub async fn world_with_secrets(more: &str) -> World {
    world_with(more, Secrets { acknowledgement: Some(acknowledgement_key()), admin: AdminToken::new(TOKEN) }).await
}

async fn world_with(more: &str, secrets: Secrets) -> World {
    let (dir, chain, key) = (tempfile::tempdir().unwrap(), FakeChain::new(), Key::of(1));
    chain.book(ContractKind::Channels, 1);
    let state = chain.open(NUMBER, &key, 1_000 * CENT);
    chain.produce();
    let relayer = relayer_with(dir.path(), &chain, more, secrets);
    World::of(dir, chain, key, state, relayer).await
}

/// Two relayers on one Postgres and one chain.
pub async fn two_on_postgres(more: &str) -> [World; 2] {
    let (chain, key, location) = (FakeChain::new(), Key::of(1), rivulet_store::testing::server().fresh().await);
    chain.book(ContractKind::Channels, 1);
    let state = chain.open(NUMBER, &key, 1_000 * CENT);
    chain.produce();
    let one = async || {
        let store = rivulet_store::open(&location, &super::network().deployment).await.unwrap();
        let secrets = Secrets { acknowledgement: Some(acknowledgement_key()), admin: AdminToken::new(TOKEN) };
        let relayer = relayer_on(store, &chain, more, secrets);
        World::of(tempfile::tempdir().unwrap(), chain.clone(), Key::of(1), state, relayer).await
    };
    [one().await, one().await]
}

pub fn voucher(offer: &Offer) -> Value {
    json!({
        "channel_id": hex(&offer.channel_id.0), "book": offer.number.book, "serial": offer.number.serial,
        "cumulative_amount": offer.cumulative_amount.to_string(), "signature": hex(&offer.signature.0),
    })
}

/// An answer as it came.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn media(&self) -> &str {
        self.headers["content-type"].to_str().unwrap()
    }
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl World {
    async fn of(dir: tempfile::TempDir, chain: FakeChain, key: Key, state: ChannelState, relayer: Relayer) -> Self {
        relayer.worker.catch_up().await.unwrap();
        let router = router(relayer.api.clone());
        Self { dir, chain, key, state, relayer, router, document: openapi::document() }
    }
    pub fn voucher(&self, total: u128) -> Value {
        voucher(&offer(&self.state, &self.key, total))
    }

    /// Sends it and holds the answer against the document.
    pub async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], from: &str, body: impl Into<Body>) -> Answer {
        let mut request = Request::builder().method(method.clone()).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let peer: SocketAddr = from.parse().unwrap();
        let request = request.extension(ConnectInfo(Peer(peer))).body(body.into()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.into_body().collect().await.unwrap().to_bytes().to_vec();
        let answer = Answer { status, headers, bytes };
        let value = if answer.media().contains("json") { answer.json() } else { Value::String(answer.text().to_owned()) };
        schema::hold(&self.document, method.as_str(), path, status.as_u16(), answer.media(), &value);
        answer
    }

    pub async fn send(&self, method: Method, path: &str, body: impl Into<Body>) -> (StatusCode, String, Value) {
        let answer = self.ask(method, path, &[], "127.0.0.1:9", body).await;
        (answer.status, answer.media().to_owned(), answer.json())
    }
    pub async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let (status, _, answer) = self.send(Method::POST, path, body.to_string()).await;
        (status, answer)
    }
    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        let (status, _, answer) = self.send(Method::GET, path, Body::empty()).await;
        (status, answer)
    }
    pub async fn text(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask(Method::GET, path, headers, "127.0.0.1:9", Body::empty()).await
    }
    pub async fn admin(&self, method: Method, path: &str, body: impl Into<Body>) -> Answer {
        self.ask(method, path, &[("authorization", &format!("Bearer {TOKEN}"))], "127.0.0.1:9", body).await
    }
    pub async fn refused(&self, body: &Value) -> (u16, String, String) {
        let (status, answer) = self.post("/v1/vouchers", body).await;
        let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
        assert_eq!(answer["status"], status.as_u16());
        (status.as_u16(), text("code"), text("field"))
    }
    /// A metric's value, by the beginning of its line.
    pub async fn metric(&self, line: &str) -> String {
        let text = self.text("/metrics", &[]).await.text().to_owned();
        let found = text.lines().find_map(|l| l.strip_prefix(line)).unwrap_or_else(|| panic!("no {line} in\n{text}"));
        found.trim().to_owned()
    }
    /// Opens a payee's feed, from the last event on that was seen elsewhere, and returns what comes until `count` events have, by name.
    pub async fn feed(&self, path: &str, last: &str, count: usize) -> Vec<String> {
        let request = Request::builder().uri(path).header("last-event-id", last).body(Body::empty()).unwrap();
        let mut body = self.router.clone().oneshot(request).await.unwrap().into_body();
        let mut names = Vec::new();
        while names.len() < count {
            let frame = tokio::time::timeout(std::time::Duration::from_secs(10), body.frame()).await.expect("an event in time").unwrap().unwrap();
            let text = String::from_utf8(frame.data_ref().unwrap().to_vec()).unwrap();
            names.extend(text.lines().filter_map(|l| l.strip_prefix("event: ").map(str::to_owned)));
        }
        names
    }
    /// The worker takes in what the chain has, and makes a pass.
    pub async fn pass(&self) {
        let head = self.relayer.worker.catch_up().await.unwrap();
        self.relayer.worker.pass(&head).await.unwrap();
    }
}
