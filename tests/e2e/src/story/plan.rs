//! Who pays whom how much, decided before anything happens: so that afterwards it is known what everybody must have.

use super::{
    options::{MicroUsd, Options},
    screen::decimal,
};
use rivulet_chain::deploy::asset_address;
use rivulet_core::{
    amount::NATIVE_GRAIN,
    ids::{Address, Token},
};
use rivulet_rules::chain::WEI_PER_PLANCK;
use std::ops::{Add, AddAssign};

/// What an article costs.
pub const ARTICLE: MicroUsd = MicroUsd(100_000);
/// What a song costs.
pub const SONG: MicroUsd = MicroUsd(500_000);
/// One payment in so many is for a song.
const SONG_EVERY: u64 = 5;
/// How many creators a payer has channels with, at most.
const CHANNELS_PER_PAYER: usize = 3;
/// One channel in so many is opened with too little and topped up halfway.
const TOP_UP_EVERY: usize = 10;

/// What is paid with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Coin {
    /// The native token.
    Dot,
    /// An asset, through the assets precompile.
    Usdc,
}

impl Coin {
    /// Its address in contracts.
    pub fn token(self) -> Token {
        match self {
            Self::Dot => Address::ZERO,
            Self::Usdc => asset_address(crate::ledger::USDC_ID),
        }
    }

    /// What a price in dollars is, as contracts count it: wei that the chain can move, or units.
    pub fn amount(self, price: MicroUsd, dot: MicroUsd) -> u128 {
        match self {
            Self::Dot => {
                let wei = u128::from(price.0) * 1_000_000_000_000_000_000 / u128::from(dot.0.max(1));
                wei - wei % NATIVE_GRAIN
            }
            // A USDC has as many decimals as a dollar has here.
            Self::Usdc => u128::from(price.0),
        }
    }

    /// An amount as accounts have it (planck, units), for people, cut to so many places.
    pub fn show(self, amount: u128, places: usize) -> String {
        match self {
            Self::Dot => format!("{} DOT", decimal(amount, 10, places)),
            Self::Usdc => format!("{} USDC", decimal(amount, 6, places)),
        }
    }
}

/// Some of both: planck and units, as accounts have them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Money {
    /// Native, in planck.
    pub planck: u128,
    /// USDC, in units.
    pub usdc: u128,
}

impl Money {
    /// An amount as contracts count it. Native amounts here are whole planck.
    pub fn of(coin: Coin, amount: u128) -> Self {
        match coin {
            Coin::Dot => Self { planck: amount / WEI_PER_PLANCK, usdc: 0 },
            Coin::Usdc => Self { planck: 0, usdc: amount },
        }
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { planck: self.planck + other.planck, usdc: self.usdc + other.usdc }
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Money {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

/// A channel and what will be paid through it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChannelPlan {
    /// Whose, as an index.
    pub payer: usize,
    /// For whom, as an index.
    pub creator: usize,
    /// In what.
    pub coin: Coin,
    /// What is locked at first.
    pub deposit: u128,
    /// What is added halfway; 0: nothing.
    pub top_up: u128,
    /// What is promised in the end.
    pub total: u128,
    /// In how many payments.
    pub payments: u64,
}

/// One payment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Payment {
    /// Through which of the payer's channels, as an index into [`Plan::channels`].
    pub channel: usize,
    /// How much, as contracts count it.
    pub amount: u128,
}

/// All of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// All channels, a payer's side by side.
    pub channels: Vec<ChannelPlan>,
    /// Each payer's payments, in order.
    pub payments: Vec<Vec<Payment>>,
}

/// Numbers that look random and are the same every time (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n.max(1)
    }
}

impl Plan {
    /// For these options; the same every time.
    pub fn new(options: &Options) -> Self {
        let (creators, payers) = (options.creators as usize, options.payers as usize);
        let each = CHANNELS_PER_PAYER.min(creators);
        let mut dice = Dice(2_026);
        let mut plan = Self { channels: Vec::new(), payments: Vec::new() };
        for payer in 0..payers {
            let first = plan.channels.len();
            for j in 0..each {
                let coin = if (payer / creators + j).is_multiple_of(2) { Coin::Dot } else { Coin::Usdc };
                plan.channels.push(ChannelPlan { payer, creator: (payer + j) % creators, coin, deposit: 0, top_up: 0, total: 0, payments: 0 });
            }
            let count = options.vouchers / options.payers + u64::from((payer as u64) < options.vouchers % options.payers);
            let mut payments = Vec::with_capacity(count as usize);
            for _ in 0..count {
                let channel = first + dice.below(each as u64) as usize;
                let price = if dice.below(SONG_EVERY) == 0 { SONG } else { ARTICLE };
                payments.push(Payment { channel, amount: plan.channels[channel].coin.amount(price, options.dot_usd) });
            }
            plan.lock(&payments, options.dot_usd);
            plan.payments.push(payments);
        }
        plan
    }

