//! The one structured log line of a request: JSON, one line, times in milliseconds.
//!
//! It holds numbers, names from the configuration, our own ids and a W3C trace id. There is no prompt,
//! no completion, no key, no header and no name that the caller made up, because [`Record`] has none.

use std::fmt::Display;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::{
    Aside, Attempt, BreakerEvent, ColdStart, GuardDecision, LimitDecision, Placing, Record,
};
use crate::{
    placement::cascade::Why,
    price::Usage,
    refusal::Code,
    units::{MicroUsd, UnixMs},
};

/// The log line of `record`, without a line feed at its end.
pub fn log_line(record: &Record) -> String {
    // Line holds strings and numbers only, and its maps have literal names: this cannot fail, and if
    // it ever did, a line that says so is worth more than none.
    serde_json::to_string(&Line::of(record)).unwrap_or_else(|error| {
        format!(r#"{{"event":"request","request_id":"{}","unwritten":"{error:?}"}}"#, record.id)
    })
}

#[derive(Serialize)]
struct Line<'a> {
    event: &'static str,
    time: String,
    #[serde(serialize_with = "as_text")]
    request_id: &'a dyn Display,
    trace_id: Option<String>,
    endpoint: &'static str,
    stage: &'static str,
    key: Option<&'a str>,
    model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<&'a str>,
    target: Option<&'a str>,
    status: u16,
    code: Option<&'static str>,
    cache: &'static str,
    streamed: bool,
    fallback: bool,
    client_left: bool,
    retries: usize,
    attempts: Vec<AttemptLine<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    asides: Vec<AsideLine<'a>>,
    usage: Option<UsageLine>,
    cost_usd: Option<Box<RawValue>>,
    reserved_tokens: u64,
    settled_tokens: u64,
    total_ms: u64,
    upstream_ms: u64,
    backoff_ms: u64,
    overhead_ms: u64,
    first_token_ms: Option<u64>,
    bytes_in: u64,
    bytes_out: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    limits: Vec<LimitLine>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    guards: Vec<GuardLine<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    breakers: Vec<BreakerLine<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cold_starts: Vec<ColdStartLine<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    placements: Vec<PlacingLine<'a>>,
}

#[derive(Serialize)]
struct AttemptLine<'a> {
    target: &'a str,
    status: Option<u16>,
    code: Option<&'static str>,
    ms: u64,
    first_chunk_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<UsageLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_usd: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct AsideLine<'a> {
    model: &'a str,
    #[serde(flatten)]
    attempt: AttemptLine<'a>,
}

#[derive(Serialize)]
struct UsageLine {
    prompt: u64,
    cached: u64,
    cache_write: u64,
    completion: u64,
    reasoning: u64,
    estimated: bool,
}

#[derive(Serialize)]
struct LimitLine {
    scope: &'static str,
    resource: &'static str,
    verdict: &'static str,
}

#[derive(Serialize)]
struct GuardLine<'a> {
    guard: &'a str,
    stage: &'static str,
    label: &'a str,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<EvidenceLine<'a>>,
}

/// Scores in millionths.
#[derive(Serialize)]
struct EvidenceLine<'a> {
    model: &'a str,
    calibration: &'a str,
    score: u32,
    threshold: u32,
}

#[derive(Serialize)]
struct BreakerLine<'a> {
    target: &'a str,
    state: &'static str,
}

#[derive(Serialize)]
struct ColdStartLine<'a> {
    provider: &'a str,
    ms: u64,
    result: &'static str,
}

#[derive(Serialize)]
struct PlacingLine<'a> {
    classifier: &'a str,
    place: &'static str,
    reason: Option<&'static str>,
    texts: u64,
    saved: u64,
}

