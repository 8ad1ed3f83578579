//! Rules as data: `rules/lint/<id>.toml` and `rules/standard.toml`, read and checked.

mod standard;

pub use standard::Clause;
pub(crate) use standard::Standard;

use crate::ask::Question;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; never fails a run.
    Info,
    /// Probably wrong, or a matter of judgement.
    Warn,
    /// Certainly wrong.
    Deny,
}

impl Severity {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }

    /// One step lighter.
    pub(crate) fn lighter(self) -> Self {
        match self {
            Self::Deny => Self::Warn,
            Self::Warn | Self::Info => Self::Info,
        }
    }
}

/// One rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name: what it finds.
    pub id: String,
    /// The clause of the standard it belongs to; `tool` for findings about the linter's own upkeep.
    pub clause: String,
    /// How much a finding weighs by default.
    pub severity: Severity,
    /// What a finding says; `{name}` stands for a detail of the finding.
    pub message: String,
    /// Why it matters.
    pub why: String,
    /// What to do about it.
    pub help: String,
    /// Code that breaks it.
    #[serde(default)]
    pub bad: String,
    /// The same, mended.
    #[serde(default)]
    pub good: String,
    pub(crate) ask: Question,
}

/// A rule file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("rule file {file}: {reason}")]
pub struct RuleError {
    file: String,
    reason: String,
}

/// Every rule, by id.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    by_id: BTreeMap<String, Rule>,
}

impl Rules {
    /// Reads rule files, given as names and texts; a later file replaces an earlier one of the same id.
    ///
    /// # Errors
    /// When a file is not a rule, or its id is not its file's name.
    pub fn read<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, RuleError> {
        let mut rules = Self::default();
        for (file, text) in files {
            rules.add(file, text)?;
        }
        Ok(rules)
    }

    /// Adds one rule file.
    ///
    /// # Errors
    /// As [`Rules::read`].
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), RuleError> {
        let fail = |reason: String| RuleError { file: file.to_owned(), reason };
        let rule: Rule = toml::from_str(text).map_err(|error| fail(error.to_string()))?;
        let stem = file.rsplit(['/', '\\']).next().unwrap_or(file).trim_end_matches(".toml");
        if rule.id != stem {
            return Err(fail(format!("the id `{}` is not the file's name", rule.id)));
        }
        self.by_id.insert(rule.id.clone(), rule);
        Ok(())
    }

    /// The rule called `id`.
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.by_id.get(id)
    }

    /// Every rule, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.by_id.values()
    }

    /// The id nearest to one that does not exist.
    pub fn nearest(&self, id: &str) -> Option<&str> {
        let scored =
            self.by_id.keys().map(|known| (strsim::jaro_winkler(known, id), known.as_str()));
        scored
            .filter(|(score, _)| *score > 0.8)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, known)| known)
    }
}
