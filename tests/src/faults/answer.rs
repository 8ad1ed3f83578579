//! What a misbehaving provider does, as bytes on a socket.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use serde_json::{Value, json};

use super::Delivery;
use crate::provider::{
    Step, chat_stream, completion, end_of_stream, error, event, json_reply, reply, stream_head,
};

/// The words of a good answer; all targets say the same.
pub const WELL: [&str; 6] = ["The ", "quick ", "brown ", "fox ", "jumps ", "far."];

/// One answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Answer {
    /// An HTTP error with a body in OpenAI's form.
    Error {
        /// The status.
        status: u16,
        /// `error.code`.
        code: String,
        /// `error.message`.
        message: String,
        /// Further headers.
        #[serde(default)]
        headers: BTreeMap<String, String>,
    },
    /// A reply of any kind.
    Reply {
        /// The status.
        #[serde(default = "ok")]
        status: u16,
        /// The content type.
        r#type: String,
        /// Further headers.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// The body.
        body: String,
    },
    /// The connection ends with a reset, without a byte.
    Reset,
    /// Nothing ever comes.
    Silence,
    /// A good answer, late.
    Late {
        /// How late.
        ms: u64,
    },
    /// A good answer that stops being one.
    Broken {
        /// How many words come before that; of a whole answer, half of its body.
        words: usize,
        /// What comes instead of the rest.
        by: Break,
    },
    /// A good answer whose stream ends after its finish, without `[DONE]`.
    NoDone,
    /// A good answer whose stream stays open after its finish, without `[DONE]`.
    NoEnd,
    /// An answer that the provider's filter cut short.
    Filtered {
        /// How many words come before that.
        words: usize,
    },
    /// What a model says that goes on with an answer after so many words of it.
    Rest {
        /// How many.
        words: usize,
    },
    /// Another answer altogether.
    Other,
    /// A good answer.
    Well,
}

/// How an answer breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Break {
    /// The connection is closed in the middle of the body.
    Close,
    /// The connection is reset.
    Reset,
    /// The body ends in good order, unfinished.
    End,
    /// Nothing more comes.
    Stall,
    /// Something that is no JSON comes.
    Malformed,
    /// An error object comes.
    Error,
}

const fn ok() -> u16 {
    200
}

impl Answer {
    /// The steps that play it to a call of this kind.
    pub fn steps(&self, delivery: Delivery) -> Vec<Step> {
        match self {
            Self::Error { status, code, message, headers } => {
                json_reply(*status, &pairs(headers), &error(message, "its_error", code))
            }
            Self::Reply { status, r#type, headers, body } => {
                reply(*status, r#type, &pairs(headers), body.as_bytes())
            }
            Self::Reset => vec![Step::Reset],
            Self::Silence => vec![Step::Stall],
            Self::Late { ms } => {
                let mut steps = vec![Step::Wait(Duration::from_millis(*ms))];
                steps.extend(well(delivery));
                steps
            }
            Self::Broken { words, by } => match delivery {
                Delivery::Whole => broken_whole(*by),
                Delivery::Streamed => broken_stream(*words, *by),
            },
            Self::NoDone => unended(delivery, end_of_stream()),
            Self::NoEnd => unended(delivery, Step::Stall),
            Self::Filtered { words } => filtered(delivery, *words),
            Self::Rest { words } => says(delivery, WELL.get(*words..).unwrap_or_default()),
            Self::Other => says(delivery, &["A lazy ", "dog ", "sleeps."]),
            Self::Well => well(delivery),
        }
    }
}

fn pairs(headers: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn well(delivery: Delivery) -> Vec<Step> {
    says(delivery, &WELL)
}

fn says(delivery: Delivery, words: &[&str]) -> Vec<Step> {
    match delivery {
        Delivery::Whole => json_reply(200, &[], &completion(&words.concat())),
        Delivery::Streamed => chat_stream(words),
    }
}

fn broken_whole(by: Break) -> Vec<Step> {
    let body = completion(&WELL.concat()).to_string();
    let half = body.get(..body.len() / 2).unwrap_or_default();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let begun = Step::Send([head.as_bytes(), half.as_bytes()].concat());
    match by {
        Break::Close => vec![begun, Step::Close],
        Break::Reset => vec![begun, Step::Reset],
        Break::Stall => vec![begun, Step::Stall],
        Break::End | Break::Malformed => reply(200, "application/json", &[], half.as_bytes()),
        Break::Error => json_reply(200, &[], &overloaded()),
    }
}

fn broken_stream(words: usize, by: Break) -> Vec<Step> {
    let mut steps = begun(words);
    match by {
        Break::Close => steps.push(Step::Close),
        Break::Reset => steps.push(Step::Reset),
        Break::End => steps.push(end_of_stream()),
        Break::Stall => steps.push(Step::Stall),
        Break::Malformed => {
            steps.push(event("{\"choices\": [{\"index\": 0, \"delta\": {\"content\": \"cano"));
            steps.push(Step::Stall);
        }
        Break::Error => steps.extend([event(&overloaded().to_string()), end_of_stream()]),
    }
    steps
}

fn overloaded() -> Value {
    error("the model is overloaded", "server_error", "overloaded")
}

/// The head of a stream and its first words; with none not even the role.
fn begun(words: usize) -> Vec<Step> {
    if words == 0 {
        return vec![stream_head()];
    }
    chat_stream(&WELL).into_iter().take(2 + words).collect()
}

/// A stream up to its finish, which `end` follows; a whole answer has no such ending.
fn unended(delivery: Delivery, end: Step) -> Vec<Step> {
    match delivery {
        Delivery::Whole => well(delivery),
        Delivery::Streamed => {
            let mut steps: Vec<Step> =
                chat_stream(&WELL).into_iter().take(3 + WELL.len()).collect();
            steps.push(end);
            steps
        }
    }
}

fn filtered(delivery: Delivery, words: usize) -> Vec<Step> {
    let said: Vec<&str> = WELL.into_iter().take(words).collect();
    match delivery {
        Delivery::Whole => {
            let mut body = completion(&said.concat());
            body["choices"][0]["finish_reason"] = json!("content_filter");
            json_reply(200, &[], &body)
        }
        Delivery::Streamed => {
            let filter = |step| match step {
                Step::Send(bytes) => Step::Send(with_filter(bytes)),
                other => other,
            };
            chat_stream(&said).into_iter().map(filter).collect()
        }
    }
}

/// The chunk that says `stop` says `content_filter` instead.
fn with_filter(bytes: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let Some((_, event_and_end)) = text.split_once("\r\n") else { return bytes };
    if !event_and_end.contains("\"stop\"") {
        return bytes;
    }
    let event = event_and_end.trim_end_matches("\r\n").replace("\"stop\"", "\"content_filter\"");
    format!("{:x}\r\n{event}\r\n", event.len()).into_bytes()
}
