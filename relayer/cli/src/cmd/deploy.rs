//! `rivulet deploy`: puts both contracts on a chain and writes the network's file.

use crate::{
    confirm::Confirm,
    failure::Failure,
    told::{Told, table},
};
use alloy_sol_types::private::U256;
use anyhow::Context;
use clap::Args;
use rivulet_chain::{
    Chain, Lane, Limits, Node, NodeOptions, Signer,
    abi::{erc20::Erc20, to_sol},
    deploy::{Plan, asset_address, deploy},
    deployment::{HexAddress, TokenEntry},
};
use rivulet_rules::text;
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Deploys both contracts from the released bundles, gives them their seeds, and writes where they are into deployments/NETWORK.json.
///
/// What is deployed has no owner: nothing of what is given here can be changed afterwards.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet deploy dev
      to a node on this machine (scripts/node), with Alice's key and a challenge period from one second
  rivulet deploy dev --rpc-url ws://127.0.0.1:9955 --force
      to another one, over the file of an earlier deployment
  rivulet deploy paseo --rpc-url wss://example.org --signer-file ~/deployer.seed --sweep-to 0x0123456789abcdef0123456789abcdef01234567
      to a public network: USDT (asset 1984) and USDC (asset 1337), challenge periods from an hour to 30 days, relay fees up to 10 %
  rivulet deploy dev --token usdc=1337:6:70000
      one asset instead: its id, its decimals, its minimum balance in its smallest unit

The key pays storage deposits (some DOT), fees, and the seeds: the minimum balance of each asset, for each contract.")]
pub struct Deploy {
    /// The network's name: the file is deployments/NETWORK.json.
    #[arg(value_name = "NETWORK", value_parser = name)]
    network: String,

    /// A node of it. [default for dev: ws://127.0.0.1:9944]
    #[arg(long, value_name = "URL")]
    rpc_url: Option<String>,

    /// The key that pays, as a secret URI: a path such as //Alice, a phrase or a 0x seed. Others can see a command line: for real money, take a file.
    #[arg(long, value_name = "URI", conflicts_with = "signer_file")]
    signer_uri: Option<String>,

    /// A file with the secret URI of the key that pays. [default for dev: the key of Alice]
    #[arg(long, value_name = "FILE")]
    signer_file: Option<PathBuf>,

    /// Where transfers by mistake may be swept to. Needed except for dev, where it is the signer.
    #[arg(long, value_name = "ADDRESS")]
    sweep_to: Option<String>,

    /// The shortest challenge period. [default: 3600; dev: 1]
    #[arg(long, value_name = "SECS")]
    min_challenge_secs: Option<u32>,

    /// The longest challenge period.
    #[arg(long, value_name = "SECS", default_value_t = 30 * 24 * 3600)]
    max_challenge_secs: u32,

    /// The most a relay fee may be, in hundredths of a percent.
    #[arg(long, value_name = "BPS", default_value_t = 1_000)]
    fee_ceiling_bps: u16,

    /// A token beside the native one; may be repeated. [default: usdt=1984:6:10000 and usdc=1337:6:10000]
    #[arg(long = "token", value_name = "NAME=ID:DECIMALS:SEED", value_parser = token)]
    tokens: Vec<(String, TokenEntry)>,

    /// The folder with channels.polkavm and streams.polkavm. [default: deployments/bundles]
    #[arg(long, value_name = "DIR")]
    bundles: Option<PathBuf>,

    /// The file to write. [default: deployments/NETWORK.json]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Write over the file of an earlier deployment.
    #[arg(long)]
    force: bool,

    /// Prints JSON.
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    confirm: Confirm,
}

fn usage(text: impl Into<String>) -> anyhow::Error {
    Failure::Usage(text.into()).into()
}

fn dot(planck: u128) -> String {
    text::whole(planck, 10)
}

fn name(given: &str) -> Result<String, String> {
    let good = !given.is_empty() && given.len() <= 40 && given.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    good.then(|| given.to_owned()).ok_or_else(|| format!("expected lower-case letters, digits and hyphens, such as dev or paseo, given {given:?}"))
}

fn token(given: &str) -> Result<(String, TokenEntry), String> {
    let bad = || format!("expected NAME=ID:DECIMALS:SEED, such as usdc=1337:6:10000, given {given:?}");
    let (token, figures) = given.split_once('=').ok_or_else(bad)?;
    let mut figures = figures.splitn(3, ':');
    let mut next = || figures.next().ok_or_else(bad);
    let (id, decimals, seed) = (next()?, next()?, next()?);
    let entry = TokenEntry {
        address: HexAddress(asset_address(id.parse().map_err(|_| bad())?)),
        decimals: decimals.parse().map_err(|_| bad())?,
        seed: Some(seed.parse().map_err(|_| bad())?),
    };
    Ok((name(token)?, entry))
}

