//! given a relayer that listens
//! ├── told to stop: requests under way are answered, feeds end, no new connection is taken
//! ├── a client that is slow with the head of its request is left, one that is slow with the body is not
//! ├── with an address for operators: counters and admin routes are there and nowhere else
//! └── with a certificate: it speaks TLS, reads a new certificate when told to, and keeps the old one when the new one is no good

mod support;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rivulet_rules::{
    chain::ContractKind,
    testing::{Key, offer, payee},
};
use std::{
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use support::{
    CENT, FakeChain, relayer,
    world::{NUMBER, voucher},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, watch},
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

struct Running {
    dir: tempfile::TempDir,
    address: SocketAddr,
    body: String,
    stop: watch::Sender<bool>,
    reload: Arc<Notify>,
    task: JoinHandle<Result<(), rivulet_server::serve::ServeError>>,
}

/// A relayer on a port of its own; `more` is configuration, with `DIR` for its folder.
async fn running(more: &str, prepare: impl FnOnce(&Path)) -> Running {
    let (dir, chain, key) = (tempfile::tempdir().unwrap(), FakeChain::new(), Key::of(1));
    prepare(dir.path());
    chain.book(ContractKind::Channels, 1);
    let state = chain.open(NUMBER, &key, 1_000 * CENT);
    chain.produce();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let more = more.replace("DIR", dir.path().to_str().unwrap());
    let relayer = relayer(dir.path(), &chain, &format!("[http]\nlisten = \"{address}\"\n{more}"));
    let reload = Arc::clone(&relayer.reload);
    let (stop, told) = watch::channel(false);
    let task = tokio::spawn(relayer.run_on(listener, told));
    let begun = Instant::now();
    while TcpStream::connect(address).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20) && !task.is_finished(), "it does not listen");
        sleep(Duration::from_millis(20)).await;
    }
    let body = voucher(&offer(&state, &key, 5)).to_string();
    Running { dir, address, body, stop, reload, task }
}

