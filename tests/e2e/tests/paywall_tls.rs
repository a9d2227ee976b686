//! A paywall by TLS on all sides, for web pages of another origin, whatever the letters of a path.

#[path = "support/shop.rs"]
mod shop;
mod support;

use reqwest::StatusCode;
use rivulet_client::OpenChannel;
use rivulet_e2e::{
    harness::{Nginx, PaywallFlags, TlsFiles, Wall},
    story::{opening::CHALLENGE_SECS, plan::Coin},
};
use rivulet_rules::chain::ContractKind;
use shop::{PRICE, Shopper, World, decoded, metric, served};
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// A certificate for `localhost`, and whoever signed it, as a creator makes them for machines of its own.
fn tls_files(folder: &Path, name: &str) -> TlsFiles {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca = rcgen::CertifiedIssuer::self_signed(params, key).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &ca).unwrap();
    let write = |what: &str, pem: String| {
        let path = folder.join(format!("{name}.{what}.pem"));
        std::fs::write(&path, pem).unwrap();
        path
    };
    TlsFiles { ca: write("ca", ca.pem()), certificate: write("crt", certificate.pem()), key: write("key", key.serialize_pem()) }
}

/// As a browser does before a page's request, and what it then looks at.
async fn preflight(w: &World, path: &str, origin: &str) -> reqwest::header::HeaderMap {
    let request = w.shopper.http.request(reqwest::Method::OPTIONS, format!("{}{path}", w.wall.url())).header("origin", origin);
    let request = request.header("access-control-request-method", "GET").header("access-control-request-headers", "payment-signature,range");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    response.headers().clone()
}

