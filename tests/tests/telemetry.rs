//! Metrics and traces reach an OTLP receiver, and what is in `observability/` names what there is.

use std::{collections::BTreeSet, fs, process::Command};

use serde_json::{Value, json};
use tollhouse_core::metrics::{Family, Kind};
use tollhouse_tests::{
    client::{get, post_with},
    keys::caller,
    provider::{self, Provider, json_reply},
    skip::program_or_skip,
    wait::eventually,
    workerd::{Options, Workerd, root},
};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn gateway(provider: &Provider, collector: &Provider, share: &str) -> Workerd {
    Workerd::start(&gateway_options(provider, collector, share)).unwrap()
}

fn gateway_options(provider: &Provider, collector: &Provider, share: &str) -> Options {
    let config = format!(
        "version = 1\n[auth]\nmode = \"keys\"\n{}\
         [providers.local]\nkind = \"openai\"\nbase_url = \"{}\"\n\
         [models.m]\ntargets = [{{ provider = \"local\", model = \"gpt-4o-mini\" }}]\ncache = {{ enabled = false }}\n\
         retry = {{ max_attempts = 2, base_delay_ms = 1, max_delay_ms = 1, budget = 1.0 }}\n\
         [telemetry]\nflush_ms = 200\n\
         [telemetry.otlp]\nendpoint = \"{}/otlp/\"\nmetrics_seconds = 1\ntrace_share = {share}\n\
         headers = {{ x-scope = \"tests\" }}\nsecret_headers = {{ x-token = {{ env = \"OTLP_TOKEN\" }} }}\n\
         [alerts]\nevery_seconds = 1\n",
        caller("team", ""),
        provider.base_url(),
        collector.origin(),
    );
    Options::with_config(config).binding("OTLP_TOKEN", "token-canary")
}

fn ask(gateway: &Workerd, content: &str) -> u16 {
    let body =
        json!({"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": content}]});
    let url = format!("{}/v1/chat/completions", gateway.url());
    post_with(&url, "team-key", &[("traceparent", PARENT)], &body).unwrap().status
}

fn bodies(collector: &Provider, path: &str) -> Vec<Value> {
    collector.seen().iter().filter(|seen| seen.path == path).map(provider::Seen::json).collect()
}

/// Fails once, then answers.
fn flapping() -> Provider {
    Provider::playing(vec![
        json_reply(503, &[], &provider::error("busy", "server_error", "overloaded")),
        json_reply(200, &[], &provider::completion("the answer is a canary")),
    ])
    .unwrap()
}

