//! What every caller may rely on: codes for bad input, ids on every reply, health, model lists.

use std::sync::LazyLock;

use serde_json::{Value, json};
use tollhouse_tests::{
    client::{Reply, call, get, post, post_with},
    keys::caller,
    workerd::{Options, Workerd},
};

static GATEWAY: LazyLock<Workerd> = LazyLock::new(|| {
    let keys = caller("team", "") + &caller("narrow", "models = [\"other\"]");
    let config = format!(
        r#"
version = 1
[auth]
mode = "keys"
{keys}
[providers.mock]
kind = "mock"
scripted_by_header = true
[models.mock]
targets = [{{ provider = "mock", model = "mock-1" }}]
[models.other]
targets = [{{ provider = "mock", model = "mock-1" }}]
[models.embed]
targets = [{{ provider = "mock", model = "mock-embedding" }}]
"#
    );
    Workerd::start(&Options::with_config(config)).unwrap()
});

fn chat(body: &Value) -> Reply {
    post(&format!("{}/v1/chat/completions", GATEWAY.url()), "team-key", body).unwrap()
}

fn raw(headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let mut all = vec![("authorization", "Bearer team-key")];
    all.extend_from_slice(headers);
    call("POST", &format!("{}/v1/chat/completions", GATEWAY.url()), &all, body).unwrap()
}

fn hello() -> Value {
    json!({"model": "mock", "messages": [{"role": "user", "content": "Hello"}]})
}

#[track_caller]
fn refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!((reply.status, reply.code().as_str()), (status, code), "{}", reply.text());
    assert!(reply.header("x-request-id").is_some_and(|id| !id.is_empty()));
    let error = &reply.json()["error"];
    assert!(error["message"].is_string() && error["type"].is_string(), "{error}");
    // The gateway is as well as before.
    assert_eq!(chat(&hello()).status, 200);
}

#[test]
fn a_call_without_a_body_is_told_so() {
    refused(&raw(&[("content-type", "application/json")], b""), 400, "invalid_json");
}

#[test]
fn a_body_of_fifty_megabytes_is_not_read() {
    let body = vec![b' '; 50 << 20];
    let reply = raw(&[("content-type", "application/json")], &body);
    refused(&reply, 413, "body_too_large");
}

#[test]
fn bytes_that_are_no_utf_8_are_told_apart() {
    let body = b"{\"model\":\"mock\",\"messages\":[{\"role\":\"user\",\"content\":\"\xff\xfe\"}]}";
    refused(&raw(&[("content-type", "application/json")], body), 400, "invalid_json");
}

