//! The linear stage: hashed n-grams of each window against int8 tables, the highest window counts.
//!
//! Linear in the length of the text; memory beside the weights is one bit a bucket and four bytes an
//! n-gram of one window.

mod bag;
mod dense;
mod grams;

use std::borrow::Cow;

use bag::Bag;

use crate::{
    error::LoadError,
    fold::Folded,
    manifest::{LinearPlan, TablePlan},
    numbers::real,
    source::Source,
};

/// The linear stage with its weights.
#[derive(Debug)]
pub(crate) struct Linear {
    plan: LinearPlan,
    /// All tables, one after the other, bucket-major.
    weights: Cow<'static, [u8]>,
    labels: usize,
}

/// What the linear stage says of a text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judged {
    /// By label: the highest over all windows.
    pub(crate) logits: Vec<f64>,
    /// By window, in order: the highest over all labels.
    pub(crate) windows: Vec<f64>,
}

/// What the n-grams of one window are made of.
struct Window<'a> {
    source: Source,
    dense: &'a [f64],
    grams: grams::Window,
}

impl Linear {
    pub(crate) fn load(
        plan: LinearPlan,
        weights: Cow<'static, [u8]>,
        labels: usize,
    ) -> Result<Self, LoadError> {
        let wanted: usize = plan.tables.iter().map(|table| table.buckets * labels).sum();
        if weights.len() == wanted {
            return Ok(Self { plan, weights, labels });
        }
        Err(LoadError::Size { file: plan.file, wanted, found: weights.len() })
    }

    /// Judges one text, `folded` being its folded form.
    pub(crate) fn judge(&self, text: &str, folded: &Folded, source: Source) -> Judged {
        let dense = dense::logits(&self.plan.dense, text, folded, self.labels);
        let mut bag = Bag::new(self.plan.weighting, self.widest());
        let mut logits = vec![f64::NEG_INFINITY; self.labels];
        let mut windows = Vec::new();
        for range in self.plan.cut.windows(folded.points().len()) {
            let grams = grams::Window::new(folded.points().get(range).unwrap_or_default());
            let one = self.window(&Window { source, dense: &dense, grams }, &mut bag);
            windows.push(one.iter().copied().fold(f64::NEG_INFINITY, f64::max));
            for (highest, logit) in logits.iter_mut().zip(&one) {
                *highest = highest.max(*logit);
            }
        }
        Judged { logits, windows }
    }

    fn widest(&self) -> usize {
        self.plan.tables.iter().map(|table| table.buckets).max().unwrap_or_default()
    }

    fn window(&self, window: &Window<'_>, bag: &mut Bag) -> Vec<f64> {
        let bias = self.plan.bias.get(&window.source).map(Vec::as_slice).unwrap_or_default();
        let mut logits: Vec<f64> =
            window.dense.iter().zip(bias).map(|(dense, bias)| dense + bias).collect();
        let mut rest: &[u8] = &self.weights;
        for table in &self.plan.tables {
            let Some((weights, after)) = rest.split_at_checked(table.buckets * self.labels) else {
                break;
            };
            rest = after;
            if table.sources.contains(&window.source) {
                add(table, weights, &window.grams, bag, &mut logits);
            }
        }
        logits
    }
}

/// Adds what one table says of a window.
fn add(
    table: &TablePlan,
    weights: &[u8],
    window: &grams::Window,
    bag: &mut Bag,
    logits: &mut [f64],
) {
    window.each(table, |bucket| bag.put(bucket));
    let mut sums = vec![0.0; logits.len()];
    let norm = bag.take(|bucket, value| {
        let at = bucket * sums.len();
        let weights = weights.get(at..).unwrap_or_default();
        for (sum, weight) in sums.iter_mut().zip(weights) {
            *sum += value * f64::from(weight.cast_signed());
        }
    });
    if norm > 0.0 {
        for (logit, sum) in logits.iter_mut().zip(&sums) {
            *logit += table.scale * sum / norm.sqrt();
        }
    }
}

/// 1 + ln(count), count cut at 255.
fn logarithmic(count: usize) -> f64 {
    1.0 + real(count.min(255)).ln()
}

#[cfg(test)]
mod tests;
