//! Hands an answer to the caller: whole, streamed, or from the cache.

use super::{
    Gate, Stop,
    attempt::{Answered, Asking, Trials},
    exchange::{Answer, AnswerBody},
    guards,
    head::Headers,
    host::Host,
    lookup::Flight,
    provider::Whole,
    stages::{Admitted, Guarded},
    stream,
};
use crate::{
    cache::entry::{Body, Entry},
    openai::{Delivery, Effective},
    price::Usage,
    record::Record,
    refusal::{Code, Refusal},
    route,
    stream::{Tally, replay},
    units::{Tokens, UnixMs},
};

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

/// Asks the model's targets, answers with what one of them says, and returns what the cache may keep
/// of it.
pub(super) async fn fresh<H: Host>(
    host: &H,
    gate: &Gate,
    admitted: &Admitted,
    asking: &Asking<'_>,
    flight: &Flight<'_>,
    record: &mut Record,
) -> Result<Option<Entry>, Stop> {
    let mut trials = Trials::new(host, gate, admitted, asking, record)?;
    match trials.answer(record).await? {
        Answered::Whole(whole) => send_whole(host, gate, admitted, whole, flight, record).await,
        Answered::Stream(stream) => {
            let headers = head(
                gate,
                &admitted.guarded,
                record,
                host.now(),
                "text/event-stream; charset=utf-8",
            );
            record.status = 200;
            let body = AnswerBody::Streamed;
            host.answer(Answer { status: 200, headers: headers.as_str(), body });
            record.timings.first_token = Some(host.now().since(record.started));
            let target = stream.target.clone();
            stream::send(host, gate, &admitted.guarded, &mut trials, stream, record).await?;
            let kept = record.code.is_none() && flight.keeps();
            Ok(trials.relay.into_recording().filter(|_| kept).map(|recording| Entry {
                target: target.id.clone(),
                content_type: "text/event-stream; charset=utf-8".to_owned(),
                body: Body::Stream(recording),
                usage: record.usage,
                stored_at: host.now(),
                ttl: flight.ttl(),
            }))
        }
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
    let usage =
        whole.usage.unwrap_or_else(|| estimated(request, Tally::of_reply(&whole.body).tokens()));
    record.bill(usage);
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
    headers.add_variant(record.variant.as_deref());
    headers.add_guards(&record.guards);
    headers.add_placements(&record.placements);
    headers.add_standing(&gate.standing(&guarded.0.subject, now));
    headers
}

/// What a provider that reports no usage has used, as a tokenizer counts it.
pub(super) fn estimated(request: &Effective, completion: Tokens) -> Usage {
    Usage { prompt: request.prompt_tokens(), completion, estimated: true, ..Usage::default() }
}

/// Whether the caller asked to see the usage of its stream.
pub(super) const fn usage_asked(request: &Effective) -> bool {
    match request.delivery() {
        Delivery::Stream { usage_asked } => usage_asked,
        Delivery::Whole => false,
    }
}

pub(super) fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
