//! `rivulet paywall`: a price on a web server.

mod sales;

use crate::{failure::Failure, log, party::Party};
use anyhow::Context;
use clap::{Args, Subcommand};
use rivulet_chain::{Chain, Deployment, NodeOptions, Standing};
use rivulet_client::Error::UnmappedPayee;
use rivulet_http::cors::Origin;
use rivulet_paywall::{
    config::Config,
    price::coins,
    rules::Rules,
    serve::{Server, tls_of},
};
use std::{net::SocketAddr, path::PathBuf};

const EXAMPLES: &str = "Examples:
  rivulet paywall --upstream http://127.0.0.1:3000 --price '/articles/*=0.10usdc' --payee 0x9621dde636de098b43efb0fa9b61facfe328f99d \\
      --relayer http://127.0.0.1:8787 --deployment deployments/dev.json
      ten cents for each article of the server on port 3000; the rest stays free
  rivulet paywall --config paywall.toml --price '/articles/free/*=free' --price '/articles/*=0.10usdc' --price '/articles/*=0.02native'
      the first rule that matches holds; an article is paid in USDC or in the native token
  rivulet paywall --config paywall.toml --price '/files/*=0.001usdc/MB' --price '/radio=0.01usdc/10s'
      by what is sent, by how long it takes: each step is charged before it is served
  rivulet paywall --config paywall.toml --listen 0.0.0.0:443 --tls-certificate-file fullchain.pem --tls-key-file privkey.pem --cors-origin 'https://app.example'
      by HTTPS, also for web pages of that origin; SIGHUP reads the certificate again
  rivulet paywall check-config --config paywall.toml
  rivulet paywall purchases --database paywall.db
  rivulet paywall refund --database paywall.db --channel 1/0 --purchase 0x5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c
      what a purchase cost is credit of its payer from then on: the next one is cheaper by so much

A price is an amount with its token, and a unit if it is not for a request: B kB MB GB KiB MiB GiB, s min h, with a count before it if it is not one. A bare
number is refused. Every key of the file, with its default: relayer/paywall/config/full.toml. SIGINT or SIGTERM stops in good order.";

/// Puts a price on a web server: HTTP 402 in front of it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Paywall {
    /// The configuration file; flags go before it.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The web server behind: an http:// or https:// URL.
    #[arg(long, global = true, value_name = "URL")]
    upstream: Option<String>,
    /// For an https:// upstream: a file with certificates (PEM) that are believed besides the system's.
    #[arg(long, global = true, value_name = "FILE")]
    upstream_ca_file: Option<PathBuf>,
    /// What costs what: PATTERN=PRICE, several by repeating it. `*` in a pattern stands for anything.
    #[arg(long = "price", global = true, value_name = "PATTERN=PRICE")]
    prices: Vec<String>,
    /// Who is paid: an account as wallets show it (5Grw…; a node must be named), or an address as contracts see it (0x and 40 hex digits).
    #[arg(long, global = true, value_name = "ACCOUNT|ADDRESS")]
    payee: Option<Party>,
    /// The relayer that vouchers are handed to: an http:// or https:// URL.
    #[arg(long, global = true, env = "RIVULET_RELAYER", value_name = "URL")]
    relayer: Option<String>,
    /// For an https:// relayer: a file with certificates (PEM) that are believed besides the system's.
    #[arg(long, global = true, value_name = "FILE")]
    relayer_ca_file: Option<PathBuf>,
    /// The network's file.
    #[arg(long, global = true, env = "RIVULET_DEPLOYMENT", value_name = "FILE")]
    deployment: Option<PathBuf>,
    /// A node to compare the network's file with at the start, and to look up the payee; several by repeating it or with commas.
    #[arg(long, global = true, env = "RIVULET_RPC_URL", value_name = "URL", value_delimiter = ',')]
    rpc_url: Vec<String>,
    /// Where to listen.
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Speak HTTPS: the file with the certificate chain (PEM). SIGHUP reads it and its key again.
    #[arg(long, global = true, value_name = "FILE")]
    tls_certificate_file: Option<PathBuf>,
    /// Speak HTTPS: the file with the certificate's key (PEM).
    #[arg(long, global = true, value_name = "FILE")]
    tls_key_file: Option<PathBuf>,
    /// Let web pages of this origin buy and read: https://app.example, or '*' for any; several by repeating it.
    #[arg(long = "cors-origin", global = true, value_name = "ORIGIN")]
    cors_origins: Vec<Origin>,
    /// The web server takes /Articles/1 and /articles/1 for one page: they cost the same.
    #[arg(long, global = true)]
    case_insensitive_paths: bool,
    /// Where to serve /metrics, for Prometheus. Not for the open internet.
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    metrics_listen: Option<SocketAddr>,
    /// The SQLite file with what was paid for. A payee has one.
    #[arg(long, global = true, value_name = "FILE")]
    database: Option<PathBuf>,
    /// Behind a proxy of one's own: believe its X-Forwarded-For, -Proto and -Host.
    #[arg(long, global = true)]
    trust_forwarded: bool,
    /// Write the log as one JSON object a line.
    #[arg(long, global = true, env = "RIVULET_LOG_JSON")]
    log_json: bool,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Reads the configuration, the deployment file and the price list, says what would run, and stops. Asks nobody.
    CheckConfig,
    /// Lists purchases, newest first.
    Purchases(sales::Purchases),
    /// Gives a purchase back: from then on it is credit of its channel, a lower price next time. A paywall may be running.
    Refund(sales::Refund),
}

