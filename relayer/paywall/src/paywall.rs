//! From a request to a decision: free, granted or denied.

use crate::{
    config::Config,
    denied::{Denied, StateJson},
    flight::{Boarded, Flights},
    grant::{Account, Refused},
    metrics::Metrics,
    offer::{Offer, Terms},
    path,
    payload::{self, PAYMENT_SIGNATURE, Payment},
    price::{Price, Unit, coins},
    purchase,
    relayer::Link,
    rules::{RuleError, Rules},
    store::{Accepted, Channel, Charge, Outcome, Owner, PurchaseId, Store, StoreError},
};
use axum::http::{HeaderMap, Method, Uri, header, request::Parts};
use rivulet_chain::Deployment as DeploymentFile;
use rivulet_core::ids::{Address, ChannelNumber, Deployment};
use rivulet_rules::{chain::ContractKind, text};
use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use tokio::sync::Notify;

/// A paywall cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The price list.
    #[error(transparent)]
    Rules(#[from] RuleError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No HTTP client.
    #[error(transparent)]
    Relayer(#[from] rivulet_client::Error),
    /// The relayer is another network's, or another payee's.
    #[error("the relayer at {url} does not fit: {field} is {found} there, {expected} here. Check `relayer` and `deployment`")]
    OtherRelayer {
        /// Where.
        url: String,
        /// What differs.
        field: &'static str,
        /// What it says.
        found: String,
        /// What was expected.
        expected: String,
    },
}

/// The paywall. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Paywall(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    at: Deployment,
    separator: [u8; 32],
    payee: Address,
    rules: Rules,
    terms: Terms,
    store: Store,
    link: Link,
    relayer: String,
    most_requests: u32,
    raise_within: Duration,
    keep_secs: u64,
    flights: Flights,
    raised: Notify,
    metrics: Metrics,
}

/// What a request costs, and how it is named in a purchase.
#[derive(Clone, Debug)]
pub struct Quote {
    /// One price a token; empty: free.
    pub prices: Vec<Price>,
    /// Method, host, path and query.
    pub request: String,
}

/// What was paid, for what comes after: a request's extension.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Paid {
    /// Who paid.
    pub payer: Address,
    /// From which channel.
    pub number: ChannelNumber,
    /// The purchase.
    pub id: PurchaseId,
    /// The price.
    pub price: Price,
}

/// A request that may be served.
#[derive(Debug)]
pub struct Grant {
    /// What was paid.
    pub paid: Paid,
    /// What was charged for this request.
    pub due: u128,
    /// All that the purchase has cost.
    pub cost: u128,
    pub(crate) flight: Boarded,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Decision {
    /// It costs nothing.
    Free,
    /// It is paid.
    Granted(Box<Grant>),
    /// It is not served.
    Denied(Box<Denied>, Quote),
}

/// Unix seconds.
pub fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

impl Paywall {
    /// Opens the store and reads the price list. Asks nobody yet: [`Paywall::check_relayer`] does.
    ///
    /// # Errors
    ///
    /// When the price list or the store cannot be used.
    pub fn open(config: &Config, deployment: &DeploymentFile) -> Result<Self, StartError> {
        let at = Deployment { chain_id: deployment.chain_id, contract: deployment.contract(ContractKind::Channels).address.0 };
        let rules = Rules::parse(&config.prices, &coins(deployment))?;
        let store = Store::open(&config.database, &Owner { at, payee: config.payee })?;
        let public = config.relayer_public.as_ref().unwrap_or(&config.relayer);
        Ok(Self(Arc::new(Inner {
            at,
            separator: purchase::separator(&at),
            payee: config.payee,
            rules,
            terms: Terms {
                network: format!("eip155:{}", at.chain_id),
                channels: at.contract.to_string(),
                payee: config.payee.to_string(),
                relayer: public.trim_end_matches('/').to_owned(),
                window_secs: config.grant.window_secs,
            },
            store,
            link: Link::new(&config.relayer, &at)?,
            relayer: config.relayer.clone(),
            most_requests: config.grant.most_requests,
            raise_within: Duration::from_millis(config.grant.raise_within_ms),
            keep_secs: u64::from(config.grant.keep_days).saturating_mul(86_400),
            flights: Flights::default(),
            raised: Notify::new(),
            metrics: Metrics::default(),
        })))
    }

