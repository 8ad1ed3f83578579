//! Digits and signs that stand for letters: `1gn0re 4ll`.

use super::likeness::rank_of;

/// So many words that make sense only so are meant so, however many others there are.
const MEANT: usize = 2;
/// In a text of no more words than this one is enough.
const SHORT: usize = 6;
/// Where so many words are meant so, numbers are too.
const NUMBERS: usize = 3;
/// In how many places of a word a sign that stands for two letters is tried as either.
const EITHER: usize = 3;

/// The text with letters in the place of digits and signs within words; `None` where that makes no sense
/// of it.
pub(super) fn read(text: &str) -> Option<String> {
    let (mut words, mut meant) = (0, 0);
    for (stem, _) in stems(text) {
        words += usize::from(!stem.is_empty());
        meant += usize::from(is_mixed(stem) && known_word(stem).is_some());
    }
    if meant < if words <= SHORT { 1 } else { MEANT } {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    for (stem, rest) in stems(text) {
        let number = || (meant >= NUMBERS && stem.len() > 1).then(|| known_word(stem)).flatten();
        if is_mixed(stem) {
            out.push_str(&known_word(stem).unwrap_or_else(|| with(stem, 0)));
        } else if let Some(word) = number() {
            out.push_str(&word);
        } else {
            out.push_str(stem);
        }
        out.push_str(rest);
    }
    Some(out)
}

/// Words, and what stands between each and the next.
fn stems(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split_inclusive(|character| !is_of_word(character)).map(|word| {
        let stem = word.trim_end_matches(|character: char| !character.is_ascii_alphanumeric());
        word.split_at(stem.len())
    })
}

/// Whether there are letters in it and signs that may be some.
fn is_mixed(stem: &str) -> bool {
    let reads = stem.bytes().any(|byte| letter(byte.into()) != char::from(byte));
    reads && stem.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// The known word that a stem may be read as: a one is an `i` or an `l`.
fn known_word(stem: &str) -> Option<String> {
    let ones = stem.chars().filter(|character| is_either(*character)).take(EITHER).count();
    let words = (0..1_u8 << ones).map(|choice| with(stem, choice)).filter(|word| word.len() > 1);
    let known = words.filter_map(|word| Some((rank_of(&word)?, word)));
    known.min_by_key(|(rank, _)| *rank).map(|(_, word)| word)
}

/// The stem read as letters; bits of `choice` say which of the first ones are an `l`.
fn with(stem: &str, choice: u8) -> String {
    let mut left = choice;
    let read = |character: char| {
        if !is_either(character) {
            return letter(character);
        }
        let is_l = left & 1 == 1;
        left >>= 1;
        if is_l { 'l' } else { 'i' }
    };
    stem.chars().map(read).collect()
}

const fn is_of_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '@' | '$' | '!' | '|' | '+')
}

const fn is_either(character: char) -> bool {
    matches!(character, '1' | '!' | '|')
}

/// The letter that a digit or sign stands for where letters are written so.
const fn letter(character: char) -> char {
    match character {
        '0' => 'o',
        '1' | '!' | '|' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' | '+' => 't',
        '8' => 'b',
        '9' => 'g',
        other => other,
    }
}
