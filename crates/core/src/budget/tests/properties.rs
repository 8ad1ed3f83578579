use proptest::prelude::*;

use super::world::{Fate, KEY, World};
use crate::units::DurationMs;

#[derive(Debug, Clone)]
enum Event {
    Call {
        isolate: usize,
        amount: u64,
        fate: Fate,
    },
    /// The call at this place ends, at this share of what was set aside, in hundredths.
    Settle {
        place: usize,
        percent: u64,
    },
    Pass {
        ms: u64,
    },
    Tend {
        fate: Fate,
    },
    Restart,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![8 => Just(Fate::Delivered), 1 => Just(Fate::Lost), 1 => Just(Fate::AnswerLost)]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0_usize..3, 1_u64..400, fate())
            .prop_map(|(isolate, amount, fate)| Event::Call { isolate, amount, fate }),
        5 => (0_usize..50, 0_u64..130).prop_map(|(place, percent)| Event::Settle { place, percent }),
        3 => (0_u64..8000).prop_map(|ms| Event::Pass { ms }),
        2 => fate().prop_map(|fate| Event::Tend { fate }),
        1 => Just(Event::Restart),
    ]
}

fn play(world: &mut World, event: &Event) {
    match event {
        Event::Call { isolate, amount, fate } => drop(world.call(*isolate, *amount, *fate)),
        Event::Settle { place, percent } if !world.running.is_empty() => {
            let place = place % world.running.len();
            let actual = world.running[place].1.amount().0 * percent / 100;
            world.settle(place, actual);
        }
        Event::Settle { .. } => {}
        Event::Pass { ms } => world.pass(DurationMs(*ms)),
        Event::Tend { fate } => world.tend(*fate),
        Event::Restart => {
            let rows = world.rows();
            world.restart(&rows);
        }
    }
}

proptest! {
    #[test]
    fn what_is_spent_and_set_aside_never_passes_the_budget(
        limit in 100_u64..5000,
        events in prop::collection::vec(event(), 1..120),
    ) {
        let mut world = World::new(limit, 3);
        for event in &events {
            play(&mut world, event);
            // Calls that cost more than their worst case are the only way above it.
            let committed = world.cost + world.set_aside();
            prop_assert!(committed <= limit + world.excess, "{committed} of {limit} after {event:?}");
            prop_assert!(world.gone(KEY) + world.excess >= committed);
        }
    }

    #[test]
    fn once_all_calls_have_ended_the_account_holds_what_they_cost(
        limit in 100_u64..5000,
        events in prop::collection::vec(event(), 1..120),
    ) {
        let mut world = World::new(limit, 3);
        for event in &events {
            play(&mut world, event);
        }
        while !world.running.is_empty() {
            let half = world.running[0].1.amount().0 / 2;
            world.settle(0, half);
        }
        world.quiet();
        // A sum whose isolate never heard of it counts as spent.
        prop_assert_eq!(world.gone(KEY), world.cost + world.lost);
    }
}
