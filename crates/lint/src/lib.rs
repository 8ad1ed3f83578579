//! Reads Rust code that calls models and says which clause of the standard it breaks.
//!
//! Files come in as paths and text, findings go out as data. The crate reads no disk, starts no thread and knows no
//! command line: those belong to the `tollhouse` command.
//!
//! Facts ([`collect()`]) are joined into a model of the workspace; rules ([`Rules`]) are data that ask a closed set of
//! questions of it, in terms of roles that knowledge files give to other people's crates.

mod ask;
mod baseline;
mod collect;
mod engine;
mod explain;
mod facts;
mod finding;
mod knowledge;
mod manifest;
mod model;
mod record;
mod report;
mod rules;
mod settings;
mod suppress;
mod text;

pub use baseline::Baseline;
pub use collect::{collect, given_up, lexed};
pub use engine::{Files, Linter, LoadError, ModelFile, Report, Traces};
pub use facts::FileFacts;
pub use finding::Finding;
pub use knowledge::KnowledgeError;
pub use report::{github, json_lines, sarif};
pub use rules::{Clause, Rule, RuleError, Rules, Severity};
pub use settings::{Level, Settings, SettingsError};
pub use text::Position;
