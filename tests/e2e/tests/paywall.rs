//! A paywall in front of nginx, with a real node and a real relayer: what is served, to whom, for what; and what is not.
//!
//! ```text
//! free pages ── a readable 402 ── an article bought, asked for again, after a kill too ── a client that forgot everything goes on
//! what is not served: forged, foreign, capped, expired, replayed, a closing channel ── what nobody got costs nothing ── a refund is a lower price
//! by byte and by second: to the last paid byte, raised on the way, resumed
//! ```

#[path = "support/shop.rs"]
mod shop;
mod support;

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Response, StatusCode};
use rivulet_chain::Deployment as DeploymentFile;
use rivulet_client::{OpenChannel, VoucherKey, VoucherSigner};
use rivulet_core::ids::Deployment;
use rivulet_e2e::{
    harness::{Nginx, PaywallFlags, Wall, built},
    story::{opening::CHALLENGE_SECS, plan::Coin},
};
use rivulet_paywall::{paywall::now, store::Store};
use rivulet_rules::{chain::ContractKind, text};
use serde_json::Value;
use shop::{PRICE, Shopper, Wanted, World, decoded, metric, served};
use std::{
    process::Command,
    time::{Duration, Instant},
};

const STEP: u128 = 1_000;

async fn world() -> World {
    let options = ["--payers", "1", "--creators", "2", "--streams", "0", "--vouchers", "100"];
    // It claims nothing by itself while this looks at what is stored.
    let (play, daemon) = support::stage(&options, |flags| flags.interval_ms = 3_600_000).await;
    let web = Nginx::start(play.stage.folder.path()).await.unwrap();
    web.put("/index.html", b"welcome").unwrap();
    for n in 1..=9 {
        web.put(&format!("/articles/{n}"), format!("article {n}").as_bytes()).unwrap();
    }
    web.put("/cheap/page", b"cheap").unwrap();
    let file: Vec<u8> = (0..2_500_000u32).map(|n| (n % 251) as u8).collect();
    web.put("/files/big", &file).unwrap();
    web.put("/live/radio", &file).unwrap();
    let payee = play.cast.creators[0].address();
    let prices = ["/articles/*=0.10usdc", "/broken/*=0.10usdc", "/files/*=0.001usdc/MB", "/live/*=0.001usdc/s", "/cheap/*=0.000001usdc"];
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
    let wall = Wall::start(play.stage.folder.path(), flags).await.unwrap();
    let payer = &play.cast.pay[0];
    let open = |payee, coin: Coin, amount| OpenChannel { payee, token: coin.token(), challenge_period_secs: CHALLENGE_SECS, amount };
    let other = play.cast.creators[1].address();
    let wanted = [open(payee, Coin::Usdc, 5_000_000), open(other, Coin::Usdc, 1_000_000), open(payee, Coin::Dot, 10_000_000_000_000_000)];
    let mut channels = payer.open_many(&wanted).await.unwrap();
    let channel = channels.remove(0);
    let at = payer.chain().binding(ContractKind::Channels);
    let http = reqwest::Client::builder().timeout(Duration::from_secs(60)).build().unwrap();
    let mut shopper = Shopper { http, scheme: "http", host: wall.host(), channel, signer: payer.vouchers().clone(), at };
    // The block that opened it is final, but the relayer may not have it yet. The first cent goes to the creator, before the paywall knows the channel.
    let (tip, begun) = (shopper.promise(10_000), Instant::now());
    let relayer = rivulet_client::Relayer::new(daemon.url()).unwrap();
    while let Err(e) = relayer.pay(&tip).await {
        assert!(begun.elapsed() < Duration::from_secs(20), "{e}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    World { play, daemon, web, wall, shopper, foreign: channels }
}

async fn free_pages(w: &World) {
    let page = w.shopper.get("/", None).await;
    assert!(page.headers().get("cache-control").is_none(), "what is free is passed on as it is");
    assert_eq!(page.text().await.unwrap(), "welcome");
    let request = w.shopper.http.get(format!("{}/seen", w.wall.url()));
    let spoofed = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-proto", "https"), ("x-rivulet-payer", "0xme"), ("connection", "x-secret")];
    let request = spoofed.iter().fold(request, |r, (name, value)| r.header(*name, *value));
    let seen = request.send().await.unwrap().text().await.unwrap();
    assert_eq!(seen, format!("host={0} for=127.0.0.1 proto=http fhost={0} payer= payment= upgrade=", w.wall.host()));
    // Servers read these as /articles/1.
    for path in ["//articles/1", "/x/..%2farticles/1", "/x%5c..%5carticles/1", "/articles/%2e%2e/articles/1"] {
        let mut stream = tokio::net::TcpStream::connect(w.wall.host()).await.unwrap();
        let answer = raw(&mut stream, &format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("bad_path"), "{path}: {answer}");
    }
    let upgrade = w.shopper.http.get(format!("{}/seen", w.wall.url())).header("connection", "upgrade").header("upgrade", "websocket");
    let upgrade = upgrade.send().await.unwrap();
    assert_eq!(upgrade.status(), StatusCode::NOT_IMPLEMENTED);
    assert!(upgrade.text().await.unwrap().contains("upgrade_not_supported"));
}

async fn raw(stream: &mut tokio::net::TcpStream, request: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn a_readable_402(w: &World) {
    let plain = w.shopper.get("/articles/1", None).await;
    let offer = decoded(&plain, "payment-required");
    assert_eq!((plain.status(), &plain.headers()["cache-control"]), (StatusCode::PAYMENT_REQUIRED, &"private, no-store".parse().unwrap()));
    let text = plain.text().await.unwrap();
    assert!(text.starts_with("402 Payment Required: payment_required") && text.contains("0.1usdc") && text.contains(&w.daemon.url()), "{text}");
    let accepts = &offer["accepts"][0];
    let payee = w.play.cast.creators[0].address().to_string();
    assert_eq!((offer["x402Version"].as_u64(), accepts["scheme"].as_str(), accepts["amount"].as_str()), (Some(2), Some("channel"), Some("100000")));
    assert_eq!((accepts["payTo"].as_str(), accepts["network"].as_str()), (Some(&*payee), Some(&*format!("eip155:{}", w.shopper.at.chain_id))));
    assert_eq!(accepts["extra"]["channels"], w.shopper.at.contract.to_string());
    assert_eq!(accepts["extra"]["request"], format!("GET {}/articles/1", w.wall.host()));
    let says_how_to_pay = |page: &str| {
        [&*format!("rivulet channel open --payee {payee} --deposit"), "rivulet get URL --max"].iter().all(|command| page.contains(command))
    };
    for (accept, kind) in [("text/html", "text/html; charset=utf-8"), ("application/json", "application/problem+json")] {
        let answer = w.shopper.http.get(format!("{}/articles/1", w.wall.url())).header("accept", accept).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), &answer.headers()["content-type"]), (402, &kind.parse().unwrap()));
        let page = answer.text().await.unwrap();
        assert!(kind.contains("json") || says_how_to_pay(&page), "{page}");
    }
    assert!(says_how_to_pay(&text), "{text}");
}

