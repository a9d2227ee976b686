//! The `rivulet` command. One file a command, under `cmd`.
#![forbid(unsafe_code)]

mod chain;
mod cmd;
mod log;
mod signer;
mod statement;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Streaming micropayments on Polkadot.
#[derive(Debug, Parser)]
#[command(name = "rivulet", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs a relayer: takes vouchers over HTTP, claims them on the chain.
    Relay(Box<cmd::relay::Relay>),
    /// Prints what a payee was paid, for its books: by day, month or claim, as CSV or JSON.
    Statement(Box<cmd::statement::Statement>),
    /// Puts a price on a web server: HTTP 402 in front of it.
    Paywall(Box<cmd::paywall::Paywall>),
    /// Makes a key that acknowledgements are signed with.
    Key(cmd::key::Key),
    /// Prints completions for a shell.
    Completions(cmd::completions::Completions),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Relay(relay) => relay.run(),
        Command::Statement(statement) => statement.run(),
        Command::Paywall(paywall) => paywall.run(),
        Command::Key(key) => key.run(),
        Command::Completions(completions) => completions.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            // Each cause on its own line: the first says what was being done, the last why it failed.
            eprintln!("error: {e}");
            let mut said = e.to_string();
            for cause in e.chain().skip(1).map(ToString::to_string) {
                // Some errors say their cause themselves.
                if !said.contains(&cause) {
                    eprintln!("  because: {cause}");
                    said = cause;
                }
            }
            ExitCode::FAILURE
        }
    }
}
