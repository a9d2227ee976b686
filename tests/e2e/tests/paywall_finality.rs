//! What a relayer took before a channel was final buys nothing at a paywall.

#[path = "support/shop.rs"]
mod shop;
mod support;

use reqwest::StatusCode;
use rivulet_client::{Channel, OpenChannel};
use rivulet_e2e::{
    harness::{Nginx, PaywallFlags, Wall},
    story::{opening::CHALLENGE_SECS, plan::Coin},
};
use rivulet_rules::chain::{ChannelView, ContractKind};
use serde_json::json;
use shop::{PRICE, Shopper, decoded, served};

/// A relayer may take totals of a channel that is not final, and shows none of them. They were for something else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_before_finality_buys_nothing() {
    let (play, daemon) = support::stage(&["--payers", "1", "--creators", "1", "--streams", "0", "--vouchers", "10"], |flags| {
        flags.interval_ms = 3_600_000;
        flags.environment.insert("RIVULET__ACCEPT__UNFINALIZED_MAX_UNITS__NATIVE".into(), "\"1000000\"".into());
        flags.environment.insert("RIVULET__ACCEPT__UNKNOWN_TTL_MS".into(), "0".into());
    })
    .await;
    let folder = play.stage.folder.path();
    let web = Nginx::start(folder).await.unwrap();
    web.put("/articles/1", b"article 1").unwrap();
    let payee = play.cast.creators[0].address();
    let flags = PaywallFlags {
        upstream: web.url(),
        payee,
        relayer: daemon.url(),
        deployment: play.stage.deployment_path(),
        node_url: play.stage.node.url(),
        // In wei: for the native token one transaction opens a channel.
        prices: vec!["/articles/*=0.0000000000001native".into()],
        tls: None,
        more: Vec::new(),
    };
    let mut wall = Wall::start(folder, flags).await.unwrap();
    let (payer, node) = (&play.cast.pay[0], &play.stage.node);
    let wanted = OpenChannel { payee, token: Coin::Dot.token(), challenge_period_secs: CHALLENGE_SECS, amount: 10_000_000_000_000_000 };
    // Of the same book, the one before.
    let before = payer.open(&wanted).await.unwrap().number();
    let number = rivulet_core::ids::Number { serial: before.serial + 1, ..before };
    node.set_sealing(false).await.unwrap();
    let at = payer.chain().binding(ContractKind::Channels);
    let unfinal = async {
        support::until("the channel is asked for", async || node.pending().await.unwrap() > 0).await;
        node.call("dev_sealBlock", json!([false])).await.unwrap();
        let chain = payer.chain();
        let best = chain.node().best().await.unwrap();
        let ChannelView::Live(state) = chain.channel(number, best).await.unwrap() else { panic!("no channel {number}") };
        let id = state.terms.channel_id(&at, &rivulet_core::SoftKeccak);
        let channel = Channel { id, terms: state.terms, deposit: state.deposit, promised: 0 };
        let http = reqwest::Client::new();
        let mut s = Shopper { http, scheme: "http", host: wall.host(), channel, signer: payer.vouchers().clone(), at };
        // A tip. The relayer takes it, and does not show it.
        let tip = s.promise(PRICE);
        rivulet_client::Relayer::new(daemon.url()).unwrap().pay(&tip).await.unwrap();
        let wanted = s.wanted("/articles/1", PRICE);
        let body = s.refused("/articles/1", &s.header(&wanted, &tip), 402, "unknown_channel").await;
        assert!(body["detail"].as_str().unwrap().contains("once its block is final"), "{body}");
        node.call("dev_sealBlock", json!([true])).await.unwrap();
        node.set_sealing(true).await.unwrap();
        s
    };
    let (opened, mut s) = tokio::join!(payer.open(&wanted), unfinal);
    assert_eq!(opened.unwrap().id, s.channel.id);
    let wanted = s.wanted("/articles/1", PRICE);
    support::until("the channel is final", async || {
        let response = s.get("/articles/1", Some(&s.header(&wanted, &s.promised()))).await;
        assert_eq!(response.status(), StatusCode::PAYMENT_REQUIRED);
        decoded(&response, "payment-required")["error"] == "not_enough"
    })
    .await;
    served(s.buy("/articles/1", PRICE, PRICE).await, PRICE, "article 1").await;
    wall.stop().await.unwrap();
    drop(web);
    support::strike(play, daemon).await;
}
