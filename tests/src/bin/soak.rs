//! `cargo xtask soak`: minutes of faults, streams and vanishing callers; exit 1 where anything is
//! lost, held back or leaks.

use std::{env, process::ExitCode, time::Duration};

use anyhow::{Context, Result, bail};
use tollhouse_tests::soak::{
    Plan,
    memory::{Part, growth},
    run,
};

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
    for part in Part::ALL {
        let growth = growth(&outcome.samples, part);
        let (name, limit) = (part.name(), part.limit());
        println!("{name:<20} {growth:+6.1} MiB a minute after the warm-up, {limit} allowed");
    }
    let leaks = outcome.leaks().map(|(part, _)| format!("memory grows: {}", part.name()));
    let problems: Vec<String> = outcome.problems.iter().cloned().chain(leaks).collect();
    for problem in &problems {
        println!("FAILED {problem}");
    }
    if problems.is_empty() {
        println!("nothing is missing, nothing is held back, memory is flat");
    }
    Ok(problems.is_empty())
}
