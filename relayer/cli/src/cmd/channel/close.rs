//! `rivulet channel close`

use super::{Answer, view::View, wait_until};
use crate::{
    account::KeyArgs,
    kept::{Purser, number},
    network::NetworkArgs,
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
      both, with the wait in between

To have a part back and keep the channel: 'rivulet channel refund'.")]
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

impl Close {
    pub async fn run(self) -> Answer {
        let network = self.network.connect().await?;
        let mut purser = Purser::open(&network, self.key.account(&network.deployment)?)?;
        let channel = purser.get(self.channel)?.channel;
        let due_at = |view: &View<'_>| view.state().map(|state| state.close_due_at);
        let mut due = due_at(&View::of(&network, &purser, &channel).await?);
        if due == Some(None) {
            purser.payer.request_close(&channel).await?;
            due = due_at(&View::of(&network, &purser, &channel).await?);
        }
        if let Some(Some(due)) = due {
            let mut now = network.head().await?.now;
            if self.wait && now < due {
                // Other channels may be paid from meanwhile.
                let payer = purser.payer.clone();
                drop(purser);
                now = wait_until(&network, due).await?.now;
                purser = Purser::of(&network, payer)?;
            }
            if now >= due {
                purser.payer.finish(&channel).await?;
            }
        }
        Ok(View::of(&network, &purser, &channel).await?.told())
    }
}
