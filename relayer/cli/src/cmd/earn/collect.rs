//! `rivulet earn collect`

use super::{Answer, terms::Of};
use crate::{account::KeyArgs, failure::Failure, network::NetworkArgs, party::Party, told::Told};
use clap::Args;
use rivulet_client::Payee;
use serde_json::json;

/// Takes credit: what a payout that did not go through has left.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  rivulet earn collect --token dot --of channels
      all of it, to the account")]
pub struct Collect {
    /// Of which contract.
    #[arg(long, value_enum, default_value_t = Of::Channels)]
    of: Of,
    /// In which token.
    #[arg(long, value_name = "NAME")]
    token: String,
    /// Where to. [default: the account itself]
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

impl Collect {
    pub async fn run(self) -> Answer {
        let network = self.network.connect().await?;
        let coin = network.coin(&self.token)?;
        let payee = Payee::new(network.chain.clone(), self.key.account(&network.deployment)?.signer);
        let to = match &self.to {
            Some(party) => party.payable(&network, self.new_payee).await?,
            None => payee.address(),
        };
        let credit = network.chain.credit_of(self.of.kind(), &payee.address(), &coin.token, network.head().await?.block).await?;
        if credit == 0 {
            return Err(Failure::NotFound(format!("{} has no credit in {}", payee.address(), coin.name)).into());
        }
        payee.collect(self.of.kind(), &coin.token, &to).await?;
        let money = coin.money(credit);
        Ok(Told::new(json!({ "collected": money.json(), "to": to.to_string() }), format!("collected {money} to {to}")))
    }
}
