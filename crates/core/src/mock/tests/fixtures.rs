//! Every file of `fixtures/mock`: a request, perhaps its `tollhouse-mock` header, and what the
//! mock plans for it.

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::{Ending, Outcome, Plan, event, scripted};
use crate::openai::Endpoint;

#[test]
fn every_fixture_is_planned_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/mock");
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let fixture: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let endpoint = Endpoint::at(fixture["path"].as_str().unwrap()).unwrap();
        let plan = scripted(endpoint, &fixture["request"], fixture["script"].as_str());
        let planned = shown(&plan);
        assert_eq!(planned, fixture["plan"], "{}: {planned:#}", path.display());
    }
}

/// A plan as fixtures write it. Times are left out where they are the configured ones.
fn shown(plan: &Plan) -> Value {
    let mut shown = match &plan.outcome {
        Outcome::Reset => json!({"reset": true}),
        Outcome::Silence => json!({"silence": true}),
        Outcome::Whole(reply) => {
            let body: Value = serde_json::from_slice(&reply.body).unwrap();
            assert_eq!(reply.content_type, "application/json");
            json!({"status": reply.status, "retry-after": reply.retry_after, "body": body})
        }
        Outcome::Stream(stream) => {
            let chunks: Vec<_> = stream.chunks.iter().map(|chunk| data(chunk)).collect();
            let mut shown = json!({"chunks": chunks, "ending": name(stream.ending)});
            if stream.interval.0 != 7 {
                shown["chunk-interval-ms"] = json!(stream.interval.0);
            }
            shown
        }
    };
    if plan.latency.0 != 5 {
        shown["latency-ms"] = json!(plan.latency.0);
    }
    shown
}

fn data(chunk: &[u8]) -> Value {
    let event = event(chunk);
    serde_json::from_str(&event).unwrap_or(Value::String(event))
}

const fn name(ending: Ending) -> &'static str {
    match ending {
        Ending::Done => "done",
        Ending::Cut => "cut",
        Ending::Stall => "stall",
    }
}
