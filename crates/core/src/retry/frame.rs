//! What bounds a request in time, and what that leaves to each of its attempts.

use super::outcome::Outcome;
use crate::{
    config::valid::Timeouts,
    units::{DurationMs, UnixMs},
};

/// What bounds a request in time.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// The model's timeouts.
    pub timeouts: Timeouts,
    /// When the request came.
    pub started: UnixMs,
    /// When the caller stops waiting, where it said so.
    pub deadline: Option<UnixMs>,
    /// Whether a stream was asked for.
    pub streamed: bool,
}

/// How long an attempt may take, from its own beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptLimits {
    /// Until a connection is made.
    pub connect: DurationMs,
    /// Until the head of the reply, and of a stream the first event.
    pub head: DurationMs,
    /// Between two pieces of a reply that has begun.
    pub idle: DurationMs,
    /// In all.
    pub whole: DurationMs,
    /// From when on a silence is no fault of the target's: it was given less than its due.
    excused_from: DurationMs,
}

impl Frame {
    /// When the request ends, answered or not.
    pub(super) fn ends(&self) -> UnixMs {
        self.deadline.map_or(self.total_ends(), |deadline| deadline.min(self.total_ends()))
    }

    /// Whether that is the caller's own choice.
    pub(super) fn ends_by_caller(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= self.total_ends())
    }

    /// What an attempt that begins `at` may take.
    pub fn limits(&self, at: UnixMs) -> AttemptLimits {
        let whole = self.ends().since(at);
        let Timeouts { connect, first_token, reply, idle, total: _ } = self.timeouts;
        let head = if self.streamed { first_token } else { reply };
        let excused_from = if whole < head {
            DurationMs(0)
        } else if self.ends_by_caller() {
            whole
        } else {
            DurationMs(u64::MAX)
        };
        AttemptLimits {
            connect: connect.min(whole),
            head: head.min(whole),
            idle: idle.min(whole),
            whole,
            excused_from,
        }
    }

    const fn total_ends(&self) -> UnixMs {
        self.started.plus(self.timeouts.total)
    }
}

impl AttemptLimits {
    /// What is left of them to the second call of one attempt, the first one having taken `took`.
    #[must_use]
    pub fn after(self, took: DurationMs) -> Self {
        let whole = self.whole.saturating_sub(took);
        let left = self.head.saturating_sub(took);
        let Self { connect, idle, excused_from, .. } = self;
        Self { connect: connect.min(left), head: left, idle: idle.min(whole), whole, excused_from }
    }

    /// Tells a silence of the target's from a request whose own time was up before the target had
    /// the time that is its due; `took` is how long the attempt lasted.
    ///
    /// Without it, callers with deadlines of a few milliseconds could have a healthy target rested.
    pub fn judge(self, outcome: Outcome, took: DurationMs) -> Outcome {
        match outcome {
            Outcome::Silent if took >= self.excused_from => Outcome::OutOfTime,
            Outcome::ConnectTimedOut if self.connect == self.whole => Outcome::OutOfTime,
            Outcome::Silent
            | Outcome::ConnectTimedOut
            | Outcome::OutOfTime
            | Outcome::Unreachable
            | Outcome::Invalid(_)
            | Outcome::Refused(_)
            | Outcome::SecretMissing(_) => outcome,
        }
    }
}
