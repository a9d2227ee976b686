//! given limits in the configuration
//! ├── an address that comes too often is told when to come back; a batch counts by its vouchers; others are not held up
//! ├── behind a trusted proxy it is the client's address that counts
//! ├── a payer that sends too much is told so, voucher by voucher, whatever its address
//! ├── a channel that is not final is taken up to what is risked, and claimed only once it is final
//! ├── web pages of the origins that are named may use what is for all, and see what they were refused; nothing of the operators'
//! └── health and metrics answer whatever comes

mod support;

use axum::{
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode},
};
use rivulet_core::ids::Number;
use rivulet_rules::{
    chain::ContractKind,
    testing::{Key, channel_of, offer, payee},
};
use serde_json::json;
use support::{
    CENT,
    world::{World, voucher, world},
};
use tower::ServiceExt;

async fn info(world: &World, from: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let answer = world.ask(Method::GET, "/v1/info", headers, from, Body::empty()).await;
    (answer.status.as_u16(), answer.code())
}

#[tokio::test]
async fn an_address_that_comes_too_often_is_told_when_to_come_back() {
    let world = world("http = { address_per_sec = 1, address_burst = 4, max_batch_items = 4 }").await;
    let batch = json!([world.voucher(1), world.voucher(2), world.voucher(3)]).to_string();
    let first = world.ask(Method::POST, "/v1/vouchers/batch", &[], "9.9.9.9:1", batch.clone()).await;
    assert_eq!(first.status.as_u16(), 200);
    let again = world.ask(Method::POST, "/v1/vouchers/batch", &[], "9.9.9.9:2", batch).await;
    assert_eq!((again.status.as_u16(), again.code().as_str()), (429, "rate_limited"));
    let wait: u64 = again.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=4).contains(&wait), "{wait}");
    assert_eq!(again.json()["retry_after_secs"], json!(wait));
    assert_eq!(info(&world, "9.9.9.8:1", &[]).await.0, 200);
    for path in ["/health", "/metrics"] {
        for _ in 0..9 {
            assert_eq!(world.ask(Method::GET, path, &[], "9.9.9.9:1", Body::empty()).await.status.as_u16(), 200);
        }
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_clients_address_counts() {
    let world = world("http = { address_per_sec = 1, address_burst = 2, max_batch_items = 2, trusted_proxies = [\"10.0.0.0/8\"] }").await;
    for client in ["1.1.1.1", "2.2.2.2", "3.3.3.3"] {
        assert_eq!(info(&world, "10.0.0.1:1", &[("x-forwarded-for", client)]).await.0, 200);
        assert_eq!(info(&world, "10.0.0.1:1", &[("x-forwarded-for", client)]).await.0, 200);
        assert_eq!(info(&world, "10.0.0.1:1", &[("x-forwarded-for", client)]).await.1, "rate_limited");
    }
    // Whoever comes by itself cannot choose its address.
    for (claimed, expected) in [("4.4.4.4", 200), ("5.5.5.5", 200), ("6.6.6.6", 429)] {
        assert_eq!(info(&world, "8.8.8.8:1", &[("x-forwarded-for", claimed)]).await.0, expected);
    }
}

#[tokio::test]
async fn a_payer_that_sends_too_much_is_told_so_voucher_by_voucher() {
    let world = world("accept = { payer_per_sec = 1, payer_burst = 2 }").await;
    let forged = voucher(&offer(&world.state, &Key::of(2), 9));
    // What somebody else signed does not count against the payer.
    let batch = json!([forged, world.voucher(1), world.voucher(2), world.voucher(3)]);
    let (_, answer) = world.post("/v1/vouchers/batch", &batch).await;
    let codes: Vec<_> = answer["results"].as_array().unwrap().iter().map(|r| r["problem"]["code"].as_str().unwrap_or("accepted")).collect();
    assert_eq!(codes, ["wrong_signer", "accepted", "accepted", "rate_limited"]);
    let (status, answer) = world.post("/v1/vouchers", &world.voucher(4)).await;
    assert_eq!((status.as_u16(), &answer["code"]), (429, &json!("rate_limited")));
    assert_eq!(world.get("/v1/channels/1/0").await.1["best"]["cumulative_amount"], "2");
}

#[tokio::test]
async fn a_channel_that_is_not_final_is_taken_up_to_what_is_risked_and_claimed_only_once_it_is() {
    let more = format!("accept = {{ unfinalized_max_units = {{ native = \"{}\" }}, unknown_ttl_ms = 0 }}\nbatch.min_value_bps = 0", 20 * CENT);
    let world = world(&more).await;
    let number = Number { book: 1, serial: 5 };
    let state = channel_of(number, &world.key, 1_000 * CENT, payee(1), Default::default());
    let pay = |cents: u128| voucher(&offer(&state, &world.key, cents * CENT));
    assert_eq!(world.refused(&pay(10)).await.1, "unknown_channel");
    world.chain.lock().unfinalized.insert(number, state);
    assert_eq!(world.post("/v1/vouchers", &pay(10)).await.0.as_u16(), 200);
    assert_eq!(world.post("/v1/vouchers", &pay(20)).await.0.as_u16(), 200);
    assert_eq!(world.refused(&pay(21)).await, (409, "not_final".to_owned(), "cumulative_amount".to_owned()));
    assert_eq!(world.refused(&pay(15)).await.1, "stale");
    world.pass().await;
    assert_eq!(world.chain.lock().submissions, 0);
    // The channel is final: its vouchers count in full, and are claimed.
    world.chain.open(number, &world.key, 1_000 * CENT);
    world.chain.produce();
    world.pass().await;
    world.chain.produce();
    world.pass().await;
    assert_eq!(world.chain.lock().paid.get(&(ContractKind::Channels, number)), Some(&(20 * CENT)));
    assert_eq!(world.post("/v1/vouchers", &pay(21)).await.0.as_u16(), 200);
}

#[tokio::test]
async fn a_reorg_that_renumbers_a_channel_leaves_its_vouchers_unclaimed() {
    let more = format!("accept = {{ unfinalized_max_units = {{ native = \"{}\" }}, unknown_ttl_ms = 0 }}\nbatch.min_value_bps = 0", 20 * CENT);
    let world = world(&more).await;
    let number = Number { book: 1, serial: 5 };
    let gone = channel_of(number, &Key::of(3), 1_000 * CENT, payee(1), Default::default());
    world.chain.lock().unfinalized.insert(number, gone);
    assert_eq!(world.post("/v1/vouchers", &voucher(&offer(&gone, &Key::of(3), 10 * CENT))).await.0.as_u16(), 200);
    // Another channel got the number.
    let state = world.chain.open(number, &world.key, 1_000 * CENT);
    world.chain.produce();
    world.pass().await;
    assert_eq!(world.chain.lock().submissions, 0);
    assert_eq!(world.refused(&voucher(&offer(&gone, &Key::of(3), 11 * CENT))).await.1, "wrong_channel_id");
    assert_eq!(world.post("/v1/vouchers", &voucher(&offer(&state, &world.key, CENT))).await.0.as_u16(), 200);
    assert_eq!(world.get("/v1/channels/1/5").await.1["best"]["cumulative_amount"], json!(CENT.to_string()));
}

#[tokio::test]
async fn without_the_setting_the_best_block_is_not_believed() {
    let world = world("").await;
    let number = Number { book: 1, serial: 5 };
    let state = channel_of(number, &world.key, 1_000, payee(1), Default::default());
    world.chain.lock().unfinalized.insert(number, state);
    assert_eq!(world.refused(&voucher(&offer(&state, &world.key, 1))).await.1, "unknown_channel");
    assert_eq!(world.get("/v1/info").await.1["tokens"]["native"]["unfinalized_max"], "0");
}

/// As a browser: what it asks before a request, or the request itself.
async fn from_page(world: &World, origin: &str, method: &str, path: &str, asks_for: Option<&str>) -> (StatusCode, HeaderMap) {
    let request = Request::builder().method(method).uri(path).header("origin", origin);
    let request = match asks_for {
        Some(method) => request.header("access-control-request-method", method).header("access-control-request-headers", "content-type"),
        None => request,
    };
    let response = world.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    (response.status(), response.headers().clone())
}

#[tokio::test]
async fn any_web_page_may_use_what_is_for_all_and_nothing_of_the_operators() {
    let world = world("http = { address_per_sec = 1, address_burst = 2, max_batch_items = 2 }").await;
    let page = "https://app.example";
    let payee = format!("/v1/payees/{}/earnings", payee(1));
    for (path, method) in
        [("/v1/vouchers", "POST"), ("/v1/vouchers/batch", "POST"), ("/v1/channels/1/0", "GET"), ("/v1/info", "GET"), (&payee, "GET")]
    {
        let (status, headers) = from_page(&world, page, "OPTIONS", path, Some(method)).await;
        assert_eq!((status, &headers["access-control-allow-origin"]), (StatusCode::OK, &"*".parse().unwrap()), "{path}");
        assert!(headers["access-control-allow-methods"].to_str().unwrap().contains(method), "{path}: {headers:?}");
        assert!(headers["access-control-allow-headers"].to_str().unwrap().contains("content-type"), "{path}: {headers:?}");
        assert!(!headers.contains_key("access-control-allow-credentials"));
    }
    // Preflights have cost nothing; a page reads what it gets, and when to come back when it gets nothing.
    for expected in [StatusCode::OK, StatusCode::OK, StatusCode::TOO_MANY_REQUESTS] {
        let (status, headers) = from_page(&world, page, "GET", "/v1/info", None).await;
        assert_eq!((status, &headers["access-control-allow-origin"]), (expected, &"*".parse().unwrap()));
        let exposed = headers["access-control-expose-headers"].to_str().unwrap();
        assert!(exposed.contains("retry-after") && exposed.contains("rivulet-next"), "{exposed}");
        assert_eq!(headers.contains_key("retry-after"), expected == StatusCode::TOO_MANY_REQUESTS);
    }
    for path in ["/metrics", "/health", "/ready", "/v1/admin/state"] {
        for (method, asks_for) in [("OPTIONS", Some("GET")), ("GET", None)] {
            let (_, headers) = from_page(&world, page, method, path, asks_for).await;
            assert!(headers.keys().all(|name| !name.as_str().starts_with("access-control-")), "{path}: {headers:?}");
        }
    }
}

#[tokio::test]
async fn only_pages_of_the_origins_that_are_named_may_read() {
    let named = world("http = { cors_origins = [\"https://app.example\", \"http://127.0.0.1:5173\"] }").await;
    for (origin, may) in [("https://app.example", true), ("http://127.0.0.1:5173", true), ("https://evil.example", false), ("null", false)] {
        for (method, asks_for) in [("OPTIONS", Some("GET")), ("GET", None)] {
            let (_, headers) = from_page(&named, origin, method, "/v1/info", asks_for).await;
            assert_eq!(headers.get("access-control-allow-origin").map(|o| o.to_str().unwrap()), may.then_some(origin));
        }
    }
    let none = world("http = { cors_origins = [] }").await;
    let (status, headers) = from_page(&none, "https://app.example", "OPTIONS", "/v1/info", Some("GET")).await;
    assert_eq!((status, headers.get("access-control-allow-origin")), (StatusCode::METHOD_NOT_ALLOWED, None));
}