    /// Asks the relayer whether it works on this deployment, for this payee.
    ///
    /// # Errors
    ///
    /// [`StartError::Relayer`] when it does not answer; [`StartError::OtherRelayer`] when it does not fit.
    pub async fn check_relayer(&self) -> Result<(), StartError> {
        let info = self.0.link.info().await?;
        let other = |field, found: String, expected: String| Err(StartError::OtherRelayer { url: self.0.relayer.clone(), field, found, expected });
        if info.chain_id != self.0.at.chain_id {
            return other("chain_id", info.chain_id.to_string(), self.0.at.chain_id.to_string());
        }
        if info.contracts.channels != self.0.at.contract.to_string() {
            return other("contracts.channels", info.contracts.channels, self.0.at.contract.to_string());
        }
        match info.payees {
            Some(payees) if !payees.contains(&self.0.payee.to_string()) => other("payees", payees.join(", "), self.0.payee.to_string()),
            _ => Ok(()),
        }
    }

    /// The counters.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// The price list.
    pub fn rules(&self) -> &Rules {
        &self.0.rules
    }

    /// Where and for whom.
    pub fn terms(&self) -> &Terms {
        &self.0.terms
    }

    /// Every way to pay for a request.
    pub fn offers(&self, quote: &Quote, state: Option<&StateJson>) -> Vec<Offer> {
        let now = now();
        quote.prices.iter().map(|price| self.0.terms.offer(price, &quote.request, now, state)).collect()
    }

    /// What a request costs.
    ///
    /// # Errors
    ///
    /// `bad_path`.
    pub fn quote(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Quote, Denied> {
        let path = path::decoded(uri.path()).map_err(|e| Denied::new("bad_path", e.to_string()))?;
        let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).or_else(|| uri.authority().map(|a| a.as_str())).unwrap_or_default();
        let target = uri.path_and_query().map_or("/", |p| p.as_str());
        Ok(Quote { prices: self.0.rules.prices(&path).to_vec(), request: format!("{method} {host}{target}") })
    }

    /// Decides. What is granted is charged and on the disk.
    pub async fn decide(&self, head: &Parts) -> Decision {
        let quote = match self.quote(&head.method, &head.uri, &head.headers) {
            Ok(quote) if quote.prices.is_empty() => {
                self.0.metrics.request("free");
                return Decision::Free;
            }
            Ok(quote) => quote,
            Err(denied) => return self.deny(denied, Quote { prices: Vec::new(), request: String::new() }),
        };
        let Some(header) = head.headers.get(PAYMENT_SIGNATURE) else {
            let prices = quote.prices.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
            return self.deny(Denied::new("payment_required", format!("{} costs {prices}", quote.request)), quote);
        };
        let begun = Instant::now();
        match self.grant(header.as_bytes(), &quote).await {
            Ok(grant) => {
                self.0.metrics.decided(begun.elapsed());
                self.0.metrics.request(if grant.due > 0 { "granted" } else { "again" });
                self.0.metrics.charged(&grant.paid.price.coin.name, grant.due);
                let Paid { number, id, .. } = &grant.paid;
                tracing::debug!(channel = %number, nonce = text::hex(&id.nonce), due = %grant.due, request = quote.request, "granted");
                Decision::Granted(Box::new(grant))
            }
            Err(denied) => self.deny(denied, quote),
        }
    }

    fn deny(&self, denied: Denied, quote: Quote) -> Decision {
        self.0.metrics.denied(&denied.code);
        tracing::debug!(code = %denied.code, detail = denied.detail, request = quote.request, "denied");
        Decision::Denied(Box::new(denied), quote)
    }

