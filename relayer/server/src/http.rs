//! Connections: HTTP/1.1 over what a listener hands out, with a time limit on the head of each request.
//!
//! `axum::serve` has no such limit: a client that sends a byte a minute would hold its connection for ever.

use crate::api::client::Peer;
use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    serve::Listener,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{future::Future, net::SocketAddr, pin::pin, time::Duration};
use tokio::{sync::watch, task::JoinSet};
use tower_service::Service;

/// Serves until `stop` is done; then takes no new connection, and ends when those that are open have had their answers.
///
/// A connection on which no whole request head comes within `head_timeout`, idle or not, is closed.
pub async fn serve<L>(mut listener: L, router: Router, head_timeout: Duration, stop: impl Future<Output = ()> + Send)
where
    L: Listener<Addr = SocketAddr>,
{
    let (tell, told) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            // Those that have ended need no place any more.
            Some(_) = connections.join_next() => {}
            (io, peer) = listener.accept() => {
                connections.spawn(connection(io, Peer(peer), router.clone(), head_timeout, told.clone()));
            }
        }
    }
    drop(listener);
    // Each connection hears that it has ended.
    drop(tell);
    while connections.join_next().await.is_some() {}
}

async fn connection<Io>(io: Io, peer: Peer, router: Router, head_timeout: Duration, mut told: watch::Receiver<()>)
where
    Io: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let answer = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        // A router is always ready.
        router.clone().call(request)
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(head_timeout);
    let mut serving = pin!(builder.serve_connection(TokioIo::new(io), answer));
    tokio::select! {
        result = serving.as_mut() => return log(result),
        _ = told.changed() => serving.as_mut().graceful_shutdown(),
    }
    log(serving.await);
}

/// Clients come and go as they like: nothing of it is the operator's business.
fn log(result: hyper::Result<()>) {
    if let Err(e) = result {
        tracing::trace!(error = %e, "a connection ended");
    }
}