#[test]
fn a_retried_request_is_one_trace_of_three_spans_with_no_content() {
    let provider = flapping();
    // It refuses the first batch, and is sent it again.
    let collector = Provider::start(|index, seen| {
        let status = if index == 0 && seen.path.ends_with("/traces") { 503 } else { 200 };
        json_reply(status, &[], &json!({}))
    })
    .unwrap();
    let gateway = gateway(&provider, &collector, "0.000001");
    assert_eq!(ask(&gateway, "the question is a canary"), 200);
    let traces = || bodies(&collector, "/otlp/v1/traces");
    eventually("a trace", || !traces().is_empty());
    let trace = traces().pop().unwrap();
    let spans = trace["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone();
    assert_eq!(spans.len(), 3, "{trace}");
    assert_eq!(spans[0]["parentSpanId"], "b7ad6b7169203331");
    for span in &spans {
        assert_eq!(span["traceId"], "0af7651916cd43dd8448eb211c80319c");
        let nanos = |key: &str| span[key].as_str().unwrap().parse::<u64>().unwrap();
        assert!(nanos("startTimeUnixNano") <= nanos("endTimeUnixNano"));
    }
    assert_eq!(spans[1]["status"]["code"], 2);
    assert!(spans[2]["attributes"].to_string().contains("gen_ai.usage.output_tokens"), "{trace}");
    assert!(!trace.to_string().contains("canary"), "{trace}");
    let seen = collector.seen();
    let sent = seen.iter().find(|seen| seen.path.ends_with("/traces")).unwrap();
    assert_eq!(
        (sent.header("x-scope"), sent.header("x-token")),
        (Some("tests"), Some("token-canary"))
    );
}

#[test]
fn metrics_are_sent_with_the_same_sums_as_the_page() {
    let (provider, collector) = (flapping(), flapping());
    let gateway = gateway(&provider, &collector, "0.0");
    for n in 0..5 {
        assert_eq!(ask(&gateway, &format!("question {n}")), 200);
    }
    let requests = || -> u64 {
        let Some(sent) = bodies(&collector, "/otlp/v1/metrics").pop() else { return 0 };
        let all =
            sent["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].as_array().unwrap().clone();
        let Some(family) = all.iter().find(|metric| metric["name"] == "tollhouse.requests") else {
            return 0;
        };
        let points = family["sum"]["dataPoints"].as_array().unwrap().clone();
        points.iter().map(|point| point["asInt"].as_str().unwrap().parse::<u64>().unwrap()).sum()
    };
    eventually("five requests", || requests() == 5);
    assert!(bodies(&collector, "/otlp/v1/traces").is_empty(), "traces are off");
}

/// A receiver made of OpenTelemetry's own protobuf definitions takes what is sent.
#[test]
fn opentelemetrys_own_definitions_read_what_is_sent() {
    let python = root().unwrap().join(".venv/bin/python");
    let provider = flapping();
    let collector = Provider::playing(vec![json_reply(200, &[], &json!({}))]).unwrap();
    let gateway = gateway(&provider, &collector, "1.0");
    assert_eq!(ask(&gateway, "Hello"), 200);
    eventually("both signals", || {
        !bodies(&collector, "/otlp/v1/traces").is_empty()
            && !bodies(&collector, "/otlp/v1/metrics").is_empty()
    });
    let folder = root().unwrap().join(format!("target/scratch/otlp-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for signal in ["traces", "metrics"] {
        let body = bodies(&collector, &format!("/otlp/v1/{signal}")).pop().unwrap();
        fs::write(folder.join(format!("{signal}.json")), body.to_string()).unwrap();
    }
    let output = Command::new(python)
        .arg(root().unwrap().join("tests/harness/read_otlp.py"))
        .arg(&folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("3 spans") && said.contains("tollhouse.requests"), "{said}");
}

#[test]
fn a_dataset_of_analytics_engine_gets_each_booking_once_where_it_is_bound() {
    let (provider, collector) = (flapping(), flapping());
    let options = gateway_options(&provider, &collector, "0.0");
    let gateway = Workerd::start(&Options { dataset: true, ..options }).unwrap();
    for n in 0..4 {
        assert_eq!(ask(&gateway, &format!("question {n}")), 200);
    }
    let points = || -> Vec<Value> {
        let log = gateway.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.map(|line| line["point"].clone()).filter(Value::is_object).collect()
    };
    let sum = |place: usize| -> f64 {
        points().iter().map(|point| point["doubles"][place].as_f64().unwrap()).sum()
    };
    eventually("four requests", || (sum(0) - 4.0).abs() < f64::EPSILON);
    // Ten prompt tokens and five completion tokens each.
    assert!((sum(3) - 40.0).abs() < f64::EPSILON && (sum(4) - 20.0).abs() < f64::EPSILON);
    for point in points() {
        assert_eq!(point["indexes"], json!(["team"]));
        let blobs = point["blobs"].as_array().unwrap();
        assert_eq!(blobs[..3], [json!("team"), json!("m"), json!("local/gpt-4o-mini")]);
    }
}

/// Every metric name in a text of expressions.
fn named(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(|c| !is_part(c))
        .filter(|word| word.starts_with("tollhouse_") || word.starts_with("gen_ai_client"))
        .map(str::to_owned)
        .collect()
}

/// The samples that `/metrics` can have.
fn samples() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for facts in Family::ALL.map(Family::facts) {
        match facts.kind {
            Kind::Counter | Kind::Gauge => drop(all.insert(facts.name.to_owned())),
            Kind::Histogram(_) => {
                all.extend(["bucket", "sum", "count"].map(|end| format!("{}_{end}", facts.name)));
            }
        }
    }
    all
}

fn read(name: &str) -> String {
    fs::read_to_string(root().unwrap().join("observability").join(name)).unwrap()
}

#[test]
fn dashboard_and_rules_name_metrics_that_there_are() {
    let known = samples();
    for file in ["dashboard.json", "alerts.yml", "alerts.test.yml"] {
        let unknown: Vec<_> = named(&read(file)).difference(&known).cloned().collect();
        assert!(unknown.is_empty(), "{file} names {unknown:?}");
    }
}

#[test]
fn the_dashboard_is_one_that_grafana_can_import() {
    let dashboard: Value = serde_json::from_str(&read("dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(panels.len() >= 10, "{}", panels.len());
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "each panel has an id of its own");
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        assert!(panel["gridPos"]["w"].as_u64().is_some_and(|width| width <= 24), "{panel}");
        assert!(!panel["targets"].as_array().unwrap().is_empty(), "{panel}");
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{panel}");
    }
}

#[test]
fn promtool_accepts_the_rules_and_they_fire_as_they_say() {
    let how = "install Debian's package `prometheus`";
    let Some(promtool) = program_or_skip("promtool", "promtool_accepts_the_rules", how) else {
        return;
    };
    let folder = root().unwrap().join("observability");
    for arguments in [["check", "rules", "alerts.yml"], ["test", "rules", "alerts.test.yml"]] {
        let output = Command::new(&promtool).args(arguments).current_dir(&folder).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
    }
}

#[test]
fn the_page_has_the_metrics_that_the_dashboard_shows_of_everyday_traffic() {
    let provider = flapping();
    let collector = Provider::playing(vec![json_reply(200, &[], &json!({}))]).unwrap();
    let gateway = gateway(&provider, &collector, "0.0");
    assert_eq!(ask(&gateway, "Hello"), 200);
    let page = || get(&format!("{}/metrics", gateway.url()), "").unwrap().text();
    eventually("the request", || page().contains("tollhouse_requests_total{"));
    let text = page();
    for sample in [
        "tollhouse_request_duration_seconds_bucket",
        "tollhouse_tokens_total",
        "tollhouse_cost_usd_total",
        "tollhouse_retries_total",
        "tollhouse_overhead_seconds_bucket",
    ] {
        assert!(text.contains(sample), "{sample} is missing");
    }
}
