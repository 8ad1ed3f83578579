//! Limits hold over isolates, restarts and concurrent callers, to the request.

use std::{path::PathBuf, thread};

use serde_json::{Value, json};
use tollhouse_tests::{
    client::{Reply, leave_after, post, post_with},
    keys::caller,
    provider::{self, Provider, Step},
    wait::eventually,
    workerd::{Options, Outage, Workerd, root},
};

fn config(keys: &str, models: &str) -> String {
    format!(
        "version = 1\n[auth]\nmode = \"keys\"\n{keys}\n[providers.mock]\nkind = \"mock\"\n{models}"
    )
}

const MOCK: &str = "[models.mock]\ntargets = [{ provider = \"mock\", model = \"mock-1\" }]\ncache = { enabled = false }\n";

fn hello() -> Value {
    json!({"model": "mock", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 10})
}

fn chat(url: &str, key: &str) -> Reply {
    post(&format!("{url}/v1/chat/completions"), key, &hello()).unwrap()
}

#[track_caller]
fn remaining(reply: &Reply, what: &str) -> i64 {
    let name = format!("x-ratelimit-remaining-{what}");
    reply.header(&name).unwrap_or_else(|| panic!("no {name}: {:?}", reply.headers)).parse().unwrap()
}

#[test]
fn concurrent_callers_on_three_isolates_never_pass_the_limit() {
    let keys = caller("team", "limits = { requests_per_minute = 20 }");
    let gateway = Workerd::start(&Options::with_config(config(&keys, MOCK)).isolates(3)).unwrap();
    let replies: Vec<Reply> = thread::scope(|scope| {
        let callers: Vec<_> = (0..60)
            .map(|n| {
                let gateway = &gateway;
                scope.spawn(move || chat(gateway.isolate(n % 3), "team-key"))
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    let served = replies.iter().filter(|reply| reply.status == 200).count();
    let refused: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 429).collect();
    assert_eq!(served + refused.len(), 60);
    // One request comes back every three seconds; sixty calls take a few at most.
    assert!((20..=23).contains(&served), "{served} were served");
    for reply in refused {
        assert_eq!(reply.code(), "rate_limit_exceeded");
        let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait));
        assert!(reply.header("retry-after-ms").is_some());
        assert_eq!(remaining(reply, "requests"), 0);
    }
}

#[test]
fn remaining_truly_falls() {
    let keys = caller("team", "limits = { requests_per_minute = 10, tokens_per_minute = 100000 }");
    let gateway = Workerd::start(&Options::with_config(config(&keys, MOCK))).unwrap();
    let replies: Vec<Reply> = (0..4).map(|_| chat(gateway.url(), "team-key")).collect();
    let left: Vec<i64> = replies.iter().map(|reply| remaining(reply, "requests")).collect();
    assert_eq!(left, [9, 8, 7, 6]);
    assert_eq!(replies[0].header("x-ratelimit-limit-requests"), Some("10"));
    assert_eq!(replies[0].header("x-ratelimit-limit-tokens"), Some("100000"));
    assert!(remaining(&replies[3], "tokens") < remaining(&replies[0], "tokens"));
    assert!(replies[0].header("x-ratelimit-reset-requests").is_some());
}

#[test]
fn what_was_spent_survives_a_restart_of_the_objects() {
    let folder = scratch("restart");
    let keys = caller("team", "limits = { requests_per_minute = 6 }");
    let options = Options { persist: Some(folder), ..Options::with_config(config(&keys, MOCK)) };
    let served = |gateway: &Workerd| {
        (0..6).filter(|_| chat(gateway.url(), "team-key").status == 200).count()
    };
    let first = served(&Workerd::start(&options).unwrap());
    let second = served(&Workerd::start(&options).unwrap());
    assert_eq!(first, 6);
    // The bucket refills one request in ten seconds; a restart takes a few.
    assert!(second <= 2, "{second} were served after the restart");
}

#[test]
fn each_key_and_model_has_its_own_bucket() {
    let keys = caller(
        "team",
        "limits = { requests_per_minute = 50 }\nmodel_limits = { scarce = { requests_per_minute = 2 } }",
    ) + &caller("other", "");
    let models = "[models.mock]\ntargets = [{ provider = \"mock\", model = \"mock-1\" }]\n\
                  [models.scarce]\ntargets = [{ provider = \"mock\", model = \"mock-1\" }]\n\
                  limits = { requests_per_minute = 5 }\n";
    let gateway = Workerd::start(&Options::with_config(config(&keys, models))).unwrap();
    let ask = |key: &str, model: &str| {
        let mut body = hello();
        body["model"] = json!(model);
        post(&format!("{}/v1/chat/completions", gateway.url()), key, &body).unwrap().status
    };
    let scarce: Vec<u16> = (0..4).map(|_| ask("team-key", "scarce")).collect();
    assert_eq!(scarce, [200, 200, 429, 429], "key and model together");
    assert_eq!(ask("team-key", "mock"), 200, "the key's other model is free");
    let others: Vec<u16> = (0..5).map(|_| ask("other-key", "scarce")).collect();
    assert_eq!(others, [200, 200, 200, 429, 429], "refused calls took nothing from the model");
}

#[test]
fn tokens_are_settled_with_what_was_really_used() {
    let provider =
        Provider::playing(vec![provider::json_reply(200, &[], &provider::completion("short"))])
            .unwrap();
    let keys = caller("team", "limits = { tokens_per_minute = 3000 }");
    let models = format!(
        "[providers.local]\nkind = \"openai\"\nbase_url = \"{}\"\n\
         [models.mock]\ntargets = [{{ provider = \"local\", model = \"m\" }}]\ncache = {{ enabled = false }}\n",
        provider.base_url()
    );
    let gateway = Workerd::start(&Options::with_config(config(&keys, &models))).unwrap();
    // Each reserves about 1 000 and uses 15: were reserves kept, the fourth would be refused.
    let mut body = hello();
    body["max_tokens"] = json!(1000);
    let url = format!("{}/v1/chat/completions", gateway.url());
    let replies: Vec<Reply> = (0..8).map(|_| post(&url, "team-key", &body).unwrap()).collect();
    assert!(replies.iter().all(|reply| reply.status == 200), "{}", replies[7].text());
    let left = remaining(&replies[7], "tokens");
    body["max_tokens"] = json!(4000);
    let refused = post(&url, "team-key", &body).unwrap();
    assert_eq!(refused.code(), "token_limit_exceeded", "{}", refused.text());
    assert!(left > 1500, "{left} tokens are left");
}

#[test]
fn a_cache_hit_takes_a_request_and_no_tokens() {
    let keys = caller("team", "limits = { requests_per_minute = 10, tokens_per_minute = 100000 }");
    let models = "[models.mock]\ntargets = [{ provider = \"mock\", model = \"mock-1\" }]\n";
    let gateway = Workerd::start(&Options::with_config(config(&keys, models))).unwrap();
    let miss = chat(gateway.url(), "team-key");
    let hit = chat(gateway.url(), "team-key");
    assert_eq!(miss.header("tollhouse-cache"), Some("miss"));
    assert_eq!(hit.header("tollhouse-cache"), Some("hit"));
    assert_eq!(remaining(&hit, "requests"), 8);
    assert!(remaining(&hit, "tokens") >= remaining(&miss, "tokens"));
}

#[test]
fn a_caller_who_leaves_pays_for_what_was_used_and_no_more() {
    let words = vec!["word "; 20];
    let mut steps = provider::chat_stream(&words);
    steps.truncate(6);
    steps.push(Step::Stall);
    let provider = Provider::playing(vec![steps]).unwrap();
    let keys = caller("team", "limits = { tokens_per_minute = 5000 }");
    let models = format!(
        "[providers.local]\nkind = \"openai\"\nbase_url = \"{}\"\n\
         [models.mock]\ntargets = [{{ provider = \"local\", model = \"m\" }}]\ncache = {{ enabled = false }}\n",
        provider.base_url()
    );
    let gateway = Workerd::start(&Options::with_config(config(&keys, &models))).unwrap();
    let mut body = hello();
    body["stream"] = json!(true);
    body["max_tokens"] = json!(2000);
    let url = format!("{}/v1/chat/completions", gateway.url());
    // The provider is called off each time, and the reserve of 2 000 comes back each time.
    for n in 1..=4 {
        leave_after(&url, "team-key", &body, |seen| seen.contains("word")).unwrap();
        assert!(
            provider.wait_until(|seen| seen.iter().filter(|seen| seen.cancelled).count() == n),
            "{n}"
        );
    }
    body["stream"] = json!(false);
    body["max_tokens"] = json!(4000);
    let refused =
        post_with(&url, "team-key", &[], &json!({"model": "mock", "messages": []})).unwrap();
    assert_eq!(refused.status, 400);
}

fn scratch(name: &str) -> PathBuf {
    let folder = root().unwrap().join(format!("target/scratch/{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn calls_are_refused_while_the_limiter_is_out_of_reach_unless_configured_otherwise() {
    for outage in [Outage::Failing, Outage::Silent] {
        let keys = caller("team", "limits = { requests_per_minute = 20 }") + &caller("free", "");
        let start = |more: &str| {
            let config = config(&keys, &format!("{MOCK}{more}"));
            let options = Options { limiter: Some(outage), ..Options::with_config(config) };
            Workerd::start(&options).unwrap()
        };
        let refusing = start("");
        let refused = chat(refusing.url(), "team-key");
        assert_eq!((refused.status, refused.code().as_str()), (503, "limiter_unavailable"));
        assert_eq!(chat(refusing.url(), "free-key").status, 200, "no limit needs it");

        let admitting = start("[limits]\non_unreachable = \"admit\"\n");
        for _ in 0..3 {
            assert_eq!(chat(admitting.url(), "team-key").status, 200);
        }
        eventually("a line that says so", || admitting.log().contains("\"verdict\":\"unchecked\""));
    }
}
