//! What the relayer counts, for Prometheus. `relayer/docs/METRICS.md` is written from the list made here; a test compares them.

use crate::{api::problem::OTHER_CODES, clock::now_ms, control::Control, status::Status, worker::LaneState};
use prometheus_client::{
    encoding::text::encode,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Metric, Registry},
};
use rivulet_core::outcome::RowOutcome;
use rivulet_rules::{
    accept::Rejection,
    chain::{Account, ContractKind},
    endpoint::{EndpointReport, EndpointState},
    text,
};
use rivulet_store::{Counts, Intent, IntentEnd};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{PoisonError, RwLock, atomic::AtomicU64},
    time::Duration,
};

/// What a counter is divided by: a name and a value each.
type Labels = Vec<(&'static str, String)>;
type Amount = Gauge<f64, AtomicU64>;

/// A metric as the documentation lists it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Described {
    /// Its name as Prometheus sees it.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// Its labels, with commas.
    pub labels: &'static str,
    /// What it says.
    pub help: &'static str,
}

/// Makes the struct, its registration and the documented list from one table.
macro_rules! metrics {
    ($($field:ident: $ty:ty = $make:expr, $name:literal, $kind:literal, [$labels:literal], $help:literal;)*) => {
        /// Every metric.
        pub const DESCRIBED: &[Described] = &[$(Described { name: $name, kind: $kind, labels: $labels, help: $help }),*];

        #[derive(Debug)]
        struct All { $($field: $ty),* }

        impl All {
            fn new(registry: &mut Registry) -> Self {
                Self { $($field: register(registry, $name, $help, $make)),* }
            }
        }
    };
}

fn register<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    // Both are added by the encoder: the suffix of a counter, and the full stop.
    registry.register(name.strip_suffix("_total").unwrap_or(name), help.strip_suffix('.').unwrap_or(help), metric.clone());
    metric
}

/// From a tenth of a millisecond to about thirteen seconds.
fn times() -> Histogram {
    Histogram::new(exponential_buckets(0.0001, 2.0, 18))
}

