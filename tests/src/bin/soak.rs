//! `cargo xtask soak`: minutes of faults, streams and vanishing callers; exit 1 where anything is
//! lost, held back or leaks.

use std::{env, process::ExitCode, time::Duration};

use anyhow::{Context, Result, bail};
use tollhouse_tests::soak::{Plan, memory::growth, run};

fn main() -> ExitCode {
    match soak() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn soak() -> Result<bool> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let minutes = match arguments.as_slice() {
        [] => 3,
        [flag, number] if flag == "--minutes" => {
            number.parse().with_context(|| format!("`{number}` is no number of minutes"))?
        }
        _ => bail!("`soak` takes `--minutes N` or nothing, not {arguments:?}"),
    };
    if !(1..=60).contains(&minutes) {
        bail!("a soak takes 1 to 60 minutes, not {minutes}");
    }
    let length = Duration::from_mins(minutes);
    let outcome =
        run(Plan { length, callers: 200, isolates: 2, interval: Duration::from_secs(10) })?;
    println!("{}", outcome.table);
    let (resident, wasm) = growth(&outcome.samples);
    println!("memory after the warm-up: {resident:+.1} MiB a minute, in Rust {wasm:+.1}");
    let problems: Vec<String> = outcome.problems.iter().cloned().chain(outcome.leaks()).collect();
    for problem in &problems {
        println!("FAILED {problem}");
    }
    if problems.is_empty() {
        println!("nothing is missing, nothing is held back, memory is flat");
    }
    Ok(problems.is_empty())
}
