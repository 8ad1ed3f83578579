//! Caller keys for tests, written into configurations as the digests that the gateway knows.

use sha2::{Digest, Sha256};

/// SHA-256 of `key`, in lower-case hexadecimal.
pub fn digest(key: &str) -> String {
    let digits = |byte: &u8| {
        [byte >> 4, byte & 15].map(|half| char::from(b"0123456789abcdef"[usize::from(half)]))
    };
    Sha256::digest(key.as_bytes()).iter().flat_map(digits).collect()
}

/// An `[[auth.keys]]` entry: its key is `ID-key`; `more` is further TOML lines.
pub fn caller(id: &str, more: &str) -> String {
    let sha256 = digest(&format!("{id}-key"));
    let models = if more.contains("models =") { "" } else { "models = [\"*\"]\n" };
    format!("[[auth.keys]]\nid = \"{id}\"\nsha256 = \"{sha256}\"\n{models}{more}\n")
}
