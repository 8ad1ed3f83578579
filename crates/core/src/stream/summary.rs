//! What a stream has told so far.

use super::{chunk::Chunk, fault::Fault, tally::Tally};
use crate::{openai::usage::Reported, price::Usage};

/// The most choices that a stream may have, well above OpenAI's limits of `n` and of a batch.
const MAX_CHOICES: usize = 4096;

/// Reasons with which servers end an answer that they did not finish: Mistral and OpenRouter, vLLM
/// and SGLang, DeepSeek.
const BROKEN_OFF: [&str; 3] = ["error", "abort", "insufficient_system_resource"];

/// What a provider's stream has told so far.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Something of an answer has come: text, a tool call, a finish. A role alone is nothing yet.
    pub begun: bool,
    /// The provider's last word on usage.
    pub usage: Option<Usage>,
    /// The provider's id of the answer.
    pub id: Option<Box<str>>,
    /// The provider's own name of the model.
    pub model: Option<Box<str>>,
    /// Text, refusals, reasoning and tool arguments, for an estimate of tokens.
    pub said: Tally,
    /// Why each choice is complete, by its index; `None` while it is not.
    pub finishes: Vec<Option<String>>,
    /// How many choices were asked for.
    expected: usize,
}

impl Summary {
    /// Nothing yet, of an answer with `expected` choices.
    pub(super) fn of(expected: usize) -> Self {
        Self { expected, ..Self::default() }
    }

    /// Whether every choice that was asked for or begun is complete, so that nothing but usage and
    /// `[DONE]` can follow.
    pub fn is_finished(&self) -> bool {
        self.finishes.len() >= self.expected && self.is_complete()
    }

    /// Whether every choice that was begun is complete, and one was. A server that knows nothing of
    /// `n` makes fewer choices than were asked for.
    pub(super) fn is_complete(&self) -> bool {
        !self.finishes.is_empty() && self.finishes.iter().all(Option::is_some)
    }

    /// Reads one chunk.
    pub(super) fn note(&mut self, chunk: &Chunk<'_>) -> Result<(), Fault> {
        for choice in chunk.choices.iter().flatten() {
            let index = usize::try_from(choice.index).unwrap_or(usize::MAX);
            if index >= MAX_CHOICES {
                return Err(Fault::Malformed);
            }
            if self.finishes.len() <= index {
                self.finishes.resize(index + 1, None);
            }
            if let (Some(reason), Some(finish @ None)) =
                (choice.finish(), self.finishes.get_mut(index))
            {
                if BROKEN_OFF.contains(&reason) {
                    return Err(Fault::Interrupted);
                }
                *finish = Some(reason.to_owned());
            }
            for text in choice.texts() {
                self.said.add(index, text);
            }
            self.begun |= choice.says_something();
        }
        if let Some(usage) = chunk.usage {
            let reported = serde_json::from_str::<Reported>(usage.get()).ok();
            self.usage = reported.and_then(Reported::usage).or(self.usage);
        }
        note_name(&mut self.id, chunk.id.as_ref().map(|id| id.0.as_ref()));
        note_name(&mut self.model, chunk.model.as_ref().map(|model| model.0.as_ref()));
        Ok(())
    }

    /// Another provider's stream follows; only what is complete stays so.
    pub(super) fn follow_on(&mut self) {
        let finishes = std::mem::take(&mut self.finishes);
        *self = Self { finishes, ..Self::of(self.expected) };
    }
}

/// The first name that is one: Azure's first chunk has empty ones.
fn note_name(known: &mut Option<Box<str>>, name: Option<&str>) {
    if known.is_none() {
        *known = name.filter(|name| !name.is_empty()).map(Box::from);
    }
}
