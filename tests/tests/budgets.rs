//! Budgets hold over isolates, restarts and concurrent callers, to the micro-dollar.

use std::{path::PathBuf, thread};

use serde_json::{Value, json};
use tollhouse_tests::{
    client::{Reply, get, post},
    keys::caller,
    provider::{self, Provider},
    wait::eventually,
    workerd::{Options, Workerd, root},
};

/// Each call costs 10 prompt and 5 completion tokens: 10 × 100 + 5 × 200 micro-dollars.
const COST: u64 = 2000;

/// A provider whose model costs 100 and 200 dollars a million tokens, and the gateway before it.
fn config(provider: &Provider, keys: &str, more: &str) -> String {
    format!(
        "version = 1\n[auth]\nmode = \"keys\"\n{keys}\n\
         [providers.local]\nkind = \"openai\"\nbase_url = \"{}\"\nplacement = \"api\"\n\
         [models.m]\ntargets = [{{ provider = \"local\", model = \"dear\", price = {{ input = 100.0, output = 200.0 }} }}]\ncache = {{ enabled = false }}\n\
         [models.unpriced]\ntargets = [{{ provider = \"local\", model = \"nobody-knows\" }}]\n\
         [models.free]\ntargets = [{{ provider = \"local\", model = \"ours\", price = {{ input = 0.0, output = 0.0 }} }}]\n\
         [telemetry]\nflush_ms = 200\n{more}",
        provider.base_url()
    )
}

fn answering() -> Provider {
    Provider::playing(vec![provider::json_reply(200, &[], &provider::completion("fine"))]).unwrap()
}

fn ask(url: &str, key: &str, model: &str) -> Reply {
    let body = json!({"model": model, "max_tokens": 10, "messages": [{"role": "user", "content": "Hello"}]});
    post(&format!("{url}/v1/chat/completions"), key, &body).unwrap()
}

