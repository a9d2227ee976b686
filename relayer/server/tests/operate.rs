//! given a relayer in operation
//! ├── metrics count what was offered, claimed and paid for, and the watchdog's seconds grow when no pass goes through
//! ├── admin routes are not there without a token, closed without the right one, and do what they say with it
//! ├── while paused nothing new is sent, and what was sent is still followed
//! ├── each node of the chain is shown with its state, and a relayer that can believe none is not ready
//! └── while draining no voucher is taken, the relayer is not ready, and what was taken is still claimed

mod support;

use axum::{body::Body, http::Method};
use rivulet_rules::endpoint::{EndpointReport, EndpointState};
use serde_json::json;
use support::{
    CENT,
    world::{TOKEN, World, world, world_with_secrets},
};

const FREE: &str = "batch.min_value_bps = 0";

async fn metric(world: &World, line: &str) -> String {
    world.metric(line).await
}

/// A pass, and a block with what it sent.
async fn round(world: &World) {
    world.pass().await;
    world.chain.produce();
}

#[tokio::test]
async fn metrics_count_what_was_offered_claimed_and_paid_for() {
    let world = world(FREE).await;
    world.post("/v1/vouchers", &world.voucher(5 * CENT)).await;
    world.post("/v1/vouchers/batch", &json!([world.voucher(4 * CENT), world.voucher(5 * CENT), 7])).await;
    round(&world).await;
    assert_eq!(metric(&world, "rivulet_open_intents ").await, "1");
    assert_eq!(metric(&world, "rivulet_pending_units{token=\"native\"} ").await.parse::<f64>().unwrap(), 0.0);
    round(&world).await;
    let account = "0707070707070707070707070707070707070707070707070707070707070707";
    for (line, expected) in [
        ("rivulet_vouchers_total{code=\"accepted\"} ".to_owned(), "2"),
        ("rivulet_vouchers_total{code=\"stale\"} ".to_owned(), "1"),
        ("rivulet_vouchers_total{code=\"malformed\"} ".to_owned(), "1"),
        ("rivulet_vouchers_grown_total ".to_owned(), "1"),
        ("rivulet_store_accept_seconds_count ".to_owned(), "2"),
        ("rivulet_http_requests_total{route=\"/v1/vouchers\",status=\"200\"} ".to_owned(), "1"),
        ("rivulet_claim_transactions_total{contract=\"channels\",end=\"finalized\"} ".to_owned(), "1"),
        ("rivulet_claim_rows_total{contract=\"channels\",outcome=\"applied\"} ".to_owned(), "1"),
        ("rivulet_claim_fees_planck_total{contract=\"channels\"} ".to_owned(), "1000"),
        ("rivulet_open_intents ".to_owned(), "0"),
        ("rivulet_pending_rows ".to_owned(), "0"),
        ("rivulet_chain_block_number ".to_owned(), "2"),
        (format!("rivulet_lane_nonce{{account=\"0x{account}\"}} "), "1"),
        (format!("rivulet_lane_in_flight{{account=\"0x{account}\"}} "), "0"),
        ("rivulet_pass_failing ".to_owned(), "0"),
    ] {
        assert_eq!(metric(&world, &line).await, expected, "{line}");
    }
    assert!(metric(&world, "rivulet_chain_lag_seconds ").await.parse::<u64>().unwrap() > 1_000_000);
}

#[tokio::test]
async fn what_is_not_worth_a_claim_yet_is_pending() {
    let world = world("").await;
    world.post("/v1/vouchers", &world.voucher(CENT / 1_000)).await;
    round(&world).await;
    assert_eq!(metric(&world, "rivulet_pending_units{token=\"native\"} ").await.parse::<f64>().unwrap(), CENT as f64 / 1_000.0);
    assert_eq!(metric(&world, "rivulet_pending_rows ").await, "1");
    assert_eq!(world.chain.lock().submissions, 0);
}

#[tokio::test]
async fn the_watchdogs_seconds_grow_until_a_pass_goes_through() {
    let world = world(FREE).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert!(metric(&world, "rivulet_seconds_since_pass ").await.parse::<u64>().unwrap() >= 1);
    round(&world).await;
    assert_eq!(metric(&world, "rivulet_seconds_since_pass ").await, "0");
}

#[tokio::test]
async fn admin_routes_need_a_token_in_the_configuration_and_in_the_request() {
    let without = world("").await;
    assert_eq!(without.admin(Method::POST, "/v1/admin/pause", Body::empty()).await.code(), "no_such_route");
    let world = world_with_secrets("").await;
    for header in ["", "Bearer", "Bearer x", "Basic YTpi", &TOKEN.to_uppercase()] {
        let answer = world.ask(Method::GET, "/v1/admin/state", &[("authorization", header)], "127.0.0.1:1", Body::empty()).await;
        assert_eq!((answer.code().as_str(), &answer.headers["www-authenticate"].to_str().unwrap()), ("unauthorized", &"Bearer"));
    }
    let answer = world.admin(Method::GET, "/v1/admin/state", Body::empty()).await;
    assert_eq!(answer.json(), json!({"is_claiming_paused": false, "is_draining": false}));
    assert!(!format!("{:?}", world.relayer.api.admin).contains(TOKEN));
}

