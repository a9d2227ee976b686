//! The operator's file. Unknown keys are refused; what is left out has the default that stands in `relayer/config/full.toml`.

mod keys;

pub use keys::{KeySource, Signer};

use crate::{channels::LookupLimits, net::Net, network::Network, overrides, rate::Rate};
use rivulet_core::ids::{Address, Token};
use rivulet_http::cors::Origin;
use rivulet_rules::{accept, batch, chain::ContractKind, endpoint::Tolerance, text};
use rivulet_store::Location;
use serde::{Deserialize, Deserializer, de::Error as _};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::PathBuf,
};

/// All of it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The network's file: `deployments/<network>.json`.
    pub deployment: PathBuf,
    /// An SQLite file, made when there is none; or `postgres://user@host/database`, which several relayers may share.
    #[serde(deserialize_with = "location")]
    pub database: Location,
    /// A file with the password of the Postgres user, when `database` has none.
    pub database_password_file: Option<PathBuf>,
    /// The keys that claims are signed with.
    pub signer: Signer,
    /// The routes.
    #[serde(default)]
    pub http: Http,
    /// The chain.
    #[serde(default)]
    pub chain: Chain,
    /// What vouchers are taken.
    #[serde(default)]
    pub accept: Accept,
    /// What is claimed, and when.
    #[serde(default)]
    pub batch: Batch,
    /// What is signed for stored vouchers.
    #[serde(default)]
    pub acknowledge: Acknowledge,
    /// What operators may do over HTTP.
    #[serde(default)]
    pub admin: Admin,
    /// The web pages.
    #[serde(default)]
    pub pages: Pages,
    /// The log.
    #[serde(default)]
    pub log: Log,
}

/// What is signed for stored vouchers.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Acknowledge {
    /// The file with the key: `0x` and 64 hex digits, secp256k1. Without a key nothing is acknowledged.
    pub key_file: Option<PathBuf>,
    /// Or the name of an environment variable that holds it.
    pub key_env: Option<String>,
}

/// What operators may do over HTTP.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    /// The file with the token that opens `/v1/admin`. Without a token there are no such routes.
    pub token_file: Option<PathBuf>,
    /// Or the name of an environment variable that holds it.
    pub token_env: Option<String>,
}

/// The web pages, for creators and payers.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pages {
    /// The chain's Ethereum JSON-RPC as browsers reach it. Without it there are no pages. Everybody is told of all of it, a key in its path or query too.
    pub eth_rpc_url: Option<String>,
}

/// The routes.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where to listen for operators: `/metrics`, `/v1/admin` and `/health`, by plain HTTP. With it, the first two are nowhere else.
    pub operator_listen: Option<SocketAddr>,
    /// The longest request body, in bytes.
    pub max_body_bytes: usize,
    /// The most vouchers in one request.
    pub max_batch_items: usize,
    /// How many requests are worked at once; more are told to come back.
    pub max_requests: usize,
    /// After this a request is given up.
    pub request_timeout_ms: u64,
    /// A connection on which no whole request head comes for so long is closed.
    pub header_timeout_ms: u64,
    /// How long a stop waits for requests under way.
    pub drain_timeout_ms: u64,
    /// `/ready` says no when no pass of the worker went through for this long.
    pub ready_within_ms: u64,
    /// How many payees' event feeds may be open at once.
    pub max_feeds: usize,
    /// How many requests a second an address may make; each voucher of a batch counts as one. 0: no limit.
    pub address_per_sec: u32,
    /// How many of them at once, after a pause.
    pub address_burst: u32,
    /// Proxies whose `X-Forwarded-For` is believed: addresses or networks (`10.0.0.0/8`).
    pub trusted_proxies: Vec<Net>,
    /// Web pages of which origins may use the routes for all (not the operators'): `https://app.example`, or `*`: any. Empty: none.
    pub cors_origins: Vec<Origin>,
    /// The certificate chain (PEM). With it and its key, HTTPS is spoken; both are read again at SIGHUP.
    pub tls_certificate_file: Option<PathBuf>,
    /// The certificate's key (PEM).
    pub tls_key_file: Option<PathBuf>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            operator_listen: None,
            max_body_bytes: 1 << 20,
            max_batch_items: 2_000,
            max_requests: 512,
            request_timeout_ms: 30_000,
            header_timeout_ms: 30_000,
            drain_timeout_ms: 10_000,
            ready_within_ms: 120_000,
            max_feeds: 256,
            address_per_sec: 0,
            address_burst: 2_000,
            trusted_proxies: Vec::new(),
            // There are no cookies: a page can do no more than any program, and dapps are pages.
            cors_origins: vec![Origin::any()],
            tls_certificate_file: None,
            tls_key_file: None,
        }
    }
}

