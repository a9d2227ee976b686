//! Buying what costs something by HTTP 402: x402 version 2, scheme `channel`, as `rivulet paywall` speaks it.
//!
//! ```text
//!  ask ──▶ free: the answer
//!   └────▶ priced ── buy ──▶ from what was paid before? ──▶ served
//!                                     └ not enough ──▶ promise what is missing (kept first) ──▶ served
//!                                                                    └ no answer: kept; the same request again is the same purchase
//! ```
//!
//! By steps (bytes, seconds) it is signed for as it is read. What was promised beside purchases, tips, buys nothing, though a paywall would let it.
//!
//! One purchase never promises more than its price, whatever the site says: it may only say that less is left than there is. Totals from outside count by our
//! own signature alone. A site is paid for the request that was made to it and for no other, to the payee and in the token of a channel that is there already.
//!
//! ```no_run
//! # async fn example(purse: rivulet_client::Purse, usdc: rivulet_core::ids::Token) -> Result<(), rivulet_client::Error> {
//! use rivulet_client::Buyer;
//!
//! let buyer = Buyer::new(purse)?;
//! let article = buyer.get("https://blog.example/articles/1", usdc, 200_000).await?; // for at most 0.20 USDC
//! println!("{} for {}", article.response.text().await.unwrap_or_default(), article.charged);
//! # Ok(()) }
//! ```

mod ask;
mod meter;
mod purchase;
mod send;
mod settle;
mod ticket;
pub mod wire;

pub use ask::{Asked, Price, Priced, on_one_site_only};
pub use meter::Read;
pub use purchase::{DOMAIN, Purchase, separator};
pub use send::{Refusal, payment};
pub use wire::Unit;

use crate::{Channel, Error, Kept, Purse, Ticket, till::Till};
use meter::Meter;
use reqwest::{Request, Response, StatusCode, redirect::Policy};
use rivulet_core::ids::{ChannelId, ChannelNumber, Deployment, Token};
use send::{Sent, TIMEOUT};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

/// Buys from paywalls with the channels of a purse. Cheap to clone; its futures may be dropped at any point.
#[derive(Clone, Debug)]
pub struct Buyer {
    till: Till,
    http: reqwest::Client,
    /// Follows nothing: what is paid for is the request that was priced.
    paying: reqwest::Client,
    /// Purchases whose answers this program has: asked for anew, they are others.
    handed_out: Arc<Mutex<VecDeque<[u8; 32]>>>,
}

/// What was bought.
#[derive(Debug)]
pub struct Bought {
    /// The answer. When its status is no success, nothing was charged.
    pub response: Response,
    /// From which channel; none: it was free.
    pub channel: Option<ChannelNumber>,
    /// What this request was charged, in the token's smallest unit; 0: it was free or had been paid. By steps: the first.
    pub charged: u128,
    /// What was promised for it on top of what had been promised before: nothing where enough was left. By steps: so far.
    pub promised: u128,
    /// To ask for the same again, when its body broke off.
    pub again: Option<Again>,
    /// Of what is paid by steps.
    meter: Option<Meter>,
}

/// A purchase that was granted. Asked for again within the price's window it costs nothing more, as often as the paywall allows; by steps, its first step is due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Again {
    channel: Channel,
    ticket: Ticket,
    /// Paid for at once, and not by steps.
    is_whole: bool,
    /// By steps: what was used, once somebody has read.
    used: Option<u128>,
}

impl From<Response> for Bought {
    /// What costs nothing.
    fn from(response: Response) -> Self {
        Self { response, channel: None, charged: 0, promised: 0, again: None, meter: None }
    }
}

impl Again {
    /// The channel that paid for it.
    pub fn channel(&self) -> ChannelId {
        self.channel.id
    }
}

/// More answers than any program reads at a time.
const MOST_HANDED_OUT: usize = 1_024;

fn network(at: &Deployment) -> String {
    format!("eip155:{}", at.chain_id)
}

fn bad_header(why: String) -> Error {
    Error::Answer(format!("the paywall's header: {why}"))
}

/// What a site says may end at somebody's terminal.
fn shown(text: String) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

