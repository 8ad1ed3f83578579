//! What must hold whatever happens: interleavings, losses, restarts, clocks.

use proptest::{collection::vec, option, prelude::*};

use super::{
    plans::{
        Fate, LIFE, Plan, Usage, assert_no_window_exceeds, limits, policy,
        requests as requests_only, tokens as tokens_only,
    },
    world::World,
};
use crate::{
    config::valid::{GatewayLimits, RateLimits, Unreachable},
    rate::{Lessee, Limiter, Reservation, Step, Subject, SubjectLimits},
    units::{DurationMs, Tokens, UnixMs},
};

#[derive(Debug, Clone)]
enum Op {
    Pass(u64),
    Call(Plan),
    Burst(Plan, usize),
    Network(Fate),
    Restart,
    IsolateClock { isolate: usize, lag: u64 },
    ObjectClock { lag: u64 },
    Diligence { isolate: usize, diligent: bool },
}

const ISOLATES: usize = 3;

fn usage() -> impl Strategy<Value = Usage> {
    let actual = prop_oneof![8 => (0u64..1200).prop_map(Some), 8 => (0u64..50).prop_map(Some), 1 => Just(None)];
    (1u64..1000, actual, prop_oneof![0u64..2000, 0u64..90_000])
        .prop_map(|(reserve, actual, takes)| Usage { reserve, actual, takes })
}

fn plan() -> impl Strategy<Value = Plan> {
    (
        0..ISOLATES,
        prop_oneof![5 => Just(0usize), 1 => Just(1)],
        0..2usize,
        option::weighted(0.8, usage()),
    )
        .prop_map(|(isolate, key, model, tokens)| Plan { isolate, key, model, tokens })
}

fn fate() -> impl Strategy<Value = Fate> {
    let delay = || prop_oneof![4 => 0u64..100, 1 => 0u64..10_000];
    prop_oneof![
        6 => (delay(), delay()).prop_map(|(there, back)| Fate::Arrives(there, back)),
        1 => Just(Fate::Lost),
        1 => delay().prop_map(Fate::AnswerLost),
        1 => delay().prop_map(Fate::AskerGone),
        1 => delay().prop_map(Fate::Silence),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => prop_oneof![3 => 0u64..500, 1 => 0u64..40_000].prop_map(Op::Pass),
        10 => plan().prop_map(Op::Call),
        3 => (plan(), 2usize..30).prop_map(|(plan, times)| Op::Burst(plan, times)),
        3 => fate().prop_map(Op::Network),
        1 => Just(Op::Restart),
        // Within the tolerance: a tenth of a lease's life.
        2 => (0..ISOLATES, 0u64..1000).prop_map(|(isolate, lag)| Op::IsolateClock { isolate, lag }),
        1 => (0..ISOLATES, any::<bool>())
            .prop_map(|(isolate, diligent)| Op::Diligence { isolate, diligent }),
    ]
}

fn pressure() -> impl Strategy<Value = Op> {
    let delay = || prop_oneof![3 => 0u64..100, 1 => 3000u64..9000];
    prop_oneof![
        6 => (0..ISOLATES, prop_oneof![3 => 1usize..8, 1 => 100usize..250]).prop_map(
            |(isolate, times)| Op::Burst(Plan { isolate, key: 0, model: 0, tokens: None }, times)
        ),
        6 => prop_oneof![3 => 0u64..500, 2 => 500u64..8500, 1 => 8500u64..40_000]
            .prop_map(Op::Pass),
        1 => (delay(), delay()).prop_map(|(there, back)| Op::Network(Fate::Arrives(there, back))),
        1 => (0..ISOLATES, 0u64..1000).prop_map(|(isolate, lag)| Op::IsolateClock { isolate, lag }),
    ]
}

fn object_clock() -> impl Strategy<Value = Op> {
    (0u64..3000).prop_map(|lag| Op::ObjectClock { lag })
}

fn lag_of(op: &Op) -> u64 {
    if let Op::ObjectClock { lag } = op { *lag } else { 0 }
}

