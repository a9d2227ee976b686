//! What a request costs, as x402 version 2 says it: the `PAYMENT-REQUIRED` of a 402, the `PAYMENT-RESPONSE` of what was paid.

use crate::{
    denied::StateJson,
    payload::SCHEME,
    price::{Price, Unit},
};
use rivulet_rules::text;
use serde::Serialize;

/// The answer header that says what it costs.
pub const PAYMENT_REQUIRED: &str = "payment-required";
/// The answer header that says what was paid.
pub const PAYMENT_RESPONSE: &str = "payment-response";

/// `PAYMENT-REQUIRED`, and a part of the problem in the body.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentRequired {
    /// 2.
    pub x402_version: u32,
    /// The problem's code.
    pub error: String,
    /// What is asked for.
    pub resource: Resource,
    /// Every way to pay.
    pub accepts: Vec<Offer>,
}

/// What is asked for.
#[derive(Clone, Debug, Serialize)]
pub struct Resource {
    /// Its URL.
    pub url: String,
}

/// One way to pay.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    /// `channel`
    pub scheme: &'static str,
    /// `eip155:` and the chain id.
    pub network: String,
    /// The price, or that of a step, in the token's smallest unit.
    pub amount: String,
    /// The token's address; zero: native.
    pub asset: String,
    /// The payee.
    pub pay_to: String,
    /// How far away `valid_until` may be.
    pub max_timeout_seconds: u64,
    /// What x402 has no field for.
    pub extra: Extra,
}

/// What x402 has no field for.
#[derive(Clone, Debug, Serialize)]
pub struct Extra {
    /// The channels contract.
    pub channels: String,
    /// The relayer that carries the vouchers.
    pub relayer: String,
    /// The token's name and digits.
    pub token: String,
    /// Digits after the point.
    pub decimals: u8,
    /// The price as people read it.
    pub price: String,
    /// What `amount` pays for.
    pub unit: Unit,
    /// The text that the purchase signs.
    pub request: String,
    /// The paywall's clock (Unix seconds), for devices that have none.
    pub now: u64,
    /// The payer's channel, told to whom its key signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<StateJson>,
}

/// Where and for whom.
#[derive(Clone, Debug)]
pub struct Terms {
    /// `eip155:…`
    pub network: String,
    /// The channels contract.
    pub channels: String,
    /// The payee.
    pub payee: String,
    /// The relayer.
    pub relayer: String,
    /// How far away `valid_until` may be.
    pub window_secs: u64,
}

impl Terms {
    /// One way to pay for a request.
    pub fn offer(&self, price: &Price, request: &str, now: u64, state: Option<&StateJson>) -> Offer {
        Offer {
            scheme: SCHEME,
            network: self.network.clone(),
            amount: price.units.to_string(),
            asset: price.coin.token.to_string(),
            pay_to: self.payee.clone(),
            max_timeout_seconds: self.window_secs,
            extra: Extra {
                channels: self.channels.clone(),
                relayer: self.relayer.clone(),
                token: price.coin.name.clone(),
                decimals: price.coin.decimals,
                price: price.to_string(),
                unit: price.unit,
                request: request.to_owned(),
                now,
                state: state.cloned(),
            },
        }
    }
}

/// `PAYMENT-RESPONSE`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentResponse {
    /// False: nothing was charged.
    pub success: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_reason: Option<&'static str>,
    /// The payer.
    pub payer: String,
    /// x402 wants one; nothing is on the chain yet, so it is the purchase's nonce.
    pub transaction: String,
    /// `eip155:…`
    pub network: String,
    /// What was charged for this request, in the token's smallest unit; 0: it had been paid.
    pub amount: String,
    /// The channel after it.
    pub extra: ResponseExtra,
}

/// Of [`PaymentResponse`].
#[derive(Clone, Debug, Serialize)]
pub struct ResponseExtra {
    /// The channel after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<StateJson>,
    /// All that this purchase has cost so far.
    pub cost: String,
}

/// As a header carries it.
pub fn header(value: &impl Serialize) -> Option<axum::http::HeaderValue> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let json = serde_json::to_vec(value).ok()?;
    STANDARD.encode(json).try_into().ok()
}

/// A 32-byte name as text.
pub fn nonce(nonce: &[u8; 32]) -> String {
    text::hex(nonce)
}