impl Buyer {
    /// Pays from a purse. Only one buyer or session at a time should use a purse's channel.
    ///
    /// # Errors
    ///
    /// When the system gives no HTTP client.
    pub fn new(purse: impl Into<Arc<Purse>>) -> Result<Self, Error> {
        let http = reqwest::Client::builder().connect_timeout(TIMEOUT).redirect(on_one_site_only()).build().map_err(Error::Site)?;
        let paying = reqwest::Client::builder().connect_timeout(TIMEOUT).redirect(Policy::none()).build().map_err(Error::Site)?;
        Ok(Self { till: Till::new(purse), http, paying, handed_out: Arc::default() })
    }

    /// The purse.
    pub fn purse(&self) -> &Purse {
        self.till.purse()
    }

    /// Buys a page for at most `most` of this token's smallest unit, from the channel with most left that can pay it.
    ///
    /// # Errors
    ///
    /// As [`Buyer::ask`] and [`Buyer::buy`]; [`Error::NoChannel`].
    pub async fn get(&self, url: &str, token: Token, most: u128) -> Result<Bought, Error> {
        self.fetch(self.http.get(url).build().map_err(Error::Site)?, token, most).await
    }

    /// The same for any request whose body can be sent again.
    ///
    /// # Errors
    ///
    /// As [`Buyer::get`].
    pub async fn fetch(&self, request: Request, token: Token, most: u128) -> Result<Bought, Error> {
        let priced = match self.ask(request).await? {
            Asked::Free(response) => return Ok(response.into()),
            Asked::Priced(priced) => priced,
        };
        let mut missing = None;
        for price in priced.prices.iter().filter(|price| price.token == token) {
            match self.channel_for(&priced, price, |_| true) {
                Some(kept) => return self.buy(&priced, price, kept.channel.id, most).await,
                None => missing = missing.or(Some(Error::NoChannel { payee: price.payee, token: price.token })),
            }
        }
        let found = priced.prices.iter().map(|price| price.token.to_string()).collect::<Vec<_>>().join(", ");
        Err(missing.unwrap_or(Error::BadOffer { what: "token", expected: token.to_string(), found }))
    }

    /// A channel of the purse that could pay this, of those that fit: one that has paid for it already and may ask again, or that with most left.
    pub fn channel_for(&self, priced: &Priced, price: &Price, fits: impl Fn(&Kept) -> bool) -> Option<Kept> {
        let fitting = self.purse().channels().into_iter().filter(|kept| !kept.ended && kept.pays(price) && fits(kept));
        fitting.max_by_key(|kept| (self.bought_before(kept, priced, price).is_some(), kept.left()))
    }

    /// Buys, from a channel, for at most `most` of the token's smallest unit. By steps, it is signed for as it is read, by [`Buyer::chunk`]: a step at a time, or a hundredth
    /// of `most` where that is more.
    /// What was bought before, and whose answer nobody has, is asked for again.
    ///
    /// # Errors
    ///
    /// [`Error::Site`], or [`Error::NotServed`] with another status than 402: it is not known what became of it, and the same request again is the same
    /// purchase. [`Error::NotServed`] with 402, [`Error::TooDear`], [`Error::BadOffer`] and those of [`Purse::promise`]: nothing was charged.
    pub async fn buy(&self, priced: &Priced, price: &Price, id: ChannelId, most: u128) -> Result<Bought, Error> {
        if price.units > most {
            return Err(Error::TooDear { price: price.units, most });
        }
        let is_whole = price.unit == Unit::Request;
        let amount = if is_whole { price.units } else { meter::part(price, most) };
        let _turn = self.till.turn(id).await;
        let kept = self.purse().get(id).ok_or(Error::NotKept(id))?;
        let Channel { terms, .. } = kept.channel;
        for (what, expected, found) in [("payee", terms.payee, price.payee), ("token", terms.token, price.token)] {
            if expected != found {
                return Err(Error::BadOffer { what, expected: expected.to_string(), found: found.to_string() });
            }
        }
        if kept.ended {
            return Err(Error::Ended(kept.channel.number()));
        }
        let again = |ticket| Again { channel: kept.channel, ticket, is_whole, used: None };
        if let Some(ticket) = self.bought_before(&kept, priced, price) {
            match self.once_more(priced, again(ticket)).await {
                // The site does not give it any more: it is bought anew.
                Err(Error::NotServed(refusal)) if refusal.is_final() => {}
                came => return came,
            }
        }
        let mut promised = 0_u128;
        loop {
            let again = again(Ticket::new(priced, price, amount)?);
            let (ticket, now) = (again.ticket.clone(), priced.now(price));
            let (voucher, missing) = self.till.keep(move |purse| purse.order(id, &ticket, now)).await?;
            promised = promised.saturating_add(missing);
            let (refusal, state) = match self.send(priced, &again, &voucher).await? {
                Sent::Refused(refusal, state) => (refusal, state),
                served => {
                    let bought = self.served(again, voucher, served, promised).await?;
                    let meter = if is_whole { None } else { Meter::new(priced, price, most, bought.response.content_length()) };
                    return Ok(Bought { meter, ..bought });
                }
            };
            if self.refused(&again, &voucher, state.as_ref()).await? > voucher.cumulative_amount {
                // We had forgotten how far we were: what was signed just now lies below, and is worth nothing.
                promised = 0;
            }
            if refusal.code != "not_enough" {
                return Err(Error::NotServed(refusal));
            }
            let missing = amount.saturating_sub(self.purse().get(id).map_or(0, |kept| kept.credit));
            // Never more than the price, whatever the site says is left. Nothing missing, and not served: it contradicts itself.
            if missing == 0 || missing > amount.saturating_sub(promised) {
                let detail = "the site asks for more than its price".to_owned();
                return Err(Error::NotServed(Refusal { status: StatusCode::PAYMENT_REQUIRED.as_u16(), code: "not_enough".into(), detail }));
            }
        }
    }

