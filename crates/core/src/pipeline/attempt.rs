//! Asks targets until one answers, and until one goes on with an answer that broke off: what is tried
//! next is decided by the step machine in `retry`.

use std::{rc::Rc, sync::Arc};

use super::{
    Gate, Stop, deliver,
    exchange::Arrived,
    host::Host,
    provider::{self, Asked, Failure, Opened, Source, Whole},
    stages::Admitted,
};
use crate::{
    breaker::{Pass, Verdict},
    config::valid::{Config, Model, Recovery, Target},
    http::CallHeaders,
    price::Usage,
    record::{Attempt, BreakerEvent, BreakerState, Record},
    refusal::{Code, Refusal},
    retry::{AttemptLimits, Attempts, Frame, Next, Outcome},
    route,
    stream::{Relay, Resume},
    tokens,
    units::{DurationMs, Tokens, UnixMs},
};

/// What a target has answered.
#[derive(Debug)]
pub(super) enum Answered<S> {
    /// A whole reply.
    Whole(Whole),
    /// A stream whose first event is there; it passes through [`Trials::relay`].
    Stream(Streaming<S>),
}

/// A stream that has begun.
#[derive(Debug)]
pub(super) struct Streaming<S> {
    pub(super) target: Arc<Target>,
    pub(super) source: Source<S>,
    pass: Pass,
    /// The length of what the target was given to go on from.
    pub(super) given: Tokens,
}

/// What an attempt needs to know of the request beside its body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) config: &'a Rc<Config>,
    pub(super) arrived: &'a Arrived,
    pub(super) headers: &'a CallHeaders<'a>,
}

/// One request's attempts, and the answer that passes through them.
pub(super) struct Trials<'a, H> {
    host: &'a H,
    gate: &'a Gate,
    admitted: &'a Admitted,
    asking: &'a Asking<'a>,
    attempts: Attempts,
    /// Takes the streams of all attempts for one.
    pub(super) relay: Relay,
    /// What the caller gets next.
    pub(super) out: Vec<u8>,
    /// Of an answer that broke off: what its provider has used and the relay was not told yet.
    broken: Option<Usage>,
}

impl<'a, H: Host> Trials<'a, H> {
    /// No attempt is made yet.
    pub(super) fn new(
        host: &'a H,
        gate: &'a Gate,
        admitted: &'a Admitted,
        asking: &'a Asking<'a>,
        record: &Record,
    ) -> Result<Self, Refusal> {
        let model = &admitted.guarded.0.model;
        let targets = order(host, gate, asking.config, model)?;
        gate.retries.borrow_mut().request(&model.name, model.retry.budget, host.now());
        let frame = Frame {
            timeouts: model.timeout,
            started: record.started,
            deadline: asking
                .headers
                .timeout
                .map(|length| record.started.plus(answer_within(length))),
            streamed: admitted.guarded.0.request.is_streamed(),
        };
        let attempts = Attempts::new(model.retry.clone(), frame, targets);
        let (relay, out) = (Relay::new(false), Vec::new());
        let broken = None;
        Ok(Self { host, gate, admitted, asking, attempts, relay, out, broken })
    }

    /// The answer of the first target that gives one.
    pub(super) async fn answer(
        &mut self,
        record: &mut Record,
    ) -> Result<Answered<H::Stream>, Stop> {
        let first = self.attempts.first(self.host.now());
        self.until_answered(first, record).await
    }

    /// Whether another target may go on with the answer.
    pub(super) fn can_go_on(&self) -> bool {
        match self.model().recovery {
            Recovery::Off => false,
            Recovery::Continue | Recovery::Restart => self.relay.sent().is_ok(),
        }
    }

    /// The stream broke off by `outcome`, its provider having used `spent`: the first target that goes
    /// on with the answer.
    pub(super) async fn go_on(
        &mut self,
        outcome: &Outcome,
        spent: Usage,
        record: &mut Record,
    ) -> Result<Answered<H::Stream>, Stop> {
        self.broken = Some(spent);
        let next = self.failed(outcome);
        self.until_answered(next, record).await
    }

    /// What the stream has used so far, by its provider's word or by our estimate. `given` is the
    /// length of what the provider was given to go on from.
    pub(super) fn used(&self, given: Tokens) -> Usage {
        let summary = self.relay.summary();
        summary.usage.unwrap_or_else(|| {
            let estimated = deliver::estimated(self.request(), summary.said.tokens());
            Usage { prompt: estimated.prompt.saturating_add(given), ..estimated }
        })
    }

