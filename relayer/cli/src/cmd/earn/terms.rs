//! `rivulet earn terms`

use super::Answer;
use crate::{
    account::KeyArgs,
    amount::{self, Amount},
    confirm::Confirm,
    failure::Failure,
    network::NetworkArgs,
    party::Party,
    told::Told,
};
use clap::{Args, ValueEnum};
use rivulet_client::Payee;
use rivulet_core::fee::RelayTerms;
use rivulet_rules::{chain::ContractKind, statement::time_text};
use serde_json::json;

/// Sets what a relayer may earn for carrying vouchers, or for claiming streams. Without terms, it does so for nothing or not at all.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet earn terms --token usdc --relayer-account 0x9621dde636de098b43efb0fa9b61facfe328f99d --fee-bps 100 --min-gain 0.01usdc --for 90d
      one percent of what each claim of a channel gains, nothing below a cent; for 90 days they cannot be worsened for the relayer
  rivulet earn terms --of streams --token usdc --relayer-account 0x9621dde636de098b43efb0fa9b61facfe328f99d --fee-bps 50 --flat 0.001usdc --for 30d --yes
      for streams, half a percent and a tenth of a cent a claim

A relayer's account is relayer.address of its /v1/info.")]
pub struct Terms {
    /// For which contract.
    #[arg(long, value_enum, default_value_t = Of::Channels)]
    of: Of,
    /// In which token.
    #[arg(long, value_name = "NAME")]
    token: String,
    /// Who earns the fee, whoever submits.
    #[arg(long, value_name = "ACCOUNT")]
    relayer_account: Party,
    /// Hundredths of a percent of what a row gains.
    #[arg(long, value_name = "BPS", default_value_t = 0)]
    fee_bps: u16,
    /// Added for each row.
    #[arg(long, value_name = "AMOUNT")]
    flat: Option<Amount>,
    /// A row that gains less pays no fee.
    #[arg(long, value_name = "AMOUNT")]
    min_gain: Option<Amount>,
    /// How long they hold.
    #[arg(long = "for", value_name = "TIME", value_parser = amount::secs)]
    lasts: u64,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
    #[command(flatten)]
    confirm: Confirm,
}

/// Which contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Of {
    /// Payment channels.
    Channels,
    /// Per-second streams.
    Streams,
}

impl Of {
    /// The same, as the chain's crate has it.
    pub fn kind(self) -> ContractKind {
        match self {
            Self::Channels => ContractKind::Channels,
            Self::Streams => ContractKind::Streams,
        }
    }
}

impl Terms {
    pub async fn run(self) -> Answer {
        let network = self.network.connect().await?;
        let coin = network.coin(&self.token)?;
        let mut figures = [0; 2];
        for (figure, (given, of)) in figures.iter_mut().zip([(&self.flat, "--flat"), (&self.min_gain, "--min-gain")]) {
            let Some(given) = given else { continue };
            let money = network.money(given).await?;
            if money.coin != coin {
                return Err(Failure::Usage(format!("{of}: expected {}, given {given}", coin.name)).into());
            }
            *figure = money.units;
        }
        let [flat_fee, min_gain] = figures;
        let beneficiary = self.relayer_account.payable(&network, true).await?;
        let until = network.head().await?.now.saturating_add(self.lasts);
        let terms = RelayTerms { beneficiary, fee_bps: self.fee_bps, flat_fee, min_gain, until };
        let payee = Payee::new(network.chain.clone(), self.key.account(&network.deployment)?.signer);
        let (flat, least) = (coin.money(flat_fee), coin.money(min_gain));
        let text = format!("{} bps and {flat} a row, from {least} on, to {beneficiary} until {}", self.fee_bps, time_text(until));
        self.confirm.ask(&format!("Let relayers earn, in {}, {text}", coin.name))?;
        payee.set_terms(self.of.kind(), &coin.token, &terms).await?;
        let json = json!({
            "payee": payee.address().to_string(), "token": coin.name, "beneficiary": beneficiary.to_string(), "fee_bps": self.fee_bps,
            "flat_fee": flat.json(), "min_gain": least.json(), "until": until,
        });
        Ok(Told::new(json, format!("relayers earn {text}")))
    }
}