async fn an_article(w: &mut World) {
    let s = &mut w.shopper;
    let (voucher, wanted) = (s.promise(PRICE), s.wanted("/articles/1", PRICE));
    let header = s.header(&wanted, &voucher);
    served(s.get("/articles/1", Some(&header)).await, PRICE, "article 1").await;
    // The relayer has it, and it is what can be claimed.
    let number = s.channel.number();
    let stored: Value =
        s.http.get(format!("{}/v1/channels/{}/{}", w.daemon.url(), number.book, number.serial)).send().await.unwrap().json().await.unwrap();
    assert_eq!(stored["best"]["cumulative_amount"], (10_000 + PRICE).to_string());
    // An answer may be lost, and the paywall killed: the same again costs nothing.
    served(s.get("/articles/1", Some(&header)).await, 0, "article 1").await;
    w.wall.kill();
    w.wall.launch().await.unwrap();
    served(s.get("/articles/1", Some(&header)).await, 0, "article 1").await;
    // But it is that article, not another, and not for ever.
    let body = s.refused("/articles/2", &header, 402, "replayed").await;
    assert_eq!(body["accepts"][0]["amount"], "100000");
    for _ in 3..16 {
        assert_eq!(s.get("/articles/1", Some(&header)).await.status(), StatusCode::OK);
    }
    s.refused("/articles/1", &header, 402, "used_up").await;
    // The tip bought nothing: what was paid before the paywall knew the channel was for something else.
    let wanted = s.wanted("/articles/2", PRICE);
    let body = s.refused("/articles/2", &s.header(&wanted, &s.promised()), 402, "not_enough").await;
    assert_eq!((&body["state"]["accepted"], &body["state"]["available"]), (&"110000".into(), &"0".into()), "{body}");
}