#[test]
fn deep_json_does_not_reach_the_stack() {
    let body = format!(
        "{{\"model\":\"mock\",\"messages\":{}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    refused(&raw(&[("content-type", "application/json")], body.as_bytes()), 400, "invalid_json");
}

#[test]
fn a_key_named_twice_is_refused_at_any_depth() {
    let top = br#"{"model":"mock","model":"other","messages":[{"role":"user","content":"x"}]}"#;
    refused(&raw(&[("content-type", "application/json")], top), 400, "duplicate_key");
    let deep = br#"{"model":"mock","messages":[{"role":"user","role":"system","content":"x"}]}"#;
    refused(&raw(&[("content-type", "application/json")], deep), 400, "duplicate_key");
}

#[test]
fn a_false_content_encoding_is_refused() {
    let body = hello().to_string();
    let reply =
        raw(&[("content-type", "application/json"), ("content-encoding", "gzip")], body.as_bytes());
    assert_eq!(reply.status / 100, 4, "{}", reply.text());
    assert!(!reply.code().is_empty());
}

#[test]
fn every_problem_is_in_one_answer_and_the_first_is_the_param() {
    let mut body = hello();
    body["max_tokens"] = json!(4097);
    body["temperature"] = json!("warm");
    body["top_p"] = json!(2);
    let reply = chat(&body);
    assert_eq!(reply.status, 400);
    let message = reply.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
    for field in ["max_tokens", "temperature", "top_p"] {
        assert!(message.contains(field), "{message}");
    }
    assert!(reply.json()["error"]["param"].is_string());
}

#[test]
fn a_wrong_type_names_its_field() {
    let mut body = hello();
    body["messages"] = json!("Hello");
    let reply = chat(&body);
    refused(&reply, 400, "invalid_type");
    assert_eq!(reply.json()["error"]["param"], "messages");
}

#[test]
fn headers_without_end_are_refused_or_cut_off() {
    let flood = "x".repeat(7000);
    let names: Vec<String> = (0..6).map(|n| format!("x-flood-{n}")).collect();
    let headers: Vec<(&str, &str)> =
        names.iter().map(|name| (name.as_str(), flood.as_str())).collect();
    refused(&raw(&headers, hello().to_string().as_bytes()), 431, "headers_too_large");
}

#[test]
fn an_unknown_model_is_not_found() {
    let mut body = hello();
    body["model"] = json!("nothing-like-it");
    refused(&chat(&body), 404, "model_not_found");
}

#[test]
fn no_key_a_wrong_key_and_another_teams_key_are_told_apart() {
    let url = format!("{}/v1/chat/completions", GATEWAY.url());
    refused(&post(&url, "", &hello()).unwrap(), 401, "missing_api_key");
    refused(&post(&url, "sk-wrong-key-of-somebody", &hello()).unwrap(), 401, "invalid_api_key");
    refused(&post(&url, "narrow-key", &hello()).unwrap(), 403, "model_not_allowed");
    let wrong = post(&url, "sk-wrong-key-of-somebody", &hello()).unwrap();
    assert!(!wrong.text().contains("sk-wrong-key-of-somebody"));
}

#[test]
fn unknown_paths_and_methods_are_told_apart() {
    refused(&get(&format!("{}/v1/nothing", GATEWAY.url()), "team-key").unwrap(), 404, "not_found");
    let reply = get(&format!("{}/v1/chat/completions", GATEWAY.url()), "team-key").unwrap();
    refused(&reply, 405, "method_not_allowed");
    assert_eq!(reply.header("allow"), Some("POST"));
}

#[test]
fn a_reply_says_what_was_done_for_it() {
    let url = format!("{}/v1/chat/completions", GATEWAY.url());
    let reply = post_with(&url, "team-key", &[("cache-control", "no-store")], &hello()).unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("tollhouse-cache"), Some("bypass"));
    assert_eq!(reply.header("tollhouse-provider"), Some("mock"));
    assert_eq!(reply.header("tollhouse-model"), Some("mock-1"));
    assert_eq!(reply.header("tollhouse-attempts"), Some("1"));
    assert!(reply.header("x-request-id").is_some());
}

#[test]
fn health_has_its_aliases_and_needs_no_key() {
    for path in [
        "/health/live",
        "/health/ready",
        "/healthz",
        "/health/liveness",
        "/health/readiness",
        "/health/liveliness",
    ] {
        let reply = get(&format!("{}{path}", GATEWAY.url()), "").unwrap();
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    }
}

#[test]
fn a_key_sees_its_own_models() {
    let list = get(&format!("{}/v1/models", GATEWAY.url()), "narrow-key").unwrap().json();
    assert_eq!(list["object"], "list");
    assert_eq!(list["data"].as_array().map(Vec::len), Some(1), "{list}");
    assert_eq!(list["data"][0]["id"], "other");
    let reply = get(&format!("{}/v1/models/mock", GATEWAY.url()), "narrow-key").unwrap();
    assert_eq!(reply.status / 100, 4);
}

#[test]
fn a_stream_ends_with_done_and_says_its_type() {
    let mut body = hello();
    body["stream"] = json!(true);
    let reply = chat(&body);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream")));
    let events = reply.events();
    assert_eq!(events.last().map(String::as_str), Some("[DONE]"));
    assert!(events.iter().all(|event| !event.contains("\"usage\":{")));
}
