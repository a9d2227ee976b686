//! How many vouchers a second are accepted durably over HTTP, against bare libsecp256k1 recovery on one core, in one run.
//!
//! ```text
//! cargo run --release -p rivulet-server --example accept_rate -- [channels] [seconds] [sqlite | postgres]
//! ```
//!
//! `postgres` starts a server of its own on this machine, whose processor time is not counted.
//!
//! Every voucher is signed before the clock runs, spread over all channels, and higher than the one before it. The client speaks HTTP/1.1 on a few
//! connections that stay open. It runs in this process, so on a machine with few cores it takes its share of them: the result is a lower bound. Each rate
//! is given by the clock and by the processor time of the whole process, client included; the second hardly minds what else runs on the machine.

#[path = "../tests/support/mod.rs"]
mod support;

use rivulet_core::{
    Keccak256, SoftKeccak,
    eip712::{Message, Voucher},
    ids::Number,
};
use rivulet_rules::{
    accept::signature::recover,
    chain::{ChannelState, ContractKind},
    testing::{Key, channel_of, id, payee, separator},
    text::hex,
};
use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use support::{FakeChain, relayer_on};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
};

const CONNECTIONS: usize = 8;

/// Seconds by the clock, and of processor time of this process.
struct Stopwatch(Instant, f64);

impl Stopwatch {
    fn start() -> Self {
        Self(Instant::now(), cpu_secs())
    }
    /// So many a second, by either.
    fn rates(&self, done: u64) -> (f64, f64) {
        (done as f64 / self.0.elapsed().as_secs_f64(), done as f64 / (cpu_secs() - self.1))
    }
}

/// User and system time of this process, in seconds: fields 14 and 15 of its stat, in hundredths.
fn cpu_secs() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

/// Bare recovery to an address, on this thread.
fn recoveries(key: &Key, states: &[ChannelState], within: Duration) -> (f64, f64) {
    let separator = separator();
    let sample: Vec<_> = states.iter().take(1_000).map(|s| (id(s), key.voucher(id(s), 1))).collect();
    let digests: Vec<_> =
        sample.iter().map(|(id, s)| (Voucher { channel_id: *id, cumulative_amount: 1 }.digest(&separator, &SoftKeccak), *s)).collect();
    let (watch, mut done) = (Stopwatch::start(), 0u64);
    while watch.0.elapsed() < within {
        for (digest, signature) in &digests {
            assert!(recover(*digest, signature).is_some());
            done += 1;
        }
    }
    watch.rates(done)
}

/// Requests of `size` vouchers each, in the order of rising totals.
fn requests(key: &Key, states: &[ChannelState], size: usize, count: usize, first_total: u128) -> Vec<Vec<u8>> {
    let mut place = 0;
    let mut next = || {
        let state = &states[place % states.len()];
        let total = first_total + (place / states.len()) as u128;
        place += 1;
        let id = id(state);
        let Number { book, serial } = state.terms.number;
        let (id_hex, signature) = (hex(&id.0), hex(&key.voucher(id, total).0));
        format!(r#"{{"channel_id":"{id_hex}","book":{book},"serial":{serial},"cumulative_amount":"{total}","signature":"{signature}"}}"#)
    };
    let request = |path: &str, body: &str| format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes();
    (0..count)
        .map(|_| {
            if size == 1 {
                return request("/v1/vouchers", &next());
            }
            let mut body = String::from("[");
            for i in 0..size {
                let _ = write!(body, "{}{}", if i == 0 { "" } else { "," }, next());
            }
            body.push(']');
            request("/v1/vouchers/batch", &body)
        })
        .collect()
}

/// Sends one request and reads its answer whole.
async fn call(stream: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) -> usize {
    stream.write_all(request).await.unwrap();
    buffer.clear();
    loop {
        assert!(stream.read_buf(buffer).await.unwrap() > 0, "the server hung up");
        let Some(head) = buffer.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&buffer[..head]).unwrap().to_ascii_lowercase();
        let length: usize = text.split("content-length: ").nth(1).and_then(|t| t.lines().next()).unwrap().parse().unwrap();
        if buffer.len() >= head + 4 + length {
            assert!(text.starts_with("http/1.1 200"), "{}", String::from_utf8_lossy(buffer));
            return head + 4;
        }
    }
}