async fn a_client_that_forgot_everything(w: &mut World) {
    let mut s = w.shopper.clone();
    s.channel.promised = 0;
    let (voucher, wanted) = (s.promise(PRICE), s.wanted("/articles/3", PRICE));
    let body = s.refused("/articles/3", &s.header(&wanted, &voucher), 402, "not_enough").await;
    let state = &body["accepts"][0]["extra"]["state"];
    let signature = text::signature("signature", state["signature"].as_str().unwrap()).unwrap();
    s.channel.resume(&s.signer, state["accepted"].as_str().unwrap().parse().unwrap(), &signature).unwrap();
    served(s.buy("/articles/3", PRICE, PRICE).await, PRICE, "article 3").await;
    w.shopper.channel.promised = s.channel.promised;
}

async fn what_is_not_served(w: &mut World) {
    let s = &mut w.shopper;
    let path = "/articles/4";
    let wanted = s.wanted(path, PRICE);
    let before = s.promised();
    let next = s.signer.sign(s.channel.number(), s.channel.id, s.channel.promised + PRICE);
    let forger = VoucherSigner::new(VoucherKey::from_bytes([9; 32]).unwrap(), &s.at);
    let (sign, good) = (|s: &Shopper, total| s.signer.sign(s.channel.number(), s.channel.id, total), s.header(&wanted, &next));

    s.refused(path, "!", 400, "malformed").await;
    s.refused(path, &STANDARD.encode("{}"), 400, "malformed").await;
    // Somebody who saw the voucher at the relayer, which shows it to anybody.
    s.refused(path, &s.header_with(&wanted, &next, &forger, &s.at), 402, "wrong_signer").await;
    let forged = forger.sign(s.channel.number(), s.channel.id, next.cumulative_amount);
    s.refused(path, &s.header(&wanted, &forged), 402, "wrong_signer").await;
    let capped = sign(s, s.channel.deposit + 1);
    s.refused(path, &s.header(&wanted, &capped), 402, "not_covered").await;
    s.refused(path, &s.header(&wanted, &sign(s, 5)), 402, "not_enough").await;
    s.refused(path, &s.header(&wanted, &before), 402, "not_enough").await;
    let body = s.refused(path, &s.header(&wanted, &sign(s, before.cumulative_amount + PRICE - 1)), 402, "not_enough").await;
    assert_eq!(body["state"]["available"], (PRICE - 1).to_string(), "what was accepted stays the payer's: {body}");
    for (valid_until, code) in [(now() - 1, "expired"), (now() + 3_600, "valid_too_long")] {
        s.refused(path, &s.header(&Wanted { valid_until, ..wanted.clone() }, &next), 402, code).await;
    }
    s.refused(path, &s.header(&Wanted { amount: PRICE - 1, ..wanted.clone() }, &next), 402, "amount_too_small").await;
    let other_path = s.wanted("/articles/5", PRICE);
    s.refused(path, &s.header(&other_path, &next), 402, "wrong_signer").await;

    // Another chain, another contract: in the name, and in what was signed.
    let elsewhere = Deployment { chain_id: s.at.chain_id + 1, ..s.at };
    s.refused(path, &s.header_with(&wanted, &next, &s.signer, &elsewhere), 402, "wrong_network").await;
    let mut moved = s.clone();
    moved.channel.id = moved.channel.terms.channel_id(&elsewhere, &rivulet_core::SoftKeccak);
    s.refused(path, &moved.header(&wanted, &sign(&moved, 999_999)), 402, "foreign_channel").await;
    // Another payee, another token.
    for (channel, code) in w.foreign.iter().zip(["foreign_channel", "wrong_network"]) {
        let mut other = s.clone();
        other.channel = *channel;
        let voucher = other.promise(PRICE);
        s.refused(path, &other.header(&wanted, &voucher), 402, code).await;
    }
    let mut native = s.clone();
    native.channel = w.foreign[1];
    native.channel.terms.token = s.channel.terms.token;
    s.refused(path, &native.header(&wanted, &sign(&native, PRICE)), 402, "foreign_channel").await;
    // Terms that were never opened, with an id that fits them.
    let mut invented = s.clone();
    invented.channel.terms.opened_at += 1;
    invented.channel.id = invented.channel.terms.channel_id(&s.at, &rivulet_core::SoftKeccak);
    s.refused(path, &invented.header(&wanted, &sign(&invented, PRICE)), 402, "wrong_channel_id").await;

    // None of it did any harm: one unit is missing, and then it is served.
    s.channel.promised = next.cumulative_amount;
    served(s.get(path, Some(&good)).await, PRICE, "article 4").await;
}

