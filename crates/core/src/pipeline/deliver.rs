//! Hands an answer to the caller: whole, streamed, or from the cache.

use super::{
    Gate, Stop,
    exchange::{Answer, AnswerBody, Part, ReadFailure},
    guards,
    head::Headers,
    host::Host,
    lookup::Flight,
    provider::{Answered, Streaming, Whole},
    stages::{Admitted, Guarded},
};
use crate::{
    cache::entry::{Body, Entry},
    config::valid::Timeouts,
    openai::{Delivery, Effective},
    price::Usage,
    record::Record,
    refusal::{Code, Refusal},
    route,
    stream::{Fault, Relay, replay, write_failure},
    units::{DurationMs, Tokens, UnixMs},
};

/// After every choice is complete, how long `[DONE]` and the usage are waited for.
const CLOSING_GRACE: DurationMs = DurationMs(1000);

/// Answers from the cache.
pub(super) async fn kept<H: Host>(
    host: &H,
    gate: &Gate,
    guarded: &Guarded,
    entry: &Entry,
    record: &mut Record,
) -> Result<(), Stop> {
    record.usage = entry.usage;
    record.status = 200;
    let model = &guarded.0.model;
    record.target = route::find(&gate.config(), model, &entry.target);
    let replayed;
    let body = match &entry.body {
        Body::Whole(bytes) => bytes.as_slice(),
        Body::Stream(recording) => {
            let broken = || Refusal::new(Code::Internal, "a cached stream could not be read");
            replayed = replay(recording, usage_asked(&guarded.0.request)).ok_or_else(broken)?;
            replayed.as_ref()
        }
    };
    // By the guards of now, which may not be those under which it was kept.
    let shown = match &entry.body {
        Body::Whole(_) => guards::whole(host, gate, guarded, body, record).await?,
        Body::Stream(_) => guards::kept_stream(gate, guarded, body, record)?,
    };
    let body = shown.as_deref().unwrap_or(body);
    let mut headers = head(gate, guarded, record, host.now(), &entry.content_type);
    headers.add("age", host.now().since(entry.stored_at).0 / 1000);
    record.bytes_out = length(body);
    host.answer(Answer { status: 200, headers: headers.as_str(), body: AnswerBody::Whole(body) });
    Ok(())
}

/// Answers with what a target has said, and returns what the cache may keep of it.
pub(super) async fn fresh<H: Host>(
    host: &H,
    gate: &Gate,
    admitted: &Admitted,
    answered: Answered<H::Stream>,
    flight: &Flight<'_>,
    record: &mut Record,
) -> Result<Option<Entry>, Stop> {
    match answered {
        Answered::Whole(whole) => send_whole(host, gate, admitted, whole, flight, record).await,
        Answered::Stream(stream) => send_stream(host, gate, admitted, stream, flight, record).await,
    }
}

async fn send_whole<H: Host>(
    host: &H,
    gate: &Gate,
    admitted: &Admitted,
    whole: Whole,
    flight: &Flight<'_>,
    record: &mut Record,
) -> Result<Option<Entry>, Stop> {
    let request = &admitted.guarded.0.request;
    let usage = whole.usage.unwrap_or_else(|| estimated(request, whole.content_bytes));
    record.usage = Some(usage);
    record.cost = whole.target.price.map(|price| price.cost(usage));
    let shown = guards::whole(host, gate, &admitted.guarded, &whole.body, record).await?;
    record.status = 200;
    record.bytes_out = length(shown.as_deref().unwrap_or(&whole.body));
    let mut headers = head(gate, &admitted.guarded, record, host.now(), "application/json");
    headers.add_cost(record.cost);
    let body = match &shown {
        Some(shown) => AnswerBody::Whole(shown),
        None if whole.held_by_host => AnswerBody::AsReceived,
        None => AnswerBody::Whole(&whole.body),
    };
    host.answer(Answer { status: 200, headers: headers.as_str(), body });
    Ok(flight.keeps().then(|| Entry {
        target: whole.target.id.clone(),
        content_type: "application/json".to_owned(),
        body: Body::Whole(whole.body),
        usage: Some(usage),
        stored_at: host.now(),
        ttl: flight.ttl(),
    }))
}

