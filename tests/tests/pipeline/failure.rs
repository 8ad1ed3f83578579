//! What is retried, fallen over from and passed on, through outages and unlucky replies.

use serde_json::json;
use tollhouse_tests::fake::{Play, Request, Step, World};

use crate::{both, isolate, model};

#[test]
fn an_answer_that_is_none_is_fallen_over_from() {
    let html = Play { content_type: "text/html", ..Play::json(200, "<html>busy</html>") };
    let empty = Play { body: Vec::new(), ..Play::json(200, "") };
    let half = Play::json(200, r#"{"choices":[{"mess"#);
    let failed = Play::json(200, r#"{"error":{"message":"overloaded","code":503}}"#);
    let late = Play::stream(vec![Step::Stall]);
    let error_first =
        Play::stream(vec![Step::Piece(b"data: {\"error\":{\"message\":\"no\"}}\n\n".to_vec())]);
    for bad in [html, empty, half, failed, late, error_first, Play::refused(), Play::silence()] {
        for request in [Request::chat("m", &json!({})), Request::stream("m")] {
            let world = World::new(3);
            let play = bad.clone();
            world.provider("a", move |_, _| play.clone());
            let streamed = request.body["stream"] == true;
            world.provider("b", move |_, _| {
                if streamed { Play::words(&["fine"]) } else { Play::whole("fine") }
            });
            let gate = isolate(&world, &both(""));
            let heard = world.serve(&gate, request);
            assert_eq!(heard.status, 200, "after {bad:?}: {}", heard.text());
            assert!(heard.text().contains("fine"));
            assert_eq!(heard.record().attempts.len(), 2);
        }
    }
}

#[test]
fn an_hour_of_outage_does_not_multiply_load_and_the_provider_is_back_soon() {
    let world = World::new(5);
    let began = world.now().0;
    let hour = 3_600_000;
    let clock = world.clone();
    world.provider("a", move |_, _| {
        if clock.now().0 < began + hour { Play::error(503, "down") } else { Play::whole("back") }
    });
    let gate = isolate(&world, &model(r#"{ provider = "a", model = "x" }"#, ""));
    // A request every two seconds, through the outage and a minute more.
    let requests = (0..(hour + 60_000) / 2000)
        .map(|n| (n * 2000, gate.clone(), Request::chat("m", &json!({}))))
        .collect();
    let heard = world.serve_all(requests);
    let during = world.calls("a").iter().filter(|call| call.at < began + hour).count();
    // The breaker rests the target for 30 s: some 120 probes, where 1,800 requests came.
    assert!(during <= 135, "{during} calls reached a provider that was down");
    let first_good = heard.iter().position(|heard| heard.status == 200).unwrap() as u64 * 2000;
    assert!(first_good <= hour + 32_000, "back {} s after the outage", (first_good - hour) / 1000);
    assert!(heard.last().unwrap().status == 200);
}

#[test]
fn a_longer_context_is_asked_where_the_prompt_was_too_long() {
    let world = World::new(3);
    let too_long = || Play::error(400, "context_length_exceeded");
    world.provider("a", move |_, _| too_long());
    world.provider("b", |_, _| Play::whole("read it all"));
    let targets = r#"{ provider = "a", model = "x", context = 8000 }, { provider = "b", model = "y", context = 128000 }"#;
    let heard = world.serve(&isolate(&world, &model(targets, "")), Request::chat("m", &json!({})));
    assert_eq!(heard.status, 200);
    let targets = r#"{ provider = "a", model = "x", context = 8000 }, { provider = "b", model = "y", context = 4000 }"#;
    let heard = world.serve(&isolate(&world, &model(targets, "")), Request::chat("m", &json!({})));
    assert_eq!(heard.code(), "context_length_exceeded");
    assert_eq!(
        (world.calls("a").len(), world.calls("b").len()),
        (2, 1),
        "never the same model again"
    );
}

#[test]
fn a_filtered_prompt_is_passed_on_and_asked_of_nobody_else() {
    let world = World::new(3);
    world.provider("a", |_, _| Play::error(400, "content_filter"));
    world.provider("b", |_, _| Play::whole("unreached"));
    let heard = world.serve(&isolate(&world, &both("")), Request::chat("m", &json!({})));
    assert_eq!(heard.code(), "content_filter");
    assert_eq!((world.calls("a").len(), world.calls("b").len()), (1, 0));
}

#[test]
fn a_wait_above_the_cap_is_fallen_over_from_at_once() {
    let world = World::new(3);
    world.provider("a", |_, _| Play::error(429, "rate_limit_exceeded").retry_after(120));
    world.provider("b", |_, _| Play::whole("fine"));
    let began = world.now().0;
    let heard = world.serve(&isolate(&world, &both("")), Request::chat("m", &json!({})));
    assert_eq!((heard.status, world.calls("a").len()), (200, 1));
    assert!(world.now().0 - began < 100, "nobody waited");
}

#[test]
fn a_caller_in_a_hurry_is_told_while_it_still_listens() {
    let world = World::new(3);
    world.provider("a", |_, _| Play::silence());
    world.provider("b", |_, _| Play::silence());
    let began = world.now().0;
    let request = Request::chat("m", &json!({})).with("x-stainless-read-timeout", "2");
    let heard = world.serve(&isolate(&world, &both("")), request);
    assert_eq!(heard.code(), "deadline_exceeded");
    assert!(world.now().0 - began < 2000);
}

#[test]
fn a_model_past_its_day_is_refused_or_warned_of_as_configured() {
    let target = r#"{ provider = "a", model = "x", retires = "2026-01-01", successor = "y" }"#;
    for (policy, status) in [("refuse", 400), ("warn", 200), ("allow", 200)] {
        let world = World::new(3);
        world.provider("a", |_, _| Play::whole("old but here"));
        let gate = isolate(&world, &model(target, &format!("deprecated = \"{policy}\"")));
        let heard = world.serve(&gate, Request::chat("m", &json!({})));
        assert_eq!(heard.headers.contains("warning:299"), policy == "warn", "{}", heard.headers);
        if policy == "refuse" {
            assert_eq!(heard.code(), "model_deprecated");
            assert!(heard.text().contains("`y`"), "the successor is named");
        } else {
            assert_eq!(heard.status, status);
        }
    }
}

#[test]
fn weights_share_calls_out_and_the_fastest_target_gets_most() {
    let world = World::new(3);
    world.provider("a", |_, _| Play { latency: 300, ..Play::whole("slow") });
    world.provider("b", |_, _| Play { latency: 20, ..Play::whole("fast") });
    let targets = r#"{ provider = "a", model = "x", weight = 3 }, { provider = "b", model = "y" }"#;
    let gate = isolate(&world, &model(targets, "strategy = \"weighted\""));
    for _ in 0..400 {
        world.serve(&gate, Request::chat("m", &json!({})));
    }
    let share = world.calls("a").len();
    assert!((260..340).contains(&share), "{share} of 400 by a weight of 3 in 4");
    let gate = isolate(&world, &both("strategy = \"fastest\""));
    for _ in 0..400 {
        world.serve(&gate, Request::chat("m", &json!({})));
    }
    let slow = world.calls("a").len() - share;
    assert!(slow < 60, "{slow} of 400 went to the slower target");
}
