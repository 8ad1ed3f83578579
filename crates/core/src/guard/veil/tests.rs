use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::config::valid::{Guard, GuardKind, GuardStages, OnError, OnFinding};

fn watch(on_finding: OnFinding) -> Watch {
    let guard = Guard {
        name: "secrets".into(),
        kind: GuardKind::Shapes(Shapes::ALL),
        stages: GuardStages::Output,
        on_finding,
        on_error: OnError::Closed,
    };
    Watch::of([&Arc::new(guard)])
}

fn event(choice: &serde_json::Value) -> String {
    format!("data: {}\n\n", json!({ "id": "x", "model": "m", "choices": [choice] }))
}

/// A stream in which `text` comes in pieces of `size` characters, as content and as arguments.
fn stream(text: &str, size: usize) -> String {
    let characters: Vec<char> = text.chars().collect();
    let arguments = json!({ "say": text }).to_string().chars().collect::<Vec<_>>();
    let mut events = String::new();
    for piece in characters.chunks(size) {
        let piece = String::from_iter(piece);
        events += &event(
            &json!({ "index": 0, "delta": { "content": piece }, "logprobs": { "content": [{ "token": piece }] } }),
        );
        events += &event(
            &json!({ "index": 1, "delta": { "reasoning_content": piece, "role": "assistant" } }),
        );
    }
    for piece in arguments.chunks(size) {
        let call =
            json!({ "index": 3, "id": "c", "function": { "arguments": String::from_iter(piece) } });
        events += &event(&json!({ "index": 0, "delta": { "tool_calls": [call] } }));
    }
    events += &event(&json!({ "index": 0, "delta": {}, "finish_reason": "tool_calls" }));
    events += &event(&json!({ "index": 1, "delta": { "content": null }, "finish_reason": "stop" }));
    events
        + ": keep-alive\n\ndata: {\"choices\":[],\"usage\":{\"total_tokens\":7}}\n\ndata: [DONE]\n\n"
}

/// What a client puts together: content of the first choice, reasoning of the second, arguments.
fn heard(out: &[u8]) -> [String; 3] {
    let mut texts = [const { String::new() }; 3];
    let mut done = [false; 2];
    for data in
        std::str::from_utf8(out).unwrap().split("\n\n").filter_map(|e| e.strip_prefix("data: "))
    {
        if data == "[DONE]" {
            continue;
        }
        let chunk: serde_json::Value = serde_json::from_str(data).expect(data);
        for choice in chunk["choices"].as_array().unwrap() {
            let index = usize::try_from(choice["index"].as_u64().unwrap()).unwrap();
            assert!(!done[index], "nothing follows a finish: {data}");
            assert!(choice["logprobs"].is_null(), "{data}");
            let delta = &choice["delta"];
            texts[0] += delta["content"].as_str().unwrap_or_default();
            texts[1] += delta["reasoning_content"].as_str().unwrap_or_default();
            let call = &delta["tool_calls"][0];
            assert!(call.is_null() || call["index"] == 3, "{data}");
            texts[2] += call["function"]["arguments"].as_str().unwrap_or_default();
            done[index] = choice["finish_reason"].is_string();
        }
    }
    texts
}

fn veiled(events: &str, size: usize, on_finding: OnFinding) -> (Vec<u8>, Result<(), Stopped>) {
    let mut veil = Veil::new(watch(on_finding), false);
    let mut out = Vec::new();
    let result = events.as_bytes().chunks(size).try_for_each(|piece| veil.push(piece, &mut out));
    (out, result)
}

const SAID: &str =
    "Write to ada@example.org, \"key\" sk-proj-Ab3dEf6hIj9kLm2nOp5q and 4111 1111 1111 1111";
const SHOWN: &str = "Write to [EMAIL], \"key\" [API_KEY] and [CARD]";

#[test]
fn every_voice_of_every_choice_is_veiled() {
    let (out, result) = veiled(&stream(SAID, 3), 1000, OnFinding::Mask);
    assert_eq!(result, Ok(()));
    let arguments = json!({ "say": SHOWN }).to_string();
    assert_eq!(heard(&out), [SHOWN.to_owned(), SHOWN.to_owned(), arguments]);
    assert!(
        out.ends_with(b"data: {\"choices\":[],\"usage\":{\"total_tokens\":7}}\n\ndata: [DONE]\n\n")
    );
}

#[test]
fn a_guard_that_blocks_stops_before_anything_of_it_is_out() {
    let (out, result) = veiled(&stream(SAID, 3), 1000, OnFinding::Block);
    assert_eq!(result, Err(Stopped::Found));
    let [content, ..] = heard(&out);
    assert!("Write to ".starts_with(&content), "{content}");
}

#[test]
fn a_guard_that_flags_changes_nothing() {
    let events = stream(SAID, 5);
    let (out, result) = veiled(&events, 1000, OnFinding::Flag);
    assert_eq!((String::from_utf8(out).unwrap(), result), (events, Ok(())));
}

#[test]
fn text_that_was_held_back_is_sent_before_the_end() {
    let (out, _) = veiled(&stream("short", 9), 1000, OnFinding::Mask);
    assert_eq!(heard(&out)[..2], ["short".to_owned(), "short".to_owned()]);
}

proptest! {
    #[test]
    fn neither_the_split_of_texts_nor_that_of_events_matters(
        said in "(\\PC|ada@example.org|sk-proj-Ab3dEf6hIj9kLm2nOp5q| |4111111111111111|\n){0,9}",
        size in 1_usize..9, cut in 1_usize..200,
    ) {
        let (whole, _) = veiled(&stream(&said, 10_000), 100_000, OnFinding::Mask);
        let (split, _) = veiled(&stream(&said, size), cut, OnFinding::Mask);
        prop_assert_eq!(heard(&split), heard(&whole));
        let shown = crate::guard::mask(&said, Shapes::ALL).into_owned();
        prop_assert_eq!(&heard(&split)[0], &shown);
    }
}
