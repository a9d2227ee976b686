//! The routes of two relayers on one Postgres, pass by pass. That work moves from one to the other is in `shared.rs`.
//!
//! given two relayers, of which the first claims
//! ├── what one has accepted the other knows: the same again, a lower one, its acknowledgement
//! ├── earnings, channels and readiness are the same from both; each counts what it did itself
//! ├── who comes to the other one's feed is told to read anew, and so is who listens to one that missed blocks
//! └── a pause is for one relayer

mod support;

use axum::http::Method;
use rivulet_rules::testing::payee;
use serde_json::json;
use support::{
    CENT,
    world::{World, two_on_postgres},
};

const FREE: &str = "batch.min_value_bps = 0";

fn path(what: &str) -> String {
    format!("/v1/payees/{}/{what}", payee(1))
}

/// Both make a pass, the first one first; then a block with what it sent.
async fn round([first, second]: &[World; 2]) {
    first.pass().await;
    second.pass().await;
    first.chain.produce();
}

#[tokio::test]
async fn what_one_has_accepted_the_other_knows() {
    let [first, second] = two_on_postgres(FREE).await;
    let (status, said) = first.post("/v1/vouchers", &first.voucher(5 * CENT)).await;
    assert_eq!(status.as_u16(), 200);
    // The same words, the time of the first one in them.
    assert_eq!(second.post("/v1/vouchers", &second.voucher(5 * CENT)).await, (status, said));
    assert_eq!(second.refused(&second.voucher(4 * CENT)).await, (409, "stale".to_owned(), "cumulative_amount".to_owned()));
    assert_eq!(second.post("/v1/vouchers", &second.voucher(6 * CENT)).await.0.as_u16(), 200);
    // It has an older total in memory, and still says what is stored.
    let (status, answer) = first.post("/v1/vouchers", &first.voucher(55 * CENT / 10)).await;
    assert_eq!((status.as_u16(), &answer["best"]["cumulative_amount"]), (409, &json!((6 * CENT).to_string())));
}

#[tokio::test]
async fn both_answer_for_the_same_earnings_and_each_counts_what_it_did() {
    let worlds = two_on_postgres(FREE).await;
    let [first, second] = &worlds;
    round(&worlds).await;
    second.post("/v1/vouchers", &second.voucher(5 * CENT)).await;
    for _ in 0..3 {
        round(&worlds).await;
    }
    for what in ["earnings", "earnings?by=day&from=1970-01-01", "earnings?by=channel", "channels"] {
        assert_eq!(first.get(&path(what)).await, second.get(&path(what)).await, "{what}");
    }
    let (_, earned) = second.get(&path("earnings?by=day&from=1970-01-01")).await;
    // Both took in the block with the claim; it is counted once.
    let rows: u64 = earned["days"].as_array().unwrap().iter().map(|d| d["rows"].as_u64().unwrap()).sum();
    assert_eq!(rows, 1, "{earned}");
    for (line, counts) in [
        ("rivulet_vouchers_total{code=\"accepted\"} ", ["0", "1"]),
        ("rivulet_claim_transactions_total{contract=\"channels\",end=\"finalized\"} ", ["1", "0"]),
        ("rivulet_open_intents ", ["0", "0"]),
        ("rivulet_pending_rows ", ["0", "0"]),
        ("rivulet_channels_with_voucher ", ["1", "1"]),
        ("rivulet_pass_failing ", ["0", "0"]),
    ] {
        assert_eq!([first.metric(line).await, second.metric(line).await], counts, "{line}");
    }
    let account = "0707070707070707070707070707070707070707070707070707070707070707";
    for world in &worlds {
        // The key that could claim next is watched too.
        assert_eq!(world.metric(&format!("rivulet_lane_balance_planck{{account=\"0x{account}\"}} ")).await, "50000000000.0");
        assert_eq!(world.get("/ready").await.0.as_u16(), 200);
    }
}

#[tokio::test]
async fn who_comes_to_another_ones_feed_or_listens_to_one_that_missed_blocks_is_told_to_read_anew() {
    let worlds = two_on_postgres(FREE).await;
    let [first, second] = &worlds;
    first.post("/v1/vouchers", &first.voucher(5 * CENT)).await;
    let place = |world: &World, sequence: u64| format!("{}-{sequence}", world.relayer.api.feed.run());
    assert_ne!(first.relayer.api.feed.run(), second.relayer.api.feed.run());
    assert_eq!(second.feed(&path("events"), &place(first, 0), 1).await, ["reset"]);
    second.post("/v1/vouchers", &second.voucher(6 * CENT)).await;
    second.post("/v1/vouchers", &second.voucher(7 * CENT)).await;
    assert_eq!(second.feed(&path("events"), &place(second, 0), 1).await, ["accepted"]);
    // Blocks with a claim come while the second one's node is silent: the first takes them in.
    for _ in 0..3 {
        first.pass().await;
        first.chain.produce();
    }
    first.pass().await;
    second.pass().await;
    assert_eq!(second.feed(&path("events"), &place(second, 1), 1).await, ["reset"]);
    // The first one saw it all.
    assert_eq!(first.feed(&path("events"), &place(first, 0), 1).await, ["claimed"]);
}

#[tokio::test]
async fn a_pause_is_for_one_relayer() {
    let worlds = two_on_postgres(FREE).await;
    let [first, second] = &worlds;
    round(&worlds).await;
    first.post("/v1/vouchers", &first.voucher(5 * CENT)).await;
    assert_eq!(first.admin(Method::POST, "/v1/admin/pause", "").await.status.as_u16(), 200);
    assert_eq!(second.metric("rivulet_claiming_paused ").await, "0");
    round(&worlds).await;
    // It keeps the lease, follows what it sent, and sends nothing new.
    assert_eq!(second.metric("rivulet_open_intents ").await, "0");
    assert_eq!(first.admin(Method::POST, "/v1/admin/resume", "").await.status.as_u16(), 200);
    round(&worlds).await;
    assert_eq!(second.metric("rivulet_open_intents ").await, "1");
}
