//! What callers do and what providers answer: every kind of call that the soak mixes.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use crate::{
    faults::{Answer, Break, Delivery, WELL},
    provider::{Step, chat_stream, end_of_stream, raw_chunk},
};

/// One kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    Well,
    Late,
    OneError,
    OneLimited,
    OneReset,
    Down,
    Page,
    HalfBody,
    Redirected,
    TooLong,
    Stream,
    PacedStream,
    CutStream,
    ResetStream,
    StalledStream,
    MalformedStream,
    StreamWithoutDone,
    StreamWithError,
    Dead,
    Cached,
    OutOfBounds,
    UnknownModel,
    WrongKey,
    Scarce,
    HalfClosed,
    LeftAtAWord,
    LeftInSilence,
}

/// One round of calls; the rounds follow one another.
pub const ROUND: [Kind; 40] = [
    Kind::Well,
    Kind::Stream,
    Kind::LeftAtAWord,
    Kind::OneError,
    Kind::PacedStream,
    Kind::Cached,
    Kind::CutStream,
    Kind::Well,
    Kind::LeftInSilence,
    Kind::Stream,
    Kind::OneLimited,
    Kind::Scarce,
    Kind::Late,
    Kind::MalformedStream,
    Kind::Cached,
    Kind::Stream,
    Kind::Well,
    Kind::LeftAtAWord,
    Kind::OneReset,
    Kind::OutOfBounds,
    Kind::PacedStream,
    Kind::HalfClosed,
    Kind::StreamWithoutDone,
    Kind::Down,
    Kind::Well,
    Kind::Stream,
    Kind::Cached,
    Kind::WrongKey,
    Kind::ResetStream,
    Kind::Page,
    Kind::LeftInSilence,
    Kind::Stream,
    Kind::HalfBody,
    Kind::Dead,
    Kind::StreamWithError,
    Kind::UnknownModel,
    Kind::TooLong,
    Kind::StalledStream,
    Kind::Redirected,
    Kind::Well,
];

/// Prompts of the kind [`Kind::Cached`], so that most of its calls are hits.
const CACHED_PROMPTS: u64 = 16;

/// How a caller calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It reads to the end.
    Whole,
    /// It closes its side after the request and reads to the end.
    HalfClosed,
    /// It hangs up at the first word.
    LeavesAtAWord,
    /// It hangs up when the provider has its call.
    LeavesInSilence,
}

/// What is fixed about a kind.
struct Facts {
    delivery: Delivery,
    manner: Manner,
    key: &'static str,
    model: &'static str,
}

impl Kind {
    /// The kind of the call of this number.
    pub fn of(number: u64) -> Self {
        let place = usize::try_from(number).unwrap_or(0) % ROUND.len();
        ROUND.get(place).copied().unwrap_or(Self::Well)
    }

    /// How it is called.
    pub const fn manner(self) -> Manner {
        self.facts().manner
    }

