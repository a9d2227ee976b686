//! What sends: a process of its own. Every voucher is signed before the clock runs, and higher than the one before it of its channel.

use super::measure;
use rivulet_core::ids::Number;
use rivulet_rules::{
    testing::{Key, channel_of, id, payee},
    text::hex,
};
use std::{
    fmt::Write as _,
    io::{BufRead, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Of every channel in the bench.
pub const DEPOSIT: u128 = 1 << 90;

/// What to send.
#[derive(Clone, Copy)]
pub struct Plan {
    /// Where.
    pub port: u16,
    /// Over how many channels.
    pub channels: u32,
    /// Vouchers in a request.
    pub size: usize,
    /// Requests.
    pub requests: usize,
    /// Of the first voucher.
    pub first_total: u128,
    pub connections: usize,
    /// Ask for an acknowledgement of each.
    pub is_acknowledged: bool,
}

/// How it went.
pub struct Answered {
    pub secs: f64,
    /// Of a request, as its sender sees it.
    pub p50: Duration,
    pub p99: Duration,
}

/// The other process, with everything signed.
pub struct Load {
    child: Child,
    stdin: ChildStdin,
    lines: std::io::Lines<std::io::BufReader<ChildStdout>>,
}

impl Load {
    /// Starts it and waits until all is signed.
    pub fn prepare(plan: Plan) -> Self {
        let Plan { port, channels, size, requests, first_total, connections, is_acknowledged } = plan;
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("load").args([port.to_string(), channels.to_string(), size.to_string(), requests.to_string(), first_total.to_string()]);
        command.args([connections.to_string(), is_acknowledged.to_string()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut lines = std::io::BufReader::new(stdout).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "ready");
        Self { child, stdin, lines }
    }

    /// Lets it send all, and waits for the last answer.
    pub fn send(mut self) -> Answered {
        writeln!(self.stdin, "go").unwrap();
        let line = self.lines.next().expect("what sends has failed").unwrap();
        let mut numbers = line.split(' ').map(|n| n.parse::<u64>().unwrap());
        let mut micros = || Duration::from_micros(numbers.next().unwrap());
        let answered = Answered { secs: micros().as_secs_f64(), p50: micros(), p99: micros() };
        assert!(self.child.wait().unwrap().success());
        answered
    }
}

/// The other process.
pub fn run(plan: &[&str]) {
    let [port, channels, size, requests, first_total, connections, is_acknowledged] = plan else { panic!("{plan:?}") };
    let plan = Plan {
        port: port.parse().unwrap(),
        channels: channels.parse().unwrap(),
        size: size.parse().unwrap(),
        requests: requests.parse().unwrap(),
        first_total: first_total.parse().unwrap(),
        connections: connections.parse().unwrap(),
        is_acknowledged: is_acknowledged.parse().unwrap(),
    };
    measure::pin_to(measure::CORES.1);
    let requests = signed(&plan);
    println!("ready");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let begun = Instant::now();
    let mut times = runtime.block_on(send(&plan, requests));
    let elapsed = begun.elapsed();
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_micros();
    println!("{} {} {}", elapsed.as_micros(), at(50), at(99));
}

fn signed(plan: &Plan) -> Vec<Vec<u8>> {
    let key = Key::of(1);
    let mut place = 0u32;
    let mut next = || {
        let (serial, total) = (place % plan.channels, plan.first_total + u128::from(place / plan.channels));
        place += 1;
        let id = id(&channel_of(Number { book: 1, serial }, &key, DEPOSIT, payee(1), Default::default()));
        let (id_hex, signature) = (hex(&id.0), hex(&key.voucher(id, total).0));
        format!(r#"{{"channel_id":"{id_hex}","book":1,"serial":{serial},"cumulative_amount":"{total}","signature":"{signature}"}}"#)
    };
    let request = |path: &str, body: &str| format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes();
    let path = if plan.is_acknowledged { "/v1/vouchers/batch?acknowledge=true" } else { "/v1/vouchers/batch" };
    let mut one = || {
        if plan.size == 1 {
            return request("/v1/vouchers", &next());
        }
        let mut body = String::from("[");
        for i in 0..plan.size {
            let _ = write!(body, "{}{}", if i == 0 { "" } else { "," }, next());
        }
        body.push(']');
        request(path, &body)
    };
    (0..plan.requests).map(|_| one()).collect()
}

async fn send(plan: &Plan, requests: Vec<Vec<u8>>) -> Vec<Duration> {
    let (requests, next) = (Arc::new(requests), Arc::new(AtomicUsize::new(0)));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..plan.connections {
        let (requests, next, Plan { port, size, .. }) = (Arc::clone(&requests), Arc::clone(&next), *plan);
        tasks.spawn(async move {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let (mut buffer, mut times) = (Vec::new(), Vec::new());
            while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                let begun = Instant::now();
                let at = call(&mut stream, request, &mut buffer).await;
                times.push(begun.elapsed());
                if size > 1 {
                    let expected = format!("{{\"accepted\":{size},\"rejected\":0,");
                    assert!(buffer[at..].starts_with(expected.as_bytes()), "{}", String::from_utf8_lossy(&buffer[at..at + 300]));
                }
            }
            times
        });
    }
    tasks.join_all().await.concat()
}

/// Sends one request and reads its answer whole. Where the body begins.
async fn call(stream: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) -> usize {
    stream.write_all(request).await.unwrap();
    buffer.clear();
    let mut head_end = None;
    loop {
        assert!(stream.read_buf(buffer).await.unwrap() > 0, "the server hung up");
        if head_end.is_none() {
            let Some(head) = buffer.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
            let text = std::str::from_utf8(&buffer[..head]).unwrap().to_ascii_lowercase();
            assert!(text.starts_with("http/1.1 200"), "{}", String::from_utf8_lossy(buffer));
            let length: usize = text.split("content-length: ").nth(1).and_then(|t| t.lines().next()).unwrap().parse().unwrap();
            head_end = Some((head + 4, head + 4 + length));
        }
        if let Some((body, end)) = head_end
            && buffer.len() >= end
        {
            return body;
        }
    }
}
