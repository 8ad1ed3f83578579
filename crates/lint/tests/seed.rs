//! The standard's own examples, in Rust: each bad one fires the clauses it breaks, each good one is silent in full.
//!
//! `fixtures/seed/<topic>/{good,bad}…` is one file, or a folder with a small package. A bad one's first line of Rust
//! names the clauses: `// breaks: C1.1 C3.1`.

#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tollhouse_lint::{Files, Linter, Settings, collect};

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

/// The case's files, and its Rust text.
fn case(path: &Path) -> (Files, String) {
    let read = |path: PathBuf| std::fs::read_to_string(path).unwrap();
    let mut files = Files::default();
    let text = if path.is_dir() {
        files.manifests.push(("Cargo.toml".to_owned(), read(path.join("Cargo.toml"))));
        read(path.join("src/lib.rs"))
    } else {
        read(path.to_path_buf())
    };
    files.rust.push((collect("src/lib.rs", &text), text.clone()));
    (files, text)
}

fn clauses(linter: &Linter, files: Files) -> BTreeSet<String> {
    let report = linter.run(files, &Settings::default(), None);
    report.findings.into_iter().map(|of| of.clause).collect()
}

fn check_every_example() {
    let linter = Linter::new().unwrap();
    let seed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/seed");
    let mut counted = (0, 0);
    for path in entries(&seed).iter().flat_map(|topic| entries(topic)) {
        let (files, text) = case(&path);
        let found = clauses(&linter, files);
        if path.file_name().unwrap().to_string_lossy().starts_with("good") {
            assert!(found.is_empty(), "{}: {found:?}", path.display());
            counted.0 += 1;
            continue;
        }
        let wanted = text.lines().next().unwrap().strip_prefix("// breaks:").unwrap();
        for clause in wanted.split_whitespace() {
            assert!(found.contains(clause), "{} does not break {clause}", path.display());
        }
        counted.1 += 1;
    }
    assert!(counted.0 >= 4 && counted.1 >= 8, "examples are missing: {counted:?}");
}

#[test]
fn each_bad_example_fires_its_clauses_and_each_good_one_is_silent() {
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(check_every_example);
    thread.unwrap().join().unwrap();
}