async fn a_page_of_another_origin_buys(w: &mut World) {
    let page = "https://app.example";
    let granted = metric(w, "rivulet_paywall_requests_total{outcome=\"granted\"}").await;
    for path in ["/articles/2", "/index.html", "/.well-known/rivulet", "/shared/page"] {
        let headers = preflight(w, path, page).await;
        assert_eq!(
            (&headers["access-control-allow-origin"], &headers["access-control-allow-methods"]),
            (&page.parse().unwrap(), &"GET".parse().unwrap())
        );
        assert_eq!(headers["access-control-allow-headers"], "payment-signature,range");
        assert!(
            !headers.contains_key("payment-required")
                && !preflight(w, path, "https://evil.example").await.contains_key("access-control-allow-origin")
        );
    }
    // What it costs, and then what it paid for and what came: a page can read all of it.
    let s = &mut w.shopper;
    let (voucher, wanted) = (s.promise(PRICE), s.wanted("/articles/2", PRICE));
    let header = s.header(&wanted, &voucher);
    for (payment, status, shown) in [(None, 402, "payment-required"), (Some(&header), 206, "payment-response")] {
        let request = s.http.get(format!("{}/articles/2", w.wall.url())).header("origin", page).header("range", "bytes=0-6");
        let response = payment.into_iter().fold(request, |r, value| r.header("payment-signature", value)).send().await.unwrap();
        let headers = response.headers();
        assert_eq!((response.status().as_u16(), &headers["access-control-allow-origin"]), (status, &page.parse().unwrap()));
        let exposed = headers["access-control-expose-headers"].to_str().unwrap();
        assert!(headers.contains_key(shown) && [shown, "content-range", "accept-ranges"].iter().all(|name| exposed.contains(name)), "{headers:?}");
    }
    // One voice says who may read.
    let shared = s.http.get(format!("{}/shared/page", w.wall.url())).header("origin", page).send().await.unwrap();
    let origins: Vec<_> = shared.headers().get_all("access-control-allow-origin").iter().collect();
    assert!(origins == [page] && !shared.headers().contains_key("access-control-allow-credentials"), "{shared:?}");
    assert_eq!(metric(w, "rivulet_paywall_requests_total{outcome=\"granted\"}").await, granted + 1.0, "a preflight is no purchase");
    // What is no preflight is a request as any other, and has its price.
    let options = w.shopper.http.request(reqwest::Method::OPTIONS, format!("{}/articles/2", w.wall.url())).send().await.unwrap();
    assert_eq!(options.status(), StatusCode::PAYMENT_REQUIRED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_tls_on_all_sides_pages_of_another_origin_buy_too() {
    let options = ["--payers", "1", "--creators", "1", "--streams", "0", "--vouchers", "100"];
    let (play, daemon) = support::stage(&options, |flags| flags.interval_ms = 3_600_000).await;
    let folder = play.stage.folder.path().to_owned();
    let (behind, front) = (tls_files(&folder, "behind"), tls_files(&folder, "front"));
    let web = Nginx::start_tls(&folder, &behind, &daemon.url()).await.unwrap();
    for path in ["/index.html", "/articles/1", "/articles/2", "/shared/page"] {
        web.put(path, format!("this is {path}").as_bytes()).unwrap();
    }
    let payee = play.cast.creators[0].address();
    let ca = behind.ca.to_string_lossy().into_owned();
    let flags = PaywallFlags {
        upstream: web.url(),
        payee,
        // By TLS too: nginx in front of it.
        relayer: web.url(),
        deployment: play.stage.deployment_path(),
        node_url: play.stage.node.url(),
        prices: vec!["/Articles/*=0.10usdc".into()],
        tls: Some(front.clone()),
        more: ["--upstream-ca-file", &ca, "--relayer-ca-file", &ca, "--cors-origin", "https://app.example", "--case-insensitive-paths"]
            .map(str::to_owned)
            .into(),
    };
    let wall = Wall::start(&folder, flags.clone()).await.unwrap();
    let payer = &play.cast.pay[0];
    let wanted = OpenChannel { payee, token: Coin::Usdc.token(), challenge_period_secs: CHALLENGE_SECS, amount: 5_000_000 };
    let channel = payer.open(&wanted).await.unwrap();
    let at = payer.chain().binding(ContractKind::Channels);
    let shopper = Shopper { http: wall.client().unwrap(), scheme: "https", host: wall.host(), channel, signer: payer.vouchers().clone(), at };
    let mut w = World { play, daemon, web, wall, shopper, foreign: Vec::new() };
    let s = &mut w.shopper;
    let begun = Instant::now();
    // The relayer may not have the channel's block yet: it says when to come back.
    let (voucher, wanted) = (s.promise(PRICE), s.wanted("/articles/1", PRICE));
    let header = s.header(&wanted, &voucher);
    let first = loop {
        let response = s.get("/articles/1", Some(&header)).await;
        if response.status() == StatusCode::OK {
            break response;
        }
        assert_eq!(decoded(&response, "payment-required")["error"], "unknown_channel");
        assert!(response.headers().contains_key("retry-after") && begun.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    served(first, PRICE, "this is /articles/1").await;
    let seen = s.get("/seen", None).await.text().await.unwrap();
    assert_eq!(seen, format!("host={0} for=127.0.0.1 proto=https fhost={0} payer= payment= upgrade=", w.wall.host()));
    // To a web server that minds letters these are other pages; here they cost the same.
    for path in ["/ARTICLES/1", "/%41rticles/1", "/aRTICLES/1;x"] {
        assert_eq!(s.get(path, None).await.status(), StatusCode::PAYMENT_REQUIRED, "{path}");
    }
    // No TLS, no answer; a client that does not know who signed the certificate goes.
    assert!(s.http.get(format!("http://{}/", w.wall.host())).send().await.is_err());
    assert!(reqwest::get(w.wall.url()).await.is_err());
    a_page_of_another_origin_buys(&mut w).await;

    // A new certificate, by another: read at SIGHUP.
    let next = tls_files(&folder, "next");
    for (from, to) in [(&next.certificate, &front.certificate), (&next.key, &front.key)] {
        std::fs::copy(from, to).unwrap();
    }
    w.wall.hang_up();
    let trusting = |ca: &Path| {
        let certificate = reqwest::Certificate::from_pem(&std::fs::read(ca).unwrap()).unwrap();
        reqwest::Client::builder().add_root_certificate(certificate).build().unwrap()
    };
    support::until("the new certificate", async || trusting(&next.ca).get(w.wall.url()).send().await.is_ok()).await;
    assert!(trusting(&front.ca).get(w.wall.url()).send().await.is_err());
    w.wall.stop().await.unwrap();

    // A web server that is not who it should be: by its name, by who vouches for it.
    let unknown = front.ca.to_string_lossy().into_owned();
    let elsewhere = w.web.url().replace("localhost", "127.0.0.1");
    for (upstream, ca, expected) in [(elsewhere, &ca, "not valid for name"), (w.web.url(), &unknown, "invalid peer certificate: BadSignature")] {
        let more = ["--upstream-ca-file", ca].map(str::to_owned).into();
        let flags = PaywallFlags { upstream, relayer: w.daemon.url(), tls: None, more, ..flags.clone() };
        let mut wall = Wall::start(&folder, flags).await.unwrap();
        let response = reqwest::get(format!("{}/index.html", wall.url())).await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
        assert!(response.text().await.unwrap().contains("upstream_unreachable"));
        assert!(wall.tail().contains(expected), "{}", wall.tail());
        wall.stop().await.unwrap();
    }
    let World { play, daemon, web, .. } = w;
    drop(web);
    support::strike(play, daemon).await;
}
