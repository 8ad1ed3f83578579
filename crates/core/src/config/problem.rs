//! What is wrong with a configuration, and where.
//!
//! A problem belongs to one [`Rule`] of a closed list; the rule decides whether the configuration is
//! refused (error) or runs all the same (warning).

use std::{fmt, ops::Range};

pub use super::rule::{Facts, Rule};

/// Whether a configuration with this problem runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is refused.
    Error,
    /// It runs, and the problem is reported.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which of the closed list.
    pub rule: Rule,
    /// The key, dotted: `models.fast.targets[0].provider`; empty for the whole configuration.
    pub path: String,
    /// Where it was written.
    pub place: Place,
    /// What was found; at most the first characters of anything that may be a secret.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// Where something was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the configuration's text.
    Text {
        /// Which bytes.
        span: Range<usize>,
        /// Where they begin.
        start: Position,
        /// Just after their end.
        end: Position,
    },
    /// In the environment variable of this name.
    Variable(String),
}

/// A place in a text, as editors count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

/// A configuration that is refused, with everything that was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Report {
    /// The name of the text: a file, a variable, a KV key.
    pub source_name: String,
    /// Errors and warnings in the order of the text; those of variables come last.
    pub problems: Vec<Problem>,
}

impl Severity {
    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl Problem {
    /// Whether the configuration is refused for it.
    pub const fn severity(&self) -> Severity {
        self.rule.severity()
    }

    /// One line, without help: `tollhouse.toml:12:5: error[unknown-key]: …`.
    pub fn line(&self, source_name: &str) -> String {
        let place = match &self.place {
            Place::Text { start, .. } => format!("{source_name}:{}:{}", start.line, start.column),
            Place::Variable(name) => name.clone(),
        };
        format!("{place}: {}[{}]: {}", self.severity().name(), self.rule.name(), self.message)
    }
}

impl Report {
    /// How many problems are errors.
    pub fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.severity() == Severity::Error).count()
    }
}

impl fmt::Display for Report {
    /// One line a problem, its help behind it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{}", problem.line(&self.source_name))?;
            if let Some(help) = &problem.help {
                write!(f, " ({help})")?;
            }
        }
        Ok(())
    }
}
