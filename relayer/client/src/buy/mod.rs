//! Buying what costs something by HTTP 402: x402 version 2, scheme `channel`, as `rivulet paywall` speaks it.
//!
//! ```text
//!  ask ──▶ free: the answer
//!   └────▶ priced ── buy ──▶ from what was paid before? ──▶ served
//!                                     └ not enough ──▶ promise what is missing (kept first) ──▶ served
//!                                                                    └ no answer: kept; the same request again is the same purchase
//! ```
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

mod purchase;
mod ticket;
pub mod wire;

pub use purchase::{DOMAIN, Purchase, separator};
pub use wire::Unit;

use crate::{Channel, Error, Kept, Purse, SignedVoucher, VoucherSigner, till::Till};
use reqwest::{
    Request, Response, StatusCode,
    header::HeaderValue,
    redirect::{Action, Attempt, Policy},
};
use rivulet_core::ids::{Address, ChannelId, ChannelNumber, Deployment, Token};
use rivulet_rules::text;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use ticket::Ticket;
use wire::{Offer, PAYMENT_REQUIRED, PAYMENT_RESPONSE, PAYMENT_SIGNATURE, PaymentRequired, PaymentResponse, State};

/// Buys from paywalls with the channels of a purse. Cheap to clone; its futures may be dropped at any point.
#[derive(Clone, Debug)]
pub struct Buyer {
    till: Till,
    http: reqwest::Client,
    /// Follows nothing: what is paid for is the request that was priced.
    paying: reqwest::Client,
    /// What is left of each channel's accepted total at its paywall, as that said last.
    available: Arc<Mutex<BTreeMap<ChannelId, u128>>>,
}

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
    request: Request,
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

/// What was bought.
#[derive(Debug)]
pub struct Bought {
    /// The answer. When its status is no success, nothing was charged.
    pub response: Response,
    /// From which channel; none: it was free.
    pub channel: Option<ChannelNumber>,
    /// What this request was charged, in the token's smallest unit; 0: it was free or had been paid. By steps: the first.
    pub charged: u128,
    /// What was promised for it on top of what had been promised before: nothing where enough was left.
    pub promised: u128,
    /// To ask for the same again, when its body broke off.
    pub again: Option<Again>,
}

/// A purchase that was granted. Asked for again within the price's window it costs nothing more, as often as the paywall allows; by steps, its first step is due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Again {
    channel: Channel,
    voucher: SignedVoucher,
    ticket: Ticket,
    text: String,
}

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
enum Sent {
    Granted(Response, Box<PaymentResponse>),
    /// Served without a word of payment: it costs nothing any more.
    Untold(Response),
    Refused(Refusal, Option<State>),
}

/// A site and what is behind it have this long until the answer's head.
const TIMEOUT: Duration = Duration::from_secs(60);
const MOST_REDIRECTS: usize = 10;
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

fn network(at: &Deployment) -> String {
    format!("eip155:{}", at.chain_id)
}

/// Method, host, path and query, as a purchase names them.
fn request_text(request: &Request) -> String {
    let url = request.url();
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    let query = url.query().map_or(String::new(), |query| format!("?{query}"));
    format!("{} {}{port}{}{query}", request.method(), url.host_str().unwrap_or_default(), url.path())
}

