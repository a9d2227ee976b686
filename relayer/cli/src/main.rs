//! The `rivulet` command. One file a command, under `cmd`.
#![forbid(unsafe_code)]

mod account;
mod amount;
mod chain;
mod cmd;
mod confirm;
mod database;
mod failure;
#[cfg(test)]
mod help;
mod hint;
mod home;
mod kept;
mod log;
mod network;
mod party;
mod signer;
mod statement;
mod told;
mod when;

use clap::{Parser, Subcommand, error::ErrorKind};
use std::process::ExitCode;

/// Streaming micropayments on Polkadot.
#[derive(Debug, Parser)]
#[command(name = "rivulet", version, about, arg_required_else_help = true, after_help = failure::EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Channel(Box<cmd::channel::Channel>),
    Stream(Box<cmd::stream::Stream>),
    Get(Box<cmd::get::Get>),
    Earn(Box<cmd::earn::Earn>),
    /// Runs a relayer: takes vouchers over HTTP, claims them on the chain.
    Relay(Box<cmd::relay::Relay>),
    /// Prints what a payee was paid, for its books: by day, month or claim, as CSV or JSON.
    Statement(Box<cmd::statement::Statement>),
    /// Puts a price on a web server: HTTP 402 in front of it.
    Paywall(Box<cmd::paywall::Paywall>),
    Key(Box<cmd::key::Key>),
    Deploy(Box<cmd::deploy::Deploy>),
    Dev(Box<cmd::dev::Dev>),
    /// Prints completions for a shell.
    Completions(cmd::completions::Completions),
    Man(cmd::man::Man),
}

fn main() -> ExitCode {
    // Before clap reads it, and whatever command it is: how errors are told.
    let as_json = std::env::args_os().any(|arg| arg == "--json");
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) if as_json && e.use_stderr() && e.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            return failure::report(&failure::of_clap(&e).into(), true);
        }
        Err(e) => e.exit(),
    };
    let result = match cli.command {
        Command::Channel(channel) => channel.run(),
        Command::Stream(stream) => stream.run(),
        Command::Get(get) => get.run(),
        Command::Earn(earn) => earn.run(),
        Command::Relay(relay) => relay.run(),
        Command::Statement(statement) => statement.run(),
        Command::Paywall(paywall) => paywall.run(),
        Command::Key(key) => key.run(),
        Command::Deploy(deploy) => cmd::tell(deploy.json, deploy.run()),
        Command::Dev(dev) => dev.run(),
        Command::Completions(completions) => completions.run(),
        Command::Man(man) => man.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => failure::report(&e, as_json),
    }
}
