//! A valid manifest: what a model is made of, what it claims and where its thresholds lie.

mod check;
pub(crate) mod raw;

use std::collections::BTreeMap;

pub(crate) use raw::{Activation, Dense, HashedUnit, Unit, Weighting};

use crate::{error::LoadError, score::Line, source::Source, windows::Cut};

/// Code points of a token, the space after it included: English text has 5 to 6.
pub(crate) const POINTS_PER_TOKEN: usize = 6;

/// What a model's folder says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The name that configurations use.
    pub name: String,
    /// Of the weights.
    pub version: String,
    /// SPDX expression of the weights.
    pub licence: String,
    /// What it judges, in a line.
    pub task: String,
    /// What an allowed text is called.
    pub negative: String,
    /// Which calibration the thresholds come from.
    pub calibration: String,
    /// Benign texts that the thresholds were chosen on.
    pub calibration_texts: u64,
    /// What the weights were trained on.
    pub trained_on: Vec<Trained>,
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) labels: Vec<Label>,
    pub(crate) activation: Activation,
    pub(crate) stages: Stages,
    pub(crate) thresholds: Thresholds,
}

/// One source of training data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trained {
    /// As its authors call it.
    pub name: String,
    /// Its licence.
    pub licence: String,
    /// Texts taken from it, if known.
    pub rows: Option<u64>,
}

/// One thing that a model says of a text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Label {
    pub(crate) name: String,
    pub(crate) positive: bool,
    /// From the one stage's logit, or from the linear one's where the gate stayed shut.
    pub(crate) alone: Line,
    pub(crate) knots: Vec<[f64; 2]>,
}

/// Which stages a model has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stages {
    Linear(LinearPlan),
    Core(CorePlan),
    Gated(LinearPlan, CorePlan, Gate),
}

/// When the core is asked too, and how both are weighed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Gate {
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// One for each label.
    pub(crate) blends: Vec<Blend>,
}

/// How two logits make one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Blend {
    pub(crate) linear: f64,
    pub(crate) core: f64,
    pub(crate) intercept: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LinearPlan {
    pub(crate) file: String,
    pub(crate) cut: Cut,
    pub(crate) weighting: Weighting,
    /// By source, then by label.
    pub(crate) bias: BTreeMap<Source, Vec<f64>>,
    pub(crate) tables: Vec<TablePlan>,
    /// By label.
    pub(crate) dense: BTreeMap<Dense, Vec<f64>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TablePlan {
    pub(crate) unit: Unit,
    pub(crate) min: usize,
    pub(crate) max: usize,
    /// A power of two.
    pub(crate) buckets: usize,
    pub(crate) seed: u32,
    pub(crate) scale: f64,
    pub(crate) sources: Vec<Source>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CorePlan {
    pub(crate) file: String,
    pub(crate) cut: Cut,
    pub(crate) max_windows: usize,
    /// Lengths in ids, rising; the last is the window.
    pub(crate) lengths: Vec<usize>,
    pub(crate) ids: String,
    pub(crate) mask: Option<String>,
    pub(crate) types: Option<String>,
    pub(crate) output: String,
    /// By label.
    pub(crate) columns: Vec<usize>,
    pub(crate) tokens: TokenPlan,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenPlan {
    Hashed(HashedPlan),
    HuggingFace { file: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HashedPlan {
    pub(crate) unit: HashedUnit,
    pub(crate) vocabulary: u32,
    pub(crate) views: Vec<View>,
    pub(crate) source: bool,
}

/// Which part of a token an id stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    Word,
    Prefix(usize),
    Suffix(usize),
}

/// Scores from which on the stated share of benign texts is caught.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Points {
    pub(crate) thousandth: f64,
    pub(crate) hundredth: f64,
    pub(crate) twentieth: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Thresholds {
    pub(crate) default: Points,
    pub(crate) sources: BTreeMap<Source, Points>,
}

impl Manifest {
    /// Reads and checks a `manifest.toml`.
    ///
    /// # Errors
    /// [`LoadError::Syntax`] and [`LoadError::Manifest`].
    pub fn parse(text: &str) -> Result<Self, LoadError> {
        let raw: raw::RawManifest =
            toml::from_str(text).map_err(|error| LoadError::Syntax(error.to_string()))?;
        check::manifest(raw)
    }

    /// Reads and checks what the build made of a `manifest.toml`.
    pub(crate) fn parse_json(json: &str) -> Result<Self, LoadError> {
        let raw: raw::RawManifest =
            serde_json::from_str(json).map_err(|error| LoadError::Syntax(error.to_string()))?;
        check::manifest(raw)
    }

    /// The files that loading needs besides the manifest.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// How many code points of a text the model reads in one window, as far as that can be said: a token
    /// of a core's window counts six.
    pub fn window_points(&self) -> usize {
        let core = |plan: &CorePlan| plan.cut.window.saturating_mul(POINTS_PER_TOKEN);
        match &self.stages {
            Stages::Linear(plan) => plan.cut.window,
            Stages::Core(plan) => core(plan),
            Stages::Gated(first, second, _) => first.cut.window.min(core(second)),
        }
    }

    /// Names of all labels, in the order of their scores.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().map(|label| label.name.as_str())
    }
}

#[cfg(test)]
mod tests;
