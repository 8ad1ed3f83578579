//! The attempts of one request: which target is asked next, and when.

use std::sync::Arc;

use super::{
    candidates::Candidates,
    frame::{AttemptLimits, Frame},
    outcome::Outcome,
};
use crate::{
    config::valid::{RetryPolicy, Target},
    refusal::{Code, Refusal},
    units::{DurationMs, UnitInterval, UnixMs},
};

/// The longest wait that the SDKs keep when they are told of one; they ignore longer ones.
const LONGEST_TOLD_WAIT: DurationMs = DurationMs(60_000);

/// The first pause and the longest one between two looks at a pool that is being started.
const FIRST_LOOK: DurationMs = DurationMs(250);
const LAST_LOOK: DurationMs = DurationMs(4000);

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

/// The step machine over one request's attempts.
#[derive(Debug)]
pub struct Attempts {
    policy: RetryPolicy,
    frame: Frame,
    candidates: Candidates,
    made: u32,
    rounds: u32,
    /// The last failure of a target.
    last: Option<Refusal>,
    /// Since when a provider's pool is waited for.
    starting: Vec<Start>,
    /// How long until the next look at it.
    look: DurationMs,
    /// How long until the first of those whose breakers were in the way is tried again.
    rest: Option<DurationMs>,
}

impl Attempts {
    /// The attempts over `targets`, in their order.
    pub fn new(policy: RetryPolicy, frame: Frame, targets: Vec<Arc<Target>>) -> Self {
        let candidates = Candidates::new(targets);
        Self {
            policy,
            frame,
            candidates,
            made: 0,
            rounds: 0,
            last: None,
            starting: Vec::new(),
            look: FIRST_LOOK,
            rest: None,
        }
    }

    /// The first attempt.
    pub fn first(&mut self, now: UnixMs) -> Next {
        if now >= self.frame.ends() {
            return Next::GiveUp(self.out_of_time());
        }
        self.pick(now, UnitInterval::new(0.0), || true)
    }

    /// The breaker of the target just named does not let the request through for another `rest`: the
    /// attempt was not made, and the target is not asked again. `dice` and `budget` are as for
    /// [`Self::failed`].
    pub fn skipped(
        &mut self,
        rest: DurationMs,
        now: UnixMs,
        dice: UnitInterval,
        budget: impl FnOnce() -> bool,
    ) -> Next {
        self.rest = Some(self.rest.map_or(rest, |other| other.min(rest)));
        self.candidates.leave_out();
        self.pick(now, dice, budget)
    }

    /// The attempt just made has failed as servers do that are being started, and the whole pool is
    /// waited for, `patience` at most: the next look at it. `None` where that is over, or there was
    /// none to begin with; what follows is then [`Self::failed`]'s to say.
    pub fn await_start(
        &mut self,
        outcome: &Outcome,
        now: UnixMs,
        patience: DurationMs,
    ) -> Option<Next> {
        if !outcome.may_be_starting() || patience == DurationMs(0) {
            return None;
        }
        let (target, again) = self.candidates.look_on()?;
        let began = self.starts(&target.provider.name, now, again);
        let after = if again { self.next_look() } else { DurationMs(0) };
        let at = now.plus(after);
        if at >= began.plus(patience).min(self.frame.ends()) {
            self.candidates.pass_over_pool();
            return None;
        }
        Some(Next::Try { target, after, limits: self.frame.limits(at) })
    }

    /// How long `provider`'s pool was waited for; `None` where nobody rested for it. Forgets it.
    pub fn waited_for(&mut self, provider: &str, now: UnixMs) -> Option<DurationMs> {
        let at = self.starting.iter().position(|start| start.provider == provider)?;
        let start = self.starting.swap_remove(at);
        start.rested.then(|| now.since(start.since))
    }

    /// Since when the pool is waited for, which is looked at `again` or for the first time.
    fn starts(&mut self, provider: &str, now: UnixMs, again: bool) -> UnixMs {
        if let Some(start) = self.starting.iter_mut().find(|start| start.provider == provider) {
            start.rested |= again;
            return start.since;
        }
        let provider = provider.to_owned();
        self.starting.push(Start { provider, since: now, rested: again });
        now
    }

    fn next_look(&mut self) -> DurationMs {
        let look = self.look;
        self.look = look.saturating_mul(2).min(LAST_LOOK);
        look
    }

