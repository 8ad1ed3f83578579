//! The configuration: as written, checked, valid.
//!
//! [`load`] reads TOML or JSON, lays the environment's overrides over it and defaults under it, and
//! checks everything in one pass: a report holds every problem with its place and what to write
//! instead. Only what passes becomes a [`Config`], which the rest of the gateway never checks again.
//! The raw types are what may be written; the valid ones are what it means.

mod build;
mod date;
mod digest;
mod findings;
mod hosts;
pub mod keeper;
mod layers;
mod nearest;
mod overrides;
mod problem;
mod raw;
mod rule;
#[cfg(feature = "schema")]
pub mod schema;
mod secrets;
pub mod show;
mod tree;
pub mod valid;

use findings::{Findings, Found, Notes, Spot};
pub use overrides::PREFIX as VARIABLE_PREFIX;
pub use problem::{Facts, Place, Position, Problem, Report, Rule, Severity};
use raw::{RawConfig, Read};
pub use secrets::masked;
use tree::{Node, Path};
pub use valid::Config;

use crate::units::UnixMs;

/// A configuration's text.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// What reports call it: a file's path, a variable, a KV key.
    pub name: &'a str,
    /// TOML, or JSON where it begins with `{`.
    pub text: &'a str,
}

/// A configuration that runs.
#[derive(Debug)]
pub struct Loaded {
    /// The valid configuration.
    pub config: Config,
    /// What should be mended all the same.
    pub warnings: Vec<Problem>,
    source_name: String,
    text: String,
    effective: Node,
}

impl Loaded {
    /// The text that was read, without what variables laid over it.
    pub fn source(&self) -> Source<'_> {
        Source { name: &self.source_name, text: &self.text }
    }
}

/// The configuration of a gateway that has none: open, with the mock provider alone.
pub const fn default_toml() -> &'static str {
    include_str!("config/default.toml")
}

/// Reads and checks a configuration.
///
/// `overrides` are environment variables by name; those that do not begin with [`VARIABLE_PREFIX`]
/// are passed over. `today` tells which models are retired and which keys have expired.
///
/// ```
/// use tollhouse_core::{config, units::UnixMs};
///
/// let source = config::Source { name: "tollhouse.toml", text: "[modles]\n" };
/// let report = config::load(source, &[], UnixMs(0)).unwrap_err();
/// assert!(report.to_string().contains("did you mean `models`?"));
/// ```
///
/// # Errors
/// Every problem that was found, warnings too, when at least one of them is an error.
pub fn load(
    source: Source<'_>,
    overrides: &[(String, String)],
    today: UnixMs,
) -> Result<Loaded, Report> {
    let findings = Findings::default();
    let Some(mut root) = parse(source.text, &findings) else {
        return Err(report(source, findings));
    };
    overrides::apply(&mut root, overrides, &findings);
    layers::complete(&mut root);
    let notes = Notes { tree: &root, findings: &findings };
    secrets::scan(&notes);
    let raw = RawConfig::read(&root, &Path::Root, &notes);
    let config = raw.and_then(|raw| build::config(&raw, &notes, today, digest::of(&root)));
    match config {
        Some(config) if !findings.has_errors() => Ok(Loaded {
            config,
            warnings: findings.into_problems(source.text),
            source_name: source.name.to_owned(),
            text: source.text.to_owned(),
            effective: root,
        }),
        Some(_) | None => Err(report(source, findings)),
    }
}

/// The tree, unless mistakes in the text leave it in pieces.
fn parse(text: &str, findings: &Findings) -> Option<Node> {
    let is_json = text.trim_start_matches('\u{feff}').trim_start().starts_with('{');
    let (root, errors) = if is_json { tree::parse_json(text) } else { tree::parse_toml(text) };
    let is_whole = errors.iter().all(|error| error.duplicate);
    for error in errors {
        let rule = if error.duplicate { Rule::DuplicateKey } else { Rule::Syntax };
        let found = Found::new(rule, error.message);
        findings.push(Spot::Text(error.span.start, error.span.end), String::new(), found);
    }
    is_whole.then_some(root)
}

fn report(source: Source<'_>, findings: Findings) -> Report {
    Report { source_name: source.name.to_owned(), problems: findings.into_problems(source.text) }
}

#[cfg(test)]
mod tests;
