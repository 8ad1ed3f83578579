//! Pools of replicas: outages of some, cold starts of all, and what takes their place.

use serde_json::json;
use tollhouse_tests::fake::{Play, Request, World};

const POOL: &str = r#"
version = 1
[auth]
mode = "open"
[providers.gpu]
kind = "openai"
base_urls = ["http://r0/v1", "http://r1/v1", "http://r2/v1"]
placement = "gpu"
[providers.api]
kind = "openai"
base_url = "http://api/v1"
placement = "gpu"
[models.m]
cache = { enabled = false }
targets = [{ provider = "gpu", model = "x" }, { provider = "api", model = "y" }]
"#;

fn patient(ms: u64) -> String {
    let timeout = "timeout = { total_ms = 300000 }";
    POOL.replace(
        "placement = \"gpu\"\n[providers.api]",
        &format!("placement = \"gpu\"\npool = {{ patience_ms = {ms} }}\n[providers.api]"),
    )
    .replace("cache = {", &format!("{timeout}\ncache = {{"))
}

fn hello() -> Request {
    Request::chat("m", &json!({}))
}

#[test]
fn a_dead_replica_costs_nobody_an_answer_and_is_soon_left_alone() {
    let world = World::new(7);
    world.provider("r0", |_, _| Play::refused());
    for host in ["r1", "r2"] {
        world.provider(host, |_, _| Play::whole("fine"));
    }
    world.provider("api", |_, _| Play::whole("dear"));
    let gate = world.isolate(POOL);
    for _ in 0..100 {
        let heard = world.serve(&gate, hello());
        assert_eq!(heard.status, 200);
        assert!(heard.text().contains("fine"), "the other replicas answer");
    }
    assert_eq!(world.calls("r0").len(), 5, "its breaker is open after five");
    assert!(world.calls("api").is_empty());
    let shares = ["r1", "r2"].map(|host| world.calls(host).len());
    assert!(shares.iter().all(|calls| *calls > 20), "{shares:?}");
}

#[test]
fn a_pool_that_is_down_is_degraded_from_at_once() {
    let world = World::new(7);
    for host in ["r0", "r1", "r2"] {
        world.provider(host, |_, _| Play::error(503, "down"));
    }
    world.provider("api", |_, _| Play::whole("dear"));
    let gate = world.isolate(POOL);
    let began = world.now().0;
    for _ in 0..30 {
        let heard = world.serve(&gate, hello());
        assert!(heard.text().contains("dear"), "{}", heard.text());
    }
    assert!(world.now().0 - began < 500, "nobody waited");
    let asked: usize = ["r0", "r1", "r2"].iter().map(|host| world.calls(host).len()).sum();
    assert_eq!(asked, 15, "each until its breaker opened");
}

#[test]
fn a_cold_start_is_waited_for() {
    let world = World::new(7);
    let ready = world.now().0 + 20_000;
    for (host, early) in
        [("r0", Play::refused()), ("r1", Play::error(503, "loading")), ("r2", Play::refused())]
    {
        let clock = world.clone();
        world.provider(host, move |_, _| {
            if clock.now().0 < ready { early.clone() } else { Play::whole("warm") }
        });
    }
    world.provider("api", |_, _| Play::whole("dear"));
    let gate = world.isolate(&patient(60_000));
    let heard = world.serve_all(vec![(0, gate.clone(), hello()), (9000, gate.clone(), hello())]);
    for heard in heard {
        assert!(heard.text().contains("warm"), "{}", heard.text());
    }
    assert!(world.now().0 < ready + 4500, "looked at every four seconds at least");
    assert!(world.calls("api").is_empty());
}

#[test]
fn patience_ends_and_is_not_spent_again_by_the_next_call() {
    let world = World::new(7);
    for host in ["r0", "r1", "r2"] {
        world.provider(host, |_, _| Play::refused());
    }
    world.provider("api", |_, _| Play::whole("dear"));
    let gate = world.isolate(&patient(10_000));
    let began = world.now().0;
    assert!(world.serve(&gate, hello()).text().contains("dear"));
    let waited = world.now().0 - began;
    assert!((5_000..=10_000).contains(&waited), "{waited}");
    let began = world.now().0;
    assert!(world.serve(&gate, hello()).text().contains("dear"));
    assert!(world.now().0 - began < 100);
}

#[test]
fn calls_at_once_are_shared_out_among_replicas() {
    let world = World::new(7);
    for host in ["r0", "r1", "r2"] {
        world.provider(host, |_, _| Play { latency: 1000, ..Play::whole("fine") });
    }
    let gate = world.isolate(POOL);
    world.serve_all((0..30).map(|_| (0, gate.clone(), hello())).collect());
    let shares = ["r0", "r1", "r2"].map(|host| world.calls(host).len());
    assert!(shares.iter().all(|calls| (6..=14).contains(calls)), "{shares:?}");
}