impl Deploy {
    fn is_dev(&self) -> bool {
        self.network == "dev"
    }

    fn signer(&self) -> anyhow::Result<Signer> {
        let uri = match (&self.signer_uri, &self.signer_file) {
            (Some(uri), _) => uri.clone(),
            (None, Some(path)) => std::fs::read_to_string(path).map_err(|e| usage(format!("--signer-file: cannot read {}: {e}", path.display())))?,
            (None, None) if self.is_dev() => "//Alice".into(),
            (None, None) => return Err(usage(format!("{}: expected --signer-file or --signer-uri: the key that pays", self.network))),
        };
        Signer::from_uri(uri.trim()).context("the key that pays")
    }

    fn url(&self) -> anyhow::Result<String> {
        let url = self.rpc_url.clone().or_else(|| self.is_dev().then(|| "ws://127.0.0.1:9944".into()));
        let url = url.ok_or_else(|| usage(format!("{}: expected --rpc-url: a node of it", self.network)))?;
        match url.starts_with("ws://") || url.starts_with("wss://") {
            true => Ok(url),
            false => Err(usage(format!("--rpc-url: expected ws:// or wss://, given {url}"))),
        }
    }

    fn plan(&self, signer: &Signer) -> anyhow::Result<Plan> {
        let sweep_to = match &self.sweep_to {
            Some(given) => text::address("--sweep-to", given).map_err(|e| usage(e.to_string()))?,
            None if self.is_dev() => signer.address(),
            None => return Err(usage(format!("{}: expected --sweep-to: where transfers by mistake may be swept to", self.network))),
        };
        let mut plan = Plan::dev(sweep_to);
        plan.network.clone_from(&self.network);
        plan.arguments.min_challenge_period_secs = self.min_challenge_secs.unwrap_or(if self.is_dev() { 1 } else { 3_600 });
        plan.arguments.max_challenge_period_secs = self.max_challenge_secs;
        plan.arguments.fee_ceiling_bps = self.fee_ceiling_bps;
        if !self.tokens.is_empty() {
            plan.tokens.retain(|_, token| token.address.0.is_zero());
            plan.tokens.extend(self.tokens.iter().cloned());
        }
        Ok(plan)
    }

    fn out(&self) -> PathBuf {
        self.out.clone().unwrap_or_else(|| Path::new("deployments").join(format!("{}.json", self.network)))
    }

    pub async fn run(self) -> anyhow::Result<Told> {
        let (signer, url, out) = (self.signer()?, self.url()?, self.out());
        let plan = self.plan(&signer)?;
        let bundles = bundles(self.bundles.as_deref())?;
        // Before anything is paid for.
        if out.exists() && !self.force {
            return Err(usage(format!("{} exists: a deployment is there already. To write over it, say --force", out.display())));
        }
        // Somebody waits: a node that does not answer is told of soon.
        let options = NodeOptions { limits: Limits { patience: Duration::from_secs(10), ..Limits::default() }, ..NodeOptions::default() };
        let node = Node::connect(std::slice::from_ref(&url), None, options).await.with_context(|| format!("cannot use {url}"))?;
        let balance = node.free_balance_planck(&signer.account(), node.finalized().await?).await?;
        let arguments = plan.arguments;
        let genesis = text::hex(&node.genesis_hash());
        let tokens = plan.tokens.keys().cloned().collect::<Vec<_>>().join(", ");
        let mut rows = vec![
            ("network", format!("{} at {url}, genesis {genesis}", plan.network)),
            ("key", format!("{} with {} DOT", signer.address(), dot(balance))),
            ("bundles", bundles.display().to_string()),
            ("tokens", tokens),
            ("challenge", format!("{} to {} seconds", arguments.min_challenge_period_secs, arguments.max_challenge_period_secs)),
            ("relay fee", format!("at most {} hundredths of a percent; sweeps to {}", arguments.fee_ceiling_bps, arguments.sweep_to.0)),
        ];
        check_funds(&node, &plan, &signer, balance).await?;
        if !self.is_dev() {
            self.confirm.ask(&format!("Deploy:\n{}\nNothing of this can be changed afterwards", lines(&rows)))?;
        }

        let lane = Lane::new(node.clone(), signer);
        let deployment = deploy(&lane, &plan, &bundles).await.context("cannot deploy")?;
        deployment.save(&out).context("the contracts are deployed, but their file was not written")?;
        // The file as others will read it, against the chain as it is.
        Chain::on(node.clone(), &deployment).await.context("what was deployed is not what the file says")?;
        let after = node.free_balance_planck(&lane.signer().account(), node.finalized().await?).await?;
        let cost = balance.saturating_sub(after);
        let [channels, streams] = [&deployment.contracts.channels, &deployment.contracts.streams].map(|c| c.address.0.to_string());
        rows.extend([
            ("channels", channels.clone()),
            ("streams", streams.clone()),
            ("cost", format!("{} DOT, deposits included", dot(cost))),
            ("written", out.display().to_string()),
        ]);
        let json = json!({
            "network": plan.network, "chain_id": deployment.chain_id, "genesis_hash": genesis, "channels_contract": channels, "streams_contract": streams,
            "cost_planck": cost.to_string(), "file": out.display().to_string(),
        });
        Ok(Told::new(json, lines(&rows)))
    }
}

