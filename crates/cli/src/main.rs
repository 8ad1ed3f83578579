//! The `tollhouse` command.
//!
//! Each subcommand is a file of its own. It ends with 0 when all is well, 1 when something was found,
//! and 2 when the tool itself failed.

mod config;

use std::process::ExitCode;

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
    let outcome = match Arguments::parse().command {
        Command::Config(command) => config::run(&command),
    };
    match outcome {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::from(1),
        // Whoever reads the output has had enough of it, as `head` has.
        Err(Failure::Write(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(failure) => {
            anstream::eprintln!("error: {failure}");
            ExitCode::from(2)
        }
    }
}
