//! Days in UTC, counted from 1 January 1970.

use std::{fmt, ops::Range};

use crate::units::UnixMs;

/// A day in UTC, counted from 1 January 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(pub u32);

impl Day {
    /// The day that `moment` lies in.
    pub fn of(moment: UnixMs) -> Self {
        Self(u32::try_from(moment.0 / 86_400_000).unwrap_or(u32::MAX))
    }

    /// The day written as `2026-11-22`.
    ///
    /// ```
    /// use tollhouse_core::ledger::Day;
    ///
    /// assert_eq!(Day::parse("2026-11-22").map(|day| day.to_string()).as_deref(), Some("2026-11-22"));
    /// assert_eq!(Day::parse("2026-02-29"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let shaped = text.len() == 10
            && text.bytes().enumerate().all(|(place, byte)| match place {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        if !shaped {
            return None;
        }
        let number = |range: Range<usize>| text.get(range)?.parse::<u16>().ok();
        let month = u8::try_from(number(5..7)?).ok().and_then(|month| month.try_into().ok())?;
        let day = u8::try_from(number(8..10)?).ok()?;
        let date = time::Date::from_calendar_date(number(0..4)?.into(), month, day).ok()?;
        u32::try_from(i64::from(date.to_julian_day()) - EPOCH_JULIAN_DAY).ok().map(Self)
    }
}

/// 1 January 1970 as a Julian day number.
const EPOCH_JULIAN_DAY: i64 = 2_440_588;

impl fmt::Display for Day {
    /// `2026-11-22`; after the year 9999 the bare number of days.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let julian = i32::try_from(i64::from(self.0) + EPOCH_JULIAN_DAY).ok();
        match julian.and_then(|julian| time::Date::from_julian_day(julian).ok()) {
            Some(date) => write!(f, "{date}"),
            None => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_day_is_read_as_it_is_written(day in 0_u32..2_932_896) {
            prop_assert_eq!(Day::parse(&Day(day).to_string()), Some(Day(day)));
        }

        #[test]
        fn any_text_is_a_day_or_none(text in "[0-9-]{0,12}") {
            let written = Day::parse(&text).map(|day| day.to_string());
            prop_assert!(written.is_none_or(|written| written == text));
        }
    }

    #[test]
    fn a_day_ends_at_midnight_utc() {
        assert_eq!(Day::of(UnixMs(1_795_391_999_999)).to_string(), "2026-11-22");
        assert_eq!(Day::of(UnixMs(1_795_392_000_000)).to_string(), "2026-11-23");
    }
}
