//! The ways in which a provider fails, as data: each file of fixtures/faults is one, with what the
//! caller then sees and what the provider saw.
//!
//! A case is one fault met by one kind of call, whole or streamed. Every target of a case is a
//! provider on a socket of its own, which plays its answers in order and is well afterwards.

mod answer;
mod case;
mod report;

pub use answer::{Answer, Break, WELL};
pub use case::{Case, Delivery};
pub use report::{Report, Told};

use std::{collections::BTreeMap, fs};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::workerd::root;

/// A fault and what is expected of it; the name is its file's.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What happens, in a sentence.
    pub about: String,
    /// Further keys of the model.
    #[serde(default)]
    pub model: toml::Table,
    /// How often the SDK may try again; by default as often as it does by itself.
    pub sdk_retries: Option<u32>,
    /// What is asked of the model besides the messages.
    #[serde(default)]
    pub ask: toml::Table,
    /// The model's targets, in order.
    pub targets: Vec<TargetScript>,
    /// What is expected of a call for a whole answer and of one for a stream alike.
    pub both: Option<Expected>,
    /// What is expected of a call for a whole answer.
    pub whole: Option<Expected>,
    /// What is expected of a call for a stream.
    pub streamed: Option<Expected>,
}

/// One target and how it fails.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetScript {
    /// Its answers, in order; it is well after the last.
    #[serde(default)]
    pub answers: Vec<Answer>,
    /// Further keys of the target.
    #[serde(default)]
    pub keys: toml::Table,
    /// Whether nobody listens at its address.
    #[serde(default)]
    pub unreachable: bool,
}

/// What the caller sees, and what each target saw.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The exception's class; none is an answer.
    pub raises: Option<String>,
    /// The exception's status, where it came instead of an answer.
    pub status: Option<u16>,
    /// The exception's code.
    pub code: Option<String>,
    /// A part of the exception's message.
    pub says: Option<String>,
    /// The header `x-should-retry`.
    pub should_retry: Option<String>,
    /// The text that came, up to the exception where there was one.
    #[serde(default)]
    pub text: String,
    /// The finish reason, `stop` for an answer unless it says otherwise.
    pub finish: Option<String>,
    /// All tokens that the caller is told of.
    pub tokens: Option<u64>,
    /// How often each target was asked.
    pub asked: Vec<usize>,
    /// How many attempts the log names, where some met nobody.
    pub attempts: Option<usize>,
    /// The text of an answer that the last call of the last target was to go on with.
    pub given: Option<String>,
    /// The least time between the calls of the first target, in milliseconds.
    #[serde(default)]
    pub pauses_ms: Vec<u64>,
    /// How many calls of each target were called off; none by default.
    #[serde(default)]
    pub cancelled: Vec<usize>,
}

impl Fault {
    /// Every fault of fixtures/faults, by name.
    ///
    /// # Errors
    /// Names the file that cannot be read.
    pub fn all() -> Result<BTreeMap<String, Self>> {
        let mut faults = BTreeMap::new();
        for entry in fs::read_dir(root()?.join("fixtures/faults"))? {
            let path = entry?.path();
            let name = path.file_stem().and_then(|stem| stem.to_str()).context("a file's name")?;
            let text = fs::read_to_string(&path)?;
            let fault = toml::from_str(&text).with_context(|| path.display().to_string())?;
            faults.insert(name.to_owned(), fault);
        }
        Ok(faults)
    }

    /// The kinds of call that the fault is met by, with what is expected.
    pub fn deliveries(&self) -> impl Iterator<Item = (Delivery, &Expected)> {
        let expected = [
            (Delivery::Whole, self.whole.as_ref().or(self.both.as_ref())),
            (Delivery::Streamed, self.streamed.as_ref().or(self.both.as_ref())),
        ];
        expected.into_iter().filter_map(|(delivery, expected)| Some((delivery, expected?)))
    }
}
