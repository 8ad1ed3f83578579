//! `tollhouse rules`: every rule, by clause.

use crate::lint::LintError;
use tollhouse_lint::Linter;

/// Prints the rules.
pub(crate) fn rules() -> Result<u8, LintError> {
    let linter = Linter::new()?;
    for clause in linter.clauses() {
        anstream::println!("{} {}", clause.id, clause.title);
        for rule in linter.rules().iter().filter(|rule| rule.clause == clause.id) {
            anstream::println!("    {:<28} {}", rule.id, rule.severity.name());
        }
    }
    anstream::println!("tool");
    for rule in linter.rules().iter().filter(|rule| rule.clause == "tool") {
        anstream::println!("    {:<28} {}", rule.id, rule.severity.name());
    }
    Ok(0)
}
