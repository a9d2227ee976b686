//! `rivulet stream create`

use super::{Answer, view::View};
use crate::{
    account::KeyArgs,
    amount::{self, Amount, Rate, per_hour},
    confirm::Confirm,
    failure::Failure,
    network::NetworkArgs,
    party::Party,
};
use clap::Args;
use rivulet_client::{CreateStream, Payer};
use rivulet_core::stream::Flags;
use rivulet_rules::statement::Date;

/// Creates a stream: money by the second, open-ended or a total by an end.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet stream create --payee 15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5 --rate 3usdc/hour --deposit 20usdc
      3 USDC an hour from now on, until it is cancelled or the 20 are used up
  rivulet stream create --payee 15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5 --total 900usdc --for 30d --final
      900 USDC over 30 days, paid in now, that cannot be taken back
  rivulet stream create --payee 0x9621dde636de098b43efb0fa9b61facfe328f99d --total 1200dot --until 2030-12-31 --memo 'grant 7' --yes
      up to the end of a day (UTC), with a reference for the payee's books")]
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
    /// It ends after this time.
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
            (Some(deposit), _) => network.money(deposit).await?,
            (None, Some(total)) => total.clone(),
            (None, None) => return Err(usage("expected --deposit")),
        };
        if deposit.coin != coin {
            return Err(usage(format!("--deposit: expected {}, given {}", coin.name, deposit.coin.name)));
        }
        let now = network.head().await?.now;
        let end_at = self.lasts.map(|secs| now.saturating_add(secs)).or(self.until.map(Date::ends_at)).unwrap_or(0);
        if total.is_some() && end_at == 0 {
            return Err(usage("--total: expected --for or --until: when all of it is paid"));
        }
        if end_at > 0 && end_at <= now {
            return Err(usage("the end lies in the past"));
        }
        let payee = self.payee.payable(&network).await?;
        let account = self.key.account(&network.deployment)?;
        let payer = Payer::new(network.chain.clone(), account.signer, account.vouchers);
        let payer = if self.new_payee { payer.paying_strangers() } else { payer };

        let scaled = rate.as_ref().map_or(0, |(scaled, _)| *scaled);
        let mut wanted = CreateStream::open_ended(payee, coin.token, scaled, deposit.units);
        wanted.total_units = total.as_ref().map_or(0, |money| money.units);
        wanted.end_at = end_at;
        wanted.memo = memo;
        wanted.flags = if self.is_final { 0 } else { Flags::CANCELLABLE } | if self.transferable { Flags::TRANSFERABLE } else { 0 };
        let flow = total.map_or_else(|| per_hour(scaled, &coin), |total| format!("{total} in all"));
        let from = payer.address();
        self.confirm.ask(&format!("Stream {flow} to {payee}, paying in {deposit} of {from}, on {}", network.deployment.network))?;
        let stream = payer.create_stream(&wanted).await?;
        Ok(View::read(&network, stream.number, network.head().await?).await?.told())
    }
}
