//! Letters spaced apart, closed up again: `i g n o r e`, `i-g-n-o-r-e`.

use super::glyph::Glyph;

/// From how many single letters in a row on they are a word spaced apart.
const LETTERS: usize = 4;
/// As many with hyphens or full stops between them, as in initials, are needed.
const INITIALS: usize = 5;

/// As many are enough right behind such a word.
const NEXT: usize = 2;
/// How wide the gap between two such words may be.
const GAP: usize = 3;

/// Takes out the separators between single letters that stand in a row. A wider gap
/// between words stays.
pub(super) fn close_up(glyphs: &mut Vec<Glyph>) {
    let mut keep = vec![true; glyphs.len()];
    let mut at = 0;
    // Where the last word that was spaced apart ended, if nothing but space has followed.
    let mut after = None;
    while at < glyphs.len() {
        let run = Run::at(glyphs, at);
        let least = if after.is_some() { NEXT } else { run.least };
        if run.letters >= least {
            after = Some(run.end);
            for separator in (at + 1..run.end).step_by(2) {
                if let Some(keep) = keep.get_mut(separator) {
                    *keep = false;
                }
            }
        }
        if run.letters < least {
            let space = glyphs.get(at).is_some_and(|glyph| glyph.character.is_whitespace());
            after = after.filter(|end| space && at < end + GAP);
        }
        at = run.end.max(at + 1);
    }
    let mut kept = keep.iter();
    glyphs.retain(|_| kept.next().copied().unwrap_or(true));
}

/// Single letters with the same separator between them.
struct Run {
    letters: usize,
    least: usize,
    end: usize,
}

impl Run {
    fn at(glyphs: &[Glyph], start: usize) -> Self {
        let character = |at: usize| glyphs.get(at).map(|glyph| glyph.character);
        let nothing = Self { letters: 0, least: LETTERS, end: start + 1 };
        let before = start.checked_sub(1).and_then(character);
        let begins = before.is_none_or(|before| !before.is_alphanumeric());
        let letter = |at: usize| character(at).is_some_and(char::is_alphanumeric);
        let Some(separator) = character(start + 1).filter(|sign| is_separator(*sign)) else {
            return nothing;
        };
        if !begins || !letter(start) {
            return nothing;
        }
        let (mut at, mut letters) = (start, 1);
        while character(at + 1) == Some(separator) && letter(at + 2) && !letter(at + 3) {
            (at, letters) = (at + 2, letters + 1);
        }
        let least = if separator == ' ' { LETTERS } else { INITIALS };
        Self { letters, least, end: at + 1 }
    }
}

const fn is_separator(character: char) -> bool {
    matches!(character, ' ' | '.' | '-' | '_' | '*' | '|' | '/' | '~' | '+' | ',' | '\'')
}
