//! Vouchers accepted a second, on disk, over HTTP.

use super::{
    Effort,
    load::{Answered, DEPOSIT, Load, Plan},
    measure::{CORES, Spent, Stopwatch, pin_to},
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
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch};

/// What is sent, and how.
const KINDS: [(&str, usize, usize, bool); 8] = [
    ("1,000 a request", 1_000, 8, false),
    ("100 a request", 100, 8, false),
    ("10 a request", 10, 16, false),
    ("one a request, acknowledged", 1, 64, false),
    ("1,000 a request, acknowledged", 1_000, 8, true),
    ("100 a request, acknowledged", 100, 8, true),
    ("100 a request, one connection", 100, 1, false),
    ("one a request, acknowledged, one connection", 1, 1, false),
];

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

async fn measure(database: &str, location: Location, effort: Effort) {
    let (key, states) = states(effort.channels);
    let chain = FakeChain::new();
    chain.book(ContractKind::Channels, 1);
    for state in &states {
        chain.open(state.terms.number, &key, state.deposit);
    }
    chain.produce();
    let store: Arc<dyn Store> = rivulet_store::open(&location, &network().deployment).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let more = "batch.interval_ms = 3600000\nbatch.enough_vouchers = 1000000000";
    let secrets = Secrets { acknowledgement: Some(acknowledgement_key()), admin: None };
    let relayer = relayer_on(Arc::clone(&store), &chain, more, secrets);
    relayer.worker.catch_up().await.unwrap();
    let (tell, told) = watch::channel(false);
    let running = tokio::spawn(relayer.run_on(listener, told));

    let (bare, checked) = checks(&key, &states, effort.each / 2);
    println!("### Accepting, on {}\n", if database == "sqlite" { "SQLite" } else { "Postgres" });
    println!("{} channels. Bare recovery takes {:.1} µs of processor time here: {:.0} a second.\n", effort.channels, bare * 1e6, 1.0 / bare);
    println!("| vouchers | a second | × bare, by the clock | × bare, by processor time | p50 of a request, ms | p99, ms |");
    println!("|---|---|---|---|---|---|");
    let row = |name: &str, count: usize, answered: &Answered, spent: &Spent| {
        let (rate, cpu_rate) = (count as f64 / answered.secs, count as f64 / spent.cpu);
        let ms = |d: Duration| d.as_secs_f64() * 1e3;
        println!("| {name} | {rate:.0} | {:.2} | {:.2} | {:.1} | {:.1} |", rate * bare, cpu_rate * bare, ms(answered.p50), ms(answered.p99));
        cpu_rate
    };
    let run = async |name: &str, plan: Plan| {
        let load = tokio::task::spawn_blocking(move || Load::prepare(plan)).await.unwrap();
        let watch = Stopwatch::start();
        let answered = tokio::task::spawn_blocking(move || load.send()).await.unwrap();
        row(name, plan.size * plan.requests, &answered, &watch.spent())
    };
    let plan = Plan { port, channels: effort.channels, size: 1_000, requests: 0, first_total: 1, connections: 8, is_acknowledged: false };
    // Read from the store into memory, a row inserted rather than changed.
    run("the first of each channel, 1,000 a request", Plan { requests: states.len() / 1_000, ..plan }).await;
    let mut first_total = 2;
    let mut rates = Vec::new();
    for (name, size, connections, is_acknowledged) in KINDS {
        let share = if connections == 1 { 0.05 } else { [1.0, 0.5][usize::from(size <= 10 || is_acknowledged)] };
        let requests = (effort.each.as_secs_f64() / bare * share) as usize / size + connections;
        let plan = Plan { size, requests, first_total, connections, is_acknowledged, ..plan };
        rates.push(run(name, plan).await);
        first_total += (requests * size) as u128 / u128::from(effort.channels) + 1;
    }
    let stored = storing(store.as_ref(), &key, &states, [first_total, first_total + 1]).await;
    let whole = 1.0 / rates[1];
    println!("\nWhere a voucher's processor time goes, 100 a request:\n\n| part | µs | of all |\n|---|---|---|");
    for (name, secs) in [
        ("bare recovery", bare),
        ("the other checks: three hashes, terms, cover", checked - bare),
        ("the store, in groups of 1,000", stored),
        ("the rest: HTTP, JSON, tasks, the cache", whole - checked - stored),
        ("all", whole),
    ] {
        println!("| {name} | {:.1} | {:.0} % |", secs * 1e6, secs / whole * 100.0);
    }
    println!();
    tell.send(true).unwrap();
    running.await.unwrap().unwrap();
}
