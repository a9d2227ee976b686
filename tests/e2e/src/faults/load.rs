//! What goes on while things break: vouchers, top-ups, channels that are closed and opened again.

use crate::{
    Context, Error, Result,
    harness::DevCalls,
    people::{Grant, grant},
    story::{
        opening::CHALLENGE_SECS,
        plan::{Coin, Dice, Money},
    },
};
use rivulet_chain::{Chain, Lane};
use rivulet_client::{Channel, OpenChannel, Payer, Relayer, SignedVoucher, relay::BatchOutcome};
use rivulet_core::{amount::NATIVE_GRAIN, ids::ChannelNumber};
use rivulet_rules::chain::ChannelView;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::OwnedMutexGuard,
    time::{sleep, timeout},
};

/// So long a voucher is offered again before it counts as refused for good.
const PATIENCE: Duration = Duration::from_secs(180);
/// So long a call to the chain is made again.
const CHAIN_PATIENCE: Duration = Duration::from_secs(240);
const PAUSE: Duration = Duration::from_millis(100);
/// By then a moved clock shows in a finalized block, unless the node was killed or blocks were held back.
const MOVED: Duration = Duration::from_secs(5);

/// So odd that no sum comes out by chance.
fn step(coin: Coin) -> u128 {
    match coin {
        Coin::Dot => 7 * NATIVE_GRAIN,
        Coin::Usdc => 1,
    }
}

/// What has been acknowledged, by channel; read at any moment, by anybody.
#[derive(Clone, Default)]
pub struct Acknowledged(Arc<Mutex<BTreeMap<ChannelNumber, u128>>>);

impl Acknowledged {
    fn totals(&self) -> MutexGuard<'_, BTreeMap<ChannelNumber, u128>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, voucher: &SignedVoucher) {
        let mut totals = self.totals();
        let total = totals.entry(voucher.number).or_default();
        *total = (*total).max(voucher.cumulative_amount);
    }

    /// Of every channel there has been.
    pub fn all(&self) -> BTreeMap<ChannelNumber, u128> {
        self.totals().clone()
    }

    fn of(&self, number: ChannelNumber) -> u128 {
        self.totals().get(&number).copied().unwrap_or(0)
    }
}

/// A channel of one payer to one creator; another takes its place when it has ended.
pub struct Slot {
    /// What is paid with.
    pub coin: Coin,
    /// As its payer knows it.
    pub channel: Channel,
}

/// A slot that one task at a time uses.
pub type Shared = Arc<tokio::sync::Mutex<Slot>>;

/// What happened.
#[derive(Default)]
pub struct Counts {
    /// Vouchers acknowledged.
    pub vouchers: AtomicU64,
    /// Deposits added.
    pub top_ups: AtomicU64,
    /// Channels closed by their payer, and opened again.
    pub closed: AtomicU64,
}

/// What all tasks share.
#[derive(Clone)]
pub struct Load {
    /// The contracts.
    pub chain: Chain,
    /// The node.
    pub node: DevCalls,
    /// Who has money.
    pub bank: Lane,
    /// The relayer, behind the wire.
    pub relayer: Relayer,
    /// What it has acknowledged.
    pub acknowledged: Acknowledged,
    /// By index of the payer.
    pub slots: Arc<Vec<Vec<Shared>>>,
    /// By index.
    pub payers: Arc<Vec<Payer>>,
    /// What happened.
    pub counts: Arc<Counts>,
    /// Time to end.
    pub stop: Arc<AtomicBool>,
}

impl Load {
    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// A payer posts vouchers until it is over.
    ///
    /// # Errors
    ///
    /// When the relayer refuses a good voucher for good.
    pub async fn pay(self, payer: usize, mut dice: Dice) -> Result<()> {
        while !self.is_over() {
            let mut held: Vec<OwnedMutexGuard<Slot>> = Vec::new();
            for slot in &self.slots[payer] {
                // One that is being closed is left alone.
                held.extend(slot.clone().try_lock_owned().ok());
            }
            let mut vouchers = Vec::new();
            for _ in 0..(1 + dice.below(5)).min(held.len() as u64 * 5) {
                let place = dice.below(held.len() as u64) as usize;
                let Slot { coin, channel } = &mut *held[place];
                let amount = step(*coin) * u128::from(1 + dice.below(1_000));
                if channel.left() > amount {
                    vouchers.push(channel.pay(self.payers[payer].vouchers(), amount).doing("signing a voucher")?);
                }
            }
            self.hand_over(vouchers, &mut dice).await?;
            if dice.below(150) == 0
                && let Some(slot) = held.first_mut()
            {
                self.top_up(payer, slot).await?;
            }
            drop(held);
            sleep(Duration::from_millis(5 + dice.below(40))).await;
        }
        Ok(())
    }

