//! Fields named as OpenAI names them: `messages[0].content[1].type`.

use std::fmt::Write;

use crate::redact::mask;

/// The longest part of a key that is shown, in characters.
const LONGEST_KEY: usize = 64;

/// Adds a key; what is not visible, too long or like a secret is left out, since the caller chose it.
pub(crate) fn push_key(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    let shown = mask(key);
    path.extend(shown.chars().filter(|character| !character.is_control()).take(LONGEST_KEY));
    if shown.chars().count() > LONGEST_KEY {
        path.push('…');
    }
}

/// Adds an index, counted from 0.
pub(crate) fn push_index(path: &mut String, index: usize) {
    // Writing to a string cannot fail.
    let _ = write!(path, "[{index}]");
}
