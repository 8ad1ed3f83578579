//! How long a provider asks us to wait: `retry-after-ms`, then `retry-after` as seconds or a date.

use std::time::SystemTime;

use crate::units::{DurationMs, UnixMs};

/// The wait, rounded up to a millisecond; `None` where nothing readable is said.
///
/// A date in the past is no wait at all. Waits longer than a year are taken for mistakes.
pub fn retry_after(
    retry_after_ms: Option<&str>,
    retry_after: Option<&str>,
    now: UnixMs,
) -> Option<DurationMs> {
    let in_ms = || retry_after_ms.and_then(|text| whole_ms(text, 1.0));
    let in_seconds = || retry_after.and_then(|text| whole_ms(text, 1000.0));
    let at_date = || retry_after.and_then(date).map(|date| date.since(now));
    in_ms().or_else(in_seconds).or_else(at_date)
}

const LONGEST_MS: f64 = 365.0 * 24.0 * 3600.0 * 1000.0;

/// A decimal, not `inf`, `nan` or an exponent.
fn whole_ms(text: &str, ms_per_unit: f64) -> Option<DurationMs> {
    let text = text.trim();
    if !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let ms = (text.parse::<f64>().ok()? * ms_per_unit).ceil();
    // The text of a whole number between zero and a year always parses.
    (ms <= LONGEST_MS).then(|| format!("{ms:.0}").parse().ok().map(DurationMs))?
}

fn date(text: &str) -> Option<UnixMs> {
    let date = httpdate::parse_http_date(text.trim()).ok()?;
    let since = date.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok().map(UnixMs)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT.
    const NOW: UnixMs = UnixMs(784_111_777_000);

    #[test]
    fn every_form_is_read() {
        for (ms, plain, expected) in [
            (None, Some("20"), Some(20_000)),
            (None, Some("0"), Some(0)),
            (None, Some(" 1.5 "), Some(1500)),
            (None, Some("0.0001"), Some(1)),
            (Some("250"), Some("1"), Some(250)),
            (Some("soon"), Some("1"), Some(1000)),
            (Some("12.3"), None, Some(13)),
            (None, Some("Sun, 06 Nov 1994 08:49:47 GMT"), Some(10_000)),
            (None, Some("Sunday, 06-Nov-94 08:49:47 GMT"), Some(10_000)),
            (None, Some("Sun Nov  6 08:49:47 1994"), Some(10_000)),
            (None, Some("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0)),
            (None, Some("-1"), None),
            (None, Some("1e3"), None),
            (None, Some("inf"), None),
            (None, Some(""), None),
            (None, Some("."), None),
            (None, Some("99999999999999999999"), None),
            (None, Some("tomorrow"), None),
            (None, None, None),
        ] {
            assert_eq!(retry_after(ms, plain, NOW), expected.map(DurationMs), "{ms:?} {plain:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_brings_it_down(text: String, now: u64) {
            retry_after(Some(&text), Some(&text), UnixMs(now));
        }

        #[test]
        fn a_date_is_waited_for_exactly(now in 0_u64..4_000_000_000, wait in 0_u64..1_000_000) {
            let date = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(now + wait);
            let got = retry_after(None, Some(&httpdate::fmt_http_date(date)), UnixMs(now * 1000));
            prop_assert_eq!(got, Some(DurationMs::from_secs(wait)));
        }
    }
}
