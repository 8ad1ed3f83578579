//! What the gateway reads of one chunk: borrowed from it, and only what it needs.
//!
//! Text is as the model wrote it, escapes decoded. Of what a delta holds beside text (tool calls,
//! parts) only the text in it is read.

mod delta;

use std::borrow::Cow;

use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use super::fault::Fault;

pub(super) use delta::Delta;

/// A chunk of a chat or completion stream.
#[derive(Debug, Deserialize)]
pub(super) struct Chunk<'a> {
    /// The answer's id.
    #[serde(borrow, default)]
    pub(super) id: Option<Text<'a>>,
    /// The provider's own name of the model.
    #[serde(borrow, default)]
    pub(super) model: Option<Text<'a>>,
    /// The choices that this chunk adds to.
    #[serde(borrow, default)]
    pub(super) choices: Option<Vec<Choice<'a>>>,
    /// The usage as it is written: in the last chunk, in the one before it, or in every one.
    #[serde(borrow, default)]
    pub(super) usage: Option<&'a RawValue>,
    /// An error where a chunk should be.
    #[serde(borrow, default)]
    pub(super) error: Option<&'a RawValue>,
}

/// What a chunk adds to one choice.
#[derive(Debug, Deserialize)]
pub(super) struct Choice<'a> {
    /// Which of the `n` answers.
    #[serde(default)]
    pub(super) index: u32,
    /// What is added, in a chat.
    #[serde(borrow, default)]
    pub(super) delta: Option<Delta<'a>>,
    /// What is added, in a completion.
    #[serde(borrow, default)]
    text: Option<Text<'a>>,
    /// Log probabilities of what is added, where the caller asked for them.
    #[serde(default)]
    pub(super) logprobs: Option<IgnoredAny>,
    /// Why the choice is complete, once it is.
    #[serde(borrow, default)]
    finish_reason: Option<Text<'a>>,
}

/// Text, borrowed unless it holds escapes.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl Choice<'_> {
    /// Why the choice is complete. Some servers write an empty reason while it is not.
    pub(super) fn finish(&self) -> Option<&str> {
        let reason = self.finish_reason.as_ref()?;
        Some(reason.0.as_ref()).filter(|reason| !reason.is_empty())
    }

    /// The answer's text: a completion's text, or else a chat's content.
    pub(super) fn content(&self) -> &str {
        match (&self.text, &self.delta) {
            (Some(text), _) => &text.0,
            (None, Some(delta)) => &delta.content,
            (None, None) => "",
        }
    }

    /// The text, refusal, reasoning and tool arguments that this chunk adds.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let text = self.text.iter().map(|text| text.0.as_ref());
        text.chain(self.delta.iter().flat_map(Delta::texts))
    }

    /// Whether there is more in it than a role.
    pub(super) fn says_something(&self) -> bool {
        self.texts().any(|text| !text.is_empty())
            || self.delta.as_ref().is_some_and(|delta| delta.has_more)
            || self.finish().is_some()
    }
}

/// Reads the data of an event other than `[DONE]`.
///
/// # Errors
/// [`Fault::Reported`] for an error object, [`Fault::Malformed`] for what is no chunk.
pub(super) fn read_chunk(data: &str) -> Result<Chunk<'_>, Fault> {
    let chunk: Chunk<'_> = serde_json::from_str(data).map_err(|_| Fault::Malformed)?;
    if let Some(error) = chunk.error {
        return Err(Fault::Reported(error.get().to_owned()));
    }
    if chunk.choices.is_some() || chunk.usage.is_some() {
        return Ok(chunk);
    }
    Err(match serde_json::from_str(data) {
        Ok(FlatError { object: "error" }) => Fault::Reported(data.to_owned()),
        Ok(_) | Err(_) => Fault::Malformed,
    })
}

/// An error as older servers (vLLM, `FastChat`) write it, with its message beside it.
#[derive(serde::Deserialize)]
struct FlatError<'a> {
    object: &'a str,
}
