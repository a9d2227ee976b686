//! A paywall in front of nginx, and a payer's program that signs what it likes.
#![allow(dead_code)] // each test uses some of it

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Response, StatusCode};
use rivulet_client::{
    Channel, SignedVoucher, VoucherSigner,
    buy::{Purchase, payment},
};
use rivulet_core::ids::Deployment;
use rivulet_e2e::{
    harness::{Daemon, Nginx, Wall},
    story::Play,
};
use rivulet_paywall::paywall::now;
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering};

pub const PRICE: u128 = 100_000;

/// A payer's program: a channel, a key, and what it has promised.
#[derive(Clone)]
pub struct Shopper {
    pub http: reqwest::Client,
    pub scheme: &'static str,
    pub host: String,
    pub channel: Channel,
    pub signer: VoucherSigner,
    pub at: Deployment,
}

/// What is asked for and how it is paid.
#[derive(Clone)]
pub struct Wanted {
    pub request: String,
    pub amount: u128,
    pub nonce: [u8; 32],
    pub valid_until: u64,
}

fn new_nonce() -> [u8; 32] {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut nonce = [0; 32];
    nonce[..8].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    nonce
}

impl Shopper {
    pub fn wanted(&self, path: &str, amount: u128) -> Wanted {
        Wanted { request: format!("GET {}{path}", self.host), amount, nonce: new_nonce(), valid_until: now() + 200 }
    }

    pub fn header_with(&self, wanted: &Wanted, voucher: &SignedVoucher, signer: &VoucherSigner, at: &Deployment) -> String {
        let Wanted { request, amount, nonce, valid_until } = wanted.clone();
        let purchase = Purchase { channel_id: voucher.channel_id, amount, request, nonce, valid_until };
        payment(&self.channel, voucher, signer, at, &purchase)
    }

    pub fn header(&self, wanted: &Wanted, voucher: &SignedVoucher) -> String {
        self.header_with(wanted, voucher, &self.signer, &self.at)
    }

    /// A voucher that promises so much more.
    pub fn promise(&mut self, more: u128) -> SignedVoucher {
        self.channel.pay(&self.signer, more).unwrap()
    }

    pub fn promised(&self) -> SignedVoucher {
        self.signer.sign(self.channel.number(), self.channel.id, self.channel.promised)
    }

    pub async fn get(&self, path: &str, header: Option<&str>) -> Response {
        let mut request = self.http.get(format!("{}://{}{path}", self.scheme, self.host));
        if let Some(header) = header {
            request = request.header("payment-signature", header);
        }
        request.send().await.unwrap()
    }

    /// Pays and gets.
    pub async fn buy(&mut self, path: &str, more: u128, amount: u128) -> Response {
        let (voucher, wanted) = (self.promise(more), self.wanted(path, amount));
        self.get(path, Some(&self.header(&wanted, &voucher))).await
    }

    pub async fn refused(&self, path: &str, header: &str, status: u16, code: &str) -> Value {
        let request = self.http.get(format!("http://{}{path}", self.host)).header("payment-signature", header).header("accept", "application/json");
        let response = request.send().await.unwrap();
        let (given, kind) = (response.status().as_u16(), response.headers()["content-type"].clone());
        let has_offer = response.headers().contains_key("payment-required");
        let body: Value = response.json().await.unwrap();
        assert_eq!((given, body["code"].as_str(), kind.to_str().unwrap()), (status, Some(code), "application/problem+json"), "{body}");
        assert_eq!(has_offer, status == 402, "{body}");
        body
    }
}

pub fn decoded(response: &Response, name: &str) -> Value {
    let value = response.headers().get(name).unwrap_or_else(|| panic!("no {name}: {response:?}"));
    serde_json::from_slice(&STANDARD.decode(value).unwrap()).unwrap()
}

pub async fn served(response: Response, charged: u128, content: &str) {
    let told = decoded(&response, "payment-response");
    assert_eq!((response.status(), &response.headers()["cache-control"]), (StatusCode::OK, &"private, no-store".parse().unwrap()), "{told}");
    assert_eq!((told["success"].as_bool(), told["amount"].as_str()), (Some(true), Some(charged.to_string().as_str())), "{told}");
    assert_eq!(response.text().await.unwrap(), content);
}

pub struct World {
    pub play: Play,
    pub daemon: Daemon,
    pub web: Nginx,
    pub wall: Wall,
    pub shopper: Shopper,
    /// To another payee, and in another token.
    pub foreign: Vec<Channel>,
}

pub async fn metric(w: &World, name: &str) -> f64 {
    let text = w.shopper.http.get(w.wall.metrics_url()).send().await.unwrap().text().await.unwrap();
    let line = text.lines().find(|l| l.starts_with(name)).unwrap_or_else(|| panic!("no {name} in\n{text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}
