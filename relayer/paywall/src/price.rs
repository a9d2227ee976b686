//! Prices, as people write them.
//!
//! ```text
//! rule    = pattern "=" ( price | "free" )
//! pattern = a path from "/" on, decoded; "*" stands for any characters, "/" too
//! price   = amount [ "/" [ count ] unit ]
//! amount  = digits [ "." digits ] token           0.10usdc   5native
//! unit    = "B" "kB" "MB" "GB" "KiB" "MiB" "GiB"  what is sent
//!         | "s" "min" "h"                         how long it takes
//! ```
//!
//! Without a unit it is the price of a request. With one it is the price of a step, and each step is charged before it is served: `0.001usdc/MB` is charged
//! at the first byte and again after each 1,000,000, `0.01usdc/10s` every ten seconds. An amount without a token is refused: `5` of what?

pub use rivulet_client::buy::Unit;

use rivulet_chain::Deployment;
use rivulet_core::{amount::MAX_AMOUNT, ids::Token};
use std::fmt;

/// A token that prices may be in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Coin {
    /// Its name in the deployment's file.
    pub name: String,
    /// Its address; zero: the native token.
    pub token: Token,
    /// Digits after the point.
    pub decimals: u8,
}

/// The tokens of a deployment.
pub fn coins(deployment: &Deployment) -> Vec<Coin> {
    deployment.tokens.iter().map(|(name, t)| Coin { name: name.clone(), token: t.address.0, decimals: t.decimals }).collect()
}

/// A price.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Price {
    /// In which token.
    pub coin: Coin,
    /// How much, in its smallest unit. More than 0.
    pub units: u128,
    /// For what.
    pub unit: Unit,
}

/// As it is read.
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", rivulet_rules::text::whole(self.units, self.coin.decimals), self.coin.name)?;
        let (count, unit) = match self.unit {
            Unit::Request => return Ok(()),
            Unit::Bytes(n) => largest(n, &BYTES),
            Unit::Secs(n) => largest(n, &SECS),
        };
        match count {
            1 => write!(f, "/{unit}"),
            count => write!(f, "/{count}{unit}"),
        }
    }
}

const BYTES: [(&str, u64); 7] =
    [("GiB", 1 << 30), ("GB", 1_000_000_000), ("MiB", 1 << 20), ("MB", 1_000_000), ("KiB", 1 << 10), ("kB", 1_000), ("B", 1)];
const SECS: [(&str, u64); 3] = [("h", 3_600), ("min", 60), ("s", 1)];

