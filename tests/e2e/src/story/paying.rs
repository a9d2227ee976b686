//! Payments: vouchers over HTTP, while the relayer claims them.

use super::{
    Play,
    plan::{Coin, Money, Payment},
    screen::grouped,
};
use crate::{Context, Error, Result};
use rivulet_client::{Channel, Payer, Relayer, SignedVoucher, relay::BatchOutcome};
use rivulet_rules::chain::Account;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};

/// Every other payer sends its vouchers in batches of so many, the others one by one.
const BATCH: usize = 50;
/// What a relayer does not know yet (a top-up in the newest block), it is told again for so long.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(200);
const GLANCE: Duration = Duration::from_millis(500);

/// How the payments went.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Paying {
    /// Vouchers that the relayer has acknowledged.
    pub accepted: u64,
    /// From the first to the last.
    pub took: Duration,
}

/// One payer's way through its payments.
struct Wallet {
    payer: Payer,
    relayer: Relayer,
    channels: BTreeMap<usize, Channel>,
    accepted: Arc<AtomicU64>,
    batches: bool,
}

impl Wallet {
    /// Signs the next vouchers and hands them over, again until all are acknowledged.
    async fn pay(&mut self, payments: &[Payment]) -> Result<()> {
        let size = if self.batches { BATCH } else { 1 };
        for chunk in payments.chunks(size) {
            let mut vouchers = Vec::with_capacity(chunk.len());
            for payment in chunk {
                let channel = self.channels.get_mut(&payment.channel).ok_or_else(|| Error::new("a payment through a channel of nobody"))?;
                vouchers.push(channel.pay(self.payer.vouchers(), payment.amount)?);
            }
            self.hand_over(vouchers).await?;
        }
        Ok(())
    }

    async fn hand_over(&self, mut vouchers: Vec<SignedVoucher>) -> Result<()> {
        let begun = Instant::now();
        loop {
            let outcomes = match vouchers.as_slice() {
                [one] if !self.batches => match self.relayer.pay(one).await {
                    Ok(receipt) => vec![BatchOutcome::Accepted(receipt)],
                    Err(rivulet_client::Error::Rejected(problem)) => vec![BatchOutcome::Rejected(*problem)],
                    Err(e) => return Err(e.into()),
                },
                many => self.relayer.pay_batch(many).await?,
            };
            let taken = outcomes.iter().filter(|o| matches!(o, BatchOutcome::Accepted(_))).count();
            self.accepted.fetch_add(taken as u64, Ordering::Relaxed);
            let problem = outcomes.iter().find_map(|o| if let BatchOutcome::Rejected(problem) = o { Some(problem.clone()) } else { None });
            let Some(problem) = problem else { return Ok(()) };
            // After a rejected one, higher ones of the same channel may have been taken: the rejected one is then of no use any more.
            let not_yet = matches!(problem.code.as_str(), "not_covered" | "unknown_channel" | "chain_unavailable" | "overloaded" | "rate_limited");
            if !not_yet || begun.elapsed() > PATIENCE {
                return Err(Error::new(format!("the relayer refused a good voucher: {problem}")));
            }
            let rejected = vouchers.into_iter().zip(&outcomes).filter(|(_, o)| matches!(o, BatchOutcome::Rejected(_)));
            vouchers = rejected.map(|(v, _)| v).collect();
            sleep(PAUSE).await;
        }
    }
}

