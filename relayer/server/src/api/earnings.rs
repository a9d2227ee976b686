//! `GET /v1/payees/{address}/earnings`: what a payee has earned through this relayer, by token, by day or by channel, as JSON or CSV.

use super::{Api, channels::describe, csv, json, params::Params, payees, problem::Problem};
use crate::{clock::now_ms, dates};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use rivulet_core::ids::{Address, Token};
use rivulet_rules::chain::ContractKind;
use serde::Serialize;

#[derive(Debug, Serialize)]
struct TokenJson {
    token: String,
    /// Its name in the deployment.
    name: Option<String>,
    decimals: Option<u8>,
    channels: u64,
    /// Sum of the best vouchers.
    accepted: String,
    /// Paid out on the chain, relay fees included, whoever claimed.
    claimed: String,
    /// Accepted, covered and not yet claimed.
    pending: String,
    /// Accepted and out of reach: closed before it was claimed, or set aside.
    lost: String,
}

#[derive(Debug, Serialize)]
struct EarningsJson {
    payee: String,
    tokens: Vec<TokenJson>,
}

#[derive(Debug, Serialize)]
struct DayJson {
    /// `2026-11-20`, UTC.
    day: String,
    contract: &'static str,
    token: String,
    name: Option<String>,
    decimals: Option<u8>,
    /// What accepted vouchers grew by.
    accepted: String,
    vouchers: u64,
    /// Paid out in finalized blocks, relay fees included, whoever claimed.
    claimed: String,
    /// Of it, relay fees.
    fees: String,
    /// What is left of it for the payee.
    paid: String,
    /// Rows claimed.
    rows: u64,
}

#[derive(Debug, Serialize)]
struct DaysJson {
    payee: String,
    days: Vec<DayJson>,
}

#[derive(Debug, Serialize)]
struct ChannelEarningsJson {
    book: u32,
    serial: u32,
    channel_id: String,
    status: &'static str,
    payer: String,
    token: String,
    name: Option<String>,
    decimals: Option<u8>,
    deposit: String,
    /// The best voucher's total.
    accepted: String,
    accepted_ms: Option<u64>,
    claimed: String,
    pending: String,
}

#[derive(Debug, Serialize)]
struct ByChannelJson {
    payee: String,
    channels: Vec<ChannelEarningsJson>,
    next: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Token,
    Day,
    Channel,
}

/// What a table is sent as.
struct Table<R> {
    payee: Address,
    rows: Vec<R>,
    next: Option<String>,
}

/// In CSV, which has no place for it: what a page goes on from.
pub(super) const NEXT: HeaderName = HeaderName::from_static("rivulet-next");

/// `GET /v1/payees/{address}/earnings`
pub async fn get(State(api): State<Api>, Path(address): Path<String>, headers: HeaderMap, uri: Uri) -> Response {
    answer(&api, &address, &headers, &uri).await.unwrap_or_else(IntoResponse::into_response)
}

fn is_csv(headers: &HeaderMap, params: &Params) -> Result<bool, Problem> {
    if params.get("format").is_some() {
        return params.one_of("format", &[("json", false), ("csv", true)]);
    }
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','));
    Ok(accepts.map(|kind| kind.split(';').next().unwrap_or_default().trim()).any(|kind| kind == "text/csv"))
}

async fn answer(api: &Api, address: &str, headers: &HeaderMap, uri: &Uri) -> Result<Response, Problem> {
    let payee = payees::payee_of(address)?;
    let by = Params::read(uri, &["by", "format", "from", "to", "after", "limit"])?
        .one_of("by", &[("token", By::Token), ("day", By::Day), ("channel", By::Channel)])?;
    // Each view knows its own parameters: one that would be ignored is refused.
    let known: &[&str] = match by {
        By::Token => &["by", "format"],
        By::Day => &["by", "format", "from", "to"],
        By::Channel => &["by", "format", "after", "limit"],
    };
    let params = Params::read(uri, known)?;
    let is_csv = is_csv(headers, &params)?;
    match by {
        By::Token => {
            Ok(send(is_csv, Table { payee, rows: tokens(api, payee).await?, next: None }, |payee, tokens, _| EarningsJson { payee, tokens }))
        }
        By::Day => Ok(send(is_csv, Table { payee, rows: days(api, payee, &params).await?, next: None }, |payee, days, _| DaysJson { payee, days })),
        By::Channel => {
            let (rows, next) = channels(api, payee, &params).await?;
            Ok(send(is_csv, Table { payee, rows, next }, |payee, channels, next| ByChannelJson { payee, channels, next }))
        }
    }
}

