//! A payment on its way, and what came back.

use super::{Again, Buyer, Priced, Purchase, bad_header, network, separator, shown, wire};
use crate::{Channel, Error, SignedVoucher, VoucherSigner};
use reqwest::{Response, StatusCode, header::HeaderValue};
use rivulet_core::ids::Deployment;
use rivulet_rules::text;
use std::{fmt, time::Duration};
use wire::{PAYMENT_REQUIRED, PAYMENT_RESPONSE, PAYMENT_SIGNATURE, PaymentRequired, PaymentResponse, State};

/// Why a site did not serve what was paid for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// What a program acts on: a code of the paywall's or its relayer's, or empty.
    pub code: String,
    /// What a person reads.
    pub detail: String,
}

impl Refusal {
    /// Not served for what was offered, and it never will be. Any other status may be that of somebody in between, and what was paid for may still be had.
    pub fn is_final(&self) -> bool {
        self.status == StatusCode::PAYMENT_REQUIRED.as_u16()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code.as_str(), self.detail.as_str()) {
            ("", "") => write!(f, "status {}", self.status),
            ("", detail) => write!(f, "{detail} (status {})", self.status),
            (code, "") => write!(f, "{code}"),
            (code, detail) => write!(f, "{detail} ({code})"),
        }
    }
}

/// What became of a payment.
pub(super) enum Sent {
    Granted(Response, Box<PaymentResponse>),
    /// Served without a word of payment: it costs nothing any more.
    Untold(Response),
    Refused(Refusal, Option<State>),
}

/// A site and what is behind it have this long until the answer's head.
pub(super) const TIMEOUT: Duration = Duration::from_secs(60);
/// A channel that the relayer has not seen yet is looked for so often, so far apart.
const UNSEEN_TRIES: u32 = 12;
const UNSEEN: Duration = Duration::from_secs(1);
/// Of a refusal.
const MOST_BODY: usize = 65_536;
/// Of its text.
const MOST_DETAIL: usize = 1_000;

/// What goes into `PAYMENT-SIGNATURE`: a purchase from a channel, with a voucher that covers it.
///
/// `purchase.request` is `extra.request` of the 402, `at` the channels contract. The same nonce again is the same purchase, and costs nothing more.
pub fn payment(channel: &Channel, voucher: &SignedVoucher, signer: &VoucherSigner, at: &Deployment, purchase: &Purchase) -> String {
    let signature = signer.key().sign(purchase.to_sign(&separator(at)));
    let terms = &channel.terms;
    wire::encode(&wire::Payment {
        x402_version: 2,
        accepted: wire::Accepted { scheme: wire::SCHEME.to_owned(), network: network(at), asset: terms.token.to_string() },
        payload: wire::Payload {
            channel: wire::ChannelJson {
                book: terms.number.book,
                serial: terms.number.serial,
                payer: terms.payer.to_string(),
                voucher_signer: terms.voucher_signer.to_string(),
                challenge_period_secs: terms.challenge_period_secs,
                opened_at: terms.opened_at,
            },
            voucher: wire::VoucherJson {
                channel_id: text::hex(&voucher.channel_id.0),
                cumulative_amount: voucher.cumulative_amount.to_string(),
                signature: text::hex(&voucher.signature.0),
            },
            purchase: wire::PurchaseJson {
                amount: purchase.amount.to_string(),
                nonce: text::hex(&purchase.nonce),
                valid_until: purchase.valid_until,
                signature: text::hex(&signature.0),
            },
        },
    })
}

impl Buyer {
    /// Sends it, and again while the relayer has not seen the channel yet: it may be seconds behind whoever opened it.
    pub(super) async fn send(&self, priced: &Priced, again: &Again, voucher: &SignedVoucher) -> Result<Sent, Error> {
        let mut tries = 0;
        loop {
            match self.send_once(priced, again, voucher).await? {
                Sent::Refused(refusal, _) if tries < UNSEEN_TRIES && matches!(refusal.code.as_str(), "unknown_channel" | "not_final") => tries += 1,
                sent => return Ok(sent),
            }
            tokio::time::sleep(UNSEEN).await;
        }
    }

    pub(super) fn payment_for(&self, Again { channel, ticket, .. }: &Again, voucher: &SignedVoucher) -> String {
        let signer = self.purse().signer();
        payment(channel, voucher, signer, signer.deployment(), &ticket.purchase(channel.id))
    }

    async fn send_once(&self, priced: &Priced, again: &Again, voucher: &SignedVoucher) -> Result<Sent, Error> {
        let mut request = priced.request.try_clone().ok_or(Error::Streaming)?;
        let header = self.payment_for(again, voucher);
        let header = HeaderValue::try_from(header).map_err(|e| Error::Answer(e.to_string()))?;
        request.headers_mut().insert(PAYMENT_SIGNATURE, header);
        let answer = tokio::time::timeout(TIMEOUT, self.paying.execute(request)).await;
        let response = answer.map_err(|_| silent())?.map_err(Error::Site)?;
        let status = response.status();
        if let Some(told) = response.headers().get(PAYMENT_RESPONSE) {
            let told = wire::decode::<PaymentResponse>(told.as_bytes()).map_err(bad_header)?;
            return Ok(Sent::Granted(response, Box::new(told)));
        }
        if status.is_success() || status.is_redirection() {
            return Ok(Sent::Untold(response));
        }
        let required = response.headers().get(PAYMENT_REQUIRED).map(|header| wire::decode::<PaymentRequired>(header.as_bytes()));
        let required = required.transpose().map_err(bad_header)?;
        let state = required.as_ref().and_then(|r| r.accepts.iter().find_map(|offer| offer.extra.state.clone()));
        let refusal = refusal(response, required.map(|r| r.error)).await;
        match refusal.is_final() {
            true => Ok(Sent::Refused(refusal, state)),
            // The voucher may have been handed on: it stays pending.
            false => Err(Error::NotServed(refusal)),
        }
    }
}

pub(super) fn silent() -> Error {
    let detail = format!("no answer within {} s", TIMEOUT.as_secs());
    Error::NotServed(Refusal { status: StatusCode::GATEWAY_TIMEOUT.as_u16(), code: String::new(), detail })
}

/// Of an answer that says nothing of a price.
pub(super) async fn not_taken(response: Response) -> Error {
    Error::NotServed(refusal(response, None).await)
}

async fn refusal(response: Response, code: Option<String>) -> Refusal {
    let status = response.status().as_u16();
    let kind = response.headers().get(reqwest::header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let body = tokio::time::timeout(TIMEOUT, begin_of(response)).await.unwrap_or_default();
    let problem = serde_json::from_str::<serde_json::Value>(&body).ok().filter(|_| kind.contains("json"));
    let field = |name: &str| problem.as_ref().and_then(|p| p[name].as_str()).map(str::to_owned);
    // As the paywall writes it for terminals: what it is, then why.
    let line = || kind.starts_with("text/plain").then(|| body.lines().nth(1).unwrap_or_default().to_owned());
    let mut detail = field("detail").or_else(line).unwrap_or_default();
    detail.truncate(detail.char_indices().nth(MOST_DETAIL).map_or(detail.len(), |(at, _)| at));
    Refusal { status, code: shown(code.or_else(|| field("code")).unwrap_or_default()), detail: shown(detail) }
}

/// The first part of a body, however long it is.
async fn begin_of(mut response: Response) -> String {
    let mut body = Vec::new();
    while let Ok(Some(part)) = response.chunk().await {
        body.extend_from_slice(&part);
        if body.len() >= MOST_BODY {
            break;
        }
    }
    String::from_utf8_lossy(&body).into_owned()
}
