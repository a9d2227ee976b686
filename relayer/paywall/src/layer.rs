//! The paywall around a service: a tower layer, for axum and for the proxy alike.

use crate::{
    answer, meter, offer,
    paywall::{Decision, Grant, Paywall},
    price::Unit,
};
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::future::BoxFuture;
use rivulet_client::buy::wire::{PAYMENT_RESPONSE, PAYMENT_SIGNATURE, PaymentResponse, ResponseExtra};
use std::task::{Context, Poll};
use tower::{Layer, Service};

/// Puts a paywall around a service.
#[derive(Clone, Debug)]
pub struct PaywallLayer(Paywall);

impl Paywall {
    /// As a layer: `Router::new().route(…).layer(paywall.layer())`. What was paid is in the request's extensions, as [`Paid`](crate::paywall::Paid).
    pub fn layer(&self) -> PaywallLayer {
        PaywallLayer(self.clone())
    }
}

impl<S> Layer<S> for PaywallLayer {
    type Service = Walled<S>;
    fn layer(&self, inner: S) -> Walled<S> {
        Walled { inner, paywall: self.0.clone() }
    }
}

/// A service behind a paywall.
#[derive(Clone, Debug)]
pub struct Walled<S> {
    inner: S,
    paywall: Paywall,
}

impl<S> Service<Request> for Walled<S>
where
    S: Service<Request> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
{
    type Response = Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The one that is ready goes; its copy stays.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        let paywall = self.paywall.clone();
        Box::pin(async move {
            let (mut head, body) = request.into_parts();
            match paywall.decide(&head).await {
                Decision::Free => Ok(inner.call(Request::from_parts(head, body)).await?.into_response()),
                Decision::Denied(denied, quote) => Ok(answer::denied(&paywall, &denied, &quote, &head.headers)),
                Decision::Granted(grant) => {
                    // A purchase is the payer's word to us, and to nobody behind.
                    head.headers.remove(PAYMENT_SIGNATURE);
                    head.extensions.insert(grant.paid.clone());
                    let response = inner.call(Request::from_parts(head, body)).await?.into_response();
                    Ok(settle(&paywall, *grant, response).await)
                }
            }
        })
    }
}

/// Answers that are worth their price. Errors and "you have it already" are not; a redirect may be all that there is to buy.
fn is_worth(status: StatusCode) -> bool {
    (status.is_success() || status.is_redirection()) && status != StatusCode::NOT_MODIFIED
}

async fn settle(paywall: &Paywall, grant: Grant, mut response: Response) -> Response {
    let Grant { paid, due, cost, flight } = grant;
    let is_served = is_worth(response.status());
    let (charged, cost) = if is_served {
        flight.served();
        (due, cost)
    } else {
        let back = paywall.not_served(&paid.price.coin, paid.id, flight).await;
        (due.saturating_sub(back), cost.saturating_sub(back))
    };
    let told = PaymentResponse {
        success: is_served,
        error_reason: (!is_served).then(|| "not_served".into()),
        payer: paid.payer.to_string(),
        transaction: offer::nonce(&paid.id.nonce),
        network: paywall.terms().network.clone(),
        amount: charged.to_string(),
        extra: ResponseExtra { state: paywall.state(&paid), cost: cost.to_string() },
    };
    let headers = response.headers_mut();
    if let Some(value) = offer::header(&told) {
        headers.insert(HeaderName::from_static(PAYMENT_RESPONSE), value);
    }
    // Whatever the web server thinks: a cache would give it away, or show it to another.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.remove(header::EXPIRES);
    headers.remove(header::AGE);
    if !is_served || paid.price.unit == Unit::Request {
        return response;
    }
    let (head, body) = response.into_parts();
    Response::from_parts(head, meter::metered(paywall, paid, body)).map(Body::new)
}
