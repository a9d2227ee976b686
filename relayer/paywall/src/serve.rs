//! The paywall as a daemon: listens, passes on, ends in good order.

use crate::{
    answer,
    config::{Config, Limits},
    cors,
    denied::Denied,
    paywall::{Paywall, Quote, StartError},
    proxy::{Proxy, causes},
};
use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::Listener,
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use rivulet_chain::Deployment;
use rivulet_client::buy::wire::{PAYMENT_SIGNATURE, SCHEME};
use rivulet_http::tls::{Tls, TlsError, TlsListener};
use serde_json::json;
use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tower::{Layer, ServiceExt, service_fn};

/// Where the paywall's own routes are. Nothing of a web server can be there: the name is registered for the paywall alone.
pub const OWN: &str = "/.well-known/rivulet";

/// Why it does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It cannot be made.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}. Is another program there? `listen` and `metrics_listen` say where")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// A paywall in front of a web server, ready to run.
#[derive(Debug)]
pub struct Server {
    config: Config,
    paywall: Paywall,
    proxy: Proxy,
    tls: Option<Arc<Tls>>,
    reload: Arc<Notify>,
}

impl Server {
    /// Opens the store, reads the price list and the certificates.
    ///
    /// # Errors
    ///
    /// When one of them cannot be used.
    pub fn new(config: Config, deployment: &Deployment) -> Result<Self, StartError> {
        let tls = tls_of(&config)?.map(Arc::new);
        let paywall = Paywall::open(&config, deployment)?;
        let proxy = Proxy::new(paywall.clone(), &config)?;
        Ok(Self { config, paywall, proxy, tls, reload: Arc::default() })
    }

    /// Told: read the certificate and its key again.
    pub fn reload(&self) -> Arc<Notify> {
        Arc::clone(&self.reload)
    }

    /// What it decides by.
    pub fn paywall(&self) -> &Paywall {
        &self.paywall
    }

    /// Waits for the relayer, then serves until `stop` says true.
    ///
    /// # Errors
    ///
    /// When the relayer does not fit, or an address cannot be listened on.
    pub async fn run(self, mut stop: watch::Receiver<bool>) -> Result<(), ServeError> {
        let listener = listen(self.config.listen).await?;
        tokio::select! {
            fits = wait_for_relayer(&self.paywall) => fits?,
            () = told(&mut stop) => return Ok(()),
        }
        self.serve(listener, stop).await
    }

    /// As [`Server::run`], on a socket that listens already, and without asking the relayer first.
    ///
    /// # Errors
    ///
    /// When the address of `/metrics` cannot be listened on.
    pub async fn serve(self, listener: TcpListener, mut stop: watch::Receiver<bool>) -> Result<(), ServeError> {
        let Self { config, paywall, proxy, tls, reload } = self;
        let metrics = match config.metrics_listen {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let mut beside = JoinSet::new();
        beside.spawn(tidy(paywall.clone()));
        if let Some(listener) = metrics {
            let counted = paywall.clone();
            beside.spawn(async move { drop(axum::serve(listener, metrics_router(counted)).await) });
        }
        let address = listener.local_addr().map_or_else(|_| config.listen.to_string(), |a| a.to_string());
        tracing::info!(address, tls = tls.is_some(), upstream = config.upstream, prices = paywall.rules().list().len(), "listening");
        let router = cors::around(router(&paywall, proxy), &config.cors_origins);
        match tls {
            Some(tls) => {
                let reloaded = Arc::clone(&tls);
                beside.spawn(async move { reloaded.reload_when_told(&reload).await });
                let listener = TlsListener::new(listener, tls).map_err(|source| ServeError::Listen { address: config.listen, source })?;
                accept(listener, router, &config.limits, &mut stop).await;
            }
            None => accept(Plain(listener), router, &config.limits, &mut stop).await,
        }
        // With it, what runs beside ends.
        drop(beside);
        tracing::info!("stopped");
        Ok(())
    }
}

/// The certificate and its key, when the configuration names them.
///
/// # Errors
///
/// When they cannot be used.
pub fn tls_of(config: &Config) -> Result<Option<Tls>, TlsError> {
    let files = config.tls_certificate_file.as_deref().zip(config.tls_key_file.as_deref());
    files.map(|(certificate, key)| Tls::load(certificate, key)).transpose()
}

/// Connections by plain HTTP.
struct Plain(TcpListener);

impl Listener for Plain {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((stream, peer)) => {
                    // Small answers are not held back for more.
                    let _ = stream.set_nodelay(true);
                    return (stream, peer);
                }
                Err(e) => {
                    // Too many open files, most likely: some will be closed.
                    tracing::warn!(error = %e, "cannot accept a connection");
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })
}

