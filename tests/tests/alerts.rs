//! Alerts reach their receivers once when a trouble begins and once when it has ended.

use std::time::Duration;

use serde_json::{Value, json};
use tollhouse_tests::{
    client::post,
    keys::caller,
    provider::{self, Provider, Step, json_reply},
    wait::eventually,
    workerd::{Options, Workerd},
};

fn ask(url: &str, key: &str, model: &str) -> u16 {
    let body = json!({"model": model, "max_tokens": 10, "messages": [{"role": "user", "content": "Hello"}]});
    post(&format!("{url}/v1/chat/completions"), key, &body).unwrap().status
}

fn taking() -> Provider {
    Provider::playing(vec![json_reply(200, &[], &json!({}))]).unwrap()
}

fn config(provider: &Provider, keys: &str, alerts: &str) -> String {
    format!(
        "version = 1\n[auth]\nmode = \"keys\"\n{keys}\n\
         [providers.local]\nkind = \"openai\"\nbase_url = \"{}\"\n\
         [models.m]\ntargets = [{{ provider = \"local\", model = \"dear\", price = {{ input = 100.0, output = 200.0 }} }}]\n\
         cache = {{ enabled = false }}\nretry = {{ max_attempts = 1 }}\n\
         [breaker]\nfailures = 1000\n\
         [telemetry]\nflush_ms = 200\n\
         [alerts]\nevery_seconds = 1\n{alerts}",
        provider.base_url()
    )
}

/// The events that a receiver of plain JSON has taken.
fn events(receiver: &Provider) -> Vec<Value> {
    receiver.seen().iter().map(provider::Seen::json).collect()
}

fn told(receiver: &Provider, rule: &str, status: &str) -> usize {
    let is_it = |event: &&Value| event["rule"] == rule && event["status"] == status;
    events(receiver).iter().filter(is_it).count()
}

#[test]
fn a_provider_that_fails_is_told_once_and_so_is_its_recovery() {
    let receiver = taking();
    // Six calls fail, all later ones succeed.
    let provider = Provider::start(|index, _| {
        if index < 6 {
            json_reply(503, &[], &provider::error("down", "server_error", "overloaded"))
        } else {
            json_reply(200, &[], &provider::completion("fine"))
        }
    })
    .unwrap();
    let alerts = format!(
        "webhooks = [\"{}/hook\"]\nprovider_down = {{ window_seconds = 3, at_least = 5 }}\n\
         error_share = {{ window_seconds = 3, at_least = 5 }}\n",
        receiver.origin()
    );
    let gateway = Workerd::start(
        &Options::with_config(config(&provider, &caller("team", ""), &alerts)).isolates(2),
    )
    .unwrap();
    for n in 0..6 {
        assert_eq!(ask(gateway.isolate(n % 2), "team-key", "m"), 502);
    }
    eventually("the provider's end", || told(&receiver, "provider_down", "firing") == 1);
    assert_eq!(told(&receiver, "error_share", "firing"), 1);
    eventually("its recovery", || {
        ask(gateway.url(), "team-key", "m");
        told(&receiver, "provider_down", "resolved") == 1
    });
    eventually("the share's recovery", || told(&receiver, "error_share", "resolved") == 1);
    assert_eq!(told(&receiver, "provider_down", "firing"), 1, "{:?}", events(&receiver));
    let all = events(&receiver);
    let down = all.iter().find(|event| event["rule"] == "provider_down").unwrap();
    assert_eq!((&down["subject"], &down["severity"]), (&json!("local"), &json!("critical")));
    assert_eq!(down["summary"], "local answered none of 6 calls in 3 s");
}