    /// Sets what a payer's channels lock: a quarter more than is paid, and a dollar, so that every channel has something to refund.
    fn lock(&mut self, payments: &[Payment], dot: MicroUsd) {
        let half = payments.len() / 2;
        for (i, payment) in payments.iter().enumerate() {
            let channel = &mut self.channels[payment.channel];
            channel.total += payment.amount;
            channel.payments += 1;
            // For the time being, what the first half needs.
            channel.deposit += if i < half { payment.amount } else { 0 };
        }
        let payer = self.payments.len();
        for (index, channel) in self.channels.iter_mut().enumerate().filter(|(_, c)| c.payer == payer) {
            let spare = channel.coin.amount(MicroUsd(super::options::DOLLAR), dot) + channel.total / 4;
            let spare = if channel.coin == Coin::Dot { spare - spare % NATIVE_GRAIN } else { spare };
            let late = channel.total - channel.deposit;
            if index % TOP_UP_EVERY == 3 && late > 0 {
                channel.deposit += spare;
                channel.top_up = late;
            } else {
                channel.deposit = channel.total + spare;
            }
        }
    }

    /// A payer's channels, as indices.
    pub fn channels_of(&self, payer: usize) -> impl Iterator<Item = usize> + '_ {
        self.channels.iter().enumerate().filter(move |(_, c)| c.payer == payer).map(|(i, _)| i)
    }

    /// Everything that is promised.
    pub fn promised(&self) -> Money {
        self.channels.iter().map(|c| Money::of(c.coin, c.total)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn plan(args: &[&str]) -> (Options, Plan) {
        let options = Options::parse_from([&["story"], args].concat());
        let plan = Plan::new(&options);
        (options, plan)
    }

    #[test]
    fn all_vouchers_are_planned_and_covered_at_every_moment() {
        for args in [&[][..], &["--payers", "7", "--vouchers", "101", "--creators", "4"], &["--payers", "1", "--vouchers", "1", "--creators", "1"]] {
            let (options, plan) = plan(args);
            assert_eq!(plan.payments.iter().map(Vec::len).sum::<usize>() as u64, options.vouchers);
            let mut promised = vec![0; plan.channels.len()];
            for (payer, payments) in plan.payments.iter().enumerate() {
                for (i, payment) in payments.iter().enumerate() {
                    let channel = &plan.channels[payment.channel];
                    assert_eq!(channel.payer, payer);
                    promised[payment.channel] += payment.amount;
                    let locked = channel.deposit + if i < payments.len() / 2 { 0 } else { channel.top_up };
                    assert!(promised[payment.channel] <= locked, "{channel:?}");
                }
            }
            for (channel, promised) in plan.channels.iter().zip(promised) {
                assert_eq!(channel.total, promised);
                assert!(channel.deposit + channel.top_up > promised, "something is left to refund: {channel:?}");
                assert!(channel.coin != Coin::Dot || (channel.deposit % NATIVE_GRAIN, channel.top_up % NATIVE_GRAIN) == (0, 0));
            }
        }
    }

    #[test]
    fn every_creator_is_paid_in_both_coins() {
        for creators in ["2", "3", "4", "5", "8"] {
            let (options, plan) = plan(&["--creators", creators]);
            for creator in 0..options.creators as usize {
                for coin in [Coin::Dot, Coin::Usdc] {
                    assert!(plan.channels.iter().any(|c| (c.creator, c.coin) == (creator, coin)), "creator {creator} of {creators}, {coin:?}");
                }
            }
        }
    }

    #[test]
    fn some_channels_are_topped_up() {
        assert!(plan(&[]).1.channels.iter().filter(|c| c.top_up > 0).count() >= 10);
    }

    #[test]
    fn prices_come_out_exactly() {
        let four = MicroUsd(4_000_000);
        assert_eq!(Coin::Dot.amount(ARTICLE, four), 25_000_000_000_000_000);
        assert_eq!(Coin::Usdc.amount(SONG, four), 500_000);
        assert_eq!(Coin::Dot.amount(ARTICLE, MicroUsd(3_000_000)) % NATIVE_GRAIN, 0);
    }
}
