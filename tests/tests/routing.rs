//! Which target is asked: by weight, by speed, and what is said of models past their day.

use std::time::Duration;

use serde_json::json;
use tollhouse_tests::{
    client::{Reply, post},
    provider::{Provider, Step, completion, json_reply},
    workerd::{Options, Workerd},
};

fn fine() -> Vec<Step> {
    json_reply(200, &[], &completion("fine"))
}

fn after(millis: u64) -> Vec<Step> {
    let mut steps = vec![Step::Wait(Duration::from_millis(millis))];
    steps.extend(fine());
    steps
}

fn gateway(providers: &[&Provider], models: &str) -> Workerd {
    let mut config = String::from(
        "version = 1\n[auth]\nmode = \"open\"\n[defaults]\ncache = { enabled = false }\n",
    );
    for (index, provider) in providers.iter().enumerate() {
        let base_url = provider.base_url();
        config += &format!("[providers.p{index}]\nkind = \"openai\"\nbase_url = \"{base_url}\"\n");
    }
    Workerd::start(&Options::with_config(config + models)).unwrap()
}

fn ask(gateway: &Workerd, model: &str) -> Reply {
    let body = json!({"model": model, "messages": [{"role": "user", "content": "Hello"}]});
    post(&format!("{}/v1/chat/completions", gateway.url()), "", &body).unwrap()
}

#[test]
fn weights_share_the_calls_out() {
    let providers = [fine(), fine()].map(|answer| Provider::playing(vec![answer]).unwrap());
    let gateway = gateway(
        &providers.each_ref(),
        "[models.m]\nstrategy = \"weighted\"\ntargets = [\n\
         { provider = \"p0\", model = \"a\", weight = 3 },\n\
         { provider = \"p1\", model = \"b\", weight = 1 },\n\
]\n",
    );
    for _ in 0..160 {
        assert_eq!(ask(&gateway, "m").status, 200);
    }
    let [first, second] = providers.each_ref().map(|provider| provider.seen().len());
    assert_eq!(first + second, 160);
    // 120 are expected of the first; six standard deviations are 33.
    assert!((87..=153).contains(&first), "{first} and {second}");
}

#[test]
fn a_weighted_target_that_fails_is_fallen_over_from() {
    let down = Provider::playing(vec![json_reply(503, &[], &json!({}))]).unwrap();
    let well = Provider::playing(vec![fine()]).unwrap();
    let gateway = gateway(
        &[&down, &well],
        "[models.m]\nstrategy = \"weighted\"\ntargets = [\n\
         { provider = \"p0\", model = \"a\", weight = 1000 },\n\
         { provider = \"p1\", model = \"b\", weight = 1 },\n]\n",
    );
    let replies: Vec<Reply> = (0..5).map(|_| ask(&gateway, "m")).collect();
    assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
    assert!(replies.iter().all(|reply| reply.header("tollhouse-provider") == Some("p1")));
}

#[test]
fn the_fastest_target_is_asked_until_it_is_not_the_fastest() {
    let steady = Provider::playing(vec![after(200)]).unwrap();
    let fading = Provider::start(|call, _| if call < 12 { fine() } else { after(2500) }).unwrap();
    let gateway = gateway(
        &[&steady, &fading],
        "[models.m]\nstrategy = \"fastest\"\ntargets = [\n\
         { provider = \"p0\", model = \"a\" },\n{ provider = \"p1\", model = \"b\" },\n]\n",
    );
    let served: Vec<String> = (0..18)
        .map(|_| ask(&gateway, "m").header("tollhouse-provider").unwrap_or_default().to_owned())
        .collect();
    // Each is found out about once; then the fast one has the calls until it slows down.
    assert_eq!(served[..2], ["p0", "p1"]);
    assert_eq!(served[2..14], ["p1"; 12]);
    assert_eq!(served[14..], ["p0"; 4]);
}

#[test]
fn a_retired_model_is_refused_warned_of_or_allowed_as_configured() {
    let provider = Provider::playing(vec![fine()]).unwrap();
    let target = "targets = [{ provider = \"p0\", model = \"old\", retires = \"2026-01-31\", successor = \"new\" }]\n";
    let gateway = gateway(
        &[&provider],
        &format!(
            "[models.refused]\n{target}deprecated = \"refuse\"\n\
             [models.warned]\n{target}deprecated = \"warn\"\n\
             [models.allowed]\n{target}deprecated = \"allow\"\n"
        ),
    );
    let refused = ask(&gateway, "refused");
    assert_eq!((refused.status, refused.code().as_str()), (410, "model_deprecated"));
    assert!(refused.text().contains("new"), "{}", refused.text());
    assert!(provider.seen().is_empty());

    let warned = ask(&gateway, "warned");
    assert_eq!(warned.status, 200, "{}", warned.text());
    let warning = warned.header("warning").unwrap();
    assert!(warning.contains("2026-01-31") && warning.contains("new"), "{warning}");

    let allowed = ask(&gateway, "allowed");
    assert_eq!((allowed.status, allowed.header("warning")), (200, None));
}

#[test]
fn the_price_table_knows_which_models_are_retired() {
    let provider = Provider::playing(vec![fine()]).unwrap();
    let gateway = gateway(
        &[&provider],
        "[models.m]\ntargets = [{ provider = \"p0\", model = \"gpt-4\" }]\ndeprecated = \"refuse\"\n",
    );
    let refused = ask(&gateway, "m");
    assert_eq!((refused.status, refused.code().as_str()), (410, "model_deprecated"));
    assert!(refused.text().contains("2026-10-23"), "{}", refused.text());
}
