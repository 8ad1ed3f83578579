//! Experiments and feedback in a real MLflow server, read back by MLflow's own client.

use std::{fs, path::PathBuf, time::Duration};

use serde_json::{Value, json};
use tollhouse_tests::{
    client::{Reply, get, post, post_with},
    keys::caller,
    mlflow::Server,
    provider::{self, Provider, chat_stream, json_reply},
    wait::eventually_within,
    workerd::{Options, Workerd, root},
};

/// Fails for those who ask for it, answers all others.
fn provider() -> Provider {
    Provider::start(|_, seen| {
        let body = seen.json();
        if body.to_string().contains("please fail") {
            return json_reply(400, &[], &provider::error("no", "invalid_request_error", "bad"));
        }
        if body["stream"] == json!(true) {
            return chat_stream(&["a ", "canary"]);
        }
        json_reply(200, &[], &provider::completion("the answer is a canary"))
    })
    .unwrap()
}

fn config(provider: &Provider, server: &Server, further: &str) -> String {
    format!(
        "version = 1\n[auth]\nmode = \"keys\"\n{}{}\
         [providers.local]\nkind = \"openai\"\nbase_url = \"{}\"\napi_key = {{ env = \"PROVIDER_KEY\" }}\n\
         [models.m]\ntargets = [{{ provider = \"local\", model = \"gpt-4o-mini\" }}]\nguards = [\"secrets\", \"prompt-injection\"]\n\
         retry = {{ max_attempts = 1 }}\n\
         [guards.secrets]\naction = \"mask\"\n[guards.prompt-injection]\n\
         [experiments.tone]\nmodel = \"m\"\nheader = \"x-user\"\n\
         [experiments.tone.variants.plain]\nshare = 0.5\n\
         [experiments.tone.variants.warm]\nshare = 0.5\nsystem = \"Be kind.\"\n\
         params = {{ temperature = 0.2 }}\nthresholds = {{ prompt-injection = 0.97 }}\n\
         [telemetry]\nflush_ms = 200\n[alerts]\nevery_seconds = 1\n\
         [mlflow]\nurl = \"{}\"\nevery_seconds = 1\n{further}",
        caller("team", ""),
        caller("other", ""),
        provider.base_url(),
        server.url(),
    )
}

fn options(config: String, persist: Option<PathBuf>) -> Options {
    let options = Options::with_config(config)
        .binding("PROVIDER_KEY", "provider-secret-canary")
        .binding("MLFLOW_TOKEN", "token-secret-canary")
        .isolates(2);
    Options { persist, ..options }
}

fn ask(gateway: &Workerd, user: usize, content: &str, more: &Value) -> Reply {
    let mut body =
        json!({"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": content}]});
    for (key, value) in more.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    let url = format!("{}/v1/chat/completions", gateway.url());
    let user = format!("user-{user}");
    post_with(&url, "team-key", &[("x-user", &user)], &body).unwrap()
}

fn say(gateway: &Workerd, key: &str, body: &Value) -> Reply {
    post(&format!("{}/v1/feedback", gateway.url()), key, body).unwrap()
}

fn variant(reply: &Reply) -> String {
    reply.header("tollhouse-variant").unwrap().to_owned()
}

/// The run of a variant, as it is now.
fn run<'r>(read: &'r Value, name: &str) -> Option<&'r Value> {
    let runs = read["tollhouse/tone"]["runs"].as_array()?;
    runs.iter().find(|run| run["name"] == name)
}

/// Reads until `holds` of the run of the variant `name`.
fn run_when(server: &Server, name: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    eventually_within(Duration::from_mins(1), what, || {
        last = server.read().unwrap();
        run(&last, name).is_some_and(&holds)
    });
    run(&last, name).unwrap().clone()
}