async fn what_nobody_got_costs_nothing(w: &mut World) {
    let s = &mut w.shopper;
    let failed = s.buy("/broken/article", PRICE, PRICE).await;
    let told = decoded(&failed, "payment-response");
    assert_eq!((failed.status().as_u16(), told["success"].as_bool(), told["amount"].as_str()), (503, Some(false), Some("0")), "{told}");
    assert_eq!(told["extra"]["state"]["available"], PRICE.to_string());
    // So the next one costs no new promise.
    served(s.buy("/articles/5", 0, PRICE).await, PRICE, "article 5").await;
    let missing = s.buy("/articles/none", PRICE, PRICE).await;
    assert_eq!((missing.status().as_u16(), decoded(&missing, "payment-response")["amount"].as_str()), (404, Some("0")));
    // A part that does not exist is no way to the money, once the whole was had.
    let wanted = s.wanted("/articles/6", PRICE);
    let header = s.header(&wanted, &s.promised());
    served(s.get("/articles/6", Some(&header)).await, PRICE, "article 6").await;
    let ranged =
        s.http.get(format!("{}/articles/6", w.wall.url())).header("payment-signature", &header).header("range", "bytes=999-").send().await.unwrap();
    let told = decoded(&ranged, "payment-response");
    assert_eq!((ranged.status().as_u16(), &told["extra"]["state"]["available"]), (416, &"0".into()), "{told}");
}

/// One purchase by several requests at the same moment, some made to fail by a part that does not exist: whoever is served has paid.
async fn one_purchase_at_the_same_moment(w: &mut World) {
    let path = "/cheap/page";
    let voucher = w.shopper.promise(100);
    for round in 0..100 {
        let s = w.shopper.clone();
        let wanted = s.wanted(path, 1);
        let header = s.header(&wanted, &voucher);
        let tasks: Vec<_> = (0..6)
            .map(|n| {
                let (http, header, url) = (s.http.clone(), header.clone(), format!("http://{}{path}", s.host));
                tokio::spawn(async move {
                    let request = http.get(url).header("payment-signature", header);
                    let request = if n < 4 { request.header("range", "bytes=999-") } else { request };
                    request.send().await.unwrap().status()
                })
            })
            .collect();
        let mut is_served = false;
        for task in tasks {
            is_served |= task.await.unwrap().is_success();
        }
        let rows = Store::beside(&w.wall.database_path()).unwrap().purchases(Some(s.channel.number()), 5).unwrap();
        let cost = rows.iter().find(|row| row.id.nonce == wanted.nonce).unwrap().charged;
        assert!(is_served && cost == 1, "round {round}: served {is_served}, cost {cost}");
    }
}

