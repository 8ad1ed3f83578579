//! Is a provider's 200 the answer that its API promises, and what did it cost?
//!
//! One pass over the bytes; of the answer itself nothing is kept but its finish reasons. The body
//! goes to the caller as it came.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::endpoint::Endpoint;
use super::usage::Reported;
use crate::price::Usage;
use crate::refusal::{Code, Refusal};

/// What the gateway reads of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplyFacts<'a> {
    /// The provider's own id of the answer.
    pub id: Option<Cow<'a, str>>,
    /// The model that answered, as the provider names it: `gpt-4o-mini-2024-07-18`.
    pub model: Option<Cow<'a, str>>,
    /// What it used; `None` where the provider did not say.
    pub usage: Option<Usage>,
    /// Why each choice ended, in order; none for embeddings, and none for a choice that has none.
    pub finish_reasons: Vec<Cow<'a, str>>,
    /// How many choices or embeddings there are, at least one.
    pub answers: usize,
}

impl ReplyFacts<'_> {
    /// Whether every choice says why it ended; always so for embeddings.
    pub fn is_finished(&self, endpoint: Endpoint) -> bool {
        match endpoint {
            Endpoint::ChatCompletions | Endpoint::Completions => {
                self.finish_reasons.len() == self.answers
            }
            Endpoint::Embeddings => true,
        }
    }
}

/// Why a 200 is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAReply {
    /// There is no body.
    #[error("the provider's answer is empty")]
    Empty,
    /// The body is a web page, as proxies and captive portals send.
    #[error("the provider answered with a web page")]
    Html,
    /// The body ends before its JSON does.
    #[error("the provider's answer ends after {length} bytes, before its JSON does")]
    Truncated {
        /// Bytes received.
        length: usize,
    },
    /// The body is not the JSON that the API describes.
    #[error("the provider's answer is not what its API promises: {what}")]
    Malformed {
        /// What is missing or of the wrong type, and where.
        what: String,
    },
    /// The body is an error after all. Read it with
    /// [`read_failure`](super::upstream::read_failure) under this status.
    #[error("the provider answered 200 with an error inside")]
    Failure {
        /// The status that the error itself names, else 502.
        status: u16,
    },
}

impl NotAReply {
    /// What to tell the caller when no attempt is left.
    pub fn refusal(&self) -> Refusal {
        Refusal::new(Code::UpstreamInvalid, self.to_string())
    }
}

/// Reads the body of a 200.
///
/// # Errors
/// See [`NotAReply`].
pub fn read(endpoint: Endpoint, body: &[u8]) -> Result<ReplyFacts<'_>, NotAReply> {
    match body.trim_ascii_start().first() {
        None => return Err(NotAReply::Empty),
        Some(b'<') => return Err(NotAReply::Html),
        Some(b'{') => {}
        Some(_) => return Err(malformed("it is no JSON object")),
    }
    let reply: Wire<'_> = serde_json::from_slice(body).map_err(|error| match error.classify() {
        serde_json::error::Category::Eof => NotAReply::Truncated { length: body.len() },
        _ => malformed(&error),
    })?;
    if let Some(error) = reply.error {
        return Err(NotAReply::Failure { status: status_inside(error) });
    }
    reply.facts(endpoint)
}

fn malformed(what: &(impl ToString + ?Sized)) -> NotAReply {
    NotAReply::Malformed { what: what.to_string() }
}

/// `code` or `status` of an error, where it is an HTTP error's number.
fn status_inside(error: &RawValue) -> u16 {
    #[derive(Deserialize)]
    struct Coded {
        code: Option<serde_json::Value>,
        status: Option<serde_json::Value>,
    }
    let coded: Option<Coded> = serde_json::from_str(error.get()).ok();
    let candidates = coded.into_iter().flat_map(|coded| [coded.code, coded.status]).flatten();
    let mut numbers = candidates.filter_map(|value| match value {
        serde_json::Value::Number(number) => number.as_u64(),
        serde_json::Value::String(text) => text.parse().ok(),
        _ => None,
    });
    let status = numbers.find(|number| (400..600).contains(number));
    status.and_then(|status| u16::try_from(status).ok()).unwrap_or(502)
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, default)]
    id: Option<Text<'a>>,
    #[serde(borrow, default)]
    model: Option<Text<'a>>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(default)]
    data: Option<Vec<Embedding>>,
    #[serde(default)]
    usage: Option<Reported>,
}

/// Borrowed unless it holds escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow, default)]
    finish_reason: Option<Text<'a>>,
    #[serde(default)]
    message: Option<AnObject>,
    #[serde(default)]
    text: Option<IgnoredAny>,
}

/// An object, whatever is in it.
#[derive(Deserialize)]
struct AnObject {}

#[derive(Deserialize)]
struct Embedding {
    embedding: Option<IgnoredAny>,
}

impl<'a> Wire<'a> {
    fn facts(self, endpoint: Endpoint) -> Result<ReplyFacts<'a>, NotAReply> {
        let Self { id, model, error: _, choices, data, usage } = self;
        let (answers, whole) = match endpoint {
            Endpoint::ChatCompletions => {
                each(choices.as_deref(), |choice| choice.message.is_some())
            }
            Endpoint::Completions => each(choices.as_deref(), |choice| choice.text.is_some()),
            Endpoint::Embeddings => each(data.as_deref(), |item| item.embedding.is_some()),
        };
        let (list, item) = match endpoint {
            Endpoint::ChatCompletions => ("choices", "message"),
            Endpoint::Completions => ("choices", "text"),
            Endpoint::Embeddings => ("data", "embedding"),
        };
        if answers == 0 {
            return Err(malformed(&format_args!("`{list}` is missing or empty")));
        }
        if !whole {
            return Err(malformed(&format_args!("one of `{list}` has no `{item}`")));
        }
        let reasons = choices.into_iter().flatten().filter_map(|choice| choice.finish_reason);
        Ok(ReplyFacts {
            id: id.map(|text| text.0),
            model: model.map(|text| text.0),
            usage: usage.and_then(Reported::usage),
            finish_reasons: reasons.map(|text| text.0).collect(),
            answers,
        })
    }
}