#[test]
fn slow_answers_guards_that_act_and_targets_that_rest_are_told() {
    let receiver = taking();
    let provider = Provider::start(|index, _| match index {
        0..4 => {
            let mut slow = vec![Step::Wait(Duration::from_millis(300))];
            slow.extend(json_reply(200, &[], &provider::completion("fine")));
            slow
        }
        _ => json_reply(503, &[], &provider::error("down", "server_error", "overloaded")),
    })
    .unwrap();
    let alerts = format!(
        "webhooks = [\"{}\"]\nlatency = {{ quantile = 0.5, above_ms = 150, window_seconds = 60, at_least = 3 }}\n\
         guard_spike = {{ times = 2.0, window_seconds = 60, at_least = 3 }}\n[guards.secrets]\naction = \"mask\"\n",
        receiver.origin()
    );
    let text = config(&provider, &caller("team", ""), &alerts)
        .replace("failures = 1000", "failures = 1\nopen_ms = 600000")
        .replace("retry = {", "guards = [\"secrets\"]\nretry = {");
    let gateway = Workerd::start(&Options::with_config(text)).unwrap();
    let body = json!({"model": "m", "max_tokens": 10,
        "messages": [{"role": "user", "content": "my key is sk-proj-Ab3dEf6hIj9kLm2nOp5q"}]});
    let url = format!("{}/v1/chat/completions", gateway.url());
    for status in [200, 200, 200, 200, 502] {
        assert_eq!(post(&url, "team-key", &body).unwrap().status, status);
    }
    for (rule, subject) in
        [("latency", "m"), ("guard_spike", "secrets"), ("breaker_open", "local/dear")]
    {
        eventually(rule, || told(&receiver, rule, "firing") == 1);
        let all = events(&receiver);
        let event = all.iter().find(|event| event["rule"] == rule).unwrap();
        assert_eq!(event["subject"], subject, "{event}");
    }
}

#[test]
fn shares_of_a_budget_are_told_one_by_one() {
    let receiver = taking();
    let provider =
        Provider::playing(vec![json_reply(200, &[], &provider::completion("fine"))]).unwrap();
    // Five calls of 2 000 micro-dollars are all of it.
    let keys = caller("team", "budget = { usd = 0.01, per = \"day\" }");
    let alerts = format!("webhooks = [\"{}\"]\n", receiver.origin());
    let gateway = Workerd::start(&Options::with_config(config(&provider, &keys, &alerts))).unwrap();
    for _ in 0..3 {
        assert_eq!(ask(gateway.url(), "team-key", "m"), 200);
    }
    let subjects = || -> Vec<String> {
        let of_budget = |event: &Value| event["rule"] == "budget_share";
        let text = |event: &Value| event["subject"].as_str().unwrap().to_owned();
        events(&receiver).iter().filter(|event| of_budget(event)).map(text).collect()
    };
    eventually("half of it", || subjects() == ["key team 50 %"]);
    assert_eq!(ask(gateway.url(), "team-key", "m"), 200);
    eventually("more of it", || subjects() == ["key team 50 %", "key team 80 %"]);
}

#[test]
fn slack_and_pagerduty_are_told_in_their_own_words_and_a_receiver_that_fails_is_told_again() {
    // It fails twice before it takes anything.
    let receiver = Provider::start(|index, seen| match (seen.path.as_str(), index) {
        ("/slow", 0) => vec![Step::Reset],
        _ => json_reply(200, &[], &json!({})),
    })
    .unwrap();
    let failing = Provider::start(|index, _| {
        let status = if index < 2 { 500 } else { 202 };
        json_reply(status, &[], &json!({}))
    })
    .unwrap();
    let provider = Provider::playing(vec![json_reply(500, &[], &json!({}))]).unwrap();
    let alerts = format!(
        "error_share = {{ window_seconds = 60, at_least = 3 }}\nprovider_down = {{ enabled = false }}\n\
         [alerts.receivers.chat]\nkind = \"slack\"\nurl_secret = {{ env = \"CHAT_URL\" }}\n\
         [alerts.receivers.pager]\nkind = \"pagerduty\"\nurl = \"{}/v2/enqueue\"\nrouting_key = {{ env = \"PAGER_KEY\" }}\n",
        failing.origin()
    );
    let options = Options::with_config(config(&provider, &caller("team", ""), &alerts))
        .binding("CHAT_URL", &format!("{}/services/T/B/x", receiver.origin()))
        .binding("PAGER_KEY", "routing-canary-0123456789");
    let gateway = Workerd::start(&options).unwrap();
    for _ in 0..4 {
        ask(gateway.url(), "team-key", "m");
    }
    eventually("Slack", || !receiver.seen().is_empty());
    assert_eq!(receiver.seen()[0].path, "/services/T/B/x");
    let text = receiver.seen()[0].json()["text"].as_str().unwrap().to_owned();
    assert!(text.contains("firing") && text.contains("error_share m"), "{text}");
    eventually("PagerDuty", || failing.seen().len() >= 3);
    let seen = failing.seen();
    assert_eq!(seen[0].body, seen[2].body, "the same event is sent again");
    let event = seen[2].json();
    assert_eq!(event["event_action"], "trigger");
    assert_eq!(event["routing_key"], "routing-canary-0123456789");
    assert_eq!(event["payload"]["severity"], "critical");
    assert!(!gateway.log().contains("routing-canary"), "the key is in no log");
}
