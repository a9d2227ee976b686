//! What must not be taken is refused with its documented code, names the field, and leaves nothing behind.
//!
//! ```text
//! one voucher, nothing stored before ── every kind of bad input ── still nothing stored
//! a batch: a bad item between good ones harms only itself
//! after a good one: a lower total is stale, and the answer has what is needed to go on
//! a channel that is closing, a channel that is closed
//! ```

mod support;

use reqwest::StatusCode;
use rivulet_client::{Channel, Payer, SignedVoucher, VoucherKey, VoucherSigner};
use rivulet_core::signature::CompactSignature;
use rivulet_e2e::story::{Play, opening};
use rivulet_rules::chain::ContractKind;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What came back.
struct Answer {
    status: StatusCode,
    kind: String,
    body: Value,
}

struct Client {
    base: String,
    http: reqwest::Client,
}

impl Client {
    async fn read(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let kind = response.headers().get("content-type").map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
        let status = response.status();
        let text = response.text().await.unwrap();
        Answer { status, kind, body: serde_json::from_str(&text).unwrap_or_else(|e| panic!("{status}: {e}: {text}")) }
    }

    async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        self.read(self.http.post(format!("{}{path}", self.base)).header("content-type", "application/json").body(body)).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.read(self.http.get(format!("{}{path}", self.base))).await
    }

    /// Vouchers in the store.
    async fn stored(&self) -> u64 {
        self.get("/ready").await.body["vouchers"].as_u64().unwrap()
    }
}

