//! What every store must do. `sqlite.rs` and `postgres.rs` run it, each with its own `place`.
//!
//! given a fresh database
//! ├── vouchers: the highest total stays, whatever the order; the same is answered the same; a lower one gets the best back
//! ├── pending: above what was claimed, not set aside, in no open intent
//! ├── intents: a row is in one open intent only; a finished one frees its rows and records each outcome
//! ├── the chain's cache: an older reading never overwrites a newer one, a closed channel stays closed
//! ├── payees: their channels by pages, their days (`payee.rs`)
//! ├── doubts: claims above the best voucher stored, nonces that were used
//! └── the place: of one deployment

mod payee;

use crate::support::{Fresh, NOW_MS, NUMBER, UNIT, deployment, finalized, intent};
use rivulet_core::{
    fee::RelayTerms,
    ids::{Address, Number, StreamId},
    outcome::RowOutcome,
};
use rivulet_rules::{
    chain::{Account, BlockHead, BlockRef, BookState, ChannelState, ContractKind, TxHash},
    reconcile::{IntentRow, RowResult},
    testing::{Key, channel, id, payee, verified},
};
use rivulet_store::{
    ChainUpdate, ChannelUpdate, ClaimedAbove, Counts, DeploymentId, IntentEnd, IntentId, NewIntent, SetAside, StoreError, StreamUpdate,
};
use std::{sync::Arc, time::Duration};

#[tokio::test]
async fn terms_read_at_an_older_block_never_overwrite_newer_ones() {
    let (fresh, ..) = Fresh::with_channel().await;
    let at = |block: u64, fee_bps: u16| {
        let terms = RelayTerms { beneficiary: Address([9; 20]), fee_bps, flat_fee: 0, min_gain: 0, until: 1 };
        let state = BookState { book: 7, payee: Address([8; 20]), token: Address::ZERO, next_serial: 1, terms };
        ChainUpdate { books: vec![(block, ContractKind::Channels, state)], ..ChainUpdate::default() }
    };
    for (block, fee_bps, expected) in [(10, 100, 100), (9, 50, 100), (10, 200, 200), (11, 300, 300)] {
        fresh.store.apply(at(block, fee_bps)).await.unwrap();
        let book = fresh.store.book(ContractKind::Channels, 7).await.unwrap().unwrap();
        assert_eq!(book.terms.fee_bps, expected, "block {block}");
    }
}

#[tokio::test]
async fn no_two_open_intents_have_the_same_signer_and_nonce() {
    let (fresh, key, state) = Fresh::with_channel().await;
    fresh.accept(&state, &key, 10).await.unwrap();
    let first = fresh.store.open_intent(intent(&fresh, 1, 10)).await.unwrap();
    let mut same = NewIntent { rows: Vec::new(), ..intent(&fresh, 2, 10) };
    same.tx.nonce = 1;
    assert!(matches!(fresh.store.open_intent(same.clone()).await, Err(StoreError::NonceInFlight)));
    // Another key's nonces are its own.
    let mut other = same.clone();
    (other.tx.signer, other.tx.hash) = (Account([5; 32]), TxHash([3; 32]));
    fresh.store.open_intent(other).await.unwrap();
    // Once the first has ended, its nonce is free.
    fresh.store.finish_intent(first, IntentEnd::Expired { reason: "lost".to_owned() }).await.unwrap();
    fresh.store.open_intent(same).await.unwrap();
    let open = fresh.store.open_intents().await.unwrap();
    assert_eq!(open.iter().map(|i| (i.tx.signer.0[0], i.tx.nonce)).collect::<Vec<_>>(), [(5, 1), (4, 1)]);
}

#[tokio::test]
async fn the_highest_total_stays_and_the_same_is_answered_the_same() {
    let (fresh, key, state) = Fresh::with_channel().await;
    assert_eq!(fresh.accept(&state, &key, 10).await, Ok(10));
    assert_eq!(fresh.accept(&state, &key, 10).await, Ok(0));
    assert_eq!(fresh.accept(&state, &key, 25).await, Ok(15));
    assert_eq!(fresh.accept(&state, &key, 24).await, Err("stale"));
    let best = fresh.store.channel(NUMBER).await.unwrap().unwrap().best.unwrap();
    assert_eq!((best.cumulative_amount, best.signature), (25 * UNIT, key.voucher(id(&state), 25 * UNIT)));
}

