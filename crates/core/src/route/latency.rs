//! How fast targets have answered lately, and which of them is worth finding out about.

use std::collections::BTreeMap;

use crate::units::{DurationMs, UnixMs};

/// A measurement older than this is doubted, so that a target that was slow once is tried again.
const DOUBT_AFTER: DurationMs = DurationMs(300_000);
/// Among replicas an average halves in this time without a measurement, so that one that was slow once
/// is soon asked again.
const HALVES_IN: DurationMs = DurationMs(5_000);
/// At most one request in this time is spent on finding out about a target. So neither a burst nor a
/// target that never answers costs more than one request its time.
const EXPLORE_EVERY: DurationMs = DurationMs(10_000);
/// How much a new measurement weighs against those before it, in eighths.
const WEIGHT_EIGHTHS: u64 = 2;

/// Moving averages of the time to the first byte, by target.
#[derive(Debug, Default)]
pub struct Latencies {
    targets: BTreeMap<String, Latency>,
}

#[derive(Debug, Default)]
struct Latency {
    /// The average, and when it was last added to.
    measured: Option<(DurationMs, UnixMs)>,
    explored: Option<UnixMs>,
}

impl Latencies {
    /// Adds a measurement to the target's moving average. A silence is measured too, as long as it
    /// was waited for.
    pub fn measured(&mut self, target: &str, took: DurationMs, now: UnixMs) {
        let latency = self.targets.entry(target.to_owned()).or_default();
        let average = match latency.measured {
            Some((before, at)) if now.since(at) < DOUBT_AFTER => mixed(before, took),
            Some(_) | None => took,
        };
        latency.measured = Some((average, now));
    }

    /// The target's average, where one was ever measured.
    pub fn average(&self, target: &str) -> Option<DurationMs> {
        self.targets.get(target)?.measured.map(|(average, _)| average)
    }

    /// The target's average as it has faded: halved for every 5 seconds since it was last added to.
    pub fn faded(&self, target: &str, now: UnixMs) -> Option<DurationMs> {
        let (average, at) = self.targets.get(target)?.measured?;
        let halvings = u32::try_from(now.since(at).0 / HALVES_IN.0).unwrap_or(u32::MAX);
        Some(DurationMs(average.0.checked_shr(halvings).unwrap_or(0)))
    }

    /// Whether a request should be spent on finding out about the target; the request that is told
    /// so is spent, and others are told no for a while.
    pub fn explore(&mut self, target: &str, now: UnixMs) -> bool {
        let latency = self.targets.entry(target.to_owned()).or_default();
        let lately = |at: Option<UnixMs>, length| at.is_some_and(|at| now.since(at) < length);
        let known = lately(latency.measured.map(|(_, at)| at), DOUBT_AFTER);
        if known || lately(latency.explored, EXPLORE_EVERY) {
            return false;
        }
        latency.explored = Some(now);
        true
    }
}

const fn mixed(before: DurationMs, took: DurationMs) -> DurationMs {
    let (before, took) =
        (before.0.saturating_mul(8 - WEIGHT_EIGHTHS), took.0.saturating_mul(WEIGHT_EIGHTHS));
    DurationMs(before.saturating_add(took) / 8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_request_at_a_time_explores_what_is_unknown_or_doubted() {
        let mut latencies = Latencies::default();
        let mut explore = |now| latencies.explore("t", UnixMs(now));
        assert_eq!([0, 1, 9_999, 10_000].map(&mut explore), [true, false, false, true]);
        latencies.measured("t", DurationMs(5), UnixMs(10_050));
        let mut explore = |now| latencies.explore("t", UnixMs(now));
        assert_eq!(
            [30_000, 310_049, 310_050, 310_051].map(&mut explore),
            [false, false, true, false]
        );
    }

    #[test]
    fn a_doubted_average_is_replaced_and_until_then_believed() {
        let mut latencies = Latencies::default();
        latencies.measured("t", DurationMs(800), UnixMs(0));
        latencies.measured("t", DurationMs(400), UnixMs(299_999));
        assert_eq!(latencies.average("t"), Some(DurationMs(700)));
        assert_eq!(latencies.average("other"), None);
        latencies.measured("t", DurationMs(100), UnixMs(900_000));
        assert_eq!(latencies.average("t"), Some(DurationMs(100)));
    }

    #[test]
    fn an_average_fades_by_halves() {
        let mut latencies = Latencies::default();
        latencies.measured("t", DurationMs(800), UnixMs(1_000));
        let faded = [1_000, 5_999, 6_000, 11_000, 900_000]
            .map(|now| latencies.faded("t", UnixMs(now)).unwrap().0);
        assert_eq!(faded, [800, 800, 400, 200, 0]);
        assert_eq!(latencies.faded("other", UnixMs(0)), None);
    }

    proptest! {
        #[test]
        fn an_average_lies_within_what_was_measured(
            all in prop::collection::vec(0..3_600_000_u64, 1..30),
        ) {
            let mut latencies = Latencies::default();
            for took in &all {
                latencies.measured("t", DurationMs(*took), UnixMs(0));
            }
            let average = latencies.average("t").unwrap().0;
            prop_assert!(all.iter().any(|took| *took <= average));
            prop_assert!(all.iter().any(|took| *took >= average));
        }
    }
}
