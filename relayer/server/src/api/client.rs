//! Who a request comes from, and how often that may come.

use super::{Api, problem::Problem};
use crate::{net, rate::RateLimits};
use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State},
    http::{HeaderMap, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

/// Where a connection comes from, whatever carries it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer(pub SocketAddr);

/// An address and its budget.
#[derive(Clone, Debug)]
pub struct Client {
    address: IpAddr,
    limits: Option<Arc<RateLimits<IpAddr>>>,
}

impl Client {
    /// Takes from its budget.
    ///
    /// # Errors
    /// `rate_limited`.
    pub fn take(&self, count: usize) -> Result<(), Problem> {
        let Some(limits) = &self.limits else { return Ok(()) };
        limits.take(self.address, count).map_err(|wait| Problem::rate_limited("this address", wait))
    }
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let nobody = || Self { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), limits: None };
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(nobody))
    }
}

fn address_of(request: &Request, api: &Api) -> IpAddr {
    let peer = request.extensions().get::<ConnectInfo<Peer>>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.0.ip());
    let lines = |headers: &HeaderMap| headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok().map(str::to_owned)).collect();
    let forwarded: Vec<String> = lines(request.headers());
    let forwarded: Vec<_> = forwarded.iter().map(String::as_str).collect();
    net::limited_by(net::client(peer, &forwarded, &api.config.http.trusted_proxies))
}

/// Counts a request against its address.
pub async fn limit(State((api, limits)): State<(Api, Option<Arc<RateLimits<IpAddr>>>)>, mut request: Request, next: Next) -> Response {
    let client = Client { address: address_of(&request, &api), limits };
    if let Err(problem) = client.take(1) {
        return problem.into_response();
    }
    request.extensions_mut().insert(client);
    next.run(request).await
}
