//! `rivulet stream claim`

use super::{Answer, view::View};
use crate::{account::KeyArgs, amount::Amount, failure::Failure, kept::number, network::NetworkArgs, party::Party, told::Told};
use clap::Args;
use rivulet_client::{ALL, Payee};
use rivulet_core::ids::StreamNumber;
use rivulet_rules::chain::ContractEvent;
use serde_json::json;

/// Takes what has flowed, as the payee; anybody may do so for the payee.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet stream claim 2/0
      everything that has flowed and is covered
  rivulet stream claim 2/0 --amount 5usdc --to 0x0123456789abcdef0123456789abcdef01234567
      a part of it, to another address: the payee alone may say so")]
pub struct Claim {
    /// Which stream.
    #[arg(value_name = "STREAM", value_parser = number)]
    stream: StreamNumber,
    /// How much. [default: all]
    #[arg(long, value_name = "AMOUNT")]
    amount: Option<Amount>,
    /// Where to. [default: the payee]
    #[arg(long, value_name = "ACCOUNT")]
    to: Option<Party>,
    /// To an address too behind which no account is known yet, such as an Ethereum key that never received anything.
    #[arg(long, requires = "to")]
    new_payee: bool,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
}

impl Claim {
    pub async fn run(self) -> Answer {
        let network = self.network.connect().await?;
        let number = self.stream;
        let View { state, coin, .. } = View::read(&network, number, network.head().await?).await?;
        let amount = match &self.amount {
            None => ALL,
            Some(amount) => {
                let money = network.money(amount).await?;
                if money.coin != coin {
                    return Err(Failure::Usage(format!("stream {number} pays {}, given {amount}", coin.name)).into());
                }
                money.units
            }
        };
        let to = match &self.to {
            Some(party) => party.payable(&network, self.new_payee).await?,
            None => state.payee,
        };
        let payee = Payee::new(network.chain.clone(), self.key.account(&network.deployment)?.signer);
        let report = payee.claim_stream(number, amount, &to).await?;
        let events = network.chain.events_of(&report)?;
        let (gain, fee) = events
            .iter()
            .find_map(|e| match e {
                ContractEvent::Claimed { gain, fee, .. } => Some((*gain, *fee)),
                _ => None,
            })
            .unwrap_or((0, 0));
        // A payout that did not go through is the payee's to collect.
        let is_credit = events.iter().any(|e| matches!(e, ContractEvent::Credited { .. }));
        let (gained, fee) = (coin.money(gain), coin.money(fee));
        let json = json!({
            "stream": number.to_string(), "claimed": gained.json(), "relay_fee": fee.json(), "to": to.to_string(), "credited": is_credit,
            "block": report.block.number,
        });
        let credit = if is_credit { ": kept as credit, collect it by 'rivulet earn collect'" } else { "" };
        Ok(Told::new(json, format!("claimed {gained} from stream {number} for {to}, {fee} of it relay fee{credit}")))
    }
}
