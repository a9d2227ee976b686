//! What a payer sends: x402's `PAYMENT-SIGNATURE`, base64 of JSON, with the payload of our scheme.

use crate::denied::Denied;
use rivulet_client::buy::{
    Purchase,
    wire::{self, SCHEME},
};
use rivulet_core::{
    SoftKeccak,
    ids::{Address, ChannelId, ChannelTerms, Deployment, Number, Token},
    signature::CompactSignature,
};
use rivulet_rules::{accept::Rejection, text};

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
    let json: wire::Payment = wire::decode(header).map_err(malformed)?;
    if json.x402_version != 2 || json.accepted.scheme != SCHEME {
        return Err(malformed(format!(
            "expected x402Version 2 and scheme channel, got {} and {}",
            json.x402_version,
            text::shown(&json.accepted.scheme)
        )));
    }
    let wire::Payload { channel, voucher, purchase } = json.payload;
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
