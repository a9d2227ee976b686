//! ```text
//! a key is made ── a channel is opened, paid from, topped up ── the payee keeps its vouchers and claims without the relayer
//! ── the payer loses everything but its key and recovers ── closes ── every unit is where it belongs
//! ```

use crate::user::{World, units, usdc};
use axum::{
    Router,
    body::to_bytes,
    extract::Request,
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use rivulet_chain::{Signer, account::read_account};
use serde_json::Value;
use std::fs;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_lives_its_whole_life_by_the_command_alone() {
    let world = World::start().await;
    let user = &world.user;
    let made = user.json("key new reader");
    let reader = read_account(made["account"].as_str().unwrap()).unwrap();
    assert_eq!(user.json("key list")["keys"], Value::Array(vec![made.clone()]));
    assert_eq!(user.json("key show reader"), made);
    world.fund(reader).await;
    let charlie = Signer::from_uri("//Charlie").unwrap();
    let (payer_before, payee_before) = (usdc(&world.stage, &reader).await, usdc(&world.stage, &charlie.account()).await);

    // By its wallet's text, and by the keystore's only key.
    let charlie_text = user.json("key show //Charlie")["account"].as_str().unwrap().to_owned();
    let opened = user.json(&format!("channel open --payee {charlie_text} --deposit 20usdc --site news.example --limit-per-day 5usdc --yes"));
    let number = opened["channel"].as_str().unwrap().to_owned();
    assert_eq!((opened["status"].as_str(), units(&opened["deposit"]), opened["deposit"]["amount"].as_str()), (Some("open"), 20_000_000, Some("20")));
    assert_eq!(opened["payee"], charlie.address().to_string());
    assert_eq!(usdc(&world.stage, &reader).await, payer_before - 20_000_000);

    for article in 1..=3 {
        let paid = user.json(&format!("channel pay {number} 0.10usdc --purchase article-{article} --yes"));
        assert_eq!((units(&paid["paid"]), units(&paid["total"])), (100_000, 100_000 * article));
    }
    // Nothing is paid, so nobody need say yes.
    let again = user.json(&format!("channel pay {number} 0.10usdc --purchase article-3"));
    assert_eq!((units(&again["total"]), again["paid_before"].as_bool()), (300_000, Some(true)), "the same purchase is paid once");
    let told = user.run(&format!("channel pay {number} 0.25usdc --yes"));
    assert_eq!((told.code, told.out.trim()), (0, format!("paid 0.25 usdc from channel {number}; 19.45 usdc left").as_str()));
    assert_eq!(units(&user.json(&format!("channel topup {number} 5usdc --yes"))["deposit"]), 25_000_000);
    let list = user.json("channel list");
    assert_eq!(list["channels"].as_array().unwrap().len(), 1);
    assert_eq!(units(&list["channels"][0]["kept"]["accepted"]), 550_000);
    assert!(user.run("channel list").out.contains("news.example"));
    user.refused(
        &format!("channel pay {number} 4.46usdc --yes"),
        3,
        "4.46 usdc more than the 0.55 usdc spent would pass the limit of 5 usdc a day (UTC)",
    );
    user.refused(&format!("channel pay {number} 30usdc --yes"), 3, "there are 24.45 usdc left in it: put more in by");

    // The payee: what it has, its terms, its vouchers, a claim without the relayer.
    let creator = user.with("RIVULET_KEY", "//Charlie");
    let earned = creator.json("earn show");
    let of_usdc = |earned: &Value| earned["tokens"].as_array().unwrap().iter().find(|t| t["token"] == "usdc").unwrap().clone();
    assert_eq!([units(&of_usdc(&earned)["channels"]["accepted"]), units(&of_usdc(&earned)["channels"]["claimed"])], [550_000, 0]);
    assert!(creator.run("earn show").out.contains("0.55"));
    let terms = creator.json("earn terms --token usdc --relayer-account //Dave --fee-bps 100 --for 30d --yes");
    assert_eq!(terms["fee_bps"], 100);
    let vouchers = creator.run("earn vouchers");
    fs::write(user.file("vouchers.json"), &vouchers.out).unwrap();
    let by_payer = user.json(&format!("channel show {number} --voucher"));
    assert_eq!(serde_json::from_str::<Value>(&vouchers.out).unwrap()[0], by_payer, "what the payer signed is what the relayer has");
    let claimed = creator.json("earn claim --vouchers vouchers.json");
    assert_eq!((claimed["paid"].as_u64(), claimed["channels"][0]["outcome"].as_str()), (Some(1), Some("applied")));
    assert_eq!([units(&claimed["tokens"][0]["claimed"]), units(&claimed["tokens"][0]["relay_fee"])], [550_000, 5_500]);
    // One percent went to whom the terms name, though nobody carried it.
    assert_eq!(usdc(&world.stage, &charlie.account()).await, payee_before + 550_000 - 5_500);
    assert_eq!(creator.json("earn claim --vouchers vouchers.json")["channels"][0]["outcome"], "stale");
    creator.refused("earn collect --token usdc", 9, "has no credit in usdc");

    // Everything but the key is lost; one more payment was not claimed yet, so only the relayer knows of it.
    user.json(&format!("channel pay {number} 0.05usdc --yes"));
    fs::remove_dir_all(user.file("channels")).unwrap();
    user.refused(&format!("channel pay {number} 0.05usdc --yes"), 9, "rivulet channel recover");
    assert!(user.json("channel list")["channels"].as_array().unwrap().is_empty());
    let recovered = user.json("channel recover");
    assert_eq!(units(&recovered["recovered"][0]["kept"]["accepted"]), 600_000);
    assert!(user.json("channel recover")["recovered"].as_array().unwrap().is_empty());
    // Sites and limits are only here: they are set again, and loosened only when somebody says yes.
    let limited = user.json(&format!("channel limit {number} --site news.example --limit-per-day 1usdc"));
    assert_eq!((limited["kept"]["site"].as_str(), units(&limited["limits"]["per_period"])), (Some("news.example"), 1_000_000));
    user.refused(&format!("channel pay {number} 1.5usdc --yes"), 3, "would pass the limit of 1 usdc a day (UTC)");
    user.refused(&format!("channel limit {number} --limit-per-day 2usdc"), 4, "Let more be spent at news.example");
    user.refused(&format!("channel limit {number} --limit 2dot"), 2, "pays usdc, given 2dot");
    user.refused(&format!("channel limit {number}"), 2, "required");
    user.json(&format!("channel limit {number} --none --yes"));
    assert_eq!(units(&user.json(&format!("channel pay {number} 0.05usdc --yes"))["total"]), 650_000);
    creator.json("earn claim");

    // The end.
    let closing = user.json(&format!("channel close {number}"));
    assert_eq!(closing["status"], "closing");
    // The relayer follows the chain by itself.
    let of_relayer = format!("{}/v1/channels/{number}", world.daemon.url());
    while reqwest::get(&of_relayer).await.unwrap().json::<Value>().await.unwrap()["status"] != "closing" {
        tokio::task::yield_now().await;
    }
    user.refused(&format!("channel pay {number} 0.05usdc --yes"), 3, "is closing, and takes no new vouchers");
    assert_eq!(user.json(&format!("channel close {number}"))["status"], "closing", "the challenge period is not over");
    world.advance(86_400).await;
    assert_eq!(user.json(&format!("channel close {number} --wait"))["status"], "closed");
    assert!(user.json("channel list")["channels"].as_array().unwrap().is_empty());
    assert_eq!(user.json("channel list --all")["channels"][0]["status"], "closed");
    assert_eq!(usdc(&world.stage, &reader).await, payer_before - 650_000);
    assert_eq!(usdc(&world.stage, &charlie.account()).await, payee_before + 650_000 - 6_500);
    world.end().await;
}

/// A relayer whose answers to what is sent are lost on the way.
async fn losing_answers(relayer: String) -> String {
    let app = Router::new().fallback(async move |request: Request| -> Response {
        let (head, body) = request.into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        let sent = reqwest::Client::new().request(head.method.clone(), format!("{relayer}{}", head.uri)).headers(head.headers).body(body).send();
        let answer = sent.await.unwrap();
        match head.method {
            Method::GET => (answer.status(), answer.bytes().await.unwrap()).into_response(),
            _ => StatusCode::BAD_GATEWAY.into_response(),
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_without_an_answer_is_kept_and_handed_over_later() {
    let mut world = World::start().await;
    let user = world.user.with("RIVULET_KEY", "//Bob");
    let number = user.json("channel open --payee //Charlie --deposit 2dot --yes")["channel"].as_str().unwrap().to_owned();
    user.json(&format!("channel pay {number} 0.1dot --yes"));
    world.daemon.kill();
    user.refused(&format!("channel pay {number} 0.2dot --purchase song --yes"), 8, "the relayer did not answer");
    assert!(user.json(&format!("channel show {number}"))["kept"]["pending"].is_null(), "nobody was there: nothing was promised");
    world.daemon.launch().unwrap();
    world.daemon.wait_ready().await.unwrap();
    assert_eq!(user.json(&format!("channel pay {number} 0.2dot --purchase song --yes"))["total"]["amount"], "0.3");
    assert_eq!(user.json(&format!("channel pay {number} --pending"))["total"]["amount"], "0.3");

    // What is pending becomes the last purchase: the one before it would be paid anew, and not without a yes.
    let losing = user.with("RIVULET_RELAYER", losing_answers(world.daemon.url()).await);
    assert_ne!(losing.run(&format!("channel pay {number} 0.3dot --purchase opera --yes")).code, 0);
    assert_eq!(user.json(&format!("channel show {number}"))["kept"]["pending"]["purchase"], "opera");
    let song = format!("channel pay {number} 0.2dot --purchase song");
    user.refused(&song, 4, "Pay 0.2 dot");
    let paid = user.json(&format!("{song} --yes"));
    assert_eq!((paid["total"]["amount"].as_str(), paid["paid_before"].as_bool()), (Some("0.8"), Some(false)), "opera, and the song again");

    // The same relayer by HTTPS: trusted by the system's certificates only.
    world.daemon.stop().await.unwrap();
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key, config) = (user.file("tls.crt"), user.file("tls.key"), world.daemon.config_path());
    fs::write(&certificate, certified.cert.pem()).unwrap();
    fs::write(&key, certified.signing_key.serialize_pem()).unwrap();
    let files = format!("[http]\ntls_certificate_file = {certificate:?}\ntls_key_file = {key:?}\n");
    fs::write(&config, fs::read_to_string(&config).unwrap().replace("[http]\n", &files)).unwrap();
    world.daemon.launch().unwrap();
    let user = user.with("RIVULET_RELAYER", world.daemon.url().replace("http://127.0.0.1", "https://localhost"));
    let trusting = user.with("SSL_CERT_FILE", certificate.display().to_string());
    let pay = format!("channel pay {number} 0.2dot --purchase film --yes");
    let mut said = trusting.run(&pay);
    while said.code == 8 && !world.daemon.has_ended() {
        said = trusting.run(&pay);
    }
    assert!(said.code == 0 && said.out.contains("paid 0.2 dot"), "{said:?}");
    user.refused(&pay, 8, "certificate");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_comes_back_and_the_channel_goes_on() {
    let world = World::start().await;
    let user = world.user.with("RIVULET_KEY", "//Bob");
    let bob = Signer::from_uri("//Bob").unwrap().account();
    let before = usdc(&world.stage, &bob).await;
    let number = user.json("channel open --payee //Charlie --deposit 20usdc --yes")["channel"].as_str().unwrap().to_owned();
    let refund = format!("channel refund {number}");
    user.json(&format!("channel pay {number} 4usdc --yes"));

    // At most what was not paid, once at a time.
    user.refused(&format!("{refund} 17usdc"), 2, "has 16 usdc that were not paid");
    user.refused(&format!("{refund} 1dot"), 2, "pays usdc, given 1dot");
    user.refused(&refund, 9, "nothing is asked back");
    user.refused(&format!("{refund} --cancel"), 9, "nothing is asked back");
    let asked = user.json(&format!("{refund} 10usdc"));
    let (due_at, lapses_at) = (asked["refund_due_at"].as_u64().unwrap(), asked["refund_lapses_at"].as_u64().unwrap());
    assert_eq!((lapses_at - due_at, asked["status"].as_str(), &asked["refunded"]), (86_400, Some("open"), &Value::Null));
    let figures = |told: &Value| [units(&told["refund_requested"]), units(&told["deposit"]), units(&told["kept"]["left"])];
    assert_eq!(figures(&asked), [10_000_000, 20_000_000, 6_000_000]);
    assert!(user.run("channel list").out.contains("10 from 20") && user.run(&format!("channel show {number}")).out.contains("10 usdc asked back"));
    user.refused(&format!("{refund} 5usdc"), 2, "asked back already");
    user.refused(&format!("channel pay {number} 7usdc --yes"), 3, "there are 6 usdc left in it");
    assert_eq!(user.json(&format!("{refund} 10usdc"))["refund_due_at"].as_u64(), Some(due_at), "not due yet, and not asked anew");
    let back = user.json(&format!("{refund} --cancel"));
    assert_eq!((&back["refund_requested"], units(&back["kept"]["left"])), (&Value::Null, 16_000_000));

    // Asked for again; it comes once the challenge period is over. A top-up is not for it.
    user.json(&format!("{refund} 10usdc"));
    assert_eq!(figures(&user.json(&format!("channel topup {number} 1usdc --yes"))), [10_000_000, 21_000_000, 7_000_000]);
    world.advance(86_400).await;
    let taken = user.json(&refund);
    assert_eq!((units(&taken["refunded"]), units(&taken["deposit"]), units(&taken["kept"]["left"])), (10_000_000, 11_000_000, 7_000_000));
    assert_eq!(usdc(&world.stage, &bob).await, before - 11_000_000);
    user.json(&format!("channel pay {number} 7usdc --yes"));
    user.refused(&format!("channel pay {number} 0.1usdc --yes"), 3, "there is nothing left in it");

    // Nobody takes it: it lapses, and the channel has all of its money again.
    user.json(&format!("channel topup {number} 5usdc --yes"));
    user.json(&format!("{refund} 2usdc"));
    world.advance(2 * 86_400).await;
    user.refused(&refund, 9, "the request lapsed at");
    assert_eq!(units(&user.json(&format!("channel show {number}"))["kept"]["left"]), 5_000_000);

    // Somebody waits for it, and the channel is paid from meanwhile.
    let args: Vec<_> = format!("{refund} 2usdc --wait --json").split(' ').map(str::to_owned).collect();
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    let waiting = user.command(&args).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let asked_at = world.stage.chain.finalized_head().await.unwrap().block;
    let mut feed = world.stage.chain.finalized_after(asked_at);
    while user.json(&format!("channel show {number}"))["refund_requested"].is_null() {
        feed.next().await.unwrap();
    }
    user.json(&format!("channel pay {number} 1usdc --yes"));
    world.advance(86_400).await;
    let said = waiting.wait_with_output().unwrap();
    let told: Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!((units(&told["refunded"]), units(&told["deposit"]), units(&told["kept"]["left"])), (2_000_000, 14_000_000, 2_000_000));
    assert_eq!(usdc(&world.stage, &bob).await, before - 14_000_000);
    world.end().await;
}
