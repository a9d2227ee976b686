//! The relayer's web pages in a real browser, with a real wallet's signatures: `relayer/pages/test`. What moved is read from the chain at the end.
//!
//! ```text
//! given a node, the contracts and a relayer with pages
//! ├── a payer opens a channel with a wallet, pays without prompts, reloads and goes on; the creator's page shows it live; closed, everybody has what is theirs
//! ├── a page that is closed between the wallet's signature and the block finds the channel when it is opened again, and takes no channel of another key for it
//! ├── a page of another origin, with the client in its own bundle, does the same and buys behind a paywall; a payment follows no redirect
//! └── a stream's figure runs between blocks and is the chain's; paused, claimed, topped up, cancelled, everybody has what is theirs
//! ```

use rivulet_e2e::harness::{Daemon, Folder, NodeFlags, RelayerFlags, Stage, built, free_port};
use rivulet_rules::{
    chain::{Account, ContractKind},
    text,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path, process::Command};

/// Keys of the dev chain that everybody knows, with a million of everything: the first has its key in the node's Ethereum RPC too.
const ALITH: &str = "0xf24FF3a9CF04c71Dbc94D0b566f7A27B94566cac";
const DOROTHY: &str = "0x773539d4Ac0e786233D90A233654ccEE26a613D9";
const DOROTHY_KEY: &str = "0x39539ab1876910bbf3a223d84a29e28f1cb4e2e456503e7e91ed39b2e7223d68";
const ETHAN: &str = "0xFf64d3F6efE2317EE2807d223a0Bdc4c0c49dfDB";

/// The account of an Ethereum address on the chain.
fn account(address: &str) -> Account {
    let mut bytes = [0xee; 32];
    bytes[..20].copy_from_slice(&text::address("address", address).unwrap().0);
    Account(bytes)
}

struct World {
    stage: Stage,
    daemon: Daemon,
    relayer: String,
}

impl World {
    /// The relayer claims at once, or leaves streams alone: whoever claims shows in the balances.
    async fn start() -> Self {
        let stage = Stage::start(Folder::new().unwrap(), NodeFlags::default()).await.unwrap();
        let port = free_port().unwrap();
        let flags = RelayerFlags {
            port,
            database: None,
            signer_uri: "//Bob".into(),
            beneficiary: stage.bank.signer().address(),
            min_value_bps: 0,
            interval_ms: 300,
            enough_vouchers: 1,
            max_rows: 500,
            claim_streams: false,
            claim_every_secs: 0,
            planck_per_whole: BTreeMap::new(),
            environment: [("RIVULET__PAGES__ETH_RPC_URL".to_owned(), stage.node.eth_url().to_owned())].into(),
        };
        let daemon = Daemon::start(stage.folder.path(), &stage.deployment_path(), &stage.node.url(), &flags).await.unwrap();
        Self { stage, relayer: daemon.url(), daemon }
    }

    /// What each of these has of USDC at the last final block.
    async fn usdc<const N: usize>(&self, accounts: [Account; N]) -> [u128; N] {
        let snapshot = self.stage.ledger.snapshot(&accounts).await.unwrap();
        accounts.map(|account| snapshot.of(&account).usdc)
    }

    fn contract(&self, kind: ContractKind) -> String {
        self.stage.chain.binding(kind).contract.to_string()
    }

    /// Plays a script in a browser; what it found.
    async fn play(&self, script: &str) -> Value {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../relayer/pages");
        assert!(folder.join("node_modules/playwright-core").is_dir(), "not installed: npm ci in relayer/pages, or scripts/test pages");
        let chain = &self.stage.chain;
        let world = json!({
            "relayer": self.relayer, "rpc": self.stage.node.eth_url(), "node": self.stage.node.url().replace("ws:", "http:"),
            "chain_id": chain.binding(ContractKind::Channels).chain_id, "payee": ETHAN, "payer_key": DOROTHY_KEY,
            "channels": self.contract(ContractKind::Channels), "streams": self.contract(ContractKind::Streams),
            "rivulet": built("rivulet").unwrap(), "deployment": self.stage.deployment_path(),
        });
        let mut command = Command::new("node");
        command.arg(folder.join("test").join(script)).env("PAGES", world.to_string());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{script}: {e}: {}", String::from_utf8_lossy(&output.stdout)))
    }

    async fn strike(mut self) {
        self.daemon.stop().await.unwrap();
        self.stage.node.stop().await.unwrap();
    }
}

fn units(said: &Value, key: &str) -> u128 {
    said[key].as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no {key} in {said}"))
}

/// A payer opens, pays and closes in a browser: what it paid, by the script, is what moved.
async fn a_channel_is_lived_in_a_browser(script: &str, expected: u128) {
    let world = World::start().await;
    let parties = [account(DOROTHY), account(ETHAN), account(&world.contract(ContractKind::Channels))];
    let [payer, payee, escrow] = world.usdc(parties).await;
    let paid = units(&world.play(script).await, "paid");
    assert_eq!(paid, expected);
    // To the unit, and nothing is left with the contract.
    assert_eq!(world.usdc(parties).await, [payer - paid, payee + paid, escrow]);
    world.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payer_pays_from_a_channel_without_prompts_and_the_creator_sees_it_come() {
    a_channel_is_lived_in_a_browser("channel.mjs", 600_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_is_closed_while_a_channel_is_opened_finds_it_again() {
    a_channel_is_lived_in_a_browser("opening.mjs", 100_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_another_origin_opens_a_channel_pays_through_the_relayer_and_buys_behind_a_paywall() {
    a_channel_is_lived_in_a_browser("elsewhere.mjs", 150_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_runs_on_the_page_as_it_does_on_the_chain() {
    let world = World::start().await;
    let contract = account(&world.contract(ContractKind::Streams));
    let parties = [account(ALITH), account(ETHAN), contract];
    let [payer, payee, escrow] = world.usdc(parties).await;
    let said = world.play("stream.mjs").await;
    let flowed = units(&said, "flowed");
    let [payer_now, payee_now, escrow_now] = world.usdc(parties).await;
    // What was not claimed before it was cancelled waits in the contract for the payee.
    assert_eq!(payer - payer_now, flowed, "the payer lost what flowed");
    assert_eq!(payee_now - payee + (escrow_now - escrow), flowed, "the payee has it, or can claim it");
    assert!(payee_now > payee && escrow_now > escrow, "a part was claimed, a part is to be claimed");
    world.strike().await;
}
