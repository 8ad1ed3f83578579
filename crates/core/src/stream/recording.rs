//! A whole stream kept for the cache, and played again for a later caller.
//!
//! Kept is what the gateway passed on, and the usage even where its caller did not ask for it. What
//! such callers do not see is noted by its place, so that a replay reads no JSON:
//!
//! ```text
//! : 812+35=null 1204+160=
//! data: {…}
//! ```
//!
//! The first line says which bytes after it and its blank line (their place and number) are replaced
//! for a caller who did not ask for usage, and by what.

use std::{borrow::Cow, ops::Range};

use super::event::{DATA, write_event};

/// The longest stream that is kept, in bytes.
pub const MAX_RECORDING_BYTES: usize = 4 << 20;

/// The events of one stream.
#[derive(Debug, Default)]
pub struct Recording {
    events: Vec<u8>,
    hidden: Vec<Hidden>,
    is_too_long: bool,
}

/// Bytes that are shown only to who asked for usage.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hidden {
    place: Range<usize>,
    instead: &'static str,
}

impl Recording {
    /// Adds an event for everyone.
    pub(super) fn add(&mut self, data: &str) {
        if self.has_room(data) {
            write_event(&mut self.events, data);
        }
    }

    /// Adds an event for those who asked for usage.
    pub(super) fn add_hidden(&mut self, data: &str) {
        let start = self.events.len();
        self.add(data);
        self.hide(start..self.events.len(), "");
    }

    /// Adds an event of which the part `usage` is for those who asked for it.
    pub(super) fn add_with_hidden(&mut self, data: &str, usage: Range<usize>) {
        let start = self.events.len() + DATA.len();
        self.add(data);
        self.hide(start + usage.start..start + usage.end, "null");
    }

    /// The recording as it is stored, unless the stream was too long to keep.
    pub fn into_bytes(self) -> Option<Vec<u8>> {
        if self.is_too_long || self.events.is_empty() {
            return None;
        }
        let mut bytes = b":".to_vec();
        for Hidden { place, instead } in &self.hidden {
            let mark = format!(" {}+{}={instead}", place.start, place.len());
            bytes.extend_from_slice(mark.as_bytes());
        }
        bytes.extend_from_slice(b"\n\n");
        bytes.extend_from_slice(&self.events);
        Some(bytes)
    }

    fn has_room(&mut self, data: &str) -> bool {
        if self.events.len().saturating_add(data.len()) > MAX_RECORDING_BYTES {
            self.give_up();
        }
        !self.is_too_long
    }

    fn hide(&mut self, place: Range<usize>, instead: &'static str) {
        if !self.is_too_long {
            self.hidden.push(Hidden { place, instead });
        }
    }

    fn give_up(&mut self) {
        *self = Self { is_too_long: true, ..Self::default() };
    }
}

/// The stream that a stored recording holds, as a caller gets it who asked to see the usage or did
/// not; `None` when the bytes are no recording.
pub fn replay(recording: &[u8], usage_asked: bool) -> Option<Cow<'_, [u8]>> {
    let marks_end = memchr::memchr(b'\n', recording)?;
    let marks = std::str::from_utf8(recording.get(..marks_end)?).ok()?.strip_prefix(':')?;
    let events = recording.get(marks_end..)?.strip_prefix(b"\n\n")?;
    if usage_asked || marks.is_empty() {
        return Some(Cow::Borrowed(events));
    }
    let mut shown = Vec::with_capacity(events.len());
    let mut from = 0;
    for mark in marks.split_ascii_whitespace() {
        let Hidden { place, instead } = read_mark(mark)?;
        shown.extend_from_slice(events.get(from..place.start)?);
        shown.extend_from_slice(instead.as_bytes());
        from = place.end;
    }
    shown.extend_from_slice(events.get(from..)?);
    Some(Cow::Owned(shown))
}

fn read_mark(mark: &str) -> Option<Hidden> {
    let (place, instead) = mark.split_once('=')?;
    let (start, length) = place.split_once('+')?;
    let start: usize = start.parse().ok()?;
    let end = start.checked_add(length.parse().ok()?)?;
    let instead = match instead {
        "" => "",
        "null" => "null",
        _ => return None,
    };
    Some(Hidden { place: start..end, instead })
}
