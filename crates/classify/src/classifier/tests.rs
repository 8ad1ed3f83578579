//! The pipeline as callers see it, on a model whose one n-gram table knows a single word.

use std::collections::BTreeMap;

use super::*;
use crate::hash::{START, finish, hash};

/// A model that knows the word "bad": logit 4 with it, minus 4 without.
fn model() -> (String, Files) {
    let bad: Vec<u32> = "bad".chars().map(u32::from).collect();
    let bucket = finish(hash(1, &[hash(START, &bad)])) & 4095;
    let mut weights = vec![0_u8; 4096];
    weights[usize::try_from(bucket).unwrap()] = 100;
    let manifest = include_str!("../../tests/linear-only.toml")
        .replace("unit = \"char\"\nmin = 2\nmax = 5", "unit = \"word\"\nmin = 1\nmax = 1")
        .replace("scale = 0.01", "scale = 0.08")
        .replace("user = [-1.2]", "user = [-4.0]")
        .replace("log_chars = [0.1]", "")
        .replace("knots = [[-4.0, -5.0], [0.0, 0.1], [4.0, 3.0]]", "")
        .replace(&"0".repeat(64), &digest::sha256(&weights));
    (manifest, BTreeMap::from([("linear.bin".into(), weights.into())]))
}

fn classifier() -> Classifier {
    let (manifest, files) = model();
    Classifier::load(&manifest, files).unwrap()
}

fn user(text: &str) -> Input<'_> {
    Input { text, source: Source::User }
}

#[test]
fn texts_are_judged_in_order() {
    let classifier = classifier();
    let scores = classifier.classify(&[user("bad"), user("good"), user("")]).unwrap();
    let rounded: Vec<f64> =
        scores.iter().map(|scores| (scores.score * 1000.0).round() / 1000.0).collect();
    assert_eq!(rounded, [0.982, 0.018, 0.018]);
    assert!(scores.iter().all(|scores| !scores.core_ran && scores.labels.len() == 1));
}

#[test]
fn a_verdict_and_a_label_follow_from_the_score() {
    let classifier = classifier();
    let [bad, good] = &classifier.classify(&[user("bad"), user("good")]).unwrap()[..] else {
        panic!("two texts, two scores");
    };
    assert_eq!(classifier.verdict(bad.score, Source::User), Verdict::Flag);
    assert_eq!(classifier.verdict(bad.score, Source::Tool), Verdict::Block);
    assert_eq!(classifier.label(bad, Verdict::Flag), "injection");
    assert_eq!(classifier.label(good, Verdict::Allow), "benign");
}

#[test]
fn of_several_views_the_worst_counts() {
    let classifier = classifier();
    let worst = classifier.highest(["go od", "bad", "good"], Source::User).unwrap().unwrap();
    assert!(worst.score > 0.9);
    assert_eq!(classifier.highest([], Source::User).unwrap(), None);
}

#[test]
fn files_that_are_not_the_manifests_are_refused() {
    let (manifest, files) = model();
    assert_eq!(
        Classifier::load(&manifest, Files::new()).unwrap_err(),
        LoadError::Missing("linear.bin".into())
    );
    let mut bent = files;
    bent.insert("linear.bin".into(), vec![0; 4096].into());
    let Err(LoadError::Digest { file, .. }) = Classifier::load(&manifest, bent) else {
        panic!("other weights are taken for the manifest's");
    };
    assert_eq!(file, "linear.bin");
}

#[test]
fn the_models_digest_is_its_manifests() {
    let (manifest, _) = model();
    assert_eq!(classifier().digest(), digest::sha256(manifest.as_bytes()));
}

#[test]
fn threads_may_share_a_classifier() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&classifier());
}
