//! `rivulet channel limit`

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
use rivulet_client::{Limits, PeriodLimit};
use rivulet_core::ids::ChannelNumber;

/// Sets what may be spent at a channel's site, or what the site is called. Kept on this computer and nowhere else.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet channel limit 3/0 --limit-per-day 2usdc
      never more than 2 USDC on one day (UTC), whatever a program asks for; a limit in all stays as it was
  rivulet channel limit 3/0 --site news.example --limit 20usdc
      after 'rivulet channel recover', which knows no sites: its name, and the most in all
  rivulet channel limit 3/0 --none
      no limits any more

Limits are by site and token: they hold for all of the account's channels with the same site. What was spent before counts.")]
pub struct Limit {
    /// Which channel.
    #[arg(value_name = "CHANNEL", value_parser = number)]
    channel: ChannelNumber,
    /// What to call the site that is paid.
    #[arg(long, value_name = "NAME")]
    site: Option<String>,
    /// The most that may be spent at the site in all.
    #[arg(long, value_name = "AMOUNT", required_unless_present_any = ["site", "limit_per_day", "none"])]
    limit: Option<Amount>,
    /// The most that may be spent at the site on one day (UTC).
    #[arg(long, value_name = "AMOUNT")]
    limit_per_day: Option<Amount>,
    /// No limits.
    #[arg(long, conflicts_with_all = ["limit", "limit_per_day"])]
    none: bool,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
    #[command(flatten)]
    confirm: Confirm,
}

/// True when one of them allows what the other did not.
fn is_looser(before: &Limits, after: &Limits) -> bool {
    let more = |before: Option<u128>, after: Option<u128>| before.is_some_and(|before| after.is_none_or(|after| after > before));
    more(before.total, after.total) || more(before.per_period.map(|p| p.amount), after.per_period.map(|p| p.amount))
}

impl Limit {
    pub async fn run(self) -> Answer {
        let network = self.network.connect().await?;
        let purser = Purser::open(&network, self.key.account(&network.deployment)?)?;
        let kept = purser.get(self.channel)?;
        let (channel, coin) = (kept.channel, network.coin_of(&kept.channel.terms.token));
        let site = self.site.clone().unwrap_or_else(|| kept.site.clone());
        let mut limits = if self.none { Limits::default() } else { purser.purse.limits(&site, coin.token) };
        for (given, of) in [(&self.limit, "--limit"), (&self.limit_per_day, "--limit-per-day")] {
            let Some(given) = given else { continue };
            let money = network.money(given).await?;
            if money.coin != coin {
                return Err(Failure::Usage(format!("{of}: channel {} pays {}, given {given}", self.channel, coin.name)).into());
            }
            match of {
                "--limit" => limits.total = Some(money.units),
                _ => limits.per_period = Some(PeriodLimit { amount: money.units, secs: 86_400 }),
            }
        }
        if is_looser(&purser.purse.limits(&kept.site, coin.token), &limits) || is_looser(&purser.purse.limits(&site, coin.token), &limits) {
            self.confirm.ask(&format!("Let more be spent at {site} than before"))?;
        }
        purser.purse.set_limits(&site, coin.token, limits)?;
        purser.purse.set_site(channel.id, &site)?;
        Ok(View::of(&network, &purser, &channel).await?.told())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_raised_or_gone_is_looser() {
        let limits = |total, day: Option<u128>| Limits { total, per_period: day.map(|amount| PeriodLimit { amount, secs: 86_400 }) };
        let before = limits(Some(10), Some(2));
        for (after, expected) in [
            (limits(Some(10), Some(2)), false),
            (limits(Some(9), Some(1)), false),
            (limits(Some(11), Some(2)), true),
            (limits(Some(10), None), true),
            (Limits::default(), true),
        ] {
            assert_eq!(is_looser(&before, &after), expected, "{after:?}");
        }
        assert!(!is_looser(&Limits::default(), &before));
    }
}