fn scratch(name: &str) -> PathBuf {
    let folder = root().unwrap().join(format!("target/scratch/{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn concurrent_callers_on_three_isolates_never_overspend() {
    let provider = answering();
    // Room for 25 calls.
    let keys = caller("team", "budget = { usd = 0.05, per = \"month\" }");
    let options = Options::with_config(config(&provider, &keys, "")).isolates(3);
    let gateway = Workerd::start(&options).unwrap();
    let replies: Vec<Reply> = thread::scope(|scope| {
        let callers: Vec<_> = (0..60)
            .map(|n| {
                let gateway = &gateway;
                scope.spawn(move || ask(gateway.isolate(n % 3), "team-key", "m"))
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    let served = replies.iter().filter(|reply| reply.status == 200).count();
    let asked = provider.seen().len();
    assert_eq!(served, asked, "a refused call reaches no provider");
    assert!((1..=25).contains(&served), "{served} calls of {COST} micro-dollars were served");
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (429, "budget_exceeded"),
            "{}",
            reply.text()
        );
    }
}

#[test]
fn a_spent_budget_answers_finally_and_free_models_go_on() {
    let provider = answering();
    let keys = caller("team", "budget = { usd = 0.01, per = \"day\" }");
    let gateway = Workerd::start(&Options::with_config(config(&provider, &keys, ""))).unwrap();
    let replies: Vec<Reply> = (0..12).map(|_| ask(gateway.url(), "team-key", "m")).collect();
    let served = replies.iter().filter(|reply| reply.status == 200).count();
    // A call may cost some 2 900 micro-dollars and costs 2 000: four fit, not five.
    assert_eq!(served, 4, "{:?}", replies.iter().map(|reply| reply.status).collect::<Vec<_>>());
    let refused = replies.last().unwrap();
    assert_eq!(refused.code(), "budget_exceeded");
    assert_eq!(refused.header("x-should-retry"), Some("false"), "{:?}", refused.headers);
    assert_eq!(refused.json()["error"]["type"], "insufficient_quota");
    assert_eq!(ask(gateway.url(), "team-key", "free").status, 200);
}

#[test]
fn what_was_spent_survives_a_restart_of_the_objects() {
    let provider = answering();
    let keys = caller("team", "budget = { usd = 0.01, per = \"month\" }");
    let options = Options {
        persist: Some(scratch("budget-restart")),
        ..Options::with_config(config(&provider, &keys, ""))
    };
    let served = |gateway: &Workerd| {
        (0..8).filter(|_| ask(gateway.url(), "team-key", "m").status == 200).count()
    };
    let first = served(&Workerd::start(&options).unwrap());
    let second = served(&Workerd::start(&options).unwrap());
    assert_eq!((first, second), (4, 0));
}

#[test]
fn keys_of_a_team_spend_from_one_budget_and_a_model_has_its_own() {
    let provider = answering();
    let keys =
        caller("one", "team = \"web\"") + &caller("two", "team = \"web\"") + &caller("else", "");
    let more = "[teams.web]\nbudget = { usd = 0.01, per = \"week\" }\n\
                [models.scarce]\ntargets = [{ provider = \"local\", model = \"dear\", price = { input = 100.0, output = 200.0 } }]\n\
                cache = { enabled = false }\nbudget = { usd = 0.005, per = \"day\" }\n";
    let gateway = Workerd::start(&Options::with_config(config(&provider, &keys, more))).unwrap();
    let of_team: Vec<u16> = (0..6)
        .map(|n| ask(gateway.url(), if n % 2 == 0 { "one-key" } else { "two-key" }, "m").status)
        .collect();
    assert_eq!(of_team, [200, 200, 200, 200, 429, 429]);
    assert_eq!(ask(gateway.url(), "else-key", "m").status, 200, "not of the team");
    let scarce: Vec<u16> =
        (0..3).map(|_| ask(gateway.url(), "else-key", "scarce").status).collect();
    assert_eq!(scarce, [200, 200, 429]);
}

#[test]
fn a_spent_budget_falls_to_a_cheaper_model_where_one_is_configured() {
    let provider = answering();
    let keys = caller("team", "budget = { usd = 0.005, per = \"month\", cheaper = \"free\" }");
    let gateway = Workerd::start(&Options::with_config(config(&provider, &keys, ""))).unwrap();
    let replies: Vec<Reply> = (0..3).map(|_| ask(gateway.url(), "team-key", "m")).collect();
    let models: Vec<_> =
        replies.iter().map(|reply| (reply.status, reply.header("tollhouse-model"))).collect();
    assert_eq!(models, [(200, Some("dear")), (200, Some("dear")), (200, Some("ours"))]);
}

#[test]
fn a_call_of_unknown_price_is_refused_or_counts_nothing_as_configured() {
    let provider = answering();
    let keys = caller("team", "budget = { usd = 0.01, per = \"month\" }");
    let refusing = Workerd::start(&Options::with_config(config(&provider, &keys, ""))).unwrap();
    let refused = ask(refusing.url(), "team-key", "unpriced");
    assert_eq!((refused.status, refused.code().as_str()), (503, "price_unknown"));
    assert!(provider.seen().is_empty());
    let zero = config(&provider, &keys, "[budgets]\nunknown_price = \"zero\"\n");
    let counting = Workerd::start(&Options::with_config(zero)).unwrap();
    assert_eq!(ask(counting.url(), "team-key", "unpriced").status, 200);
}

fn usage(gateway: &Workerd, query: &str) -> Value {
    let reply = get(&format!("{}/admin/usage?{query}", gateway.url()), "admin-key").unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

#[test]
fn the_ledger_adds_up_to_what_the_provider_reported_over_shards_and_isolates() {
    let provider = Provider::start(|index, seen| {
        let stream = seen.json()["stream"] == json!(true);
        if stream {
            let words = vec!["word"; 1 + index % 7];
            return provider::chat_stream(&words);
        }
        let (prompt, completion) = (10 + index * 3, 5 + index % 4);
        let mut body = provider::completion("fine");
        body["usage"] = json!({"prompt_tokens": prompt, "completion_tokens": completion,
            "total_tokens": prompt + completion, "prompt_tokens_details": {"cached_tokens": index}});
        provider::json_reply(200, &[], &body)
    })
    .unwrap();
    let keys = caller("one", "") + &caller("two", "");
    let options = Options::with_config(config(&provider, &keys, "ledger_shards = 3\n"))
        .isolates(3)
        .binding("TOLLHOUSE_ADMIN_KEY", "admin-key");
    let gateway = Workerd::start(&options).unwrap();
    let (mut prompt, mut completion) = (0, 0);
    for n in 0..24 {
        let key = if n % 3 == 0 { "one-key" } else { "two-key" };
        let body = json!({"model": "m", "max_tokens": 50, "stream": n % 4 == 0,
            "stream_options": if n % 4 == 0 { json!({"include_usage": true}) } else { Value::Null },
            "messages": [{"role": "user", "content": format!("question {n}")}]});
        let url = format!("{}/v1/chat/completions", gateway.isolate(n % 3));
        let reply = post(&url, key, &body).unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text());
        // What the provider itself said, as the caller read it.
        let said = if n % 4 == 0 {
            let events = reply.events();
            let last = events.iter().rev().find(|event| event.contains("prompt_tokens")).unwrap();
            serde_json::from_str::<Value>(last).unwrap()["usage"].clone()
        } else {
            reply.json()["usage"].clone()
        };
        prompt += said["prompt_tokens"].as_u64().unwrap();
        completion += said["completion_tokens"].as_u64().unwrap();
    }
    let all = || usage(&gateway, "format=json")["rows"][0].clone();
    eventually("every call in the ledger", || all()["requests"] == 24);
    let sums = all();
    assert_eq!(sums["requests"], 24, "{sums}");
    assert_eq!(
        (&sums["prompt_tokens"], &sums["completion_tokens"]),
        (&json!(prompt), &json!(completion))
    );
    let by_key = usage(&gateway, "group_by=key&format=json");
    let requests: Vec<_> = by_key["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["requests"].as_u64().unwrap())
        .collect();
    assert_eq!(requests, [8, 16]);
    let url = format!("{}/admin/usage?group_by=model,target&format=csv", gateway.url());
    let csv = get(&url, "admin-key").unwrap();
    assert!(csv.header("content-type").is_some_and(|kind| kind.starts_with("text/csv")));
    let text = csv.text();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("model,target,requests,errors,"), "{text}");
    assert!(lines[1].starts_with("m,local/dear,24,0,") && lines.len() == 2, "{text}");
    assert_eq!(get(&url, "team-key").unwrap().status, 401, "operators alone may read it");
    let later = usage(&gateway, "from=2999-01-01");
    assert_eq!(later["rows"], json!([]));
}
