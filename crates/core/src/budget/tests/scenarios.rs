use super::world::{Fared, Fate, KEY, LIMITS, MODEL, NOON, World, read};
use crate::{
    budget::{Account, Charge, Purse, Scope, Span, Step, is_message},
    config::valid::{GatewayLimits, Period, Unreachable},
    rate::Unavailable,
    units::{DurationMs, MicroUsd, UnixMs},
};

const SPENT: Fared = Fared::Refused { left: 0, may_come_back: false };

#[test]
fn a_budget_is_spent_to_the_last_micro_dollar_and_no_further() {
    let mut world = World::new(1000, 1);
    for n in 0..10 {
        assert_eq!(world.call(0, 100, Fate::Delivered), Fared::Held, "call {n}");
        world.settle(0, 100);
    }
    world.quiet();
    assert_eq!(world.call(0, 1, Fate::Delivered), SPENT);
    assert_eq!(world.gone(KEY), 1000);
}

#[test]
fn a_call_that_costs_nothing_passes_a_spent_budget() {
    let mut world = World::new(100, 1);
    world.call(0, 100, Fate::Delivered);
    world.settle(0, 100);
    assert_eq!(world.call(0, 0, Fate::Delivered), Fared::Held);
    assert_eq!(world.messages, 1, "and asks nobody");
}

#[test]
fn many_calls_need_few_messages() {
    let mut world = World::new(10_000_000, 1);
    for _ in 0..2000 {
        assert_eq!(world.call(0, 300, Fate::Delivered), Fared::Held);
        world.settle(0, 40);
        world.pass(DurationMs(5));
        world.tend(Fate::Delivered);
    }
    // Ten seconds of two hundred calls each: a sum lives for five seconds.
    assert!(world.messages <= 10, "{} messages", world.messages);
}

#[test]
fn what_running_calls_have_set_aside_may_come_back_and_does() {
    let mut world = World::new(1000, 2);
    assert_eq!(world.call(0, 900, Fate::Delivered), Fared::Held);
    let refused = world.call(1, 500, Fate::Delivered);
    assert_eq!(refused, Fared::Refused { left: 100 - 6, may_come_back: true });
    world.settle(0, 10);
    world.quiet();
    assert_eq!(world.call(1, 500, Fate::Delivered), Fared::Held);
}

#[test]
fn a_call_dearer_than_the_whole_budget_asks_nobody() {
    let mut world = World::new(1000, 1);
    let refused = world.call(0, 1001, Fate::Delivered);
    assert_eq!(refused, Fared::Refused { left: 1000, may_come_back: false });
    assert_eq!(world.messages, 0);
}

#[test]
fn a_new_period_begins_with_the_whole_budget() {
    let mut world = World::new(1000, 1);
    world.call(0, 1000, Fate::Delivered);
    world.settle(0, 1000);
    assert_eq!(world.call(0, 10, Fate::Delivered), SPENT);
    world.now = Span::of(Period::Day, NOON).end;
    assert_eq!(world.call(0, 1000, Fate::Delivered), Fared::Held);
}

#[test]
fn no_sum_outlives_its_period() {
    let mut world = World::new(1000, 1);
    let midnight = Span::of(Period::Day, NOON).end;
    world.now = UnixMs(midnight.0 - 1000);
    world.call(0, 100, Fate::Delivered);
    world.settle(0, 50);
    world.now = midnight;
    assert_eq!(world.call(0, 1000, Fate::Delivered), Fared::Held, "of the new day's money");
    assert_eq!(world.gone(KEY), 1000);
}

#[test]
fn a_clock_set_back_over_midnight_opens_no_period_anew() {
    let mut world = World::new(1000, 1);
    world.now = Span::of(Period::Day, NOON).end;
    world.call(0, 1000, Fate::Delivered);
    world.settle(0, 1000);
    world.now = UnixMs(world.now.0 - 60_000);
    assert_eq!(world.call(0, 10, Fate::Delivered), SPENT);
    world.now = Span::of(Period::Day, NOON).end;
    world.pass(DurationMs::from_secs(60));
    assert_eq!(world.call(0, 10, Fate::Delivered), SPENT);
}