    /// A purchase of this request that was not [finished](Buyer::finished): its answer was lost or broke off, or the program did. [`Buyer::again`] asks for it.
    pub fn unfinished(&self, priced: &Priced) -> Option<Again> {
        let found = |kept: Kept| {
            let price = priced.prices.iter().find(|price| kept.pays(price) && price.unit == Unit::Request)?;
            let ticket = kept.tickets.iter().find(|ticket| is_for(ticket, priced, price))?.clone();
            Some(Again { channel: kept.channel, ticket, is_whole: true, used: None })
        };
        self.purse().channels().into_iter().filter(|kept| !kept.ended && priced.is_repeatable()).find_map(found)
    }

    /// Asks for what was bought once more.
    ///
    /// # Errors
    ///
    /// As [`Buyer::buy`].
    pub async fn again(&self, priced: &Priced, again: &Again) -> Result<Bought, Error> {
        let _turn = self.till.turn(again.channel.id).await;
        self.once_more(priced, again.clone()).await
    }

    /// All of the answer is here: asked for again, the request is another purchase.
    ///
    /// # Errors
    ///
    /// When it cannot be kept.
    pub async fn finished(&self, again: &Again) -> Result<(), Error> {
        let (id, ticket) = (again.channel.id, again.ticket.clone());
        // Of steps that nobody has counted the site says the cost with its next answer; until then nobody relies on their rest.
        let cost = again.used.unwrap_or(ticket.amount);
        self.till.keep(move |purse| purse.finish(id, &ticket, cost)).await
    }

    async fn once_more(&self, priced: &Priced, again: Again) -> Result<Bought, Error> {
        let voucher = self.purse().voucher_for(again.channel.id, &again.ticket)?;
        match self.send(priced, &again, &voucher).await? {
            Sent::Refused(refusal, state) => {
                self.refused(&again, &voucher, state.as_ref()).await?;
                Err(Error::NotServed(refusal))
            }
            served => self.served(again, voucher, served, 0).await,
        }
    }

    /// A purchase of this request whose answer nobody has. What has a body is served once a purchase: of that, one of which nothing was heard.
    fn bought_before(&self, kept: &Kept, priced: &Priced, price: &Price) -> Option<Ticket> {
        let handed_out = self.handed_out.lock().unwrap_or_else(PoisonError::into_inner);
        let is_missed = |ticket: &&Ticket| ticket.cost == 0 || (priced.is_repeatable() && !handed_out.contains(&ticket.nonce));
        let mut found = kept.tickets.iter().filter(|ticket| is_for(ticket, priced, price));
        found.find(is_missed).filter(|_| price.unit == Unit::Request).cloned()
    }

    fn hand_out(&self, ticket: &Ticket) {
        let mut handed_out = self.handed_out.lock().unwrap_or_else(PoisonError::into_inner);
        handed_out.push_back(ticket.nonce);
        if handed_out.len() > MOST_HANDED_OUT {
            handed_out.pop_front();
        }
    }
}

fn is_for(ticket: &Ticket, priced: &Priced, price: &Price) -> bool {
    ticket.request == priced.text && ticket.amount >= price.units && ticket.is_good_at(priced.now(price))
}
