//! `rivulet paywall`: a price on a web server.

use crate::log;
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use rivulet_chain::{Chain, Deployment, NodeOptions};
use rivulet_core::ids::{Address, Number};
use rivulet_paywall::{
    config::Config,
    price::{amount_of, coins},
    rules::Rules,
    serve::Server,
    store::{PurchaseId, PurchaseRow, Store},
};
use rivulet_rules::text;
use serde_json::json;
use std::{net::SocketAddr, path::PathBuf};

const EXAMPLES: &str = "Examples:
  rivulet paywall --upstream http://127.0.0.1:3000 --price '/articles/*=0.10usdc' --payee 0x9621dde636de098b43efb0fa9b61facfe328f99d \\
      --relayer http://127.0.0.1:8787 --deployment deployments/dev.json
      ten cents for each article of the server on port 3000; the rest stays free
  rivulet paywall --config paywall.toml --price '/articles/free/*=free' --price '/articles/*=0.10usdc' --price '/articles/*=0.02native'
      the first rule that matches holds; an article is paid in USDC or in the native token
  rivulet paywall --config paywall.toml --price '/files/*=0.001usdc/MB' --price '/radio=0.01usdc/10s'
      by what is sent, by how long it takes: each step is charged before it is served
  rivulet paywall check-config --config paywall.toml
  rivulet paywall purchases --database paywall.db
  rivulet paywall refund --database paywall.db --channel 1/0 --purchase 0x5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c

A price is an amount with its token, and a unit if it is not for a request: B kB MB GB KiB MiB GiB, s min h, with a count before it if it is not one. A bare
number is refused. Every key of the file, with its default: relayer/paywall/config/full.toml. SIGINT or SIGTERM stops in good order.";

/// Puts a price on a web server: HTTP 402 in front of it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Paywall {
    /// The configuration file; flags go before it.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The web server behind: an http:// URL.
    #[arg(long, global = true, value_name = "URL")]
    upstream: Option<String>,
    /// What costs what: PATTERN=PRICE, several by repeating it. `*` in a pattern stands for anything.
    #[arg(long = "price", global = true, value_name = "PATTERN=PRICE")]
    prices: Vec<String>,
    /// Who is paid: 0x and 40 hex digits.
    #[arg(long, global = true, value_name = "ADDRESS", value_parser = address)]
    payee: Option<Address>,
    /// The relayer that vouchers are handed to.
    #[arg(long, global = true, value_name = "URL")]
    relayer: Option<String>,
    /// The network's file.
    #[arg(long, global = true, env = "RIVULET_DEPLOYMENT", value_name = "FILE")]
    deployment: Option<PathBuf>,
    /// A node to compare the network's file with at the start; several by repeating it or with commas.
    #[arg(long, global = true, env = "RIVULET_RPC_URL", value_name = "URL", value_delimiter = ',')]
    rpc_url: Vec<String>,
    /// Where to listen.
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
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
    Purchases {
        /// Of this channel only.
        #[arg(long, value_name = "BOOK/SERIAL", value_parser = number)]
        channel: Option<Number>,
        /// How many at most.
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Gives a purchase back: from then on it is credit of its channel, a lower price next time. A paywall may be running.
    Refund {
        /// Its channel.
        #[arg(long, value_name = "BOOK/SERIAL", value_parser = number)]
        channel: Number,
        /// Which: the nonce that `purchases` lists, and that the payer got as `transaction`.
        #[arg(long, value_name = "NONCE", value_parser = nonce)]
        purchase: [u8; 32],
        /// Only a part of it: an amount with its token, such as 0.05usdc.
        #[arg(long)]
        amount: Option<String>,
    },
}

fn address(given: &str) -> Result<Address, String> {
    text::bytes(given).map(Address).ok_or_else(|| "expected 0x and 40 hex digits".to_owned())
}

fn nonce(given: &str) -> Result<[u8; 32], String> {
    text::bytes(given).ok_or_else(|| "expected 0x and 64 hex digits".to_owned())
}

fn number(given: &str) -> Result<Number, String> {
    let parts = given.split_once('/').and_then(|(book, serial)| Some(Number { book: book.parse().ok()?, serial: serial.parse().ok()? }));
    parts.ok_or_else(|| "expected BOOK/SERIAL, such as 1/0".to_owned())
}

impl Paywall {
    pub fn run(self) -> anyhow::Result<()> {
        match &self.action {
            None => self.serve(),
            Some(Action::CheckConfig) => self.check(),
            Some(Action::Purchases { channel, limit, json }) => self.purchases(*channel, *limit, *json),
            Some(Action::Refund { channel, purchase, amount }) => self.refund(*channel, *purchase, amount.as_deref()),
        }
    }

