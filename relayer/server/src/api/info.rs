//! `GET /v1/info`: what a client must know before it pays through this relayer.

use super::{Api, json};
use axum::{extract::State, http::StatusCode, response::Response};
use rivulet_rules::text;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Debug, Serialize)]
struct ContractsJson {
    channels: String,
    streams: String,
}

#[derive(Debug, Serialize)]
struct TokenJson {
    address: String,
    decimals: u8,
    /// The least gain of a channel's first voucher.
    min_first: String,
    /// The highest total taken of a channel that is not final yet; "0": nothing.
    unfinalized_max: String,
}

#[derive(Debug, Serialize)]
struct RelayerJson {
    /// As contracts see it: the beneficiary that payees name in their terms.
    address: String,
    /// The account that signs claims.
    account: String,
    /// What signs acknowledgements; null: they are not signed.
    acknowledgement_key: Option<String>,
}

#[derive(Debug, Serialize)]
struct LimitsJson {
    max_body_bytes: usize,
    max_batch_items: usize,
    request_timeout_ms: u64,
    /// Requests a second from one address, 0: no limit.
    address_per_sec: u32,
    /// Vouchers a second of one payer, 0: no limit.
    payer_per_sec: u32,
}

#[derive(Debug, Serialize)]
struct InfoJson {
    version: &'static str,
    network: String,
    chain_id: u64,
    genesis_hash: String,
    contracts: ContractsJson,
    tokens: BTreeMap<String, TokenJson>,
    relayer: RelayerJson,
    /// Payees it works for; null: all.
    payees: Option<Vec<String>>,
    limits: LimitsJson,
    /// The last finalized block taken in.
    block_number: Option<u64>,
}

/// `GET /v1/info`
pub async fn get(State(api): State<Api>) -> Response {
    let (network, config) = (&api.network, &api.config);
    let tokens = network.tokens.iter().map(|(name, token)| {
        let min_first = config.accept.min_first_units.get(name).map_or(1, |units| units.0).to_string();
        let unfinalized_max = config.accept.unfinalized_max_units.get(name).map_or(0, |units| units.0).to_string();
        (name.clone(), TokenJson { address: token.address.to_string(), decimals: token.decimals, min_first, unfinalized_max })
    });
    let payees = &config.accept.payees;
    let info = InfoJson {
        version: env!("CARGO_PKG_VERSION"),
        network: network.name.clone(),
        chain_id: network.deployment.chain_id,
        genesis_hash: text::hex(&network.deployment.genesis_hash),
        contracts: ContractsJson { channels: network.deployment.channels.to_string(), streams: network.deployment.streams.to_string() },
        tokens: tokens.collect(),
        relayer: RelayerJson {
            address: network.relayer_address.to_string(),
            account: text::hex(&network.relayer_account.0),
            acknowledgement_key: api.acceptor.acknowledges_as().map(|key| key.to_string()),
        },
        payees: (!payees.is_empty()).then(|| payees.iter().map(ToString::to_string).collect()),
        limits: LimitsJson {
            max_body_bytes: config.http.max_body_bytes,
            max_batch_items: config.http.max_batch_items,
            request_timeout_ms: config.http.request_timeout_ms,
            address_per_sec: config.http.address_per_sec,
            payer_per_sec: config.accept.payer_per_sec,
        },
        block_number: api.status.report().block_number,
    };
    json(StatusCode::OK, &info)
}
