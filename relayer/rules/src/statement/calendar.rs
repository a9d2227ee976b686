//! Dates in UTC, by the proleptic Gregorian calendar: what a day and a month of Unix time are.

use std::{fmt, str::FromStr};

/// Seconds in a day; Unix time knows no leap seconds.
pub const DAY_SECS: u64 = 86_400;

/// Days in 400 years, after which the calendar repeats itself.
const ERA_DAYS: u64 = 146_097;
/// Days from 1 March of the year 0 to 1 January 1970.
const DAYS_TO_EPOCH: u64 = 719_468;
/// The last day that a date can name: 31 December 9999.
const LAST_DAY: u64 = 2_932_896;

/// A day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Date {
    /// From 1970 to 9999.
    pub year: u16,
    /// From 1 to 12.
    pub month: u8,
    /// From 1 to 31.
    pub day: u8,
}

impl Date {
    /// The day of a time (Unix seconds). Times after the year 9999 count as its last day.
    ///
    /// ```
    /// use rivulet_rules::statement::Date;
    /// assert_eq!(Date::of(1_800_000_000).to_string(), "2027-01-15");
    /// ```
    pub fn of(at: u64) -> Self {
        // Years begin in March here, so that a leap day is the last of its year and months have a regular length: 153 days in five of them.
        let days = (at / DAY_SECS).min(LAST_DAY) + DAYS_TO_EPOCH;
        let (era, in_era) = (days / ERA_DAYS, days % ERA_DAYS);
        let year_of_era = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
        let in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * in_year + 2) / 153;
        let day = in_year - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        let year = 400 * era + year_of_era + u64::from(month <= 2);
        // All within what the types hold: the year is at most 9999.
        Self { year: year as u16, month: month as u8, day: day as u8 }
    }

    /// Its first second (Unix).
    pub fn starts_at(self) -> u64 {
        let year = u64::from(self.year) - u64::from(self.month <= 2);
        let march_month = if self.month > 2 { u64::from(self.month) - 3 } else { u64::from(self.month) + 9 };
        let in_year = (153 * march_month + 2) / 5 + u64::from(self.day) - 1;
        let year_of_era = year % 400;
        let in_era = 365 * year_of_era + year_of_era / 4 - year_of_era / 100 + in_year;
        (year / 400 * ERA_DAYS + in_era).saturating_sub(DAYS_TO_EPOCH) * DAY_SECS
    }

    /// The first second after it (Unix).
    pub fn ends_at(self) -> u64 {
        self.starts_at() + DAY_SECS
    }

    /// The first day of its month.
    pub fn first_of_month(self) -> Self {
        Self { day: 1, ..self }
    }

    /// The last day of its month.
    pub fn last_of_month(self) -> Self {
        // The 28th and four days are in the next month, whatever this one is.
        let next = Self::of(Self { day: 28, ..self }.starts_at() + 4 * DAY_SECS).first_of_month();
        if next.year == self.year && next.month == self.month { Self { day: 31, ..self } } else { Self::of(next.starts_at() - 1) }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// Why a text is no date.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected a day from 1970-01-01 to 9999-12-31 as YYYY-MM-DD")]
pub struct NotADate;

impl FromStr for Date {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        let digits =
            |part: &str, length: usize| if part.len() == length && part.bytes().all(|b| b.is_ascii_digit()) { part.parse().ok() } else { None };
        let mut parts = text.split('-');
        let (Some(year), Some(month), Some(day), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else { return Err(NotADate) };
        let (year, month, day) = (digits(year, 4), digits(month, 2), digits(day, 2));
        let (Some(year), Some(month), Some(day)) = (year, month, day) else { return Err(NotADate) };
        if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return Err(NotADate);
        }
        let date = Self { year, month: month as u8, day: day as u8 };
        // 31 April is 1 May to the reckoning above, and so not itself.
        if Self::of(date.starts_at()) == date { Ok(date) } else { Err(NotADate) }
    }
}

/// A time as people and programs read it: `2026-11-20T19:51:05Z`.
pub fn time_text(at: u64) -> String {
    let secs = at % DAY_SECS;
    format!("{}T{:02}:{:02}:{:02}Z", Date::of(at), secs / 3_600, secs / 60 % 60, secs % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Days of each month, counted the slow way.
    fn month_days(year: u16, month: u8) -> u8 {
        match month {
            2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }

    #[test]
    fn every_day_of_eight_thousand_years_follows_the_one_before() {
        let (mut date, mut at) = (Date { year: 1970, month: 1, day: 1 }, 0);
        while date.year <= 9_999 {
            assert_eq!((Date::of(at), Date::of(at + DAY_SECS - 1), date.starts_at()), (date, date, at));
            assert_eq!(date.last_of_month().day, month_days(date.year, date.month), "{date}");
            at += DAY_SECS;
            date.day += 1;
            if date.day > month_days(date.year, date.month) {
                (date.day, date.month) = (1, date.month + 1);
            }
            if date.month > 12 {
                (date.month, date.year) = (1, date.year + 1);
            }
        }
        assert_eq!(at / DAY_SECS - 1, LAST_DAY);
    }

    #[test]
    fn a_time_after_the_last_year_is_its_last_day() {
        assert_eq!(Date::of(u64::MAX).to_string(), "9999-12-31");
    }

    #[test]
    fn days_that_are_not_in_the_calendar_are_refused() {
        for bad in
            ["", "2026", "2026-11", "2026-11-31", "2026-02-29", "2026-13-01", "2026-00-01", "2026-1-1", "1969-12-31", "2026-11-01-", "+026-11-01"]
        {
            assert_eq!(bad.parse::<Date>(), Err(NotADate), "{bad}");
        }
        assert_eq!("2028-02-29".parse::<Date>().unwrap().starts_at(), 1_835_395_200);
    }

    #[test]
    fn times_are_written_to_the_second() {
        assert_eq!(time_text(0), "1970-01-01T00:00:00Z");
        assert_eq!(time_text(1_800_000_000), "2027-01-15T08:00:00Z");
    }

    proptest! {
        #[test]
        fn dates_read_back_what_they_wrote(day in 0..=LAST_DAY) {
            let date = Date::of(day * DAY_SECS);
            prop_assert_eq!(date.to_string().parse::<Date>(), Ok(date));
        }
    }
}
