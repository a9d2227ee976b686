//! What the relayer does on this machine, in one run beside bare libsecp256k1 recovery. `scripts/bench relayer` runs all of it and writes `tests/bench/RELAYER.md`.
//!
//! ```text
//! cargo run --release -p rivulet-server --example relayer_bench -- accept [sqlite | postgres] [--quick]
//! cargo run --release -p rivulet-server --example relayer_bench -- growth [--quick]
//! cargo run --release -p rivulet-server --example relayer_bench -- follow [--quick]
//! ```
//!
//! - `accept`: vouchers a second on disk over HTTP. The relayer is pinned to one core; what sends is another process, pinned to another.
//! - `growth`: claim decisions, restart and memory with ever more channels.
//! - `follow`: blocks and events taken in a second.
//!
//! Databases are made under `RIVULET_BENCH_DIR`, or here: a folder in memory would make fsync free.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../../tests/support/mod.rs"]
mod support;

mod accept;
mod follow;
mod growth;
mod load;
mod measure;

use std::time::Duration;

/// How much is done.
#[derive(Clone, Copy)]
pub struct Effort {
    /// Channels that vouchers are spread over.
    channels: u32,
    /// About this long each rate is measured.
    each: Duration,
    /// Channels in the database, for what should not grow with them.
    sizes: &'static [u32],
}

const WHOLE: Effort = Effort { channels: 100_000, each: Duration::from_secs(4), sizes: &[10_000, 100_000, 1_000_000] };
const QUICK: Effort = Effort { channels: 10_000, each: Duration::from_millis(500), sizes: &[1_000, 10_000] };

fn main() {
    let mut args: Vec<_> = std::env::args().skip(1).collect();
    let effort = if args.iter().any(|a| a == "--quick") { QUICK } else { WHOLE };
    args.retain(|a| a != "--quick");
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["accept", database] => accept::run(database, effort),
        ["growth"] => growth::run(effort),
        ["follow"] => follow::run(effort),
        // Started by the others.
        ["load", plan @ ..] => load::run(plan),
        ["fill", channels, path] => growth::fill(channels.parse().unwrap(), path.as_ref()),
        ["grown", channels, path] => growth::measure(channels.parse().unwrap(), path.as_ref()),
        other => panic!("expected accept sqlite, accept postgres, growth or follow, got {other:?}"),
    }
}