impl Paywall {
    pub fn run(self) -> anyhow::Result<()> {
        match &self.action {
            None => self.serve(),
            Some(Action::CheckConfig) => self.check(),
            Some(Action::Purchases(purchases)) => purchases.run(&self),
            Some(Action::Refund(refund)) => refund.run(&self),
        }
    }

    fn configure(&self) -> anyhow::Result<Config> {
        let mut config = match &self.config {
            Some(path) => {
                let shown = path.display();
                let text = std::fs::read_to_string(path).map_err(|e| Failure::Usage(format!("cannot read the configuration {shown}: {e}")))?;
                Config::parse(&text).with_context(|| format!("cannot use the configuration {shown}"))?
            }
            None => {
                let missing = |flag| Failure::Usage(format!("{flag} is missing: say it here or in a file (--config)"));
                let upstream = self.upstream.clone().ok_or_else(|| missing("--upstream"))?;
                let payee = self.payee.ok_or_else(|| missing("--payee"))?.address();
                let relayer = self.relayer.clone().ok_or_else(|| missing("--relayer"))?;
                Config::new(upstream, payee, relayer, self.prices.clone())
            }
        };
        fn set<T: Clone>(to: &mut T, from: &Option<T>) {
            if let Some(from) = from {
                to.clone_from(from);
            }
        }
        set(&mut config.upstream, &self.upstream);
        set(&mut config.payee, &self.payee.map(|payee| payee.address()));
        set(&mut config.relayer, &self.relayer);
        set(&mut config.deployment, &self.deployment);
        set(&mut config.listen, &self.listen);
        set(&mut config.database, &self.database);
        let or = |flag: &Option<PathBuf>, key: Option<PathBuf>| flag.clone().or(key);
        config.tls_certificate_file = or(&self.tls_certificate_file, config.tls_certificate_file);
        config.tls_key_file = or(&self.tls_key_file, config.tls_key_file);
        config.upstream_ca_file = or(&self.upstream_ca_file, config.upstream_ca_file);
        config.relayer_ca_file = or(&self.relayer_ca_file, config.relayer_ca_file);
        config.metrics_listen = self.metrics_listen.or(config.metrics_listen);
        if !self.prices.is_empty() {
            config.prices.clone_from(&self.prices);
        }
        if !self.rpc_url.is_empty() {
            config.rpc_urls.clone_from(&self.rpc_url);
        }
        if !self.cors_origins.is_empty() {
            config.cors_origins.clone_from(&self.cors_origins);
        }
        config.case_insensitive_paths |= self.case_insensitive_paths;
        config.trust_forwarded |= self.trust_forwarded;
        config.log.json |= self.log_json;
        config.check().context("cannot use what flags say")?;
        Ok(config)
    }

