//! What a request costs, as x402 version 2 says it: the `PAYMENT-REQUIRED` of a 402, the `PAYMENT-RESPONSE` of what was paid.

use crate::price::Price;
use rivulet_client::buy::wire::{self, Extra, Offer, SCHEME, State};
use rivulet_rules::text;
use serde::Serialize;

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
    pub fn offer(&self, price: &Price, request: &str, now: u64, state: Option<&State>) -> Offer {
        Offer {
            scheme: SCHEME.to_owned(),
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

/// As a header carries it.
pub fn header(value: &impl Serialize) -> Option<axum::http::HeaderValue> {
    wire::encode(value).try_into().ok()
}

/// A 32-byte name as text.
pub fn nonce(nonce: &[u8; 32]) -> String {
    text::hex(nonce)
}
