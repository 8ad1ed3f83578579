//! The provider inside the Worker: answers, usage and faults with no network and no key.
//!
//! What it answers is a function of the request alone, so tests can rely on it: the same question
//! has the same answer, streamed or whole, and another question, seed or choice has another one.
//! What it does wrong is told by the configuration ([`MockPolicy`]) or, where that allows it, by
//! the request's `tollhouse-mock` header ([`script`]). Times are in milliseconds; nothing here
//! waits, the plan says how long to.
//!
//! # Answers
//! The text is `You said: "…". This is a mock answer (1a2b3c4d).`, with the beginning of the last
//! user message and eight digits of the request's SHA-256, `stream` and `stream_options` left out.
//! After a tool's result it is `The tool said: "…".`. Tools are called as [`tools`] says; JSON is
//! made for its schema as [`schema`] says.
//!
//! # Tokens
//! A completion has one token for each of its pieces: white space and the word after it, at most
//! twelve characters ([`piece`]). A piece is also what one chunk of a stream holds and what one log probability
//! stands for, and `max_tokens` counts pieces. In a tool call the name is one token. A prompt has a
//! token for every four bytes of text, rounded up for each message, and [`prompt`]'s overheads.

mod chat;
mod completions;
mod conversation;
mod digest;
mod embeddings;
mod fault;
mod logprobs;
mod piece;
mod prompt;
mod reply;
mod request;
mod said;
mod schema;
mod script;
mod tools;
mod wire;

use crate::{
    config::valid::{MockEffect, MockPolicy},
    openai::Endpoint,
    units::{DurationMs, UnixMs},
};
pub use reply::Reply;
use reply::{Answer, Complaint, Setting};
use request::Request;
use script::Script;

/// What the mock does with one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// How long nothing happens at first.
    pub latency: DurationMs,
    /// What happens then.
    pub outcome: Outcome,
}

/// What happens after the latency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The connection breaks before headers.
    Reset,
    /// Nothing comes, not even headers, until the call is called off.
    Silence,
    /// A whole reply.
    Whole(Reply),
    /// Status 200 and an event stream.
    Stream(Stream),
}

/// An event stream: `text/event-stream`, status 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Complete events, each `data: …` and an empty line. The first comes at once; before an
    /// [`Ending::Done`] the last is `data: [DONE]`.
    pub chunks: Vec<Vec<u8>>,
    /// The time between two chunks.
    pub interval: DurationMs,
    /// What comes after the last chunk.
    pub ending: Ending,
}

/// How an event stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// As it should: the answer is finished.
    Done,
    /// The connection ends with the answer unfinished.
    Cut,
    /// Nothing more comes until the call is called off; the answer is unfinished.
    Stall,
}

/// Decides what the mock does with a call.
///
/// `body` is the JSON that goes to the target. `ordinal` counts the calls to this provider from 1
/// and gives configured faults their turns. `script` is the request's `tollhouse-mock` header,
/// heard only where the policy lets requests script their own faults; where it names a fault, that
/// one is played instead of a configured one. `now` becomes `created`.
///
/// A script, or a request, that the mock does not understand is answered with status 400 and an
/// error body that says what was found.
pub fn plan(
    endpoint: Endpoint,
    body: &[u8],
    policy: &MockPolicy,
    ordinal: u64,
    script: Option<&str>,
    now: UnixMs,
) -> Plan {
    let heard = script.filter(|_| policy.scripted_by_header).unwrap_or_default();
    let script = match Script::parse(heard) {
        Ok(script) => script,
        Err(problem) => {
            let outcome = Outcome::Whole(Complaint::script(&problem).reply());
            return Plan { latency: policy.latency, outcome };
        }
    };
    let latency = script.latency.unwrap_or(policy.latency);
    let interval = script.chunk_interval.unwrap_or(policy.chunk_interval);
    let effect = script
        .effect
        .or_else(|| fault::due(&policy.faults, ordinal).map(|fault| fault.effect.clone()));
    let setting = Setting { now, text: script.text, usage: script.usage };
    let answer = || answer(endpoint, body, &setting);
    let outcome = match effect {
        Some(MockEffect::Reset) => Outcome::Reset,
        Some(MockEffect::Stall { after_chunks: 0 }) => Outcome::Silence,
        Some(MockEffect::Status { status, retry_after }) => {
            Outcome::Whole(Reply::error(status, retry_after))
        }
        Some(MockEffect::Cut { after_chunks }) => {
            broken(answer(), after_chunks, Ending::Cut, interval)
        }
        Some(MockEffect::Stall { after_chunks }) => {
            broken(answer(), after_chunks, Ending::Stall, interval)
        }
        None => unbroken(answer(), interval),
    };
    Plan { latency, outcome }
}

fn answer(endpoint: Endpoint, body: &[u8], setting: &Setting) -> Result<Answer, Complaint> {
    let request = Request::parse(body)?;
    match endpoint {
        Endpoint::ChatCompletions => chat::answer(&request, setting),
        Endpoint::Completions => Ok(completions::answer(&request, setting)),
        Endpoint::Embeddings => embeddings::answer(&request, setting),
    }
}

fn unbroken(answer: Result<Answer, Complaint>, interval: DurationMs) -> Outcome {
    match answer {
        Ok(Answer::Whole(body)) => Outcome::Whole(Reply::json(body)),
        Ok(Answer::Stream { chunks, open: _ }) => {
            Outcome::Stream(Stream { chunks, interval, ending: Ending::Done })
        }
        Err(complaint) => Outcome::Whole(complaint.reply()),
    }
}

/// Ends a stream after `after` chunks, and before the one that would finish the answer. A reply
/// that is not streamed breaks as a whole.
fn broken(
    answer: Result<Answer, Complaint>,
    after: u32,
    ending: Ending,
    interval: DurationMs,
) -> Outcome {
    match (answer, ending) {
        (Ok(Answer::Stream { mut chunks, open }), Ending::Cut | Ending::Stall) => {
            chunks.truncate(open.min(usize::try_from(after).unwrap_or(usize::MAX)));
            Outcome::Stream(Stream { chunks, interval, ending })
        }
        (Ok(Answer::Whole(_)), Ending::Cut) => Outcome::Reset,
        (Ok(Answer::Whole(_)), Ending::Stall) => Outcome::Silence,
        (answer, Ending::Done) | (answer @ Err(_), Ending::Cut | Ending::Stall) => {
            unbroken(answer, interval)
        }
    }
}

#[cfg(test)]
mod tests;
