//! The models of `tests/brought` in WebAssembly, for a test that compares them with onnxruntime there.

#![expect(unsafe_code, reason = "exported names are not mangled; nothing else here is unsafe")]
#![expect(clippy::panic, reason = "a test may fail loudly")]

use std::cell::RefCell;

use tollhouse_classify::{Classifier, Files, Input, Source};

type Parts = (&'static str, &'static [u8], &'static [u8]);

static WORDPIECE: Parts = (
    include_str!("../tests/brought/wordpiece/manifest.toml"),
    include_bytes!("../tests/brought/wordpiece/core.onnx"),
    include_bytes!("../tests/brought/wordpiece/tokenizer.json"),
);
static BPE: Parts = (
    include_str!("../tests/brought/bpe/manifest.toml"),
    include_bytes!("../tests/brought/bpe/core.onnx"),
    include_bytes!("../tests/brought/bpe/tokenizer.json"),
);

thread_local! {
    static TEXT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static CLASSIFIERS: [Classifier; 2] = [load(WORDPIECE), load(BPE)];
}

fn load((manifest, core, tokenizer): Parts) -> Classifier {
    let files = Files::from([
        ("core.onnx".into(), core.into()),
        ("tokenizer.json".into(), tokenizer.into()),
    ]);
    Classifier::load(manifest, files).unwrap_or_else(|error| panic!("{error}"))
}

/// Room for a text of so many bytes, to be written before [`score`].
#[unsafe(no_mangle)]
pub extern "C" fn room(bytes: usize) -> *mut u8 {
    TEXT.with_borrow_mut(|text| {
        *text = vec![0; bytes];
        text.as_mut_ptr()
    })
}

/// The text's score by the model with the `WordPiece` tokenizer (0) or the BPE one (1).
///
/// # Panics
/// There is no such model, or it cannot judge.
#[unsafe(no_mangle)]
pub extern "C" fn score(model: usize) -> f64 {
    TEXT.with_borrow(|text| {
        let text = String::from_utf8_lossy(text);
        CLASSIFIERS.with(|classifiers| {
            let classifier = classifiers.get(model).unwrap_or_else(|| panic!("no model {model}"));
            let input = Input { text: &text, source: Source::User };
            let scores = classifier.classify(&[input]).unwrap_or_else(|error| panic!("{error}"));
            scores.first().map_or(f64::NAN, |scores| scores.score)
        })
    })
}
