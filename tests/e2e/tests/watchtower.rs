//! A payer asks for its money back while its best voucher is not claimed, and the relayer is down for most of the challenge period.
//!
//! ```text
//! close requested ── before half of the period, nothing worth sending: the voucher waits ── the relayer goes down
//!                 ── back at 90 %: claimed at once, though it does not pay for the transaction ── the payer finishes: it gets the rest, no more
//! ```

mod support;

use rivulet_client::Relayer;
use rivulet_e2e::story::{Play, opening, plan::Money, streaming};
use rivulet_rules::chain::ChannelView;
use serde_json::Value;
use std::time::Duration;
use support::CHALLENGE_SECS;

/// Waits until the relayer has taken in the newest block, and has looked at it.
async fn has_looked(play: &Play, url: &str) {
    let newest = play.stage.chain.node().finalized().await.unwrap().number;
    support::until("the relayer has seen the block", async || {
        let ready: Value = reqwest::get(format!("{url}/ready")).await.unwrap().json().await.unwrap();
        // The pass after the one that took it in has ended too.
        ready["worker"]["block_number"].as_u64().is_some_and(|number| number > newest)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_voucher_is_claimed_in_the_last_tenth_of_the_challenge_period() {
    let options = ["--payers", "1", "--creators", "1", "--streams", "0", "--vouchers", "100"];
    // The voucher is worth three times its own row, not three times a transaction: only a deadline sends it alone.
    let (play, mut daemon) = support::stage(&options, |flags| (flags.min_value_bps, flags.interval_ms) = (30_000, 200)).await;
    let mut channels = opening::open(&play).await.unwrap();
    let (payer, channel) = (&play.cast.pay[0], &mut channels[0]);
    let promised = channel.deposit / 3;
    let relayer = Relayer::new(daemon.url()).unwrap();
    support::post(&relayer, &[channel.pay(payer.vouchers(), promised).unwrap()]).await;

    let asked = payer.request_close(channel).await.unwrap();
    let due_at = play.stage.chain.node().head(asked.block).await.unwrap().now + CHALLENGE_SECS;
    streaming::pass(&play, CHALLENGE_SECS * 2 / 5).await.unwrap();
    has_looked(&play, &daemon.url()).await;
    let sent: i64 = support::database(&daemon).query_row("SELECT count(*) FROM intents", [], |row| row.get(0)).unwrap();
    assert_eq!(sent, 0, "a request alone must not cost a transaction before half of the period");

    daemon.kill();
    streaming::pass(&play, CHALLENGE_SECS / 2).await.unwrap();
    let error = payer.finish(channel).await.unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
    daemon.launch().unwrap();
    daemon.wait_ready().await.unwrap();
    let coin = play.plan.channels[0].coin;
    support::paid_out(&play, Money::of(coin, promised)).await;
    let head = play.stage.chain.finalized_head().await.unwrap();
    assert!(head.now < due_at, "claimed at {}, and the payer could finish at {due_at}", head.now);
    match play.stage.chain.channel(channel.number(), head.block).await.unwrap() {
        ChannelView::Live(state) => assert_eq!((state.claimed, state.close_due_at), (promised, Some(due_at))),
        other => panic!("{other:?}"),
    }

    // The payer gets the rest, and nothing of what was promised.
    streaming::pass(&play, CHALLENGE_SECS / 10 + 60).await.unwrap();
    payer.finish(channel).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    support::paid_out(&play, Money::of(coin, promised)).await;
    assert_eq!(support::assert_no_row_was_wasted(&play).await, 1);
    support::strike(play, daemon).await;
}
