use proptest::prelude::*;
use serde_json::{Map, Value as Reference, json};

use super::*;
use crate::config::valid::Dialect;
use crate::openai::samples::{OLD, PLAIN, REASONING, model, target};
use crate::openai::validate;

fn effective(endpoint: Endpoint, body: &str) -> Effective {
    let body = Envelope::parse(body.as_bytes().to_vec()).unwrap();
    validate(endpoint, Arc::new(body), &model("fast", &[PLAIN, REASONING])).unwrap()
}

fn chat(body: &Reference) -> Effective {
    effective(Endpoint::ChatCompletions, &body.to_string())
}

/// A field as it stands in a body: its key and its exact bytes.
fn raw_fields(body: &Envelope) -> Vec<(String, String)> {
    let raw = |value: Value<'_>| value.raw().to_owned();
    body.root().members().map(|member| (raw(member.key), raw(member.value))).collect()
}

fn dialect() -> impl Strategy<Value = Dialect> {
    prop::sample::select(vec![PLAIN, REASONING, OLD])
}

/// Any fields that the API does not know, in any spelling.
fn unknown_fields() -> impl Strategy<Value = Vec<(String, String)>> {
    let value = prop::sample::select(vec![
        "1.0",
        "1e2",
        "-0",
        "null",
        "\"\\u0041\"",
        "[ ]",
        "{ \"a\" : [1,2] }",
        "true",
        "\"日本\"",
        "123456789012345678901234567890",
    ]);
    prop::collection::btree_map("x_[a-z]{1,8}", value, 0..6).prop_map(|fields| {
        fields.into_iter().map(|(key, value)| (format!("\"{key}\""), value.to_owned())).collect()
    })
}

fn asked() -> impl Strategy<Value = Map<String, Reference>> {
    let field = |name: &'static str, value: BoxedStrategy<Reference>| {
        prop::option::of(value).prop_map(move |value| value.map(|value| (name.to_owned(), value)))
    };
    let limit = prop::sample::select(vec!["max_tokens", "max_completion_tokens"]);
    (
        field("temperature", prop::sample::select(vec![json!(0), json!(0.7), json!(null)]).boxed()),
        field("top_p", prop::sample::select(vec![json!(0.5), json!(1), json!(null)]).boxed()),
        field("n", (1_u64..=128).prop_map(Reference::from).boxed()),
        field("stop", Just(json!(["a"])).boxed()),
        prop::option::of((limit, 1_u64..=4096)),
        prop::option::of(any::<bool>()),
        prop::option::of(any::<bool>()),
    )
        .prop_map(|(temperature, top_p, n, stop, limit, stream, usage)| {
            let mut body: Map<_, _> = [temperature, top_p, n, stop].into_iter().flatten().collect();
            body.extend(limit.map(|(name, value)| (name.to_owned(), value.into())));
            body.extend(stream.map(|stream| ("stream".to_owned(), stream.into())));
            if stream == Some(true) {
                let options = usage.map(|usage| json!({ "include_usage": usage }));
                body.extend(options.map(|options| ("stream_options".to_owned(), options)));
            }
            body
        })
}

/// A chat body of the given fields, the unknown ones as spelt.
fn body_of(asked: &Map<String, Reference>, unknown: &[(String, String)]) -> String {
    let known = json!({ "model": "fast", "messages": [{ "role": "user", "content": "hi" }] });
    let known = known.as_object().unwrap().iter().chain(asked);
    let known = known.map(|(key, value)| format!("\"{key}\":{value}"));
    let unknown = unknown.iter().map(|(key, value)| format!("{key} : {value}"));
    format!("{{{}}}", known.chain(unknown).collect::<Vec<_>>().join(" , "))
}

