//! What isolates and the limiter object say to each other, as JSON.
//!
//! One message, so that a report never needs a call of its own when a question is going out anyway.
//! Everything said about a lease is a running total: saying it twice is saying it once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// From an isolate to a group's object: accounts of old leases, then a question for new ones.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Message {
    /// Which of the isolate's messages this is; the answer repeats it.
    pub(super) seq: u64,
    /// How long the leases asked for shall last, in milliseconds.
    pub(super) life: u64,
    /// Accounts of leases that are over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) said: Vec<Statement>,
    /// By bucket, what is asked for: all of it or none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) asks: BTreeMap<String, Line>,
}

/// What became of a lease so far. The lease is over: nothing more will be taken from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Statement {
    /// The bucket's name in its group.
    #[serde(rename = "b")]
    pub(super) bucket: String,
    /// The lease.
    #[serde(rename = "l")]
    pub(super) lease: u64,
    /// Pieces handed back, in all.
    #[serde(rename = "u", default)]
    pub(super) unused: u64,
    /// Pieces used beyond the lease, in all.
    #[serde(rename = "o", default)]
    pub(super) over: u64,
    /// Pieces reserved by calls that still run, some of which may yet come back.
    #[serde(rename = "r", default)]
    pub(super) open: u64,
}

/// What is asked of one bucket, in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    /// The limit a minute; the object has no configuration of its own.
    pub(super) limit: u64,
    /// What the asking call needs: this or nothing.
    pub(super) need: u64,
    /// What other calls that wait in the isolate need: as much of it as there is.
    #[serde(default)]
    pub(super) also: u64,
    /// What the isolate expects to need soon: a share of what remains.
    #[serde(default)]
    pub(super) want: u64,
}

/// The object's answer.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answer {
    /// The message that is answered.
    pub(super) seq: u64,
    /// By bucket that was asked for.
    pub(super) buckets: BTreeMap<String, Position>,
}

/// How a bucket stands after the question.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Position {
    /// Its level in sixty-thousandths of a piece.
    pub(super) level: i128,
    /// Pieces on lease, to anybody.
    pub(super) held: u64,
    /// What came of the question.
    pub(super) outcome: Outcome,
}

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Outcome {
    /// A lease of `size` pieces.
    Lease { id: u64, size: u64 },
    /// There are not `need` pieces, and will not be for `wait` milliseconds.
    Dry { need: u64, wait: u64 },
    /// There are enough, but another bucket of the group is dry, so none were taken.
    Spared,
}
