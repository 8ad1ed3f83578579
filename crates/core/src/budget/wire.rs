//! What isolates and a budget's object say to each other, as JSON.
//!
//! One message, so that a report never needs a call of its own when a question goes out anyway.
//! Everything said about a sum taken out is a running total: saying it twice is saying it once.

use serde::{Deserialize, Serialize};

/// How every message to a budget begins; the limiter's other messages begin otherwise.
const START: &[u8] = b"{\"budget\":";

/// Whether `message` is one for a budget's account.
pub fn is_message(message: &[u8]) -> bool {
    message.starts_with(START)
}

/// The message as it is sent.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Envelope {
    pub(super) budget: Message,
}

/// From an isolate: accounts of sums taken out before, then a question for a new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Message {
    /// Which of the isolate's messages this is; the answer repeats it.
    pub(super) seq: u64,
    /// `day`, `week` or `month`.
    pub(super) per: PeriodWire,
    /// What became of earlier sums.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) said: Vec<Statement>,
    /// What is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ask: Option<Ask>,
}

/// A period's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum PeriodWire {
    Day,
    Week,
    Month,
}

/// What became of a sum so far, in micro-dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Statement {
    /// The sum's number.
    #[serde(rename = "l")]
    pub(super) lease: u64,
    /// Brought back, in all.
    #[serde(rename = "b", default)]
    pub(super) back: u64,
    /// Spent beyond the sum, in all.
    #[serde(rename = "o", default)]
    pub(super) over: u64,
    /// Set aside for calls that still run.
    #[serde(rename = "r", default)]
    pub(super) open: u64,
    /// Whether nothing more will be said of it.
    #[serde(rename = "d", default)]
    pub(super) done: bool,
}

/// What is asked for, in micro-dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ask {
    /// The budget; the object has no configuration of its own.
    pub(super) limit: u64,
    /// What the asking call needs: this or nothing.
    pub(super) need: u64,
    /// What the isolate expects to need soon: a share of what is left.
    #[serde(default)]
    pub(super) want: u64,
}

/// The object's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answer {
    /// The message that is answered.
    pub(super) seq: u64,
    /// Milliseconds to the end of the period.
    pub(super) ends_in: u64,
    /// What came of the question, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) outcome: Option<Outcome>,
}

/// What came of a question, in micro-dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// A sum of `size` is taken out under the number `id`.
    Lease { id: u64, size: u64 },
    /// Only `left` is left; another `out` is taken out and may yet come back in part.
    Short { left: u64, out: u64 },
}
