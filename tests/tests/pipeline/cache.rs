//! Cached replies: shared calls, leaders who leave, stores that fail.

use serde_json::json;
use tollhouse_tests::fake::{Play, Request, World};

use crate::OPEN;

fn cached(world: &World) -> std::rc::Rc<tollhouse_core::pipeline::Gate> {
    world.isolate(&format!("{OPEN}[models.m]\ntargets = [{{ provider = \"a\", model = \"x\" }}]\n"))
}

#[test]
fn identical_calls_at_once_share_one_and_outlive_its_leader() {
    let world = World::new(9);
    world.provider("a", |_, _| Play { latency: 500, ..Play::whole("once") });
    let gate = cached(&world);
    let chat = || Request::chat("m", &json!({}));
    let mut requests = vec![(0, gate.clone(), chat().leaving_after(100))];
    requests.extend((1..20).map(|n| (n, gate.clone(), chat())));
    let heard = world.serve_all(requests);
    assert_eq!(heard[0].status, 0, "the leader has left");
    assert!(heard[1..].iter().all(|heard| heard.status == 200));
    assert_eq!(world.calls("a").len(), 2, "the leader's call, and one for all others");
}

#[test]
fn a_store_that_fails_is_a_miss() {
    let world = World::new(9);
    world.provider("a", |_, _| Play::whole("fine"));
    let chat = || Request::chat("m", &json!({}));
    assert_eq!(world.serve(&cached(&world), chat()).status, 200);
    let hit = world.serve(&cached(&world), chat());
    assert!(hit.headers.contains("tollhouse-cache:hit"), "from the store: {}", hit.headers);
    world.store_up.set(false);
    let miss = world.serve(&cached(&world), chat());
    assert!(miss.headers.contains("tollhouse-cache:miss"), "{}", miss.headers);
    assert_eq!(world.calls("a").len(), 2);
}

#[test]
fn a_hit_lasts_as_long_as_it_may() {
    let world = World::new(9);
    world.provider("a", |_, _| Play::whole("fine"));
    let gate = cached(&world);
    let chat = || Request::chat("m", &json!({}));
    for (wait, calls) in [(0, 1), (299_000, 1), (2000, 2)] {
        world.pass(wait);
        assert_eq!(world.serve(&gate, chat()).status, 200);
        assert_eq!(world.calls("a").len(), calls);
    }
}
