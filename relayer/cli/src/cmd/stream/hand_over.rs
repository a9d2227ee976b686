//! `rivulet stream hand-over`

use super::{Answer, view::View};
use crate::{account::KeyArgs, confirm::Confirm, kept::number, network::NetworkArgs, party::Party};
use clap::Args;
use rivulet_client::Payee;
use rivulet_core::ids::StreamNumber;

/// Gives the payee's side of a stream, with all that is owed, to somebody else.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet stream hand-over 2/0 --to 15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5
      from now on they are paid, what is owed already included; prints the stream's new number
  rivulet stream hand-over 2/0 --to 0x9621dde636de098b43efb0fa9b61facfe328f99d --yes --json
      without asking, for programs

Only where the payer said --transferable, and once a day. The old number is closed; the stream's id stays. To keep what is owed, claim it first.")]
pub struct HandOver {
    /// Which stream.
    #[arg(value_name = "STREAM", value_parser = number)]
    stream: StreamNumber,
    /// Who is paid from now on: an account as wallets show it, or an address of 0x and 40 hex digits.
    #[arg(long, value_name = "ACCOUNT")]
    to: Party,
    /// To an address too behind which no account is known yet, such as an Ethereum key that never received anything.
    #[arg(long)]
    new_payee: bool,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
    #[command(flatten)]
    confirm: Confirm,
}

impl HandOver {
    pub async fn run(self) -> Answer {
        let network = self.network.connect().await?;
        let was = self.stream;
        let View { balances, coin, .. } = View::read(&network, was, network.head().await?).await?;
        let to = self.to.payable(&network, self.new_payee).await?;
        let payee = Payee::new(network.chain.clone(), self.key.account(&network.deployment)?.signer);
        let payee = if self.new_payee { payee.trusting_strangers() } else { payee };
        let owed = coin.money(balances.total_debt);
        self.confirm.ask(&format!("Hand stream {was} over to {to}, with the {owed} that are owed and all that is to come"))?;
        let (number, _) = payee.hand_over_stream(was, &to).await?;
        let mut told = View::after(&network, number).await?;
        told.json["stream"] = number.to_string().into();
        told.json["was"] = was.to_string().into();
        told.text = format!("stream {was} is stream {number} from now on\n{}", told.text);
        Ok(told)
    }
}
