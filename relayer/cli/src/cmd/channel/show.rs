//! `rivulet channel show`

use super::{Answer, view::View};
use crate::{
    account::KeyArgs,
    failure::Failure,
    kept::{Purser, number},
    network::NetworkArgs,
    told::Told,
};
use clap::Args;
use rivulet_core::ids::ChannelNumber;

/// Shows a channel; or its best voucher, for a payee that claims without a relayer.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet channel show 3/0
      deposit, paid, claimed, pending; what was asked back, and when it can be taken
  rivulet channel show 3/0 --voucher > voucher.json
      what the payee needs to claim by itself: 'rivulet earn claim --vouchers voucher.json'")]
pub struct Show {
    /// Which channel.
    #[arg(value_name = "CHANNEL", value_parser = number)]
    channel: ChannelNumber,
    /// Prints the voucher with the highest total that was signed.
    #[arg(long)]
    voucher: bool,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
}

impl Show {
    pub async fn run(self) -> Answer {
        let network = self.network.connect().await?;
        let purser = Purser::open(&network, self.key.account(&network.deployment)?)?;
        let kept = purser.get(self.channel)?;
        if self.voucher {
            let none = || Failure::NotFound(format!("nothing was paid from channel {} yet", self.channel));
            let voucher = serde_json::to_value(kept.best_voucher().ok_or_else(none)?)?;
            return Ok(Told::new(voucher.clone(), format!("{voucher:#}")));
        }
        Ok(View::of(&network, &purser, &kept.channel).await?.told())
    }
}