/// All payers pay at once; returns the channels as they are then. Progress is read from the chain's balances.
///
/// # Errors
///
/// When the relayer refuses a voucher, or the chain a top-up.
pub async fn pay(play: &Play, relayer: &Relayer, channels: Vec<Channel>) -> Result<(Vec<Channel>, Paying)> {
    let (plan, begun, accepted) = (&play.plan, Instant::now(), Arc::new(AtomicU64::new(0)));
    let mut tasks = JoinSet::new();
    for (index, payer) in play.cast.pay.iter().enumerate() {
        let mine = plan.channels_of(index).filter_map(|i| channels.get(i).map(|c| (i, *c))).collect();
        let top_ups: Vec<_> = plan.channels_of(index).map(|i| (i, plan.channels[i].top_up)).filter(|(_, amount)| *amount > 0).collect();
        let mut wallet =
            Wallet { payer: payer.clone(), relayer: relayer.clone(), channels: mine, accepted: accepted.clone(), batches: index % 2 == 1 };
        let payments = plan.payments[index].clone();
        tasks.spawn(async move {
            let (early, late) = payments.split_at(payments.len() / 2);
            wallet.pay(early).await?;
            for (channel, amount) in top_ups {
                let channel = wallet.channels.get_mut(&channel).ok_or_else(|| Error::new("a top-up of nobody's channel"))?;
                wallet.payer.top_up(channel, amount).await?;
            }
            wallet.pay(late).await?;
            Ok::<_, Error>(wallet.channels)
        });
    }
    let mut after = channels;
    loop {
        tokio::select! {
            done = tasks.join_next() => match done {
                Some(done) => for (index, channel) in done.doing("paying")?? {
                    after[index] = channel;
                },
                None => break,
            },
            () = sleep(GLANCE) => {
                let so_far = accepted.load(Ordering::Relaxed);
                let rate = so_far as f64 / begun.elapsed().as_secs_f64();
                let total = play.options.vouchers;
                let claimed = claimed(play).await?;
                play.screen.count(&format!(
                    "{} of {} vouchers taken, {rate:.0} a second; {} of {} paid out in {} transactions",
                    grouped(so_far.into()), grouped(total.into()), play.dollars(claimed.paid), play.dollars(plan.promised()), claimed.transactions
                ));
            }
        }
    }
    let paying = Paying { accepted: accepted.load(Ordering::Relaxed), took: begun.elapsed() };
    let rate = paying.accepted as f64 / paying.took.as_secs_f64();
    let top_ups = plan.channels.iter().filter(|c| c.top_up > 0).count();
    play.screen.done(&format!("{} vouchers taken, {rate:.0} a second; {top_ups} channels topped up on the way", grouped(paying.accepted.into())));
    Ok((after, paying))
}

/// What has reached creators and the relayer's earnings so far.
pub struct Claimed {
    /// In both coins.
    pub paid: Money,
    /// Claims sent by the relayer.
    pub transactions: u32,
}

/// Reads it off balances.
///
/// # Errors
///
/// When the node does not answer.
pub async fn claimed(play: &Play) -> Result<Claimed> {
    let people = play.cast.creators.iter().chain([&play.cast.earnings]);
    let paid_to: Vec<Account> = people.map(|p| p.account()).collect();
    let relayer = play.cast.relayer.account();
    let now = play.stage.ledger.snapshot(&[&paid_to[..], &[relayer]].concat()).await?;
    let gained = paid_to.iter().map(|account| {
        let (before, now) = (play.start.of(account), now.of(account));
        Money { planck: now.native().saturating_sub(before.native()), usdc: now.usdc.saturating_sub(before.usdc) }
    });
    Ok(Claimed { paid: gained.sum(), transactions: now.of(&relayer).nonce.saturating_sub(play.start.of(&relayer).nonce) })
}

/// Waits until all that was promised has been paid out.
///
/// # Errors
///
/// When nothing moves for two minutes.
pub async fn wait_paid_out(play: &Play) -> Result<()> {
    let promised = play.plan.promised();
    let (mut last, mut moved) = (Money::default(), Instant::now());
    loop {
        let Claimed { paid, transactions } = claimed(play).await?;
        if paid == promised {
            let coins = [(Coin::Dot, promised.planck), (Coin::Usdc, promised.usdc)].map(|(coin, amount)| coin.show(amount, 4));
            play.screen.done(&format!("{} paid out by {transactions} transactions of the relayer", coins.join(" and ")));
            return Ok(());
        }
        if paid != last {
            (last, moved) = (paid, Instant::now());
        }
        if moved.elapsed() > Duration::from_secs(120) {
            return Err(Error::new(format!("the relayer has paid out {paid:?} of {promised:?} and nothing more for two minutes")));
        }
        let (paid, promised) = (play.dollars(paid), play.dollars(promised));
        play.screen.count(&format!("{paid} of {promised} paid out in {transactions} transactions"));
        sleep(GLANCE).await;
    }
}
