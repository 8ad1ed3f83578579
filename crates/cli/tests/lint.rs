//! The command as a user runs it: exit status, formats, baseline, suppressions, fixes, bad input.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

const BAD: &str = "pub fn args() -> async_openai::types::CreateChatCompletionRequestArgs {\n    async_openai::types::CreateChatCompletionRequestArgs::default().max_tokens(5u32).temperature(3.0)\n}\n";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn tollhouse(at: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollhouse"));
    let run = command.args(args).current_dir(at).env("XDG_CACHE_HOME", at.join(".cache")).output();
    let Output { status, stdout, stderr } = run.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

#[test]
fn a_clean_folder_exits_0_a_finding_1_a_broken_configuration_2() {
    let clean = folder(&[("a.rs", "fn main() {}\n")]);
    assert_eq!(tollhouse(clean.path(), &["lint"]).0, 0);
    let bad = folder(&[("a.rs", BAD)]);
    assert_eq!(tollhouse(bad.path(), &["lint"]).0, 1);
    let broken = folder(&[("a.rs", BAD), ("tollhouse-lint.toml", "exlude = []\n")]);
    let (status, _, error) = tollhouse(broken.path(), &["lint"]);
    assert_eq!(status, 2);
    assert!(error.contains("did you mean `exclude`?"), "{error}");
    assert_eq!(tollhouse(clean.path(), &["lint", "missing"]).0, 2);
    assert_eq!(tollhouse(clean.path(), &["lint", "--select", "no-such-rule"]).0, 2);
}

#[test]
fn json_is_one_finding_a_line_with_every_field_of_the_contract() {
    let bad = folder(&[("src/a.rs", BAD)]);
    let (_, out, _) = tollhouse(bad.path(), &["lint", "--format", "json"]);
    let line: serde_json::Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
    for field in [
        "rule",
        "clause",
        "severity",
        "path",
        "line",
        "column",
        "end_line",
        "end_column",
        "message",
        "help",
    ] {
        assert!(line.get(field).is_some(), "{field} is missing");
    }
    assert_eq!((line["path"].as_str(), line["line"].as_u64()), (Some("src/a.rs"), Some(2)));
}

#[test]
fn sarif_keeps_a_suppressed_finding_as_suppressed() {
    let text = BAD.replace(
        "temperature(3.0)",
        "temperature(3.0) // tollhouse: allow(temperature-out-of-range) -- a test",
    );
    let bad = folder(&[("a.rs", &text)]);
    let (status, out, _) = tollhouse(bad.path(), &["lint", "--format", "sarif"]);
    let log: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((status, log["version"].as_str()), (0, Some("2.1.0")));
    assert_eq!(log["runs"][0]["results"][0]["suppressions"][0]["justification"], "a test");
}

#[test]
fn a_baseline_survives_moved_lines_and_says_what_is_gone() {
    let bad = folder(&[("a.rs", BAD)]);
    let at = bad.path();
    assert_eq!(tollhouse(at, &["lint", "--baseline", "b.json", "--write-baseline"]).0, 0);
    std::fs::write(at.join("a.rs"), format!("// moved\n\n{BAD}")).unwrap();
    assert_eq!(tollhouse(at, &["lint", "--baseline", "b.json"]).0, 0);
    std::fs::write(at.join("a.rs"), "fn main() {}\n").unwrap();
    let (status, out, _) = tollhouse(at, &["lint", "--baseline", "b.json", "--format", "json"]);
    assert_eq!(status, 1);
    assert!(out.contains("stale-baseline"), "{out}");
}

#[test]
fn a_fix_takes_an_idle_suppression_out_and_a_diff_only_shows_it() {
    let idle = folder(&[("a.rs", "// tollhouse: allow(hard-coded-model) -- old\nfn main() {}\n")]);
    let read = || std::fs::read_to_string(idle.path().join("a.rs")).unwrap();
    let (_, diff, _) = tollhouse(idle.path(), &["lint", "--diff"]);
    assert!(diff.contains("-// tollhouse: allow"), "{diff}");
    assert!(read().starts_with("// tollhouse"));
    assert_eq!(tollhouse(idle.path(), &["lint", "--fix"]).0, 0);
    assert_eq!(read(), "fn main() {}\n");
}

#[test]
fn a_fix_changes_what_cannot_be_meant() {
    let sleeps = "pub async fn ask(client: &async_openai::Client<C>, limiter: &Limiter, r: Request) -> Result<Reply, E> {\n    limiter.until_ready().await;\n    std::thread::sleep(tokio::time::Duration::from_secs(1));\n    client.chat().create(r).await\n}\n";
    let bad = folder(&[("a.rs", BAD), ("b.rs", sleeps)]);
    assert_eq!(tollhouse(bad.path(), &["lint", "--fix"]).0, 0);
    let read = |path: &str| std::fs::read_to_string(bad.path().join(path)).unwrap();
    assert!(read("a.rs").contains(".temperature(2.0)"), "{}", read("a.rs"));
    let awaited = "    tokio::time::sleep(tokio::time::Duration::from_secs(1)).await;\n";
    assert!(read("b.rs").contains(awaited), "{}", read("b.rs"));
    assert_eq!(tollhouse(bad.path(), &["lint"]).0, 0, "nothing is left");
}

#[test]
fn any_bytes_and_any_nesting_end_in_a_finding() {
    let odd = folder(&[
        ("Cargo.toml", "not = [toml"),
        ("deep.rs", &format!("const X: u8 = {}1{};", "(".repeat(10_000), ")".repeat(10_000))),
    ]);
    std::fs::write(odd.path().join("bytes.rs"), [0xff, 0x00, 0x28, 0xfe]).unwrap();
    let unary = format!("const Y: i64 = {}1;", "-".repeat(100_000));
    std::fs::write(odd.path().join("unary.rs"), unary).unwrap();
    let (status, out, _) = tollhouse(odd.path(), &["lint", "--format", "json"]);
    assert_eq!(status, 1);
    assert_eq!(out.matches("\"unparsed-file\"").count(), 4, "{out}");
}

#[test]
fn explain_names_the_nearest_rule() {
    let none = folder(&[]);
    assert_eq!(tollhouse(none.path(), &["explain", "hard-coded-model"]).0, 0);
    let (status, _, error) = tollhouse(none.path(), &["explain", "hardcoded-model"]);
    assert!(status == 2 && error.contains("`hard-coded-model`"), "{error}");
}
