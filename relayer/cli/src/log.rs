//! Where log lines go: standard error.

use anyhow::Context;
use rivulet_server::config::{Log, LogFormat};
use std::io::{IsTerminal, stderr};
use tracing_subscriber::{Layer, filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts logging.
pub fn start(config: &Log) -> anyhow::Result<()> {
    let filter: Targets =
        config.filter.parse().with_context(|| format!("log.filter: expected levels such as info,rivulet_server=debug, got {}", config.filter))?;
    let lines = fmt::layer().with_writer(stderr);
    let layer = match config.format {
        LogFormat::Text => lines.with_ansi(stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry().with(layer.with_filter(filter)).try_init().context("cannot start the log")
}
