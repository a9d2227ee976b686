//! What the command refuses, with which exit code, and what it says to do.

use crate::user::World;
use rivulet_chain::{
    Deployment,
    deploy::{Plan, deploy},
    deployment::Hex32,
};
use rivulet_e2e::harness;
use serde_json::Value;
use std::{fs, path::PathBuf};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_goes_nowhere_by_mistake() {
    let world = World::start().await;
    let user = world.user.with("RIVULET_KEY", "//Bob");
    let number = user.json("channel open --payee //Charlie --deposit 5usdc --yes")["channel"].as_str().unwrap().to_owned();
    let issued = world.stage.chain.node().account_next_nonce(&rivulet_chain::Signer::from_uri("//Bob").unwrap().account()).await.unwrap();
    let open = "channel open --payee //Charlie";
    let pay = format!("channel pay {number}");

    // Amounts.
    user.refused(&format!("{open} --deposit 5 --yes"), 2, "a number alone could be anything");
    user.refused(&format!("{open} --deposit 5usdx --yes"), 2, "usdx is no token of dev: expected dot, usdc, usdt");
    user.refused(&format!("{open} --deposit 0.0000001usdc --yes"), 2, "usdc has 6 decimals, given 7");
    user.refused(&format!("{open} --deposit 5usdc --limit 5dot --yes"), 2, "--limit: expected usdc");
    user.refused(&format!("{pay} 0usdc --yes"), 2, "expected more than nothing");
    user.refused(&format!("{pay} 1dot --yes"), 2, "pays usdc, given 1dot");
    user.refused(&format!("{pay} 1 --yes"), 2, "a number alone could be anything");
    user.refused("stream create --payee //Charlie --rate 3usdc/month --deposit 5usdc --yes", 2, "say a total and an end");
    user.refused("stream create --payee //Charlie --rate 3usdc/hour --deposit 5dot --yes", 2, "--deposit: expected usdc, given dot");
    user.refused("stream create --payee //Charlie --total 3usdc --yes", 2, "expected --for or --until");

    // Nobody said yes.
    for line in [format!("{open} --deposit 5usdc"), format!("{pay} 1usdc"), format!("channel topup {number} 1usdc")] {
        user.refused(&line, 4, "to go ahead, say --yes");
    }
    user.refused("stream create --payee //Charlie --rate 3usdc/hour --deposit 5usdc", 4, "to go ahead, say --yes");

    // Payees that would not get it.
    user.refused("channel open --payee //Nobody --deposit 5usdc --yes", 3, "account is not mapped");
    user.refused("channel open --payee 0x00000000000000000000000000000000deadbeef --deposit 5usdc --yes", 3, "belongs to no account");
    user.refused(
        "stream create --payee 0x00000000000000000000000000000000deadbeef --rate 3usdc/hour --deposit 5usdc --yes",
        3,
        "belongs to no account",
    );
    user.refused("channel open --payee 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQX --deposit 5usdc --yes", 2, "its checksum is wrong");

    // Keys.
    let keyless = world.user.with("RIVULET_KEY", "none");
    keyless.refused(&format!("{open} --deposit 5usdc --yes"), 5, "rivulet key list");
    world.user.refused(&format!("{open} --deposit 5usdc --yes"), 5, "rivulet key new NAME");
    world.user.json("key new reader");
    let wrong = world.user.with("RIVULET_PASSPHRASE_FILE", "/dev/null");
    wrong.refused(&format!("{open} --deposit 5usdc --yes"), 5, "the passphrase is not that of this file");
    world.user.refused("key new reader", 5, "a key is never written over");
    user.refused(&format!("channel show {}", "9/9"), 9, "rivulet channel list");

    // An account without money, at a shell that says what it lacks.
    world.user.with("RIVULET_KEY", "reader").refused(&format!("{open} --deposit 1dot --yes"), 6, "too little of the native token");

    // Another network: each figure of the file that the chain contradicts.
    let good = Deployment::load(world.stage.deployment_path()).unwrap();
    let altered = |name: &str, change: &dyn Fn(&mut Deployment)| {
        let (mut deployment, path) = (good.clone(), user.file(name));
        change(&mut deployment);
        deployment.save(&path).unwrap();
        user.with("RIVULET_NETWORK", path.display().to_string())
    };
    let open = format!("{open} --deposit 5usdc --yes");
    altered("genesis.json", &|d| d.genesis_hash = Hex32([7; 32])).refused(&open, 3, "compare --network and --rpc-url");
    altered("chain.json", &|d| d.chain_id = 420_420_419).refused(&open, 3, "wrong chain id");
    altered("code.json", &|d| d.contracts.channels.code_hash = Hex32([7; 32])).refused(&open, 3, "the channels contract at");
    let no_code = altered("address.json", &|d| d.contracts.streams.address.0.0 = [9; 20]);
    no_code.refused(&open, 3, "found no code");
    let decimals = |d: &mut Deployment| d.tokens.get_mut("usdc").unwrap().decimals = 7;
    altered("decimals.json", &decimals).refused(&open, 3, "usdc has 6 decimals on the chain, 7 in the network's file");
    user.with("RIVULET_NETWORK", "nowhere.json").refused(&open, 2, "nowhere.json");
    user.with("RIVULET_NETWORK", "paseo").refused(&open, 2, "name the network's file by --network FILE");
    user.with("RIVULET_RPC_URL", "http://127.0.0.1:1").refused(&open, 2, "expected ws:// or wss://");

    // A relayer of other contracts: it would take vouchers that are worth nothing to the payee.
    let plan = Plan::dev(world.stage.bank.signer().address());
    let second = deploy(&world.stage.bank, &plan, &harness::bundles().unwrap()).await.unwrap();
    second.save(user.file("second.json")).unwrap();
    let elsewhere = user.with("RIVULET_NETWORK", user.file("second.json").display().to_string());
    let other = elsewhere.json("channel open --payee //Charlie --deposit 5usdc --yes");
    let other = other["channel"].as_str().unwrap();
    elsewhere.refused(&format!("channel pay {other} 1usdc --yes"), 3, "the relayer works elsewhere: wrong channels contract");
    user.with("RIVULET_RELAYER", "http://127.0.0.1:1").refused(&format!("{pay} 1usdc --yes"), 8, "did not answer");
    user.with("RIVULET_RELAYER", "127.0.0.1:1").refused(&format!("{pay} 1usdc --yes"), 2, "expected an http://");

    // The contract's own words; nothing was sent.
    user.refused("channel open --payee //Bob --deposit 5dot --yes", 6, "the contract refused the call");
    let sent = world.stage.chain.node().account_next_nonce(&rivulet_chain::Signer::from_uri("//Bob").unwrap().account()).await.unwrap();
    // An approval and an open, on the second contract: nothing else left.
    assert_eq!(sent - issued, 2);
    let kept = user.json(&format!("channel show {number}"));
    assert_eq!((kept["kept"]["promised"]["units"].as_str(), &kept["kept"]["pending"]), (Some("0"), &Value::Null), "and nothing was promised");

    // A damaged record stops everything.
    let mut records = vec![user.file("channels")];
    // Of all accounts: some have a folder and no channel.
    while records.iter().any(|path| path.is_dir()) {
        let inside =
            |path: &PathBuf| if path.is_dir() { fs::read_dir(path).unwrap().map(|e| e.unwrap().path()).collect() } else { vec![path.clone()] };
        records = records.iter().flat_map(inside).filter(|path| path.is_dir() || path.extension().is_some()).collect();
    }
    assert!(!records.is_empty());
    for record in records {
        fs::write(record, "{").unwrap();
    }
    let said = user.run(&format!("{pay} 1usdc --yes"));
    assert!(said.code == 3 && said.err.contains("cannot be used"), "{said:?}");
    world.end().await;
}
