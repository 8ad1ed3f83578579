//! Text cut into the words that a byte-pair tokenizer looks at, by the rules of `o200k_base`: a word
//! takes one space or sign before it and begins anew at a capital, digits come in threes, signs and
//! white space in runs.

/// The longest word, in bytes; longer ones, as in scripts without spaces, are cut. It bounds the time
/// that a byte takes.
const MAX_WORD: usize = 48;

const CONTRACTIONS: [&str; 7] = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

/// The words of `text`, which together are all of it.
pub(super) fn split(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let length = word(text).min(text.floor_char_boundary(MAX_WORD));
        let (word, rest) = text.split_at_checked(length).filter(|(word, _)| !word.is_empty())?;
        text = rest;
        Some(word)
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// A capital.
    Upper,
    /// Any other letter, or a mark on one.
    Letter,
    Digit,
    Newline,
    Space,
    Sign,
}

impl Class {
    fn of(c: char) -> Self {
        match c {
            '\r' | '\n' => Self::Newline,
            c if c.is_uppercase() => Self::Upper,
            c if c.is_numeric() => Self::Digit,
            c if c.is_alphabetic() => Self::Letter,
            c if c.is_whitespace() => Self::Space,
            // Signs of vowels and accents belong to letters; what else lies in these scripts does not hurt.
            '\u{300}'..='\u{36f}' | '\u{900}'..='\u{eff}' => Self::Letter,
            _ => Self::Sign,
        }
    }

    const fn is_letter(self) -> bool {
        matches!(self, Self::Upper | Self::Letter)
    }

    const fn is_white(self) -> bool {
        matches!(self, Self::Newline | Self::Space)
    }
}

/// The length in bytes of the word that `text` begins with.
fn word(text: &str) -> usize {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return 0 };
    let class = Class::of(first);
    let next = chars.next().map(Class::of);
    match class {
        Class::Upper | Class::Letter => letters(text),
        Class::Digit => text
            .chars()
            .take(3)
            .take_while(|c| Class::of(*c) == Class::Digit)
            .map(char::len_utf8)
            .sum(),
        Class::Space | Class::Sign if next.is_some_and(Class::is_letter) => {
            first.len_utf8() + letters(chars_after(text, first))
        }
        Class::Space if first == ' ' && next == Some(Class::Sign) => {
            1 + signs(chars_after(text, first))
        }
        Class::Sign => signs(text),
        Class::Newline | Class::Space => white(text),
    }
}

fn chars_after(text: &str, first: char) -> &str {
    text.get(first.len_utf8()..).unwrap_or_default()
}

fn letters(text: &str) -> usize {
    let capitals = run(text, |class| class == Class::Upper);
    let rest = text.get(capitals..).unwrap_or_default();
    let length = capitals + run(rest, |class| class == Class::Letter);
    let rest = text.get(length..).unwrap_or_default();
    let is_there = |ending: &&&str| {
        rest.get(..ending.len()).is_some_and(|start| start.eq_ignore_ascii_case(ending))
    };
    length + CONTRACTIONS.iter().find(is_there).map_or(0, |ending| ending.len())
}

fn signs(text: &str) -> usize {
    let signs = run(text, |class| class == Class::Sign);
    let rest = text.get(signs..).unwrap_or_default();
    signs + rest.find(|c| !matches!(c, '\r' | '\n' | '/')).unwrap_or(rest.len())
}

/// White space up to its last line end; without one, but for the character that the next word takes.
fn white(text: &str) -> usize {
    let all = run(text, Class::is_white);
    let space = text.get(..all).unwrap_or_default();
    if let Some(newline) = space.rfind(['\r', '\n']) {
        return newline + 1;
    }
    let last = space.chars().next_back().map_or(0, char::len_utf8);
    if all < text.len() && all > last { all - last } else { all }
}

fn run(text: &str, is_in: impl Fn(Class) -> bool) -> usize {
    text.find(|c| !is_in(Class::of(c))).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<&str> {
        split(text).collect()
    }

    #[test]
    fn words_take_the_space_before_them_and_begin_anew_at_capitals() {
        assert_eq!(
            words("Hello world, it's HTTPServer2024!"),
            ["Hello", " world", ",", " it's", " HTTPServer", "202", "4", "!"]
        );
        assert_eq!(words("fooBar (baz)"), ["foo", "Bar", " (", "baz", ")"]);
    }

    #[test]
    fn white_space_is_taken_in_runs_up_to_a_line_end() {
        assert_eq!(words("a \n\n   b    "), ["a", " \n\n", "  ", " b", "    "]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_word_is_long(text: String) {
            prop_assert_eq!(words(&text).concat(), text.as_str());
            prop_assert!(split(&text).all(|word| word.len() <= MAX_WORD));
        }
    }
}
