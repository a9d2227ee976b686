//! ```text
//! created ── watched ── paused, resumed ── another rate ── topped up ── claimed in part ── cancelled, claimed to the end ── every unit is where it belongs
//! ```

use crate::user::{World, units, usdc};
use rivulet_chain::Signer;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_lives_its_whole_life_by_the_command_alone() {
    let world = World::start().await;
    let (payer, payee) = (world.user.with("RIVULET_KEY", "//Bob"), world.user.with("RIVULET_KEY", "//Charlie"));
    let [bob, charlie] = ["//Bob", "//Charlie"].map(|uri| Signer::from_uri(uri).unwrap().account());
    let before = (usdc(&world.stage, &bob).await, usdc(&world.stage, &charlie).await);

    let created = payer.json("stream create --payee //Charlie --rate 36usdc/hour --deposit 20usdc --memo invoice-7 --yes");
    let number = created["stream"].as_str().unwrap().to_owned();
    assert_eq!(
        (created["status"].as_str(), created["rate"].as_str(), units(&created["deposit"])),
        (Some("streaming"), Some("36 usdc/hour"), 20_000_000)
    );
    world.advance(100).await;

    // A line a second, growing by the second: 36 an hour is a cent a second.
    let watched = world.user.run(&format!("stream watch {number} --json --ticks 3"));
    let ticks: Vec<Value> = watched.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let flowed: Vec<_> = ticks.iter().map(|tick| units(&tick["flowed"])).collect();
    assert!(flowed.len() == 3 && flowed.is_sorted() && flowed[2] >= flowed[0] + 10_000 && flowed[0] >= 1_000_000, "{watched:?}");

    assert_eq!(payer.json(&format!("stream pause {number}"))["status"], "paused");
    let paused = units(&payer.json("stream list")["streams"][0]["claimable"]);
    world.advance(100).await;
    assert_eq!(units(&payee.json("stream list")["streams"][0]["claimable"]), paused, "nothing flows in a pause");
    assert_eq!(payer.json(&format!("stream resume {number}"))["status"], "streaming");
    assert_eq!(payer.json(&format!("stream adjust {number} --rate 72usdc/hour --yes"))["rate"], "72 usdc/hour");
    assert_eq!(units(&payer.json(&format!("stream topup {number} 5usdc --yes"))["deposit"]), 25_000_000);
    let listed = world.user.json("stream list --payee //Charlie");
    assert_eq!(listed["streams"].as_array().unwrap().len(), 1, "no key is needed to look");
    assert!(payee.run("stream list").out.contains("72 usdc/hour"));

    let part = payee.json(&format!("stream claim {number} --amount 1usdc"));
    assert_eq!(units(&part["claimed"]), 1_000_000);
    assert_eq!(usdc(&world.stage, &charlie).await, before.1 + 1_000_000);
    let shown = payee.json("earn show --offline");
    let of_usdc = shown["tokens"].as_array().unwrap().iter().find(|t| t["token"] == "usdc").unwrap();
    assert_eq!((of_usdc["streams"]["count"].as_u64(), units(&of_usdc["streams"]["paid"])), (Some(1), 1_000_000));

    let cancelled = payer.json(&format!("stream cancel {number}"));
    if cancelled["status"] != "closed" {
        assert_eq!(cancelled["status"], "cancelled");
        payee.json(&format!("stream claim {number}"));
    }
    payee.refused(&format!("stream claim {number}"), 9, "there is no stream");
    let after = (usdc(&world.stage, &bob).await, usdc(&world.stage, &charlie).await);
    let gained = after.1 - before.1;
    assert_eq!(before.0 - after.0, gained, "what the payer is missing, the payee has");
    assert!(gained >= paused && gained < paused + 10_000_000, "{gained}");

    // A total by an end, paid in at once, that cannot be taken back.
    let fixed = payer.json("stream create --payee //Charlie --total 3.6usdc --for 1h --final --yes");
    let number = fixed["stream"].as_str().unwrap().to_owned();
    payer.refused(&format!("stream cancel {number}"), 6, "");
    world.advance(3_600).await;
    payer.json("stream list");
    assert_eq!(units(&payee.json(&format!("stream claim {number}"))["claimed"]), 3_600_000);
    world.end().await;
}
