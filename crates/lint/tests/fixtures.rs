//! Every rule over every fixture of `fixtures/lint/<rule>/{fires,silent}…`.
//!
//! A case is one file, or a folder with a small package. `//~ rule-id` (`#~` in a manifest) stands on the line that
//! fires. A case says exactly which findings of weight `warn` or more it has, and which of its own rule.

#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tollhouse_lint::{Files, Linter, Report, Settings, Severity, collect};

type Expected = BTreeSet<(String, u32, String)>;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/lint")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    entries(folder)
        .into_iter()
        .flat_map(|path| if path.is_dir() { files_under(&path) } else { vec![path] })
        .collect()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// A case's files as path and text.
fn texts(case: &Path) -> Vec<(String, String)> {
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    if case.is_file() {
        return vec![("lib.rs".to_owned(), read(case))];
    }
    let relative =
        |path: &Path| path.strip_prefix(case).unwrap().to_string_lossy().replace('\\', "/");
    files_under(case).iter().map(|path| (relative(path), read(path))).collect()
}

fn run(linter: &Linter, texts: &[(String, String)]) -> Report {
    let mut files = Files::default();
    for (path, text) in texts {
        match path.rsplit('/').next().unwrap() {
            "Cargo.toml" => files.manifests.push((path.clone(), text.clone())),
            "Cargo.lock" => files.locks.push((path.clone(), text.clone())),
            _ => files.rust.push((collect(path, text), text.clone())),
        }
    }
    let mut settings = Settings::default();
    "2026-11-01".clone_into(&mut settings.today);
    linter.run(files, &settings, None)
}

fn expected(texts: &[(String, String)]) -> Expected {
    let mut found = Expected::new();
    for (path, text) in texts {
        let mark =
            if Path::new(path).extension().is_some_and(|ext| ext == "rs") { "//~" } else { "#~" };
        for (line, content) in (1u32..).zip(text.lines()) {
            for rule in content.split_once(mark).map_or("", |(_, rules)| rules).split_whitespace() {
                found.insert((path.clone(), line, rule.to_owned()));
            }
        }
    }
    found
}

/// A recursive parser needs more room than a test's thread has.
fn with_room(check: fn()) {
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(check).unwrap();
    thread.join().unwrap();
}

#[test]
fn every_fixture_fires_exactly_what_it_says() {
    with_room(check_every_fixture);
}

fn check_every_fixture() {
    let linter = Linter::new().unwrap();
    let mut wrong = Vec::new();
    for rule_folder in entries(&folder()) {
        let rule = name(&rule_folder);
        for case in entries(&rule_folder) {
            let texts = texts(&case);
            let report = run(&linter, &texts);
            let counts =
                |of: &&tollhouse_lint::Finding| of.severity >= Severity::Warn || of.rule == rule;
            let live = report.findings.iter().filter(|of| of.suppressed.is_none()).filter(counts);
            let found: Expected =
                live.map(|of| (of.path.clone(), of.start.line, of.rule.clone())).collect();
            let wanted = expected(&texts);
            let missing: Vec<_> = wanted.difference(&found).collect();
            let surplus: Vec<_> = found.difference(&wanted).collect();
            let fires = wanted.iter().any(|(_, _, id)| *id == rule);
            if !missing.is_empty()
                || !surplus.is_empty()
                || fires != name(&case).starts_with("fires")
            {
                wrong.push(format!(
                    "{rule}/{}: missing {missing:?}, surplus {surplus:?}",
                    name(&case)
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_has_a_case_that_fires_and_one_that_is_silent() {
    let linter = Linter::new().unwrap();
    let lacking: Vec<String> = linter
        .rules()
        .iter()
        .filter(|rule| rule.id != "stale-baseline")
        .filter(|rule| {
            let place = folder().join(&rule.id);
            let cases: Vec<String> = if place.is_dir() {
                entries(&place).iter().map(|path| name(path)).collect()
            } else {
                Vec::new()
            };
            !(cases.iter().any(|case| case.starts_with("fires"))
                && cases.iter().any(|case| case.starts_with("silent")))
        })
        .map(|rule| rule.id.clone())
        .collect();
    assert!(lacking.is_empty(), "rules without fixtures: {lacking:?}");
}

#[test]
fn every_clause_has_a_rule_and_every_rule_a_clause() {
    let linter = Linter::new().unwrap();
    for clause in linter.clauses() {
        assert!(
            linter.rules().iter().any(|rule| rule.clause == clause.id),
            "clause {} has no rule",
            clause.id
        );
    }
    for rule in linter.rules().iter() {
        assert!(
            rule.clause == "tool" || linter.clauses().iter().any(|of| of.id == rule.clause),
            "{}",
            rule.id
        );
        assert!(
            !rule.why.is_empty() && !rule.help.is_empty() && !rule.message.is_empty(),
            "{}",
            rule.id
        );
    }
}
