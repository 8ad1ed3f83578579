//! What must hold whatever happens: interleavings, losses, restarts, clocks.

use proptest::{collection::vec, prelude::*};

use super::world::{Fate, Plan, Usage, World, assert_no_window_exceeds, limits};
use crate::rate::SubjectLimits;

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
    let actual = prop_oneof![8 => (0u64..700).prop_map(Some), 1 => Just(None)];
    (1u64..500, actual, prop_oneof![0u64..2000, 0u64..90_000])
        .prop_map(|(reserve, actual, takes)| Usage { reserve, actual, takes })
}

fn plan() -> impl Strategy<Value = Plan> {
    (0..ISOLATES, 0..2usize, 0..2usize, proptest::option::weighted(0.8, usage()))
        .prop_map(|(isolate, key, model, tokens)| Plan { isolate, key, model, tokens })
}

fn fate() -> impl Strategy<Value = Fate> {
    let delay = || prop_oneof![4 => 0u64..100, 1 => 0u64..15_000];
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
        1 => (0u64..59_000).prop_map(|lag| Op::ObjectClock { lag }),
        1 => (0..ISOLATES, any::<bool>())
            .prop_map(|(isolate, diligent)| Op::Diligence { isolate, diligent }),
    ]
}

fn any_limits() -> impl Strategy<Value = SubjectLimits> {
    let one = || {
        let requests = prop_oneof![1u64..10, 10u64..3000];
        (requests, prop_oneof![200u64..2000, 2000u64..100_000]).prop_map(|(r, t)| limits(r, t))
    };
    (one(), one(), one()).prop_map(|(key, key_model, model)| SubjectLimits {
        key,
        key_model,
        model,
    })
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_window_ever_admits_more_than_the_limit_and_its_refill(
        limits in any_limits(), ops in vec(op(), 1..120),
    ) {
        let mut world = run(limits, &ops);
        world.pass(100_000);
        for (bucket, limit, admitted) in world.admitted() {
            assert_no_window_exceeds(limit, &admitted, bucket);
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
        // Debits take their time: at most 120 calls × 30 × 700 tokens at 200 a minute.
        world.pass(120 * 30 * 700 / 200 * 60_000);
        prop_assert_eq!((world.undecided(), world.running()), (0, 0));
        for (bucket, limit, available, held) in world.buckets() {
            prop_assert_eq!((available, held), (limit, 0), "{}", bucket);
        }
    }
}
