//! Models against what their trainers, onnxruntime and Hugging Face's tokenizers say of some texts.

use std::{fs, path::Path};

use serde::Deserialize;

use crate::{Classifier, Files, Input, Logits, Source, fold::Folded, tokens::tokens};

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

/// What `folder/golden.jsonl` says; nothing if there is none.
fn read(folder: &Path) -> Vec<Golden> {
    let text = fs::read_to_string(folder.join("golden.jsonl")).unwrap_or_default();
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

/// Fails with what differs from `folder/golden.jsonl`, which has at least so many texts.
pub(crate) fn check(classifier: &Classifier, folder: &Path, texts: usize) {
    let name = &classifier.manifest().name;
    let golden = read(folder);
    assert!(golden.len() >= texts, "{name} has {} golden texts", golden.len());
    let wrong: Vec<String> = golden
        .iter()
        .filter_map(|golden| {
            let head: String = golden.text.chars().take(60).collect();
            difference(classifier, golden).map(|found| format!("{name}: {head:?}: {found}"))
        })
        .collect();
    let (count, some) = (wrong.len(), wrong.iter().take(5).cloned().collect::<Vec<_>>());
    assert!(wrong.is_empty(), "{count} of {}:\n{}", golden.len(), some.join("\n"));
}

/// Models as a team brings its own: a transformer in ONNX with a tokenizer.json.
#[test]
fn models_brought_along_judge_as_onnxruntime_does() {
    for name in ["wordpiece", "bpe"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/brought").join(name);
        let manifest = fs::read_to_string(folder.join("manifest.toml")).unwrap();
        let file = |name: &str| (name.to_owned(), fs::read(folder.join(name)).unwrap().into());
        let files = Files::from([file("core.onnx"), file("tokenizer.json")]);
        let classifier = Classifier::load(&manifest, files).unwrap();
        check(&classifier, &folder, 10);
    }
}

#[test]
fn a_whole_text_s_ids_are_the_tokenizer_s_and_nothing_is_cut_off() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/brought/wordpiece");
    let manifest = fs::read_to_string(folder.join("manifest.toml")).unwrap();
    let file = |name: &str| (name.to_owned(), fs::read(folder.join(name)).unwrap().into());
    let files = Files::from([file("core.onnx"), file("tokenizer.json")]);
    let classifier = Classifier::load(&manifest, files).unwrap();
    let mut whole = 0;
    for golden in read(&folder) {
        let (ids, padding) = classifier.tokens(&golden.text).unwrap().unwrap();
        assert_eq!(padding, 0);
        let wanted = golden.ids.unwrap();
        if ids.len() == wanted.len() {
            assert_eq!(ids.into_iter().map(serde_json::Value::from).collect::<Vec<_>>(), wanted);
            whole += 1;
        } else {
            assert!(ids.len() > wanted.len(), "{}", golden.text);
        }
    }
    assert!(whole >= 5, "{whole}");
}
