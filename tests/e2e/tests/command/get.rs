//! `rivulet get`: a page is paid for from a channel, and nothing is paid twice, for nothing, or beyond what was allowed.

use crate::user::{World, units};
use rivulet_chain::Signer;
use rivulet_client::buy::wire;
use rivulet_e2e::harness::{Nginx, PaywallFlags, Wall};
use std::fs;

/// A site that is paid elsewhere, for the rest as another.
async fn elsewhere(like: &str) -> String {
    let answer = reqwest::get(like).await.unwrap();
    let required: wire::PaymentRequired = wire::decode(answer.headers()[wire::PAYMENT_REQUIRED].as_bytes()).unwrap();
    let app = axum::Router::new().fallback(async move |request: axum::extract::Request| {
        let mut required = required.clone();
        required.accepts[0].network = "eip155:1".into();
        required.accepts[0].extra.request = format!("GET {}{}", request.headers()["host"].to_str().unwrap(), request.uri());
        (axum::http::StatusCode::PAYMENT_REQUIRED, [(wire::PAYMENT_REQUIRED, wire::encode(&required))])
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/page", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_is_paid_for_by_the_command_that_gets_it() {
    let world = World::start().await;
    let folder = world.stage.folder.path();
    let web = Nginx::start(folder).await.unwrap();
    web.put("/index.html", b"welcome").unwrap();
    web.put("/articles/1", b"an article").unwrap();
    web.put("/articles/2", b"another").unwrap();
    web.put("/files/big", &vec![7; 2_500_000]).unwrap();
    let payee = Signer::from_uri("//Charlie").unwrap().address();
    let flags = PaywallFlags {
        upstream: web.url(),
        payee,
        relayer: world.daemon.url(),
        deployment: world.stage.deployment_path(),
        node_url: world.stage.node.url(),
        prices: ["/articles/*=0.10usdc", "/broken/*=0.10usdc", "/files/*=0.001usdc/MB"].map(str::to_owned).into(),
        tls: None,
        more: Vec::new(),
    };
    let mut wall = Wall::start(folder, flags).await.unwrap();
    let (user, url) = (world.user.with("RIVULET_KEY", "//Bob"), wall.url());

    let free = user.run(&format!("get {url}/"));
    assert_eq!((free.code, free.out.as_str(), free.err.trim()), (0, "welcome", "7 bytes, for nothing"));
    // Where another site is, nothing is sent by itself, and nothing is written down.
    let away = axum::Router::new().fallback(async move || axum::response::Redirect::temporary("http://127.0.0.1:1/elsewhere"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let from = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, away).await });
    user.refused(&format!("get {from}/ --output none"), 10, "from http://127.0.0.1:1/elsewhere: 'rivulet get' that address");
    let article = format!("get {url}/articles/1");
    user.refused(&format!("{article} --output none"), 9, &format!("rivulet channel open --payee {payee} --deposit 10usdc"));
    let opened = user.json(&format!("channel open --payee {payee} --deposit 1usdc --site blog.example --limit 0.75usdc --yes"));
    let number = opened["channel"].as_str().unwrap();

    user.refused(&format!("{article} --output none"), 4, &format!("pay 0.1 usdc to {payee} from channel {number} (blog.example)"));
    user.refused(&format!("{article} --max 0.09usdc --output none"), 3, "it costs 0.1 usdc, at most 0.09 usdc were allowed: raise --max");
    user.refused(&format!("{article} --max 1dot --output none"), 2, "expected usdc, in which it is paid");
    user.refused(&format!("{article} --max 1 --output none"), 2, "");
    let other = format!("get {} --max 0.10usdc --output none", elsewhere(&format!("{url}/articles/1")).await);
    user.refused(&other, 3, "is paid through channels on another network, eip155:1; those here are on eip155:");
    // Where there is no place for it, it is not paid.
    user.refused(&format!("{article} --max 0.10usdc --output {}", user.home.display()), 2, "--output: cannot write");
    let bought = user.run(&format!("{article} --max 0.10usdc"));
    assert_eq!((bought.code, bought.out.as_str()), (0, "an article"), "{bought:?}");
    assert_eq!(bought.err.trim(), format!("10 bytes, paid 0.1 usdc; 0.9 usdc left in channel {number}"));
    let second = user.json(&format!("get {url}/articles/2 --max 0.10usdc --output two.html"));
    assert_eq!([units(&second["paid"]), units(&second["promised"]), units(&second["left"])], [100_000, 100_000, 800_000], "{second}");
    assert_eq!(fs::read(user.file("two.html")).unwrap(), b"another");

    // What was not served is not charged, and pays for the next.
    let broken = user.run(&format!("get {url}/broken/article --max 0.10usdc"));
    assert!(broken.code == 10 && broken.err.contains("status 503") && broken.err.contains("nothing was charged; 0.7 usdc left"), "{broken:?}");
    // A tip does not: it is in the channel's total, but it was for something else.
    user.json(&format!("channel pay {number} 0.02usdc --yes"));
    let credit = user.json(&format!("get {url}/articles/1 --max 0.10usdc --output one.html"));
    assert_eq!([units(&credit["paid"]), units(&credit["promised"])], [100_000, 0], "{credit}");

    assert_eq!(units(&credit["left"]), 680_000, "{credit}");

    // Its answer could not be written down; another page is bought; then it is had for what was paid.
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let args = format!("{article} --max 0.10usdc");
    let output = user.command(&args.split(' ').collect::<Vec<_>>()).stdout(full).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("paid for, but not whole"), "{said}");
    let other = user.json(&format!("get {url}/articles/2 --max 0.10usdc --output two.html"));
    assert_eq!([units(&other["paid"]), units(&other["promised"])], [100_000, 100_000], "the tip buys nothing: {other}");
    let again = user.run(&article);
    assert_eq!(
        (again.out.as_str(), again.err.trim()),
        ("an article", &*format!("10 bytes, had been paid before; 0.48 usdc left in channel {number}"))
    );

    // By bytes: three of the hundred steps that are allowed are what a file of 2.5 MB takes, and no more is promised.
    let file = user.json(&format!("get {url}/files/big --max 0.100usdc --output big"));
    assert_eq!(([units(&file["paid"]), units(&file["promised"])], file["bytes"].as_u64()), ([3_000, 3_000], Some(2_500_000)), "{file}");
    user.refused(
        &format!("get {url}/files/big --max 0.002usdc --output short"),
        3,
        "it costs 0.001 usdc for each 1000000 bytes, at most 0.002 usdc were allowed",
    );

    // The paywall is gone: nothing new is promised; back again, the same command pays once.
    wall.kill();
    user.refused(&format!("{article} --max 0.10usdc --output none"), 8, "the site did not answer");
    wall.launch().await.unwrap();
    let last = user.json(&format!("{article} --max 0.10usdc --output one.html"));
    assert_eq!(units(&last["left"]), 1_000_000 - 627_000, "{last}");
    // The limit at this site, whatever --max says.
    user.json(&format!("get {url}/articles/2 --max 0.10usdc --output two.html --channel {number}"));
    user.refused(&format!("{article} --max 0.10usdc --output none"), 3, "would pass the limit of 0.75 usdc");
    let drafts = fs::read_dir(&user.home).unwrap().filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(".rivulet-get"));
    assert!(!user.file("none").exists() && drafts.count() == 0, "what was not got leaves nothing");
    wall.stop().await.unwrap();
    world.end().await;
}
