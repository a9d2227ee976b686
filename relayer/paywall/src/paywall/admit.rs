//! From a payment to a grant: every check, in order. Nobody is asked before the payer's signature is good.

use super::{Grant, Paid, Paywall, Quote, now};
use crate::{
    denied::Denied,
    grant::{Account, Refused},
    payload::{self, Payment},
    price::{Price, Unit},
    store::{Accepted, Channel, Charge, Outcome, PurchaseId},
};
use rivulet_rules::text;

impl Paywall {
    pub(super) async fn grant(&self, header: &[u8], quote: &Quote) -> Result<Grant, Denied> {
        let payment = payload::read(header, &quote.request, self.0.payee)?;
        let price = self.price_of(&payment, quote)?;
        let known = self.check(&payment)?;
        if payment.purchase.amount < price.units {
            let detail = format!("the price is {} ({price}), the purchase is signed for {}", price.units, payment.purchase.amount);
            return Err(Denied::new("amount_too_small", detail).with(known.as_ref()));
        }
        let accepted = self.accepted(&payment, known.as_ref()).await?;
        let id = PurchaseId { channel: payment.channel_id, nonce: payment.purchase.nonce };
        // Before it is charged: see `flight`.
        let flight = self.0.flights.board(id).await;
        let is_step = price.unit != Unit::Request;
        // The body is not signed: with one, the same purchase again could be for something else.
        let is_without_body = ["GET ", "HEAD "].iter().any(|method| payment.purchase.request.starts_with(method));
        let most_requests = if is_without_body { self.0.most_requests } else { 1 };
        let charge = Charge {
            id,
            request: payment.purchase.request.clone(),
            budget: payment.purchase.amount,
            price: price.units,
            is_step,
            most_requests: if is_step { u32::MAX } else { most_requests },
            valid_until: payment.purchase.valid_until,
            accepted,
            now: now(),
        };
        let denied = match self.0.store.charge(charge).await {
            Ok(Outcome::Granted { due, cost }) => {
                flight.charged(due);
                let paid = Paid { payer: payment.terms.payer, number: payment.terms.number, id, price };
                return Ok(Grant { paid, due, cost, flight });
            }
            Ok(Outcome::Refused(refused)) => {
                let code = if matches!(refused, Refused::NotEnough { .. }) { "not_enough" } else { "amount_too_small" };
                Denied::new(code, refused.to_string()).with(self.0.store.channel(&id.channel)?.as_ref())
            }
            Ok(Outcome::Replayed) => Denied::new("replayed", "this nonce was used for another request").with(known.as_ref()),
            Ok(Outcome::UsedUp) => {
                let detail = format!("this purchase was served {most_requests} times: take a new nonce");
                Denied::new("used_up", detail).with(known.as_ref())
            }
            Err(e) => e.into(),
        };
        // It got nothing. Beside one that failed, it may be the last.
        self.not_served(&price.coin, id, flight).await;
        Err(denied)
    }

    /// The price that the payment is for.
    fn price_of(&self, payment: &Payment, quote: &Quote) -> Result<Price, Denied> {
        let found = quote.prices.iter().find(|price| price.coin.token == payment.token && payment.network == self.0.terms.network);
        found.cloned().ok_or_else(|| {
            let expected = quote.prices.iter().map(|p| format!("{} ({})", p.coin.name, p.coin.token)).collect::<Vec<_>>().join(" or ");
            let given = format!("{} on {}", payment.token, text::shown(&payment.network));
            Denied::new("wrong_network", format!("expected {expected} on {}, got {given}", self.0.terms.network))
        })
    }

    /// Is it a channel to this payee, in this token, on this chain and contract, and did its key sign this purchase, for now? Nobody is asked. Returns what
    /// is known of the channel.
    pub(super) fn check(&self, payment: &Payment) -> Result<Option<Channel>, Denied> {
        let expected = payment.expected_id(&self.0.at);
        if payment.channel_id != expected {
            let detail = format!(
                "with these terms, payee {}, token {}, chain {} and contract {} the channel's id is {}, got {}: a channel of another",
                self.0.payee,
                payment.token,
                self.0.at.chain_id,
                self.0.at.contract,
                text::hex(&expected.0),
                text::hex(&payment.channel_id.0)
            );
            return Err(Denied::new("foreign_channel", detail));
        }
        let Payment { purchase, purchase_signature, terms, .. } = payment;
        let signer = purchase.signer(purchase_signature, &self.0.separator);
        if !payment.may_sign(signer) {
            let id = PurchaseId { channel: payment.channel_id, nonce: purchase.nonce };
            // A signature of another request recovers to some address. What was bought with this nonce says more.
            if self.0.store.request_of(&id)?.is_some_and(|known| known != purchase.request) {
                return Err(Denied::new("replayed", "this purchase was signed for another request"));
            }
            let given = signer.map_or("one that no key can have made".to_owned(), |a| format!("one by {a}"));
            let detail =
                format!("purchase: expected a signature by {} or {} of `{}`, got {given}", terms.voucher_signer, terms.payer, purchase.request);
            return Err(Denied::new("wrong_signer", detail));
        }
        let known = self.0.store.channel(&payment.channel_id)?;
        let (now, window) = (now(), self.0.terms.window_secs);
        if purchase.valid_until <= now {
            let detail = format!("valid_until: expected after {now}, got {}", purchase.valid_until);
            return Err(Denied::new("expired", detail).with(known.as_ref()));
        }
        if purchase.valid_until > now.saturating_add(window) {
            let detail = format!("valid_until: expected at most {} ({window} s from now), got {}", now.saturating_add(window), purchase.valid_until);
            return Err(Denied::new("valid_too_long", detail).with(known.as_ref()));
        }
        Ok(known)
    }

    /// Makes sure that the channel is written down here, and that the relayer has the voucher, unless a total as high has been accepted before.
    pub(super) async fn accepted(&self, payment: &Payment, known: Option<&Channel>) -> Result<Option<Accepted>, Denied> {
        if known.is_some_and(|c| payment.total <= c.account.accepted) {
            return Ok(None);
        }
        if known.is_none() {
            // Shown only once it is final: what a relayer takes before that, for whatever, it does not show, and it would count here as new.
            let before = self.0.link.accepted(payment).await?;
            let terms = &payment.terms;
            let channel = Channel {
                id: payment.channel_id,
                number: terms.number,
                payer: terms.payer,
                token: terms.token,
                account: Account::open(before.map_or(0, |a| a.total)),
                signature: before.map(|a| a.signature),
            };
            // Before the voucher goes out: after a crash in between, what it adds must still count as new.
            self.0.store.open_channel(channel, now()).await?;
            if let Some(before) = before.filter(|b| payment.total <= b.total) {
                return Ok(Some(before));
            }
        }
        self.0.link.accept(payment).await.map(Some).map_err(|denied| denied.with(known))
    }
}
