//! The `tollhouse` command.

mod commands;
mod lint;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Holds AI code to a written standard.
#[derive(Debug, Parser)]
#[command(name = "tollhouse", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Lint(Box<lint::LintArgs>),
    /// Say what a rule or a clause is about.
    Explain {
        /// A rule's id, or a clause's.
        id: String,
    },
    /// List every rule.
    Rules,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Lint(args) => lint::lint(&args),
        Command::Explain { id } => commands::explain::explain(&id),
        Command::Rules => commands::rules::rules(),
    };
    match done {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            anstream::eprintln!("tollhouse: {error}");
            ExitCode::from(2)
        }
    }
}