async fn send_stream<H: Host>(
    host: &H,
    gate: &Gate,
    admitted: &Admitted,
    stream: Streaming<H::Stream>,
    flight: &Flight<'_>,
    record: &mut Record,
) -> Result<Option<Entry>, Stop> {
    let Streaming { target, mut source, mut relay, mut out } = stream;
    record.status = 200;
    let headers =
        head(gate, &admitted.guarded, record, host.now(), "text/event-stream; charset=utf-8");
    host.answer(Answer { status: 200, headers: headers.as_str(), body: AnswerBody::Streamed });
    record.timings.first_token = Some(host.now().since(record.started));
    let timeouts = admitted.guarded.0.model.timeout;
    let mut veiled = guards::Veiled::new(&admitted.guarded);
    let mut end = Ok(());
    let mut stopped = false;
    while !relay.is_done() && end.is_ok() {
        if !out.is_empty() {
            if let Err(code) = veiled.pass(gate, &mut out) {
                (end, stopped) = (Err(Ending::Cut(code)), true);
                break;
            }
            record.bytes_out += length(&out);
            host.write(Part::More(&out));
            out.clear();
        }
        let wait = patience(&relay, timeouts, record.started, host.now());
        let asked = host.now();
        let next = source.next(host, wait).await;
        record.timings.upstream = record.timings.upstream.plus(host.now().since(asked));
        end = match next {
            Ok(Some(bytes)) => relay.push(&bytes, &mut out).map_err(Ending::from),
            Ok(None) => relay.end(&mut out).map_err(Ending::from),
            Err(ReadFailure::CallerLeft) => Err(Ending::CallerLeft),
            // A whole answer without its [DONE]: the provider merely keeps the line open.
            Err(_) if relay.summary().is_finished() => relay.end(&mut out).map_err(Ending::from),
            Err(ReadFailure::TimedOut) => Err(Ending::Cut(Code::UpstreamTimeout)),
            Err(ReadFailure::Failed) => Err(Ending::Cut(Code::StreamInterrupted)),
        };
    }
    // Calls the provider off where it has more to say.
    drop(source);
    let summary = relay.summary();
    let request = &admitted.guarded.0.request;
    let usage = summary.usage.unwrap_or_else(|| estimated(request, summary.content_bytes));
    record.usage = Some(usage);
    record.cost = target.price.map(|price| price.cost(usage));
    if !stopped && let Err(code) = veiled.pass(gate, &mut out) {
        end = Err(Ending::Cut(code));
    }
    veiled.close(gate, record);
    match end {
        Ok(()) => {}
        Err(Ending::CallerLeft) => return Err(Stop::CallerLeft),
        Err(Ending::Cut(code)) => {
            record.code = Some(code);
            write_failure(&mut out, &Refusal::new(code, code.facts().meaning));
        }
    }
    record.bytes_out += length(&out);
    host.write(Part::Last(&out));
    let kept = record.code.is_none() && flight.keeps();
    Ok(relay.into_recording().filter(|_| kept).map(|recording| Entry {
        target: target.id.clone(),
        content_type: "text/event-stream; charset=utf-8".to_owned(),
        body: Body::Stream(recording),
        usage: Some(usage),
        stored_at: host.now(),
        ttl: flight.ttl(),
    }))
}

/// How a stream ended before its time.
enum Ending {
    CallerLeft,
    Cut(Code),
}

impl From<Fault> for Ending {
    fn from(fault: Fault) -> Self {
        Self::Cut(match fault {
            Fault::Malformed | Fault::TooLong => Code::UpstreamInvalid,
            Fault::Reported(_) => Code::UpstreamError,
            Fault::Interrupted | Fault::Diverged => Code::StreamInterrupted,
        })
    }
}

/// How long the next piece may take.
fn patience(relay: &Relay, timeouts: Timeouts, started: UnixMs, now: UnixMs) -> DurationMs {
    let left = timeouts.total.saturating_sub(now.since(started));
    let idle = if relay.summary().is_finished() { CLOSING_GRACE } else { timeouts.idle };
    idle.min(left)
}

fn head(
    gate: &Gate,
    guarded: &Guarded,
    record: &Record,
    now: UnixMs,
    content_type: &str,
) -> Headers {
    let mut headers = Headers::new(record.id, content_type);
    if let Some(target) = &record.target {
        headers.add_answer(record.cache, target, record.attempts.len());
        headers.add_retirement(&guarded.0.model, target, now);
    }
    headers.add_guards(&record.guards);
    headers.add_standing(&gate.standing(&guarded.0.subject, now));
    headers
}

/// What a provider that reports no usage has probably used: four bytes a token.
pub(super) fn estimated(request: &Effective, content_bytes: u64) -> Usage {
    Usage {
        prompt: request.prompt_estimate(),
        completion: Tokens(content_bytes.div_ceil(4)),
        estimated: true,
        ..Usage::default()
    }
}

/// Whether the caller asked to see the usage of its stream.
pub(super) const fn usage_asked(request: &Effective) -> bool {
    match request.delivery() {
        Delivery::Stream { usage_asked } => usage_asked,
        Delivery::Whole => false,
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
