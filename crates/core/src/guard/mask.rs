//! Hides what is found: in a text that is there, and in one that is still being written.

use std::borrow::Cow;

use super::{
    Shape, Shapes, find,
    fold::{Folded, Reading},
    scan::{Scanned, Scanner},
};

/// `text` with all of `shapes` replaced by their names in brackets; the text itself if there are none.
///
/// ```
/// use tollhouse_core::guard::{Shapes, mask};
///
/// let said = "write to ada@example.org or call +44 20 7946 0958";
/// assert_eq!(mask(said, Shapes::ALL), "write to [EMAIL] or call [PHONE]");
/// ```
pub fn mask(text: &str, shapes: Shapes) -> Cow<'_, str> {
    let found = find(text, shapes);
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut copied = 0;
    for thing in found {
        masked.push_str(text.get(copied..thing.place.start).unwrap_or_default());
        masked.push_str(thing.shape.mask());
        copied = thing.place.end;
    }
    masked.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(masked)
}

/// Hides all of a set of shapes in a text that comes piece by piece.
///
/// What comes out is the same however the text is split. Held back is only what may still turn out
/// to be part of something hidden: at most the longest open match, usually a word.
///
/// ```
/// use tollhouse_core::guard::{Masker, Shapes};
///
/// let mut masker = Masker::new(Shapes::ALL);
/// let mut out = String::new();
/// masker.push("My key is sk-abc123", &mut out);
/// assert_eq!(out, "My key is ");
/// masker.push("def456ghi789jkl, and", &mut out);
/// assert_eq!(out, "My key is [API_KEY], ");
/// masker.end(&mut out);
/// assert_eq!(out, "My key is [API_KEY], and");
/// ```
#[derive(Debug)]
pub struct Masker {
    scanner: Scanner,
    folded: Folded,
    reading: Reading,
    quotes: Quotes,
    /// What is looked for and shown all the same.
    shown: Shapes,
    /// Whether what was found last is shown.
    shows: bool,
    found: Shapes,
    hidden: Shapes,
    count: u64,
}

impl Masker {
    /// Hides `shapes` in plain text.
    pub fn new(shapes: Shapes) -> Self {
        Self {
            scanner: Scanner::new(shapes),
            folded: Folded::default(),
            reading: Reading::Plain,
            quotes: Quotes::default(),
            shown: Shapes::default(),
            shows: false,
            found: Shapes::default(),
            hidden: Shapes::default(),
            count: 0,
        }
    }

    /// Hides `shapes` in JSON, such as the arguments of a tool call: escapes are read as what they
    /// stand for, and a number that is hidden becomes a string, so that JSON stays JSON.
    pub fn for_json(shapes: Shapes) -> Self {
        Self { reading: Reading::Json, ..Self::new(shapes) }
    }

    /// Hides only these, and merely takes note of the rest.
    pub fn showing_but(self, hidden: Shapes) -> Self {
        Self { shown: Shape::ALL.into_iter().filter(|shape| !hidden.has(*shape)).collect(), ..self }
    }

    /// Reads the next piece, and adds to `out` what may be shown by now.
    pub fn push(&mut self, piece: &str, out: &mut String) {
        self.folded.push(piece, self.reading);
        self.read(false, out);
    }

    /// The text has ended: adds what was held back.
    pub fn end(&mut self, out: &mut String) {
        self.folded.end();
        self.read(true, out);
    }

    /// How many bytes are held back.
    pub fn held(&self) -> usize {
        self.folded.raw().len()
    }

    /// What has been found so far, hidden or not.
    pub const fn found(&self) -> Shapes {
        self.found
    }

    /// What has been hidden so far.
    pub const fn hidden(&self) -> Shapes {
        self.hidden
    }

    /// How many things have been hidden so far.
    pub const fn count(&self) -> u64 {
        self.count
    }

    fn read(&mut self, is_all: bool, out: &mut String) {
        let Self { scanner, folded, reading, quotes, shown: may_show, shows, found, hidden, count } =
            self;
        let mut shown = 0;
        let settled = scanner.read(folded.bytes(), is_all, |scanned| match scanned {
            Scanned::Passed(place) => {
                let end = folded.origin(place).end;
                let text = folded.raw().get(shown..end).unwrap_or_default();
                quotes.note(text);
                out.push_str(text);
                shown = end;
            }
            Scanned::Found { shape, place } => {
                let place = folded.origin(place);
                let text = folded.raw().get(shown..place.start).unwrap_or_default();
                quotes.note(text);
                out.push_str(text);
                *found = found.and(Shapes::of(&[shape]));
                *shows = may_show.has(shape);
                shown = place.end;
                if *shows {
                    let text = folded.raw().get(place).unwrap_or_default();
                    quotes.note(text);
                    out.push_str(text);
                    return;
                }
                let bare = *reading == Reading::Json && !quotes.inside;
                write_mask(shape, bare, out);
                *hidden = hidden.and(Shapes::of(&[shape]));
                *count += 1;
            }
            Scanned::More(place) => {
                let end = folded.origin(place).end;
                if *shows {
                    let text = folded.raw().get(shown..end).unwrap_or_default();
                    quotes.note(text);
                    out.push_str(text);
                }
                shown = end;
            }
        });
        // What nobody sees behind the last settled byte goes with it, unless that is still open.
        if is_all || (settled == folded.bytes().len() && !scanner.is_open()) {
            let text = folded.raw().get(shown..folded.read_to()).unwrap_or_default();
            out.push_str(text);
            shown = folded.read_to();
        }
        folded.forget(settled, shown);
    }
}

fn write_mask(shape: Shape, is_bare: bool, out: &mut String) {
    let quote = if is_bare { "\"" } else { "" };
    out.extend([quote, shape.mask(), quote]);
}

/// Whether a place in JSON is inside a string.
#[derive(Debug, Default)]
struct Quotes {
    inside: bool,
    escaped: bool,
}

impl Quotes {
    fn note(&mut self, text: &str) {
        for byte in text.bytes() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = self.inside,
                b'"' => self.inside = !self.inside,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
