//! What payers and paywalls say to each other: the headers of x402 version 2 with the fields of our scheme, each base64 of JSON.
//!
//! Both sides read and write these shapes, so there is one of each. Numbers that may pass 2^53 are strings.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error as _},
};

/// The scheme's name in x402.
pub const SCHEME: &str = "channel";
/// The request header that pays: a [`Payment`].
pub const PAYMENT_SIGNATURE: &str = "payment-signature";
/// The answer header that says what it costs: a [`PaymentRequired`].
pub const PAYMENT_REQUIRED: &str = "payment-required";
/// The answer header that says what was paid: a [`PaymentResponse`].
pub const PAYMENT_RESPONSE: &str = "payment-response";

/// As a header carries it.
pub fn encode(value: &impl Serialize) -> String {
    // These shapes hold nothing that JSON cannot.
    STANDARD.encode(serde_json::to_vec(value).unwrap_or_default())
}

/// Out of a header; what is wrong with it as text.
///
/// # Errors
///
/// When it is not base64 of such JSON.
pub fn decode<T: DeserializeOwned>(header: &[u8]) -> Result<T, String> {
    let json = STANDARD.decode(header).map_err(|_| "expected base64".to_owned())?;
    serde_json::from_slice(&json).map_err(|e| e.to_string())
}

/// What is paid, as far as it is read. x402 adds more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payment {
    /// 2.
    pub x402_version: u32,
    /// Which of the offers is taken.
    pub accepted: Accepted,
    /// Our scheme's part.
    pub payload: Payload,
}

/// Which offer is taken.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Accepted {
    /// `channel`
    pub scheme: String,
    /// `eip155:` and the chain id.
    pub network: String,
    /// The token's address.
    pub asset: String,
}

/// Our scheme's part.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    /// The channel's terms. Payee, token, chain and contract are the paywall's: with others, the id would be another.
    pub channel: ChannelJson,
    /// The voucher.
    pub voucher: VoucherJson,
    /// What it is for.
    pub purchase: PurchaseJson,
}

/// A channel's terms, as far as the paywall does not know them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelJson {
    /// Its book.
    pub book: u32,
    /// Its serial.
    pub serial: u32,
    /// Who pays.
    pub payer: String,
    /// Whose vouchers count, besides the payer's.
    pub voucher_signer: String,
    /// Its challenge period.
    pub challenge_period_secs: u32,
    /// When it was opened (Unix seconds).
    pub opened_at: u64,
}

/// A voucher.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoucherJson {
    /// The channel's id.
    pub channel_id: String,
    /// All that the channel has ever promised.
    pub cumulative_amount: String,
    /// 64 or 65 bytes.
    pub signature: String,
}

/// A purchase, without the request: that is the one it came with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PurchaseJson {
    /// The most that may be charged.
    pub amount: String,
    /// 32 bytes.
    pub nonce: String,
    /// Unix seconds.
    pub valid_until: u64,
    /// 64 or 65 bytes.
    pub signature: String,
}

/// What a request costs, with each 402.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentRequired {
    /// 2.
    pub x402_version: u32,
    /// The problem's code.
    pub error: String,
    /// What is asked for.
    pub resource: Resource,
    /// Every way to pay by our scheme; what other schemes a site offers is left out.
    #[serde(deserialize_with = "ours")]
    pub accepts: Vec<Offer>,
}

fn ours<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Offer>, D::Error> {
    let all = Vec::<serde_json::Value>::deserialize(from)?;
    all.into_iter().filter(|offer| offer["scheme"] == SCHEME).map(|offer| Offer::deserialize(offer).map_err(D::Error::custom)).collect()
}

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Resource {
    /// Its URL.
    pub url: String,
}

/// One way to pay.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    /// `channel`
    pub scheme: String,
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
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Extra {
    /// The channels contract.
    pub channels: String,
    /// The relayer that carries the vouchers.
    pub relayer: String,
    /// The token's name.
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
}

/// What a price is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// One request, with its repetitions.
    Request,
    /// So many bytes of the answer's body.
    Bytes(u64),
    /// So many seconds of the answer.
    Secs(u64),
}

/// What the paywall knows of the payer's channel: what a client without memory goes on from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct State {
    /// Its book.
    pub book: u32,
    /// Its serial.
    pub serial: u32,
    /// Its id.
    pub channel_id: String,
    /// The highest total that was accepted.
    pub accepted: String,
    /// The payer's own signature of it: nobody can make a total up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// What of it can still be spent here.
    pub available: String,
}

/// What was paid, with each answer to a payment that was granted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentResponse {
    /// False: nothing was charged.
    pub success: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_reason: Option<String>,
    /// The payer.
    pub payer: String,
    /// x402 wants one; nothing is on the chain yet, so it is the purchase's nonce.
    pub transaction: String,
    /// `eip155:` and the chain id.
    pub network: String,
    /// What was charged for this request, in the token's smallest unit; 0: it had been paid.
    pub amount: String,
    /// The channel after it.
    pub extra: ResponseExtra,
}

/// Of [`PaymentResponse`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ResponseExtra {
    /// The channel after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// All that this purchase has cost so far.
    pub cost: String,
}
