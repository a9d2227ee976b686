//! `POST /v1/vouchers` and `POST /v1/vouchers/batch`.
//!
//! ```json
//! {"channel_id": "0x…", "book": 1, "serial": 0, "cumulative_amount": "123", "signature": "0x…"}
//! ```
//!
//! An answer of `accepted` means that the voucher is on disk. The same voucher again gets the same answer. In a batch every item has its own result, in
//! the order sent; the request as a whole fails only when nothing can be said of any item.
//!
//! A relayer with an acknowledgement key signs for each single voucher; for those of a batch with `?acknowledge=true`: a signature costs as much as a check.

use super::{Api, client::Client, json, params::Params, problem::Problem};
use crate::accept::Taken;
use axum::{
    body::{Body, to_bytes},
    extract::State,
    http::{StatusCode, Uri},
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

/// What the relayer signed for it.
#[derive(Debug, Serialize)]
struct AcknowledgementJson {
    accepted_at: u64,
    signer: String,
    signature: String,
}

/// One accepted voucher.
#[derive(Debug, Serialize)]
struct AcceptedJson {
    status: &'static str,
    channel_id: String,
    book: u32,
    serial: u32,
    cumulative_amount: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledgement: Option<AcknowledgementJson>,
}

/// One item of a batch.
#[derive(Debug, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum ItemJson {
    Accepted {
        cumulative_amount: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        acknowledgement: Option<AcknowledgementJson>,
    },
    Rejected {
        problem: Box<Problem>,
    },
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

fn acknowledgement(api: &Api, taken: &Taken) -> Option<AcknowledgementJson> {
    let (signed, signer) = (taken.acknowledgement?, api.acceptor.acknowledges_as()?);
    Some(AcknowledgementJson { accepted_at: signed.accepted_at, signer: signer.to_string(), signature: text::hex(&signed.signature.0) })
}

/// `POST /v1/vouchers`
pub async fn one(State(api): State<Api>, body: Body) -> Response {
    match take_one(&api, body).await {
        Ok(accepted) => {
            api.metrics.offered(std::iter::once("accepted"));
            json(StatusCode::OK, &accepted)
        }
        Err(problem) => {
            api.metrics.offered(std::iter::once(problem.code));
            problem.into_response()
        }
    }
}

async fn take_one(api: &Api, body: Body) -> Result<AcceptedJson, Problem> {
    if api.control.is_draining() {
        return Err(Problem::draining());
    }
    let bytes = read_body(api, body).await?;
    let offer = read(&bytes).map_err(|e| Problem::from(&e))?;
    let results = api.acceptor.accept_and_acknowledge(vec![offer]).await.map_err(|e| Problem::from(&e))?;
    let outcome = results.into_iter().next().ok_or_else(|| Problem::internal("no result", &"the acceptor answered nothing"))?;
    let taken = outcome.map_err(|e| Problem::from(&e))?;
    Ok(AcceptedJson {
        status: "accepted",
        channel_id: text::hex(&offer.channel_id.0),
        book: offer.number.book,
        serial: offer.number.serial,
        cumulative_amount: taken.accepted.cumulative_amount.to_string(),
        acknowledgement: acknowledgement(api, &taken),
    })
}

/// `POST /v1/vouchers/batch`
pub async fn batch(State(api): State<Api>, client: Client, uri: Uri, body: Body) -> Response {
    match take_batch(&api, &client, &uri, body).await {
        Ok(answer) => {
            let code = |item: &ItemJson| match item {
                ItemJson::Accepted { .. } => "accepted",
                ItemJson::Rejected { problem } => problem.code,
            };
            api.metrics.offered(answer.results.iter().map(code));
            json(StatusCode::OK, &answer)
        }
        Err(problem) => {
            // How many vouchers it was is not known, or does not matter: it counts once.
            api.metrics.offered(std::iter::once(problem.code));
            problem.into_response()
        }
    }
}

async fn take_batch(api: &Api, client: &Client, uri: &Uri, body: Body) -> Result<BatchJson, Problem> {
    if api.control.is_draining() {
        return Err(Problem::draining());
    }
    let params = Params::read(uri, &["acknowledge"])?;
    let is_acknowledged = params.flag("acknowledge")?;
    let bytes = read_body(api, body).await?;
    let items: Vec<&RawValue> = serde_json::from_slice(&bytes).map_err(|e| Problem::malformed_body("a JSON array of vouchers", e))?;
    let max = api.config.http.max_batch_items;
    if items.len() > max {
        return Err(Problem::too_many_items(max, items.len()));
    }
    // The request itself was counted when it came.
    client.take(items.len().saturating_sub(1))?;
    let read: Vec<_> = items.into_iter().map(|item| read(item.get().as_bytes())).collect();
    let offers: Vec<_> = read.iter().filter_map(|r| r.as_ref().ok().copied()).collect();
    let taken = if is_acknowledged { api.acceptor.accept_and_acknowledge(offers).await } else { api.acceptor.accept(offers).await };
    let mut outcomes = taken.map_err(|e| Problem::from(&e))?.into_iter();
    let mut answer = BatchJson { accepted: 0, rejected: 0, results: Vec::with_capacity(read.len()) };
    for item in read {
        let problem = match item {
            Err(rejection) => Problem::from(&rejection),
            Ok(_) => match outcomes.next() {
                Some(Ok(taken)) => {
                    answer.accepted = answer.accepted.saturating_add(1);
                    let cumulative_amount = taken.accepted.cumulative_amount.to_string();
                    answer.results.push(ItemJson::Accepted { cumulative_amount, acknowledgement: acknowledgement(api, &taken) });
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
