//! `tollhouse rules`: every rule, by clause; with `--markdown`, the page that explains them all.

use crate::lint::LintError;
use std::fmt::Write;
use tollhouse_lint::{Linter, Rule};

/// Prints the rules.
pub(crate) fn rules(markdown: bool) -> Result<u8, LintError> {
    let linter = Linter::new()?;
    let out = if markdown { page(&linter) } else { list(&linter) };
    anstream::print!("{out}");
    Ok(0)
}

/// The clauses in the standard's order, then what concerns the linter itself: id, title, rules.
fn chapters(linter: &Linter) -> impl Iterator<Item = (&str, &str, Vec<&Rule>)> {
    let own = ("tool", "the linter itself");
    let clauses = linter.clauses().iter().map(|clause| (clause.id.as_str(), clause.title.as_str()));
    clauses.chain([own]).map(|(id, title)| {
        (id, title, linter.rules().iter().filter(|rule| rule.clause == id).collect())
    })
}

fn list(linter: &Linter) -> String {
    let mut out = String::new();
    for (id, title, rules) in chapters(linter) {
        let _ = writeln!(out, "{id} {title}");
        for rule in rules {
            let _ = writeln!(out, "    {:<28} {}", rule.id, rule.severity.name());
        }
    }
    out
}

fn page(linter: &Linter) -> String {
    let mut out = String::from(
        "# Lint rules\n\nMade by `cargo tollhouse rules --markdown`; a test holds this page to the rules.\n",
    );
    out.push_str("\n| clause | rules |\n|---|---|\n");
    for (id, title, rules) in chapters(linter) {
        let links: Vec<String> = rules
            .iter()
            .map(|of| format!("[`{0}`](#{0}) {1}", of.id, of.severity.name()))
            .collect();
        let _ = writeln!(out, "| {id} {title} | {} |", links.join(", "));
    }
    for (id, _, rules) in chapters(linter) {
        for rule in rules {
            out.push_str(&entry(id, rule));
        }
    }
    out
}

fn entry(clause: &str, rule: &Rule) -> String {
    let mut out =
        format!("\n## {}\n\n{clause}, {}. {}\n\n", rule.id, rule.severity.name(), rule.why.trim());
    let _ = writeln!(out, "{}", rule.help.trim());
    for (title, code) in [("Breaks it", &rule.bad), ("Keeps it", &rule.good)] {
        if !code.trim().is_empty() {
            let _ = write!(out, "\n{title}:\n\n```rust\n{}\n```\n", code.trim());
        }
    }
    out
}
