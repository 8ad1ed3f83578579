//! `cargo xtask dev|test|build|bench|soak`: sets up what a task needs, then does it.

mod bench;
mod build;
mod dev;
mod setup;
mod soak;
mod tests;

use std::process::ExitCode;

use anyhow::{Result, bail};
use xshell::Shell;

const USAGE: &str = "\
usage: cargo xtask <task>

  dev [--port 8787] [--config FILE]   build, then run the gateway locally under workerd
  test [FILTER]                       everything: formatting, lints, unit and end-to-end tests
  build [--quick]                     leave the Worker in crates/worker/build
  bench [NAME…]                       ratios against a JavaScript pass-through, and sizes
  soak [--minutes 3]                  200 callers, faults of every kind, and all accounts compared
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let shell = Shell::new()?;
    shell.change_dir(setup::root()?);
    let Some((task, rest)) = arguments.split_first() else {
        print!("{USAGE}");
        return Ok(());
    };
    match task.as_str() {
        "build" => build::run(&shell, build::Profile::choose(rest)?),
        "dev" => dev::run(&shell, rest),
        "test" => tests::run(&shell, rest),
        "bench" => bench::run(&shell, rest),
        "soak" => soak::run(&shell, rest),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(())
        }
        other => bail!("there is no task `{other}`\n\n{USAGE}"),
    }
}
