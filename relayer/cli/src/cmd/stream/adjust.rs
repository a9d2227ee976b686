//! `rivulet stream adjust`

use super::{Answer, view::View};
use crate::{
    account::KeyArgs,
    amount::{Rate, per_hour},
    confirm::Confirm,
    failure::Failure,
    kept::number,
    network::NetworkArgs,
};
use clap::Args;
use rivulet_client::Payer;
use rivulet_core::ids::StreamNumber;

/// Gives a stream another rate from now on. What was owed stays owed.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  rivulet stream adjust 2/0 --rate 4usdc/hour
      4 USDC an hour from now on")]
pub struct Adjust {
    /// Which stream.
    #[arg(value_name = "STREAM", value_parser = number)]
    stream: StreamNumber,
    /// The new rate, such as 4usdc/hour.
    #[arg(long, value_name = "AMOUNT/TIME")]
    rate: Rate,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
    #[command(flatten)]
    confirm: Confirm,
}

impl Adjust {
    pub async fn run(self) -> Answer {
        let network = self.network.connect().await?;
        let (scaled, coin) = network.rate(&self.rate).await?;
        let view = View::read(&network, self.stream, network.head().await?).await?;
        if view.coin != coin {
            return Err(Failure::Usage(format!("stream {} pays {}, given a rate in {}", self.stream, view.coin.name, coin.name)).into());
        }
        let account = self.key.account(&network.deployment)?;
        let payer = Payer::new(network.chain.clone(), account.signer, account.vouchers);
        let before = per_hour(view.state.rate_per_second_scaled, &coin);
        self.confirm.ask(&format!("Change stream {} from {before} to {}", self.stream, per_hour(scaled, &coin)))?;
        payer.adjust_stream_rate(self.stream, scaled).await?;
        View::after(&network, self.stream).await
    }
}
