//! Which replica is asked: never one that is known to be ill while a well one is there.

use proptest::prelude::*;

use super::*;
use crate::{
    breaker::Verdict,
    config::{
        self,
        valid::{BreakerPolicy, Config},
    },
    route::{self, Health},
};

const REPLICAS: usize = 5;

fn config(pool: &str) -> Config {
    let urls: Vec<_> = (0..REPLICAS).map(|index| format!("\"http://r{index}/v1\"")).collect();
    let text = format!(
        "version = 1\n[auth]\nmode = \"open\"\n[providers.gpu]\nkind = \"openai\"\nplacement = \"gpu\"\n\
         base_urls = [{}]\n{pool}\n[providers.mock]\nkind = \"mock\"\n[models.m]\n\
         targets = [{{ provider = \"gpu\", model = \"x\" }}, {{ provider = \"mock\", model = \"y\" }}]\n",
        urls.join(", ")
    );
    let source = config::Source { name: "test.toml", text: &text };
    config::load(source, &[], UnixMs(0)).unwrap_or_else(|report| panic!("{report}")).config
}

const PROBED: &str = "pool = { probe_every_ms = 5000 }";

fn id(index: usize) -> String {
    format!("gpu/x@r{index}")
}

/// What is known of a world of replicas.
struct Known {
    breakers: Breakers,
    latencies: Latencies,
    pools: Pools,
}

impl Known {
    fn new() -> Self {
        let breakers = Breakers::new(BreakerPolicy { failures: 1, open: DurationMs(1000) });
        Self { breakers, latencies: Latencies::default(), pools: Pools::default() }
    }

    fn fail(&mut self, index: usize) {
        let pass = self.breakers.admit(&id(index), UnixMs(0), DurationMs(1)).unwrap();
        self.breakers.report(&id(index), pass, Verdict::Broken, UnixMs(0));
    }

    fn report(&mut self, ready: &[bool], waiting: &[u64]) {
        let report = |(index, (ready, waiting)): (usize, (&bool, &u64))| Report {
            address: format!("http://r{index}/v1"),
            ready: *ready,
            waiting: Some(*waiting),
            at: UnixMs(0),
        };
        self.pools.told(ready.iter().zip(waiting).enumerate().map(report).collect());
    }

    fn order(&mut self, config: &Config, now: u64, seed: u64) -> Vec<String> {
        let mut dice = dice(seed);
        let health = Health { breakers: &self.breakers, pools: &self.pools };
        let model = &config.models["m"];
        route::order(config, model, health, &mut self.latencies, UnixMs(now), &mut dice)
            .unwrap()
            .iter()
            .map(|target| target.id.clone())
            .collect()
    }
}

fn dice(mut seed: u64) -> impl FnMut() -> UnitInterval {
    move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        UnitInterval::new(f64::from(u32::try_from(seed >> 33).unwrap()) / f64::from(1_u32 << 31))
    }
}

proptest! {
    #[test]
    fn an_ill_replica_is_never_asked_before_a_well_one(
        failed in prop::array::uniform5(any::<bool>()),
        ready in prop::array::uniform5(any::<bool>()),
        waiting in prop::array::uniform5(0..100_u64),
        seed: u64,
    ) {
        let config = config(PROBED);
        let mut known = Known::new();
        failed.iter().enumerate().filter(|(_, failed)| **failed).for_each(|(at, _)| known.fail(at));
        known.report(&ready, &waiting);
        let order = known.order(&config, 500, seed);
        let well = |at: &usize| !failed[*at] && ready[*at];
        let mut expected: Vec<String> = (0..REPLICAS).filter(well).map(id).collect();
        let mock = order.iter().position(|id| id == "mock/y").unwrap();
        let mut asked_first = order[..mock].to_vec();
        asked_first.sort();
        expected.sort();
        prop_assert_eq!(asked_first, expected, "all well ones, and none but those");
        prop_assert!(order.iter().all(|id| (0..REPLICAS).all(|at| *id != self::id(at) || !failed[at])));
    }

    #[test]
    fn every_replica_is_in_the_order_once(seed: u64, loads in prop::array::uniform5(0..50_u64)) {
        let config = config(PROBED);
        let mut known = Known::new();
        known.report(&[true; REPLICAS], &loads);
        let mut order = known.order(&config, 0, seed);
        prop_assert_eq!(order.pop(), Some("mock/y".to_owned()));
        // The one with most work is never drawn before it is the last one left.
        let most = loads.iter().max().unwrap();
        if loads.iter().filter(|load| *load == most).count() == 1 {
            let worst = loads.iter().position(|load| load == most).unwrap();
            let last = id(worst);
            prop_assert_eq!(order.last(), Some(&last));
        }
        order.sort();
        prop_assert_eq!(order, (0..REPLICAS).map(id).collect::<Vec<_>>());
    }
}