    /// Offers them until each is acknowledged. Nobody knows whether a voucher without an answer was stored: only the same again can tell.
    async fn hand_over(&self, mut vouchers: Vec<SignedVoucher>, dice: &mut Dice) -> Result<()> {
        let begun = Instant::now();
        while !vouchers.is_empty() {
            // Now and then twice at once: both must be answered in the same sense.
            let is_doubled = dice.below(8) == 0;
            let (first, second) = tokio::join!(self.post(&vouchers), async { if is_doubled { Some(self.post(&vouchers).await) } else { None } });
            for outcomes in [Some(first), second].into_iter().flatten().flatten() {
                for (voucher, outcome) in vouchers.iter().zip(&outcomes) {
                    match outcome {
                        BatchOutcome::Accepted(_) => self.acknowledged.note(voucher),
                        // A higher one of ours was stored, here or before the answer got lost: then this one is worth nothing more.
                        BatchOutcome::Rejected(problem) if problem.code == "stale" => {
                            let best = problem.best.as_ref().and_then(|best| best.read()).map_or(0, |(total, _)| total);
                            if best < voucher.cumulative_amount {
                                return Err(Error::new(format!("{voucher:?} is called stale for {best}")));
                            }
                            self.acknowledged.note(voucher);
                        }
                        BatchOutcome::Rejected(problem) => {
                            // A top-up that is not final yet, or trouble inside.
                            let may_pass = matches!(problem.code.as_str(), "not_covered" | "unknown_channel") || problem.status >= 500;
                            if !may_pass || begun.elapsed() > PATIENCE {
                                return Err(Error::new(format!("{voucher:?} refused: {problem:?}")));
                            }
                        }
                    }
                }
            }
            let before = vouchers.len();
            vouchers.retain(|v| self.acknowledged.of(v.number) < v.cumulative_amount);
            self.counts.vouchers.fetch_add((before - vouchers.len()) as u64, Ordering::Relaxed);
            if begun.elapsed() > PATIENCE && !vouchers.is_empty() {
                return Err(Error::new(format!("no relayer has taken {vouchers:?} for {PATIENCE:?}")));
            }
            if !vouchers.is_empty() {
                sleep(PAUSE).await;
            }
        }
        Ok(())
    }

    async fn post(&self, vouchers: &[SignedVoucher]) -> Option<Vec<BatchOutcome>> {
        match vouchers {
            [one] => match self.relayer.pay(one).await {
                Ok(receipt) => Some(vec![BatchOutcome::Accepted(receipt)]),
                Err(rivulet_client::Error::Rejected(problem)) => Some(vec![BatchOutcome::Rejected(*problem)]),
                Err(_) => None,
            },
            many => self.relayer.pay_batch(many).await.ok(),
        }
    }

    /// Makes a call again until it goes through, or what it was to do is done.
    async fn insist<T, F, D>(&self, what: &str, call: impl Fn() -> F, is_done: impl Fn() -> D) -> Result<Option<T>>
    where
        F: Future<Output = Result<T>>,
        D: Future<Output = Result<bool>>,
    {
        let begun = Instant::now();
        loop {
            let failed = match timeout(CHAIN_PATIENCE, call()).await {
                Ok(Ok(done)) => return Ok(Some(done)),
                Ok(Err(e)) => e,
                Err(_) => Error::new("no end to it"),
            };
            if is_done().await.unwrap_or(false) {
                return Ok(None);
            }
            if begun.elapsed() > CHAIN_PATIENCE {
                return Err(failed).doing(what);
            }
            sleep(PAUSE).await;
        }
    }

