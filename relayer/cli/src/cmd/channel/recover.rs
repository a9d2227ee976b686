//! `rivulet channel recover`

use super::{Answer, view::View};
use crate::{
    account::KeyArgs,
    kept::Purser,
    network::{NetworkArgs, RelayerArgs},
    told::{Told, table},
};
use anyhow::Context;
use clap::Args;
use rivulet_client::Session;
use serde_json::{Value, json};
use std::sync::Arc;

/// Finds channels that this computer does not know of: an open that was cut off, or all of them after everything but the key was lost.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet channel recover
      finds what an open that was cut off left behind, or every open channel of this key
  rivulet channel recover --from-block 1200000 --offline
      from a block on, without asking a relayer for the last total

Totals come from the relayer's best vouchers, and only when this very key signed them. Sites and limits are not on the chain: set them again
by 'rivulet channel limit'.")]
pub struct Recover {
    /// The first block to look at. [default: where the open was cut off, or where the contracts begin]
    #[arg(long, value_name = "NUMBER")]
    from_block: Option<u64>,
    /// Asks no relayer: totals begin at what was claimed. A relayer that has more says so at the next payment.
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    relayer: RelayerArgs,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
}

impl Recover {
    pub async fn run(self) -> Answer {
        let network = self.network.connect().await?;
        let relayer = if self.offline { None } else { Some(network.relayer(&self.relayer).await?) };
        let purser = Purser::open(&network, self.key.account(&network.deployment)?)?;
        let from = self.from_block.or_else(|| purser.cut_off()).unwrap_or(0);
        let found = purser.payer.find_opened(from).await.context("cannot read the chain's blocks; an archive node has them all")?;
        let mut news = Vec::new();
        for channel in &found {
            if purser.purse.get(channel.id).is_none() {
                purser.purse.add(channel, &channel.terms.payee.to_string())?;
                news.push(channel);
            }
        }
        purser.end_open()?;
        let (payer, purse) = (purser.payer.address(), Arc::new(purser.purse));
        if let Some(relayer) = relayer {
            let session = Session::new(purse.clone(), relayer);
            for channel in &news {
                session.resume(channel.id).await.with_context(|| format!("channel {}: cannot learn its last total", channel.number()))?;
            }
        }
        let head = network.head().await?;
        let (mut rows, mut list) = (vec![View::head()], Vec::<Value>::new());
        for channel in &news {
            if let Some(view) = View::read(&network, channel.number(), purse.get(channel.id), head).await? {
                rows.push(view.row());
                list.push(view.json());
            }
        }
        let text = if list.is_empty() { format!("nothing is lost: every open channel of {payer} is known here") } else { table(&rows) };
        Ok(Told::new(json!({ "payer": payer.to_string(), "recovered": list }), text))
    }
}
