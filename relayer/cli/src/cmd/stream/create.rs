//! `rivulet stream create`

use super::{Answer, view::View};
use crate::{
    account::KeyArgs,
    amount::{self, Amount, Coin, Money, Rate, per_hour},
    confirm::Confirm,
    failure::Failure,
    hint,
    network::{Network, NetworkArgs},
    party::Party,
    when::When,
};
use clap::Args;
use rivulet_client::{CreateStream, Payer};
use rivulet_core::{
    error::Error,
    stream::{
        Flags, Schedule,
        schedule::{SCALE, Stated},
    },
};
use rivulet_rules::statement::{Date, time_text};

/// Creates a stream: money by the second, open-ended or a total by an end.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet stream create --payee 15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5 --rate 3usdc/hour --deposit 20usdc
      3 USDC an hour from now on, until it is cancelled or the 20 are used up
  rivulet stream create --payee 15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5 --total 900usdc --for 30d --final
      900 USDC over 30 days, paid in now, that cannot be taken back
  rivulet stream create --payee 0x9621dde636de098b43efb0fa9b61facfe328f99d --total 1200dot --until 2030-12-31 --memo 'grant 7' --yes
      up to the end of a day (UTC), with a reference for the payee's books
  rivulet stream create --payee 0x9621dde636de098b43efb0fa9b61facfe328f99d --total 4800usdc --start 2027-01-01 --for 365d --cliff +90d --cliff-amount 1200usdc
      a year from New Year on; nothing for 90 days, then 1200 at once, and the rest by the second
  rivulet stream create --payee 0x9621dde636de098b43efb0fa9b61facfe328f99d --rate 3usdc/hour --deposit 50usdc --start -2h --committed 20usdc
      what flowed in the last two hours is owed at once; 20 of the 50 never come back, whoever cancels when")]
pub struct Create {
    /// Who is paid: an account as wallets show it, or an address of 0x and 40 hex digits.
    #[arg(long, value_name = "ACCOUNT")]
    payee: Party,
    /// How much flows in a time, such as 3usdc/hour.
    #[arg(long, value_name = "AMOUNT/TIME", required_unless_present = "total", conflicts_with = "total")]
    rate: Option<Rate>,
    /// What is paid in all by the end.
    #[arg(long, value_name = "AMOUNT")]
    total: Option<Amount>,
    /// Money paid in now. [default with --total: all of it]
    #[arg(long, value_name = "AMOUNT", required_unless_present = "total")]
    deposit: Option<Amount>,
    /// When it starts, past or future: a day (UTC), a time such as 2027-01-01T09:00:00Z, or so much later or earlier than now, such as +1h or -30d. What would
    /// have flowed since a start in the past is owed at once. [default: now]
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    start: Option<When>,
    /// Nothing is owed before: a day, a time, or so much later than the start, such as +90d.
    #[arg(long, value_name = "WHEN")]
    cliff: Option<When>,
    /// What falls due at the cliff, at once; with --total, a part of it. [default: nothing, the flow begins there]
    #[arg(long, value_name = "AMOUNT", requires = "cliff")]
    cliff_amount: Option<Amount>,
    /// The part of the deposit that you bind: it is the payee's by the end, and when you cancel.
    #[arg(long, value_name = "AMOUNT")]
    committed: Option<Amount>,
    /// It ends so long after its start.
    #[arg(long = "for", value_name = "TIME", value_parser = amount::secs)]
    lasts: Option<u64>,
    /// It ends with this day (UTC).
    #[arg(long, value_name = "DATE", conflicts_with = "lasts")]
    until: Option<Date>,
    /// The payer gives up cancelling: before the end no money comes back.
    #[arg(long = "final")]
    is_final: bool,
    /// The payee may hand its side over to somebody else.
    #[arg(long)]
    transferable: bool,
    /// A reference for the payee's books, at most 32 bytes.
    #[arg(long, value_name = "TEXT")]
    memo: Option<String>,
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

fn usage(text: impl Into<String>) -> anyhow::Error {
    Failure::Usage(text.into()).into()
}

impl Create {
    fn memo(&self) -> anyhow::Result<[u8; 32]> {
        let (text, mut memo) = (self.memo.as_deref().unwrap_or_default(), [0; 32]);
        let room = memo.get_mut(..text.len()).ok_or_else(|| usage(format!("--memo: expected at most 32 bytes, given {}", text.len())))?;
        room.copy_from_slice(text.as_bytes());
        Ok(memo)
    }

