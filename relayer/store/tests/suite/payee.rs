//! given a payee's channels and claims
//! ├── its channels are listed by number, page by page, and nobody else's
//! ├── its days have what was accepted and what blocks paid out, each block once
//! ├── the same voucher again keeps the time at which it was first stored
//! └── a database opened to read beside a running relayer shows the same, and cannot be written to

use crate::support::{Fresh, deployment};
use rivulet_core::{
    fee::RelayTerms,
    ids::{Address, Number},
};
use rivulet_rules::{
    chain::{BlockHead, BlockRef, BookState, ContractKind},
    testing::{Key, channel_of, id, payee, verified},
};
use rivulet_store::{BookClaim, ChainUpdate, ChannelUpdate, DayEarnings, StoreError, open_read_only};

const DAY_MS: u64 = 86_400_000;

/// Books 1 and 3 of payee 1, book 2 of payee 2, each with channels 0 to 2.
async fn with_books() -> (Fresh, Key) {
    let (fresh, key) = (Fresh::new().await, Key::of(1));
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
    fresh.store.apply(update).await.unwrap();
    (fresh, key)
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
    let (fresh, _) = with_books().await;
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = fresh.store.payee_channels(payee(1), after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 2);
        after = Some(last.state.terms.number);
        seen.extend(page.iter().map(|c| (c.state.terms.number.book, c.state.terms.number.serial)));
    }
    assert_eq!(seen, [(1, 0), (1, 1), (1, 2), (3, 0), (3, 1), (3, 2)]);
    assert!(fresh.store.payee_channels(payee(9), None, 10).await.unwrap().is_empty());
    assert!(fresh.store.payee_channels(payee(1), Some(Number { book: 3, serial: u32::MAX }), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn days_have_what_was_accepted_and_what_blocks_paid_each_block_once() {
    let (fresh, key) = with_books().await;
    let state = channel_of(Number { book: 1, serial: 0 }, &key, 1_000, payee(1), Address([1; 20]));
    fresh.store.accept(vec![verified(&state, &key, 40)], DAY_MS + 1).await.unwrap();
    fresh.store.accept(vec![verified(&state, &key, 70)], DAY_MS + 2).await.unwrap();
    fresh.store.apply(up_to(5, vec![claim(4, 1, 30), claim(5, 1, 20), claim(5, 2, 7)])).await.unwrap();
    // Another process took in the same blocks, and one more.
    fresh.store.apply(up_to(6, vec![claim(4, 1, 30), claim(5, 1, 20), claim(6, 1, 5)])).await.unwrap();
    let (contract, token) = (ContractKind::Channels, Address([1; 20]));
    let day = DayEarnings { day: 1, contract, token, accepted: 70, vouchers: 2, claimed: 55, fees: 3, rows: 6 };
    assert_eq!(fresh.store.payee_days(payee(1), 0, u64::MAX).await.unwrap(), [day]);
    assert_eq!(fresh.store.payee_days(payee(1), 1, 1).await.unwrap(), [day]);
    assert!(fresh.store.payee_days(payee(1), 2, 9).await.unwrap().is_empty());
    assert_eq!(fresh.store.payee_days(payee(2), 0, 9).await.unwrap()[0].claimed, 7);
}

#[tokio::test]
async fn the_same_voucher_again_keeps_the_time_of_the_first() {
    let (fresh, key) = with_books().await;
    let state = channel_of(Number { book: 1, serial: 0 }, &key, 1_000, payee(1), Address([1; 20]));
    for (now_ms, expected) in [(5_000, (40, 5_000)), (9_000, (0, 5_000))] {
        let answer = fresh.store.accept(vec![verified(&state, &key, 40)], now_ms).await.unwrap()[0].clone().unwrap();
        assert_eq!((answer.growth, answer.accepted_ms), expected);
    }
}

#[tokio::test]
async fn sums_of_a_day_stay_within_an_amount() {
    let (fresh, _) = with_books().await;
    fresh.store.apply(up_to(5, vec![claim(4, 1, u128::MAX)])).await.unwrap();
    fresh.store.apply(up_to(6, vec![claim(6, 1, 9), claim(6, 1, 9)])).await.unwrap();
    let day = fresh.store.payee_days(payee(1), 0, 9).await.unwrap()[0];
    assert_eq!((day.claimed, day.fees, day.rows), (u128::MAX, 3, 6));
}

#[tokio::test]
async fn one_book_is_found_and_what_is_none_is_not() {
    let (fresh, _) = with_books().await;
    let reader = open_read_only(&fresh.place.location(), &deployment()).await.unwrap();
    for store in [&reader, &fresh.store] {
        assert_eq!(store.book(ContractKind::Channels, 2).await.unwrap().unwrap().payee, payee(2));
        assert_eq!(store.book(ContractKind::Streams, 2).await.unwrap(), None);
        assert_eq!(store.book(ContractKind::Channels, 9).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_reader_changes_nothing() {
    let (fresh, key) = with_books().await;
    let reader = open_read_only(&fresh.place.location(), &deployment()).await.unwrap();
    let state = channel_of(Number { book: 1, serial: 0 }, &key, 1_000, payee(1), Address([1; 20]));
    assert!(matches!(reader.apply(up_to(9, Vec::new())).await, Err(StoreError::Database(_))));
    assert!(matches!(reader.accept(vec![verified(&state, &key, 40)], 1).await, Err(StoreError::Database(_))));
    assert_eq!(fresh.store.cursor().await.unwrap(), None);
    assert_eq!(fresh.store.counts().await.unwrap().vouchers, 0);
}
