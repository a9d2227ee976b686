//! A process that accepts vouchers as fast as it can is killed with SIGKILL, again and again: what it had answered is there.
//!
//! The child is this test binary itself, running `the_child` with the database's place in its environment.

use rivulet_core::ids::{Address, Number};
use rivulet_rules::testing::{Key, channel, id, verified};
use rivulet_store::{ChainUpdate, ChannelUpdate, DeploymentId, testing::server};
use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
    sync::Arc,
};

const CHILD: &str = "RIVULET_STORE_TEST_CHILD";
const KILLS: u64 = 12;
const CHANNELS: u32 = 8;

fn deployment() -> DeploymentId {
    DeploymentId { chain_id: 1, genesis_hash: [1; 32], channels: Address([2; 20]), streams: Address([3; 20]) }
}

fn number(serial: u32) -> Number {
    Number { book: 1, serial }
}

/// One task a channel: raises the total by one and prints it once it is answered.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn write_until_killed(location: &str) {
    let store = rivulet_store::open(&location.parse().unwrap(), &deployment()).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for serial in 0..CHANNELS {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let key = Key::of(1);
            let state = channel(number(serial), &key, u128::from(u64::MAX));
            let channels = vec![(1, ChannelUpdate::Live { state, channel_id: id(&state) })];
            store.apply(ChainUpdate { channels, ..ChainUpdate::default() }).await.unwrap();
            let mut total = store.channel(number(serial)).await.unwrap().unwrap().best.map_or(0, |b| b.cumulative_amount);
            loop {
                total += 1;
                store.accept(vec![verified(&state, &key, total)], 1).await.unwrap().remove(0).unwrap();
                let mut out = std::io::stdout().lock();
                writeln!(out, "ack {serial} {total}").unwrap();
                out.flush().unwrap();
            }
        });
    }
    tasks.join_all().await;
}

#[test]
fn the_child() {
    if let Ok(location) = std::env::var(CHILD) {
        write_until_killed(&location);
    }
}

#[test]
fn what_was_answered_survives_sigkill_at_any_moment_on_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    kill_again_and_again(dir.path().join("relayer.db").to_str().unwrap());
}

#[test]
fn what_was_answered_survives_sigkill_at_any_moment_on_postgres() {
    kill_again_and_again(&tokio::runtime::Runtime::new().unwrap().block_on(server().fresh_url()));
}

fn kill_again_and_again(location: &str) {
    let mut answered = HashMap::<u32, u128>::new();
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_child", "--nocapture"])
            .env(CHILD, location)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // A different number of answers each time, so that the kill comes at different moments of a commit.
        let until = 20 + kill * 37 % 101;
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = 0;
        let mut note = |line: String| {
            let Some((serial, total)) = line.strip_prefix("ack ").and_then(|l| l.split_once(' ')) else { return false };
            let (serial, total) = (serial.parse().unwrap(), total.parse().unwrap());
            let best = answered.entry(serial).or_default();
            assert!(total > *best, "the child began again below what it had answered");
            *best = total;
            true
        };
        while seen < until {
            seen += u64::from(note(lines.next().expect("the child ended by itself").unwrap()));
        }
        child.kill().unwrap(); // SIGKILL
        // What was printed before it died counts; its last line may be cut.
        lines.map_while(Result::ok).filter(|l| l.split(' ').count() == 3).for_each(|line| {
            note(line);
        });
        child.wait().unwrap();
        check(location, &answered);
    }
    assert_eq!(answered.len(), CHANNELS as usize);
}

/// Opens the database as a restarted relayer would.
#[tokio::main(flavor = "current_thread")]
async fn check(location: &str, answered: &HashMap<u32, u128>) {
    let store = rivulet_store::open(&location.parse().unwrap(), &deployment()).await.unwrap();
    for (serial, total) in answered {
        let best = store.channel(number(*serial)).await.unwrap().unwrap().best.unwrap();
        assert!(best.cumulative_amount >= *total, "channel {serial}: {total} was answered, {} is stored", best.cumulative_amount);
        let state = channel(number(*serial), &Key::of(1), 0);
        assert_eq!(best.signature, Key::of(1).voucher(id(&state), best.cumulative_amount));
    }
}
