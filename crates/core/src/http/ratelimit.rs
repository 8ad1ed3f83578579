//! `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`, in OpenAI's forms.

use crate::units::DurationMs;

/// Where a bucket stands after a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// The size of the bucket.
    pub limit: u64,
    /// What is left in it.
    pub remaining: u64,
    /// How long until it is full again.
    pub reset: DurationMs,
}

/// The headers for the buckets that there are.
pub fn ratelimit_headers(
    requests: Option<RateLimit>,
    tokens: Option<RateLimit>,
) -> Vec<(&'static str, String)> {
    let requests = requests.map(|bucket| {
        let names = [
            "x-ratelimit-limit-requests",
            "x-ratelimit-remaining-requests",
            "x-ratelimit-reset-requests",
        ];
        told(names, bucket)
    });
    let tokens = tokens.map(|bucket| {
        let names = [
            "x-ratelimit-limit-tokens",
            "x-ratelimit-remaining-tokens",
            "x-ratelimit-reset-tokens",
        ];
        told(names, bucket)
    });
    requests.into_iter().chain(tokens).flatten().collect()
}

fn told(names: [&'static str; 3], bucket: RateLimit) -> [(&'static str, String); 3] {
    let RateLimit { limit, remaining, reset: wait } = bucket;
    let [limit_name, remaining_name, reset_name] = names;
    [
        (limit_name, limit.to_string()),
        (remaining_name, remaining.to_string()),
        (reset_name, reset(wait)),
    ]
}

/// A length of time as OpenAI writes it: `120ms`, `1s`, `7.66s`, `6m0s`, `1h0m0.5s`.
pub fn reset(wait: DurationMs) -> String {
    let DurationMs(ms) = wait;
    if 0 < ms && ms < 1000 {
        return format!("{ms}ms");
    }
    let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
    let seconds = seconds(ms % 60_000);
    match (hours, minutes) {
        (0, 0) => seconds,
        (0, minutes) => format!("{minutes}m{seconds}"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
    }
}

/// Seconds with their fraction, which has no zeros at its end.
fn seconds(ms: u64) -> String {
    let (whole, fraction) = (ms / 1000, ms % 1000);
    if fraction == 0 {
        return format!("{whole}s");
    }
    let fraction = format!("{fraction:03}");
    format!("{whole}.{}s", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_written_as_openai_writes_them() {
        for (ms, expected) in [
            (0, "0s"),
            (120, "120ms"),
            (999, "999ms"),
            (1000, "1s"),
            (7660, "7.66s"),
            (59_999, "59.999s"),
            (60_000, "1m0s"),
            (360_000, "6m0s"),
            (179_560, "2m59.56s"),
            (3_600_500, "1h0m0.5s"),
            (90_061_001, "25h1m1.001s"),
        ] {
            assert_eq!(reset(DurationMs(ms)), expected);
        }
    }

    #[test]
    fn only_the_buckets_that_there_are_get_headers() {
        let bucket = RateLimit { limit: 60, remaining: 59, reset: DurationMs(1000) };
        assert!(ratelimit_headers(None, None).is_empty());
        let headers = ratelimit_headers(None, Some(bucket));
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        assert_eq!(
            headers,
            [
                "x-ratelimit-limit-tokens: 60",
                "x-ratelimit-remaining-tokens: 59",
                "x-ratelimit-reset-tokens: 1s",
            ],
        );
        assert_eq!(ratelimit_headers(Some(bucket), Some(bucket)).len(), 6);
    }

    /// Reads a Go duration back.
    fn in_ms(text: &str) -> u64 {
        let (mut ms, mut number) = (0.0, String::new());
        let mut rest = text.chars().peekable();
        while let Some(character) = rest.next() {
            let unit = match character {
                'h' => 3_600_000.0,
                'm' if rest.next_if_eq(&'s').is_some() => 1.0,
                'm' => 60_000.0,
                's' => 1000.0,
                digit => {
                    number.push(digit);
                    continue;
                }
            };
            ms += number.parse::<f64>().unwrap() * unit;
            number.clear();
        }
        format!("{ms:.0}").parse().unwrap()
    }

    proptest! {
        #[test]
        fn what_is_written_is_the_time(ms in 0_u64..1_000_000_000) {
            prop_assert_eq!(in_ms(&reset(DurationMs(ms))), ms);
        }
    }
}
