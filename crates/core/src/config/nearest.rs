//! Finds what was probably meant.

/// What other gateways, or everyday language, call our keys.
const OTHER_NAMES: [(&str, &str); 22] = [
    ("key", "sha256"),
    ("key_hash", "sha256"),
    ("hash", "sha256"),
    ("digest", "sha256"),
    ("name", "id"),
    ("rpm", "requests_per_minute"),
    ("tpm", "tokens_per_minute"),
    ("ttl", "ttl_seconds"),
    ("url", "base_url"),
    ("api_base", "base_url"),
    ("endpoint", "base_url"),
    ("token", "api_key"),
    ("secret", "api_key"),
    ("type", "kind"),
    ("retries", "max_attempts"),
    ("max_retries", "max_attempts"),
    ("max_output_tokens", "max_output"),
    ("amount", "usd"),
    ("limit", "usd"),
    ("period", "per"),
    ("deployments", "targets"),
    ("keys", "auth"),
];

/// The known key that `unknown` stands for, if any is near.
pub(crate) fn key<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = plain(unknown);
    let other_name = OTHER_NAMES.iter().find(|(name, ours)| *name == plain && known.contains(ours));
    if let Some((_, ours)) = other_name {
        return known.iter().copied().find(|key| key == ours);
    }
    word(unknown, known).or_else(|| {
        let shares_start = |key: &&&str| key.starts_with(&plain) || plain.starts_with(**key);
        known.iter().filter(shares_start).min_by_key(|key| key.len()).copied()
    })
}

/// The known word nearest to `unknown`, at most a third of its letters away.
pub(crate) fn word<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = plain(unknown);
    known
        .iter()
        .map(|key| (strsim::osa_distance(&plain, &key.to_ascii_lowercase()), *key))
        .filter(|(distance, key)| *distance <= (key.len() / 3).max(1))
        .min()
        .map(|(_, key)| key)
}

/// Words as a sentence lists them, each in backticks.
pub(crate) fn listing(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Without case, and with one kind of dash; cut, as nothing known is longer.
fn plain(text: &str) -> String {
    text.chars().take(64).map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_other_names_and_beginnings_lead_to_the_known_key() {
        let keys = ["ttl_seconds", "enabled", "scope", "max_temperature"];
        for (unknown, known) in [
            ("ttl_second", Some("ttl_seconds")),
            ("ttl", Some("ttl_seconds")),
            ("Enabled", Some("enabled")),
            ("max-temperature", Some("max_temperature")),
            ("scpoe", Some("scope")),
            ("max", Some("max_temperature")),
            ("colour", None),
        ] {
            assert_eq!(key(unknown, &keys), known, "{unknown}");
        }
    }
}
