//! Amounts as people write them: with their unit, always. `5dot`, `0.10usdc`, `3usdc/hour`.

use rivulet_chain::Deployment;
use rivulet_core::{amount::MAX_AMOUNT, ids::Token, stream::schedule::SCALE};
use rivulet_rules::text;
use serde_json::{Value, json};
use std::{fmt, str::FromStr};

/// What was written: digits and a unit. Which token that is, only a network says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Amount {
    whole: String,
    fraction: String,
    unit: String,
}

/// An amount of a token of a network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Money {
    /// In the token's smallest unit.
    pub units: u128,
    /// Of what.
    pub coin: Coin,
}

/// A token, as people call it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Coin {
    /// `dot`, `usdc`.
    pub name: String,
    /// Its address; zero for the native one.
    pub token: Token,
    /// Decimals of its smallest unit.
    pub decimals: u8,
}

const EXAMPLE: &str = "expected an amount with its unit, such as 5dot or 0.10usdc";

impl FromStr for Amount {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, String> {
        let unit_at = given.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(given.len());
        let (number, unit) = given.split_at(unit_at);
        let (whole, fraction) = number.split_once('.').map_or((number, None), |(w, f)| (w, Some(f)));
        let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !fraction.is_none_or(is_number) || whole.len() > 30 {
            return Err(format!("{EXAMPLE}, given {given:?}"));
        }
        if unit.is_empty() {
            return Err(format!("{EXAMPLE}: a number alone could be anything, from the smallest unit to whole tokens"));
        }
        if !unit.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return Err(format!("{EXAMPLE} in lower-case letters, given {given:?}"));
        }
        Ok(Self { whole: whole.into(), fraction: fraction.unwrap_or_default().into(), unit: unit.into() })
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dot = if self.fraction.is_empty() { "" } else { "." };
        write!(f, "{}{dot}{}{}", self.whole, self.fraction, self.unit)
    }
}

/// What the native token is called on the chains that are known.
fn symbol(chain_id: u64) -> &'static str {
    match chain_id {
        420_420_419 | 420_420_420 => "dot",
        420_420_421 => "wnd",
        420_420_422 => "pas",
        _ => "native",
    }
}

/// The chain moves native money in units of 10 decimals, though contracts count with 18.
const NATIVE_DECIMALS: usize = 10;

impl Coin {
    /// The token of a name: one of the deployment's, or what the native one is called there.
    pub fn named(deployment: &Deployment, name: &str) -> Result<Self, String> {
        let native = symbol(deployment.chain_id);
        let wanted = if name == native { "native" } else { name };
        match deployment.token(wanted) {
            Some(entry) => Ok(Self::of(deployment, &entry.address.0)),
            None => {
                let known = deployment.tokens.keys().map(|name| if name == "native" { native } else { name });
                Err(format!("{name} is no token of {}: expected {}", deployment.network, known.collect::<Vec<_>>().join(", ")))
            }
        }
    }

    /// The token at an address; without a name, and counted in its smallest unit, when the deployment does not list it.
    pub fn of(deployment: &Deployment, token: &Token) -> Self {
        let known = deployment.tokens.iter().find(|(_, entry)| entry.address.0 == *token);
        let (name, decimals) = known.map_or_else(|| (token.to_string(), 0), |(name, entry)| (name.clone(), entry.decimals));
        let name = if token.is_zero() { symbol(deployment.chain_id).to_owned() } else { name };
        Self { name, token: *token, decimals }
    }

    /// So much of it.
    pub fn money(&self, units: u128) -> Money {
        Money { units, coin: self.clone() }
    }

    fn finest(&self) -> usize {
        if self.token.is_zero() { NATIVE_DECIMALS } else { usize::from(self.decimals) }
    }
}

impl Amount {
    /// As the network counts it. No digit is ever cut.
    pub fn on(&self, deployment: &Deployment) -> Result<Money, String> {
        let coin = Coin::named(deployment, &self.unit)?;
        let (finest, decimals) = (coin.finest(), usize::from(coin.decimals));
        if self.fraction.len() > finest {
            return Err(format!("{self}: {} has {finest} decimals, given {}", coin.name, self.fraction.len()));
        }
        let digits = format!("{}{:0<decimals$}", self.whole, self.fraction);
        let units = digits.parse::<u128>().ok().filter(|units| *units <= MAX_AMOUNT);
        let units = units.ok_or_else(|| format!("{self}: expected at most {}{}", text::whole(MAX_AMOUNT, coin.decimals), coin.name))?;
        Ok(Money { units, coin })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", text::whole(self.units, self.coin.decimals), self.coin.name)
    }
}

impl Money {
    /// Its stable shape.
    pub fn json(&self) -> Value {
        let Self { units, coin } = self;
        json!({
            "units": units.to_string(), "decimals": coin.decimals, "amount": text::whole(*units, coin.decimals),
            "token": coin.name, "token_address": coin.token.to_string(),
        })
    }
}

/// An amount in a time: `3usdc/hour`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rate {
    amount: Amount,
    secs: u64,
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, String> {
        let bad = || {
            format!(
                "expected an amount in a time, such as 3usdc/hour: second, minute, hour, day or week; given {given:?}. For a month, say a total and an end"
            )
        };
        let (amount, time) = given.split_once('/').ok_or_else(bad)?;
        let secs = match time {
            "s" | "second" => 1,
            "min" | "minute" => 60,
            "h" | "hour" => 3_600,
            "d" | "day" => 86_400,
            "w" | "week" => 604_800,
            _ => return Err(bad()),
        };
        Ok(Self { amount: amount.parse()?, secs })
    }
}

