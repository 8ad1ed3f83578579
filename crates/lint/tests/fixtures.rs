//! Every rule over every fixture of `fixtures/lint/<rule>/{fires,silent}…`.
//!
//! A case is one file, or a folder with a small package. `//~ rule-id` (`#~` in a manifest) stands on the line that
//! fires. A case says exactly which findings of weight `warn` or more it has, and which of its own rule.

#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod cases;
mod sieved;

use cases::{counted, entries, folder, marked, name, run, texts, with_room};
use tollhouse_lint::{Linter, Severity};

#[test]
fn every_fixture_fires_exactly_what_it_says() {
    with_room(check_every_fixture);
}

fn check_every_fixture() {
    let linter = Linter::new().unwrap();
    let mut wrong = Vec::new();
    for rule_folder in entries(&folder("lint")) {
        let rule = name(&rule_folder);
        for case in entries(&rule_folder) {
            let texts = texts(&case);
            let report = run(&linter, &texts);
            let found = counted(&report, |of| of.severity >= Severity::Warn || of.rule == rule);
            let wanted = marked(&texts, '~');
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
            let place = folder("lint").join(&rule.id);
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
