//! `rivulet relay`: the daemon.

use super::{dry_run, stop_on_signal};
use crate::{chain::SignedChain, log, signer};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use rivulet_chain::{Chain, Deployment, NodeOptions, Signer};
use rivulet_rules::chain::ContractKind;
use rivulet_server::{
    config::{Config, Signer as SignerConfig},
    control::SetLog,
    network::{Network, TokenInfo},
    serve::{Relayer, Secrets},
    tls::Tls,
};
use rivulet_store::{DeploymentId, SqliteStore};
use std::{net::SocketAddr, path::PathBuf, sync::Arc};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::Notify,
};

const EXAMPLES: &str = "Examples:
  rivulet relay --config relayer.toml
  rivulet relay check-config --config relayer.toml
  rivulet relay --config relayer.toml --dry-run
  rivulet relay --config relayer.toml --listen 0.0.0.0:8787 --rpc-url wss://node.example
  RIVULET_SIGNER_FILE=relayer.key rivulet relay

A flag goes before its variable, a variable before the file. Every key of the file has a variable: RIVULET__SECTION__KEY, its value written as in the file
(RIVULET__BATCH__MAX_ROWS=200). Every key, with its default: relayer/config/full.toml.
The key that signs claims needs native tokens for their fees. SIGINT or SIGTERM stops in good order; SIGHUP reads the
TLS certificate again.";

/// Runs a relayer: takes vouchers over HTTP, claims them on the chain.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Relay {
    /// The configuration file.
    #[arg(long, global = true, env = "RIVULET_CONFIG", value_name = "FILE", default_value = "relayer.toml")]
    config: PathBuf,
    /// Check the configuration, the deployment file and the key, say what would run, and stop.
    #[arg(long)]
    check_config: bool,
    /// Say what would be claimed now, at what fee, and why the rest would not; send and store nothing. A relayer may be running beside.
    #[arg(long, conflicts_with = "check_config")]
    dry_run: bool,
    /// With --dry-run: as JSON.
    #[arg(long, requires = "dry_run")]
    json: bool,
    /// Where to listen.
    #[arg(long, global = true, env = "RIVULET_LISTEN", value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// A node; several by repeating it or with commas, best first.
    #[arg(long, global = true, env = "RIVULET_RPC_URL", value_name = "URL", value_delimiter = ',')]
    rpc_url: Vec<String>,
    /// The network's file.
    #[arg(long, global = true, env = "RIVULET_DEPLOYMENT", value_name = "FILE")]
    deployment: Option<PathBuf>,
    /// The SQLite file.
    #[arg(long, global = true, env = "RIVULET_DATABASE", value_name = "FILE")]
    database: Option<PathBuf>,
    /// The file with the key that claims are signed with.
    #[arg(long, global = true, env = "RIVULET_SIGNER_FILE", value_name = "FILE")]
    signer_file: Option<PathBuf>,
    /// Write the log as one JSON object a line.
    #[arg(long, global = true, env = "RIVULET_LOG_JSON")]
    log_json: bool,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Checks the configuration, the deployment file and the keys, and says what would run; as --check-config.
    CheckConfig,
}

impl Relay {
    pub fn run(self) -> anyhow::Result<()> {
        let config = self.configure()?;
        let deployment = Deployment::load(&config.deployment).context("cannot use the deployment file")?;
        let (signer, secrets) = (signer::load(&config.signer)?, signer::others(&config)?);
        if self.check_config || self.action.is_some() {
            if self.dry_run {
                bail!("--dry-run asks the chain, check-config nobody: one of the two");
            }
            return check(&config, &deployment, &signer, &secrets);
        }
        let set_log = log::start(&config.log)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
        let result = match self.dry_run {
            true => runtime.block_on(preview(config, deployment, signer, self.json)),
            false => runtime.block_on(relay(config, deployment, signer, secrets, set_log)),
        };
        // Reads under way on blocking threads need not hold up the end: nothing that was answered depends on them.
        runtime.shutdown_timeout(std::time::Duration::from_secs(2));
        result
    }

    /// The file, and what flags and variables change of it.
    fn configure(&self) -> anyhow::Result<Config> {
        let path = self.config.display();
        let text = std::fs::read_to_string(&self.config).with_context(|| format!("cannot read the configuration {path}"))?;
        let mut config = Config::parse_with(&text, std::env::vars()).with_context(|| format!("cannot use the configuration {path}"))?;
        if let Some(listen) = self.listen {
            config.http.listen = listen;
        }
        if !self.rpc_url.is_empty() {
            config.chain.rpc_urls.clone_from(&self.rpc_url);
        }
        if let Some(deployment) = &self.deployment {
            config.deployment.clone_from(deployment);
        }
        if let Some(database) = &self.database {
            config.database.clone_from(database);
        }
        if let Some(file) = &self.signer_file {
            config.signer = SignerConfig { file: Some(file.clone()), env: None, dev_uri: None };
        }
        if self.log_json {
            config.log.format = rivulet_server::config::LogFormat::Json;
        }
        config.check().context("cannot use what flags or variables say")?;
        Ok(config)
    }
}

