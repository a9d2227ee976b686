//! Points in time as people write them: `2026-12-01`, `2026-12-01T09:00:00Z`, `+1h`, `-30d`.

use crate::amount;
use rivulet_rules::statement::Date;
use std::str::FromStr;

/// What was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// A time (Unix seconds); a day is its first second (UTC).
    At(u64),
    /// So many seconds later than something else.
    Later(u64),
    /// So many seconds earlier.
    Earlier(u64),
}

/// Seconds of a day.
fn clock(given: &str) -> Option<u64> {
    let mut parts = given.strip_suffix('Z')?.split(':');
    let mut part = |below: u64| {
        let digits = parts.next().filter(|digits| digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit()))?;
        digits.parse::<u64>().ok().filter(|value| *value < below)
    };
    let (hours, minutes, secs) = (part(24)?, part(60)?, part(60)?);
    parts.next().is_none().then_some(hours * 3_600 + minutes * 60 + secs)
}

impl FromStr for When {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, String> {
        let at = || match given.split_once('T') {
            Some((day, time)) => Some(day.parse::<Date>().ok()?.starts_at() + clock(time)?),
            None => given.parse::<Date>().ok().map(Date::starts_at),
        };
        let later = || amount::secs(given.strip_prefix('+')?).ok().map(Self::Later);
        let earlier = || amount::secs(given.strip_prefix('-')?).ok().map(Self::Earlier);
        at().map(Self::At).or_else(later).or_else(earlier).ok_or_else(|| {
            format!("expected a day (2026-12-01), a time (2026-12-01T09:00:00Z), or so much later or earlier (+1h, -30d), given {given:?}")
        })
    }
}

impl When {
    /// As Unix seconds, where what is later or earlier counts from `base`.
    pub fn on(self, base: u64) -> u64 {
        match self {
            Self::At(at) => at,
            Self::Later(secs) => base.saturating_add(secs),
            Self::Earlier(secs) => base.saturating_sub(secs),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_day_a_second_or_a_distance() {
        let read = |given: &str| given.parse::<When>().map(|when| when.on(1_000_000));
        assert_eq!(read("2027-01-15"), Ok(1_799_971_200));
        assert_eq!(read("2027-01-15T08:00:00Z"), Ok(1_800_000_000));
        assert_eq!([read("+1h"), read("-30s")], [Ok(1_003_600), Ok(999_970)]);
        for bad in
            ["", "1h", "+1", "+", "tomorrow", "2027-02-30", "2027-01-15T08:00Z", "2027-01-15T08:00:00", "2027-01-15T24:00:00Z", "2027-01-15T8:00:00Z"]
        {
            assert!(read(bad).unwrap_err().contains("2026-12-01T09:00:00Z"), "{bad}");
        }
    }
}
