//! `rivulet stream`: money that flows by the second.

mod adjust;
mod change;
mod claim;
mod create;
mod delegate;
mod give_up;
mod hand_over;
mod list;
mod refund;
mod show;
mod topup;
mod view;
mod watch;

use crate::told::Told;
use clap::{Args, Subcommand};

/// Pays and is paid by the second: creates, claims, changes, watches streams.
#[derive(Debug, Args)]
pub struct Stream {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(Box<create::Create>),
    Topup(topup::Topup),
    Claim(claim::Claim),
    /// Stops a stream's clock, until it is resumed. Its end does not move.
    #[command(after_help = "Example:\n  rivulet stream pause 2/0\n      nothing more is owed until 'rivulet stream resume 2/0'")]
    Pause(change::Change),
    /// Lets a paused stream run again.
    #[command(after_help = "Example:\n  rivulet stream resume 2/0\n      money flows again from now on")]
    Resume(change::Change),
    Adjust(adjust::Adjust),
    Refund(refund::Refund),
    /// Ends a stream: what is not owed comes back, what is owed is the payee's to claim. By the payee: what is owed is paid now. Asks where something is given
    /// away: what is committed and not owed yet, by the payer; what is owed and not covered, by the payee.
    #[command(after_help = "Example:\n  rivulet stream cancel 2/0\n      by the payer: the rest comes back; by the payee: what is owed is paid")]
    Cancel(give_up::GiveUp),
    /// Ends a stream and pays nobody yet: what is owed and not covered is written off for good, the rest stays claimable and refundable.
    #[command(after_help = "Example:
  rivulet stream void 2/0
      by the payer, while it may cancel, or by the payee; says how much is lost, and asks")]
    Void(give_up::GiveUp),
    /// Gives up cancelling, as the payer, for good: until its end the stream can no longer be cancelled, voided, paused, refunded or given a lower rate.
    #[command(after_help = "Example:
  rivulet stream renounce 2/0
      what the payee needs to count on it; asks first")]
    Renounce(give_up::GiveUp),
    HandOver(hand_over::HandOver),
    Delegate(delegate::Delegate),
    List(list::List),
    Show(show::Show),
    Watch(watch::Watch),
}

impl Stream {
    pub fn run(self) -> anyhow::Result<()> {
        use change::What;
        use give_up::What as Gone;
        match self.command {
            Command::Create(c) => super::tell(c.network.json, c.run()),
            Command::Topup(c) => super::tell(c.network.json, c.run()),
            Command::Claim(c) => super::tell(c.network.json, c.run()),
            Command::Pause(c) => super::tell(c.network.json, c.run(What::Pause)),
            Command::Resume(c) => super::tell(c.network.json, c.run(What::Resume)),
            Command::Adjust(c) => super::tell(c.network.json, c.run()),
            Command::Refund(c) => super::tell(c.network.json, c.run()),
            Command::Cancel(c) => super::tell(c.network.json, c.run(Gone::Cancel)),
            Command::Void(c) => super::tell(c.network.json, c.run(Gone::Void)),
            Command::Renounce(c) => super::tell(c.network.json, c.run(Gone::Renounce)),
            Command::HandOver(c) => super::tell(c.network.json, c.run()),
            Command::Delegate(c) => super::tell(c.network.json, c.run()),
            Command::List(c) => super::tell(c.network.json, c.run()),
            Command::Show(c) => super::tell(c.network.json, c.run()),
            Command::Watch(c) => super::block_on(c.run()),
        }
    }
}

/// The answer of a command.
type Answer = anyhow::Result<Told>;
