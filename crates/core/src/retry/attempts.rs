//! The attempts of one request: which target is asked next, and when.

use std::sync::Arc;

use super::outcome::Outcome;
use crate::{
    config::valid::{RetryPolicy, Target, Timeouts},
    refusal::{Code, Refusal},
    units::{DurationMs, UnitInterval, UnixMs},
};

/// What follows.
#[derive(Debug, Clone)]
pub enum Next {
    /// Ask this target, after a pause.
    Try {
        /// Which.
        target: Arc<Target>,
        /// The pause.
        after: DurationMs,
        /// How long the attempt may take.
        limits: AttemptLimits,
    },
    /// Tell the caller.
    GiveUp(Refusal),
}

/// How long an attempt may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptLimits {
    /// Until a connection is made.
    pub connect: DurationMs,
    /// Until the head of the reply, and of a stream the first event.
    pub head: DurationMs,
    /// In all.
    pub whole: DurationMs,
}

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

#[derive(Debug)]
struct Candidate {
    target: Arc<Target>,
    /// Asked since the current round began.
    asked: bool,
    /// Asked at all.
    known: bool,
    /// Not to be asked before; its own wish.
    not_before: UnixMs,
    /// Not to be asked again.
    out: bool,
}

/// The step machine over one request's attempts.
#[derive(Debug)]
pub struct Attempts {
    policy: RetryPolicy,
    frame: Frame,
    candidates: Vec<Candidate>,
    current: usize,
    made: u32,
    rounds: u32,
    last: Refusal,
}

impl Attempts {
    /// The attempts over `targets`, in their order.
    pub fn new(policy: RetryPolicy, frame: Frame, targets: Vec<Arc<Target>>) -> Self {
        let candidate = |target| Candidate {
            target,
            asked: false,
            known: false,
            not_before: UnixMs(0),
            out: false,
        };
        Self {
            policy,
            frame,
            candidates: targets.into_iter().map(candidate).collect(),
            current: 0,
            made: 0,
            rounds: 0,
            last: Refusal::new(Code::CircuitOpen, Code::CircuitOpen.facts().meaning),
        }
    }

    /// The first attempt.
    pub fn first(&mut self, now: UnixMs) -> Next {
        self.pick(now, UnitInterval::new(0.0), || true)
    }

    /// The breaker of the target just named does not let the request through.
    pub fn skipped(&mut self, now: UnixMs) -> Next {
        if let Some(candidate) = self.candidates.get_mut(self.current) {
            candidate.out = true;
        }
        self.pick(now, UnitInterval::new(0.0), || true)
    }

    /// The attempt just made has failed. `budget` takes one retry from the model's budget and is
    /// asked only where a target would be asked again.
    pub fn failed(
        &mut self,
        outcome: &Outcome,
        now: UnixMs,
        dice: UnitInterval,
        budget: impl FnOnce() -> bool,
    ) -> Next {
        self.last = outcome.refusal();
        if let Some(candidate) = self.candidates.get_mut(self.current) {
            candidate.asked = true;
            candidate.known = true;
        }
        match self.learn(outcome, now) {
            Lesson::Over => return Next::GiveUp(self.last.clone()),
            Lesson::NotMade => {}
            Lesson::GoOn => self.made += 1,
        }
        if self.is_over(now) {
            return Next::GiveUp(self.out_of_time(now));
        }
        if self.made >= self.policy.max_attempts {
            return Next::GiveUp(self.last.clone().final_answer());
        }
        self.pick(now, dice, budget)
    }

    /// What the outcome says of the target, and whether any other may still answer.
    fn learn(&mut self, outcome: &Outcome, now: UnixMs) -> Lesson {
        let failure = match outcome {
            Outcome::Unreachable | Outcome::Invalid(_) => return Lesson::GoOn,
            Outcome::Silent | Outcome::ConnectTimedOut => {
                self.leave_out_current();
                return Lesson::GoOn;
            }
            Outcome::SecretMissing(_) => {
                self.leave_out_current();
                return Lesson::NotMade;
            }
            Outcome::Refused(failure) => failure,
        };
        if failure.is_context_length() {
            self.leave_out_smaller();
            return Lesson::GoOn;
        }
        if failure.is_content_filter() {
            return Lesson::Over;
        }
        if failure.code == Code::UpstreamAuth || failure.quota_exhausted {
            // Our own account there is at fault; another provider knows nothing of it.
            self.leave_out_current();
            return Lesson::GoOn;
        }
        if !self.policy.statuses.contains(&failure.status) {
            return Lesson::Over;
        }
        if let Some(wait) = failure.retry_after {
            if wait > self.policy.max_retry_after {
                self.leave_out_current();
            } else if let Some(candidate) = self.candidates.get_mut(self.current) {
                candidate.not_before = now.plus(wait);
            }
        }
        Lesson::GoOn
    }