/// The chain.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Chain {
    /// Nodes, best first; the next is used when one does not answer.
    pub rpc_urls: Vec<String>,
    /// How many blocks a transaction may wait: a power of two from 4 to 4096.
    pub mortality_blocks: u64,
    /// A node whose finalized head is more blocks than this behind another's, or behind what was taken in, is left for a better one.
    pub max_lag_blocks: u64,
    /// So is one whose finalized head has stood still for so long while another's moved. With one node: the age of its head that is reported as a lag.
    pub max_lag_secs: u64,
}

impl Default for Chain {
    fn default() -> Self {
        let Tolerance { blocks, secs } = Tolerance::default();
        Self { rpc_urls: vec!["ws://127.0.0.1:9944".to_owned()], mortality_blocks: 64, max_lag_blocks: blocks, max_lag_secs: secs }
    }
}

impl Chain {
    /// How far a node may be behind.
    pub fn tolerance(&self) -> Tolerance {
        Tolerance { blocks: self.max_lag_blocks, secs: self.max_lag_secs }
    }
}

/// What vouchers are taken.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Accept {
    /// Payees to work for; empty: all.
    #[serde(deserialize_with = "addresses")]
    pub payees: BTreeSet<Address>,
    /// The least gain of a channel's first voucher, in the token's smallest unit (native: wei), by the token's name.
    pub min_first_units: BTreeMap<String, Units>,
    /// How long a number that is not on the chain is remembered as such.
    pub unknown_ttl_ms: u64,
    /// How many of them are remembered.
    pub unknown_max: usize,
    /// How many unknown numbers are looked up on the chain at once.
    pub lookups_at_once: usize,
    /// How many vouchers a second a payer may send. 0: no limit.
    pub payer_per_sec: u32,
    /// How many of them at once, after a pause.
    pub payer_burst: u32,
    /// The highest total taken of a channel whose block is not final yet, in the token's smallest unit, by the token's name. What is served against it is
    /// lost when a reorg undoes the channel.
    pub unfinalized_max_units: BTreeMap<String, Units>,
}

impl Default for Accept {
    fn default() -> Self {
        Self {
            payees: BTreeSet::new(),
            min_first_units: BTreeMap::new(),
            unknown_ttl_ms: 3_000,
            unknown_max: 10_000,
            lookups_at_once: 16,
            payer_per_sec: 0,
            payer_burst: 1_000,
            unfinalized_max_units: BTreeMap::new(),
        }
    }
}

/// What is claimed, and when.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Batch {
    /// How often to look for a batch.
    pub interval_ms: u64,
    /// Look at once when this many vouchers have come since the last look.
    pub enough_vouchers: usize,
    /// The most rows in a transaction.
    pub max_rows: usize,
    /// The longest blob, in bytes.
    pub max_blob_bytes: usize,
    /// How many transactions of each signing key may be under way at once.
    pub max_in_flight: usize,
    /// When several relayers share a database: another one claims when the one that does has not been heard of for this long.
    pub lease_ms: u64,
    /// How much value is asked for, in hundredths of a percent of the cost: 10000 is break-even, 0 claims whatever is pending.
    pub min_value_bps: u32,
    /// Whose relay fees count as the operator's, when they do not go to the first key that signs; absent: that key's address.
    #[serde(deserialize_with = "some_address")]
    pub beneficiary: Option<Address>,
    /// Payees that are the operator's own: their gains count in full, not only the fees on them.
    #[serde(deserialize_with = "addresses")]
    pub own_payees: BTreeSet<Address>,
    /// What one whole token is worth in planck, by the token's name. The native token needs none; a token without is worth nothing.
    pub planck_per_whole: BTreeMap<String, u64>,
    /// A row is claimed at most once in a slot of so many seconds, counted from the Unix epoch; 0: whenever it is worth it.
    pub claim_every_secs: u64,
    /// The same for single payees, by address.
    #[serde(deserialize_with = "by_address")]
    pub claim_every_secs_of: BTreeMap<Address, u64>,
    /// Pay the existential deposit of a payee whose account does not exist yet, when its rows are worth it.
    pub fund_new: bool,
    /// Claim from streams too.
    pub claim_streams: bool,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            interval_ms: 6_000,
            enough_vouchers: 1_000,
            max_rows: 500,
            max_blob_bytes: 98_304,
            max_in_flight: 4,
            lease_ms: 6_000,
            min_value_bps: 10_000,
            beneficiary: None,
            own_payees: BTreeSet::new(),
            planck_per_whole: BTreeMap::new(),
            claim_every_secs: 0,
            claim_every_secs_of: BTreeMap::new(),
            fund_new: false,
            claim_streams: true,
        }
    }
}

