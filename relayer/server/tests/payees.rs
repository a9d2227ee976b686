//! given a payee with channels, vouchers and claims
//! ├── its channels are listed page by page with their vouchers
//! ├── its earnings are by token, day or channel, as JSON or CSV
//! └── its feed says what is accepted and claimed, goes on from the last event seen, and says when it cannot

mod support;

use axum::{
    body::Body,
    http::{Method, Request},
};
use http_body_util::BodyExt;
use rivulet_core::ids::Number;
use rivulet_rules::testing::{offer, payee};
use serde_json::{Value, json};
use std::time::Duration;
use support::{
    CENT, schema,
    world::{World, voucher, world},
};
use tower::ServiceExt;

const FREE: &str = "batch.min_value_bps = 0";

fn path(what: &str) -> String {
    format!("/v1/payees/{}/{what}", payee(1))
}

/// Serials 0 to 4, with vouchers of 1 to 5 cents, claimed in a final block.
async fn claimed() -> World {
    let world = world(FREE).await;
    for serial in 0..5u32 {
        let number = Number { book: 1, serial };
        let state = if serial == 0 { world.state } else { world.chain.open(number, &world.key, 1_000 * CENT) };
        let paid = voucher(&offer(&state, &world.key, u128::from(serial + 1) * CENT));
        assert_eq!(world.post("/v1/vouchers", &paid).await.0.as_u16(), 200);
    }
    for _ in 0..2 {
        world.chain.produce();
        world.pass().await;
    }
    world.chain.produce();
    world.pass().await;
    world
}

#[tokio::test]
async fn channels_are_listed_page_by_page_with_their_vouchers() {
    let world = claimed().await;
    let (mut seen, mut next) = (Vec::new(), String::new());
    loop {
        let (_, page) = world.get(&path(&format!("channels?limit=2{next}"))).await;
        for channel in page["channels"].as_array().unwrap() {
            seen.push((channel["serial"].as_u64().unwrap(), channel["best"]["cumulative_amount"].as_str().unwrap().to_owned()));
        }
        match page["next"].as_str() {
            Some(after) => next = format!("&after={after}"),
            None => break,
        }
    }
    let expected: Vec<_> = (0..5u64).map(|serial| (serial, (u128::from(serial + 1) * CENT).to_string())).collect();
    assert_eq!(seen, expected);
    for bad in ["limit=0", "limit=1001", "after=x", "after=1", "x=1", "limit=1&limit=2"] {
        assert_eq!(world.get(&path(&format!("channels?{bad}"))).await.1["code"], "malformed", "{bad}");
    }
}

#[tokio::test]
async fn earnings_by_day_have_what_was_accepted_and_what_was_claimed() {
    let world = claimed().await;
    // The fake chain's clock stands at 1970; vouchers are counted on the day they came.
    let (_, earned) = world.get(&path("earnings?by=day&from=1970-01-01")).await;
    let days = earned["days"].as_array().unwrap();
    assert_eq!(days.len(), 2, "{earned}");
    assert_eq!((&days[0]["day"], &days[0]["claimed"], &days[0]["rows"]), (&json!("1970-01-01"), &json!("0"), &json!(5)));
    assert_eq!((&days[1]["accepted"], &days[1]["vouchers"], &days[1]["name"]), (&json!((15 * CENT).to_string()), &json!(5), &json!("native")));
    for bad in ["by=day&from=yesterday", "by=week", "by=day&limit=5", "by=token&from=2026-01-01", "format=xml"] {
        assert_eq!(world.get(&path(&format!("earnings?{bad}"))).await.1["code"], "malformed", "{bad}");
    }
}

