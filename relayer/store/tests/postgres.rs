//! The suite on Postgres, and what only a shared database has.
//!
//! given several relayers on one database
//! ├── accept: every relayer stores; totals only grow, whoever writes
//! ├── the lease: one holder; taken over when it ends or is given back; its number is checked where an intent is opened
//! ├── blocks: what one has taken in is not taken in again by one that lags
//! ├── the schema: several may start at once; up and down leave the same
//! └── the server: refused when it would lose what was answered; crashed and started again, it has all of it

mod suite;
mod support;

use rivulet_core::{fee::RelayTerms, ids::Address};
use rivulet_rules::{
    chain::{BlockHead, BlockRef, BookState, ChannelState, ContractKind},
    testing::{Key, channel, payee, verified},
};
use rivulet_store::{ChainUpdate, Location, PostgresStore, Store, StoreError, postgres::migrate, testing::Server};
use std::{sync::Arc, time::Duration};
use support::{Fresh, NOW_MS, NUMBER, UNIT, deployment, intent};

/// Where a test's database is.
mod place {
    use rivulet_store::{DeploymentId, Location, Store, StoreError, testing::server};
    use std::sync::Arc;

    pub struct Place(Location);

    impl Place {
        pub async fn new() -> Self {
            Self(server().fresh().await)
        }
        pub fn location(&self) -> Location {
            self.0.clone()
        }
        pub async fn open(&self, deployment: &DeploymentId) -> Result<Arc<dyn Store>, StoreError> {
            rivulet_store::open(&self.0, deployment).await
        }
        /// What lies in a column.
        pub async fn bytes(&self, sql: &str) -> Vec<u8> {
            let store = crate::open(&self.0).await.unwrap();
            store.db().client().await.unwrap().query_one(sql, &[]).await.unwrap().get(0)
        }
    }
}

const TTL: Duration = Duration::from_millis(400);

