//! What holds for every request.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{NOW, Outcome, event, plan, scripted, streamed, whole};
use crate::{config::valid::MockPolicy, mock::piece::pieces, openai::Endpoint};

/// Chats of every kind that the mock answers.
fn chats() -> impl Strategy<Value = Value> {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"},
        "days": {"type": "array", "items": {"type": "integer"}}}, "required": ["city"]});
    let tool =
        |name: &str| json!({"type": "function", "function": {"name": name, "parameters": schema}});
    let custom = json!({"type": "custom", "custom": {"name": "note"}});
    let text = prop_oneof![Just("weather and note, please".to_owned()), "(\\PC|\\s){1,40}"];
    let more = prop_oneof![
        Just(json!({})),
        Just(json!({"tools": [tool("weather"), tool("clock"), custom]})),
        Just(json!({"tools": [tool("clock")], "tool_choice": "required"})),
        Just(json!({"functions": [{"name": "weather", "parameters": schema}]})),
        Just(json!({"response_format": {"type": "json_object"}})),
        Just(
            json!({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}})
        ),
        Just(json!({"logprobs": true, "top_logprobs": 2})),
    ];
    let most = prop_oneof![Just(Value::Null), (1_u64..20).prop_map(Value::from)];
    let stop = prop_oneof![Just(Value::Null), Just(json!("mock")), Just(json!([" a", "is"]))];
    (text, 1_u64..4, most, stop, more).prop_map(|(text, n, most, stop, more)| {
        let mut chat = json!({
            "model": "m", "messages": [{"role": "user", "content": text}],
            "n": n, "max_completion_tokens": most, "stop": stop,
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            chat[name] = value.clone();
        }
        chat
    })
}

fn completions() -> impl Strategy<Value = Value> {
    let prompt = prop_oneof![
        "\\PC{0,40}".prop_map(Value::from),
        Just(json!(["one two", "three"])),
        Just(json!([[1, 2], [3]])),
    ];
    let logprobs = prop_oneof![Just(Value::Null), (0_u64..4).prop_map(Value::from)];
    (prompt, 1_u64..3, 1_u64..20, any::<bool>(), logprobs).prop_map(
        |(prompt, n, most, echo, logprobs)| {
            json!({"model": "m", "prompt": prompt, "n": n, "max_tokens": most, "echo": echo, "logprobs": logprobs})
        },
    )
}

fn as_stream(request: &Value) -> Value {
    let mut request = request.clone();
    request["stream"] = json!(true);
    request["stream_options"] = json!({"include_usage": true});
    request
}

/// A reply put together from chunks, as a client would.
fn put_together(chunks: &[Value]) -> Value {
    let mut reply = chunks[0].clone();
    let mut choices: BTreeMap<u64, Value> = BTreeMap::new();
    for chunk in chunks {
        for choice in chunk["choices"].as_array().unwrap() {
            let index = choice["index"].as_u64().unwrap();
            let so_far = choices.entry(index).or_insert_with(|| json!({}));
            add(so_far, choice);
        }
    }
    reply["usage"] = chunks[chunks.len() - 1]["usage"].clone();
    reply["choices"] = choices.into_values().collect();
    reply
}

/// Adds what a chunk says to what was said so far: texts and lists grow, calls have an index.
fn add(so_far: &mut Value, more: &Value) {
    match (so_far, more) {
        (so_far @ Value::Null, more) => *so_far = more.clone(),
        (_, Value::Null) => {}
        (Value::String(so_far), Value::String(more)) => so_far.push_str(more),
        (Value::Object(so_far), Value::Object(more)) => {
            for (name, more) in more {
                match so_far.get_mut(name) {
                    Some(so_far) if name != "index" => add(so_far, more),
                    Some(_) => {}
                    None => {
                        so_far.insert(name.clone(), more.clone());
                    }
                }
            }
        }
        (Value::Array(so_far), Value::Array(more)) => {
            for item in more {
                let same = |other: &&mut Value| {
                    item.get("index").is_some() && item["index"] == other["index"]
                };
                match so_far.iter_mut().find(same) {
                    Some(so_far) => add(so_far, item),
                    None => so_far.push(item.clone()),
                }
            }
        }
        (so_far, more) => panic!("{so_far} cannot be followed by {more}"),
    }
}

/// A whole reply in the form of one put together from chunks.
fn as_put_together(mut reply: Value) -> Value {
    for choice in reply["choices"].as_array_mut().unwrap() {
        let Some(Value::Object(mut message)) = choice.as_object_mut().unwrap().remove("message")
        else {
            continue;
        };
        message.remove("annotations");
        for (index, call) in message
            .get_mut("tool_calls")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
            .enumerate()
        {
            call["index"] = json!(index);
        }
        choice["delta"] = Value::Object(message);
    }
    reply
}

fn compare(endpoint: Endpoint, request: &Value) {
    let chunks = streamed(endpoint, &as_stream(request));
    let mut from_chunks = put_together(&chunks);
    let mut reply = as_put_together(whole(endpoint, request));
    for side in [&mut from_chunks, &mut reply] {
        side.as_object_mut().unwrap().remove("object");
        for choice in side["choices"].as_array_mut().unwrap() {
            if choice["logprobs"] == json!({"content": [], "refusal": null})
                || choice["logprobs"]["tokens"] == json!([])
            {
                choice["logprobs"] = Value::Null;
            }
        }
    }
    assert_eq!(from_chunks, reply);
}

fn count<T>(items: impl IntoIterator<Item = T>) -> u64 {
    u64::try_from(items.into_iter().count()).unwrap()
}