impl Answer {
    fn refused(&self, status: u16, code: &str, field: Option<&str>) {
        let at = format!("{} {}", self.status, self.body);
        assert_eq!((self.status.as_u16(), self.body["code"].as_str()), (status, Some(code)), "{at}");
        assert_eq!(self.body["field"].as_str(), field, "{at}");
        assert_eq!((self.body["status"].as_u64(), self.kind.as_str()), (Some(status.into()), "application/problem+json"), "{at}");
        assert_eq!(self.body["type"], format!("urn:rivulet:problem:{code}"), "{at}");
        assert!(self.body["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{at}");
        if field.is_some() {
            assert!(self.body["expected"].is_string() && self.body["given"].is_string(), "{at}");
        }
    }
}

fn json_of(v: &SignedVoucher) -> Value {
    json!({
        "channel_id": format!("0x{}", hex::encode(v.channel_id.0)), "book": v.number.book, "serial": v.number.serial,
        "cumulative_amount": v.cumulative_amount.to_string(), "signature": format!("0x{}", hex::encode(v.signature.0)),
    })
}

/// The voucher with another field.
fn with(v: &SignedVoucher, field: &str, value: impl Into<Value>) -> String {
    let mut json = json_of(v);
    json[field] = value.into();
    json.to_string()
}

async fn bad_input(client: &Client, payer: &Payer, channel: &Channel) {
    const ONE: &str = "/v1/vouchers";
    let good = payer.vouchers().sign(channel.number(), channel.id, 1_000_000_000);

    for garbage in ["", "{", "null", "[]", "\"voucher\"", "\u{0}", "{}garbage"] {
        client.post(ONE, garbage).await.refused(400, "malformed", Some("body"));
    }
    let deep = "[".repeat(100_000);
    client.post(ONE, deep).await.refused(400, "malformed", Some("body"));
    for field in ["channel_id", "book", "serial", "cumulative_amount", "signature"] {
        let mut json = json_of(&good);
        json.as_object_mut().unwrap().remove(field);
        client.post(ONE, json.to_string()).await.refused(400, "malformed", Some(field));
        client.post(ONE, with(&good, field, json!([1]))).await.refused(400, "malformed", Some(field));
    }
    client.post(ONE, with(&good, "tip", 1)).await.refused(400, "malformed", Some("body"));
    for bad in ["", "-1", "1.5", "0x10", "01", "1e9", "99999999999999999999999999999999999999999"] {
        client.post(ONE, with(&good, "cumulative_amount", bad)).await.refused(400, "malformed", Some("cumulative_amount"));
    }
    client.post(ONE, with(&good, "cumulative_amount", 1_000_000_000u64)).await.refused(400, "malformed", Some("cumulative_amount"));
    client.post(ONE, with(&good, "book", -1)).await.refused(400, "malformed", Some("book"));
    client.post(ONE, with(&good, "channel_id", "0x12")).await.refused(400, "malformed", Some("channel_id"));
    // The other s of the same signature: as good on the curve, but there must be one writing only.
    let high = format!("0x{}7f{}", hex::encode(&good.signature.0[..32]), "ff".repeat(31));
    client.post(ONE, with(&good, "signature", high)).await.refused(400, "malformed", Some("signature"));

    client.post(ONE, with(&good, "serial", 4_000_000)).await.refused(404, "unknown_channel", Some("serial"));
    client.post(ONE, with(&good, "book", 4_000_000)).await.refused(404, "unknown_channel", Some("serial"));
    client.post(ONE, with(&good, "channel_id", format!("0x{}", "ab".repeat(32)))).await.refused(409, "wrong_channel_id", Some("channel_id"));

    let contract = payer.chain().binding(ContractKind::Channels);
    let thief = VoucherSigner::new(VoucherKey::generate().unwrap(), &contract).sign(channel.number(), channel.id, 1_000_000_000);
    client.post(ONE, json_of(&thief).to_string()).await.refused(403, "wrong_signer", Some("signature"));
    // A good signature of another total.
    client.post(ONE, with(&good, "cumulative_amount", "1100000000")).await.refused(403, "wrong_signer", Some("signature"));
    // There is no point of the curve with x = 5.
    let nobody = SignedVoucher { signature: CompactSignature(std::array::from_fn(|i| if i == 31 { 5 } else { u8::from(i == 63) })), ..good };
    client.post(ONE, json_of(&nobody).to_string()).await.refused(422, "bad_signature", Some("signature"));

    let above = payer.vouchers().sign(channel.number(), channel.id, channel.deposit + 1);
    client.post(ONE, json_of(&above).to_string()).await.refused(422, "not_covered", Some("cumulative_amount"));

    // Barely: what is far longer may find the connection closed before it has been sent.
    let long = with(&good, "signature", "0".repeat(1 << 20));
    client.post(ONE, long).await.refused(413, "body_too_large", Some("body"));
    let many = json!(vec![Value::Null; 2_001]).to_string();
    client.post("/v1/vouchers/batch", many).await.refused(413, "too_many_items", Some("body"));
    client.post("/v1/vouchers/batch", json_of(&good).to_string()).await.refused(400, "malformed", Some("body"));
    client.post("/v1/voucher", "{}").await.refused(404, "no_such_route", None);
    client.get(ONE).await.refused(405, "method_not_allowed", None);
}

async fn batches(client: &Client, payer: &Payer, first: &Channel, second: &Channel) {
    let sign = |channel: &Channel, total| payer.vouchers().sign(channel.number(), channel.id, total);
    let (one, two) = (sign(first, 500_000_000), sign(second, 600_000));
    let above = sign(first, first.deposit + 1);
    let items = [json_of(&one), json!("not a voucher"), json_of(&above), json_of(&two), json_of(&one)];
    let answer = client.post("/v1/vouchers/batch", json!(items).to_string()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!((answer.body["accepted"].as_u64(), answer.body["rejected"].as_u64()), (Some(3), Some(2)), "{}", answer.body);
    let results = answer.body["results"].as_array().unwrap();
    let told: Vec<_> = results.iter().map(|r| (r["status"].as_str().unwrap(), r["problem"]["code"].as_str())).collect();
    let accepted = ("accepted", None);
    assert_eq!(told, [accepted, ("rejected", Some("malformed")), ("rejected", Some("not_covered")), accepted, accepted]);
    assert_eq!(client.stored().await, 2);

    // The same again is the same answer; a lower one is told what to go on from.
    let again = client.post("/v1/vouchers", json_of(&one).to_string()).await;
    assert_eq!((again.status, again.body["status"].as_str()), (StatusCode::OK, Some("accepted")), "{}", again.body);
    let lower = client.post("/v1/vouchers", json_of(&sign(first, 400_000_000)).to_string()).await;
    lower.refused(409, "stale", Some("cumulative_amount"));
    assert_eq!(lower.body["best"]["cumulative_amount"], "500000000");
    assert_eq!(lower.body["best"]["signature"], json_of(&one)["signature"], "with the client's own signature");
}

/// Posts ever higher totals until the relayer has seen in a finalized block what happened. The same again would be taken again, whatever happened since.
async fn refused_soon(client: &Client, payer: &Payer, channel: &Channel, from: u128, status: u16, code: &str) {
    let begun = Instant::now();
    for total in from.. {
        let answer = client.post("/v1/vouchers", json_of(&payer.vouchers().sign(channel.number(), channel.id, total)).to_string()).await;
        if answer.body["code"] == code {
            return answer.refused(status, code, Some("serial"));
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", answer.body);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn endings(client: &Client, play: &Play, payer: &Payer, first: &Channel, second: &Channel) {
    payer.request_close(first).await.unwrap();
    refused_soon(client, payer, first, 700_000_000, 409, "channel_closing").await;

    let last = payer.vouchers().sign(second.number(), second.id, 600_000);
    play.cast.earn[play.plan.channels[1].creator].close(&last).await.unwrap();
    refused_soon(client, payer, second, 900_000, 410, "channel_closed").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_refused_by_name_and_leaves_nothing() {
    let options = ["--payers", "1", "--creators", "2", "--streams", "0", "--vouchers", "100"];
    // It claims nothing by itself while this looks at what is stored.
    let (play, daemon) = support::stage(&options, |flags| flags.interval_ms = 3_600_000).await;
    let channels = opening::open(&play).await.unwrap();
    let (payer, first, second) = (&play.cast.pay[0], &channels[0], &channels[1]);
    // A connection for each request: the relayer ends the one on which a body was too long.
    let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let client = Client { base: daemon.url(), http };

    bad_input(&client, payer, first).await;
    assert_eq!(client.stored().await, 0, "something bad was stored");
    let number = first.number();
    let shown = client.get(&format!("/v1/channels/{}/{}", number.book, number.serial)).await;
    assert_eq!((shown.status, &shown.body["best"]), (StatusCode::OK, &Value::Null), "{}", shown.body);

    batches(&client, payer, first, second).await;
    endings(&client, &play, payer, first, second).await;
    assert_eq!(client.stored().await, 2, "a late voucher was stored");
    support::strike(play, daemon).await;
}
