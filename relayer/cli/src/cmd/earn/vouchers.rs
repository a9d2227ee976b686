//! `rivulet earn vouchers`

use super::Answer;
use crate::{
    account::KeyArgs,
    network::{NetworkArgs, RelayerArgs},
    party::Party,
    told::Told,
};
use clap::Args;

/// Prints the best voucher of each channel that a relayer has: kept, they can be claimed without it one day.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  rivulet earn vouchers > vouchers.json
      to be kept; should the relayer vanish: 'rivulet earn claim --vouchers vouchers.json'")]
pub struct Vouchers {
    /// Whose. [default: the account's own]
    #[arg(long, value_name = "ACCOUNT")]
    payee: Option<Party>,
    #[command(flatten)]
    relayer: RelayerArgs,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
}

impl Vouchers {
    pub async fn run(self) -> Answer {
        let network = self.network.connect().await?;
        let payee = match &self.payee {
            Some(party) => party.address(),
            None => self.key.account(&network.deployment)?.signer.address(),
        };
        let vouchers = serde_json::to_value(network.relayer(&self.relayer).await?.vouchers_of(&payee).await?)?;
        Ok(Told::new(vouchers.clone(), format!("{vouchers:#}")))
    }
}