async fn told(stop: &mut watch::Receiver<bool>) {
    // An error means that whoever could tell is gone: stop.
    let _ = stop.wait_for(|told| *told).await;
}

/// A relayer that starts later is waited for; one that does not fit ends it.
async fn wait_for_relayer(paywall: &Paywall) -> Result<(), StartError> {
    let mut told = String::new();
    loop {
        match paywall.check_relayer().await {
            Err(StartError::Relayer(e)) => {
                let because = causes(&e);
                // Once, and again when it is something else.
                if because != told {
                    tracing::warn!(error = %e, because, relayer = paywall.relayer(), "waiting for the relayer: nothing is served until it answers");
                    told = because;
                }
                sleep(Duration::from_secs(1)).await;
            }
            other => return other,
        }
    }
}

async fn tidy(paywall: Paywall) {
    loop {
        paywall.forget().await;
        sleep(Duration::from_secs(3_600)).await;
    }
}

fn router(paywall: &Paywall, proxy: Proxy) -> Router {
    let behind = service_fn(move |request: Request| {
        let proxy = proxy.clone();
        async move { Ok::<_, Infallible>(proxy.forward(request).await) }
    });
    let own = Router::new()
        .route(OWN, get(prices))
        .route(&format!("{OWN}/health"), get(|| async { json_of(&json!({ "status": "ok" })) }))
        .route(&format!("{OWN}/pay"), post(pay))
        .route(&format!("{OWN}/{{*rest}}"), axum::routing::any(no_such_route))
        .with_state(paywall.clone());
    own.fallback_service(paywall.layer().layer(behind))
}

fn metrics_router(paywall: Paywall) -> Router {
    let text = [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
    Router::new()
        .route("/metrics", get(move || async move { (text, paywall.metrics().text()) }))
        .route("/health", get(|| async { json_of(&json!({ "status": "ok" })) }))
}

fn json_of(body: &impl serde::Serialize) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (headers, serde_json::to_string(body).unwrap_or_default()).into_response()
}

/// `GET /.well-known/rivulet`: what costs what, and how it is paid.
async fn prices(State(paywall): State<Paywall>) -> Response {
    let terms = paywall.terms();
    let list: Vec<_> = paywall
        .rules()
        .list()
        .iter()
        .map(|rule| json!({ "path": rule.pattern.text(), "prices": rule.prices.iter().map(ToString::to_string).collect::<Vec<_>>() }))
        .collect();
    let body = json!({
        "x402Version": 2, "scheme": SCHEME, "network": terms.network, "channels": terms.channels, "payTo": terms.payee,
        "relayer": terms.relayer, "maxTimeoutSeconds": terms.window_secs, "prices": list,
    });
    json_of(&body)
}

fn refused(paywall: &Paywall, denied: &Denied, headers: &HeaderMap) -> Response {
    answer::denied(paywall, denied, &Quote { prices: Vec::new(), request: String::new() }, headers)
}

/// `POST /.well-known/rivulet/pay`: raises a purchase that goes on.
async fn pay(State(paywall): State<Paywall>, headers: HeaderMap) -> Response {
    let Some(header) = headers.get(PAYMENT_SIGNATURE) else {
        return refused(&paywall, &Denied::malformed("PAYMENT-SIGNATURE: expected the purchase that is to be raised"), &headers);
    };
    match paywall.raise(header.as_bytes()).await {
        Ok(state) => json_of(&state),
        Err(denied) => refused(&paywall, &denied, &headers),
    }
}

async fn no_such_route(State(paywall): State<Paywall>, headers: HeaderMap) -> Response {
    refused(&paywall, &Denied::new("no_such_route", format!("there are {OWN}, {OWN}/health and {OWN}/pay")), &headers)
}

/// Serves connections until it is told to stop; then answers what is under way.
async fn accept<L: Listener<Addr = SocketAddr>>(mut listener: L, router: Router, limits: &Limits, stop: &mut watch::Receiver<bool>) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(limits.max_connections));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(limits.head_timeout_ms))
        .max_buf_size(limits.max_head_bytes)
        .preserve_header_case(true);
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = told(stop) => break,
        };
        let (connection, peer) = tokio::select! {
            accepted = listener.accept() => accepted,
            () = told(stop) => break,
        };
        let service = router.clone().map_request(move |mut request: Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            request
        });
        let serving = graceful.watch(http.serve_connection(TokioIo::new(connection), TowerToHyperService::new(service)));
        tokio::spawn(async move {
            if let Err(e) = serving.await {
                tracing::debug!(error = %e, "a connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    tracing::info!("stopping: no new requests");
    if timeout(Duration::from_millis(limits.drain_timeout_ms), graceful.shutdown()).await.is_err() {
        tracing::warn!("answers under way did not end in time");
    }
}
