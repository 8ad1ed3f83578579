//! Replies: what every answer needs to be written, and what errors look like.

use serde::Serialize;

use super::wire::{self, Field, Usage};
use crate::units::UnixMs;

/// A whole reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// `content-type`.
    pub content_type: &'static str,
    /// `retry-after`, verbatim.
    pub retry_after: Option<String>,
    /// The body, JSON.
    pub body: Vec<u8>,
}

/// What an answer depends on besides the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) now: UnixMs,
    /// The text to answer with.
    pub(super) text: Option<String>,
    /// Whether the reply says what was used.
    pub(super) usage: bool,
}

impl Setting {
    /// `created`, in seconds since the Unix epoch.
    pub(super) const fn created(&self) -> u64 {
        self.now.0 / 1000
    }

    /// What a whole reply says about its usage.
    pub(super) const fn whole_usage(&self, usage: Usage) -> Field<Usage> {
        if self.usage { Field::Is(usage) } else { Field::Absent }
    }

    /// What a stream says about its usage: in each chunk of the answer, and in one after them.
    pub(super) fn stream_usage(&self, usage: Usage, asked: bool) -> (Field<Usage>, Option<Usage>) {
        if self.usage && asked { (Field::Null, Some(usage)) } else { (Field::Absent, None) }
    }
}

/// A finished answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// The JSON of a whole reply.
    Whole(Vec<u8>),
    Stream {
        /// Complete events, the last of them `[DONE]`.
        chunks: Vec<Vec<u8>>,
        /// How many of them, from the first, leave the answer unfinished.
        open: usize,
    },
}

impl Answer {
    pub(super) fn whole(reply: &impl Serialize) -> Self {
        Self::Whole(json(reply))
    }

    /// Writes `events`, then what is to `follow` the answer, then `[DONE]`. The last of `events`
    /// finishes the answer.
    pub(super) fn stream<E: Serialize>(events: &[E], follow: Option<&E>) -> Self {
        let event = |event: &E| [b"data: ".as_slice(), &json(event), b"\n\n"].concat();
        let mut chunks: Vec<_> = events.iter().chain(follow).map(event).collect();
        chunks.push(b"data: [DONE]\n\n".to_vec());
        Self::Stream { chunks, open: events.len().saturating_sub(1) }
    }
}

/// What the mock has to say against a request; status 400.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    message: String,
    param: Option<&'static str>,
}

impl Complaint {
    pub(super) const fn new(message: String) -> Self {
        Self { message, param: None }
    }

    /// Against the `tollhouse-mock` header.
    pub(super) fn script(problem: &str) -> Self {
        Self::new(format!("header `tollhouse-mock`: {problem}"))
    }

    /// Names the field.
    pub(super) const fn at(mut self, param: &'static str) -> Self {
        self.param = Some(param);
        self
    }

    pub(super) fn reply(&self) -> Reply {
        let error = wire::Error {
            message: &self.message,
            kind: INVALID_REQUEST,
            param: self.param,
            code: Some("invalid_value"),
        };
        Reply { status: 400, ..Reply::json(json(&wire::ErrorReply { error })) }
    }

    #[cfg(test)]
    pub(super) fn message(&self) -> &str {
        &self.message
    }
}

const INVALID_REQUEST: &str = "invalid_request_error";

impl Reply {
    /// Status 200.
    pub(super) const fn json(body: Vec<u8>) -> Self {
        Self { status: 200, content_type: "application/json", retry_after: None, body }
    }

    /// A fault: `status` with the type and code that OpenAI gives it.
    pub(super) fn error(status: u16, retry_after: Option<String>) -> Self {
        let (kind, code) = match status {
            401 => (INVALID_REQUEST, Some("invalid_api_key")),
            403 => ("permission_error", None),
            404 => (INVALID_REQUEST, Some("model_not_found")),
            429 => ("requests", Some("rate_limit_exceeded")),
            500.. => ("server_error", None),
            _ => (INVALID_REQUEST, None),
        };
        let message = format!("The mock provider was told to answer with status {status}.");
        let error = wire::Error { message: &message, kind, param: None, code };
        Self { status, retry_after, ..Self::json(json(&wire::ErrorReply { error })) }
    }
}

/// The JSON of `reply`, empty if it had none: but structs of texts, numbers and lists have one.
fn json(reply: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(reply).unwrap_or_default()
}
