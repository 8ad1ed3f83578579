//! Whether letters make text that somebody may mean to be read.

use crate::tokens::{self, LONGEST_WORD};

/// Words that attacks like and that are too rare for the vocabulary, sorted.
#[rustfmt::skip]
const ATTACKS: [&str; 61] = [
    "alarm", "assistant", "bomb", "bypass", "bypassing", "censorship", "confidential", "constraints",
    "dangerous", "developer", "disclose", "disobey", "disregard", "ethical", "ethics", "explain", "filters",
    "forbidden", "guidelines", "hack", "harmful", "hello", "ignore", "ignored", "ignoring", "illegal",
    "imagine", "jailbreak", "leak", "limits", "malware", "moderation", "moral", "obey", "overrides",
    "paste", "persona", "pretend", "prohibited", "refusals", "refuse", "repeat", "reply", "restrictions",
    "reveal", "roleplay", "safeguards", "sentence", "sentences", "steal", "summary", "translate",
    "tutorial", "uncensored", "unfiltered", "unlocked", "unrestricted", "verbatim", "weapon", "weapons",
    "yours",
];
/// Their rank: as rare as the last of the vocabulary.
const RARE: u16 = 16_384;

/// How much of a text is looked at, in bytes.
const LOOKED_AT: usize = 1 << 10;
/// The shortest word that tells something.
const SHORTEST: usize = 3;

/// How much of the words of three letters and more is known, in percent of letters, by the first kibibyte of
/// a text; `None` for fewer than two such words.
pub(super) fn known_share(text: &str) -> Option<usize> {
    let end = text.floor_char_boundary(LOOKED_AT);
    let looked_at = text.get(..end).unwrap_or_default();
    let (mut words, mut letters, mut known) = (0, 0, 0);
    for word in looked_at.split(|character: char| !character.is_alphabetic()) {
        if word.len() >= SHORTEST {
            words += 1;
            letters += word.len();
            known += if rank_of(word).is_some() { word.len() } else { 0 };
        }
    }
    (words >= 2).then(|| known * 100 / letters)
}

/// How common a word of some language is, however it is written; see [`tokens::rank`].
pub(super) fn rank_of(word: &str) -> Option<u16> {
    (word.len() <= LONGEST_WORD).then(|| rank(word.to_lowercase().as_bytes()))?
}

/// The same of a word in lower case.
pub(super) fn rank(word: &[u8]) -> Option<u16> {
    let of_attacks = || ATTACKS.binary_search_by(|known| known.as_bytes().cmp(word)).ok();
    tokens::rank(word).or_else(|| of_attacks().map(|_| RARE))
}

/// Whether decoded bytes are text: at least eight characters, almost all of them letters, digits,
/// spaces and punctuation, and letters for the most part.
pub(super) fn readable(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let count = text.chars().count();
    let odd = text.chars().filter(|c| c.is_control() && !c.is_whitespace()).count();
    let letters = text.chars().filter(|c| c.is_alphabetic() || *c == ' ').count();
    (count >= 8 && odd == 0 && letters * 10 >= count * 6).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_attacks_like_are_found_and_are_none_of_the_vocabulary() {
        assert!(ATTACKS.is_sorted());
        for word in ATTACKS {
            assert!(
                rank_of(word) == Some(RARE) && tokens::rank(word.as_bytes()).is_none(),
                "{word}"
            );
        }
    }
}
