//! `tollhouse config …`: gateway configurations.

mod check;
mod frame;
mod reference;
mod show;

use std::{
    env, fs,
    io::{Read as _, Write as _},
    time::SystemTime,
};

use clap::{Args, Subcommand, ValueEnum};
use tollhouse_core::{
    config::{self, Loaded, Report, Source},
    units::UnixMs,
};

use crate::{Failure, Outcome};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Report every problem of a configuration; exit 1 when it would be refused.
    Check(Input),
    /// Print the effective configuration, each value with where it comes from.
    Show(Input),
    /// Print the JSON Schema of the configuration.
    Schema,
    /// Print the table of all keys, as Markdown.
    Reference,
    /// Print the configuration of a gateway that has none, to start from.
    Default,
}

/// A configuration and how to speak of it. Variables `TOLLHOUSE__SECTION__KEY` stand above the file.
#[derive(Args)]
pub(crate) struct Input {
    /// TOML or JSON; `-` reads standard input.
    #[arg(default_value = "tollhouse.toml")]
    file: String,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For machines.
    Json,
}

pub(crate) fn run(command: &Command) -> Result<Outcome, Failure> {
    match command {
        Command::Check(input) => check::run(input),
        Command::Show(input) => show::run(input),
        Command::Schema => print(&format!("{:#}\n", config::schema::json_schema())),
        Command::Reference => print(&reference::markdown(&config::schema::json_schema())),
        Command::Default => print(config::default_toml()),
    }
}

/// A file's name and text, and what came of loading it.
struct Loading {
    name: String,
    text: String,
    result: Result<Loaded, Report>,
}

/// Reads and loads the file with this process's variables, as of today.
fn load(input: &Input) -> Result<Loading, Failure> {
    let text =
        read(&input.file).map_err(|source| Failure::Read { path: input.file.clone(), source })?;
    let name = if input.file == "-" { "standard input" } else { &input.file };
    let variables: Vec<_> = env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let result = config::load(Source { name, text: &text }, &variables, now()?);
    Ok(Loading { name: name.to_owned(), text, result })
}

fn read(file: &str) -> std::io::Result<String> {
    if file != "-" {
        return fs::read_to_string(file);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text)
}

#[expect(clippy::disallowed_methods, reason = "the command is where the clock is read")]
fn now() -> Result<UnixMs, Failure> {
    let since =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_err(|_| Failure::Clock)?;
    Ok(UnixMs(u64::try_from(since.as_millis()).unwrap_or(u64::MAX)))
}

/// Prints to standard output, without colours where nobody sees them.
fn print(text: &str) -> Result<Outcome, Failure> {
    anstream::stdout().write_all(text.as_bytes())?;
    Ok(Outcome::Clean)
}
