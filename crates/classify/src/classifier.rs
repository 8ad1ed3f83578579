//! The pipeline: fold, ask the linear stage, ask the core where the gate is open, blend, calibrate.

use crate::{
    core::Core,
    digest::{self, Files},
    error::{LoadError, RunError},
    fold::Folded,
    linear::Linear,
    manifest::{Gate, Manifest, Stages},
    score,
    source::Source,
    verdict::{OperatingPoint, Verdict},
};

/// A loaded model. It keeps no state between texts, and threads may share it.
#[derive(Debug)]
pub struct Classifier {
    manifest: Manifest,
    digest: String,
    engine: Engine,
}

/// The stages with their weights.
#[derive(Debug)]
enum Engine {
    Linear(Linear),
    Core(Core),
    Gated(Linear, Core, Gate),
}

/// A text to judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Input<'a> {
    /// The text, of any length.
    pub text: &'a str,
    /// Where it comes from.
    pub source: Source,
}

/// What a model says of one text.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// The probability of each label, from 0 to 1, in the order of [`Classifier::labels`].
    pub labels: Vec<f64>,
    /// The model's one score, from 0 to 1: what thresholds are about.
    pub score: f64,
    /// Whether the core was asked.
    pub core_ran: bool,
}

/// What the stages said before calibration, for tests and training.
#[derive(Debug, Clone, PartialEq)]
pub struct Logits {
    /// The linear stage's, by label.
    pub linear: Option<Vec<f64>>,
    /// The core's, by label; `None` where it was not asked.
    pub core: Option<Vec<f64>>,
}

impl Classifier {
    /// Loads a model: the text of its `manifest.toml`, and the files that it names.
    ///
    /// # Errors
    /// Every [`LoadError`].
    ///
    /// # Examples
    /// ```
    /// use tollhouse_classify::{Classifier, Files, LoadError};
    ///
    /// let unreadable = Classifier::load("format = ", Files::new());
    /// assert!(matches!(unreadable, Err(LoadError::Syntax(_))));
    /// ```
    pub fn load(manifest: &str, files: Files) -> Result<Self, LoadError> {
        Self::assemble(Manifest::parse(manifest)?, digest::sha256(manifest.as_bytes()), files)
    }

    /// [`Self::load`] for a model whose manifest was read already and written down as JSON.
    pub(crate) fn load_shipped(text: &str, json: &str, files: Files) -> Result<Self, LoadError> {
        Self::assemble(Manifest::parse_json(json)?, digest::sha256(text.as_bytes()), files)
    }

    fn assemble(manifest: Manifest, digest: String, mut files: Files) -> Result<Self, LoadError> {
        digest::check(&manifest, &files)?;
        let labels = manifest.labels.len();
        let mut linear = |plan: &crate::manifest::LinearPlan| {
            Linear::load(plan.clone(), digest::take(&mut files, &plan.file)?, labels)
        };
        let engine = match &manifest.stages {
            Stages::Linear(plan) => Engine::Linear(linear(plan)?),
            Stages::Core(plan) => Engine::Core(Core::load(plan.clone(), &mut files)?),
            Stages::Gated(first, second, gate) => {
                let first = linear(first)?;
                Engine::Gated(first, Core::load(second.clone(), &mut files)?, gate.clone())
            }
        };
        Ok(Self { manifest, digest, engine })
    }