metrics! {
    vouchers: Family<Labels, Counter> = Family::default(), "rivulet_vouchers_total", "counter", ["code"],
        "Vouchers offered: `accepted`, or the code of what was answered instead.";
    growth: Counter = Counter::default(), "rivulet_vouchers_grown_total", "counter", [""], "Accepted vouchers that raised a channel's total; the others had been stored before.";
    accept_seconds: Histogram = times(), "rivulet_accept_seconds", "histogram", [""], "From vouchers read to vouchers on disk, for all vouchers of a request.";
    store_seconds: Histogram = times(), "rivulet_store_accept_seconds", "histogram", [""], "Of that, the store: waiting for the group's commit and its fsync.";
    requests: Family<Labels, Counter> = Family::default(), "rivulet_http_requests_total", "counter", ["route, status"], "Answers by route and HTTP status.";
    request_seconds: Family<Labels, Histogram> = Family::new_with_constructor(times), "rivulet_http_request_seconds", "histogram", ["route"], "Time to the head of the answer.";
    feeds: Gauge = Gauge::default(), "rivulet_live_feeds", "gauge", [""], "Payees' event feeds that are open.";
    channels: Gauge = Gauge::default(), "rivulet_channels", "gauge", [""], "Channels known, closed ones included.";
    stored: Gauge = Gauge::default(), "rivulet_channels_with_voucher", "gauge", [""], "Channels with a voucher.";
    set_aside: Gauge = Gauge::default(), "rivulet_vouchers_set_aside", "gauge", [""], "Best vouchers that are not claimed because the chain would not pay them.";
    pending: Family<Labels, Amount> = Family::default(), "rivulet_pending_units", "gauge", ["token"],
        "What claiming every best voucher that is not under way would pay out, in the token's smallest unit, as of the last look for a batch.";
    pending_rows: Gauge = Gauge::default(), "rivulet_pending_rows", "gauge", [""], "Channels with something to claim that is not under way, as of the last look for a batch.";
    open_intents: Gauge = Gauge::default(), "rivulet_open_intents", "gauge", [""], "Claim transactions recorded whose end is not known.";
    transactions: Family<Labels, Counter> = Family::default(), "rivulet_claim_transactions_total", "counter", ["contract, end"],
        "Claim transactions by contract and end: `finalized`, `failed`, `expired`.";
    rows: Family<Labels, Counter> = Family::default(), "rivulet_claim_rows_total", "counter", ["contract, outcome"],
        "Rows of finalized claim transactions by contract and outcome: `applied` and `capped` were paid.";
    fees: Family<Labels, Counter> = Family::default(), "rivulet_claim_fees_planck_total", "counter", ["contract"], "Fees of finalized and failed claim transactions.";
    lane_in_flight: Family<Labels, Gauge> = Family::default(), "rivulet_lane_in_flight", "gauge", ["account"], "Open intents of a signing key.";
    lane_oldest: Family<Labels, Gauge> = Family::default(), "rivulet_lane_oldest_seconds", "gauge", ["account"], "Age of a signing key's oldest open intent; 0: none.";
    lane_nonce: Family<Labels, Gauge> = Family::default(), "rivulet_lane_nonce", "gauge", ["account"], "How many transactions of a signing key are final.";
    lane_balance: Family<Labels, Amount> = Family::default(), "rivulet_lane_balance_planck", "gauge", ["account"], "What a signing key can spend on fees.";
    lane_next_nonce: Family<Labels, Gauge> = Family::default(), "rivulet_lane_next_nonce", "gauge", ["account"],
        "A signing key's next nonce as the node sees it. What it is ahead of rivulet_lane_nonce by more than rivulet_lane_in_flight, another program sent.";
    lane_state: Family<Labels, Gauge> = Family::default(), "rivulet_lane_state", "gauge", ["account, state"],
        "1 for the state that a signing key is in: `open`, `underfunded` (could not pay for a batch), `contested` (another program uses it).";
    block: Gauge = Gauge::default(), "rivulet_chain_block_number", "gauge", [""], "The last finalized block taken in.";
    chain_lag: Gauge = Gauge::default(), "rivulet_chain_lag_seconds", "gauge", [""], "The machine's clock less the time of the last finalized block taken in.";
    endpoint_state: Family<Labels, Gauge> = Family::default(), "rivulet_endpoint_state", "gauge", ["endpoint, state"],
        "1 for the state that a node of `chain.rpc_urls` is in: `good`, `unreachable`, `lagging` (used when there is no better one), `other_chain` or `lying` (never used).";
    endpoint_used: Family<Labels, Gauge> = Family::default(), "rivulet_endpoint_used", "gauge", ["endpoint"], "1 for the node that is asked now.";
    endpoint_block: Family<Labels, Gauge> = Family::default(), "rivulet_endpoint_block_number", "gauge", ["endpoint"], "A node's finalized head.";
    endpoint_age: Family<Labels, Gauge> = Family::default(), "rivulet_endpoint_head_age_seconds", "gauge", ["endpoint"], "The machine's clock less the time of a node's finalized head.";
    since_pass: Gauge = Gauge::default(), "rivulet_seconds_since_pass", "gauge", [""],
        "Watchdog: seconds since the worker last got through (followed the chain, reconciled, claimed), or since the start.";
    pass_failing: Gauge = Gauge::default(), "rivulet_pass_failing", "gauge", [""], "1 when the worker's last pass failed; the log and `/ready` say why.";
    paused: Gauge = Gauge::default(), "rivulet_claiming_paused", "gauge", [""], "1 when an operator has paused claiming.";
    draining: Gauge = Gauge::default(), "rivulet_draining", "gauge", [""], "1 when an operator has stopped the taking of vouchers.";
    build: Family<Labels, Gauge> = Family::default(), "rivulet_build_info", "gauge", ["version"], "Always 1.";
}

impl All {
    /// What can be counted is shown from the start: the step from nothing to one would not be seen as an increase.
    fn begin_at_zero(&self) {
        for code in Rejection::CODES.into_iter().chain(OTHER_CODES.into_iter().map(|(_, code)| code)).chain(["accepted"]) {
            drop(self.vouchers.get_or_create(&vec![("code", code.to_owned())]));
        }
        for contract in [ContractKind::Channels, ContractKind::Streams].map(name) {
            drop(self.fees.get_or_create(&vec![("contract", contract.clone())]));
            for end in ["finalized", "failed", "expired"] {
                drop(self.transactions.get_or_create(&vec![("contract", contract.clone()), ("end", end.to_owned())]));
            }
            for outcome in OUTCOMES.map(outcome_name) {
                drop(self.rows.get_or_create(&vec![("contract", contract.clone()), ("outcome", outcome.to_owned())]));
            }
        }
    }
}

