//! `tollhouse classify`: judges texts from standard input as the gateway would, one a line.
//!
//! Lines are answered as they come, in order, one answer a line; a line that cannot be judged is
//! answered by an error object, and the command then ends with 1.

mod line;
mod model;

use std::io::{self, BufRead, Write};

use clap::Args;
use tollhouse_classify::OperatingPoint;

use crate::Outcome;

/// Judge texts from standard input, one a line.
#[derive(Debug, Args)]
pub(crate) struct ClassifyArgs {
    /// The name of a shipped model, or a folder with a `manifest.toml`.
    model: String,
    /// Read `{"text": …, "source": …}` a line (source: user, document, tool or system; user if left
    /// out), and write `{"label": …, "score": …, "verdict": …}`.
    #[arg(long)]
    jsonl: bool,
    /// Flag from this score on: a number from 0 to 1, or the share of benign texts that may be
    /// flagged, `0.1%`, `1%` or `5%`.
    #[arg(long, value_name = "SCORE", default_value = "1%", value_parser = threshold)]
    flag_at: Threshold,
    /// Block from this score on.
    #[arg(long, value_name = "SCORE", default_value = "0.1%", value_parser = threshold)]
    block_at: Threshold,
}

/// Where a verdict begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Threshold {
    /// At this score, whatever the source.
    Score(f64),
    /// At the manifest's score for the text's source.
    Share(OperatingPoint),
}

/// Why nothing is judged any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The model cannot be had.
    #[error(transparent)]
    Model(#[from] model::Failure),
    /// Standard input or output broke.
    #[error("cannot go on: {0}")]
    Stream(#[from] io::Error),
}

fn threshold(text: &str) -> Result<Threshold, String> {
    if let Some(point) = OperatingPoint::parse(text) {
        return Ok(Threshold::Share(point));
    }
    let score = text.parse().ok().filter(|score| (0.0..=1.0).contains(score));
    score.map(Threshold::Score).ok_or_else(|| "wanted is 0 to 1, 0.1%, 1% or 5%".to_owned())
}

/// Judges every line.
pub(crate) fn run(args: &ClassifyArgs) -> Result<Outcome, Failure> {
    let classifier = model::load(&args.model)?;
    let judge = line::Judge::new(&classifier, args.flag_at, args.block_at);
    match stream(&judge, args.jsonl, io::stdin().lock(), io::stdout().lock()) {
        // Whoever reads the answers has had enough of them, as `head` has.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Outcome::Clean),
        ended => Ok(ended?),
    }
}

fn stream(
    judge: &line::Judge<'_>,
    jsonl: bool,
    mut input: impl BufRead,
    mut output: impl Write,
) -> io::Result<Outcome> {
    let mut outcome = Outcome::Clean;
    let mut bytes = Vec::new();
    for number in 1_u64.. {
        bytes.clear();
        if input.read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let answer = if jsonl { judge.json(line) } else { judge.text(line) };
        let answer = answer.unwrap_or_else(|problem| {
            outcome = Outcome::Found;
            serde_json::json!({ "error": problem, "line": number })
        });
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests;
