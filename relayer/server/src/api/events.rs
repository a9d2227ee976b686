//! `GET /v1/payees/{address}/events`: what happens to a payee, as it happens, by server-sent events.
//!
//! | event | when |
//! |---|---|
//! | `accepted` | a voucher raised a channel's total, and is on disk |
//! | `claimed` | a finalized block paid out from one of the payee's books, whoever claimed |
//! | `reset` | more was missed than is kept, or the relayer was restarted, or it is another one on the same database: read `earnings` and `channels` anew |
//!
//! Each has an id; a browser's `EventSource` sends the last one by itself when it comes back (`Last-Event-ID`), and goes on from there.

use super::{Api, payees, problem::Problem};
use crate::{
    feed::{Event, Feed, Happening, Heard, Place, Subscription},
    metrics::{Metrics, outcome_name},
};
use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::{
        IntoResponse, Response,
        sse::{self, KeepAlive, Sse},
    },
};
use futures::{Stream, StreamExt, stream};
use rivulet_core::ids::Address;
use rivulet_rules::chain::ContractKind;
use serde_json::{Value, json};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// Between two signs of life.
const QUIET: Duration = Duration::from_secs(15);

/// `GET /v1/payees/{address}/events`
pub async fn get(State(api): State<Api>, Path(address): Path<String>, headers: HeaderMap) -> Response {
    match listen(&api, &address, &headers) {
        Ok(events) => Sse::new(events).keep_alive(KeepAlive::new().interval(QUIET)).into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// `<run>-<sequence>`
fn place_of(headers: &HeaderMap) -> Result<Option<Place>, Problem> {
    let Some(given) = headers.get("last-event-id") else { return Ok(None) };
    let text = given.to_str().unwrap_or_default();
    let place = text.split_once('-').and_then(|(run, sequence)| Some(Place { run: run.parse().ok()?, sequence: sequence.parse().ok()? }));
    place.map(Some).ok_or_else(|| Problem::malformed("Last-Event-ID", "the id of an event of this feed", text))
}

/// Counts an open feed as long as it lives.
struct Open(Arc<Metrics>);

impl Open {
    fn new(metrics: &Arc<Metrics>) -> Self {
        metrics.feed(1);
        Self(Arc::clone(metrics))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.feed(-1);
    }
}

struct Listener {
    payee: Address,
    feed: Arc<Feed>,
    live: Receiver<Heard>,
    _open: Open,
}

fn listen(api: &Api, address: &str, headers: &HeaderMap) -> Result<impl Stream<Item = Result<sse::Event, Infallible>> + use<>, Problem> {
    let (payee, place) = (payees::payee_of(address)?, place_of(headers)?);
    let Some(Subscription { missed, is_whole, live }) = api.feed.subscribe(payee, place, api.config.http.max_feeds) else {
        return Err(Problem::overloaded());
    };
    let listener = Listener { payee, feed: Arc::clone(&api.feed), live, _open: Open::new(&api.metrics) };
    let run = api.feed.run();
    let mut first: Vec<_> = (!is_whole).then(reset).into_iter().collect();
    first.extend(missed.iter().map(|event| write(run, event)));
    Ok(stream::iter(first).chain(stream::unfold(listener, next)).map(Ok))
}

async fn next(mut listener: Listener) -> Option<(sse::Event, Listener)> {
    loop {
        match listener.live.recv().await {
            Ok(Heard::Event(event)) if event.payee == listener.payee => return Some((write(listener.feed.run(), &event), listener)),
            Ok(Heard::Event(_)) => {}
            // Nobody here saw it, or it reads too slowly: what it missed it has to look up.
            Ok(Heard::Gap) | Err(RecvError::Lagged(_)) => return Some((reset(), listener)),
            Err(RecvError::Closed) => return None,
        }
    }
}

fn reset() -> sse::Event {
    sse::Event::default().event("reset").data("{}")
}

/// The event's name and its data.
pub fn data(event: &Event) -> (&'static str, Value) {
    let (payee, token) = (event.payee.to_string(), event.token.to_string());
    match &event.happening {
        Happening::Accepted { number, cumulative_amount, growth, accepted_ms } => {
            let (cumulative_amount, growth) = (cumulative_amount.to_string(), growth.to_string());
            let data = json!({
                "payee": payee, "token": token, "book": number.book, "serial": number.serial,
                "cumulative_amount": cumulative_amount, "growth": growth, "accepted_ms": accepted_ms,
            });
            ("accepted", data)
        }
        Happening::Claimed { contract, book, block_number, at, gain, fee, rows } => {
            let contract = match contract {
                ContractKind::Channels => "channels",
                ContractKind::Streams => "streams",
            };
            let row =
                |r: &rivulet_rules::chain::ClaimedRow| json!({"serial": r.serial, "outcome": outcome_name(r.outcome), "total": r.total.to_string()});
            let rows: Vec<_> = rows.iter().map(row).collect();
            let data = json!({
                "payee": payee, "token": token, "contract": contract, "book": book, "block_number": block_number, "at": at,
                "claimed": gain.to_string(), "fee": fee.to_string(), "paid": gain.saturating_sub(*fee).to_string(), "rows": rows,
            });
            ("claimed", data)
        }
    }
}

fn write(run: u64, event: &Event) -> sse::Event {
    let (name, data) = data(event);
    sse::Event::default().event(name).id(format!("{run}-{}", event.sequence)).data(data.to_string())
}
