//! `rivulet earn`: what a creator has, and takes.

mod claim;
mod collect;
mod show;
mod terms;
mod vouchers;

use crate::told::Told;
use clap::{Args, Subcommand};

/// For payees: what is accepted, claimable and claimed; claims; relay terms; statements.
#[derive(Debug, Args)]
pub struct Earn {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Show(show::Show),
    Terms(terms::Terms),
    Vouchers(vouchers::Vouchers),
    Claim(claim::Claim),
    Collect(collect::Collect),
    /// Prints what the payee was paid, for its books, as CSV or JSON; the same as 'rivulet statement'.
    #[command(after_help = "Examples:
  rivulet earn statement --from 2026-11-01 --to 2026-11-30 > november.csv
      what every channel and stream paid the account on each day of November (UTC), both days included
  rivulet earn statement --payee 15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5 --by month --json
      somebody's, a line a month; no key is needed
  rivulet earn statement --key me --by claim
      every single claim since the contracts were deployed

'rivulet statement --help' says more.")]
    Statement(Box<super::statement::Statement>),
}

impl Earn {
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Show(c) => super::tell(c.network.json, c.run()),
            Command::Terms(c) => super::tell(c.network.json, c.run()),
            Command::Vouchers(c) => super::tell(c.network.json, c.run()),
            Command::Claim(c) => super::tell(c.network.json, c.run()),
            Command::Collect(c) => super::tell(c.network.json, c.run()),
            Command::Statement(c) => c.run(),
        }
    }
}

/// The answer of a command.
type Answer = anyhow::Result<Told>;
