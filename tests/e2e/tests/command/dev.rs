//! `rivulet dev`: a network in one command, again after a stop, and every next step that it prints.

use crate::user::{User, units};
use rivulet_e2e::harness::Process;
use std::time::Duration;

const START: Duration = Duration::from_secs(180);
const STOP: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_command_gives_a_network_and_its_next_steps_work() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("dev");
    let user = User::new(&folder.join("dev.json"), "ws://unused", "http://unused");
    let log = dir.path().join("log");
    let bundles = rivulet_e2e::harness::bundles().unwrap().canonicalize().unwrap();
    let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let [port, eth_port] = [free(), free()].map(|listener| listener.local_addr().unwrap().port().to_string());
    let (at, bundles) = (folder.to_str().unwrap(), bundles.to_str().unwrap());
    let again = ["dev", "--rpc-port", "0", "--eth-rpc-port", &eth_port, "--relayer-port", &port, "--folder", at, "--bundles", bundles];
    let anew = [&again[..], &["--fresh"]].concat();
    for (round, args) in [&again[..], &again, &anew].into_iter().enumerate() {
        let skip = std::fs::metadata(&log).map_or(0, |m| m.len() as usize);
        let mut dev = Process::start("rivulet dev", user.command(args), &log).unwrap();
        dev.wait_for_line("ctrl-C stops all of it.", skip, START).await.unwrap();
        let text = std::fs::read_to_string(&log).unwrap()[skip..].to_owned();
        let mut user = user.clone();
        let exports = text.lines().find_map(|line| line.trim().strip_prefix("export ").filter(|e| e.starts_with("RIVULET_"))).unwrap();
        user.variables.extend(exports.split(' ').map(|pair| pair.split_once('=').unwrap()).map(|(n, v)| (n.to_owned(), v.to_owned())));
        // Ethereum's JSON-RPC is where it says.
        let eth = text.lines().find_map(|line| line.strip_prefix("ethereum  ")).unwrap().split(',').next().unwrap();
        assert_eq!(eth, format!("http://127.0.0.1:{eth_port}"));
        let request = serde_json::json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": [] });
        let answer: serde_json::Value = reqwest::Client::new().post(eth).json(&request).send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["result"], format!("{:#x}", 420_420_420));
        let mut steps = text.lines().filter_map(|line| line.trim().strip_prefix("rivulet "));
        match round {
            0 => {
                for step in &mut steps {
                    let step = if step.contains("watch") { format!("{step} --ticks 1") } else { step.to_owned() };
                    let asks = ["channel open", "channel pay", "stream create"].iter().any(|what| step.starts_with(what));
                    user.json(&if asks { format!("{step} --yes") } else { step });
                }
                // A key of one's own gets money, and is a payee by its name.
                user.json("key new me");
                let given = user.json("dev fund me 5dot 3usdc");
                assert_eq!((given["given"][0]["amount"].as_str(), units(&given["given"][1])), (Some("5"), 3_000_000));
                let opened = user.json("channel open --key me --payee //Charlie --deposit 3usdc --yes");
                assert_eq!(opened["payer"], user.json("key show me")["address"]);
                assert_eq!(user.json("stream create --key //Bob --payee me --rate 1dot/hour --deposit 1dot --yes")["payee"], opened["payer"]);
            }
            // The same chain with what was paid there.
            1 => assert_eq!(units(&user.json("channel list --key //Bob")["channels"][0]["kept"]["accepted"]), 100_000),
            // Another chain gives the same numbers again.
            _ => {
                let pay = "channel pay 1/0 0.10usdc --key //Bob --yes";
                user.refused(pay, 9, "is not on this chain");
                user.json("channel open --key //Charlie --payee //Bob --deposit 1usdc --yes");
                user.refused(pay, 9, "ended");
                assert_eq!(user.json("channel open --key //Bob --payee //Charlie --deposit 20usdc --yes")["channel"], "2/0");
                assert!(user.json("channel list --key //Bob")["channels"].as_array().unwrap().iter().all(|channel| channel["channel"] == "2/0"));
                assert_eq!(user.json(&pay.replace("1/0", "2/0"))["total"]["amount"], "0.1");
            }
        }
        // The pages are where it says, and know the Ethereum RPC of this node.
        let pages = text.lines().find_map(|line| line.strip_prefix("pages     ")).unwrap().split('/').take(3).collect::<Vec<_>>().join("/");
        assert!(reqwest::get(format!("{pages}/pay")).await.unwrap().text().await.unwrap().contains("<title>Pay · Rivulet</title>"));
        let setup: serde_json::Value = reqwest::get(format!("{pages}/v1/pages")).await.unwrap().json().await.unwrap();
        let request = serde_json::json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": [] });
        let chain = reqwest::Client::new().post(setup["eth_rpc_url"].as_str().unwrap()).json(&request).send().await.unwrap();
        let chain: serde_json::Value = chain.json().await.unwrap();
        assert_eq!(chain["result"], format!("{:#x}", setup["deployment"]["chain_id"].as_u64().unwrap()));
        dev.stop(STOP).await.unwrap();
    }
}
