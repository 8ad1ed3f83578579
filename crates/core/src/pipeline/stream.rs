//! A streamed answer on its way to the caller, from one target or from several in turn.
//!
//! Where the stream breaks, another target goes on if the model allows it and the text sent so far can
//! be gone on from; otherwise it ends with an error event. While nothing comes, the caller is told
//! that the answer is still under way. All of it passes the guards that read answers.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use super::{
    Gate, Stop,
    attempt::{Answered, Streaming, Trials},
    deliver::length,
    exchange::{Part, ReadFailure},
    guards::Veiled,
    host::{CallerLeft, Host},
    stages::Guarded,
};
use crate::{
    breaker::Verdict,
    config::valid::Timeouts,
    openai::upstream::UpstreamFailure,
    record::Record,
    refusal::{Code, Refusal},
    retry::Outcome,
    stream::{Fault, KEEP_ALIVE, Relay, write_failure},
    units::{DurationMs, UnixMs},
};

/// After every choice is complete, how long `[DONE]` and the usage are waited for.
const CLOSING_GRACE: DurationMs = DurationMs(1000);

/// How long nothing is said to a caller whose answer is under way. Proxies close connections that
/// were silent for a minute, some for 30 seconds.
const KEEP_ALIVE_AFTER: DurationMs = DurationMs(10_000);

/// How a stream ended before its time.
enum Ending {
    CallerLeft,
    /// A guard does not let the answer go on.
    Blocked(Code),
    Broken(Broken),
}

/// Why a stream broke.
struct Broken {
    /// What the caller is told if nobody goes on.
    code: Code,
    /// What it says of the target.
    outcome: Outcome,
}

/// Sends a stream that has begun, to its end.
pub(super) async fn send<H: Host>(
    host: &H,
    gate: &Gate,
    guarded: &Guarded,
    trials: &mut Trials<'_, H>,
    stream: Streaming<H::Stream>,
    record: &mut Record,
) -> Result<(), Stop> {
    let (timeouts, veiled) = (guarded.0.model.timeout, Veiled::new(guarded));
    let mut passage = Passage { host, gate, timeouts, veiled };
    let mut end = passage.send(trials, stream, record).await;
    let mut out = std::mem::take(&mut trials.out);
    if !matches!(end, Err(Ending::Blocked(_))) {
        end = passage.veil(&mut out).and(end);
    }
    passage.veiled.close(gate, record);
    match end {
        Ok(()) => {}
        Err(Ending::CallerLeft) => return Err(Stop::CallerLeft),
        Err(Ending::Blocked(code) | Ending::Broken(Broken { code, .. })) => {
            record.code = Some(code);
            write_failure(&mut out, &Refusal::new(code, code.facts().meaning));
        }
    }
    record.bytes_out += length(&out);
    host.write(Part::Last(&out));
    Ok(())
}

/// The way to the caller.
struct Passage<'a, H> {
    host: &'a H,
    gate: &'a Gate,
    timeouts: Timeouts,
    /// Hides what guards hide.
    veiled: Veiled,
}

