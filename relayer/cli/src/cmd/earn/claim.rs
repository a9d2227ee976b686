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
use rivulet_client::{Claimed, Claims, Payee, SignedVoucher};
use rivulet_core::outcome::RowOutcome;
use rivulet_rules::chain::ContractKind;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::PathBuf};

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

/// For people.
fn said(outcome: RowOutcome) -> &'static str {
    match outcome {
        RowOutcome::Applied => "paid",
        RowOutcome::Capped => "paid, up to the channel's deposit",
        RowOutcome::Stale => "nothing new: its voucher was claimed before",
        RowOutcome::BadSignature => "not paid: the voucher's signature is not its payer's",
        RowOutcome::Unknown => "not paid: there is no such channel",
        RowOutcome::Closed => "not paid: the channel has ended",
    }
}

/// For programs.
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
        let Claims { rows: claimed, gains } = payee.claim_all(&vouchers).await.context("the vouchers were not claimed")?;
        let (mut by_token, at) = (BTreeMap::<_, (u128, u128)>::new(), network.head().await?.block);
        for gain in gains {
            let book = network.chain.book(ContractKind::Channels, gain.book, at).await?;
            let sum = by_token.entry(book.context("the node no longer knows the book that paid")?.token).or_default();
            *sum = (sum.0.saturating_add(gain.units), sum.1.saturating_add(gain.fee));
        }
        let sums: Vec<_> = by_token.iter().map(|(token, (units, fee))| [*units, *fee].map(|units| network.coin_of(token).money(units))).collect();
        let rows: Vec<_> = claimed.iter().map(json_of).collect();
        let paid = claimed.iter().filter(|c| c.total.is_some()).count();
        let lines = claimed.iter().map(|c| format!("channel {}: {}", c.voucher.number, said(c.outcome)));
        let sum = match (&sums[..], claimed.is_empty()) {
            ([], true) => "there is no voucher to claim".to_owned(),
            ([], false) => "nothing was claimed".to_owned(),
            _ => sums.iter().map(|[gain, fee]| format!("claimed {gain}, {fee} of it relay fee")).collect::<Vec<_>>().join("; "),
        };
        let text = lines.chain([sum]).collect::<Vec<_>>().join("\n");
        let sums: Vec<_> = sums.iter().map(|[gain, fee]| json!({ "claimed": gain.json(), "relay_fee": fee.json() })).collect();
        Ok(Told::new(json!({ "payee": payee.address().to_string(), "paid": paid, "tokens": sums, "channels": rows }), text))
    }
}

fn json_of(claimed: &Claimed) -> Value {
    let Claimed { voucher, outcome: of, total } = claimed;
    json!({
        "channel": voucher.number.to_string(), "outcome": outcome(*of), "cumulative_amount": voucher.cumulative_amount.to_string(),
        "claimed_in_all": total.map(|t| t.to_string()),
    })
}