#[tokio::test]
async fn while_paused_nothing_new_is_sent_and_what_was_sent_is_followed() {
    let world = world_with_secrets(FREE).await;
    world.post("/v1/vouchers", &world.voucher(5 * CENT)).await;
    round(&world).await;
    assert_eq!(world.admin(Method::POST, "/v1/admin/pause", Body::empty()).await.json()["is_claiming_paused"], true);
    assert_eq!(metric(&world, "rivulet_claiming_paused ").await, "1");
    world.post("/v1/vouchers", &world.voucher(9 * CENT)).await;
    round(&world).await;
    round(&world).await;
    assert_eq!(metric(&world, "rivulet_open_intents ").await, "0");
    assert_eq!(world.chain.lock().included, 1);
    world.admin(Method::POST, "/v1/admin/resume", Body::empty()).await;
    round(&world).await;
    assert_eq!(world.chain.lock().included, 2);
}

#[tokio::test]
async fn while_draining_no_voucher_is_taken_and_what_was_taken_is_claimed() {
    let world = world_with_secrets(FREE).await;
    world.post("/v1/vouchers", &world.voucher(5 * CENT)).await;
    world.admin(Method::POST, "/v1/admin/drain", Body::empty()).await;
    for path in ["/v1/vouchers", "/v1/vouchers/batch"] {
        let answer = world.ask(Method::POST, path, &[], "127.0.0.1:1", world.voucher(6 * CENT).to_string()).await;
        assert_eq!((answer.code().as_str(), answer.headers["retry-after"].to_str().unwrap()), ("draining", "1"));
    }
    round(&world).await;
    assert_eq!(world.chain.lock().included, 1);
    let (status, ready) = world.get("/ready").await;
    assert_eq!((status.as_u16(), &ready["is_draining"]), (503, &json!(true)));
    world.admin(Method::POST, "/v1/admin/undrain", Body::empty()).await;
    assert_eq!(world.post("/v1/vouchers", &world.voucher(6 * CENT)).await.0.as_u16(), 200);
}

#[tokio::test]
async fn claim_now_wakes_the_worker_and_the_logs_filter_can_be_changed() {
    let world = world_with_secrets("").await;
    world.admin(Method::POST, "/v1/admin/claim", Body::empty()).await;
    tokio::time::timeout(std::time::Duration::from_secs(5), world.relayer.api.pressure.wait()).await.expect("woken");
    let set = |body: &str| world.admin(Method::POST, "/v1/admin/log", body.to_owned());
    assert_eq!(set("{\"filter\": \"debug\"}").await.json()["field"], "filter");
    let seen = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let keep = seen.clone();
    world.relayer.api.control.on_log(Box::new(move |filter| {
        filter.clone_into(&mut keep.lock().unwrap());
        if filter == "nonsense" { Err("levels".to_owned()) } else { Ok(()) }
    }));
    assert_eq!(set("{\"filter\": \"debug\"}").await.status.as_u16(), 200);
    assert_eq!(*seen.lock().unwrap(), "debug");
    for bad in ["{\"filter\": \"nonsense\"}", "{\"level\": \"debug\"}", "x"] {
        assert_eq!(set(bad).await.code(), "malformed", "{bad}");
    }
}

#[tokio::test]
async fn nodes_are_shown_with_their_state_and_without_one_to_believe_the_relayer_is_not_ready() {
    let world = world("").await;
    world.pass().await;
    let node =
        |port: u16, is_used, state| EndpointReport { name: format!("ws://a:{port}"), is_used, state, block_number: Some(7), head_age_secs: Some(3) };
    let lying = || EndpointState::Lying("final block 5 is another there".to_owned());
    world.chain.lock().endpoints = vec![node(1, false, lying()), node(2, true, EndpointState::Good)];
    for (line, expected) in [
        ("rivulet_endpoint_state{endpoint=\"ws://a:1\",state=\"lying\"} ", "1"),
        ("rivulet_endpoint_state{endpoint=\"ws://a:1\",state=\"good\"} ", "0"),
        ("rivulet_endpoint_used{endpoint=\"ws://a:2\"} ", "1"),
        ("rivulet_endpoint_block_number{endpoint=\"ws://a:2\"} ", "7"),
        ("rivulet_endpoint_head_age_seconds{endpoint=\"ws://a:2\"} ", "3"),
    ] {
        assert_eq!(metric(&world, line).await, expected, "{line}");
    }
    let (status, ready) = world.get("/ready").await;
    let shown = json!({"name": "ws://a:1", "is_used": false, "state": "lying", "reason": "final block 5 is another there", "block_number": 7, "head_age_secs": 3});
    assert_eq!((status.as_u16(), &ready["endpoints"][0]), (200, &shown));
    world.chain.lock().endpoints = vec![node(1, false, lying())];
    assert_eq!(world.get("/ready").await.0.as_u16(), 503);
}
