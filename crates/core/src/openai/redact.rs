//! Takes keys out of a provider's text before anyone else reads it.
//!
//! Providers quote keys, whole or masked, in their messages. What equals a secret that the gateway
//! holds is taken out wherever it stands; what looks like a key is taken out too. The latter may
//! take out a harmless identifier, which costs less than the opposite mistake.

use std::borrow::Cow;

/// What stands in a key's place.
const REDACTED: &str = "[redacted]";

/// How the keys of providers and clouds begin.
const PREFIXES: [&str; 22] = [
    "sk-",
    "sk_",
    "pk-",
    "pk_",
    "rk_",
    "gsk_",
    "xai-",
    "AIza",
    "hf_",
    "r8_",
    "nvapi-",
    "pplx-",
    "tgp_",
    "fw_",
    "csk-",
    "ghp_",
    "gho_",
    "github_pat_",
    "glpat-",
    "AKIA",
    "ya29.",
    "eyJ",
];
/// A prefix with fewer characters after it is a word: `sk-learn`.
const SHORTEST_AFTER_PREFIX: usize = 8;
/// From this length, letters mixed with digits are taken for a key.
const SHORTEST_OPAQUE: usize = 32;

/// The text without `secrets` and without whatever looks like a key.
pub fn redact<'t>(text: &'t str, secrets: &[&str]) -> Cow<'t, str> {
    let mut redacted = Cow::Borrowed(text);
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        if redacted.contains(secret) {
            redacted = Cow::Owned(redacted.replace(secret, REDACTED));
        }
    }
    if !words(&redacted).any(looks_like_a_key) {
        return redacted;
    }
    let mut kept = String::with_capacity(redacted.len());
    for piece in redacted.split_inclusive(|character| !is_key_character(character)) {
        // The end of a sentence is not part of the word.
        let word = piece.trim_end_matches(|end| end == '.' || !is_key_character(end));
        kept.push_str(if looks_like_a_key(word) { REDACTED } else { word });
        kept.push_str(piece.get(word.len()..).unwrap_or_default());
    }
    Cow::Owned(kept)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character| !is_key_character(character))
}

/// Masked keys have stars or dots in them, and tokens have dots.
fn is_key_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_*.•…".contains(character)
}

fn looks_like_a_key(word: &str) -> bool {
    let prefixed = PREFIXES.iter().any(|prefix| {
        word.strip_prefix(prefix).is_some_and(|rest| rest.chars().count() >= SHORTEST_AFTER_PREFIX)
    });
    prefixed || word.contains("***") || is_opaque(word)
}

/// A long run of letters and digits that is neither prose nor a path or address.
fn is_opaque(word: &str) -> bool {
    let longest =
        word.split(['-', '.', '_', '…', '•']).max_by_key(|run| run.len()).unwrap_or_default();
    let digits = longest.bytes().filter(u8::is_ascii_digit).count();
    let letters = longest.bytes().filter(u8::is_ascii_alphabetic).count();
    longest.len() >= SHORTEST_OPAQUE && digits >= 2 && letters >= 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_taken_out_and_prose_is_left() {
        for (text, expected) in [
            (
                "Incorrect API key provided: sk-proj-abc*****************wxyz. You can find yours at https://platform.openai.com/account/api-keys.",
                "Incorrect API key provided: [redacted]. You can find yours at https://platform.openai.com/account/api-keys.",
            ),
            ("key=gsk_0123456789abcdef, retry", "key=[redacted], retry"),
            ("Bearer eyJhbGciOiJIUzI1NiJ9.e30.x", "Bearer [redacted]"),
            ("Wrong key: ab1***9z, sorry", "Wrong key: [redacted], sorry"),
            ("token 0123456789abcdef0123456789abcdef!", "token [redacted]!"),
            ("sk-learn and task-runner are fine", "sk-learn and task-runner are fine"),
            (
                "model llama-3.1-8b-instruct-turbo-2024-07-18-preview-128k not found",
                "model llama-3.1-8b-instruct-turbo-2024-07-18-preview-128k not found",
            ),
            (
                "Organization org-AbCdEf on tokens per min (TPM): Limit 30000",
                "Organization org-AbCdEf on tokens per min (TPM): Limit 30000",
            ),
        ] {
            assert_eq!(redact(text, &[]), expected);
        }
    }

    #[test]
    fn text_without_keys_is_not_copied() {
        assert!(matches!(redact("nothing here", &["secret", ""]), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn a_secret_never_survives(before: String, secret in "[!-~]{12,40}", after: String) {
            let text = format!("{before}{secret}{after}");
            let redacted = redact(&text, &[&secret]);
            prop_assert!(!redacted.contains(&secret), "{redacted}");
        }

        #[test]
        fn a_prefixed_key_never_survives(
            before in "(|key |key=|\\(|: ?)", prefix in prop::sample::select(PREFIXES.to_vec()), rest in "[A-Za-z0-9]{16,50}",
        ) {
            let key = format!("{prefix}{rest}");
            let text = format!("{before}{key}");
            prop_assert!(!redact(&text, &[]).contains(&rest));
        }
    }
}
