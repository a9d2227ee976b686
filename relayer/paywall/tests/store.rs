//! The store: what it answers is on the disk, and stays there.

use rivulet_core::{
    ids::{Address, ChannelId, Deployment, Number},
    signature::CompactSignature,
};
use rivulet_paywall::{
    grant::{Account, Refused},
    store::{Accepted, Channel, Charge, Outcome, Owner, PurchaseId, Store, StoreError},
};
use std::path::PathBuf;

const ID: ChannelId = ChannelId([4; 32]);
const OWNER: Owner = Owner { at: Deployment { chain_id: 7, contract: Address([5; 20]) }, payee: Address([6; 20]) };

fn file() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("paywall.db");
    (folder, path)
}

fn channel(accepted: u128) -> Channel {
    let number = Number { book: 1, serial: 2 };
    Channel { id: ID, number, payer: Address([1; 20]), token: Address::ZERO, account: Account::open(accepted), signature: None }
}

fn accepted(total: u128) -> Option<Accepted> {
    Some(Accepted { total, signature: CompactSignature([total as u8; 64]) })
}

fn id(nonce: u8) -> PurchaseId {
    PurchaseId { channel: ID, nonce: [nonce; 32] }
}

fn charge(nonce: u8, price: u128, total: u128) -> Charge {
    Charge {
        id: id(nonce),
        request: format!("GET host/{nonce}"),
        budget: price,
        price,
        is_step: false,
        most_requests: 3,
        valid_until: 1_300,
        accepted: accepted(total),
        now: 1_000,
    }
}

fn account(store: &Store) -> Account {
    store.channel(&ID).unwrap().unwrap().account
}

#[tokio::test]
async fn what_was_charged_is_there_after_the_process_is_gone() {
    let (_folder, path) = file();
    let store = Store::open(&path, &OWNER).unwrap();
    store.open_channel(channel(100), 1_000).await.unwrap();
    assert_eq!(store.charge(charge(1, 10, 110)).await.unwrap(), Outcome::Granted { due: 10, cost: 10 });
    drop(store);
    let store = Store::open(&path, &OWNER).unwrap();
    assert_eq!(account(&store), Account { accepted: 110, charged: 110, returned: 0 });
    assert_eq!(store.channel(&ID).unwrap().unwrap().signature, Some(CompactSignature([110; 64])));
    assert_eq!(store.charge(charge(1, 10, 110)).await.unwrap(), Outcome::Granted { due: 0, cost: 10 }, "the same again is free");
}

#[tokio::test]
async fn a_channel_that_is_known_is_not_begun_again() {
    let (_folder, path) = file();
    let store = Store::open(&path, &OWNER).unwrap();
    store.open_channel(channel(0), 1_000).await.unwrap();
    store.charge(charge(1, 10, 15)).await.unwrap();
    store.open_channel(channel(15), 1_000).await.unwrap();
    assert_eq!(account(&store).available(), 5);
}

#[tokio::test]
async fn a_refused_purchase_leaves_what_was_accepted_and_nothing_else() {
    let (_folder, path) = file();
    let store = Store::open(&path, &OWNER).unwrap();
    store.open_channel(channel(0), 1_000).await.unwrap();
    assert_eq!(store.charge(charge(1, 10, 7)).await.unwrap(), Outcome::Refused(Refused::NotEnough { available: 7, due: 10 }));
    assert_eq!((account(&store).available(), store.purchases(None, 9).unwrap().len()), (7, 0));
    // A lower total that is answered later changes nothing.
    store.charge(charge(2, 20, 3)).await.unwrap();
    assert_eq!(account(&store).accepted, 7);
}

#[tokio::test]
async fn a_nonce_names_one_request_and_is_good_so_many_times() {
    let (_folder, path) = file();
    let store = Store::open(&path, &OWNER).unwrap();
    store.open_channel(channel(0), 1_000).await.unwrap();
    for due in [10, 0, 0] {
        assert_eq!(store.charge(charge(1, 10, 100)).await.unwrap(), Outcome::Granted { due, cost: 10 });
    }
    assert_eq!(store.charge(charge(1, 10, 100)).await.unwrap(), Outcome::UsedUp);
    let other = Charge { request: "GET host/other".into(), ..charge(1, 10, 100) };
    assert_eq!(store.charge(other).await.unwrap(), Outcome::Replayed);
    assert_eq!(account(&store).available(), 90);
}

