//! A relayer with several nodes, real ones: another history under the same genesis, and a node whose finality stands still.
//!
//! ```text
//! two that contradict each other ── check-config names both and fails
//! a relayer that has worked with one ── restarted with the other before it: that one is not believed, claims go on
//! a node whose finalized head stands still ── left for the next, claims go on
//! ```

mod support;

use jsonrpsee::{
    RpcModule, SubscriptionMessage,
    server::{Server, ServerConfig, ServerHandle},
    types::{ErrorObjectOwned, Params},
};
use rivulet_client::Relayer;
use rivulet_e2e::{
    harness::{Daemon, DevNode, Folder, NodeFlags, built},
    story::{Play, opening, plan::Money},
};
use serde_json::{Value, json};
use std::{
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};
use support::metric;

/// In front of a node: passes everything on, until its finalized head is held.
#[derive(Clone)]
struct Slow {
    url: String,
    http: reqwest::Client,
    held: Arc<Mutex<Option<Value>>>,
}

impl Slow {
    async fn ask(&self, method: &str, params: Value) -> Result<Value, ErrorObjectOwned> {
        let held = self.held.lock().unwrap().clone();
        match held.filter(|_| method == "chain_getFinalizedHead") {
            Some(head) => Ok(head),
            None => self.pass_on(method, params).await,
        }
    }

    async fn pass_on(&self, method: &str, params: Value) -> Result<Value, ErrorObjectOwned> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let response = self.http.post(&self.url).json(&body).send().await.map_err(|e| failed(e.to_string()))?;
        let mut answer: Value = response.json().await.map_err(|e| failed(e.to_string()))?;
        match answer.get("error") {
            Some(error) => Err(serde_json::from_value(error.clone()).unwrap()),
            None => Ok(answer["result"].take()),
        }
    }

    /// From now on finality stands still here.
    async fn hold(&self) {
        let head = self.pass_on("chain_getFinalizedHead", json!([])).await.unwrap();
        *self.held.lock().unwrap() = Some(head);
    }

    async fn serve(&self) -> (String, ServerHandle) {
        let methods = self.pass_on("rpc_methods", json!([])).await.unwrap();
        let mut module = RpcModule::new(self.clone());
        for method in methods["methods"].as_array().unwrap() {
            let name: &'static str = method.as_str().unwrap().to_owned().leak();
            let run = move |params: Params<'static>, slow: Arc<Slow>, _| {
                let params = params.parse::<Value>().unwrap_or_else(|_| json!([]));
                async move { slow.ask(name, params).await }
            };
            // Subscriptions are listed too: those that are not ours fail when they are asked for.
            if !name.contains("ubscribe") {
                module.register_async_method(name, run).unwrap();
            }
        }
        let heads = ("chain_subscribeFinalizedHeads", "chain_finalizedHead", "chain_unsubscribeFinalizedHeads");
        let follow = |_, pending: jsonrpsee::PendingSubscriptionSink, slow: Arc<Slow>, _| async move {
            let sink = pending.accept().await?;
            let mut last = Value::Null;
            while !sink.is_closed() {
                let head = slow.ask("chain_getFinalizedHead", json!([])).await.map_err(|e| e.to_string())?;
                if head != last {
                    let header = slow.pass_on("chain_getHeader", json!([head])).await.map_err(|e| e.to_string())?;
                    sink.send(SubscriptionMessage::from(serde_json::value::to_raw_value(&header)?)).await?;
                    last = head;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Ok(())
        };
        module.register_subscription(heads.0, heads.1, heads.2, follow).unwrap();
        let config = ServerConfig::builder().max_response_body_size(64 << 20).build();
        let server = Server::builder().set_config(config).build("127.0.0.1:0").await.unwrap();
        (format!("ws://{}", server.local_addr().unwrap()), server.start(module))
    }
}

fn failed(text: String) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(1, text, None::<()>)
}

/// `rivulet relay check-config --nodes` with these nodes.
fn check_nodes(daemon: &Daemon, urls: &[String]) -> (bool, String) {
    let mut command = Command::new(built("rivulet").unwrap());
    command.args(["relay", "check-config", "--nodes", "--rpc-url", &urls.join(","), "--config"]).arg(daemon.config_path());
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}

