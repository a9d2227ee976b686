//! `rivulet get`: a page is paid for from a channel, and nothing is paid twice, for nothing, or beyond what was allowed.

use crate::user::{World, units};
use rivulet_chain::Signer;
use rivulet_e2e::harness::{Nginx, PaywallFlags, Wall};
use std::fs;

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
    let article = format!("get {url}/articles/1");
    user.refused(&format!("{article} --output none"), 9, &format!("rivulet channel open --payee {payee} --deposit 10usdc"));
    let opened = user.json(&format!("channel open --payee {payee} --deposit 1usdc --site blog.example --limit 0.55usdc --yes"));
    let number = opened["channel"].as_str().unwrap();

    user.refused(&format!("{article} --output none"), 4, &format!("pay 0.1 usdc to {payee} from channel {number} (blog.example)"));
    user.refused(&format!("{article} --max 0.09usdc --output none"), 3, "it costs 100000, at most 90000 may be paid");
    user.refused(&format!("{article} --max 1dot --output none"), 2, "expected usdc, in which it is paid");
    user.refused(&format!("{article} --max 1 --output none"), 2, "");
    let bought = user.run(&format!("{article} --max 0.10usdc"));
    assert_eq!((bought.code, bought.out.as_str()), (0, "an article"), "{bought:?}");
    assert_eq!(bought.err.trim(), format!("10 bytes, paid 0.1 usdc from channel {number}; 0.9 usdc left"));
    let second = user.json(&format!("get {url}/articles/2 --max 0.10usdc --output two.html"));
    assert_eq!([units(&second["paid"]), units(&second["promised"]), units(&second["left"])], [100_000, 100_000, 800_000], "{second}");
    assert_eq!(fs::read(user.file("two.html")).unwrap(), b"another");

    // What was not served is not charged, and pays for the next.
    let broken = user.run(&format!("get {url}/broken/article --max 0.10usdc"));
    assert!(broken.code == 10 && broken.err.contains("status 503") && broken.err.contains("paid 0 usdc"), "{broken:?}");
    let credit = user.json(&format!("get {url}/articles/1 --max 0.10usdc --output one.html"));
    assert_eq!([units(&credit["paid"]), units(&credit["promised"])], [100_000, 0], "{credit}");

    // By bytes, for the three that a file of 2.5 MB takes: charged as it goes by.
    let file = user.json(&format!("get {url}/files/big --max 0.003usdc --output big"));
    assert_eq!((units(&file["promised"]), file["bytes"].as_u64()), (3_000, Some(2_500_000)), "{file}");

    // The paywall is gone: nothing new is promised; back again, the same command pays once.
    wall.kill();
    user.refused(&format!("{article} --max 0.10usdc --output none"), 8, "the site did not answer");
    wall.launch().await.unwrap();
    let last = user.json(&format!("{article} --max 0.10usdc --output one.html"));
    assert_eq!(units(&last["left"]), 1_000_000 - 403_000, "{last}");
    // The limit at this site, whatever --max says.
    user.json(&format!("get {url}/articles/2 --max 0.10usdc --output two.html --channel {number}"));
    user.refused(&format!("{article} --max 0.10usdc --output none"), 3, "would pass the limit of 550000");
    assert!(!user.file("none").exists() && !user.file("none.part").exists());
    wall.stop().await.unwrap();
    world.end().await;
}