    /// What the model's folder says of it.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// SHA-256 of the manifest in lower-case hex; it vouches for the weights, whose digests it holds.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Names of the labels, in the order of [`Scores::labels`].
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.manifest.labels()
    }

    /// Judges texts one by one, in order; memory is that of the longest.
    ///
    /// # Errors
    /// [`RunError`] if one of them could not be judged.
    pub fn classify(&self, inputs: &[Input<'_>]) -> Result<Vec<Scores>, RunError> {
        inputs.iter().map(|input| self.judge(*input)).collect()
    }

    /// Judges several views of one text (raw, normalised, decoded): the highest score counts.
    ///
    /// # Errors
    /// [`RunError`] if one of them could not be judged.
    pub fn highest<'a>(
        &self,
        views: impl IntoIterator<Item = &'a str>,
        source: Source,
    ) -> Result<Option<Scores>, RunError> {
        let mut highest: Option<Scores> = None;
        for text in views {
            let scores = self.judge(Input { text, source })?;
            if highest.as_ref().is_none_or(|best| best.score < scores.score) {
                highest = Some(scores);
            }
        }
        Ok(highest)
    }

    /// The whole text as ids of the model's own tokenizer, special ones included, and the id that short
    /// texts are filled up with: for another model that was trained with the same one. `None` where the
    /// model has no `tokenizer.json`.
    ///
    /// # Errors
    /// [`RunError`] if the tokenizer fails on the text.
    pub fn tokens(&self, text: &str) -> Result<Option<(Vec<i64>, i64)>, RunError> {
        match &self.engine {
            Engine::Linear(_) => Ok(None),
            Engine::Core(core) | Engine::Gated(_, core, _) => core.tokens(text),
        }
    }

    /// The score from which on `point`'s share of benign texts from `source` is caught.
    pub fn threshold(&self, point: OperatingPoint, source: Source) -> f64 {
        self.manifest.thresholds.at(point, source)
    }

    /// What to do about a text with this score, out of the box.
    pub fn verdict(&self, score: f64, source: Source) -> Verdict {
        self.manifest.thresholds.verdict(score, source)
    }

    /// What the text is: the likeliest positive label, or for one that is allowed the manifest's word
    /// for that.
    pub fn label(&self, scores: &Scores, verdict: Verdict) -> &str {
        let positive = self.manifest.labels.iter().zip(&scores.labels);
        let likeliest = positive
            .filter(|(label, _)| label.positive)
            .max_by(|(_, one), (_, other)| one.total_cmp(other));
        match (verdict, likeliest) {
            (Verdict::Flag | Verdict::Block, Some((label, _))) => &label.name,
            (Verdict::Flag | Verdict::Block, None) | (Verdict::Allow, _) => &self.manifest.negative,
        }
    }

    /// What the stages say before calibration; the core is asked where the gate is open.
    ///
    /// # Errors
    /// [`RunError`] if the text could not be judged.
    pub fn logits(&self, input: Input<'_>) -> Result<Logits, RunError> {
        let Input { text, source } = input;
        let folded = Folded::new(text);
        Ok(match &self.engine {
            Engine::Linear(linear) => {
                let linear = linear.judge(text, &folded, source).logits;
                Logits { linear: Some(linear), core: None }
            }
            Engine::Core(core) => {
                Logits { linear: None, core: Some(core.judge(text, &folded, source, &[])?) }
            }
            Engine::Gated(linear, core, gate) => {
                let judged = linear.judge(text, &folded, source);
                let open = judged.logits.iter().any(|x| gate.low <= *x && *x <= gate.high);
                let core = open.then(|| core.judge(text, &folded, source, &judged.windows));
                Logits { linear: Some(judged.logits), core: core.transpose()? }
            }
        })
    }

    /// What both stages say, whether or not the gate is open.
    #[cfg(test)]
    pub(crate) fn all_logits(&self, input: Input<'_>) -> Result<Logits, RunError> {
        let mut logits = self.logits(input)?;
        if let (Engine::Gated(_, core, _), None) = (&self.engine, &logits.core) {
            let folded = Folded::new(input.text);
            logits.core = Some(core.judge(input.text, &folded, input.source, &[])?);
        }
        Ok(logits)
    }

    /// The rows of the core's first window without its padding, as a trainer writes them.
    #[cfg(test)]
    pub(crate) fn first_window(
        &self,
        input: Input<'_>,
    ) -> Result<Option<Vec<serde_json::Value>>, RunError> {
        let (Engine::Core(core) | Engine::Gated(_, core, _)) = &self.engine else {
            return Ok(None);
        };
        let folded = Folded::new(input.text);
        let (ids, width) = core.first_window(input.text, &folded, input.source)?;
        let row = |row: &[i64]| match row {
            [id] => serde_json::json!(id),
            row => serde_json::json!(row),
        };
        Ok(Some(ids.chunks(width).map(row).collect()))
    }

    fn judge(&self, input: Input<'_>) -> Result<Scores, RunError> {
        let logits = self.logits(input)?;
        let blended = self.blend(&logits);
        let (labels, activation) = (&self.manifest.labels, self.manifest.activation);
        let probabilities = score::probabilities(labels, &blended, activation);
        let score = score::one(labels, &probabilities, activation);
        if probabilities.iter().any(|probability| probability.is_nan()) {
            return Err(RunError::NotANumber);
        }
        Ok(Scores { labels: probabilities, score, core_ran: logits.core.is_some() })
    }

    fn blend(&self, logits: &Logits) -> Vec<f64> {
        let labels = &self.manifest.labels;
        let alone = |logits: &[f64]| -> Vec<f64> {
            labels.iter().zip(logits).map(|(label, logit)| label.alone.at(*logit)).collect()
        };
        match (&self.engine, &logits.linear, &logits.core) {
            (Engine::Gated(_, _, gate), Some(linear), Some(core)) => {
                let both = linear.iter().zip(core);
                gate.blends.iter().zip(both).map(|(blend, (x, y))| blend.at(*x, *y)).collect()
            }
            (_, Some(logits), _) | (_, None, Some(logits)) => alone(logits),
            (_, None, None) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
