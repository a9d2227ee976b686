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
    let args = ["dev", "--rpc-port", "0", "--eth-rpc-port", &eth_port, "--relayer-port", &port, "--folder", at, "--bundles", bundles];
    for round in 0..2 {
        let skip = std::fs::metadata(&log).map_or(0, |m| m.len() as usize);
        let mut dev = Process::start("rivulet dev", user.command(&args), &log).unwrap();
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
            }
            // The same chain with what was paid there.
            _ => assert_eq!(units(&user.json("channel list --key //Bob")["channels"][0]["kept"]["accepted"]), 100_000),
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
