//! Passes requests on to the web server behind, and its answers back, as they come: nothing is held whole.

use crate::{
    answer,
    config::{Config, Limits},
    denied::Denied,
    paywall::{Paid, Paywall, Quote},
};
use axum::{
    body::Body,
    extract::{ConnectInfo, Request},
    http::{
        HeaderMap, HeaderName, HeaderValue, Uri, header,
        uri::{PathAndQuery, Scheme},
    },
    response::Response,
};
use futures::{StreamExt, stream::unfold};
use http_body_util::{LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rivulet_http::{tls::TlsError, trust};
use rivulet_rules::text;
use std::{error::Error, net::SocketAddr, time::Duration};
use tokio::time::timeout;

/// For one connection only, and not passed on (RFC 9110, 7.6.1). `Upgrade` is handled apart.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// What the web server is told of who paid. Nobody else may say it.
const OURS: [HeaderName; 3] =
    [HeaderName::from_static("x-rivulet-payer"), HeaderName::from_static("x-rivulet-channel"), HeaderName::from_static("x-rivulet-purchase")];

/// How a web server says which pages may read its answers.
const SHARING: [HeaderName; 6] = [
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
    header::ACCESS_CONTROL_ALLOW_METHODS,
    header::ACCESS_CONTROL_ALLOW_HEADERS,
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
    header::ACCESS_CONTROL_MAX_AGE,
];

/// What some web servers take for the path.
const REWRITES: [&str; 2] = ["x-original-url", "x-rewrite-url"];

/// A reverse proxy. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Proxy {
    client: Client<HttpsConnector<HttpConnector>, Limited<Body>>,
    paywall: Paywall,
    scheme: Scheme,
    authority: String,
    /// Put before each path; without a slash at its end.
    base: String,
    limits: Limits,
    trust_forwarded: bool,
    /// How clients come, when nobody in front is believed.
    proto: HeaderValue,
    /// True: who may read is the paywall's to say.
    is_cors_ours: bool,
}

