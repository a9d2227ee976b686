//! The routes, with the real router and a fresh database.

mod support;

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use rivulet_core::ids::Number;
use rivulet_rules::{
    testing::{offer, payee},
    text::hex,
};
use serde_json::{Value, json};
use support::{
    CENT,
    world::{NUMBER, voucher, world},
};

#[tokio::test]
async fn a_voucher_is_accepted_and_the_same_again_gets_the_same_answer() {
    let world = world("").await;
    let voucher = world.voucher(5);
    let (status, answer) = world.post("/v1/vouchers", &voucher).await;
    let expected = json!({"status": "accepted", "channel_id": voucher["channel_id"], "book": 1, "serial": 0, "cumulative_amount": "5"});
    assert_eq!((status, &answer), (StatusCode::OK, &expected));
    assert_eq!(world.post("/v1/vouchers", &voucher).await, (StatusCode::OK, expected));
}

#[tokio::test]
async fn the_65_byte_form_is_taken_and_stored_compact() {
    let world = world("").await;
    let mut voucher = world.voucher(5);
    let mut long = offer(&world.state, &world.key, 5).signature.0.to_vec();
    long.push(27 + (long[32] >> 7));
    long[32] &= 0x7f;
    let compact = voucher["signature"].clone();
    voucher["signature"] = json!(hex(&long));
    assert_eq!(world.post("/v1/vouchers", &voucher).await.0, StatusCode::OK);
    assert_eq!(world.get("/v1/channels/1/0").await.1["best"]["signature"], compact);
}

#[tokio::test]
async fn a_lower_total_is_answered_with_what_to_go_on_from() {
    let world = world("").await;
    let best = world.voucher(500);
    world.post("/v1/vouchers", &best).await;
    let (status, answer) = world.post("/v1/vouchers", &world.voucher(400)).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!((&answer["code"], &answer["expected"], &answer["given"]), (&json!("stale"), &json!("more than 500"), &json!("400")));
    assert_eq!(answer["best"], json!({"cumulative_amount": "500", "signature": best["signature"]}));
    assert_eq!(answer["type"], "urn:rivulet:problem:stale");
}

#[tokio::test]
async fn every_refusal_names_its_field() {
    let world = world("accept.min_first_units = { native = \"3\" }").await;
    let good = world.voucher(5);
    let with = |field: &str, value: Value| {
        let mut changed = good.clone();
        changed[field] = value;
        changed
    };
    let without = |field: &str| {
        let mut changed = good.clone();
        changed.as_object_mut().unwrap().remove(field);
        changed
    };
    let refusal = |status: u16, code: &str, field: &str| (status, code.to_owned(), field.to_owned());
    for (body, expected) in [
        (json!([]), refusal(400, "malformed", "body")),
        (json!("x"), refusal(400, "malformed", "body")),
        (without("serial"), refusal(400, "malformed", "serial")),
        (without("signature"), refusal(400, "malformed", "signature")),
        (with("book", json!(-1)), refusal(400, "malformed", "book")),
        (with("book", json!(0)), refusal(400, "malformed", "book")),
        (with("book", json!(4_294_967_296u64)), refusal(400, "malformed", "book")),
        (with("cumulative_amount", json!(5)), refusal(400, "malformed", "cumulative_amount")),
        (with("cumulative_amount", json!("5.0")), refusal(400, "malformed", "cumulative_amount")),
        (with("channel_id", json!("0x12")), refusal(400, "malformed", "channel_id")),
        (with("signature", json!("0x12")), refusal(400, "malformed", "signature")),
        (with("extra", json!(1)), refusal(400, "malformed", "body")),
        (with("channel_id", json!(hex(&[1; 32]))), refusal(409, "wrong_channel_id", "channel_id")),
        (with("serial", json!(77)), refusal(404, "unknown_channel", "serial")),
        (with("cumulative_amount", json!("6")), refusal(403, "wrong_signer", "signature")),
        (world.voucher(1_001 * CENT), refusal(422, "not_covered", "cumulative_amount")),
        (world.voucher(2), refusal(422, "first_total_too_small", "cumulative_amount")),
    ] {
        assert_eq!(world.refused(&body).await, expected, "{body}");
    }
    // Nothing of all this was stored.
    assert_eq!(world.get("/v1/channels/1/0").await.1["best"], Value::Null);
}