    async fn grant(&self, header: &[u8], quote: &Quote) -> Result<Grant, Denied> {
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
        let flight = self.0.flights.board(id);
        let is_step = price.unit != Unit::Request;
        let charge = Charge {
            id,
            request: payment.purchase.request.clone(),
            budget: payment.purchase.amount,
            price: price.units,
            is_step,
            most_requests: if is_step { u32::MAX } else { self.0.most_requests },
            valid_until: payment.purchase.valid_until,
            accepted,
            now: now(),
        };
        match self.0.store.charge(charge).await? {
            Outcome::Granted { due, cost } => {
                flight.charged(due);
                let paid = Paid { payer: payment.terms.payer, number: payment.terms.number, id, price };
                Ok(Grant { paid, due, cost, flight })
            }
            Outcome::Refused(refused) => {
                let code = if matches!(refused, Refused::NotEnough { .. }) { "not_enough" } else { "amount_too_small" };
                Err(Denied::new(code, refused.to_string()).with(self.0.store.channel(&id.channel)?.as_ref()))
            }
            Outcome::Replayed => Err(Denied::new("replayed", "this nonce was used for another request").with(known.as_ref())),
            Outcome::UsedUp => {
                let detail = format!("this purchase was served {} times: take a new nonce", self.0.most_requests);
                Err(Denied::new("used_up", detail).with(known.as_ref()))
            }
        }
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
    fn check(&self, payment: &Payment) -> Result<Option<Channel>, Denied> {
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
    async fn accepted(&self, payment: &Payment, known: Option<&Channel>) -> Result<Option<Accepted>, Denied> {
        if known.is_some_and(|c| payment.total <= c.account.accepted) {
            return Ok(None);
        }
        let open = |before: Option<Accepted>| {
            let account = Account::open(before.map_or(0, |a| a.total));
            let terms = &payment.terms;
            let channel = Channel {
                id: payment.channel_id,
                number: terms.number,
                payer: terms.payer,
                token: terms.token,
                account,
                signature: before.map(|a| a.signature),
            };
            self.0.store.open_channel(channel, now())
        };
        let mut is_open = known.is_some();
        if !is_open && let Some(before) = self.0.link.accepted(payment).await? {
            // Before the voucher goes out: after a crash in between, what it adds must still count as new.
            open(before).await?;
            is_open = true;
            if let Some(before) = before.filter(|b| payment.total <= b.total) {
                return Ok(Some(before));
            }
        }
        let accepted = self.0.link.accept(payment).await.map_err(|denied| denied.with(known))?;
        if !is_open {
            // Not final yet: the relayer took the voucher without showing the channel.
            open(None).await?;
        }
        Ok(Some(accepted))
    }

    /// What is known of a channel, as it is told to its payer.
    pub fn state(&self, paid: &Paid) -> Option<StateJson> {
        self.0.store.channel(&paid.id.channel).ok().flatten().as_ref().map(StateJson::from)
    }

    /// Gives back what a request was charged, if nobody was served for it.
    pub(crate) async fn not_served(&self, paid: &Paid, flight: Boarded) -> u128 {
        let due = flight.failed();
        if due == 0 {
            return 0;
        }
        match self.0.store.give_back(paid.id, Some(due)).await {
            Ok(due) => {
                self.0.metrics.returned(&paid.price.coin.name, due);
                due
            }
            Err(e) => {
                tracing::error!(error = %e, channel = %paid.number, nonce = text::hex(&paid.id.nonce), %due, "cannot give back: refund it by hand");
                0
            }
        }
    }

    /// Charges steps more for an answer under way. Waits for a raise when nothing is left.
    ///
    /// # Errors
    ///
    /// When nothing is left and nothing came, or the store failed.
    pub(crate) async fn charge_steps(&self, paid: &Paid, steps: u64) -> Result<(), StoreError> {
        let due = paid.price.units.saturating_mul(u128::from(steps));
        let until = tokio::time::Instant::now() + self.0.raise_within;
        loop {
            let raised = self.0.raised.notified();
            tokio::pin!(raised);
            // Listening from here on, so that a raise between the look and the wait is not missed.
            raised.as_mut().enable();
            match self.0.store.charge_more(paid.id, due).await {
                Ok(()) => {
                    self.0.metrics.charged(&paid.price.coin.name, due);
                    return Ok(());
                }
                Err(refused @ StoreError::Refused(_)) => {
                    if tokio::time::timeout_at(until, raised).await.is_err() {
                        self.0.metrics.cut();
                        return Err(refused);
                    }
                }
                Err(e) => return Err(e),
            }
        }
    }

    /// Raises a purchase that goes on: the same nonce, signed for more, with a voucher that covers it.
    ///
    /// # Errors
    ///
    /// As a grant.
    pub async fn raise(&self, header: &[u8]) -> Result<StateJson, Denied> {
        let unbound = payload::read(header, "", self.0.payee)?;
        let id = PurchaseId { channel: unbound.channel_id, nonce: unbound.purchase.nonce };
        let missing = || Denied::new("no_such_purchase", "nothing goes on under this nonce");
        let request = self.0.store.request_of(&id)?.ok_or_else(missing)?;
        let payment = payload::read(header, &request, self.0.payee)?;
        let known = self.check(&payment)?;
        let accepted = self.accepted(&payment, known.as_ref()).await?;
        self.0.store.raise(id, payment.purchase.amount, payment.purchase.valid_until, accepted).await?;
        self.0.raised.notify_waiters();
        let channel = self.0.store.channel(&id.channel)?.ok_or_else(missing)?;
        Ok((&channel).into())
    }

    /// Forgets old purchases, once.
    pub async fn forget(&self) {
        let now = now();
        match self.0.store.forget(now.saturating_sub(self.0.keep_secs), now).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "old purchases forgotten"),
            Err(e) => tracing::warn!(error = %e, "cannot forget old purchases"),
        }
    }
}