impl<H: Host> Passage<'_, H> {
    /// Sends an answer, by as many targets as it takes; what is left for the caller stays in `out`.
    async fn send(
        &mut self,
        trials: &mut Trials<'_, H>,
        mut stream: Streaming<H::Stream>,
        record: &mut Record,
    ) -> Result<(), Ending> {
        let mut cause = None;
        loop {
            let end = self.flow(trials, &mut stream, record).await;
            let used = trials.used(stream.given);
            record.bill(used);
            record.lasted(self.host.now());
            let broken = match end {
                Ok(()) => {
                    trials.ended(stream, Verdict::Well, record);
                    return Ok(());
                }
                Err(Ending::Broken(broken)) => broken,
                Err(end) => {
                    trials.ended(stream, Verdict::Unknown, record);
                    return Err(end);
                }
            };
            trials.ended(stream, broken.outcome.verdict(), record);
            if let Some(attempt) = record.attempts.last_mut() {
                attempt.failure = Some(broken.code);
            }
            // Named is what broke the answer, and not why nobody could go on with it.
            let code = *cause.get_or_insert(broken.code);
            let failed = Err(Ending::broken(code, broken.outcome.clone()));
            if !trials.can_go_on() {
                return failed;
            }
            self.pass_on(&mut trials.out, record)?;
            let next = trials.go_on(&broken.outcome, used, record);
            stream = match kept_alive(self.host, next).await {
                Ok(Answered::Stream(stream)) => stream,
                Err(Stop::CallerLeft) => return Err(Ending::CallerLeft),
                Ok(Answered::Whole(_)) | Err(Stop::Refused(_)) => return failed,
            };
        }
    }

    /// Passes on what one target sends, until the answer is whole.
    async fn flow(
        &mut self,
        trials: &mut Trials<'_, H>,
        stream: &mut Streaming<H::Stream>,
        record: &mut Record,
    ) -> Result<(), Ending> {
        while !trials.relay.is_done() {
            self.pass_on(&mut trials.out, record)?;
            let asked = self.host.now();
            let next = self.next_piece(&trials.relay, stream, record).await;
            let took = self.host.now().since(asked);
            record.timings.upstream = record.timings.upstream.plus(took);
            let (relay, out) = (&mut trials.relay, &mut trials.out);
            let is_finished = relay.summary().is_finished();
            match next {
                Ok(Some(bytes)) => relay.push(&bytes, out)?,
                Ok(None) => relay.end(out)?,
                Err(ReadFailure::CallerLeft) => return Err(Ending::CallerLeft),
                // A whole answer without its [DONE]: the provider merely keeps the line open.
                Err(_) if is_finished => relay.end(out)?,
                Err(ReadFailure::TimedOut) => {
                    return Err(Ending::broken(Code::UpstreamTimeout, Outcome::Silent));
                }
                Err(ReadFailure::Failed) => {
                    return Err(Ending::broken(Code::StreamInterrupted, Outcome::Unreachable));
                }
            }
        }
        Ok(())
    }

    /// Sends what there is for the caller, through the guards.
    fn pass_on(&mut self, out: &mut Vec<u8>, record: &mut Record) -> Result<(), Ending> {
        if out.is_empty() {
            return Ok(());
        }
        self.veil(out)?;
        if !out.is_empty() {
            record.bytes_out += length(out);
            self.host.write(Part::More(out));
            out.clear();
        }
        Ok(())
    }

    fn veil(&mut self, out: &mut Vec<u8>) -> Result<(), Ending> {
        if self.veiled.is_idle() {
            return Ok(());
        }
        self.veiled.pass(self.gate, out).map_err(Ending::Blocked)
    }

    /// The provider's next bytes; while none come, the caller is kept listening.
    async fn next_piece(
        &self,
        relay: &Relay,
        stream: &mut Streaming<H::Stream>,
        record: &Record,
    ) -> Result<Option<Vec<u8>>, ReadFailure> {
        let began = self.host.now();
        let until = began.plus(patience(relay, self.timeouts, record.started, began));
        loop {
            let left = until.since(self.host.now());
            match stream.source.next(self.host, left.min(KEEP_ALIVE_AFTER)).await {
                Err(ReadFailure::TimedOut) if self.host.now() < until => {
                    self.host.write(Part::More(KEEP_ALIVE));
                }
                next => return next,
            }
        }
    }
}

/// How long the next piece may take.
fn patience(relay: &Relay, timeouts: Timeouts, started: UnixMs, now: UnixMs) -> DurationMs {
    let left = timeouts.total.saturating_sub(now.since(started));
    let idle = if relay.summary().is_finished() { CLOSING_GRACE } else { timeouts.idle };
    idle.min(left)
}

/// Waits for `future`, and keeps the caller listening meanwhile.
async fn kept_alive<H: Host, T>(
    host: &H,
    future: impl Future<Output = Result<T, Stop>>,
) -> Result<T, Stop> {
    let mut future = pin!(future);
    loop {
        let mut timer = pin!(host.sleep(KEEP_ALIVE_AFTER));
        let first = poll_fn(|context| {
            if let Poll::Ready(value) = future.as_mut().poll(context) {
                return Poll::Ready(Some(value));
            }
            timer.as_mut().poll(context).map(|slept| match slept {
                Ok(()) => None,
                Err(CallerLeft) => Some(Err(Stop::CallerLeft)),
            })
        });
        match first.await {
            Some(value) => return value,
            None => host.write(Part::More(KEEP_ALIVE)),
        }
    }
}

impl Ending {
    const fn broken(code: Code, outcome: Outcome) -> Self {
        Self::Broken(Broken { code, outcome })
    }
}

impl From<Fault> for Ending {
    fn from(fault: Fault) -> Self {
        let invalid = |fault: &Fault| Outcome::Invalid(fault.to_string());
        match &fault {
            Fault::Malformed | Fault::TooLong => {
                Self::broken(Code::UpstreamInvalid, invalid(&fault))
            }
            Fault::Reported(_) => Self::broken(Code::UpstreamError, reported()),
            Fault::Interrupted => Self::broken(Code::StreamInterrupted, Outcome::Unreachable),
            Fault::Diverged => Self::broken(Code::StreamInterrupted, invalid(&fault)),
        }
    }
}

/// An error that a provider reports in the midst of its answer: it has failed, whatever it says.
fn reported() -> Outcome {
    Outcome::Refused(UpstreamFailure {
        status: 502,
        code: Code::UpstreamError,
        message: Code::UpstreamError.facts().meaning.to_owned(),
        retry_after: None,
        quota_exhausted: false,
    })
}