async fn read_to_end(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    // A peer that hangs up without a word says the same as one that says goodbye.
    let _ = timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes)).await.expect("an end in time");
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn get(mut stream: impl AsyncRead + AsyncWrite + Unpin, path: &str) -> String {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).await.unwrap();
    read_to_end(&mut stream).await
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_answers_what_is_under_way_and_takes_nothing_new() {
    let relayer = running("", |_| {}).await;
    // A request whose body has not come whole, and a feed.
    let (begin, rest) = relayer.body.split_at(40);
    let mut under_way = TcpStream::connect(relayer.address).await.unwrap();
    let head = format!("POST /v1/vouchers HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{begin}", relayer.body.len());
    under_way.write_all(head.as_bytes()).await.unwrap();
    let mut feed = TcpStream::connect(relayer.address).await.unwrap();
    feed.write_all(format!("GET /v1/payees/{}/events HTTP/1.1\r\nhost: x\r\n\r\n", payee(1)).as_bytes()).await.unwrap();
    let mut first = [0; 12];
    feed.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    sleep(Duration::from_millis(200)).await;
    relayer.stop.send(true).unwrap();
    sleep(Duration::from_millis(200)).await;
    under_way.write_all(rest.as_bytes()).await.unwrap();
    let answer = read_to_end(&mut under_way).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"status\":\"accepted\""), "{answer}");
    read_to_end(&mut feed).await;
    timeout(Duration::from_secs(20), relayer.task).await.expect("it stops").unwrap().unwrap();
    assert!(TcpStream::connect(relayer.address).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_slow_with_the_head_of_its_request_is_left() {
    let relayer = running("header_timeout_ms = 500", |_| {}).await;
    // A byte now and then, for ever; and nothing at all.
    let mut loris = TcpStream::connect(relayer.address).await.unwrap();
    let mut silent = TcpStream::connect(relayer.address).await.unwrap();
    // The head in time, the body late: its own limit is the request's.
    let mut late = TcpStream::connect(relayer.address).await.unwrap();
    late.write_all(
        format!("POST /v1/vouchers HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", relayer.body.len()).as_bytes(),
    )
    .await
    .unwrap();
    let begun = Instant::now();
    while loris.write_all(b"G").await.is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(20), "still open");
        sleep(Duration::from_millis(50)).await;
    }
    assert!(begun.elapsed() >= Duration::from_millis(400), "left before its time: {:?}", begun.elapsed());
    read_to_end(&mut silent).await;
    late.write_all(relayer.body.as_bytes()).await.unwrap();
    let answer = read_to_end(&mut late).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(get(TcpStream::connect(relayer.address).await.unwrap(), "/health").await.starts_with("HTTP/1.1 200"));
    relayer.stop.send(true).unwrap();
    timeout(Duration::from_secs(20), relayer.task).await.expect("it stops").unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn with_an_address_for_operators_their_routes_are_nowhere_else() {
    // Found free a moment ago: another process would have to take it in between.
    let operators = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let relayer = running(&format!("operator_listen = \"{operators}\""), |_| {}).await;
    let ask = async |address: SocketAddr, path: &str| {
        let answer = get(TcpStream::connect(address).await.unwrap(), path).await;
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    for (path, here, there) in [("/metrics", "404", "200"), ("/v1/admin/state", "404", "404"), ("/health", "200", "200"), ("/v1/info", "200", "404")]
    {
        assert_eq!((ask(relayer.address, path).await.as_str(), ask(operators, path).await.as_str()), (here, there), "{path}");
    }
    relayer.stop.send(true).unwrap();
    timeout(Duration::from_secs(20), relayer.task).await.expect("it stops").unwrap().unwrap();
    assert!(TcpStream::connect(operators).await.is_err());
}

fn write_certificate(dir: &Path) -> String {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(dir.join("crt.pem"), cert.pem()).unwrap();
    std::fs::write(dir.join("key.pem"), signing_key.serialize_pem()).unwrap();
    cert.pem()
}

/// `None`: the server's certificate is another one.
async fn get_by_tls(address: SocketAddr, certificate: &str, path: &str) -> Option<String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions().unwrap();
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()?;
    Some(get(stream, path).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_certificate_it_speaks_tls_and_reads_a_new_one_when_told_to() {
    let mut first = String::new();
    let relayer = running("tls_certificate_file = \"DIR/crt.pem\"\ntls_key_file = \"DIR/key.pem\"", |dir| first = write_certificate(dir)).await;
    let answer = get_by_tls(relayer.address, &first, "/health").await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("{\"status\":\"ok\"}"), "{answer}");
    // A client that never shakes hands holds up nobody, and plain HTTP gets nothing.
    let _silent = TcpStream::connect(relayer.address).await.unwrap();
    assert!(!get(TcpStream::connect(relayer.address).await.unwrap(), "/health").await.contains("200"));
    // A new pair.
    let second = write_certificate(relayer.dir.path());
    relayer.reload.notify_one();
    let begun = Instant::now();
    while get_by_tls(relayer.address, &second, "/health").await.is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the new certificate is not used");
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(get_by_tls(relayer.address, &first, "/health").await, None);
    // One that is no good.
    std::fs::write(relayer.dir.path().join("crt.pem"), "nonsense").unwrap();
    relayer.reload.notify_one();
    sleep(Duration::from_millis(300)).await;
    assert!(get_by_tls(relayer.address, &second, "/health").await.is_some());
    relayer.stop.send(true).unwrap();
    timeout(Duration::from_secs(20), relayer.task).await.expect("it stops").unwrap().unwrap();
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_said_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("key.pem"), "secret nonsense").unwrap();
    std::fs::write(dir.path().join("crt.pem"), "nonsense").unwrap();
    for (certificate, expected) in [("none.pem", "cannot read"), ("crt.pem", "a certificate chain in PEM")] {
        let error = rivulet_http::tls::Tls::load(&dir.path().join(certificate), &dir.path().join("key.pem")).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains(certificate), "{error}");
    }
    write_certificate(dir.path());
    std::fs::write(dir.path().join("key.pem"), "secret nonsense").unwrap();
    let error = rivulet_http::tls::Tls::load(&dir.path().join("crt.pem"), &dir.path().join("key.pem")).unwrap_err().to_string();
    assert!(error.contains("a private key in PEM") && !error.contains("secret"), "{error}");
}
