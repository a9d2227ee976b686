//! given several signing keys
//! ├── batches go beside each other, each key with its own nonces and its own limit, and no row twice
//! ├── a key that cannot pay is set aside with what is missing, the others go on, and it is used again when it has money
//! ├── a key that cannot pay what a batch locks: its rows are not refused, another key carries them
//! ├── a key that another program uses at the same time: the batch is lost to it and goes by another key, once
//! └── a key that is taken out of the configuration: what it sent is still followed

mod support;

use rivulet_core::ids::Number;
use rivulet_rules::{
    chain::{Account, ContractKind},
    testing::{Key, fees, offer},
};
use rivulet_server::serve::Relayer;
use std::collections::BTreeMap;
use support::{CENT, FakeChain, relayer};

const KEYS: [Account; 3] = [Account([1; 32]), Account([2; 32]), Account([3; 32])];
/// Two rows a transaction, so that there are several; each whatever it is worth.
const SMALL: &str = "batch = { min_value_bps = 0, max_rows = 2, max_in_flight = 2 }";

struct World {
    dir: tempfile::TempDir,
    chain: FakeChain,
    key: Key,
    channels: u32,
}

impl World {
    fn new(keys: &[Account], channels: u32) -> Self {
        let (chain, key) = (FakeChain::new(), Key::of(1));
        chain.lock().signers = keys.to_vec();
        chain.book(ContractKind::Channels, 1);
        for serial in 0..channels {
            chain.open(Number { book: 1, serial }, &key, 1_000 * CENT);
        }
        chain.produce();
        Self { dir: tempfile::tempdir().unwrap(), chain, key, channels }
    }

    /// A relayer that has a voucher of 7 cents of every channel.
    async fn start(&self) -> Relayer {
        let relayer = relayer(self.dir.path(), &self.chain, SMALL);
        pass(&relayer).await;
        for serial in 0..self.channels {
            let state = self.chain.lock().channels[&Number { book: 1, serial }];
            relayer.api.acceptor.accept(vec![offer(&state, &self.key, 7 * CENT)]).await.unwrap().remove(0).unwrap();
        }
        relayer
    }

    fn paid(&self) -> Vec<u128> {
        self.chain.lock().paid.values().map(|p| p / CENT).collect()
    }

    fn included(&self) -> usize {
        self.chain.lock().included
    }
}

async fn pass(relayer: &Relayer) {
    let head = relayer.worker.catch_up().await.unwrap();
    relayer.worker.pass(&head).await.unwrap();
}

/// The nonces of open intents by key.
async fn under_way(relayer: &Relayer) -> BTreeMap<Account, Vec<u64>> {
    let mut found = BTreeMap::<Account, Vec<u64>>::new();
    for intent in relayer.api.store.open_intents().await.unwrap() {
        found.entry(intent.tx.signer).or_default().push(intent.tx.nonce);
    }
    found
}

/// A gauge of a key, as `/metrics` shows it.
async fn gauge(relayer: &Relayer, name: &str, account: &Account, state: &str) -> String {
    let account = rivulet_rules::text::hex(&account.0);
    let labels =
        if state.is_empty() { format!("{name}{{account=\"{account}\"}}") } else { format!("{name}{{account=\"{account}\",state=\"{state}\"}}") };
    let (counts, intents) = (relayer.api.store.counts().await.unwrap(), relayer.api.store.open_intents().await.unwrap());
    let api = &relayer.api;
    let text = api.metrics.text(&api.chain.signers(), &counts, &intents, &api.status, &api.control, 0);
    let found = text.lines().find_map(|l| l.strip_prefix(&labels)).unwrap_or_else(|| panic!("no {labels} in\n{text}"));
    found.trim().to_owned()
}

#[tokio::test]
async fn batches_go_beside_each_other_each_key_with_its_own_nonces_and_limit() {
    let world = World::new(&KEYS, 20);
    let relayer = world.start().await;
    pass(&relayer).await;
    assert_eq!(under_way(&relayer).await, KEYS.map(|key| (key, vec![0, 1])).into());
    world.chain.produce();
    pass(&relayer).await;
    assert_eq!(under_way(&relayer).await.values().flatten().copied().collect::<Vec<_>>(), [2, 3, 2, 2]);
    assert_eq!(gauge(&relayer, "rivulet_lane_in_flight", &KEYS[0], "").await, "2");
    assert_eq!(gauge(&relayer, "rivulet_lane_next_nonce", &KEYS[1], "").await, "2");
    world.chain.produce();
    pass(&relayer).await;
    assert_eq!((world.paid(), world.included(), under_way(&relayer).await.len()), (vec![7; 20], 10, 0));
}

