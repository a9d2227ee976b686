//! What a request costs.

use super::{
    Buyer, bad_header, network,
    send::{TIMEOUT, silent},
    shown, wire,
};
use crate::{Error, Kept};
use reqwest::{
    Request, Response, StatusCode,
    redirect::{Action, Attempt, Policy},
};
use rivulet_core::ids::{Address, Token};
use rivulet_rules::text;
use std::time::Instant;
use wire::{Offer, PAYMENT_REQUIRED, PaymentRequired, Unit};

/// What came of asking.
#[derive(Debug)]
pub enum Asked {
    /// It costs nothing, or nothing that we could pay: the answer as it is.
    Free(Response),
    /// It costs something.
    Priced(Priced),
}

/// A request that costs something.
#[derive(Debug)]
pub struct Priced {
    pub(super) request: Request,
    asked: Instant,
    /// Method, host, path and query: what a purchase names.
    pub text: String,
    /// Every way to pay, in our scheme, for our contract.
    pub prices: Vec<Price>,
}

/// One way to pay.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Price {
    /// To whom.
    pub payee: Address,
    /// In what.
    pub token: Token,
    /// How much, in the token's smallest unit: for all of it, or for each step.
    pub units: u128,
    /// For what.
    pub unit: Unit,
    /// How long a purchase may be asked for again.
    pub window_secs: u64,
    /// The paywall's clock (Unix seconds).
    pub now: u64,
}

const MOST_REDIRECTS: usize = 10;

/// Redirects to another site are left to who asked: a request's headers are for the site that it was made to. Up to HTTPS a site may go.
fn on_one_site(attempt: Attempt<'_>) -> Action {
    let is_same = attempt.previous().last().is_some_and(|from| {
        let to = attempt.url();
        from.origin() == to.origin() || (from.host_str() == to.host_str() && to.scheme() == "https" && from.scheme() == "http")
    });
    match is_same && attempt.previous().len() < MOST_REDIRECTS {
        true => attempt.follow(),
        false => attempt.stop(),
    }
}

/// Method, host, path and query, as a purchase names them.
fn request_text(request: &Request) -> String {
    let url = request.url();
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    let query = url.query().map_or(String::new(), |query| format!("?{query}"));
    format!("{} {}{port}{}{query}", request.method(), url.host_str().unwrap_or_default(), url.path())
}

/// For requests that nothing is paid for: only redirects that stay on the site are followed, for headers are for whom they were given.
pub fn on_one_site_only() -> Policy {
    Policy::custom(on_one_site)
}

impl Buyer {
    /// Asks, without paying.
    ///
    /// # Errors
    ///
    /// [`Error::Site`]; [`Error::Streaming`]; [`Error::Answer`] for a 402 that cannot be read; [`Error::BadOffer`] when none of its offers is for our contract, or
    /// the site asks to be paid for another request.
    pub async fn ask(&self, request: Request) -> Result<Asked, Error> {
        let mut again = request.try_clone().ok_or(Error::Streaming)?;
        // Followed is only what carries nothing to anybody else.
        let http = if matches!(request.method().as_str(), "GET" | "HEAD") { &self.http } else { &self.paying };
        let response = tokio::time::timeout(TIMEOUT, http.execute(request)).await.map_err(|_| silent())?.map_err(Error::Site)?;
        let required = match (response.status(), response.headers().get(PAYMENT_REQUIRED)) {
            (StatusCode::PAYMENT_REQUIRED, Some(header)) => wire::decode::<PaymentRequired>(header.as_bytes()).map_err(bad_header)?,
            _ => return Ok(Asked::Free(response)),
        };
        // Where redirects led.
        *again.url_mut() = response.url().clone();
        let text = request_text(&again);
        let at = self.purse().signer().deployment();
        let (mut prices, mut misfit) = (Vec::new(), None);
        for offer in &required.accepts {
            if offer.extra.request != text {
                return Err(Error::BadOffer { what: "request", expected: text, found: shown(offer.extra.request.clone()) });
            }
            let ours = [("network", network(at), &offer.network), ("channels contract", at.contract.to_string(), &offer.extra.channels)];
            match ours.into_iter().find(|(_, expected, found)| !expected.eq_ignore_ascii_case(found)) {
                Some((what, expected, found)) => misfit = Some(Error::BadOffer { what, expected, found: shown(found.clone()) }),
                None => prices.push(price(offer)?),
            }
        }
        match (prices.is_empty(), misfit) {
            (true, Some(misfit)) => Err(misfit),
            (true, None) => Err(Error::Answer("a 402 that is not paid from channels".into())),
            _ => Ok(Asked::Priced(Priced { request: again, asked: Instant::now(), text, prices })),
        }
    }
}

fn price(offer: &Offer) -> Result<Price, Error> {
    let bad = |_| Error::Answer("PAYMENT-REQUIRED: an offer whose amount or addresses are none".into());
    if matches!(offer.extra.unit, Unit::Bytes(0) | Unit::Secs(0)) {
        return Err(Error::Answer("PAYMENT-REQUIRED: a price for steps of nothing".into()));
    }
    Ok(Price {
        payee: text::address("payTo", &offer.pay_to).map_err(bad)?,
        token: text::address("asset", &offer.asset).map_err(bad)?,
        units: text::amount("amount", &offer.amount).map_err(bad)?,
        unit: offer.extra.unit,
        window_secs: offer.max_timeout_seconds,
        now: offer.extra.now,
    })
}

impl Priced {
    pub(super) fn try_clone(&self) -> Option<Self> {
        let Self { request, asked, text, prices } = self;
        Some(Self { request: request.try_clone()?, asked: *asked, text: text.clone(), prices: prices.clone() })
    }

    /// The paywall's clock by now.
    pub(super) fn now(&self, price: &Price) -> u64 {
        price.now.saturating_add(self.asked.elapsed().as_secs())
    }

    /// What has a body is served once a purchase.
    pub(super) fn is_repeatable(&self) -> bool {
        matches!(self.request.method().as_str(), "GET" | "HEAD")
    }
}

impl Kept {
    pub(super) fn pays(&self, price: &Price) -> bool {
        (self.channel.terms.payee, self.channel.terms.token) == (price.payee, price.token)
    }
}