impl<'a> Line<'a> {
    fn of(record: &'a Record) -> Self {
        Self {
            event: "request",
            time: rfc3339(record.started),
            request_id: &record.id,
            trace_id: record.trace.map(|trace| trace.to_string()),
            endpoint: record.endpoint.name(),
            stage: record.stage.name(),
            key: record.key.as_deref().map(|key| key.id.as_str()),
            model: record.model.as_deref().map(|model| model.name.as_str()),
            variant: record.variant.as_deref().map(|variant| variant.id.as_str()),
            target: record.target.as_deref().map(|target| target.id.as_str()),
            status: record.status,
            code: record.code.map(Code::name),
            cache: record.cache.name(),
            streamed: record.streamed,
            fallback: record.fallback,
            client_left: record.client_left,
            retries: record.retries(),
            attempts: record.attempts.iter().map(AttemptLine::of).collect(),
            asides: record.asides.iter().map(AsideLine::of).collect(),
            usage: record.billed().map(UsageLine::of),
            cost_usd: record.billed_cost().and_then(json_dollars),
            reserved_tokens: record.reserved.0,
            settled_tokens: record.settled.0,
            total_ms: record.timings.total.0,
            upstream_ms: record.timings.upstream.0,
            backoff_ms: record.timings.backoff.0,
            overhead_ms: record.timings.overhead().0,
            first_token_ms: record.timings.first_token.map(|length| length.0),
            bytes_in: record.bytes_in,
            bytes_out: record.bytes_out,
            limits: record.limits.iter().copied().map(LimitLine::of).collect(),
            guards: record.guards.iter().map(GuardLine::of).collect(),
            breakers: record.breaker_events.iter().map(BreakerLine::of).collect(),
            cold_starts: record.cold_starts.iter().map(ColdStartLine::of).collect(),
            placements: record.placements.iter().map(PlacingLine::of).collect(),
        }
    }
}

impl<'a> AttemptLine<'a> {
    fn of(attempt: &'a Attempt) -> Self {
        Self {
            target: &attempt.target.id,
            status: attempt.status,
            code: attempt.failure.map(Code::name),
            ms: attempt.took.0,
            first_chunk_ms: attempt.first_chunk.map(|length| length.0),
            usage: attempt.usage.map(UsageLine::of),
            cost_usd: attempt.cost.and_then(json_dollars),
        }
    }
}

impl<'a> AsideLine<'a> {
    fn of(aside: &'a Aside) -> Self {
        Self { model: &aside.model.name, attempt: AttemptLine::of(&aside.attempt) }
    }
}

impl UsageLine {
    fn of(usage: Usage) -> Self {
        Self {
            prompt: usage.prompt.0,
            cached: usage.cached.0,
            cache_write: usage.cache_write.0,
            completion: usage.completion.0,
            reasoning: usage.reasoning.0,
            estimated: usage.estimated,
        }
    }
}

impl LimitLine {
    fn of(decision: LimitDecision) -> Self {
        Self {
            scope: decision.scope.name(),
            resource: decision.resource.name(),
            verdict: decision.verdict.name(),
        }
    }
}

impl<'a> GuardLine<'a> {
    fn of(decision: &'a GuardDecision) -> Self {
        Self {
            guard: &decision.guard,
            stage: decision.stage.name(),
            label: &decision.label,
            action: decision.action.name(),
            evidence: decision.evidence.as_ref().map(|evidence| EvidenceLine {
                model: &evidence.model,
                calibration: &evidence.calibration,
                score: evidence.score,
                threshold: evidence.threshold,
            }),
        }
    }
}

impl<'a> BreakerLine<'a> {
    fn of(event: &'a BreakerEvent) -> Self {
        Self { target: &event.target.id, state: event.state.name() }
    }
}

impl<'a> ColdStartLine<'a> {
    fn of(start: &'a ColdStart) -> Self {
        Self { provider: &start.target.provider.name, ms: start.waited.0, result: start.result() }
    }
}

impl<'a> PlacingLine<'a> {
    fn of(placing: &'a Placing) -> Self {
        Self {
            classifier: &placing.classifier,
            place: placing.place.name(),
            reason: placing.why.map(Why::name),
            texts: placing.texts,
            saved: placing.saved,
        }
    }
}

/// Dollars as a JSON number with six decimals; no floating point touches money.
pub(crate) fn json_dollars(cost: MicroUsd) -> Option<Box<RawValue>> {
    RawValue::from_string(cost.to_string()).ok()
}

fn as_text<S: Serializer>(value: &dyn Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// `2026-11-22T22:51:07.042Z`; after the year 9999, which RFC 3339 cannot write, the bare number.
pub(crate) fn rfc3339(moment: UnixMs) -> String {
    let nanos = i128::from(moment.0) * 1_000_000;
    let Ok(time) = time::OffsetDateTime::from_unix_timestamp_nanos(nanos) else {
        return moment.0.to_string();
    };
    let (hour, minute, second, millis) = time.to_hms_milli();
    format!("{}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z", time.date())
}
