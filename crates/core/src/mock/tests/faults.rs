//! Configured and scripted faults.

use serde_json::{Value, json};

use super::{Ending, NOW, Outcome, Plan, event, plan, scripted};
use crate::{
    config::valid::{MockEffect, MockFault, MockPolicy},
    openai::Endpoint,
};

fn hello(stream: bool) -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": "Hello"}], "stream": stream})
}

fn chat(policy: &MockPolicy, ordinal: u64, script: Option<&str>, stream: bool) -> Plan {
    let body = hello(stream).to_string();
    plan(Endpoint::ChatCompletions, body.as_bytes(), policy, ordinal, script, NOW)
}

fn failing(effect: MockEffect) -> MockPolicy {
    MockPolicy {
        faults: vec![MockFault { every: 2, times: None, effect }],
        scripted_by_header: true,
        ..MockPolicy::default()
    }
}

fn status(plan: &Plan) -> u16 {
    match &plan.outcome {
        Outcome::Whole(reply) => reply.status,
        other => panic!("expected a whole reply, not {other:?}"),
    }
}

fn scripted_stream(script: &str) -> (usize, Ending, bool) {
    let plan = scripted(Endpoint::ChatCompletions, &hello(true), Some(script));
    let Outcome::Stream(stream) = plan.outcome else { panic!("expected a stream") };
    let unfinished = stream.chunks.iter().all(|chunk| {
        let event = event(chunk);
        event != "[DONE]" && event.contains("\"finish_reason\":null")
    });
    (stream.chunks.len(), stream.ending, unfinished)
}

#[test]
fn a_configured_fault_plays_on_its_turn() {
    let policy = failing(MockEffect::Status { status: 503, retry_after: Some("1".to_owned()) });
    assert_eq!(
        [1, 2, 3, 4].map(|call| status(&chat(&policy, call, None, false))),
        [200, 503, 200, 503]
    );
    let Outcome::Whole(reply) = chat(&policy, 2, None, true).outcome else { panic!("not whole") };
    assert_eq!(reply.retry_after.as_deref(), Some("1"));
}

#[test]
fn a_scripted_fault_plays_instead_of_a_configured_one() {
    let policy = failing(MockEffect::Reset);
    assert_eq!(status(&chat(&policy, 2, Some("status=429"), false)), 429);
    assert_eq!(chat(&policy, 2, Some("latency-ms=1"), false).outcome, Outcome::Reset);
}

#[test]
fn a_script_is_not_heard_where_the_policy_forbids_it() {
    let deaf = MockPolicy { scripted_by_header: false, ..failing(MockEffect::Reset) };
    assert_eq!(status(&chat(&deaf, 1, Some("status=429"), false)), 200);
    assert_eq!(status(&chat(&deaf, 1, Some("no such word"), false)), 200);
}

#[test]
fn a_broken_stream_has_as_many_chunks_as_asked_and_never_the_finish() {
    assert_eq!(scripted_stream("cut-after=2"), (2, Ending::Cut, true));
    assert_eq!(scripted_stream("stall-after=1"), (1, Ending::Stall, true));
    assert_eq!(scripted_stream("cut-after=0"), (0, Ending::Cut, true));
    let (chunks, ending, unfinished) = scripted_stream("cut-after=1000");
    assert!(chunks > 5 && ending == Ending::Cut && unfinished);
}

#[test]
fn what_is_not_streamed_breaks_as_a_whole() {
    let outcome = |script| scripted(Endpoint::ChatCompletions, &hello(false), Some(script)).outcome;
    assert_eq!(outcome("cut-after=2"), Outcome::Reset);
    assert_eq!(outcome("stall-after=2"), Outcome::Silence);
    assert_eq!(outcome("silent"), Outcome::Silence);
    assert_eq!(outcome("reset"), Outcome::Reset);
}

#[test]
fn a_body_that_is_no_object_is_refused() {
    for body in ["", "[]", "{", "\u{0}"] {
        let policy = MockPolicy::default();
        for endpoint in Endpoint::ALL {
            assert_eq!(status(&plan(endpoint, body.as_bytes(), &policy, 1, None, NOW)), 400);
        }
    }
}
