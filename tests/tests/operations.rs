//! Metrics that Prometheus takes, one log line a request, and secrets nowhere.

use std::{
    fs,
    io::Write,
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tollhouse_tests::{
    client::{Reply, get, post, post_with},
    keys::caller,
    provider::{Provider, completion, error, json_reply},
    skip::program_or_skip,
    wait::eventually,
    workerd::{Options, Workerd, root},
};

const HOW: &str = "install Debian's package `prometheus`";

fn gateway(provider: &Provider, isolates: usize) -> Workerd {
    let config = format!(
        "version = 1\n[auth]\nmode = \"keys\"\n{}{}\
         [providers.local]\nkind = \"openai\"\nbase_url = \"{}\"\napi_key = {{ env = \"PROVIDER_KEY\" }}\n\
         [models.m]\ntargets = [{{ provider = \"local\", model = \"gpt-4o-mini\", price = {{ input = 1.0, output = 2.0 }} }}]\n\
         [models.unpriced]\ntargets = [{{ provider = \"local\", model = \"nobody-knows\" }}]\n\
         [telemetry]\nflush_ms = 200\n",
        caller("team", "limits = { requests_per_minute = 1000 }"),
        caller("scarce", "limits = { requests_per_minute = 1 }"),
        provider.base_url()
    );
    let options =
        Options::with_config(config).binding("PROVIDER_KEY", "sk-canary-provider-0123456789");
    Workerd::start(&options.isolates(isolates)).unwrap()
}

fn chat(url: &str, key: &str, content: &str, model: &str) -> Reply {
    let body = json!({"model": model, "messages": [{"role": "user", "content": content}]});
    post(&format!("{url}/v1/chat/completions"), key, &body).unwrap()
}

fn metrics(gateway: &Workerd) -> String {
    let reply = get(&format!("{}/metrics", gateway.url()), "").unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.header("content-type").is_some_and(|kind| kind.starts_with("text/plain")));
    reply.text()
}