    fn leave_out_current(&mut self) {
        if let Some(candidate) = self.candidates.get_mut(self.current) {
            candidate.out = true;
        }
    }

    /// The prompt did not fit: only a larger known context may take it.
    fn leave_out_smaller(&mut self) {
        let context =
            self.candidates.get(self.current).and_then(|current| current.target.dialect.context);
        for candidate in &mut self.candidates {
            let larger = match (candidate.target.dialect.context, context) {
                (Some(other), Some(this)) => other > this,
                (Some(_), None) => !candidate.known,
                (None, _) => false,
            };
            candidate.out |= !larger;
        }
    }

    fn pick(&mut self, now: UnixMs, dice: UnitInterval, budget: impl FnOnce() -> bool) -> Next {
        let fresh = self.candidates.iter().position(|candidate| !candidate.out && !candidate.asked);
        let (index, after) = match fresh {
            Some(index) => (index, self.pause_of(index, now)),
            None => {
                // Everyone left was asked in this round: a new one begins, after a pause.
                let Some(index) = self.soonest() else {
                    return Next::GiveUp(self.last.clone().final_answer());
                };
                for candidate in &mut self.candidates {
                    candidate.asked = false;
                }
                let backoff = self.backoff(dice);
                self.rounds += 1;
                (index, self.pause_of(index, now).max(backoff))
            }
        };
        let again = self.candidates.get(index).is_some_and(|candidate| candidate.known);
        if again && !budget() {
            return Next::GiveUp(self.last.clone().final_answer());
        }
        let at = now.plus(after);
        if self.is_over(at) {
            return Next::GiveUp(self.out_of_time(at));
        }
        self.current = index;
        match self.candidates.get(index) {
            Some(candidate) => {
                Next::Try { target: candidate.target.clone(), after, limits: self.limits(at) }
            }
            None => Next::GiveUp(self.last.clone()),
        }
    }

    /// The target that may be asked first, the order written deciding among equals.
    fn soonest(&self) -> Option<usize> {
        let left = self.candidates.iter().enumerate().filter(|(_, candidate)| !candidate.out);
        left.min_by_key(|(_, candidate)| candidate.not_before).map(|(index, _)| index)
    }

    fn pause_of(&self, index: usize, now: UnixMs) -> DurationMs {
        self.candidates
            .get(index)
            .map_or(DurationMs(0), |candidate| candidate.not_before.since(now))
    }

    /// Full jitter: anything up to base · 2ⁿ, at most the longest delay.
    ///
    /// Source: "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "delays are bounded by the policy, far below 2^53"
    )]
    fn backoff(&self, dice: UnitInterval) -> DurationMs {
        let factor = 1_u64.checked_shl(self.rounds).unwrap_or(u64::MAX);
        let ceiling = self.policy.base_delay.0.saturating_mul(factor).min(self.policy.max_delay.0);
        DurationMs((ceiling as f64 * dice.get()) as u64)
    }

    fn ends(&self) -> UnixMs {
        let total = self.frame.started.plus(self.frame.timeouts.total);
        self.frame.deadline.map_or(total, |deadline| deadline.min(total))
    }

    fn is_over(&self, at: UnixMs) -> bool {
        at >= self.ends()
    }

    /// The caller's own deadline is told apart from the provider's failure.
    fn out_of_time(&self, at: UnixMs) -> Refusal {
        let refusal = if self.frame.deadline.is_some_and(|deadline| deadline <= at) {
            Refusal::new(Code::DeadlineExceeded, Code::DeadlineExceeded.facts().meaning)
        } else {
            self.last.clone()
        };
        refusal.final_answer()
    }

    fn limits(&self, at: UnixMs) -> AttemptLimits {
        let left = self.ends().since(at);
        let Timeouts { connect, first_token, reply, idle: _, total: _ } = self.frame.timeouts;
        let head = if self.frame.streamed { first_token } else { reply };
        AttemptLimits { connect: connect.min(left), head: head.min(left), whole: left }
    }
}

/// What an outcome means for the request.
enum Lesson {
    /// No target would answer differently.
    Over,
    /// Another attempt may follow.
    GoOn,
    /// The attempt was never made.
    NotMade,
}
