//! Every shipped model against its golden scores, which its trainer wrote.

use std::path::Path;

use super::*;
use crate::{golden, manifest::Manifest};

#[test]
fn every_shipped_model_scores_as_its_trainer_says() {
    for name in shipped_names() {
        let classifier = shipped(name).unwrap().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(classifier.manifest().name, name);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(name);
        golden::check(&classifier, &folder, 20);
    }
}

#[test]
fn what_is_embedded_says_what_the_folder_says() {
    for (name, text, json, _) in SHIPPED {
        let (written, embedded) = (Manifest::parse(text).unwrap(), Manifest::parse_json(json));
        assert_eq!(written, embedded.unwrap(), "{name}");
    }
}

#[test]
fn there_is_no_model_nobody_ships() {
    assert!(shipped("no-such-model").is_none());
}