impl Proxy {
    /// To the web server that the configuration names.
    ///
    /// # Errors
    ///
    /// When it is at an `https://` URL, and there are no certificates to check it by.
    pub fn new(paywall: Paywall, config: &Config) -> Result<Self, TlsError> {
        let Config { limits, trust_forwarded, .. } = config;
        let upstream: Uri = config.upstream.parse().unwrap_or_default();
        let scheme = upstream.scheme().cloned().unwrap_or(Scheme::HTTP);
        let trusted = if scheme == Scheme::HTTPS { trust::client(config.upstream_ca_file.as_deref())? } else { trust::nobody()? };
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(Duration::from_millis(limits.upstream_timeout_ms)));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            // A header's spelling is the client's.
            .http1_preserve_header_case(true)
            .build(HttpsConnectorBuilder::new().with_tls_config(trusted).https_or_http().enable_http1().wrap_connector(connector));
        Ok(Self {
            client,
            paywall,
            scheme,
            authority: upstream.authority().map(ToString::to_string).unwrap_or_default(),
            base: upstream.path().trim_end_matches('/').to_owned(),
            limits: limits.clone(),
            trust_forwarded: *trust_forwarded,
            proto: HeaderValue::from_static(if config.tls_key_file.is_some() { "https" } else { "http" }),
            is_cors_ours: !config.cors_origins.is_empty(),
        })
    }

    /// Passes one request on.
    pub async fn forward(&self, request: Request) -> Response {
        let wanted = request.headers().clone();
        match self.try_forward(request).await {
            Ok(response) => response,
            Err(denied) => answer::denied(&self.paywall, &denied, &Quote { prices: Vec::new(), request: String::new() }, &wanted),
        }
    }

    async fn try_forward(&self, request: Request) -> Result<Response, Denied> {
        let (mut head, body) = request.into_parts();
        // An offer of HTTP/2 may be passed over in silence; any other upgrade would be bytes that nobody counts.
        if let Some(to) = head.headers.get(header::UPGRADE).filter(|to| !to.as_bytes().eq_ignore_ascii_case(b"h2c")) {
            let to = text::shown(&String::from_utf8_lossy(to.as_bytes()));
            return Err(Denied::new(
                "upgrade_not_supported",
                format!("an upgrade to {to} is not passed on: what goes through it could not be counted"),
            ));
        }
        let length = head.headers.get(header::CONTENT_LENGTH).and_then(|l| l.to_str().ok()?.parse::<u64>().ok());
        let most = self.limits.max_body_bytes;
        let too_large = || Denied::new("body_too_large", format!("expected at most {most} bytes"));
        if length.is_some_and(|length| length > most) {
            return Err(too_large());
        }
        head.uri = self.uri(&head.uri)?;
        self.prepare(&mut head.headers, head.extensions.get::<ConnectInfo<SocketAddr>>(), head.extensions.get::<Paid>());
        head.version = axum::http::Version::HTTP_11;
        let body = Limited::new(body, usize::try_from(most).unwrap_or(usize::MAX));
        let wait = Duration::from_millis(self.limits.upstream_timeout_ms);
        let answered = timeout(wait, self.client.request(Request::from_parts(head, body))).await;
        let response = match answered {
            Ok(Ok(response)) => response,
            Ok(Err(e)) if is_too_long(&e) => return Err(too_large()),
            Ok(Err(e)) => {
                self.paywall.metrics().upstream_failed();
                tracing::warn!(error = %e, because = causes(&e), upstream = self.authority, "the web server does not answer");
                return Err(Denied::new("upstream_unreachable", "the web server does not answer; nothing was charged"));
            }
            Err(_) => {
                self.paywall.metrics().upstream_failed();
                tracing::warn!(after_ms = self.limits.upstream_timeout_ms, "the web server does not answer in time");
                return Err(Denied::new("upstream_timeout", "the web server does not answer in time; nothing was charged"));
            }
        };
        let (mut head, body) = response.into_parts();
        remove_hop_by_hop(&mut head.headers);
        OURS.iter().for_each(|name| drop(head.headers.remove(name)));
        if self.is_cors_ours {
            // Ours says who may read, for all that is answered; with a part of another's it would say something that neither meant.
            SHARING.iter().for_each(|name| drop(head.headers.remove(name)));
        }
        Ok(Response::from_parts(head, self.unless_silent(Body::new(body))))
    }

    fn uri(&self, of: &Uri) -> Result<Uri, Denied> {
        let target = of.path_and_query().map_or("/", PathAndQuery::as_str);
        let uri = Uri::builder().scheme(self.scheme.clone()).authority(self.authority.as_str()).path_and_query(format!("{}{target}", self.base));
        uri.build().map_err(|e| Denied::new("bad_path", e.to_string()))
    }

    /// What the web server is told.
    fn prepare(&self, headers: &mut HeaderMap, peer: Option<&ConnectInfo<SocketAddr>>, paid: Option<&Paid>) {
        remove_hop_by_hop(headers);
        OURS.iter().for_each(|name| drop(headers.remove(name)));
        // Some web servers take the path from these: another one than was paid for.
        REWRITES.iter().for_each(|name| drop(headers.remove(*name)));
        let peer = peer.map(|ConnectInfo(peer)| peer.ip().to_string());
        let before: Vec<_> = headers.get_all(FORWARDED_FOR).iter().filter_map(|v| v.to_str().ok().map(str::to_owned)).collect();
        let hops = if self.trust_forwarded { before } else { Vec::new() };
        let hops = hops.into_iter().chain(peer).collect::<Vec<_>>().join(", ");
        let host = headers.get(header::HOST).cloned();
        let mut set = |name, value: Option<HeaderValue>, keeps: bool| {
            if !(keeps && headers.contains_key(&name)) {
                headers.remove(&name);
                value.and_then(|value| headers.insert(name, value));
            }
        };
        set(FORWARDED_FOR, hops.try_into().ok(), false);
        set(FORWARDED_PROTO, Some(self.proto.clone()), self.trust_forwarded);
        set(FORWARDED_HOST, host, self.trust_forwarded);
        set(header::FORWARDED, None, self.trust_forwarded);
        if let Some(Paid { payer, number, id, .. }) = paid {
            let values = [payer.to_string(), number.to_string(), text::hex(&id.nonce)];
            for (name, value) in OURS.iter().zip(values) {
                set(name.clone(), value.try_into().ok(), false);
            }
        }
    }

    /// An answer that ends with an error when the web server is silent for too long. How slowly the client reads does not count.
    fn unless_silent(&self, body: Body) -> Body {
        let most = Duration::from_millis(self.limits.idle_timeout_ms);
        let data = body.into_data_stream();
        Body::from_stream(unfold(Some(data), move |data| async move {
            let mut data = data?;
            match timeout(most, data.next()).await {
                Ok(Some(Ok(chunk))) => Some((Ok(chunk), Some(data))),
                Ok(Some(Err(e))) => Some((Err(std::io::Error::other(e)), None)),
                Ok(None) => None,
                Err(_) => Some((Err(std::io::Error::other("the web server is silent")), None)),
            }
        }))
    }
}

/// Why, down to the bottom: "client error (Connect)" alone helps nobody.
fn causes(e: &(dyn Error + 'static)) -> String {
    std::iter::successors(e.source(), |e| (*e).source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn is_too_long(e: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(e), |e| (*e).source()).any(|e| e.is::<LengthLimitError>())
}

/// Takes out what is for one connection, with what `Connection` names besides.
fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}
