//! What a payer sends: x402's `PAYMENT-SIGNATURE`, base64 of JSON, with the payload of our scheme.

use crate::{denied::Denied, purchase::Purchase};
use base64::{Engine, engine::general_purpose::STANDARD};
use rivulet_core::{
    SoftKeccak,
    ids::{Address, ChannelId, ChannelTerms, Deployment, Number, Token},
    signature::CompactSignature,
};
use rivulet_rules::{accept::Rejection, text};
use serde::{Deserialize, Serialize};

/// The scheme's name in x402.
pub const SCHEME: &str = "channel";
/// The request header that pays.
pub const PAYMENT_SIGNATURE: &str = "payment-signature";

/// The header's JSON, as far as it is read. x402 adds more.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentJson {
    /// 2.
    pub x402_version: u32,
    /// Which of the offers is taken.
    pub accepted: AcceptedJson,
    /// Our scheme's part.
    pub payload: PayloadJson,
}

/// Which offer is taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AcceptedJson {
    /// `channel`
    pub scheme: String,
    /// `eip155:` and the chain id.
    pub network: String,
    /// The token's address.
    pub asset: String,
}

/// Our scheme's part.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayloadJson {
    /// The channel's terms. Payee, token, chain and contract are the paywall's: with others, the id would be another.
    pub channel: ChannelJson,
    /// The voucher.
    pub voucher: VoucherJson,
    /// What it is for.
    pub purchase: PurchaseJson,
}

/// A channel's terms, as far as the paywall does not know them.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Serialize, Deserialize)]
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

/// A payment as it came, well-formed but not believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Payment {
    /// `eip155:…`
    pub network: String,
    /// In what.
    pub token: Token,
    /// The channel's terms, with the paywall's own payee.
    pub terms: ChannelTerms,
    /// The id that the voucher names.
    pub channel_id: ChannelId,
    /// The voucher's total; 0: none, what was accepted before is to do.
    pub total: u128,
    /// The voucher's signature.
    pub signature: CompactSignature,
    /// What was signed for.
    pub purchase: Purchase,
    /// Its signature.
    pub purchase_signature: CompactSignature,
}

fn malformed(what: impl std::fmt::Display) -> Denied {
    Denied::malformed(format!("PAYMENT-SIGNATURE: {what}"))
}

impl From<Rejection> for Denied {
    fn from(rejection: Rejection) -> Self {
        malformed(rejection)
    }
}

/// Reads the header. `request` is the request that it came with, `payee` the paywall's.
///
/// # Errors
///
/// `malformed`, which says which field and what was expected.
pub fn read(header: &[u8], request: &str, payee: Address) -> Result<Payment, Denied> {
    let json = STANDARD.decode(header).map_err(|_| malformed("expected base64"))?;
    let json: PaymentJson = serde_json::from_slice(&json).map_err(malformed)?;
    if json.x402_version != 2 || json.accepted.scheme != SCHEME {
        return Err(malformed(format!(
            "expected x402Version 2 and scheme channel, got {} and {}",
            json.x402_version,
            text::shown(&json.accepted.scheme)
        )));
    }
    let PayloadJson { channel, voucher, purchase } = json.payload;
    let token = text::address("accepted.asset", &json.accepted.asset)?;
    let terms = ChannelTerms {
        number: Number { book: channel.book, serial: channel.serial },
        payer: text::address("payload.channel.payer", &channel.payer)?,
        payee,
        voucher_signer: text::address("payload.channel.voucher_signer", &channel.voucher_signer)?,
        token,
        challenge_period_secs: channel.challenge_period_secs,
        opened_at: channel.opened_at,
    };
    let channel_id = text::channel_id("payload.voucher.channel_id", &voucher.channel_id)?;
    let nonce = text::bytes(&purchase.nonce).ok_or_else(|| malformed("payload.purchase.nonce: expected 0x and 64 hex digits"))?;
    Ok(Payment {
        network: json.accepted.network,
        token,
        terms,
        channel_id,
        total: text::amount("payload.voucher.cumulative_amount", &voucher.cumulative_amount)?,
        signature: text::signature("payload.voucher.signature", &voucher.signature)?,
        purchase: Purchase {
            channel_id,
            amount: text::amount("payload.purchase.amount", &purchase.amount)?,
            request: request.to_owned(),
            nonce,
            valid_until: purchase.valid_until,
        },
        purchase_signature: text::signature("payload.purchase.signature", &purchase.signature)?,
    })
}

impl Payment {
    /// The id that a channel of these terms has here.
    pub fn expected_id(&self, at: &Deployment) -> ChannelId {
        self.terms.channel_id(at, &SoftKeccak)
    }

    /// True for an address whose signature counts for this channel.
    pub fn may_sign(&self, address: Option<Address>) -> bool {
        address.is_some_and(|a| a == self.terms.voucher_signer || a == self.terms.payer)
    }
}
