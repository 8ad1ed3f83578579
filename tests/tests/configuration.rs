//! A bad configuration answers nothing but its problems; a changed one is taken up.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use tollhouse_tests::{
    client::{get, post},
    provider::{Provider, json_reply},
    wait::eventually,
    workerd::{Options, Workerd},
};

fn open(models: &str) -> String {
    format!("version = 1\n[auth]\nmode = \"open\"\n[providers.mock]\nkind = \"mock\"\n{models}")
}

fn model(name: &str) -> String {
    format!("[models.{name}]\ntargets = [{{ provider = \"mock\", model = \"mock-1\" }}]\n")
}

fn chat(gateway: &Workerd, model: &str) -> tollhouse_tests::client::Reply {
    let body = json!({"model": model, "messages": [{"role": "user", "content": "Hello"}]});
    post(&format!("{}/v1/chat/completions", gateway.url()), "", &body).unwrap()
}

#[test]
fn a_bad_configuration_names_its_problems_to_operators_and_not_to_callers() {
    let config = open(&model("m"))
        + "[limitz]\n[models.n]\ntargets = [{ provider = \"nowhere\", model = \"x\" }]\n";
    let gateway = Workerd::start(&Options::with_config(config)).unwrap();
    let reply = chat(&gateway, "m");
    assert_eq!((reply.status, reply.code().as_str()), (503, "config_invalid"));
    assert!(!reply.text().contains("nowhere"), "{}", reply.text());
    let ready = get(&format!("{}/health/ready", gateway.url()), "").unwrap();
    assert_eq!(ready.status, 503);
    for hint in ["limitz", "nowhere", "TOLLHOUSE_CONFIG:"] {
        assert!(ready.text().contains(hint), "{}", ready.text());
    }
    eventually("the log names it too", || gateway.log().contains("limitz"));
    assert_eq!(get(&format!("{}/health/live", gateway.url()), "").unwrap().status, 200);
}

#[test]
fn the_embedded_default_needs_no_account_and_no_key() {
    let gateway = Workerd::start(&Options::default()).unwrap();
    let reply = chat(&gateway, "mock");
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[test]
fn variables_override_the_configuration() {
    let options = Options::with_config(open(&model("m")))
        .binding("TOLLHOUSE__MODELS__M__BOUNDS__MAX_TOKENS", "[1, 600]");
    let gateway = Workerd::start(&options).unwrap();
    let body = json!({"model": "m", "max_tokens": 601, "messages": [{"role": "user", "content": "Hello"}]});
    let reply = post(&format!("{}/v1/chat/completions", gateway.url()), "", &body).unwrap();
    assert_eq!((reply.status, reply.code().as_str()), (400, "invalid_value"), "{}", reply.text());
}

#[test]
fn a_changed_configuration_is_taken_up_and_a_broken_one_is_not() {
    let alerts = Provider::playing(vec![json_reply(200, &[], &json!({}))]).unwrap();
    let webhooks = format!("[alerts]\nwebhooks = [\"{}/alert\"]\n", alerts.origin());
    let stored = open(&model("old")) + &webhooks;
    let gateway =
        Workerd::start(&Options { stored_config: Some(stored), ..Options::default() }).unwrap();
    assert_eq!(chat(&gateway, "old").status, 200);

    gateway.put("CONFIG", "tollhouse.toml", &(open(&model("new")) + &webhooks)).unwrap();
    assert!(within_a_minute(|| chat(&gateway, "new").status == 200), "the change was not taken up");
    assert_eq!(chat(&gateway, "old").status, 404);

    gateway.put("CONFIG", "tollhouse.toml", "version = 1\n[modelz]\n").unwrap();
    assert!(
        within_a_minute(|| {
            chat(&gateway, "new");
            !alerts.seen().is_empty()
        }),
        "nobody was told that the change is broken"
    );
    assert!(alerts.seen()[0].json().to_string().contains("modelz"));
    assert_eq!(chat(&gateway, "new").status, 200, "the last good configuration goes on");
    assert_eq!(get(&format!("{}/health/ready", gateway.url()), "").unwrap().status, 200);
}

fn within_a_minute(mut holds: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + Duration::from_mins(1);
    while Instant::now() < until {
        if holds() {
            return true;
        }
        // The gateway looks for a change by its own clock, which nothing here can move.
        thread::sleep(Duration::from_millis(500));
    }
    false
}
