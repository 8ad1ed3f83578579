//! The current openai-python and openai-node against the gateway.

use std::process::Command;

use tollhouse_tests::{
    keys::caller,
    workerd::{Options, Workerd, root},
};

const MODELS: &str = r#"
[providers.mock]
kind = "mock"
scripted_by_header = true
[models.mock]
targets = [{ provider = "mock", model = "mock-1" }]
cache = { enabled = false }
[models.once]
targets = [{ provider = "mock", model = "mock-1" }]
retry = { max_attempts = 1 }
cache = { enabled = false }
[models.embed]
targets = [{ provider = "mock", model = "mock-embedding" }]
"#;

fn gateway() -> Workerd {
    let team =
        caller("team", "limits = { requests_per_minute = 10000, tokens_per_minute = 10000000 }");
    let limited = caller("limited", "limits = { requests_per_minute = 30 }");
    let config = format!("version = 1\n[auth]\nmode = \"keys\"\n{team}{limited}{MODELS}");
    Workerd::start(&Options::with_config(config)).unwrap()
}

fn run(gateway: &Workerd, program: &str, arguments: &[&str]) {
    let root = root().unwrap();
    let output = Command::new(root.join(program))
        .args(arguments)
        .current_dir(&root)
        .env("TOLLHOUSE_URL", gateway.url())
        .env("TOLLHOUSE_KEY", "team-key")
        .env("TOLLHOUSE_LIMITED_KEY", "limited-key")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{program}:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn openai_python_works() {
    run(&gateway(), ".venv/bin/python", &["tests/sdk/openai_python.py"]);
}

#[test]
fn openai_node_works() {
    run(&gateway(), "node_modules/.bin/node", &["--test", "tests/sdk/openai_node.mjs"]);
}
