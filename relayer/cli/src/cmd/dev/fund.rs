//! `rivulet dev fund`

use crate::{
    amount::Amount,
    failure::Failure,
    network::{NetworkArgs, is_dev},
    party::Party,
    told::Told,
};
use clap::Args;
use rivulet_chain::{Lane, Signer, account::account_of, deploy::asset_id};
use rivulet_rules::chain::WEI_PER_PLANCK;
use serde_json::json;

/// Gives an account money of a development network.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet dev fund me
      100 DOT and 100 USDC for the key of this name
  rivulet dev fund 0x0123456789abcdef0123456789abcdef01234567 5dot 20usdt
      for a browser wallet's address")]
pub struct Fund {
    /// Whom: a key's name, an account as wallets show it, or an address of 0x and 40 hex digits.
    #[arg(value_name = "ACCOUNT")]
    to: Party,
    /// How much, each with its unit.
    #[arg(value_name = "AMOUNT", default_values = ["100dot", "100usdc"])]
    amounts: Vec<Amount>,
    #[command(flatten)]
    pub network: NetworkArgs,
}

/// Has a million of everything there, and nobody else sends its transactions.
const GIVER: &str = "//Ferdie";

impl Fund {
    pub async fn run(self) -> anyhow::Result<Told> {
        let network = self.network.connect().await?;
        if !is_dev(&network.deployment) {
            let why = format!("{} is no development network: nobody gives money away there", network.deployment.network);
            return Err(Failure::Usage(why).into());
        }
        let account = match self.to {
            Party::Account(account) | Party::Known(account) => account,
            Party::Address(address) => account_of(&address),
        };
        let lane = Lane::new(network.chain.node().clone(), Signer::from_uri(GIVER)?);
        let (node, block) = (lane.node(), network.head().await?.block);
        let (mut calls, mut given) = (Vec::new(), Vec::new());
        for amount in &self.amounts {
            let money = network.payment(amount).await?;
            calls.push(match asset_id(&money.coin.token) {
                Some(id) => node.assets_transfer(block, id, &account, money.units).await?,
                // An amount has no digit below a planck.
                None => node.transfer(block, &account, money.units / WEI_PER_PLANCK).await?,
            });
            given.push(money);
        }
        lane.send(&node.batch_all(block, &calls).await?).await?.success().await?;
        let (list, text): (Vec<_>, Vec<_>) = given.iter().map(|money| (money.json(), money.to_string())).unzip();
        Ok(Told::new(json!({ "to": self.to.address().to_string(), "given": list }), format!("{} given to {}", text.join(" and "), self.to.address())))
    }
}
