//! A baseline: findings that were there before the linter was, known by fingerprint so that moved lines do not matter.

use crate::finding::Finding;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    rule: String,
    path: String,
    fingerprint: String,
}

/// The baseline file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    version: u32,
    findings: Vec<Entry>,
}

impl Baseline {
    /// Every finding of a run that is not suppressed.
    pub fn of(findings: &[Finding]) -> Self {
        let entry = |of: &Finding| Entry {
            rule: of.rule.clone(),
            path: of.path.clone(),
            fingerprint: of.fingerprint.clone(),
        };
        Self {
            version: 1,
            findings: findings.iter().filter(|of| of.suppressed.is_none()).map(entry).collect(),
        }
    }

    /// Reads a baseline file.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn read(text: &str) -> Result<Self, String> {
        let baseline: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if baseline.version == 1 {
            Ok(baseline)
        } else {
            Err(format!("version {} is not known, this is version 1", baseline.version))
        }
    }

    /// The file's text.
    pub fn write(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Takes known findings out of a list, and returns the entries that no finding matches: rule, path, how often.
    pub(crate) fn apply(&self, findings: &mut Vec<Finding>) -> Vec<(String, String)> {
        let mut known: BTreeMap<&str, &Entry> =
            self.findings.iter().map(|entry| (entry.fingerprint.as_str(), entry)).collect();
        findings.retain(|of| {
            of.suppressed.is_some() || known.remove(of.fingerprint.as_str()).is_none()
        });
        known.into_values().map(|entry| (entry.rule.clone(), entry.path.clone())).collect()
    }
}
