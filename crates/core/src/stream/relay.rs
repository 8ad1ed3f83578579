//! One provider's stream on its way to one caller.

use super::{
    chunk::Chunk,
    recording::Recording,
    sse::{Decoder, SseError},
};
use crate::{openai::usage::Reported, price::Usage};

/// Why a stream failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// An event that is no chunk; it has not reached the caller.
    #[error("the provider sent an event that is no chunk")]
    Malformed,
    /// The provider sent an error object, here as it was written.
    #[error("the provider sent an error in its stream")]
    Reported(String),
    /// The stream ended before its answer did.
    #[error("the provider's stream ended before its answer did")]
    Interrupted,
    /// An event is longer than the gateway holds.
    #[error("the provider sent an event that is too long")]
    TooLong,
}

impl From<SseError> for Fault {
    fn from(error: SseError) -> Self {
        match error {
            SseError::TooLong => Self::TooLong,
            SseError::NotUtf8 => Self::Malformed,
        }
    }
}

/// What a stream has told so far.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// An event with a choice has come: the answer has begun.
    pub begun: bool,
    /// The provider's last word on usage.
    pub usage: Option<Usage>,
    /// The provider's own name of the model.
    pub model: Option<String>,
    /// Bytes of text, refusals, reasoning and tool arguments, for an estimate of tokens.
    pub content_bytes: u64,
    /// Why each choice is complete, by its index; `None` while it is not.
    pub finishes: Vec<Option<String>>,
}

impl Summary {
    /// Whether every choice that was begun is complete.
    pub fn is_finished(&self) -> bool {
        !self.finishes.is_empty() && self.finishes.iter().all(Option::is_some)
    }
}

/// Passes a provider's events on to the caller and reads them on the way.
#[derive(Debug)]
pub struct Relay {
    decoder: Decoder,
    usage_asked: bool,
    summary: Summary,
    recording: Option<Recording>,
    done: bool,
}

/// The most choices that a stream may have, OpenAI's limit of `n`.
const MAX_CHOICES: usize = 128;

impl Relay {
    /// A relay for a caller who asked to see the usage, or did not.
    pub fn new(usage_asked: bool) -> Self {
        Self {
            decoder: Decoder::default(),
            usage_asked,
            summary: Summary::default(),
            recording: None,
            done: false,
        }
    }

    /// Keeps what passes, for the cache.
    pub fn recorded(mut self) -> Self {
        self.recording = Some(Recording::default());
        self
    }

    /// Reads the provider's next bytes and adds what the caller gets for them to `out`.
    ///
    /// # Errors
    /// The stream has failed; what was added to `out` before is still good.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        let mut decoder = std::mem::take(&mut self.decoder);
        let result = decoder.push(bytes, |data| self.event(data, out));
        self.decoder = decoder;
        result
    }

    /// The provider's stream has ended: a finished answer is completed, another one has failed.
    ///
    /// # Errors
    /// [`Fault::Interrupted`].
    pub fn end(&mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        if self.done {
            return Ok(());
        }
        if !self.summary.is_finished() {
            return Err(Fault::Interrupted);
        }
        self.complete(out);
        Ok(())
    }

    /// Whether the answer is whole, `[DONE]` included.
    pub const fn is_done(&self) -> bool {
        self.done
    }

    /// What the stream has told so far.
    pub const fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The whole stream for the cache, once it is done.
    pub fn into_recording(self) -> Option<Vec<u8>> {
        if self.done { self.recording?.into_bytes() } else { None }
    }

    fn event(&mut self, data: &str, out: &mut Vec<u8>) -> Result<(), Fault> {
        if self.done {
            return Ok(());
        }
        if data.trim() == "[DONE]" {
            if !self.summary.is_finished() {
                return Err(Fault::Interrupted);
            }
            self.complete(out);
            return Ok(());
        }
        let chunk: Chunk<'_> = serde_json::from_str(data).map_err(|_| Fault::Malformed)?;
        if let Some(error) = chunk.error.filter(|error| error.get() != "null") {
            return Err(Fault::Reported(error.get().to_owned()));
        }
        self.note(&chunk)?;
        if let Some(recording) = &mut self.recording {
            recording.add(data);
        }
        let has_choices = chunk.choices.as_ref().is_some_and(|choices| !choices.is_empty());
        match (chunk.usage.is_some() && !self.usage_asked, has_choices) {
            (false, _) => write_event(out, data),
            // Only the usage, for which the caller did not ask.
            (true, false) => {}
            (true, true) => write_event(out, &without_usage(data)?),
        }
        Ok(())
    }

    fn note(&mut self, chunk: &Chunk<'_>) -> Result<(), Fault> {
        // A chunk has choices, if only none; anything else is some other object.
        let Some(choices) = &chunk.choices else {
            self.note_usage(chunk);
            return if chunk.usage.is_some() { Ok(()) } else { Err(Fault::Malformed) };
        };
        for choice in choices {
            let index = usize::try_from(choice.index).unwrap_or(usize::MAX);
            if index >= MAX_CHOICES {
                return Err(Fault::Malformed);
            }
            if self.summary.finishes.len() <= index {
                self.summary.finishes.resize(index + 1, None);
            }
            if let (Some(reason), Some(finish)) =
                (&choice.finish_reason, self.summary.finishes.get_mut(index))
            {
                *finish = Some(reason.clone().into_owned());
            }
            self.summary.content_bytes = self.summary.content_bytes.saturating_add(choice.bytes());
            self.summary.begun = true;
        }
        self.note_usage(chunk);
        Ok(())
    }

    fn note_usage(&mut self, chunk: &Chunk<'_>) {
        if let Some(usage) = chunk.usage.and_then(Reported::usage) {
            self.summary.usage = Some(usage);
        }
        if self.summary.model.is_none() {
            self.summary.model = chunk.model.as_deref().map(str::to_owned);
        }
    }

    fn complete(&mut self, out: &mut Vec<u8>) {
        if let Some(recording) = &mut self.recording {
            recording.add("[DONE]");
        }
        write_event(out, "[DONE]");
        self.done = true;
    }
}

/// Writes one event; data of several lines becomes several `data` lines.
pub(super) fn write_event(out: &mut Vec<u8>, data: &str) {
    for line in data.split('\n') {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    out.push(b'\n');
}

/// The chunk without its usage. Few providers send both in one, so a whole parse is fine.
fn without_usage(data: &str) -> Result<String, Fault> {
    let mut chunk: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(data).map_err(|_| Fault::Malformed)?;
    chunk.remove("usage");
    serde_json::to_string(&chunk).map_err(|_| Fault::Malformed)
}