#[tokio::test]
async fn a_stale_voucher_gets_the_best_and_its_signature_back() {
    let (fresh, key, state) = Fresh::with_channel().await;
    fresh.accept(&state, &key, 10).await.unwrap();
    let answer = fresh.store.accept(vec![verified(&state, &key, 9)], NOW_MS).await.unwrap().remove(0).unwrap_err();
    assert_eq!(answer.best().map(|b| (b.cumulative_amount, b.signature)), Some((10 * UNIT, key.voucher(id(&state), 10 * UNIT))));
}

#[tokio::test]
async fn one_call_may_hold_several_vouchers_of_a_channel_in_any_order() {
    let (fresh, key, state) = Fresh::with_channel().await;
    let batch = [3, 1, 3, 7].map(|t| verified(&state, &key, t * UNIT)).to_vec();
    let answers = fresh.store.accept(batch, NOW_MS).await.unwrap();
    let growth: Vec<_> = answers.iter().map(|a| a.as_ref().map(|a| a.growth / UNIT).map_err(|e| e.code())).collect();
    assert_eq!(growth, [Ok(3), Err("stale"), Ok(0), Ok(4)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_interleaving_of_callers_loses_the_highest_total() {
    let (fresh, key, state) = Fresh::with_channel().await;
    let mut tasks = tokio::task::JoinSet::new();
    for total in 1..=200u128 {
        let (store, voucher) = (Arc::clone(&fresh.store), verified(&state, &key, (total * 37 % 200 + 1) * UNIT));
        tasks.spawn(async move { store.accept(vec![voucher], NOW_MS).await.unwrap().remove(0).map(|a| a.growth) });
    }
    // Whoever was answered "accepted" grew the total, so the growths add up to it.
    let grown: u128 = tasks.join_all().await.into_iter().filter_map(Result::ok).sum();
    assert_eq!((grown, fresh.pending().await), (200 * UNIT, vec![200]));
}

#[tokio::test]
async fn what_was_claimed_is_not_pending() {
    let (fresh, key, mut state) = Fresh::with_channel().await;
    fresh.accept(&state, &key, 10).await.unwrap();
    assert_eq!(fresh.pending().await, [10]);
    state.claimed = 10 * UNIT;
    fresh.read_at(2, state).await;
    assert!(fresh.pending().await.is_empty());
    fresh.accept(&state, &key, 11).await.unwrap();
    assert_eq!(fresh.pending().await, [11]);
}

#[tokio::test]
async fn closing_channels_are_found_apart() {
    let (fresh, key, state) = Fresh::with_channel().await;
    fresh.accept(&state, &key, 10).await.unwrap();
    assert!(fresh.store.closing_channels().await.unwrap().is_empty());
    fresh.see(2, ChannelUpdate::CloseRequested { number: NUMBER, due_at: 77 }).await;
    assert_eq!(fresh.store.closing_channels().await.unwrap(), fresh.store.pending_channels().await.unwrap());
    assert_eq!(fresh.pending().await, [10]);
}

#[tokio::test]
async fn what_is_pending_is_read_page_by_page_and_by_number() {
    let (fresh, key, _) = Fresh::with_channel().await;
    for (book, serial, total) in [(1, 0, 7), (1, 2, 5), (1, 3, 0), (2, 1, 9), (3, 0, 4), (3, 7, 6)] {
        let state = channel(Number { book, serial }, &key, 1_000 * UNIT);
        fresh.read_at(1, state).await;
        if total > 0 {
            fresh.accept(&state, &key, total).await.unwrap();
        }
    }
    fresh.store.open_intent(intent(&fresh, 1, 7)).await.unwrap();
    fresh.see(2, ChannelUpdate::Closed { number: Number { book: 1, serial: 2 }, claimed: None }).await;
    fresh.see(2, ChannelUpdate::CloseRequested { number: Number { book: 3, serial: 0 }, due_at: 9 }).await;
    assert_eq!(fresh.pending().await, [9, 4, 6]);
    // Known by when they were last sent, though rows between them never were.
    let rows = vec![IntentRow { number: Number { book: 3, serial: 7 }, cumulative_amount: 6 * UNIT, gain: 6 * UNIT }];
    let sent = fresh.store.open_intent(NewIntent { rows, ..intent(&fresh, 2, 6) }).await.unwrap();
    let number = Number { book: 3, serial: 7 };
    let results = vec![RowResult { number, outcome: RowOutcome::Applied, total: UNIT }];
    fresh.store.finish_intent(sent, IntentEnd::Finalized { block: BlockRef { number: 9, hash: [9; 32] }, fee_planck: None, results }).await.unwrap();
    assert_eq!(fresh.pending().await, [9, 4, 6]);
    let changed = fresh.store.changes().take();
    assert!(changed.is_all, "nobody had asked before");
    fresh.accept(&channel(Number { book: 3, serial: 7 }, &key, 1_000 * UNIT), &key, 8).await.unwrap();
    fresh.store.set_aside(vec![]).await.unwrap();
    assert_eq!(fresh.store.changes().take().channels, [Number { book: 3, serial: 7 }]);
}

#[tokio::test]
async fn a_row_is_in_one_open_intent_only() {
    let (fresh, key, state) = Fresh::with_channel().await;
    fresh.accept(&state, &key, 10).await.unwrap();
    fresh.store.open_intent(intent(&fresh, 1, 10)).await.unwrap();
    fresh.accept(&state, &key, 20).await.unwrap();
    assert!(fresh.pending().await.is_empty());
    assert!(matches!(fresh.store.open_intent(intent(&fresh, 2, 20)).await, Err(StoreError::RowInFlight)));
    // The refused one left nothing behind.
    assert_eq!(fresh.store.open_intents().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_open_intent_reads_back_as_it_was_recorded() {
    let (fresh, ..) = Fresh::with_channel().await;
    let new = intent(&fresh, 1, 10);
    let id = fresh.store.open_intent(new.clone()).await.unwrap();
    let read = fresh.store.open_intents().await.unwrap().remove(0);
    assert_eq!((read.id, read.contract, read.tx, read.rows), (id, new.contract, new.tx, new.rows));
}

#[tokio::test]
async fn a_finalized_intent_counts_as_claimed_before_the_record_is_read_again() {
    let (fresh, key, state) = Fresh::with_channel().await;
    fresh.accept(&state, &key, 10).await.unwrap();
    let id = fresh.store.open_intent(intent(&fresh, 1, 10)).await.unwrap();
    fresh.store.finish_intent(id, finalized(RowOutcome::Applied, 10)).await.unwrap();
    assert!(fresh.store.open_intents().await.unwrap().is_empty());
    assert!(fresh.pending().await.is_empty());
    // A second end, after a crash between record and answer, changes nothing.
    fresh.store.finish_intent(id, IntentEnd::Expired { reason: "late".into() }).await.unwrap();
    assert!(fresh.pending().await.is_empty());
}

#[tokio::test]
async fn failed_and_expired_intents_free_their_rows() {
    let (fresh, key, state) = Fresh::with_channel().await;
    fresh.accept(&state, &key, 10).await.unwrap();
    let ends = [
        IntentEnd::Expired { reason: "era".into() },
        IntentEnd::Failed { block: BlockRef { number: 9, hash: [9; 32] }, fee_planck: None, reason: "OutOfGas".into() },
    ];
    for (n, end) in ends.into_iter().enumerate() {
        let id = fresh.store.open_intent(intent(&fresh, n as u8, 10)).await.unwrap();
        assert!(fresh.pending().await.is_empty());
        fresh.store.finish_intent(id, end).await.unwrap();
        assert_eq!(fresh.pending().await, [10]);
    }
}

#[tokio::test]
async fn what_is_set_aside_waits_for_a_higher_voucher() {
    let (fresh, key, state) = Fresh::with_channel().await;
    fresh.accept(&state, &key, 10).await.unwrap();
    let aside = |total: u128| SetAside { contract: ContractKind::Channels, number: NUMBER, cumulative_amount: total * UNIT, reason: "bad_signature" };
    fresh.store.set_aside(vec![aside(9)]).await.unwrap();
    assert_eq!(fresh.pending().await, [10]);
    fresh.store.set_aside(vec![aside(10)]).await.unwrap();
    assert!(fresh.pending().await.is_empty());
    fresh.accept(&state, &key, 11).await.unwrap();
    assert_eq!(fresh.pending().await, [11]);
}

#[tokio::test]
async fn an_older_reading_never_overwrites_a_newer_one_and_closed_stays_closed() {
    let (fresh, _, mut state) = Fresh::with_channel().await;
    state.claimed = 5;
    fresh.read_at(7, state).await;
    fresh.read_at(6, ChannelState { claimed: 4, ..state }).await;
    assert_eq!(fresh.store.channel(NUMBER).await.unwrap().unwrap().state.claimed, 5);
    fresh.see(8, ChannelUpdate::Closed { number: NUMBER, claimed: Some(8) }).await;
    fresh.read_at(9, state).await;
    let stored = fresh.store.channel(NUMBER).await.unwrap().unwrap();
    assert_eq!((stored.is_closed, stored.state.claimed), (true, 8));
}

#[tokio::test]
async fn events_change_what_was_read_before_them_and_not_what_was_read_after() {
    let (fresh, ..) = Fresh::with_channel().await;
    fresh.see(5, ChannelUpdate::Deposit { number: NUMBER, deposit: 50 }).await;
    fresh.see(5, ChannelUpdate::Deposit { number: NUMBER, deposit: 60 }).await;
    fresh.see(5, ChannelUpdate::Claimed { number: NUMBER, claimed: 7 }).await;
    fresh.see(6, ChannelUpdate::CloseRequested { number: NUMBER, due_at: 77 }).await;
    fresh.see(4, ChannelUpdate::Deposit { number: NUMBER, deposit: 55 }).await;
    let state = fresh.store.channel(NUMBER).await.unwrap().unwrap().state;
    assert_eq!((state.deposit, state.claimed, state.close_due_at), (60, 7, Some(77)));
    fresh.see(7, ChannelUpdate::RefundRequested { number: NUMBER, amount: 30, due_at: Some(88) }).await;
    let state = fresh.store.channel(NUMBER).await.unwrap().unwrap().state;
    assert_eq!((state.refund_requested, state.refund_due_at), (30, Some(88)));
    fresh.see(8, ChannelUpdate::RefundRequested { number: NUMBER, amount: 0, due_at: None }).await;
    let state = fresh.store.channel(NUMBER).await.unwrap().unwrap().state;
    assert_eq!((state.refund_requested, state.refund_due_at), (0, None));
}

#[tokio::test]
async fn books_cursor_and_streams_read_back() {
    let fresh = Fresh::new().await;
    assert_eq!(fresh.store.cursor().await.unwrap(), None);
    let terms = RelayTerms { beneficiary: Address([9; 20]), fee_bps: 50, flat_fee: 7, min_gain: 8, until: u64::MAX };
    let book = BookState { book: 4, payee: payee(1), token: Address::ZERO, next_serial: 2, terms };
    let head = BlockHead { block: BlockRef { number: 12, hash: [1; 32] }, now: 99 };
    let number = Number { book: 4, serial: 1 };
    let stream = StreamUpdate::Live { number, stream_id: StreamId([5; 32]) };
    let books = vec![(12, ContractKind::Streams, book)];
    let update = ChainUpdate { cursor: Some(head), books, streams: vec![stream], ..ChainUpdate::default() };
    fresh.store.apply(update).await.unwrap();
    assert_eq!(fresh.store.cursor().await.unwrap(), Some(head));
    let read = fresh.store.books(ContractKind::Streams).await.unwrap().remove(&4).unwrap();
    // A time that is never reached is stored as the largest integer.
    assert_eq!((read.payee, read.terms), (payee(1), RelayTerms { until: i64::MAX as u64, ..terms }));
    assert!(fresh.store.books(ContractKind::Channels).await.unwrap().is_empty());
    assert_eq!(fresh.streams().await, [number]);
    let ended = vec![StreamUpdate::Ended { number }];
    fresh.store.apply(ChainUpdate { streams: ended, ..ChainUpdate::default() }).await.unwrap();
    assert!(fresh.streams().await.is_empty());
    // What was seen ended stays so, whatever an older reading says.
    fresh.see_streams(vec![StreamUpdate::Live { number, stream_id: StreamId([5; 32]) }]).await;
    assert!(fresh.streams().await.is_empty());
}

#[tokio::test]
async fn a_stream_that_was_handed_over_goes_on_under_its_new_number() {
    let fresh = Fresh::new().await;
    let (old, new, stream_id) = (Number { book: 1, serial: 3 }, Number { book: 2, serial: 0 }, StreamId([5; 32]));
    fresh.see_streams(vec![StreamUpdate::Live { number: old, stream_id }]).await;
    fresh.store.set_aside(vec![SetAside { contract: ContractKind::Streams, number: old, cumulative_amount: 0, reason: "refused" }]).await.unwrap();
    assert!(fresh.streams().await.is_empty());
    fresh.see_streams(vec![StreamUpdate::Moved { number: old, new_number: new }]).await;
    assert_eq!(fresh.streams().await, [new]);
    // Twice is harmless.
    fresh.see_streams(vec![StreamUpdate::Moved { number: old, new_number: new }]).await;
    assert_eq!(fresh.streams().await, [new]);
    let stored = fresh.place.bytes("SELECT stream_id FROM streams WHERE book = 2 AND serial = 0").await;
    assert_eq!(stored, stream_id.0);
}

#[tokio::test]
async fn a_stream_set_aside_comes_back_when_something_happens_to_it() {
    let fresh = Fresh::new().await;
    let number = Number { book: 1, serial: 3 };
    fresh.see_streams(vec![StreamUpdate::Live { number, stream_id: StreamId([5; 32]) }]).await;
    fresh.store.set_aside(vec![SetAside { contract: ContractKind::Streams, number, cumulative_amount: 0, reason: "refused" }]).await.unwrap();
    assert!(fresh.streams().await.is_empty());
    fresh.see_streams(vec![StreamUpdate::Changed { number }]).await;
    assert_eq!(fresh.streams().await, [number]);
}

#[tokio::test]
async fn when_a_row_was_last_sent_is_known_until_its_transaction_comes_to_nothing() {
    let (fresh, key, state) = Fresh::with_channel().await;
    fresh.accept(&state, &key, 10).await.unwrap();
    let sent_at = async || fresh.store.pending_channels().await.unwrap()[0].sent_at;
    assert_eq!(sent_at().await, None);
    let id = fresh.store.open_intent(intent(&fresh, 1, 10)).await.unwrap();
    fresh.store.finish_intent(id, finalized(RowOutcome::Applied, 10)).await.unwrap();
    fresh.accept(&state, &key, 20).await.unwrap();
    assert_eq!(sent_at().await, Some(5_000));
    let id = fresh.store.open_intent(intent(&fresh, 2, 20)).await.unwrap();
    fresh.store.finish_intent(id, IntentEnd::Expired { reason: "era".into() }).await.unwrap();
    assert_eq!(sent_at().await, None);
}

#[tokio::test]
async fn earnings_say_what_was_accepted_claimed_and_is_pending() {
    let (fresh, key, mut state) = Fresh::with_channel().await;
    fresh.accept(&state, &key, 30).await.unwrap();
    state.claimed = 10 * UNIT;
    fresh.read_at(2, state).await;
    let earned = fresh.store.earnings(payee(1)).await.unwrap().remove(0);
    let units = [earned.accepted, earned.claimed, earned.pending, earned.lost].map(|a| a / UNIT);
    assert_eq!((earned.channels, units), (1, [30, 10, 20, 0]));
    fresh.see(3, ChannelUpdate::Closed { number: NUMBER, claimed: Some(10 * UNIT) }).await;
    let earned = fresh.store.earnings(payee(1)).await.unwrap().remove(0);
    assert_eq!((earned.pending, earned.lost), (0, 20 * UNIT));
    assert!(fresh.store.earnings(payee(2)).await.unwrap().is_empty());
    assert_eq!(fresh.store.counts().await.unwrap(), Counts { channels: 1, vouchers: 1, open_intents: 0, set_aside: 0 });
}

#[tokio::test]
async fn a_payees_channels_are_listed_by_number_with_their_vouchers() {
    let (fresh, key, state) = Fresh::with_channel().await;
    fresh.accept(&state, &key, 10).await.unwrap();
    fresh.read_at(1, channel(Number { book: 1, serial: 7 }, &key, UNIT)).await;
    let found = fresh.store.channels_of(payee(1)).await.unwrap();
    let best = found.iter().map(|c| (c.state.terms.number.serial, c.best.map(|b| b.cumulative_amount))).collect::<Vec<_>>();
    assert_eq!(best, [(0, Some(10 * UNIT)), (7, None)]);
    assert!(fresh.store.channels_of(payee(2)).await.unwrap().is_empty());
}

#[tokio::test]
async fn amounts_hold_all_of_u128() {
    let (fresh, key) = (Fresh::new().await, Key::of(1));
    let state = channel(NUMBER, &key, u128::MAX);
    fresh.read_at(1, ChannelState { claimed: u128::MAX - 2, refund_requested: u128::MAX >> 1, ..state }).await;
    let stored = fresh.store.accept(vec![verified(&state, &key, u128::MAX - 1)], NOW_MS).await.unwrap().remove(0).unwrap();
    assert_eq!(stored.growth, u128::MAX - 1);
    let read = fresh.store.channel(NUMBER).await.unwrap().unwrap();
    assert_eq!((read.state.deposit, read.state.claimed, read.state.refund_requested), (u128::MAX, u128::MAX - 2, u128::MAX >> 1));
    assert_eq!(read.best.unwrap().cumulative_amount, u128::MAX - 1);
}

#[tokio::test]
async fn a_renewed_lease_keeps_its_number() {
    let fresh = Fresh::new().await;
    assert_eq!(fresh.store.lease(Duration::from_secs(600)).await.unwrap(), Some(fresh.fence));
}

#[tokio::test]
async fn a_fresh_database_raises_no_doubts_and_nor_does_a_restart() {
    let (fresh, key, state) = Fresh::with_channel().await;
    fresh.accept(&state, &key, 10).await.unwrap();
    let fresh = fresh.reopened().await;
    let doubts = fresh.store.take_doubts(Account([4; 32])).await.unwrap();
    assert_eq!((doubts.taken_ms, doubts.mark, doubts.claimed_above_count, doubts.next_nonce), (None, None, 0, None));
}

#[tokio::test]
async fn what_was_claimed_with_vouchers_that_are_not_here_is_named() {
    let (fresh, key, state) = Fresh::with_channel().await;
    fresh.accept(&state, &key, 10).await.unwrap();
    fresh.see(2, ChannelUpdate::Claimed { number: NUMBER, claimed: 25 * UNIT }).await;
    let id = fresh.store.open_intent(intent(&fresh, 6, 10)).await.unwrap();
    // A transaction that was lost has used no nonce.
    let lost = fresh.store.open_intent(NewIntent { rows: Vec::new(), ..intent(&fresh, 9, 10) }).await.unwrap();
    fresh.store.finish_intent(lost, IntentEnd::Expired { reason: "era".into() }).await.unwrap();
    let doubts = fresh.store.take_doubts(Account([4; 32])).await.unwrap();
    assert_eq!(doubts.claimed_above, [ClaimedAbove { number: NUMBER, payee: payee(1), best: 10 * UNIT, claimed: 25 * UNIT }]);
    assert_eq!((doubts.claimed_above_count, doubts.next_nonce), (1, Some(7)));
    assert_eq!(fresh.store.take_doubts(Account([5; 32])).await.unwrap().next_nonce, None);
    fresh.store.finish_intent(id, finalized(RowOutcome::Stale, 25)).await.unwrap();
    assert_eq!(fresh.store.take_doubts(Account([4; 32])).await.unwrap().next_nonce, Some(7));
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let (fresh, key, state) = Fresh::with_channel().await;
    fresh.accept(&state, &key, 10).await.unwrap();
    fresh.store.open_intent(intent(&fresh, 1, 10)).await.unwrap();
    let fresh = fresh.reopened().await;
    assert_eq!(fresh.store.channel(NUMBER).await.unwrap().unwrap().best.unwrap().cumulative_amount, 10 * UNIT);
    assert_eq!(fresh.store.open_intents().await.unwrap()[0].id, IntentId(1));
}

#[tokio::test]
async fn a_database_of_another_deployment_is_refused_by_name() {
    let Fresh { place, store, .. } = Fresh::new().await;
    drop(store);
    let others = [
        ("chain_id", DeploymentId { chain_id: 2, ..deployment() }),
        ("genesis_hash", DeploymentId { genesis_hash: [7; 32], ..deployment() }),
        ("channels", DeploymentId { channels: Address([7; 20]), ..deployment() }),
        ("streams", DeploymentId { streams: Address([7; 20]), ..deployment() }),
    ];
    for (expected, other) in others {
        match place.open(&other).await {
            Err(StoreError::OtherDeployment { field, .. }) => assert_eq!(field, expected),
            Err(e) => panic!("expected a refusal for {expected}, got {e}"),
            Ok(_) => panic!("expected a refusal for {expected}"),
        }
    }
    assert!(place.open(&deployment()).await.is_ok());
}

#[tokio::test]
async fn a_reader_beside_the_relayer_sees_everything_and_changes_nothing() {
    let (fresh, key, state) = Fresh::with_channel().await;
    fresh.accept(&state, &key, 10).await.unwrap();
    let reader = rivulet_store::open_read_only(&fresh.place.location(), &deployment()).await.unwrap();
    assert_eq!(reader.channels_of(payee(1)).await.unwrap(), fresh.store.channels_of(payee(1)).await.unwrap());
    let other = DeploymentId { chain_id: 2, ..deployment() };
    assert!(matches!(rivulet_store::open_read_only(&fresh.place.location(), &other).await, Err(StoreError::OtherDeployment { .. })));
}
