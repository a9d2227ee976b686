//! Which web pages of other origins may read the answers (CORS, the Fetch standard).
//!
//! A browser lets a page read what another origin answers only when the answer says so, and asks before each request that is out of the ordinary (a preflight). It protects
//! the user's cookies, of which there are none here: credentials are never allowed, so a page can do no more than any program can.

use axum::http::{HeaderName, HeaderValue, Method, Uri, header};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::{fmt, str::FromStr, time::Duration};
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};

/// How long a browser need not ask again.
const MAX_AGE: Duration = Duration::from_secs(3_600);

/// Not an origin.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected an origin as browsers send it, such as https://app.example or http://127.0.0.1:5173, or \"*\" for all of them, got {0:?}")]
pub struct OriginError(String);

/// Where a page is from: scheme, host and port, or `*`: anywhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin(String);

impl Origin {
    /// All of them.
    pub fn any() -> Self {
        Self("*".to_owned())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    /// Compared as text by who uses it, so it must be written as browsers write it: in small letters, without a path, without the port that goes without saying.
    fn from_str(text: &str) -> Result<Self, OriginError> {
        let is_origin = |uri: Uri| {
            let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return false };
            let has_port = authority.as_str().rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
            if has_port != authority.port_u16().is_some() {
                return false;
            }
            let goes_without_saying = matches!((scheme, authority.port_u16()), ("http", Some(80)) | ("https", Some(443)));
            let written = format!("{scheme}://{authority}");
            written == text && written == written.to_ascii_lowercase() && !written.contains(['@', '*']) && !goes_without_saying
        };
        if text == "*" || text.parse().is_ok_and(is_origin) { Ok(Self(text.to_owned())) } else { Err(OriginError(text.to_owned())) }
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}

/// Answers that pages of some origins may read, as a tower layer.
#[derive(Clone, Debug)]
pub struct Shared(CorsLayer);

impl Shared {
    /// With pages of these origins. `None`: with nobody, as a browser has it without us.
    pub fn with(origins: &[Origin]) -> Option<Self> {
        if origins.is_empty() {
            return None;
        }
        let named = origins.iter().filter_map(|Origin(text)| HeaderValue::from_str(text).ok());
        let allowed = if origins.contains(&Origin::any()) { AllowOrigin::any() } else { AllowOrigin::list(named) };
        Some(Self(CorsLayer::new().allow_origin(allowed).max_age(MAX_AGE)))
    }

    /// For an interface whose requests are known: these methods, these headers.
    pub fn taking<const M: usize, const H: usize>(self, methods: [Method; M], headers: [HeaderName; H]) -> CorsLayer {
        self.0.allow_methods(methods).allow_headers(headers)
    }

    /// For any requests: what they are is another's business, who stands behind.
    pub fn taking_all(self) -> CorsLayer {
        self.0.allow_methods(AllowMethods::mirror_request()).allow_headers(AllowHeaders::mirror_request())
    }
}

/// True for a browser's question whether a page may send a request, which is none by itself.
pub fn is_preflight<B>(request: &axum::http::Request<B>) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ORIGIN)
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for good in ["*", "https://app.example", "http://127.0.0.1:5173", "http://localhost:3000", "https://app.example:8443", "http://[::1]:80000"] {
            let is_good = good.parse::<Origin>().is_ok();
            assert_eq!(is_good, !good.ends_with("80000"), "{good}");
        }
        for bad in [
            "",
            "null",
            "app.example",
            "https://",
            "https://app.example/",
            "https://app.example/path",
            "https://App.example",
            "https://app.example:443",
            "http://app.example:80",
            "https://*.example",
            "https://me@app.example",
            "https://app.example?x",
            " https://app.example",
            "https://app.example, https://b.example",
        ] {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
    }
}
