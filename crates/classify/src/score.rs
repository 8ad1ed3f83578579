//! From logits to probabilities: a line or a blend, knots where the line is not enough, then the curve.
//!
//! Everything here rises with the logits, so that no two texts change places; f64 throughout, because
//! single precision would make one score of all that are nearly sure.

use crate::manifest::{Activation, Blend, Label};

/// `slope · x + intercept`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Line {
    pub(crate) slope: f64,
    pub(crate) intercept: f64,
}

impl Line {
    pub(crate) fn at(self, x: f64) -> f64 {
        self.slope.mul_add(x, self.intercept)
    }
}

impl Blend {
    pub(crate) fn at(self, linear: f64, core: f64) -> f64 {
        self.linear.mul_add(linear, self.core.mul_add(core, self.intercept))
    }
}

/// The probabilities of all labels, given each label's blended logit.
pub(crate) fn probabilities(labels: &[Label], logits: &[f64], activation: Activation) -> Vec<f64> {
    let bent: Vec<f64> =
        labels.iter().zip(logits).map(|(label, logit)| bend(&label.knots, *logit)).collect();
    match activation {
        Activation::Sigmoid => bent.into_iter().map(sigmoid).collect(),
        Activation::Softmax => softmax(&bent),
    }
}

/// The model's one score: the likeliest positive label, or all of them where labels exclude each other.
pub(crate) fn one(labels: &[Label], probabilities: &[f64], activation: Activation) -> f64 {
    let positive = labels
        .iter()
        .zip(probabilities)
        .filter(|(label, _)| label.positive)
        .map(|(_, probability)| *probability);
    match activation {
        Activation::Sigmoid => positive.fold(0.0, f64::max),
        Activation::Softmax => positive.sum::<f64>().min(1.0),
    }
}

fn sigmoid(z: f64) -> f64 {
    // Each half is computed where its exponential is small, so that neither end loses digits.
    if z < 0.0 { z.exp() / (1.0 + z.exp()) } else { 1.0 / (1.0 + (-z).exp()) }
}

fn softmax(logits: &[f64]) -> Vec<f64> {
    let highest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|logit| (logit - highest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// The piecewise-linear function through `knots`, or `z` itself if there are none.
fn bend(knots: &[[f64; 2]], z: f64) -> f64 {
    // The piece that holds z; the first and last reach on for ever.
    let pieces = || knots.iter().zip(knots.iter().skip(1));
    let piece = pieces().find(|(_, [right, _])| z <= *right).or_else(|| pieces().next_back());
    piece.map_or(z, |([left, low], [right, high])| low + (high - low) * (z - left) / (right - left))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn label(knots: &[[f64; 2]]) -> Label {
        let alone = Line { slope: 1.0, intercept: 0.0 };
        Label { name: "x".into(), positive: true, alone, knots: knots.to_vec() }
    }

    #[test]
    fn knots_bend_and_go_on_at_both_ends() {
        let knots = [[0.0, 0.0], [1.0, 2.0], [3.0, 3.0]];
        for (z, wanted) in [(0.5, 1.0), (2.0, 2.5), (-1.0, -2.0), (5.0, 4.0), (1.0, 2.0)] {
            assert!((bend(&knots, z) - wanted).abs() < 1e-12, "at {z}");
        }
        assert!((bend(&[], 7.0) - 7.0).abs() < 1e-12);
    }

    #[test]
    fn far_logits_neither_overflow_nor_meet() {
        assert!(sigmoid(-800.0) >= 0.0 && sigmoid(800.0) <= 1.0);
        assert!(sigmoid(-700.0) > 0.0);
        assert!(sigmoid(30.0) < sigmoid(31.0));
    }

    #[test]
    fn exclusive_labels_sum_to_one_and_positive_ones_add_up() {
        let mut labels = vec![label(&[]), label(&[]), label(&[])];
        labels[0].positive = false;
        let shares = probabilities(&labels, &[900.0, 900.0, 900.0], Activation::Softmax);
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((one(&labels, &shares, Activation::Softmax) - 2.0 / 3.0).abs() < 1e-12);
        let apart = probabilities(&labels, &[9.0, 0.0, -1.0], Activation::Sigmoid);
        assert!((one(&labels, &apart, Activation::Sigmoid) - 0.5).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn a_higher_logit_never_scores_lower(
            a in -40.0_f64..40.0,
            b in -40.0_f64..40.0,
            steps in prop::collection::vec((0.1_f64..3.0, 0.1_f64..3.0), 2..6),
        ) {
            let mut knots = vec![[-4.0, -6.0]];
            for (dx, dy) in steps {
                let [x, y] = knots[knots.len() - 1];
                knots.push([x + dx, y + dy]);
            }
            let score = |z: f64| sigmoid(bend(&knots, z));
            let (low, high) = if a < b { (a, b) } else { (b, a) };
            prop_assert!(score(low) <= score(high));
            prop_assert!((0.0..=1.0).contains(&score(a)));
        }
    }
}
