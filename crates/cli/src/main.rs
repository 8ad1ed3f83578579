//! The `tollhouse` command.
//!
//! Each subcommand is a file of its own. It ends with 0 when all is well, 1 when something was found,
//! and 2 when the tool itself failed.

mod classify;
mod commands;
mod config;
mod lint;
mod place;

use std::process::ExitCode;

/// Syntax trees are many small pieces, which the system's allocator is slow to give and slower to take back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "tollhouse", version, about = "Holds AI code to a written standard")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check, explain and show gateway configurations.
    #[command(subcommand)]
    Config(config::Command),
    Lint(Box<lint::LintArgs>),
    Classify(classify::ClassifyArgs),
    Place(Box<place::PlaceArgs>),
    /// Say what a lint rule or a clause of the standard is about.
    Explain {
        /// A rule's id, or a clause's.
        id: String,
    },
    /// List every lint rule.
    Rules {
        /// Print the page that explains them all.
        #[arg(long)]
        markdown: bool,
    },
}

/// How a subcommand ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// There is nothing to mend.
    Clean,
    /// Something was found that must be mended.
    Found,
}

/// Why the tool itself failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// As it was named.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The output cannot be written.
    #[error("cannot write the output: {0}")]
    Write(#[from] std::io::Error),
    /// The machine's clock stands before 1970.
    #[error("the clock stands before 1970")]
    Clock,
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Config(command) => ended(config::run(&command)),
        Command::Classify(args) => linted(classify::run(&args).map(status)),
        Command::Place(args) => linted(place::run(&args)),
        Command::Lint(args) => linted(lint::lint(&args)),
        Command::Explain { id } => linted(commands::explain::explain(&id)),
        Command::Rules { markdown } => linted(commands::rules::rules(markdown)),
    }
}

fn ended(outcome: Result<Outcome, Failure>) -> ExitCode {
    match outcome {
        Ok(outcome) => ExitCode::from(status(outcome)),
        // Whoever reads the output has had enough of it, as `head` has.
        Err(Failure::Write(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(failure) => failed(&failure),
    }
}

/// The exit status of a command that ran.
const fn status(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Clean => 0,
        Outcome::Found => 1,
    }
}

fn linted<E: std::fmt::Display>(status: Result<u8, E>) -> ExitCode {
    match status {
        Ok(status) => ExitCode::from(status),
        Err(failure) => failed(&failure),
    }
}

fn failed(failure: &impl std::fmt::Display) -> ExitCode {
    anstream::eprintln!("error: {failure}");
    ExitCode::from(2)
}
