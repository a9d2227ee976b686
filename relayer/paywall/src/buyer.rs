//! The payer's side: what goes into `PAYMENT-SIGNATURE`.
//!
//! For programs in Rust that pay, and for the tests and benches; for `@x402/fetch` there is a plug-in in `x402/`.

use crate::{
    offer::nonce as nonce_text,
    payload::{AcceptedJson, ChannelJson, PayloadJson, PaymentJson, PurchaseJson, SCHEME, VoucherJson},
    purchase::{Purchase, separator},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use rivulet_client::{Channel, SignedVoucher, VoucherSigner};
use rivulet_core::ids::Deployment;
use rivulet_rules::text;

/// Signs a purchase from a channel, to go with this voucher: the value of the header.
///
/// `request` is `extra.request` of the 402: method, host, path and query. The same nonce again is the same purchase, and costs nothing more.
pub fn payment(channel: &Channel, voucher: &SignedVoucher, signer: &VoucherSigner, at: &Deployment, purchase: &Purchase) -> String {
    let signature = signer.key().sign(purchase.to_sign(&separator(at)));
    let terms = &channel.terms;
    let json = PaymentJson {
        x402_version: 2,
        accepted: AcceptedJson { scheme: SCHEME.to_owned(), network: format!("eip155:{}", at.chain_id), asset: terms.token.to_string() },
        payload: PayloadJson {
            channel: ChannelJson {
                book: terms.number.book,
                serial: terms.number.serial,
                payer: terms.payer.to_string(),
                voucher_signer: terms.voucher_signer.to_string(),
                challenge_period_secs: terms.challenge_period_secs,
                opened_at: terms.opened_at,
            },
            voucher: VoucherJson {
                channel_id: text::hex(&voucher.channel_id.0),
                cumulative_amount: voucher.cumulative_amount.to_string(),
                signature: text::hex(&voucher.signature.0),
            },
            purchase: PurchaseJson {
                amount: purchase.amount.to_string(),
                nonce: nonce_text(&purchase.nonce),
                valid_until: purchase.valid_until,
                signature: text::hex(&signature.0),
            },
        },
    };
    STANDARD.encode(serde_json::to_vec(&json).unwrap_or_default())
}
