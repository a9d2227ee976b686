//! Pages of other origins that buy and read: what a browser must be told before it lets them.
//!
//! Preflights are answered here. They cost nothing, and are never passed on: a web server that answers `OPTIONS` with a page would give it away.

use axum::{
    Router,
    extract::Request,
    http::{HeaderName, Method, header},
    response::Response,
};
use rivulet_client::buy::wire::{PAYMENT_REQUIRED, PAYMENT_RESPONSE};
use rivulet_http::cors::{self, Origin, Shared};
use std::convert::Infallible;
use tower::{Layer, ServiceExt, service_fn};
use tower_http::cors::CorsLayer;

/// What a page may read of an answer. The star stands for all of it; old browsers do not know it, and get what they need by name.
const READABLE: [HeaderName; 9] = [
    HeaderName::from_static(PAYMENT_REQUIRED),
    HeaderName::from_static(PAYMENT_RESPONSE),
    header::ACCEPT_RANGES,
    header::CONTENT_RANGE,
    header::CONTENT_LENGTH,
    header::ETAG,
    header::LOCATION,
    header::RETRY_AFTER,
    HeaderName::from_static("*"),
];

/// For pages of these origins, around a server with a [paywall layer](crate::layer::PaywallLayer). `None`: for nobody.
///
/// ```
/// # fn example(app: axum::Router, paywall: rivulet_paywall::paywall::Paywall) -> Option<axum::Router> {
/// let app = app.layer(paywall.layer()).layer(rivulet_paywall::cors::layer(&["https://app.example".parse().ok()?])?);
/// # Some(app) }
/// ```
pub fn layer(origins: &[Origin]) -> Option<CorsLayer> {
    // Whatever method and headers a page asks for are allowed, PAYMENT-SIGNATURE and Range among them: what they do is the web server's business.
    Some(Shared::with(origins)?.taking_all().expose_headers(READABLE))
}

/// Around all of the paywall.
pub(crate) fn around(router: Router, origins: &[Origin]) -> Router {
    let Some(layer) = layer(origins) else { return router };
    let shared = layer.layer(router.clone());
    let choose = move |request: Request| {
        let (shared, plain) = (shared.clone(), router.clone());
        async move {
            // The layer takes every OPTIONS for a preflight; one that is none is a request as any other.
            let is_other = request.method() == Method::OPTIONS && !cors::is_preflight(&request);
            let response: Response = if is_other { plain.oneshot(request).await? } else { shared.oneshot(request).await? };
            Ok::<_, Infallible>(response)
        }
    };
    Router::new().fallback_service(service_fn(choose))
}
