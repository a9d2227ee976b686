//! `POST /v1/vouchers` and `POST /v1/vouchers/batch`.
//!
//! ```json
//! {"channel_id": "0x…", "book": 1, "serial": 0, "cumulative_amount": "123", "signature": "0x…"}
//! ```
//!
//! An answer of `accepted` means that the voucher is on disk. The same voucher again gets the same answer. In a batch every item has its own result, in
//! the order sent; the request as a whole fails only when nothing can be said of any item.

use super::{Api, json, problem::Problem};
use axum::{
    body::{Body, to_bytes},
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use rivulet_core::ids::Number;
use rivulet_rules::{
    accept::{Offer, Rejection, shape},
    text,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use std::borrow::Cow;

/// A voucher in JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VoucherJson<'a> {
    #[serde(borrow)]
    channel_id: Cow<'a, str>,
    book: u32,
    serial: u32,
    #[serde(borrow)]
    cumulative_amount: Cow<'a, str>,
    #[serde(borrow)]
    signature: Cow<'a, str>,
}

/// One accepted voucher.
#[derive(Debug, Serialize)]
struct AcceptedJson {
    status: &'static str,
    channel_id: String,
    book: u32,
    serial: u32,
    cumulative_amount: String,
}

/// One item of a batch.
#[derive(Debug, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum ItemJson {
    Accepted { cumulative_amount: String },
    Rejected { problem: Box<Problem> },
}

/// What a batch is answered.
#[derive(Debug, Serialize)]
struct BatchJson {
    accepted: usize,
    rejected: usize,
    results: Vec<ItemJson>,
}

const TEXT: &str = "a string";
const NUMBER: &str = "an integer from 0 to 4294967295";
/// The fields and their types.
const FIELDS: [(&str, &str); 5] = [("channel_id", TEXT), ("book", NUMBER), ("serial", NUMBER), ("cumulative_amount", TEXT), ("signature", TEXT)];

/// Reads one voucher. The fast way first; when it fails, a second look finds the field to name.
fn read(bytes: &[u8]) -> Result<Offer, Rejection> {
    match serde_json::from_slice::<VoucherJson<'_>>(bytes) {
        Ok(v) => shape::read(Number { book: v.book, serial: v.serial }, &v.channel_id, &v.cumulative_amount, &v.signature),
        Err(e) => Err(explain(bytes, &e)),
    }
}

fn explain(bytes: &[u8], error: &serde_json::Error) -> Rejection {
    let malformed = |field, expected, given: &str| Rejection::Malformed { field, expected, given: text::shown(given) };
    let object = match serde_json::from_slice::<Value>(bytes) {
        Ok(Value::Object(object)) => object,
        Ok(other) => return malformed("body", "a voucher: a JSON object", &other.to_string()),
        Err(e) => return malformed("body", "JSON", &e.to_string()),
    };
    for (field, expected) in FIELDS {
        let fits = |v: &Value| if expected == TEXT { v.is_string() } else { v.as_u64().is_some_and(|n| u32::try_from(n).is_ok()) };
        match object.get(field) {
            None => return malformed(field, expected, "nothing"),
            Some(given) if !fits(given) => return malformed(field, expected, &given.to_string()),
            Some(_) => {}
        }
    }
    let unknown = object.keys().find(|k| FIELDS.iter().all(|(field, _)| field != k));
    match unknown {
        Some(key) => malformed("body", "only channel_id, book, serial, cumulative_amount, signature", key),
        None => malformed("body", "a voucher", &error.to_string()),
    }
}

async fn read_body(api: &Api, body: Body) -> Result<axum::body::Bytes, Problem> {
    let max = api.config.http.max_body_bytes;
    // Whatever else fails here is a connection that broke: nobody reads the answer.
    to_bytes(body, max).await.map_err(|_| Problem::body_too_large(max))
}

/// `POST /v1/vouchers`
pub async fn one(State(api): State<Api>, body: Body) -> Response {
    match take_one(&api, body).await {
        Ok(accepted) => json(StatusCode::OK, &accepted),
        Err(problem) => problem.into_response(),
    }
}

async fn take_one(api: &Api, body: Body) -> Result<AcceptedJson, Problem> {
    let bytes = read_body(api, body).await?;
    let offer = read(&bytes).map_err(|e| Problem::from(&e))?;
    let results = api.acceptor.accept(vec![offer]).await.map_err(|e| Problem::from(&e))?;
    let outcome = results.into_iter().next().ok_or_else(|| Problem::internal("no result", &"the acceptor answered nothing"))?;
    let accepted = outcome.map_err(|e| Problem::from(&e))?;
    Ok(AcceptedJson {
        status: "accepted",
        channel_id: text::hex(&offer.channel_id.0),
        book: offer.number.book,
        serial: offer.number.serial,
        cumulative_amount: accepted.cumulative_amount.to_string(),
    })
}

/// `POST /v1/vouchers/batch`
pub async fn batch(State(api): State<Api>, body: Body) -> Response {
    match take_batch(&api, body).await {
        Ok(answer) => json(StatusCode::OK, &answer),
        Err(problem) => problem.into_response(),
    }
}

async fn take_batch(api: &Api, body: Body) -> Result<BatchJson, Problem> {
    let bytes = read_body(api, body).await?;
    let items: Vec<&RawValue> = serde_json::from_slice(&bytes).map_err(|e| Problem::malformed_body("a JSON array of vouchers", e))?;
    let max = api.config.http.max_batch_items;
    if items.len() > max {
        return Err(Problem::too_many_items(max, items.len()));
    }
    let read: Vec<_> = items.into_iter().map(|item| read(item.get().as_bytes())).collect();
    let offers: Vec<_> = read.iter().filter_map(|r| r.as_ref().ok().copied()).collect();
    let mut outcomes = api.acceptor.accept(offers).await.map_err(|e| Problem::from(&e))?.into_iter();
    let mut answer = BatchJson { accepted: 0, rejected: 0, results: Vec::with_capacity(read.len()) };
    for item in read {
        let problem = match item {
            Err(rejection) => Problem::from(&rejection),
            Ok(_) => match outcomes.next() {
                Some(Ok(accepted)) => {
                    answer.accepted = answer.accepted.saturating_add(1);
                    answer.results.push(ItemJson::Accepted { cumulative_amount: accepted.cumulative_amount.to_string() });
                    continue;
                }
                Some(Err(refusal)) => Problem::from(&refusal),
                None => Problem::internal("no result", &"the acceptor answered too little"),
            },
        };
        answer.rejected = answer.rejected.saturating_add(1);
        answer.results.push(ItemJson::Rejected { problem: Box::new(problem) });
    }
    Ok(answer)
}
