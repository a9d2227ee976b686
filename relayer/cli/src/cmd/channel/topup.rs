//! `rivulet channel topup`

use super::{Answer, view::View};
use crate::{
    account::KeyArgs,
    amount::Amount,
    confirm::Confirm,
    failure::Failure,
    kept::{Purser, number},
    network::NetworkArgs,
};
use clap::Args;
use rivulet_core::ids::ChannelNumber;

/// Puts more into a channel.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet channel topup 3/0 10usdc
      10 USDC more
  rivulet channel topup 3/0 10usdc --yes --json
      without asking, for programs")]
pub struct Topup {
    /// Which channel.
    #[arg(value_name = "CHANNEL", value_parser = number)]
    channel: ChannelNumber,
    /// How much more, with its unit.
    #[arg(value_name = "AMOUNT")]
    amount: Amount,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
    #[command(flatten)]
    confirm: Confirm,
}

impl Topup {
    pub async fn run(self) -> Answer {
        let network = self.network.connect().await?;
        let money = network.payment(&self.amount).await?;
        let purser = Purser::open(&network, self.key.account(&network.deployment)?)?;
        let kept = purser.get(self.channel)?;
        let (number, coin) = (self.channel, network.coin_of(&kept.channel.terms.token));
        if money.coin != coin {
            return Err(Failure::Usage(format!("channel {number} pays {}, given {}", coin.name, self.amount)).into());
        }
        let gone = || Failure::NotFound(format!("channel {number} has ended"));
        let mut channel = purser.payer.find(number).await?.ok_or_else(gone)?;
        self.confirm.ask(&format!("Lock {money} more in channel {number}, for {}", kept.site))?;
        purser.payer.top_up(&mut channel, money.units).await?;
        Ok(View::of(&network, &purser, &channel).await?.told())
    }
}
