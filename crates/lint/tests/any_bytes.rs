//! Whatever the bytes are, reading them ends in facts and findings, never in a panic.

#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use proptest::prelude::*;
use std::sync::LazyLock;
use tollhouse_lint::{Baseline, Files, Linter, Settings, collect, lexed};

static LINTER: LazyLock<Linter> = LazyLock::new(|| Linter::new().unwrap());

/// Pieces that mean something to the linter, so that chance puts together more than noise.
fn pieces() -> impl Strategy<Value = String> {
    let words = [
        "fn f() {",
        "}",
        "async ",
        ".await",
        "?",
        "use async_openai::Client;",
        "Client::new()",
        ".chat().create(r)",
        "loop {",
        "match x {",
        "=> ",
        "\"sk-abc",
        "json!({\"model\": \"gpt-4\"})",
        "// tollhouse: allow(hard-coded-model) -- r\n",
        "#[tokio::main]",
        "let a = ",
        ";",
        "\u{feff}",
        "'",
        "r#\"",
        "/*",
        "*/",
        "\\",
        "\n",
        "ü",
        "impl<T> A for B {",
        "macro_rules! m { ($a:expr) => {$a} }",
        "format!(\"{a:?}\")",
        "|x| x",
        "mod m;",
        "#[path = \"..\"]",
        "(",
        ")",
        "[",
        "]",
        "<",
        ">",
        "0.3",
    ];
    proptest::collection::vec(proptest::sample::select(words.to_vec()), 0..60)
        .prop_map(|of| of.concat())
}

fn manifest() -> impl Strategy<Value = String> {
    let lines = [
        "[package]\n",
        "name = \"a\"\n",
        "name = 3\n",
        "[workspace]\n",
        "[dependencies]\n",
        "async-openai = \"0.2\"\n",
        "axum = { path = \"../..\" }\n",
        "[workspace.dependencies]\n",
        "x.workspace = true\n",
        "[[bin]]\n",
        "path = \"../../../..\"\n",
        "version = \">>1\"\n",
        "[lib]\n",
        "path = \"src/lib.rs\"\n",
        "= = =\n",
        "ü",
    ];
    proptest::collection::vec(proptest::sample::select(lines.to_vec()), 0..20)
        .prop_map(|of| of.concat())
}

fn lint(rust: &str, manifest: &str, lock: &str) -> usize {
    let _ = LINTER.traces(rust);
    let mut files = Files::default();
    files.rust.push((collect("src/lib.rs", rust), rust.to_owned()));
    files.rust.push((lexed("src/other.rs", rust), rust.to_owned()));
    files.manifests.push(("Cargo.toml".to_owned(), manifest.to_owned()));
    files.manifests.push(("member/Cargo.toml".to_owned(), manifest.to_owned()));
    files.locks.push(("Cargo.lock".to_owned(), lock.to_owned()));
    let report = LINTER.run(files, &Settings::default(), None);
    let size = tollhouse_lint::sarif(&report.findings, LINTER.rules(), "0").len();
    size + tollhouse_lint::json_lines(&report.findings).len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_are_a_file(bytes: Vec<u8>, manifest: Vec<u8>) {
        let text = String::from_utf8_lossy(&bytes);
        lint(&text, &String::from_utf8_lossy(&manifest), &text);
    }

    #[test]
    fn any_pieces_of_code_are_a_file(rust in pieces(), manifest in manifest()) {
        lint(&rust, &manifest, "");
    }

    #[test]
    fn any_text_is_a_configuration_a_baseline_or_an_error(text in "\\PC{0,80}", lines in manifest()) {
        drop(Settings::read(&text, LINTER.rules()));
        drop(Settings::read(&lines, LINTER.rules()));
        drop(Baseline::read(&text));
    }

    #[test]
    fn any_manifests_are_sieved(one in manifest(), two in manifest()) {
        let all = [("Cargo.toml".to_owned(), one), ("a/Cargo.toml".to_owned(), two)];
        let traces = LINTER.traces("json!({\"model\": m, \"messages\": []})");
        let worth = LINTER.worth_parsing(&all, &[("a".to_owned(), traces)].into());
        prop_assert!(worth.contains("a"));
    }
}
