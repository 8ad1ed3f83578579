//! Asks targets until one answers: what is tried next is decided by the step machine in `retry`.

use std::{rc::Rc, sync::Arc};

use super::{
    Gate, Stop,
    exchange::Arrived,
    host::Host,
    provider::{self, Answered, Failure},
    stages::Admitted,
};
use crate::{
    breaker::{Pass, Verdict},
    config::valid::{Config, Model, Target},
    http::CallHeaders,
    record::{Attempt, BreakerEvent, BreakerState, Record},
    refusal::{Code, Refusal},
    retry::{Attempts, Frame, Next, Outcome},
    route,
    units::{DurationMs, UnixMs},
};

/// The answer of the first target that gives one.
pub(super) async fn run<H: Host>(
    host: &H,
    gate: &Gate,
    config: &Rc<Config>,
    admitted: &Admitted,
    arrived: &Arrived,
    headers: &CallHeaders<'_>,
    record: &mut Record,
) -> Result<Answered<H::Stream>, Stop> {
    let model = &admitted.guarded.0.model;
    let targets = order(host, gate, config, model)?;
    gate.retries.borrow_mut().request(&model.name, model.retry.budget, host.now());
    let frame = Frame {
        timeouts: model.timeout,
        started: record.started,
        deadline: headers.timeout.map(|length| record.started.plus(answer_within(length))),
        streamed: admitted.guarded.0.request.is_streamed(),
    };
    let mut attempts = Attempts::new(model.retry.clone(), frame, targets);
    let mut next = attempts.first(host.now());
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
        let budget = |now| gate.retries.borrow_mut().take(&model.name, now);
        let admission = gate.breakers.borrow_mut().admit(&target.id, began, limits.whole);
        let pass = match admission {
            Ok(pass) => pass,
            // Another request has opened it, or holds its only probe.
            Err(rest) => {
                next = attempts.skipped(rest, began, host.dice(), || budget(began));
                continue;
            }
        };
        if pass.is_probe() {
            record.breaker_events.push(event(&target, began, BreakerState::HalfOpen));
        }
        record.target = Some(target.clone());
        let result = provider::call(host, gate, admitted, &target, limits, arrived, headers).await;
        let ended = host.now();
        let result = result.map_err(|failure| failure.judged(limits, ended.since(began)));
        note(gate, &target, pass, began, ended, &result, record);
        match result {
            Ok(answered) => {
                record.fallback =
                    record.attempts.iter().any(|attempt| attempt.target.id != target.id);
                return Ok(answered);
            }
            Err(Failure::CallerLeft) => return Err(Stop::CallerLeft),
            Err(Failure::Failed(failure)) => {
                next = attempts.failed(&failure, ended, host.dice(), || budget(ended));
            }
        }
    }
}

/// A caller that waits this long is told a little before, while it still listens.
fn answer_within(length: DurationMs) -> DurationMs {
    length.saturating_sub(DurationMs(500.min(length.0 / 10)))
}

/// The targets in the order of the model's strategy, then those of its fallbacks.
fn order<H: Host>(
    host: &H,
    gate: &Gate,
    config: &Config,
    model: &Arc<Model>,
) -> Result<Vec<Arc<Target>>, Refusal> {
    let (breakers, mut latencies) = (gate.breakers.borrow(), gate.latencies.borrow_mut());
    route::order(config, model, &breakers, &mut latencies, host.now(), || host.dice())
}

fn note<S>(
    gate: &Gate,
    target: &Arc<Target>,
    pass: Pass,
    began: UnixMs,
    ended: UnixMs,
    result: &Result<Answered<S>, Failure>,
    record: &mut Record,
) {
    let took = ended.since(began);
    record.timings.upstream = record.timings.upstream.plus(took);
    let (status, failure) = match result {
        Ok(_) => (Some(200), None),
        Err(Failure::Failed(failed)) => (failed.status(), Some(failed.code())),
        Err(Failure::CallerLeft) => (None, Some(Code::ClientClosed)),
    };
    let first_chunk = match result {
        Ok(Answered::Stream(_)) => Some(took),
        Ok(Answered::Whole(_)) | Err(_) => None,
    };
    record.attempts.push(Attempt {
        target: target.clone(),
        began,
        status,
        failure,
        took,
        first_chunk,
    });
    let (verdict, measured) = match result {
        Ok(_) => (Verdict::Well, true),
        Err(Failure::Failed(failed)) => (failed.verdict(), *failed == Outcome::Silent),
        Err(Failure::CallerLeft) => (Verdict::Unknown, false),
    };
    if measured {
        gate.latencies.borrow_mut().measured(&target.id, took, ended);
    }
    let changed = gate.breakers.borrow_mut().report(&target.id, pass, verdict, ended);
    record.breaker_events.extend(changed.map(|state| event(target, ended, state)));
}

fn event(target: &Arc<Target>, at: UnixMs, state: BreakerState) -> BreakerEvent {
    BreakerEvent { target: target.clone(), at, state }
}