    /// An amount in the stream's token; 0 when it is not given.
    async fn in_coin(network: &Network, of: &str, given: Option<&Amount>, coin: &Coin) -> anyhow::Result<Money> {
        let Some(given) = given else { return Ok(coin.money(0)) };
        let money = network.money(given).await?;
        if money.coin != *coin {
            return Err(usage(format!("{of}: expected {}, given {}", coin.name, money.coin.name)));
        }
        Ok(money)
    }

    pub async fn run(self) -> Answer {
        let network = self.network.connect().await?;
        let memo = self.memo()?;
        let (rate, total) = match (&self.rate, &self.total) {
            (Some(rate), _) => (Some(network.rate(rate).await?), None),
            (None, Some(total)) => (None, Some(network.payment(total).await?)),
            (None, None) => return Err(usage("expected --rate or --total")),
        };
        let coin =
            rate.as_ref().map(|(_, coin)| coin).or(total.as_ref().map(|m| &m.coin)).cloned().ok_or_else(|| usage("expected --rate or --total"))?;
        let deposit = match (&self.deposit, &total) {
            (None, Some(total)) => total.clone(),
            (given, _) => Self::in_coin(&network, "--deposit", given.as_ref(), &coin).await?,
        };
        let cliff_amount = Self::in_coin(&network, "--cliff-amount", self.cliff_amount.as_ref(), &coin).await?;
        let committed = Self::in_coin(&network, "--committed", self.committed.as_ref(), &coin).await?;

        let now = network.head().await?.now;
        let start_at = self.start.map(|start| start.on(now));
        let begins_at = start_at.unwrap_or(now);
        let end_at = self.lasts.map(|secs| begins_at.saturating_add(secs)).or(self.until.map(Date::ends_at)).unwrap_or(0);
        if end_at > 0 && end_at <= now {
            return Err(usage(format!("the end, {}, lies in the past", time_text(end_at))));
        }
        let scaled = rate.as_ref().map_or(0, |(scaled, _)| *scaled);
        let mut wanted = CreateStream::open_ended(self.payee.address(), coin.token, scaled, deposit.units);
        wanted.total_units = total.as_ref().map_or(0, |money| money.units);
        // A start that is not given is the block's time, which is not known yet.
        wanted.start_at = start_at.unwrap_or(0);
        wanted.cliff_at = self.cliff.map_or(0, |cliff| cliff.on(begins_at));
        wanted.cliff_units = cliff_amount.units;
        wanted.end_at = end_at;
        wanted.committed_units = committed.units;
        wanted.memo = memo;
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        wanted.flags =
            flag(!self.is_final, Flags::CANCELLABLE) | flag(self.transferable, Flags::TRANSFERABLE) | flag(self.cliff.is_some(), Flags::CLIFF);
        let schedule = check(&wanted, &coin, now)?;
        wanted.payee = self.payee.payable(&network, self.new_payee).await?;
        let account = self.key.account(&network.deployment)?;
        let payer = Payer::new(network.chain.clone(), account.signer, account.vouchers);
        let payer = if self.new_payee { payer.paying_strangers() } else { payer };

        let flow = total.as_ref().map_or_else(|| per_hour(scaled, &coin), |total| format!("{total} in all"));
        let mut parts =
            vec![format!("Stream {flow} to {}, paying in {deposit} of {}, on {}", wanted.payee, payer.address(), network.deployment.network)];
        parts.extend(start_at.map(|at| format!("from {} on", time_text(at))));
        parts.extend(schedule.cliff.map(|cliff| format!("{cliff_amount} at {} and nothing before", time_text(cliff.at))));
        parts.extend((end_at > 0).then(|| format!("until {}", time_text(end_at))));
        let owed = owed_at(&schedule, now);
        parts.extend((owed > 0).then(|| format!("{} of it owed at once", coin.money(owed))));
        parts.extend((committed.units > 0).then(|| format!("{committed} of the deposit never to come back")));
        parts.extend(self.is_final.then(|| "never to be cancelled by you".to_owned()));
        self.confirm.ask(&parts.join(", "))?;
        let stream = payer.create_stream(&wanted).await?;
        View::after(&network, stream.number).await
    }
}

/// Refuses, in words, what the contract would refuse. The schedule as it would be if the next block were this one.
fn check(wanted: &CreateStream, coin: &Coin, now: u64) -> anyhow::Result<Schedule> {
    let stated = Stated {
        rate_per_second_scaled: wanted.rate_per_second_scaled,
        total: wanted.total_units,
        start_at: wanted.start_at,
        cliff_at: wanted.cliff_at,
        cliff_amount: wanted.cliff_units,
        end_at: wanted.end_at,
        flags: wanted.flags,
    };
    if wanted.committed_units > wanted.deposit_units {
        return Err(usage(format!("--committed: expected at most the deposit, {}", coin.money(wanted.deposit_units))));
    }
    if wanted.total_units > 0 && wanted.committed_units > wanted.total_units {
        return Err(usage(format!("--committed: expected at most the total, {}", coin.money(wanted.total_units))));
    }
    stated.check(&coin.token, now).map(|(schedule, _)| schedule).map_err(|e| match e {
        Error::BadSchedule { reason } => usage(hint::schedule(reason)),
        Error::BadRate { max_scaled, .. } => usage(format!("expected a rate of at most {}", per_hour(max_scaled, coin))),
        e => usage(format!("the contract would refuse it: {e:?}")),
    })
}

/// What a stream of this schedule owes at a time, as if it had always been there.
fn owed_at(schedule: &Schedule, now: u64) -> u128 {
    let from = schedule.flow_start();
    let flowed = schedule.rate_per_second_scaled.saturating_mul(now.min(schedule.flow_end()).saturating_sub(from).into()) / SCALE;
    let at_cliff = schedule.cliff.filter(|cliff| cliff.at <= now).map_or(0, |cliff| cliff.amount);
    flowed.saturating_add(at_cliff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rivulet_core::ids::Address;

    const NOW: u64 = 1_800_000_000;

    fn coin() -> Coin {
        Coin { name: "usdc".into(), token: Address([3; 20]), decimals: 6 }
    }

    #[test]
    fn what_is_owed_at_once_is_known_before_anybody_is_asked() {
        let hour = CreateStream::open_ended(Address([1; 20]), coin().token, 1_000 * SCALE, 9_000_000);
        let owed = |wanted: CreateStream| owed_at(&check(&wanted, &coin(), NOW).unwrap(), NOW);
        assert_eq!(owed(hour), 0);
        assert_eq!(owed(CreateStream { start_at: NOW - 60, ..hour }), 60_000);
        assert_eq!(owed(CreateStream { start_at: NOW + 60, ..hour }), 0);
        let cliff = CreateStream { start_at: NOW - 60, cliff_at: NOW - 10, cliff_units: 7, flags: Flags::CLIFF, ..hour };
        assert_eq!(owed(cliff), 10_007);
        assert_eq!(owed(CreateStream { cliff_at: NOW + 1, ..cliff }), 0);
    }

    #[test]
    fn what_the_contract_would_refuse_is_said_by_the_options_names() {
        let hour = CreateStream::open_ended(Address([1; 20]), coin().token, 1_000 * SCALE, 9_000_000);
        let total = CreateStream::of_total(Address([1; 20]), coin().token, 1_000_000, NOW + 3_600);
        for (wanted, expected) in [
            (CreateStream { committed_units: 9_000_001, ..hour }, "--committed: expected at most the deposit, 9 usdc"),
            (CreateStream { committed_units: 1_000_001, deposit_units: 2_000_000, ..total }, "--committed: expected at most the total, 1 usdc"),
            (CreateStream { end_at: 0, ..total }, "expected --for or --until"),
            (CreateStream { start_at: 1, ..hour }, "--start: expected at most 68 years"),
            (CreateStream { cliff_at: NOW - 1, flags: Flags::CLIFF, ..hour }, "--cliff: expected at or after the start"),
            (CreateStream { cliff_at: NOW + 9_999, flags: Flags::CLIFF, ..total }, "--cliff: expected at or before the end"),
            (CreateStream { cliff_at: NOW, cliff_units: 1_000_001, flags: Flags::CLIFF, ..total }, "--cliff-amount: expected at most the --total"),
            (CreateStream { rate_per_second_scaled: u128::MAX, ..hour }, "expected a rate of at most"),
        ] {
            let refused = check(&wanted, &coin(), if wanted.start_at == 1 { 1 << 32 } else { NOW }).unwrap_err().to_string();
            assert!(refused.contains(expected), "{refused}");
        }
    }
}
