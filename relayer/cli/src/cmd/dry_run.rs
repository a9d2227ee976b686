//! `rivulet relay --dry-run`: what would be claimed now, as a table.

use rivulet_server::worker::{Preview, PreviewBatch, PreviewRow};
use std::fmt::Write;

/// Planck in a native token of ten decimals.
const WHOLE: u128 = 10_000_000_000;

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn native(planck: u128) -> String {
    format!("{}.{:010}", planck / WHOLE, planck % WHOLE)
}

/// The table, and a line above it that says of when it is.
pub fn table(preview: &Preview) -> String {
    let mut out = String::new();
    let Preview { block_number, database_block_number, open_intents, set_aside, batches, rows } = preview;
    let taken_in = database_block_number.map_or_else(|| "no block".to_owned(), |n| format!("block {n}"));
    let _ = writeln!(out, "At finalized block {block_number}; the database has {taken_in}. Nothing was sent or stored.");
    if let Some(behind) = database_block_number.map(|n| block_number.saturating_sub(n)).filter(|behind| *behind > 0) {
        let _ = writeln!(out, "It is {} behind: what came in there is not in it.", counted(behind, "block", "blocks"));
    }
    let (under_way, aside) = (counted(*open_intents as u64, "transaction", "transactions"), counted(*set_aside, "voucher", "vouchers"));
    let _ = writeln!(out, "Not listed: the rows of {under_way} under way, {aside} set aside.\n");
    if batches.is_empty() {
        out.push_str("No transaction would be sent.\n");
    }
    for PreviewBatch { contract, rows, value_planck, fee_planck, storage_deposit_planck, is_pressing, blob_bytes } in batches {
        let (value, fee) = (native(*value_planck), native(*fee_planck));
        let rows = counted(*rows as u64, "row", "rows");
        let _ = write!(out, "Would send: {rows} of {contract}, {blob_bytes} bytes, worth {value}, fee {fee}");
        if *storage_deposit_planck > 0 {
            let _ = write!(out, ", storage deposit {}", native(*storage_deposit_planck));
        }
        out.push_str(if *is_pressing { ", for a deadline\n" } else { "\n" });
    }
    if rows.is_empty() {
        return out + "No row would pay out anything.\n";
    }
    let _ = writeln!(out, "\n{:<9} {:>14}  {:>28} {:<8} {:>11}  claimed", "contract", "book-serial", "gain", "token", "due at");
    for PreviewRow { contract, book, serial, gain, token, due_at, is_claimed, reason, .. } in rows {
        let number = format!("{book}-{serial}");
        let due = due_at.map_or_else(String::new, |at| at.to_string());
        let verdict = if *is_claimed { "yes".to_owned() } else { format!("no: {reason}") };
        let _ = writeln!(out, "{contract:<9} {number:>14}  {gain:>28} {token:<8} {due:>11}  {verdict}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_goes_at_what_fee_and_why_the_rest_does_not() {
        let batch = PreviewBatch {
            contract: "channels",
            rows: 1,
            blob_bytes: 80,
            value_planck: 25_000_000_000,
            fee_planck: 76_000_000,
            storage_deposit_planck: 0,
            is_pressing: true,
        };
        let row = |serial, is_claimed, reason: &str| PreviewRow {
            contract: "channels",
            book: 1,
            serial,
            gain: "100".to_owned(),
            token: "native".to_owned(),
            due_at: None,
            is_claimed,
            code: String::new(),
            reason: reason.to_owned(),
        };
        let rows = vec![row(0, true, ""), row(1, false, "its payee has set no relay terms")];
        let preview = Preview { block_number: 9, database_block_number: Some(8), open_intents: 0, set_aside: 2, batches: vec![batch], rows };
        let text = table(&preview);
        for expected in [
            "At finalized block 9; the database has block 8.",
            "It is 1 block behind",
            "rows of 0 transactions under way, 2 vouchers set aside",
            "Would send: 1 row of channels, 80 bytes, worth 2.5000000000, fee 0.0076000000, for a deadline",
            " 1-0                           100 native                yes",
            "no: its payee has set no relay terms",
        ] {
            assert!(text.contains(expected), "{text}");
        }
    }
}
