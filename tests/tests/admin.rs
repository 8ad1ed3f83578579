//! The operators' page and what it asks: who gets in, what is told, and that it works in a browser.

use std::process::Command;

use serde_json::{Value, json};
use tollhouse_tests::{
    client::{Reply, get, post_with},
    keys::caller,
    skip::program_or_skip,
    workerd::{Options, Workerd, root},
};

const ADMIN_KEY: &str = "admin-key-0123456789";
const PROVIDER_KEY: &str = "sk-canary-provider-0123456789";

fn options() -> Options {
    let config = format!(
        "version = 1\n[auth]\nmode = \"keys\"\n{}\
         [providers.mock]\nkind = \"mock\"\nlatency_ms = 5\nscripted_by_header = true\n\
         [providers.gpu]\nkind = \"openai\"\nbase_url = \"http://127.0.0.1:9/v1\"\nplacement = \"gpu\"\n\
         api_key = {{ env = \"PROVIDER_KEY\" }}\n\
         [models.fast]\nguards = [\"prompt-injection\", \"pii\"]\n\
         targets = [{{ provider = \"mock\", model = \"gpt-4o-mini\" }}]\n\
         [models.large]\ntargets = [{{ provider = \"gpu\", model = \"llama\" }}]\nfallback = \"fast\"\n\
         [guards.prompt-injection]\n[guards.pii]\naction = \"block\"\n\
         [telemetry]\nflush_ms = 200\n",
        caller(
            "team",
            "budget = { usd = 5.0, per = \"day\" }\nlimits = { requests_per_minute = 600 }"
        )
    );
    Options { page: true, ..Options::with_config(config) }
        .binding("TOLLHOUSE_ADMIN_KEY", ADMIN_KEY)
        .binding("PROVIDER_KEY", PROVIDER_KEY)
}

fn ask(gateway: &Workerd, path: &str, key: &str) -> Reply {
    get(&format!("{}{path}", gateway.url()), key).unwrap()
}

fn chat(gateway: &Workerd, headers: &[(&str, &str)]) -> Reply {
    let body = json!({"model": "fast", "messages": [{"role": "user", "content": "Hello"}]});
    let url = format!("{}/v1/chat/completions", gateway.url());
    post_with(&url, "team-key", headers, &body).unwrap()
}

#[test]
fn without_its_secret_there_is_no_administration() {
    let mut options = options();
    options.bindings.remove("TOLLHOUSE_ADMIN_KEY");
    let gateway = Workerd::start(&options).unwrap();
    for path in ["/admin", "/admin/app.js", "/admin/status", "/admin/errors", "/admin/config"] {
        let reply = ask(&gateway, path, ADMIN_KEY);
        assert_eq!((reply.status, reply.code().as_str()), (404, "not_found"), "{path}");
    }
}

#[test]
fn only_the_admin_key_opens_it_and_guessing_is_slowed() {
    let gateway = Workerd::start(&options()).unwrap();
    for path in ["/admin/status", "/admin/errors", "/admin/config", "/admin/usage", "/admin/trace"]
    {
        assert_eq!(ask(&gateway, path, "").code(), "missing_api_key", "{path}");
    }
    assert_eq!(ask(&gateway, "/admin/status", "team-key").code(), "invalid_api_key");
    assert_eq!(chat(&gateway, &[("tollhouse-admin-key", "team-key")]).code(), "invalid_api_key");
    let codes: Vec<_> =
        (0..12).map(|n| ask(&gateway, "/admin/status", &format!("guess-{n}")).code()).collect();
    assert_eq!(codes.first().map(String::as_str), Some("invalid_api_key"));
    assert_eq!(codes.last().map(String::as_str), Some("rate_limit_exceeded"));
    let waiting = ask(&gateway, "/admin/status", ADMIN_KEY);
    assert_eq!(waiting.status, 429, "the right key may be a guess too");
    assert!(waiting.header("retry-after").is_some());
}

#[test]
fn the_page_may_run_its_own_scripts_and_ask_its_own_host() {
    let gateway = Workerd::start(&options()).unwrap();
    for (path, kind) in [
        ("/admin", "text/html"),
        ("/admin/", "text/html"),
        ("/admin/app.css", "text/css"),
        ("/admin/app.js", "text/javascript"),
        ("/admin/icon.svg", "image/svg+xml"),
    ] {
        let reply = ask(&gateway, path, "");
        assert_eq!(reply.status, 200, "{path}");
        assert!(reply.header("content-type").is_some_and(|found| found.starts_with(kind)));
        let policy = reply.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.header("set-cookie"), None);
    }
    assert_eq!(ask(&gateway, "/admin/../wrangler.toml", "").status, 404);
}

#[test]
fn a_traced_request_can_be_looked_at_and_others_cannot() {
    let gateway = Workerd::start(&options()).unwrap();
    let id = |reply: &Reply| reply.header("x-request-id").unwrap_or_default().to_owned();
    let traced = chat(&gateway, &[("tollhouse-admin-key", ADMIN_KEY)]);
    let plain = chat(&gateway, &[]);
    assert_eq!((traced.status, plain.status), (200, 200));
    let trace = |id: &str| {
        let reply = ask(&gateway, &format!("/admin/trace?id={id}"), ADMIN_KEY);
        reply.json()["trace"].clone()
    };
    tollhouse_tests::wait::eventually("the trace", || trace(&id(&traced)).is_object());
    let line = trace(&id(&traced));
    assert_eq!((&line["stage"], &line["key"]), (&json!("provider"), &json!("team")));
    assert!(!line.to_string().contains("Hello"), "content in a trace: {line}");
    assert_eq!(trace(&id(&plain)), Value::Null);
    let wrong = ask(&gateway, "/admin/trace?id=x", ADMIN_KEY);
    assert_eq!((wrong.status, wrong.code().as_str()), (400, "invalid_value"));
    let wrong = ask(&gateway, "/admin/status?window=9h", ADMIN_KEY);
    assert_eq!((wrong.status, wrong.code().as_str()), (400, "invalid_value"));
}

#[test]
fn the_page_works_in_a_browser() {
    let how = "install Debian's package `chromium`";
    let Some(chromium) = program_or_skip("chromium", "the_page_works_in_a_browser", how) else {
        return;
    };
    let gateway = Workerd::start(&options()).unwrap();
    let root = root().unwrap();
    let output = Command::new(root.join("node_modules/.bin/node"))
        .args(["--test", "--test-concurrency=1", "tests/browser/admin.mjs"])
        .current_dir(&root)
        .env("TOLLHOUSE_URL", gateway.url())
        .env("TOLLHOUSE_CHROMIUM", chromium)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
