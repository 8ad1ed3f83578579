//! `tollhouse place`: measures models and says where each should run.
//!
//! It ends with 0 when every model was placed, 1 when `--check` found a configuration that disagrees, and
//! 2 when a model or the configuration could not be read; the others are still reported.

mod calibrate;
mod read;
mod report;
mod routing;

use std::{io::Write as _, path::PathBuf};

use clap::Args;
use tollhouse_core::placement::{Calibration, Decision, Limits, Profile, place};

pub(crate) use read::Problem;

/// Measure models and say where each should run: at the edge or on a GPU.
#[derive(Debug, Args)]
pub(crate) struct PlaceArgs {
    /// ONNX, NNEF (a tar or a folder), safetensors, GGUF, a classifier's folder or its manifest, or the
    /// name of a shipped classifier.
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<String>,
    /// Print one JSON object a model.
    #[arg(long)]
    json: bool,
    /// Measure this machine, and estimate by that.
    #[arg(long)]
    calibrate: bool,
    /// Tokens of a window, for models that do not say.
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=32_768))]
    tokens: u32,
    /// The most CPU time of a full window at the edge, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = Limits::WORKERS.cpu_ms)]
    cpu_ms: f64,
    /// Put the routing into this configuration of the gateway; comments stay.
    #[arg(long, value_name = "CONFIG", conflicts_with = "check")]
    write: Option<PathBuf>,
    /// End with 1 where this configuration of the gateway routes a model elsewhere.
    #[arg(long, value_name = "CONFIG")]
    check: Option<PathBuf>,
    /// The provider that `--write` routes heavy models to; without it, the one with `placement = "gpu"`.
    #[arg(long, value_name = "PROVIDER", requires = "write")]
    gpu: Option<String>,
}

/// A model with what came of it.
#[derive(Debug)]
pub(crate) struct Placed {
    /// As it was named on the command line.
    pub(crate) path: String,
    /// What configurations call it.
    pub(crate) name: String,
    pub(crate) profile: Profile,
    /// `graph` or `weights`: where the work was counted.
    pub(crate) basis: &'static str,
    pub(crate) decision: Decision,
}

/// Why the command could not do what it was told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The machine could not be measured.
    #[error("cannot calibrate: {0}")]
    Calibrate(String),
    /// The configuration cannot be read, written or is not valid.
    #[error("{path}: {problem}")]
    Config { path: String, problem: String },
    /// The output cannot be written.
    #[error("cannot write the output: {0}")]
    Write(#[from] std::io::Error),
}

/// Measures every model; the exit status.
pub(crate) fn run(args: &PlaceArgs) -> Result<u8, Failure> {
    let speed = if args.calibrate { calibrate::measured()? } else { calibrate::Speed::known() };
    let limits = Limits { cpu_ms: args.cpu_ms, ..Limits::WORKERS };
    let mut out = anstream::stdout().lock();
    if args.calibrate && !args.json {
        writeln!(out, "{}", report::calibration(&speed))?;
    }
    let (mut placed, mut status) = (Vec::new(), 0);
    for path in &args.models {
        match model(path, args.tokens, &limits, &speed.edge) {
            Ok(model) if args.json => {
                writeln!(out, "{}", report::json(&model, &limits, &speed))?;
                placed.push(model);
            }
            Ok(model) => {
                write!(out, "{}", report::text(&model))?;
                placed.push(model);
            }
            Err(problem) => {
                status = 2;
                if args.json {
                    writeln!(out, "{}", report::json_problem(path, &problem))?;
                }
                anstream::eprintln!("error[{}]: {path}: {problem}", problem.code());
            }
        }
    }
    drop(out);
    if status != 0 {
        // Half of the models is no ground to change or to pass a configuration on.
        return Ok(status);
    }
    if let Some(path) = &args.write {
        routing::write(path, &placed, args.gpu.as_deref())?;
    }
    if let Some(path) = &args.check {
        let disagreements = routing::check(path, &placed)?;
        for disagreement in &disagreements {
            anstream::eprintln!("{}: {disagreement}", path.display());
        }
        return Ok(u8::from(!disagreements.is_empty()));
    }
    Ok(0)
}

/// Measures and places one model.
pub(crate) fn model(
    path: &str,
    tokens: u32,
    limits: &Limits,
    calibration: &Calibration,
) -> Result<Placed, Problem> {
    let read::Model { name, profile, basis } = read::model(path, tokens)?;
    let decision = place(&profile, limits, calibration);
    Ok(Placed { path: path.to_owned(), name, profile, basis, decision })
}

/// What a model takes, a window of the usual length assumed; `None` where it cannot be measured.
pub(crate) fn profile(path: &str) -> Option<Profile> {
    let tokens = u32::try_from(tollhouse_classify::measure::USUAL_WINDOW).ok()?;
    read::model(path, tokens).ok().map(|model| model.profile)
}
