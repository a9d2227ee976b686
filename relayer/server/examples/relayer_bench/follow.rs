//! How fast finalized blocks are taken in: from blocks in memory to a cursor on disk. What a node needs to serve them is not in it.

use super::{
    Effort,
    measure::Stopwatch,
    support::{FakeChain, relayer},
};
use rivulet_core::ids::Number;
use rivulet_rules::{chain::ContractKind, testing::Key};

pub fn run(effort: Effort) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    println!("## Following the chain\n\nFrom decoded blocks to a cursor on disk, SQLite; up to 256 blocks share a commit.\n");
    println!("| blocks | events in each | blocks/s | events/s | µs of processor time an event |\n|---|---|---|---|---|");
    for each in [0u32, 10, 200] {
        let (chain, key) = (FakeChain::new(), Key::of(1));
        chain.book(ContractKind::Channels, 1);
        let blocks = (effort.channels / 2).checked_div(each).unwrap_or(10_000);
        for block in 0..blocks {
            // Every second one opens a channel, the other asks to close one: a record inserted, a record changed.
            for event in 0..each {
                let number = Number { book: 1, serial: (block * each + event) / 2 };
                if event % 2 == 0 {
                    chain.open(number, &key, 1 << 90);
                } else {
                    chain.request_close(number, 1_000_000);
                }
            }
            chain.produce();
        }
        let dir = tempfile::tempdir_in(std::env::var("RIVULET_BENCH_DIR").unwrap_or_else(|_| ".".to_owned())).unwrap();
        let relayer = relayer(dir.path(), &chain, "");
        let watch = Stopwatch::start();
        runtime.block_on(relayer.worker.catch_up()).unwrap();
        let (spent, events) = (watch.spent(), f64::from(blocks * each));
        let (clock, cpu) = (spent.clock, spent.cpu / events.max(1.0) * 1e6);
        println!(
            "| {blocks} | {each} | {:.0} | {:.0} | {} |",
            f64::from(blocks) / clock,
            events / clock,
            if each == 0 { "–".to_owned() } else { format!("{cpu:.1}") }
        );
    }
    println!();
}