#[tokio::test]
async fn a_closing_channel_takes_nothing_new() {
    let world = world("").await;
    let first = world.voucher(5);
    world.post("/v1/vouchers", &first).await;
    world.chain.request_close(NUMBER, 20_000);
    world.chain.produce();
    world.relayer.worker.catch_up().await.unwrap();
    assert_eq!(world.refused(&world.voucher(6)).await, (409, "channel_closing".to_owned(), "serial".to_owned()));
    assert_eq!(world.post("/v1/vouchers", &first).await.0, StatusCode::OK);
    assert_eq!(world.get("/v1/channels/1/0").await.1["status"], "closing");
}

#[tokio::test]
async fn in_a_batch_a_bad_item_harms_only_itself_and_results_are_in_order() {
    let world = world("").await;
    let mut forged = world.voucher(7);
    forged["cumulative_amount"] = json!("8");
    let batch = json!([world.voucher(5), forged, 12, world.voucher(9), world.voucher(4)]);
    let (status, answer) = world.post("/v1/vouchers/batch", &batch).await;
    assert_eq!((status, &answer["accepted"], &answer["rejected"]), (StatusCode::OK, &json!(2), &json!(3)));
    let results = answer["results"].as_array().unwrap();
    let codes: Vec<_> = results.iter().map(|r| r["problem"]["code"].as_str().unwrap_or("accepted")).collect();
    assert_eq!(codes, ["accepted", "wrong_signer", "malformed", "accepted", "stale"]);
    assert_eq!(results[0], json!({"status": "accepted", "cumulative_amount": "5"}));
    assert_eq!(results[4]["problem"]["best"]["cumulative_amount"], "9");
}

#[tokio::test]
async fn a_batch_that_is_no_array_is_refused_and_an_empty_one_is_not() {
    let world = world("").await;
    for body in ["", "{", "{}", "[1,", "[1]x"] {
        let (status, _, answer) = world.send(Method::POST, "/v1/vouchers/batch", body).await;
        assert_eq!((status, &answer["code"], &answer["field"]), (StatusCode::BAD_REQUEST, &json!("malformed"), &json!("body")), "{body}");
    }
    assert_eq!(world.post("/v1/vouchers/batch", &json!([])).await, (StatusCode::OK, json!({"accepted": 0, "rejected": 0, "results": []})));
}

#[tokio::test]
async fn bodies_and_batches_have_limits_that_are_stated() {
    let world = world("http = { max_body_bytes = 2000, max_batch_items = 3 }").await;
    let (status, answer) = world.post("/v1/vouchers/batch", &json!([1, 2, 3, 4])).await;
    assert_eq!(
        (status, &answer["code"], &answer["expected"]),
        (StatusCode::PAYLOAD_TOO_LARGE, &json!("too_many_items"), &json!("at most 3 vouchers"))
    );
    for path in ["/v1/vouchers", "/v1/vouchers/batch"] {
        let (status, kind, answer) = world.send(Method::POST, path, "x".repeat(2_001)).await;
        assert_eq!((status, &answer["code"]), (StatusCode::PAYLOAD_TOO_LARGE, &json!("body_too_large")));
        assert_eq!(kind, "application/problem+json");
    }
    let (_, info) = world.get("/v1/info").await;
    assert_eq!(
        info["limits"],
        json!({"max_body_bytes": 2000, "max_batch_items": 3, "request_timeout_ms": 30000, "address_per_sec": 0, "payer_per_sec": 0})
    );
}

