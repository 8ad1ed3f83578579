//! The texts of a request or reply that a model reads or has written, each with its source.

use std::ops::Range;

use super::fold::Reading;
use crate::openai::{
    Endpoint,
    json::{Envelope, Kind, Value},
};

/// Where a text comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// Whoever talks to the model.
    User,
    /// A document that was handed in or retrieved.
    Document,
    /// What a tool has answered, or says of itself.
    Tool,
    /// Whoever built the application.
    System,
}

impl Source {
    /// The name, as classifiers know it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Document => "document",
            Self::Tool => "tool",
            Self::System => "system",
        }
    }
}

/// One text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'e> {
    pub(crate) value: Value<'e>,
    pub(crate) source: Source,
    pub(super) reading: Reading,
}

/// Members that hold no text for a reader: names of things, and what is not text at all.
const NO_TEXT: [&str; 16] = [
    "role",
    "type",
    "id",
    "tool_call_id",
    "index",
    "url",
    "data",
    "format",
    "detail",
    "file_id",
    "file_data",
    "signature",
    "$ref",
    "finish_reason",
    "object",
    "logprobs",
];

/// Every text of a request that reaches the model.
pub(crate) fn of_request(endpoint: Endpoint, body: &Envelope) -> Vec<Text<'_>> {
    let mut texts = Vec::new();
    let mut add = |name: &str, source: Source| {
        if let Some(value) = body.present(name) {
            collect(value, source, Reading::Plain, &mut texts);
        }
    };
    match endpoint {
        Endpoint::ChatCompletions => {
            add("tools", Source::Tool);
            add("functions", Source::Tool);
            add("documents", Source::Document);
            add("response_format", Source::System);
            add("prediction", Source::User);
            for message in body.present("messages").into_iter().flat_map(Value::items) {
                of_message(message, &mut texts);
            }
        }
        Endpoint::Completions => {
            add("prompt", Source::User);
            add("suffix", Source::User);
        }
        Endpoint::Embeddings => add("input", Source::Document),
    }
    texts
}

/// Every text that a model has written, of a whole reply.
pub(crate) fn of_reply(body: &Envelope) -> Vec<Text<'_>> {
    let mut texts = Vec::new();
    for choice in body.present("choices").into_iter().flat_map(Value::items) {
        collect(choice, Source::User, Reading::Plain, &mut texts);
    }
    texts
}

fn of_message<'e>(message: Value<'e>, texts: &mut Vec<Text<'e>>) {
    let is = |role: &str| message.get("role").is_some_and(|value| value.is_str(role));
    let source = if is("system") || is("developer") {
        Source::System
    } else if is("tool") || is("function") {
        Source::Tool
    } else {
        Source::User
    };
    for member in message.members().filter(|member| !is_no_text(member.key)) {
        let parts = member.value.kind() == Kind::Array && member.key.is_str("content");
        if !parts {
            collect(member.value, source, reading(member.key), texts);
            continue;
        }
        for part in member.value.items() {
            let kind = |name: &str| part.get("type").is_some_and(|value| value.is_str(name));
            let handed_in = ["file", "document", "search_result", "tool_result"];
            let source = if source == Source::User && handed_in.into_iter().any(kind) {
                Source::Document
            } else {
                source
            };
            collect(part, source, Reading::Plain, texts);
        }
    }
}

/// All strings at any depth, but for those that are no text.
fn collect<'e>(value: Value<'e>, source: Source, how: Reading, texts: &mut Vec<Text<'e>>) {
    match value.kind() {
        Kind::String => texts.push(Text { value, source, reading: how }),
        Kind::Array => value.items().for_each(|item| collect(item, source, how, texts)),
        Kind::Object => {
            for member in value.members().filter(|member| !is_no_text(member.key)) {
                collect(member.value, source, reading(member.key), texts);
            }
        }
        Kind::Null | Kind::Bool | Kind::Number => {}
    }
}

pub(super) fn is_no_text(key: Value<'_>) -> bool {
    NO_TEXT.iter().any(|name| key.is_str(name))
}

/// Arguments of a tool call are JSON in a string.
pub(super) fn reading(key: Value<'_>) -> Reading {
    if key.is_str("arguments") { Reading::Json } else { Reading::Plain }
}

/// Where `value` stands in the text of its body.
pub(super) fn place(body: &Envelope, value: Value<'_>) -> Range<usize> {
    let start = value.raw().as_ptr().addr().saturating_sub(body.text().as_ptr().addr());
    start..start + value.raw().len()
}

/// `text` with parts replaced; `changes` are in order and apart.
pub(super) fn replaced(text: &str, mut changes: Vec<(Range<usize>, String)>) -> String {
    changes.sort_by_key(|(place, _)| place.start);
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for (place, instead) in changes {
        out.push_str(text.get(copied..place.start).unwrap_or_default());
        out.push_str(&instead);
        copied = place.end;
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    out
}

/// `text` as a JSON string.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
