//! `rivulet stream topup`

use super::{Answer, view::View};
use crate::{account::KeyArgs, amount::Amount, confirm::Confirm, failure::Failure, kept::number, network::NetworkArgs};
use clap::Args;
use rivulet_client::{Payer, Stream};
use rivulet_core::ids::StreamNumber;

/// Puts more into a stream, one's own or another's.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  rivulet stream topup 2/0 20usdc
      20 USDC more; what was owed and not covered is covered first")]
pub struct Topup {
    /// Which stream.
    #[arg(value_name = "STREAM", value_parser = number)]
    stream: StreamNumber,
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
        let View { state, coin, .. } = View::read(&network, self.stream, network.head().await?).await?;
        if money.coin != coin {
            return Err(Failure::Usage(format!("stream {} pays {}, given {}", self.stream, coin.name, self.amount)).into());
        }
        let account = self.key.account(&network.deployment)?;
        let payer = Payer::new(network.chain.clone(), account.signer, account.vouchers);
        self.confirm.ask(&format!("Pay {money} into stream {}, to {}", self.stream, state.payee))?;
        let stream = Stream { number: state.number, id: state.stream_id, payer: state.payer, payee: state.payee, token: state.token };
        payer.top_up_stream(&stream, money.units).await?;
        View::after(&network, self.stream).await
    }
}
