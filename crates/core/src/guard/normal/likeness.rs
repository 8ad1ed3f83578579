//! Whether letters make text that somebody may mean to be read.

/// Words that stand in almost every sentence of English, or in those that attack.
#[rustfmt::skip]
const COMMON: [&str; 64] = [
    "the", "and", "you", "your", "all", "for", "are", "not", "with", "that", "this", "from", "have", "was", "can", "will", "what", "how",
    "but", "any", "out", "who", "why", "when", "into", "about", "only", "them", "their", "there", "which", "would", "should", "must",
    "now", "new", "just", "like", "make", "tell", "give", "show", "write", "say", "print", "act", "follow", "forget", "ignore",
    "disregard", "override", "reveal", "repeat", "previous", "prior", "above", "instructions", "instruction", "system", "prompt",
    "rules", "password", "secret", "please",
];

/// How many of the words are common ones, in percent; 0 for fewer than three words.
pub(super) fn common_share(text: &str) -> usize {
    let (mut words, mut common) = (0, 0);
    for word in text.split(|character: char| !character.is_ascii_alphabetic()) {
        if word.len() >= 3 {
            words += 1;
            common += usize::from(COMMON.iter().any(|known| word.eq_ignore_ascii_case(known)));
        }
    }
    if words < 3 { 0 } else { common * 100 / words }
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
