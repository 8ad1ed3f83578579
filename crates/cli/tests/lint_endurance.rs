//! The linter over more than it should ever meet: very many files, very large ones, files that go while it reads.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A key as a provider makes them; nobody's.
const KEY: &str = "pub const KEY: &str = \"sk-proj-9fK2mQ7xLp4RtV8bNc3ZwY6hJ1dS5gA0\";\n";

fn lint(at: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollhouse"));
    command.args(["lint", "--no-cache", "--format", "json"]).current_dir(at);
    command
}

/// Exit status and findings, as path and rule.
fn findings(at: &Path) -> (i32, Vec<(String, String)>) {
    let run = lint(at).output().unwrap();
    let text = String::from_utf8(run.stdout).unwrap();
    let said = |line: &str| {
        let of: serde_json::Value = serde_json::from_str(line).unwrap();
        let field = |name: &str| of.get(name).unwrap().as_str().unwrap().to_owned();
        (field("path"), field("rule"))
    };
    (run.status.code().unwrap(), text.lines().map(said).collect())
}

/// `files` small files in folders of a hundred.
fn many(at: &Path, files: usize) {
    for folder in 0..files.div_ceil(100) {
        let folder = at.join(format!("src/part{folder}"));
        std::fs::create_dir_all(&folder).unwrap();
        for file in 0..100 {
            let text = format!("pub fn answer_{file}(of: u32) -> u32 {{ of + {file} }}\n");
            std::fs::write(folder.join(format!("f{file}.rs")), text).unwrap();
        }
    }
}

#[test]
fn a_key_is_found_among_a_hundred_thousand_files() {
    let folder = TempDir::new().unwrap();
    many(folder.path(), 100_000);
    std::fs::write(folder.path().join("src/part777/key.rs"), KEY).unwrap();
    let (status, found) = findings(folder.path());
    let expected = vec![("src/part777/key.rs".to_owned(), "secret-in-code".to_owned())];
    assert_eq!((status, found), (1, expected));
}

#[test]
fn a_key_is_found_in_ten_megabytes() {
    let folder = TempDir::new().unwrap();
    let mut text = String::new();
    while text.len() < 10 << 20 {
        writeln!(text, "pub const N{}: [u32; 4] = [1, 2, 3, 4]; // generated", text.len()).unwrap();
    }
    std::fs::write(folder.path().join("large.rs"), text + KEY).unwrap();
    let (status, found) = findings(folder.path());
    assert_eq!((status, found), (1, vec![("large.rs".to_owned(), "secret-in-code".to_owned())]));
}

#[test]
fn files_may_go_while_they_are_read() {
    for round in 0..4 {
        let folder = TempDir::new().unwrap();
        many(folder.path(), 4_000);
        let mut run =
            lint(folder.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        for part in (0..40).filter(|part| part % 4 != round) {
            std::fs::remove_dir_all(folder.path().join(format!("src/part{part}"))).unwrap();
        }
        let status = run.wait().unwrap();
        assert_eq!(status.code(), Some(0), "round {round}");
    }
}
