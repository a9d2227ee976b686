//! Which chain, which contracts, which relayer: checked before any money moves.

use crate::{
    amount::{Amount, Coin, Money, Rate},
    failure::Failure,
    home,
};
use anyhow::Context;
use clap::Args;
use rivulet_chain::{Chain, Deployment, Limits, NodeOptions, abi::erc20::Erc20::decimalsCall};
use rivulet_client::Relayer;
use rivulet_core::ids::Token;
use rivulet_rules::chain::{BlockHead, ContractKind};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Which network.
#[derive(Clone, Debug, Args)]
pub struct NetworkArgs {
    /// The network: a name (deployments/NAME.json, or for dev what 'rivulet dev' wrote) or its file.
    #[arg(long, env = "RIVULET_NETWORK", value_name = "NAME|FILE", default_value = DEFAULT)]
    network: String,
    /// A node of it; several by repeating it or with commas, best first. [default for dev: ws://127.0.0.1:9944]
    #[arg(long, env = "RIVULET_RPC_URL", value_name = "URL", value_delimiter = ',')]
    rpc_url: Vec<String>,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

/// Which relayer.
#[derive(Clone, Debug, Args)]
pub struct RelayerArgs {
    /// The relayer. [default for dev: http://127.0.0.1:8787]
    #[arg(long, env = "RIVULET_RELAYER", value_name = "URL")]
    relayer: Option<String>,
}

/// The development chain's id.
const DEV_CHAIN_ID: u64 = 420_420_420;

/// True for a network whose money is worth nothing.
pub fn is_dev(deployment: &Deployment) -> bool {
    deployment.chain_id == DEV_CHAIN_ID
}

/// A network that was found to be the one named.
pub struct Network {
    /// What was named.
    pub deployment: Deployment,
    /// The chain.
    pub chain: Chain,
}

fn usage(text: impl Into<String>) -> Failure {
    Failure::Usage(text.into())
}

/// The file of a network that was named, or the file itself.
fn file(named: &str) -> anyhow::Result<PathBuf> {
    let given = Path::new(named);
    if named.contains('/') || given.extension().is_some_and(|e| e == "json") {
        return Ok(given.to_owned());
    }
    let here = Path::new("deployments").join(format!("{named}.json"));
    let of_dev = home::folder()?.join("dev/dev.json");
    match (here.is_file(), named == "dev" && of_dev.is_file()) {
        (true, _) => Ok(here),
        (false, true) => Ok(of_dev),
        (false, false) => {
            let hint = if named == "dev" { ". For a network to try things on, run 'rivulet dev'" } else { "" };
            Err(usage(format!("there is no {} here: name the network's file by --network FILE{hint}", here.display())).into())
        }
    }
}

/// What a network's file says; by the network's name or the file's.
pub fn deployment(named: &str) -> anyhow::Result<Deployment> {
    Deployment::load(file(named)?).map_err(rivulet_chain::Error::from).context("cannot use the network's file")
}

/// The network where none is named.
pub const DEFAULT: &str = "dev";

/// Refuses what is no node's address.
pub fn check_urls(urls: &[String]) -> Result<(), Failure> {
    match urls.iter().find(|url| !url.starts_with("ws://") && !url.starts_with("wss://")) {
        Some(url) => Err(usage(format!("--rpc-url: expected ws:// or wss:// addresses, got {url}"))),
        None => Ok(()),
    }
}

impl NetworkArgs {
    /// The network's file.
    pub fn deployment(&self) -> anyhow::Result<Deployment> {
        deployment(&self.network)
    }

