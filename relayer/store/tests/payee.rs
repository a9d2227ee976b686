//! given a payee's channels and claims
//! ├── its channels are listed by number, page by page, and nobody else's
//! ├── its days have what was accepted and what blocks paid out, each block once
//! ├── the same voucher again keeps the time at which it was first stored
//! └── a database opened to read beside a running relayer shows the same and changes nothing

use rivulet_core::{
    fee::RelayTerms,
    ids::{Address, Number},
};
use rivulet_rules::{
    chain::{BlockHead, BlockRef, BookState, ContractKind},
    testing::{Key, channel_of, id, payee, verified},
};
use rivulet_store::{BookClaim, ChainUpdate, ChannelUpdate, DayEarnings, DeploymentId, SqliteStore, Store, StoreError};

const DAY_MS: u64 = 86_400_000;

fn deployment() -> DeploymentId {
    DeploymentId { chain_id: 1, genesis_hash: [1; 32], channels: Address([2; 20]), streams: Address([3; 20]) }
}

/// Books 1 and 3 of payee 1, book 2 of payee 2, each with channels 0 to 2.
async fn with_books() -> (tempfile::TempDir, SqliteStore, Key) {
    let (dir, key) = (tempfile::tempdir().unwrap(), Key::of(1));
    let store = SqliteStore::open(&dir.path().join("relayer.db"), &deployment()).unwrap();
    let terms = RelayTerms { beneficiary: Address::ZERO, fee_bps: 0, flat_fee: 0, min_gain: 0, until: 0 };
    let mut update = ChainUpdate::default();
    for (book, whose) in [(1, 1), (2, 2), (3, 1)] {
        let state = BookState { book, payee: payee(whose), token: Address([book as u8; 20]), next_serial: 3, terms };
        update.books.push((1, ContractKind::Channels, state));
        for serial in 0..3 {
            let state = channel_of(Number { book, serial }, &key, 1_000, payee(whose), Address([book as u8; 20]));
            update.channels.push((1, ChannelUpdate::Live { state, channel_id: id(&state) }));
        }
    }
    store.apply(update).await.unwrap();
    (dir, store, key)
}

fn claim(block_number: u64, book: u32, gain: u128) -> BookClaim {
    BookClaim { contract: ContractKind::Channels, book, block_number, at: 86_400 + 5, gain, fee: 1, rows: 2 }
}

fn up_to(number: u64, claims: Vec<BookClaim>) -> ChainUpdate {
    let head = BlockHead { block: BlockRef { number, hash: [9; 32] }, now: 86_400 + 6 };
    ChainUpdate { cursor: Some(head), claims, ..ChainUpdate::default() }
}

#[tokio::test]
async fn channels_are_listed_by_number_page_by_page() {
    let (_dir, store, _) = with_books().await;
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = store.payee_channels(payee(1), after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 2);
        after = Some(last.state.terms.number);
        seen.extend(page.iter().map(|c| (c.state.terms.number.book, c.state.terms.number.serial)));
    }
    assert_eq!(seen, [(1, 0), (1, 1), (1, 2), (3, 0), (3, 1), (3, 2)]);
    assert!(store.payee_channels(payee(9), None, 10).await.unwrap().is_empty());
    assert!(store.payee_channels(payee(1), Some(Number { book: 3, serial: u32::MAX }), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn days_have_what_was_accepted_and_what_blocks_paid_each_block_once() {
    let (_dir, store, key) = with_books().await;
    let state = channel_of(Number { book: 1, serial: 0 }, &key, 1_000, payee(1), Address([1; 20]));
    store.accept(vec![verified(&state, &key, 40)], DAY_MS + 1).await.unwrap();
    store.accept(vec![verified(&state, &key, 70)], DAY_MS + 2).await.unwrap();
    store.apply(up_to(5, vec![claim(4, 1, 30), claim(5, 1, 20), claim(5, 2, 7)])).await.unwrap();
    // Another process took in the same blocks, and one more.
    store.apply(up_to(6, vec![claim(4, 1, 30), claim(5, 1, 20), claim(6, 1, 5)])).await.unwrap();
    let (contract, token) = (ContractKind::Channels, Address([1; 20]));
    let day = DayEarnings { day: 1, contract, token, accepted: 70, vouchers: 2, claimed: 55, fees: 3, rows: 6 };
    assert_eq!(store.payee_days(payee(1), 0, u64::MAX).await.unwrap(), [day]);
    assert_eq!(store.payee_days(payee(1), 1, 1).await.unwrap(), [day]);
    assert!(store.payee_days(payee(1), 2, 9).await.unwrap().is_empty());
    assert_eq!(store.payee_days(payee(2), 0, 9).await.unwrap()[0].claimed, 7);
}

#[tokio::test]
async fn the_same_voucher_again_keeps_the_time_of_the_first() {
    let (_dir, store, key) = with_books().await;
    let state = channel_of(Number { book: 1, serial: 0 }, &key, 1_000, payee(1), Address([1; 20]));
    for (now_ms, expected) in [(5_000, (40, 5_000)), (9_000, (0, 5_000))] {
        let answer = store.accept(vec![verified(&state, &key, 40)], now_ms).await.unwrap()[0].clone().unwrap();
        assert_eq!((answer.growth, answer.accepted_ms), expected);
    }
}

#[tokio::test]
async fn a_reader_beside_a_running_relayer_sees_the_same_and_changes_nothing() {
    let (dir, store, _) = with_books().await;
    let path = dir.path().join("relayer.db");
    let reader = SqliteStore::read_only(&path, &deployment()).unwrap();
    assert_eq!(reader.book(ContractKind::Channels, 2).await.unwrap().unwrap().payee, payee(2));
    assert_eq!(reader.book(ContractKind::Streams, 2).await.unwrap(), None);
    assert!(matches!(reader.apply(up_to(9, Vec::new())).await, Err(StoreError::Database(_))));
    assert_eq!(store.cursor().await.unwrap(), None);
    let other = DeploymentId { chain_id: 2, ..deployment() };
    assert!(matches!(SqliteStore::read_only(&path, &other), Err(StoreError::OtherDeployment { .. })));
    assert!(SqliteStore::read_only(&dir.path().join("none.db"), &deployment()).is_err());
}