#[tokio::test]
async fn a_channel_that_is_new_is_looked_up_on_the_chain_once() {
    let world = world("").await;
    let number = Number { book: 1, serial: 5 };
    // Opened and final, but its event has not been taken in yet.
    let state = world.chain.open(number, &world.key, 1_000 * CENT);
    for total in 1..=3 {
        let (status, _) = world.post("/v1/vouchers", &voucher(&offer(&state, &world.key, total))).await;
        assert_eq!(status, StatusCode::OK);
    }
    assert_eq!(world.chain.lock().channel_asks, 1);
}

#[tokio::test]
async fn a_channel_that_nobody_knows_is_remembered_and_the_memory_is_bounded() {
    let world = world("accept = { unknown_max = 2, unknown_ttl_ms = 60000 }").await;
    let mut body = world.voucher(5);
    for (serial, code) in [(50, "unknown_channel"), (50, "unknown_channel"), (51, "unknown_channel"), (52, "overloaded"), (50, "unknown_channel")] {
        body["serial"] = json!(serial);
        let (_, answer) = world.post("/v1/vouchers", &body).await;
        assert_eq!(answer["code"], code, "{serial}");
    }
    assert_eq!(world.chain.lock().channel_asks, 2);
    // What is known goes on.
    assert_eq!(world.post("/v1/vouchers", &world.voucher(5)).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_channel_shows_its_state_and_what_a_payee_needs_to_claim_alone() {
    let world = world("").await;
    let sent = world.voucher(300 * CENT);
    world.post("/v1/vouchers", &sent).await;
    let (status, channel) = world.get("/v1/channels/1/0").await;
    assert_eq!((status, &channel["status"]), (StatusCode::OK, &json!("open")));
    assert_eq!(channel["best"], json!({"cumulative_amount": sent["cumulative_amount"], "signature": sent["signature"]}));
    assert_eq!((&channel["pending"], &channel["claimed"]), (&sent["cumulative_amount"], &json!("0")));
    let (status, answer) = world.get("/v1/channels/1/9").await;
    assert_eq!((status, &answer["code"]), (StatusCode::NOT_FOUND, &json!("unknown_channel")));
    let (status, answer) = world.get("/v1/channels/x/9").await;
    assert_eq!((status, &answer["field"]), (StatusCode::BAD_REQUEST, &json!("book")));
}

#[tokio::test]
async fn earnings_are_by_token_with_its_name() {
    let world = world("").await;
    world.post("/v1/vouchers", &world.voucher(300 * CENT)).await;
    let (status, earned) = world.get(&format!("/v1/payees/{}/earnings", payee(1))).await;
    let total = (300 * CENT).to_string();
    let token = json!({
        "token": "0x0000000000000000000000000000000000000000", "name": "native", "decimals": 18, "channels": 1,
        "accepted": total, "claimed": "0", "pending": total, "lost": "0",
    });
    assert_eq!((status, earned), (StatusCode::OK, json!({"payee": payee(1).to_string(), "tokens": [token]})));
    assert_eq!(world.get("/v1/payees/0x12/earnings").await.1["field"], "address");
}

#[tokio::test]
async fn ready_says_no_until_a_pass_went_through() {
    let world = world("").await;
    assert_eq!(world.get("/health").await, (StatusCode::OK, json!({"status": "ok"})));
    assert_eq!(world.get("/ready").await.0, StatusCode::SERVICE_UNAVAILABLE);
    let head = world.relayer.worker.catch_up().await.unwrap();
    world.relayer.worker.pass(&head).await.unwrap();
    let (status, answer) = world.get("/ready").await;
    assert_eq!((status, &answer["status"], &answer["worker"]["block_number"]), (StatusCode::OK, &json!("ready"), &json!(1)));
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let world = world("").await;
    for (method, path, code) in [(Method::GET, "/v2/x", "no_such_route"), (Method::GET, "/v1/vouchers", "method_not_allowed")] {
        let (_, kind, answer) = world.send(method, path, Body::empty()).await;
        assert_eq!((kind.as_str(), &answer["code"]), ("application/problem+json", &json!(code)));
    }
}
