//! The ten cases that must work end to end: each example is run as its reader would, and ends well only if its balances are right.

use std::{
    path::PathBuf,
    process::{Command, Output},
};

fn run(name: &str) {
    let this = std::env::current_exe().unwrap();
    let built: PathBuf = this.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(built.is_file(), "{} is not built: `cargo test` builds examples too", built.display());
    let Output { status, stdout, stderr } = Command::new(built).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(status.success(), "{name}: {status}\n{}{}", text(&stdout), text(&stderr));
}

macro_rules! cases {
    ($($name:ident)*) => { $(#[test] fn $name() { run(stringify!($name)); })* };
}

cases! {
    pay_per_article
    pay_per_song
    pay_per_minute
    tip
    in_game_purchases
    agent_pays_api
    device_to_device
    salary
    prepaid_balance
    many_payers
}
