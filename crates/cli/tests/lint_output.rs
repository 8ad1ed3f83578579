//! What `tollhouse lint` prints, in each format, and that it prints the same from its cache.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use serde_json::Value;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const CODE: &str = "\
use async_openai::types::CreateChatCompletionRequestArgs;

pub fn request(settings: &Settings) -> CreateChatCompletionRequestArgs {
    CreateChatCompletionRequestArgs::default().max_tokens(9000u32)
        .temperature(3.0) // tollhouse: allow(temperature-out-of-range) -- the provider allows it
        .model(settings.model.as_str())
}
";

fn package() -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("src")).unwrap();
    std::fs::write(folder.path().join("src/ask me.rs"), CODE).unwrap();
    folder
}

/// Standard output; the cache lies in `cache` beside the package.
fn lint(at: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollhouse"));
    command.args(["lint", "--as-of", "2026-11-01"]).args(arguments).current_dir(at);
    let output = command.env("XDG_CACHE_HOME", at.join(".cache")).output().unwrap();
    assert!(output.status.code().unwrap() < 2, "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn each_format_reads_as_it_should() {
    let package = package();
    for format in ["text", "json", "github"] {
        insta::assert_snapshot!(format, lint(package.path(), &["--format", format]));
    }
    let mut log: Value =
        serde_json::from_str(&lint(package.path(), &["--format", "sarif"])).unwrap();
    for result in log["runs"][0]["results"].as_array_mut().unwrap() {
        // It moves with every new rule, and is held to the rules below.
        result.as_object_mut().unwrap().remove("ruleIndex");
    }
    let results = serde_json::to_string_pretty(&log["runs"][0]["results"]).unwrap();
    insta::assert_snapshot!("sarif_results", results);
}

#[test]
fn sarif_keeps_to_the_published_schema() {
    let schema =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/sarif/sarif-schema-2.1.0.json");
    // The published pattern of a language tag has a bracket too many, which makes it no pattern.
    let schema = std::fs::read_to_string(schema).unwrap().replace("{2}]?$", "{2}?$");
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut log: Value =
        serde_json::from_str(&lint(package().path(), &["--format", "sarif"])).unwrap();
    let problems: Vec<String> = validator.iter_errors(&log).map(|of| of.to_string()).collect();
    assert!(problems.is_empty(), "{problems:?}");
    let run = &log["runs"][0];
    for result in run["results"].as_array().unwrap() {
        let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], result["ruleId"]);
        assert_eq!(result["partialFingerprints"]["tollhouse/v1"].as_str().unwrap().len(), 32);
    }
    log["runs"][0]["results"][0]["level"] = "fatal".into();
    assert!(!validator.is_valid(&log), "the schema refuses what it does not know");
}

#[test]
fn a_second_run_says_the_same_and_a_changed_file_is_seen() {
    let package = package();
    let at = package.path();
    let json = ["--format", "json"];
    let (cold, warm) = (lint(at, &json), lint(at, &json));
    assert!(at.join(".cache/tollhouse/lint").is_dir());
    assert_eq!(cold, warm);
    assert_eq!(cold, lint(at, &["--format", "json", "--no-cache"]));
    std::fs::write(at.join("src/ask me.rs"), CODE.replace("9000u32", "90u32")).unwrap();
    assert!(cold.contains("max-tokens-out-of-range"));
    assert!(!lint(at, &json).contains("max-tokens-out-of-range"));
}

#[test]
fn a_cache_full_of_rubbish_changes_nothing() {
    let package = package();
    let at = package.path();
    let arguments = ["--format", "json", "--cache-dir", "kept"];
    let cold = lint(at, &arguments);
    for shelf in std::fs::read_dir(at.join("kept")).unwrap() {
        for entry in std::fs::read_dir(shelf.unwrap().path()).unwrap() {
            std::fs::write(entry.unwrap().path(), "rubbish").unwrap();
        }
    }
    assert_eq!(cold, lint(at, &arguments));
}

#[test]
fn a_difference_is_shown_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let text = "// tollhouse: allow(hard-coded-model) -- old\nfn main() {}\n";
    std::fs::write(folder.path().join("a.rs"), text).unwrap();
    insta::assert_snapshot!("diff", lint(folder.path(), &["--diff"]));
}

#[cfg(unix)]
#[test]
fn links_in_circles_and_links_to_nothing_are_passed_by() {
    let package = package();
    let at = package.path();
    std::os::unix::fs::symlink(at, at.join("src/circle")).unwrap();
    std::os::unix::fs::symlink("nowhere.rs", at.join("src/gone.rs")).unwrap();
    let found = lint(at, &["--format", "json"]);
    let plain = lint(self::package().path(), &["--format", "json"]);
    assert_eq!(found, plain);
}

#[test]
fn a_file_of_ten_megabytes_and_a_thousand_small_ones_are_read() {
    let package = package();
    let at = package.path();
    let long = "pub fn f() -> u32 { 1 }\n".repeat(10 << 20 >> 4);
    std::fs::write(at.join("src/long.rs"), long).unwrap();
    for number in 0..1000 {
        std::fs::write(at.join(format!("src/m{number}.rs")), "pub fn f() {}\n").unwrap();
    }
    let found = lint(at, &["--format", "json"]);
    assert!(found.contains("max-tokens-out-of-range"), "{found}");
}

#[test]
fn the_page_of_rules_is_the_rules() {
    let command =
        Command::new(env!("CARGO_BIN_EXE_tollhouse")).args(["rules", "--markdown"]).output();
    let made = String::from_utf8(command.unwrap().stdout).unwrap();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lint/RULES.md");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(made == page, "run `cargo tollhouse rules --markdown > crates/lint/RULES.md`");
}
