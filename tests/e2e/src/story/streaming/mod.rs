//! Streams: five kinds of money by the second, from creation to the last unit.
//!
//! What each must pay is worked out in [`reckoning`] from the times of blocks alone, so that the audit compares two reckonings and not one with itself.

pub mod reckoning;
mod run;

pub use run::{create, pass, run};

use super::{
    options::{DOLLAR, MicroUsd, Options},
    plan::{Coin, Money},
};
use reckoning::Flow;
use rivulet_core::stream::{Flags, schedule::SCALE};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// What kind of stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Video by the minute, in DOT: the payer's delegate doubles the rate for a better picture, the payer cancels when it has seen enough.
    Video,
    /// A salary in USDC with a cliff; runs to its end.
    Salary,
    /// A lesson in DOT: paused for an hour, runs out of money, is topped up, cancelled.
    Lesson,
    /// A grant in USDC of a fixed total: handed over by who got it, then cancelled.
    Grant,
    /// A rent in DOT of a fixed total; its payer gives up cancelling, and it runs to its end.
    Rent,
}

const KINDS: [Kind; 5] = [Kind::Video, Kind::Salary, Kind::Lesson, Kind::Grant, Kind::Rent];

/// A stream to be created.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamPlan {
    /// What kind.
    pub kind: Kind,
    /// Whose, as an index.
    pub payer: usize,
    /// For whom, as an index. A grant is the seller's first, and is handed over to this one.
    pub creator: usize,
    /// In what.
    pub coin: Coin,
    /// What is locked at first.
    pub deposit: u128,
    /// What is added once that has run out; 0: nothing.
    pub top_up: u128,
    /// All that is owed at the end; 0 for a rate.
    total: u128,
    /// Rate × 1e9; 0 for a total.
    rate_scaled: u128,
    /// How long after its start it ends; 0: never.
    lasts: u64,
    /// When the cliff is, after the start, and what falls due then.
    cliff: Option<(u64, u128)>,
}

impl StreamPlan {
    fn flags(&self) -> u8 {
        match self.kind {
            Kind::Video | Kind::Lesson | Kind::Rent => Flags::CANCELLABLE,
            Kind::Grant => Flags::CANCELLABLE | Flags::TRANSFERABLE,
            Kind::Salary => Flags::CLIFF,
        }
    }
}

/// The streams of the story: payers and creators in turn, the five kinds in turn.
pub fn plan(options: &Options) -> Vec<StreamPlan> {
    (0..options.streams)
        .map(|n| {
            let kind = KINDS[n as usize % KINDS.len()];
            let coin = if matches!(kind, Kind::Salary | Kind::Grant) { Coin::Usdc } else { Coin::Dot };
            let usd = |dollars: u64| coin.amount(MicroUsd(dollars * DOLLAR), options.dot_usd);
            let by_hour = |dollars: u64| usd(dollars) * SCALE / u128::from(HOUR);
            let base = StreamPlan {
                kind,
                payer: (n % options.payers) as usize,
                creator: (n % options.creators) as usize,
                coin,
                deposit: usd(20),
                top_up: 0,
                total: 0,
                rate_scaled: 0,
                lasts: 0,
                cliff: None,
            };
            match kind {
                Kind::Video => StreamPlan { rate_scaled: by_hour(3), ..base },
                // Enough for 70 minutes of an hour and a half.
                Kind::Lesson => StreamPlan { rate_scaled: by_hour(6), deposit: usd(7), top_up: usd(23), ..base },
                // More than it will ever owe: the rest comes back at the end.
                Kind::Salary => StreamPlan { total: usd(120), deposit: usd(125), lasts: 2 * HOUR, cliff: Some((30 * MINUTE, usd(30))), ..base },
                Kind::Grant => StreamPlan { total: usd(61), deposit: usd(61), lasts: 4 * HOUR, ..base },
                Kind::Rent => StreamPlan { total: usd(41), deposit: usd(41), lasts: 3 * HOUR, ..base },
            }
        })
        .collect()
}

/// What who sold its streams has to get of them.
pub fn sold(flows: &[Flow]) -> Money {
    flows.iter().map(Flow::of_seller).sum()
}
