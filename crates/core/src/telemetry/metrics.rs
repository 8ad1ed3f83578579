//! The sums of all isolates as OTLP metrics: cumulative, since the ledger began.

use serde_json::{Value, json};

use super::attributes::{Attributes, nanos, put, resource, scope};
use crate::{
    metrics::{Aggregate, Family, Kind, Unit},
    units::UnixMs,
};

/// Cumulative, as OTLP numbers temporalities.
const CUMULATIVE: u8 = 2;

/// Everything that `aggregate` holds at `now`, as the body of a POST to `/v1/metrics`.
pub fn metrics(aggregate: &Aggregate, began: UnixMs, now: UnixMs) -> Vec<u8> {
    let times = json!({ "startTimeUnixNano": nanos(began.0), "timeUnixNano": nanos(now.0) });
    let metrics: Vec<_> = Family::ALL
        .into_iter()
        .filter_map(|family| metric(aggregate, family, &times, now))
        .collect();
    let request = json!({ "resourceMetrics": [{
        "resource": resource(),
        "scopeMetrics": [{ "scope": scope(), "metrics": metrics }],
    }]});
    request.to_string().into_bytes()
}

/// A family with its series; `None` without any.
fn metric(aggregate: &Aggregate, family: Family, times: &Value, now: UnixMs) -> Option<Value> {
    let facts = family.facts();
    let (kind, points) = match facts.kind {
        Kind::Counter => {
            let rows = aggregate
                .counters(family)
                .map(|(labels, count)| number(point(family, &labels, times), facts.unit, count));
            ("sum", rows.collect::<Vec<_>>())
        }
        Kind::Gauge => {
            let rows = aggregate.states(family, now).into_iter().map(|(labels, count)| {
                let labels: Vec<_> = labels.iter().map(String::as_str).collect();
                number(point(family, &labels, times), facts.unit, count)
            });
            ("gauge", rows.collect())
        }
        Kind::Histogram(boundaries) => {
            let rows = aggregate.sums(family).map(|(labels, sum, counts)| {
                histogram(point(family, &labels, times), facts.unit, boundaries, sum, &counts)
            });
            ("histogram", rows.collect())
        }
    };
    if points.is_empty() {
        return None;
    }
    let mut data = json!({ "dataPoints": points });
    if kind != "gauge" {
        put(&mut data, "aggregationTemporality", json!(CUMULATIVE));
    }
    if kind == "sum" {
        put(&mut data, "isMonotonic", json!(true));
    }
    let mut metric = json!({ "name": name(family), "description": facts.help, "unit": unit(family, facts.unit) });
    put(&mut metric, kind, data);
    Some(metric)
}

fn point(family: Family, labels: &[&str], times: &Value) -> Value {
    let pairs = family.facts().labels.iter().zip(labels);
    let attributes =
        pairs.fold(Attributes::default(), |all, (label, value)| all.text(attribute(label), value));
    let mut point = times.clone();
    put(&mut point, "attributes", attributes.into_value());
    point
}

fn number(mut point: Value, unit: Unit, count: u64) -> Value {
    match unit {
        Unit::None | Unit::Bytes => put(&mut point, "asInt", json!(count.to_string())),
        Unit::Seconds | Unit::Usd => put(&mut point, "asDouble", json!(in_unit(unit, count))),
    }
    point
}

fn histogram(mut point: Value, unit: Unit, boundaries: &[u64], sum: u64, counts: &[u64]) -> Value {
    let total = counts.iter().fold(0_u64, |total, count| total.saturating_add(*count));
    let ends: Vec<_> = boundaries.iter().map(|end| in_unit(unit, *end)).collect();
    let counts: Vec<_> = counts.iter().map(u64::to_string).collect();
    put(&mut point, "count", json!(total.to_string()));
    put(&mut point, "sum", json!(in_unit(unit, sum)));
    put(&mut point, "explicitBounds", json!(ends));
    put(&mut point, "bucketCounts", json!(counts));
    point
}

/// A counted integer in the unit that is told.
#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "OTLP wants a double here")]
fn in_unit(unit: Unit, counted: u64) -> f64 {
    let counted = counted as f64;
    match unit {
        Unit::None | Unit::Bytes => counted,
        Unit::Seconds => counted / 1000.0,
        Unit::Usd => counted / 1_000_000.0,
    }
}

/// Families that OpenTelemetry has a name for.
const STANDARD: [(Family, &str); 3] = [
    (Family::GenAiDuration, "gen_ai.client.operation.duration"),
    (Family::GenAiFirstChunk, "gen_ai.client.operation.time_to_first_chunk"),
    (Family::GenAiTokens, "gen_ai.client.token.usage"),
];

/// OpenTelemetry's own names where it has them; elsewhere ours, without Prometheus' suffixes.
fn name(family: Family) -> String {
    if let Some((_, name)) = STANDARD.iter().find(|(standard, _)| *standard == family) {
        return (*name).to_owned();
    }
    let name = family.facts().name;
    let name = name.strip_suffix("_total").unwrap_or(name);
    let suffixes = ["_seconds", "_usd", "_bytes"];
    let name = suffixes.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
    name.replacen('_', ".", 1)
}

fn unit(family: Family, unit: Unit) -> &'static str {
    match (family, unit) {
        (Family::GenAiTokens, _) => "{token}",
        (_, Unit::None) => "1",
        (_, Unit::Seconds) => "s",
        (_, Unit::Bytes) => "By",
        (_, Unit::Usd) => "USD",
    }
}

fn attribute(label: &str) -> &str {
    match label {
        "gen_ai_operation_name" => "gen_ai.operation.name",
        "gen_ai_provider_name" => "gen_ai.provider.name",
        "gen_ai_request_model" => "gen_ai.request.model",
        "gen_ai_response_model" => "gen_ai.response.model",
        "gen_ai_token_type" => "gen_ai.token.type",
        "error_type" => "error.type",
        other => other,
    }
}