fn any_limits() -> impl Strategy<Value = SubjectLimits> {
    (rate_limits(), option::weighted(0.3, rate_limits()), option::weighted(0.5, rate_limits()))
        .prop_map(|(key, key_model, model)| SubjectLimits {
            key,
            key_model: key_model.unwrap_or_default(),
            model: model.unwrap_or_default(),
        })
}

/// Requests or tokens, seldom both, so that one does not keep calls from reaching the other.
fn rate_limits() -> impl Strategy<Value = RateLimits> {
    let requests = || prop_oneof![1u64..10, 10u64..100, 100u64..3000];
    let tokens = || prop_oneof![3 => 1000u64..4000, 1 => 4000u64..100_000];
    prop_oneof![
        2 => requests().prop_map(requests_only),
        4 => tokens().prop_map(tokens_only),
        1 => (requests(), tokens()).prop_map(|(requests, tokens)| limits(requests, tokens)),
    ]
}

fn apply(world: &mut World, op: &Op) {
    match op {
        Op::Pass(ms) => world.pass(*ms),
        Op::Call(plan) => world.call(*plan),
        Op::Burst(plan, times) => (0..*times).for_each(|_| world.call(*plan)),
        Op::Network(fate) => world.fate = *fate,
        Op::Restart => world.restart_objects(),
        Op::IsolateClock { isolate, lag } => world.isolates[*isolate].lag = *lag,
        Op::ObjectClock { lag } => world.object_lags(*lag),
        Op::Diligence { isolate, diligent } => world.isolates[*isolate].diligent = *diligent,
    }
}

fn run(limits: SubjectLimits, ops: &[Op]) -> World {
    let mut world = World::new(ISOLATES, limits);
    for op in ops {
        apply(&mut world, op);
        world.tidy();
    }
    world
}

fn reserve_now(
    lessee: &mut Lessee,
    limiter: &mut Limiter,
    call: &Subject,
    tokens: Tokens,
    now: UnixMs,
) -> Option<Reservation> {
    let mut call = call.clone();
    loop {
        match lessee.reserve(&mut call, tokens, now) {
            Step::Ready(reservation) => return Some(reservation),
            Step::Ask { group, message } => {
                let answer = limiter.handle(&message, now).unwrap();
                lessee.answered(&group, Ok(&answer), now);
            }
            Step::Refused(_) => return None,
            step @ (Step::Wait { .. } | Step::Unreachable) => panic!("{step:?}"),
        }
    }
}

/// A quarter of the usual number: each case is a whole world. `PROPTEST_CASES` raises it.
fn few() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases / 4, ..usual }
}

proptest! {
    #![proptest_config(few())]

    #[test]
    fn no_window_ever_admits_more_than_the_limit_and_its_refill(
        limits in any_limits(), ops in vec(op(), 1..120),
    ) {
        let mut world = run(limits, &ops);
        world.pass(100_000);
        for (bucket, limit, admitted) in world.admitted() {
            assert_no_window_exceeds(limit, &admitted, 0, bucket);
        }
    }

    /// The same where it is hardest: floods in every isolate, slow answers, leases kept to the end.
    #[test]
    fn no_window_admits_more_under_pressure(a_minute in 40u64..250, ops in vec(pressure(), 1..150)) {
        let key = requests_only(a_minute);
        let mut world = World::new(ISOLATES, SubjectLimits { key, ..SubjectLimits::default() });
        world.isolates.iter_mut().for_each(|isolate| isolate.diligent = false);
        for op in &ops {
            apply(&mut world, op);
        }
        for (bucket, limit, admitted) in world.admitted() {
            assert_no_window_exceeds(limit, &admitted, 0, bucket);
        }
    }

    /// An object's clock that stands still and then catches up is all the error there can be: what
    /// it lagged behind is refilled late, in one go, and not twice.
    #[test]
    fn a_clock_that_errs_is_worth_no_more_than_its_error(
        limits in any_limits(),
        ops in vec(prop_oneof![6 => op(), 1 => object_clock()], 1..120),
    ) {
        let mut world = run(limits, &ops);
        world.pass(100_000);
        let error = ops.iter().map(lag_of).max().unwrap_or(0);
        for (bucket, limit, admitted) in world.admitted() {
            assert_no_window_exceeds(limit, &admitted, error, bucket);
        }
    }

    #[test]
    fn after_a_quiet_while_every_bucket_is_full_and_every_call_decided(
        limits in any_limits(), ops in vec(op(), 1..80),
    ) {
        let mut world = run(limits, &ops);
        world.fate = Fate::Arrives(5, 5);
        world.isolates.iter_mut().for_each(|isolate| isolate.diligent = true);
        world.tidy();
        // Debits take their time: at most 80 × 30 calls of 1200 tokens at 1000 a minute.
        world.pass(80 * 30 * 1200 / 1000 * 60_000);
        prop_assert_eq!((world.undecided(), world.running()), (0, 0));
        for (bucket, limit, available, held) in world.buckets() {
            prop_assert_eq!((available, held), (limit, 0), "{}", bucket);
        }
    }
}

