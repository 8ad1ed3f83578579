//! What is cached, for whom, and what a hit looks like.

use std::thread;

use serde_json::{Value, json};
use tollhouse_tests::{
    client::{Reply, post, post_with},
    keys::caller,
    provider::{self, Provider, Step, completion, json_reply},
    workerd::{Options, Workerd},
};

fn gateway(provider: &Provider, more: &str) -> Workerd {
    let keys = caller("one", "") + &caller("two", "");
    let config = format!(
        "version = 1\n[auth]\nmode = \"keys\"\n{keys}[providers.p]\nkind = \"openai\"\nbase_url = \"{}\"\n\
         [models.m]\ntargets = [{{ provider = \"p\", model = \"model\" }}]\n{more}",
        provider.base_url()
    );
    Workerd::start(&Options::with_config(config).isolates(2)).unwrap()
}

fn question(content: &str) -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": content}]})
}

fn ask(url: &str, key: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
    post_with(&format!("{url}/v1/chat/completions"), key, headers, body).unwrap()
}

fn outcome(reply: &Reply) -> &str {
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.header("tollhouse-cache").unwrap_or("none")
}

fn counting() -> Provider {
    Provider::start(|index, seen| {
        if seen.json()["stream"] == true {
            provider::chat_stream(&["streamed ", "answer"])
        } else {
            json_reply(200, &[], &completion(&format!("answer {index}")))
        }
    })
    .unwrap()
}

#[test]
fn the_same_question_is_answered_once_and_another_isolate_finds_it_in_kv() {
    let provider = counting();
    let gateway = gateway(&provider, "");
    let first = ask(gateway.url(), "one-key", &[], &question("a"));
    let second = ask(gateway.url(), "one-key", &[], &question("a"));
    let elsewhere = ask(gateway.isolate(1), "one-key", &[], &question("a"));
    assert_eq!([outcome(&first), outcome(&second), outcome(&elsewhere)], ["miss", "hit", "hit"]);
    assert_eq!(first.json(), second.json());
    assert_eq!(first.json(), elsewhere.json());
    assert!(second.header("age").is_some());
    assert_eq!(provider.seen().len(), 1);
}

#[test]
fn every_parameter_counts_and_so_does_the_key() {
    let provider = counting();
    let gateway = gateway(&provider, "");
    ask(gateway.url(), "one-key", &[], &question("a"));
    for (name, value) in [
        ("seed", json!(7)),
        ("n", json!(2)),
        ("user", json!("u")),
        ("max_tokens", json!(9)),
        ("unknown", json!(1)),
    ] {
        let mut body = question("a");
        body[name] = value;
        assert_eq!(outcome(&ask(gateway.url(), "one-key", &[], &body)), "miss", "{name}");
    }
    assert_eq!(outcome(&ask(gateway.url(), "two-key", &[], &question("a"))), "miss");
    let mut spelled_out = question("a");
    spelled_out["temperature"] = json!(0.1);
    assert_eq!(
        outcome(&ask(gateway.url(), "one-key", &[], &spelled_out)),
        "hit",
        "a default spelled out"
    );
}

#[test]
fn callers_say_how_they_want_it() {
    let provider = counting();
    let gateway = gateway(&provider, "");
    ask(gateway.url(), "one-key", &[], &question("a"));
    let fresh = ask(gateway.url(), "one-key", &[("cache-control", "no-cache")], &question("a"));
    assert_eq!(outcome(&fresh), "refresh");
    let after = ask(gateway.url(), "one-key", &[], &question("a"));
    assert_eq!(after.json(), fresh.json());
    let unkept = ask(gateway.url(), "one-key", &[("cache-control", "no-store")], &question("b"));
    assert_eq!(outcome(&unkept), "bypass");
    assert_eq!(outcome(&ask(gateway.url(), "one-key", &[], &question("b"))), "miss");
}

#[test]
fn warm_answers_and_tools_are_kept_only_when_asked() {
    let provider = counting();
    let gateway = gateway(&provider, "");
    let mut warm = question("a");
    warm["temperature"] = json!(1.2);
    assert_eq!(outcome(&ask(gateway.url(), "one-key", &[], &warm)), "bypass");
    let asked = [("tollhouse-cache-ttl", "120")];
    assert_eq!(outcome(&ask(gateway.url(), "one-key", &asked, &warm)), "miss");
    assert_eq!(outcome(&ask(gateway.url(), "one-key", &asked, &warm)), "hit");
}

#[test]
fn a_stream_is_replayed_with_the_same_chunks_and_usage() {
    let provider = counting();
    let gateway = gateway(&provider, "");
    let mut body = question("a");
    body["stream"] = json!(true);
    body["stream_options"] = json!({"include_usage": true});
    let first = ask(gateway.url(), "one-key", &[], &body);
    let second = ask(gateway.url(), "one-key", &[], &body);
    assert_eq!([outcome(&first), outcome(&second)], ["miss", "hit"]);
    assert_eq!(first.events(), second.events());
    assert!(first.text().contains("\"usage\":{"));
    assert_eq!(second.events().last().map(String::as_str), Some("[DONE]"));
    assert_eq!(provider.seen().len(), 1);
}

#[test]
fn only_whole_good_replies_are_kept() {
    let mut cut = provider::chat_stream(&["half "; 4]);
    cut.truncate(4);
    cut.push(Step::Close);
    let whole = provider::chat_stream(&["whole"]);
    let provider = Provider::playing(vec![cut, whole]).unwrap();
    let gateway = gateway(&provider, "");
    let mut body = question("a");
    body["stream"] = json!(true);
    ask(gateway.url(), "one-key", &[], &body);
    let second = ask(gateway.url(), "one-key", &[], &body);
    assert_eq!(outcome(&second), "miss");
    assert!(second.text().contains("whole"));
}

#[test]
fn identical_concurrent_misses_share_one_call() {
    let provider = Provider::start(|_, _| {
        let mut steps = vec![Step::Wait(std::time::Duration::from_millis(500))];
        steps.extend(json_reply(200, &[], &completion("shared")));
        steps
    })
    .unwrap();
    let gateway = gateway(&provider, "");
    let replies: Vec<Reply> = thread::scope(|scope| {
        let callers: Vec<_> = (0..10)
            .map(|_| scope.spawn(|| ask(gateway.url(), "one-key", &[], &question("a"))))
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    assert!(replies.iter().all(|reply| reply.status == 200 && reply.text().contains("shared")));
    assert_eq!(provider.seen().len(), 1);
}

#[test]
fn embeddings_are_cached_too() {
    let provider = Provider::playing(vec![json_reply(
        200,
        &[],
        &json!({"object": "list", "model": "model", "data": [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}],
                "usage": {"prompt_tokens": 2, "total_tokens": 2}}),
    )])
    .unwrap();
    let gateway = gateway(&provider, "");
    let ask = || {
        post(
            &format!("{}/v1/embeddings", gateway.url()),
            "one-key",
            &json!({"model": "m", "input": "x"}),
        )
        .unwrap()
    };
    let (first, second) = (ask(), ask());
    assert_eq!([outcome(&first), outcome(&second)], ["miss", "hit"]);
    assert_eq!(first.json(), second.json());
    assert!(provider.seen()[0].json().get("temperature").is_none());
}
