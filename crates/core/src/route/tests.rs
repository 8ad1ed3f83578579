//! The order of targets.

use proptest::{prelude::prop, prop_assert_eq, proptest};

use super::*;
use crate::{
    breaker::Verdict,
    config::{self, valid::BreakerPolicy},
    openai::samples::{PLAIN, model, target},
};

fn config(text: &str) -> Config {
    let source = config::Source { name: "test.toml", text };
    config::load(source, &[], UnixMs(0)).unwrap().config
}

fn health(breakers: &Breakers) -> Health<'_> {
    Health { breakers, pools: Box::leak(Box::default()) }
}

fn breakers() -> Breakers {
    Breakers::new(BreakerPolicy { failures: 1, open: DurationMs(1000) })
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
    let order =
        order(&config, model, health(&breakers()), &mut Latencies::default(), UnixMs(0), dice)
            .unwrap();
    assert_eq!(names(&order), ["a", "b", "c"]);
}

#[test]
fn resting_targets_are_left_out_and_all_resting_is_a_refusal_with_a_time() {
    let config = config(CHAIN);
    let model = &config.models["first"];
    let mut breakers = breakers();
    let asked = |breakers: &Breakers| {
        order(&config, model, health(breakers), &mut Latencies::default(), UnixMs(400), || {
            UnitInterval::new(0.0)
        })
    };
    let fail = |breakers: &mut Breakers, target, now| {
        let pass = breakers.admit(target, UnixMs(now), DurationMs(1)).unwrap();
        breakers.report(target, pass, Verdict::Broken, UnixMs(now));
    };
    fail(&mut breakers, "mock/a", 0);
    assert_eq!(names(&asked(&breakers).unwrap()), ["b", "c"]);
    fail(&mut breakers, "mock/b", 100);
    fail(&mut breakers, "mock/c", 200);
    let refusal = asked(&breakers).unwrap_err();
    assert_eq!((refusal.code, refusal.retry_after), (Code::CircuitOpen, Some(DurationMs(600))));
}

#[test]
fn a_target_is_found_by_its_id_among_the_fallbacks_too() {
    let config = config(CHAIN);
    let model = &config.models["first"];
    let found = |id| find(&config, model, id).map(|target| target.model.clone());
    assert_eq!(found("mock/a").as_deref(), Some("a"));
    assert_eq!(found("mock/c").as_deref(), Some("c"));
    assert_eq!(found("mock/d"), None);
}

/// A model of this strategy with targets of these names and weights.
fn made(strategy: Strategy, targets: &[(&str, u32)]) -> Arc<Model> {
    let made =
        |(name, weight): &(&str, u32)| Arc::new(Target { weight: *weight, ..target(name, PLAIN) });
    let targets = targets.iter().map(made).collect();
    Arc::new(Model { strategy, targets, ..model("m", &[]) })
}

#[test]
fn weights_are_shares_of_the_first_place() {
    let config = config(CHAIN);
    let model = made(Strategy::Weighted, &[("heavy", 3), ("light", 1)]);
    let first = |n: u32| {
        let dice = || UnitInterval::new(f64::from(n) / 100.0);
        let mut latencies = Latencies::default();
        let order =
            order(&config, &model, health(&breakers()), &mut latencies, UnixMs(0), dice).unwrap();
        order[0].model.clone()
    };
    let heavy = (0..100).filter(|n| first(*n) == "heavy").count();
    assert_eq!(heavy, 75);
}

proptest! {
    #[test]
    fn every_order_holds_each_target_once(
        weights in prop::collection::vec(1..=u32::MAX, 1..8),
        strategy in prop::sample::select(vec![Strategy::Ordered, Strategy::Weighted, Strategy::Fastest]),
        measured in prop::collection::vec(prop::option::of(0..9000_u64), 8),
        throws in prop::collection::vec(0.0..1.0_f64, 8),
    ) {
        let config = config(CHAIN);
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let targets: Vec<_> = names.into_iter().zip(weights).collect();
        let model = made(strategy, &targets);
        let mut latencies = Latencies::default();
        for (name, took) in names.iter().zip(measured) {
            if let Some(took) = took {
                latencies.measured(&format!("test/{name}"), DurationMs(took), UnixMs(0));
            }
        }
        let mut throws = throws.into_iter().cycle();
        let dice = || UnitInterval::new(throws.next().unwrap());
        let order = order(&config, &model, health(&breakers()), &mut latencies, UnixMs(0), dice).unwrap();
        let mut order: Vec<_> = order.iter().map(|target| target.model.as_str()).collect();
        order.sort_unstable();
        prop_assert_eq!(order, names[..targets.len()].to_vec());
    }
}

#[test]
fn the_fastest_comes_first_and_one_request_at_a_time_finds_out_about_the_others() {
    let config = config(CHAIN);
    let model = made(Strategy::Fastest, &[("slow", 1), ("quick", 1), ("new", 1)]);
    let mut latencies = Latencies::default();
    latencies.measured("test/slow", DurationMs(900), UnixMs(0));
    latencies.measured("test/quick", DurationMs(100), UnixMs(0));
    let ordered = |latencies: &mut Latencies, now| {
        let dice = || UnitInterval::new(0.0);
        let order =
            order(&config, &model, health(&breakers()), latencies, UnixMs(now), dice).unwrap();
        order.iter().map(|target| target.model.clone()).collect::<Vec<_>>()
    };
    assert_eq!(ordered(&mut latencies, 0), ["new", "quick", "slow"]);
    assert_eq!(ordered(&mut latencies, 0), ["quick", "slow", "new"], "one is finding out");
    latencies.measured("test/new", DurationMs(500), UnixMs(0));
    assert_eq!(ordered(&mut latencies, 0), ["quick", "new", "slow"]);
    for _ in 0..20 {
        latencies.measured("test/quick", DurationMs(2000), UnixMs(10));
    }
    assert_eq!(ordered(&mut latencies, 10), ["new", "slow", "quick"]);
    // Only quick was measured lately; the others are doubted, and asked one after the other.
    assert_eq!(ordered(&mut latencies, 300_005), ["new", "slow", "quick"]);
    assert_eq!(ordered(&mut latencies, 300_005), ["slow", "new", "quick"]);
    assert_eq!(ordered(&mut latencies, 300_005), ["new", "slow", "quick"]);
}

#[test]
fn nothing_is_found_out_about_a_fallback_by_asking_it_first() {
    let mut config = config(CHAIN);
    let second = Arc::make_mut(config.models.get_mut("second").unwrap());
    second.strategy = Strategy::Fastest;
    let mut latencies = Latencies::default();
    latencies.measured("mock/c", DurationMs(10), UnixMs(0));
    let dice = || UnitInterval::new(0.0);
    let model = config.models["first"].clone();
    let order =
        order(&config, &model, health(&breakers()), &mut latencies, UnixMs(0), dice).unwrap();
    assert_eq!(names(&order), ["a", "b", "c"]);
    assert!(latencies.explore("mock/b", UnixMs(0)), "nobody was sent to find out");
}
