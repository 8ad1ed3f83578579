//! `tollhouse config check`

use serde_json::json;
use tollhouse_core::config::{Place, Problem, Severity, masked};

use super::{Format, Input, Loading, frame, load, print};
use crate::{Failure, Outcome};

pub(super) fn run(input: &Input) -> Result<Outcome, Failure> {
    let Loading { name, text, result } = load(input)?;
    let (problems, outcome) = match result {
        Ok(loaded) => (loaded.warnings, Outcome::Clean),
        Err(report) => (report.problems, Outcome::Found),
    };
    match input.format {
        Format::Text => print(&in_text(&name, &text, &problems))?,
        Format::Json => print(&in_json(&name, &problems))?,
    };
    Ok(outcome)
}

/// A code frame a problem, and a line that counts them.
pub(super) fn in_text(name: &str, text: &str, problems: &[Problem]) -> String {
    let text = masked(text, problems);
    let mut out = String::new();
    for problem in problems {
        out.push_str(&frame::render(name, &text, problem));
        out.push_str("\n\n");
    }
    let count = |severity| problems.iter().filter(|problem| problem.severity() == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let verdict = if errors > 0 { "is refused" } else { "is valid" };
    out + &format!(
        "{name} {verdict}: {}, {}\n",
        counted(errors, "error"),
        counted(warnings, "warning")
    )
}

/// One problem a line.
fn in_json(name: &str, problems: &[Problem]) -> String {
    let mut out = String::new();
    for problem in problems {
        out.push_str(&one_in_json(name, problem).to_string());
        out.push('\n');
    }
    out
}

fn one_in_json(name: &str, problem: &Problem) -> serde_json::Value {
    let mut line = json!({
        "rule": problem.rule.name(),
        "severity": problem.severity().name(),
        "path": name,
        "key": problem.path,
        "message": problem.message,
        "help": problem.help,
    });
    let place = match &problem.place {
        Place::Text { start, end, .. } => vec![
            ("line", json!(start.line)),
            ("column", json!(start.column)),
            ("end_line", json!(end.line)),
            ("end_column", json!(end.column)),
        ],
        Place::Variable(name) => vec![("variable", json!(name))],
    };
    for (key, value) in place {
        if let Some(line) = line.as_object_mut() {
            line.insert(key.to_owned(), value);
        }
    }
    line
}

fn counted(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}