proptest! {
    /// However slow the way there and back, and however the isolate's clock wavers meanwhile.
    #[test]
    fn a_lease_is_dead_in_the_isolate_before_it_is_in_the_object(
        there in prop_oneof![0u64..100, 0u64..9000], back in 0u64..5000, later in 0u64..9000,
        lags in (0u64..=1000, 0u64..=1000, 0u64..=1000),
    ) {
        let start = 1_700_000_000_000;
        let mut lessee = Lessee::new(&policy(Unreachable::Refuse));
        let key = requests_only(600);
        let mut call = Subject::new("k", "m", SubjectLimits { key, ..SubjectLimits::default() });
        let asked = lessee.admit(&mut call, UnixMs(start - lags.0));
        prop_assert!(matches!(asked, Step::Ask { .. }), "{:?}", asked);
        // The object grants ten, `there` after it was asked.
        let answer = br#"{"seq":1,"buckets":{"r":{"level":0,"held":10,"outcome":{"Lease":{"id":1,"size":10}}}}}"#;
        let answered = start + there + back;
        lessee.answered("key:k", Ok(answer), UnixMs(answered - lags.1));
        let used = answered + later;
        if matches!(lessee.admit(&mut call, UnixMs(used - lags.2)), Step::Ready(_)) {
            prop_assert!(used < start + there + LIFE.0);
        }
        // And it lives long enough to be of use.
        if there + back + later < LIFE.0 / 2 {
            prop_assert!(matches!(lessee.admit(&mut call, UnixMs(used - lags.2)), Step::Ready(_)));
        }
    }

    /// While time stands still, a bucket lacks what was used and nothing else, to the token.
    #[test]
    fn every_token_is_accounted_for(
        calls in vec((0..ISOLATES, 1u64..1000, 0u64..1500, any::<bool>()), 1..60),
    ) {
        let now = UnixMs(1_700_000_000_000);
        let mut limiter = Limiter::default();
        let mut lessees: Vec<_> =
            (0..ISOLATES).map(|_| Lessee::new(&policy(Unreachable::Refuse))).collect();
        let call = Subject::new("k", "m", SubjectLimits { key: tokens_only(20_000), ..SubjectLimits::default() });
        let mut used = 0;
        let mut running = Vec::new();
        for (isolate, reserve, actual, at_once) in calls {
            let reserved = reserve_now(&mut lessees[isolate], &mut limiter, &call, Tokens(reserve), now);
            running.extend(reserved.map(|reservation| (isolate, reservation, actual)));
            if at_once && let Some((isolate, reservation, actual)) = running.pop() {
                lessees[isolate].settle(reservation, Tokens(actual), now);
                used += i128::from(actual);
            }
        }
        for (isolate, reservation, actual) in running {
            lessees[isolate].settle(reservation, Tokens(actual), now);
            used += i128::from(actual);
        }
        for lessee in &mut lessees {
            // Another life for leases ends those held.
            lessee.configure(&GatewayLimits { lease: DurationMs(5000), ..policy(Unreachable::Refuse) });
            for (group, message) in lessee.due(now.plus(DurationMs(2000))) {
                let answer = limiter.handle(&message, now).unwrap();
                lessee.answered(&group, Ok(&answer), now);
            }
        }
        prop_assert_eq!(limiter.level("t"), 20_000 - used);
    }
}
