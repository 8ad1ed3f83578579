//! Any bytes as a source file, a manifest and a lock file: the linter ends with findings.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use tollhouse_lint::{Files, Linter, Settings, collect};

static LINTER: LazyLock<Linter> = LazyLock::new(|| Linter::new().expect("the rules it carries"));

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (rust, manifest) = text.split_once('\0').unwrap_or((&text, ""));
    let files = Files {
        rust: vec![(collect("src/lib.rs", rust), rust.to_owned())],
        manifests: vec![("Cargo.toml".to_owned(), manifest.to_owned())],
        locks: vec![("Cargo.lock".to_owned(), manifest.to_owned())],
    };
    let report = LINTER.run(files, &Settings::default(), None);
    drop(tollhouse_lint::sarif(&report.findings, LINTER.rules(), "0"));
});
