//! The proxy on real sockets: what passes, what does not, what ends when. Free pages only: what is paid needs a relayer, and is in tests/e2e.

use rivulet_chain::Deployment;
use rivulet_core::ids::Address;
use rivulet_paywall::{config::Config, serve::Server};
use std::{net::SocketAddr, path::Path, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, watch},
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
    reload: Arc<Notify>,
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
    let reload = server.reload();
    let serving = tokio::spawn(async move { server.serve(listener, told).await.unwrap() });
    Wall { address, web, stop, reload, serving, _folder: folder }
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

/// As a browser asks before it lets a page of this origin send a request.
fn preflight(path: &str, origin: &str) -> String {
    format!(
        "OPTIONS {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\norigin: {origin}\r\naccess-control-request-method: GET\r\n\
         access-control-request-headers: payment-signature, range\r\n\r\n"
    )
}

fn line<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    answer.lines().find_map(|l| l.to_ascii_lowercase().starts_with(&format!("{name}: ")).then(|| l.split_once(": ").map(|(_, value)| value))?)
}

#[tokio::test]
async fn a_preflight_is_answered_here_and_costs_nothing() {
    let wall = wall(|config| config.cors_origins = vec!["https://app.example".parse().unwrap(), "http://127.0.0.1:5173".parse().unwrap()]).await;
    // Nobody answers as the web server: were one passed on, this would wait for ever.
    for path in ["/paid/1", "/free", "/.well-known/rivulet/pay"] {
        for origin in ["https://app.example", "http://127.0.0.1:5173"] {
            let answer = wall.ask(&preflight(path, origin)).await;
            assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n"), "{answer}");
            assert_eq!(line(&answer, "access-control-allow-origin"), Some(origin), "{answer}");
            assert_eq!(line(&answer, "access-control-allow-headers"), Some("payment-signature, range"), "{answer}");
        }
        let answer = wall.ask(&preflight(path, "https://evil.example")).await;
        assert_eq!(line(&answer, "access-control-allow-origin"), None, "{answer}");
    }
    // What a page gets without having paid, it may read.
    let answer = wall.ask("GET /paid/1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\norigin: https://app.example\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 402 ") && line(&answer, "payment-required").is_some(), "{answer}");
    assert_eq!(line(&answer, "access-control-allow-origin"), Some("https://app.example"));
    let exposed = line(&answer, "access-control-expose-headers").unwrap();
    for name in ["payment-required", "payment-response", "accept-ranges", "content-range", "retry-after"] {
        assert!(exposed.contains(name), "{exposed}");
    }
}

#[tokio::test]
async fn who_may_read_is_said_by_one_only() {
    let shared = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\naccess-control-allow-origin: https://own.example\r\naccess-control-allow-credentials: true\r\n\r\nok";
    for (origins, expected) in [(vec!["*".parse().unwrap()], ("*", false)), (vec![], ("https://own.example", true))] {
        let wall = wall(|config| config.cors_origins = origins).await;
        let answered = async { wall.reached().await.0.write_all(shared.as_bytes()).await.unwrap() };
        let asked = wall.ask("GET /free HTTP/1.1\r\nhost: x\r\nconnection: close\r\norigin: https://app.example\r\n\r\n");
        let (answer, ()) = tokio::join!(asked, answered);
        assert_eq!(line(&answer, "access-control-allow-origin"), Some(expected.0), "{answer}");
        assert_eq!(answer.to_ascii_lowercase().matches("access-control-allow-origin").count(), 1, "{answer}");
        assert_eq!(line(&answer, "access-control-allow-credentials").is_some(), expected.1, "{answer}");
    }
    // Without origins the paywall says nothing of its own, and what is priced has its price for every method.
    let silent = wall(|_| ()).await;
    let answer = silent.ask(&preflight("/paid/1", "https://app.example")).await;
    assert!(answer.starts_with("HTTP/1.1 402 ") && line(&answer, "access-control-allow-origin").is_none(), "{answer}");
}

