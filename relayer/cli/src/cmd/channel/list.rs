//! `rivulet channel list`

use super::{Answer, view::View};
use crate::{
    account::KeyArgs,
    kept::Purser,
    network::NetworkArgs,
    told::{Told, table},
};
use clap::Args;
use serde_json::{Value, json};

/// Lists the account's channels with what was paid from each.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet channel list
      the open ones
  rivulet channel list --all --json
      those that have ended too, for programs")]
pub struct List {
    /// Those that have ended too.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
}

impl List {
    pub async fn run(self) -> Answer {
        let network = self.network.connect().await?;
        let purser = Purser::open(&network, self.key.account(&network.deployment)?)?;
        let mut kept = purser.purse.channels();
        kept.sort_by_key(|kept| kept.channel.number());
        let (mut rows, mut list) = (vec![View::head()], Vec::<Value>::new());
        for kept in kept {
            let view = View::of(&network, &purser, &kept.channel).await?;
            if self.all || view.state().is_some() {
                rows.push(view.row());
                list.push(view.json());
            }
        }
        let mut text = if list.is_empty() { format!("no channels of {}", purser.payer.address()) } else { table(&rows) };
        if purser.cut_off().is_some() {
            text += "\nan open was cut off: 'rivulet channel recover' finds what became of it";
        }
        let json = json!({ "payer": purser.payer.address().to_string(), "channels": list, "cut_off": purser.cut_off().is_some() });
        Ok(Told::new(json, text))
    }
}
