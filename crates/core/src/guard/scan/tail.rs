//! How something found goes on, once it is sure what it is.

use super::ahead::Ahead;

/// The longest private key that is hidden whole, in bytes; the longest in use has 13 KiB.
const MAX_PRIVATE_KEY: usize = 32 << 10;

/// What else belongs to what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::guard) enum Tail {
    /// Nothing.
    Nothing,
    /// Letters, digits, `-` and `_`.
    Joined,
    /// The same, and full stops between them.
    Dotted,
    /// What a value is written in.
    Value,
    /// The lines of a private key, up to the dashes that close its last line.
    PrivateKey {
        /// How many dashes in a row were the last bytes.
        dashes: u8,
        /// Whether the last line has begun.
        is_ending: bool,
        /// How many bytes it has had.
        length: usize,
    },
}

impl Tail {
    /// A private key whose first line has been read.
    pub(super) const PRIVATE_KEY: Self =
        Self::PrivateKey { dashes: 0, is_ending: false, length: 0 };

    /// How many bytes at the start of `ahead` belong to it, and whether it ends there. What does not
    /// end may go on in the text to come.
    pub(super) fn take(&mut self, ahead: Ahead<'_>) -> (usize, bool) {
        let bytes = ahead.here();
        let run = |belongs: fn(u8) -> bool| {
            let length = bytes.iter().take_while(|byte| belongs(**byte)).count();
            (length, length < bytes.len())
        };
        match self {
            Self::Nothing => (0, true),
            Self::Joined => run(is_joined),
            Self::Dotted => dotted(ahead),
            Self::Value => run(super::assigned::in_value),
            Self::PrivateKey { dashes, is_ending, length } => {
                for (at, byte) in bytes.iter().enumerate() {
                    *length += 1;
                    if !in_private_key(*byte) || *length > MAX_PRIVATE_KEY {
                        return (at, true);
                    }
                    *dashes = if *byte == b'-' { dashes.saturating_add(1) } else { 0 };
                    if *dashes == 5 {
                        if *is_ending {
                            return (at + 1, true);
                        }
                        *is_ending = true;
                    }
                }
                (bytes.len(), false)
            }
        }
    }
}

/// A full stop belongs to a key only where the key goes on behind it.
fn dotted(ahead: Ahead<'_>) -> (usize, bool) {
    let mut at = 0;
    loop {
        let length = match ahead.at(at) {
            Ok(Some(byte)) if is_joined(byte) => 1,
            Ok(Some(b'.')) => match ahead.is(at + 1, is_joined) {
                Ok(true) => 2,
                Ok(false) => return (at, true),
                Err(_) => return (at, false),
            },
            Ok(Some(_)) => return (at, true),
            Ok(None) | Err(_) => return (at, false),
        };
        at += length;
    }
}

const fn is_joined(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

const fn in_private_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || byte.is_ascii_whitespace()
        || matches!(byte, b'+' | b'/' | b'=' | b'-' | b':' | b',' | b'\\')
}