#[test]
fn calls_in_flight_and_slowness_move_calls_elsewhere() {
    let config = config("");
    let first = |known: &mut Known| {
        let mut counts = [0; REPLICAS];
        for seed in 0..2000 {
            let order = known.order(&config, 0, seed * 7919);
            counts[(0..REPLICAS).position(|at| order[0] == id(at)).unwrap()] += 1;
        }
        counts
    };
    let mut known = Known::new();
    assert!(first(&mut known).iter().all(|count| (250..550).contains(count)), "alike");
    let busy: Vec<_> = (0..3).map(|_| known.pools.enter(&id(2))).collect();
    assert_eq!(first(&mut known)[2], 0);
    drop(busy);
    assert!(first(&mut known)[2] > 250, "done");
    for at in 0..REPLICAS {
        known.latencies.measured(&id(at), DurationMs(if at == 4 { 900 } else { 100 }), UnixMs(0));
    }
    assert_eq!(first(&mut known)[4], 0);
    (0..4).for_each(|at| known.latencies.measured(&id(at), DurationMs(100), UnixMs(20_000)));
    let order: Vec<_> = (0..200).map(|seed| known.order(&config, 20_000, seed * 7919)).collect();
    assert!(order.iter().any(|order| order[0] == id(4)), "it was slow long ago");
}

#[test]
fn reports_that_are_old_say_nothing() {
    let config = config(PROBED);
    let mut known = Known::new();
    known.report(&[true, false, false, false, false], &[0; REPLICAS]);
    assert_eq!(known.order(&config, 15_000, 1)[..2], [id(0), "mock/y".to_owned()]);
    assert_eq!(known.order(&config, 15_001, 1).len(), REPLICAS + 1);
}

#[test]
fn a_pool_that_is_down_is_asked_last_unless_it_is_waited_for() {
    let mut known = Known::new();
    known.report(&[false; REPLICAS], &[0; REPLICAS]);
    let order = known.order(&config(PROBED), 0, 1);
    assert_eq!((order[0].as_str(), order.len()), ("mock/y", REPLICAS + 1));
    let patient = config("pool = { probe_every_ms = 5000, patience_ms = 60000 }");
    assert_ne!(known.order(&patient, 0, 1)[0], "mock/y");
    (0..REPLICAS).for_each(|at| known.fail(at));
    assert_eq!(known.order(&patient, 0, 1).len(), REPLICAS + 1, "it may be starting");
    known.pools.give_up("gpu", UnixMs(0), DurationMs(1000));
    assert_eq!(known.order(&patient, 0, 1), ["mock/y"], "it did not start in time");
}

#[test]
fn replicas_of_one_host_have_names_of_their_own() {
    let text = "version = 1\n[auth]\nmode = \"open\"\n[providers.gpu]\nkind = \"oip\"\n\
                base_urls = [\"http://h/a/\", \"http://h/b\", \"http://i:81\"]\n\
                pool = { probe_every_ms = 5000 }\n\
                [models.m]\ntargets = [{ provider = \"gpu\", model = \"x\" }]\n";
    let source = config::Source { name: "test.toml", text };
    let config = config::load(source, &[], UnixMs(0)).unwrap().config;
    let target = &config.models["m"].targets[0];
    let ids: Vec<_> = target.replicas.iter().map(|replica| replica.id.as_str()).collect();
    assert_eq!(ids, ["gpu/x@http://h/a", "gpu/x@http://h/b", "gpu/x@i:81"]);

    let report = |address: &str, ready, waiting| Report {
        address: address.to_owned(),
        ready,
        waiting,
        at: UnixMs(0),
    };
    let reports = [
        report("http://h/b", false, None),
        report("http://gone", true, Some(9)),
        report("http://i:81", true, Some(3)),
    ];
    let stands: Vec<_> = probe::replicas(&config, &reports)
        .into_iter()
        .map(|replica| (replica.name, replica.ready, replica.waiting))
        .collect();
    assert_eq!(stands, [("http://h/b".into(), false, None), ("i:81".into(), true, Some(3))]);
}

#[test]
fn whom_to_ask_is_each_address_once() {
    let questions =
        probe::questions(&config("pool = { probe_every_ms = 5000, metrics = \"/metrics\" }"));
    assert_eq!(questions.len(), REPLICAS);
    assert_eq!(questions[1].ready_url, "http://r1/health");
    assert_eq!(questions[1].metrics_url.as_deref(), Some("http://r1/metrics"));
    assert_eq!(probe::questions(&config("")), []);
    let found =
        probe::Found { status: Some(503), metrics: Some("vllm:num_requests_waiting 4".into()) };
    let report = Report::of(&questions[0], &found, UnixMs(9));
    assert_eq!((report.ready, report.waiting), (false, Some(4)));
}
