//! The manifest as written: FORMAT.md, key by key.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::source::Source;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawManifest {
    pub(crate) format: u32,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) licence: String,
    pub(crate) task: String,
    pub(crate) negative: String,
    pub(crate) files: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) sources: Vec<RawTrained>,
    pub(crate) linear: Option<RawLinear>,
    pub(crate) core: Option<RawCore>,
    pub(crate) gate: Option<RawGate>,
    pub(crate) labels: Vec<RawLabel>,
    pub(crate) calibration: RawCalibration,
    pub(crate) thresholds: BTreeMap<String, RawThresholds>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawTrained {
    pub(crate) name: String,
    pub(crate) licence: String,
    pub(crate) rows: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawLinear {
    pub(crate) file: String,
    pub(crate) window: usize,
    pub(crate) stride: usize,
    pub(crate) tf: Weighting,
    pub(crate) scale: Option<f64>,
    pub(crate) bias: BTreeMap<Source, Vec<f64>>,
    pub(crate) tables: Vec<RawTable>,
    #[serde(default)]
    pub(crate) dense: BTreeMap<Dense, Vec<f64>>,
}

/// How often an n-gram must be seen to count for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Weighting {
    /// Once is as good as often.
    Binary,
    /// 1 + ln(count).
    Log,
}

/// What the n-grams of a table are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unit {
    /// Code points, across words.
    Char,
    /// Code points within one word.
    WordChar,
    /// Tokens.
    Word,
    /// Pairs of tokens with one left out between them.
    Skip,
}

/// A number taken from the whole text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Dense {
    LogChars,
    LogTokens,
    LogLines,
    UpperShare,
    DigitShare,
    SymbolShare,
    ForeignShare,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawTable {
    pub(crate) unit: Unit,
    pub(crate) min: usize,
    pub(crate) max: usize,
    pub(crate) buckets: usize,
    pub(crate) seed: u32,
    pub(crate) scale: Option<f64>,
    pub(crate) sources: Option<Vec<Source>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawCore {
    pub(crate) file: String,
    pub(crate) window: usize,
    pub(crate) stride: usize,
    pub(crate) max_windows: usize,
    pub(crate) buckets: Option<Vec<usize>>,
    pub(crate) inputs: RawInputs,
    pub(crate) output: String,
    pub(crate) columns: Option<Vec<usize>>,
    pub(crate) tokens: RawTokens,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawInputs {
    pub(crate) ids: String,
    pub(crate) mask: Option<String>,
    pub(crate) types: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum RawTokens {
    Hashed { unit: HashedUnit, vocabulary: u32, views: Vec<String>, source: bool },
    HuggingFace { file: String },
}

/// What hashed tokens are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HashedUnit {
    Word,
    Char,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawGate {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawLabel {
    pub(crate) name: String,
    pub(crate) positive: bool,
    pub(crate) linear: Option<RawLine>,
    pub(crate) core: Option<RawLine>,
    pub(crate) both: Option<RawBlend>,
    pub(crate) knots: Option<Vec<[f64; 2]>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawLine {
    pub(crate) slope: f64,
    pub(crate) intercept: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawBlend {
    pub(crate) linear: f64,
    pub(crate) core: f64,
    pub(crate) intercept: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawCalibration {
    pub(crate) version: String,
    pub(crate) texts: u64,
    pub(crate) activation: Activation,
}

/// How logits become probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Activation {
    /// Each label by itself.
    Sigmoid,
    /// Labels exclude each other.
    Softmax,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawThresholds {
    #[serde(rename = "0.1%")]
    pub(crate) thousandth: f64,
    #[serde(rename = "1%")]
    pub(crate) hundredth: f64,
    #[serde(rename = "5%")]
    pub(crate) twentieth: f64,
}
