//! `rivulet channel`: money locked once, then paid by signatures.

mod close;
mod list;
mod open;
mod pay;
mod recover;
mod show;
mod topup;
mod view;

use crate::told::Told;
use clap::{Args, Subcommand};

/// Pays through channels: opens, pays, tops up, closes, lists.
#[derive(Debug, Args)]
pub struct Channel {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Open(open::Open),
    Pay(pay::Pay),
    Topup(topup::Topup),
    Close(close::Close),
    List(list::List),
    Show(show::Show),
    Recover(recover::Recover),
}

impl Channel {
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Open(c) => super::tell(c.network.json, c.run()),
            Command::Pay(c) => super::tell(c.network.json, c.run()),
            Command::Topup(c) => super::tell(c.network.json, c.run()),
            Command::Close(c) => super::tell(c.network.json, c.run()),
            Command::List(c) => super::tell(c.network.json, c.run()),
            Command::Show(c) => super::tell(c.network.json, c.run()),
            Command::Recover(c) => super::tell(c.network.json, c.run()),
        }
    }
}

/// The answer of a command.
type Answer = anyhow::Result<Told>;