#[test]
fn each_variant_is_a_run_that_mlflows_own_client_reads() {
    let (provider, server) = (provider(), Server::start("runs").unwrap());
    let gateway =
        Workerd::start(&options(config(&provider, &server, "trace_share = 1.0\n"), None)).unwrap();
    let mut counts = std::collections::BTreeMap::new();
    let mut ids = Vec::new();
    for user in 0..20 {
        let reply = ask(&gateway, user, "Hello", &json!({}));
        assert_eq!(reply.status, 200, "{}", reply.text());
        *counts.entry(variant(&reply)).or_insert(0.0) += 1.0;
        ids.push((variant(&reply), reply.header("x-request-id").unwrap().to_owned()));
    }
    let failed = ask(&gateway, 0, "please fail", &json!({}));
    assert_eq!(failed.status, 400);
    *counts.get_mut(&variant(&failed)).unwrap() += 1.0;
    let streamed = ask(&gateway, 0, "Hello", &json!({"stream": true}));
    assert_eq!(streamed.status, 200);
    *counts.get_mut(&variant(&streamed)).unwrap() += 1.0;
    assert_eq!(counts.len(), 2, "twenty users get both variants");
    let warm: Vec<_> = ids.iter().filter(|(variant, _)| variant == "tone/warm").collect();
    let id = &warm[0].1;
    let said = json!({"id": id, "score": 0.25, "rating": "down", "label": "incorrect", "comment": "a comment-canary"});
    assert_eq!(say(&gateway, "team-key", &said).status, 200);
    // A second thought takes the first one's place.
    let again = say(&gateway, "team-key", &json!({"id": id, "score": 0.75, "rating": "up"}));
    assert_eq!((again.status, again.header("tollhouse-variant")), (200, Some("tone/warm")));
    let wanted = counts["tone/warm"];
    let warm = run_when(&server, "warm", "the warm run", |run| {
        run["metrics"]["requests"] == json!(wanted)
            && run["metrics"]["feedback.rating.up"] == json!(1.0)
            && run["files"]["config.json"].is_string()
    });
    let plain = run_when(&server, "plain", "the plain run", |run| {
        run["metrics"]["requests"] == json!(counts["tone/plain"])
    });
    for (run, other) in [(&warm, "0.2"), (&plain, "0.1")] {
        assert_eq!(run["params"]["temperature"], other);
        assert_eq!(run["params"]["targets"], "local/gpt-4o-mini");
        assert_eq!(run["tags"]["tollhouse.experiment"], "tone");
        assert_eq!(run["status"], "RUNNING");
        for name in [
            "latency_p50_ms",
            "latency_p95_ms",
            "latency_p99_ms",
            "cost_usd",
            "tokens",
            "cache_hits",
        ] {
            assert!(run["metrics"][name].is_number(), "{name}: {}", run["metrics"]);
        }
    }
    assert_eq!(warm["params"]["system"], "Be kind.");
    assert_eq!(warm["params"]["guard.prompt-injection.threshold"], "0.97");
    assert_eq!(plain["params"]["guard.prompt-injection.threshold"], "1%");
    let judge = warm["tags"]["guard.prompt-injection.judge"].as_str().unwrap();
    assert!(judge.ends_with("/0.970000") && judge.split('/').count() == 3, "{judge}");
    let metrics = &warm["metrics"];
    // Of equal questions by one key, a variant's first is answered by the provider.
    assert_eq!(metrics["feedback.score_mean"], 0.75, "{metrics}");
    assert!(metrics["cache_hits"].as_f64().unwrap() >= 1.0, "{metrics}");
    assert!(metrics["guard.secrets.pass"].as_f64().unwrap() >= 1.0, "{metrics}");
    let errors: f64 =
        [&warm, &plain].iter().map(|run| run["metrics"]["errors"].as_f64().unwrap()).sum();
    assert!((errors - 1.0).abs() < f64::EPSILON, "{errors}");
    let file = warm["files"]["config.json"].as_str().unwrap();
    let shown: Value = serde_json::from_str(file).unwrap();
    assert_eq!(shown["values"]["experiments"]["tone"]["model"], "m");
    assert!(!file.contains("secret-canary"), "{file}");
    let everything = server.read().unwrap().to_string();
    assert!(!everything.contains("canary"), "no text is kept");
    let page = get(&format!("{}/metrics", gateway.url()), "").unwrap().text();
    let sample = "tollhouse_feedback{model=\"m\",variant=\"tone/warm\"";
    assert!(page.contains(sample) && page.contains("tollhouse_variant_requests_total{"), "{page}");
}

#[test]
fn traces_and_what_callers_say_of_them_are_read_back() {
    let (provider, server) = (provider(), Server::start("traces").unwrap());
    let further = "trace_share = 1.0\n[feedback]\ncomments = true\n";
    let gateway = Workerd::start(&options(config(&provider, &server, further), None)).unwrap();
    let reply = ask(&gateway, 1, "the question is a canary", &json!({}));
    assert_eq!(reply.status, 200);
    let id = reply.header("x-request-id").unwrap();
    let said = json!({"id": id, "score": 0.5, "comment": "rather long"});
    assert_eq!(say(&gateway, "team-key", &said).status, 200);
    let mut trace = Value::Null;
    eventually_within(Duration::from_mins(1), "the trace with its assessment", || {
        let read = server.read().unwrap();
        let traces = read["tollhouse"]["traces"].as_array().cloned().unwrap_or_default();
        let wanted = id.replace("req_", "tr-");
        trace = traces.into_iter().find(|trace| trace["id"] == wanted.as_str()).unwrap_or_default();
        trace["assessments"].as_array().is_some_and(|all| !all.is_empty())
    });
    let spans = trace["spans"].as_array().unwrap();
    assert_eq!(spans.len(), 2, "{trace}");
    let text = trace["spans"].to_string();
    assert!(
        text.contains("chat gpt-4o-mini") && text.contains("gen_ai.usage.output_tokens"),
        "{text}"
    );
    assert!(text.contains("tollhouse.variant") && !text.contains("canary"), "{text}");
    let said = &trace["assessments"][0];
    assert_eq!((&said["name"], &said["value"]), (&json!("score"), &json!(0.5)));
    assert_eq!((&said["source"], &said["rationale"]), (&json!("team"), &json!("rather long")));
}

