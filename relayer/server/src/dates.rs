//! Days as people write them: `2026-11-20`, UTC. By Howard Hinnant's `civil_from_days`.

/// Milliseconds in a day.
pub const MS_PER_DAY: u64 = 86_400_000;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: u64 = 719_468;
/// Days in 400 years.
const ERA: u64 = 146_097;
/// 9999-12-31: no later day is read or written.
const LAST: u64 = 2_932_896;

/// Year, month, day.
fn civil(day: u64) -> (u64, u64, u64) {
    let z = day.min(LAST) + EPOCH;
    let (era, day_of_era) = (z / ERA, z % ERA);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

/// A day (since 1970) as text.
pub fn text(day: u64) -> String {
    let (year, month, day) = civil(day);
    format!("{year:04}-{month:02}-{day:02}")
}

/// A day from text; `None` for anything else.
pub fn day(text: &str) -> Option<u64> {
    let mut parts = text.split('-').map(|part| part.parse::<u64>().ok().filter(|_| part.bytes().all(|b| b.is_ascii_digit())));
    let (year, month, date) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&date) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + (153 * shifted + 2) / 5 + date - 1;
    let day = (era * ERA + day_of_era).checked_sub(EPOCH)?;
    // The 31st of a month with 30 days is not the next month's first.
    (self::text(day) == text).then_some(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_read_back_as_written() {
        for (number, written) in [(0, "1970-01-01"), (59, "1970-03-01"), (11_016, "2000-02-29"), (20_777, "2026-11-20"), (LAST, "9999-12-31")] {
            assert_eq!((text(number).as_str(), day(written)), (written, Some(number)));
        }
        assert!((0..LAST).step_by(97).all(|n| day(&text(n)) == Some(n)));
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for bad in ["", "2026", "2026-11", "2026-02-29", "2026-11-31", "2026-13-01", "1969-12-31", "2026-11-20-1", "2026-1-2", "+2026-11-20", "x-y-z"]
        {
            assert_eq!(day(bad), None, "{bad}");
        }
    }
}
