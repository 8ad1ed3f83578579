//! Limits over several isolates, and what is settled.

use proptest::prelude::*;
use serde_json::json;
use tollhouse_tests::{
    fake::{Play, Request, Step, World},
    keys::caller,
};

use crate::{both, isolate};

fn limited(world: &World, limits: &str, more: &str) -> std::rc::Rc<tollhouse_core::pipeline::Gate> {
    let key = caller("team", &format!("limits = {{ {limits} }}"));
    world.isolate(&format!(
        "version = 1\n[auth]\nmode = \"keys\"\n{key}\n[providers.a]\nkind = \"openai\"\n\
         base_url = \"http://a/v1\"\nplacement = \"gpu\"\n[models.m]\ncache = {{ enabled = false }}\n\
         targets = [{{ provider = \"a\", model = \"x\" }}]\n{more}\n"
    ))
}

fn chat() -> Request {
    Request::chat("m", &json!({"max_tokens": 20})).with("authorization", "Bearer team-key")
}

#[test]
fn an_unreachable_limiter_refuses_or_admits_as_configured() {
    for (choice, status) in [("refuse", 503), ("admit", 200)] {
        let world = World::new(9);
        world.provider("a", |_, _| Play::whole("fine"));
        world.limiter_up.set(false);
        let more = format!("[limits]\non_unreachable = \"{choice}\"");
        let gate = limited(&world, "requests_per_minute = 5", &more);
        let heard = world.serve(&gate, chat());
        assert_eq!(heard.status, status, "{}", heard.text());
    }
}

#[test]
fn a_caller_who_leaves_midway_is_settled_once_with_what_was_said() {
    let world = World::new(9);
    world.provider("a", |_, _| {
        Play::begun(&["a few ", "words "]).then(Step::Wait(5000)).then(Step::Stall)
    });
    world.provider("b", |_, _| Play::words(&["unreached"]));
    let gate = isolate(&world, &both(""));
    let heard = world.serve(&gate, Request::stream("m").leaving_after(1000));
    let record = heard.record();
    assert!(record.client_left && !heard.ended);
    assert!(record.usage.is_some_and(|usage| usage.estimated && usage.completion.0 > 0));
    assert_eq!(record.settled, record.usage.unwrap().total());
    assert!(world.calls("b").is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Three isolates and random callers: in no minute more than a bucket and a minute's refill.
    #[test]
    fn never_more_than_the_limit(
        seed in any::<u64>(),
        limit in 1_u64..30,
        arrivals in prop::collection::vec((0_u64..150_000, 0_usize..3), 1..150),
    ) {
        let world = World::new(seed);
        world.provider("a", |_, _| Play::whole("fine"));
        let limits = format!("requests_per_minute = {limit}");
        let gates: Vec<_> = (0..3).map(|_| limited(&world, &limits, "")).collect();
        let began = world.now().0;
        let requests = arrivals.iter().map(|(at, gate)| (*at, gates[*gate].clone(), chat())).collect();
        let heard = world.serve_all(requests);
        prop_assert!(heard.iter().all(|heard| [200, 429].contains(&heard.status)));
        let calls: Vec<u64> = world.calls("a").iter().map(|call| call.at - began).collect();
        for (index, from) in calls.iter().enumerate() {
            let within = calls[index..].iter().take_while(|at| **at < from + 60_000).count() as u64;
            prop_assert!(within <= 2 * limit, "{within} in a minute, the limit is {limit}");
        }
        prop_assert!(calls.len() as u64 <= limit + limit * 151 / 60 + 1);
    }
}