async fn use_nodes(daemon: &mut Daemon, urls: &[String]) {
    support::restart_with(daemon, |config| {
        let chain = [("rpc_urls".to_owned(), urls.to_vec().into()), ("max_lag_blocks".to_owned(), 6.into())];
        config.insert("chain".to_owned(), toml::Value::Table(chain.into_iter().collect()));
    })
    .await;
}

fn state(url: &str, word: &str) -> String {
    format!("rivulet_endpoint_state{{endpoint=\"{url}\",state=\"{word}\"}}")
}

/// A voucher of every channel, claimed to the unit.
async fn pay(play: &Play, daemon: &Daemon, channels: &mut [rivulet_client::Channel], promised: &mut Money) {
    let mut vouchers = Vec::new();
    for (plan, channel) in play.plan.channels.iter().zip(channels) {
        let step = channel.deposit / 10 / 100_000_000 * 100_000_000;
        let step = if step == 0 { channel.deposit / 10 } else { step };
        vouchers.push(channel.pay(play.cast.pay[plan.payer].vouchers(), step).unwrap());
        *promised += Money::of(plan.coin, step);
    }
    support::post(&Relayer::new(daemon.url()).unwrap(), &vouchers).await;
    support::paid_out(play, *promised).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_lies_is_not_believed_and_one_that_lags_is_left() {
    let options = ["--payers", "2", "--creators", "1", "--streams", "0", "--vouchers", "100"];
    let (play, mut daemon) = support::stage(&options, |flags| (flags.min_value_bps, flags.interval_ms) = (0, 500)).await;
    let mut channels = opening::open(&play).await.unwrap();
    let mut promised = Money::default();
    pay(&play, &daemon, &mut channels, &mut promised).await;
    let real = play.stage.node.url();

    // The same genesis, another history.
    let other_folder = Folder::new().unwrap();
    let mut other = DevNode::start(other_folder.path(), NodeFlags::default()).await.unwrap();
    let liar = other.url();
    support::until("the other chain has blocks", async || {
        let head = other.call("chain_getHeader", json!([])).await.unwrap();
        head["number"].as_str().is_some_and(|n| n.len() > 2 && n > "0x3")
    })
    .await;
    let (ok, text) = check_nodes(&daemon, &[real.clone(), liar.clone()]);
    assert!(!ok && text.contains("which is right cannot be told") && text.contains(&real) && text.contains(&liar), "{text}");
    let (ok, text) = check_nodes(&daemon, std::slice::from_ref(&real));
    assert!(ok && text.contains(&format!("{real}: good, finalized block")), "{text}");

    // What it has recorded decides.
    use_nodes(&mut daemon, &[liar.clone(), real.clone()]).await;
    let url = daemon.url();
    assert_eq!(metric(&url, &state(&liar, "lying")).await, Some(1.0));
    pay(&play, &daemon, &mut channels, &mut promised).await;
    let ready: Value = reqwest::get(format!("{url}/ready")).await.unwrap().json().await.unwrap();
    let shown = &ready["endpoints"][0];
    assert!(shown["reason"].as_str().unwrap().contains("final block") && shown["is_used"] == false, "{ready}");

    let slow = Slow { url: real.replace("ws://", "http://"), http: reqwest::Client::new(), held: Arc::default() };
    let (slow_url, server) = slow.serve().await;
    use_nodes(&mut daemon, &[slow_url.clone(), real.clone()]).await;
    assert_eq!(metric(&url, &format!("rivulet_endpoint_used{{endpoint=\"{slow_url}\"}}")).await, Some(1.0));
    pay(&play, &daemon, &mut channels, &mut promised).await;
    slow.hold().await;
    support::until("it lags", async || metric(&url, &state(&slow_url, "lagging")).await == Some(1.0)).await;
    pay(&play, &daemon, &mut channels, &mut promised).await;
    assert_eq!(metric(&url, &format!("rivulet_endpoint_used{{endpoint=\"{real}\"}}")).await, Some(1.0));
    support::assert_no_row_was_wasted(&play).await;
    server.stop().unwrap();
    support::strike(play, daemon).await;
    other.stop().await.unwrap();
}
