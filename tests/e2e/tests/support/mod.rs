//! A stage with a relayer, set up as the story's, and what several tests do with it.
#![allow(dead_code)] // each test uses some of it

use clap::Parser;
use rivulet_client::{Relayer, SignedVoucher, relay::BatchOutcome};
use rivulet_core::outcome::RowOutcome;
use rivulet_e2e::{
    harness::{Daemon, Folder, RelayerFlags},
    story::{
        Play, opening,
        options::Options,
        paying,
        plan::Money,
        raise,
        screen::{Screen, To},
    },
};
use rivulet_rules::chain::ContractEvent;
use rusqlite::{Connection, OpenFlags};
use std::{
    fs,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// Node, contracts, people with money, relay terms, a relayer.
pub async fn stage(options: &[&str], tune: impl FnOnce(&mut RelayerFlags)) -> (Play, Daemon) {
    let options = Options::parse_from([&["story"], options].concat());
    raise(options, Screen::new(To::Nowhere), Folder::new().unwrap(), tune).await.unwrap()
}

/// Stops both; a relayer that does not end well is a failure too.
pub async fn strike(mut play: Play, mut daemon: Daemon) {
    daemon.stop().await.unwrap();
    play.stage.node.stop().await.unwrap();
}

/// Stops the relayer, changes its configuration and starts it again.
pub async fn restart_with(daemon: &mut Daemon, change: impl FnOnce(&mut toml::Table)) {
    daemon.stop().await.unwrap();
    let mut config: toml::Table = fs::read_to_string(daemon.config_path()).unwrap().parse().unwrap();
    change(&mut config);
    fs::write(daemon.config_path(), toml::to_string(&config).unwrap()).unwrap();
    daemon.launch().unwrap();
    daemon.wait_ready().await.unwrap();
}

/// Waits until something holds; looks a few times a second.
pub async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_secs(90), "never: {what}");
        sleep(Duration::from_millis(100)).await;
    }
}

/// Posts vouchers until all of them are acknowledged: the relayer may not have the block that opened their channels yet.
pub async fn post(relayer: &Relayer, vouchers: &[SignedVoucher]) {
    until("every voucher is taken", async || {
        let outcomes = relayer.pay_batch(vouchers).await.unwrap();
        outcomes.iter().all(|outcome| matches!(outcome, BatchOutcome::Accepted(_)))
    })
    .await;
}

/// Waits until so much has been paid out, and no more.
pub async fn paid_out(play: &Play, promised: Money) {
    until(&format!("{promised:?} paid out"), async || {
        let paid = paying::claimed(play).await.unwrap().paid;
        assert!(paid.planck <= promised.planck && paid.usdc <= promised.usdc, "paid {paid:?}, acknowledged {promised:?}");
        paid == promised
    })
    .await;
}

/// A metric's line that begins so; `None`: there is no such line.
pub async fn metric(url: &str, line: &str) -> Option<f64> {
    let text = reqwest::get(format!("{url}/metrics")).await.unwrap().text().await.unwrap();
    text.lines().find(|l| l.starts_with(line) && !l.starts_with('#')).map(|l| l.rsplit(' ').next().unwrap().parse().unwrap())
}

/// The relayer's database, to read.
pub fn database(daemon: &Daemon) -> Connection {
    let database = Connection::open_with_flags(daemon.database_path(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    database.busy_timeout(Duration::from_secs(5)).unwrap();
    database
}

/// A day: what the story's channels have.
pub const CHALLENGE_SECS: u64 = opening::CHALLENGE_SECS as u64;

/// Every row that a claim has carried: none may have been carried twice.
pub async fn assert_no_row_was_wasted(play: &Play) -> usize {
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