    /// Connects, and makes sure that it is that chain with those contracts.
    pub async fn connect(&self) -> anyhow::Result<Network> {
        let deployment = self.deployment()?;
        let mut urls = self.rpc_url.clone();
        if urls.is_empty() && is_dev(&deployment) {
            urls.push("ws://127.0.0.1:9944".into());
        }
        if urls.is_empty() {
            return Err(usage(format!("{}: expected --rpc-url or RIVULET_RPC_URL: a node of it", deployment.network)).into());
        }
        check_urls(&urls)?;
        // Somebody waits: a node that does not answer is told of soon.
        let options = NodeOptions { limits: Limits { patience: PATIENCE, ..Limits::default() }, ..NodeOptions::default() };
        let doing = || format!("{} is not to be trusted with money, or out of reach: compare --network and --rpc-url", urls.join(", "));
        let chain = Chain::connect(&urls, &deployment, options).await.with_context(doing)?;
        Ok(Network { deployment, chain })
    }
}

const PATIENCE: Duration = Duration::from_secs(20);

impl Network {
    /// An amount in a token of this network, once the chain says the same of its decimals.
    pub async fn money(&self, amount: &Amount) -> anyhow::Result<Money> {
        let money = amount.on(&self.deployment).map_err(usage)?;
        self.check_decimals(&money.coin).await?;
        Ok(money)
    }

    /// An amount to be paid: more than nothing.
    pub async fn payment(&self, amount: &Amount) -> anyhow::Result<Money> {
        let money = self.money(amount).await?;
        if money.units == 0 {
            return Err(usage(format!("expected more than nothing, given {amount}")).into());
        }
        Ok(money)
    }

    /// A rate, likewise.
    pub async fn rate(&self, rate: &Rate) -> anyhow::Result<(u128, Coin)> {
        let (scaled, coin) = rate.on(&self.deployment).map_err(usage)?;
        self.check_decimals(&coin).await?;
        Ok((scaled, coin))
    }

    /// The token of a name.
    pub fn coin(&self, name: &str) -> anyhow::Result<Coin> {
        Ok(Coin::named(&self.deployment, name).map_err(usage)?)
    }

    /// The token at an address, as people call it here.
    pub fn coin_of(&self, token: &Token) -> Coin {
        Coin::of(&self.deployment, token)
    }

    async fn check_decimals(&self, coin: &Coin) -> anyhow::Result<()> {
        if coin.token.is_zero() {
            return Ok(());
        }
        let node = self.chain.node();
        let found = node.view(&coin.token, &decimalsCall {}, node.finalized().await?).await;
        let found = found.with_context(|| format!("cannot ask {} ({}) for its decimals", coin.name, coin.token))?;
        if found != coin.decimals {
            let (name, expected) = (&coin.name, coin.decimals);
            let why =
                format!("{name} has {found} decimals on the chain, {expected} in the network's file: an amount would be another. Correct the file");
            return Err(Failure::Unsafe(why).into());
        }
        Ok(())
    }

    /// The newest finalized block and its time.
    pub async fn head(&self) -> anyhow::Result<BlockHead> {
        Ok(self.chain.finalized_head().await?)
    }

    /// A relayer that works for these contracts on this chain, and its acknowledgement key if it signs.
    pub async fn relayer(&self, args: &RelayerArgs) -> anyhow::Result<Relayer> {
        let url = args.relayer.clone().or_else(|| is_dev(&self.deployment).then(|| "http://127.0.0.1:8787".into()));
        let url = url.ok_or_else(|| usage(format!("{}: expected --relayer or RIVULET_RELAYER: the relayer's URL", self.deployment.network)))?;
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(usage(format!("--relayer: expected an http:// or https:// address, got {url}")).into());
        }
        let relayer = Relayer::new(&url)?;
        let doing = || format!("the relayer at {url} cannot be used on {}: compare --relayer and --network", self.deployment.network);
        let info = relayer.check(self.deployment.genesis_hash.0, &self.chain.binding(ContractKind::Channels)).await.with_context(doing)?;
        let key = info.relayer.acknowledgement_key.as_deref().and_then(|key| rivulet_rules::text::address("acknowledgement_key", key).ok());
        Ok(match key {
            Some(key) => relayer.acknowledged_by(key, self.chain.binding(ContractKind::Channels)),
            None => relayer,
        })
    }
}
