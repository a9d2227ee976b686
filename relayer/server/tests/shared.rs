//! given two relayers on one Postgres
//! ├── one of them claims, both accept, and both know of every block
//! ├── the one that claims is killed: the other goes on within the lease's length, from what was recorded
//! ├── it stops in good order: the other goes on at once
//! └── at the end every voucher is paid, in full, by one row of one transaction

mod support;

use rivulet_core::{ids::Number, outcome::RowOutcome};
use rivulet_rules::{
    chain::ContractKind,
    testing::{Key, offer},
};
use rivulet_server::{
    api::Api,
    serve::{Relayer, Secrets},
};
use rivulet_store::{Location, PostgresStore, testing::server};
use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};
use support::{CENT, FakeChain, network, relayer_on};
use tokio::{sync::watch, task::JoinHandle};

const CHANNELS: u32 = 6;
/// Vouchers are worth whatever they are; a pass every 50 ms, a lease of half a second.
const CONFIG: &str = "batch.min_value_bps = 0\nbatch.interval_ms = 50\nbatch.lease_ms = 500";
const LEASE: Duration = Duration::from_millis(500);
/// For what takes a moment.
const SOON: Duration = Duration::from_secs(20);

struct Running {
    api: Api,
    work: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

impl Running {
    /// As SIGKILL: from one await to the next there is nothing of it left.
    async fn kill(self) {
        self.work.abort();
        let _ = self.work.await;
    }
    async fn stop(self) {
        self.stop.send(true).unwrap();
        self.work.await.unwrap();
    }
    async fn pay(&self, world: &World, serial: u32, cents: u128) {
        let state = world.chain.lock().channels[&Number { book: 1, serial }];
        let answer = self.api.acceptor.accept(vec![offer(&state, &world.key, cents * CENT)]).await.unwrap().remove(0);
        answer.unwrap();
    }
}

struct World {
    chain: FakeChain,
    key: Key,
    location: Location,
    blocks: JoinHandle<()>,
}

async fn soon<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) -> Duration {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < SOON, "not within {SOON:?}: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    begun.elapsed()
}

impl World {
    async fn new() -> Self {
        let (chain, key) = (FakeChain::new(), Key::of(1));
        chain.book(ContractKind::Channels, 1);
        (0..CHANNELS).for_each(|serial| {
            chain.open(Number { book: 1, serial }, &key, 1_000 * CENT);
        });
        let blocks = tokio::spawn({
            let chain = chain.clone();
            async move {
                loop {
                    chain.produce();
                    tokio::time::sleep(Duration::from_millis(25)).await;
                }
            }
        });
        Self { chain, key, location: server().fresh().await, blocks }
    }

    async fn store(&self) -> PostgresStore {
        let Location::Postgres(config) = &self.location else { panic!("not a server") };
        PostgresStore::open(config, &network().deployment).await.unwrap()
    }

    async fn start(&self) -> Running {
        let Relayer { api, worker, .. } = relayer_on(Arc::new(self.store().await), &self.chain, CONFIG, Secrets::default());
        let (stop, told) = watch::channel(false);
        let work = tokio::spawn(async move { worker.run(told).await });
        soon("a first pass", async || api.status.report().last_pass_ms.is_some()).await;
        Running { api, work, stop }
    }

    fn paid(&self) -> Vec<u128> {
        self.chain.lock().paid.values().map(|paid| paid / CENT).collect()
    }

    /// Nobody has paid for a row that gave nothing, and nothing is left open.
    async fn check(self) {
        self.blocks.abort();
        let store = self.store().await;
        let client = store.db().client().await.unwrap();
        let count = async |sql: String| client.query_one(&sql, &[]).await.unwrap().get::<_, i64>(0);
        let wasted = format!("SELECT count(*) FROM intent_rows WHERE outcome <> {}", RowOutcome::Applied as u8);
        assert_eq!((count(wasted).await, count("SELECT count(*) FROM intents WHERE state = 'open'".to_owned()).await), (0, 0));
        let finalized = count("SELECT count(*) FROM intents WHERE state = 'finalized'".to_owned()).await;
        assert_eq!(finalized as usize, self.chain.lock().included);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_accept_one_claims_and_each_voucher_is_paid_once() {
    let world = World::new().await;
    let (first, second) = (world.start().await, world.start().await);
    for round in 1..=10u128 {
        for serial in 0..CHANNELS {
            let relayer = if (u128::from(serial) + round) % 2 == 0 { &first } else { &second };
            relayer.pay(&world, serial, round * 10 + u128::from(serial)).await;
        }
    }
    let all: Vec<_> = (0..CHANNELS).map(|serial| 100 + u128::from(serial)).collect();
    soon("all paid", async || world.paid() == all).await;
    soon("all recorded", async || first.api.store.open_intents().await.unwrap().is_empty()).await;
    // The second, which claims nothing, knows what the chain has paid.
    let last = Number { book: 1, serial: 5 };
    soon("followed", async || second.api.store.channel(last).await.unwrap().unwrap().state.claimed == 105 * CENT).await;
    first.stop().await;
    second.stop().await;
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_one_that_claims_moves_its_work_to_the_other_within_the_lease() {
    let world = World::new().await;
    let (first, second) = (world.start().await, world.start().await);
    // It records what it sends, and its node takes nothing: the worst moment to die.
    world.chain.lock().faults.unreachable = true;
    first.pay(&world, 0, 10).await;
    soon("recorded", async || !second.api.store.open_intents().await.unwrap().is_empty()).await;
    first.kill().await;
    second.pay(&world, 1, 20).await;
    world.chain.lock().faults.unreachable = false;
    let took = soon("the other claims both", async || world.paid() == [10, 20]).await;
    assert!(took < LEASE * 6, "{took:?}");
    soon("recorded", async || second.api.store.open_intents().await.unwrap().is_empty()).await;
    second.stop().await;
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_one_after_the_other_lose_nothing_and_pay_nothing_twice() {
    let world = World::new().await;
    let (mut first, mut second) = (world.start().await, world.start().await);
    for round in 1..=6u128 {
        for serial in 0..CHANNELS {
            first.pay(&world, serial, round * 20).await;
            second.pay(&world, serial, round * 20 + 1).await;
        }
        // At another moment of its work each time.
        tokio::time::sleep(Duration::from_millis(40 * round as u64)).await;
        first.kill().await;
        first = second;
        second = world.start().await;
    }
    soon("all paid", async || world.paid() == [121; CHANNELS as usize]).await;
    soon("all recorded", async || first.api.store.open_intents().await.unwrap().is_empty()).await;
    first.stop().await;
    second.stop().await;
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_stops_in_good_order_is_followed_at_once() {
    let world = World::new().await;
    let first = world.start().await;
    // A lease that a kill would leave for a minute.
    let minute = "batch.min_value_bps = 0\nbatch.interval_ms = 50\nbatch.lease_ms = 60000";
    let slow = relayer_on(Arc::new(world.store().await), &world.chain, minute, Secrets::default());
    first.stop().await;
    let head = slow.worker.catch_up().await.unwrap();
    slow.worker.pass(&head).await.unwrap();
    let second = world.start().await;
    second.pay(&world, 0, 10).await;
    tokio::time::sleep(LEASE * 2).await;
    assert!(world.paid().is_empty(), "the lease is another's");
    slow.api.store.give_back().await.unwrap();
    soon("the other claims", async || world.paid() == [10]).await;
    second.stop().await;
    world.blocks.abort();
}