proptest! {
    #[test]
    fn unknown_fields_reach_every_target_byte_for_byte_and_in_order(
        asked in asked(), unknown in unknown_fields(), dialect in dialect(),
    ) {
        let request = effective(Endpoint::ChatCompletions, &body_of(&asked, &unknown));
        let sent = Envelope::parse(request.body_for(&target("there", dialect))).unwrap();
        let arrived: Vec<_> =
            raw_fields(&sent).into_iter().filter(|(key, _)| key.starts_with("\"x_")).collect();
        prop_assert_eq!(arrived, unknown);
    }

    #[test]
    fn what_is_sent_is_valid_and_in_the_targets_dialect(
        asked in asked(), unknown in unknown_fields(), dialect in dialect(),
    ) {
        let request = effective(Endpoint::ChatCompletions, &body_of(&asked, &unknown));
        let sent = Envelope::parse(request.body_for(&target("there", dialect))).unwrap();
        prop_assert!(sent.root().get("model").unwrap().is_str("there"));
        let has = |name| sent.present(name).is_some();
        prop_assert_eq!(has("temperature"), dialect.sampling);
        prop_assert_eq!(has("top_p"), dialect.sampling);
        prop_assert_eq!(has("max_completion_tokens"), dialect.max_completion_tokens);
        prop_assert_eq!(has("max_tokens"), !dialect.max_completion_tokens);
        let asks_usage = sent
            .present("stream_options")
            .and_then(|options| options.get("include_usage"))
            .and_then(Value::as_bool);
        let expected = (request.delivery().is_stream() && dialect.stream_usage).then_some(true);
        prop_assert_eq!(asks_usage, expected);
    }

    #[test]
    fn sending_what_was_sent_changes_nothing(asked in asked(), unknown in unknown_fields()) {
        let request = effective(Endpoint::ChatCompletions, &body_of(&asked, &unknown));
        let once = request.body_for(&target("fast", PLAIN));
        let again = effective(Endpoint::ChatCompletions, std::str::from_utf8(&once).unwrap());
        prop_assert_eq!(again.body_for(&target("fast", PLAIN)), once);
        prop_assert_eq!(again.generation, request.generation);
    }

    #[test]
    fn a_longer_prompt_is_never_estimated_shorter(text: String, more: String) {
        let short = chat(&json!({ "model": "m", "messages": [{ "role": "user", "content": text }] }));
        let long = chat(&json!({ "model": "m", "messages": [
            { "role": "user", "content": format!("{text}{more}") },
        ] }));
        prop_assert!(short.prompt_estimate() <= long.prompt_estimate());
    }
}

#[test]
fn a_model_name_is_escaped_in_the_body() {
    let request = chat(&json!({ "model": "m", "messages": [{ "role": "user", "content": "x" }] }));
    let sent = request.body_for(&target("a\"b\\c", PLAIN));
    let sent: Reference = serde_json::from_slice(&sent).unwrap();
    assert_eq!(sent["model"], "a\"b\\c");
}

#[test]
fn tools_and_images_count_into_the_estimate() {
    let plain = json!({ "model": "m", "messages": [{ "role": "user", "content": "x" }] });
    let mut with_tools = plain.clone();
    with_tools["tools"] = json!([{ "type": "function", "function": { "name": "f".repeat(60) } }]);
    assert!(chat(&with_tools).prompt_estimate().0 >= chat(&plain).prompt_estimate().0 + 15);
    let image =
        json!({ "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA" } });
    let with_image = json!({ "model": "m", "messages": [{ "role": "user", "content": [image] }] });
    // The picture's bytes are not text.
    assert_eq!(chat(&with_image).prompt_estimate(), Tokens(3 + 4 + 1500));
}

#[test]
fn the_output_of_a_hostile_batch_saturates() {
    let request = effective(
        Endpoint::Completions,
        r#"{"model":"m","prompt":["a","b"],"n":128,"max_tokens":4096}"#,
    );
    assert_eq!(request.max_output(), Tokens(2 * 128 * 4096));
}

#[test]
fn every_prompt_of_a_batch_has_its_choices() {
    let of_chat = |n: Reference| {
        let messages = json!([{ "role": "user", "content": "x" }]);
        chat(&json!({ "model": "m", "messages": messages, "n": n })).choices()
    };
    assert_eq!((of_chat(Reference::Null), of_chat(json!(3))), (1, 3));
    let of_prompts = |prompts: &str| {
        let body = format!(r#"{{"model":"m","prompt":{prompts},"n":2,"best_of":5}}"#);
        effective(Endpoint::Completions, &body).choices()
    };
    assert_eq!((of_prompts(r#"["a","b"]"#), of_prompts("[1,2,3]")), (4, 2));
    assert_eq!(effective(Endpoint::Embeddings, r#"{"model":"m","input":"x"}"#).choices(), 0);
}
