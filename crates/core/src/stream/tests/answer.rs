//! What a caller makes of a stream, read with nothing of the code under test.

use serde_json::Value;

/// One choice as a client puts it together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) roles: usize,
    pub(super) content: String,
    pub(super) reasoning: String,
    pub(super) refusal: String,
    pub(super) arguments: Vec<String>,
    pub(super) finishes: Vec<String>,
}

/// A whole stream as a client reads it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Answer {
    pub(super) choices: Vec<Told>,
    pub(super) ids: Vec<String>,
    pub(super) models: Vec<String>,
    pub(super) usage: Option<Value>,
    pub(super) error: Option<Value>,
    pub(super) comments: usize,
    pub(super) done: bool,
}

/// Reads `bytes`, which must be whole events in the form that the gateway writes.
pub(super) fn read(bytes: &[u8]) -> Answer {
    let mut answer = Answer::default();
    let text = std::str::from_utf8(bytes).expect("the caller gets UTF-8");
    assert!(text.is_empty() || text.ends_with("\n\n"), "an unfinished event: {text:?}");
    for event in text.split("\n\n").filter(|event| !event.is_empty()) {
        assert!(!answer.done && answer.error.is_none(), "{event:?} comes after the end");
        if event == ": keep-alive" {
            answer.comments += 1;
            continue;
        }
        let data = event.strip_prefix("data: ").expect("an event is one line of data");
        if data == "[DONE]" {
            answer.done = true;
            continue;
        }
        answer.add(&serde_json::from_str(data).expect("data is JSON"));
    }
    answer
}

impl Answer {
    fn add(&mut self, chunk: &Value) {
        if let Some(error) = chunk.get("error").filter(|error| !error.is_null()) {
            self.error = Some(error.clone());
        }
        name(&mut self.ids, &chunk["id"]);
        name(&mut self.models, &chunk["model"]);
        if !chunk["usage"].is_null() {
            self.usage = Some(chunk["usage"].clone());
        }
        for choice in chunk["choices"].as_array().into_iter().flatten() {
            let index = usize::try_from(choice["index"].as_u64().expect("a choice has an index"));
            let index = index.expect("an index is small");
            if self.choices.len() <= index {
                self.choices.resize(index + 1, Told::default());
            }
            self.choices[index].add(choice);
        }
    }
}

impl Told {
    fn add(&mut self, choice: &Value) {
        let delta = &choice["delta"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.roles += usize::from(delta["role"].is_string());
        self.content += &(text(&delta["content"]) + &text(&choice["text"]));
        let reasoning = [&delta["reasoning"], &delta["reasoning_content"]];
        self.reasoning += reasoning.into_iter().find_map(Value::as_str).unwrap_or_default();
        self.refusal += &text(&delta["refusal"]);
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            let index = usize::try_from(call["index"].as_u64().expect("a call has an index"));
            let index = index.expect("an index is small");
            self.arguments.resize(self.arguments.len().max(index + 1), String::new());
            self.arguments[index] += &text(&call["function"]["arguments"]);
        }
        let finish = choice["finish_reason"].as_str().filter(|reason| !reason.is_empty());
        self.finishes.extend(finish.map(str::to_owned));
    }
}

fn name(names: &mut Vec<String>, value: &Value) {
    let name = value.as_str().unwrap_or_default();
    if !name.is_empty() && names.last().is_none_or(|last| last != name) {
        names.push(name.to_owned());
    }
}
