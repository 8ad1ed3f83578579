//! The order of targets.

use super::*;
use crate::{
    config,
    openai::samples::{PLAIN, model, target},
};

fn config(text: &str) -> Config {
    let source = config::Source { name: "test.toml", text };
    config::load(source, &[], UnixMs(0)).unwrap().config
}

fn breakers() -> Breakers {
    Breakers::new(crate::config::valid::BreakerPolicy { failures: 1, open: DurationMs(1000) })
}

fn names(targets: &[Arc<Target>]) -> Vec<&str> {
    targets.iter().map(|target| target.model.as_str()).collect()
}

const CHAIN: &str = r#"
version = 1
[auth]
mode = "open"
[providers.mock]
kind = "mock"
[models.first]
targets = [{ provider = "mock", model = "a" }, { provider = "mock", model = "b" }]
fallback = "second"
[models.second]
targets = [{ provider = "mock", model = "b" }, { provider = "mock", model = "c" }]
"#;

#[test]
fn the_models_own_targets_come_before_its_fallbacks_and_none_twice() {
    let config = config(CHAIN);
    let model = &config.models["first"];
    let dice = || UnitInterval::new(0.0);
    let order = order(&config, model, &breakers(), &Latencies::default(), UnixMs(0), dice).unwrap();
    assert_eq!(names(&order), ["a", "b", "c"]);
}

#[test]
fn resting_targets_are_left_out_and_all_resting_is_a_refusal_with_a_time() {
    let config = config(CHAIN);
    let model = &config.models["first"];
    let mut breakers = breakers();
    let mut asked = |breakers: &Breakers| {
        order(&config, model, breakers, &Latencies::default(), UnixMs(400), || {
            UnitInterval::new(0.0)
        })
    };
    breakers.failed("mock/a", UnixMs(0));
    assert_eq!(names(&asked(&breakers).unwrap()), ["b", "c"]);
    breakers.failed("mock/b", UnixMs(100));
    breakers.failed("mock/c", UnixMs(200));
    let refusal = asked(&breakers).unwrap_err();
    assert_eq!((refusal.code, refusal.retry_after), (Code::CircuitOpen, Some(DurationMs(600))));
}

#[test]
fn weights_are_shares_of_the_first_place() {
    let config = config(CHAIN);
    let mut model = model("m", &[PLAIN]);
    let weighted = |name, weight| Arc::new(Target { weight, ..target(name, PLAIN) });
    model.strategy = Strategy::Weighted;
    model.targets = vec![weighted("heavy", 3), weighted("light", 1)];
    let model = Arc::new(model);
    let first = |n: u32| {
        let dice = || UnitInterval::new(f64::from(n) / 100.0);
        let order =
            order(&config, &model, &breakers(), &Latencies::default(), UnixMs(0), dice).unwrap();
        assert_eq!(order.len(), 2);
        order[0].model.clone()
    };
    let heavy = (0..100).filter(|n| first(*n) == "heavy").count();
    assert_eq!(heavy, 75);
}

#[test]
fn the_fastest_comes_first_once_all_are_measured_and_old_measures_fade() {
    let mut latencies = Latencies::default();
    let mut model = model("m", &[PLAIN]);
    model.strategy = Strategy::Fastest;
    model.targets = ["slow", "quick", "new"].map(|name| Arc::new(target(name, PLAIN))).into();
    latencies.measured("test/slow", DurationMs(900), UnixMs(0));
    latencies.measured("test/quick", DurationMs(100), UnixMs(0));
    let arranged = |latencies: &Latencies, now| {
        let order = arranged(&model, latencies, UnixMs(now), &mut || UnitInterval::new(0.0));
        order.iter().map(|target| target.model.clone()).collect::<Vec<_>>()
    };
    assert_eq!(arranged(&latencies, 0), ["new", "quick", "slow"]);
    latencies.measured("test/new", DurationMs(500), UnixMs(0));
    assert_eq!(arranged(&latencies, 0), ["quick", "new", "slow"]);
    for _ in 0..20 {
        latencies.measured("test/quick", DurationMs(2000), UnixMs(10));
    }
    assert_eq!(arranged(&latencies, 10), ["new", "slow", "quick"]);
    assert_eq!(
        arranged(&latencies, 300_005),
        ["slow", "new", "quick"],
        "only quick was measured lately"
    );
}
