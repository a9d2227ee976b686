//! Clients that pay without a pause while something happens to their relayers, and what must be true at the end.

use rivulet_client::{Channel, Payer, Relayer, SignedVoucher, relay::BatchOutcome};
use rivulet_core::outcome::RowOutcome;
use rivulet_e2e::story::{
    Play, paying,
    plan::{Coin, Dice, Money},
};
use rivulet_rules::chain::ContractEvent;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};

/// One for every payer.
pub struct Clients {
    tasks: JoinSet<Vec<(Coin, Channel)>>,
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
}

impl Clients {
    /// They begin to pay, to any of the relayers at these addresses.
    pub fn start(play: &Play, channels: &[Channel], relayers: &[String]) -> Self {
        let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let relayers: Vec<_> = relayers.iter().map(|url| Relayer::new(url.clone()).unwrap()).collect();
        let mut tasks = JoinSet::new();
        for (index, payer) in play.cast.pay.iter().enumerate() {
            let mine = play.plan.channels_of(index).map(|i| (play.plan.channels[i].coin, channels[i])).collect();
            tasks.spawn(post(payer.clone(), relayers.clone(), mine, Dice(index as u64), stop.clone(), acknowledged.clone()));
        }
        Self { tasks, stop, acknowledged }
    }

    /// They end. What they promised in vouchers that were acknowledged, and how many those were.
    pub async fn stop(self) -> (Money, u64) {
        self.stop.store(true, Ordering::Relaxed);
        let mut promised = Money::default();
        for (coin, channel) in self.tasks.join_all().await.into_iter().flatten() {
            promised += Money::of(coin, channel.promised);
        }
        (promised, self.acknowledged.load(Ordering::Relaxed))
    }
}

/// So small that no channel runs dry, and so odd that no sum comes out by chance.
fn step(coin: Coin) -> u128 {
    match coin {
        Coin::Dot => 7 * 100_000_000,
        Coin::Usdc => 3,
    }
}

/// One client: posts to any of the relayers, waits, posts again what was not acknowledged, to the next one. Returns its channels; what they promised is what was
/// acknowledged.
async fn post(
    payer: Payer,
    relayers: Vec<Relayer>,
    mut channels: Vec<(Coin, Channel)>,
    mut dice: Dice,
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
) -> Vec<(Coin, Channel)> {
    while !stop.load(Ordering::Relaxed) {
        let mut vouchers: Vec<SignedVoucher> = Vec::new();
        for _ in 0..=dice.below(5) {
            let place = dice.below(channels.len() as u64) as usize;
            let (coin, channel) = &mut channels[place];
            let amount = step(*coin) * u128::from(1 + dice.below(1_000));
            vouchers.push(channel.pay(payer.vouchers(), amount).expect("the deposit lasts"));
        }
        // Nobody knows whether a voucher without an answer was stored: only the same again can tell.
        let (begun, first) = (Instant::now(), dice.below(relayers.len() as u64) as usize);
        for relayer in relayers.iter().cycle().skip(first) {
            match relayer.pay_batch(&vouchers).await {
                Ok(outcomes) => {
                    for (voucher, outcome) in vouchers.iter().zip(&outcomes) {
                        // A lower total of a channel whose higher one is in the same batch was stored before the answer got lost.
                        let overtaken = vouchers.iter().any(|v| v.number == voucher.number && v.cumulative_amount > voucher.cumulative_amount);
                        let fine = match outcome {
                            BatchOutcome::Accepted(_) => true,
                            BatchOutcome::Rejected(problem) => overtaken && problem.code == "stale",
                        };
                        assert!(fine, "{voucher:?}: {outcome:?}");
                    }
                    acknowledged.fetch_add(vouchers.len() as u64, Ordering::Relaxed);
                    break;
                }
                Err(e) => {
                    assert!(begun.elapsed() < Duration::from_secs(60), "no relayer for a minute: {e}");
                    sleep(Duration::from_millis(20)).await;
                }
            }
        }
        sleep(Duration::from_millis(dice.below(20))).await;
    }
    channels
}

/// Waits until so many transactions wait for a block.
pub async fn wait_for_pool(play: &Play, wanted: impl Fn(usize) -> bool) {
    let begun = Instant::now();
    while !wanted(play.stage.node.pending().await.unwrap()) {
        assert!(begun.elapsed() < Duration::from_secs(30), "the pool is not as wanted");
        sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until what was promised has been paid, by finalized balances; then nothing more may be paid, the relayers' key may have lost nothing but fees, and no row
/// may have been claimed for nothing. How many transactions and rows it took.
pub async fn assert_paid_exactly(play: &Play, promised: Money) -> (u64, usize) {
    let begun = Instant::now();
    while paying::claimed(play).await.unwrap().paid != promised {
        let paid = paying::claimed(play).await.unwrap().paid;
        assert!(paid.planck <= promised.planck && paid.usdc <= promised.usdc, "paid {paid:?}, acknowledged {promised:?}");
        assert!(begun.elapsed() < Duration::from_secs(90), "paid {paid:?}, acknowledged {promised:?}");
        sleep(Duration::from_millis(100)).await;
    }
    // It is not in the middle of paying again: several intervals later nothing has moved.
    sleep(Duration::from_secs(3)).await;
    let claimed = paying::claimed(play).await.unwrap();
    assert_eq!(claimed.paid, promised, "paid again");

    let end = play.stage.ledger.snapshot(&play.cast.accounts()).await.unwrap();
    let costs = play.stage.ledger.costs(play.start.block.number, end.block.number).await.unwrap();
    let relayer = play.cast.relayer.account();
    let lost = play.start.of(&relayer).native() - end.of(&relayer).native();
    assert_eq!(lost, costs[&relayer].fees, "the relayer's key lost something else than fees");
    (claimed.transactions.into(), assert_no_row_was_wasted(play).await)
}

/// Every row that a claim has carried: none may have been carried twice.
async fn assert_no_row_was_wasted(play: &Play) -> usize {
    let (from, to) = (play.start.block.number, play.stage.chain.node().finalized().await.unwrap().number);
    let mut rows = 0;
    for number in from..=to {
        let block = play.stage.chain.node().block_at(number).await.unwrap().unwrap();
        for record in play.stage.chain.events(block).await.unwrap() {
            if let ContractEvent::Claimed { rows: claimed, .. } = record.event {
                rows += claimed.len();
                for row in claimed {
                    assert_eq!(row.outcome, RowOutcome::Applied, "in block {number}: {row:?}");
                }
            }
        }
    }
    rows
}
