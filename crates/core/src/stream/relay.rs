//! One answer on its way to one caller, from one provider's stream or from several in turn.

use std::ops::Range;

use super::{
    chunk::{Chunk, read_chunk},
    event::{KEEP_ALIVE, write_event},
    fault::Fault,
    recording::Recording,
    splice::{Resume, Splice},
    sse::{Decoder, Event},
    summary::Summary,
    transcript::{Sent, Transcript, Unrecoverable},
};
use crate::price::Usage;

/// How the caller gets what a piece holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// The piece as it was received, after what is in the buffer; nothing was added to that.
    AsReceived,
    /// By what was added to the buffer.
    Written,
}

/// Passes a provider's events on to the caller and reads them on the way.
///
/// ```
/// use tollhouse_core::stream::{Passage, Relay};
///
/// let mut relay = Relay::new(false);
/// let mut out = Vec::new();
/// let piece = b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n";
/// assert_eq!(relay.pass(piece, &mut out), Ok(Passage::AsReceived));
/// assert!(relay.summary().begun && !relay.is_done());
/// assert!(relay.end(&mut out).is_err(), "an answer without its finish is no answer");
/// ```
#[derive(Debug)]
pub struct Relay {
    decoder: Decoder,
    usage_asked: bool,
    summary: Summary,
    recording: Option<Box<Recording>>,
    transcript: Option<Box<Transcript>>,
    splice: Option<Box<Splice>>,
    done: bool,
}

impl Relay {
    /// A relay for a caller who asked to see the usage, or did not.
    pub fn new(usage_asked: bool) -> Self {
        Self {
            decoder: Decoder::default(),
            usage_asked,
            summary: Summary::of(1),
            recording: None,
            transcript: None,
            splice: None,
            done: false,
        }
    }

    /// Expects `n` choices, not one; for a batch of prompts `n` for each.
    pub fn of_choices(mut self, n: u64) -> Self {
        self.summary = Summary::of(usize::try_from(n).unwrap_or(usize::MAX));
        self
    }

    /// Keeps what passes, for the cache.
    pub fn recorded(mut self) -> Self {
        self.recording = Some(Box::default());
        self
    }

    /// Remembers the text that passes, so that another provider can go on after it.
    pub fn recoverable(mut self) -> Self {
        self.transcript = Some(Box::default());
        self
    }

