//! `rivulet channel`: money locked once, then paid by signatures.

mod close;
mod limit;
mod list;
mod open;
mod pay;
mod recover;
mod refund;
mod show;
mod topup;
mod view;

pub(super) use pay::in_money;

use crate::{network::Network, told::Told};
use clap::{Args, Subcommand};
use rivulet_rules::chain::BlockHead;

/// Pays through channels: opens, pays, tops up, takes back, closes, lists.
#[derive(Debug, Args)]
pub struct Channel {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Open(open::Open),
    Pay(pay::Pay),
    Topup(topup::Topup),
    Refund(refund::Refund),
    Close(close::Close),
    Limit(limit::Limit),
    List(list::List),
    Show(show::Show),
    Recover(recover::Recover),
}

impl Channel {
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Open(c) => super::tell(c.network.json, c.run()),
            Command::Pay(c) => super::tell(c.network.json, c.run()),
            Command::Topup(c) => super::tell(c.network.json, c.run()),
            Command::Refund(c) => super::tell(c.network.json, c.run()),
            Command::Close(c) => super::tell(c.network.json, c.run()),
            Command::Limit(c) => super::tell(c.network.json, c.run()),
            Command::List(c) => super::tell(c.network.json, c.run()),
            Command::Show(c) => super::tell(c.network.json, c.run()),
            Command::Recover(c) => super::tell(c.network.json, c.run()),
        }
    }
}

/// The answer of a command.
type Answer = anyhow::Result<Told>;

/// Waits for a finalized block of this time (Unix seconds) or later.
async fn wait_until(network: &Network, due_at: u64) -> anyhow::Result<BlockHead> {
    let mut head = network.head().await?;
    let mut feed = network.chain.finalized_after(head.block);
    while head.now < due_at {
        head = network.chain.node().head(feed.next().await?).await?;
    }
    Ok(head)
}
