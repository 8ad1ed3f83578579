//! What callers and providers see when a provider fails, beside the faults of fixtures/faults.

use std::time::Duration;

use serde_json::{Value, json};
use tollhouse_tests::{
    client::{Reply, leave_after, post, post_with},
    provider::{self, Provider, Step, completion, error, json_reply, reply},
    workerd::{Options, Workerd},
};

/// A gateway whose model `m` asks these providers in order.
fn gateway(providers: &[&Provider], more: &str) -> Workerd {
    let mut config = String::from("version = 1\n[auth]\nmode = \"open\"\n");
    let mut targets = Vec::new();
    for (index, provider) in providers.iter().enumerate() {
        config += &format!(
            "[providers.p{index}]\nkind = \"openai\"\nbase_url = \"{}\"\napi_key = {{ env = \"PROVIDER_KEY\" }}\n",
            provider.base_url()
        );
        targets.push(format!("{{ provider = \"p{index}\", model = \"model-{index}\" }}"));
    }
    let defaults =
        "[defaults]\nretry = { max_attempts = 3, base_delay_ms = 20, max_delay_ms = 100 }\n";
    config += &format!(
        "{defaults}[models.m]\ntargets = [{}]\ncache = {{ enabled = false }}\n{more}",
        targets.join(", ")
    );
    Workerd::start(
        &Options::with_config(config).binding("PROVIDER_KEY", "sk-provider-0123456789abcdefghij"),
    )
    .unwrap()
}

fn hello() -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": "Hello"}]})
}

fn chat(gateway: &Workerd) -> Reply {
    post(&format!("{}/v1/chat/completions", gateway.url()), "", &hello()).unwrap()
}

fn fine() -> Vec<Step> {
    json_reply(200, &[], &completion("fine"))
}

fn failing(status: u16) -> Vec<Step> {
    json_reply(status, &[], &error("it failed", "server_error", "boom"))
}

#[test]
fn other_client_errors_are_passed_on_at_once() {
    let body = error("`frequency` is not known", "invalid_request_error", "unknown_parameter");
    let provider = Provider::playing(vec![json_reply(422, &[], &body)]).unwrap();
    let reply = chat(&gateway(&[&provider], ""));
    assert_eq!((reply.status / 100, reply.code().as_str()), (4, "upstream_rejected"));
    assert!(reply.text().contains("frequency"), "{}", reply.text());
    assert_eq!(provider.seen().len(), 1);
}

#[test]
fn retry_after_is_waited_for() {
    let limited = json_reply(
        429,
        &[("retry-after-ms", "700")],
        &error("slow down", "requests", "rate_limit_exceeded"),
    );
    let provider = Provider::playing(vec![limited, fine()]).unwrap();
    let reply = chat(&gateway(&[&provider], ""));
    assert_eq!(reply.status, 200, "{}", reply.text());
    let seen = provider.seen();
    assert!(seen[1].at - seen[0].at >= Duration::from_millis(700), "{:?}", seen[1].at - seen[0].at);
}

#[test]
fn a_retry_after_beyond_the_cap_is_told_to_the_caller() {
    let limited = json_reply(
        429,
        &[("retry-after", "3600")],
        &error("slow down", "requests", "rate_limit_exceeded"),
    );
    let provider = Provider::playing(vec![limited]).unwrap();
    let reply = chat(&gateway(&[&provider], ""));
    assert_eq!((reply.status, reply.code().as_str()), (429, "upstream_rate_limited"));
    assert_eq!(provider.seen().len(), 1);
    let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!(wait <= 60, "the SDKs ignore longer waits");
}

#[test]
fn a_limited_provider_is_fallen_over_from() {
    let limited = json_reply(
        429,
        &[("retry-after", "3600")],
        &error("slow down", "requests", "rate_limit_exceeded"),
    );
    let (first, second) =
        (Provider::playing(vec![limited]).unwrap(), Provider::playing(vec![fine()]).unwrap());
    let reply = chat(&gateway(&[&first, &second], ""));
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("tollhouse-provider"), Some("p1"));
    assert_eq!((first.seen().len(), second.seen().len()), (1, 1));
    assert_eq!(second.seen()[0].json()["model"], "model-1");
}

#[test]
fn the_callers_deadline_is_kept() {
    let provider = Provider::playing(vec![vec![Step::Stall]]).unwrap();
    let gateway = gateway(&[&provider], "");
    let url = format!("{}/v1/chat/completions", gateway.url());
    let reply = post_with(
        &url,
        "",
        &[("x-stainless-read-timeout", "1"), ("x-stainless-timeout", "1")],
        &hello(),
    )
    .unwrap();
    assert_eq!(reply.status, 504, "{}", reply.text());
    assert_eq!(provider.seen().len(), 1);
}

#[test]
fn a_breaker_rests_a_failing_provider() {
    let provider = Provider::playing(vec![failing(500)]).unwrap();
    let gateway = gateway(
        &[&provider],
        "retry = { max_attempts = 1 }\n[breaker]\nfailures = 3\nopen_ms = 60000\n",
    );
    let codes: Vec<String> = (0..6).map(|_| chat(&gateway).code()).collect();
    assert_eq!(&codes[..3], ["upstream_error"; 3]);
    assert_eq!(&codes[3..], ["circuit_open"; 3]);
    assert_eq!(provider.seen().len(), 3);
}

