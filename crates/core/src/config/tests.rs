//! Fixtures, and what holds for any text.

mod any_text;
mod loading;

use std::{collections::BTreeSet, fs, path::PathBuf};

use super::*;

/// The day on which fixtures are read.
const TODAY: &str = "2026-11-22";

fn fixtures() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/config"))
}

fn fixture(name: &str) -> String {
    fs::read_to_string(fixtures().join(name)).unwrap()
}

fn load_toml(text: &str) -> Result<Loaded, Report> {
    load_with(text, &[])
}

fn load_with(text: &str, variables: &[(&str, &str)]) -> Result<Loaded, Report> {
    let variables: Vec<_> =
        variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    load(Source { name: "tollhouse.toml", text }, &variables, date::midnight(TODAY).unwrap())
}

fn problems(result: Result<Loaded, Report>) -> Vec<Problem> {
    match result {
        Ok(loaded) => loaded.warnings,
        Err(report) => report.problems,
    }
}

/// What a fixture says of itself, in comments that begin with `#~`.
struct Expected {
    variables: Vec<(String, String)>,
    /// Place (a line or a variable), `severity[rule]`, and a part of the message.
    problems: Vec<(String, String, String)>,
}

fn expected(text: &str) -> Expected {
    let mut expected = Expected { variables: Vec::new(), problems: Vec::new() };
    for (index, line) in text.lines().enumerate() {
        for note in line.split("#~ ").skip(1) {
            let mut place = (index + 1).to_string();
            let mut note = note.trim_end();
            if let Some(setting) = note.strip_prefix("set ") {
                let (name, value) = setting.split_once('=').unwrap();
                expected.variables.push((name.to_owned(), value.to_owned()));
                continue;
            }
            if let Some(rest) = note.strip_prefix("variable ") {
                let (name, rest) = rest.split_once(' ').unwrap();
                (place, note) = (name.to_owned(), rest);
            }
            let (kind, message) = note.split_once(':').unwrap();
            expected.problems.push((place, kind.to_owned(), message.trim().to_owned()));
        }
    }
    expected
}

/// What a fixture's problems and its expectations differ in.
fn difference(name: &str) -> Option<String> {
    let text = fixture(name);
    let Expected { variables, problems: mut expected } = expected(&text);
    let today = date::midnight(TODAY).unwrap();
    let result = load(Source { name, text: &text }, &variables, today);
    let is_refused = result.is_err();
    let found = problems(result);
    let has_error = found.iter().any(|problem| problem.severity() == Severity::Error);
    assert_eq!(is_refused, has_error, "{name}: refused and has errors are one");
    let mut surprising = Vec::new();
    for problem in &found {
        let place = match &problem.place {
            Place::Text { start, .. } => start.line.to_string(),
            Place::Variable(variable) => variable.clone(),
        };
        let kind = format!("{}[{}]", problem.severity().name(), problem.rule.name());
        let at = expected
            .iter()
            .position(|(p, k, part)| *p == place && *k == kind && problem.message.contains(part));
        match at {
            Some(at) => drop(expected.remove(at)),
            None => surprising.push(problem.line(name)),
        }
    }
    (!surprising.is_empty() || !expected.is_empty()).then(|| {
        format!("{name}: found beside what was expected {surprising:#?}\nnot found {expected:#?}\n")
    })
}

#[test]
fn each_fixture_has_the_problems_it_names_and_no_others() {
    let mut names: Vec<_> = fs::read_dir(fixtures())
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() > Rule::ALL.len());
    let differences: Vec<_> = names.iter().filter_map(|name| difference(name)).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn each_rule_has_a_name_of_its_own_and_a_fixture_that_shows_it() {
    let names: BTreeSet<_> = Rule::ALL.iter().map(|rule| rule.name()).collect();
    assert_eq!(names.len(), Rule::ALL.len());
    for rule in Rule::ALL {
        let text = fixture(&format!("{}.toml", rule.name()));
        let kind = format!("{}[{}]", rule.severity().name(), rule.name());
        assert!(expected(&text).problems.iter().any(|(_, found, _)| *found == kind), "{kind}");
    }
}

#[test]
fn every_error_says_what_to_write_instead() {
    for rule in Rule::ALL {
        let text = fixture(&format!("{}.toml", rule.name()));
        for problem in problems(load_toml(&text)) {
            let is_self_evident = matches!(
                problem.rule,
                Rule::Syntax | Rule::DuplicateKey | Rule::OutOfRange | Rule::WrongType
            );
            assert!(is_self_evident || problem.help.is_some(), "{}", problem.line("x"));
        }
    }
}

#[test]
fn the_full_example_has_nothing_to_mend_but_its_budgets() {
    let loaded = load_toml(&fixture("full.toml")).unwrap();
    let paths: Vec<&str> = loaded.warnings.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["auth.keys[0].budget", "auth.keys[1].budget"]);
}
