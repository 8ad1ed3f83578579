//! Hides what guards look for in a streamed answer, event by event.
//!
//! Each text that a choice is made of (content, refusal, reasoning, the arguments of each tool call,
//! whatever else a provider adds) is a voice of its own, read as one text over all its chunks. An event
//! keeps its form; only its texts change. What a voice held back when its choice ends is sent before
//! that end.

use std::collections::BTreeMap;

use super::{
    Masker, Shapes,
    fold::Reading,
    texts::{is_no_text, place, quoted, reading, replaced},
    watch::Watch,
};
use crate::{
    openai::json::{Envelope, Kind, Value},
    stream::sse::{Decoder, Event, SseError},
};

/// How much of a voice is kept to be judged as a whole, in bytes.
const MAX_SAID: usize = 64 << 10;

/// A guard will not let this through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// Something was found at which a guard stops.
    Found,
    /// An event could not be read.
    Unreadable,
}

impl From<SseError> for Stopped {
    fn from(_: SseError) -> Self {
        Self::Unreadable
    }
}

/// A streamed answer on its way through the guards of its output.
#[derive(Debug)]
pub(crate) struct Veil {
    watch: Watch,
    decoder: Decoder,
    voices: BTreeMap<Name, Voice>,
    /// Whether texts are kept to be judged.
    is_kept: bool,
    found: Shapes,
}

/// Which choice, and the way to the text in it.
type Name = (u64, Vec<Step>);

/// One step from a choice to a text in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Member(String),
    /// An item of an array, by its own `index` where it has one.
    Item(u64),
}

/// One text that is being written.
#[derive(Debug)]
struct Voice {
    masker: Masker,
    said: String,
}

/// A text of one event: where it stands, and whose it is.
struct Piece<'e> {
    value: Value<'e>,
    reading: Reading,
    name: Name,
}

impl Veil {
    /// An answer over which `watch` is kept; `is_kept` says whether its texts will be judged too.
    pub(crate) fn new(watch: Watch, is_kept: bool) -> Self {
        let (decoder, voices) = (Decoder::default(), BTreeMap::new());
        Self { watch, decoder, voices, is_kept, found: Shapes::default() }
    }

    /// Reads whole events and adds what the caller gets for them to `out`.
    ///
    /// # Errors
    /// [`Stopped`]: what was added to `out` before is good; nothing may follow but an error.
    pub(crate) fn push(&mut self, events: &[u8], out: &mut Vec<u8>) -> Result<(), Stopped> {
        let mut decoder = std::mem::take(&mut self.decoder);
        let result = decoder.push(events, |event| match event {
            Event::Data(data) => self.data(data, out),
            Event::Comment => {
                out.extend_from_slice(crate::stream::KEEP_ALIVE);
                Ok(())
            }
        });
        self.decoder = decoder;
        result
    }

    /// What has been found so far.
    pub(crate) const fn found(&self) -> Shapes {
        self.found
    }

    /// The guards that watch.
    pub(crate) const fn watch(&self) -> &Watch {
        &self.watch
    }

    /// What each voice has said so far, for those that were kept.
    pub(crate) fn said(&self) -> impl Iterator<Item = &str> {
        self.voices.values().map(|voice| voice.said.as_str())
    }

    fn data(&mut self, data: &str, out: &mut Vec<u8>) -> Result<(), Stopped> {
        if data == "[DONE]" {
            // Choices that never said that they were complete.
            for name in self.voices.keys().cloned().collect::<Vec<_>>() {
                self.close(&name, None, out);
            }
            self.check()?;
            write(out, data);
            return Ok(());
        }
        let Ok(event) = Envelope::parse(data.as_bytes().to_vec()) else {
            return Err(Stopped::Unreadable);
        };
        let mut changes = Vec::new();
        for choice in event.present("choices").into_iter().flat_map(Value::items) {
            self.choice(&event, choice, &mut changes, out);
        }
        self.check()?;
        if self.watch.intervenes() {
            write(out, &replaced(event.text(), changes));
        } else {
            write(out, data);
        }
        Ok(())
    }

    /// Stops where something was found that must not pass.
    fn check(&self) -> Result<(), Stopped> {
        if self.watch.stops(self.found) { Err(Stopped::Found) } else { Ok(()) }
    }

