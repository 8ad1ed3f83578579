use serde_json::{Value, json};

use super::{DataPoint, Spans, data_points, is_sampled, metrics};
use crate::{
    metrics::{Aggregate, Delta, IsolateId, Registry},
    record::{Aside, CallerSpan, Endpoint, Record, RequestId, sample},
    units::{DurationMs, UnixMs},
};

const NOON: UnixMs = UnixMs(1_795_348_800_000);

fn read(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn spans(record: &Record) -> Vec<Value> {
    let mut waiting = Spans::default();
    waiting.observe(record, 1.0);
    let batch = read(&waiting.batch(NOON).unwrap());
    batch["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone()
}

fn attribute(span: &Value, key: &str) -> Value {
    let attributes = span["attributes"].as_array().unwrap();
    let found = attributes.iter().find(|attribute| attribute["key"] == key);
    found.map_or(Value::Null, |attribute| attribute["value"].clone())
}

fn delta() -> Delta {
    let mut registry = Registry::new(IsolateId::new(1));
    registry.observe(&sample::full());
    registry.cut(NOON);
    Delta::decode(registry.pending().next().unwrap().1).unwrap()
}

#[test]
fn a_request_is_one_span_with_one_below_it_for_each_call() {
    let mut record = sample::full();
    record.caller_span = Some(CallerSpan { id: 0xb7ad_6b71_6920_3331, sampled: true });
    let spans = spans(&record);
    assert_eq!(spans.len(), 3);
    assert_eq!(spans[0]["parentSpanId"], "b7ad6b7169203331");
    assert_eq!(spans[0]["traceId"], "0af7651916cd43dd8448eb211c80319c");
    for call in &spans[1..] {
        assert_eq!(
            (&call["parentSpanId"], &call["traceId"]),
            (&spans[0]["spanId"], &spans[0]["traceId"])
        );
    }
    assert_ne!(spans[1]["spanId"], spans[2]["spanId"]);
    assert_eq!(spans[1]["name"], "chat gpt-4o-mini");
    assert_eq!(attribute(&spans[1], "gen_ai.operation.name"), json!({"stringValue": "chat"}));
    assert_eq!(attribute(&spans[1], "gen_ai.provider.name"), json!({"stringValue": "openai"}));
    assert_eq!(attribute(&spans[1], "http.response.status_code"), json!({"intValue": "503"}));
    assert_eq!(attribute(&spans[1], "error.type"), json!({"stringValue": "upstream_error"}));
    assert_eq!(spans[1]["status"]["code"], 2);
}

#[test]
fn what_a_guard_asked_is_a_span_too_of_the_model_that_was_asked() {
    let mut record = sample::full();
    let attempt = record.attempts[0].clone();
    record.asides.push(Aside { model: sample::model("judge"), attempt });
    let spans = spans(&record);
    let (last, ids) = (&spans[3], spans.iter().filter_map(|span| span["spanId"].as_str()));
    assert_eq!(attribute(last, "tollhouse.aside"), json!({"stringValue": "judge"}));
    assert_eq!(last["parentSpanId"], spans[0]["spanId"]);
    assert_eq!(ids.collect::<std::collections::BTreeSet<_>>().len(), 4);
}

#[test]
fn a_trace_without_a_caller_has_an_id_of_its_own() {
    let record = Record::new(RequestId::new(0), NOON, Endpoint::ChatCompletions);
    let spans = spans(&record);
    assert_ne!(spans[0]["traceId"], "00000000000000000000000000000000");
    assert_eq!(spans[0].get("parentSpanId"), None);
}

#[test]
fn a_share_of_traces_is_kept_and_those_that_callers_record() {
    let kept = |share| {
        let ids = (0..1000_u128).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
        ids.filter(|id| {
            is_sampled(&Record::new(RequestId::new(*id), NOON, Endpoint::ChatCompletions), share)
        })
        .count()
    };
    assert_eq!((kept(0.0), kept(1.0)), (0, 1000));
    assert!((150..350).contains(&kept(0.25)), "{}", kept(0.25));
    let mut record = Record::new(RequestId::new(u128::MAX), NOON, Endpoint::ChatCompletions);
    assert!(!is_sampled(&record, 0.01));
    record.caller_span = Some(CallerSpan { id: 1, sampled: true });
    assert!(is_sampled(&record, 0.01) && !is_sampled(&record, 0.0));
}

#[test]
fn spans_wait_until_they_are_taken_and_not_for_ever() {
    let mut waiting = Spans::default();
    waiting.observe(&sample::full(), 1.0);
    let first = waiting.batch(NOON).unwrap();
    waiting.refused(NOON);
    assert_eq!(waiting.batch(NOON), None, "it rests");
    let later = NOON.plus(waiting.due_in(NOON).unwrap());
    assert_eq!(waiting.batch(later), Some(first));
    waiting.taken();
    assert_eq!((waiting.due_in(later), waiting.batch(later)), (None, None));
    for _ in 0..5000 {
        waiting.observe(&sample::full(), 1.0);
    }
    assert_eq!(waiting.dropped(), 14_000);
    let batch = read(&waiting.batch(later).unwrap());
    assert_eq!(batch["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().len(), 200);
}

#[test]
fn sums_are_cumulative_and_in_base_units() {
    let mut aggregate = Aggregate::default();
    aggregate.merge(&delta(), NOON);
    let sent = read(&metrics(&aggregate, UnixMs(1), NOON.plus(DurationMs(1))));
    let all = sent["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].as_array().unwrap();
    let named = |name: &str| all.iter().find(|metric| metric["name"] == name).unwrap();
    let requests = named("tollhouse.requests");
    assert_eq!(requests["sum"]["aggregationTemporality"], 2);
    assert_eq!(requests["sum"]["isMonotonic"], true);
    assert_eq!(requests["sum"]["dataPoints"][0]["asInt"], "1");
    assert_eq!(requests["sum"]["dataPoints"][0]["startTimeUnixNano"], "1000000");
    let duration = named("gen_ai.client.operation.duration");
    assert_eq!(duration["unit"], "s");
    let point = &duration["histogram"]["dataPoints"][0];
    let (bounds, counts) = (&point["explicitBounds"], &point["bucketCounts"]);
    assert_eq!(bounds.as_array().unwrap().len() + 1, counts.as_array().unwrap().len());
    let keys: Vec<_> = point["attributes"].as_array().unwrap().iter().map(|a| &a["key"]).collect();
    assert!(keys.contains(&&json!("gen_ai.provider.name")), "{keys:?}");
    assert!(named("tollhouse.isolates")["gauge"]["dataPoints"][0]["asInt"] == "1");
}

#[test]
fn no_prompt_and_no_key_can_be_in_a_trace() {
    // A record has neither; what it has of the caller is the id of its key.
    let spans = spans(&sample::full());
    assert_eq!(attribute(&spans[0], "tollhouse.key"), json!({"stringValue": "team-a"}));
}

#[test]
fn usage_becomes_one_data_point_a_row() {
    let points: Vec<DataPoint> = data_points(&delta());
    assert_eq!(points.len(), 1);
    assert_eq!(points[0].index, "team-a");
    assert_eq!(points[0].blobs[..3], ["team-a", "fast", "gpu/llama-3-8b"]);
    assert!((points[0].doubles[0] - 1.0).abs() < f64::EPSILON);
}
