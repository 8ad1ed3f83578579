//! Every fault of fixtures/faults, met through openai-python: what the caller sees, what the provider
//! saw, and that the next call is well.

use std::{
    collections::BTreeMap,
    io::Write,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tollhouse_tests::{
    faults::{Case, Fault, Report, Told, WELL},
    provider::Seen,
    workerd::{Options, Workerd, root},
};

const PROVIDER_KEY: &str = "sk-provider-0123456789abcdefghij";

/// Short enough for a suite of seconds, long enough for a busy machine.
const DEFAULTS: &str = r#"
version = 1
[auth]
mode = "open"
[breaker]
failures = 10
[defaults]
retry = { max_attempts = 3, base_delay_ms = 20, max_delay_ms = 100, budget = 1.0 }
timeout = { connect_ms = 2000, first_token_ms = 2000, idle_ms = 2000, reply_ms = 2000, total_ms = 15000 }
cache = { enabled = false }
"#;

#[test]
fn every_fault_is_met_as_its_file_says() {
    let mut cases = Vec::new();
    for (name, fault) in Fault::all().unwrap() {
        for (delivery, expected) in fault.deliveries() {
            cases.push(Case::start(&name, &fault, delivery, expected).unwrap());
        }
    }
    let options = Options::with_config(config(&cases)).binding("PROVIDER_KEY", PROVIDER_KEY);
    let gateway = Workerd::start(&options).unwrap();
    let reports = ask_all(&gateway, &cases);
    let mut problems = Vec::new();
    for case in &cases {
        let found = reports.get(&case.name).map_or_else(
            || vec!["nothing was reported".to_owned()],
            |report| check(case, report, &gateway),
        );
        problems.extend(found.into_iter().map(|problem| format!("{}: {problem}", case.name)));
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
    assert!(!gateway.log().contains("0123456789abcdefghij"), "the provider's key is in the log");
}

fn config(cases: &[Case]) -> String {
    let (mut providers, mut models) = (toml::Table::new(), toml::Table::new());
    for case in cases {
        let (own, model) = case.config().unwrap();
        providers.extend(own);
        models.insert(case.name.clone(), model.into());
    }
    let mut config: toml::Table = toml::from_str(DEFAULTS).unwrap();
    config.insert("providers".into(), providers.into());
    config.insert("models".into(), models.into());
    serde_json::to_string(&config).unwrap()
}

fn ask_all(gateway: &Workerd, cases: &[Case]) -> BTreeMap<String, Report> {
    let root = root().unwrap();
    let mut python = Command::new(root.join(".venv/bin/python"))
        .arg(root.join("tests/sdk/faults.py"))
        .env("TOLLHOUSE_URL", gateway.url())
        .env("TOLLHOUSE_KEY", "any")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let orders: Vec<String> = cases.iter().map(|case| case.order().to_string()).collect();
    python.stdin.take().unwrap().write_all(orders.join("\n").as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "the SDK's driver failed");
    let text = String::from_utf8(output.stdout).unwrap();
    let reports = text.lines().map(|line| serde_json::from_str::<Report>(line).unwrap());
    reports.map(|report| (report.name.clone(), report)).collect()
}

/// What is not as expected.
fn check(case: &Case, report: &Report, gateway: &Workerd) -> Vec<String> {
    let mut problems = Problems::default();
    check_caller(case, &report.faulty, &mut problems);
    check_provider(case, &mut problems);
    check_log(case, &report.faulty, &gateway.log(), &mut problems);
    let next = &report.afterwards;
    problems.compare("the next call raises", &next.raises, &None);
    problems.compare("the next call's text", &next.text, &WELL.concat());
    problems.compare("the next call's finish", &next.finish.as_deref(), &Some("stop"));
    problems.0
}

fn check_caller(case: &Case, told: &Told, problems: &mut Problems) {
    let expected = &case.expected;
    problems.compare("the exception", &told.raises, &expected.raises);
    problems.compare("the status", &told.status, &expected.status);
    problems.compare("the code", &told.code, &expected.code);
    problems.compare("x-should-retry", &told.should_retry, &expected.should_retry);
    problems.compare("the text", &told.text, &expected.text);
    let message = told.message.as_deref().unwrap_or_default();
    let says = expected.says.as_deref().unwrap_or_default();
    if !message.contains(says) || message.contains("0123456789abcdefghij") {
        problems.0.push(format!("the message is {message:?}, not {says:?}"));
    }
    if told.request_id.as_deref().is_none_or(str::is_empty) {
        problems.0.push("there is no request id".to_owned());
    }
    if expected.raises.is_none() {
        let finish = expected.finish.as_deref().unwrap_or("stop");
        problems.compare("the finish", &told.finish.as_deref(), &Some(finish));
        problems.compare(
            "ids, roles, finishes",
            &(told.ids.len(), told.roles, told.finishes),
            &(1, 1, 1),
        );
    }
    if expected.tokens.is_some() {
        problems.compare("the tokens", &told.tokens, &expected.tokens);
    }
}

fn check_provider(case: &Case, problems: &mut Problems) {
    let expected = &case.expected;
    let seen = case.seen();
    let asked: Vec<usize> = seen.iter().map(Vec::len).collect();
    problems.compare("how often targets were asked", &asked, &expected.asked);
    let mut cancelled = expected.cancelled.clone();
    cancelled.resize(asked.len(), 0);
    problems.compare("how often targets were called off", &case.cancelled(), &cancelled);
    if expected.given.is_some() {
        let last = seen.last().and_then(|calls| calls.last()).map_or(Value::Null, Seen::json);
        let message = last["messages"].as_array().and_then(|all| all.last().cloned());
        let given = message.filter(|message| message["role"] == "assistant");
        let given = given.and_then(|message| message["content"].as_str().map(str::to_owned));
        problems.compare("what the last target was given", &given, &expected.given);
    }
    let first = seen.first().map(Vec::as_slice).unwrap_or_default();
    let pauses = first.iter().zip(first.iter().skip(1)).map(|(one, next)| next.at - one.at);
    for (pause, least) in pauses.zip(&expected.pauses_ms) {
        if pause < Duration::from_millis(*least) {
            problems.0.push(format!("a pause was {pause:?}, not {least} ms"));
        }
    }
}

/// The call left one line, which says what the caller and the providers saw.
fn check_log(case: &Case, told: &Told, log: &str, problems: &mut Problems) {
    let id = told.request_id.as_deref().unwrap_or("no id");
    let lines: Vec<Value> = log
        .lines()
        .filter(|line| line.contains(id))
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let [line] = lines.as_slice() else {
        problems.0.push(format!("{} lines in the log", lines.len()));
        return;
    };
    problems.compare("the logged code", &line["code"].as_str(), &told.code.as_deref());
    let attempts = line["attempts"].as_array().map_or(0, Vec::len);
    let expected = case.expected.attempts.unwrap_or_else(|| case.expected.asked.iter().sum());
    problems.compare("the logged attempts", &attempts, &expected);
}

#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    fn compare<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, is: &T, should_be: &T) {
        if is != should_be {
            self.0.push(format!("{what}: {is:?}, not {should_be:?}"));
        }
    }
}