#[tokio::test]
async fn of_many_purchases_at_once_only_those_that_are_covered_are_granted() {
    let (_folder, path) = file();
    let store = Store::open(&path, &OWNER).unwrap();
    store.open_channel(channel(0), 1_000).await.unwrap();
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            tokio::spawn({
                let store = store.clone();
                async move { store.charge(charge(n, 10, 125)).await.unwrap() }
            })
        })
        .collect();
    let mut granted = 0;
    for task in tasks {
        granted += usize::from(matches!(task.await.unwrap(), Outcome::Granted { due: 10, .. }));
    }
    assert_eq!((granted, account(&store).available()), (12, 5));
}

#[tokio::test]
async fn a_refund_is_made_beside_a_running_paywall_once() {
    let (_folder, path) = file();
    let store = Store::open(&path, &OWNER).unwrap();
    store.open_channel(channel(0), 1_000).await.unwrap();
    store.charge(charge(1, 10, 10)).await.unwrap();
    let beside = Store::beside(&path).unwrap();
    assert_eq!(beside.give_back(id(1), Some(4)).await, Ok(4));
    assert_eq!(beside.give_back(id(1), None).await, Ok(6));
    assert_eq!(beside.give_back(id(1), None).await, Err(StoreError::Refused(Refused::NotCharged { charged: 0, asked: 0 })));
    assert_eq!(beside.give_back(id(9), None).await, Err(StoreError::NoPurchase));
    assert_eq!(account(&store), Account { accepted: 10, charged: 10, returned: 10 });
    assert_eq!(store.charge(charge(2, 10, 10)).await.unwrap(), Outcome::Granted { due: 10, cost: 10 }, "for no more money");
}

#[tokio::test]
async fn steps_are_charged_one_by_one_within_what_was_signed() {
    let (_folder, path) = file();
    let store = Store::open(&path, &OWNER).unwrap();
    store.open_channel(channel(0), 1_000).await.unwrap();
    let step = Charge { budget: 25, is_step: true, ..charge(1, 10, 30) };
    assert_eq!(store.charge(step.clone()).await.unwrap(), Outcome::Granted { due: 10, cost: 10 });
    store.charge_more(id(1), 10).await.unwrap();
    assert_eq!(store.charge_more(id(1), 10).await, Err(StoreError::Refused(Refused::Budget { budget: 25, price: 30 })));
    store.raise(id(1), 40, 1_400, accepted(35)).await.unwrap();
    store.charge_more(id(1), 10).await.unwrap();
    assert_eq!(store.charge_more(id(1), 10).await, Err(StoreError::Refused(Refused::NotEnough { available: 5, due: 10 })));
}

#[tokio::test]
async fn a_nonce_is_kept_as_long_as_it_may_be_asked_for() {
    let (_folder, path) = file();
    let store = Store::open(&path, &OWNER).unwrap();
    store.open_channel(channel(0), 1_000).await.unwrap();
    store.charge(charge(1, 10, 10)).await.unwrap();
    assert_eq!(store.forget(2_000, 1_300).await, Ok(0));
    assert_eq!(store.forget(2_000, 1_301).await, Ok(1));
}

#[test]
fn a_store_has_one_paywall_and_one_payee() {
    let (_folder, path) = file();
    let store = Store::open(&path, &OWNER).unwrap();
    assert!(matches!(Store::open(&path, &OWNER), Err(StoreError::InUse(_))));
    drop(store);
    let other = Owner { payee: Address([9; 20]), ..OWNER };
    assert!(matches!(Store::open(&path, &other), Err(StoreError::Other { field: "payee", .. })));
    let other = Owner { at: Deployment { chain_id: 8, ..OWNER.at }, ..OWNER };
    assert!(matches!(Store::open(&path, &other), Err(StoreError::Other { field: "chain_id", .. })));
    assert!(matches!(Store::beside(&path.with_extension("none")), Err(StoreError::Database(_))));
}