/// The counters, and how to show them.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    all: All,
    /// Pending amounts last seen: a token that has none any more goes to 0.
    tokens: RwLock<BTreeMap<String, f64>>,
    started_ms: u64,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::default();
        let all = All::new(&mut registry);
        all.begin_at_zero();
        all.build.get_or_create(&vec![("version", env!("CARGO_PKG_VERSION").to_owned())]).set(1);
        Self { registry, all, tokens: RwLock::default(), started_ms: now_ms() }
    }
}

/// A contract's name in labels.
fn name(contract: ContractKind) -> String {
    match contract {
        ContractKind::Channels => "channels".to_owned(),
        ContractKind::Streams => "streams".to_owned(),
    }
}

const OUTCOMES: [RowOutcome; 6] =
    [RowOutcome::Applied, RowOutcome::Capped, RowOutcome::Stale, RowOutcome::BadSignature, RowOutcome::Unknown, RowOutcome::Closed];

/// An outcome's name in labels.
pub fn outcome_name(outcome: RowOutcome) -> &'static str {
    match outcome {
        RowOutcome::Applied => "applied",
        RowOutcome::Capped => "capped",
        RowOutcome::Stale => "stale",
        RowOutcome::BadSignature => "bad_signature",
        RowOutcome::Unknown => "unknown",
        RowOutcome::Closed => "closed",
    }
}

fn signed(v: u64) -> i64 {
    i64::try_from(v).unwrap_or(i64::MAX)
}

