//! The commands.

pub mod channel;
pub mod completions;
pub mod deploy;
pub mod dev;
pub mod dry_run;
pub mod earn;
pub mod get;
pub mod key;
pub mod man;
pub mod nodes;
pub mod paywall;
pub mod relay;
pub mod statement;
mod stop;
pub mod stream;

use crate::told::Told;
use anyhow::Context;
use stop::{reload_on_signal, stop_on_signal};

/// Runs a command that waits for others.
pub fn block_on<T>(command: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().context("cannot start the runtime")?;
    let result = runtime.block_on(command);
    // What was handed to the disk is finished first; what still listens to a node is not waited for.
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    result
}

/// Says, on a line of a checked configuration, which variables go before its file: they may be left over from something else.
fn print_variables(is_read: impl Fn(&str) -> bool) {
    let mut used: Vec<_> = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).filter(|name| is_read(name)).collect();
    used.sort();
    if !used.is_empty() {
        println!("variables {}: they go before the file", used.join(", "));
    }
}

/// Prints an answer.
pub fn told(as_json: bool, answer: anyhow::Result<Told>) -> anyhow::Result<()> {
    answer?.print(as_json).context("cannot print the answer")
}

/// Runs a command and prints its answer.
pub fn tell(as_json: bool, command: impl Future<Output = anyhow::Result<Told>>) -> anyhow::Result<()> {
    told(as_json, block_on(command))
}
