//! Characters with the place they came from.

use std::ops::Range;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::guard::unseen::is_unseen;

/// A character and the bytes of the text that it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glyph {
    pub(super) character: char,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A normalised text that knows where each of its characters came from.
#[derive(Debug, Clone)]
pub struct Normal {
    text: String,
    /// Where each character begins here, and its place there.
    places: Vec<(usize, Glyph)>,
}

impl Normal {
    pub(super) fn of(glyphs: Vec<Glyph>) -> Self {
        let mut text = String::with_capacity(glyphs.len());
        let mut places = Vec::with_capacity(glyphs.len());
        for glyph in glyphs {
            places.push((text.len(), glyph));
            text.push(glyph.character);
        }
        Self { text, places }
    }

    /// The normalised text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The normalised text by itself.
    pub fn into_text(self) -> String {
        self.text
    }

    /// The bytes of the original that the bytes `place` of this text came from.
    pub fn origin(&self, place: Range<usize>) -> Range<usize> {
        let from = self.places.partition_point(|(at, _)| *at < place.start);
        let to = self.places.partition_point(|(at, _)| *at < place.end);
        let glyphs = self.places.get(from..to).unwrap_or_default();
        let start = glyphs.iter().map(|(_, glyph)| glyph.start).min();
        let end = glyphs.iter().map(|(_, glyph)| glyph.end).max();
        start.unwrap_or_default()..end.unwrap_or_default()
    }
}

/// The characters of `text` in NFKC (UAX #15), without those that nobody sees.
pub(super) fn read(text: &str) -> Vec<Glyph> {
    let mut glyphs = Vec::with_capacity(text.len());
    let mut characters =
        text.char_indices().filter(|(_, character)| !is_unseen(*character)).peekable();
    while let Some((start, first)) = characters.next() {
        let mut end = start + first.len_utf8();
        if first.is_ascii() && characters.peek().is_none_or(|(_, next)| next.is_ascii()) {
            glyphs.push(Glyph { character: first, start, end });
            continue;
        }
        // A character and what composes with it: marks, and the parts of a Korean syllable.
        let mut cluster = String::from(first);
        let mut marks = 0;
        while let Some((at, next)) = characters.next_if(|(_, next)| composes(*next)) {
            marks += usize::from(is_combining_mark(next));
            // Heaps of marks are a disguise; no language writes more than a few.
            if marks <= MAX_MARKS {
                cluster.push(next);
            }
            end = at + next.len_utf8();
        }
        glyphs.extend(cluster.nfkc().map(|character| Glyph { character, start, end }));
    }
    glyphs
}

/// How many marks one character keeps.
const MAX_MARKS: usize = 4;

fn composes(character: char) -> bool {
    !character.is_ascii()
        && (is_combining_mark(character)
            || matches!(character, '\u{1160}'..='\u{11FF}' | '\u{D7B0}'..='\u{D7FF}' | '\u{FF9E}' | '\u{FF9F}'))
}
