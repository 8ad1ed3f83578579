//! `tollhouse explain ID`: one rule, or one clause with its rules.

use crate::lint::LintError;
use std::fmt::Write;
use tollhouse_lint::{Linter, Rule};

/// Prints what a rule or a clause is about.
pub(crate) fn explain(id: &str) -> Result<u8, LintError> {
    let linter = Linter::new()?;
    if let Some(rule) = linter.rules().get(id) {
        anstream::print!("{}", page(rule));
        return Ok(0);
    }
    let Some(clause) = linter.clauses().iter().find(|clause| clause.id.eq_ignore_ascii_case(id))
    else {
        let hint = linter
            .rules()
            .nearest(id)
            .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        return Err(LintError::Usage(format!("`{id}` is neither a rule nor a clause{hint}")));
    };
    anstream::println!(
        "{}: {}\n\nin code: {}\nat run time: {}\n",
        clause.id,
        clause.title,
        clause.lint,
        clause.gateway
    );
    for rule in linter.rules().iter().filter(|rule| rule.clause == clause.id) {
        anstream::println!("  {} ({})", rule.id, rule.severity.name());
    }
    Ok(0)
}

fn page(rule: &Rule) -> String {
    let mut out = format!(
        "{} ({}, {})\n\n{}\n\n{}\n",
        rule.id,
        rule.clause,
        rule.severity.name(),
        rule.why,
        rule.help
    );
    if !rule.bad.trim().is_empty() {
        let _ = write!(
            out,
            "
Breaks it:

{}

Keeps it:

{}
",
            indented(&rule.bad),
            indented(&rule.good)
        );
    }
    let _ = writeln!(out, "\nSuppress with: // tollhouse: allow({}) -- reason", rule.id);
    out
}

fn indented(code: &str) -> String {
    code.trim().lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}
