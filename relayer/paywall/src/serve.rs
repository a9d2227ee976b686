//! The paywall as a daemon: listens, passes on, ends in good order.

use crate::{
    answer,
    config::{Config, Limits},
    denied::Denied,
    paywall::{Paywall, Quote, StartError},
    proxy::Proxy,
};
use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use rivulet_chain::Deployment;
use rivulet_client::buy::wire::{PAYMENT_SIGNATURE, SCHEME};
use serde_json::json;
use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
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
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// A paywall in front of a web server, ready to run.
#[derive(Debug)]
pub struct Server {
    config: Config,
    paywall: Paywall,
}

impl Server {
    /// Opens the store and reads the price list.
    ///
    /// # Errors
    ///
    /// When one of them cannot be used.
    pub fn new(config: Config, deployment: &Deployment) -> Result<Self, StartError> {
        let paywall = Paywall::open(&config, deployment)?;
        Ok(Self { config, paywall })
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
        let metrics = match self.config.metrics_listen {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let tidying = tokio::spawn(tidy(self.paywall.clone()));
        let counting = metrics.map(|listener| tokio::spawn(axum::serve(listener, metrics_router(self.paywall.clone())).into_future()));
        let address = listener.local_addr().map_or_else(|_| self.config.listen.to_string(), |a| a.to_string());
        tracing::info!(address, upstream = self.config.upstream, prices = self.paywall.rules().list().len(), "listening");
        accept(listener, router(&self.paywall, &self.config), &self.config.limits, &mut stop).await;
        tidying.abort();
        if let Some(counting) = counting {
            counting.abort();
        }
        tracing::info!("stopped");
        Ok(())
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
    let mut is_told = false;
    loop {
        match paywall.check_relayer().await {
            Err(StartError::Relayer(e)) => {
                if !std::mem::replace(&mut is_told, true) {
                    tracing::warn!(error = %e, "waiting for the relayer");
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

fn router(paywall: &Paywall, config: &Config) -> Router {
    let upstream = config.upstream.parse().unwrap_or_default();
    let proxy = Proxy::new(paywall.clone(), &upstream, config.limits.clone(), config.trust_forwarded);
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
async fn accept(listener: TcpListener, router: Router, limits: &Limits, stop: &mut watch::Receiver<bool>) {
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
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(e) => {
                    // Too many open files, most likely: some will be closed.
                    tracing::warn!(error = %e, "cannot accept a connection");
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = told(stop) => break,
        };
        // Small answers are not held back for more.
        let _ = connection.set_nodelay(true);
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
