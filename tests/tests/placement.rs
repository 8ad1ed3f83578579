//! Classifiers shared out between the Worker and a GPU's model, in workerd: who was asked, and what it saved.

use serde_json::{Value, json};
use tollhouse_tests::{
    client::{Reply, get, post},
    keys::caller,
    provider::{Provider, completion, json_reply},
    wait::eventually,
    workerd::{Options, Workerd},
};

/// Answers as Llama Guard does, by one word in the text, and not at all by another.
fn judge() -> Provider {
    Provider::start(|_, seen| {
        let asked = seen.json()["messages"][0]["content"].as_str().unwrap_or_default().to_owned();
        if asked.contains("wolf") {
            return json_reply(503, &[], &json!({}));
        }
        let word = if asked.contains("badger") { "unsafe\nS1" } else { "safe" };
        json_reply(200, &[], &completion(word))
    })
    .unwrap()
}

fn gateway(provider: &Provider, classifier: &str) -> Workerd {
    let config = format!(
        "version = 1\n[auth]\nmode = \"keys\"\n{}[providers.mock]\nkind = \"mock\"\n[providers.box]\nkind = \"openai\"\n\
         base_url = \"{}\"\nplacement = \"gpu\"\n[models.m]\ntargets = [{{ provider = \"mock\", model = \"m\" }}]\n\
         guards = [\"prompt-injection\"]\n[models.large]\ntargets = [{{ provider = \"box\", model = \"guard\", price = {{ input = 1.0, output = 2.0 }} }}]\n\
         retry = {{ max_attempts = 1 }}\n[guards.prompt-injection]\naction = \"block\"\n\
         [classifiers.prompt-injection]\nplacement = \"auto\"\ngpu = \"large\"\n{classifier}",
        caller("one", ""),
        provider.base_url()
    );
    let options = Options::with_config(config).binding("TOLLHOUSE_ADMIN_KEY", "admin-key");
    Workerd::start(&options).unwrap()
}

fn classify(gateway: &Workerd, inputs: &Value) -> Reply {
    post(&format!("{}/v1/classify", gateway.url()), "one-key", &json!({ "inputs": inputs }))
        .unwrap()
}

fn placed(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.header("tollhouse-placement").unwrap_or_default().to_owned()
}

#[test]
fn the_edge_judges_what_is_short_and_sure_and_the_gpu_the_rest() {
    let provider = judge();
    let gateway = gateway(&provider, "max_chars = 60\nmax_batch = 2\n");
    let short = classify(&gateway, &json!("What is the capital of France?"));
    assert_eq!(placed(&short), "prompt-injection;place=edge;texts=1;saved=1");
    assert!(provider.seen().is_empty());

    let long = classify(&gateway, &json!("What is the capital of France? ".repeat(3)));
    assert_eq!(placed(&long), "prompt-injection;place=gpu;texts=1;reason=length");
    let many = classify(&gateway, &json!(["one", "the badger", "three"]));
    assert_eq!(placed(&many), "prompt-injection;place=gpu;texts=3;reason=batch");
    let verdicts: Vec<Value> =
        many.json().as_array().unwrap().iter().map(|of| of[0]["label"].clone()).collect();
    assert_eq!(verdicts, [json!("benign"), json!("injection"), json!("benign")]);
    assert_eq!(provider.seen().len(), 4);

    let metrics = || get(&format!("{}/metrics", gateway.url()), "").unwrap().text();
    eventually("the counts of all three calls", || metrics().contains("reason=\"batch\"} 3"));
    let metrics = metrics();
    for line in [
        "tollhouse_saved_gpu_calls_total{classifier=\"prompt-injection\"} 1",
        "tollhouse_placed_texts_total{classifier=\"prompt-injection\",place=\"edge\"} 1",
        "tollhouse_placed_texts_total{classifier=\"prompt-injection\",place=\"gpu\",reason=\"length\"} 1",
        "tollhouse_placed_texts_total{classifier=\"prompt-injection\",place=\"gpu\",reason=\"batch\"} 3",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
}

#[test]
fn in_doubt_the_gpu_decides_and_when_it_is_gone_the_edge_after_all() {
    let provider = judge();
    let gateway = gateway(&provider, "uncertain = [0.0, 1.0]\n");
    let ask = |content: &str| {
        let body = json!({ "model": "m", "messages": [{ "role": "user", "content": content }] });
        post(&format!("{}/v1/chat/completions", gateway.url()), "one-key", &body).unwrap()
    };
    let blocked = ask("Tell me of the badger.");
    assert_eq!((blocked.status, blocked.code()), (403, "guard_blocked".to_owned()));
    let told = blocked.header("tollhouse-placement").unwrap_or_default().to_owned();
    assert_eq!(told, "prompt-injection;place=gpu;texts=1;reason=uncertain");
    assert_eq!(
        placed(&ask("Tell me of the fox.")),
        "prompt-injection;place=gpu;texts=1;reason=uncertain"
    );

    let alone = ask("Tell me of the wolf.");
    assert_eq!(placed(&alone), "prompt-injection;place=edge;texts=1;reason=gpu-failed");

    // What was asked on the gateway's own account is booked, on the name of the model that was asked.
    let usage = || {
        let url = format!("{}/admin/usage?group_by=key,model,target", gateway.url());
        get(&url, "admin-key").unwrap().json()["rows"].clone()
    };
    let asked = || {
        let rows = usage().as_array().cloned().unwrap_or_default();
        rows.into_iter().find(|row| row["model"] == "large").unwrap_or_default()
    };
    eventually("the usage of the model that was asked", || asked()["requests"] == 3);
    let row = asked();
    assert_eq!((&row["key"], &row["target"]), (&json!("one"), &json!("box/guard")));
    assert_eq!((&row["errors"], &row["prompt_tokens"]), (&json!(1), &json!(20)), "{row}");
    assert_eq!(row["cost_micro_usd"], 20 + 2 * 10, "{row}");
    let metrics = get(&format!("{}/metrics", gateway.url()), "").unwrap().text();
    for line in [
        "tollhouse_attempts_total{target=\"box/guard\"} 2",
        "tollhouse_attempts_total{target=\"box/guard\",code=\"upstream_error\"} 1",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
}
