//! Our Solidity interface has exactly the selectors and topics that viem computed from `contracts/README.md`.

use alloy_sol_types::{SolEventInterface, SolInterface};
use rivulet_chain::abi::{
    both::Both::{BothCalls, BothEvents},
    channels::Channels::{ChannelsCalls, ChannelsEvents},
    streams::Streams::{StreamsCalls, StreamsEvents},
};
use std::collections::BTreeSet;

type Pairs = BTreeSet<String>;

fn hexed(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// The values of one object of the vectors.
fn expected(contract: &str, what: &str) -> Pairs {
    let path = std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/../../tests/vectors/vectors.json";
    let vectors: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let object = vectors["abi"][contract][what].as_object().unwrap();
    object.values().map(|v| v.as_str().unwrap().to_owned()).collect()
}

fn selectors<A: SolInterface, B: SolInterface>() -> Pairs {
    A::selectors().chain(B::selectors()).map(|s| hexed(&s)).collect()
}

fn topics(of: &[&[[u8; 32]]]) -> Pairs {
    of.iter().flat_map(|t| t.iter()).map(|t| hexed(t)).collect()
}

#[test]
fn selectors_are_those_of_the_vectors() {
    assert_eq!(selectors::<BothCalls, ChannelsCalls>(), expected("channels", "functions"));
    assert_eq!(selectors::<BothCalls, StreamsCalls>(), expected("streams", "functions"));
}

#[test]
fn topics_are_those_of_the_vectors() {
    assert_eq!(topics(&[BothEvents::SELECTORS, ChannelsEvents::SELECTORS]), expected("channels", "events"));
    assert_eq!(topics(&[BothEvents::SELECTORS, StreamsEvents::SELECTORS]), expected("streams", "events"));
    assert_eq!(BothEvents::COUNT, BothEvents::SELECTORS.len());
}
