//! `rivulet relay`: the daemon, and what is done with its database.

mod backup;
mod export;

use super::{dry_run, nodes, reload_on_signal, stop_on_signal};
use crate::{chain::SignedChain, database, failure::Failure, log, signer};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use rivulet_chain::{Chain, Deployment, Signer, Standing};
use rivulet_http::tls::Tls;
use rivulet_rules::{
    chain::{BlockRef, ContractKind},
    text,
};
use rivulet_server::{
    config::{Config, Signer as SignerConfig},
    control::SetLog,
    network::{Network, TokenInfo},
    serve::{Relayer, Secrets},
};
use rivulet_store::{DeploymentId, Store};
use std::{net::SocketAddr, path::PathBuf, sync::Arc};

const EXAMPLES: &str = "Examples:
  rivulet relay --config relayer.toml
  rivulet relay check-config --config relayer.toml
  rivulet relay check-config --config relayer.toml --nodes
  rivulet relay --config relayer.toml --dry-run
  rivulet relay --config relayer.toml --listen 0.0.0.0:8787 --rpc-url wss://node.example
  RIVULET_SIGNER_FILE=relayer.key rivulet relay
  rivulet relay backup relayer-2026-11-20.backup

A flag goes before its variable, a variable before the file. Every key of the file has a variable: RIVULET__SECTION__KEY, its value written as in the file
(RIVULET__BATCH__MAX_ROWS=200). Every key, with its default: relayer/config/full.toml.
The key that signs claims needs native tokens for their fees. SIGINT or SIGTERM stops in good order; SIGHUP reads the
TLS certificate again.";

/// Those that flags have, besides `RIVULET__SECTION__KEY`.
const VARIABLES: [&str; 7] = [
    "RIVULET_LISTEN",
    "RIVULET_RPC_URL",
    "RIVULET_DEPLOYMENT",
    "RIVULET_DATABASE",
    "RIVULET_DATABASE_PASSWORD_FILE",
    "RIVULET_SIGNER_FILE",
    "RIVULET_LOG_JSON",
];

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
    /// An SQLite file, or postgres://user@host/database.
    #[arg(long, global = true, env = "RIVULET_DATABASE", value_name = "FILE|URL", hide_env_values = true)]
    database: Option<String>,
    /// A file with the password of the Postgres user. RIVULET_DATABASE_PASSWORD holds the password itself.
    #[arg(long, global = true, env = "RIVULET_DATABASE_PASSWORD_FILE", value_name = "FILE")]
    database_password_file: Option<PathBuf>,
    /// The file with the key that claims are signed with; several by repeating it or with commas, best first.
    #[arg(long, global = true, env = "RIVULET_SIGNER_FILE", value_name = "FILE", value_delimiter = ',')]
    signer_file: Vec<PathBuf>,
    /// Write the log as one JSON object a line.
    #[arg(long, global = true, env = "RIVULET_LOG_JSON")]
    log_json: bool,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Checks the configuration, the deployment file and the keys, and says what would run; as --check-config.
    CheckConfig {
        /// Ask every node too: whether it is of the right chain, how far it is, and whether it agrees with the others.
        #[arg(long)]
        nodes: bool,
    },
    /// Writes all that the relayer knows into one file, while it runs.
    Backup(backup::Backup),
    /// Puts a backup back into a database that has nothing yet: a new file, or an empty Postgres database.
    Restore(backup::Restore),
    /// Prints a payee's vouchers with their signatures, and the calldata that claims them without this relayer.
    Export(export::Export),
}

