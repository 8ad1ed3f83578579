//! A target that keeps failing is rested, then tried with one request.
//!
//! What counts is silence, broken connections, 5xx and invalid replies. A refusal of the caller's
//! request says that the target is well; a 429 says nothing either way, because a busy provider is
//! no broken one and its `Retry-After` already keeps callers off.

use std::collections::BTreeMap;

use crate::{
    config::valid::BreakerPolicy,
    record::BreakerState,
    units::{DurationMs, UnixMs},
};

/// A probe that has not reported back after this long is taken to be lost with its caller.
const PROBE_LIFE: DurationMs = DurationMs(120_000);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Breaker {
    Closed { failures: u32 },
    Open { until: UnixMs },
    HalfOpen { since: UnixMs },
}

/// The breakers of every target that has failed, by its id.
#[derive(Debug)]
pub struct Breakers {
    policy: BreakerPolicy,
    targets: BTreeMap<String, Breaker>,
}

impl Breakers {
    /// Every target is well.
    pub const fn new(policy: BreakerPolicy) -> Self {
        Self { policy, targets: BTreeMap::new() }
    }

    /// Follows another policy from now on; what is known of targets stays.
    pub const fn adopt(&mut self, policy: BreakerPolicy) {
        self.policy = policy;
    }

    /// Whether a request to `target` would be let through now.
    pub fn would_admit(&self, target: &str, now: UnixMs) -> bool {
        match self.of(target) {
            Breaker::Closed { .. } => true,
            Breaker::Open { until } => until <= now,
            Breaker::HalfOpen { since } => now.since(since) >= PROBE_LIFE,
        }
    }

    /// Lets a request to `target` through, or not; through an open breaker whose rest is over goes
    /// one, the probe. Whoever is let through reports back by one of the other methods.
    pub fn admit(&mut self, target: &str, now: UnixMs) -> bool {
        if !self.would_admit(target, now) {
            return false;
        }
        match self.of(target) {
            Breaker::Closed { .. } => {}
            Breaker::Open { .. } | Breaker::HalfOpen { .. } => {
                self.targets.insert(target.to_owned(), Breaker::HalfOpen { since: now });
            }
        }
        true
    }

    /// The target has answered; returns its state if that changed.
    pub fn succeeded(&mut self, target: &str) -> Option<BreakerState> {
        let before = self.targets.remove(target)?;
        (before.state() != BreakerState::Closed).then_some(BreakerState::Closed)
    }

    /// The target has failed; returns its state if that changed.
    pub fn failed(&mut self, target: &str, now: UnixMs) -> Option<BreakerState> {
        let before = self.of(target);
        let after = match before {
            Breaker::Closed { failures } if failures.saturating_add(1) < self.policy.failures => {
                Breaker::Closed { failures: failures + 1 }
            }
            Breaker::Closed { .. } | Breaker::HalfOpen { .. } => {
                Breaker::Open { until: now.plus(self.policy.open) }
            }
            // A straggler that was let through before.
            Breaker::Open { until } => Breaker::Open { until },
        };
        self.targets.insert(target.to_owned(), after);
        (before.state() != after.state()).then_some(after.state())
    }

    /// The request ended and says nothing of the target: a probe makes room for another.
    pub fn ended_without_verdict(&mut self, target: &str, now: UnixMs) -> Option<BreakerState> {
        if self.of(target).state() != BreakerState::HalfOpen {
            return None;
        }
        self.targets.insert(target.to_owned(), Breaker::Open { until: now });
        Some(BreakerState::Open)
    }

    /// How long until `target` is tried again; zero when it may be tried now.
    pub fn rest(&self, target: &str, now: UnixMs) -> DurationMs {
        match self.of(target) {
            Breaker::Closed { .. } => DurationMs(0),
            Breaker::Open { until } => until.since(now),
            Breaker::HalfOpen { since } => since.plus(PROBE_LIFE).since(now),
        }
    }

    /// The targets that are not closed, with their states.
    pub fn unwell(&self) -> impl Iterator<Item = (&str, BreakerState)> {
        let states =
            self.targets.iter().map(|(target, breaker)| (target.as_str(), breaker.state()));
        states.filter(|(_, state)| *state != BreakerState::Closed)
    }

    fn of(&self, target: &str) -> Breaker {
        self.targets.get(target).copied().unwrap_or(Breaker::Closed { failures: 0 })
    }
}

impl Breaker {
    const fn state(self) -> BreakerState {
        match self {
            Self::Closed { .. } => BreakerState::Closed,
            Self::Open { .. } => BreakerState::Open,
            Self::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: BreakerPolicy = BreakerPolicy { failures: 3, open: DurationMs(1000) };

    fn opened() -> Breakers {
        let mut breakers = Breakers::new(POLICY);
        let states: Vec<_> = (0..3).map(|_| breakers.failed("t", UnixMs(0))).collect();
        assert_eq!(states, [None, None, Some(BreakerState::Open)]);
        breakers
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_success_between_them_does_not() {
        let mut breakers = Breakers::new(POLICY);
        for _ in 0..9 {
            breakers.failed("t", UnixMs(0));
            breakers.failed("t", UnixMs(0));
            breakers.succeeded("t");
        }
        assert!(breakers.admit("t", UnixMs(0)));
        assert!(!opened().admit("t", UnixMs(999)));
        assert_eq!(opened().rest("t", UnixMs(400)), DurationMs(600));
    }

    #[test]
    fn after_its_rest_one_probe_goes_through_and_decides() {
        let mut breakers = opened();
        assert!(breakers.admit("t", UnixMs(1000)));
        assert!(!breakers.admit("t", UnixMs(1000)));
        assert_eq!(breakers.failed("t", UnixMs(1100)), Some(BreakerState::Open));
        assert!(!breakers.admit("t", UnixMs(2099)));
        assert!(breakers.admit("t", UnixMs(2100)));
        assert_eq!(breakers.succeeded("t"), Some(BreakerState::Closed));
        assert!(breakers.admit("t", UnixMs(2100)));
    }

    #[test]
    fn a_probe_whose_caller_left_does_not_wedge_it() {
        let mut breakers = opened();
        assert!(breakers.admit("t", UnixMs(1000)));
        breakers.ended_without_verdict("t", UnixMs(1500));
        assert!(breakers.admit("t", UnixMs(1500)));
        // And one that never reports back at all:
        assert!(!breakers.admit("t", UnixMs(1500)));
        assert!(breakers.admit("t", UnixMs(1500).plus(PROBE_LIFE)));
    }

    proptest! {
        #[test]
        fn never_two_probes_within_one_rest(steps in prop::collection::vec((0..4_u8, 0..400_u64), 0..60)) {
            let mut breakers = opened();
            let (mut now, mut probing) = (UnixMs(0), false);
            for (step, pause) in steps {
                now = now.plus(DurationMs(pause));
                match step {
                    0 if breakers.of("t").state() != BreakerState::Closed => {
                        let admitted = breakers.admit("t", now);
                        prop_assert!(!(admitted && probing));
                        probing |= admitted;
                    }
                    1 if probing => { breakers.failed("t", now); probing = false; }
                    2 if probing => { breakers.succeeded("t"); probing = false; }
                    3 if probing => { breakers.ended_without_verdict("t", now); probing = false; }
                    _ => {}
                }
            }
        }
    }
}