    fn choice(
        &mut self,
        event: &Envelope,
        choice: Value<'_>,
        changes: &mut Vec<(std::ops::Range<usize>, String)>,
        out: &mut Vec<u8>,
    ) {
        let index = choice.get("index").and_then(Value::as_u64).unwrap_or_default();
        let ends = choice
            .get("finish_reason")
            .is_some_and(|reason| reason.kind() == Kind::String && !reason.is_str(""));
        let mut pieces = Vec::new();
        collect(choice, &(index, Vec::new()), Reading::Plain, &mut pieces);
        if ends {
            let here = |name: &Name| pieces.iter().any(|piece| piece.name == *name);
            let silent: Vec<Name> =
                self.voices.keys().filter(|name| name.0 == index && !here(name)).cloned().collect();
            for name in silent {
                self.close(&name, Some(event), out);
            }
        }
        for piece in pieces {
            let text = piece.value.as_str().unwrap_or_default();
            let voice = self.voice(piece.name, piece.reading);
            let mut shown = String::new();
            voice.masker.push(&text, &mut shown);
            if ends {
                voice.masker.end(&mut shown);
            }
            let found = voice.masker.found();
            voice.keep(&text);
            self.found = self.found.and(found);
            if shown != *text {
                changes.push((place(event, piece.value), quoted(&shown)));
            }
        }
        // They spell the text, and no longer the one that is shown.
        if let Some(logprobs) = choice.get("logprobs").filter(|value| value.kind() != Kind::Null) {
            changes.push((place(event, logprobs), "null".to_owned()));
        }
    }

    fn voice(&mut self, name: Name, reading: Reading) -> &mut Voice {
        let Self { watch, voices, is_kept, .. } = self;
        voices.entry(name).or_insert_with(|| Voice {
            masker: watch.masker(reading),
            said: if *is_kept { String::with_capacity(256) } else { String::new() },
        })
    }

    /// Sends what a voice held back, in an event of its own like `event`.
    fn close(&mut self, name: &Name, event: Option<&Envelope>, out: &mut Vec<u8>) {
        let Some(voice) = self.voices.get_mut(name) else { return };
        let mut rest = String::new();
        voice.masker.end(&mut rest);
        self.found = self.found.and(voice.masker.found());
        if rest.is_empty() || !self.watch.intervenes() || self.watch.stops(self.found) {
            return;
        }
        let head = |key: &str| {
            let value = event.and_then(|event| event.present(key))?;
            Some(format!("{}:{},", quoted(key), value.raw()))
        };
        let head: String =
            ["id", "object", "created", "model"].into_iter().filter_map(head).collect();
        let (index, steps) = name;
        let text = nested(steps, &rest);
        let inner = text.strip_prefix('{').unwrap_or(&text);
        write(
            out,
            &format!("{{{head}\"choices\":[{{\"index\":{index},\"finish_reason\":null,{inner}]}}"),
        );
    }
}

impl Voice {
    /// Keeps what was said, if it is to be judged, as much as is judged at all.
    fn keep(&mut self, text: &str) {
        let has_room = self.said.len() + text.len() <= MAX_SAID;
        if self.said.capacity() > 0 && has_room {
            self.said.push_str(text);
        }
    }
}

/// All texts of a choice, with the way to each.
fn collect<'e>(value: Value<'e>, name: &Name, how: Reading, pieces: &mut Vec<Piece<'e>>) {
    let further = |step: Step| {
        let mut name = name.clone();
        name.1.push(step);
        name
    };
    match value.kind() {
        Kind::String => pieces.push(Piece { value, reading: how, name: name.clone() }),
        Kind::Array => {
            for (at, item) in (0..).zip(value.items()) {
                let index = item.get("index").and_then(Value::as_u64).unwrap_or(at);
                collect(item, &further(Step::Item(index)), how, pieces);
            }
        }
        Kind::Object => {
            for member in value.members().filter(|member| !is_no_text(member.key)) {
                let key = member.key.as_str().unwrap_or_default().into_owned();
                collect(member.value, &further(Step::Member(key)), reading(member.key), pieces);
            }
        }
        Kind::Null | Kind::Bool | Kind::Number => {}
    }
}

/// The JSON in which `steps` lead to `text`.
fn nested(steps: &[Step], text: &str) -> String {
    match steps {
        [] => quoted(text),
        [Step::Member(key), rest @ ..] => format!("{{{}:{}}}", quoted(key), nested(rest, text)),
        [Step::Item(index), rest @ ..] => {
            let inner = nested(rest, text);
            match inner.strip_prefix('{') {
                Some(members) => format!("[{{\"index\":{index},{members}]"),
                None => format!("[{inner}]"),
            }
        }
    }
}

fn write(out: &mut Vec<u8>, data: &str) {
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(data.as_bytes());
    out.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests;