/// How many there are, and whether each has what it should.
fn each<T>(items: Option<&[T]>, has: impl Fn(&T) -> bool) -> (usize, bool) {
    let items = items.unwrap_or_default();
    (items.len(), items.iter().all(has))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Tokens;

    const CHAT: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-4o-mini-2024-07-18",
        "choices":[{"index":0,"message":{"role":"assistant","content":"Hi \"there\"","refusal":null},"logprobs":null,"finish_reason":"stop"},
                   {"index":1,"message":{"role":"assistant","content":null},"finish_reason":"length"}],
        "usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21},"system_fingerprint":"fp"}"#;

    #[test]
    fn the_facts_of_an_answer_are_borrowed_from_it() {
        let facts = read(Endpoint::ChatCompletions, CHAT.as_bytes()).unwrap();
        assert!(matches!(facts.model, Some(Cow::Borrowed("gpt-4o-mini-2024-07-18"))));
        assert!(matches!(facts.id, Some(Cow::Borrowed("chatcmpl-1"))));
        assert_eq!(facts.finish_reasons, ["stop", "length"]);
        assert_eq!(facts.answers, 2);
        assert!(facts.is_finished(Endpoint::ChatCompletions));
        let usage = facts.usage.unwrap();
        assert_eq!((usage.prompt, usage.completion), (Tokens(9), Tokens(12)));
    }

    #[test]
    fn answers_of_the_other_endpoints_are_read() {
        let body = br#"{"choices":[{"text":"a","finish_reason":null}],"usage":null}"#;
        let facts = read(Endpoint::Completions, body).unwrap();
        assert!(!facts.is_finished(Endpoint::Completions));
        assert_eq!((facts.model, facts.usage), (None, None));
        let body = br#"{"object":"list","data":[{"embedding":[0.1,-2e-3]},{"embedding":"AAAA"}],"model":"m","usage":{"prompt_tokens":4,"total_tokens":4}}"#;
        let facts = read(Endpoint::Embeddings, body).unwrap();
        assert_eq!((facts.answers, facts.usage.unwrap().prompt), (2, Tokens(4)));
        assert!(facts.is_finished(Endpoint::Embeddings));
    }

    #[test]
    fn a_200_without_an_answer_is_told_from_one() {
        let not = |endpoint, body: &str| read(endpoint, body.as_bytes()).unwrap_err();
        let chat = |body: &str| not(Endpoint::ChatCompletions, body);
        assert_eq!(chat(""), NotAReply::Empty);
        assert_eq!(chat(" \r\n"), NotAReply::Empty);
        assert_eq!(chat("<!DOCTYPE html><html>"), NotAReply::Html);
        for cut in 1..CHAT.len() {
            assert_eq!(chat(&CHAT[..cut]), NotAReply::Truncated { length: cut });
        }
        for (body, what) in [
            ("[]", "it is no JSON object"),
            ("data: {}", "it is no JSON object"),
            ("{}", "`choices` is missing or empty"),
            (r#"{"choices":null}"#, "`choices` is missing or empty"),
            (r#"{"choices":[]}"#, "`choices` is missing or empty"),
            (r#"{"choices":[{"finish_reason":"stop"}]}"#, "one of `choices` has no `message`"),
            (r#"{"choices":[{"text":"completion"}]}"#, "one of `choices` has no `message`"),
        ] {
            assert_eq!(chat(body), malformed(what), "{body}");
        }
        for body in [
            r#"{"choices":"none"}"#,
            r#"{"choices":[{"message":"hi"}]}"#,
            r#"{"choices":[{"message":{},"finish_reason":3}]}"#,
            r#"{"choices":[{"message":{}}]} trailing"#,
            r#"{"model":7,"choices":[{"message":{}}]}"#,
        ] {
            assert!(matches!(chat(body), NotAReply::Malformed { .. }), "{body}");
        }
        let embeddings = not(Endpoint::Embeddings, r#"{"data":[{"embedding":[1]},{}]}"#);
        assert_eq!(embeddings, malformed("one of `data` has no `embedding`"));
    }

    #[test]
    fn an_error_inside_a_200_names_its_own_status() {
        for (body, status) in [
            (r#"{"error":{"message":"overloaded","code":503}}"#, 503),
            (r#"{"error":{"message":"busy","code":"429"}}"#, 429),
            (r#"{"error":{"message":"x","code":"context_length_exceeded","status":400}}"#, 400),
            (r#"{"error":{"message":"x","code":200}}"#, 502),
            (r#"{"error":"something"}"#, 502),
            (r#"{"choices":[{"message":{}}],"error":{"code":500}}"#, 500),
        ] {
            let got = read(Endpoint::ChatCompletions, body.as_bytes()).unwrap_err();
            assert_eq!(got, NotAReply::Failure { status }, "{body}");
        }
        let nothing = br#"{"error":null,"choices":[{"message":{},"finish_reason":"stop"}]}"#;
        assert!(read(Endpoint::ChatCompletions, nothing).is_ok());
    }
}
