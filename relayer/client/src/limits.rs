//! How much may be spent at a site.

use crate::Error;
use serde::{Deserialize, Serialize};

/// Limits for one site and token, in the token's smallest unit. Nothing is limited by default beyond what channels hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// The most in all, over all channels to the site, ended ones included.
    pub total: Option<u128>,
    /// The most in each period.
    pub per_period: Option<PeriodLimit>,
}

/// A limit on each period. Periods follow one another from 1970 on, so a period of 86,400 seconds is a day of UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PeriodLimit {
    /// The most in one period.
    pub amount: u128,
    /// How long a period is. At least 1.
    pub secs: u64,
}

/// What was spent in the newest period in which anything was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Spent {
    /// When (Unix seconds): the latest time known, so that a clock set back opens no new period.
    pub(crate) at: u64,
    /// How much in the period of that time.
    #[serde(with = "crate::purse::units")]
    pub(crate) amount: u128,
}

impl Spent {
    /// What of it lies in the period of `now`.
    pub(crate) fn within(&self, now: u64, secs: u64) -> u128 {
        let secs = secs.max(1);
        if self.at.max(now) / secs == self.at / secs { self.amount } else { 0 }
    }
}

impl Limits {
    /// Whether `growth` may be added to what was `spent` in all and `in_period`.
    pub(crate) fn allow(&self, site: &str, growth: u128, spent: u128, in_period: u128) -> Result<(), Error> {
        let check = |limit: u128, spent: u128, period_secs| match spent.checked_add(growth).is_some_and(|sum| sum <= limit) {
            true => Ok(()),
            false => Err(Error::OverLimit { site: site.into(), limit, spent, wanted: growth, period_secs }),
        };
        if let Some(limit) = self.total {
            check(limit, spent, None)?;
        }
        if let Some(PeriodLimit { amount, secs }) = self.per_period {
            check(amount, in_period, Some(secs))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_ends_when_the_next_begins_and_a_clock_set_back_opens_none() {
        let spent = Spent { at: 250, amount: 7 };
        assert_eq!([spent.within(250, 100), spent.within(299, 100), spent.within(300, 100), spent.within(10, 100)], [7, 7, 0, 7]);
    }

    #[test]
    fn a_limit_may_be_reached_and_not_passed() {
        let limits = Limits { total: Some(10), per_period: Some(PeriodLimit { amount: 3, secs: 60 }) };
        limits.allow("a", 3, 7, 0).unwrap();
        assert!(matches!(limits.allow("a", 1, 10, 0), Err(Error::OverLimit { limit: 10, spent: 10, wanted: 1, period_secs: None, .. })));
        assert!(matches!(limits.allow("a", 1, 0, 3), Err(Error::OverLimit { limit: 3, period_secs: Some(60), .. })));
        assert!(limits.allow("a", u128::MAX, 1, 0).is_err());
        Limits::default().allow("a", u128::MAX, 0, 0).unwrap();
    }
}
