//! One request as spans: the request itself, and below it each call to a provider, those that guards
//! and classifiers made among them.

use serde_json::{Value, json};

use super::attributes::{Attributes, nanos, put};
use crate::{
    price::Usage,
    record::{Aside, Attempt, Record, TraceId},
    refusal::Code,
    units::{DurationMs, UnixMs},
};

/// Kinds of spans, as OTLP numbers them.
const SERVER: u8 = 2;
const CLIENT: u8 = 3;
/// The status of a span that failed.
const ERROR: u8 = 2;

/// Whether the trace of `record` is kept, where `share` (0 to 1) of all are: by the trace's own id, so
/// that everybody who keeps that share keeps the same ones. A caller who records a trace has its
/// part of it kept.
pub fn is_sampled(record: &Record, share: f64) -> bool {
    if share <= 0.0 {
        return false;
    }
    let by_caller = record.caller_span.is_some_and(|span| span.sampled);
    by_caller || fraction(trace_id(record)) < share
}

/// Whether the trace with these 32 hexadecimal digits is one of the `share` that are kept.
pub fn keeps(trace: &str, share: f64) -> bool {
    let id = u128::from_str_radix(trace, 16);
    share > 0.0 && id.is_ok_and(|id| fraction(id) < share)
}

/// The spans of a request, as OTLP's JSON has them.
pub(super) fn spans(record: &Record) -> Vec<Value> {
    let last = record.attempts.len().saturating_sub(1);
    let attempts = record.attempts.iter().enumerate();
    let calls = attempts.map(|(index, attempt)| call(record, index, attempt, index == last));
    let asides = (record.attempts.len()..).zip(&record.asides);
    let asides = asides.map(|(index, aside)| called_aside(record, index, aside));
    std::iter::once(request(record)).chain(calls).chain(asides).collect()
}

fn request(record: &Record) -> Value {
    let endpoint = record.endpoint.name();
    let model = record.model.as_deref().map_or("", |model| model.name.as_str());
    let attributes = Attributes::default()
        .text("http.request.method", "POST")
        .text("http.route", endpoint)
        .number("http.response.status_code", record.status.into())
        .text("gen_ai.operation.name", record.endpoint.operation().unwrap_or_default())
        .text("gen_ai.request.model", model)
        .text("error.type", record.code.map_or("", Code::name))
        .text("tollhouse.request_id", &record.id.to_string())
        .text("tollhouse.key", record.key.as_deref().map_or("", |key| &key.id))
        .text("tollhouse.variant", record.variant.as_deref().map_or("", |variant| &variant.id))
        .text("tollhouse.cache", record.cache.name())
        .flag("tollhouse.stream", record.streamed)
        .flag("tollhouse.fallback", record.fallback)
        .number("tollhouse.overhead_ms", record.timings.overhead().0);
    let attributes = match record.billed_cost() {
        Some(cost) => attributes.real("tollhouse.cost_usd", dollars(cost.0)),
        None => attributes,
    };
    let end = record.started.plus(record.timings.total);
    let mut span = span(record, 0, SERVER, &format!("POST {endpoint}"), (record.started, end));
    if let Some(caller) = record.caller_span {
        put(&mut span, "parentSpanId", json!(format!("{:016x}", caller.id)));
    }
    finish(span, attributes, record.code)
}

fn call(record: &Record, index: usize, attempt: &Attempt, is_last: bool) -> Value {
    let operation = record.endpoint.operation().unwrap_or("call");
    let attributes = Attributes::default().number("tollhouse.attempt", place(index));
    let answered = is_last && attempt.failure.is_none();
    let usage = attempt.usage.or_else(|| record.billed().filter(|_| answered));
    child(record, place(index), operation, attempt, (usage, attributes))
}

/// A call on the gateway's own account.
fn called_aside(record: &Record, index: usize, aside: &Aside) -> Value {
    let attributes = Attributes::default().text("tollhouse.aside", &aside.model.name);
    let usage = aside.attempt.usage;
    child(record, place(index), "chat", &aside.attempt, (usage, attributes))
}

fn child(
    record: &Record,
    place: u64,
    operation: &str,
    attempt: &Attempt,
    (usage, attributes): (Option<Usage>, Attributes),
) -> Value {
    let target = &attempt.target;
    let attributes = attributes
        .text("gen_ai.operation.name", operation)
        .text("gen_ai.provider.name", &target.provider.name)
        .text("gen_ai.request.model", &target.model)
        .text("error.type", attempt.failure.map_or("", Code::name));
    let attributes = match attempt.status {
        Some(status) => attributes.number("http.response.status_code", status.into()),
        None => attributes,
    };
    let attributes = match usage {
        Some(usage) => used(attributes, usage),
        None => attributes,
    };
    let name = format!("{operation} {}", target.model);
    let end = attempt.began.plus(attempt.took);
    let mut span = span(record, place, CLIENT, &name, (attempt.began, end));
    put(&mut span, "parentSpanId", json!(span_id(record, 0)));
    finish(span, attributes, attempt.failure)
}

/// Where a call's span stands: the request's own comes first.
fn place(index: usize) -> u64 {
    u64::try_from(index).unwrap_or(u64::MAX).saturating_add(1)
}

fn used(attributes: Attributes, usage: Usage) -> Attributes {
    attributes
        .number("gen_ai.usage.input_tokens", usage.prompt.0)
        .number("gen_ai.usage.output_tokens", usage.completion.0)
        .number("gen_ai.usage.cache_read.input_tokens", usage.cached.0)
}

fn span(
    record: &Record,
    place: u64,
    kind: u8,
    name: &str,
    (start, end): (UnixMs, UnixMs),
) -> Value {
    // A clock that stood still or stepped back leaves a span of no length, not of a negative one.
    let end = if end < start { start.plus(DurationMs(0)) } else { end };
    json!({
        "traceId": format!("{:032x}", trace_id(record)),
        "spanId": span_id(record, place),
        "name": name,
        "kind": kind,
        "startTimeUnixNano": nanos(start.0),
        "endTimeUnixNano": nanos(end.0),
    })
}

fn finish(mut span: Value, attributes: Attributes, failure: Option<Code>) -> Value {
    put(&mut span, "attributes", attributes.into_value());
    if let Some(code) = failure {
        put(&mut span, "status", json!({ "code": ERROR, "message": code.name() }));
    }
    span
}

/// The caller's trace, or one of the request's own.
fn trace_id(record: &Record) -> u128 {
    record.trace.map_or_else(|| record.id.bits().max(1), TraceId::bits)
}

/// Ids that differ within a request and between requests, as the request's id is random.
fn span_id(record: &Record, place: u64) -> String {
    /// 2⁶⁴ divided by the golden ratio: steps of it hit no number twice.
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let bits = record.id.bits();
    let (high, low) = (bits >> 64, bits & u128::from(u64::MAX));
    let seed = u64::try_from(high ^ low).unwrap_or_default();
    let id = seed.wrapping_add(STEP.wrapping_mul(place.wrapping_add(1)));
    format!("{:016x}", id.max(1))
}

/// The last 56 bits of a trace's id, which are random, as a fraction of all that they can be.
#[expect(
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "only compared with a share"
)]
fn fraction(trace_id: u128) -> f64 {
    const BITS: u128 = (1 << 56) - 1;
    (trace_id & BITS) as f64 / BITS as f64
}

#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "OTLP wants a double here")]
fn dollars(micro: u64) -> f64 {
    micro as f64 / 1_000_000.0
}
