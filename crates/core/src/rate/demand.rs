//! How much an isolate has been using of a bucket lately, to size the next lease by.

use crate::units::{DurationMs, UnixMs};

/// What was taken since the last lease was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Demand {
    since: UnixMs,
    taken: u64,
}

/// Shorter spans than this say nothing about a rate: two calls in a millisecond are not 2000 a
/// second. It makes leases grow at most fourfold or so from one to the next.
const SHORTEST: DurationMs = DurationMs(250);

impl Demand {
    /// Nothing taken so far.
    pub(super) fn starting(now: UnixMs) -> Self {
        Self { since: now, taken: 0 }
    }

    /// Notes that `pieces` were taken.
    pub(super) fn note(&mut self, pieces: u64) {
        self.taken = self.taken.saturating_add(pieces);
    }

    /// How many pieces `horizon` will need at the rate seen, rounded down; counts from `now` on.
    pub(super) fn take(&mut self, now: UnixMs, horizon: DurationMs) -> u64 {
        let span = now.since(self.since).max(SHORTEST);
        let expected = u128::from(self.taken) * u128::from(horizon.0) / u128::from(span.0);
        *self = Self::starting(now);
        u64::try_from(expected).unwrap_or(u64::MAX)
    }
}