impl Metrics {
    /// Vouchers were answered with these codes.
    pub fn offered<'a>(&self, codes: impl Iterator<Item = &'a str>) {
        let mut counts = BTreeMap::<&str, u64>::new();
        codes.for_each(|code| *counts.entry(code).or_default() += 1);
        for (code, count) in counts {
            self.all.vouchers.get_or_create(&vec![("code", code.to_owned())]).inc_by(count);
        }
    }

    /// A call's vouchers are on disk: so many grew a channel, in this time, of which the store took so much.
    pub fn accepted(&self, grown: usize, all: Duration, store: Duration) {
        self.all.growth.inc_by(grown as u64);
        self.all.accept_seconds.observe(all.as_secs_f64());
        self.all.store_seconds.observe(store.as_secs_f64());
    }

    /// A request was answered.
    pub fn answered(&self, route: &str, status: u16, time: Duration) {
        self.all.requests.get_or_create(&vec![("route", route.to_owned()), ("status", status.to_string())]).inc();
        self.all.request_seconds.get_or_create(&vec![("route", route.to_owned())]).observe(time.as_secs_f64());
    }

    /// A feed was opened (1) or closed (-1).
    pub fn feed(&self, change: i64) {
        self.all.feeds.inc_by(change);
    }

    /// What could be claimed, by token.
    pub fn pending(&self, rows: usize, by_token: &BTreeMap<String, u128>) {
        self.all.pending_rows.set(signed(rows as u64));
        let mut known = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        known.values_mut().for_each(|v| *v = 0.0);
        known.extend(by_token.iter().map(|(token, amount)| (token.clone(), *amount as f64)));
        for (token, amount) in known.iter() {
            self.all.pending.get_or_create(&vec![("token", token.clone())]).set(*amount);
        }
    }

    /// An intent has ended.
    pub fn finished(&self, contract: ContractKind, end: &IntentEnd) {
        let (word, fee) = match end {
            IntentEnd::Finalized { fee_planck, results, .. } => {
                for result in results {
                    let labels = vec![("contract", name(contract)), ("outcome", outcome_name(result.outcome).to_owned())];
                    self.all.rows.get_or_create(&labels).inc();
                }
                ("finalized", *fee_planck)
            }
            IntentEnd::Failed { fee_planck, .. } => ("failed", *fee_planck),
            IntentEnd::Expired { .. } => ("expired", None),
        };
        self.all.transactions.get_or_create(&vec![("contract", name(contract)), ("end", word.to_owned())]).inc();
        let fee = u64::try_from(fee.unwrap_or(0)).unwrap_or(u64::MAX);
        self.all.fees.get_or_create(&vec![("contract", name(contract))]).inc_by(fee);
    }

    /// A signing key at the last finalized block.
    pub fn lane(&self, account: &[u8; 32], nonce: u64, next_nonce: u64, balance_planck: u128, state: LaneState) {
        let labels = vec![("account", text::hex(account))];
        for word in LaneState::WORDS {
            let labels = vec![("account", text::hex(account)), ("state", word.to_owned())];
            self.all.lane_state.get_or_create(&labels).set(i64::from(word == state.word()));
        }
        self.all.lane_next_nonce.get_or_create(&labels).set(signed(next_nonce));
        self.all.lane_nonce.get_or_create(&labels).set(signed(nonce));
        self.all.lane_balance.get_or_create(&labels).set(balance_planck as f64);
    }

    /// The nodes, as last seen.
    pub fn endpoints(&self, reports: &[EndpointReport]) {
        for EndpointReport { name, is_used, state, block_number, head_age_secs } in reports {
            let label = ("endpoint", name.clone());
            for word in EndpointState::WORDS {
                self.all.endpoint_state.get_or_create(&vec![label.clone(), ("state", word.to_owned())]).set(i64::from(word == state.word()));
            }
            self.all.endpoint_used.get_or_create(&vec![label.clone()]).set(i64::from(*is_used));
            if let Some(number) = block_number {
                self.all.endpoint_block.get_or_create(&vec![label.clone()]).set(signed(*number));
            }
            if let Some(age) = head_age_secs {
                self.all.endpoint_age.get_or_create(&vec![label]).set(signed(*age));
            }
        }
    }

    /// Everything as text (OpenMetrics), with what is only known when asked.
    pub fn text(&self, accounts: &[Account], counts: &Counts, intents: &[Intent], status: &Status, control: &Control, chain_now: u64) -> String {
        let (all, now) = (&self.all, now_ms());
        let age = |at_ms: u64| signed(now.saturating_sub(at_ms) / 1_000);
        all.channels.set(signed(counts.channels));
        all.stored.set(signed(counts.vouchers));
        all.set_aside.set(signed(counts.set_aside));
        all.open_intents.set(signed(counts.open_intents));
        let mut lanes: BTreeMap<_, _> = accounts.iter().map(|account| (account.0, (0i64, now))).collect();
        for intent in intents {
            let lane = lanes.entry(intent.tx.signer.0).or_insert((0, now));
            *lane = (lane.0.saturating_add(1), lane.1.min(intent.created_ms));
        }
        for (account, (in_flight, oldest_ms)) in lanes {
            let labels = vec![("account", text::hex(&account))];
            all.lane_in_flight.get_or_create(&labels).set(in_flight);
            all.lane_oldest.get_or_create(&labels).set(age(oldest_ms));
        }
        let report = status.report();
        all.block.set(report.block_number.map_or(0, signed));
        all.chain_lag.set(if chain_now == 0 { 0 } else { signed((now / 1_000).saturating_sub(chain_now)) });
        all.since_pass.set(age(report.last_pass_ms.unwrap_or(self.started_ms)));
        all.pass_failing.set(i64::from(report.error.is_some()));
        all.paused.set(i64::from(control.is_paused()));
        all.draining.set(i64::from(control.is_draining()));
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut out, &self.registry);
        out
    }
}

/// `relayer/docs/METRICS.md`.
pub fn markdown() -> String {
    let mut out = String::from(
        "# Metrics\n\n`GET /metrics` answers in Prometheus' text form (OpenMetrics 1.0). Written from `relayer/server/src/metrics.rs`; a test compares, and rewrites it with\n\
         `RIVULET_WRITE=1 cargo test -p rivulet-server --test docs`.\n\nAlert rules: [`operate/alerts.yml`](../operate/alerts.yml). Dashboard for Grafana:\n\
         [`operate/dashboard.json`](../operate/dashboard.json). Histograms have `_bucket`, `_sum` and `_count`.\n\n| name | kind | labels | meaning |\n|---|---|---|---|\n",
    );
    for Described { name, kind, labels, help } in DESCRIBED {
        let _ = writeln!(out, "| `{name}` | {kind} | {labels} | {help} |");
    }
    out
}
