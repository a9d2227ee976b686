//! Two relayers on one Postgres, as an operator runs them: the one that claims is killed, or suspended until another one has its work.
//!
//! ```text
//! clients post vouchers to both without a pause, and send each again until it is acknowledged
//! ├── the one that claims is killed at any moment
//! ├── killed with its transaction in the pool
//! └── suspended for longer than its lease lasts, and woken up: it believes that it still claims
//! each time the other one claims within seconds
//! then: every acknowledged voucher has been paid, once, by finalized balances, and no transaction carried a row for nothing
//! ```

#[path = "support/clients.rs"]
mod clients;
mod support;

use clients::{Clients, assert_paid_exactly, wait_for_pool};
use rivulet_e2e::{
    harness::Daemon,
    story::{Play, opening, paying, plan::Dice},
};
use rivulet_store::testing::{server, text};
use std::{
    process::Command,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// `batch.lease_ms`, as it is when nothing is said.
const LEASE: Duration = Duration::from_secs(6);

/// The place among the relayers of the one that claims.
async fn claiming(database: &str, relayers: &[Daemon; 2]) -> usize {
    let begun = Instant::now();
    loop {
        // A holder's name begins with its process id.
        let holder = text(database, "SELECT holder FROM leases WHERE until_ms > extract(epoch FROM clock_timestamp()) * 1000").await;
        let id = holder.as_deref().and_then(|h| h.split('-').next()?.parse().ok()).unwrap_or(0);
        if let Some(place) = relayers.iter().position(|r| r.id() == id && id != 0) {
            return place;
        }
        assert!(begun.elapsed() < LEASE * 5, "nobody claims: {holder:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until more transactions of the relayers' key are final than at the beginning, and returns how long it took.
async fn claims_go_on(play: &Play) -> Duration {
    let (begun, before) = (Instant::now(), paying::claimed(play).await.unwrap().transactions);
    // What was in the pool may still come through; the second one was sent after.
    while paying::claimed(play).await.unwrap().transactions < before + 2 {
        assert!(begun.elapsed() < LEASE * 5, "no claims for {:?}", begun.elapsed());
        sleep(Duration::from_millis(50)).await;
    }
    begun.elapsed()
}

fn signal(relayer: &Daemon, name: &str) {
    assert!(Command::new("sh").args(["-c", &format!("kill -{name} {}", relayer.id())]).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whichever_is_killed_or_suspended_the_other_claims_within_seconds_and_nothing_is_paid_for_twice() {
    let database = server().fresh_url().await;
    let options = ["--payers", "12", "--creators", "4", "--streams", "0", "--vouchers", "4000"];
    let (play, first) = support::stage(&options, |flags| {
        flags.database = Some(database.clone());
        flags.interval_ms = 700;
        flags.min_value_bps = 0;
        flags.max_rows = 20;
    })
    .await;
    let folder = play.stage.folder.path().join("second");
    std::fs::create_dir(&folder).unwrap();
    let second = first.another(&folder).await.unwrap();
    let mut relayers = [first, second];
    let channels = opening::open(&play).await.unwrap();
    let clients = Clients::start(&play, &channels, &relayers.each_ref().map(Daemon::url));
    let (mut dice, mut gaps) = (Dice(11), Vec::new());

    for _ in 0..2 {
        sleep(Duration::from_millis(1_000 + dice.below(1_500))).await;
        let place = claiming(&database, &relayers).await;
        relayers[place].kill();
        gaps.push(claims_go_on(&play).await);
        relayers[place].launch().unwrap();
        relayers[place].wait_ready().await.unwrap();
    }

    // No block takes what is in the pool before the other one has found it.
    let place = claiming(&database, &relayers).await;
    play.stage.node.set_sealing(false).await.unwrap();
    wait_for_pool(&play, |pending| pending > 0).await;
    relayers[place].kill();
    let other = claiming(&database, &relayers).await;
    assert_ne!(place, other);
    play.stage.node.set_sealing(true).await.unwrap();
    gaps.push(claims_go_on(&play).await);
    relayers[place].launch().unwrap();
    relayers[place].wait_ready().await.unwrap();

    let place = claiming(&database, &relayers).await;
    signal(&relayers[place], "STOP");
    sleep(LEASE).await;
    assert_ne!(place, claiming(&database, &relayers).await);
    signal(&relayers[place], "CONT");
    gaps.push(claims_go_on(&play).await);

    let (promised, count) = clients.stop().await;
    let (transactions, rows) = assert_paid_exactly(&play, promised).await;
    println!("{count} vouchers acknowledged, paid by {rows} rows in {transactions} transactions, none wasted; claims went on after {gaps:?}");
    assert!(transactions >= 10 && count >= 500, "too little happened to prove anything");
    let [mut first, second] = relayers;
    first.stop().await.unwrap();
    support::strike(play, second).await;
}
