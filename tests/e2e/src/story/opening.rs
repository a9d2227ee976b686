//! Payers open their channels.

use super::{Play, plan::Coin};
use crate::{Context, Error, Result};
use rivulet_client::{Channel, OpenChannel};
use tokio::task::JoinSet;

/// How long a creator has to claim after a payer asked to close: a day. On this chain, a call of the node's makes it pass.
pub const CHALLENGE_SECS: u32 = 86_400;

/// Every payer opens all its channels in one transaction, all payers at once. The channels are in the plan's order.
///
/// # Errors
///
/// When the chain refuses.
pub async fn open(play: &Play) -> Result<Vec<Channel>> {
    let (plan, cast, screen) = (&play.plan, &play.cast, &play.screen);
    let mut tasks = JoinSet::new();
    for (index, payer) in cast.pay.iter().enumerate() {
        let mine: Vec<_> = plan.channels_of(index).collect();
        let wanted: Vec<_> = mine
            .iter()
            .filter_map(|i| plan.channels.get(*i))
            .map(|c| OpenChannel {
                payee: cast.creators[c.creator].address(),
                token: c.coin.token(),
                challenge_period_secs: CHALLENGE_SECS,
                amount: c.deposit,
            })
            .collect();
        let payer = payer.clone();
        tasks.spawn(async move { payer.open_many(&wanted).await.map(|channels| (mine, channels)) });
    }
    let mut opened = vec![None; plan.channels.len()];
    let mut count = 0;
    while let Some(done) = tasks.join_next().await {
        let (mine, channels) = done.doing("opening channels")?.doing("opening channels")?;
        count += channels.len();
        screen.count(&format!("{count} of {} channels open", plan.channels.len()));
        for (index, channel) in mine.into_iter().zip(channels) {
            let planned = &plan.channels[index];
            let payee = cast.creators[planned.creator].address();
            if (channel.terms.payee, channel.terms.token, channel.deposit) != (payee, planned.coin.token(), planned.deposit) {
                return Err(Error::new(format!("channel {index} was opened as {channel:?}, planned was {planned:?}")));
            }
            opened[index] = Some(channel);
        }
    }
    let all: Option<Vec<_>> = opened.into_iter().collect();
    let native = plan.channels.iter().filter(|c| c.coin == Coin::Dot).count();
    screen.done(&format!("{count} channels open: {native} in DOT, {} in USDC", count - native));
    all.ok_or_else(|| Error::new("some channels were not opened"))
}
