//! Variants of a model: who gets which, what it changes, and that their answers are kept apart.

use std::{collections::BTreeMap, rc::Rc};

use serde_json::{Value, json};
use tollhouse_core::pipeline::Gate;
use tollhouse_tests::fake::{Play, Request, World};

use crate::OPEN;

const TONE: &str = r#"
[models.m]
targets = [{ provider = "a", model = "x" }]
cache = { max_temperature = 2.0 }
guards = ["secrets"]
[guards.secrets]
action = "mask"
[experiments.tone]
model = "m"
header = "x-user"
[experiments.tone.variants.plain]
share = 0.5
[experiments.tone.variants.warm]
share = 0.5
targets = [{ provider = "b", model = "y" }]
params = { temperature = 0.9 }
system = "Be kind."
template = "Dear model: {prompt} Thanks."
"#;

fn gate(world: &Rc<World>, more: &str) -> Rc<Gate> {
    world.isolate(&format!("{OPEN}{TONE}{more}"))
}

fn chat(user: &str, more: &Value) -> Request {
    Request::chat("m", more).with("x-user", user)
}

fn header<'h>(headers: &'h str, name: &str) -> Option<&'h str> {
    headers.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}

/// Users, one for each variant.
fn users(world: &Rc<World>, gate: &Rc<Gate>) -> BTreeMap<String, String> {
    let mut users = BTreeMap::new();
    for user in (0..50).map(|n| format!("user-{n}")) {
        let more = json!({"user": user});
        let heard = world.serve(gate, chat(&user, &more));
        let variant = header(&heard.headers, "tollhouse-variant").unwrap().to_owned();
        users.entry(variant).or_insert(user);
    }
    assert!(users.keys().eq(["tone/plain", "tone/warm"]), "{users:?}");
    users
}

fn both_answer(world: &Rc<World>) {
    for host in ["a", "b"] {
        world.provider(host, move |_, _| Play::whole(host));
    }
}

#[test]
fn a_variant_changes_target_parameters_and_prompt_and_nothing_else() {
    let world = World::new(3);
    both_answer(&world);
    let gate = gate(&world, "");
    let users = users(&world, &gate);
    let more = json!({"seed": 7, "messages": [{"role": "user", "content": "hi"}]});
    world.serve(&gate, chat(&users["tone/plain"], &more));
    let sent = world.calls("a").pop().unwrap().body;
    assert_eq!(sent["messages"], json!([{"role": "user", "content": "hi"}]));
    assert_eq!((&sent["model"], &sent["temperature"]), (&json!("x"), &json!(0.1)));
    world.serve(&gate, chat(&users["tone/warm"], &more));
    let sent = world.calls("b").pop().unwrap().body;
    assert_eq!(
        sent["messages"],
        json!([
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Dear model: hi Thanks."},
        ])
    );
    assert_eq!((&sent["model"], &sent["temperature"]), (&json!("y"), &json!(0.9)));
    assert_eq!(sent["seed"], 7);
}

#[test]
fn what_the_caller_says_stands_above_a_variants_parameters() {
    let world = World::new(3);
    both_answer(&world);
    let gate = gate(&world, "");
    let users = users(&world, &gate);
    world.serve(&gate, chat(&users["tone/warm"], &json!({"temperature": 0.2})));
    assert_eq!(world.calls("b").pop().unwrap().body["temperature"], 0.2);
}

#[test]
fn guards_see_what_the_caller_wrote_and_the_template_goes_around_what_they_leave() {
    let world = World::new(3);
    both_answer(&world);
    let gate = gate(&world, "");
    let users = users(&world, &gate);
    let key = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH";
    let more = json!({"messages": [{"role": "user", "content": format!("my key {key} ok")}]});
    let heard = world.serve(&gate, chat(&users["tone/warm"], &more));
    assert!(header(&heard.headers, "tollhouse-guard").is_some(), "{}", heard.headers);
    let sent = world.calls("b").pop().unwrap().body;
    let text = sent["messages"][1]["content"].as_str().unwrap();
    assert!(text.starts_with("Dear model: my key [") && text.ends_with("ok Thanks."), "{text}");
}

#[test]
fn an_answer_of_one_variant_never_answers_another() {
    // The two variants differ in nothing but their names.
    let same = "[models.n]\ntargets = [{ provider = \"a\", model = \"x\" }]\n\
                [experiments.names]\nmodel = \"n\"\nheader = \"x-user\"\n\
                [experiments.names.variants]\none = { share = 0.5 }\ntwo = { share = 0.5 }\n";
    let world = World::new(3);
    both_answer(&world);
    let gate = world.isolate(&format!("{OPEN}{same}"));
    let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for user in 0..40 {
        let request = Request::chat("n", &json!({})).with("x-user", &user.to_string());
        let heard = world.serve(&gate, request);
        let get = |name| header(&heard.headers, name).unwrap().to_owned();
        seen.entry(get("tollhouse-variant")).or_default().push(get("tollhouse-cache"));
    }
    assert_eq!(seen.len(), 2);
    assert_eq!(world.calls("a").len(), 2, "one call for each variant");
    for results in seen.values() {
        assert_eq!(results.iter().filter(|result| *result == "miss").count(), 1);
        assert!(results[1..].iter().all(|result| result == "hit"));
    }
}

#[test]
fn a_call_without_a_text_to_write_around_is_no_part_of_the_experiment() {
    let world = World::new(3);
    both_answer(&world);
    let gate = gate(&world, "");
    let more = json!({"messages": [{"role": "system", "content": "alone"}]});
    for user in 0..20 {
        let heard = world.serve(&gate, chat(&user.to_string(), &more));
        assert_eq!(heard.status, 200);
        assert_eq!(header(&heard.headers, "tollhouse-variant"), None);
    }
    assert_eq!(world.calls("b").len(), 0);
}

#[test]
fn a_refused_call_names_its_variant_too() {
    let world = World::new(3);
    world.provider("a", |_, _| Play::error(400, "bad"));
    world.provider("b", |_, _| Play::error(400, "bad"));
    let gate = gate(&world, "");
    let heard = world.serve(&gate, chat("someone", &json!({})));
    assert_eq!(heard.status, 400);
    assert!(header(&heard.headers, "tollhouse-variant").is_some(), "{}", heard.headers);
}
