//! What should not grow with the number of channels: a claim decision, a restart, memory a channel. Each size in processes of its own.

use super::{
    Effort,
    measure::{Stopwatch, memory},
    support::{CENT, FakeChain, RELAYER, network, relayer_on},
};
use rivulet_core::{
    SoftKeccak,
    fee::RelayTerms,
    ids::{Address, Number},
};
use rivulet_rules::{
    chain::{BookState, ChannelState, ContractKind},
    testing::{DEPLOYMENT, Key, channel_of, offer},
};
use rivulet_server::{clock::now_ms, serve::Relayer};
use rivulet_store::{ChainUpdate, ChannelUpdate, SqliteStore, Store};
use std::{
    collections::BTreeMap,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

/// Channels of one payee.
const A_BOOK: u32 = 1_000;
/// Worth next to nothing: a row's cost is a million times as much.
const DUST: u128 = 10_000_000_000;
const LINES: [(&str, &str); 10] = [
    ("restart: the first voucher is on disk, ms", "accept"),
    ("restart: the first decision is made, ms / of processor time", "decision"),
    ("decision, no row changed, ms / of processor time", "none"),
    ("decision, 100 rows changed, ms / of processor time", "hundred"),
    ("decision, 1,000 rows changed, ms / of processor time", "thousand"),
    ("decision, 10,000 rows changed, ms / of processor time", "ten-thousand"),
    ("decision, 500 rows worth a transaction: chosen, recorded, sent, ms", "sent"),
    ("memory after the first decision, MiB", "memory"),
    ("memory with every channel asked for, MiB", "memory-all"),
    ("of it a channel, B", "a-channel"),
];

pub fn run(effort: Effort) {
    let dir = tempfile::tempdir_in(std::env::var("RIVULET_BENCH_DIR").unwrap_or_else(|_| ".".to_owned())).unwrap();
    let mut columns = Vec::new();
    for size in effort.sizes {
        let (path, size) = (dir.path().join(format!("{size}.db")), size.to_string());
        let part = |name: &str| {
            let out = Command::new(std::env::current_exe().unwrap()).args([name, &size]).arg(&path).output().unwrap();
            assert!(out.status.success(), "{name} {size}: {}", String::from_utf8_lossy(&out.stderr));
            String::from_utf8(out.stdout).unwrap()
        };
        part("fill");
        let said = part("grown");
        columns.push(said.lines().filter_map(|line| line.split_once(' ').map(|(k, v)| (k.to_owned(), v.to_owned()))).collect::<BTreeMap<_, _>>());
        for path in std::fs::read_dir(dir.path()).unwrap() {
            std::fs::remove_file(path.unwrap().path()).unwrap();
        }
    }
    println!(
        "## With ever more channels\n\nSQLite; {A_BOOK} channels a payee, each with a voucher that is worth less than its row costs. The file is in the system's cache.\n"
    );
    let head: Vec<_> = effort.sizes.iter().map(|size| format!(" {size} channels |")).collect();
    println!("| |{}\n|---|{}", head.concat(), "---|".repeat(columns.len()));
    for (name, key) in LINES {
        let values: Vec<_> = columns.iter().map(|c| format!(" {} |", c.get(key).map_or("–", String::as_str))).collect();
        println!("| {name} |{}", values.concat());
    }
    println!();
}

fn number(place: u32) -> Number {
    Number { book: place / A_BOOK + 1, serial: place % A_BOOK }
}

fn payee_of(book: u32) -> Address {
    let mut address = [0xaa; 20];
    address[..4].copy_from_slice(&book.to_be_bytes());
    Address(address)
}

fn state(place: u32, key: &Key) -> ChannelState {
    let number = number(place);
    channel_of(number, key, 1 << 90, payee_of(number.book), Address::ZERO)
}

/// A database with so many channels and vouchers.
pub fn fill(count: u32, path: &Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = SqliteStore::open(path, &network().deployment).unwrap();
    let (key, chain) = (Key::of(1), FakeChain::new());
    let apply = |update| runtime.block_on(store.apply(update)).unwrap();
    let terms = RelayTerms { beneficiary: RELAYER, fee_bps: 1_000, flat_fee: 0, min_gain: 0, until: u64::MAX >> 1 };
    let book = |book| (0, ContractKind::Channels, BookState { book, payee: payee_of(book), token: Address::ZERO, next_serial: A_BOOK, terms });
    apply(ChainUpdate { books: (1..=count.div_ceil(A_BOOK)).map(book).collect(), ..ChainUpdate::default() });
    let places: Vec<_> = (0..count).collect();
    for part in places.chunks(50_000) {
        let live = |place: &u32| {
            let state = state(*place, &key);
            (0, ChannelUpdate::Live { state, channel_id: state.terms.channel_id(&DEPLOYMENT, &SoftKeccak) })
        };
        apply(ChainUpdate { channels: part.iter().map(live).collect(), ..ChainUpdate::default() });
    }
    let head = runtime.block_on(rivulet_server::chain::ChainAccess::finalized_head(&chain)).unwrap();
    apply(ChainUpdate { cursor: Some(head), ..ChainUpdate::default() });
    drop(store);
    // Vouchers whose signatures nobody looks at: signing a million would take longer than all else.
    let db = rusqlite::Connection::open(path).unwrap();
    let sql = "INSERT INTO vouchers (book, serial, channel_id, cumulative_amount, signature, accepted_ms, set_aside)
         SELECT book, serial, channel_id, ?1, randomblob(64), 1000, NULL FROM channels";
    db.execute(sql, [&DUST.to_be_bytes()]).unwrap();
}

struct Grown {
    relayer: Relayer,
    chain: FakeChain,
    key: Key,
    count: u32,
    /// Of the next vouchers.
    total: u128,
}

impl Grown {
    /// New vouchers of the first so many channels.
    async fn pay(&mut self, count: u32, total: u128) {
        for part in (0..count.min(self.count)).collect::<Vec<_>>().chunks(1_000) {
            let offers = part.iter().map(|place| offer(&state(*place, &self.key), &self.key, total)).collect();
            let answers = self.relayer.api.acceptor.accept(offers).await.unwrap();
            assert!(answers.iter().all(Result::is_ok), "{:?}", answers.iter().find(|a| a.is_err()));
        }
    }

    /// How long a pass takes after so many have changed: the median of some, and their mean in processor time.
    async fn decision(&mut self, changed: u32) -> (f64, f64) {
        let (mut times, mut cpu) = (Vec::new(), 0.0);
        for _ in 0..5 {
            self.total += 1;
            self.pay(changed, self.total).await;
            let watch = Stopwatch::start();
            times.push(self.pass().await);
            cpu += watch.spent().cpu;
        }
        times.sort_unstable();
        (ms(times[2]), cpu / 5.0 * 1e3)
    }

    async fn pass(&self) -> Duration {
        let head = rivulet_server::chain::ChainAccess::finalized_head(&self.chain).await.unwrap();
        let begun = Instant::now();
        self.relayer.worker.pass(&head).await.unwrap();
        begun.elapsed()
    }
}

fn ms(d: Duration) -> f64 {
    d.as_secs_f64() * 1e3
}

/// What is said of such a database.
pub fn measure(count: u32, path: &Path) {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let (key, chain) = (Key::of(1), FakeChain::new());
        // Those that will be worth something are on the chain too, for the dry run to find.
        for place in 0..2_000.min(count) {
            let state = state(place, &key);
            chain.lock().channels.insert(state.terms.number, state);
        }
        let place = count / 2;
        let first = offer(&state(place, &key), &key, DUST + 1);
        let before = memory();
        let (begun, watch) = (Instant::now(), Stopwatch::start());
        let store = Arc::new(SqliteStore::open(path, &network().deployment).unwrap());
        let relayer = relayer_on(store, &chain, "batch.max_rows = 500", Default::default());
        relayer.api.acceptor.accept(vec![first]).await.unwrap().remove(0).unwrap();
        println!("accept {:.1}", ms(begun.elapsed()));
        let mut grown = Grown { relayer, chain, key, count, total: DUST + 1 };
        grown.pass().await;
        println!("decision {:.0} / {:.0}", ms(begun.elapsed()), watch.spent().cpu * 1e3);
        println!("memory {:.1}", mebibytes(memory() - before));
        for (name, changed) in [("none", 0), ("hundred", 100), ("thousand", 1_000), ("ten-thousand", 10_000)] {
            let (clock, cpu) = grown.decision(changed).await;
            println!("{name} {clock:.1} / {cpu:.0}");
        }
        let numbers: Vec<_> = (0..count).map(number).collect();
        for part in numbers.chunks(1_000) {
            let found = grown.relayer.api.channels.get(part, now_ms()).await.unwrap();
            assert!(found.iter().all(Result::is_ok));
        }
        drop(numbers);
        let all = memory() - before;
        println!("memory-all {:.1}\na-channel {:.0}", mebibytes(all), all as f64 / f64::from(count));
        grown.pay(500, 1_000 * CENT).await;
        println!("sent {:.1}", ms(grown.pass().await));
        assert_eq!(grown.relayer.api.store.open_intents().await.unwrap().iter().map(|i| i.rows.len()).sum::<usize>(), 500);
    });
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