/// How log lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The log.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// How lines look.
    pub format: LogFormat,
    /// What is logged: `info`, or `info,rivulet_server=debug`.
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".to_owned() }
    }
}

/// An amount in a token's smallest unit: a string in the file, since TOML's integers end at 2^63.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Units(pub u128);

impl<'de> Deserialize<'de> for Units {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        text::amount("amount", &String::deserialize(d)?).map(Self).map_err(D::Error::custom)
    }
}

fn location<'de, D: Deserializer<'de>>(d: D) -> Result<Location, D::Error> {
    String::deserialize(d)?.parse().map_err(|e| D::Error::custom(format!("database: {e}")))
}

fn addresses<'de, D: Deserializer<'de>>(d: D) -> Result<BTreeSet<Address>, D::Error> {
    Vec::<String>::deserialize(d)?.iter().map(|t| text::address("address", t).map_err(D::Error::custom)).collect()
}

fn by_address<'de, D: Deserializer<'de>>(d: D) -> Result<BTreeMap<Address, u64>, D::Error> {
    let given = BTreeMap::<String, u64>::deserialize(d)?;
    given.iter().map(|(t, secs)| Ok((text::address("address", t).map_err(D::Error::custom)?, *secs))).collect()
}

fn some_address<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Address>, D::Error> {
    text::address("address", &String::deserialize(d)?).map(Some).map_err(D::Error::custom)
}

/// Why a configuration cannot be used. `key` is the full name in the file.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML, an unknown key, a wrong type. The text says where.
    #[error("{0}")]
    Parse(String),
    /// A value that cannot be.
    #[error("{key}: expected {expected}, got {given}")]
    Value {
        /// Which key.
        key: String,
        /// What is possible.
        expected: String,
        /// What stands there.
        given: String,
    },
}

/// The scheme, host and port of the Ethereum RPC: what pages may talk to beside the relayer.
///
/// # Errors
/// [`ConfigError::Value`] when it is not an address that a page may be told of: it becomes part of a header, and everybody reads it.
pub fn rpc_origin(url: &str) -> Result<String, ConfigError> {
    // Who put a password there does not want to see it in a log.
    let given = if url.contains('@') { "one with a user or password, which everybody would read at /v1/pages".to_owned() } else { text::shown(url) };
    let refused = || value("pages.eth_rpc_url", "http:// or https:// and a host (no IPv6, no user, no password), as browsers reach it", &given);
    let uri: axum::http::Uri = url.parse().map_err(|_| refused())?;
    let (scheme, authority) = uri.scheme_str().zip(uri.authority()).ok_or_else(refused)?;
    let is_plain = authority.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':'));
    if !matches!(scheme, "http" | "https") || authority.host().is_empty() || !is_plain {
        return Err(refused());
    }
    Ok(format!("{scheme}://{authority}"))
}

fn value(key: &str, expected: impl Into<String>, given: impl ToString) -> ConfigError {
    ConfigError::Value { key: key.to_owned(), expected: expected.into(), given: given.to_string() }
}

/// TOML's errors show the line that they are about, and some repeat its value, which may have the password of the database in it.
fn without_passwords(e: &toml::de::Error, toml: &str) -> ConfigError {
    let may_have_one = |text: &str| text.contains("://");
    let shown = e.to_string();
    ConfigError::Parse(match (e.span(), e.message()) {
        _ if !may_have_one(&shown) => shown,
        (Some(at), message) => {
            let line = toml.get(..at.start).map_or(0, |before| before.matches('\n').count()).saturating_add(1);
            let what = if may_have_one(message) { "an address of a server where there should be none" } else { message };
            format!("line {line}: {what}")
        }
        (None, message) if may_have_one(message) => "an address of a server where there should be none, in a RIVULET__ variable".to_owned(),
        (None, message) => message.to_owned(),
    })
}

