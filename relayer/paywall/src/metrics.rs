//! What the paywall counts, for Prometheus.

use prometheus_client::{
    encoding::text::encode,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use std::{
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
    time::Duration,
};

type Labels = Vec<(&'static str, String)>;

/// The counters. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    requests: Family<Labels, Counter>,
    denied: Family<Labels, Counter>,
    charged: Family<Labels, Counter<f64, AtomicU64>>,
    returned: Family<Labels, Counter<f64, AtomicU64>>,
    decision: Histogram,
    upstream_failures: Counter,
    streaming: Gauge,
    cut: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("rivulet_paywall");
        let decision = Histogram::new(exponential_buckets(0.000_25, 2.0, 16));
        let new = Self {
            registry: Arc::default(),
            requests: Family::default(),
            denied: Family::default(),
            charged: Family::default(),
            returned: Family::default(),
            decision,
            upstream_failures: Counter::default(),
            streaming: Gauge::default(),
            cut: Counter::default(),
        };
        registry.register(
            "requests",
            "Requests, by what became of them: free, granted, again (a purchase that had been paid), denied",
            new.requests.clone(),
        );
        registry.register("denied", "Requests that were not granted, by code", new.denied.clone());
        registry.register("charged_units", "What was charged, in the token's smallest unit, by token", new.charged.clone());
        registry.register("returned_units", "What was given back because the web server did not serve it, by token", new.returned.clone());
        registry.register("decision_seconds", "How long it took to grant a paid request: the relayer's disk and ours", new.decision.clone());
        registry.register("upstream_failures", "Answers that the web server did not give", new.upstream_failures.clone());
        registry.register("streaming", "Answers under way that are charged by step", new.streaming.clone());
        registry.register("cut", "Answers charged by step that ended because nothing was left", new.cut.clone());
        *new.registry.lock().unwrap_or_else(PoisonError::into_inner) = registry;
        // Shown from the start, so that a rate can be taken of them.
        for outcome in ["free", "granted", "again", "denied"] {
            drop(new.requests.get_or_create(&vec![("outcome", outcome.to_owned())]));
        }
        new
    }
}

impl Metrics {
    /// A request ended so.
    pub fn request(&self, outcome: &'static str) {
        self.requests.get_or_create(&vec![("outcome", outcome.to_owned())]).inc();
    }

    /// A request was not granted.
    pub fn denied(&self, code: &str) {
        self.request("denied");
        self.denied.get_or_create(&vec![("code", code.to_owned())]).inc();
    }

    /// So much was charged.
    pub fn charged(&self, token: &str, units: u128) {
        self.charged.get_or_create(&vec![("token", token.to_owned())]).inc_by(units as f64);
    }

    /// So much was given back.
    pub fn returned(&self, token: &str, units: u128) {
        self.returned.get_or_create(&vec![("token", token.to_owned())]).inc_by(units as f64);
    }

    /// A paid request was decided.
    pub fn decided(&self, took: Duration) {
        self.decision.observe(took.as_secs_f64());
    }

    /// The web server gave no answer.
    pub fn upstream_failed(&self) {
        self.upstream_failures.inc();
    }

    /// An answer by step begins or ends.
    pub fn streaming(&self, change: i64) {
        self.streaming.inc_by(change);
    }

    /// An answer by step was cut.
    pub fn cut(&self) {
        self.cut.inc();
    }

    /// Everything as text (OpenMetrics).
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut out, &self.registry.lock().unwrap_or_else(PoisonError::into_inner));
        out
    }
}
