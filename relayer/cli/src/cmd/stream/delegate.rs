//! `rivulet stream delegate`

use super::{
    Answer,
    view::{Right, View},
};
use crate::{
    account::KeyArgs,
    amount::{Rate, per_hour},
    confirm::Confirm,
    failure::Failure,
    kept::number,
    network::NetworkArgs,
    party::Party,
};
use clap::Args;
use rivulet_chain::StreamDelegate;
use rivulet_client::Payer;
use rivulet_core::ids::StreamNumber;

/// Lets somebody else steer a stream for its payer, as far as you say. A delegate never gets money: it goes where it would if the payer did it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet stream delegate 2/0 --to 0x9621dde636de098b43efb0fa9b61facfe328f99d --rights pause,resume
      an app may stop and start the clock
  rivulet stream delegate 2/0 --to 0x9621dde636de098b43efb0fa9b61facfe328f99d --rights adjust --rate-cap 4usdc/hour
      it may set the rate, up to 4 USDC an hour, and nothing else: what it could do before is gone
  rivulet stream delegate 2/0 --none
      nobody acts for the payer any more")]
pub struct Delegate {
    /// Which stream.
    #[arg(value_name = "STREAM", value_parser = number)]
    stream: StreamNumber,
    /// Who: an account as wallets show it, or an address of 0x and 40 hex digits. Takes the place of the delegate before.
    #[arg(long, value_name = "ACCOUNT", required_unless_present = "none", requires = "rights")]
    to: Option<Party>,
    /// What it may do, with commas.
    #[arg(long, value_enum, value_name = "RIGHTS", value_delimiter = ',')]
    rights: Vec<Right>,
    /// With the right to adjust: the highest rate that it may set, such as 4usdc/hour.
    #[arg(long, value_name = "AMOUNT/TIME", requires = "rights")]
    rate_cap: Option<Rate>,
    /// Nobody.
    #[arg(long, conflicts_with_all = ["to", "rights", "rate_cap"])]
    none: bool,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
    #[command(flatten)]
    confirm: Confirm,
}

impl Delegate {
    pub async fn run(self) -> Answer {
        let usage = |text: &str| Err(Failure::Usage(text.to_owned()).into());
        if self.rights.contains(&Right::Adjust) != self.rate_cap.is_some() {
            return usage("expected --rate-cap and the right to adjust together: without a cap, no rate may be set");
        }
        let network = self.network.connect().await?;
        let number = self.stream;
        let coin = View::read(&network, number, network.head().await?).await?.coin;
        let account = self.key.account(&network.deployment)?;
        let payer = Payer::new(network.chain.clone(), account.signer, account.vouchers);
        let mut cap = 0;
        if let Some(rate) = &self.rate_cap {
            let (scaled, of) = network.rate(rate).await?;
            if of != coin {
                return usage(&format!("--rate-cap: stream {number} pays {}, given a rate in {}", coin.name, of.name));
            }
            cap = scaled;
        }
        match &self.to {
            None => payer.set_stream_delegate(number, None).await?,
            Some(to) => {
                let rights = self.rights.iter().fold(0, |bits, right| bits | right.bit());
                let delegate = StreamDelegate { address: to.address(), rights, rate_cap_per_second_scaled: cap };
                let up_to = if cap > 0 { format!(", up to {}", per_hour(cap, &coin)) } else { String::new() };
                let names = Right::names(rights).join(", ");
                self.confirm.ask(&format!("Let {} {names}{up_to} stream {number} for its payer", delegate.address))?;
                payer.set_stream_delegate(number, Some(&delegate)).await?
            }
        };
        View::after(&network, number).await
    }
}
