//! Vouchers accepted a second, on disk, over HTTP.

use super::{
    Effort,
    load::{DEPOSIT, Load, Plan},
    measure::{CORES, Stopwatch, pin_to},
    support::{FakeChain, network, relayer_on, world::acknowledgement_key},
};
use rivulet_core::{
    SoftKeccak,
    eip712::{Message, Voucher},
    ids::Number,
};
use rivulet_rules::{
    accept::{Policy, Snapshot, Verified, signature::recover, verify},
    chain::{ChannelState, ContractKind},
    testing::{Key, channel_of, offer, payee, separator, snapshot},
};
use rivulet_server::serve::Secrets;
use rivulet_store::{Location, Store};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch};

/// What is sent: its name, vouchers in a request, connections.
type Kind = (&'static str, usize, usize);
const PLAIN: [Kind; 6] = [
    ("1,000 a request", 1_000, 8),
    (HUNDRED, 100, 8),
    ("10 a request", 10, 16),
    ("one a request", 1, 64),
    ("100 a request, one connection", 100, 1),
    ("one a request, one connection", 1, 1),
];
/// With the relayer's signature for each.
const ACKNOWLEDGED: [Kind; 2] = [("100 a request, acknowledged", 100, 8), ("one a request, acknowledged", 1, 64)];
const HUNDRED: &str = "100 a request";

pub fn run(database: &str, effort: Effort) {
    let dir = tempfile::tempdir_in(std::env::var("RIVULET_BENCH_DIR").unwrap_or_else(|_| ".".to_owned())).unwrap();
    let aside = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // Started before this process is pinned: its processes are not.
    let location = match database {
        "sqlite" => Location::Sqlite(dir.path().join("relayer.db")),
        "postgres" => aside.block_on(rivulet_store::testing::server().fresh()),
        other => panic!("expected sqlite or postgres, got {other}"),
    };
    pin_to(CORES.0);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(database, location, effort));
}

fn states(count: u32) -> (Key, Vec<ChannelState>) {
    let key = Key::of(1);
    let state = |serial| channel_of(Number { book: 1, serial }, &key, DEPOSIT, payee(1), Default::default());
    (key, (0..count).map(state).collect())
}

/// Seconds of processor time that one takes.
fn each(within: Duration, mut done: impl FnMut() -> usize) -> f64 {
    let (watch, mut count) = (Stopwatch::start(), 0);
    while watch.elapsed() < within {
        count += done();
    }
    watch.spent().cpu / count as f64
}

/// Bare recovery to an address, and all checks of a voucher: processor time, on this thread.
fn checks(key: &Key, states: &[ChannelState], within: Duration) -> (f64, f64) {
    let sample: Vec<_> = states.iter().take(1_000).map(|s| (offer(s, key, 1), snapshot(*s))).collect();
    let digest = |o: &rivulet_rules::accept::Offer| {
        Voucher { channel_id: o.channel_id, cumulative_amount: o.cumulative_amount }.digest(&separator(), &SoftKeccak)
    };
    let signed: Vec<_> = sample.iter().map(|(o, _)| (digest(o), o.signature)).collect();
    let bare = each(within, || signed.iter().filter(|(digest, signature)| recover(*digest, signature).is_some()).count());
    let policy = Policy::default();
    let one = |(o, s): &(rivulet_rules::accept::Offer, Snapshot)| verify(o, s, &policy, &separator(), 2_000).is_ok();
    (bare, each(within, || sample.iter().filter(|v| one(v)).count()))
}

/// The store alone, in groups of a thousand over all channels: processor time.
async fn storing(store: &dyn Store, key: &Key, states: &[ChannelState], totals: [u128; 2]) -> f64 {
    let sample = 10_000.min(states.len());
    let step = states.len() / sample;
    let signed: Vec<Vec<Verified>> = totals
        .into_iter()
        .map(|total| states.iter().step_by(step).take(sample).map(|s| rivulet_rules::testing::verified(s, key, total)).collect())
        .collect();
    let watch = Stopwatch::start();
    for vouchers in &signed {
        for group in vouchers.chunks(1_000) {
            store.accept(group.to_vec(), 1_000).await.unwrap();
        }
    }
    watch.spent().cpu / (sample * totals.len()) as f64
}

/// A running relayer, and what goes to it.
struct Bench {
    chain: FakeChain,
    store: Arc<dyn Store>,
    effort: Effort,
    /// Seconds of processor time of a bare recovery.
    bare: f64,
    /// Of the next vouchers.
    first_total: u128,
}

