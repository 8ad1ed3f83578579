//! A target that keeps failing is rested, then tried with one request.
//!
//! Closed, calls go through; failures in a row open it; after its rest it is half open, and one call,
//! the probe, decides. What a call says of its target is a [`Verdict`]. Whoever is let through holds
//! a [`Pass`] and reports with it, so that a call that began before the breaker opened is not taken
//! for the probe. All times are milliseconds; nothing here waits.

use std::collections::BTreeMap;

use crate::{
    config::valid::BreakerPolicy,
    record::BreakerState,
    units::{DurationMs, UnixMs},
};

/// What those are told to wait who come while a probe is out: its answer is due any moment.
const PROBING: DurationMs = DurationMs(1000);

/// What a call says of its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It gave a good answer.
    Well,
    /// It refused the caller's request, as a target does that works. This closes a half-open breaker,
    /// and does not make up for failures: some servers check requests long after their models died.
    Answered,
    /// Silence, a broken connection, a 5xx or an invalid reply.
    Broken,
    /// Nothing either way: the caller left, or the target is busy (429).
    Unknown,
}

/// That a call was let through; it is given back with what came of the call.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a call that was let through reports back"]
pub struct Pass {
    probe: Option<u64>,
}

impl Pass {
    /// Whether the call decides over a half-open breaker.
    pub const fn is_probe(&self) -> bool {
        self.probe.is_some()
    }

    /// For a probe that has reported that its stream has begun: what becomes of the stream decides
    /// no more than any other call.
    pub(crate) const fn spent() -> Self {
        Self { probe: None }
    }
}

/// The breakers of every target that has failed, by its id.
#[derive(Debug)]
pub struct Breakers {
    policy: BreakerPolicy,
    targets: BTreeMap<String, Breaker>,
    /// Probes so far, of all targets.
    probes: u64,
}

impl Breakers {
    /// Every target is well.
    pub const fn new(policy: BreakerPolicy) -> Self {
        Self { policy, targets: BTreeMap::new(), probes: 0 }
    }

    /// Follows another policy from now on; what is known of targets stays.
    pub const fn adopt(&mut self, policy: BreakerPolicy) {
        self.policy = policy;
    }

    /// How long until a call to `target` may be let through; zero when one may be now.
    pub fn rest(&self, target: &str, now: UnixMs) -> DurationMs {
        match self.of(target) {
            Breaker::Closed { .. } => DurationMs(0),
            Breaker::Open { until } => until.since(now),
            Breaker::HalfOpen { until, .. } => until.since(now).min(PROBING),
        }
    }

    /// Lets a call to `target` through that lasts `within` at most. Through an open breaker whose
    /// rest is over goes one, the probe; one that has not reported back in its time is given up.
    ///
    /// # Errors
    /// How long until a call may be let through, more than zero.
    pub fn admit(
        &mut self,
        target: &str,
        now: UnixMs,
        within: DurationMs,
    ) -> Result<Pass, DurationMs> {
        let rest = self.rest(target, now);
        if rest > DurationMs(0) {
            return Err(rest);
        }
        match self.of(target) {
            Breaker::Closed { .. } => Ok(Pass { probe: None }),
            Breaker::Open { .. } | Breaker::HalfOpen { .. } => {
                self.probes += 1;
                let (probe, until) = (self.probes, now.plus(within));
                self.targets.insert(target.to_owned(), Breaker::HalfOpen { probe, until });
                Ok(Pass { probe: Some(probe) })
            }
        }
    }

    /// A call to `target` has ended; returns the target's state if that changed.
    #[expect(clippy::needless_pass_by_value, reason = "a call reports once")]
    pub fn report(
        &mut self,
        target: &str,
        pass: Pass,
        verdict: Verdict,
        now: UnixMs,
    ) -> Option<BreakerState> {
        let before = self.of(target);
        let after = match (before, pass.probe) {
            (Breaker::Closed { failures }, None) => self.counted(failures, verdict, now),
            (Breaker::HalfOpen { probe, .. }, Some(own)) if own == probe => {
                self.decided(verdict, now)
            }
            // A straggler, or a probe that was given up.
            (Breaker::Open { .. } | Breaker::HalfOpen { .. }, _) | (_, Some(_)) => before,
        };
        if after == (Breaker::Closed { failures: 0 }) {
            self.targets.remove(target);
        } else if after != before {
            self.targets.insert(target.to_owned(), after);
        }
        (before.state() != after.state()).then_some(after.state())
    }

    /// The targets that are not closed, with their states.
    pub fn unwell(&self) -> impl Iterator<Item = (&str, BreakerState)> {
        let states =
            self.targets.iter().map(|(target, breaker)| (target.as_str(), breaker.state()));
        states.filter(|(_, state)| *state != BreakerState::Closed)
    }

    fn counted(&self, failures: u32, verdict: Verdict, now: UnixMs) -> Breaker {
        match verdict {
            Verdict::Well => Breaker::Closed { failures: 0 },
            Verdict::Answered | Verdict::Unknown => Breaker::Closed { failures },
            Verdict::Broken if failures.saturating_add(1) < self.policy.failures => {
                Breaker::Closed { failures: failures + 1 }
            }
            Verdict::Broken => Breaker::Open { until: now.plus(self.policy.open) },
        }
    }

    fn decided(&self, verdict: Verdict, now: UnixMs) -> Breaker {
        match verdict {
            Verdict::Well | Verdict::Answered => Breaker::Closed { failures: 0 },
            Verdict::Broken => Breaker::Open { until: now.plus(self.policy.open) },
            // Makes room for another probe.
            Verdict::Unknown => Breaker::Open { until: now },
        }
    }

    fn of(&self, target: &str) -> Breaker {
        self.targets.get(target).copied().unwrap_or(Breaker::Closed { failures: 0 })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Breaker {
    Closed {
        failures: u32,
    },
    Open {
        until: UnixMs,
    },
    HalfOpen {
        probe: u64,
        /// When the probe is given up.
        until: UnixMs,
    },
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
mod tests;
