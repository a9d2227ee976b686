//! The configuration: one TOML file, or flags. Unknown keys are refused.

use axum::http::Uri;
use rivulet_core::ids::Address;
use rivulet_http::cors::Origin;
use rivulet_rules::text;
use serde::{Deserialize, Deserializer, de::Error as _};
use std::{net::SocketAddr, path::PathBuf};

/// Everything that can be set.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The web server behind: `http://127.0.0.1:3000`. Its path, if it has one, is put before each request's.
    pub upstream: String,
    /// With `https://`: certificates (PEM) that are believed besides the system's. The name in the URL is always checked.
    #[serde(default)]
    pub upstream_ca_file: Option<PathBuf>,
    /// Where to listen.
    #[serde(default = "listen")]
    pub listen: SocketAddr,
    /// The certificate chain (PEM). With it and its key, HTTPS is spoken; both are read again at SIGHUP.
    #[serde(default)]
    pub tls_certificate_file: Option<PathBuf>,
    /// The certificate's key (PEM).
    #[serde(default)]
    pub tls_key_file: Option<PathBuf>,
    /// Where `/metrics` is; absent: nowhere. Not for the open internet.
    #[serde(default)]
    pub metrics_listen: Option<SocketAddr>,
    /// Who is paid.
    #[serde(deserialize_with = "address")]
    pub payee: Address,
    /// The relayer that vouchers are handed to.
    pub relayer: String,
    /// With `https://`: certificates (PEM) that are believed besides the system's.
    #[serde(default)]
    pub relayer_ca_file: Option<PathBuf>,
    /// The relayer's URL as payers see it, if it is another.
    #[serde(default)]
    pub relayer_public: Option<String>,
    /// The network's file.
    #[serde(default = "deployment")]
    pub deployment: PathBuf,
    /// Nodes: the deployment's file is compared with the chain at the start; empty: only with the relayer.
    #[serde(default)]
    pub rpc_urls: Vec<String>,
    /// The SQLite file with what was paid for. A payee has one.
    #[serde(default = "database")]
    pub database: PathBuf,
    /// The price list: `PATTERN=PRICE` each, the first that matches holds.
    pub prices: Vec<String>,
    /// True in front of a web server that takes `/Articles/1` and `/articles/1` for one page: then they cost the same.
    #[serde(default)]
    pub case_insensitive_paths: bool,
    /// Web pages of which origins may buy and read here: `https://app.example`, or `*`: any. Empty: that is left to the web server.
    #[serde(default)]
    pub cors_origins: Vec<Origin>,
    /// True behind a proxy of one's own: its `X-Forwarded-For`, `-Proto` and `-Host` are believed and passed on.
    #[serde(default)]
    pub trust_forwarded: bool,
    /// What a purchase is good for.
    #[serde(default)]
    pub grant: Grant,
    /// Limits.
    #[serde(default)]
    pub limits: Limits,
    /// The log.
    #[serde(default)]
    pub log: Log,
}

fn listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8402))
}
fn deployment() -> PathBuf {
    "deployments/dev.json".into()
}
fn database() -> PathBuf {
    "paywall.db".into()
}
fn address<'de, D: Deserializer<'de>>(d: D) -> Result<Address, D::Error> {
    text::address("payee", &String::deserialize(d)?).map_err(D::Error::custom)
}

/// What a purchase is good for.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grant {
    /// How long it may be asked for again.
    pub window_secs: u64,
    /// How often, the first time included. Only prices by request: steps are due each time.
    pub most_requests: u32,
    /// How long an answer that has used up what was paid waits for more.
    pub raise_within_ms: u64,
    /// How long purchases are remembered: until then they can be refunded.
    pub keep_days: u32,
}

impl Default for Grant {
    fn default() -> Self {
        Self { window_secs: 300, most_requests: 16, raise_within_ms: 5_000, keep_days: 90 }
    }
}

/// Limits.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at once. More wait.
    pub max_connections: usize,
    /// The longest head of a request, in bytes.
    pub max_head_bytes: usize,
    /// The longest body of a request, in bytes.
    pub max_body_bytes: u64,
    /// How long a client may take for a request's head.
    pub head_timeout_ms: u64,
    /// How long the web server may take until its answer begins.
    pub upstream_timeout_ms: u64,
    /// How long the web server may be silent within an answer.
    pub idle_timeout_ms: u64,
    /// How long answers under way may take when the paywall stops.
    pub drain_timeout_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            max_head_bytes: 32_768,
            max_body_bytes: 10_485_760,
            head_timeout_ms: 10_000,
            upstream_timeout_ms: 30_000,
            idle_timeout_ms: 60_000,
            drain_timeout_ms: 10_000,
        }
    }
}