impl Config {
    /// Reads TOML.
    ///
    /// # Errors
    /// [`ConfigError::Parse`] or the first value that cannot be.
    pub fn parse(toml: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(toml).map_err(|e| without_passwords(&e, toml))?;
        config.check()?;
        Ok(config)
    }

    /// Reads TOML, with what environment variables put in its place (see [`crate::overrides`]).
    ///
    /// # Errors
    /// As [`Config::parse`].
    pub fn parse_with(toml: &str, variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut table: toml::Table = toml::from_str(toml).map_err(|e| without_passwords(&e, toml))?;
        if !overrides::apply(&mut table, variables)? {
            // As it stands, so that errors name its lines.
            return Self::parse(toml);
        }
        let config: Self = table.try_into().map_err(|e| without_passwords(&e, toml))?;
        config.check()?;
        Ok(config)
    }

    /// Checks what types alone do not.
    ///
    /// # Errors
    /// [`ConfigError::Value`] names the key.
    pub fn check(&self) -> Result<(), ConfigError> {
        let at_least = |key: &str, least: u64, given: u64| if given >= least { Ok(()) } else { Err(value(key, format!("at least {least}"), given)) };
        self.check_secrets()?;
        at_least("http.max_body_bytes", 1_024, self.http.max_body_bytes as u64)?;
        at_least("http.max_batch_items", 1, self.http.max_batch_items as u64)?;
        at_least("http.max_requests", 1, self.http.max_requests as u64)?;
        at_least("http.request_timeout_ms", 100, self.http.request_timeout_ms)?;
        at_least("http.header_timeout_ms", 100, self.http.header_timeout_ms)?;
        at_least("chain.rpc_urls", 1, self.chain.rpc_urls.len() as u64)?;
        at_least("chain.max_lag_blocks", 1, self.chain.max_lag_blocks)?;
        at_least("chain.max_lag_secs", 1, self.chain.max_lag_secs)?;
        at_least("accept.unknown_max", 1, self.accept.unknown_max as u64)?;
        at_least("accept.lookups_at_once", 1, self.accept.lookups_at_once as u64)?;
        at_least("batch.interval_ms", 10, self.batch.interval_ms)?;
        at_least("batch.enough_vouchers", 1, self.batch.enough_vouchers as u64)?;
        at_least("batch.max_rows", 1, self.batch.max_rows as u64)?;
        at_least("batch.max_blob_bytes", 256, self.batch.max_blob_bytes as u64)?;
        at_least("batch.max_in_flight", 1, self.batch.max_in_flight as u64)?;
        at_least("batch.lease_ms", 500, self.batch.lease_ms)?;
        self.check_limits()?;
        self.pages.eth_rpc_url.as_deref().map(rpc_origin).transpose()?;
        let mut seen = BTreeSet::new();
        if let Some(url) = self.chain.rpc_urls.iter().find(|url| !seen.insert(*url)) {
            // It would have two voices when nodes are compared.
            return Err(value("chain.rpc_urls", "each node once", format!("{url} twice")));
        }
        if let Some(url) = self.chain.rpc_urls.iter().find(|u| !u.starts_with("ws://") && !u.starts_with("wss://")) {
            return Err(value("chain.rpc_urls", "ws:// or wss:// addresses", url));
        }
        let mortality = self.chain.mortality_blocks;
        if !mortality.is_power_of_two() || !(4..=4_096).contains(&mortality) {
            return Err(value("chain.mortality_blocks", "a power of two from 4 to 4096", mortality));
        }
        Ok(())
    }

