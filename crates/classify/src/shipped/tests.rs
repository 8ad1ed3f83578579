//! Every shipped model against its golden scores, which its trainer wrote.

use std::path::Path;

use serde::Deserialize;

use super::*;
use crate::{Input, Logits, Source, fold::Folded, tokens::tokens};

/// The largest difference from the trainer's numbers.
const TOLERANCE: f64 = 1e-4;

#[derive(Deserialize)]
struct Golden {
    text: String,
    source: Source,
    folded: Option<String>,
    tokens: Option<usize>,
    linear: Option<Vec<f64>>,
    ids: Option<Vec<serde_json::Value>>,
    core: Option<Vec<f64>>,
    score: Option<f64>,
}

fn golden(model: &str) -> Vec<Golden> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(model);
    let text = std::fs::read_to_string(folder.join("golden.jsonl")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn near(found: &[f64], wanted: &[f64]) -> bool {
    found.len() == wanted.len()
        && found.iter().zip(wanted).all(|(found, wanted)| (found - wanted).abs() <= TOLERANCE)
}

/// What differs for one text, if anything does.
fn difference(classifier: &Classifier, golden: &Golden) -> Option<String> {
    let folded = Folded::new(&golden.text);
    let input = Input { text: &golden.text, source: golden.source };
    let found: String = folded.points().iter().filter_map(|point| char::from_u32(*point)).collect();
    if golden.folded.as_ref().is_some_and(|wanted| *wanted != found) {
        return Some(format!("folded is {found:?}"));
    }
    let found = tokens(folded.points()).count();
    if golden.tokens.is_some_and(|wanted| wanted != found) {
        return Some(format!("there are {found} tokens"));
    }
    let Logits { linear, core } = classifier.all_logits(input).unwrap();
    let differs = |found: &Option<Vec<f64>>, wanted: &Option<Vec<f64>>| {
        wanted
            .as_ref()
            .is_some_and(|wanted| !found.as_ref().is_some_and(|found| near(found, wanted)))
    };
    if differs(&linear, &golden.linear) {
        return Some(format!("linear is {linear:?}, not {:?}", golden.linear));
    }
    let found = classifier.first_window(input).unwrap();
    if golden.ids.as_ref().is_some_and(|wanted| found.as_ref() != Some(wanted)) {
        return Some(format!("ids are {found:?}, not {:?}", golden.ids));
    }
    if differs(&core, &golden.core) {
        return Some(format!("core is {core:?}, not {:?}", golden.core));
    }
    let found = classifier.classify(&[input]).unwrap()[0].score;
    let wanted = golden.score?;
    ((found - wanted).abs() > TOLERANCE).then(|| format!("score is {found}, not {wanted}"))
}

#[test]
fn every_shipped_model_scores_as_its_trainer_says() {
    for name in shipped_names() {
        let classifier = shipped(name).unwrap().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(classifier.manifest().name, name);
        let golden = golden(name);
        assert!(golden.len() >= 20, "{name} has {} golden texts", golden.len());
        let wrong: Vec<String> = golden
            .iter()
            .filter_map(|golden| {
                let head: String = golden.text.chars().take(60).collect();
                difference(&classifier, golden).map(|found| format!("{name}: {head:?}: {found}"))
            })
            .collect();
        assert!(
            wrong.is_empty(),
            "{} of {}:\n{}",
            wrong.len(),
            golden.len(),
            wrong[..wrong.len().min(5)].join("\n")
        );
    }
}

#[test]
fn there_is_no_model_nobody_ships() {
    assert!(shipped("no-such-model").is_none());
}
