//! The Rust instance traps: nobody is left waiting, and the next call finds a fresh instance.

use std::{sync::mpsc, thread};

use serde_json::{Value, json};
use tollhouse_tests::{
    client::{Reply, leave_after, post},
    keys::caller,
    provider::{Provider, Step, chat_stream, completion, json_reply},
    workerd::{Options, Workerd},
};

/// Streams stop after two words and stay open; whole answers come at once.
fn provider() -> Provider {
    Provider::start(|_, seen| {
        if seen.json()["stream"] != json!(true) {
            return json_reply(200, &[], &completion("fine"));
        }
        let mut steps: Vec<Step> = chat_stream(&["one ", "two "]).into_iter().take(4).collect();
        steps.push(Step::Stall);
        steps
    })
    .unwrap()
}

fn gateway(provider: &Provider, limits: &str) -> Workerd {
    let config = format!(
        "version = 1\n[auth]\nmode = \"keys\"\n{}[providers.local]\nkind = \"openai\"\nbase_url = \"{}\"\n\
         [models.m]\ntargets = [{{ provider = \"local\", model = \"m\" }}]\ncache = {{ enabled = false }}\n",
        caller("team", limits),
        provider.base_url()
    );
    Workerd::start(&Options { probed: true, ..Options::with_config(config) }).unwrap()
}

fn ask(gateway: &Workerd, stream: bool) -> Reply {
    let url = format!("{}/v1/chat/completions", gateway.url());
    post(&url, "team-key", &hello(stream)).unwrap()
}

fn hello(stream: bool) -> Value {
    json!({"model": "m", "stream": stream, "max_tokens": 10, "messages": [{"role": "user", "content": "Hello"}]})
}

#[test]
fn a_trap_fails_the_calls_in_it_and_none_after() {
    let provider = provider();
    let gateway = gateway(&provider, "");
    assert_eq!(ask(&gateway, false).status, 200);
    let before = gateway.probe(0).unwrap().instances;
    gateway.trap(0).unwrap();
    let trapped = ask(&gateway, false);
    assert_eq!((trapped.status, trapped.code().as_str()), (500, "internal_error"));
    assert!(trapped.header("x-request-id").is_some_and(|id| !id.is_empty()));
    for _ in 0..3 {
        assert_eq!(ask(&gateway, false).status, 200);
    }
    assert_eq!(gateway.probe(0).unwrap().instances, before + 1);
    assert!(gateway.log().contains("instance_trapped"), "{}", gateway.log());
}

#[test]
fn a_stream_under_way_in_a_trapped_instance_ends_in_an_error_and_its_provider_is_called_off() {
    let provider = provider();
    let gateway = gateway(&provider, "");
    let url = format!("{}/v1/chat/completions", gateway.url());
    let (begun, wait) = mpsc::channel();
    let stream = thread::spawn(move || {
        leave_after(&url, "team-key", &hello(true), |seen| {
            if seen.contains("two") {
                let _ = begun.send(());
            }
            seen.ends_with("0\r\n\r\n")
        })
    });
    wait.recv().unwrap();
    gateway.trap(0).unwrap();
    assert_eq!(ask(&gateway, false).status, 500);
    let seen = stream.join().unwrap().unwrap();
    assert!(seen.contains("internal_error") && !seen.contains("[DONE]"), "{seen}");
    assert!(provider.wait_until(|seen| seen.iter().any(|seen| seen.cancelled)));
    assert_eq!(ask(&gateway, false).status, 200);
}

#[test]
fn traps_give_no_limit_away() {
    let provider = provider();
    let gateway = gateway(&provider, "limits = { requests_per_minute = 30 }");
    let mut served = 0;
    for _ in 0..12 {
        served += (0..5).filter(|_| ask(&gateway, false).status == 200).count();
        gateway.trap(0).unwrap();
        ask(&gateway, false);
    }
    // One request comes back every two seconds; what a trapped instance had leased stays taken.
    assert!((1..=36).contains(&served), "{served} were served");
}

#[test]
fn an_isolate_survives_any_number_of_traps() {
    let provider = provider();
    let gateway = gateway(&provider, "");
    for _ in 0..30 {
        gateway.trap(0).unwrap();
        assert_eq!(ask(&gateway, false).status, 500);
    }
    assert_eq!(ask(&gateway, false).status, 200);
}
