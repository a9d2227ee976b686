//! `rivulet channel pay`

use super::Answer;
use crate::{
    account::KeyArgs,
    amount::{Amount, Coin},
    confirm::Confirm,
    failure::Failure,
    kept::{Purser, number},
    network::{NetworkArgs, RelayerArgs},
    told::Told,
};
use anyhow::Context;
use clap::Args;
use rivulet_client::{Error as ClientError, Paid, Session};
use rivulet_core::ids::ChannelNumber;
use rivulet_rules::chain::ChannelView;
use serde_json::{Value, json};

/// Pays from a channel: signs a voucher and hands it to a relayer. No transaction, no fee.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet channel pay 3/0 0.10usdc
      ten cents from channel 3/0
  rivulet channel pay 3/0 0.10usdc --purchase 'article 7' --yes
      the same, safe to repeat: the same purchase is never paid twice in a row
  rivulet channel pay 3/0 --pending
      hands over again what a lost answer, or a crash, left unknown

When it returns, the relayer has the voucher on its disk.")]
pub struct Pay {
    /// Which channel, as 'rivulet channel list' shows it.
    #[arg(value_name = "CHANNEL", value_parser = number)]
    channel: ChannelNumber,
    /// How much more, with its unit.
    #[arg(value_name = "AMOUNT", required_unless_present = "pending")]
    amount: Option<Amount>,
    /// What is bought. Asked for again by the same name, it is not paid twice.
    #[arg(long, value_name = "NAME")]
    purchase: Option<String>,
    /// Pays nothing new: hands over what is pending.
    #[arg(long, conflicts_with_all = ["amount", "purchase"])]
    pending: bool,
    #[command(flatten)]
    relayer: RelayerArgs,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
    #[command(flatten)]
    confirm: Confirm,
}

impl Pay {
    pub async fn run(self) -> Answer {
        let network = self.network.connect().await?;
        let account = self.key.account(&network.deployment)?;
        let purser = Purser::open(&network, account)?;
        let kept = purser.get(self.channel)?;
        let (number, id, coin) = (self.channel, kept.channel.id, network.coin_of(&kept.channel.terms.token));
        let head = network.head().await?;
        let view = network.chain.channel(number, head.block).await?;
        purser.follow(id, &view, head.now)?;
        if matches!(view, ChannelView::Unknown) {
            let why = "is not on this chain, or its node is behind: if the chain was begun anew, 'rivulet channel open' opens another";
            return Err(Failure::NotFound(format!("channel {number} {why}")).into());
        }
        if self.amount.is_some() && matches!(&view, ChannelView::Live(state) if state.close_due_at.is_some()) {
            // What is signed now could still be claimed, and would buy nothing.
            let open = format!("'rivulet channel open --payee {}' opens another", kept.channel.terms.payee);
            return Err(Failure::Unsafe(format!("channel {number} is closing, and takes no new vouchers: {open}")).into());
        }
        let again = format!("rivulet channel pay {number} --pending");
        let Some(amount) = &self.amount else {
            let session = Session::new(purser.purse, network.relayer(&self.relayer).await?);
            session.flush().await.context("what is pending was not taken")?;
            let now = session.purse().get(id).map_or(0, |kept| kept.accepted);
            let json = json!({ "channel": number.to_string(), "paid": Value::Null, "total": coin.money(now).json() });
            return Ok(Told::new(json, format!("nothing is pending; {} paid from channel {number} in all", coin.money(now))));
        };
        let money = network.payment(amount).await?;
        if money.coin != coin {
            return Err(Failure::Usage(format!("channel {number} pays {}, given {amount}", coin.name)).into());
        }
        // Somebody who repeats a command after an error means the same payment, not another one.
        if let (Some(pending), None) = (&kept.pending, &self.purchase) {
            let was = coin.money(pending.amount);
            return Err(Failure::Unsafe(format!(
                "{was} is pending on channel {number}: settle that first by '{again}'; then pay, if it is another payment"
            ))
            .into());
        }
        let relayer = network.relayer(&self.relayer).await?;
        // By the same name nothing more is promised; while something is pending, that would become the last one first.
        let is_last = |name: &String| kept.last.as_ref().is_some_and(|last| last.name == *name && !name.is_empty());
        if kept.pending.is_some() || !self.purchase.as_ref().is_some_and(is_last) {
            self.confirm.ask(&format!("Pay {money} to {} from channel {number}", kept.site))?;
        }
        let session = Session::new(purser.purse, relayer);
        let purchase = self.purchase.unwrap_or_default();
        let Paid { voucher, receipt } = session.pay(id, money.units, &purchase).await.map_err(|e| {
            let is_pending = session.purse().get(id).is_some_and(|kept| kept.pending.is_some());
            let hint = if is_pending { format!(". It is kept; hand it over again by '{again}'") } else { String::new() };
            in_money(e, &coin, number, session.purse().get(id).map_or(0, |kept| kept.left()))
                .context(format!("{money} was not paid from channel {number}{hint}"))
        })?;
        let left = session.purse().get(id).map_or(0, |kept| kept.left());
        let is_again = voucher.cumulative_amount <= kept.accepted;
        let json = json!({
            "channel": number.to_string(), "paid": money.json(), "total": coin.money(voucher.cumulative_amount).json(), "left": coin.money(left).json(),
            "purchase": purchase, "paid_before": is_again, "voucher": voucher, "receipt": receipt,
        });
        let what = if is_again { format!("{purchase:?} had been paid before: nothing was paid now") } else { format!("paid {money}") };
        Ok(Told::new(json, format!("{what} from channel {number}; {} left", coin.money(left))))
    }
}

/// A refusal of the purse, with amounts as people read them.
pub(in crate::cmd) fn in_money(e: ClientError, coin: &Coin, number: ChannelNumber, left: u128) -> anyhow::Error {
    match e {
        ClientError::BadTotal { .. } => Failure::Unsafe(format!(
            "{} left in it: put more in by 'rivulet channel topup {number} AMOUNT'",
            if left == 0 { "there is nothing".into() } else { format!("there are {}", coin.money(left)) }
        ))
        .into(),
        ClientError::OverLimit { site, limit, spent, wanted, period_secs } => {
            let (limit, spent, wanted) = (coin.money(limit), coin.money(spent), coin.money(wanted));
            let per = match period_secs {
                None => " in all".to_owned(),
                Some(86_400) => " a day (UTC)".to_owned(),
                Some(secs) => format!(" in {secs} seconds"),
            };
            Failure::Unsafe(format!("{site}: {wanted} more than the {spent} spent would pass the limit of {limit}{per}")).into()
        }
        e => e.into(),
    }
}
