//! Every metric that the dashboard and the alert rules name comes out of a gateway that lives through
//! what they show, and a real Prometheus has an answer to each of their expressions.

use std::{
    collections::BTreeSet,
    fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tollhouse_tests::{
    client::{get, post},
    keys::caller,
    provider::{self, Provider, Seen, Step, chat_stream, completion, json_reply, reply},
    skip::program_or_skip,
    wait::{eventually, eventually_within},
    workerd::{Options, Workerd, root},
};

/// Answers, streams, and fails those who ask for it.
fn answers(_: usize, seen: &Seen) -> Vec<Step> {
    let body = seen.json();
    if body.to_string().contains("please fail") {
        return json_reply(503, &[], &provider::error("busy", "server_error", "overloaded"));
    }
    if body["stream"] == json!(true) {
        return chat_stream(&["a", "stream"]);
    }
    json_reply(200, &[], &completion("fine"))
}

/// A replica that is ready, tells how many wait, and is loading when it is called first.
fn replica() -> Provider {
    let calls = std::sync::atomic::AtomicUsize::new(0);
    Provider::start(move |_, seen| match seen.path.as_str() {
        "/health" => json_reply(200, &[], &json!({})),
        "/metrics" => {
            reply(200, "text/plain", &[], b"vllm:num_requests_waiting{model_name=\"x\"} 3\n")
        }
        _ if calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 => {
            json_reply(503, &[], &json!({ "error": { "message": "loading" } }))
        }
        _ => json_reply(200, &[], &completion("fine")),
    })
    .unwrap()
}

fn config(provider: &Provider, replica: &Provider) -> String {
    format!(
        "version = 1\n[auth]\nmode = \"keys\"\n{}{}\
         [providers.local]\nkind = \"openai\"\nbase_url = \"{}\"\n\
         [providers.gone]\nkind = \"openai\"\nbase_url = \"http://127.0.0.1:9/v1\"\n\
         [providers.gpu]\nkind = \"openai\"\nplacement = \"gpu\"\nbase_urls = [\"{}\"]\n\
         pool = {{ probe_every_ms = 1000, metrics = \"/metrics\", patience_ms = 20000 }}\n\
         [models.m]\ntargets = [{{ provider = \"local\", model = \"dear\", price = {{ input = 100.0, output = 200.0 }} }}]\n\
         guards = [\"secrets\"]\nretry = {{ max_attempts = 2, base_delay_ms = 1, max_delay_ms = 1, budget = 1.0 }}\n\
         [models.unpriced]\ntargets = [{{ provider = \"local\", model = \"nobody-knows\" }}]\n\
         [models.pool]\ntargets = [{{ provider = \"gpu\", model = \"x\" }}]\ncache = {{ enabled = false }}\n\
         [models.twice]\ntargets = [{{ provider = \"gone\", model = \"x\" }}, {{ provider = \"local\", model = \"dear\" }}]\n\
         cache = {{ enabled = false }}\nretry = {{ base_delay_ms = 1, max_delay_ms = 1, budget = 1.0 }}\n\
         [guards.secrets]\naction = \"mask\"\n[breaker]\nfailures = 5\nopen_ms = 600000\n\
         [telemetry]\nflush_ms = 200\n[alerts]\nevery_seconds = 1\n",
        caller("team", "limits = { requests_per_minute = 10000 }"),
        caller("poor", "budget = { usd = 0.004, per = \"month\" }"),
        provider.base_url(),
        replica.base_url(),
    )
}

fn ask(gateway: &Workerd, key: &str, model: &str, content: &str, more: &Value) -> u16 {
    let mut body = json!({"model": model, "max_tokens": 10, "messages": [{"role": "user", "content": content}]});
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    post(&format!("{}/v1/chat/completions", gateway.url()), key, &body).unwrap().status
}

/// One round of everything that the dashboard shows.
fn live(gateway: &Workerd, round: usize) {
    let plain = json!({});
    let team = |model: &str, content: &str, more: &Value| {
        ask(gateway, "team-key", model, &format!("{content} {round}"), more)
    };
    assert_eq!(team("m", "Hello", &plain), 200);
    assert_eq!(team("m", "Hello", &plain), 200, "from the cache");
    assert_eq!(team("m", "a stream", &json!({"stream": true})), 200);
    assert_eq!(team("m", "my key is sk-proj-Ab3dEf6hIj9kLm2nOp5q", &plain), 200);
    assert_eq!(team("unpriced", "Hello", &plain), 200);
    assert_eq!(team("pool", "Hello", &plain), 200);
    assert_eq!(team("twice", "Hello", &plain), 200);
    // Two failures and a success, so that the target is not rested.
    assert_eq!(team("m", "please fail", &plain), 502);
    assert_eq!(team("m", "and be well", &plain), 200);
    let poor = ask(gateway, "poor-key", "m", &format!("poor {round}"), &plain);
    assert!(matches!(poor, 200 | 429), "{poor}");
}

/// The expressions of the dashboard, its variables filled in.
fn expressions() -> Vec<String> {
    let folder = root().unwrap().join("observability");
    let dashboard: Value =
        serde_json::from_str(&fs::read_to_string(folder.join("dashboard.json")).unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    targets
        .map(|target| {
            let written = target["expr"].as_str().unwrap();
            written.replace("$__rate_interval", "1m").replace("$model", ".*")
        })
        .collect()
}

/// Every metric name in a text of expressions.
fn named(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(|c| !is_part(c))
        .filter(|word| word.starts_with("tollhouse_") || word.starts_with("gen_ai_client"))
        .map(str::to_owned)
        .collect()
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A Prometheus that scrapes the gateway each second, and its address.
fn prometheus(program: &std::path::Path, gateway: &Workerd) -> (Running, String) {
    let folder = root().unwrap().join(format!("target/scratch/dashboard-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let target = gateway.url().trim_start_matches("http://");
    let rules = root().unwrap().join("observability/alerts.yml");
    let config = format!(
        "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: ['{}']\nscrape_configs:\n\
         - job_name: tollhouse\n  static_configs: [{{ targets: ['{target}'] }}]\n",
        rules.display()
    );
    fs::write(folder.join("prometheus.yml"), config).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let child = Command::new(program)
        .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    (Running(child), format!("http://127.0.0.1:{port}"))
}

/// What Prometheus answers: how many series, or what it finds wrong.
fn series(url: &str, expression: &str) -> Result<usize, String> {
    let escaped =
        expression.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
    let Ok(reply) = get(&format!("{url}/api/v1/query?query={escaped}"), "") else {
        return Ok(0);
    };
    let found = reply.json();
    if found["status"] == "error" {
        return Err(found["error"].to_string());
    }
    Ok(found["data"]["result"].as_array().map_or(0, Vec::len))
}

#[test]
fn a_gateway_in_use_answers_every_expression_of_the_dashboard() {
    let (provider, replica) = (Provider::start(answers).unwrap(), replica());
    let text = config(&provider, &replica);
    let options = Options { stored_config: Some(text.clone()), ..Options::default() };
    let gateway = Workerd::start(&options).unwrap();
    live(&gateway, 0);
    // Refused, and the last good one goes on.
    gateway.put("CONFIG", "tollhouse.toml", "version = 1\n[modelz]\n").unwrap();

    let folder = root().unwrap().join("observability");
    let rules = fs::read_to_string(folder.join("alerts.yml")).unwrap();
    let mut wanted = named(&rules);
    wanted.extend(expressions().iter().flat_map(|expression| named(expression)));
    let page = || get(&format!("{}/metrics", gateway.url()), "").unwrap().text();
    let mut round = 0;
    eventually_within(Duration::from_secs(90), "a refused configuration in the metrics", || {
        round += 1;
        live(&gateway, round);
        page().contains("tollhouse_config_loads_total{result=\"rejected\"}")
    });
    eventually("every metric of the dashboard and the rules", || {
        let there = named(&page());
        let absent: Vec<_> = wanted.difference(&there).collect();
        eprintln!("not there yet: {absent:?}");
        absent.is_empty()
    });

    let how = "install Debian's package `prometheus`";
    let Some(program) = program_or_skip("prometheus", "a_gateway_in_use_answers", how) else {
        return;
    };
    let (_running, url) = prometheus(&program, &gateway);
    eventually("a first scrape", || series(&url, "tollhouse_isolates") == Ok(1));
    for expression in expressions() {
        eventually(&expression, || {
            round += 1;
            live(&gateway, round);
            series(&url, &expression).unwrap() > 0
        });
    }
    let firing =
        "ALERTS{alertname=~\"TollhouseConfigRejected|TollhouseUnpriced|TollhouseBudgetSpent\"}";
    eventually("rules that find what was done", || series(&url, firing).unwrap() >= 3);
}
