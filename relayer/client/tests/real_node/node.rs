//! A dev node with the contracts on it.

use rivulet_chain::{
    Chain, Lane, Limits, Node, NodeOptions, Signer,
    deploy::{Plan, deploy},
};
use rivulet_client::{Payee, Payer, VoucherKey};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// One DOT in wei.
pub const DOT: u128 = 1_000_000_000_000_000_000;
/// One USDC in units.
pub const USDC: u128 = 1_000_000;

/// A node that ends with its test.
pub struct DevNode {
    child: Child,
    port: u16,
    base: tempfile::TempDir,
}

/// The node's binary: that of this build, one folder above this test's.
fn binary() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let built = this.ancestors().nth(2).unwrap().join("rivulet-node");
    let path = std::env::var_os("RIVULET_NODE").map_or(built, PathBuf::from);
    assert!(path.is_file(), "no node at {}: build it with 'cargo build -p rivulet-node', or name it in RIVULET_NODE", path.display());
    path
}

/// The contracts: the released ones, or those in a folder of one's own.
fn bundles() -> PathBuf {
    std::env::var_os("RIVULET_BUNDLES").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deployments/bundles"), PathBuf::from)
}

fn launch(port: u16, base: &Path) -> (Child, u16) {
    let mut command = Command::new(binary());
    command.args(["--rpc-port", &port.to_string(), "--no-eth-rpc", "--block-time-ms", "150", "--base-path"]).arg(base);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim().rsplit(':').next().and_then(|p| p.parse().ok()).unwrap_or_else(|| panic!("no port in {line:?}"));
    (child, port)
}

impl DevNode {
    pub fn start() -> Self {
        let base = tempfile::tempdir().unwrap();
        let (child, port) = launch(0, base.path());
        Self { child, port, base }
    }

    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }

    /// Ends the process in good order: it keeps every block.
    pub fn stop(&mut self) {
        let asked = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.child.id())]).status().unwrap();
        assert!(asked.success());
        self.child.wait().unwrap();
    }

    /// Ends the process as a crash would: its database may lose the last blocks, final ones too.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again at the same port with the chain that it had.
    pub fn restart(&mut self) {
        (self.child, self.port) = launch(self.port, self.base.path());
    }

    /// Calls a method of the node that is no business of the crates under test.
    pub async fn call(&self, method: &str, params: Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let response = reqwest::Client::new().post(format!("http://127.0.0.1:{}", self.port)).json(&body).send().await.unwrap();
        let mut answer: Value = response.json().await.unwrap();
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].take()
    }

    pub async fn advance_time(&self, secs: u64) {
        self.call("dev_advanceTime", json!([secs])).await;
    }
}

impl Drop for DevNode {
    fn drop(&mut self) {
        // In good order, so that its log is whole when a test failed.
        let _ = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.child.id())]).status();
        let _ = self.child.wait();
    }
}

/// A machine that builds at the same time takes a minute to start a node.
pub fn options() -> NodeOptions {
    NodeOptions { limits: Limits { patience: Duration::from_secs(180), ..Limits::default() }, poll: Duration::from_secs(1), ..NodeOptions::default() }
}

/// A node with both contracts, deployed by Alice.
pub struct World {
    pub node: DevNode,
    pub chain: Chain,
}

impl World {
    pub async fn new() -> Self {
        let node = DevNode::start();
        let connected = Node::connect(&[node.url()], None, options()).await.unwrap();
        let lane = Lane::new(connected, Signer::from_uri("//Alice").unwrap());
        let deployment = deploy(&lane, &Plan::dev(lane.signer().address()), &bundles()).await.unwrap();
        // Through the file, as everybody else gets it.
        let path = node.base.path().join("dev.json");
        deployment.save(&path).unwrap();
        let loaded = rivulet_chain::Deployment::load(&path).unwrap();
        let chain = Chain::connect(&[node.url()], &loaded, options()).await.unwrap();
        Self { node, chain }
    }

    pub fn payer(&self, uri: &str) -> Payer {
        Payer::new(self.chain.clone(), Signer::from_uri(uri).unwrap(), VoucherKey::generate().unwrap())
    }

    pub fn payee(&self, uri: &str) -> Payee {
        Payee::new(self.chain.clone(), Signer::from_uri(uri).unwrap())
    }

    pub fn token(&self, name: &str) -> rivulet_core::ids::Token {
        self.chain.deployment().token(name).unwrap().address.0
    }
}