impl Relay {
    pub fn run(self) -> anyhow::Result<()> {
        if self.action.is_some() && (self.dry_run || self.check_config) {
            let what = "--dry-run and --check-config are the relayer's own: leave them out, or the command";
            return Err(Failure::Usage(what.into()).into());
        }
        let config = self.configure()?;
        let deployment = Deployment::load(&config.deployment).context("cannot use the deployment file")?;
        match &self.action {
            None | Some(Action::CheckConfig { .. }) => {}
            Some(Action::Backup(backup)) => return backup.run(&config, &deployment),
            Some(Action::Restore(restore)) => return restore.run(&config, &deployment),
            Some(Action::Export(export)) => return export.run(&config, &deployment),
        }
        let no_key = |e: anyhow::Error| Failure::Key(format!("{e:#}"));
        let (signers, secrets) = (signer::load(&config.signer).map_err(no_key)?, signer::others(&config).map_err(no_key)?);
        if self.check_config || self.action.is_some() {
            check(&config, &deployment, &signers, &secrets)?;
            return match self.action {
                Some(Action::CheckConfig { nodes: true }) => nodes::check(&config, &deployment),
                _ => {
                    println!("The configuration is good. Nothing was opened, no node was asked (check-config --nodes does).");
                    Ok(())
                }
            };
        }
        let set_log = log::start(&config.log)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
        let result = match self.dry_run {
            true => runtime.block_on(preview(config, deployment, signers, self.json)),
            false => runtime.block_on(relay(config, deployment, signers, secrets, set_log)),
        };
        // Reads under way on blocking threads need not hold up the end: nothing that was answered depends on them.
        runtime.shutdown_timeout(std::time::Duration::from_secs(2));
        result
    }

    /// The file, and what flags and variables change of it.
    fn configure(&self) -> anyhow::Result<Config> {
        let path = self.config.display();
        let text = std::fs::read_to_string(&self.config).map_err(|e| {
            let hint = "name one by --config FILE; relayer/config/minimal.toml is one to begin with";
            Failure::Usage(format!("cannot read the configuration {path}: {e}. {hint}"))
        })?;
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
            // Not by the parser of arguments: it repeats what it cannot read, and there may be a password in it.
            config.database = database.parse().context("--database or RIVULET_DATABASE")?;
        }
        if let Some(file) = &self.database_password_file {
            config.database_password_file = Some(file.clone());
        }
        database::add_password(&mut config)?;
        if !self.signer_file.is_empty() {
            config.signer = SignerConfig { files: self.signer_file.clone(), ..SignerConfig::default() };
        }
        if self.log_json {
            config.log.format = rivulet_server::config::LogFormat::Json;
        }
        config.check().context("cannot use what flags or variables say")?;
        Ok(config)
    }
}

/// The key whose address payees name: the first. That there is one was checked when they were read.
fn first(signers: &[Signer]) -> anyhow::Result<&Signer> {
    signers.first().context("no key to sign claims with")
}

/// What the database is bound to.
fn deployment_id(deployment: &Deployment) -> DeploymentId {
    DeploymentId {
        chain_id: deployment.chain_id,
        genesis_hash: deployment.genesis_hash.0,
        channels: deployment.contract(ContractKind::Channels).address.0,
        streams: deployment.contract(ContractKind::Streams).address.0,
    }
}

/// What the deployment and the key say; the ceilings of relay fees are the chain's to say.
fn network(deployment: &Deployment, signer: &Signer, fee_ceiling_bps: [u16; 2]) -> Network {
    let tokens = deployment.tokens.iter().map(|(name, t)| (name.clone(), TokenInfo { address: t.address.0, decimals: t.decimals }));
    Network {
        name: deployment.network.clone(),
        deployment: deployment_id(deployment),
        start_block: deployment.block,
        tokens: tokens.collect(),
        fee_ceiling_bps,
        relayer_account: signer.account(),
        relayer_address: signer.address(),
    }
}

fn check(config: &Config, deployment: &Deployment, signers: &[Signer], secrets: &Secrets) -> anyhow::Result<()> {
    let network = network(deployment, first(signers)?, [0, 0]);
    config.accept_policy(&network)?;
    config.batch_policy(&network, ContractKind::Channels)?;
    println!("network   {} (chain id {})", network.name, network.deployment.chain_id);
    println!("channels  {}", network.deployment.channels);
    println!("streams   {}", network.deployment.streams);
    println!("nodes     {}", config.chain.rpc_urls.join(", "));
    println!("database  {}", config.database);
    println!("listen    {}", config.http.listen);
    if let Some(address) = config.http.operator_listen {
        println!("operators {address}: /metrics and /v1/admin");
    }
    println!("relayer   {} (payees name it as the beneficiary of their terms)", network.relayer_address);
    for signer in signers {
        println!("claims    signed and paid for by account {}", text::hex(&signer.account().0));
    }
    match &secrets.acknowledgement {
        Some(key) => println!("signs     acknowledgements as {}", key.address()),
        None => println!("signs     no acknowledgements: acknowledge.key_file names no key"),
    }
    let tls = config.http.tls_certificate_file.as_deref().zip(config.http.tls_key_file.as_deref());
    if let Some((certificate, key)) = tls {
        Tls::load(certificate, key).context("cannot speak TLS")?;
    }
    println!("TLS       {}", if tls.is_some() { "by certificate and key" } else { "none: for a proxy in front, or this machine alone" });
    match &config.pages.eth_rpc_url {
        Some(url) => println!("pages     at / and /pay; browsers, and everybody, are told to reach the chain at {url}"),
        None => println!("pages     none: pages.eth_rpc_url names no Ethereum RPC"),
    }
    super::print_variables(|name| name.starts_with("RIVULET__") || VARIABLES.contains(&name));
    println!("admin     {}", if secrets.admin.is_some() { "routes under /v1/admin, by token" } else { "no routes" });
    Ok(())
}

