//! `rivulet stream watch`

use super::view::View;
use crate::{kept::number, network::NetworkArgs};
use clap::Args;
use rivulet_core::ids::StreamNumber;
use serde_json::json;
use std::{
    io::{IsTerminal, Write, stdout},
    time::{Duration, Instant},
};

/// Shows a stream grow, second by second, until ctrl-C. No key is needed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet stream watch 2/0
      what has flowed so far, a line that is written over
  rivulet stream watch 2/0 --json --ticks 60
      a line of JSON a second, for a minute

Between blocks the figure follows from the rate; every finalized block corrects it.")]
pub struct Watch {
    /// Which stream.
    #[arg(value_name = "STREAM", value_parser = number)]
    stream: StreamNumber,
    /// Ends after so many seconds.
    #[arg(long, value_name = "COUNT")]
    ticks: Option<u64>,
    #[command(flatten)]
    network: NetworkArgs,
}

impl Watch {
    pub async fn run(self) -> anyhow::Result<()> {
        let network = self.network.connect().await?;
        let head = network.head().await?;
        let mut view = View::read(&network, self.stream, head).await?;
        let mut feed = network.chain.finalized_after(head.block);
        // The chain's clock, carried on by ours.
        let mut since = Instant::now();
        let mut ticker = tokio::time::interval(Duration::from_secs(1));
        let mut ticks = 0;
        while self.ticks.is_none_or(|most| ticks < most) {
            tokio::select! {
                _ = ticker.tick() => {
                    ticks += 1;
                    self.show(&view, view.at.saturating_add(since.elapsed().as_secs()))?;
                }
                block = feed.next() => {
                    let head = network.chain.node().head(block?).await?;
                    view = View::read(&network, self.stream, head).await?;
                    since = Instant::now();
                }
            }
        }
        if !self.network.json && stdout().is_terminal() {
            println!();
        }
        Ok(())
    }

    fn show(&self, view: &View, now: u64) -> std::io::Result<()> {
        let (earned, paid) = (view.earned_at(now), view.state.paid);
        let (total, claimable) = (view.coin.money(earned), view.coin.money(earned.saturating_sub(paid)));
        let mut out = stdout().lock();
        if self.network.json {
            writeln!(out, "{}", json!({ "stream": self.stream.to_string(), "now": now, "flowed": total.json(), "claimable": claimable.json() }))?;
        } else if out.is_terminal() {
            write!(out, "\r\x1b[Kstream {}: {total} so far, {claimable} to claim", self.stream)?;
        } else {
            writeln!(out, "stream {}: {total} so far, {claimable} to claim", self.stream)?;
        }
        out.flush()
    }
}
