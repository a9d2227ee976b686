//! A payer's purse, in this program's folder.

use crate::{account::Account, failure::Failure, home, network::Network};
use anyhow::Context;
use rivulet_client::{Folder, Kept, Payer, Purse};
use rivulet_core::ids::{ChannelId, ChannelNumber};
use rivulet_rules::chain::ChannelView;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A payer with its purse.
pub struct Purser {
    /// Its transactions.
    pub payer: Payer,
    /// What it promised.
    pub purse: Purse,
    folder: PathBuf,
}

/// Says from which block on an open that was cut off may be found.
const OPENING: &str = "opening";

impl Purser {
    /// Opens the purse of an account. Waits for another `rivulet` that pays from it right now.
    pub fn open(network: &Network, account: Account) -> anyhow::Result<Self> {
        let Account { signer, vouchers } = account;
        Self::of(network, Payer::new(network.chain.clone(), signer, vouchers))
    }

    /// Opens the purse of a payer: again, after it was let go of so that others could pay from it.
    pub fn of(network: &Network, payer: Payer) -> anyhow::Result<Self> {
        let folder = home::purse(&network.deployment, &payer.address())?;
        let kept = Folder::wait(&folder).with_context(|| format!("cannot open the totals in {}", folder.display()))?;
        let purse = Purse::open(kept, payer.vouchers().clone()).with_context(|| format!("cannot use the totals in {}", folder.display()))?;
        Ok(Self { payer, purse, folder })
    }

    /// A channel in it. Where a development chain was begun anew, several have had the number: the newest.
    pub fn get(&self, number: ChannelNumber) -> anyhow::Result<Kept> {
        let of_number = self.purse.channels().into_iter().filter(|kept| kept.channel.number() == number);
        let found = of_number.max_by_key(|kept| (!kept.ended, kept.channel.terms.opened_at));
        Ok(found.ok_or_else(|| {
            Failure::NotFound(format!(
                "channel {number} is not among the channels of {}: 'rivulet channel list' shows them, 'rivulet channel recover' finds lost ones",
                self.payer.address()
            ))
        })?)
    }

    /// Takes in what the chain says of a channel: that it has ended, or that it covers less because a refund was asked for. One that is closing stays as it
    /// was: whoever is paid from it knows. One whose number is another's by now was on a chain that is gone.
    pub fn follow(&self, id: ChannelId, view: &ChannelView, now: u64) -> anyhow::Result<()> {
        match view {
            ChannelView::Live(state) if self.purse.get(id).is_some_and(|kept| kept.channel.terms != state.terms) => self.purse.end(id)?,
            ChannelView::Live(state) if state.close_due_at.is_none() => self.purse.set_cover(id, state.record().cover(now))?,
            ChannelView::Closed => self.purse.end(id)?,
            ChannelView::Live(_) | ChannelView::Unknown => {}
        }
        Ok(())
    }

    fn note(&self) -> PathBuf {
        self.folder.join(OPENING)
    }

    /// Notes, before a channel is opened, from which block on to look for it should this process end. False when a note is there already: an older open was
    /// cut off, and its note stays until that is found.
    pub fn begin_open(&self, block: u64) -> anyhow::Result<bool> {
        match home::write_new(&self.note(), &format!("{block}\n")) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(e) => Err(e).with_context(|| format!("cannot write {}", self.note().display())),
        }
    }

    /// The channel is in the purse, or was never opened.
    pub fn end_open(&self) -> anyhow::Result<()> {
        remove(&self.note()).with_context(|| format!("cannot remove {}", self.note().display()))
    }

    /// The block from which on an open was cut off, if one was.
    pub fn cut_off(&self) -> Option<u64> {
        fs::read_to_string(self.note()).ok().map(|text| text.trim().parse().unwrap_or(0))
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A channel's or stream's number, as people write it: `3/0`.
pub fn number(given: &str) -> Result<ChannelNumber, String> {
    let read = || {
        let (book, serial) = given.split_once('/')?;
        Some(ChannelNumber { book: book.parse().ok()?, serial: serial.parse().ok()? })
    };
    read().ok_or_else(|| format!("expected a number as BOOK/SERIAL, such as 3/0, given {given:?}"))
}
