//! What the caller has got of an answer so far: the point from which another provider must go on.

use super::{chunk::Chunk, object::Object};

/// The longest text that is remembered, over all choices, in bytes.
pub const MAX_TRANSCRIPT_BYTES: usize = 1 << 20;

/// Why no other provider can go on with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unrecoverable {
    /// The text that was sent was not remembered.
    #[error("the text that was sent was not remembered")]
    NotKept,
    /// More text was sent than is remembered.
    #[error("more than {MAX_TRANSCRIPT_BYTES} bytes of text were sent")]
    TooLong,
    /// A part of something was sent that is no text: a tool call, audio.
    #[error("a part of a tool call, or of another answer that is no text, was sent")]
    InFlight,
    /// Log probabilities were sent, which belong to one model.
    #[error("log probabilities were sent, which another model does not share")]
    Logprobs,
}

/// What was sent, as its pieces went out.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    identity: Option<Identity>,
    voices: Vec<Voice>,
    bytes: usize,
    lost: Option<Unrecoverable>,
}

/// What makes chunks one answer; values as they were written in JSON.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) id: String,
    pub(super) created: Option<String>,
}

/// What was sent of one choice.
#[derive(Debug, Default)]
pub(super) struct Voice {
    pub(super) has_role: bool,
    /// A chat's content or a completion's text.
    pub(super) content: String,
    pub(super) reasoning: String,
    pub(super) refusal: String,
    pub(super) is_finished: bool,
}

/// What the caller has got of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Sent<'a>(&'a Transcript);

impl<'a> Sent<'a> {
    /// The text to give another model as the beginning of its own answer (a chat's last, unfinished
    /// assistant message; a completion's prompt, continued), without the white space at its end,
    /// which templates and APIs refuse or garble.
    ///
    /// There is none for several choices, for a refusal, and where no text was sent.
    pub fn prefill(self) -> Option<&'a str> {
        let [voice] = self.0.voices.as_slice() else { return None };
        let text = voice.content.trim_end();
        (voice.refusal.is_empty() && !text.is_empty()).then_some(text)
    }

    pub(super) fn identity(self) -> Option<&'a Identity> {
        self.0.identity.as_ref()
    }

    pub(super) fn voices(self) -> &'a [Voice] {
        &self.0.voices
    }
}

impl Transcript {
    pub(super) fn sent(&self) -> Result<Sent<'_>, Unrecoverable> {
        match self.lost {
            Some(why) => Err(why),
            None => Ok(Sent(self)),
        }
    }

    /// What was sent of choice `index`.
    pub(super) fn voice(&self, index: usize) -> Option<&Voice> {
        self.voices.get(index)
    }

    /// Adds a chunk that goes to the caller.
    pub(super) fn note(&mut self, data: &str, chunk: &Chunk<'_>) {
        if self.lost.is_some() {
            return;
        }
        if self.identity.is_none() && chunk.id.as_ref().is_some_and(|id| !id.0.is_empty()) {
            self.identity = identity(data);
        }
        for choice in chunk.choices.iter().flatten() {
            let index = usize::try_from(choice.index).unwrap_or(usize::MAX);
            if self.voices.len() <= index {
                self.voices.resize_with(index.saturating_add(1), Voice::default);
            }
            let Some(voice) = self.voices.get_mut(index) else { continue };
            voice.content.push_str(choice.content());
            self.bytes += choice.content().len();
            voice.is_finished |= choice.finish().is_some();
            if choice.logprobs.is_some() {
                self.lost = Some(Unrecoverable::Logprobs);
            }
            let Some(delta) = &choice.delta else { continue };
            voice.has_role |= delta.has_role;
            voice.reasoning.push_str(&delta.reasoning);
            voice.refusal.push_str(&delta.refusal);
            self.bytes += delta.reasoning.len() + delta.refusal.len();
            if delta.has_more {
                self.lost = Some(Unrecoverable::InFlight);
            }
        }
        if self.bytes > MAX_TRANSCRIPT_BYTES {
            self.lost = Some(Unrecoverable::TooLong);
        }
        if self.lost.is_some() {
            self.voices = Vec::new();
        }
    }
}

fn identity(data: &str) -> Option<Identity> {
    let chunk = Object::parse(data)?;
    let id = chunk.get("id")?.to_owned();
    Some(Identity { id, created: chunk.get("created").map(str::to_owned) })
}
