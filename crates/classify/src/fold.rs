//! Folding: the one reading of a text that n-grams and hashed tokens share. Units are code points.
//!
//! Spaces collapse, letters are lower case, digits are `0`. Nothing is dropped and nothing is repaired:
//! zero-width characters and look-alikes are the business of whoever normalises before.

/// U+0020, the one space of folded text.
pub(crate) const SPACE: u32 = 0x20;

/// A text as n-grams and hashed tokens see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folded(Vec<u32>);

impl Folded {
    /// Folds `text`; linear in its length.
    pub(crate) fn new(text: &str) -> Self {
        let mut folded = Vec::with_capacity(text.len());
        let mut gap = false;
        for character in text.chars() {
            if is_space(u32::from(character)) {
                gap = !folded.is_empty();
                continue;
            }
            if std::mem::take(&mut gap) {
                folded.push(SPACE);
            }
            folded.push(fold(character));
        }
        Self(folded)
    }

    /// The code points.
    pub(crate) fn points(&self) -> &[u32] {
        &self.0
    }
}

const fn is_space(point: u32) -> bool {
    matches!(
        point,
        0..=0x20
            | 0x7f..=0xa0
            | 0x1680
            | 0x2000..=0x200a
            | 0x2028
            | 0x2029
            | 0x202f
            | 0x205f
            | 0x3000
    )
}

fn fold(character: char) -> u32 {
    if character.is_ascii() {
        let lower = character.to_ascii_lowercase();
        return u32::from(if lower.is_ascii_digit() { '0' } else { lower });
    }
    let mut lower = character.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(single), None) => u32::from(single),
        _ => u32::from(character),
    }
}

/// What a folded code point is to the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Space,
    /// A token by itself, as in Chinese and Japanese.
    Ideograph,
    Symbol,
    Word,
}

impl Class {
    pub(crate) const fn of(point: u32) -> Self {
        match point {
            0x20 => Self::Space,
            0x30..=0x39 | 0x41..=0x5a | 0x61..=0x7a | 0xaa | 0xb5 | 0xba => Self::Word,
            0x3041..=0x30ff
            | 0x3400..=0x4dbf
            | 0x4e00..=0x9fff
            | 0xf900..=0xfaff
            | 0x2_0000..=0x3_ffff => Self::Ideograph,
            0..=0x7f
            | 0xa1..=0xbf
            | 0xd7
            | 0xf7
            | 0x2000..=0x206f
            | 0x20a0..=0x20cf
            | 0x2100..=0x2bff
            | 0x3000..=0x303f
            | 0xfe10..=0xfe1f
            | 0xfe30..=0xfe6f
            | 0xff01..=0xff0f
            | 0xff1a..=0xff20
            | 0xff3b..=0xff40
            | 0xff5b..=0xff65
            | 0xfff0..=0xffff
            | 0x1_f000..=0x1_faff
            | 0xe_0000..=0xe_0fff => Self::Symbol,
            _ => Self::Word,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn folded(text: &str) -> String {
        Folded::new(text).points().iter().filter_map(|point| char::from_u32(*point)).collect()
    }

    #[test]
    fn case_digits_and_spaces_fold() {
        assert_eq!(folded("  Ignore\t\nALL 42\u{a0}rules\u{3000}"), "ignore all 00 rules");
        assert_eq!(folded("ÄÖÜ ΣΑΣ Привет"), "äöü σασ привет");
        assert_eq!(folded(" \r\n "), "");
    }

    #[test]
    fn a_letter_whose_lower_case_is_longer_stays() {
        assert_eq!(folded("İ"), "İ");
    }

    #[test]
    fn what_is_hidden_stays_hidden() {
        assert_eq!(folded("a\u{200b}b"), "a\u{200b}b");
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in ".{0,60}") {
            let once = folded(&text);
            prop_assert_eq!(folded(&once), once);
        }

        #[test]
        fn no_space_stands_at_an_end_or_beside_another(text in "[ a\t\u{a0}B]{0,30}") {
            let folded = folded(&text);
            prop_assert_eq!(folded.trim(), folded.as_str());
            prop_assert!(!folded.contains("  "));
        }
    }
}
