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

#[path = "support/clients.rs"]
mod clients;
mod support;

use clients::{Clients, assert_paid_exactly, wait_for_pool};
use rivulet_e2e::{
    harness::Daemon,
    story::{Play, opening, plan::Dice},
};
use std::time::{Duration, Instant};
use tokio::time::sleep;

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

    let clients = Clients::start(&play, &channels, &[daemon.url()]);
    let kills = kill_again_and_again(&play, &mut daemon, &mut Dice(7)).await;
    sleep(Duration::from_secs(1)).await;
    let (promised, count) = clients.stop().await;
    let (transactions, rows) = assert_paid_exactly(&play, promised).await;
    println!("{kills} kills; {count} vouchers acknowledged, paid by {rows} rows in {transactions} transactions, none wasted");
    assert!(transactions >= 10 && count >= 500, "too little happened to prove anything");
    support::strike(play, daemon).await;
}
