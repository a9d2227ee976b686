//! The paywall as a layer of an axum server. What is paid needs a relayer, and is in tests/e2e.

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{StatusCode, header},
    routing::get,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use rivulet_chain::Deployment;
use rivulet_core::ids::Address;
use rivulet_paywall::{config::Config, paywall::Paywall};
use tower::ServiceExt;

const DEPLOYMENT: &str = r#"{"network":"dev","chain_id":7,"genesis_hash":"0x3333333333333333333333333333333333333333333333333333333333333333","block":7,
"contracts":{"channels":{"address":"0x1111111111111111111111111111111111111111","code_hash":"0x3333333333333333333333333333333333333333333333333333333333333333"},
"streams":{"address":"0x2222222222222222222222222222222222222222","code_hash":"0x3333333333333333333333333333333333333333333333333333333333333333"}},
"tokens":{"native":{"address":"0x0000000000000000000000000000000000000000","decimals":18},"usdc":{"address":"0x5555555555555555555555555555555555555555","decimals":6}}}"#;

#[tokio::test]
async fn routes_of_an_axum_server_have_prices() {
    let folder = tempfile::tempdir().unwrap();
    let prices = vec!["/articles/*=0.10usdc".into(), "/articles/*=0.02native".into()];
    let mut config = Config::new("http://127.0.0.1:1", Address([0xa1; 20]), "http://127.0.0.1:1", prices);
    config.database = folder.path().join("paywall.db");
    let deployment: Deployment = serde_json::from_str(DEPLOYMENT).unwrap();
    let paywall = Paywall::open(&config, &deployment).unwrap();
    let app = Router::new().route("/articles/{id}", get(|| async { "article" })).route("/about", get(|| async { "about" })).layer(paywall.layer());
    let ask = |path: &str| {
        let request = Request::builder().uri(path).header(header::HOST, "blog.example").body(Body::empty()).unwrap();
        app.clone().oneshot(request)
    };
    assert_eq!(ask("/about").await.unwrap().status(), StatusCode::OK);
    let response = ask("/articles/1?x=2").await.unwrap();
    assert_eq!(response.status(), StatusCode::PAYMENT_REQUIRED);
    let offer: serde_json::Value = serde_json::from_slice(&STANDARD.decode(&response.headers()["payment-required"]).unwrap()).unwrap();
    // Both ways to pay, each named by what is signed.
    let [usdc, native] = &offer["accepts"].as_array().unwrap()[..] else { panic!("{offer}") };
    assert_eq!((usdc["amount"].as_str(), native["amount"].as_str()), (Some("100000"), Some("20000000000000000")));
    assert_eq!((&usdc["extra"]["request"], &usdc["network"]), (&"GET blog.example/articles/1?x=2".into(), &"eip155:7".into()));
    // Without a relayer nothing is granted, and nothing is charged.
    let paywall_text = paywall.metrics().text();
    assert!(paywall_text.contains("rivulet_paywall_requests_total{outcome=\"denied\"} 1"), "{paywall_text}");
}
