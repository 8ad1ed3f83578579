use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{
    config::{self, Source, valid::Config},
    experiments::seal::{open, seal},
    openai::{Endpoint, json::Envelope},
    record::{RequestId, sample},
    refusal::Code,
    units::UnixMs,
};

const CONFIG: &str = r#"
version = 1
[[auth.keys]]
id = "team-a"
sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
[providers.mock]
kind = "mock"
[models.fast]
targets = [{ provider = "mock", model = "mock" }]
[models.slow]
targets = [{ provider = "mock", model = "slow" }]
[experiments.tone]
model = "fast"
header = "X-User"
[experiments.tone.variants.a]
share = 0.5
[experiments.tone.variants.b]
share = 0.3
model = "slow"
params = { temperature = 0.7 }
"#;

fn load(text: &str) -> Config {
    let source = Source { name: "tests", text };
    config::load(source, &[], UnixMs(1_795_392_000_000)).unwrap_or_else(|e| panic!("{e}")).config
}

fn experiment(text: &str) -> Arc<Experiment> {
    load(text).experiments["fast"].clone()
}

fn dealt(experiment: &Experiment, user: &str) -> Option<String> {
    let header = |name: &str| (name == "x-user").then_some(user);
    deal(experiment, "team-a", header).map(|variant| variant.name.clone())
}

fn envelope(text: &str) -> Envelope {
    Envelope::parse(text.as_bytes().to_vec()).unwrap()
}

#[test]
fn variants_get_the_shares_that_are_written() {
    let experiment = experiment(CONFIG);
    let mut counts: BTreeMap<Option<String>, u32> = BTreeMap::new();
    for user in 0..20_000 {
        *counts.entry(dealt(&experiment, &user.to_string())).or_default() += 1;
    }
    for (name, share) in [(Some("a"), 10_000), (Some("b"), 6000), (None, 4000)] {
        let count = counts[&name.map(str::to_owned)];
        assert!(count.abs_diff(share) < 300, "{name:?}: {count}");
    }
}

#[test]
fn without_the_header_the_key_decides() {
    let experiment = experiment(CONFIG);
    let name = |key: &str, value: Option<&'static str>| {
        deal(&experiment, key, |_| value).map(|variant| variant.name.clone())
    };
    for key in ["one", "two", "three", "four"] {
        assert_eq!(name(key, None), name(key, Some("  ")), "an empty header is none");
        assert_eq!(name(key, Some("u1")), name("other", Some("u1")), "the header alone counts");
    }
    let keys = (0..50).map(|key| name(&key.to_string(), None));
    assert!(keys.collect::<std::collections::BTreeSet<_>>().len() > 1);
}

#[test]
fn a_variant_is_the_model_with_what_it_changes() {
    let config = load(CONFIG);
    let variant = &config.experiments["fast"].variants[1];
    assert_eq!((variant.id.as_str(), variant.model.name.as_str()), ("tone/b", "fast"));
    assert_eq!(variant.model.targets[0].id, "mock/slow");
    assert!((variant.model.params.temperature - 0.7).abs() < f64::EPSILON);
    assert_eq!(variant.model.params.max_tokens, config.models["fast"].params.max_tokens);
    for (name, value) in [("temperature", "0.7"), ("model", "slow"), ("targets", "mock/slow")] {
        assert!(variant.settings.contains(&(name.to_owned(), value.to_owned())), "{name}");
    }
}

#[test]
fn the_version_changes_with_what_a_variant_does_and_not_with_its_share() {
    let version = |text: &str| experiment(text).variants[1].version.clone();
    let first = version(CONFIG);
    assert_eq!(version(&CONFIG.replace("share = 0.3", "share = 0.1")), first);
    assert_ne!(version(&CONFIG.replace("= 0.7", "= 0.8")), first);
    assert_ne!(version(&format!("{CONFIG}template = \"Well: {{prompt}}\"")), first);
    assert_ne!(version(&CONFIG.replace("model = \"slow\" }]", "model = \"other\" }]")), first);
}

proptest! {
    #[test]
    fn the_same_caller_gets_the_same_variant(user in "[ -~]{1,40}") {
        let one = experiment(CONFIG);
        prop_assert_eq!(dealt(&one, &user), dealt(&experiment(CONFIG), &user));
    }

    #[test]
    fn a_smaller_share_of_the_last_variant_moves_nobody_between_variants(user in "[a-z]{1,8}") {
        let (before, after) =
            (experiment(CONFIG), experiment(&CONFIG.replace("share = 0.3", "share = 0.1")));
        let (before, after) = (dealt(&before, &user), dealt(&after, &user));
        prop_assert!(before == after || (before.as_deref() == Some("b") && after.is_none()));
    }

    #[test]
    fn an_id_is_opened_by_its_own_key_alone(random in any::<u128>(), other in any::<u128>()) {
        let config = load(CONFIG);
        let (mine, theirs) = (sample::key("team-a"), sample::key("team-b"));
        let mut theirs = (*theirs).clone();
        theirs.digest = [7; 32];
        let variant = &config.experiments["fast"].variants[0];
        let id = seal(RequestId::new(random), Some(&mine), "fast", Some(variant));
        let origin = open(id, Some(&mine), &config).unwrap();
        prop_assert_eq!(origin.model, "fast");
        prop_assert_eq!(origin.variant, Some(("tone/a".to_owned(), variant.version.clone())));
        prop_assert_eq!(open(id, Some(&theirs), &config), None);
        prop_assert_eq!(open(id, None, &config), None);
        prop_assert_eq!(open(RequestId::new(other), Some(&mine), &config), None);
        let plain = seal(RequestId::new(random), Some(&mine), "slow", None);
        prop_assert_eq!(open(plain, Some(&mine), &config).unwrap().variant, None);
    }

    #[test]
    fn a_template_keeps_every_other_byte(
        text in ".{0,30}", before in ".{0,10}", behind in ".{0,10}", system in ".{1,10}",
    ) {
        let template = Template { system: Some(system.clone()), around: Some((before.clone(), behind.clone())) };
        let content = serde_json::Value::from(text.as_str());
        let body = format!(
            r#"{{"x":  1.50, "messages":[{{"role":"assistant","content":"a"}},{{"name":"n","role":"user","content":{content}}},{{"role":"assistant","content":"b"}}]}}"#
        );
        let written = template::apply(&template, Endpoint::ChatCompletions, &envelope(&body)).unwrap();
        let is: serde_json::Value = serde_json::from_str(&written).unwrap();
        let mut expected: serde_json::Value = serde_json::from_str(&body).unwrap();
        expected["messages"][1]["content"] = format!("{before}{text}{behind}").into();
        let all = expected["messages"].as_array_mut().unwrap();
        all.insert(0, serde_json::json!({"role": "system", "content": system}));
        prop_assert_eq!(is, expected);
        prop_assert!(written.contains("1.50"));
    }
}

