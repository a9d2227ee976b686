//! A stage with a relayer, set up as the story's.

use clap::Parser;
use rivulet_e2e::{
    harness::{Daemon, Folder, RelayerFlags},
    story::{
        Play,
        options::Options,
        raise,
        screen::{Screen, To},
    },
};

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
