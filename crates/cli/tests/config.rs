//! `tollhouse config` as it is typed.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs the command in the repository's root, with these variables alone.
fn tollhouse(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tollhouse"))
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .current_dir(root())
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

const FULL: &str = "fixtures/config/full.toml";
const MISTAKES: &str = "fixtures/config/shown/mistakes.toml";

#[test]
fn mistakes_are_shown_where_they_stand() {
    let output = tollhouse(&["config", "check", MISTAKES], &[]);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!("mistakes", stdout(&output));
}

#[test]
fn mistakes_in_variables_name_the_variable() {
    let variables = [("TOLLHOUSE__MODELS__FAST__STRATEGY", "fastets")];
    let output = tollhouse(&["config", "check", FULL], &variables);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!("variable", stdout(&output));
}

#[test]
fn for_machines_each_problem_is_a_line_of_json() {
    let output = tollhouse(&["config", "check", MISTAKES, "--format", "json"], &[]);
    assert_eq!(output.status.code(), Some(1));
    let lines: Vec<serde_json::Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let secret = lines.iter().find(|line| line["rule"] == "literal-secret").unwrap();
    assert_eq!(secret["path"], MISTAKES);
    assert_eq!(secret["key"], "providers.openai.api_key");
    assert_eq!((&secret["line"], &secret["column"]), (&10.into(), &11.into()));
    assert!(!stdout(&output).contains("4f9a0c1b"));
}

#[test]
fn a_clean_file_ends_with_0_and_an_absent_one_with_2() {
    let clean = tollhouse(&["config", "check", FULL], &[]);
    assert_eq!(clean.status.code(), Some(0));
    assert_eq!(stdout(&clean), format!("{FULL} is valid: no errors, no warnings\n"));

    let absent = tollhouse(&["config", "check", "no/such/file.toml"], &[]);
    assert_eq!(absent.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&absent.stderr).starts_with("error: cannot read no/such/file.toml")
    );
    assert_eq!(tollhouse(&["config", "frobnicate"], &[]).status.code(), Some(2));
}

#[test]
fn what_is_shown_names_its_source() {
    let variables = [("TOLLHOUSE__BREAKER__FAILURES", "9")];
    let output = tollhouse(&["config", "show", FULL], &variables);
    assert_eq!(output.status.code(), Some(0));
    let line = |start: &str| {
        stdout(&output).lines().find(|line| line.starts_with(start)).unwrap().to_owned()
    };
    assert!(line("breaker.failures = 9 ").ends_with("# TOLLHOUSE__BREAKER__FAILURES"));
    let full = fs::read_to_string(root().join(FULL)).unwrap();
    let lease = full.lines().position(|line| line.starts_with("lease_ms")).unwrap() + 1;
    assert!(line("limits.lease_ms = 2000 ").ends_with(&format!("# {FULL}:{lease}")));
    assert!(line("models.reasoner.strategy = \"ordered\" ").ends_with("# default"));

    let json = tollhouse(&["config", "show", FULL, "--format", "json"], &variables);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["values"]["breaker"]["failures"], 9);
    assert_eq!(tollhouse(&["config", "show", MISTAKES], &[]).status.code(), Some(1));
}

/// To renew it: `cargo tollhouse config schema > rules/config.schema.json`.
#[test]
fn the_schema_in_the_repository_is_the_one_the_command_prints() {
    let committed = fs::read_to_string(root().join("rules/config.schema.json")).unwrap();
    assert_eq!(stdout(&tollhouse(&["config", "schema"], &[])), committed);
}

#[test]
fn the_schema_takes_what_the_gateway_takes_and_refuses_what_it_refuses() {
    let schema = stdout(&tollhouse(&["config", "schema"], &[]));
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let is_valid = |text: &str| {
        let value: toml::Value = toml::from_str(text).unwrap();
        validator.is_valid(&serde_json::to_value(value).unwrap())
    };
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    // JSON has no dates; in TOML a day may be written with or without quotation marks.
    assert!(is_valid(&read(FULL).replace("2027-12-31", "\"2027-12-31\"")));
    let default = stdout(&tollhouse(&["config", "default"], &[]));
    assert!(is_valid(&default));
    for rule in ["unknown-key", "wrong-type", "unknown-value", "missing", "not-supported"] {
        assert!(!is_valid(&read(&format!("fixtures/config/{rule}.toml"))), "{rule}");
    }
}

#[test]
fn the_reference_has_a_row_for_every_key() {
    let table = stdout(&tollhouse(&["config", "reference"], &[]));
    for row in [
        "| `auth.mode` | `\"keys\"`, `\"open\"` | `\"keys\"` | Whether callers need a key. |",
        "| `auth.keys[].sha256` | string | required | SHA-256 of the key",
        "| `defaults.retry.max_attempts` | 1 to 10 | `3` | Attempts in all, over every target. |",
        "| `providers.NAME.kind` | `\"openai\"`, `\"oip\"`, `\"mock\"` | required | How to speak to it. |",
        "| `models.NAME.targets[].price.input` |",
        "| `defaults.bounds.temperature` | two of 0.0 to 2.0 | `[0.0,2.0]` |",
    ] {
        assert!(table.contains(row), "{row}\n{table}");
    }
    assert!(!table.contains("models.NAME.retry.max_attempts"), "inherited keys are explained once");
}
