//! `rivulet earn claim`

use super::Answer;
use crate::{
    account::KeyArgs,
    failure::Failure,
    network::{NetworkArgs, RelayerArgs},
    told::Told,
};
use anyhow::Context;
use clap::Args;
use rivulet_client::{Claimed, Payee, SignedVoucher};
use rivulet_core::outcome::RowOutcome;
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

/// Claims vouchers without a relayer: from a file, or from what a relayer has.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rivulet earn claim --vouchers vouchers.json
      what was kept by 'rivulet earn vouchers', or what a payer printed by 'rivulet channel show 3/0 --voucher'
  rivulet earn claim
      what the relayer has, now instead of when it is worth its while

What pays nothing any more is not sent. Relay terms hold here too: the fee goes to whom they name.")]
pub struct Claim {
    /// A file with one voucher or a list of them. [default: the relayer's]
    #[arg(long, value_name = "FILE")]
    vouchers: Option<PathBuf>,
    #[command(flatten)]
    relayer: RelayerArgs,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
}

fn read(path: &PathBuf) -> anyhow::Result<Vec<SignedVoucher>> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|e| Failure::Usage(format!("cannot read {shown}: {e}")))?;
    let read = || {
        let value: Value = serde_json::from_str(&text)?;
        let list = if value.is_array() { value } else { Value::Array(vec![value]) };
        serde_json::from_value(list)
    };
    read().map_err(|e: serde_json::Error| Failure::Usage(format!("{shown}: expected a voucher or a list of them: {e}")).into())
}

fn outcome(outcome: RowOutcome) -> &'static str {
    match outcome {
        RowOutcome::Applied => "applied",
        RowOutcome::Capped => "capped",
        RowOutcome::Stale => "stale",
        RowOutcome::BadSignature => "bad_signature",
        RowOutcome::Unknown => "unknown",
        RowOutcome::Closed => "closed",
    }
}

impl Claim {
    pub async fn run(self) -> Answer {
        let network = self.network.connect().await?;
        let payee = Payee::new(network.chain.clone(), self.key.account(&network.deployment)?.signer);
        let vouchers = match &self.vouchers {
            Some(path) => read(path)?,
            None => network.relayer(&self.relayer).await?.vouchers_of(&payee.address()).await?,
        };
        let claimed = payee.claim_all(&vouchers).await.context("the vouchers were not claimed")?;
        let rows: Vec<_> = claimed.iter().map(json_of).collect();
        let paid = claimed.iter().filter(|c| c.total.is_some()).count();
        let lines = claimed.iter().map(|c| format!("channel {}: {}", c.voucher.number, outcome(c.outcome)));
        let text = lines.chain([format!("{paid} of {} channels paid", claimed.len())]).collect::<Vec<_>>().join("\n");
        Ok(Told::new(json!({ "payee": payee.address().to_string(), "paid": paid, "channels": rows }), text))
    }
}

fn json_of(claimed: &Claimed) -> Value {
    let Claimed { voucher, outcome: of, total } = claimed;
    json!({
        "channel": voucher.number.to_string(), "outcome": outcome(*of), "cumulative_amount": voucher.cumulative_amount.to_string(),
        "claimed_in_all": total.map(|t| t.to_string()),
    })
}