fn completion_tokens(reply: &Value) -> u64 {
    reply["usage"]["completion_tokens"].as_u64().unwrap()
}

/// A value as careless callers send it.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        prop_oneof![
            "function",
            "object",
            "array",
            "string",
            "number",
            "integer",
            "user",
            "tool",
            "json_schema"
        ]
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        let name = prop_oneof![
            Just("type"),
            Just("role"),
            Just("content"),
            Just("function"),
            Just("name"),
            Just("parameters"),
            Just("properties"),
            Just("items"),
            Just("required"),
            Just("anyOf"),
            Just("allOf"),
            Just("enum"),
            Just("$ref"),
            Just("minimum"),
            Just("multipleOf"),
            Just("minLength"),
            Just("pattern"),
            Just("json_schema"),
            Just("schema"),
            Just("minItems"),
            Just("uniqueItems"),
            Just("exclusiveMaximum"),
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((name, inner), 0..5).prop_map(|fields| {
                Value::Object(
                    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
                )
            }),
        ]
    })
}

proptest! {
    #[test]
    fn a_streamed_chat_adds_up_to_the_whole_one(request in chats()) {
        compare(Endpoint::ChatCompletions, &request);
    }

    #[test]
    fn a_streamed_completion_adds_up_to_the_whole_one(request in completions()) {
        compare(Endpoint::Completions, &request);
    }

    #[test]
    fn no_answer_has_more_tokens_than_it_may(chat in chats(), completion in completions()) {
        let n = chat["n"].as_u64().unwrap();
        if let Some(most) = chat["max_completion_tokens"].as_u64() {
            let reply = whole(Endpoint::ChatCompletions, &chat);
            prop_assert!(completion_tokens(&reply) <= n * most);
            for choice in reply["choices"].as_array().unwrap() {
                let text = choice["message"]["content"].as_str().unwrap_or_default();
                prop_assert!(count(pieces(text)) <= most);
            }
        }
        let reply = whole(Endpoint::Completions, &completion);
        let answers = count(reply["choices"].as_array().unwrap());
        prop_assert!(completion_tokens(&reply) <= answers * completion["max_tokens"].as_u64().unwrap());
    }

    #[test]
    fn an_answer_never_contains_its_stop(chat in chats(), stop in "[a-z ]{1,3}") {
        let mut chat = chat;
        chat["stop"] = json!([stop.clone()]);
        let reply = whole(Endpoint::ChatCompletions, &chat);
        for choice in reply["choices"].as_array().unwrap() {
            prop_assert!(!choice["message"]["content"].as_str().unwrap_or_default().contains(&stop));
        }
    }

    #[test]
    fn usage_adds_up_and_every_chunk_is_of_one_answer(chat in chats()) {
        let usage = &whole(Endpoint::ChatCompletions, &chat)["usage"];
        let number = |name: &str| usage[name].as_u64().unwrap();
        prop_assert_eq!(number("total_tokens"), number("prompt_tokens") + number("completion_tokens"));
        let chunks = streamed(Endpoint::ChatCompletions, &as_stream(&chat));
        for chunk in &chunks {
            prop_assert_eq!(&chunk["id"], &chunks[0]["id"]);
            prop_assert_eq!(&chunk["created"], &json!(NOW.0 / 1000));
        }
    }

    #[test]
    fn any_json_gets_an_answer_or_a_refusal(
        fields in proptest::collection::vec((0_usize..FIELDS.len(), anything()), 0..8),
        script in proptest::option::of("([a-z-]{0,12}=?[0-9a-z%]{0,4};? ?){0,3}"),
    ) {
        let body: Map<_, _> =
            fields.into_iter().map(|(name, value)| (FIELDS[name].to_owned(), value)).collect();
        let body = Value::Object(body);
        for endpoint in Endpoint::ALL {
            match scripted(endpoint, &body, script.as_deref()).outcome {
                Outcome::Whole(reply) => {
                    prop_assert!(serde_json::from_slice::<Value>(&reply.body).is_ok());
                }
                Outcome::Stream(stream) => {
                    for chunk in &stream.chunks {
                        event(chunk);
                    }
                }
                Outcome::Reset | Outcome::Silence => {}
            }
        }
    }

    #[test]
    fn any_bytes_get_an_answer_or_a_refusal(body: Vec<u8>) {
        for endpoint in Endpoint::ALL {
            let plan = plan(endpoint, &body, &MockPolicy::default(), 1, None, NOW);
            prop_assert!(matches!(plan.outcome, Outcome::Whole(_)));
        }
    }
}

const FIELDS: [&str; 16] = [
    "model",
    "messages",
    "prompt",
    "input",
    "n",
    "stop",
    "stream",
    "stream_options",
    "tools",
    "tool_choice",
    "functions",
    "response_format",
    "logprobs",
    "max_tokens",
    "dimensions",
    "echo",
];

#[test]
fn another_question_seed_or_choice_has_another_answer() {
    let ask = |text: &str, seed: u64| {
        let request = json!({"model": "m", "n": 2, "seed": seed,
            "messages": [{"role": "system", "content": text}, {"role": "user", "content": "Hello"}]});
        let reply = whole(Endpoint::ChatCompletions, &request);
        [0, 1].map(|choice| reply["choices"][choice]["message"]["content"].to_string())
    };
    let mut answers = [ask("a", 1), ask("a", 2), ask("b", 1)].concat();
    answers.sort();
    answers.dedup();
    assert_eq!(answers.len(), 6);
    assert_eq!(ask("a", 1), ask("a", 1));
}
