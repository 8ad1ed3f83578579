//! A shipped model with its gate held shut or open, so that each stage can be timed by itself.

use tollhouse_classify::{Classifier, Input, Source, shipped_parts};

/// How the gate is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Only the linear stage runs.
    Shut,
    /// Both run, whatever the text.
    Open,
}

/// Loads a shipped model; `None` if there is none, or if the gate of a model without a core should
/// be open.
pub fn load(name: &str, gate: Gate) -> Option<Classifier> {
    let (manifest, files) = shipped_parts(name)?;
    let mut manifest: toml::Table = manifest.parse().ok()?;
    let band = match gate {
        Gate::Shut => [1e9, 1e9],
        Gate::Open => [-1e9, 1e9],
    };
    match manifest.get_mut("gate").and_then(toml::Value::as_table_mut) {
        Some(table) => {
            table.insert("low".to_owned(), band[0].into());
            table.insert("high".to_owned(), band[1].into());
        }
        None if gate == Gate::Open => return None,
        None => {}
    }
    Some(Classifier::load(&manifest.to_string(), files).unwrap_or_else(|error| panic!("{error}")))
}

/// Judges `text` so many times; the sum of the scores, so that nothing is optimised away.
pub fn judge(classifier: &Classifier, text: &str, times: u32) -> f64 {
    let input = Input { text, source: Source::User };
    (0..times)
        .map(|_| {
            let scores = classifier.classify(&[input]).unwrap_or_else(|error| panic!("{error}"));
            scores.first().map_or(0.0, |scores| scores.score)
        })
        .sum()
}
