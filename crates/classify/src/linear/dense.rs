//! Numbers taken from the whole text: how long it is, and what it is made of.

use std::collections::BTreeMap;

use crate::{
    fold::{Class, Folded},
    manifest::Dense,
    numbers::real,
    tokens::tokens,
};

/// What they add to each label's logit.
pub(super) fn logits(
    weights: &BTreeMap<Dense, Vec<f64>>,
    text: &str,
    folded: &Folded,
    labels: usize,
) -> Vec<f64> {
    let mut logits = vec![0.0; labels];
    for (dense, weights) in weights {
        let value = value(*dense, text, folded);
        for (logit, weight) in logits.iter_mut().zip(weights) {
            *logit += weight * value;
        }
    }
    logits
}

fn value(dense: Dense, text: &str, folded: &Folded) -> f64 {
    let chars = || text.chars().count();
    let count = |belongs: fn(char) -> bool| text.chars().filter(|char| belongs(*char)).count();
    let symbol = |point: &&u32| Class::of(**point) == Class::Symbol;
    match dense {
        Dense::LogChars => real(chars()).ln_1p(),
        Dense::LogTokens => real(tokens(folded.points()).count()).ln_1p(),
        Dense::LogLines => real(count(|char| char == '\n')).ln_1p(),
        Dense::UpperShare => {
            share(count(|char| char.is_ascii_uppercase()), count(|char| char.is_ascii_alphabetic()))
        }
        Dense::DigitShare => share(count(|char| char.is_ascii_digit()), chars()),
        Dense::ForeignShare => share(count(|char| !char.is_ascii()), chars()),
        Dense::SymbolShare => {
            share(folded.points().iter().filter(symbol).count(), folded.points().len())
        }
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { real(part) / real(whole) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_what_the_format_says() {
        let text = "Ab 12!\né";
        let folded = Folded::new(text);
        let values = [
            (Dense::LogChars, 9.0_f64.ln()),
            (Dense::LogTokens, 5.0_f64.ln()),
            (Dense::LogLines, 2.0_f64.ln()),
            (Dense::UpperShare, 0.5),
            (Dense::DigitShare, 0.25),
            (Dense::SymbolShare, 0.125),
            (Dense::ForeignShare, 0.125),
        ];
        for (dense, wanted) in values {
            let found = value(dense, text, &folded);
            assert!((found - wanted).abs() < 1e-12, "{dense:?} is {found}, not {wanted}");
        }
    }

    #[test]
    fn an_empty_text_has_no_shares() {
        let folded = Folded::new("");
        for dense in [Dense::UpperShare, Dense::DigitShare, Dense::SymbolShare, Dense::LogChars] {
            assert!(value(dense, "", &folded).abs() < f64::EPSILON);
        }
    }
}
