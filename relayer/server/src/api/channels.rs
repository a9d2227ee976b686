//! `GET /v1/channels/{book}/{serial}`: what the relayer knows of a channel, and the best voucher it has: what a payee needs to claim without it.

use super::{
    Api, json,
    problem::{BestJson, Problem},
};
use crate::clock::now_ms;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use rivulet_core::ids::Number;
use rivulet_rules::{
    accept::{Rejection, cover},
    batch, text,
};
use rivulet_store::StoredChannel;
use serde::Serialize;

/// A channel.
#[derive(Debug, Serialize)]
pub(super) struct ChannelJson {
    pub(super) book: u32,
    pub(super) serial: u32,
    pub(super) channel_id: String,
    /// `open`, `closing` or `closed`.
    pub(super) status: &'static str,
    pub(super) payer: String,
    pub(super) payee: String,
    pub(super) voucher_signer: String,
    pub(super) token: String,
    pub(super) challenge_period_secs: u32,
    pub(super) opened_at: u64,
    pub(super) deposit: String,
    pub(super) claimed: String,
    /// The highest total that a new voucher may have.
    pub(super) covered: String,
    pub(super) close_due_at: Option<u64>,
    pub(super) refund_requested: String,
    pub(super) refund_due_at: Option<u64>,
    pub(super) best: Option<BestJson>,
    pub(super) accepted_ms: Option<u64>,
    /// What claiming the best voucher would pay out now.
    pub(super) pending: String,
    /// Why the best voucher is not claimed.
    pub(super) set_aside: Option<String>,
}

/// As it stands at this time.
pub(super) fn describe(channel: StoredChannel, now: u64) -> ChannelJson {
    let StoredChannel { state, channel_id, is_closed, best, accepted_ms, set_aside } = channel;
    let status = match (is_closed, state.close_due_at) {
        (true, _) => "closed",
        (false, Some(_)) => "closing",
        (false, None) => "open",
    };
    let covered = if status == "open" { cover::covered(&state, now) } else { 0 };
    let pending = if is_closed { 0 } else { best.map_or(0, |b| batch::gain(&state, b.cumulative_amount)) };
    ChannelJson {
        book: state.terms.number.book,
        serial: state.terms.number.serial,
        channel_id: text::hex(&channel_id.0),
        status,
        payer: state.terms.payer.to_string(),
        payee: state.terms.payee.to_string(),
        voucher_signer: state.terms.voucher_signer.to_string(),
        token: state.terms.token.to_string(),
        challenge_period_secs: state.terms.challenge_period_secs,
        opened_at: state.terms.opened_at,
        deposit: state.deposit.to_string(),
        claimed: state.claimed.to_string(),
        covered: covered.to_string(),
        close_due_at: state.close_due_at,
        refund_requested: state.refund_requested.to_string(),
        refund_due_at: state.refund_due_at,
        best: best.map(|b| BestJson { cumulative_amount: b.cumulative_amount.to_string(), signature: text::hex(&b.signature.0) }),
        accepted_ms,
        pending: pending.to_string(),
        set_aside,
    }
}

fn number_of(book: &str, serial: &str) -> Result<Number, Rejection> {
    const EXPECTED: &str = "an integer from 0 to 4294967295";
    let read = |field, given: &str| given.parse().map_err(|_| Rejection::Malformed { field, expected: EXPECTED, given: text::shown(given) });
    Ok(Number { book: read("book", book)?, serial: read("serial", serial)? })
}

/// `GET /v1/channels/{book}/{serial}`
pub async fn get(State(api): State<Api>, Path((book, serial)): Path<(String, String)>) -> Response {
    match find(&api, &book, &serial).await {
        Ok(channel) => json(StatusCode::OK, &channel),
        Err(problem) => problem.into_response(),
    }
}

async fn find(api: &Api, book: &str, serial: &str) -> Result<ChannelJson, Problem> {
    let number = number_of(book, serial).map_err(|e| Problem::from(&e))?;
    // Asks the chain for one that is not known yet, within the same limits as a voucher does.
    for found in api.channels.get(&[number], now_ms()).await.map_err(|e| Problem::from(&e))? {
        found.map_err(|e| Problem::from(&e))?;
    }
    let stored = api.store.channel(number).await.map_err(|e| Problem::from(&e))?;
    let now = api.acceptor.now();
    stored.map(|channel| describe(channel, now)).ok_or_else(|| Problem::from(&Rejection::UnknownChannel(number)))
}