async fn open(location: &Location) -> Result<PostgresStore, StoreError> {
    match location {
        Location::Postgres(config) => PostgresStore::open(config, &deployment()).await,
        Location::Sqlite(_) => panic!("not a server"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_interleaving_of_relayers_loses_the_highest_total() {
    let (fresh, key, state) = Fresh::with_channel().await;
    let mut stores = vec![Arc::clone(&fresh.store)];
    for _ in 0..2 {
        stores.push(fresh.place.open(&deployment()).await.unwrap());
    }
    let other = channel(rivulet_core::ids::Number { book: 1, serial: 1 }, &key, 1_000 * UNIT);
    fresh.read_at(1, other).await;
    let mut tasks = tokio::task::JoinSet::new();
    for total in 1..=300u128 {
        let store = Arc::clone(&stores[(total % 3) as usize]);
        // Both channels, in either order: what two transactions need crosswise.
        let total = (total * 37 % 300 + 1) * UNIT;
        let mut vouchers = vec![verified(&state, &key, total), verified(&other, &key, total)];
        if (total / UNIT).is_multiple_of(2) {
            vouchers.reverse();
        }
        tasks.spawn(async move { store.accept(vouchers, NOW_MS).await.unwrap().into_iter().flatten().map(|a| a.growth).sum::<u128>() });
    }
    // Whoever was answered "accepted" grew a total, so the growths add up to both.
    let grown: u128 = tasks.join_all().await.into_iter().sum();
    assert_eq!((grown, fresh.pending().await), (600 * UNIT, vec![300, 300]));
}

#[tokio::test]
async fn one_relayer_has_the_lease_and_another_takes_it_over_when_it_ends() {
    let fresh = Fresh::new().await;
    let second = fresh.place.open(&deployment()).await.unwrap();
    assert_eq!(second.lease(TTL).await.unwrap(), None);
    // Renewed for less: from now on it ends unless it is renewed again.
    assert_eq!(fresh.store.lease(TTL).await.unwrap(), Some(fresh.fence));
    assert_eq!(second.lease(TTL).await.unwrap(), None);
    tokio::time::sleep(TTL + Duration::from_millis(100)).await;
    let fence = second.lease(TTL).await.unwrap().unwrap();
    assert!(fence > fresh.fence);
    assert_eq!(fresh.store.lease(TTL).await.unwrap(), None);
}

#[tokio::test]
async fn a_lease_given_back_is_free_at_once() {
    let fresh = Fresh::new().await;
    let second = fresh.place.open(&deployment()).await.unwrap();
    second.give_back().await.unwrap(); // not its own: nothing happens
    assert_eq!(second.lease(TTL).await.unwrap(), None);
    fresh.store.give_back().await.unwrap();
    assert!(second.lease(TTL).await.unwrap().unwrap() > fresh.fence);
}

#[tokio::test]
async fn who_has_lost_the_lease_cannot_open_an_intent() {
    let (fresh, key, state) = Fresh::with_channel().await;
    fresh.accept(&state, &key, 10).await.unwrap();
    let second = fresh.place.open(&deployment()).await.unwrap();
    fresh.store.give_back().await.unwrap();
    let fence = second.lease(TTL).await.unwrap().unwrap();
    // The first was stopped between its decision and this write, and does not know yet.
    assert!(matches!(fresh.store.open_intent(intent(&fresh, 1, 10)).await, Err(StoreError::LeaseLost)));
    assert!(fresh.store.open_intents().await.unwrap().is_empty());
    second.open_intent(rivulet_store::NewIntent { fence, ..intent(&fresh, 2, 10) }).await.unwrap();
    // What the second has under way, the first sees, once it has the lease again.
    second.give_back().await.unwrap();
    let again = fresh.store.lease(TTL).await.unwrap().unwrap();
    let third = rivulet_store::NewIntent { fence: again, ..intent(&fresh, 3, 10) };
    assert!(matches!(fresh.store.open_intent(third).await, Err(StoreError::RowInFlight)));
}

#[tokio::test]
async fn what_one_relayer_has_taken_in_is_not_taken_in_again_by_one_that_lags() {
    let (fresh, _, state) = Fresh::with_channel().await;
    let book = |block: u64, fee_bps| {
        let terms = RelayTerms { beneficiary: Address([9; 20]), fee_bps, flat_fee: 0, min_gain: 0, until: 5 };
        (block, ContractKind::Channels, BookState { book: 4, payee: payee(1), token: Address::ZERO, next_serial: 2, terms })
    };
    let update = |number, fee_bps, claimed| ChainUpdate {
        cursor: Some(BlockHead { block: BlockRef { number, hash: [number as u8; 32] }, now: number }),
        channels: vec![(
            number,
            rivulet_store::ChannelUpdate::Live { state: ChannelState { claimed, ..state }, channel_id: rivulet_rules::testing::id(&state) },
        )],
        books: vec![book(number, fee_bps)],
        ..ChainUpdate::default()
    };
    fresh.store.apply(update(20, 200, 2)).await.unwrap();
    let second = fresh.place.open(&deployment()).await.unwrap();
    second.apply(update(19, 100, 1)).await.unwrap();
    let books = second.books(ContractKind::Channels).await.unwrap();
    assert_eq!((second.cursor().await.unwrap().unwrap().block.number, books[&4].terms.fee_bps), (20, 200));
    assert_eq!(second.channel(NUMBER).await.unwrap().unwrap().state.claimed, 2);
    second.apply(update(21, 300, 3)).await.unwrap();
    assert_eq!(fresh.store.cursor().await.unwrap().unwrap().block.number, 21);
}

#[tokio::test(flavor = "multi_thread")]
async fn relayers_that_start_at_once_on_an_empty_database_make_one_schema() {
    let location = rivulet_store::testing::server().fresh().await;
    let mut starts = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let location = location.clone();
        starts.spawn(async move { open(&location).await.map(drop) });
    }
    for started in starts.join_all().await {
        started.unwrap();
    }
}

#[tokio::test]
async fn up_down_up_leaves_a_database_that_works() {
    let (fresh, key, state) = Fresh::with_channel().await;
    let store = open(&fresh.place.location()).await.unwrap();
    migrate::down(store.db()).await.unwrap();
    assert_eq!(migrate::version(store.db()).await.unwrap(), None);
    migrate::up(store.db()).await.unwrap();
    let again = Fresh { store: fresh.place.open(&deployment()).await.unwrap(), ..fresh };
    again.read_at(1, state).await;
    assert_eq!(again.accept(&state, &key, 10).await, Ok(10));
}

#[tokio::test]
async fn a_schema_of_a_newer_program_is_refused() {
    let fresh = Fresh::new().await;
    let store = open(&fresh.place.location()).await.unwrap();
    let client = store.db().client().await.unwrap();
    client.execute("INSERT INTO migrations (name) VALUES ('2999-01-01-000001-future')", &[]).await.unwrap();
    assert!(matches!(open(&fresh.place.location()).await, Err(StoreError::TooNew { .. })));
}

#[tokio::test]
async fn a_server_that_would_lose_what_it_has_answered_is_refused() {
    let careless = Server::start("-c fsync=off");
    match open(&careless.fresh().await).await {
        Err(StoreError::Unsafe { setting: "fsync", found, .. }) => assert_eq!(found, "off"),
        other => panic!("expected a refusal, got {other:?}"),
    }
    let url = rivulet_store::testing::server().fresh_url().await + "&options=-c%20synchronous_commit=off";
    assert!(matches!(open(&url.parse().unwrap()).await, Err(StoreError::Unsafe { setting: "synchronous_commit", .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_crashes_and_comes_back_has_all_that_was_answered() {
    let server = Server::start("");
    let store = Arc::new(open(&server.fresh().await).await.unwrap());
    let key = Key::of(1);
    let state = channel(NUMBER, &key, 100_000);
    let live = rivulet_store::ChannelUpdate::Live { state, channel_id: rivulet_rules::testing::id(&state) };
    store.apply(ChainUpdate { channels: vec![(1, live)], ..ChainUpdate::default() }).await.unwrap();
    let mut answered = 0u128;
    for _ in 0..3 {
        let writer = tokio::spawn({
            let store = Arc::clone(&store);
            async move {
                for total in answered + 1.. {
                    // The server is gone: this one may be stored or not, and was not answered.
                    if store.accept(vec![verified(&state, &key, total)], NOW_MS).await.is_err() {
                        return total - 1;
                    }
                }
                answered
            }
        });
        tokio::time::sleep(Duration::from_millis(150)).await;
        server.crash();
        answered = writer.await.unwrap();
        assert!(store.channel(NUMBER).await.is_err());
        server.restart();
        // The same store goes on: broken connections are replaced.
        let best = loop {
            match store.channel(NUMBER).await {
                Ok(found) => break found.unwrap().best.map_or(0, |b| b.cumulative_amount),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        assert!(best == answered || best == answered + 1, "{answered} was answered, {best} is stored");
        answered = best;
    }
    assert!(answered > 3);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_without_the_password() {
    let location: Location = "postgres:///relayer?host=/nowhere&user=rivulet&password=Tr0ub4dor".parse().unwrap();
    let error = open(&location).await.unwrap_err().to_string();
    assert!(error.starts_with("database: ") && !error.contains("Tr0ub4dor"), "{error}");
}
