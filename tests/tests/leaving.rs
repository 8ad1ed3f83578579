//! Callers that close their side of the connection: some still listen, some are gone.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tollhouse_tests::{
    client::{Reply, post, send},
    keys::caller,
    provider::{Provider, Step, chat_stream, completion, json_reply},
    workerd::{Options, Workerd},
};

const WORDS: [&str; 4] = ["one ", "two ", "three ", "four"];
/// Between the words, so that a caller's going is noticed in the middle of an answer.
const BEAT: Duration = Duration::from_millis(100);

/// Answers slowly, so that the connection is half closed long before the end.
fn provider() -> Provider {
    Provider::start(|_, seen| match seen.json()["messages"][0]["content"].as_str() {
        Some("endless") => paced(&["word "; 600]),
        Some(_) if seen.json()["stream"] == json!(true) => paced(&WORDS),
        Some(_) | None => {
            let mut steps = vec![Step::Wait(4 * BEAT)];
            steps.extend(json_reply(200, &[], &completion(&WORDS.concat())));
            steps
        }
    })
    .unwrap()
}

fn paced(words: &[&str]) -> Vec<Step> {
    chat_stream(words).into_iter().flat_map(|step| [step, Step::Wait(BEAT)]).collect()
}

fn gateway(provider: &Provider) -> Workerd {
    let config = format!(
        "version = 1\n[auth]\nmode = \"keys\"\n{}[providers.local]\nkind = \"openai\"\nbase_url = \"{}\"\n\
         [models.m]\ntargets = [{{ provider = \"local\", model = \"m\" }}]\ncache = {{ enabled = false }}\n",
        caller("team", "limits = { tokens_per_minute = 5000 }"),
        provider.base_url()
    );
    Workerd::start(&Options::with_config(config)).unwrap()
}

fn call(gateway: &Workerd, content: &str, stream: bool, max_tokens: u32) -> TcpStream {
    let url = format!("{}/v1/chat/completions", gateway.url());
    send(&url, "team-key", &body(content, stream, max_tokens)).unwrap()
}

fn body(content: &str, stream: bool, max_tokens: u32) -> Value {
    json!({"model": "m", "stream": stream, "max_tokens": max_tokens,
           "messages": [{"role": "user", "content": content}]})
}

/// What comes until the gateway closes.
fn rest(mut connection: TcpStream) -> String {
    let mut all = String::new();
    connection.read_to_string(&mut all).unwrap();
    all
}

/// The one line of the log about a request, once it is there.
fn logged(gateway: &Workerd) -> Value {
    let until = Instant::now() + Duration::from_secs(15);
    loop {
        let log = gateway.log();
        let mut lines = log.lines().filter(|line| line.contains("\"event\":\"request\""));
        if let (Some(line), None) = (lines.next(), lines.next()) {
            assert!(!log.contains("hung"), "{log}");
            return serde_json::from_str(line).unwrap();
        }
        assert!(Instant::now() < until, "the log has not one line: {log}");
        // Another process writes it.
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_caller_that_has_said_all_gets_its_whole_answer() {
    let provider = provider();
    let gateway = gateway(&provider);
    let connection = call(&gateway, "whole", false, 10);
    connection.shutdown(Shutdown::Write).unwrap();
    let answer = rest(connection);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("three"), "{answer}");
    let line = logged(&gateway);
    assert_eq!((&line["status"], &line["client_left"]), (&json!(200), &json!(false)), "{line}");
}

#[test]
fn a_caller_that_has_said_all_gets_its_whole_stream_and_then_the_end() {
    let provider = provider();
    let gateway = gateway(&provider);
    let connection = call(&gateway, "stream", true, 10);
    connection.shutdown(Shutdown::Write).unwrap();
    let answer = rest(connection);
    assert!(answer.contains("four") && answer.contains("data: [DONE]"), "{answer}");
    assert!(answer.ends_with("0\r\n\r\n"), "{answer}");
    let line = logged(&gateway);
    assert_eq!((&line["code"], &line["client_left"]), (&Value::Null, &json!(false)), "{line}");
}

#[test]
fn a_caller_that_closes_quietly_is_noticed_at_the_next_word() {
    let provider = provider();
    let gateway = gateway(&provider);
    let mut connection = call(&gateway, "endless", true, 3000);
    let mut buffer = [0; 64];
    connection.read_exact(&mut buffer).unwrap();
    connection.shutdown(Shutdown::Write).unwrap();
    drop(connection);
    assert!(provider.wait_until(|seen| seen.iter().any(|seen| seen.cancelled)));
    let line = logged(&gateway);
    let seen = (&line["client_left"], &line["code"]);
    assert_eq!(seen, (&json!(true), &json!("client_closed_request")), "{line}");
    // The 3 000 tokens that were set aside are free again but for the few that came.
    let url = format!("{}/v1/chat/completions", gateway.url());
    let next: Reply = post(&url, "team-key", &body("whole", false, 4000)).unwrap();
    assert_eq!(next.status, 200, "{}", next.text());
}

#[test]
fn half_a_request_is_no_request() {
    let provider = provider();
    let gateway = gateway(&provider);
    let host = gateway.url().trim_start_matches("http://").to_owned();
    let mut connection = TcpStream::connect(&host).unwrap();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
         authorization: Bearer team-key\r\ncontent-length: 400\r\n\r\n{{\"model\": \"m\", "
    );
    connection.write_all(head.as_bytes()).unwrap();
    connection.shutdown(Shutdown::Write).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let answer = rest(connection);
    assert!(answer.starts_with("HTTP/1.1 499"), "{answer}");
    assert!(answer.contains("client_closed_request"), "{answer}");
    assert!(provider.seen().is_empty());
    let line = logged(&gateway);
    assert!(line["code"].is_string(), "{line}");
    assert!(rest_of_the_gateway_is_well(&gateway));
}

fn rest_of_the_gateway_is_well(gateway: &Workerd) -> bool {
    let url = format!("{}/v1/chat/completions", gateway.url());
    post(&url, "team-key", &body("whole", false, 10)).unwrap().status == 200
}
