//! From a request to a decision: free, granted or denied.

mod admit;
mod after;

use crate::{
    config::Config,
    denied::Denied,
    flight::{Boarded, Flights},
    metrics::Metrics,
    offer::Terms,
    path,
    price::{Price, coins},
    relayer::Link,
    rules::{RuleError, Rules},
    store::{Owner, PurchaseId, Store, StoreError},
};
use axum::http::{HeaderMap, Method, Uri, header, request::Parts};
use rivulet_chain::Deployment as DeploymentFile;
use rivulet_client::buy::{
    self,
    wire::{Offer, PAYMENT_SIGNATURE, State},
};
use rivulet_core::ids::{Address, ChannelNumber, Deployment};
use rivulet_http::tls::TlsError;
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
    /// No HTTP client, or no answer.
    #[error(transparent)]
    Relayer(#[from] rivulet_client::Error),
    /// A certificate or a key.
    #[error(transparent)]
    Tls(#[from] TlsError),
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
        let rules = Rules::parse(&config.prices, &coins(deployment), config.case_insensitive_paths)?;
        let store = Store::open(&config.database, &Owner { at, payee: config.payee })?;
        let public = config.relayer_public.as_ref().unwrap_or(&config.relayer);
        Ok(Self(Arc::new(Inner {
            at,
            separator: buy::separator(&at),
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
            link: Link::new(&config.relayer, config.relayer_ca_file.as_deref(), &at)?,
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

    /// Where the relayer is, as it is asked from here.
    pub fn relayer(&self) -> &str {
        &self.0.relayer
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
    pub fn offers(&self, quote: &Quote, state: Option<&State>) -> Vec<Offer> {
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

    /// What is known of a channel, as it is told to its payer.
    pub fn state(&self, paid: &Paid) -> Option<State> {
        self.0.store.channel(&paid.id.channel).ok().flatten().as_ref().map(State::from)
    }
}