    fn check_secrets(&self) -> Result<(), ConfigError> {
        self.signer.check()?;
        for (key, file, env) in
            [("acknowledge", &self.acknowledge.key_file, &self.acknowledge.key_env), ("admin", &self.admin.token_file, &self.admin.token_env)]
        {
            if file.is_some() && env.is_some() {
                return Err(value(key, "either a file or a variable", "both"));
            }
        }
        let variables =
            [("signer.env", &self.signer.env), ("acknowledge.key_env", &self.acknowledge.key_env), ("admin.token_env", &self.admin.token_env)];
        let variables = variables.into_iter().flat_map(|(key, name)| name.iter().map(move |n| (key, n)));
        for (key, n) in variables.chain(self.signer.envs.iter().map(|n| ("signer.envs", n))) {
            // A secret in the place of its variable's name is not repeated either.
            if n.is_empty() || !n.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_') {
                return Err(value(key, "the name of an environment variable: A to Z, digits, _", "another text"));
            }
        }
        Ok(())
    }

    fn check_limits(&self) -> Result<(), ConfigError> {
        if let Some(operators) = self.http.operator_listen.filter(|a| *a == self.http.listen && a.port() != 0) {
            return Err(value("http.operator_listen", "another address than http.listen", operators));
        }
        let Http { max_batch_items, address_per_sec, address_burst, tls_certificate_file, tls_key_file, .. } = &self.http;
        // A full batch that is more than the burst could never be sent.
        if *address_per_sec > 0 && (*address_burst as usize) < *max_batch_items {
            return Err(value("http.address_burst", format!("at least http.max_batch_items, {max_batch_items}"), address_burst));
        }
        if self.accept.payer_per_sec > 0 && self.accept.payer_burst == 0 {
            return Err(value("accept.payer_burst", "at least 1", 0));
        }
        match (tls_certificate_file, tls_key_file) {
            (Some(_), None) => Err(value("http.tls_key_file", "the key of http.tls_certificate_file", "nothing")),
            (None, Some(_)) => Err(value("http.tls_certificate_file", "the certificate of http.tls_key_file", "nothing")),
            _ => Ok(()),
        }
    }

    /// How often an address may come.
    pub fn address_rate(&self) -> Rate {
        Rate { per_sec: self.http.address_per_sec, burst: self.http.address_burst }
    }

    /// How often a payer may come.
    pub fn payer_rate(&self) -> Rate {
        Rate { per_sec: self.accept.payer_per_sec, burst: self.accept.payer_burst }
    }

    fn token(&self, key: &str, name: &str, network: &Network) -> Result<(Token, u8), ConfigError> {
        let known = || network.tokens.keys().cloned().collect::<Vec<_>>().join(", ");
        let token = network.tokens.get(name).ok_or_else(|| value(key, format!("a token of {}: {}", network.name, known()), name))?;
        Ok((token.address, token.decimals))
    }

    /// The rules for accepting on this network.
    ///
    /// # Errors
    /// [`ConfigError::Value`] when a token is not the network's.
    pub fn accept_policy(&self, network: &Network) -> Result<accept::Policy, ConfigError> {
        let by_token = |key: &str, units: &BTreeMap<String, Units>| {
            units.iter().map(|(name, units)| Ok((self.token(key, name, network)?.0, units.0))).collect::<Result<_, ConfigError>>()
        };
        Ok(accept::Policy {
            payees: self.accept.payees.clone(),
            min_first_gain: by_token("accept.min_first_units", &self.accept.min_first_units)?,
            unfinalized_max: by_token("accept.unfinalized_max_units", &self.accept.unfinalized_max_units)?,
        })
    }

    /// The rules for batches of a contract on this network.
    ///
    /// # Errors
    /// [`ConfigError::Value`] when a token is not the network's.
    pub fn batch_policy(&self, network: &Network, contract: ContractKind) -> Result<batch::Policy, ConfigError> {
        let prices = self.batch.planck_per_whole.iter();
        let token_values = prices.map(|(name, planck)| {
            let (token, decimals) = self.token("batch.planck_per_whole", name, network)?;
            Ok((token, batch::TokenValue { planck_per_whole: *planck, decimals }))
        });
        Ok(batch::Policy {
            beneficiary: self.batch.beneficiary.unwrap_or(network.relayer_address),
            own_payees: self.batch.own_payees.clone(),
            token_values: token_values.collect::<Result<_, _>>()?,
            fee_ceiling_bps: network.fee_ceiling_bps(contract),
            min_value_bps: self.batch.min_value_bps,
            schedule: batch::Schedule { every_secs: self.batch.claim_every_secs, of: self.batch.claim_every_secs_of.clone() },
            max_rows: self.batch.max_rows,
            max_blob_bytes: self.batch.max_blob_bytes,
            fund_new: self.batch.fund_new,
        })
    }

    /// Limits on looking up unknown channels.
    pub fn lookup_limits(&self) -> LookupLimits {
        let Accept { unknown_ttl_ms, unknown_max, lookups_at_once, .. } = self.accept;
        let is_best_asked = !self.accept.unfinalized_max_units.is_empty();
        LookupLimits { unknown_ttl_ms, unknown_max, at_once: lookups_at_once, is_best_asked }
    }
}
