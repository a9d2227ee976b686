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
    payer.refused(&format!("stream cancel {number}"), 6, "its payer gave up cancelling");
    world.advance(3_600).await;
    payer.json("stream list");
    assert_eq!(units(&payee.json(&format!("stream claim {number}"))["claimed"]), 3_600_000);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payer_takes_back_gives_up_and_lets_another_steer() {
    let world = World::start().await;
    let [payer, payee, app] = ["//Bob", "//Charlie", "//Dave"].map(|uri| world.user.with("RIVULET_KEY", uri));
    let [bob, charlie] = ["//Bob", "//Charlie"].map(|uri| Signer::from_uri(uri).unwrap().account());
    let before = (usdc(&world.stage, &bob).await, usdc(&world.stage, &charlie).await);

    // A start and a cliff to come, and a part that is bound.
    let now = world.stage.chain.finalized_head().await.unwrap().now;
    let create = "stream create --payee //Charlie --rate 36usdc/hour --deposit 20usdc";
    let created = payer.json(&format!("{create} --start +1h --cliff +2h --cliff-amount 2usdc --committed 5usdc --memo invoice-8 --yes"));
    let number = created["stream"].as_str().unwrap().to_owned();
    let start_at = created["start_at"].as_u64().unwrap();
    assert!((now + 3_600..now + 3_660).contains(&start_at), "{created:#}");
    assert_eq!((created["status"].as_str(), created["cliff_at"].as_u64()), (Some("pending"), Some(start_at + 7_200)));
    assert_eq!(["cliff_amount", "committed", "refundable", "total_debt"].map(|f| units(&created[f])), [2_000_000, 5_000_000, 15_000_000, 0]);
    assert_eq!((created["reference"].as_str(), created["cancellable"].as_bool()), (Some("invoice-8"), Some(true)));
    let list = payer.run("stream list").out;
    assert!(["starts", "cliff", "2 at ", "committed"].iter().all(|text| list.contains(text)) && !list.contains("not covered"), "{list}");
    let shown = world.user.run(&format!("stream show {number}")).out;
    assert!(["never come back", "nothing before", "invoice-8", "refundable 15 usdc"].iter().all(|text| shown.contains(text)), "{shown}");
    world.advance(3_600).await;
    assert_eq!(units(&payer.json(&format!("stream show {number}"))["total_debt"]), 0, "nothing is owed before the cliff");
    world.advance(7_200).await;
    let at_cliff = units(&payer.json(&format!("stream show {number}"))["claimable"]);
    assert!((2_000_000..3_000_000).contains(&at_cliff), "{at_cliff}");

    // Money comes back as far as it is neither owed nor committed.
    payer.refused(&format!("stream refund {number} 100usdc"), 2, "that are neither owed nor committed");
    payer.refused(&format!("stream refund {number} 1dot"), 2, "pays usdc, given 1dot");
    payee.refused(&format!("stream refund {number}"), 6, "choose the key by --key");
    let refunded = payer.json(&format!("stream refund {number} 3usdc"));
    assert_eq!((units(&refunded["refunded"]), units(&refunded["deposit"]), refunded["credited"].as_bool()), (3_000_000, 17_000_000, Some(false)));
    assert_eq!(usdc(&world.stage, &bob).await, before.0 - 17_000_000);
    let rest = payer.run(&format!("stream refund {number}"));
    assert!(rest.code == 0 && rest.out.contains("usdc of stream") && rest.out.contains("came back to its payer"), "{rest:?}");
    let left = payer.json(&format!("stream show {number}"));
    assert!(units(&left["deposit"]) >= 5_000_000 && units(&left["refundable"]) == 0, "{left:#}");
    payer.refused(&format!("stream refund {number}"), 6, "there is nothing to take right now");

    // A delegate does what it may, and nothing else.
    let to_app = format!("stream delegate {number} --to //Dave --rights");
    payer.refused(&format!("{to_app} pause"), 4, "pause stream");
    payer.refused(&format!("{to_app} adjust --yes"), 2, "expected --rate-cap");
    payer.refused(&format!("{to_app} adjust --rate-cap 1dot/hour --yes"), 2, "pays usdc, given a rate in dot");
    payer.refused(&format!("{to_app} pay --yes"), 2, "possible values: pause, resume, adjust, refund, cancel");
    payee.refused(&format!("{to_app} pause --yes"), 6, "NotAllowed");
    let set = payer.json(&format!("{to_app} pause,resume --yes"));
    assert_eq!(set["delegate"]["rights"], serde_json::json!(["pause", "resume"]));
    assert_eq!(app.json(&format!("stream pause {number}"))["status"], "paused");
    app.refused(&format!("stream pause {number}"), 6, "'rivulet stream resume' lets it run again");
    app.json(&format!("stream resume {number}"));
    app.refused(&format!("stream refund {number}"), 6, "a delegate with the right to it");
    let set = payer.json(&format!("{to_app} adjust --rate-cap 40usdc/hour --yes"));
    assert_eq!((set["delegate"]["rate_cap"].as_str(), set["delegate"]["rights"][0].as_str()), (Some("40 usdc/hour"), Some("adjust")));
    app.refused(&format!("stream pause {number}"), 6, "NotAllowed");
    app.refused(&format!("stream adjust {number} --rate 41usdc/hour --yes"), 6, "above the largest one that this key may set");
    assert_eq!(app.json(&format!("stream adjust {number} --rate 40usdc/hour --yes"))["rate"], "40 usdc/hour");
    assert!(payer.run(&format!("stream show {number}")).out.contains("may adjust, up to 40 usdc/hour"));
    assert!(payer.json(&format!("stream delegate {number} --none"))["delegate"].is_null());
    app.refused(&format!("stream adjust {number} --rate 39usdc/hour --yes"), 6, "NotAllowed");

    // Debt that is not covered is written off, for good, and how much is said before.
    world.advance(3_600).await;
    let deep = payer.json(&format!("stream show {number}"));
    assert!(units(&deep["uncovered_debt"]) > 30_000_000, "{deep:#}");
    assert!(payee.run("stream list").out.contains("not covered"));
    payee.refused(&format!("stream void {number}"), 4, "that are owed and not covered are written off");
    let voided = payee.json(&format!("stream void {number} --yes"));
    assert_eq!((voided["status"].as_str(), units(&voided["uncovered_debt"])), (Some("voided"), 0));
    assert!(units(&voided["written_off"]) >= units(&deep["uncovered_debt"]), "{voided:#}");
    payer.refused(&format!("stream topup {number} 1usdc --yes"), 6, "it has ended");
    let claimed = units(&payee.json(&format!("stream claim {number}"))["claimed"]);
    assert_eq!(claimed, units(&left["deposit"]));
    payee.refused(&format!("stream show {number}"), 9, "'rivulet stream list' shows those there are");
    assert_eq!((usdc(&world.stage, &bob).await, usdc(&world.stage, &charlie).await), (before.0 - claimed, before.1 + claimed));

    // Whoever ends a stream is asked where it gives something away.
    let bound = payer.json(&format!("{create} --committed 4usdc --yes"))["stream"].as_str().unwrap().to_owned();
    payer.refused(&format!("stream cancel {bound}"), 4, "that are committed, but not owed yet, go to");
    let cancelled = payer.json(&format!("stream cancel {bound} --yes"));
    assert_eq!([units(&cancelled["due"]), units(&cancelled["refund"])], [4_000_000, 16_000_000]);
    payee.json(&format!("stream claim {bound}"));
    let poor = payer.json("stream create --payee //Charlie --rate 36usdc/hour --deposit 1usdc --yes")["stream"].as_str().unwrap().to_owned();
    world.advance(1_000).await;
    payee.refused(&format!("stream cancel {poor}"), 4, "that are owed and not covered are written off for good");
    assert_eq!(units(&payee.json(&format!("stream cancel {poor} --yes"))["due"]), 1_000_000);

    // A start in the past is owed at once, and said before.
    payer.refused(&format!("{create} --start -100s"), 4, "of it owed at once");
    let late = payer.json(&format!("{create} --start -100s --yes"));
    assert!(units(&late["claimable"]) >= 1_000_000, "{late:#}");
    let late = late["stream"].as_str().unwrap();
    payer.refused(&format!("stream renounce {late}"), 4, "you can neither cancel, void nor pause it");
    assert_eq!(payer.json(&format!("stream renounce {late} --yes"))["cancellable"], false);
    for call in ["cancel", "void", "pause", "refund", "renounce"] {
        let yes = if call == "pause" || call == "refund" { "" } else { " --yes" };
        payer.refused(&format!("stream {call} {late}{yes}"), 6, "its payer gave up cancelling");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payee_hands_its_side_over_and_has_its_statement() {
    let world = World::start().await;
    let [payer, payee, buyer] = ["//Bob", "//Charlie", "//Dave"].map(|uri| world.user.with("RIVULET_KEY", uri));
    let dave = Signer::from_uri("//Dave").unwrap();
    let bought = usdc(&world.stage, &dave.account()).await;
    let create = "stream create --payee //Charlie --rate 36usdc/hour --deposit 20usdc --yes";
    let fixed = payer.json(create)["stream"].as_str().unwrap().to_owned();
    let number = payer.json(&format!("{create} --transferable --memo invoice-9"))["stream"].as_str().unwrap().to_owned();
    world.advance(100).await;
    let part = payee.json(&format!("stream claim {number} --amount 0.5usdc"));
    assert_eq!(units(&part["claimed"]), 500_000);

    // Only to somebody who can get at the money.
    let over = format!("stream hand-over {number} --to");
    payee.refused(&format!("{over} //Nobody --yes"), 3, "account is not mapped");
    payee.refused(&format!("{over} 0x00000000000000000000000000000000deadbeef --yes"), 3, "say --new-payee");
    payee.refused(&format!("stream claim {number} --to 0x00000000000000000000000000000000deadbeef"), 3, "say --new-payee");
    payee.refused(&format!("{over} //Dave"), 4, "that are owed and all that is to come");
    payee.refused(&format!("stream hand-over {fixed} --to //Dave --yes"), 6, "it was not created with --transferable");
    payer.refused(&format!("{over} //Dave --yes"), 6, "choose the key by --key");

    let before = payee.json(&format!("stream show {number}"));
    let moved = payee.json(&format!("{over} //Dave --yes"));
    let now = moved["stream"].as_str().unwrap().to_owned();
    assert_eq!((moved["was"].as_str(), moved["payee"].as_str()), (Some(number.as_str()), Some(dave.address().to_string().as_str())));
    assert!(now != number && moved["stream_id"] == before["stream_id"] && units(&moved["claimable"]) >= units(&before["claimable"]), "{moved:#}");
    payee.refused(&format!("stream show {number}"), 9, "was handed over");
    payee.refused(&format!("stream claim {now} --to //Charlie"), 6, "choose the key by --key");
    buyer.refused(&format!("stream hand-over {now} --to //Charlie --yes"), 6, "it can be done from");
    let claimed = units(&buyer.json(&format!("stream claim {now}"))["claimed"]);
    assert_eq!(usdc(&world.stage, &dave.account()).await, bought + claimed);

    // The statement under `earn` is the key's own, and the one that has always been there.
    let own = payee.json("earn statement --by claim");
    let charlie = Signer::from_uri("//Charlie").unwrap().address();
    assert_eq!((own["payee"].as_str(), own["lines"][0]["paid"].as_str()), (Some(charlie.to_string().as_str()), Some("0.5")));
    let same = world.user.json(&format!("statement --payee {charlie} --by claim"));
    assert_eq!(own["lines"], same["lines"]);
    let csv = buyer.run("earn statement --by day --quiet");
    let lines: Vec<_> = csv.out.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("from,to,kind,id,number,payer,reference") && lines[1].contains("invoice-9"), "{csv:?}");
    world.user.refused("earn statement", 5, "rivulet key new NAME");
    payee.refused("earn statement --from 2026-11-02 --to 2026-11-01", 2, "is after --to");
    world.end().await;
}
