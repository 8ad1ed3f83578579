//! Fields named as OpenAI names them: `messages[0].content[1].type`.

use std::fmt::Write;

/// The longest part of a key that is shown, in characters.
const LONGEST_KEY: usize = 64;

/// Adds a key; what is not visible or too long is left out, since the caller chose it.
pub(crate) fn push_key(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.extend(key.chars().filter(|character| !character.is_control()).take(LONGEST_KEY));
    if key.chars().count() > LONGEST_KEY {
        path.push('…');
    }
}

/// Adds an index, counted from 0.
pub(crate) fn push_index(path: &mut String, index: usize) {
    // Writing to a string cannot fail.
    let _ = write!(path, "[{index}]");
}
