//! A shipped model with its gate held shut or open, so that each stage can be timed by itself.

use tollhouse_classify::{Classifier, Input, Source, shipped_parts};

/// How the gate is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// Only the linear stage runs.
    Shut,
    /// Both run, whatever the text.
    Open,
}

/// Loads a shipped model; `None` if there is none, or if the gate of a model without a core should
/// be open.
pub(crate) fn load(name: &str, gate: Gate) -> Option<Classifier> {
    let (manifest, files) = shipped_parts(name)?;
    if gate == Gate::Open && !manifest.contains("\n[gate]\n") {
        return None;
    }
    let (low, high) = match gate {
        Gate::Shut => ("low = 1e9", "high = 1e9"),
        Gate::Open => ("low = -1e9", "high = 1e9"),
    };
    let lines = manifest.lines().map(|line| match line.split(" = ").next() {
        Some("low") => low,
        Some("high") => high,
        _ => line,
    });
    let manifest = lines.collect::<Vec<_>>().join("\n");
    Some(Classifier::load(&manifest, files).unwrap_or_else(|error| panic!("{error}")))
}

/// Judges `text` so many times; the sum of the scores, so that nothing is optimised away.
pub(crate) fn judge(classifier: &Classifier, text: &str, times: u32) -> f64 {
    let input = Input { text, source: Source::User };
    (0..times)
        .map(|_| {
            let scores = classifier.classify(&[input]).unwrap_or_else(|error| panic!("{error}"));
            scores.first().map_or(0.0, |scores| scores.score)
        })
        .sum()
}