async fn a_refund(w: &mut World) {
    let s = &mut w.shopper;
    let bought = s.buy("/articles/7", PRICE, PRICE).await;
    let nonce = decoded(&bought, "payment-response")["transaction"].as_str().unwrap().to_owned();
    let number = s.channel.number().to_string();
    let rivulet = |args: &[&str]| {
        let mut command = Command::new(built("rivulet").unwrap());
        command.arg("paywall").args(args).arg("--database").arg(w.wall.database_path()).arg("--deployment").arg(w.play.stage.deployment_path());
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
    };
    let (ok, list) = rivulet(&["purchases", "--json", "--channel", &number]);
    let list: Value = serde_json::from_str(&list).unwrap_or_else(|e| panic!("{e}: {list}"));
    let row = list.as_array().unwrap().iter().find(|row| row["nonce"] == *nonce).unwrap();
    assert!(ok && row["charged"] == "100000" && row["request"].as_str().unwrap().ends_with("/articles/7"), "{row}");
    let refund = ["refund", "--channel", &number, "--purchase", &nonce];
    let (ok, said) = rivulet(&[&refund[..], &["--amount", "0.03usdc"]].concat());
    assert!(ok && said.starts_with("0.03usdc of 0.1usdc is credit of channel"), "{said}");
    let (ok, said) = rivulet(&[&refund[..], &["--amount", "0.08usdc"]].concat());
    assert!(!ok && said.contains("expected at most 0.07usdc"), "{said}");
    let (ok, said) = rivulet(&[&refund[..], &["--amount", "0.03native"]].concat());
    assert!(!ok && said.contains("the purchase was paid in"), "{said}");
    let (ok, said) = rivulet(&[&refund[..], &["--json"]].concat());
    let told: Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
    assert!(ok && told["returned"] == "70000" && told["charged"] == "0", "{said}");
    let (ok, said) = rivulet(&refund);
    assert!(!ok && said.contains("nothing of this purchase is left"), "{said}");
    let (ok, list) = rivulet(&["purchases"]);
    assert!(ok && list.starts_with("bought at ") && list.contains("0usdc") && list.contains(&nonce), "{list}");
    served(s.buy("/articles/8", 0, PRICE).await, PRICE, "article 8").await;
}

async fn many_at_once(w: &mut World) {
    // Ten are paid for, thirty asked for.
    let voucher = w.shopper.promise(10 * PRICE);
    let tasks: Vec<_> = (0..30)
        .map(|_| {
            let s = w.shopper.clone();
            tokio::spawn(async move {
                let wanted = s.wanted("/articles/9", PRICE);
                s.get("/articles/9", Some(&s.header(&wanted, &voucher))).await.status()
            })
        })
        .collect();
    let mut counted = [0, 0];
    for task in tasks {
        match task.await.unwrap() {
            StatusCode::OK => counted[0] += 1,
            StatusCode::PAYMENT_REQUIRED => counted[1] += 1,
            other => panic!("{other}"),
        }
    }
    assert_eq!(counted, [10, 20]);
}

/// What came until it ended or broke off.
async fn bytes(mut response: Response) -> (Vec<u8>, bool) {
    let mut all = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => all.extend_from_slice(&chunk),
            Ok(None) => return (all, true),
            Err(_) => return (all, false),
        }
    }
}

async fn by_byte(w: &mut World) {
    let s = &mut w.shopper;
    let file: Vec<u8> = (0..2_500_000u32).map(|n| (n % 251) as u8).collect();
    let whole = bytes(s.buy("/files/big", 3 * STEP, 3 * STEP).await).await;
    assert!(whole == (file.clone(), true), "{} bytes", whole.0.len());
    // Two steps signed for, three promised: cut at the last paid byte; the third is credit, and pays for the rest.
    let (start, is_whole) = bytes(s.buy("/files/big", 3 * STEP, 2 * STEP).await).await;
    assert!(!is_whole && start == file[..2_000_000], "{} bytes", start.len());
    let wanted = s.wanted("/files/big", STEP);
    let request = s.http.get(format!("{}/files/big", w.wall.url())).header("payment-signature", s.header(&wanted, &s.promised()));
    let rest = request.header("range", "bytes=2000000-").send().await.unwrap();
    assert_eq!(rest.status(), StatusCode::PARTIAL_CONTENT);
    assert!(bytes(rest).await == (file[2_000_000..].to_vec(), true));
    // Raised on the way: the same nonce, signed for more.
    let (voucher, wanted) = (s.promise(STEP), s.wanted("/files/big", STEP));
    let mut response = s.get("/files/big", Some(&s.header(&wanted, &voucher))).await;
    let mut got = 0;
    while got < 1_000_000 {
        got += response.chunk().await.unwrap().unwrap().len();
    }
    assert_eq!(got, 1_000_000);
    let (voucher, more) = (s.promise(2 * STEP), Wanted { amount: 3 * STEP, ..wanted });
    let pay = |header: String| s.http.post(format!("{}/.well-known/rivulet/pay", w.wall.url())).header("payment-signature", header).send();
    let raised = pay(s.header(&more, &voucher)).await.unwrap();
    assert_eq!(raised.status(), StatusCode::OK, "{}", raised.text().await.unwrap());
    let (rest, is_whole) = bytes(response).await;
    assert!(is_whole && rest.len() == 1_500_000, "{}", rest.len());
    assert_eq!(pay(s.header(&s.wanted("/files/big", STEP), &s.promised())).await.unwrap().status(), StatusCode::NOT_FOUND);
}

