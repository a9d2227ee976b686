//! Where log lines go: standard error.

use anyhow::Context;
use rivulet_server::{
    config::{Log, LogFormat},
    control::SetLog,
};
use std::io::{IsTerminal, stderr};
use tracing_subscriber::{Layer, filter::Targets, fmt, layer::SubscriberExt, reload, util::SubscriberInitExt};

fn filter_of(text: &str) -> Result<Targets, String> {
    text.parse().map_err(|_| "levels such as info,rivulet_server=debug".to_owned())
}

/// Of a program that has no such configuration of its own.
pub fn config(is_json: bool, filter: &str) -> Log {
    Log { format: if is_json { LogFormat::Json } else { LogFormat::Text }, filter: filter.to_owned() }
}

/// Starts logging. What comes back changes the filter.
pub fn start(config: &Log) -> anyhow::Result<SetLog> {
    let filter = filter_of(&config.filter).map_err(|expected| anyhow::anyhow!("log.filter: expected {expected}, got {}", config.filter))?;
    let (filter, handle) = reload::Layer::new(filter);
    let lines = fmt::layer().with_writer(stderr);
    let layer = match config.format {
        LogFormat::Text => lines.with_ansi(stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry().with(layer.with_filter(filter)).try_init().context("cannot start the log")?;
    Ok(Box::new(move |text| handle.reload(filter_of(text)?).map_err(|e| e.to_string())))
}
