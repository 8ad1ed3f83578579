//! The README as data: its examples, and its parts that are made from the code.
//!
//! A made part stands between `<!-- generated: NAME -->` and `<!-- end of NAME -->`.

use std::{env, fmt::Write as _, fs, process::Command};

use anyhow::{Context, Result, ensure};
use tollhouse_core::{
    metrics::{Family, Kind},
    refusal::{Code, Fault},
};
use toml::Value;

use crate::workerd::root;

/// The README as it is in the repository.
///
/// # Errors
/// When it cannot be read.
pub fn text() -> Result<String> {
    fs::read_to_string(root()?.join("README.md")).context("README.md")
}

/// Every part that is made from the code: its name, and what it must be.
///
/// # Errors
/// When the command `tollhouse` fails or a source cannot be read.
pub fn generated() -> Result<Vec<(&'static str, String)>> {
    Ok(vec![
        ("standard", standard()?),
        ("config reference", config_reference()?),
        ("error codes", error_codes()),
        ("metrics", metric_families()),
        ("mock script", mock_script()?),
    ])
}

/// The text between the markers of `name`.
pub fn part<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, after) = text.split_once(&format!("<!-- generated: {name} -->\n"))?;
    after.split_once(&format!("<!-- end of {name} -->")).map(|(part, _)| part)
}

/// `text` with `body` between the markers of `name`.
///
/// # Errors
/// When the markers are missing.
pub fn with_part(text: &str, name: &str, body: &str) -> Result<String> {
    let (start, end) = (format!("<!-- generated: {name} -->\n"), format!("<!-- end of {name} -->"));
    let (before, after) = text.split_once(&start).with_context(|| format!("no {start}"))?;
    let (_, after) = after.split_once(&end).with_context(|| format!("no {end}"))?;
    Ok([before, &start, body, &end, after].concat())
}

/// The contents of every code block in `language`.
pub fn examples<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let opening = format!("\n```{language}\n");
    let blocks = text.split(opening.as_str()).skip(1);
    blocks.filter_map(|rest| rest.split_once("\n```").map(|(block, _)| block)).collect()
}

/// `rules/standard.toml`, a row a clause.
fn standard() -> Result<String> {
    let source = fs::read_to_string(root()?.join("rules/standard.toml"))?;
    let standard: toml::Table = source.parse()?;
    let clauses = standard.get("clause").and_then(Value::as_array).context("no clauses")?;
    let mut table = "| clause | the gateway | the linter finds |\n|---|---|---|\n".to_owned();
    for clause in clauses {
        let text =
            |key: &str| clause.get(key).and_then(Value::as_str).context("a clause lacks a text");
        let (id, title, gateway, lint) =
            (text("id")?, text("title")?, text("gateway")?, text("lint")?);
        let _ = writeln!(table, "| {id} {title} | {gateway} | {lint} |");
    }
    Ok(table)
}

/// What `tollhouse config reference` prints.
fn config_reference() -> Result<String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["run", "--quiet", "--package", "tollhouse", "--", "config", "reference"])
        .current_dir(root()?)
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

fn error_codes() -> String {
    let mut table =
        "| code | status | `type` | who can mend it | meaning |\n|---|---|---|---|---|\n"
            .to_owned();
    for facts in Code::ALL.map(Code::facts) {
        let who = match facts.fault {
            Fault::Caller => "caller",
            Fault::Provider => "provider",
            Fault::Operator => "operator",
        };
        let (name, status, kind, meaning) = (facts.name, facts.status, facts.kind, facts.meaning);
        let _ = writeln!(table, "| `{name}` | {status} | `{kind}` | {who} | {meaning} |");
    }
    table
}

fn metric_families() -> String {
    let mut table = "| metric | kind | labels | meaning |\n|---|---|---|---|\n".to_owned();
    for facts in Family::ALL.map(Family::facts) {
        let kind = match facts.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        let labels: Vec<String> = facts.labels.iter().map(|label| format!("`{label}`")).collect();
        let _ = writeln!(
            table,
            "| `{}` | {kind} | {} | {} |",
            facts.name,
            labels.join(", "),
            facts.help
        );
    }
    table
}

/// The table in the documentation of the module that reads scripts.
fn mock_script() -> Result<String> {
    let source = fs::read_to_string(root()?.join("crates/core/src/mock/script.rs"))?;
    let rows = source.lines().filter_map(|line| line.strip_prefix("//! |"));
    let table = rows.fold(String::new(), |table, row| table + "|" + row + "\n");
    ensure!(table.lines().count() > 2, "mock/script.rs has no table of instructions");
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a\n<!-- generated: x -->\nold\n<!-- end of x -->\n\n```sh\none\n```\n\n```sh\ntwo\n2\n```\n";

    #[test]
    fn a_part_is_replaced_and_what_stands_around_it_is_not() {
        let new = with_part(TEXT, "x", "new\n").unwrap();
        assert_eq!(new, TEXT.replace("old", "new"));
        assert_eq!(part(&new, "x"), Some("new\n"));
        assert!(with_part(TEXT, "y", "").is_err());
    }

    #[test]
    fn examples_are_found_by_their_language() {
        assert_eq!(examples(TEXT, "sh"), ["one", "two\n2"]);
        assert!(examples(TEXT, "js").is_empty());
    }
}