    /// The caller's key.
    pub const fn key(self) -> &'static str {
        self.facts().key
    }

    /// The request's body; `number` tells the calls apart for the provider.
    pub fn body(self, number: u64) -> Value {
        let number = if self == Self::Cached { number % CACHED_PROMPTS } else { number };
        let max_tokens = if self == Self::OutOfBounds { 20_000_000 } else { 1000 };
        json!({
            "model": self.facts().model,
            "stream": self.facts().delivery == Delivery::Streamed,
            "max_tokens": max_tokens,
            "messages": [{"role": "user", "content": format!("call {number} of kind {self:?}.")}],
        })
    }

    /// What the provider answers to the attempt of this number, counted from 0.
    pub fn answer(self, attempt: u32) -> Vec<Step> {
        let broken = |by| Answer::Broken { words: 3, by };
        let once = |answer| if attempt == 0 { answer } else { Answer::Well };
        let answer = match self {
            Self::Well
            | Self::Cached
            | Self::Scarce
            | Self::OutOfBounds
            | Self::UnknownModel
            | Self::WrongKey => Answer::Well,
            Self::PacedStream => return with_whole_end(paced(6, 20)),
            // Until the gateway hangs up.
            Self::LeftAtAWord => return paced(600, 100),
            Self::Stream | Self::HalfClosed => return with_whole_end(chat_stream(&WELL)),
            Self::LeftInSilence => Answer::Silence,
            Self::Late => Answer::Late { ms: 150 },
            Self::OneError => once(error(500, "boom", "it failed", &[])),
            Self::OneLimited => {
                let wait = [("retry-after-ms", "50")];
                once(error(429, "rate_limit_exceeded", "slow down", &wait))
            }
            Self::OneReset => once(Answer::Reset),
            Self::HalfBody => once(broken(Break::Close)),
            Self::Down | Self::Dead => error(503, "unavailable", "we are down", &[]),
            Self::Page => reply("text/html", "<html>All is well.</html>", 200),
            Self::Redirected => reply("text/plain", "", 307),
            Self::TooLong => {
                error(400, "context_length_exceeded", "the maximum context length is 10", &[])
            }
            Self::CutStream => broken(Break::Close),
            Self::ResetStream => broken(Break::Reset),
            Self::StalledStream => broken(Break::Stall),
            Self::MalformedStream => broken(Break::Malformed),
            Self::StreamWithError => broken(Break::Error),
            Self::StreamWithoutDone => Answer::NoDone,
        };
        answer.steps(self.facts().delivery)
    }

    /// The kind and number of a call, from its body.
    pub fn read(body: &[u8]) -> Option<(Self, u64)> {
        let text = String::from_utf8_lossy(body);
        let (_, rest) = text.split_once("call ")?;
        let (number, rest) = rest.split_once(" of kind ")?;
        let (name, _) = rest.split_once('.')?;
        let kind = ROUND.into_iter().find(|kind| format!("{kind:?}") == name)?;
        Some((kind, number.parse().ok()?))
    }

    #[rustfmt::skip]
    const fn facts(self) -> Facts {
        use Delivery::{Streamed, Whole};
        let (delivery, manner, key, model) = match self {
            Self::Well | Self::Late | Self::OneError | Self::OneLimited | Self::OneReset | Self::Down | Self::Page
            | Self::HalfBody | Self::Redirected | Self::TooLong | Self::OutOfBounds => (Whole, Manner::Whole, "soak-key", "m"),
            Self::Stream | Self::PacedStream | Self::ResetStream | Self::MalformedStream | Self::StreamWithoutDone
            | Self::StreamWithError => (Streamed, Manner::Whole, "soak-key", "m"),
            Self::CutStream | Self::StalledStream => (Streamed, Manner::Whole, "held-key", "m"),
            Self::LeftAtAWord => (Streamed, Manner::LeavesAtAWord, "held-key", "m"),
            Self::LeftInSilence => (Whole, Manner::LeavesInSilence, "held-key", "m"),
            Self::HalfClosed => (Streamed, Manner::HalfClosed, "soak-key", "m"),
            Self::Dead => (Whole, Manner::Whole, "soak-key", "dead"),
            Self::Cached => (Whole, Manner::Whole, "soak-key", "cached"),
            Self::UnknownModel => (Whole, Manner::Whole, "soak-key", "nothing-like-it"),
            Self::WrongKey => (Whole, Manner::Whole, "wrong-key", "m"),
            Self::Scarce => (Whole, Manner::Whole, "scarce-key", "m"),
        };
        Facts { delivery, manner, key, model }
    }
}

fn error(status: u16, code: &str, message: &str, headers: &[(&str, &str)]) -> Answer {
    let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Answer::Error { status, code: code.into(), message: message.into(), headers }
}

fn reply(content_type: &str, body: &str, status: u16) -> Answer {
    let headers = BTreeMap::new();
    Answer::Reply { status, r#type: content_type.into(), headers, body: body.into() }
}

/// A stream of words with pauses before them.
fn paced(words: usize, millis: u64) -> Vec<Step> {
    let pause = || Step::Wait(Duration::from_millis(millis));
    let place = 2..2 + words;
    let steps = chat_stream(&vec!["word "; words]).into_iter().enumerate();
    steps
        .flat_map(|(index, step)| {
            let before = place.contains(&index).then(pause);
            before.into_iter().chain([step])
        })
        .collect()
}

/// The same stream with all that follows its last word in one chunk: on a busy machine it could come
/// too late for the gateway, which waits a second for the usage of an answer that is complete.
fn with_whole_end(mut steps: Vec<Step>) -> Vec<Step> {
    /// Finish, usage, `[DONE]` and the end of the body.
    const END: usize = 4;
    let end = steps.split_off(steps.len().saturating_sub(END));
    let events: Vec<u8> = end.iter().flat_map(|step| content(step).to_vec()).collect();
    steps.extend([raw_chunk(&events), end_of_stream()]);
    steps
}

/// What an HTTP chunk holds.
fn content(step: &Step) -> &[u8] {
    let Step::Send(chunk) = step else { return &[] };
    let head = chunk.windows(2).position(|pair| pair == b"\r\n").map_or(0, |at| at + 2);
    chunk.get(head..chunk.len().saturating_sub(2)).unwrap_or_default()
}
