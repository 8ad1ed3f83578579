use std::{fs, path::Path};

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Sample {
    name: String,
    text: String,
    /// By the whole vocabulary.
    tokens: u64,
    /// How far off the count may be, in percent.
    within: u64,
}

fn samples() -> Vec<Sample> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tokens.jsonl");
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn percent_off(counted: u64, truth: u64) -> u64 {
    counted.abs_diff(truth) * 100 / truth
}

#[test]
fn every_kind_of_text_is_counted_nearly_right_and_all_of_it_within_five_percent() {
    let samples = samples();
    assert!(samples.len() >= 15);
    let (mut all, mut truth) = (Millitokens(0), 0);
    for Sample { name, text, tokens, within } in &samples {
        let counted = count(text);
        let off = percent_off(counted.round_up().0, *tokens);
        assert!(off <= *within, "{name}: {counted:?}, not {tokens}");
        (all, truth) = (all.plus(counted), truth + tokens);
    }
    assert!(percent_off(all.round_up().0, truth) <= 5, "{all:?}, not {truth}");
}

#[test]
fn the_vocabulary_is_whole() {
    assert_eq!(tokens(VOCABULARY).count(), 16_384);
    let vocabulary = Vocabulary::get();
    assert_eq!(vocabulary.0.len(), 16_384);
    assert!((0..=u8::MAX).all(|byte| vocabulary.0.contains_key([byte].as_slice())));
    assert_eq!(vocabulary.pieces(b" the"), 1);
    assert_eq!(vocabulary.pieces(b""), 0);
}

#[test]
fn a_text_beyond_the_bound_is_like_its_beginning() {
    let text = "One and the same sentence, again and again. ".repeat(20_000);
    let (short, long) = (count(&text[..MAX_READ]).0, count(&text).0);
    let expected = u128::from(short) * wide(text.len()) / wide(MAX_READ);
    assert!(u128::from(long).abs_diff(expected) <= 1);
}

proptest! {
    #[test]
    fn any_text_has_a_token_and_no_more_than_bytes(text in "\\PC{1,200}") {
        let counted = wide(count(&text).round_up().0.try_into().unwrap());
        prop_assert!(counted >= 1 && counted <= wide(text.len()));
    }
}