/// The log.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// One JSON object a line.
    pub json: bool,
    /// What is logged: `info`, or `info,rivulet_paywall=debug`.
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { json: false, filter: "info".to_owned() }
    }
}

/// Why a configuration cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML, an unknown key, a wrong type. The text says where.
    #[error("{0}")]
    Parse(String),
    /// A value that cannot be.
    #[error("{key}: expected {expected}, got {given}")]
    Value {
        /// Which key.
        key: &'static str,
        /// What is possible.
        expected: String,
        /// What stands there.
        given: String,
    },
}

impl Config {
    /// What must be said, and every default.
    pub fn new(upstream: impl Into<String>, payee: Address, relayer: impl Into<String>, prices: Vec<String>) -> Self {
        Self {
            upstream: upstream.into(),
            upstream_ca_file: None,
            listen: listen(),
            tls_certificate_file: None,
            tls_key_file: None,
            metrics_listen: None,
            payee,
            relayer: relayer.into(),
            relayer_ca_file: None,
            relayer_public: None,
            deployment: deployment(),
            rpc_urls: Vec::new(),
            database: database(),
            prices,
            case_insensitive_paths: false,
            cors_origins: Vec::new(),
            trust_forwarded: false,
            grant: Grant::default(),
            limits: Limits::default(),
            log: Log::default(),
        }
    }

    /// Reads TOML.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Parse`] or the first value that cannot be.
    pub fn parse(toml: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(toml).map_err(|e| ConfigError::Parse(e.to_string()))?;
        config.check()?;
        Ok(config)
    }

    /// Checks what types alone do not. The price list is read with the deployment's tokens, when the paywall is made.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Value`] names the key.
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key, expected: &str, given: &dyn ToString| Err(ConfigError::Value { key, expected: expected.into(), given: given.to_string() });
        let is_http = |url: &str| {
            let is_one = |u: Uri| matches!(u.scheme_str(), Some("http" | "https")) && u.authority().is_some() && u.query().is_none();
            url.parse().is_ok_and(is_one)
        };
        for (key, url) in [("upstream", Some(&self.upstream)), ("relayer", Some(&self.relayer)), ("relayer_public", self.relayer_public.as_ref())] {
            if let Some(url) = url.filter(|url| !is_http(url)) {
                return wrong(key, "an http:// or https:// URL", url);
            }
        }
        for (key, file, url) in
            [("upstream_ca_file", &self.upstream_ca_file, &self.upstream), ("relayer_ca_file", &self.relayer_ca_file, &self.relayer)]
        {
            if file.is_some() && !url.starts_with("https://") {
                return wrong(key, "an https:// URL that it is for", url);
            }
        }
        match (&self.tls_certificate_file, &self.tls_key_file) {
            (Some(_), None) => return wrong("tls_key_file", "the key of tls_certificate_file", &"nothing"),
            (None, Some(_)) => return wrong("tls_certificate_file", "the certificate of tls_key_file", &"nothing"),
            _ => {}
        }
        if let Some(url) = self.rpc_urls.iter().find(|u| !u.starts_with("ws://") && !u.starts_with("wss://")) {
            return wrong("rpc_urls", "ws:// or wss:// addresses", url);
        }
        if self.payee.is_zero() {
            return wrong("payee", "an address that is not zero", &self.payee);
        }
        if self.prices.is_empty() {
            return wrong("prices", "at least one, such as '/articles/*=0.10usdc'", &"none");
        }
        if !(10..=86_400).contains(&self.grant.window_secs) {
            return wrong("grant.window_secs", "10 to 86400", &self.grant.window_secs);
        }
        for (key, least, given) in [
            ("grant.most_requests", 1, u64::from(self.grant.most_requests)),
            ("limits.max_connections", 1, self.limits.max_connections as u64),
            ("limits.max_head_bytes", 8_192, self.limits.max_head_bytes as u64),
            ("limits.head_timeout_ms", 100, self.limits.head_timeout_ms),
            ("limits.upstream_timeout_ms", 100, self.limits.upstream_timeout_ms),
            ("limits.idle_timeout_ms", 100, self.limits.idle_timeout_ms),
        ] {
            if given < least {
                return wrong(key, &format!("at least {least}"), &given);
            }
        }
        Ok(())
    }
}
