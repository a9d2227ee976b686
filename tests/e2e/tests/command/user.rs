//! Somebody at a shell: a folder of its own, and the command.

use rivulet_core::ids::Address;
use rivulet_e2e::{
    harness::{Daemon, Folder, NodeFlags, RelayerFlags, Stage, built},
    people::{Grant, grant},
};
use rivulet_rules::chain::Account;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

pub const PASSPHRASE: &str = "correct horse battery";

/// Finalized USDC of an account, in units.
pub async fn usdc(stage: &Stage, account: &Account) -> u128 {
    stage.ledger.snapshot(&[*account]).await.unwrap().of(account).usdc
}

/// A node, both contracts, a relayer that finds nothing worth claiming, and a user.
pub struct World {
    pub stage: Stage,
    pub daemon: Daemon,
    pub user: User,
}

impl World {
    pub async fn start() -> Self {
        let stage = Stage::start(Folder::new().unwrap(), NodeFlags { block_time_ms: 150, ..NodeFlags::default() }).await.unwrap();
        let flags = RelayerFlags {
            database: None,
            environment: Default::default(),
            port: 0,
            signer_uri: "//Dave".into(),
            beneficiary: Address::ZERO,
            min_value_bps: 1_000_000,
            interval_ms: 1_000,
            enough_vouchers: 1_000,
            max_rows: 100,
            claim_streams: false,
            claim_every_secs: 0,
            planck_per_whole: [("usdc".to_owned(), 2_000_000_000)].into(),
        };
        let daemon = Daemon::start(stage.folder.path(), &stage.deployment_path(), &stage.node.url(), &flags).await.unwrap();
        let user = User::new(&stage.deployment_path(), &stage.node.url(), &daemon.url());
        Self { stage, daemon, user }
    }

    /// Money for an account: a hundred DOT and a hundred USDC.
    pub async fn fund(&self, account: Account) {
        grant(&self.stage.bank, &[Grant { to: account, planck: 1_000_000_000_000, usdc: 100_000_000 }]).await.unwrap();
    }

    /// Lets time pass, and waits for a final block that has it.
    pub async fn advance(&self, secs: u64) {
        let chain = &self.stage.chain;
        let head = chain.finalized_head().await.unwrap();
        self.stage.node.advance_time(secs).await.unwrap();
        let mut feed = chain.finalized_after(head.block);
        while chain.node().head(feed.next().await.unwrap()).await.unwrap().now < head.now + secs {}
    }

    pub async fn end(mut self) {
        self.daemon.stop().await.unwrap();
        self.stage.node.stop().await.unwrap();
    }
}

/// What a command left.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Somebody at a shell.
#[derive(Clone)]
pub struct User {
    pub home: PathBuf,
    pub variables: Vec<(String, String)>,
    _dir: std::sync::Arc<tempfile::TempDir>,
}

impl User {
    pub fn new(network: &Path, rpc_url: &str, relayer: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        fs::create_dir(&home).unwrap();
        fs::write(dir.path().join("passphrase"), format!("{PASSPHRASE}\n")).unwrap();
        let variables = [
            ("RIVULET_HOME", home.display().to_string()),
            ("RIVULET_NETWORK", network.display().to_string()),
            ("RIVULET_RPC_URL", rpc_url.to_owned()),
            ("RIVULET_RELAYER", relayer.to_owned()),
            ("RIVULET_PASSPHRASE_FILE", dir.path().join("passphrase").display().to_string()),
        ];
        Self { home, variables: variables.map(|(name, value)| (name.to_owned(), value)).to_vec(), _dir: dir.into() }
    }

    /// A place for files.
    pub fn file(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    /// The same user with another value of a variable.
    pub fn with(&self, name: &str, value: impl Into<String>) -> Self {
        let mut other = self.clone();
        other.variables.push((name.into(), value.into()));
        other
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(built("rivulet").unwrap());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("RIVULET_")) {
            command.env_remove(name);
        }
        command.args(args).current_dir(&self.home).envs(self.variables.iter().cloned());
        command
    }

    /// Runs a command line, split at spaces. Nothing is a terminal.
    pub fn run(&self, line: &str) -> Said {
        let args: Vec<_> = line.split(' ').collect();
        let Output { status, stdout, stderr } = self.command(&args).stdin(std::process::Stdio::null()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { code: status.code().unwrap(), out: text(stdout), err: text(stderr) }
    }

    /// Runs a command with `--json` that must succeed.
    pub fn json(&self, line: &str) -> Value {
        let said = self.run(&format!("{line} --json"));
        assert_eq!(said.code, 0, "rivulet {line}: {said:?}");
        serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("rivulet {line}: {e} in {said:?}"))
    }

    /// Runs a command that must be refused with this exit code and these words.
    pub fn refused(&self, line: &str, code: i32, words: &str) {
        let said = self.run(line);
        assert!(said.code == code && said.err.contains(words), "rivulet {line}: expected {code} and {words:?}, got {said:?}");
        assert_eq!(said.out, "", "rivulet {line}");
        let as_json = self.run(&format!("{line} --json"));
        assert_eq!(as_json.code, code, "{as_json:?}");
        let error: Value = serde_json::from_str(&as_json.err).unwrap_or_else(|e| panic!("{e} in {as_json:?}"));
        assert_eq!(error["exit_code"], code);
    }
}

/// The units of an amount.
pub fn units(amount: &Value) -> u128 {
    amount["units"].as_str().unwrap_or_else(|| panic!("no amount: {amount}")).parse().unwrap()
}
