//! given an intent
//! ├── its transaction is in a finalized block
//! │   ├── and succeeded: each row has the outcome of its event
//! │   └── and failed: the rows are pending again
//! └── it is not
//!     ├── its era is over, or its nonce is used: the rows are pending again
//!     └── else: the same bytes are sent again

use rivulet_core::{ids::Number, outcome::RowOutcome};
use rivulet_rules::{
    chain::{BlockRef, ClaimedRow, ContractEvent, ContractKind, IncludedTx},
    reconcile::{IntentRow, Next, RowResult, Sighting, Verdict, decide, judge},
};

const ROWS: [IntentRow; 2] = [
    IntentRow { number: Number { book: 1, serial: 4 }, cumulative_amount: 50, gain: 50 },
    IntentRow { number: Number { book: 2, serial: 0 }, cumulative_amount: 70, gain: 70 },
];

fn included(result: Result<(), String>) -> IncludedTx {
    let rows = vec![ClaimedRow { serial: 4, outcome: RowOutcome::Capped, total: 30 }];
    let events = vec![ContractEvent::Claimed { book: 1, gain: 30, fee: 1, rows }];
    IncludedTx { block: BlockRef { number: 9, hash: [1; 32] }, extrinsic_index: 2, result, fee_planck: Some(7), events }
}

fn next(included: Option<&IncludedTx>, searched_to: u64, finalized_nonce: Option<u64>) -> Next {
    decide(ContractKind::Channels, &ROWS, 5, 64, &Sighting { included, searched_to, finalized_nonce })
}

#[test]
fn a_finalized_transaction_gives_each_row_its_outcome() {
    let tx = included(Ok(()));
    let expected = vec![
        RowResult { number: ROWS[0].number, outcome: RowOutcome::Capped, total: 30 },
        RowResult { number: ROWS[1].number, outcome: RowOutcome::Stale, total: 70 },
    ];
    assert_eq!(next(Some(&tx), 10, Some(6)), Next::Record(expected));
}

#[test]
fn a_failed_transaction_leaves_its_rows_pending() {
    assert_eq!(next(Some(&included(Err("OutOfGas".into()))), 10, Some(6)), Next::Failed("OutOfGas".into()));
}

#[test]
fn a_lost_transaction_is_sent_again_to_the_last_block_of_its_era_and_not_after() {
    assert_eq!(next(None, 63, None), Next::Resubmit);
    assert!(matches!(next(None, 64, None), Next::Expired(_)));
}

#[test]
fn a_used_nonce_ends_the_wait() {
    assert_eq!(next(None, 10, Some(5)), Next::Resubmit);
    assert!(matches!(next(None, 10, Some(6)), Next::Expired(_)));
}

#[test]
fn a_dry_run_sets_aside_what_cannot_get_better() {
    assert_eq!(judge(RowOutcome::Applied), Verdict::Keep);
    assert_eq!(judge(RowOutcome::Stale), Verdict::Later);
    assert_eq!(judge(RowOutcome::BadSignature), Verdict::SetAside("bad_signature"));
}