#[test]
fn a_call_takes_from_every_budget_that_covers_it_or_from_none() {
    let mut world = World::new(1000, 1);
    let model = |world: &World| world.draw(Scope::Model, MODEL);
    let key = |world: &World| world.draw(Scope::Key, KEY);
    let draws = vec![model(&world)];
    assert_eq!(world.call_on(0, draws, 900, Fate::Delivered), Fared::Held);
    world.settle(0, 900);
    let draws = vec![key(&world), model(&world)];
    let refused = world.call_on(0, draws, 500, Fate::Delivered);
    assert!(matches!(refused, Fared::Refused { .. }), "{refused:?}");
    world.quiet();
    assert_eq!((world.gone(KEY), world.gone(MODEL)), (0, 900));
    let draws = vec![key(&world), model(&world)];
    assert_eq!(world.call_on(0, draws, 100, Fate::Delivered), Fared::Held);
    world.settle(0, 100);
    world.quiet();
    assert_eq!((world.gone(KEY), world.gone(MODEL)), (100, 1000));
}

#[test]
fn an_object_out_of_reach_refuses_or_admits_as_configured() {
    let mut world = World::new(1000, 1);
    assert_eq!(world.call(0, 10, Fate::Lost), Fared::Unreachable);
    world.pass(DurationMs::from_secs(2));
    assert_eq!(world.call(0, 10, Fate::Delivered), Fared::Held, "it is asked again");
    let admits = GatewayLimits { on_unreachable: Unreachable::Admit, ..LIMITS };
    world.purses[0] = Purse::new(&admits);
    assert_eq!(world.call(0, 10, Fate::Lost), Fared::Held);
    assert!(world.running.last().unwrap().1.is_unchecked());
}

#[test]
fn what_is_held_is_spent_through_an_outage() {
    let mut world = World::new(100_000, 1);
    assert_eq!(world.call(0, 100, Fate::Delivered), Fared::Held);
    let messages = world.messages;
    assert_eq!(world.call(0, 100, Fate::Lost), Fared::Held);
    assert_eq!(world.messages, messages);
}

#[test]
fn a_raised_budget_has_room_at_once() {
    let mut world = World::new(100, 1);
    world.call(0, 100, Fate::Delivered);
    world.settle(0, 100);
    assert_eq!(world.call(0, 10, Fate::Delivered), SPENT);
    world.limit = 200;
    world.purses[0].configure(&LIMITS);
    assert_eq!(world.call(0, 10, Fate::Delivered), Fared::Held);
}

#[test]
fn a_spent_budget_is_not_asked_for_every_call() {
    let mut world = World::new(100, 1);
    world.call(0, 100, Fate::Delivered);
    world.settle(0, 100);
    for _ in 0..50 {
        assert_eq!(world.call(0, 10, Fate::Delivered), SPENT);
        world.pass(DurationMs(100));
    }
    assert!(world.messages <= 3, "{} messages", world.messages);
}

#[test]
fn those_who_come_while_one_asks_wait_for_its_answer() {
    let mut purse = Purse::new(&LIMITS);
    let mut account = Account::default();
    let world = World::new(1000, 0);
    let charge = || Charge::drawing(vec![world.draw(Scope::Key, KEY)], MicroUsd(10));
    let (mut first, mut second) = (charge(), charge());
    let Step::Ask { group, message } = purse.hold(&mut first, NOON) else { panic!("it asks") };
    let Step::Wait { at_most, .. } = purse.hold(&mut second, NOON) else { panic!("it waits") };
    assert!(at_most > DurationMs(0));
    assert!(is_message(&message) && read(&message).budget.ask.is_some());
    let reply = account.handle(&message, NOON).unwrap();
    purse.answered(&group, Ok(&reply), NOON);
    assert!(matches!(purse.hold(&mut first, NOON), Step::Ready(_)));
    assert!(matches!(purse.hold(&mut second, NOON), Step::Ready(_)));
}

#[test]
fn an_answer_that_never_comes_is_given_up() {
    let mut purse = Purse::new(&LIMITS);
    let world = World::new(1000, 0);
    let mut charge = Charge::drawing(vec![world.draw(Scope::Key, KEY)], MicroUsd(10));
    assert!(matches!(purse.hold(&mut charge, NOON), Step::Ask { .. }));
    let later = NOON.plus(DurationMs::from_secs(7));
    assert!(matches!(purse.hold(&mut charge, later), Step::Ask { .. }));
    purse.answered(KEY, Err(Unavailable), later);
    assert_eq!(purse.hold(&mut charge, later), Step::Unreachable);
}

#[test]
fn a_row_that_is_not_its_own_opens_no_account() {
    assert!(Account::restore(Some("{}")).is_err());
    assert!(Account::restore(None).is_ok());
    assert!(Account::default().handle(b"{\"budget\":{}}", NOON).is_err());
}