    /// Reads the provider's next bytes and adds what the caller gets for them to `out`.
    ///
    /// Bytes after the answer's `[DONE]` are not read.
    ///
    /// # Errors
    /// The stream has failed, and only [`resume`](Self::resume) can follow; what was added to `out`
    /// before is whole events and still good.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        if self.done {
            return Ok(());
        }
        let mut decoder = std::mem::take(&mut self.decoder);
        let result = decoder.push(piece, |event| match event {
            Event::Data(data) => self.data(data, out),
            Event::Comment => {
                self.comment(out);
                Ok(())
            }
        });
        self.decoder = decoder;
        result
    }

    /// Like [`push`](Self::push), but leaves `out` alone where the caller gets the piece as it is,
    /// which is then best handed on without copying it.
    ///
    /// # Errors
    /// As for [`push`](Self::push).
    pub fn pass(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<Passage, Fault> {
        let before = out.len();
        self.push(piece, out)?;
        if out.get(before..) == Some(piece) {
            out.truncate(before);
            return Ok(Passage::AsReceived);
        }
        Ok(Passage::Written)
    }

    /// The provider's stream has ended, with or without `[DONE]`: a finished answer is completed.
    ///
    /// # Errors
    /// [`Fault::Interrupted`]: some choice is unfinished.
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

    /// What the provider's stream has told so far; after [`resume`](Self::resume), the new one's.
    pub const fn summary(&self) -> &Summary {
        &self.summary
    }

    /// What the caller has got, for another provider to go on from.
    ///
    /// # Errors
    /// [`Unrecoverable`].
    pub fn sent(&self) -> Result<Sent<'_>, Unrecoverable> {
        self.transcript.as_ref().ok_or(Unrecoverable::NotKept)?.sent()
    }

    /// Goes on with another provider's stream, whose bytes follow. The caller sees one answer: the
    /// first one's id, each role and finish once, and as usage the sum over attempts, of which the
    /// one that has just broken off used `spent`. The result is not for the cache.
    ///
    /// # Errors
    /// [`Unrecoverable`], as for [`sent`](Self::sent).
    pub fn resume(&mut self, how: Resume, spent: Usage) -> Result<(), Unrecoverable> {
        let told = self.sent()?;
        let before = self.splice.as_ref().map(|splice| splice.used_before()).unwrap_or_default();
        self.splice = Some(Box::new(Splice::new(how, told, before.plus(spent))));
        self.decoder = Decoder::default();
        self.recording = None;
        self.summary.follow_on();
        Ok(())
    }

    /// The whole stream for the cache, once it is done.
    pub fn into_recording(self) -> Option<Vec<u8>> {
        if self.done { self.recording?.into_bytes() } else { None }
    }

    /// Comments are passed on once the caller has headers, which wait for the answer to begin.
    fn comment(&self, out: &mut Vec<u8>) {
        if !self.done && (self.summary.begun || self.splice.is_some()) {
            out.extend_from_slice(KEEP_ALIVE);
        }
    }

    fn data(&mut self, data: &str, out: &mut Vec<u8>) -> Result<(), Fault> {
        let data = data.trim();
        // Nothing in an event is a way of saying that one is still there.
        if self.done || data.is_empty() {
            return Ok(());
        }
        if data == "[DONE]" {
            if !self.summary.is_complete() {
                return Err(Fault::Interrupted);
            }
            self.complete(out);
            return Ok(());
        }
        let chunk = read_chunk(data)?;
        self.summary.note(&chunk)?;
        let Some(splice) = &mut self.splice else {
            if let Some(transcript) = &mut self.transcript {
                transcript.note(data, &chunk);
            }
            return self.show(data, &chunk, out);
        };
        let Some(transcript) = &mut self.transcript else { return Err(Fault::Diverged) };
        let Some(joined) = splice.join(data, &chunk, transcript)? else { return Ok(()) };
        let chunk = read_chunk(&joined)?;
        transcript.note(&joined, &chunk);
        self.show(&joined, &chunk, out)
    }

    /// Passes a chunk on, without the usage where the caller did not ask for it.
    fn show(&mut self, data: &str, chunk: &Chunk<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        let Some(usage) = chunk.usage else {
            self.record(|recording| recording.add(data));
            write_event(out, data);
            return Ok(());
        };
        let usage = part_of(data, usage.get()).ok_or(Fault::Malformed)?;
        if chunk.choices.as_ref().is_none_or(Vec::is_empty) {
            self.record(|recording| recording.add_hidden(data));
            if self.usage_asked {
                write_event(out, data);
            }
            return Ok(());
        }
        self.record(|recording| recording.add_with_hidden(data, usage.clone()));
        if self.usage_asked {
            write_event(out, data);
        } else {
            let mut shown = data.to_owned();
            shown.replace_range(usage, "null");
            write_event(out, &shown);
        }
        Ok(())
    }

    fn complete(&mut self, out: &mut Vec<u8>) {
        self.record(|recording| recording.add("[DONE]"));
        write_event(out, "[DONE]");
        self.done = true;
    }

    fn record(&mut self, add: impl FnOnce(&mut Recording)) {
        if let Some(recording) = &mut self.recording {
            add(recording);
        }
    }
}

/// Where `part`, a slice of `whole`, lies in it.
fn part_of(whole: &str, part: &str) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    let place = start..start.checked_add(part.len())?;
    (whole.get(place.clone())? == part).then_some(place)
}