#[tokio::test]
async fn earnings_come_as_csv_by_header_or_by_parameter() {
    let world = claimed().await;
    let total = (15 * CENT).to_string();
    let csv = world.text(&path("earnings?format=csv"), &[]).await;
    assert_eq!(csv.media(), "text/csv; charset=utf-8");
    let expected = format!(
        "token,name,decimals,channels,accepted,claimed,pending,lost\r\n0x0000000000000000000000000000000000000000,native,18,5,{total},{total},0,0\r\n"
    );
    assert_eq!(csv.text(), expected);
    assert_eq!(world.text(&path("earnings"), &[("accept", "text/csv;q=0.9, */*")]).await.text(), expected);
    assert_eq!(world.text(&path("earnings?format=json"), &[("accept", "text/csv")]).await.media(), "application/json");
    let page = world.text(&path("earnings?by=channel&format=csv&limit=2"), &[]).await;
    assert_eq!((page.text().lines().count(), page.headers["rivulet-next"].to_str().unwrap()), (3, "1-1"));
    assert!(
        page.text().starts_with("book,serial,channel_id,status,payer,token,name,decimals,deposit,accepted,accepted_ms,claimed,pending\r\n1,0,0x")
    );
    let days = world.text(&path("earnings?by=day&format=csv"), &[]).await;
    assert!(days.text().starts_with("day,contract,token,name,decimals,accepted,vouchers,claimed,fees,paid,rows\r\n"));
}

/// Events read until `count` have come: their name, id and data.
async fn events(world: &World, last: Option<&str>, count: usize) -> Vec<(String, String, Value)> {
    let mut request = Request::builder().method(Method::GET).uri(path("events"));
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let response = world.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["content-type"].to_str().unwrap()), (200, "text/event-stream"));
    let (mut body, mut text) = (response.into_body(), String::new());
    world.post("/v1/vouchers", &world.voucher(900 * CENT)).await;
    while text.matches("\n\n").count() < count {
        let frame = tokio::time::timeout(Duration::from_secs(10), body.frame()).await.expect("an event in time").unwrap().unwrap();
        text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
    }
    let field = |block: &str, name: &str| block.lines().find_map(|l| l.strip_prefix(&format!("{name}: "))).unwrap_or_default().to_owned();
    let read = |block: &str| (field(block, "event"), field(block, "id"), serde_json::from_str(&field(block, "data")).unwrap());
    text.trim_end().split("\n\n").map(read).collect()
}

#[tokio::test]
async fn the_feed_says_what_is_accepted_and_claimed_and_goes_on_from_the_last_event_seen() {
    let world = claimed().await;
    let (run, document) = (world.relayer.api.feed.run(), rivulet_server::api::openapi::document());
    let seen = events(&world, Some(&format!("{run}-2")), 4).await;
    let names: Vec<_> = seen.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["accepted", "accepted", "claimed", "accepted"]);
    assert_eq!(seen[0].1, format!("{run}-3"));
    assert_eq!((&seen[0].2["serial"], &seen[0].2["growth"]), (&json!(3), &json!((4 * CENT).to_string())));
    assert_eq!(seen[2].2["rows"].as_array().unwrap().len(), 5);
    for (name, _, data) in &seen {
        let schema = if name == "claimed" { "ClaimedEvent" } else { "AcceptedEvent" };
        assert_eq!(schema::faults(&document, &document["components"]["schemas"][schema], data, name), Vec::<String>::new());
    }
    // Of another run: what was missed has to be read anew.
    let lost = events(&world, Some("1-2"), 1).await;
    assert_eq!((lost[0].0.as_str(), lost[0].1.as_str()), ("reset", ""));
    let bad = world.text(&path("events"), &[("last-event-id", "x")]).await;
    assert_eq!(bad.code(), "malformed");
}

#[tokio::test]
async fn open_feeds_are_bounded_and_counted() {
    let world = world("http.max_feeds = 1").await;
    let request = || Request::builder().uri(path("events")).body(Body::empty()).unwrap();
    let open = world.router.clone().oneshot(request()).await.unwrap();
    assert!(world.text("/metrics", &[]).await.text().contains("\nrivulet_live_feeds 1\n"));
    assert_eq!(world.text(&path("events"), &[]).await.code(), "overloaded");
    drop(open);
    assert!(world.text("/metrics", &[]).await.text().contains("\nrivulet_live_feeds 0\n"));
    assert_eq!(world.router.clone().oneshot(request()).await.unwrap().status().as_u16(), 200);
}
