//! The course of one request over its targets: who is asked next, when, and what breakers and pools
//! learn of it. Who asks says how it ended.

use std::sync::Arc;

use super::{Gate, Stop, host::Host};
use crate::{
    breaker::{Pass, Verdict},
    config::valid::{Config, Model, Target},
    record::{Attempt, BreakerEvent, BreakerState, ColdStart, Record},
    refusal::Refusal,
    retry::{AttemptLimits, Attempts, Frame, Next, Outcome},
    route::{self, Health},
    units::{DurationMs, UnixMs},
};

/// One request on its way from target to target.
pub(super) struct Course<'a, H> {
    host: &'a H,
    gate: &'a Gate,
    model: &'a Model,
    attempts: Attempts,
    /// How long nobody waits for a pool again that did not start in time.
    rest: DurationMs,
}

/// An attempt that may be made.
pub(super) struct Turn {
    pub(super) target: Arc<Target>,
    pub(super) pass: Pass,
    pub(super) limits: AttemptLimits,
}

impl<'a, H: Host> Course<'a, H> {
    /// Over `targets`, in their order, within `frame`.
    pub(super) fn new(
        host: &'a H,
        gate: &'a Gate,
        config: &Config,
        model: &'a Model,
        targets: Vec<Arc<Target>>,
        frame: Frame,
    ) -> Self {
        gate.retries.borrow_mut().request(&model.name, model.retry.budget, host.now());
        let attempts = Attempts::new(model.retry.clone(), frame, targets);
        Self { host, gate, model, attempts, rest: config.breaker.open }
    }

    /// What is tried first.
    pub(super) fn first(&mut self) -> Next {
        self.attempts.first(self.host.now())
    }

    /// Waits for as long as `next` says and asks the target's breaker, until one lets the call through.
    pub(super) async fn turn(&mut self, mut next: Next, record: &mut Record) -> Result<Turn, Stop> {
        let (host, gate) = (self.host, self.gate);
        loop {
            let (target, after, limits) = match next {
                Next::Try { target, after, limits } => (target, after, limits),
                Next::GiveUp(refusal) => return Err(Stop::Refused(refusal)),
            };
            if after > DurationMs(0) {
                record.timings.backoff = record.timings.backoff.plus(after);
                host.sleep(after).await?;
            }
            let began = host.now();
            let admission = gate.breakers.borrow_mut().admit(&target.id, began, limits.whole);
            let pass = match admission {
                Ok(pass) => pass,
                // Its whole pool seems to be starting, and is waited for.
                Err(_) if self.patience(&target, began) > DurationMs(0) => Pass::spent(),
                // Another request has opened it, or holds its only probe.
                Err(rest) => {
                    let budget = || gate.retries.borrow_mut().take(&self.model.name, began);
                    next = self.attempts.skipped(rest, began, host.dice(), budget);
                    continue;
                }
            };
            if pass.is_probe() {
                record.breaker_events.push(event(&target, began, BreakerState::HalfOpen));
            }
            record.target = Some(target.clone());
            return Ok(Turn { target, pass, limits });
        }
    }

    /// The target has answered.
    pub(super) fn answered(&mut self, target: &Arc<Target>, record: &mut Record) {
        let is_other = |attempt: &Attempt| attempt.target.whole_id() != target.whole_id();
        record.fallback = record.attempts.iter().any(is_other);
        self.note_start(target, true, record);
    }

    /// What follows the failure of `target`: a pool that may be starting is waited for before anyone
    /// else is asked.
    pub(super) fn after(
        &mut self,
        target: &Arc<Target>,
        outcome: &Outcome,
        record: &mut Record,
    ) -> Next {
        let now = self.host.now();
        let patience = self.patience(target, now);
        if let Some(next) = self.attempts.await_start(outcome, now, patience) {
            return next;
        }
        if outcome.may_be_starting() && patience > DurationMs(0) {
            self.gate.pools.borrow_mut().give_up(&target.provider.name, now, self.rest);
            self.note_start(target, false, record);
        }
        self.failed(outcome)
    }

    /// What follows a failure that is not waited for.
    pub(super) fn failed(&mut self, outcome: &Outcome) -> Next {
        let (host, gate) = (self.host, self.gate);
        let now = host.now();
        let budget = || gate.retries.borrow_mut().take(&self.model.name, now);
        self.attempts.failed(outcome, now, host.dice(), budget)
    }

    fn patience(&self, target: &Target, now: UnixMs) -> DurationMs {
        self.gate.pools.borrow().patience(&target.provider, now)
    }

    /// Notes that the target's pool was waited for, if it was.
    fn note_start(&mut self, target: &Arc<Target>, started: bool, record: &mut Record) {
        if let Some(waited) = self.attempts.waited_for(&target.provider.name, self.host.now()) {
            record.cold_starts.push(ColdStart { target: Arc::clone(target), waited, started });
        }
    }
}

/// Tells breaker how a call has ended, and notes it where that changes the breaker's state; so is
/// what calls on the side have changed since.
pub(super) fn report<H: Host>(
    host: &H,
    gate: &Gate,
    target: &Arc<Target>,
    pass: Pass,
    verdict: Verdict,
    record: &mut Record,
) {
    let now = host.now();
    let changed = gate.breakers.borrow_mut().report(&target.id, pass, verdict, now);
    record.breaker_events.append(&mut gate.aside.borrow_mut());
    record.breaker_events.extend(changed.map(|state| event(target, now, state)));
}

/// Measures a call that began at `began`, for the replica and for the target that it belongs to.
pub(super) fn measure<H: Host>(host: &H, gate: &Gate, target: &Target, began: UnixMs) {
    let now = host.now();
    let mut latencies = gate.latencies.borrow_mut();
    for id in std::iter::once(&target.id).chain(&target.replica_of) {
        latencies.measured(id, now.since(began), now);
    }
}

/// The targets in the order of the model's strategy, then those of its fallbacks.
pub(super) fn order<H: Host>(
    host: &H,
    gate: &Gate,
    config: &Config,
    model: &Arc<Model>,
) -> Result<Vec<Arc<Target>>, Refusal> {
    let (breakers, mut latencies) = (gate.breakers.borrow(), gate.latencies.borrow_mut());
    let pools = gate.pools.borrow();
    let health = Health { breakers: &breakers, pools: &pools };
    route::order(config, model, health, &mut latencies, host.now(), || host.dice())
}

fn event(target: &Arc<Target>, at: UnixMs, state: BreakerState) -> BreakerEvent {
    BreakerEvent { target: target.clone(), at, state }
}