fn send<R: Serialize + csv::Row, J: Serialize>(is_csv: bool, table: Table<R>, whole: impl FnOnce(String, Vec<R>, Option<String>) -> J) -> Response {
    let Table { payee, rows, next } = table;
    if !is_csv {
        return json(StatusCode::OK, &whole(payee.to_string(), rows, next));
    }
    let mut response = ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], csv::write(&rows)).into_response();
    if let Some(next) = next.and_then(|n| HeaderValue::from_str(&n).ok()) {
        response.headers_mut().insert(NEXT, next);
    }
    response
}

/// A token's name and decimals, if the deployment has it.
fn known(api: &Api, token: &Token) -> (Option<String>, Option<u8>) {
    let known = api.network.token(token);
    (known.map(|(name, _)| name.to_owned()), known.map(|(_, info)| info.decimals))
}

async fn tokens(api: &Api, payee: Address) -> Result<Vec<TokenJson>, Problem> {
    let found = api.store.earnings(payee).await.map_err(|e| Problem::from(&e))?;
    let tokens = found.into_iter().map(|e| {
        let (name, decimals) = known(api, &e.token);
        TokenJson {
            token: e.token.to_string(),
            name,
            decimals,
            channels: e.channels,
            accepted: e.accepted.to_string(),
            claimed: e.claimed.to_string(),
            pending: e.pending.to_string(),
            lost: e.lost.to_string(),
        }
    });
    Ok(tokens.collect())
}

fn day_of(params: &Params, key: &'static str, default: u64) -> Result<u64, Problem> {
    let Some(given) = params.get(key) else { return Ok(default) };
    dates::day(given).ok_or_else(|| Problem::malformed(key, "a day such as 2026-11-20, UTC", given))
}

async fn days(api: &Api, payee: Address, params: &Params) -> Result<Vec<DayJson>, Problem> {
    let today = now_ms() / dates::MS_PER_DAY;
    let to = day_of(params, "to", today)?;
    let from = day_of(params, "from", to.saturating_sub(365))?;
    let found = api.store.payee_days(payee, from, to).await.map_err(|e| Problem::from(&e))?;
    let days = found.into_iter().map(|d| {
        let (name, decimals) = known(api, &d.token);
        DayJson {
            day: dates::text(d.day),
            contract: match d.contract {
                ContractKind::Channels => "channels",
                ContractKind::Streams => "streams",
            },
            token: d.token.to_string(),
            name,
            decimals,
            accepted: d.accepted.to_string(),
            vouchers: d.vouchers,
            claimed: d.claimed.to_string(),
            fees: d.fees.to_string(),
            paid: d.claimed.saturating_sub(d.fees).to_string(),
            rows: d.rows,
        }
    });
    Ok(days.collect())
}

async fn channels(api: &Api, payee: Address, params: &Params) -> Result<(Vec<ChannelEarningsJson>, Option<String>), Problem> {
    let (found, next) = payees::page(api, payee, params).await?;
    let now = api.acceptor.now();
    let rows = found.into_iter().map(|stored| {
        let (name, decimals) = known(api, &stored.state.terms.token);
        let c = describe(stored, now);
        ChannelEarningsJson {
            book: c.book,
            serial: c.serial,
            channel_id: c.channel_id,
            status: c.status,
            payer: c.payer,
            token: c.token,
            name,
            decimals,
            deposit: c.deposit,
            accepted: c.best.map_or_else(|| "0".to_owned(), |best| best.cumulative_amount),
            accepted_ms: c.accepted_ms,
            claimed: c.claimed,
            pending: c.pending,
        }
    });
    Ok((rows.collect(), next))
}

impl csv::Row for TokenJson {
    const HEAD: &'static [&'static str] = &["token", "name", "decimals", "channels", "accepted", "claimed", "pending", "lost"];
}
impl csv::Row for DayJson {
    const HEAD: &'static [&'static str] =
        &["day", "contract", "token", "name", "decimals", "accepted", "vouchers", "claimed", "fees", "paid", "rows"];
}
impl csv::Row for ChannelEarningsJson {
    const HEAD: &'static [&'static str] =
        &["book", "serial", "channel_id", "status", "payer", "token", "name", "decimals", "deposit", "accepted", "accepted_ms", "claimed", "pending"];
}