#[tokio::test]
async fn a_key_that_cannot_pay_is_set_aside_until_it_can() {
    let world = World::new(&KEYS[..2], 6);
    // A batch costs 1,000 here, and the account must live on: 1 planck short.
    let needs = 1_000 + fees().existential_deposit_planck;
    world.chain.lock().balances.insert(KEYS[0], needs - 1);
    let relayer = world.start().await;
    pass(&relayer).await;
    assert_eq!(under_way(&relayer).await, [(KEYS[1], vec![0, 1])].into());
    assert_eq!(world.chain.lock().submissions, 2, "nothing is sent that cannot be paid for");
    pass(&relayer).await;
    assert_eq!(gauge(&relayer, "rivulet_lane_state", &KEYS[0], "underfunded").await, "1");
    assert_eq!(gauge(&relayer, "rivulet_lane_balance_planck", &KEYS[0], "").await.parse::<f64>().unwrap(), (needs - 1) as f64);
    assert_eq!(gauge(&relayer, "rivulet_lane_state", &KEYS[1], "open").await, "1");
    world.chain.lock().balances.insert(KEYS[0], needs);
    pass(&relayer).await;
    assert_eq!(under_way(&relayer).await, [(KEYS[0], vec![0]), (KEYS[1], vec![0, 1])].into());
    world.chain.produce();
    pass(&relayer).await;
    assert_eq!((world.paid(), world.included()), (vec![7; 6], 3));
}

#[tokio::test]
async fn without_any_money_nothing_is_recorded_and_nothing_lost() {
    let world = World::new(&KEYS[..1], 2);
    world.chain.lock().balances.insert(KEYS[0], 5);
    let relayer = world.start().await;
    pass(&relayer).await;
    assert_eq!((under_way(&relayer).await.len(), world.chain.lock().submissions), (0, 0));
    world.chain.lock().balances.clear();
    pass(&relayer).await;
    world.chain.produce();
    assert_eq!(world.paid(), [7, 7]);
}

#[tokio::test]
async fn a_batch_whose_nonce_another_program_took_goes_by_another_key_once() {
    let world = World::new(&KEYS[..2], 2);
    let relayer = world.start().await;
    // On its way to a block author that our node does not know of.
    world.chain.lock().foreign.insert(KEYS[0], 1);
    pass(&relayer).await;
    assert_eq!(under_way(&relayer).await, [(KEYS[0], vec![0])].into());
    world.chain.produce();
    pass(&relayer).await;
    assert_eq!(under_way(&relayer).await, [(KEYS[1], vec![0])].into());
    pass(&relayer).await;
    assert_eq!(gauge(&relayer, "rivulet_lane_state", &KEYS[0], "contested").await, "1");
    world.chain.produce();
    pass(&relayer).await;
    assert_eq!((world.paid(), world.included(), under_way(&relayer).await.len()), (vec![7; 2], 1, 0));
}

#[tokio::test]
async fn the_only_key_goes_on_though_another_program_uses_it_all_the_time() {
    let world = World::new(&KEYS[..1], 8);
    let relayer = world.start().await;
    for _ in 0..12 {
        pass(&relayer).await;
        // It takes one nonce of every other block.
        if world.included().is_multiple_of(2) {
            world.chain.lock().foreign.insert(KEYS[0], 1);
        }
        world.chain.produce();
    }
    pass(&relayer).await;
    assert_eq!((world.paid(), under_way(&relayer).await.len()), (vec![7; 8], 0));
}

#[tokio::test]
async fn what_a_key_sent_that_is_no_longer_configured_is_still_followed() {
    let world = World::new(&KEYS[..1], 2);
    drop({
        let relayer = world.start().await;
        pass(&relayer).await;
        relayer
    });
    world.chain.lock().signers = vec![KEYS[1]];
    let relayer = relayer(world.dir.path(), &world.chain, SMALL);
    pass(&relayer).await;
    assert_eq!(under_way(&relayer).await, [(KEYS[0], vec![0])].into());
    world.chain.produce();
    pass(&relayer).await;
    assert_eq!((world.paid(), world.included(), under_way(&relayer).await.len()), (vec![7; 2], 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_not_refused_because_the_first_key_cannot_pay_what_they_lock() {
    let world = World::new(&KEYS[..2], 2);
    let relayer = world.start().await;
    world.chain.lock().faults.cannot_lock.insert(KEYS[0]);
    pass(&relayer).await;
    assert_eq!(under_way(&relayer).await.into_keys().collect::<Vec<_>>(), [KEYS[1]]);
    assert_eq!(relayer.api.store.counts().await.unwrap().set_aside, 0);
    world.chain.produce();
    pass(&relayer).await;
    assert_eq!(world.paid(), [7, 7]);
}
