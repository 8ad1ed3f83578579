//! Signals of the last hour or so, so that rules can look at a window.

use std::collections::VecDeque;

use super::Signals;
use crate::units::{DurationMs, UnixMs};

/// Signals in the order of time, the newest last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    samples: VecDeque<(UnixMs, Signals)>,
}

/// The longest window, and the hour before it that guards are compared with.
const KEPT: DurationMs = DurationMs::from_secs(2 * 3600);
/// Samples are thinned out above this many.
const MOST: usize = 240;

impl History {
    /// Adds what was read at `at`; older than two hours is forgotten.
    pub fn push(&mut self, at: UnixMs, signals: Signals) {
        self.samples.push_back((at, signals));
        while self.samples.front().is_some_and(|(then, _)| at.since(*then) > KEPT) {
            self.samples.pop_front();
        }
        if self.samples.len() > MOST {
            self.thin_out();
        }
    }

    /// The newest.
    pub fn newest(&self) -> Option<&(UnixMs, Signals)> {
        self.samples.back()
    }

    /// What happened in the last `window`: since the youngest sample at least that old, or since the
    /// beginning of all that is known.
    pub(super) fn window(&self, window: DurationMs) -> Signals {
        let Some((now, newest)) = self.samples.back() else { return Signals::default() };
        newest.since(self.before(*now, window))
    }

    /// What happened in the `length` before the last `window`, and how long that really was.
    pub(super) fn window_before(
        &self,
        window: DurationMs,
        length: DurationMs,
    ) -> (Signals, DurationMs) {
        let Some((now, _)) = self.samples.back() else { return Default::default() };
        let whole = window.plus(length);
        let (start, end) = (self.moment_before(*now, whole), self.moment_before(*now, window));
        (self.before(*now, window).since(self.before(*now, whole)), end.since(start))
    }

    fn before(&self, now: UnixMs, window: DurationMs) -> &Signals {
        self.sample_before(now, window).map_or(&NOTHING, |(_, signals)| signals)
    }

    fn moment_before(&self, now: UnixMs, window: DurationMs) -> UnixMs {
        self.sample_before(now, window).map_or(now, |(at, _)| *at)
    }

    fn sample_before(&self, now: UnixMs, window: DurationMs) -> Option<&(UnixMs, Signals)> {
        let mut older = self.samples.iter().rev().skip(1);
        older.find(|(at, _)| now.since(*at) >= window).or_else(|| self.samples.front())
    }

    /// Keeps the younger half whole and every second of the older.
    fn thin_out(&mut self) {
        let half = self.samples.len() / 2;
        let mut index = 0;
        self.samples.retain(|_| {
            index += 1;
            index > half || index % 2 == 0
        });
    }
}

static NOTHING: Signals = Signals {
    calls: std::collections::BTreeMap::new(),
    lengths: std::collections::BTreeMap::new(),
    attempts: std::collections::BTreeMap::new(),
    acts: std::collections::BTreeMap::new(),
    resting: std::collections::BTreeSet::new(),
};