impl Buyer {
    /// Pays from a purse. Only one buyer or session at a time should use a purse's channel.
    ///
    /// # Errors
    ///
    /// When the system gives no HTTP client.
    pub fn new(purse: impl Into<Arc<Purse>>) -> Result<Self, Error> {
        let http = reqwest::Client::builder().connect_timeout(TIMEOUT).redirect(Policy::custom(on_one_site)).build().map_err(Error::Site)?;
        let paying = reqwest::Client::builder().connect_timeout(TIMEOUT).redirect(Policy::none()).build().map_err(Error::Site)?;
        Ok(Self { till: Till::new(purse), http, paying, available: Arc::default() })
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
            Asked::Free(response) => return Ok(Bought { response, channel: None, charged: 0, promised: 0, again: None }),
            Asked::Priced(priced) => priced,
        };
        let mut missing = None;
        for price in priced.prices.iter().filter(|price| price.token == token) {
            match self.channel_for(price) {
                Some(kept) => return self.buy(&priced, price, kept.channel.id, most).await,
                None => missing = missing.or(Some(Error::NoChannel { payee: price.payee, token: price.token })),
            }
        }
        let found = priced.prices.iter().map(|price| price.token.to_string()).collect::<Vec<_>>().join(", ");
        Err(missing.unwrap_or(Error::BadOffer { what: "token", expected: token.to_string(), found }))
    }

    /// A channel of the purse that could pay this; that with most left.
    pub fn channel_for(&self, price: &Price) -> Option<Kept> {
        self.purse().channels().into_iter().filter(|kept| !kept.ended && kept.pays(price)).max_by_key(Kept::left)
    }

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

    /// Buys, from a channel, for at most `most` of the token's smallest unit. By steps, `most` is what is signed for: what is not used of it stays at the site.
    ///
    /// # Errors
    ///
    /// [`Error::Site`], or [`Error::NotServed`] with a status of 500 and more: it is not known what became of it, and the same request again is the same
    /// purchase. [`Error::NotServed`] with another status, [`Error::TooDear`], [`Error::BadOffer`] and those of [`Purse::promise`]: nothing was charged.
    pub async fn buy(&self, priced: &Priced, price: &Price, id: ChannelId, most: u128) -> Result<Bought, Error> {
        if price.units > most {
            return Err(Error::TooDear { price: price.units, most });
        }
        let is_step = price.unit != Unit::Request;
        let amount = if is_step { most } else { price.units };
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
        let now = priced.now(price);
        let pending = kept.pending.as_ref().zip(kept.pending_voucher());
        // One whose answer was lost is asked for again as it was.
        let lost = pending.and_then(|(pending, voucher)| Some((Ticket::read(&pending.name, &priced.text)?, voucher)));
        let (mut ticket, mut voucher, mut promised) = match lost.filter(|(ticket, _)| ticket.amount == amount && ticket.is_good_at(now)) {
            Some((ticket, voucher)) => (ticket, voucher, 0),
            None => {
                if let Some((_, voucher)) = pending.filter(|(pending, _)| Ticket::is_name(&pending.name)) {
                    // Of another page, or too old. If it was accepted all the same, the site shows it with our signature.
                    self.till.keep(move |purse| purse.refused(&voucher)).await?;
                }
                // All of it, or a part, may be left at the site: what is not known yet it says when asked for more than it has. By steps it would serve a part.
                let asks_first = !is_step && kept.accepted > 0;
                let missing = self.left(id).map_or(if asks_first { 0 } else { amount }, |left| amount.saturating_sub(left));
                let ticket = Ticket::new(amount, price, now)?;
                let voucher = self.promise(id, missing, &ticket, &priced.text).await?;
                (ticket, voucher, missing)
            }
        };
        loop {
            let again = Again { channel: kept.channel, voucher, ticket, text: priced.text.clone() };
            let (refusal, state) = match self.send(priced, &again).await? {
                Sent::Refused(refusal, state) => (refusal, state),
                served => return self.served(again, served, promised).await,
            };
            if self.settle(&kept.channel, &voucher, state.as_ref()).await? > voucher.cumulative_amount {
                // We had forgotten how far we were: what was signed just now lies below, and is worth nothing.
                promised = 0;
            }
            if refusal.code != "not_enough" {
                return Err(Error::NotServed(refusal));
            }
            let missing = amount.saturating_sub(self.left(id).unwrap_or(0));
            // Never more than the price, whatever the site says is left. Nothing missing, and not served: it contradicts itself.
            if missing == 0 || missing > amount.saturating_sub(promised) {
                let detail = "the site asks for more than its price".to_owned();
                return Err(Error::NotServed(Refusal { status: StatusCode::PAYMENT_REQUIRED.as_u16(), code: "not_enough".into(), detail }));
            }
            // One that was accepted without being enough has had its name.
            ticket = Ticket::new(amount, price, priced.now(price))?;
            voucher = self.promise(id, missing, &ticket, &priced.text).await?;
            promised = promised.saturating_add(missing);
        }
    }

    /// Kept with its ticket, even where nothing more is promised: so that a lost answer is asked for again under the same name.
    async fn promise(&self, id: ChannelId, missing: u128, ticket: &Ticket, text: &str) -> Result<SignedVoucher, Error> {
        let name = ticket.name(text);
        self.till.keep(move |purse| purse.promise(id, missing, &name)).await
    }

    /// A purchase of this request that was granted and not [finished](Buyer::finished): its body broke off, or the program did. [`Buyer::again`] asks for it.
    pub fn unfinished(&self, priced: &Priced) -> Option<Again> {
        if !priced.is_repeatable() {
            return None;
        }
        let found = |kept: Kept| {
            let price = priced.prices.iter().find(|price| kept.pays(price) && price.unit == Unit::Request)?;
            let last = kept.last.as_ref()?;
            let ticket =
                Ticket::read(&last.name, &priced.text).filter(|ticket| ticket.amount == price.units && ticket.is_good_at(priced.now(price)))?;
            Some(Again { channel: kept.channel, voucher: kept.voucher(last), ticket, text: priced.text.clone() })
        };
        self.purse().channels().into_iter().filter(|kept| !kept.ended).find_map(found)
    }

    /// All of the answer is here: asked for again, the request is another purchase.
    ///
    /// # Errors
    ///
    /// When it cannot be kept.
    pub async fn finished(&self, again: &Again) -> Result<(), Error> {
        let (id, name) = (again.channel.id, again.ticket.name(&again.text));
        self.till.keep(move |purse| purse.forget(id, &name)).await
    }

    fn left(&self, id: ChannelId) -> Option<u128> {
        self.available.lock().unwrap_or_else(PoisonError::into_inner).get(&id).copied()
    }

    /// Sends it, and again while the relayer has not seen the channel yet: it may be seconds behind whoever opened it.
    async fn send(&self, priced: &Priced, again: &Again) -> Result<Sent, Error> {
        let mut tries = 0;
        loop {
            match self.send_once(priced, again).await? {
                Sent::Refused(refusal, _) if tries < UNSEEN_TRIES && matches!(refusal.code.as_str(), "unknown_channel" | "not_final") => tries += 1,
                sent => return Ok(sent),
            }
            tokio::time::sleep(UNSEEN).await;
        }
    }

    async fn send_once(&self, priced: &Priced, Again { channel, voucher, ticket, .. }: &Again) -> Result<Sent, Error> {
        let mut request = priced.request.try_clone().ok_or(Error::Streaming)?;
        let purchase = ticket.purchase(channel.id, &priced.text);
        let signer = self.purse().signer();
        let header = payment(channel, voucher, signer, signer.deployment(), &purchase);
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
        match status.is_server_error() {
            // The voucher may have been handed on: it stays pending.
            true => Err(Error::NotServed(refusal)),
            false => Ok(Sent::Refused(refusal, state)),
        }
    }

    /// Asks for what was bought once more.
    ///
    /// # Errors
    ///
    /// As [`Buyer::buy`].
    pub async fn again(&self, priced: &Priced, again: &Again) -> Result<Bought, Error> {
        let _turn = self.till.turn(again.channel.id).await;
        let sent = self.send(priced, again).await?;
        self.served(again.clone(), sent, 0).await
    }

    async fn served(&self, again: Again, sent: Sent, promised: u128) -> Result<Bought, Error> {
        let (channel, voucher) = (again.channel, again.voucher);
        let number = Some(channel.number());
        match sent {
            Sent::Granted(response, told) => {
                // Granted, so accepted, whether it says so or not.
                self.till.keep(move |purse| purse.accepted(&voucher)).await?;
                // What it says besides does not matter any more: the answer is paid for, and here.
                if self.learn(&channel, told.extra.state.as_ref()).await.is_err() {
                    self.available.lock().unwrap_or_else(PoisonError::into_inner).remove(&channel.id);
                }
                let charged = told.amount.parse().unwrap_or(again.ticket.amount);
                Ok(Bought { response, channel: number, charged, promised, again: Some(again) })
            }
            Sent::Untold(response) => Ok(Bought { response, channel: number, charged: 0, promised, again: None }),
            Sent::Refused(refusal, _) => Err(Error::NotServed(refusal)),
        }
    }

    /// Keeps what became of a voucher that was not enough, or refused. Returns the total that is accepted, as our own signature proves.
    async fn settle(&self, channel: &Channel, voucher: &SignedVoucher, state: Option<&State>) -> Result<u128, Error> {
        // Our own signature proves it, or it is nothing: the next promise would be added to what was never taken.
        let proven = state.filter(|state| state.channel_id == text::hex(&channel.id.0)).and_then(|state| {
            let accepted = text::amount("state.accepted", &state.accepted).ok()?;
            let signature = text::signature("state.signature", state.signature.as_deref()?).ok()?;
            self.purse().signer().check(channel, accepted, &signature).ok().map(|()| accepted)
        });
        let (voucher, was_taken) = (*voucher, proven.is_some_and(|accepted| accepted >= voucher.cumulative_amount));
        self.till.keep(move |purse| if was_taken { purse.accepted(&voucher) } else { purse.refused(&voucher) }).await?;
        self.learn(channel, state).await?;
        Ok(self.purse().get(channel.id).map_or(0, |kept| kept.accepted))
    }

    /// Takes over what the paywall says of a channel, as far as our own signature proves it.
    async fn learn(&self, channel: &Channel, state: Option<&State>) -> Result<(), Error> {
        let id = channel.id;
        let known = state.filter(|state| state.channel_id == text::hex(&id.0)).map(|state| {
            let amounts = (text::amount("state.accepted", &state.accepted), text::amount("state.available", &state.available));
            let (Ok(accepted), Ok(available)) = amounts else { return Err(Error::Answer("a state whose amounts are none".into())) };
            let signature = state.signature.as_deref().map(|signature| text::signature("state.signature", signature)).transpose();
            Ok((accepted, available, signature.map_err(|_| Error::Answer("a state whose signature is none".into()))?))
        });
        let Some((accepted, available, signature)) = known.transpose()? else {
            self.available.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            return Ok(());
        };
        if self.purse().get(id).is_some_and(|kept| accepted > kept.accepted) {
            let signature = signature.ok_or(Error::NotOurs { expected: self.purse().signer().key().address(), given: None })?;
            self.till.keep(move |purse| purse.resume(id, accepted, &signature)).await?;
        }
        self.available.lock().unwrap_or_else(PoisonError::into_inner).insert(id, available);
        Ok(())
    }
}

