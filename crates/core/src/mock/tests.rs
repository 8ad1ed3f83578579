//! The mock from outside: every file of `fixtures/mock`, and what holds for all requests.

mod faults;
mod fixtures;
mod properties;

use serde_json::Value;

use super::{Ending, Outcome, Plan, plan};
use crate::{
    config::valid::MockPolicy,
    openai::Endpoint,
    units::{DurationMs, UnixMs},
};

const NOW: UnixMs = UnixMs(1_700_000_000_999);

/// The plan for the first call to a mock that requests may script.
fn scripted(endpoint: Endpoint, request: &Value, script: Option<&str>) -> Plan {
    let policy = MockPolicy {
        latency: DurationMs(5),
        chunk_interval: DurationMs(7),
        faults: vec![],
        scripted_by_header: true,
    };
    plan(endpoint, request.to_string().as_bytes(), &policy, 1, script, NOW)
}

/// The body of a reply with status 200.
#[track_caller]
fn whole(endpoint: Endpoint, request: &Value) -> Value {
    match scripted(endpoint, request, None).outcome {
        Outcome::Whole(reply) => {
            assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
            serde_json::from_slice(&reply.body).unwrap()
        }
        other => panic!("expected a whole reply, not {other:?}"),
    }
}

/// The chunks of a finished stream, without `[DONE]`.
#[track_caller]
fn streamed(endpoint: Endpoint, request: &Value) -> Vec<Value> {
    match scripted(endpoint, request, None).outcome {
        Outcome::Stream(stream) => {
            assert_eq!(stream.ending, Ending::Done);
            let mut events: Vec<_> = stream.chunks.iter().map(|chunk| event(chunk)).collect();
            assert_eq!(events.pop(), Some("[DONE]".to_owned()));
            events.iter().map(|event| serde_json::from_str(event).unwrap()).collect()
        }
        other => panic!("expected a stream, not {other:?}"),
    }
}

/// The data of an event.
#[track_caller]
fn event(chunk: &[u8]) -> String {
    let text = std::str::from_utf8(chunk).unwrap();
    let data = text.strip_prefix("data: ").and_then(|rest| rest.strip_suffix("\n\n")).unwrap();
    assert!(!data.contains(['\n', '\r']), "{data}");
    data.to_owned()
}
