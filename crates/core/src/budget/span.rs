//! Periods in UTC: days from midnight, weeks from Monday, months from the first.

use crate::{config::valid::Period, units::UnixMs};

/// One period: from its first millisecond to the first of the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Midnight UTC of its first day.
    pub start: UnixMs,
    /// Midnight UTC of the next one's first day.
    pub end: UnixMs,
}

const DAY_MS: u64 = 86_400_000;

impl Span {
    /// The period that `moment` lies in.
    ///
    /// ```
    /// use tollhouse_core::{budget::Span, config::valid::Period, units::UnixMs};
    ///
    /// // Sunday, 22 November 2026, 23:59:59.999
    /// let week = Span::of(Period::Week, UnixMs(1_795_391_999_999));
    /// assert_eq!(week.end, UnixMs(1_795_392_000_000));
    /// ```
    pub fn of(period: Period, moment: UnixMs) -> Self {
        let day = moment.0 / DAY_MS;
        let (first, next) = match period {
            Period::Day => (day, day.saturating_add(1)),
            Period::Week => {
                // 1 January 1970 was a Thursday, three days after a Monday.
                let first = day.saturating_sub((day.saturating_add(3)) % 7);
                (first, first.saturating_add(if first == 0 { 4 } else { 7 }))
            }
            Period::Month => month(day),
        };
        Self { start: midnight(first), end: midnight(next) }
    }
}

/// The first day of the month that `day` lies in, and the first day of the next one.
fn month(day: u64) -> (u64, u64) {
    let Some(date) = i32::try_from(day)
        .ok()
        .and_then(|day| day.checked_add(EPOCH_JULIAN_DAY))
        .and_then(|julian| time::Date::from_julian_day(julian).ok())
    else {
        // After the year 9999 every month is as long as a long one.
        let first = day - day % 31;
        return (first, first.saturating_add(31));
    };
    let first = day.saturating_sub(u64::from(date.day() - 1));
    (first, first.saturating_add(date.month().length(date.year()).into()))
}

/// 1 January 1970 as a Julian day number.
const EPOCH_JULIAN_DAY: i32 = 2_440_588;

const fn midnight(day: u64) -> UnixMs {
    UnixMs(day.saturating_mul(DAY_MS))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ledger::Day;

    fn days(period: Period, on: &str) -> (String, String) {
        let moment = UnixMs(u64::from(Day::parse(on).unwrap().0) * DAY_MS + 5);
        let Span { start, end } = Span::of(period, moment);
        (Day::of(start).to_string(), Day::of(end).to_string())
    }

    #[test]
    fn periods_begin_where_calendars_say() {
        let same = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(days(Period::Day, "2026-12-31"), same("2026-12-31", "2027-01-01"));
        assert_eq!(days(Period::Week, "2026-11-22"), same("2026-11-16", "2026-11-23"));
        assert_eq!(days(Period::Week, "2026-11-23"), same("2026-11-23", "2026-11-30"));
        assert_eq!(days(Period::Month, "2028-02-29"), same("2028-02-01", "2028-03-01"));
        assert_eq!(days(Period::Month, "2026-12-31"), same("2026-12-01", "2027-01-01"));
    }

    proptest! {
        #[test]
        fn every_moment_lies_in_one_period_and_periods_follow_each_other(
            moment in 0_u64..253_402_300_800_000,
            period in prop::sample::select(vec![Period::Day, Period::Week, Period::Month]),
        ) {
            let span = Span::of(period, UnixMs(moment));
            prop_assert!(span.start.0 <= moment && moment < span.end.0);
            prop_assert_eq!(Span::of(period, UnixMs(span.end.0 - 1)), span);
            prop_assert_eq!(Span::of(period, span.start), span);
            prop_assert_eq!(Span::of(period, span.end).start, span.end);
        }

        #[test]
        fn no_moment_is_out_of_reach(moment: u64) {
            for period in [Period::Day, Period::Week, Period::Month] {
                prop_assert!(Span::of(period, UnixMs(moment)).start.0 <= moment);
            }
        }
    }
}
