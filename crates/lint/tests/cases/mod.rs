//! Cases under `fixtures`: one file, or a folder with a small package; what each says of itself, and what is found.
//!
//! `//~ rule-id` (`#~` in a manifest) stands on the line that fires; `//? rule-id` on one that should and does not
//! yet, `//+ rule-id` on one that fires besides.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tollhouse_core::placement::{Format, Profile};
use tollhouse_lint::{FileFacts, Files, Linter, ModelFile, Report, Settings, collect};

/// Path, line and rule.
pub(crate) type Expected = BTreeSet<(String, u32, String)>;

/// A folder of fixtures.
pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

/// What lies in a folder, sorted.
pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
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

/// The last part of a path.
pub(crate) fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// A case's files as path and text.
pub(crate) fn texts(case: &Path) -> Vec<(String, String)> {
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    if case.is_file() {
        return vec![("lib.rs".to_owned(), read(case))];
    }
    let relative =
        |path: &Path| path.strip_prefix(case).unwrap().to_string_lossy().replace('\\', "/");
    files_under(case).iter().map(|path| (relative(path), read(path))).collect()
}

/// Every finding of a case.
pub(crate) fn run(linter: &Linter, texts: &[(String, String)]) -> Report {
    run_with(linter, texts, collect)
}

/// The same, with the facts of each file as `read` gives them.
pub(crate) fn run_with(
    linter: &Linter,
    texts: &[(String, String)],
    read: impl Fn(&str, &str) -> FileFacts,
) -> Report {
    let mut files = Files::default();
    for (path, text) in texts {
        match path.rsplit('/').next().unwrap() {
            "Cargo.toml" => files.manifests.push((path.clone(), text.clone())),
            "Cargo.lock" => files.locks.push((path.clone(), text.clone())),
            "models.toml" => files.models = models(text),
            _ => files.rust.push((read(path, text), text.clone())),
        }
    }
    let mut settings = Settings::default();
    "2026-11-01".clone_into(&mut settings.today);
    linter.run(files, &settings, None)
}

/// Models that a case has, by path, as if they had been measured.
fn models(text: &str) -> Vec<ModelFile> {
    let table: toml::Table = toml::from_str(text).unwrap();
    let number = |of: &toml::Value, key: &str| {
        of.get(key).map_or(0, |value| u64::try_from(value.as_integer().unwrap()).unwrap())
    };
    let model = |(path, of): (&String, &toml::Value)| ModelFile {
        path: path.clone(),
        profile: Profile {
            format: Format::Onnx,
            parameters: number(of, "parameters"),
            bytes: number(of, "bytes"),
            macs_per_token: number(of, "macs_per_token"),
            lookups_per_token: 0,
            window: 128,
            peak_memory: 2 * number(of, "bytes"),
            unsupported: Vec::new(),
            refused: None,
        },
    };
    table.iter().map(model).collect()
}

/// What a case says it has, under a mark: `~`, `?` or `+`.
pub(crate) fn marked(texts: &[(String, String)], mark: char) -> Expected {
    let mut found = Expected::new();
    for (path, text) in texts {
        let comment =
            if Path::new(path).extension().is_some_and(|ext| ext == "rs") { "//" } else { "#" };
        for (line, content) in (1u32..).zip(text.lines()) {
            let after =
                content.split_once(&format!("{comment}{mark}")).map_or("", |(_, rules)| rules);
            let rules = after.split(comment).next().unwrap_or_default();
            found
                .extend(rules.split_whitespace().map(|rule| (path.clone(), line, rule.to_owned())));
        }
    }
    found
}

/// The findings that count, by place and rule.
pub(crate) fn counted(
    report: &Report,
    counts: impl Fn(&tollhouse_lint::Finding) -> bool,
) -> Expected {
    let live = report.findings.iter().filter(|of| of.suppressed.is_none() && counts(of));
    live.map(|of| (of.path.clone(), of.start.line, of.rule.clone())).collect()
}

/// A recursive parser needs more room than a test's thread has.
pub(crate) fn with_room(check: fn()) {
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(check).unwrap();
    thread.join().unwrap();
}