    fn configure(&self) -> anyhow::Result<Config> {
        let mut config = match &self.config {
            Some(path) => {
                let shown = path.display();
                let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the configuration {shown}"))?;
                Config::parse(&text).with_context(|| format!("cannot use the configuration {shown}"))?
            }
            None => {
                let missing = |flag| format!("{flag} is missing: say it here or in a file (--config)");
                let upstream = self.upstream.clone().with_context(|| missing("--upstream"))?;
                let payee = self.payee.with_context(|| missing("--payee"))?;
                let relayer = self.relayer.clone().with_context(|| missing("--relayer"))?;
                Config::new(upstream, payee, relayer, self.prices.clone())
            }
        };
        fn set<T: Clone>(to: &mut T, from: &Option<T>) {
            if let Some(from) = from {
                to.clone_from(from);
            }
        }
        set(&mut config.upstream, &self.upstream);
        set(&mut config.payee, &self.payee);
        set(&mut config.relayer, &self.relayer);
        set(&mut config.deployment, &self.deployment);
        set(&mut config.listen, &self.listen);
        set(&mut config.database, &self.database);
        config.metrics_listen = self.metrics_listen.or(config.metrics_listen);
        if !self.prices.is_empty() {
            config.prices.clone_from(&self.prices);
        }
        if !self.rpc_url.is_empty() {
            config.rpc_urls.clone_from(&self.rpc_url);
        }
        config.trust_forwarded |= self.trust_forwarded;
        config.log.json |= self.log_json;
        config.check().context("cannot use what flags say")?;
        Ok(config)
    }

    fn check(&self) -> anyhow::Result<()> {
        let config = self.configure()?;
        let deployment = Deployment::load(&config.deployment).context("cannot use the deployment file")?;
        let rules = Rules::parse(&config.prices, &coins(&deployment))?;
        println!("network   {} (chain id {})", deployment.network, deployment.chain_id);
        println!("payee     {}", config.payee);
        println!("relayer   {}", config.relayer);
        println!("database  {}", config.database.display());
        println!("upstream  {}", config.upstream);
        println!("listen    {}", config.listen);
        for rule in rules.list() {
            let prices = rule.prices.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
            println!("price     {} {}", rule.pattern.text(), if prices.is_empty() { "free" } else { &prices });
        }
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
            if !config.rpc_urls.is_empty() {
                // It compares chain id, genesis and code hashes.
                tokio::select! {
                    chain = Chain::connect(&config.rpc_urls, &deployment, NodeOptions::default()) => drop(chain.context("cannot use the chain")?),
                    _ = stop.changed() => return Ok(()),
                }
            }
            Server::new(config, &deployment)?.run(stop).await?;
            Ok(())
        });
        runtime.shutdown_timeout(std::time::Duration::from_secs(2));
        result
    }

    /// The database, without needing the rest of the configuration.
    fn store(&self) -> anyhow::Result<Store> {
        let path = match (&self.database, &self.config) {
            (Some(path), _) => path.clone(),
            (None, Some(_)) => self.configure()?.database,
            (None, None) => bail!("which paywall? --database or --config says it"),
        };
        Store::beside(&path).context("cannot use the database")
    }

    fn purchases(&self, channel: Option<Number>, limit: u32, is_json: bool) -> anyhow::Result<()> {
        let rows = self.store()?.purchases(channel, limit)?;
        if is_json {
            let rows: Vec<_> = rows.iter().map(json_of).collect();
            println!("{}", serde_json::to_string_pretty(&rows)?);
            return Ok(());
        }
        for PurchaseRow { id, number, token, request, charged, requests, bought_at, .. } in rows {
            println!("{bought_at} {number} {} {charged} units of {token} asked for {requests}x {request}", text::hex(&id.nonce));
        }
        Ok(())
    }

    fn refund(&self, channel: Number, purchase: [u8; 32], amount: Option<&str>) -> anyhow::Result<()> {
        let store = self.store()?;
        let rows = store.purchases(Some(channel), u32::MAX)?;
        let row = rows.iter().find(|row| row.id.nonce == purchase).context("no such purchase of this channel: see `rivulet paywall purchases`")?;
        let units = match amount {
            None => None,
            Some(amount) => {
                let path = self.deployment.clone().unwrap_or_else(|| "deployments/dev.json".into());
                let deployment = Deployment::load(&path).context("cannot use the deployment file, which says what the amount's token is")?;
                let (coin, units) = amount_of(amount, &coins(&deployment))?;
                if coin.token != row.token {
                    bail!("the purchase was paid in {}, not in {} ({})", row.token, coin.name, coin.token);
                }
                Some(units)
            }
        };
        let id = PurchaseId { channel: row.id.channel, nonce: purchase };
        let runtime = tokio::runtime::Builder::new_current_thread().build().context("cannot start the runtime")?;
        let back = runtime.block_on(store.give_back(id, units))?;
        println!("{back} units of {} are credit of channel {channel} now", row.token);
        Ok(())
    }
}

fn json_of(row: &PurchaseRow) -> serde_json::Value {
    json!({
        "channel": row.number.to_string(), "channel_id": text::hex(&row.id.channel.0), "nonce": text::hex(&row.id.nonce), "payer": row.payer.to_string(),
        "token": row.token.to_string(), "charged": row.charged.to_string(), "requests": row.requests, "bought_at": row.bought_at, "request": row.request,
    })
}
