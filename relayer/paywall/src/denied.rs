//! Why nothing was served. Codes are stable; a client may act on them.

use axum::http::StatusCode;
use rivulet_client::{buy::wire::State, relay::Problem};
use rivulet_rules::text;
use std::borrow::Cow;

impl From<&crate::store::Channel> for State {
    fn from(c: &crate::store::Channel) -> Self {
        Self {
            book: c.number.book,
            serial: c.number.serial,
            channel_id: text::hex(&c.id.0),
            accepted: c.account.accepted.to_string(),
            signature: c.signature.map(|s| text::hex(&s.0)),
            available: c.account.available().to_string(),
        }
    }
}

/// A refusal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Denied {
    /// The HTTP status.
    pub status: StatusCode,
    /// What a program acts on.
    pub code: Cow<'static, str>,
    /// What a person reads.
    pub detail: String,
    /// The channel, told to whom its key signed.
    pub state: Option<Box<State>>,
    /// When to come back.
    pub retry_after_secs: Option<u64>,
}

/// Every code of the paywall's own, with its status. A voucher that the relayer refuses has the relayer's code, with 402.
pub const CODES: &[(&str, u16, &str)] = &[
    ("payment_required", 402, "nothing was paid"),
    ("wrong_network", 402, "the payment is for another chain, or in a token that this price is not in"),
    ("foreign_channel", 402, "the channel's id is not that of these terms with this payee, token, chain and contract"),
    ("wrong_signer", 402, "the purchase is not signed by the channel's voucher signer or payer, or for another request"),
    ("replayed", 402, "the nonce was used for another request"),
    ("used_up", 402, "the purchase was asked for too often"),
    ("expired", 402, "valid_until has passed"),
    ("valid_too_long", 402, "valid_until is further away than maxTimeoutSeconds"),
    ("amount_too_small", 402, "the purchase is signed for less than the price"),
    ("not_enough", 402, "the accepted total does not cover the price: it must grow"),
    ("malformed", 400, "PAYMENT-SIGNATURE cannot be read"),
    ("bad_path", 400, "servers read this path in more than one way"),
    ("no_such_purchase", 404, "nothing goes on under this nonce"),
    ("no_such_route", 404, "no route of the paywall"),
    ("upgrade_not_supported", 501, "a protocol upgrade cannot be counted"),
    ("body_too_large", 413, "the request's body is longer than allowed"),
    ("upstream_unreachable", 502, "the web server does not answer; nothing was charged"),
    ("upstream_timeout", 504, "the web server does not answer in time; nothing was charged"),
    ("relayer_unreachable", 503, "the relayer does not answer; nothing was charged"),
    ("store_failed", 503, "the paywall's disk does not answer; nothing was charged"),
];

impl Denied {
    /// With the status that the table gives to the code.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        let status = CODES.iter().find(|(c, ..)| *c == code).and_then(|(_, status, _)| StatusCode::from_u16(*status).ok());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after_secs = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(2);
        Self { status, code: code.into(), detail: detail.into(), state: None, retry_after_secs }
    }

    /// The header cannot be read.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new("malformed", detail)
    }

    /// What the relayer said.
    pub fn by_relayer(problem: &Problem) -> Self {
        if problem.is_retryable() {
            return Self { retry_after_secs: Some(problem.retry_after_secs.unwrap_or(2)), ..Self::new("relayer_unreachable", problem.to_string()) };
        }
        let code = if problem.code.is_empty() { "payment_required".into() } else { problem.code.clone() };
        // It is taken as soon as the block that opened it is final.
        let (hint, retry_after_secs) =
            if code == "unknown_channel" { ("; one that was just opened counts once its block is final", Some(2)) } else { ("", None) };
        let detail = format!("the relayer did not accept the voucher: {}{hint}", problem.detail);
        Self { status: StatusCode::PAYMENT_REQUIRED, code: code.into(), detail, state: None, retry_after_secs }
    }

    /// With what is known of the channel.
    pub fn with(self, channel: Option<&crate::store::Channel>) -> Self {
        Self { state: channel.map(|c| Box::new(c.into())), ..self }
    }
}

impl From<crate::store::StoreError> for Denied {
    fn from(e: crate::store::StoreError) -> Self {
        match e {
            crate::store::StoreError::NoPurchase => Self::new("no_such_purchase", "nothing goes on under this nonce"),
            e => {
                tracing::error!(error = %e, "the store failed");
                Self::new("store_failed", "the paywall cannot write down purchases right now; nothing was charged")
            }
        }
    }
}
