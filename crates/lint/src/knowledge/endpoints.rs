//! Hosts and paths of hosted models, and the names of models that are gone or going.

use serde::Deserialize;

/// `rules/knowledge/endpoints.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Endpoints {
    hosts: Vec<String>,
    paths: Vec<String>,
    /// Paths that others use too.
    #[serde(default)]
    common: Vec<String>,
    #[serde(default)]
    not_calls: Vec<String>,
    #[serde(default)]
    pub(crate) retired: Vec<Retired>,
}

/// A model its provider has retired, or announced to retire.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retired {
    /// Its name; a trailing `*` stands for any ending.
    pub(crate) name: String,
    /// The day it stops or stopped, `YYYY-MM-DD`.
    pub(crate) on: String,
    /// What to use instead.
    pub(crate) instead: String,
    /// Where that was announced, or `unchecked`.
    #[expect(dead_code, reason = "for the reader of the knowledge file")]
    source: String,
}

impl Endpoints {
    /// Whether a URL, unknown parts marked by a NUL, is one that models answer at.
    pub(crate) fn is_model(&self, url: &str) -> bool {
        let by_path = self.paths.iter().any(|known| fits(url, known));
        !self.is_upkeep(url)
            && (by_path || self.hosts.iter().any(|host| url.contains(host.as_str())))
    }

    /// Whether a URL is one that models answer at, or another service with paths of the same name.
    pub(crate) fn may_be_model(&self, url: &str) -> bool {
        !self.is_upkeep(url) && self.common.iter().any(|known| fits(url, known))
    }

    /// Whether a URL is a provider's, and none that a model answers at: lists, counts, files.
    pub(crate) fn is_upkeep(&self, url: &str) -> bool {
        let path = url.split('?').next().unwrap_or_default();
        self.not_calls.iter().any(|tail| path.ends_with(tail.as_str()))
    }

    /// Whether a word names such an address by its last part alone: `countTokens`.
    pub(crate) fn names_upkeep(&self, word: &str) -> bool {
        self.not_calls.iter().any(|tail| tail.trim_start_matches(['/', ':']) == word)
    }

    /// The hosts, without what follows in the address.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().filter_map(|host| host.split('/').next())
    }

    /// The last part of every path, and whether it must end the address. However an address is put together, this is
    /// not taken apart.
    pub(crate) fn last_parts(&self) -> impl Iterator<Item = (&str, bool)> {
        let last = |path: &'_ String| -> Option<(usize, usize)> {
            let whole = path.trim_end_matches(['$', '/']);
            Some((whole.rfind(['/', ':'])? + 1, whole.len()))
        };
        self.paths.iter().chain(&self.common).filter_map(move |path| {
            let (start, end) = last(path)?;
            Some((path.get(start..end)?, path.ends_with('$')))
        })
    }

    /// What is known of a retired model.
    pub(crate) fn retired(&self, model: &str) -> Option<&Retired> {
        self.retired.iter().find(|of| match of.name.strip_suffix('*') {
            Some(head) => model.starts_with(head),
            None => model == of.name,
        })
    }
}

/// Whether a URL holds a known path; one that ends in `$` must end the URL.
fn fits(url: &str, known: &str) -> bool {
    let path = url.split('?').next().unwrap_or_default();
    match known.strip_suffix('$') {
        Some(known) => path.ends_with(known),
        None => path.contains(known),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Endpoints {
        let text = include_str!("../../../../rules/knowledge/endpoints.toml");
        let Ok(known) = toml::from_str(text) else { unreachable!() };
        known
    }

    #[test]
    fn what_takes_a_models_place_is_not_retired_itself() {
        let known = known();
        for of in &known.retired {
            let next = known.retired(&of.instead);
            assert!(next.is_none_or(|next| next.on > of.on), "{} → {}", of.name, of.instead);
            assert_ne!(of.name, of.instead);
        }
    }

    #[test]
    fn counting_and_listing_are_no_calls() {
        let known = known();
        assert!(known.is_model("https://api.anthropic.com/v1/messages"));
        assert!(!known.is_model("https://api.anthropic.com/v1/messages/count_tokens"));
        assert!(!known.is_model("https://api.openai.com/v1/models"));
        assert!(known.is_upkeep("http://localhost:11434/api/pull"));
    }

    #[test]
    fn a_path_that_others_use_tells_nothing_by_itself() {
        let known = known();
        assert!(!known.is_model("\u{0}/api/chat"));
        assert!(known.may_be_model("\u{0}/api/chat"));
        assert!(known.is_model("http://localhost:11434/api/chat"));
    }
}
