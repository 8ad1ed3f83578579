//! The README's examples, run against the gateway as `cargo xtask dev` starts it.

use std::process::Command;

use tollhouse_tests::{
    readme::{self, examples},
    skip::program_or_skip,
    workerd::{Options, Workerd, root},
};

const ADDRESS: &str = "http://localhost:8787";

/// The example in `language` that holds `mark`, sent to `gateway`.
fn example(gateway: &Workerd, language: &str, mark: &str) -> String {
    let text = readme::text().unwrap();
    let found = examples(&text, language).into_iter().find(|block| block.contains(mark)).unwrap();
    assert!(found.contains(ADDRESS), "{found}");
    found.replace(ADDRESS, gateway.url())
}

fn printed(program: &str, arguments: &[&str]) -> String {
    let root = root().unwrap();
    let output = Command::new(program).args(arguments).current_dir(root).output().unwrap();
    let (out, error) = (output.stdout, String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program}: {error}");
    String::from_utf8(out).unwrap()
}

#[test]
fn the_readme_s_curl_examples_work() {
    let how = "install curl";
    if program_or_skip("curl", "the_readme_s_curl_examples_work", how).is_none() {
        return;
    }
    let gateway = Workerd::start(&Options::default()).unwrap();
    let answer = printed("sh", &["-c", &example(&gateway, "sh", "\"fast\"")]);
    assert!(answer.contains("\"chat.completion\"") && answer.contains("Hello"), "{answer}");
    let broken = printed("sh", &["-c", &example(&gateway, "sh", "cut-after")]);
    assert!(broken.contains("stream_interrupted") && !broken.contains("[DONE]"), "{broken}");
}

#[test]
fn the_readme_s_python_example_works() {
    let gateway = Workerd::start(&Options::default()).unwrap();
    let said = printed(".venv/bin/python", &["-c", &example(&gateway, "python", "OpenAI(")]);
    assert!(said.contains("Hello"), "{said}");
}

#[test]
fn the_readme_s_node_example_works() {
    let gateway = Workerd::start(&Options::default()).unwrap();
    let code = example(&gateway, "js", "new OpenAI");
    let said = printed("node_modules/.bin/node", &["--input-type=module", "--eval", &code]);
    assert!(said.contains("Hello"), "{said}");
}