impl Rate {
    /// Amount per second × 1e9, rounded down, and of which token.
    pub fn on(&self, deployment: &Deployment) -> Result<(u128, Coin), String> {
        let money = self.amount.on(deployment)?;
        let scaled = rivulet_client::rate_per_second_scaled(money.units, self.secs);
        match scaled {
            0 => Err(format!("{}/{}s is less than a billionth of the smallest unit a second", self.amount, self.secs)),
            _ => Ok((scaled, money.coin)),
        }
    }
}

/// A rate as people read it: what flows in an hour.
pub fn per_hour(rate_per_second_scaled: u128, coin: &Coin) -> String {
    let units = rate_per_second_scaled.saturating_mul(3_600).saturating_add(SCALE / 2) / SCALE;
    format!("{}/hour", coin.money(units))
}

/// A time as people write it: `90s`, `15m`, `1h`, `30d`, `2w`.
pub fn secs(given: &str) -> Result<u64, String> {
    let bad = || format!("expected a time with its unit, such as 90s, 15m, 1h, 30d or 2w, given {given:?}");
    let (digits, each) = match given.split_at_checked(given.len().saturating_sub(1)) {
        Some((digits, "s")) => (digits, 1),
        Some((digits, "m")) => (digits, 60),
        Some((digits, "h")) => (digits, 3_600),
        Some((digits, "d")) => (digits, 86_400),
        Some((digits, "w")) => (digits, 604_800),
        _ => return Err(bad()),
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| digits.parse::<u64>().ok()?.checked_mul(each)).flatten().filter(|secs| *secs > 0).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment() -> Deployment {
        let hash = format!("0x{}", "33".repeat(32));
        let contract = |n: &str| json!({ "address": format!("0x{}", n.repeat(20)), "code_hash": hash });
        serde_json::from_value(json!({
            "network": "dev", "chain_id": 420_420_420, "genesis_hash": hash, "block": 7,
            "contracts": { "channels": contract("11"), "streams": contract("22") },
            "tokens": {
                "native": { "address": format!("0x{}", "00".repeat(20)), "decimals": 18 },
                "usdc": { "address": "0x0000053900000000000000000000000001200000", "decimals": 6, "seed": "10000" },
            },
        }))
        .unwrap()
    }

    fn units(given: &str) -> Result<u128, String> {
        given.parse::<Amount>()?.on(&deployment()).map(|money| money.units)
    }

    #[test]
    fn amounts_are_exact() {
        let dot = 1_000_000_000_000_000_000;
        for (given, expected) in
            [("5dot", 5 * dot), ("5native", 5 * dot), ("0.0000000001dot", dot / 10_000_000_000), ("0.10usdc", 100_000), ("007usdc", 7_000_000)]
        {
            assert_eq!(units(given), Ok(expected), "{given}");
        }
        assert_eq!("0.10usdc".parse::<Amount>().unwrap().on(&deployment()).unwrap().to_string(), "0.1 usdc");
    }

    #[test]
    fn what_could_mean_something_else_is_refused() {
        for (given, expected) in [
            ("5", "a number alone could be anything"),
            ("0.1", "a number alone could be anything"),
            ("", "5dot or 0.10usdc"),
            ("dot", "5dot or 0.10usdc"),
            ("-5dot", "5dot or 0.10usdc"),
            ("1,5dot", "lower-case letters"),
            ("1e3dot", "e3dot is no token of dev: expected dot, usdc"),
            ("5 dot", "lower-case letters"),
            ("5DOT", "lower-case letters"),
            ("1.dot", "5dot or 0.10usdc"),
            (".5dot", "5dot or 0.10usdc"),
            ("1.2.3dot", "5dot or 0.10usdc"),
            ("5usdt", "usdt is no token of dev: expected dot, usdc"),
            ("0.1234567usdc", "usdc has 6 decimals, given 7"),
            ("0.00000000001dot", "dot has 10 decimals, given 11"),
            ("100000000000dot", "expected at most 79228162514.264337593543950335dot"),
        ] {
            let refused = units(given).unwrap_err();
            assert!(refused.contains(expected), "{given}: {refused}");
        }
    }

    #[test]
    fn rates_and_times_have_units_too() {
        let rate = |given: &str| given.parse::<Rate>().and_then(|rate| rate.on(&deployment())).map(|(scaled, _)| scaled);
        assert_eq!(rate("3usdc/hour"), Ok(833_333_333_333));
        assert_eq!(rate("1dot/s"), Ok(1_000_000_000_000_000_000_000_000_000));
        for bad in ["3usdc", "3/hour", "3usdc/month", "3usdc/", "0usdc/day"] {
            assert!(rate(bad).is_err(), "{bad}");
        }
        assert_eq!([secs("90s"), secs("15m"), secs("1h"), secs("30d"), secs("2w")], [Ok(90), Ok(900), Ok(3_600), Ok(2_592_000), Ok(1_209_600)]);
        for bad in ["90", "", "s", "-1s", "0s", "1y", "1.5h", "99999999999999999999w", "1é"] {
            assert!(secs(bad).is_err(), "{bad}");
        }
        let coin = Coin::named(&deployment(), "usdc").unwrap();
        assert_eq!(per_hour(833_333_333_333, &coin), "3 usdc/hour");
    }
}
