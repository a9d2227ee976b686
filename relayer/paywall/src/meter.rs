//! Answers that are charged while they are sent: each step before it, and not one byte or second further.
//!
//! When nothing is left and nobody raises the purchase in time, the answer breaks off: the client sees that it is not whole, and goes on with a `Range` (or a
//! new request, of what is live) under a new nonce.

use crate::{
    metrics::Metrics,
    paywall::{Paid, Paywall},
    price::Unit,
    store::StoreError,
};
use axum::body::{Body, Bytes};
use futures::{Stream, StreamExt, stream::unfold};
use std::{pin::Pin, time::Duration};
use tokio::time::{Instant, sleep_until};

type Data = Pin<Box<dyn Stream<Item = Result<Bytes, axum::Error>> + Send>>;

/// Counted as under way for as long as it lives.
struct Counted(Metrics);

impl Counted {
    fn new(metrics: Metrics) -> Self {
        metrics.streaming(1);
        Self(metrics)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.streaming(-1);
    }
}

struct Metered {
    paywall: Paywall,
    paid: Paid,
    data: Data,
    _counted: Counted,
    /// What has come and is not paid for.
    waiting: Bytes,
    /// Bytes that are paid for.
    left: u64,
    /// Until when is paid.
    until: Instant,
}

fn cut(e: &StoreError) -> axum::Error {
    axum::Error::new(std::io::Error::other(format!("the answer ends here: {e}")))
}

/// An answer whose first step is paid.
pub fn metered(paywall: &Paywall, paid: Paid, body: Body) -> Body {
    let data = Box::pin(body.into_data_stream().map(|chunk| chunk.map_err(axum::Error::new)));
    let counted = Counted::new(paywall.metrics().clone());
    let unit = paid.price.unit;
    let mut metered = Metered { paywall: paywall.clone(), paid, data, _counted: counted, waiting: Bytes::new(), left: 0, until: Instant::now() };
    match unit {
        Unit::Request => Body::from_stream(metered.data),
        Unit::Bytes(step) => {
            metered.left = step;
            Body::from_stream(unfold(Some(metered), move |state| async move { by_bytes(state?, step).await }))
        }
        Unit::Secs(step) => {
            let step = Duration::from_secs(step);
            metered.until += step;
            Body::from_stream(unfold(Some(metered), move |state| async move { by_time(state?, step).await }))
        }
    }
}

type Next = Option<(Result<Bytes, axum::Error>, Option<Metered>)>;

async fn by_bytes(mut m: Metered, step: u64) -> Next {
    while m.waiting.is_empty() {
        match m.data.next().await? {
            Ok(chunk) => m.waiting = chunk,
            Err(e) => return Some((Err(e), None)),
        }
    }
    // Only when there is something to send: a file that ends with a step needs no further one.
    if m.left == 0 {
        if let Err(e) = m.paywall.charge_steps(&m.paid, 1).await {
            return Some((Err(cut(&e)), None));
        }
        m.left = step;
    }
    let fits = usize::try_from(m.left).unwrap_or(usize::MAX).min(m.waiting.len());
    let chunk = m.waiting.split_to(fits);
    m.left = m.left.saturating_sub(fits as u64);
    Some((Ok(chunk), Some(m)))
}

async fn by_time(mut m: Metered, step: Duration) -> Next {
    loop {
        let now = Instant::now();
        if now >= m.until {
            // A client that reads slowly holds the connection too: all of the time is charged.
            let late = now.saturating_duration_since(m.until);
            let steps = u64::try_from(late.as_nanos() / step.as_nanos().max(1)).unwrap_or(u64::MAX).saturating_add(1);
            if let Err(e) = m.paywall.charge_steps(&m.paid, steps).await {
                return Some((Err(cut(&e)), None));
            }
            m.until += step.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX));
            // What was waited for a raise was not served.
            m.until = m.until.max(Instant::now());
        }
        tokio::select! {
            chunk = m.data.next() => return Some((chunk?, Some(m))),
            () = sleep_until(m.until) => {}
        }
    }
}
