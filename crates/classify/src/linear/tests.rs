//! The stage against a second, slow reading of FORMAT.md, and tables whose answer is plain to see.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{
    fold::SPACE,
    hash::{START, finish, hash},
    manifest::{Unit, Weighting},
    tokens::tokens,
    windows::Cut,
};

fn table(unit: Unit, min: usize, max: usize, sources: &[Source]) -> TablePlan {
    let sources = sources.to_vec();
    TablePlan { unit, min, max, buckets: 256, seed: 7, scale: 0.5, sources }
}

fn plan(weighting: Weighting, tables: Vec<TablePlan>) -> LinearPlan {
    LinearPlan {
        file: "linear.bin".into(),
        cut: Cut { window: 12, stride: 5 },
        weighting,
        bias: Source::ALL.into_iter().map(|source| (source, vec![0.25, -1.0])).collect(),
        tables,
        dense: BTreeMap::new(),
    }
}

/// Weights that differ from bucket to bucket and from label to label.
fn weights(tables: usize) -> Vec<u8> {
    (0..tables * 512).map(|at| u8::try_from(at * 37 % 251).unwrap()).collect()
}

fn all_tables() -> Vec<TablePlan> {
    vec![
        table(Unit::Char, 2, 4, &Source::ALL),
        table(Unit::Word, 1, 2, &[Source::Tool, Source::Document]),
        table(Unit::WordChar, 3, 3, &Source::ALL),
        table(Unit::Skip, 2, 2, &Source::ALL),
    ]
}

/// The n-grams of a window as sequences, read off the format once more.
fn sequences(table: &TablePlan, window: &[u32]) -> Vec<Vec<u32>> {
    if window.is_empty() {
        return Vec::new();
    }
    let padded = |points: &[u32]| [&[SPACE], points, &[SPACE]].concat();
    let hashes: Vec<u32> = tokens(window).map(|token| hash(START, token.points)).collect();
    let grams = |items: &[u32]| -> Vec<Vec<u32>> {
        (table.min..=table.max).flat_map(|n| items.windows(n).map(<[u32]>::to_vec)).collect()
    };
    match table.unit {
        Unit::Char => grams(&padded(window)),
        Unit::Word => grams(&hashes),
        Unit::WordChar => tokens(window)
            .filter(|token| token.class == crate::fold::Class::Word)
            .flat_map(|token| grams(&padded(token.points)))
            .collect(),
        Unit::Skip => hashes.windows(3).map(|three| vec![three[0], three[2]]).collect(),
    }
}

fn slow(plan: &LinearPlan, weights: &[u8], text: &str, source: Source) -> Vec<f64> {
    let folded = Folded::new(text);
    let mut highest = vec![f64::NEG_INFINITY; 2];
    for range in plan.cut.windows(folded.points().len()) {
        let window = &folded.points()[range];
        let mut logits = plan.bias[&source].clone();
        for (at, table) in plan.tables.iter().enumerate() {
            if !table.sources.contains(&source) {
                continue;
            }
            let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
            for sequence in sequences(table, window) {
                let bucket = finish(hash(table.seed, &sequence)) & 255;
                *counts.entry(usize::try_from(bucket).unwrap()).or_default() += 1;
            }
            let value = |count: usize| match plan.weighting {
                Weighting::Binary => 1.0,
                Weighting::Log => 1.0 + real(count.min(255)).ln(),
            };
            let norm: f64 = counts.values().map(|count| value(*count).powi(2)).sum::<f64>().sqrt();
            for (label, logit) in logits.iter_mut().enumerate() {
                for (bucket, count) in &counts {
                    let weight = weights[at * 512 + bucket * 2 + label].cast_signed();
                    *logit += table.scale * value(*count) * f64::from(weight) / norm;
                }
            }
        }
        for (highest, logit) in highest.iter_mut().zip(logits) {
            *highest = highest.max(logit);
        }
    }
    highest
}

proptest! {
    #[test]
    fn the_stage_is_what_the_format_says(
        text in "[ab ,忽0]{0,40}",
        source in prop::sample::select(Source::ALL.to_vec()),
        binary in any::<bool>(),
    ) {
        let weighting = if binary { Weighting::Binary } else { Weighting::Log };
        let plan = plan(weighting, all_tables());
        let weights = weights(4);
        let wanted = slow(&plan, &weights, &text, source);
        let linear = Linear::load(plan, weights.into(), 2).unwrap();
        let judged = linear.judge(&text, &Folded::new(&text), source);
        for (found, wanted) in judged.logits.iter().zip(wanted) {
            prop_assert!((found - wanted).abs() < 1e-9, "{found} is not {wanted}");
        }
    }
}

#[test]
fn an_empty_text_says_no_more_than_the_bias() {
    let linear = Linear::load(plan(Weighting::Binary, all_tables()), weights(4).into(), 2).unwrap();
    assert_eq!(linear.judge("", &Folded::new(""), Source::User).logits, [0.25, -1.0]);
}

#[test]
fn a_window_with_an_attack_is_not_diluted_by_the_rest() {
    let mut plan = plan(Weighting::Binary, vec![table(Unit::Word, 1, 1, &Source::ALL)]);
    plan.cut = Cut { window: 40, stride: 20 };
    let bad = finish(hash(7, &[hash(START, &"bad".chars().map(u32::from).collect::<Vec<_>>())]));
    let mut weights = vec![0; 512];
    weights[usize::try_from(bad & 255).unwrap() * 2] = 100;
    let linear = Linear::load(plan, weights.into(), 2).unwrap();
    let logit = |text: &str| linear.judge(text, &Folded::new(text), Source::User).logits[0];
    let padding = "harmless words go on and on ".repeat(40);
    let buried = format!("{padding} bad {padding}");
    assert!(logit(&padding) < 1.0);
    assert!(logit(&buried) > 10.0, "{}", logit(&buried));
    let judged = linear.judge(&buried, &Folded::new(&buried), Source::User);
    let best = judged.windows.iter().position(|logit| *logit > 10.0).unwrap();
    let middle = judged.windows.len() / 2;
    assert!(best.abs_diff(middle) <= 2, "window {best} of {}", judged.windows.len());
}

#[test]
fn weights_of_the_wrong_size_are_refused() {
    let refused = Linear::load(plan(Weighting::Log, all_tables()), vec![0; 99].into(), 2);
    let Err(LoadError::Size { wanted: 2048, found: 99, .. }) = refused else {
        panic!("loaded 99 bytes: {refused:?}");
    };
}
