//! The proxy on real sockets: what passes, what does not, what ends when. Free pages only: what is paid needs a relayer, and is in tests/e2e.

use rivulet_chain::Deployment;
use rivulet_core::ids::Address;
use rivulet_paywall::{config::Config, serve::Server};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

const DEPLOYMENT: &str = r#"{"network":"dev","chain_id":420420420,"genesis_hash":"0x3333333333333333333333333333333333333333333333333333333333333333","block":7,
"contracts":{"channels":{"address":"0x1111111111111111111111111111111111111111","code_hash":"0x3333333333333333333333333333333333333333333333333333333333333333"},
"streams":{"address":"0x2222222222222222222222222222222222222222","code_hash":"0x3333333333333333333333333333333333333333333333333333333333333333"}},
"tokens":{"native":{"address":"0x0000000000000000000000000000000000000000","decimals":18}}}"#;

struct Wall {
    address: SocketAddr,
    web: TcpListener,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

/// A paywall in front of a socket that the test answers on.
async fn wall(tune: impl FnOnce(&mut Config)) -> Wall {
    let folder = tempfile::tempdir().unwrap();
    let deployment: Deployment = serde_json::from_str(DEPLOYMENT).unwrap();
    let web = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = format!("http://{}", web.local_addr().unwrap());
    let mut config = Config::new(upstream, Address([0xa1; 20]), "http://127.0.0.1:1", vec!["/paid/*=1native".into()]);
    config.database = folder.path().join("paywall.db");
    tune(&mut config);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, told) = watch::channel(false);
    let server = Server::new(config, &deployment).unwrap();
    let serving = tokio::spawn(async move { server.serve(listener, told).await.unwrap() });
    Wall { address, web, stop, serving, _folder: folder }
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap().to_ascii_lowercase()
}

