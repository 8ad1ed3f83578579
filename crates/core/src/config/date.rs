//! Days as people write them.

use toml::value::Datetime;

use crate::units::UnixMs;

const MS_PER_DAY: i64 = 86_400_000;

/// Midnight UTC at the start of a day written as `2026-10-23`, from 1970 on.
pub(crate) fn midnight(text: &str) -> Option<UnixMs> {
    let written: Datetime = text.parse().ok()?;
    let (Some(date), None) = (written.date, written.time) else {
        return None;
    };
    let days = days_from_civil(i64::from(date.year), i64::from(date.month), i64::from(date.day));
    u64::try_from(days * MS_PER_DAY).ok().map(UnixMs)
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible
/// low-level date algorithms": years begin in March, so that the leap day comes last).
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_midnights_utc() {
        assert_eq!(midnight("1970-01-01"), Some(UnixMs(0)));
        assert_eq!(midnight("2000-02-29"), Some(UnixMs(951_782_400_000)));
        assert_eq!(midnight("2026-10-23"), Some(UnixMs(1_792_713_600_000)));
    }

    #[test]
    fn what_is_not_a_day_is_none() {
        for text in
            ["", "2026-13-01", "2026-02-30", "23.10.2026", "2026-10-23T00:00:00Z", "1969-12-31"]
        {
            assert_eq!(midnight(text), None, "{text}");
        }
    }
}
