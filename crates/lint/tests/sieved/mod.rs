//! What the sieve lets fall is nothing: of every fixture the same is found whether its packages were sieved or not.
//!
//! A case of a single file becomes a package that depends on the libraries its code names.

use crate::cases::{Expected, counted, entries, folder, name, run, run_with, texts, with_room};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use tollhouse_lint::{Linter, Traces, collect, lexed};

type Texts = Vec<(String, String)>;

/// Every case of every folder of fixtures that has Rust in it.
fn all_cases() -> Vec<PathBuf> {
    let topics = [entries(&folder("lint")), entries(&folder("seed"))].concat();
    let cases = topics.iter().flat_map(|topic| entries(topic));
    cases.chain(entries(&folder("seeded"))).collect()
}

/// A manifest that depends on every known library which a text names; a library's package may be called otherwise.
fn manifest(linter: &Linter, text: &str) -> String {
    let named = |package: &&str| text.contains(&format!("{}::", package.replace('-', "_")));
    let lines: Vec<String> =
        linter.packages().filter(named).map(|package| format!("{package} = \"*\"\n")).collect();
    format!("[package]\nname = \"case\"\n[dependencies]\n{}", lines.concat())
}

/// A case as a package, with its sources where Cargo looks for them.
fn packaged(linter: &Linter, case: Texts) -> Texts {
    if case.iter().any(|(path, _)| path.ends_with("Cargo.toml")) {
        return case;
    }
    let all: String = case.iter().map(|(_, text)| text.as_str()).collect();
    let moved = case.into_iter().map(|(path, text)| match path.as_str() {
        "lib.rs" => ("src/lib.rs".to_owned(), text),
        _ => (path, text),
    });
    moved.chain([("Cargo.toml".to_owned(), manifest(linter, &all))]).collect()
}

/// The folder of the nearest package above a file.
fn package<'p>(texts: &Texts, path: &'p str) -> &'p str {
    let above = |at: &'p str| at.rsplit_once('/').map_or("", |(folder, _)| folder);
    let holds = |folder: &str| {
        let manifest =
            if folder.is_empty() { "Cargo.toml".into() } else { format!("{folder}/Cargo.toml") };
        texts.iter().any(|(path, _)| *path == manifest)
    };
    let mut at = above(path);
    while !at.is_empty() && !holds(at) {
        at = above(at);
    }
    at
}

/// The folders that the sieve keeps, less the one that is always kept.
fn kept(linter: &Linter, texts: &Texts) -> BTreeSet<String> {
    let ends = |end: &'static str| texts.iter().filter(move |(path, _)| path.ends_with(end));
    let mut traces: BTreeMap<String, Traces> = BTreeMap::new();
    for (path, text) in ends(".rs") {
        let all = traces.entry(package(texts, path).to_owned()).or_default();
        *all = all.with(linter.traces(text));
    }
    // A package in the root of the case would be kept as what stands for files of no package.
    let deeper = |path: &str| format!("case/{path}");
    let manifests: Texts =
        ends("Cargo.toml").map(|(path, text)| (deeper(path), text.clone())).collect();
    let traces =
        traces.into_iter().map(|(at, of)| (deeper(&at).trim_end_matches('/').to_owned(), of));
    let worth = linter.worth_parsing(&manifests, &traces.collect());
    worth
        .iter()
        .filter_map(|at| at.strip_prefix("case"))
        .map(|at| at.trim_start_matches('/').to_owned())
        .collect()
}

fn found(linter: &Linter, texts: &Texts, kept: Option<&BTreeSet<String>>) -> Expected {
    let report = match kept {
        None => run(linter, texts),
        Some(kept) => run_with(linter, texts, |path, text| {
            if kept.contains(package(texts, path)) {
                collect(path, text)
            } else {
                lexed(path, text)
            }
        }),
    };
    // Whether a file parses is the one thing that is not asked of packages that are not parsed.
    counted(&report, |of| of.rule != "unparsed-file")
}

#[test]
fn a_sieved_case_has_the_findings_of_a_whole_one() {
    with_room(check_every_case);
}

fn check_every_case() {
    let linter = Linter::new().unwrap();
    let (mut wrong, mut fell) = (Vec::new(), 0);
    for case in all_cases() {
        let texts = packaged(&linter, texts(&case));
        let kept = kept(&linter, &texts);
        fell += usize::from(kept.is_empty());
        let (whole, sieved) = (found(&linter, &texts, None), found(&linter, &texts, Some(&kept)));
        if whole != sieved {
            let rule = name(case.parent().unwrap());
            let lost: Vec<_> = whole.symmetric_difference(&sieved).collect();
            wrong.push(format!("{rule}/{}: {lost:?}", name(&case)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(fell > 0, "a sieve that lets nothing fall is none");
}
