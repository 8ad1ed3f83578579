//! One line in, one answer out.

use serde::Deserialize;
use serde_json::{Value, json};
use tollhouse_classify::{Classifier, Source, Verdict};
use tollhouse_core::guard::normal::views;

use super::Threshold;

/// A line of `--jsonl`; other keys are not looked at.
#[derive(Debug, Deserialize)]
struct Line {
    text: String,
    source: Option<String>,
}

/// A model and where its verdicts begin.
pub(crate) struct Judge<'a> {
    classifier: &'a Classifier,
    flag_at: Threshold,
    block_at: Threshold,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(classifier: &'a Classifier, flag_at: Threshold, block_at: Threshold) -> Self {
        Self { classifier, flag_at, block_at }
    }

    /// Judges a line of JSON, or says what is wrong with it.
    pub(crate) fn json(&self, line: &[u8]) -> Result<Value, String> {
        let line: Line = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        let source = match line.source {
            Some(name) => name.parse().map_err(|unknown| format!("{unknown}"))?,
            None => Source::User,
        };
        self.judge(&line.text, source)
    }

    /// Judges a line of plain text, as from a user.
    pub(crate) fn text(&self, line: &[u8]) -> Result<Value, String> {
        let text = std::str::from_utf8(line).map_err(|error| error.to_string())?;
        self.judge(text, Source::User)
    }

    /// As the gateway's guards do: the text and what it says without its disguises, the worst counts.
    fn judge(&self, text: &str, source: Source) -> Result<Value, String> {
        let views = views(text);
        let all = std::iter::once(text).chain(views.iter().map(|view| view.text.as_str()));
        let scores = self.classifier.highest(all, source).map_err(|error| error.to_string())?;
        let scores = scores.ok_or("there is no text")?;
        let verdict = self.verdict(scores.score, source);
        let label = self.classifier.label(&scores, verdict);
        Ok(json!({ "label": label, "score": scores.score, "verdict": verdict.name() }))
    }

    fn verdict(&self, score: f64, source: Source) -> Verdict {
        let at = |threshold| match threshold {
            Threshold::Score(score) => score,
            Threshold::Share(point) => self.classifier.threshold(point, source),
        };
        if score >= at(self.block_at) {
            Verdict::Block
        } else if score >= at(self.flag_at) {
            Verdict::Flag
        } else {
            Verdict::Allow
        }
    }
}
