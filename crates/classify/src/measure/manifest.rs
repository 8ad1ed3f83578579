//! A classifier's folder: loaded as the Worker loads it, then counted.

use super::{MeasureError, Measured, onnx, wide};
use crate::{
    Classifier, Files, Manifest,
    error::LoadError,
    manifest::{CorePlan, LinearPlan, POINTS_PER_TOKEN, Stages, raw::Unit},
};

/// Measures a classifier: the text of its `manifest.toml`, and the files that it names.
///
/// What [`Classifier::load`] refuses for its operators, its size or its graph is measured and
/// [`Measured::refused`] says why; what is not as the manifest says is an error.
///
/// # Errors
/// [`MeasureError::Manifest`], and those of [`super::onnx()`] for the graph of a core.
pub fn manifest(text: &str, files: &Files) -> Result<Measured, MeasureError> {
    let parsed = Manifest::parse(text)?;
    let refused = match Classifier::load(text, files.clone()) {
        Ok(_) => None,
        Err(
            problem @ (LoadError::Operators { .. }
            | LoadError::Memory { .. }
            | LoadError::Graph { .. }),
        ) => Some(problem.to_string()),
        Err(problem) => return Err(problem.into()),
    };
    let named = parsed.files().filter_map(|name| files.get(name)).map(|bytes| wide(bytes.len()));
    let bytes = wide(text.len()) + named.sum::<u64>();
    let labels = wide(parsed.labels.len());
    let mut measured = match &parsed.stages {
        Stages::Linear(plan) => linear(plan, labels),
        Stages::Core(plan) => core(plan, files)?,
        Stages::Gated(first, second, _) => {
            // A window of the core is what costs; the linear stage reads as many tokens beside it.
            let (first, second) = (linear(first, labels), core(second, files)?);
            Measured {
                parameters: first.parameters + second.parameters,
                lookups_per_token: first.lookups_per_token,
                peak_memory: first.peak_memory + second.peak_memory,
                ..second
            }
        }
    };
    // The operators stand in `unsupported`; a graph that fails for another reason in `refused`.
    measured.refused = refused.filter(|_| measured.unsupported.is_empty());
    Ok(Measured { name: Some(parsed.name.clone()), bytes, ..measured })
}

/// The linear stage: its tables are kept as they are, once in the script and once unpacked.
fn linear(plan: &LinearPlan, labels: u64) -> Measured {
    let parameters = plan.tables.iter().map(|table| wide(table.buckets)).sum::<u64>() * labels;
    let lookups = plan.tables.iter().map(|table| {
        let lengths = wide(table.max + 1 - table.min);
        match table.unit {
            Unit::Char | Unit::WordChar => lengths * wide(POINTS_PER_TOKEN),
            Unit::Word | Unit::Skip => lengths,
        }
    });
    Measured {
        parameters,
        lookups_per_token: lookups.sum(),
        window: wide((plan.cut.window / POINTS_PER_TOKEN).max(1)),
        peak_memory: parameters * 2,
        basis: super::Basis::Graph,
        ..Measured::default()
    }
}

/// The core: its graph is held once for each length that windows are padded to.
fn core(plan: &CorePlan, files: &Files) -> Result<Measured, MeasureError> {
    let missing = || LoadError::Missing(plan.file.clone());
    let bytes = files.get(&plan.file).ok_or_else(missing)?;
    let window = plan.cut.window;
    let whole = onnx(bytes, 0, window)?;
    let mut peak = whole.peak_memory;
    for length in plan.lengths.iter().filter(|length| **length != window) {
        peak += onnx(bytes, 0, *length)?.peak_memory.saturating_sub(whole.bytes);
    }
    Ok(Measured { peak_memory: peak, ..whole })
}