fn lines(rows: &[(&str, String)]) -> String {
    table(&rows.iter().map(|(name, value)| vec![(*name).to_owned(), value.clone()]).collect::<Vec<_>>())
}

/// The released contracts: those of a folder, of `RIVULET_BUNDLES`, or of this checkout.
pub fn bundles(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let set = || std::env::var_os("RIVULET_BUNDLES").map(PathBuf::from);
    let path = given.map(Path::to_owned).or_else(set).unwrap_or_else(|| "deployments/bundles".into());
    match path.join("channels.polkavm").is_file() && path.join("streams.polkavm").is_file() {
        true => Ok(path),
        false => Err(usage(format!(
            "no channels.polkavm and streams.polkavm in {}: name the folder by --bundles or RIVULET_BUNDLES, or run this in a checkout of Rivulet",
            path.display()
        ))),
    }
}

/// What a deployment of two contracts takes, roughly: mostly deposits for their code.
const NEEDED_PLANCK: u128 = 50_000_000_000;

/// Half a deployment is money lost: looks before anything is paid for.
async fn check_funds(node: &Node, plan: &Plan, signer: &Signer, balance: u128) -> anyhow::Result<()> {
    if balance < NEEDED_PLANCK {
        let (needed, found) = (dot(NEEDED_PLANCK), dot(balance));
        return Err(usage(format!("the key has {found} DOT, expected at least {needed}: deposits for code and storage, fees")));
    }
    let block = node.finalized().await?;
    for (name, token) in &plan.tokens {
        let Some(seed) = token.seed.filter(|_| !token.address.0.is_zero()) else { continue };
        let call = Erc20::balanceOfCall { owner: to_sol(&signer.address()) };
        let missing = || format!("token {name}: there is no such asset ({})", token.address.0);
        let found = node.view(&token.address.0, &call, block).await.with_context(missing)?;
        let needed = seed.saturating_mul(2);
        if found < U256::from(needed) {
            return Err(usage(format!("token {name}: the key has {found} units, expected at least {needed}: the seeds of two contracts")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cli, Command};
    use clap::Parser;

    fn parse(args: &[&str]) -> Deploy {
        let Command::Deploy(deploy) = Cli::parse_from([&["rivulet", "deploy"], args].concat()).command else { panic!("another command") };
        *deploy
    }

    #[test]
    fn dev_needs_nothing_else() {
        let options = parse(&["dev"]);
        let plan = options.plan(&options.signer().unwrap()).unwrap();
        assert_eq!((options.url().unwrap().as_str(), plan.arguments.min_challenge_period_secs), ("ws://127.0.0.1:9944", 1));
        assert_eq!(options.out(), Path::new("deployments/dev.json"));
    }

    #[test]
    fn another_network_needs_url_key_and_address() {
        let options = parse(&["paseo"]);
        assert!(options.url().unwrap_err().to_string().contains("--rpc-url"));
        assert!(options.signer().unwrap_err().to_string().contains("--signer-file"));
        let signer = Signer::from_uri("//Alice").unwrap();
        assert!(options.plan(&signer).unwrap_err().to_string().contains("--sweep-to"));
        assert!(parse(&["paseo", "--sweep-to", "0x12"]).plan(&signer).unwrap_err().to_string().contains("40 hex digits"));
    }

    #[test]
    fn tokens_are_read_and_replace_the_usual_ones() {
        let options = parse(&["dev", "--token", "usdc=1337:6:70000"]);
        let plan = options.plan(&options.signer().unwrap()).unwrap();
        assert_eq!(plan.tokens.keys().collect::<Vec<_>>(), ["native", "usdc"]);
        assert_eq!(plan.tokens["usdc"].seed, Some(70_000));
        for bad in ["usdc", "usdc=1337", "usdc=x:6:1", "usdc=1:6:-1", "USDC=1:6:1"] {
            assert!(token(bad).is_err(), "{bad}");
        }
        assert!(name("../x").is_err());
    }
}