#[test]
fn hurried_callers_do_not_have_a_provider_rested() {
    let stall = || vec![Step::Stall];
    let provider = Provider::playing(vec![stall(), stall(), stall(), fine()]).unwrap();
    let gateway = gateway(&[&provider], "[breaker]\nfailures = 2\nopen_ms = 60000\n");
    let url = format!("{}/v1/chat/completions", gateway.url());
    for _ in 0..3 {
        let reply = post_with(&url, "", &[("x-stainless-timeout", "0.3")], &hello()).unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (504, "deadline_exceeded"));
    }
    let reply = chat(&gateway);
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Provider::playing(vec![fine()]).unwrap();
    let location = format!("{}/chat/completions", elsewhere.base_url());
    let provider =
        Provider::playing(vec![reply(307, "text/plain", &[("location", &location)], b"")]).unwrap();
    let reply = chat(&gateway(&[&provider], "retry = { max_attempts = 1 }\n"));
    assert_eq!(reply.status, 502, "{}", reply.text());
    assert!(elsewhere.seen().is_empty());
}

#[test]
fn a_provider_that_repeats_our_key_does_not_give_it_away() {
    let body = error(
        "Incorrect API key provided: sk-provider-0123456789abcdefghij",
        "invalid_request_error",
        "invalid_api_key",
    );
    let provider = Provider::playing(vec![json_reply(401, &[], &body)]).unwrap();
    let gateway = gateway(&[&provider], "");
    let reply = chat(&gateway);
    assert_eq!((reply.status, reply.code().as_str()), (502, "upstream_auth"));
    assert_eq!(
        provider.seen()[0].header("authorization"),
        Some("Bearer sk-provider-0123456789abcdefghij")
    );
    assert!(!reply.text().contains("0123456789abcdefghij"));
    assert!(!gateway.log().contains("0123456789abcdefghij"));
}

#[test]
fn the_provider_is_called_off_when_the_caller_leaves() {
    let mut steps = provider::chat_stream(&["word "; 20]);
    steps.truncate(5);
    steps.push(Step::Stall);
    let provider = Provider::playing(vec![steps]).unwrap();
    let gateway = gateway(&[&provider], "");
    let mut body = hello();
    body["stream"] = json!(true);
    let url = format!("{}/v1/chat/completions", gateway.url());
    leave_after(&url, "", &body, |seen| seen.contains("word")).unwrap();
    assert!(provider.wait_until(|seen| seen.iter().any(|seen| seen.cancelled)));
}

#[test]
fn a_whole_answer_that_nobody_waits_for_is_called_off_too() {
    let provider = Provider::playing(vec![vec![Step::Stall]]).unwrap();
    let gateway = gateway(&[&provider], "");
    let url = format!("{}/v1/chat/completions", gateway.url());
    let caller = std::thread::spawn(move || leave_when(&url, &hello()));
    assert!(provider.wait_until(|seen| seen.len() == 1));
    drop(caller.join().unwrap());
    assert!(provider.wait_until(|seen| seen.iter().any(|seen| seen.cancelled)));
}

/// Sends a request and returns its connection, which is reset when it is dropped: a server that is
/// not writing notices nothing less.
fn leave_when(url: &str, body: &Value) -> std::net::TcpStream {
    use std::io::Write;
    let (host, path) = url.trim_start_matches("http://").split_once('/').unwrap();
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    let body = body.to_string();
    write!(
        stream,
        "POST /{path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    stream
}

#[test]
fn a_stream_that_is_cut_ends_in_an_error_and_never_in_done() {
    let mut steps = provider::chat_stream(&["word "; 20]);
    steps.truncate(8);
    steps.push(Step::Close);
    let provider = Provider::playing(vec![steps]).unwrap();
    let gateway = gateway(&[&provider], "");
    let mut body = hello();
    body["stream"] = json!(true);
    let reply = post(&format!("{}/v1/chat/completions", gateway.url()), "", &body).unwrap();
    let events = reply.events();
    assert!(events.iter().any(|event| event.contains("word")));
    let last: Value = serde_json::from_str(events.last().unwrap()).unwrap();
    assert_eq!(last["error"]["code"], "stream_interrupted", "{last}");
    assert!(!reply.text().contains("[DONE]"));
}

#[test]
fn a_caller_is_told_while_a_stream_pauses_that_it_goes_on() {
    let mut steps = provider::chat_stream(&["one ", "two "]);
    steps.insert(3, Step::Wait(Duration::from_secs(11)));
    let provider = Provider::playing(vec![steps]).unwrap();
    let gateway = gateway(&[&provider], "");
    let mut body = hello();
    body["stream"] = json!(true);
    let reply = post(&format!("{}/v1/chat/completions", gateway.url()), "", &body).unwrap();
    let text = reply.text();
    assert_eq!(text.lines().filter(|line| line.starts_with(':')).count(), 1, "{text}");
    assert!(text.contains("two ") && text.contains("[DONE]"), "{text}");
}

#[test]
fn fields_the_gateway_does_not_know_reach_the_provider_untouched() {
    let provider = Provider::playing(vec![fine()]).unwrap();
    let gateway = gateway(&[&provider], "");
    let mut body = hello();
    body["a_field_of_tomorrow"] = json!({"deep": [1, 2.50, "x"]});
    let reply = post(&format!("{}/v1/chat/completions", gateway.url()), "", &body).unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    let sent = provider.seen()[0].json();
    assert_eq!(sent["a_field_of_tomorrow"], body["a_field_of_tomorrow"]);
    assert_eq!(sent["messages"], body["messages"]);
    let defaults = ["temperature", "max_tokens", "top_p"].map(|name| sent[name].as_f64());
    assert_eq!(defaults, [Some(0.1), Some(500.0), Some(1.0)]);
}