#[test]
fn feedback_is_taken_from_the_key_that_got_the_answer_alone() {
    let (provider, server) = (provider(), Server::start("owners").unwrap());
    let gateway = Workerd::start(&options(config(&provider, &server, ""), None)).unwrap();
    let reply = ask(&gateway, 1, "Hello", &json!({}));
    let id = reply.header("x-request-id").unwrap();
    let stranger = say(&gateway, "other-key", &json!({"id": id, "score": 1}));
    assert_eq!((stranger.status, stranger.code().as_str()), (404, "answer_not_found"));
    assert_eq!(say(&gateway, "", &json!({"id": id, "score": 1})).code(), "missing_api_key");
    let bad = say(&gateway, "team-key", &json!({"id": id, "score": 1.5}));
    assert_eq!((bad.status, bad.code().as_str()), (400, "invalid_value"));
    assert_eq!(say(&gateway, "team-key", &json!({"id": id, "score": 1})).status, 200);
}

#[test]
fn a_tracking_server_that_is_away_and_a_restart_lose_nothing() {
    let provider = provider();
    let mut server = Server::start("away").unwrap();
    server.stop();
    let folder =
        root().unwrap().join(format!("target/scratch/mlflow-persist-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let text = config(&provider, &server, "trace_share = 1.0\n");
    let mut counts = std::collections::BTreeMap::new();
    let mut traces = std::collections::BTreeSet::new();
    for round in 0..2 {
        let gateway = Workerd::start(&options(text.clone(), Some(folder.clone()))).unwrap();
        for user in 0..15 {
            let began = std::time::Instant::now();
            let reply = ask(&gateway, user, &format!("Hello {round}"), &json!({}));
            assert_eq!(reply.status, 200);
            assert!(began.elapsed() < Duration::from_secs(5), "never in a request's way");
            *counts.entry(variant(&reply)).or_insert(0.0) += 1.0;
            traces.insert(reply.header("x-request-id").unwrap().replace("req_", "tr-"));
        }
        // What is counted has reached the ledger when the page shows it.
        let page = || get(&format!("{}/metrics", gateway.url()), "").unwrap().text();
        let total = 15.0 * f64::from(round + 1);
        eventually_within(Duration::from_secs(30), "the counts in the ledger", || {
            let page = page();
            let lines =
                page.lines().filter(|line| line.starts_with("tollhouse_variant_requests_total{"));
            let sum: f64 =
                lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum();
            (sum - total).abs() < f64::EPSILON
        });
        // Spans are handed over with the counts or just after them.
        std::thread::sleep(Duration::from_secs(2));
    }
    server.start_again().unwrap();
    let gateway = Workerd::start(&options(text, Some(folder.clone()))).unwrap();
    // The alarm is set anew where the platform of the tests has forgotten it.
    assert_eq!(get(&format!("{}/metrics", gateway.url()), "").unwrap().status, 200);
    let (read, mut found) = (|| server.read().unwrap(), Value::Null);
    eventually_within(Duration::from_secs(90), "every count and trace", || {
        found = read();
        let told = found["tollhouse"]["traces"].as_array().map_or(0, Vec::len);
        told >= traces.len()
            && counts.iter().all(|(variant, count)| {
                let name = variant.trim_start_matches("tone/");
                run(&found, name).is_some_and(|run| run["metrics"]["requests"] == json!(*count))
            })
    });
    assert_eq!(found["tollhouse/tone"]["runs"].as_array().unwrap().len(), 2);
    let ids: std::collections::BTreeSet<_> = found["tollhouse"]["traces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|trace| trace["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, traces);
    let history = &run(&found, "warm").unwrap()["history"]["requests"];
    assert!(history.as_array().unwrap().len() >= 2, "its course in time is whole too: {history}");
    let _ = fs::remove_dir_all(folder);
}
