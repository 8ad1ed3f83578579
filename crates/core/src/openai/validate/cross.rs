//! Rules about fields together: what one allows depends on another.
//!
//! A field of the wrong type has been told already, so these look only at what they can read.

use super::embeddings::MOST_INPUTS;
use super::problem::{At, Problems};
use crate::config::valid::Model;
use crate::openai::endpoint::Endpoint;
use crate::openai::json::{Envelope, Kind, Value};
use crate::refusal::Code;

pub(super) fn check(endpoint: Endpoint, body: &Envelope, problems: &mut Problems) {
    match endpoint {
        Endpoint::ChatCompletions => {
            stream_options_need_a_stream(body, problems);
            one_length_limit(body, problems);
            top_logprobs_need_logprobs(body, problems);
            a_tool_choice_needs_tools(body, problems);
            audio_needs_a_voice(body, problems);
            assistants_say_something(body, problems);
        }
        Endpoint::Completions => {
            stream_options_need_a_stream(body, problems);
            best_of_covers_n(body, problems);
        }
        Endpoint::Embeddings => not_too_many_inputs(body, problems),
    }
}

/// Refuses sampling parameters that no target of the model takes. The value 1 says what such
/// models do anyway, and is let through.
pub(super) fn sampling(
    endpoint: Endpoint,
    body: &Envelope,
    model: &Model,
    problems: &mut Problems,
) {
    if endpoint == Endpoint::Embeddings || super::takes_sampling(model) {
        return;
    }
    for name in ["temperature", "top_p"] {
        let asked = body.present(name).and_then(Value::as_f64);
        // Any other value asks for something; 1.0 is exact in binary.
        if asked.is_some_and(|value| (value - 1.0).abs() > 0.0) {
            let what = || format!("is not taken by the model `{}`, leave it out", model.name);
            problems.add(Code::UnsupportedParameter, &At::BODY.key(name), what);
        }
    }
}

fn is_true(body: &Envelope, name: &str) -> bool {
    body.present(name).and_then(Value::as_bool).unwrap_or_default()
}

/// Absent or false, rather than of a wrong type.
fn is_off(body: &Envelope, name: &str) -> bool {
    body.present(name).is_none_or(|value| value.as_bool() == Some(false))
}

fn stream_options_need_a_stream(body: &Envelope, problems: &mut Problems) {
    if body.present("stream_options").is_some() && is_off(body, "stream") {
        let what = || "is only taken together with `stream: true`".to_owned();
        problems.add(Code::InvalidValue, &At::BODY.key("stream_options"), what);
    }
}

fn one_length_limit(body: &Envelope, problems: &mut Problems) {
    if body.present("max_tokens").is_some() && body.present("max_completion_tokens").is_some() {
        let what = || "is given together with `max_tokens`, give one of them".to_owned();
        problems.add(Code::InvalidValue, &At::BODY.key("max_completion_tokens"), what);
    }
}

fn top_logprobs_need_logprobs(body: &Envelope, problems: &mut Problems) {
    if body.present("top_logprobs").is_some() && is_off(body, "logprobs") {
        let what = || "is only taken together with `logprobs: true`".to_owned();
        problems.add(Code::InvalidValue, &At::BODY.key("top_logprobs"), what);
    }
}

/// `auto` and `none` are what a request without tools means anyway.
fn a_tool_choice_needs_tools(body: &Envelope, problems: &mut Problems) {
    let Some(choice) = body.present("tool_choice") else { return };
    let demands =
        choice.kind() == Kind::Object || ["required", "any"].iter().any(|word| choice.is_str(word));
    let none = body
        .present("tools")
        .is_none_or(|tools| tools.kind() == Kind::Array && tools.items().next().is_none());
    if demands && none {
        let what = || "demands a tool, and `tools` has none".to_owned();
        problems.add(Code::InvalidValue, &At::BODY.key("tool_choice"), what);
    }
}

fn audio_needs_a_voice(body: &Envelope, problems: &mut Problems) {
    let Some(modalities) = body.present("modalities") else { return };
    if modalities.items().any(|modality| modality.is_str("audio"))
        && body.present("audio").is_none()
    {
        let what = || "is required, as `modalities` asks for audio".to_owned();
        problems.add(Code::MissingField, &At::BODY.key("audio"), what);
    }
}

/// What an assistant's message may consist of.
const SPOKEN: [&str; 6] =
    ["content", "tool_calls", "function_call", "refusal", "audio", "reasoning_content"];

fn assistants_say_something(body: &Envelope, problems: &mut Problems) {
    let Some(messages) = body.present("messages") else { return };
    let at_messages = At::BODY.key("messages");
    for (index, message) in messages.items().enumerate() {
        let is_assistant = message.get("role").is_some_and(|role| role.is_str("assistant"));
        if !is_assistant {
            continue;
        }
        let says = message.members().any(|member| {
            member.value.kind() != Kind::Null && SPOKEN.iter().any(|name| member.key.is_str(name))
        });
        if !says {
            let what = || "is required, as there are no `tool_calls`".to_owned();
            problems.add(Code::MissingField, &at_messages.index(index).key("content"), what);
        }
    }
}

fn best_of_covers_n(body: &Envelope, problems: &mut Problems) {
    let Some(best_of) = body.present("best_of").and_then(Value::as_u64) else { return };
    let n = body.present("n").map_or(Some(1), Value::as_u64);
    let at_best_of = At::BODY.key("best_of");
    if let Some(n) = n.filter(|n| *n > best_of) {
        let what = || format!("is {best_of}, the least is `n`, which is {n}");
        problems.add(Code::InvalidValue, &at_best_of, what);
    }
    if best_of > 1 && is_true(body, "stream") {
        let what = || format!("is {best_of}, and a stream takes 1 only");
        problems.add(Code::InvalidValue, &at_best_of, what);
    }
}

fn not_too_many_inputs(body: &Envelope, problems: &mut Problems) {
    let Some(input) = body.present("input") else { return };
    // An array of tokens is one text.
    let is_batch = input.items().next().is_some_and(|first| first.kind() != Kind::Number);
    let inputs = input.items().count();
    if is_batch && inputs > MOST_INPUTS {
        let what = || format!("has {inputs} items, the limit is {MOST_INPUTS}");
        problems.add(Code::InvalidValue, &At::BODY.key("input"), what);
    }
}
