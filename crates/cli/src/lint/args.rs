//! The arguments of `tollhouse lint`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people, with the code.
    Text,
    /// One JSON object a line.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// GitHub workflow commands.
    Github,
}

/// The least severity that fails a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Certain breaches only.
    Deny,
    /// Probable ones too.
    Warn,
    /// Anything.
    Info,
}

/// Read Rust code that calls models, and say which clause of the standard it breaks.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct LintArgs {
    /// Files and folders to read; the current folder by default.
    pub(crate) paths: Vec<PathBuf>,
    /// How findings are printed.
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: Format,
    /// Configuration; `tollhouse-lint.toml` in the folder by default.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Findings that were there before, to be left out.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Write the baseline anew from what is found now.
    #[arg(long)]
    pub(crate) write_baseline: bool,
    /// Only these rules or clauses.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub(crate) select: Vec<String>,
    /// Not these rules or clauses.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub(crate) ignore: Vec<String>,
    /// A folder of further rule files.
    #[arg(long, value_name = "DIR")]
    pub(crate) rules: Option<PathBuf>,
    /// The least severity that fails the run; `warn` by default.
    #[arg(long, value_enum)]
    pub(crate) fail_on: Option<FailOn>,
    /// How many threads read files; one per core by default.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Where results are kept between runs; in the user's cache folder by default.
    #[arg(long, value_name = "DIR", conflicts_with = "no_cache")]
    pub(crate) cache_dir: Option<PathBuf>,
    /// Read every file anew, and keep nothing.
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// Parse packages that touch no model too, where there is much source.
    #[arg(long)]
    pub(crate) whole: bool,
    /// Print counts by rule.
    #[arg(long)]
    pub(crate) statistics: bool,
    /// Make the safe changes.
    #[arg(long)]
    pub(crate) fix: bool,
    /// Show the safe changes without making them.
    #[arg(long)]
    pub(crate) diff: bool,
    /// Say what is believed about the calls on one line.
    #[arg(long, value_name = "PATH:LINE")]
    pub(crate) explain_roles: Option<String>,
    /// Judge dates as of this day, YYYY-MM-DD.
    #[arg(long, value_name = "DATE")]
    pub(crate) as_of: Option<String>,
}
