//! Text as the scanner reads it: without what nobody sees, common characters in their plain form,
//! and for each byte where it came from.

use std::ops::Range;

use super::unseen::{is_unseen, plain};

/// How text is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// As it is.
    Plain,
    /// As JSON: escapes stand for their characters.
    Json,
}

/// Text and how it reads.
#[derive(Debug, Default)]
pub(super) struct Folded {
    raw: String,
    /// How much of `raw` has been read; less than all only before half an escape.
    read: usize,
    bytes: Vec<u8>,
    /// The place in `raw` of the character that each byte belongs to.
    places: Vec<(usize, usize)>,
}

/// The longest escape, `\u` and four digits.
const LONGEST_ESCAPE: usize = 6;

impl Folded {
    /// Adds text.
    pub(super) fn push(&mut self, text: &str, reading: Reading) {
        self.raw.push_str(text);
        while let Some(character) = self.rest().chars().next() {
            match (reading, character) {
                (Reading::Json, '\\') => match escape(self.rest()) {
                    Some((meant, length)) => self.add(meant, length),
                    None if self.rest().len() >= LONGEST_ESCAPE => self.add('\\', 1),
                    None => return,
                },
                (Reading::Plain | Reading::Json, _) => self.add(character, character.len_utf8()),
            }
        }
    }

    /// No more comes: half an escape is read as what it is.
    pub(super) fn end(&mut self) {
        while let Some(character) = self.rest().chars().next() {
            self.add(character, character.len_utf8());
        }
    }

    /// How the text reads.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The text itself.
    pub(super) fn raw(&self) -> &str {
        &self.raw
    }

    /// How much of the text has been read.
    pub(super) const fn read_to(&self) -> usize {
        self.read
    }

    /// Where bytes of the reading stand in the text.
    pub(super) fn origin(&self, place: Range<usize>) -> Range<usize> {
        let at = |at: usize| self.places.get(at).copied();
        let start = at(place.start).map_or(self.read, |(start, _)| start);
        let end = place.end.checked_sub(1).filter(|last| *last >= place.start).and_then(at);
        start..end.map_or(start, |(_, end)| end)
    }

    /// Forgets the first `bytes` of the reading and the first `raw` bytes of the text.
    pub(super) fn forget(&mut self, bytes: usize, raw: usize) {
        self.bytes.drain(..bytes.min(self.bytes.len()));
        self.places.drain(..bytes.min(self.places.len()));
        for (start, end) in &mut self.places {
            (*start, *end) = (start.saturating_sub(raw), end.saturating_sub(raw));
        }
        self.raw = self.raw.get(raw..).unwrap_or_default().to_owned();
        self.read = self.read.saturating_sub(raw);
    }

    fn rest(&self) -> &str {
        self.raw.get(self.read..).unwrap_or_default()
    }

    /// Reads a character that takes `length` bytes of the text.
    fn add(&mut self, character: char, length: usize) {
        let place = (self.read, self.read + length);
        self.read += length;
        let shown = if character.is_ascii() {
            let seen = character.is_ascii_graphic() || character.is_ascii_whitespace();
            if seen { character } else { return }
        } else if is_unseen(character) {
            return;
        } else {
            plain(character)
        };
        let mut buffer = [0; 4];
        let encoded = shown.encode_utf8(&mut buffer).as_bytes();
        self.bytes.extend_from_slice(encoded);
        self.places.extend(std::iter::repeat_n(place, encoded.len()));
    }
}

/// The character that an escape at the start of `text` stands for, and its length; `None` for what is
/// none or not whole.
fn escape(text: &str) -> Option<(char, usize)> {
    let meant = match text.as_bytes().get(1)? {
        b'n' => '\n',
        b't' => '\t',
        b'r' => '\r',
        // What is no escape in JSON is read as the character behind the stroke.
        b'b' | b'f' => ' ',
        b'u' => {
            let unit = u32::from_str_radix(text.get(2..LONGEST_ESCAPE)?, 16).ok()?;
            // Halves of surrogate pairs are parts of characters that no shape has.
            return Some((char::from_u32(unit).unwrap_or('\u{FFFD}'), LONGEST_ESCAPE));
        }
        byte if byte.is_ascii() => char::from(*byte),
        _ => return Some(('\\', 1)),
    };
    Some((meant, 2))
}
