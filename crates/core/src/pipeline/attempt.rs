//! Asks targets until one answers, and until one goes on with an answer that broke off: what is tried
//! next is decided by the step machine in `retry`.

use std::{rc::Rc, sync::Arc};

use super::{
    Gate, Stop,
    course::{self, Course, Turn},
    deliver,
    exchange::Arrived,
    host::Host,
    provider::{self, Asked, Failure, Opened, Source, Whole},
    stages::Admitted,
};
use crate::{
    breaker::{Pass, Verdict},
    config::valid::{Config, Model, Recovery, Target},
    http::CallHeaders,
    pool::InFlight,
    price::Usage,
    record::{Attempt, Record},
    refusal::{Code, Refusal},
    retry::{AttemptLimits, Frame, Next, Outcome},
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
    /// Counts it among the calls in flight until it ends.
    in_flight: InFlight,
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
    course: Course<'a, H>,
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
        let targets = course::order(host, gate, asking.config, model)?;
        let frame = Frame {
            timeouts: model.timeout,
            started: record.started,
            deadline: asking
                .headers
                .timeout
                .map(|length| record.started.plus(answer_within(length))),
            streamed: admitted.guarded.0.request.is_streamed(),
        };
        let course = Course::new(host, gate, asking.config, model, targets, frame);
        let (relay, out) = (Relay::new(false), Vec::new());
        let broken = None;
        Ok(Self { host, gate, admitted, asking, course, relay, out, broken })
    }

    /// The answer of the first target that gives one.
    pub(super) async fn answer(
        &mut self,
        record: &mut Record,
    ) -> Result<Answered<H::Stream>, Stop> {
        let first = self.course.first();
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
        let next = self.course.failed(outcome);
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
        let Streaming { target, pass, in_flight, .. } = streaming;
        drop(in_flight);
        course::report(self.host, self.gate, &target, pass, verdict, record);
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
        loop {
            let Turn { target, pass, limits } = self.course.turn(next, record).await?;
            match self.ask(&target, pass, limits, record).await {
                Ok(answered) => {
                    self.course.answered(&target, record);
                    return Ok(answered);
                }
                Err(Failure::CallerLeft) => return Err(Stop::CallerLeft),
                Err(Failure::Failed(outcome)) => {
                    next = self.course.after(&target, &outcome, record);
                }
            }
        }
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
        let in_flight = self.gate.pools.borrow_mut().enter(&target.id);
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
        self.judge(target, (pass, in_flight), began, given, result, record)
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
        (pass, in_flight): (Pass, InFlight),
        began: UnixMs,
        given: Tokens,
        result: Result<Opened<H::Stream>, Failure>,
        record: &mut Record,
    ) -> Result<Answered<H::Stream>, Failure> {
        let (host, gate) = (self.host, self.gate);
        let measure = || course::measure(host, gate, target, began);
        match result {
            Ok(Opened::Whole(whole)) => {
                measure();
                course::report(host, gate, target, pass, Verdict::Well, record);
                Ok(Answered::Whole(whole))
            }
            Ok(Opened::Stream(source)) => {
                measure();
                let pass = if pass.is_probe() {
                    course::report(host, gate, target, pass, Verdict::Well, record);
                    Pass::spent()
                } else {
                    pass
                };
                let target = target.clone();
                Ok(Answered::Stream(Streaming { target, source, pass, given, in_flight }))
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
                course::report(host, gate, target, pass, verdict, record);
                Err(failure)
            }
        }
    }
}

/// A caller that waits this long is told a little before, while it still listens.
fn answer_within(length: DurationMs) -> DurationMs {
    length.saturating_sub(DurationMs(500.min(length.0 / 10)))
}
