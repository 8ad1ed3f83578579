//! A finding, and what identifies it when lines move.

use crate::rules::Severity;
use crate::text::Position;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// One place where a clause is broken.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// The rule.
    pub rule: String,
    /// The clause of the standard.
    pub clause: String,
    /// Its weight here.
    pub severity: Severity,
    /// The file, relative to the folder linted.
    pub path: String,
    /// Where it begins, from 1.
    pub start: Position,
    /// Where it ends, from 1; one past the last character.
    pub end: Position,
    /// The byte range in the file.
    pub range: std::ops::Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Stable over moved lines: 32 hexadecimal digits.
    pub fingerprint: String,
    /// The reason a suppression or an attestation gives.
    pub suppressed: Option<String>,
    /// A safe change: byte range and replacement.
    pub fix: Option<(std::ops::Range<usize>, String)>,
}

/// The identity of a finding: its rule, its file, the item around it, the text it points at, and which of several alike.
pub(crate) fn fingerprint(
    rule: &str,
    path: &str,
    item: &str,
    subject: &str,
    ordinal: usize,
) -> String {
    let tokens: String = subject.split_whitespace().collect::<Vec<_>>().join(" ");
    let digest = Sha256::digest(format!("{rule}\0{path}\0{item}\0{tokens}\0{ordinal}").as_bytes());
    digest.iter().take(16).fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_does_not_change_a_fingerprint() {
        let one = fingerprint("r", "p", "i", "a . b ( )", 0);
        assert_eq!(one, fingerprint("r", "p", "i", "a  .\n b ( )", 0));
        assert_ne!(one, fingerprint("r", "p", "i", "a . b ( )", 1));
        assert_eq!(one.len(), 32);
    }
}
