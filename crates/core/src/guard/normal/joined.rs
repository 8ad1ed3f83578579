//! Words run together, taken apart again: `ignoreallrules`, `ignore_all_rules`, `IgnoreAllRules`.

use super::likeness::rank;
use crate::tokens::LONGEST_WORD;

/// How many words with signs between them are more than a compound or an address.
const PARTS: usize = 4;
/// From how many letters without a space on they may be several words.
const LETTERS: usize = 16;
/// In a stretch of so many letters even short rows are looked at.
const LONG: usize = 24;
/// The shortest row that is looked at there.
const ROW: usize = 4;
/// How many letters of a text are taken apart at most, to bound the time.
const MAX_APART: usize = 1 << 10;
/// Words that are joined by signs have fewer letters than this on average.
const MEAN: usize = 8;
/// How much of what is taken apart has to be words, in percent of letters.
const SENSE: usize = 85;
/// Shorter words than this are scraps, unless they are this common.
const SHORTEST: usize = 3;
const COMMON: u16 = 1000;
/// What a word costs beside what its rarity does, and a letter that is in no word.
const WORD: f32 = 2.0;
const STRAY: f32 = 15.0;

/// The text with spaces between its words; `None` where they have them already.
pub(super) fn apart(text: &str) -> Option<String> {
    let mut all = Apart { out: String::with_capacity(text.len() * 5 / 4), left: MAX_APART };
    let mut changed = false;
    for piece in text.split_inclusive(char::is_whitespace) {
        let stretch = piece.trim_end();
        let (length, left) = (all.out.len(), all.left);
        if stretch.len() >= LETTERS && all.stretch(stretch) {
            changed = true;
        } else {
            all.out.truncate(length);
            all.left = left.min(all.left);
            all.out.push_str(stretch);
        }
        all.out.push_str(piece.get(stretch.len()..).unwrap_or_default());
    }
    changed.then_some(all.out)
}

struct Apart {
    out: String,
    /// How many letters may still be taken apart.
    left: usize,
}

impl Apart {
    /// Writes what stands without a space as words, if there are several; says whether there were.
    fn stretch(&mut self, stretch: &str) -> bool {
        let letters = stretch.bytes().filter(u8::is_ascii_alphabetic).count();
        if letters < LETTERS || letters * 10 < stretch.len() * 6 {
            return false;
        }
        let parts = stretch.split(is_sign).filter(|part| !part.is_empty()).count();
        // Full stops between almost all words are no ends of sentences.
        let stops = letters < parts * MEAN;
        let shortest = if letters >= LONG { ROW } else { LETTERS };
        let mut words = if parts >= PARTS { parts } else { 0 };
        let mut rest = stretch;
        while !rest.is_empty() {
            let end = rest.find(|character| !is_of_row(character)).unwrap_or(rest.len());
            let (row, after) = rest.split_at(end);
            match (row.len() >= shortest).then(|| self.row(row)).flatten() {
                Some(found) => words += found,
                None => self.out.push_str(row),
            }
            let end = after.find(is_of_row).unwrap_or(after.len());
            let (between, next) = after.split_at(end);
            self.between(between, stops);
            rest = next;
        }
        words >= 3
    }

    /// Writes what stands between two rows of letters.
    fn between(&mut self, signs: &str, stops: bool) {
        for sign in signs.chars() {
            if !is_sign(sign) || (sign == '.' && !stops) {
                self.out.push(sign);
            }
            if is_sign(sign) || matches!(sign, ',' | ';' | ':' | '!' | '?') {
                self.out.push(' ');
            }
        }
    }

    /// Writes a row of letters as words, if it makes sense as several; says how many there were.
    fn row(&mut self, row: &str) -> Option<usize> {
        if row.len() > self.left || is_one_word(row) {
            return None;
        }
        self.left -= row.len();
        let lower = row.to_ascii_lowercase();
        let words = cheapest(lower.as_bytes());
        let telling = words.iter().filter(|word| is_telling(word));
        let in_words: usize = telling.map(|word| word.len()).sum();
        let is_chopped = row.len() < words.len() * SHORTEST;
        if words.len() < 2 || is_chopped || in_words * 100 < row.len() * SENSE {
            return None;
        }
        for (index, word) in words.iter().enumerate() {
            if index > 0 {
                self.out.push(' ');
            }
            self.out.push_str(std::str::from_utf8(word).unwrap_or_default());
        }
        Some(words.len())
    }
}

/// Letters, and the apostrophe of `don't`.
const fn is_of_row(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '\''
}

const fn is_sign(character: char) -> bool {
    matches!(character, '_' | '-' | '.' | '+' | '/' | '*' | '~' | '|')
}

/// Whether a word is more than a scrap: of three letters, or as common as `of` and `is`.
fn is_telling(word: &[u8]) -> bool {
    word.len() >= SHORTEST || rank(word).is_some_and(|rank| rank < COMMON)
}

fn is_one_word(row: &str) -> bool {
    row.len() <= LONGEST_WORD && rank(row.to_ascii_lowercase().as_bytes()).is_some()
}

/// The likeliest words that a row of letters is made of. By Zipf's law a word is as likely as its rank is
/// low, so that the sum of the ranks' logarithms is smallest for them.
fn cheapest(row: &[u8]) -> Vec<&[u8]> {
    // For each place what it costs to get there, and where the last word before it begins.
    let mut best: Vec<(f32, usize)> = vec![(f32::INFINITY, 0); row.len() + 1];
    if let Some(first) = best.first_mut() {
        first.0 = 0.0;
    }
    for start in 0..row.len() {
        let here = best.get(start).map_or(f32::INFINITY, |(cost, _)| *cost);
        for end in start + 1..=row.len().min(start + LONGEST_WORD) {
            let word = row.get(start..end).unwrap_or_default();
            let cost = match (rank(word), word) {
                (Some(rank), [_, _, ..] | [b'a' | b'i']) => WORD + (f32::from(rank) + 20.0).ln(),
                (_, [_]) => STRAY,
                (_, _) => continue,
            };
            if let Some(found) = best.get_mut(end).filter(|found| here + cost < found.0) {
                *found = (here + cost, start);
            }
        }
    }
    let mut words = Vec::new();
    let mut end = row.len();
    while let Some((_, start)) = best.get(end).filter(|_| end > 0) {
        words.extend(row.get(*start..end));
        end = *start;
    }
    words.reverse();
    words
}
