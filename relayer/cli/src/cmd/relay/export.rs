//! `rivulet relay export`: all that a payee needs to claim without this relayer.

use super::{backup::wait, deployment_id};
use anyhow::{Context, bail};
use clap::Args;
use rivulet_chain::{Deployment, claim_calldata};
use rivulet_core::{
    blob::{self, VoucherRow},
    ids::{Address, Number},
};
use rivulet_rules::{batch, chain::ContractKind, text};
use rivulet_server::config::Config;
use rivulet_store::{Location, StoredChannel};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::PathBuf};

const EXAMPLES: &str = "Examples:
  rivulet relay export --payee 0x9621dde636de098b43efb0fa9b61facfe328f99d > vouchers.json
  rivulet relay export --payee 0x9621... --from relayer.backup --calldata
      from a backup, and only the calldata: a line a transaction, to be sent to the channels contract by anyone

Each voucher has its total and the payer's signature: `claim` of the channels contract takes it from anyone and pays its payee alone.
The calldata is of `claimBatch`, for what is not claimed yet, at most --max-rows channels each; whoever sends it pays the transaction's fee.
The relayer may run meanwhile.";

/// Prints a payee's vouchers with their signatures, and the calldata that claims them without this relayer.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Export {
    /// Whose: 0x and 40 hex digits.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    payee: Address,
    /// Read a backup instead of the database.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Print only the calldata, in hex, one transaction a line.
    #[arg(long)]
    calldata: bool,
    /// Channels in one transaction.
    #[arg(long, value_name = "ROWS", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    max_rows: u32,
}

fn address(given: &str) -> Result<Address, String> {
    text::bytes(given).map(Address).ok_or_else(|| "expected 0x and 40 hex digits".to_owned())
}

/// A transaction that claims.
struct Call {
    rows: Vec<Number>,
    calldata: String,
}

impl Export {
    pub fn run(&self, config: &Config, deployment: &Deployment) -> anyhow::Result<()> {
        let from = self.from.clone().map_or_else(|| config.database.clone(), Location::Sqlite);
        let read = async {
            let store = rivulet_store::open_read_only(&from, &deployment_id(deployment)).await?;
            store.channels_of(self.payee).await
        };
        let channels = wait(read)?.with_context(|| format!("cannot read {from}"))?;
        let calls = calls(&channels, self.max_rows as usize);
        if self.calldata {
            if calls.is_empty() {
                bail!("{} has nothing to claim in {from}", self.payee);
            }
            calls.iter().for_each(|call| println!("{}", call.calldata));
            return Ok(());
        }
        let said = json!({
            "payee": self.payee.to_string(),
            "network": deployment.network,
            "chain_id": deployment.chain_id,
            "contract": deployment.contract(ContractKind::Channels).address.0.to_string(),
            "vouchers": channels.iter().filter_map(voucher).collect::<Vec<_>>(),
            "claim_batches": calls.iter().map(|call| json!({ "rows": rows(&call.rows), "calldata": call.calldata })).collect::<Vec<_>>(),
        });
        println!("{}", serde_json::to_string_pretty(&said)?);
        Ok(())
    }
}

fn rows(numbers: &[Number]) -> Vec<Value> {
    numbers.iter().map(|n| json!({ "book": n.book, "serial": n.serial })).collect()
}

fn voucher(channel: &StoredChannel) -> Option<Value> {
    let best = channel.best?;
    let terms = &channel.state.terms;
    Some(json!({
        "book": terms.number.book,
        "serial": terms.number.serial,
        "channel_id": text::hex(&channel.channel_id.0),
        "payer": terms.payer.to_string(),
        "token": terms.token.to_string(),
        "cumulative_amount": best.cumulative_amount.to_string(),
        "signature": text::hex(&best.signature.0),
        "claimed": channel.state.claimed.to_string(),
        "deposit": channel.state.deposit.to_string(),
        "claimable": claimable(channel).to_string(),
        "is_closed": channel.is_closed,
        "close_due_at": channel.state.close_due_at,
    }))
}

/// What a claim would pay, as the channel was last seen.
fn claimable(channel: &StoredChannel) -> u128 {
    match channel.best {
        Some(best) if !channel.is_closed => batch::gain(&channel.state, best.cumulative_amount),
        _ => 0,
    }
}

/// In the blob's own order: books and serials ascend.
fn calls(channels: &[StoredChannel], max_rows: usize) -> Vec<Call> {
    let payable: Vec<_> = channels.iter().filter(|channel| claimable(channel) > 0).collect();
    payable
        .chunks(max_rows)
        .map(|chunk| {
            let mut groups = BTreeMap::<u32, (bool, BTreeMap<u32, VoucherRow>)>::new();
            for (channel, best) in chunk.iter().filter_map(|channel| Some((channel, channel.best?))) {
                let Number { book, serial } = channel.state.terms.number;
                let row = VoucherRow { cumulative_amount: best.cumulative_amount, signature: best.signature };
                groups.entry(book).or_default().1.insert(serial, row);
            }
            let rows = chunk.iter().map(|channel| channel.state.terms.number).collect();
            Call { rows, calldata: text::hex(&claim_calldata(&blob::encode(&groups))) }
        })
        .collect()
}