use crate::config::valid::Template;

fn around() -> Template {
    Template { system: None, around: Some(("<".to_owned(), ">".to_owned())) }
}

#[test]
fn parts_of_a_message_are_put_between_two_parts_of_text() {
    let body = r#"{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:x"}}]}]}"#;
    let written = template::apply(&around(), Endpoint::ChatCompletions, &envelope(body)).unwrap();
    assert_eq!(
        written,
        r#"{"messages":[{"role":"user","content":[{"text":"<","type":"text"},{"type":"image_url","image_url":{"url":"data:x"}},{"text":">","type":"text"}]}]}"#
            .replace(r#"{"text":"<","type":"text"}"#, r#"{"type":"text","text":"<"}"#)
            .replace(r#"{"text":">","type":"text"}"#, r#"{"type":"text","text":">"}"#)
    );
}

#[test]
fn each_prompt_of_a_batch_is_filled_in_and_tokens_are_left_alone() {
    let template = Template { system: Some("Be brief.".to_owned()), ..around() };
    let write = |body: &str| template::apply(&template, Endpoint::Completions, &envelope(body));
    assert_eq!(
        write(r#"{"prompt":["a","b"]}"#).unwrap(),
        r#"{"prompt":["Be brief.\n\n<a>","Be brief.\n\n<b>"]}"#
    );
    assert_eq!(write(r#"{"prompt":[1,2]}"#), None);
    assert_eq!(template::apply(&template, Endpoint::Embeddings, &envelope("{}")), None);
    let silent = envelope(r#"{"messages":[{"role":"system","content":"a"}]}"#);
    assert_eq!(template::apply(&template, Endpoint::ChatCompletions, &silent), None);
}

fn say(body: &str) -> Result<feedback::Feedback, Code> {
    let config = load(CONFIG);
    let key = sample::key("team-a");
    let id = seal(RequestId::new(5 << 64), Some(&key), "slow", None);
    let body = body.replace("ID", &id.to_string());
    feedback::read(&envelope(&body), Some(&key), None, &config).map_err(|refusal| refusal.code)
}

#[test]
fn feedback_is_a_score_a_rating_or_a_label() {
    let said = say(r#"{"id":"ID","score":0.75,"rating":"up","label":"correct","comment":"fine"}"#);
    let said = said.unwrap();
    assert_eq!((said.score, said.rating), (Some(750_000), Some(feedback::Rating::Up)));
    assert_eq!((said.model.as_str(), said.variant.as_str()), ("slow", ""));
    assert_eq!(said.comment, None, "no text is kept unless it is asked for");
    let opinions: Vec<_> =
        said.opinions().into_iter().map(|opinion| (opinion.kind.name(), opinion.value)).collect();
    let expected = [("score", "0.8"), ("rating", "up"), ("label", "correct")];
    assert_eq!(opinions, expected.map(|(kind, value)| (kind, value.to_owned())));
}

#[test]
fn feedback_that_says_nothing_or_something_else_is_refused() {
    for (body, code) in [
        (r#"{"score":1}"#, Code::MissingField),
        (r#"{"id":7,"score":1}"#, Code::InvalidType),
        (r#"{"id":"chatcmpl-1","score":1}"#, Code::InvalidValue),
        (r#"{"id":"req_00000000000000050000000000000001","score":1}"#, Code::AnswerNotFound),
        (r#"{"id":"ID"}"#, Code::MissingField),
        (r#"{"id":"ID","score":1.01}"#, Code::InvalidValue),
        (r#"{"id":"ID","score":"1"}"#, Code::InvalidType),
        (r#"{"id":"ID","rating":"meh"}"#, Code::InvalidValue),
        (r#"{"id":"ID","label":"my secret"}"#, Code::InvalidValue),
        (r#"{"id":"ID","score":1,"stars":5}"#, Code::UnsupportedParameter),
        (r#"{"id":"ID","score":1,"comment":1}"#, Code::InvalidType),
    ] {
        assert_eq!(say(body).unwrap_err(), code, "{body}");
    }
}
