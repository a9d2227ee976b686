//! `rivulet channel open`

use super::{Answer, view::View};
use crate::{
    account::KeyArgs,
    amount::{self, Amount},
    confirm::Confirm,
    failure::Failure,
    kept::Purser,
    network::NetworkArgs,
    party::Party,
};
use clap::Args;
use rivulet_client::{OpenChannel, PeriodLimit};

/// Locks money for a payee, to be paid by signatures.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet channel open --payee 15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5 --deposit 20usdc --site news.example
      20 USDC for a payee; what is not paid comes back when the channel is closed
  rivulet channel open --payee 0x9621dde636de098b43efb0fa9b61facfe328f99d --deposit 5dot --limit 2dot --limit-per-day 0.5dot --yes
      never more than 2 DOT at this site in all, nor 0.5 DOT on one day (UTC), whatever a program asks for

It returns when the block is final. Cut off before, 'rivulet channel recover' finds what was opened.")]
pub struct Open {
    /// Who is paid: an account as wallets show it, or an address of 0x and 40 hex digits.
    #[arg(long, value_name = "ACCOUNT")]
    payee: Party,
    /// The first deposit, with its unit.
    #[arg(long, value_name = "AMOUNT")]
    deposit: Amount,
    /// How long the payee has to claim after a request to close.
    #[arg(long, value_name = "TIME", default_value = "1d", value_parser = amount::secs)]
    challenge_period: u64,
    /// What to call the site that is paid; limits are by site. [default: the payee's address]
    #[arg(long, value_name = "NAME")]
    site: Option<String>,
    /// The most that may be spent at the site in all.
    #[arg(long, value_name = "AMOUNT")]
    limit: Option<Amount>,
    /// The most that may be spent at the site on one day (UTC).
    #[arg(long, value_name = "AMOUNT")]
    limit_per_day: Option<Amount>,
    /// Pays an address too behind which no account is known yet, such as an Ethereum key that never received anything.
    #[arg(long)]
    new_payee: bool,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
    #[command(flatten)]
    confirm: Confirm,
}

impl Open {
    pub async fn run(self) -> Answer {
        let network = self.network.connect().await?;
        let money = network.payment(&self.deposit).await?;
        let mut limits = Vec::new();
        for (given, of) in [(&self.limit, "--limit"), (&self.limit_per_day, "--limit-per-day")] {
            let Some(given) = given else { continue };
            let limit = network.money(given).await?;
            if limit.coin != money.coin {
                return Err(Failure::Usage(format!("{of}: expected {}, as the deposit, given {given}", money.coin.name)).into());
            }
            limits.push((of, limit.units));
        }
        let challenge_period_secs = u32::try_from(self.challenge_period).map_err(|_| Failure::Usage("--challenge-period is too long".into()))?;
        let payee = self.payee.payable(&network, self.new_payee).await?;
        let account = self.key.account(&network.deployment)?;
        let mut purser = Purser::open(&network, account)?;
        if self.new_payee {
            purser.payer = purser.payer.paying_strangers();
        }
        self.confirm.ask(&format!("Lock {money} of {} for {payee} on {}", purser.payer.address(), network.deployment.network))?;

        let site = self.site.unwrap_or_else(|| payee.to_string());
        if !limits.is_empty() {
            // One that is not given stays as it was.
            let mut of_site = purser.purse.limits(&site, money.coin.token);
            for (of, amount) in limits {
                match of {
                    "--limit" => of_site.total = Some(amount),
                    _ => of_site.per_period = Some(PeriodLimit { amount, secs: 86_400 }),
                }
            }
            purser.purse.set_limits(&site, money.coin.token, of_site)?;
        }
        let wanted = OpenChannel { payee, token: money.coin.token, challenge_period_secs, amount: money.units };
        let noted = purser.begin_open(network.head().await?.block.number)?;
        let opened = purser.payer.open(&wanted).await;
        // Out of reach, it may have been sent: the note stays.
        let may_be_open = opened.as_ref().is_err_and(|e| matches!(e, rivulet_client::Error::Chain(rivulet_chain::Error::Unavailable(_))));
        if let Ok(channel) = &opened {
            purser.purse.add(channel, &site)?;
        }
        if noted && !may_be_open {
            purser.end_open()?;
        }
        let channel = opened?;
        Ok(View::of(&network, &purser, &channel).await?.told())
    }
}