async fn by_second(w: &mut World) {
    let s = &mut w.shopper;
    let begun = Instant::now();
    let (got, is_whole) = bytes(s.buy("/live/radio", 2 * STEP, 2 * STEP).await).await;
    // Two seconds, and the wait for a raise.
    assert!(!is_whole && begun.elapsed() >= Duration::from_secs(2) && got.len() < 400_000, "{} bytes in {:?}", got.len(), begun.elapsed());
    let state = s.refused("/live/radio", &s.header(&s.wanted("/live/radio", STEP), &s.promised()), 402, "not_enough").await;
    assert_eq!(state["state"]["available"], "0");
}

async fn without_a_relayer(w: &mut World) {
    w.daemon.stop().await.unwrap();
    let (voucher, wanted) = (w.shopper.promise(PRICE), w.shopper.wanted("/articles/1", PRICE));
    let header = w.shopper.header(&wanted, &voucher);
    w.shopper.refused("/articles/1", &header, 503, "relayer_unreachable").await;
    w.daemon.launch().unwrap();
    w.daemon.wait_ready().await.unwrap();
    served(w.shopper.get("/articles/1", Some(&header)).await, PRICE, "article 1").await;
}

async fn a_closing_channel(w: &mut World) {
    w.play.cast.pay[0].request_close(&w.shopper.channel).await.unwrap();
    let begun = Instant::now();
    // As soon as the relayer has seen it in a finalized block. Until then, it is served: what was accepted is the creator's.
    loop {
        let s = &mut w.shopper;
        let voucher = s.promise(PRICE);
        let response = s.get("/articles/1", Some(&s.header(&s.wanted("/articles/1", PRICE), &voucher))).await;
        if response.status() == StatusCode::PAYMENT_REQUIRED {
            assert_eq!(decoded(&response, "payment-required")["error"], "channel_closing");
            break;
        }
        assert!(response.status().is_success() && begun.elapsed() < Duration::from_secs(20), "{response:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_paid_is_served_once_and_nothing_else() {
    let mut w = world().await;
    free_pages(&w).await;
    a_readable_402(&w).await;
    an_article(&mut w).await;
    a_client_that_forgot_everything(&mut w).await;
    what_is_not_served(&mut w).await;
    what_nobody_got_costs_nothing(&mut w).await;
    one_purchase_at_the_same_moment(&mut w).await;
    a_refund(&mut w).await;
    many_at_once(&mut w).await;
    by_byte(&mut w).await;
    by_second(&mut w).await;
    assert_eq!(metric(&w, "rivulet_paywall_cut_total").await, 2.0);
    assert!(metric(&w, "rivulet_paywall_charged_units_total{token=\"usdc\"}").await > 1_000_000.0);
    without_a_relayer(&mut w).await;
    a_closing_channel(&mut w).await;

    w.wall.stop().await.unwrap();
    // Till now: its files are in the play's folder.
    let World { play, daemon, web, .. } = w;
    drop(web);
    support::strike(play, daemon).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relayer_of_another_network_is_refused_at_the_start() {
    let (play, daemon) = support::stage(&["--payers", "1", "--creators", "1", "--streams", "0", "--vouchers", "10"], |_| ()).await;
    let mut deployment = DeploymentFile::load(play.stage.deployment_path()).unwrap();
    deployment.chain_id += 1;
    let path = play.stage.folder.path().join("other.json");
    deployment.save(&path).unwrap();
    let mut command = Command::new(built("rivulet").unwrap());
    command.args(["paywall", "--upstream", "http://127.0.0.1:1", "--price", "/*=1usdc", "--listen", "127.0.0.1:0", "--relayer", &daemon.url()]);
    command.args(["--payee", &play.cast.creators[0].address().to_string(), "--deployment"]).arg(&path);
    let output = command.arg("--database").arg(play.stage.folder.path().join("other.db")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("does not fit: chain_id is"), "{said}");
    support::strike(play, daemon).await;
}