fn price(offer: &Offer) -> Result<Price, Error> {
    let bad = |_| Error::Answer("PAYMENT-REQUIRED: an offer whose amount or addresses are none".into());
    Ok(Price {
        payee: text::address("payTo", &offer.pay_to).map_err(bad)?,
        token: text::address("asset", &offer.asset).map_err(bad)?,
        units: text::amount("amount", &offer.amount).map_err(bad)?,
        unit: offer.extra.unit,
        window_secs: offer.max_timeout_seconds,
        now: offer.extra.now,
    })
}

fn bad_header(why: String) -> Error {
    Error::Answer(format!("the paywall's header: {why}"))
}

fn silent() -> Error {
    let detail = format!("no answer within {} s", TIMEOUT.as_secs());
    Error::NotServed(Refusal { status: StatusCode::GATEWAY_TIMEOUT.as_u16(), code: String::new(), detail })
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

/// What a site says may end at somebody's terminal.
fn shown(text: String) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
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

impl Priced {
    /// The paywall's clock by now.
    fn now(&self, price: &Price) -> u64 {
        price.now.saturating_add(self.asked.elapsed().as_secs())
    }

    /// What has a body is served once a purchase.
    fn is_repeatable(&self) -> bool {
        matches!(self.request.method().as_str(), "GET" | "HEAD")
    }
}

impl Kept {
    fn pays(&self, price: &Price) -> bool {
        (self.channel.terms.payee, self.channel.terms.token) == (price.payee, price.token)
    }
}