#[tokio::test]
async fn letters_make_no_difference_where_the_web_server_makes_none() {
    let (minding, not) = (wall(|_| ()).await, wall(|config| config.case_insensitive_paths = true).await);
    for path in ["/PAID/1", "/Paid/1", "/%50aid/1"] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        assert!(not.ask(&request).await.starts_with("HTTP/1.1 402 "), "{path}");
        let answered = async { minding.reached().await.0.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap() };
        assert!(tokio::join!(minding.ask(&request), answered).0.starts_with("HTTP/1.1 204 "), "{path}");
    }
}

fn write_certificate(folder: &Path) -> reqwest::Client {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("crt.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let certificate = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    reqwest::Client::builder().add_root_certificate(certificate).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn by_https_it_is_the_same_and_a_new_certificate_is_read_when_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let first = write_certificate(folder.path());
    let wall = wall(|config| {
        config.tls_certificate_file = Some(folder.path().join("crt.pem"));
        config.tls_key_file = Some(folder.path().join("key.pem"));
    })
    .await;
    let url = format!("https://localhost:{}", wall.address.port());
    // One that never shakes hands holds up nobody.
    let _silent = TcpStream::connect(wall.address).await.unwrap();
    let asked = first.get(format!("{url}/free")).send();
    let answered = async {
        let (mut web, head) = wall.reached().await;
        web.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        head
    };
    let (response, head) = tokio::join!(asked, answered);
    assert_eq!(response.unwrap().text().await.unwrap(), "ok");
    for line in ["x-forwarded-proto: https", "x-forwarded-for: 127.0.0.1"] {
        assert!(head.lines().any(|l| l == line), "{head}");
    }
    assert_eq!(first.get(format!("{url}/paid/1")).send().await.unwrap().status(), 402);
    assert!(!wall.ask("GET /.well-known/rivulet/health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.contains("200"));
    let (second, health) = (write_certificate(folder.path()), format!("{url}/.well-known/rivulet/health"));
    // By what is open, as before; by a new connection, with the new one.
    wall.reload.notify_one();
    let begun = std::time::Instant::now();
    while second.get(&health).send().await.is_err() {
        assert!(begun.elapsed().as_secs() < 20, "the new certificate is not used");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    // One that is no good: the last stays.
    std::fs::write(folder.path().join("crt.pem"), "nonsense").unwrap();
    wall.reload.notify_one();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(second.get(&health).send().await.unwrap().status(), 200);
    wall.stop.send(true).unwrap();
    wall.serving.await.unwrap();
}

#[tokio::test]
async fn certificates_that_cannot_be_used_are_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    write_certificate(folder.path());
    std::fs::write(folder.path().join("none.pem"), "nonsense").unwrap();
    let deployment: Deployment = serde_json::from_str(DEPLOYMENT).unwrap();
    let file = |name: &str| Some(folder.path().join(name));
    type Change = fn(&mut Config, Option<std::path::PathBuf>);
    let cases: [(Change, &str, &str); 4] = [
        (|config, path| (config.tls_certificate_file, config.tls_key_file) = (path.clone(), path), "none.pem", "expected a certificate chain in PEM"),
        (|config, path| (config.tls_certificate_file, config.tls_key_file) = (path.clone(), path), "gone.pem", "cannot read"),
        (
            |config, path| (config.upstream, config.upstream_ca_file) = ("https://localhost:1".into(), path),
            "none.pem",
            "expected certificates in PEM",
        ),
        (|config, path| (config.relayer, config.relayer_ca_file) = ("https://localhost:1".into(), path), "gone.pem", "cannot read"),
    ];
    for (change, name, expected) in cases {
        let mut config = Config::new("http://127.0.0.1:1", Address([0xa1; 20]), "http://127.0.0.1:1", vec!["/paid/*=1native".into()]);
        config.database = folder.path().join("paywall.db");
        change(&mut config, file(name));
        let error = Server::new(config, &deployment).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains(name), "{error}");
    }
}
