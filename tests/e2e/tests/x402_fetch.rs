//! The published `@x402/fetch`, with our plug-in, buys articles from nginx behind a paywall: `relayer/paywall/x402/test/buy.mjs`.

mod support;

use rivulet_client::{OpenChannel, Payer, VoucherKey};
use rivulet_e2e::{
    harness::{Nginx, PaywallFlags, Wall},
    story::{opening::CHALLENGE_SECS, plan::Coin},
};
use rivulet_rules::{chain::ContractKind, text};
use serde_json::{Value, json};
use std::{path::Path, process::Command, time::Duration};

const PRICE: u128 = 100_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_published_x402_client_buys_articles() {
    let options = ["--payers", "1", "--creators", "1", "--streams", "0", "--vouchers", "100"];
    let (play, daemon) = support::stage(&options, |flags| flags.interval_ms = 3_600_000).await;
    let folder = play.stage.folder.path();
    let web = Nginx::start(folder).await.unwrap();
    web.put("/index.html", b"welcome").unwrap();
    for n in 1..=5 {
        web.put(&format!("/articles/{n}"), format!("article {n}").as_bytes()).unwrap();
    }
    let payee = play.cast.creators[0].address();
    let prices = ["/articles/*=0.10usdc", "/broken/*=0.10usdc", "/dear/*=0.11usdc"];
    let flags = PaywallFlags {
        upstream: web.url(),
        payee,
        relayer: daemon.url(),
        deployment: play.stage.deployment_path(),
        node_url: play.stage.node.url(),
        prices: prices.map(str::to_owned).into(),
        tls: None,
        more: Vec::new(),
    };
    let mut wall = Wall::start(folder, flags).await.unwrap();

    // A session key that the program has, and a channel that the payer's wallet opened for it.
    let key = [0x42; 32];
    let payer = &play.cast.pay[0];
    let payer = Payer::new(payer.chain().clone(), play.cast.payers[0].signer.clone(), VoucherKey::from_bytes(key).unwrap());
    let wanted = OpenChannel { payee, token: Coin::Usdc.token(), challenge_period_secs: CHALLENGE_SECS, amount: 2_000_000 };
    let channel = payer.open(&wanted).await.unwrap();
    let number = channel.number();
    // The block is final; the relayer may not have it yet.
    let known = format!("{}/v1/channels/{}/{}", daemon.url(), number.book, number.serial);
    let begun = std::time::Instant::now();
    while !reqwest::get(&known).await.unwrap().status().is_success() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the relayer does not see the channel");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let terms = channel.terms;
    let at = payer.chain().binding(ContractKind::Channels);
    let buy = json!({
        "url": wall.url(), "key": text::hex(&key), "network": format!("eip155:{}", at.chain_id), "price": PRICE.to_string(),
        "channel": {
            "id": text::hex(&channel.id.0), "cover": channel.deposit.to_string(),
            "terms": {
                "book": number.book, "serial": number.serial, "payer": terms.payer.to_string(), "payee": terms.payee.to_string(),
                "voucherSigner": terms.voucher_signer.to_string(), "token": terms.token.to_string(),
                "challengePeriodSecs": terms.challenge_period_secs, "openedAt": terms.opened_at,
            },
        },
    });
    let plug_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../relayer/paywall/x402");
    assert!(plug_in.join("dist").is_dir(), "not built: npm ci and npm run build in relayer/paywall/x402, or scripts/test x402");
    let mut command = Command::new("node");
    command.arg(plug_in.join("test/buy.mjs")).env("BUY", buy.to_string());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    // Four articles, the lost one once, and one that a credit paid.
    assert_eq!(said["promised"], (5 * PRICE).to_string());
    let stored: Value = reqwest::get(&known).await.unwrap().json().await.unwrap();
    assert_eq!(stored["best"]["cumulative_amount"], said["promised"], "what was promised is what can be claimed");
    wall.stop().await.unwrap();
    support::strike(play, daemon).await;
}
