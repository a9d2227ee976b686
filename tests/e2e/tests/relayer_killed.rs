//! A relayer that is killed at the worst moments.
//!
//! ```text
//! clients post vouchers without a pause, and send each again until it is acknowledged
//! ├── killed at any moment
//! ├── killed as soon as an intent is on disk
//! ├── killed with its transaction in the pool
//! │   ├── started again before a block takes it
//! │   └── started again after a block has taken it
//! └── killed while it starts
//! then: every acknowledged voucher has been paid, once, by finalized balances
//! ```

mod support;

use rivulet_client::{Channel, Payer, Relayer, SignedVoucher, relay::BatchOutcome};
use rivulet_e2e::{
    harness::Daemon,
    story::{
        Play, opening, paying,
        plan::{Coin, Dice, Money},
    },
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};

/// So small that no channel runs dry, and so odd that no sum comes out by chance.
fn step(coin: Coin) -> u128 {
    match coin {
        Coin::Dot => 7 * 100_000_000,
        Coin::Usdc => 3,
    }
}

/// One client: posts, waits, posts again what was not acknowledged. Returns its channels; what they promised is what was acknowledged.
async fn post(
    payer: Payer,
    relayer: Relayer,
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
        let begun = Instant::now();
        loop {
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

/// Waits until an intent is open, and returns at once.
async fn wait_for_intent(daemon: &Daemon) {
    let database = support::database(daemon);
    let begun = Instant::now();
    loop {
        let open: i64 = database.query_row("SELECT count(*) FROM intents WHERE state = 'open'", [], |row| row.get(0)).unwrap();
        if open > 0 {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "no intent for half a minute");
        sleep(Duration::from_millis(1)).await;
    }
}

async fn wait_for_pool(play: &Play, wanted: impl Fn(usize) -> bool) {
    let begun = Instant::now();
    while !wanted(play.stage.node.pending().await.unwrap()) {
        assert!(begun.elapsed() < Duration::from_secs(30), "the pool is not as wanted");
        sleep(Duration::from_millis(5)).await;
    }
}

/// Kills and restarts, each time at another moment. Returns how often.
async fn kill_again_and_again(play: &Play, daemon: &mut Daemon, dice: &mut Dice) -> usize {
    let mut kills = 0;
    for round in 0..3 {
        // At any moment.
        sleep(Duration::from_millis(200 + dice.below(1_500))).await;
        daemon.kill();
        daemon.launch().unwrap();
        daemon.wait_ready().await.unwrap();

        // As soon as an intent is on disk: perhaps before it is sent.
        wait_for_intent(daemon).await;
        daemon.kill();
        daemon.launch().unwrap();
        daemon.wait_ready().await.unwrap();

        // In the pool, and no block takes it before the relayer is back.
        play.stage.node.set_sealing(false).await.unwrap();
        wait_for_pool(play, |pending| pending > 0).await;
        daemon.kill();
        daemon.launch().unwrap();
        daemon.wait_ready().await.unwrap();
        sleep(Duration::from_millis(dice.below(800))).await;
        play.stage.node.set_sealing(true).await.unwrap();

        // In the pool, and a block takes it while the relayer is down.
        play.stage.node.set_sealing(false).await.unwrap();
        wait_for_pool(play, |pending| pending > 0).await;
        daemon.kill();
        play.stage.node.set_sealing(true).await.unwrap();
        wait_for_pool(play, |pending| pending == 0).await;
        sleep(Duration::from_millis(dice.below(1_500))).await;
        daemon.launch().unwrap();

        // While it starts.
        sleep(Duration::from_millis(20 + 150 * round)).await;
        daemon.kill();
        daemon.launch().unwrap();
        daemon.wait_ready().await.unwrap();
        kills += 5;
    }
    kills
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_voucher_is_paid_exactly_once() {
    let options = ["--payers", "16", "--creators", "4", "--streams", "0", "--vouchers", "4000"];
    let (play, mut daemon) = support::stage(&options, |flags| {
        flags.interval_ms = 700;
        // Rows of next to nothing: claim them all the same.
        flags.min_value_bps = 0;
        // Many transactions, several at once.
        flags.max_rows = 20;
    })
    .await;
    let channels = opening::open(&play).await.unwrap();

    let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let relayer = Relayer::new(daemon.url()).unwrap();
    let mut clients = JoinSet::new();
    for (index, payer) in play.cast.pay.iter().enumerate() {
        let mine = play.plan.channels_of(index).map(|i| (play.plan.channels[i].coin, channels[i])).collect();
        clients.spawn(post(payer.clone(), relayer.clone(), mine, Dice(index as u64), stop.clone(), acknowledged.clone()));
    }
    let kills = kill_again_and_again(&play, &mut daemon, &mut Dice(7)).await;
    sleep(Duration::from_secs(1)).await;
    stop.store(true, Ordering::Relaxed);
    let mut promised = Money::default();
    for (coin, channel) in clients.join_all().await.into_iter().flatten() {
        promised += Money::of(coin, channel.promised);
    }

    let begun = Instant::now();
    while paying::claimed(&play).await.unwrap().paid != promised {
        let paid = paying::claimed(&play).await.unwrap().paid;
        assert!(paid.planck <= promised.planck && paid.usdc <= promised.usdc, "paid {paid:?}, acknowledged {promised:?}");
        assert!(begun.elapsed() < Duration::from_secs(90), "paid {paid:?}, acknowledged {promised:?}");
        sleep(Duration::from_millis(100)).await;
    }
    // It is not in the middle of paying again: several intervals later nothing has moved.
    sleep(Duration::from_secs(3)).await;
    let claimed = paying::claimed(&play).await.unwrap();
    assert_eq!(claimed.paid, promised, "paid again");

    let end = play.stage.ledger.snapshot(&play.cast.accounts()).await.unwrap();
    let costs = play.stage.ledger.costs(play.start.block.number, end.block.number).await.unwrap();
    let relayer = play.cast.relayer.account();
    let lost = play.start.of(&relayer).native() - end.of(&relayer).native();
    assert_eq!(lost, costs[&relayer].fees, "the relayer's key lost something else than fees");
    let rows = support::assert_no_row_was_wasted(&play).await;
    let count = acknowledged.load(Ordering::Relaxed);
    println!("{kills} kills; {count} vouchers acknowledged, paid by {rows} rows in {} transactions, none wasted", claimed.transactions);
    assert!(claimed.transactions >= 10 && count >= 500, "too little happened to prove anything");
    support::strike(play, daemon).await;
}
