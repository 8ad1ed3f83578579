use std::collections::HashSet;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value as Reference, json};

use super::*;
use crate::openai::samples::{PLAIN, REASONING, model};
use crate::openai::{Endpoint, Envelope, validate};

const SETTING: Setting<'_> = Setting {
    variant: None,
    tenant: Tenant::Key("team-a"),
    alias: "fast",
    targets: &["openai/gpt", "gpu/llama"],
    policy: &[7; 32],
};

fn key_in(setting: &Setting<'_>, endpoint: Endpoint, body: &str) -> CacheKey {
    let envelope = Envelope::parse(body.as_bytes().to_vec()).unwrap();
    let model = model("fast", &[PLAIN]);
    cache_key(setting, &validate(endpoint, Arc::new(envelope), &model).unwrap())
}

fn key(body: &str) -> CacheKey {
    key_in(&SETTING, Endpoint::ChatCompletions, body)
}

fn with(field: &str) -> CacheKey {
    key(&format!(r#"{{"model":"fast","messages":[{{"role":"user","content":"hi"}}]{field}}}"#))
}

#[test]
fn spelling_does_not_matter() {
    let plain = with("");
    for same in [
        r#","temperature":0.1,"top_p":1,"max_tokens":500,"n":1,"stream":false"#,
        r#","temperature":1e-1,"top_p":1.0"#,
        r#","temperature":null,"max_completion_tokens":500"#,
        r#","stop":null,"seed":null,"stream_options":null"#,
        r#","stream":null , "n" : null"#,
    ] {
        assert_eq!(with(same), plain, "{same}");
    }
    let unordered = r#"
        { "mess\u0061ges" : [ { "content" : "h\u0069", "role" : "user" } ], "model" : "fast" }"#;
    assert_eq!(key(unordered), plain);
    assert_eq!(
        with(r#","stream":true,"stream_options":{"include_usage":true}"#),
        with(r#","stream":true"#)
    );
    assert_eq!(with(r#","x":{"b":[1.0,2],"a":null}"#), with(r#","x":{"a":null,"b":[1,20e-1]}"#));
}

#[test]
fn every_difference_matters() {
    let fields = [
        "",
        r#","temperature":0.2"#,
        r#","temperature":0.10000001"#,
        r#","top_p":0.9"#,
        r#","max_tokens":499"#,
        r#","n":2"#,
        r#","stream":true"#,
        r#","stream":true,"stream_options":{"include_obfuscation":false}"#,
        r#","seed":1"#,
        r#","seed":2"#,
        r#","seed":9007199254740993"#,
        r#","seed":9007199254740992"#,
        r#","stop":"a""#,
        r#","stop":["a"]"#,
        r#","stop":["a","b"]"#,
        r#","stop":["b","a"]"#,
        r#","user":"u""#,
        r#","user":"v""#,
        r#","tools":[]"#,
        r#","tools":[{"type":"function","function":{"name":"f"}}]"#,
        r#","tools":[{"type":"function","function":{"name":"g"}}]"#,
        r#","response_format":{"type":"json_object"}"#,
        r#","response_format":{"type":"text"}"#,
        r#","logit_bias":{"1":2}"#,
        r#","logit_bias":{"1":-2}"#,
        r#","x":null"#,
        r#","x":false"#,
        r#","x":true"#,
        r#","x":0"#,
        r#","x":"""#,
        r#","x":"0""#,
        r#","x":[]"#,
        r#","x":{}"#,
        r#","x":[[]]"#,
        r#","x":[[],[]]"#,
        r#","x":["ab"]"#,
        r#","x":["a","b"]"#,
        r#","x":{"a":"b"}"#,
        r#","x":{"ab":""}"#,
        r#","x":1e99999999999999999999"#,
        r#","x":2e99999999999999999999"#,
        r#","xx":null"#,
    ];
    let keys: HashSet<_> = fields.iter().map(|field| with(field)).collect();
    assert_eq!(keys.len(), fields.len());
}

#[test]
fn who_and_where_matter() {
    let body = r#"{"model":"fast","messages":[{"role":"user","content":"hi"}]}"#;
    let settings = [
        SETTING,
        Setting { tenant: Tenant::Key("team-b"), ..SETTING },
        Setting { tenant: Tenant::Key(""), ..SETTING },
        Setting { tenant: Tenant::Everyone, ..SETTING },
        Setting { alias: "fas", ..SETTING },
        Setting { variant: Some(("tone/warm", "0a1b2c3d")), ..SETTING },
        Setting { variant: Some(("tone/warm", "0a1b2c3e")), ..SETTING },
        Setting { variant: Some(("tone/plain", "0a1b2c3d")), ..SETTING },
        Setting { targets: &["openai/gpt"], ..SETTING },
        Setting { targets: &["openai/gptgpu/llama"], ..SETTING },
        Setting { targets: &["gpu/llama", "openai/gpt"], ..SETTING },
        Setting { targets: &[], ..SETTING },
        Setting { policy: &[8; 32], ..SETTING },
    ];
    let keys: HashSet<_> =
        settings.iter().map(|setting| key_in(setting, Endpoint::ChatCompletions, body)).collect();
    assert_eq!(keys.len(), settings.len());
}

#[test]
fn endpoints_do_not_share_answers() {
    let prompt =
        r#"{"model":"fast","prompt":"a","input":"a","messages":[{"role":"user","content":"a"}]}"#;
    let keys: HashSet<_> = Endpoint::ALL.map(|endpoint| key_in(&SETTING, endpoint, prompt)).into();
    assert_eq!(keys.len(), 3);
}

#[test]
fn an_embeddings_own_unknown_fields_are_in_its_key() {
    let keys: HashSet<_> =
        ["", r#","temperature":1"#, r#","n":2"#, r#","stream_options":{"include_usage":true}"#]
            .map(|field| {
                key_in(
                    &SETTING,
                    Endpoint::Embeddings,
                    &format!(r#"{{"model":"fast","input":"a"{field}}}"#),
                )
            })
            .into();
    assert_eq!(keys.len(), 4);
}

#[test]
fn a_model_that_takes_no_sampling_ignores_the_value_it_ignores() {
    let key = |body: &str| {
        let body = Envelope::parse(body.as_bytes().to_vec()).unwrap();
        let model = model("thinker", &[REASONING]);
        cache_key(&SETTING, &validate(Endpoint::ChatCompletions, Arc::new(body), &model).unwrap())
    };
    assert_eq!(
        key(r#"{"model":"thinker","messages":[{"role":"user","content":"a"}]}"#),
        key(r#"{"model":"thinker","messages":[{"role":"user","content":"a"}],"temperature":1}"#),
    );
}

#[test]
fn the_form_is_the_one_that_stored_answers_were_kept_under() {
    // A change here makes every stored answer unreachable: raise the number in `FORM` with it.
    assert_eq!(
        with("").to_hex(),
        "a6292fcc2f5dafbdf67440458b799b49e80ed603f3ceb18a6abb28dd94bbbd59"
    );
}

fn tree() -> impl Strategy<Value = Reference> {
    let leaf = prop_oneof![
        Just(Reference::Null),
        any::<bool>().prop_map(Reference::from),
        any::<i64>().prop_map(Reference::from),
        "[a-c]{0,2}".prop_map(Reference::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Reference::from),
            prop::collection::btree_map("[a-c]{0,2}", inner, 0..4)
                .prop_map(|members| members.into_iter().collect::<Reference>()),
        ]
    })
}

/// Writes a tree with its keys backwards and space everywhere.
fn respelt(value: &Reference) -> String {
    match value {
        Reference::Array(items) => {
            format!(" [ {} ] ", items.iter().map(respelt).collect::<Vec<_>>().join(" ,\n"))
        }
        Reference::Object(members) => {
            let members = members.iter().rev();
            let members =
                members.map(|(key, value)| format!(" {} : {}", json!(key), respelt(value)));
            format!(" {{ {} }}\t", members.collect::<Vec<_>>().join(" , "))
        }
        Reference::Number(number) if number.as_i64() != Some(0) => format!("{number}.00e0"),
        other => other.to_string(),
    }
}

proptest! {
    #[test]
    fn order_space_and_spelling_never_matter(tree in tree()) {
        prop_assert_eq!(with(&format!(",\"x\":{tree}")), with(&format!(",\"x\":{}", respelt(&tree))));
    }

    #[test]
    fn different_trees_have_different_keys(first in tree(), second in tree()) {
        let keys = [&first, &second].map(|tree| with(&format!(",\"x\":{tree}")));
        prop_assert_eq!(first == second, keys[0] == keys[1]);
    }
}
