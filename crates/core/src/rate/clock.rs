//! A clock that never runs backwards, made from one that may.
//!
//! Buckets and leases count in *steady* time: it moves on with the wall clock, stands still while
//! that catches up after a small step back, and goes on from where it was after a large one.

use crate::units::{DurationMs, UnixMs};

/// Steady time, and the wall clock's reading it was last moved by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Clock {
    /// The latest reading of the wall clock that was believed.
    pub(super) seen: UnixMs,
    /// Steady time at that reading.
    pub(super) steady: UnixMs,
}

/// What a reading of the wall clock told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tick {
    /// It is this steady time.
    Steady(UnixMs),
    /// It is this steady time, but the wall clock was set back: how much time has passed since the
    /// last reading is not known.
    SetBack(UnixMs),
}

impl Clock {
    /// Reads the wall clock; a step back by more than `tolerance` is a clock that was set.
    pub(super) fn read(&mut self, now: UnixMs, tolerance: DurationMs) -> Tick {
        if self.seen.since(now) > tolerance {
            self.seen = now;
            return Tick::SetBack(self.steady);
        }
        self.steady = self.peek(now);
        self.seen = self.seen.max(now);
        Tick::Steady(self.steady)
    }

    /// Steady time at `now`, without moving the clock.
    pub(super) fn peek(&self, now: UnixMs) -> UnixMs {
        self.steady.plus(now.since(self.seen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLERANCE: DurationMs = DurationMs(100);

    fn at(ms: u64) -> Clock {
        let mut clock = Clock::default();
        assert_eq!(clock.read(UnixMs(ms), TOLERANCE), Tick::Steady(UnixMs(ms)));
        clock
    }

    #[test]
    fn small_steps_back_add_no_time_however_often_they_come() {
        let mut clock = at(1000);
        for _ in 0..50 {
            assert_eq!(clock.read(UnixMs(900), TOLERANCE), Tick::Steady(UnixMs(1000)));
            assert_eq!(clock.read(UnixMs(1000), TOLERANCE), Tick::Steady(UnixMs(1000)));
        }
        assert_eq!(clock.read(UnixMs(1001), TOLERANCE), Tick::Steady(UnixMs(1001)));
    }

    #[test]
    fn a_clock_that_was_set_back_runs_on_from_there() {
        let mut clock = at(100_000);
        assert_eq!(clock.read(UnixMs(50_000), TOLERANCE), Tick::SetBack(UnixMs(100_000)));
        assert_eq!(clock.read(UnixMs(50_010), TOLERANCE), Tick::Steady(UnixMs(100_010)));
    }
}
