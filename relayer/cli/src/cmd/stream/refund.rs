//! `rivulet stream refund`

use super::{Answer, view::View};
use crate::{account::KeyArgs, amount::Amount, failure::Failure, kept::number, network::NetworkArgs};
use clap::Args;
use rivulet_client::{Payer, REFUNDABLE};
use rivulet_core::ids::StreamNumber;
use rivulet_rules::chain::ContractEvent;

/// Takes money out of a stream, back to its payer: what is neither owed nor committed. The stream goes on.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet stream refund 2/0 5usdc
      5 USDC of what is not owed yet
  rivulet stream refund 2/0
      all that is neither owed nor committed; the stream goes on and runs into debt unless more is paid in

By the payer, or a delegate with the right to it; before the end only while the payer may cancel.")]
pub struct Refund {
    /// Which stream.
    #[arg(value_name = "STREAM", value_parser = number)]
    stream: StreamNumber,
    /// How much, with its unit. [default: all that can be]
    #[arg(value_name = "AMOUNT")]
    amount: Option<Amount>,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
}

impl Refund {
    pub async fn run(self) -> Answer {
        let network = self.network.connect().await?;
        let number = self.stream;
        let View { state, balances, coin, .. } = View::read(&network, number, network.head().await?).await?;
        let amount = match &self.amount {
            None => REFUNDABLE,
            Some(amount) => {
                let money = network.payment(amount).await?;
                if money.coin != coin {
                    return Err(Failure::Usage(format!("stream {number} pays {}, given {amount}", coin.name)).into());
                }
                if money.units > balances.refundable {
                    let most = coin.money(balances.refundable);
                    return Err(Failure::Usage(format!("stream {number} has {most} that are neither owed nor committed, given {money}")).into());
                }
                money.units
            }
        };
        let account = self.key.account(&network.deployment)?;
        let payer = Payer::new(network.chain.clone(), account.signer, account.vouchers);
        let report = payer.refund_stream(number, amount).await?;
        let events = network.chain.events_of(&report)?;
        let taken = |event: &ContractEvent| if let ContractEvent::Refunded { amount, .. } = event { Some(*amount) } else { None };
        let refunded = coin.money(events.iter().find_map(taken).unwrap_or(0));
        // A payout that did not go through is the payer's to collect.
        let is_credit = events.iter().any(|event| matches!(event, ContractEvent::Credited { owner, .. } if *owner == state.payer));
        let mut told = View::after(&network, number).await?;
        told.json["refunded"] = refunded.json();
        told.json["credited"] = is_credit.into();
        let how = if is_credit { "are its payer's credit, to be taken by 'rivulet earn collect --of streams'" } else { "came back to its payer" };
        told.text = format!("{refunded} of stream {number} {how}\n{}", told.text);
        Ok(told)
    }
}
