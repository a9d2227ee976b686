//! `scripts/deploy`: puts both contracts on a chain and writes the network's file.

use alloy_sol_types::private::U256;
use clap::Parser;
use rivulet_chain::{
    Chain, Lane, Limits, Node, NodeOptions, Signer,
    abi::{erc20::Erc20, to_sol},
    deploy::{Plan, asset_address, deploy},
    deployment::{HexAddress, TokenEntry},
};
use rivulet_e2e::{Context, Error, Result, harness, story::screen};
use rivulet_rules::text;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

/// Deploys both contracts from the released bundles, gives them their seeds, and writes where they are into deployments/NETWORK.json.
///
/// What is deployed has no owner: nothing of what is given here can be changed afterwards.
#[derive(Parser, Debug)]
#[command(
    name = "scripts/deploy",
    after_help = "Examples:
  scripts/deploy dev
      to a node on this machine (cargo run -p rivulet-node), with Alice's key and a challenge period from one second
  scripts/deploy dev --rpc-url ws://127.0.0.1:9955 --force
      to another one, over the file of an earlier deployment
  scripts/deploy paseo --rpc-url wss://example.org --signer-file ~/deployer.seed --sweep-to 0x0123456789abcdef0123456789abcdef01234567
      to a public network: USDT (asset 1984) and USDC (asset 1337), challenge periods from an hour to 30 days, relay fees up to 10 %
  scripts/deploy paseo ... --token usdc=1337:6:70000
      instead, one asset: its id, its decimals, its minimum balance in its smallest unit

The key pays storage deposits (some DOT), fees, and the seeds: the minimum balance of each asset, for each contract."
)]
struct Options {
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
}

fn name(given: &str) -> std::result::Result<String, String> {
    let good = !given.is_empty() && given.len() <= 40 && given.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    good.then(|| given.to_owned()).ok_or_else(|| format!("expected lower-case letters, digits and hyphens, such as dev or paseo, given {given:?}"))
}

fn token(given: &str) -> std::result::Result<(String, TokenEntry), String> {
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

impl Options {
    fn is_dev(&self) -> bool {
        self.network == "dev"
    }

    fn signer(&self) -> Result<Signer> {
        let uri = match (&self.signer_uri, &self.signer_file) {
            (Some(uri), _) => uri.clone(),
            (None, Some(path)) => std::fs::read_to_string(path).doing(format!("reading {}", path.display()))?,
            (None, None) if self.is_dev() => "//Alice".into(),
            (None, None) => return Err(Error::new(format!("{}: expected --signer-file or --signer-uri: the key that pays", self.network))),
        };
        Signer::from_uri(uri.trim()).doing("the key that pays")
    }

    fn url(&self) -> Result<String> {
        let url = self.rpc_url.clone().or_else(|| self.is_dev().then(|| "ws://127.0.0.1:9944".into()));
        let url = url.ok_or_else(|| Error::new(format!("{}: expected --rpc-url: a node of it", self.network)))?;
        match url.starts_with("ws://") || url.starts_with("wss://") {
            true => Ok(url),
            false => Err(Error::new(format!("--rpc-url: expected ws:// or wss://, given {url}"))),
        }
    }

    fn plan(&self, signer: &Signer) -> Result<Plan> {
        let sweep_to = match &self.sweep_to {
            Some(given) => text::address("--sweep-to", given).doing("the command line")?,
            None if self.is_dev() => signer.address(),
            None => return Err(Error::new(format!("{}: expected --sweep-to: where transfers by mistake may be swept to", self.network))),
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
}

/// What a deployment of two contracts takes, roughly: mostly deposits for their code.
const NEEDED_PLANCK: u128 = 50_000_000_000;

/// Half a deployment is money lost: looks before anything is paid for.
async fn check_funds(node: &Node, plan: &Plan, signer: &Signer, balance: u128) -> Result<()> {
    if balance < NEEDED_PLANCK {
        let (needed, found) = (screen::dot(NEEDED_PLANCK), screen::dot(balance));
        return Err(Error::new(format!("the key has {found} DOT, expected at least {needed}: deposits for code and storage, fees")));
    }
    let block = node.finalized().await?;
    for (name, token) in &plan.tokens {
        let Some(seed) = token.seed.filter(|_| !token.address.0.is_zero()) else { continue };
        let call = Erc20::balanceOfCall { owner: to_sol(&signer.address()) };
        let found = node.view(&token.address.0, &call, block).await.doing(format!("token {name}: there is no such asset ({})", token.address.0))?;
        let needed = seed.saturating_mul(2);
        if found < U256::from(needed) {
            return Err(Error::new(format!("token {name}: the key has {found} units, expected at least {needed}: the seeds of two contracts")));
        }
    }
    Ok(())
}

async fn run(options: &Options) -> Result<()> {
    let (signer, url, out) = (options.signer()?, options.url()?, options.out());
    let plan = options.plan(&signer)?;
    let bundles = options.bundles.clone().map_or_else(harness::bundles, Ok)?;
    let bundles = bundles.canonicalize().doing(format!("the folder {}", bundles.display()))?;
    // Before anything is paid for.
    if out.exists() && !options.force {
        return Err(Error::new(format!("{} exists: a deployment is there already. To write over it, say --force", out.display())));
    }
    // Somebody waits: a node that does not answer is told of soon.
    let options = NodeOptions { limits: Limits { patience: Duration::from_secs(10), ..Limits::default() }, ..NodeOptions::default() };
    let node = Node::connect(std::slice::from_ref(&url), None, options).await.doing(format!("connecting to {url}"))?;
    let balance = node.free_balance_planck(&signer.account(), node.finalized().await?).await?;
    println!("network    {} at {url}, genesis 0x{}", plan.network, hex::encode(node.genesis_hash()));
    println!("key        {} with {} DOT", signer.address(), screen::dot(balance));
    println!("bundles    {}", bundles.display());
    let arguments = plan.arguments;
    println!("tokens     {}", plan.tokens.keys().cloned().collect::<Vec<_>>().join(", "));
    println!("challenge  {} to {} seconds", arguments.min_challenge_period_secs, arguments.max_challenge_period_secs);
    println!("relay fee  at most {} hundredths of a percent; sweeps to {}", arguments.fee_ceiling_bps, arguments.sweep_to.0);
    check_funds(&node, &plan, &signer, balance).await?;

    let lane = Lane::new(node.clone(), signer);
    let deployment = deploy(&lane, &plan, &bundles).await.doing("deploying")?;
    deployment.save(&out).doing("the contracts are deployed, but their file was not written")?;
    // The file as others will read it, against the chain as it is.
    Chain::on(node.clone(), &deployment).await.doing("checking what was deployed")?;
    let after = node.free_balance_planck(&lane.signer().account(), node.finalized().await?).await?;
    println!("channels   {}", deployment.contracts.channels.address.0);
    println!("streams    {}", deployment.contracts.streams.address.0);
    println!("cost       {} DOT, deposits included", screen::dot(balance.saturating_sub(after)));
    println!("written    {}", out.display());
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("deploy: {e}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(args: &[&str]) -> Options {
        Options::parse_from([&["deploy"], args].concat())
    }

    #[test]
    fn the_command_line_is_sound() {
        Options::command().debug_assert();
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