/// Connects, and asks the contracts what they were made with. What the store has taken in is a voice when nodes contradict each other.
async fn connect(config: &Config, deployment: &Deployment, signers: &[Signer], store: &dyn Store) -> anyhow::Result<(Chain, Network)> {
    let recorded = store.cursor().await.context("cannot use the database")?.map(|head| head.block);
    let options = nodes::options(config, recorded);
    let chain = Chain::connect(&config.chain.rpc_urls, deployment, options).await.context("cannot use the chain")?;
    let head = chain.finalized_head().await.context("cannot use the chain")?;
    let mut fee_ceiling_bps = [0; 2];
    for (slot, kind) in fee_ceiling_bps.iter_mut().zip([ContractKind::Channels, ContractKind::Streams]) {
        *slot = chain.config(kind, head.block).await.context("cannot read the contract's configuration")?.fee_ceiling_bps;
    }
    for signer in signers {
        check_mapped(&chain, signer, head.block).await?;
    }
    let network = network(deployment, first(signers)?, fee_ceiling_bps);
    tracing::info!(network = network.name, block = head.block.number, relayer = %network.relayer_address, keys = signers.len(), "connected");
    Ok((chain, network))
}

/// An account that is not mapped cannot call contracts, and pays for each try: a dry run does not show it.
async fn check_mapped(chain: &Chain, signer: &Signer, block: BlockRef) -> anyhow::Result<()> {
    let (node, account) = (chain.node(), signer.account());
    // One that does not exist yet is mapped when it gets its first money.
    let exists = node.account_exists(&account, block).await.context("cannot read a signing key's account")?;
    let standing = node.standing(&signer.address(), block).await.context("cannot read a signing key's account")?;
    if exists && standing != Standing::Mapped(account) {
        bail!("the signing key's account {} is not mapped, so it cannot call contracts: send Revive.map_account with it once", text::hex(&account.0));
    }
    Ok(())
}

async fn relay(config: Config, deployment: Deployment, signers: Vec<Signer>, secrets: Secrets, set_log: SetLog) -> anyhow::Result<()> {
    let stop = stop_on_signal()?;
    let mut told = stop.clone();
    let opened = rivulet_store::open(&config.database, &deployment_id(&deployment)).await;
    let store = opened.with_context(|| format!("cannot use the database {}", config.database))?;
    let (chain, network) = tokio::select! {
        connected = connect(&config, &deployment, &signers, store.as_ref()) => connected?,
        _ = told.changed() => return Ok(()),
    };
    let relayer = Relayer::with_secrets(config, network, store, Arc::new(SignedChain::new(chain, signers)), secrets)?;
    relayer.api.control.on_log(set_log);
    reload_on_signal(Arc::clone(&relayer.reload))?;
    relayer.run(stop).await?;
    Ok(())
}

/// What would be claimed now. The database is only read: a relayer may be using it.
async fn preview(config: Config, deployment: Deployment, signers: Vec<Signer>, is_json: bool) -> anyhow::Result<()> {
    let read = rivulet_store::open_read_only(&config.database, &deployment_id(&deployment)).await;
    let store = read.with_context(|| format!("cannot read the database {}", config.database))?;
    let (chain, network) = connect(&config, &deployment, &signers, store.as_ref()).await?;
    let relayer = Relayer::new(config, network, store, Arc::new(SignedChain::new(chain, signers)))?;
    let preview = relayer.worker.preview().await.context("cannot say what would be claimed")?;
    if is_json {
        println!("{}", serde_json::to_string_pretty(&preview)?);
    } else {
        print!("{}", dry_run::table(&preview));
    }
    Ok(())
}