    /// Tells the target's breaker how its stream ended.
    pub(super) fn ended(
        &self,
        streaming: Streaming<H::Stream>,
        verdict: Verdict,
        record: &mut Record,
    ) {
        let Streaming { target, pass, .. } = streaming;
        self.report(&target, pass, verdict, record);
    }

    fn model(&self) -> &'a Arc<Model> {
        &self.admitted.guarded.0.model
    }

    fn request(&self) -> &'a crate::openai::Effective {
        &self.admitted.guarded.0.request
    }

    async fn until_answered(
        &mut self,
        mut next: Next,
        record: &mut Record,
    ) -> Result<Answered<H::Stream>, Stop> {
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
                // Another request has opened it, or holds its only probe.
                Err(rest) => {
                    let budget = || {
                        gate.retries.borrow_mut().take(&self.admitted.guarded.0.model.name, began)
                    };
                    next = self.attempts.skipped(rest, began, host.dice(), budget);
                    continue;
                }
            };
            if pass.is_probe() {
                record.breaker_events.push(event(&target, began, BreakerState::HalfOpen));
            }
            record.target = Some(target.clone());
            match self.ask(&target, pass, limits, record).await {
                Ok(answered) => {
                    record.fallback =
                        record.attempts.iter().any(|attempt| attempt.target.id != target.id);
                    return Ok(answered);
                }
                Err(Failure::CallerLeft) => return Err(Stop::CallerLeft),
                Err(Failure::Failed(outcome)) => next = self.failed(&outcome),
            }
        }
    }

    fn failed(&mut self, outcome: &Outcome) -> Next {
        let (host, gate, model) = (self.host, self.gate, self.model());
        let now = host.now();
        let budget = || gate.retries.borrow_mut().take(&model.name, now);
        self.attempts.failed(outcome, now, host.dice(), budget)
    }

    /// Asks one target; one that refuses to go on with another's answer is asked afresh.
    async fn ask(
        &mut self,
        target: &Arc<Target>,
        pass: Pass,
        limits: AttemptLimits,
        record: &mut Record,
    ) -> Result<Answered<H::Stream>, Failure> {
        let began = self.host.now();
        let (asked, mut given) = self.prepare(target)?;
        let result = self.call(target, &asked, limits).await;
        let result = match result {
            Err(Failure::Failed(Outcome::Refused(failure)))
                if given > Tokens(0) && failure.code == Code::UpstreamRejected =>
            {
                self.gate.unprefilled.borrow_mut().insert(target.id.clone());
                let refused = Err(Failure::Failed(Outcome::Refused(failure)));
                self.note(target, began, Tokens(0), &refused, record);
                let asked;
                (asked, given) = self.prepare(target)?;
                self.call(target, &asked, limits).await
            }
            result => result,
        };
        let took = self.host.now().since(began);
        let result = result.map_err(|failure| failure.judged(limits, took));
        self.note(target, began, given, &result, record);
        self.judge(target, pass, began, given, result, record)
    }

    /// The body for `target`. An answer that broke off is gone on with where the target takes that;
    /// the relay is told what follows.
    fn prepare(&mut self, target: &Target) -> Result<(Asked, Tokens), Failure> {
        let request = self.request();
        let Some(spent) = &mut self.broken else {
            if request.is_streamed() {
                let relay = Relay::new(deliver::usage_asked(request)).of_choices(request.choices());
                let relay = relay.recorded();
                self.relay = match self.model().recovery {
                    Recovery::Off => relay,
                    Recovery::Continue | Recovery::Restart => relay.recoverable(),
                };
            }
            self.out.clear();
            return Ok((Asked::new(request, target), Tokens(0)));
        };
        let told = std::mem::take(spent);
        let prefilled = self.prefilled(target);
        let how = if prefilled.is_some() { Resume::Prefill } else { Resume::Restart };
        self.relay.resume(how, told).map_err(|_| Failure::Failed(Outcome::Unreachable))?;
        Ok(prefilled.unwrap_or_else(|| (Asked::new(request, target), Tokens(0))))
    }

    /// The body that gives `target` what was sent already, and how long that is.
    fn prefilled(&self, target: &Target) -> Option<(Asked, Tokens)> {
        if self.model().recovery != Recovery::Continue
            || self.gate.unprefilled.borrow().contains(&target.id)
        {
            return None;
        }
        let begun = self.relay.sent().ok()?.prefill()?;
        let length = tokens::count(begun).round_up();
        let body = self.request().body_after(target, begun, length)?;
        Some((Asked { body }, length))
    }

    async fn call(
        &mut self,
        target: &Arc<Target>,
        asked: &Asked,
        limits: AttemptLimits,
    ) -> Result<Opened<H::Stream>, Failure> {
        let (host, gate, request) = (self.host, self.gate, self.request());
        let began = host.now();
        let Asking { arrived, headers, config: _ } = *self.asking;
        let call = provider::Call { target, limits, arrived, headers };
        let mut opened = provider::open(host, gate, request, asked, &call).await?;
        if let Opened::Stream(source) = &mut opened {
            let left = limits.head.saturating_sub(host.now().since(began));
            let key = provider::secret(gate, target);
            let (relay, out) = (&mut self.relay, &mut self.out);
            provider::begin_stream(host, source, relay, out, left, key.as_deref()).await?;
        }
        Ok(opened)
    }

    /// Adds the attempt to the record.
    fn note(
        &mut self,
        target: &Arc<Target>,
        began: UnixMs,
        given: Tokens,
        result: &Result<Opened<H::Stream>, Failure>,
        record: &mut Record,
    ) {
        let took = self.host.now().since(began);
        record.timings.upstream = record.timings.upstream.plus(took);
        let (status, failure) = match result {
            Ok(_) => (Some(200), None),
            Err(Failure::Failed(failed)) => (failed.status(), Some(failed.code())),
            Err(Failure::CallerLeft) => (None, Some(Code::ClientClosed)),
        };
        let first_chunk = match result {
            Ok(Opened::Stream(_)) => Some(took),
            Ok(Opened::Whole(_)) | Err(_) => None,
        };
        record.attempts.push(Attempt {
            target: target.clone(),
            began,
            status,
            failure,
            took,
            first_chunk,
            usage: None,
            cost: None,
        });
        // One that failed with a part of an answer given is billed for it.
        let summary = self.relay.summary();
        if result.is_err() && summary.begun {
            let used = self.used(given);
            record.bill(used);
            if let Some(spent) = &mut self.broken {
                *spent = spent.plus(used);
            }
        }
    }

    /// Tells breaker and latencies what they may know already. Of a stream, the breaker is told when
    /// it ends, but for a probe, which others wait for.
    fn judge(
        &self,
        target: &Arc<Target>,
        pass: Pass,
        began: UnixMs,
        given: Tokens,
        result: Result<Opened<H::Stream>, Failure>,
        record: &mut Record,
    ) -> Result<Answered<H::Stream>, Failure> {
        let now = self.host.now();
        let measure = || {
            self.gate.latencies.borrow_mut().measured(&target.id, now.since(began), now);
        };
        match result {
            Ok(Opened::Whole(whole)) => {
                measure();
                self.report(target, pass, Verdict::Well, record);
                Ok(Answered::Whole(whole))
            }
            Ok(Opened::Stream(source)) => {
                measure();
                let pass = if pass.is_probe() {
                    self.report(target, pass, Verdict::Well, record);
                    Pass::spent()
                } else {
                    pass
                };
                let target = target.clone();
                Ok(Answered::Stream(Streaming { target, source, pass, given }))
            }
            Err(failure) => {
                let verdict = match &failure {
                    Failure::Failed(outcome) => {
                        if *outcome == Outcome::Silent {
                            measure();
                        }
                        outcome.verdict()
                    }
                    Failure::CallerLeft => Verdict::Unknown,
                };
                self.report(target, pass, verdict, record);
                Err(failure)
            }
        }
    }

    fn report(&self, target: &Arc<Target>, pass: Pass, verdict: Verdict, record: &mut Record) {
        let now = self.host.now();
        let changed = self.gate.breakers.borrow_mut().report(&target.id, pass, verdict, now);
        record.breaker_events.extend(changed.map(|state| event(target, now, state)));
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

fn event(target: &Arc<Target>, at: UnixMs, state: BreakerState) -> BreakerEvent {
    BreakerEvent { target: target.clone(), at, state }
}
