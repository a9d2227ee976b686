//! What became of an intent: the chain's finalized blocks decide, nothing else.
//!
//! ```text
//!                  in a finalized block, ok       each row has its outcome
//!               ┌──────────────────────────────▶ Finalized
//!   Open ───────┤  in a finalized block, failed  nothing changed but the fee
//!  (written     ├──────────────────────────────▶ Failed ──▶ rows are pending again
//!   before it   │  its era is over, or its nonce  it can never be included
//!   is sent)    └──────────────────────────────▶ Expired ─▶ rows are pending again
//!        ▲  │
//!        └──┘ neither: the same bytes are sent again
//! ```

use crate::chain::{ContractEvent, ContractKind, IncludedTx};
use rivulet_core::{ids::Number, outcome::RowOutcome};
use std::collections::BTreeMap;

/// A row of an intent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IntentRow {
    /// Which channel or stream.
    pub number: Number,
    /// The voucher's total; 0 for streams.
    pub cumulative_amount: u128,
    /// What it was expected to pay out.
    pub gain: u128,
}

/// What is known of an intent's transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sighting<'a> {
    /// The transaction in a finalized block, if it is in one at or below `searched_to`.
    pub included: Option<&'a IncludedTx>,
    /// The last finalized block that was searched, with none left out since the era's first.
    pub searched_to: u64,
    /// The signer's next nonce at that block: how many of its transactions are final.
    pub finalized_nonce: Option<u64>,
}

/// What became of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RowResult {
    /// Which channel or stream.
    pub number: Number,
    /// Its outcome.
    pub outcome: RowOutcome,
    /// Claimed or paid so far, as the event says.
    pub total: u128,
}

/// What to do about an intent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Next {
    /// Record these outcomes: it is done.
    Record(Vec<RowResult>),
    /// It failed on the chain; the rows are pending again.
    Failed(String),
    /// It can never be included; the rows are pending again.
    Expired(&'static str),
    /// It may still be included: send the same bytes again.
    Resubmit,
}

/// Decides. `valid_until_block` is the last block that can include the transaction, `nonce` its nonce.
pub fn decide(contract: ContractKind, rows: &[IntentRow], nonce: u64, valid_until_block: u64, sighting: &Sighting<'_>) -> Next {
    match sighting.included {
        Some(IncludedTx { result: Err(reason), .. }) => Next::Failed(reason.clone()),
        Some(tx) => Next::Record(outcomes(contract, rows, &tx.events)),
        None if sighting.searched_to >= valid_until_block => Next::Expired("its mortality is over"),
        None if sighting.finalized_nonce.is_some_and(|next| next > nonce) => Next::Expired("its nonce was used by another transaction"),
        None => Next::Resubmit,
    }
}

/// Each row's outcome by the events of its own transaction. Every group logs all of its rows; one that is not there counts as Stale until the chain's
/// record, read right after, says otherwise.
pub fn outcomes(contract: ContractKind, rows: &[IntentRow], events: &[ContractEvent]) -> Vec<RowResult> {
    let mut seen = BTreeMap::new();
    for event in events {
        if let ContractEvent::Claimed { book, rows, .. } = event {
            seen.extend(rows.iter().map(|row| (Number { book: *book, serial: row.serial }, (row.outcome, row.total))));
        }
    }
    let missing = |row: &IntentRow| match contract {
        ContractKind::Channels => (RowOutcome::Stale, row.cumulative_amount),
        ContractKind::Streams => (RowOutcome::Stale, 0),
    };
    rows.iter()
        .map(|row| {
            let (outcome, total) = seen.get(&row.number).copied().unwrap_or_else(|| missing(row));
            RowResult { number: row.number, outcome, total }
        })
        .collect()
}

/// What a dry run says about a row that would pay nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It goes.
    Keep,
    /// Somebody was faster, or nothing is due yet. The finalized record will show it: leave it out this time.
    Later,
    /// It will not get better by itself: set aside with this reason until a higher voucher comes.
    SetAside(&'static str),
}

/// Judges a dry run's outcome of a row.
pub fn judge(outcome: RowOutcome) -> Verdict {
    match outcome {
        RowOutcome::Applied | RowOutcome::Capped => Verdict::Keep,
        RowOutcome::Stale => Verdict::Later,
        RowOutcome::BadSignature => Verdict::SetAside("bad_signature"),
        RowOutcome::Unknown => Verdict::SetAside("unknown"),
        RowOutcome::Closed => Verdict::SetAside("closed"),
    }
}