fn largest(n: u64, units: &[(&'static str, u64)]) -> (u64, &'static str) {
    let fits = units.iter().find(|(_, size)| n >= *size && n.is_multiple_of(*size));
    fits.map_or((n, ""), |(name, size)| (n / size, name))
}

/// A price that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("price: expected {expected}, got {given}")]
pub struct PriceError {
    /// What can be.
    pub expected: String,
    /// What stands there.
    pub given: String,
}

fn wrong<T>(expected: impl Into<String>, given: &str) -> Result<T, PriceError> {
    Err(PriceError { expected: expected.into(), given: given.to_owned() })
}

impl Price {
    /// Reads a price in one of these tokens.
    ///
    /// # Errors
    ///
    /// Says what was expected.
    pub fn parse(text: &str, coins: &[Coin]) -> Result<Self, PriceError> {
        let (amount, unit) = text.split_once('/').map_or((text, None), |(amount, unit)| (amount, Some(unit)));
        let (coin, units) = amount_of(amount, coins)?;
        let unit = unit.map_or(Ok(Unit::Request), unit_of)?;
        Ok(Self { coin, units, unit })
    }
}

/// An amount with its token: `0.10usdc`. More than 0, and no digit more than the token has.
///
/// # Errors
///
/// Says what was expected.
pub fn amount_of(text: &str, coins: &[Coin]) -> Result<(Coin, u128), PriceError> {
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, name) = text.split_at(at);
    let names = || coins.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
    if name.is_empty() {
        return wrong(format!("an amount with its token, such as 0.10usdc (tokens: {})", names()), text);
    }
    // On Polkadot the native token is called so; on other chains it has another name, so the file's name goes first.
    let found = coins.iter().find(|c| c.name == name).or_else(|| coins.iter().find(|c| name == "dot" && c.token.is_zero()));
    let Some(coin) = found else { return wrong(format!("one of the tokens {}", names()), text) };
    let (whole, fraction) = number.split_once('.').map_or((number, None), |(whole, fraction)| (whole, Some(fraction)));
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || fraction.is_some_and(|f| !digits(f)) {
        return wrong("digits, with digits after a point if there is one, then the token: 0.10usdc", text);
    }
    let fraction = fraction.unwrap_or_default().trim_end_matches('0');
    let Some(zeros) = usize::from(coin.decimals).checked_sub(fraction.len()) else {
        return wrong(format!("at most {} digits after the point, which is all that {name} has", coin.decimals), text);
    };
    let units = format!("{whole}{fraction}{}", "0".repeat(zeros)).parse().ok().filter(|u| *u <= MAX_AMOUNT);
    match units {
        Some(0) => wrong("more than nothing; what costs nothing is `free`", text),
        Some(units) => Ok((coin.clone(), units)),
        None => wrong(format!("at most {} of the token's smallest unit", MAX_AMOUNT), text),
    }
}

fn unit_of(text: &str) -> Result<Unit, PriceError> {
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (count, name) = text.split_at(at);
    let size = |units: &[(&str, u64)]| units.iter().find(|(n, _)| *n == name).map(|(_, size)| *size);
    let count = if count.is_empty() { Some(1u64) } else { count.parse().ok().filter(|n| *n > 0) };
    let times = |size: u64| count.and_then(|n| n.checked_mul(size));
    let unit = match (size(&BYTES), size(&SECS)) {
        (Some(size), _) => times(size).map(Unit::Bytes),
        (_, Some(size)) => times(size).filter(|n| *n <= 86_400).map(Unit::Secs),
        _ => None,
    };
    unit.map_or_else(|| wrong("a unit: B kB MB GB KiB MiB GiB, s min h (at most a day), with a count before it if it is not one: 10s", text), Ok)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;
    use rivulet_core::ids::Address;

    pub(crate) fn some_coins() -> Vec<Coin> {
        vec![Coin { name: "native".into(), token: Address::ZERO, decimals: 18 }, Coin { name: "usdc".into(), token: Address([7; 20]), decimals: 6 }]
    }

    #[test]
    fn prices_are_read_as_the_grammar_says() {
        for (text, units, unit) in [
            ("0.10usdc", 100_000, Unit::Request),
            ("5native", 5_000_000_000_000_000_000, Unit::Request),
            ("5dot", 5_000_000_000_000_000_000, Unit::Request),
            ("0.001usdc/MB", 1_000, Unit::Bytes(1_000_000)),
            ("0.001usdc/256KiB", 1_000, Unit::Bytes(262_144)),
            ("0.000001usdc/s", 1, Unit::Secs(1)),
            ("0.01usdc/10min", 10_000, Unit::Secs(600)),
            ("1.0000000usdc", 1_000_000, Unit::Request),
        ] {
            let price = Price::parse(text, &some_coins()).unwrap();
            assert_eq!((price.units, price.unit), (units, unit), "{text}");
        }
    }

    #[test]
    fn what_is_not_clear_is_refused_and_says_what_is() {
        for (text, expected) in [
            ("5", "an amount with its token"),
            ("0.10", "an amount with its token"),
            ("", "an amount with its token"),
            ("usdc", "digits"),
            (".5usdc", "digits"),
            ("5.usdc", "digits"),
            ("1.2.3usdc", "digits"),
            ("-1usdc", "one of the tokens"),
            ("1USDC", "one of the tokens"),
            ("1euro", "one of the tokens native, usdc"),
            ("0.0000001usdc", "at most 6 digits"),
            ("0usdc", "more than nothing"),
            ("79228162515native", "at most 79228162514264337593543950335"),
            ("1usdc/", "a unit"),
            ("1usdc/mb", "a unit"),
            ("1usdc/0s", "a unit"),
            ("1usdc/25h", "a unit"),
            ("1usdc/99999999999999999999B", "a unit"),
        ] {
            let error = Price::parse(text, &some_coins()).unwrap_err();
            assert!(error.expected.contains(expected), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn a_price_reads_back_as_it_is_written(units in 1u128..1 << 90, coin in 0usize..2, unit in 0u8..3, n in 1u64..86_400) {
            let unit = match unit { 0 => Unit::Request, 1 => Unit::Bytes(n * 512), _ => Unit::Secs(n) };
            let price = Price { coin: some_coins()[coin].clone(), units, unit };
            prop_assert_eq!(Price::parse(&price.to_string(), &some_coins()).unwrap(), price);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = Price::parse(&text, &some_coins());
        }
    }
}
