//! `rivulet stream`: money that flows by the second.

mod adjust;
mod change;
mod claim;
mod create;
mod list;
mod topup;
mod view;
mod watch;

use crate::told::Told;
use clap::{Args, Subcommand};

/// Pays and is paid by the second: creates, claims, pauses, watches streams.
#[derive(Debug, Args)]
pub struct Stream {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(create::Create),
    Topup(topup::Topup),
    Claim(claim::Claim),
    /// Stops a stream's clock, until it is resumed. Its end does not move.
    #[command(after_help = "Example:\n  rivulet stream pause 2/0\n      nothing more is owed until 'rivulet stream resume 2/0'")]
    Pause(change::Change),
    /// Lets a paused stream run again.
    #[command(after_help = "Example:\n  rivulet stream resume 2/0\n      money flows again from now on")]
    Resume(change::Change),
    Adjust(adjust::Adjust),
    /// Ends a stream: what is not owed comes back, what is owed is the payee's to claim. By the payee: what is owed is paid now.
    #[command(after_help = "Example:\n  rivulet stream cancel 2/0\n      by the payer: the rest comes back; by the payee: what is owed is paid")]
    Cancel(change::Change),
    List(list::List),
    Watch(watch::Watch),
}

impl Stream {
    pub fn run(self) -> anyhow::Result<()> {
        use change::What;
        match self.command {
            Command::Create(c) => super::tell(c.network.json, c.run()),
            Command::Topup(c) => super::tell(c.network.json, c.run()),
            Command::Claim(c) => super::tell(c.network.json, c.run()),
            Command::Pause(c) => super::tell(c.network.json, c.run(What::Pause)),
            Command::Resume(c) => super::tell(c.network.json, c.run(What::Resume)),
            Command::Adjust(c) => super::tell(c.network.json, c.run()),
            Command::Cancel(c) => super::tell(c.network.json, c.run(What::Cancel)),
            Command::List(c) => super::tell(c.network.json, c.run()),
            Command::Watch(c) => super::block_on(c.run()),
        }
    }
}

/// The answer of a command.
type Answer = anyhow::Result<Told>;