    /// The attempt just made has failed. `dice` are thrown anew for every call. `budget` takes one
    /// retry from the model's budget and is asked only where a target would be asked again.
    pub fn failed(
        &mut self,
        outcome: &Outcome,
        now: UnixMs,
        dice: UnitInterval,
        budget: impl FnOnce() -> bool,
    ) -> Next {
        if *outcome == Outcome::OutOfTime {
            return Next::GiveUp(self.out_of_time());
        }
        self.last = Some(outcome.refusal());
        self.candidates.mark_asked();
        match self.learn(outcome, now) {
            Lesson::Over => return Next::GiveUp(outcome.refusal()),
            Lesson::NotMade => {}
            // A pool counts as one target while another replica of it may be there.
            Lesson::GoOn if outcome.may_be_starting() && self.candidates.has_another_replica() => {}
            Lesson::GoOn => self.made = self.made.saturating_add(1),
        }
        if now >= self.frame.ends() {
            return Next::GiveUp(self.out_of_time());
        }
        if self.made >= self.policy.max_attempts {
            return Next::GiveUp(self.last().final_answer());
        }
        self.pick(now, dice, budget)
    }

    /// What the outcome says of the target, and whether any other may still answer.
    fn learn(&mut self, outcome: &Outcome, now: UnixMs) -> Lesson {
        let failure = match outcome {
            Outcome::Unreachable | Outcome::Invalid(_) => return Lesson::GoOn,
            Outcome::Silent | Outcome::ConnectTimedOut | Outcome::OutOfTime => {
                self.candidates.leave_out();
                return Lesson::GoOn;
            }
            Outcome::SecretMissing(_) => {
                self.candidates.leave_out();
                return Lesson::NotMade;
            }
            Outcome::Refused(failure) => failure,
        };
        if failure.is_context_length() {
            self.candidates.leave_out_smaller();
            return Lesson::GoOn;
        }
        if failure.is_content_filter() {
            return Lesson::Over;
        }
        if failure.code == Code::UpstreamAuth || failure.quota_exhausted {
            // Our own account there is at fault; another provider knows nothing of it.
            self.candidates.leave_out();
            return Lesson::GoOn;
        }
        if !self.policy.statuses.contains(&failure.status) {
            if failure.code == Code::UpstreamRejected {
                return Lesson::Over;
            }
            // Not the caller's fault, and nothing that asking again would change: a path or a model
            // that is not there, a redirect, a status that is configured not to be retried.
            self.candidates.leave_out();
            return Lesson::GoOn;
        }
        match failure.retry_after {
            Some(wait) if wait > self.policy.max_retry_after => self.candidates.leave_out(),
            Some(wait) => self.candidates.postpone(now, wait),
            None => {}
        }
        Lesson::GoOn
    }

    fn pick(&mut self, now: UnixMs, dice: UnitInterval, budget: impl FnOnce() -> bool) -> Next {
        let Some(pick) = self.candidates.pick(now, self.frame.ends()) else {
            return Next::GiveUp(self.told());
        };
        let mut after = pick.not_before.since(now);
        if pick.new_round {
            after = after.max(self.backoff(dice));
            self.rounds = self.rounds.saturating_add(1);
        }
        let at = now.plus(after);
        if at >= self.frame.ends() {
            return Next::GiveUp(self.told());
        }
        // After the time was looked at, so that no retry is taken for an attempt that is not made.
        if pick.again && !budget() {
            return Next::GiveUp(self.last().final_answer());
        }
        Next::Try { target: pick.target, after, limits: self.frame.limits(at) }
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

    /// The last failure where no target is left that could be asked in time. The SDKs are left to
    /// wait where they were told for how long and will; otherwise they are told to stop.
    fn told(&self) -> Refusal {
        let last = self.last();
        match last.retry_after {
            Some(wait) if wait <= LONGEST_TOLD_WAIT => last,
            Some(_) | None => last.final_answer(),
        }
    }

    /// The last failure, or that every target rests where none was asked.
    fn last(&self) -> Refusal {
        self.last.clone().unwrap_or_else(|| {
            let resting = Refusal::new(Code::CircuitOpen, Code::CircuitOpen.facts().meaning);
            resting.after(self.rest.unwrap_or_default())
        })
    }

    /// The caller's own deadline is told apart from the provider's failure, and what a provider has
    /// said tells more than that there was no time left.
    fn out_of_time(&self) -> Refusal {
        let refusal = if self.frame.ends_by_caller() {
            Refusal::new(Code::DeadlineExceeded, Code::DeadlineExceeded.facts().meaning)
        } else {
            self.last.clone().unwrap_or_else(|| Outcome::OutOfTime.refusal())
        };
        refusal.final_answer()
    }
}

/// A pool that is waited for.
#[derive(Debug)]
struct Start {
    provider: String,
    since: UnixMs,
    /// Whether all of its replicas were looked at, and a rest followed.
    rested: bool,
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
