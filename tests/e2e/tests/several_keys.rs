//! Three signing keys on a real node: one without money, one that another program uses all the time, one that is the relayer's alone.
//!
//! ```text
//! vouchers in rounds, many small transactions ── every voucher paid once, no row carried twice
//!                                             ── the empty key sent nothing, and what it lacks is said
//!                                             ── the contested key's lost transactions went by another, and it is noticed
//! ```

mod support;

use rivulet_chain::Lane;
use rivulet_client::Relayer;
use rivulet_e2e::{
    people::{Grant, Person, grant},
    story::{
        Play, opening,
        plan::{Coin, Money},
    },
};
use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use support::metric;
use tokio::task::JoinHandle;

const ROUNDS: u128 = 8;

/// Another program with the same key: sends as fast as it can, whatever the relayer does. Returns how many of its transactions were taken.
fn use_elsewhere(play: &Play, key: &Person, stop: Arc<AtomicBool>) -> JoinHandle<u64> {
    let (node, signer) = (play.stage.chain.node().clone(), key.signer.clone());
    let to = play.cast.operator.account();
    tokio::spawn(async move {
        let lane = Lane::new(node.clone(), signer);
        let call = node.transfer(node.finalized().await.unwrap(), &to, 1).await.unwrap();
        let mut sent = 0;
        while !stop.load(Ordering::Relaxed) {
            lane.forget_nonce().await;
            sent += u64::from(lane.send(&call).await.is_ok());
        }
        sent
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_is_empty_one_is_used_elsewhere_and_every_row_is_paid_once() {
    let options = ["--payers", "8", "--creators", "4", "--streams", "0", "--vouchers", "4000"];
    let (play, mut daemon) = support::stage(&options, |flags| {
        flags.interval_ms = 500;
        flags.min_value_bps = 0;
        flags.max_rows = 6;
    })
    .await;
    let [empty, shared] = ["empty", "shared"].map(|name| Person::new(name).unwrap());
    grant(&play.stage.bank, &[Grant { to: shared.account(), planck: 100 * 10_000_000_000, usdc: 0 }]).await.unwrap();
    let own = play.cast.relayer.clone();
    support::restart_with(&mut daemon, |config| {
        let uris = [&empty, &shared, &own].map(|person| toml::Value::from(person.uri())).to_vec();
        config.insert("signer".to_owned(), toml::Value::Table([("dev_uris".to_owned(), uris.into())].into_iter().collect()));
    })
    .await;

    let mut channels = opening::open(&play).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let other = use_elsewhere(&play, &shared, stop.clone());
    let relayer = Relayer::new(daemon.url()).unwrap();
    let mut promised = Money::default();
    for round in 1..=ROUNDS {
        let mut vouchers = Vec::new();
        for (index, channel) in channels.iter_mut().enumerate() {
            let plan = &play.plan.channels[index];
            let step = round * if plan.coin == Coin::Dot { 7 * 100_000_000 } else { 3 };
            vouchers.push(channel.pay(play.cast.pay[plan.payer].vouchers(), step).unwrap());
            promised += Money::of(plan.coin, step);
        }
        support::post(&relayer, &vouchers).await;
        // Each round by transactions of its own.
        support::paid_out(&play, promised).await;
    }
    stop.store(true, Ordering::Relaxed);
    let sent_elsewhere = other.await.unwrap();

    let url = daemon.url();
    let state = |person: &Person, word: &str| format!("rivulet_lane_state{{account=\"0x{}\",state=\"{word}\"}}", hex::encode(person.account().0));
    assert_eq!(metric(&url, &state(&empty, "underfunded")).await, Some(1.0));
    let log = fs::read_to_string(daemon.log_path()).unwrap();
    assert!(log.contains("signing key cannot pay") && log.contains("missing_planck="), "what the empty key lacks is not said");
    assert!(log.contains("another program uses this signing key"), "{sent_elsewhere} transactions elsewhere, and none was in the way");

    let rows = support::assert_no_row_was_wasted(&play).await;
    support::until("no intent is open", async || metric(&url, "rivulet_open_intents").await == Some(0.0)).await;
    let database = support::database(&daemon);
    let count = |person: &Person, state: &str| -> i64 {
        let sql = "SELECT count(*) FROM intents WHERE signer = ?1 AND state = ?2";
        database.query_row(sql, (person.account().0.as_slice(), state), |row| row.get(0)).unwrap()
    };
    let ends = |person: &Person| ["finalized", "failed", "expired"].map(|state| count(person, state));
    println!(
        "{rows} rows; finalized, failed, expired: empty {:?}, shared {:?}, own {:?}; {sent_elsewhere} elsewhere",
        ends(&empty),
        ends(&shared),
        ends(&own)
    );
    assert_eq!(ends(&empty), [0; 3], "the empty key sent something");
    assert!(count(&own, "finalized") > 0 && count(&own, "failed") + count(&shared, "failed") == 0);
    support::strike(play, daemon).await;
}
