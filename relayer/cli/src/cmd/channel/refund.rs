//! `rivulet channel refund`

use super::{
    Answer,
    view::{Asked, View},
    wait_until,
};
use crate::{
    account::KeyArgs,
    amount::Amount,
    failure::Failure,
    kept::{Purser, number},
    network::NetworkArgs,
};
use clap::Args;
use rivulet_core::ids::ChannelNumber;
use rivulet_rules::{chain::ContractEvent, statement::time_text};
use serde_json::Value;

/// Takes a part of a channel's money back and keeps the channel. Like closing, it takes the challenge period, in which the payee can claim.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet channel refund 3/0 5usdc
      asks for 5 USDC that were not paid; from now on nothing is paid from them
  rivulet channel refund 3/0
      takes them, once the challenge period is over; one more period later the request has lapsed
  rivulet channel refund 3/0 5usdc --wait
      both, with the wait in between
  rivulet channel refund 3/0 --cancel
      takes the request back")]
pub struct Refund {
    /// Which channel.
    #[arg(value_name = "CHANNEL", value_parser = number)]
    channel: ChannelNumber,
    /// How much, with its unit: at most what was not paid. Without it, what was asked for before is taken, if it is due.
    #[arg(value_name = "AMOUNT")]
    amount: Option<Amount>,
    /// Waits until the challenge period is over, and takes it.
    #[arg(long)]
    wait: bool,
    /// Takes the request back.
    #[arg(long, conflicts_with_all = ["amount", "wait"])]
    cancel: bool,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
}

impl Refund {
    pub async fn run(self) -> Answer {
        let network = self.network.connect().await?;
        let mut purser = Purser::open(&network, self.key.account(&network.deployment)?)?;
        let channel = purser.get(self.channel)?.channel;
        let (number, coin) = (self.channel, network.coin_of(&channel.terms.token));
        let money = match &self.amount {
            Some(amount) => Some(network.payment(amount).await?),
            None => None,
        };
        if let (Some(money), Some(given)) = (&money, &self.amount)
            && money.coin != coin
        {
            return Err(Failure::Usage(format!("channel {number} pays {}, given {given}", coin.name)).into());
        }
        let view = View::of(&network, &purser, &channel).await?;
        let Some(state) = view.state() else { return Err(Failure::NotFound(format!("channel {number} has ended")).into()) };
        if state.close_due_at.is_some() {
            return Err(
                Failure::Usage(format!("channel {number} is closing: all that is left comes back by 'rivulet channel close {number}'")).into()
            );
        }
        let none = |more: &str| {
            let how = format!("ask for a part by 'rivulet channel refund {number} AMOUNT'");
            Err(Failure::NotFound(format!("nothing is asked back of channel {number}{more}: {how}")).into())
        };
        let before = view.asked();
        if self.cancel {
            if before.is_none() {
                return none("");
            }
            purser.payer.request_refund(&channel, 0).await?;
            return Ok(View::of(&network, &purser, &channel).await?.told());
        }
        match (&money, before) {
            (None, None) => {
                let lapsed = Asked::of(state).map(|asked| format!(" any more, the request lapsed at {}", time_text(asked.lapses_at)));
                return none(&lapsed.unwrap_or_default());
            }
            // Another amount would begin the wait anew: that is not done unless it is said.
            (Some(money), Some(asked)) if money.units != asked.amount => {
                let was = coin.money(asked.amount);
                let how = format!("take that back first, by 'rivulet channel refund {number} --cancel', or go on with it");
                return Err(Failure::Usage(format!("{was} of channel {number} are asked back already, given {money}: {how}")).into());
            }
            (Some(money), None) => {
                // What was promised is the payee's, claimed or not.
                let left = state.deposit.saturating_sub(purser.get(number)?.channel.promised.max(state.claimed));
                if money.units > left {
                    return Err(Failure::Usage(format!("channel {number} has {} that were not paid, given {money}", coin.money(left))).into());
                }
                purser.payer.request_refund(&channel, money.units).await?;
            }
            (_, Some(_)) => {}
        }
        let asked = View::of(&network, &purser, &channel).await?.asked();
        let mut refunded = None;
        if let Some(asked) = asked {
            let mut now = network.head().await?.now;
            if self.wait && now < asked.due_at {
                // The channel pays on meanwhile.
                let payer = purser.payer.clone();
                drop(purser);
                now = wait_until(&network, asked.due_at).await?.now;
                purser = Purser::of(&network, payer)?;
            }
            if now >= asked.due_at {
                let report = purser.payer.finish(&channel).await?;
                let taken = |event| if let ContractEvent::Refunded { amount, .. } = event { Some(amount) } else { None };
                refunded = network.chain.events_of(&report)?.into_iter().find_map(taken).map(|amount| coin.money(amount));
            }
        }
        let mut told = View::of(&network, &purser, &channel).await?.told();
        if let Some(refunded) = &refunded {
            told.text = format!("{refunded} came back\n{}", told.text);
        }
        told.json["refunded"] = refunded.map_or(Value::Null, |money| money.json());
        Ok(told)
    }
}