impl Bench {
    /// Measures each kind on a relayer of its own, one line each. Vouchers a second of processor time, by name.
    async fn phase(&mut self, is_acknowledged: bool, kinds: &[Kind]) -> HashMap<&'static str, f64> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let secrets = Secrets { acknowledgement: is_acknowledged.then(acknowledgement_key), admin: None };
        let relayer = relayer_on(Arc::clone(&self.store), &self.chain, "batch.interval_ms = 3600000\nbatch.enough_vouchers = 1000000000", secrets);
        relayer.worker.catch_up().await.unwrap();
        let (tell, told) = watch::channel(false);
        let running = tokio::spawn(relayer.run_on(listener, told));
        let mut rates = HashMap::new();
        for (name, size, connections) in kinds {
            let share = if *connections == 1 { 0.05 } else { [1.0, 0.5][usize::from(*size <= 10 || is_acknowledged)] };
            let requests = match *name {
                FIRST => self.effort.channels as usize / size,
                _ => (self.effort.each.as_secs_f64() / self.bare * share) as usize / size + connections,
            };
            let (channels, connections, first_total) = (self.effort.channels, *connections, self.first_total);
            let plan = Plan { port, channels, size: *size, requests, first_total, connections, is_acknowledged };
            rates.insert(*name, self.one(name, plan).await);
            self.first_total += (requests * size) as u128 / u128::from(channels) + 1;
        }
        tell.send(true).unwrap();
        running.await.unwrap().unwrap();
        rates
    }

    async fn one(&self, name: &str, plan: Plan) -> f64 {
        let load = tokio::task::spawn_blocking(move || Load::prepare(plan)).await.unwrap();
        let watch = Stopwatch::start();
        let answered = tokio::task::spawn_blocking(move || load.send()).await.unwrap();
        let (spent, count) = (watch.spent(), (plan.size * plan.requests) as f64);
        let (rate, cpu_rate) = (count / answered.secs, count / spent.cpu);
        let ms = |d: Duration| d.as_secs_f64() * 1e3;
        let (p50, p99) = (ms(answered.p50), ms(answered.p99));
        println!("| {name} | {rate:.0} | {:.2} | {:.2} | {p50:.1} | {p99:.1} |", rate * self.bare, cpu_rate * self.bare);
        cpu_rate
    }
}

/// Read from the store into memory, a row inserted rather than changed.
const FIRST: &str = "the first of each channel, 1,000 a request";

async fn measure(database: &str, location: Location, effort: Effort) {
    let (key, states) = states(effort.channels);
    let chain = FakeChain::new();
    chain.book(ContractKind::Channels, 1);
    for state in &states {
        chain.open(state.terms.number, &key, state.deposit);
    }
    chain.produce();
    let store: Arc<dyn Store> = rivulet_store::open(&location, &network().deployment).await.unwrap();
    let (bare, checked) = checks(&key, &states, effort.each / 2);
    println!("## Accepting, on {}\n", if database == "sqlite" { "SQLite" } else { "Postgres" });
    println!("{} channels. Bare recovery takes {:.1} µs of processor time here: {:.0} a second.\n", effort.channels, bare * 1e6, 1.0 / bare);
    println!("| vouchers | a second | × bare, by the clock | × bare, by processor time | p50 of a request, ms | p99, ms |");
    println!("|---|---|---|---|---|---|");
    let mut bench = Bench { chain, store, effort, bare, first_total: 1 };
    bench.phase(false, &[(FIRST, 1_000, 8)]).await;
    let rates = bench.phase(false, &PLAIN).await;
    bench.phase(true, &ACKNOWLEDGED).await;
    let stored = storing(bench.store.as_ref(), &key, &states, [bench.first_total, bench.first_total + 1]).await;
    let whole = 1.0 / rates[HUNDRED];
    println!("\nWhere a voucher's processor time goes, 100 a request:\n\n| part | µs | of all |\n|---|---|---|");
    for (name, secs) in [
        ("bare recovery", bare),
        ("the other checks: the digest, terms, cover", checked - bare),
        ("the store, in groups of 1,000", stored),
        ("the rest: HTTP, JSON, tasks, the cache", whole - checked - stored),
        ("all", whole),
    ] {
        println!("| {name} | {:.1} | {:.0} % |", secs * 1e6, secs / whole * 100.0);
    }
    println!();
}
