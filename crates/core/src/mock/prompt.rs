//! How many tokens a prompt has, as the mock reports it.
//!
//! A token for every four bytes of a text, rounded up. A chat has 3 more for each message and 3 for
//! the answer's start, 85 for each image, and a token for every four bytes of its tools', functions'
//! and response format's JSON, rounded down. Prompts of tokens have as many. This is never more
//! than the gateway's estimate, from which it reserves.

use serde_json::Value;

use super::{conversation, request::Request};

const MESSAGE: u64 = 3;
const ANSWER_START: u64 = 3;
const IMAGE: u64 = 85;
const BYTES_PER_TOKEN: u64 = 4;

pub(super) fn of_chat(request: &Request) -> u64 {
    let said = request.list("messages").iter().map(of_message).sum::<u64>();
    let offered = ["tools", "functions", "response_format"]
        .into_iter()
        .filter_map(|name| request.get(name))
        .map(|value| bytes(&value.to_string()) / BYTES_PER_TOKEN)
        .sum::<u64>();
    ANSWER_START + said + offered
}

/// The tokens of a batch of prompts or inputs: they are counted together.
pub(super) fn of_batch(texts: &[Prompt]) -> u64 {
    let written = texts.iter().map(bytes_of).sum::<u64>();
    let tokens = texts.iter().map(tokens_of).sum::<u64>();
    written.div_ceil(BYTES_PER_TOKEN) + tokens
}

/// One prompt of a completion, or one input of an embedding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Prompt {
    Text(String),
    /// Numbers of a tokenizer that the mock does not have.
    Tokens(Vec<u64>),
}

impl Prompt {
    /// One or several: a string, an array of strings, of tokens, or of arrays of tokens.
    pub(super) fn read(value: Option<&Value>) -> Vec<Self> {
        match value {
            Some(Value::Array(items)) if items.first().is_some_and(Value::is_number) => {
                vec![Self::of_tokens(items)]
            }
            Some(Value::Array(items)) => items.iter().filter_map(Self::one).collect(),
            Some(value) => Self::one(value).into_iter().collect(),
            None => vec![],
        }
    }

    fn one(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Array(tokens) => Some(Self::of_tokens(tokens)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
        }
    }

    fn of_tokens(tokens: &[Value]) -> Self {
        Self::Tokens(tokens.iter().filter_map(Value::as_u64).collect())
    }

    /// The text; tokens are written as numbers with spaces between them.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Tokens(tokens) => {
                let numbers: Vec<_> = tokens.iter().map(u64::to_string).collect();
                numbers.join(" ")
            }
        }
    }
}

fn of_message(message: &Value) -> u64 {
    let images = message.get("content").and_then(Value::as_array).map_or(0, |parts| {
        let is_image = |part: &&Value| part.get("type").is_some_and(|kind| kind == "image_url");
        wide(parts.iter().filter(is_image).count())
    });
    let text = bytes(&conversation::text(message)).div_ceil(BYTES_PER_TOKEN);
    MESSAGE + text + images * IMAGE
}

fn bytes_of(prompt: &Prompt) -> u64 {
    match prompt {
        Prompt::Text(text) => bytes(text),
        Prompt::Tokens(_) => 0,
    }
}

fn tokens_of(prompt: &Prompt) -> u64 {
    match prompt {
        Prompt::Text(_) => 0,
        Prompt::Tokens(tokens) => wide(tokens.len()),
    }
}

fn bytes(text: &str) -> u64 {
    wide(text.len())
}

fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::openai::{
        Endpoint, Envelope,
        samples::{PLAIN, model},
        validate,
    };

    fn chat(body: &Value) -> u64 {
        of_chat(&Request::parse(body.to_string().as_bytes()).unwrap())
    }

    #[test]
    fn messages_images_and_tools_are_counted_by_the_documented_rule() {
        let image = json!({"type": "image_url", "image_url": {"url": "data:"}});
        let text = json!({"type": "text", "text": "12345"});
        assert_eq!(chat(&json!({"messages": [{"role": "user", "content": "1234"}]})), 3 + 3 + 1);
        assert_eq!(
            chat(&json!({"messages": [{"role": "user", "content": [text, image]}]})),
            3 + 3 + 2 + 85
        );
        assert_eq!(chat(&json!({"messages": [], "tools": [{"type": "function"}]})), 3 + 5);
    }

    #[test]
    fn a_prompt_takes_every_documented_form() {
        let text = |text: &str| Prompt::Text(text.to_owned());
        for (sent, prompts) in [
            (json!("a"), vec![text("a")]),
            (json!(["a", "b"]), vec![text("a"), text("b")]),
            (json!([1, 2]), vec![Prompt::Tokens(vec![1, 2])]),
            (json!([[1], [2, 3]]), vec![Prompt::Tokens(vec![1]), Prompt::Tokens(vec![2, 3])]),
        ] {
            assert_eq!(Prompt::read(Some(&sent)), prompts);
        }
    }

    proptest! {
        #[test]
        fn the_gateways_estimate_is_never_below(
            texts in proptest::collection::vec("(\\PC|\\s){1,40}", 1..6),
            images in 0_usize..3,
        ) {
            let mut messages: Vec<_> = texts
                .iter()
                .map(|text| json!({"role": "user", "content": text}))
                .collect();
            let image = json!({"type": "image_url", "image_url": {"url": "data:", "detail": "low"}});
            if images > 0 {
                messages.push(json!({"role": "user", "content": vec![image; images]}));
            }
            let function = json!({"name": "f", "description": texts[0]});
            let tools = json!([{"type": "function", "function": function}]);
            let body = json!({"model": "fast", "messages": messages, "tools": tools});
            let model = model("fast", &[PLAIN]);
            let envelope = Envelope::parse(body.to_string().into_bytes()).unwrap();
            let valid = validate(Endpoint::ChatCompletions, envelope.into(), &model).unwrap();
            prop_assert!(chat(&body) <= valid.prompt_estimate().0);
        }
    }
}
