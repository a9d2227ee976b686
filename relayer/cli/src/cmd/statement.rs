//! `rivulet statement`, which is `rivulet earn statement` too: what a payee was paid, for its books.

use crate::{
    account::KeyArgs,
    failure::Failure,
    network::{self, check_urls},
    party::Party,
    statement::{Context as Table, csv, json},
};
use anyhow::Context;
use clap::{Args, ValueEnum};
use rivulet_chain::{Chain, Deployment, NodeOptions};
use rivulet_client::statement::{Payments, Progress, payments};
use rivulet_core::ids::Address;
use rivulet_rules::{
    statement::{Date, Period, lines, time_text, totals},
    text,
};
use std::{
    io::{IsTerminal, Write, stderr, stdout},
    time::{Duration, Instant},
};

const EXAMPLES: &str = "Examples:
  rivulet statement --key me --from 2026-11-01 --to 2026-11-30 > november.csv
      what the key's own account was paid; no transaction is made
  rivulet statement --payee 0x9621dde636de098b43efb0fa9b61facfe328f99d --from 2026-11-01 --to 2026-11-30 > november.csv
      what every channel and stream paid on each day of November (UTC), both days included
  rivulet statement --payee 0x9621... --from 2026-01-01 --to 2026-12-31 --by month --json
      a line a month for each of them, with the sums, as JSON
  rivulet statement --payee 0x9621... --by claim --rpc-url wss://archive.example --deployment deployments/paseo.json
      every single claim since the contracts were deployed

Only finalized blocks count. A day is the day of the block that paid. What was paid is compared with the chain's own totals before anything is written.
The node must still have the state of the blocks in question: an archive node, unless they are recent.
The columns are explained in relayer/README.md.";

/// Prints what a payee was paid: by day, month or claim, as CSV or JSON.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Statement {
    /// Whose statement: an account as wallets show it, or an address of 0x and 40 hex digits. [default: the key's own]
    #[arg(long, value_name = "ACCOUNT")]
    payee: Option<Party>,
    /// The first day, as YYYY-MM-DD. [default: the day on which the contracts were deployed]
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// The last day, as YYYY-MM-DD. [default: up to the newest finalized block]
    #[arg(long, value_name = "DATE")]
    to: Option<Date>,
    /// What one line stands for.
    #[arg(long, value_enum, default_value_t = By::Day)]
    by: By,
    /// Write CSV, as RFC 4180 has it. This is the default.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Write JSON.
    #[arg(long)]
    json: bool,
    /// A node; several by repeating it or with commas, best first.
    #[arg(long, env = "RIVULET_RPC_URL", value_name = "URL", value_delimiter = ',', default_value = "ws://127.0.0.1:9944")]
    rpc_url: Vec<String>,
    /// The network's file, or its name: deployments/NAME.json, or for dev what 'rivulet dev' wrote. [default: RIVULET_NETWORK, or dev]
    #[arg(long, visible_alias = "network", env = "RIVULET_DEPLOYMENT", value_name = "NAME|FILE")]
    deployment: Option<String>,
    #[command(flatten)]
    key: KeyArgs,
    /// Say nothing on standard error but errors.
    #[arg(long, short)]
    quiet: bool,
}

/// What one line stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum By {
    /// One claim.
    Claim,
    /// What a channel or stream paid in a day.
    Day,
    /// What a channel or stream paid in a calendar month.
    Month,
}

impl Statement {
    pub fn run(self) -> anyhow::Result<()> {
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from > to
        {
            return Err(Failure::Usage(format!("--from {from} is after --to {to}")).into());
        }
        check_urls(&self.rpc_url)?;
        let named = self.deployment.clone().or_else(|| std::env::var("RIVULET_NETWORK").ok()).unwrap_or_else(|| network::DEFAULT.into());
        let deployment = network::deployment(&named)?;
        let payee = match &self.payee {
            Some(party) => party.address(),
            None => self.key.account(&deployment)?.signer.address(),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
        runtime.block_on(self.read(&deployment, payee))
    }

    async fn read(&self, deployment: &Deployment, payee: Address) -> anyhow::Result<()> {
        let chain = Chain::connect(&self.rpc_url, deployment, NodeOptions::default()).await.context("cannot use the chain")?;
        let range = self.from.map_or(0, Date::starts_at)..self.to.map_or(u64::MAX, Date::ends_at);
        let mut screen = Screen::new(self.quiet);
        let read = payments(&chain, &payee, range, |progress| screen.show(&progress)).await;
        screen.clear();
        let read = read.with_context(|| format!("cannot read what {payee} was paid"))?;
        let period = match self.by {
            By::Claim => Period::Claim,
            By::Day => Period::Day,
            By::Month => Period::Month,
        };
        let lines = lines(&read.payments, period, &read.covers);
        let table = Table { chain: &chain, payee, period, read: &read };
        let text = if self.json { json(&table, &lines) } else { csv(&table, &lines) };
        stdout().write_all(text.as_bytes()).context("cannot write the statement")?;
        if !self.quiet {
            eprintln!("{}", covered(&read));
            for (token, total) in totals(&lines) {
                let (name, decimals) = rivulet_client::statement::token_name(&chain, &token);
                let whole = |units| text::whole(units, decimals);
                let (paid, fees, received) = (whole(total.paid), whole(total.relay_fees), whole(total.received()));
                eprintln!("{name}: {paid} paid by {} claims, {fees} of it relay fees, {received} received", total.claims);
            }
        }
        Ok(())
    }
}

fn covered(read: &Payments) -> String {
    match &read.blocks {
        None => "No finalized block lies in this range.".to_owned(),
        Some(blocks) => {
            let (from, until) = (time_text(read.covers.start), time_text(read.covers.end));
            format!("From {from} until {until}, blocks {} to {}: every total is the chain's own.", blocks.start(), blocks.end())
        }
    }
}

/// Progress on standard error: one line that is written over on a terminal, now and then a line elsewhere.
struct Screen {
    quiet: bool,
    is_terminal: bool,
    begun: Instant,
    last: Option<Instant>,
}

impl Screen {
    fn new(quiet: bool) -> Self {
        Self { quiet, is_terminal: stderr().is_terminal(), begun: Instant::now(), last: None }
    }

    fn show(&mut self, progress: &Progress) {
        let every = if self.is_terminal { Duration::from_millis(200) } else { Duration::from_secs(10) };
        if self.quiet || self.last.unwrap_or(self.begun).elapsed() < every {
            return;
        }
        self.last = Some(Instant::now());
        let text = match progress {
            Progress::Searching => "looking for the first and the last block".to_owned(),
            Progress::Opening { read } => format!("reading what there was before: {read} channels and streams"),
            Progress::Blocks { read, of } => format!("reading blocks: {read} of {of}, {} left", self.left(*read, *of)),
            Progress::Checking { checked } => format!("comparing totals with the chain's: {checked}"),
        };
        if self.is_terminal { eprint!("\r\x1b[K{text}") } else { eprintln!("{text}") }
    }

    /// How long the rest takes if it goes on so.
    fn left(&self, read: u64, of: u64) -> String {
        let each = self.begun.elapsed().as_secs_f64() / (read.max(1) as f64);
        let secs = (each * of.saturating_sub(read) as f64) as u64;
        if secs < 120 { format!("{secs} s") } else { format!("{} min", secs / 60) }
    }

    fn clear(&self) {
        if self.is_terminal && self.last.is_some() {
            eprint!("\r\x1b[K");
        }
    }
}