    async fn top_up(&self, payer: usize, slot: &mut Slot) -> Result<()> {
        let (client, channel) = (&self.payers[payer], slot.channel);
        let before = self.find(payer, &channel).await?.map_or(channel.deposit, |c| c.deposit);
        let amount = step(slot.coin) * 1_000;
        let call = || async move { Ok(client.top_up(&mut channel.clone(), amount).await.map(drop)?) };
        let is_done = || async { Ok(self.find(payer, &channel).await?.is_some_and(|c| c.deposit > before)) };
        self.insist("topping up", call, is_done).await?;
        slot.channel.deposit = before + amount;
        self.counts.top_ups.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn find(&self, payer: usize, channel: &Channel) -> Result<Option<Channel>> {
        Ok(self.payers[payer].find(channel.number()).await?)
    }

    async fn view(&self, number: ChannelNumber) -> Result<ChannelView> {
        let block = self.chain.node().finalized().await?;
        Ok(self.chain.channel(number, block).await?)
    }

    /// One payer after the other closes a channel, sees it paid out in time, and opens another. Returns what was paid out.
    ///
    /// # Errors
    ///
    /// When a channel's vouchers are not claimed in time, or the chain does not do its part.
    pub async fn close_again_and_again(self, mut dice: Dice) -> Result<Money> {
        let mut paid = Money::default();
        while !self.is_over() {
            sleep(Duration::from_millis(500)).await;
            let payer = dice.below(self.slots.len() as u64) as usize;
            let Some(slot) = self.slots[payer].get(dice.below(self.slots[payer].len() as u64) as usize) else { continue };
            let mut slot = slot.clone().lock_owned().await;
            paid += self.close(payer, &slot).await?;
            slot.channel = self.open(payer, &slot).await?;
            self.counts.closed.fetch_add(1, Ordering::Relaxed);
        }
        Ok(paid)
    }

    async fn close(&self, payer: usize, slot: &Slot) -> Result<Money> {
        let (client, channel, number) = (&self.payers[payer], slot.channel, slot.channel.number());
        let promised = self.acknowledged.of(number);
        let call = || async move { Ok(client.request_close(&channel).await.map(drop)?) };
        let is_asked = || async { Ok(matches!(self.view(number).await?, ChannelView::Live(state) if state.close_due_at.is_some())) };
        self.insist("asking to close", call, is_asked).await?;
        // Beyond the half, the relayer pays a transaction for it alone if it must.
        self.pass(u64::from(CHALLENGE_SECS) * 6 / 10).await?;
        let begun = Instant::now();
        loop {
            match self.view(number).await {
                Ok(ChannelView::Live(state)) if state.claimed == promised => break,
                Ok(ChannelView::Live(state)) if state.claimed > promised => {
                    return Err(Error::new(format!("channel {number}: {} claimed, {promised} acknowledged", state.claimed)));
                }
                _ if begun.elapsed() > CHAIN_PATIENCE => {
                    return Err(Error::new(format!("channel {number}: {promised} acknowledged, and not claimed before its close is due")));
                }
                _ => sleep(PAUSE).await,
            }
        }
        self.pass(u64::from(CHALLENGE_SECS) * 4 / 10).await?;
        let call = || async move { Ok(client.finish(&channel).await.map(drop)?) };
        let is_closed = || async { Ok(self.view(number).await? == ChannelView::Closed) };
        self.insist("finishing", call, is_closed).await?;
        Ok(Money::of(slot.coin, promised))
    }

    /// Lets time pass on the chain. A node that is killed before its next block forgets that its clock was moved: then it is moved again.
    async fn pass(&self, secs: u64) -> Result<()> {
        let begun = Instant::now();
        let mut target = None;
        loop {
            if let Ok(head) = self.chain.finalized_head().await {
                let target = *target.get_or_insert(head.now + secs);
                if head.now >= target {
                    return Ok(());
                }
                // Should it fail, it is tried again.
                let _ = self.node.advance_time(target - head.now).await;
            }
            if begun.elapsed() > CHAIN_PATIENCE {
                return Err(Error::new("the chain's clock does not move"));
            }
            sleep(MOVED).await;
        }
    }

    async fn open(&self, payer: usize, slot: &Slot) -> Result<Channel> {
        let (client, before) = (&self.payers[payer], slot.channel);
        let spent = Money::of(slot.coin, self.acknowledged.of(before.number()));
        let grants = [Grant { to: client.lane().signer().account(), planck: spent.planck + 10_000_000_000, usdc: spent.usdc }];
        self.insist("giving a payer money", || grant(&self.bank, &grants), || async { Ok(false) }).await?;
        let wanted =
            OpenChannel { payee: before.terms.payee, token: before.terms.token, challenge_period_secs: CHALLENGE_SECS, amount: before.deposit };
        let call = || async move { Ok(client.open(&wanted).await?) };
        // One that was opened without our knowing stays as it is: nothing is ever signed for it.
        let opened = self.insist("opening a channel", call, || async { Ok(false) }).await?;
        opened.ok_or_else(|| Error::new("a channel that nobody opened"))
    }
}
