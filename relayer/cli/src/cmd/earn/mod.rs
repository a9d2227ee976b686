//! `rivulet earn`: what a creator has, and takes.

mod claim;
mod collect;
mod show;
mod terms;
mod vouchers;

use crate::told::Told;
use clap::{Args, Subcommand};

/// For payees: what is accepted, claimable and claimed; claims; relay terms.
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
}

impl Earn {
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Show(c) => super::tell(c.network.json, c.run()),
            Command::Terms(c) => super::tell(c.network.json, c.run()),
            Command::Vouchers(c) => super::tell(c.network.json, c.run()),
            Command::Claim(c) => super::tell(c.network.json, c.run()),
            Command::Collect(c) => super::tell(c.network.json, c.run()),
        }
    }
}

/// The answer of a command.
type Answer = anyhow::Result<Told>;