/// What the deployment and the key say; the ceilings of relay fees are the chain's to say.
fn network(deployment: &Deployment, signer: &Signer, fee_ceiling_bps: [u16; 2]) -> Network {
    let tokens = deployment.tokens.iter().map(|(name, t)| (name.clone(), TokenInfo { address: t.address.0, decimals: t.decimals }));
    Network {
        name: deployment.network.clone(),
        deployment: DeploymentId {
            chain_id: deployment.chain_id,
            genesis_hash: deployment.genesis_hash.0,
            channels: deployment.contract(ContractKind::Channels).address.0,
            streams: deployment.contract(ContractKind::Streams).address.0,
        },
        start_block: deployment.block,
        tokens: tokens.collect(),
        fee_ceiling_bps,
        relayer_account: signer.account(),
        relayer_address: signer.address(),
    }
}

fn check(config: &Config, deployment: &Deployment, signer: &Signer, secrets: &Secrets) -> anyhow::Result<()> {
    let network = network(deployment, signer, [0, 0]);
    config.accept_policy(&network)?;
    config.batch_policy(&network, ContractKind::Channels)?;
    println!("network   {} (chain id {})", network.name, network.deployment.chain_id);
    println!("channels  {}", network.deployment.channels);
    println!("streams   {}", network.deployment.streams);
    println!("nodes     {}", config.chain.rpc_urls.join(", "));
    println!("database  {}", config.database.display());
    println!("listen    {}", config.http.listen);
    println!("relayer   {} (payees name it as the beneficiary of their terms)", network.relayer_address);
    match &secrets.acknowledgement {
        Some(key) => println!("signs     acknowledgements as {}", key.address()),
        None => println!("signs     no acknowledgements: acknowledge.key_file names no key"),
    }
    let tls = config.http.tls_certificate_file.as_deref().zip(config.http.tls_key_file.as_deref());
    if let Some((certificate, key)) = tls {
        Tls::load(certificate, key).context("cannot speak TLS")?;
    }
    println!("TLS       {}", if tls.is_some() { "by certificate and key" } else { "none: for a proxy in front, or this machine alone" });
    println!("admin     {}", if secrets.admin.is_some() { "routes under /v1/admin, by token" } else { "no routes" });
    println!("The configuration is good. Nothing was opened, no node was asked.");
    Ok(())
}

/// Connects, and asks the contracts what they were made with.
async fn connect(config: &Config, deployment: &Deployment, signer: &Signer) -> anyhow::Result<(Chain, Network)> {
    let options = NodeOptions { mortality_blocks: config.chain.mortality_blocks, ..NodeOptions::default() };
    let chain = Chain::connect(&config.chain.rpc_urls, deployment, options).await.context("cannot use the chain")?;
    let head = chain.finalized_head().await.context("cannot use the chain")?;
    let mut fee_ceiling_bps = [0; 2];
    for (slot, kind) in fee_ceiling_bps.iter_mut().zip([ContractKind::Channels, ContractKind::Streams]) {
        *slot = chain.config(kind, head.block).await.context("cannot read the contract's configuration")?.fee_ceiling_bps;
    }
    let network = network(deployment, signer, fee_ceiling_bps);
    tracing::info!(network = network.name, block = head.block.number, relayer = %network.relayer_address, "connected");
    Ok((chain, network))
}

async fn relay(config: Config, deployment: Deployment, signer: Signer, secrets: Secrets, set_log: SetLog) -> anyhow::Result<()> {
    let stop = stop_on_signal()?;
    let mut told = stop.clone();
    let (chain, network) = tokio::select! {
        connected = connect(&config, &deployment, &signer) => connected?,
        _ = told.changed() => return Ok(()),
    };
    let store = SqliteStore::open(&config.database, &network.deployment).context("cannot use the database")?;
    let relayer = Relayer::with_secrets(config, network, Arc::new(store), Arc::new(SignedChain::new(chain, signer)), secrets)?;
    relayer.api.control.on_log(set_log);
    reload_on_signal(Arc::clone(&relayer.reload))?;
    relayer.run(stop).await?;
    Ok(())
}

/// What would be claimed now. The database is only read: a relayer may be using it.
async fn preview(config: Config, deployment: Deployment, signer: Signer, is_json: bool) -> anyhow::Result<()> {
    let (chain, network) = connect(&config, &deployment, &signer).await?;
    let store = SqliteStore::read_only(&config.database, &network.deployment).context("cannot read the database")?;
    let relayer = Relayer::new(config, network, Arc::new(store), Arc::new(SignedChain::new(chain, signer)))?;
    let preview = relayer.worker.preview().await.context("cannot say what would be claimed")?;
    if is_json {
        println!("{}", serde_json::to_string_pretty(&preview)?);
    } else {
        print!("{}", dry_run::table(&preview));
    }
    Ok(())
}

/// SIGHUP: the certificate is read again. Without TLS it does nothing, and does not end the process either.
fn reload_on_signal(reload: Arc<Notify>) -> anyhow::Result<()> {
    let mut hangup = signal(SignalKind::hangup()).context("cannot listen for signals")?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            reload.notify_one();
        }
    });
    Ok(())
}