/// The sum of every sample of `family` whose labels hold all of `labels`.
fn sum(text: &str, family: &str, labels: &[&str]) -> f64 {
    text.lines()
        .filter(|line| line.strip_prefix(family).is_some_and(|rest| rest.starts_with(['{', ' '])))
        .filter(|line| labels.iter().all(|label| line.contains(label)))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

#[test]
fn requests_tokens_and_cost_add_up_over_isolates() {
    let provider = Provider::playing(vec![json_reply(200, &[], &completion("fine"))]).unwrap();
    let gateway = gateway(&provider, 2);
    for n in 0..6 {
        assert_eq!(
            chat(gateway.isolate(n % 2), "team-key", &format!("question {n}"), "m").status,
            200
        );
    }
    chat(gateway.url(), "team-key", "question 0", "m");
    chat(gateway.url(), "team-key", "another", "unpriced");
    chat(gateway.url(), "scarce-key", "first", "m");
    assert_eq!(chat(gateway.url(), "scarce-key", "second", "m").status, 429);
    eventually("the sum of requests", || {
        sum(&metrics(&gateway), "tollhouse_requests_total", &[]) >= 10.0
    });
    let text = metrics(&gateway);
    // Eight calls of 10 prompt and 5 completion tokens; the hit cost none.
    assert!((sum(&text, "tollhouse_tokens_total", &[]) - 8.0 * 15.0).abs() < 0.5, "{text}");
    // Seven priced ones: 10 × 1 + 5 × 2 micro-dollars each.
    assert!((sum(&text, "tollhouse_cost_usd_total", &[]) - 7.0 * 20e-6).abs() < 1e-9, "{text}");
    assert!(sum(&text, "tollhouse_cache_results_total", &["hit"]) >= 1.0, "{text}");
    assert!(sum(&text, "gen_ai_client_operation_duration_seconds_count", &[]) >= 7.0, "{text}");
    assert!(text.contains("rate_limit_exceeded"), "{text}");
}

#[test]
fn promtool_accepts_the_metrics() {
    let Some(promtool) = program_or_skip("promtool", "promtool_accepts_the_metrics", HOW) else {
        return;
    };
    let provider = Provider::playing(vec![json_reply(200, &[], &completion("fine"))]).unwrap();
    let gateway = gateway(&provider, 1);
    chat(gateway.url(), "team-key", "question", "m");
    eventually("a request in the metrics", || {
        sum(&metrics(&gateway), "tollhouse_requests_total", &[]) >= 1.0
    });
    let mut child = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(metrics(&gateway).as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_real_prometheus_scrapes_it() {
    let Some(prometheus) = program_or_skip("prometheus", "a_real_prometheus_scrapes_it", HOW)
    else {
        return;
    };
    let provider = Provider::playing(vec![json_reply(200, &[], &completion("fine"))]).unwrap();
    let gateway = gateway(&provider, 1);
    chat(gateway.url(), "team-key", "question", "m");
    let folder = root().unwrap().join(format!("target/scratch/prometheus-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let target = gateway.url().trim_start_matches("http://");
    let config = format!(
        "global: {{ scrape_interval: 1s }}\nscrape_configs:\n- job_name: tollhouse\n  static_configs: [{{ targets: ['{target}'] }}]\n"
    );
    fs::write(folder.join("prometheus.yml"), config).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let _running = Running(
        Command::new(prometheus)
            .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let query = format!("http://127.0.0.1:{port}/api/v1/query?query=sum(tollhouse_requests_total)");
    eventually("the sum in Prometheus", || {
        let Ok(reply) = get(&query, "") else { return false };
        reply.json()["data"]["result"][0]["value"][1].as_str().is_some_and(|value| value != "0")
    });
}

#[test]
fn each_request_leaves_one_line_that_says_what_happened() {
    let provider = Provider::playing(vec![json_reply(200, &[], &completion("fine"))]).unwrap();
    let gateway = gateway(&provider, 1);
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let url = format!("{}/v1/chat/completions", gateway.url());
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "Hello"}]});
    let reply = post_with(&url, "team-key", &[("traceparent", trace)], &body).unwrap();
    let id = reply.header("x-request-id").unwrap();
    eventually("the log line", || gateway.log().contains(id));
    let log = gateway.log();
    let lines: Vec<Value> = log
        .lines()
        .filter(|line| line.contains(id))
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    assert_eq!(lines.len(), 1, "{log}");
    let line = lines[0].to_string();
    for expected in ["4bf92f3577b34da6a3ce929d0e0e4736", "team", "gpt-4o-mini", "miss"] {
        assert!(line.contains(expected), "{expected}: {line}");
    }
}

#[test]
fn secrets_sent_in_every_field_are_found_nowhere() {
    let provider = Provider::start(|index, seen| {
        let echo = String::from_utf8_lossy(&seen.body).into_owned();
        match index % 3 {
            0 => json_reply(200, &[], &completion(&echo)),
            1 => json_reply(500, &[], &error(&echo, "server_error", "boom")),
            _ => json_reply(400, &[], &error(&echo, "invalid_request_error", "bad")),
        }
    })
    .unwrap();
    let gateway = gateway(&provider, 1);
    let url = format!("{}/v1/chat/completions", gateway.url());
    let fields = [
        "model",
        "user",
        "stop",
        "seed",
        "metadata",
        "tools",
        "unknown",
        "response_format",
        "messages",
    ];
    for (n, field) in fields.iter().enumerate() {
        let mut body = json!({"model": "m", "messages": [{"role": "user", "content": format!("canary-content-{n}")}]});
        body[*field] = if *field == "messages" {
            json!([{"role": "user", "name": "canary-name", "content": "sk-canary-0123456789abcdef"}])
        } else {
            json!("sk-canary-0123456789abcdef")
        };
        let headers = [
            ("x-canary", "sk-canary-0123456789abcdef"),
            ("user-agent", "sk-canary-0123456789abcdef"),
            ("idempotency-key", "sk-canary-0123456789abcdef"),
            ("x-request-id", "sk-canary-0123456789abcdef"),
            ("traceparent", "sk-canary-0123456789abcdef"),
            ("tollhouse-cache-ttl", "sk-canary-0123456789abcdef"),
        ];
        post_with(&url, "team-key", &headers, &body).unwrap();
        post_with(&url, "sk-canary-wrong-key-0123456789", &headers, &body).unwrap();
    }
    chat(gateway.url(), "team-key", "the last one", "m");
    eventually("the metrics", || sum(&metrics(&gateway), "tollhouse_requests_total", &[]) >= 10.0);
    let ready = get(&format!("{}/health/ready", gateway.url()), "").unwrap().text();
    for (place, text) in [("log", gateway.log()), ("metrics", metrics(&gateway)), ("health", ready)]
    {
        assert!(!text.contains("canary"), "{place}: {text}");
    }
    // Cached replies hold what the provider said, under names that tell nothing.
    let kept = gateway.dump("CACHE").unwrap();
    for (name, value) in kept.as_object().unwrap() {
        assert!(!name.contains("canary"));
        let bytes = BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap();
        assert!(
            !String::from_utf8_lossy(&bytes).contains("canary-provider"),
            "the provider's key is in {name}"
        );
    }
}
