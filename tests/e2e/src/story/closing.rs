//! The end of every channel: half of them are closed by their creators at once, half by their payers after the challenge period.

use super::{Play, opening::CHALLENGE_SECS, streaming::pass};
use crate::{Context, Error, Result};
use rivulet_client::Channel;
use rivulet_rules::chain::ChannelView;
use tokio::task::JoinSet;

/// True when a channel's creator closes it; else its payer does.
pub fn by_creator(index: usize) -> bool {
    index.is_multiple_of(2)
}

/// Closes all of them, and makes sure that none is left.
///
/// # Errors
///
/// When the contract or the chain refuses.
pub async fn close(play: &Play, channels: &[Channel]) -> Result<()> {
    let asked = ask(play, channels).await?;
    play.screen.done(&format!("payers have asked to close {asked} channels; their creators have a day to claim"));

    let closed = close_by_creators(play, channels).await?;
    play.screen.done(&format!("creators have closed {closed} channels with the last voucher; the rest went back to the payers at once"));

    pass(play, u64::from(CHALLENGE_SECS)).await?;
    let finished = finish(play, channels).await?;
    play.screen.done(&format!("a day later: {finished} channels finished, the rest is back with the payers"));

    let block = play.stage.chain.node().finalized().await?;
    for channel in channels {
        let number = channel.number();
        if play.stage.chain.channel(number, block).await? != ChannelView::Closed {
            return Err(Error::new(format!("channel {number} is not closed")));
        }
    }
    Ok(())
}

/// A payer's own channels that it closes itself.
fn of_payers<'a>(play: &'a Play, channels: &'a [Channel]) -> impl Iterator<Item = (usize, Vec<Channel>)> + 'a {
    (0..play.cast.pay.len()).map(|payer| {
        let mine = play.plan.channels_of(payer).filter(|i| !by_creator(*i)).filter_map(|i| channels.get(i).copied());
        (payer, mine.collect())
    })
}

/// All payers at once; a payer's transactions follow each other without waiting.
async fn ask(play: &Play, channels: &[Channel]) -> Result<usize> {
    let mut tasks = JoinSet::new();
    for (payer, mine) in of_payers(play, channels) {
        for channel in mine {
            let payer = play.cast.pay[payer].clone();
            tasks.spawn(async move { payer.request_close(&channel).await.map(drop) });
        }
    }
    join(play, tasks, "asked for").await
}

async fn finish(play: &Play, channels: &[Channel]) -> Result<usize> {
    let mut tasks = JoinSet::new();
    for (payer, mine) in of_payers(play, channels) {
        for channel in mine {
            let payer = play.cast.pay[payer].clone();
            tasks.spawn(async move { payer.finish(&channel).await.map(drop) });
        }
    }
    join(play, tasks, "finished").await
}

async fn close_by_creators(play: &Play, channels: &[Channel]) -> Result<usize> {
    let mut tasks = JoinSet::new();
    for (index, channel) in channels.iter().enumerate().filter(|(i, _)| by_creator(*i)) {
        let planned = play.plan.channels[index];
        let last = play.cast.pay[planned.payer].vouchers().sign(channel.number(), channel.id, channel.promised);
        let creator = play.cast.earn[planned.creator].clone();
        tasks.spawn(async move { creator.close(&last).await.map(drop) });
    }
    join(play, tasks, "closed").await
}

async fn join(play: &Play, mut tasks: JoinSet<std::result::Result<(), rivulet_client::Error>>, what: &str) -> Result<usize> {
    let (all, mut done) = (tasks.len(), 0);
    while let Some(task) = tasks.join_next().await {
        task.doing("closing channels")?.doing("closing channels")?;
        done += 1;
        play.screen.count(&format!("{done} of {all} {what}"));
    }
    Ok(done)
}