async fn measure(address: &str, requests: Vec<Vec<u8>>, size: usize, connections: usize) -> (f64, f64) {
    let (requests, next) = (Arc::new(requests), Arc::new(AtomicUsize::new(0)));
    let watch = Stopwatch::start();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let (requests, next, address) = (Arc::clone(&requests), Arc::clone(&next), address.to_owned());
        tasks.spawn(async move {
            let mut stream = TcpStream::connect(&address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let mut buffer = Vec::new();
            while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                let at = call(&mut stream, request, &mut buffer).await;
                if size > 1 {
                    let expected = format!("{{\"accepted\":{size},\"rejected\":0,");
                    assert!(buffer[at..].starts_with(expected.as_bytes()), "{}", String::from_utf8_lossy(&buffer[at..at + 300]));
                }
            }
        });
    }
    let count = requests.len() * size;
    tasks.join_all().await;
    watch.rates(count as u64)
}

#[tokio::main]
async fn main() {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let number = |place: usize, usual: u32| args.get(place).map_or(usual, |a| a.parse().expect("a number"));
    let (count, secs) = (number(0, 100_000), number(1, 5));
    let key = Key::of(1);
    let chain = FakeChain::new();
    chain.book(ContractKind::Channels, 1);
    let states: Vec<_> = (0..count).map(|serial| channel_of(Number { book: 1, serial }, &key, 1 << 90, payee(1), Default::default())).collect();
    for state in &states {
        chain.open(state.terms.number, &key, state.deposit);
    }
    chain.produce();
    // Where the data would lie: a temporary directory in memory would make fsync free.
    let dir = tempfile::tempdir_in(std::env::var("RIVULET_BENCH_DIR").unwrap_or_else(|_| ".".to_owned())).unwrap();
    let address = "127.0.0.1:18787";
    let location = match args.get(2).map(String::as_str) {
        None | Some("sqlite") => rivulet_store::Location::Sqlite(dir.path().join("relayer.db")),
        Some("postgres") => rivulet_store::testing::server().fresh().await,
        Some(other) => panic!("expected sqlite or postgres, got {other}"),
    };
    let store = rivulet_store::open(&location, &support::network().deployment).await.unwrap();
    let more = format!("http.listen = \"{address}\"\nbatch.interval_ms = 3600000\nbatch.enough_vouchers = 1000000000");
    let relayer = relayer_on(store, &chain, &more, Default::default());
    relayer.worker.catch_up().await.unwrap();
    let (tell, told) = watch::channel(false);
    let running = tokio::spawn(relayer.run(told));
    while TcpStream::connect(address).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    let (bare, bare_cpu) = recoveries(&key, &states, Duration::from_secs(2));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{location}: {count} channels, {cores} cores, {}", if cfg!(debug_assertions) { "development profile" } else { "release profile" });
    println!("bare recovery, one core: {bare:.0}/s, {bare_cpu:.0} a second of processor time ({:.1} µs)", 1e6 / bare_cpu);
    println!("keccak of 66 bytes: {:.2} µs", {
        let begun = Instant::now();
        (0..100_000u32).for_each(|i| {
            std::hint::black_box(SoftKeccak.keccak256(&[i as u8; 66]));
        });
        begun.elapsed().as_secs_f64() * 10.0
    });
    // The first voucher of every channel: read from the store into memory, its row inserted rather than changed.
    let cold = requests(&key, &states, 1_000, states.len() / 1_000, 1);
    let (rate, rate_cpu) = measure(address, cold, 1_000, CONNECTIONS).await;
    println!(
        "first voucher of every channel, 1000 a request: {rate:.0} vouchers/s on disk = {:.2} × bare; {rate_cpu:.0} a second of processor time = {:.2} × bare",
        rate / bare,
        rate_cpu / bare_cpu
    );
    let mut first_total = 2;
    for (size, connections, share) in [(100, CONNECTIONS, 1.0), (1_000, CONNECTIONS, 1.0), (10, CONNECTIONS, 0.5), (1, 64, 0.15)] {
        let wanted = (bare * f64::from(secs) * share) as usize / size + connections;
        let requests = requests(&key, &states, size, wanted, first_total);
        first_total += (wanted * size) as u128 / u128::from(count) + 1;
        let (rate, rate_cpu) = measure(address, requests, size, connections).await;
        println!(
            "{size:>5} a request, {connections:>2} connections: {rate:.0} vouchers/s on disk = {:.2} × bare; {rate_cpu:.0} a second of processor time = {:.2} × bare",
            rate / bare,
            rate_cpu / bare_cpu
        );
    }
    tell.send(true).unwrap();
    running.await.unwrap().unwrap();
}