    fn check(&self) -> anyhow::Result<()> {
        let config = self.configure()?;
        let deployment = Deployment::load(&config.deployment).context("cannot use the deployment file")?;
        let rules = Rules::parse(&config.prices, &coins(&deployment), config.case_insensitive_paths)?;
        let tls = tls_of(&config).context("cannot speak TLS")?;
        println!("network   {} (chain id {})", deployment.network, deployment.chain_id);
        println!("payee     {}", config.payee);
        println!("relayer   {}", config.relayer);
        println!("database  {}", config.database.display());
        println!("upstream  {}", config.upstream);
        println!("listen    {}, {}", config.listen, if tls.is_some() { "HTTPS by certificate and key" } else { "plain HTTP" });
        if !config.cors_origins.is_empty() {
            let origins = config.cors_origins.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            println!("pages of  {} may buy and read", if origins == "*" { "any origin" } else { &origins });
        }
        for rule in rules.list() {
            let prices = rule.prices.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
            println!("price     {} {}", rule.pattern.text(), if prices.is_empty() { "free" } else { &prices });
        }
        super::print_variables(|name| matches!(name, "RIVULET_RELAYER" | "RIVULET_DEPLOYMENT" | "RIVULET_RPC_URL" | "RIVULET_LOG_JSON"));
        println!("The configuration is good. Nothing was opened, nobody was asked.");
        Ok(())
    }

    fn serve(&self) -> anyhow::Result<()> {
        let config = self.configure()?;
        let deployment = Deployment::load(&config.deployment).context("cannot use the deployment file")?;
        drop(log::start(&log::config(config.log.json, &config.log.filter))?);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
        let result = runtime.block_on(async {
            let mut stop = super::stop_on_signal()?;
            tokio::select! {
                fits = self.check_chain(&config, &deployment) => fits?,
                _ = stop.changed() => return Ok(()),
            }
            let server = Server::new(config, &deployment)?;
            super::reload_on_signal(server.reload())?;
            server.run(stop).await?;
            Ok(())
        });
        runtime.shutdown_timeout(std::time::Duration::from_secs(2));
        result
    }

    /// Is the deployment's file the chain's, and does the payee get what is paid to it? With nodes only.
    async fn check_chain(&self, config: &Config, deployment: &Deployment) -> anyhow::Result<()> {
        if config.rpc_urls.is_empty() {
            if let Some(Party::Account(_) | Party::Known(_)) = self.payee {
                let what = "--payee by its account needs --rpc-url: a node says whether the account is mapped to its address. Or name the address, 0x and 40 hex digits";
                return Err(Failure::Usage(what.to_owned()).into());
            }
            return Ok(());
        }
        // It compares chain id, genesis and code hashes.
        let chain = Chain::connect(&config.rpc_urls, deployment, NodeOptions::default()).await.context("cannot use the chain")?;
        if let Some(payee) = self.payee {
            payee.payable_on(&chain, true).await?;
        }
        let node = chain.node();
        let block = node.finalized().await.context("cannot use the chain")?;
        match node.standing(&config.payee, block).await.context("cannot look up the payee")? {
            // No payer's program would open a channel to it.
            Standing::Unknown => {
                Err(Failure::Unsafe(format!("{}. Send it something once, if it is a new Ethereum key's", UnmappedPayee(config.payee))).into())
            }
            _ => Ok(()),
        }
    }
}
