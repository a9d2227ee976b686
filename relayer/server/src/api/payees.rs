//! `GET /v1/payees/{address}/channels`: a payee's channels with their best vouchers, page by page.

use super::{
    Api,
    channels::{ChannelJson, describe},
    json,
    params::Params,
    problem::Problem,
};
use axum::{
    extract::{Path, State},
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use rivulet_core::ids::{Address, Number};
use rivulet_rules::text;
use rivulet_store::StoredChannel;
use serde::Serialize;

/// Channels in one answer, unless asked for another number, and at most.
const PAGE: usize = 100;
const LONGEST_PAGE: usize = 1_000;

/// A page of channels.
#[derive(Debug, Serialize)]
struct PageJson {
    payee: String,
    channels: Vec<ChannelJson>,
    /// What `after` has to be for the next page; null: this was the last.
    next: Option<String>,
}

/// The payee in a path.
pub fn payee_of(address: &str) -> Result<Address, Problem> {
    text::address("address", address).map_err(|e| Problem::from(&e))
}

fn after_of(params: &Params) -> Result<Option<Number>, Problem> {
    let Some(given) = params.get("after") else { return Ok(None) };
    let parts = given.split_once('-').and_then(|(book, serial)| Some(Number { book: book.parse().ok()?, serial: serial.parse().ok()? }));
    parts.map(Some).ok_or_else(|| Problem::malformed("after", "what the last page's next says: book, dash, serial", given))
}

/// One page, and where the next one begins.
pub async fn page(api: &Api, payee: Address, params: &Params) -> Result<(Vec<StoredChannel>, Option<String>), Problem> {
    let (after, limit) = (after_of(params)?, params.limit("limit", PAGE, LONGEST_PAGE)?);
    // One more than asked for says whether there is another page.
    let mut found = api.store.payee_channels(payee, after, limit.saturating_add(1)).await.map_err(|e| Problem::from(&e))?;
    let is_last = found.len() <= limit;
    found.truncate(limit);
    let last = found.last().filter(|_| !is_last).map(|c| c.state.terms.number);
    Ok((found, last.map(|n| format!("{}-{}", n.book, n.serial))))
}

/// `GET /v1/payees/{address}/channels`
pub async fn channels(State(api): State<Api>, Path(address): Path<String>, uri: Uri) -> Response {
    match list(&api, &address, &uri).await {
        Ok(page) => json(StatusCode::OK, &page),
        Err(problem) => problem.into_response(),
    }
}

async fn list(api: &Api, address: &str, uri: &Uri) -> Result<PageJson, Problem> {
    let payee = payee_of(address)?;
    let (found, next) = page(api, payee, &Params::read(uri, &["after", "limit"])?).await?;
    let now = api.acceptor.now();
    Ok(PageJson { payee: payee.to_string(), channels: found.into_iter().map(|c| describe(c, now)).collect(), next })
}
