//! `GET /v1/payees/{address}/earnings`: what a payee has earned through this relayer, by token.

use super::{Api, json, problem::Problem};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use rivulet_core::ids::Address;
use rivulet_rules::text;
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

/// `GET /v1/payees/{address}/earnings`
pub async fn earnings(State(api): State<Api>, Path(address): Path<String>) -> Response {
    let payee = match text::address("address", &address) {
        Ok(payee) => payee,
        Err(rejection) => return Problem::from(&rejection).into_response(),
    };
    match of(&api, payee).await {
        Ok(earnings) => json(StatusCode::OK, &earnings),
        Err(problem) => problem.into_response(),
    }
}

async fn of(api: &Api, payee: Address) -> Result<EarningsJson, Problem> {
    let found = api.store.earnings(payee).await.map_err(|e| Problem::from(&e))?;
    let tokens = found.into_iter().map(|e| {
        let known = api.network.token(&e.token);
        TokenJson {
            token: e.token.to_string(),
            name: known.map(|(name, _)| name.to_owned()),
            decimals: known.map(|(_, info)| info.decimals),
            channels: e.channels,
            accepted: e.accepted.to_string(),
            claimed: e.claimed.to_string(),
            pending: e.pending.to_string(),
            lost: e.lost.to_string(),
        }
    });
    Ok(EarningsJson { payee: payee.to_string(), tokens: tokens.collect() })
}
