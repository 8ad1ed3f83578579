//! The standard's clauses.

use serde::Deserialize;

/// One clause of the standard.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// `C1.1`, `P2`, …
    pub id: String,
    /// What it asks for.
    pub title: String,
    /// What the linter checks.
    pub lint: String,
    /// What the gateway enforces; empty where nothing can be enforced at run time.
    pub gateway: String,
}

/// `rules/standard.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Standard {
    pub(crate) clause: Vec<Clause>,
}
