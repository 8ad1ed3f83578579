//! What both ways of timing a model do.

use tollhouse_classify::{Classifier, Input, Source, shipped};

/// Loads an embedded model.
pub(crate) fn load(name: &str) -> Classifier {
    let loaded = shipped(name).unwrap_or_else(|| panic!("no model {name}"));
    loaded.unwrap_or_else(|error| panic!("{name}: {error}"))
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
