//! A streamed answer on its way to the caller, from one target or from several in turn.
//!
//! Where the stream breaks, another target goes on if the model allows it and the text sent so far can
//! be gone on from; otherwise it ends with an error event. While nothing comes, the caller is told
//! that the answer is still under way.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use super::{
    Stop,
    attempt::{Answered, Streaming, Trials},
    deliver::length,
    exchange::{Part, ReadFailure},
    host::{CallerLeft, Host},
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
    timeouts: Timeouts,
    trials: &mut Trials<'_, H>,
    mut stream: Streaming<H::Stream>,
    record: &mut Record,
) -> Result<(), Stop> {
    let mut cause = None;
    loop {
        let end = flow(host, timeouts, trials, &mut stream, record).await;
        let used = trials.used(stream.given_bytes);
        record.bill(used);
        let broken = match end {
            Ok(()) => {
                trials.ended(stream, Verdict::Well, record);
                break;
            }
            Err(Ending::CallerLeft) => {
                trials.ended(stream, Verdict::Unknown, record);
                return Err(Stop::CallerLeft);
            }
            Err(Ending::Broken(broken)) => broken,
        };
        trials.ended(stream, broken.outcome.verdict(), record);
        if let Some(attempt) = record.attempts.last_mut() {
            attempt.failure = Some(broken.code);
        }
        let cause = *cause.get_or_insert(broken.code);
        pass_on(host, &mut trials.out, record);
        if !trials.can_go_on() {
            fail(trials, cause, record);
            break;
        }
        let next = trials.go_on(&broken.outcome, used, record);
        stream = match kept_alive(host, next).await {
            Ok(Answered::Stream(stream)) => stream,
            Err(Stop::CallerLeft) => return Err(Stop::CallerLeft),
            Ok(Answered::Whole(_)) | Err(Stop::Refused(_)) => {
                fail(trials, cause, record);
                break;
            }
        };
    }
    record.bytes_out += length(&trials.out);
    host.write(Part::Last(&trials.out));
    Ok(())
}

/// Passes on what one target sends, until the answer is whole.
async fn flow<H: Host>(
    host: &H,
    timeouts: Timeouts,
    trials: &mut Trials<'_, H>,
    stream: &mut Streaming<H::Stream>,
    record: &mut Record,
) -> Result<(), Ending> {
    while !trials.relay.is_done() {
        pass_on(host, &mut trials.out, record);
        let asked = host.now();
        let next = next_piece(host, timeouts, &trials.relay, stream, record).await;
        record.timings.upstream = record.timings.upstream.plus(host.now().since(asked));
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

/// Sends what there is for the caller.
fn pass_on<H: Host>(host: &H, out: &mut Vec<u8>, record: &mut Record) {
    if !out.is_empty() {
        record.bytes_out += length(out);
        host.write(Part::More(out));
        out.clear();
    }
}

/// The provider's next bytes; while none come, the caller is kept listening.
async fn next_piece<H: Host>(
    host: &H,
    timeouts: Timeouts,
    relay: &Relay,
    stream: &mut Streaming<H::Stream>,
    record: &Record,
) -> Result<Option<Vec<u8>>, ReadFailure> {
    let began = host.now();
    let until = began.plus(patience(relay, timeouts, record.started, began));
    loop {
        let left = until.since(host.now());
        match stream.source.next(host, left.min(KEEP_ALIVE_AFTER)).await {
            Err(ReadFailure::TimedOut) if host.now() < until => host.write(Part::More(KEEP_ALIVE)),
            next => return next,
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

/// Ends the stream with an error event.
fn fail<H: Host>(trials: &mut Trials<'_, H>, code: Code, record: &mut Record) {
    record.code = Some(code);
    write_failure(&mut trials.out, &Refusal::new(code, code.facts().meaning));
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
