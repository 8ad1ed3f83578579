use proptest::prelude::*;
use serde_json::{Map, Value as Reference};

use super::*;
use crate::openai::samples::{PLAIN, REASONING, model};

/// In every string that a caller sends below.
const CANARY: &str = "canary";

fn endpoint() -> impl Strategy<Value = Endpoint> {
    prop::sample::select(Endpoint::ALL.to_vec())
}

/// Every name that a table or a rule knows.
fn known_name() -> impl Strategy<Value = String> {
    let deeper = [
        "role",
        "content",
        "type",
        "text",
        "image_url",
        "url",
        "tool_calls",
        "function",
        "name",
        "arguments",
        "json_schema",
        "schema",
        "include_usage",
        "voice",
        "format",
        "id",
    ];
    let names = Endpoint::ALL.into_iter().flat_map(|endpoint| fields(endpoint).iter());
    let names: Vec<_> = names.map(|field| field.name).chain(deeper).map(str::to_owned).collect();
    prop::sample::select(names)
}

/// Trees of known names around values of every kind.
fn tree() -> impl Strategy<Value = Reference> {
    let words = ["user", "assistant", "tool", "text", "image_url", "function", "json_schema"];
    let leaf = prop_oneof![
        Just(Reference::Null),
        any::<bool>().prop_map(Reference::from),
        any::<i64>().prop_map(Reference::from),
        any::<f64>().prop_map(Reference::from),
        prop::sample::select(words.to_vec()).prop_map(Reference::from),
        Just(Reference::from(CANARY)),
    ];
    leaf.prop_recursive(6, 60, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Reference::from),
            prop::collection::btree_map(known_name(), inner, 0..5)
                .prop_map(|members| members.into_iter().collect::<Reference>()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_body_is_accepted_or_refused_without_repeating_what_it_says(
        endpoint in endpoint(),
        members in prop::collection::btree_map(known_name(), tree(), 0..8),
        reasoning: bool,
    ) {
        let members: Map<_, _> = members.into_iter().collect();
        let body = Reference::from(members).to_string();
        let body = Arc::new(Envelope::parse(body.into_bytes()).unwrap());
        let model = model("fast", &[if reasoning { REASONING } else { PLAIN }]);
        let refusals = [
            requested_model(endpoint, &body).err(),
            validate(endpoint, Arc::clone(&body), &model).err(),
        ];
        for refusal in refusals.into_iter().flatten() {
            prop_assert!(!refusal.message.contains(CANARY), "{}", refusal.message);
            prop_assert!(refusal.param.is_some());
        }
    }
}

#[test]
fn a_long_list_of_wrong_things_is_told_briefly() {
    let body = format!(r#"{{"model":"fast","input":["a"{}]}}"#, ",1".repeat(500_000));
    let body = Arc::new(Envelope::parse(body.into_bytes()).unwrap());
    let refusal = validate(Endpoint::Embeddings, body, &model("fast", &[PLAIN])).unwrap_err();
    assert!(refusal.message.len() < 2000);
    assert!(refusal.message.ends_with("; and 499985 more"), "{}", refusal.message);
}
