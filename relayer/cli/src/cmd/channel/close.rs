//! `rivulet channel close`

use super::{Answer, view::View};
use crate::{
    account::KeyArgs,
    failure::Failure,
    kept::{Purser, number},
    network::{Network, NetworkArgs},
};
use clap::Args;
use rivulet_core::ids::ChannelNumber;

/// Ends a channel: what was not paid comes back, after the challenge period.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet channel close 3/0
      asks for the end; the payee now has the challenge period to claim
  rivulet channel close 3/0
      the same again, once that is over: the rest comes back
  rivulet channel close 3/0 --wait
      both, with the wait in between")]
pub struct Close {
    /// Which channel.
    #[arg(value_name = "CHANNEL", value_parser = number)]
    channel: ChannelNumber,
    /// Waits until the challenge period is over, and finishes.
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
}

/// When it can be finished, as the newest finalized block has it; `None` when it has ended.
async fn due_at(network: &Network, number: ChannelNumber) -> anyhow::Result<Option<Option<u64>>> {
    let view = View::read(network, number, None, network.head().await?.block).await?;
    Ok(view.and_then(|view| view.state().map(|state| state.close_due_at)))
}

impl Close {
    pub async fn run(self) -> Answer {
        let network = self.network.connect().await?;
        let purser = Purser::open(&network, self.key.account(&network.deployment)?)?;
        let (number, kept) = (self.channel, purser.get(self.channel)?);
        let channel = kept.channel;
        let mut due = due_at(&network, number).await?;
        if due == Some(None) {
            purser.payer.request_close(&channel).await?;
            due = due_at(&network, number).await?;
        }
        if let Some(Some(due)) = due {
            let head = network.head().await?;
            let mut now = head.now;
            let mut feed = network.chain.finalized_after(head.block);
            while self.wait && now < due {
                now = network.chain.node().head(feed.next().await?).await?.now;
            }
            if now >= due {
                purser.payer.finish(&channel).await?;
            }
        }
        let view = View::read(&network, number, purser.purse.get(channel.id), network.head().await?.block).await?;
        let view = view.ok_or_else(|| Failure::NotFound(format!("channel {number} is not known")))?;
        if view.state().is_none() {
            purser.purse.end(channel.id)?;
        }
        Ok(view.told())
    }
}