impl Wall {
    async fn send(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// The whole answer, of a request that closes its connection.
    async fn ask(&self, request: &str) -> String {
        let mut answer = String::new();
        self.send(request).await.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// What reaches the web server.
    async fn reached(&self) -> (TcpStream, String) {
        let (mut stream, _) = self.web.accept().await.unwrap();
        let head = read_head(&mut stream).await;
        (stream, head)
    }
}

#[tokio::test]
async fn an_answer_is_passed_on_as_it_comes() {
    let wall = wall(|_| ()).await;
    let mut client = wall.send("GET /live HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let (mut web, _) = wall.reached().await;
    web.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n").await.unwrap();
    // The rest has not been written when this is read.
    let head = read_head(&mut client).await;
    let mut chunk = [0; 10];
    client.read_exact(&mut chunk).await.unwrap();
    assert!(head.starts_with("http/1.1 200") && &chunk == b"5\r\nfirst\r\n", "{head}");
    web.write_all(b"4\r\nlast\r\n0\r\n\r\n").await.unwrap();
    let mut rest = [0; 14];
    client.read_exact(&mut rest).await.unwrap();
    assert_eq!(&rest, b"4\r\nlast\r\n0\r\n\r\n");
}

#[tokio::test]
async fn what_is_for_one_connection_is_not_passed_on() {
    let wall = wall(|_| ()).await;
    let request = "GET /a?b=%20c HTTP/1.1\r\nHost: blog.example\r\nConnection: close, X-Secret\r\nX-Secret: 1\r\nTE: trailers\r\nProxy-Authorization: x\r\n\
                   Upgrade: h2c\r\nX-Rivulet-Payer: me\r\nForwarded: for=6.6.6.6\r\nX-Kept: yes\r\n\r\n";
    let asked = wall.ask(request);
    let answered = async {
        let (mut web, head) = wall.reached().await;
        web.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: x-mine\r\nx-mine: 1\r\nkeep-alive: 5\r\nx-rivulet-payer: you\r\n\r\nok")
            .await
            .unwrap();
        head
    };
    let (answer, head) = tokio::join!(asked, answered);
    assert!(head.starts_with("get /a?b=%20c http/1.1\r\n"), "the path as it was written: {head}");
    for gone in ["x-secret", "te:", "proxy-authorization", "upgrade", "x-rivulet-payer", "forwarded: for=6", "connection: close"] {
        assert!(!head.lines().any(|l| l.starts_with(gone)), "{gone} in {head}");
    }
    for kept in ["host: blog.example", "x-kept: yes", "x-forwarded-for: 127.0.0.1", "x-forwarded-proto: http", "x-forwarded-host: blog.example"] {
        assert!(head.lines().any(|l| l == kept), "{kept} not in {head}");
    }
    let answer = answer.to_ascii_lowercase();
    assert!(
        answer.ends_with("\r\n\r\nok") && !answer.contains("x-mine") && !answer.contains("keep-alive: 5") && !answer.contains("x-rivulet"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_proxy_of_ones_own_is_believed() {
    let wall = wall(|config| config.trust_forwarded = true).await;
    let request = "GET / HTTP/1.1\r\nhost: inner\r\nconnection: close\r\nx-forwarded-for: 9.9.9.9\r\nx-forwarded-proto: https\r\nx-forwarded-host: blog.example\r\n\r\n";
    let answered = async {
        let (mut web, head) = wall.reached().await;
        web.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        head
    };
    let (_, head) = tokio::join!(wall.ask(request), answered);
    for line in ["x-forwarded-for: 9.9.9.9, 127.0.0.1", "x-forwarded-proto: https", "x-forwarded-host: blog.example"] {
        assert!(head.lines().any(|l| l == line), "{head}");
    }
}

#[tokio::test]
async fn a_web_server_that_is_down_or_silent_has_its_own_codes() {
    let quick = wall(|config| config.limits.upstream_timeout_ms = 200).await;
    let answer = quick.ask("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\naccept: application/json\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 504 ") && answer.contains("\"upstream_timeout\""), "{answer}");
    let down = wall(|config| config.upstream = "http://127.0.0.1:1".into()).await;
    let answer = down.ask("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\naccept: application/json\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 502 ") && answer.contains("\"upstream_unreachable\""), "{answer}");
}

#[tokio::test]
async fn an_answer_that_falls_silent_breaks_off() {
    let wall = wall(|config| config.limits.idle_timeout_ms = 200).await;
    let mut client = wall.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let (mut web, _) = wall.reached().await;
    web.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf").await.unwrap();
    read_head(&mut client).await;
    let mut body = Vec::new();
    // Closed before the stated length: no client takes it for whole.
    let _ = client.read_to_end(&mut body).await;
    assert_eq!(body, b"half");
}

#[tokio::test]
async fn heads_and_bodies_have_limits() {
    let wall = wall(|config| {
        config.limits.head_timeout_ms = 300;
        config.limits.max_head_bytes = 8_192;
        config.limits.max_body_bytes = 10;
    })
    .await;
    let long = wall.ask(&format!("GET / HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "a".repeat(9_000))).await;
    assert!(long.starts_with("HTTP/1.1 431 "), "{long}");
    let body = wall.ask("POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 11\r\n\r\nhello world").await;
    assert!(body.starts_with("HTTP/1.1 413 ") && body.contains("body_too_large"), "{body}");
    // One that says nothing of its length is stopped on the way.
    let chunked =
        wall.ask("POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n").await;
    assert!(chunked.starts_with("HTTP/1.1 413 "), "{chunked}");
    // A head that never ends: the connection does.
    let mut slow = wall.send("GET / HTTP/1.1\r\nhost: x\r\n").await;
    let mut rest = Vec::new();
    slow.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&rest));
}

#[tokio::test]
async fn what_is_under_way_is_answered_when_it_stops() {
    let wall = wall(|_| ()).await;
    let mut client = wall.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let (mut web, _) = wall.reached().await;
    wall.stop.send(true).unwrap();
    web.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone").await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("\r\n\r\ndone"), "{answer}");
    wall.serving.await.unwrap();
    assert!(TcpStream::connect(wall.address).await.is_err());
}

#[tokio::test]
async fn what_is_priced_never_reaches_the_web_server_unpaid() {
    let wall = wall(|_| ()).await;
    for (method, path) in
        [("GET", "/paid/1"), ("HEAD", "/paid/1"), ("POST", "/paid/1"), ("DELETE", "/paid/"), ("GET", "/%70aid/1"), ("GET", "/paid;x/1")]
    {
        let answer = wall.ask(&format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 402 ") && answer.to_ascii_lowercase().contains("cache-control: private, no-store"), "{answer}");
    }
    let answer = wall.ask("GET /.well-known/rivulet HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(answer.contains(r#""prices":[{"path":"/paid/*","prices":["1native"]}]"#), "{answer}");
    let answer = wall.ask("GET /.well-known/rivulet/none HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 404 ") && answer.contains("no_such_route"), "{answer}");
    assert!(tokio::time::timeout(std::time::Duration::from_millis(50), wall.web.accept()).await.is_err(), "something reached it");
}
