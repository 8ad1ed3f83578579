//! What callers, operators and the object's bill see.

use super::{
    plans::{Fate, LIFE, Plan, Usage, assert_no_window_exceeds, limits, policy, requests, tokens},
    world::World,
};
use crate::{
    config::valid::{RateLimits, Unreachable},
    rate::{Admission, Lessee, Limiter, Retry, Step, Subject, SubjectLimits, Unavailable},
    units::{DurationMs, Tokens, UnixMs},
};

const NOW: UnixMs = UnixMs(1_700_000_000_000);

fn of_key(key: RateLimits) -> SubjectLimits {
    SubjectLimits { key, ..SubjectLimits::default() }
}

fn hit(isolate: usize) -> Plan {
    Plan { isolate, key: 0, model: 0, tokens: None }
}

fn reserving(reserve: u64, actual: u64, takes: u64) -> Plan {
    Plan { tokens: Some(Usage { reserve, actual: Some(actual), takes }), ..hit(0) }
}

/// One isolate and the objects it asks, with nothing in between.
struct Pair {
    lessee: Lessee,
    limiter: Limiter,
    messages: usize,
}

impl Pair {
    fn new() -> Self {
        let lessee = Lessee::new(&policy(Unreachable::Refuse));
        Self { lessee, limiter: Limiter::default(), messages: 0 }
    }

    fn admit(&mut self, call: &Subject, now: UnixMs) -> Step<Admission> {
        self.drive(call, now, |lessee, call| lessee.admit(call, now))
    }

    fn drive<T>(
        &mut self,
        call: &Subject,
        now: UnixMs,
        step: impl Fn(&mut Lessee, &mut Subject) -> Step<T>,
    ) -> Step<T> {
        let mut call = call.clone();
        loop {
            match step(&mut self.lessee, &mut call) {
                Step::Ask { group, message } => self.exchange(&group, &message, now),
                other => return other,
            }
        }
    }

    fn exchange(&mut self, group: &str, message: &[u8], now: UnixMs) {
        self.messages += 1;
        let answer = self.limiter.handle(message, now).unwrap();
        self.lessee.answered(group, Ok(&answer), now);
    }

    fn tidy(&mut self, now: UnixMs) {
        for (group, message) in self.lessee.due(now) {
            self.exchange(&group, &message, now);
        }
    }
}

#[test]
fn a_call_without_limits_never_touches_the_object() {
    let mut lessee = Lessee::new(&policy(Unreachable::Refuse));
    let mut call = Subject::new("k", "m", SubjectLimits::default());
    assert_eq!(lessee.admit(&mut call, NOW), Step::Ready(Admission::Counted));
    let Step::Ready(reservation) = lessee.reserve(&mut call, Tokens(1 << 40), NOW) else {
        panic!("nothing limits it")
    };
    lessee.settle(reservation, Tokens(5), NOW);
    assert_eq!((lessee.due(NOW), lessee.due_in(NOW)), (vec![], None));
}

#[test]
fn three_a_minute_are_three_over_any_number_of_isolates() {
    let mut world = World::new(5, of_key(requests(3)));
    for isolate in 0..5 {
        world.call(hit(isolate));
    }
    world.pass(1000);
    assert_eq!(world.total("key:k0 r"), 3);
    assert_eq!(world.refused, 2);
    // The three were accounted for at once, so the bucket refills from the start.
    world.pass(19_100);
    world.call(hit(4));
    world.pass(100);
    assert_eq!(world.total("key:k0 r"), 4);
}

#[test]
fn nobody_hoards_a_small_limit() {
    let mut world = World::new(2, of_key(requests(10)));
    for _ in 0..5 {
        world.call(hit(0));
        world.pass(20);
    }
    for _ in 0..5 {
        world.call(hit(1));
        world.pass(20);
    }
    assert_eq!((world.total("key:k0 r"), world.refused), (10, 0));
}

#[test]
fn a_hot_key_costs_few_messages() {
    let mut world = World::new(2, of_key(requests(20_000)));
    for number in 0..10_000 {
        world.call(hit(number % 2));
        world.pass(6);
    }
    assert_eq!((world.total("key:k0 r"), world.refused), (10_000, 0));
    assert!(world.messages < 500, "{} messages", world.messages);
}

#[test]
fn an_overloaded_key_gets_all_it_may_have_for_fewer_messages_than_calls() {
    let mut world = World::new(3, of_key(requests(1200)));
    for number in 0..12_000 {
        world.call(hit(number % 3));
        world.pass(15);
    }
    // Three minutes at 1200 a minute, from a full bucket; 4000 calls a minute.
    let total = world.total("key:k0 r");
    assert!(total >= 4700, "{total} admitted");
    assert!(world.messages < 3200, "{} messages for {total} admitted", world.messages);
    for (bucket, limit, admitted) in world.admitted() {
        assert_no_window_exceeds(limit, &admitted, 0, bucket);
    }
}

#[test]
fn calls_that_come_together_are_asked_for_together() {
    let mut world = World::new(1, of_key(requests(1000)));
    for _ in 0..100 {
        world.call(hit(0));
    }
    world.pass(100);
    assert_eq!(world.total("key:k0 r"), 100);
    assert!(world.messages <= 3, "{} messages", world.messages);
}

#[test]
fn a_flood_of_refused_calls_is_answered_locally() {
    let mut world = World::new(1, of_key(requests(3)));
    for _ in 0..3000 {
        world.call(hit(0));
        world.pass(5);
    }
    assert_eq!((world.total("key:k0 r"), world.refused), (3, 2997));
    assert!(world.messages <= 8, "{} messages", world.messages);
}

#[test]
fn remaining_falls_with_every_request_and_reset_grows() {
    let mut pair = Pair::new();
    let call = Subject::new("k", "m", of_key(requests(60)));
    for used in 1..=60 {
        assert_eq!(pair.admit(&call, NOW), Step::Ready(Admission::Counted));
        let level = pair.lessee.standing(&call, NOW).requests.unwrap();
        assert_eq!((level.limit, level.remaining), (60, 60 - used));
        assert_eq!(level.reset, DurationMs(used * 1000));
    }
    let Step::Refused(refused) = pair.admit(&call, NOW) else { panic!("all are used") };
    assert_eq!(refused.retry, Retry::After(DurationMs(1000)));
    assert_eq!((refused.remaining, refused.needed), (0, 1));
}

#[test]
fn the_tightest_bucket_is_shown() {
    let all = SubjectLimits { key: limits(60, 1000), key_model: requests(5), model: limits(9, 90) };
    let standing =
        Lessee::new(&policy(Unreachable::Refuse)).standing(&Subject::new("k", "m", all), NOW);
    assert_eq!(standing.requests.map(|level| level.limit), Some(5));
    assert_eq!(standing.tokens.map(|level| level.limit), Some(90));
}

#[test]
fn the_promised_retry_succeeds_and_no_earlier_one_does() {
    let mut pair = Pair::new();
    let call = Subject::new("k", "m", of_key(requests(3)));
    for _ in 0..3 {
        assert!(matches!(pair.admit(&call, NOW), Step::Ready(_)));
        pair.tidy(NOW);
    }
    let Step::Refused(refused) = pair.admit(&call, NOW) else { panic!("all are used") };
    assert_eq!(refused.retry, Retry::After(DurationMs(20_000)));
    assert!(matches!(pair.admit(&call, NOW.plus(DurationMs(19_999))), Step::Refused(_)));
    assert!(matches!(pair.admit(&call, NOW.plus(DurationMs(20_000))), Step::Ready(_)));
}

#[test]
fn a_call_larger_than_the_bucket_is_told_that_it_never_fits() {
    let mut lessee = Lessee::new(&policy(Unreachable::Refuse));
    let mut call = Subject::new("k", "m", of_key(limits(60, 1000)));
    let Step::Refused(refused) = lessee.reserve(&mut call, Tokens(1001), NOW) else {
        panic!("it never fits")
    };
    assert_eq!((refused.retry, refused.limit, refused.needed), (Retry::Never, 1000, 1001));
}

#[test]
fn what_one_object_gave_for_a_call_that_another_refused_goes_back() {
    let both = SubjectLimits { key: requests(600), model: requests(1), ..SubjectLimits::default() };
    let mut world = World::new(1, both);
    world.call(hit(0));
    world.pass(50);
    world.call(hit(0));
    world.pass(50);
    assert_eq!((world.total("key:k0 r"), world.refused), (1, 1));
    // The key's bucket has all but the one request back as soon as the lease has idled.
    world.pass(LIFE.0 / 4 + 100);
    let (_, _, available, held) = world.buckets().remove(0);
    assert_eq!((available, held), (600, 0));
}

#[test]
fn a_call_that_outlives_its_lease_gets_its_refund() {
    let mut world = World::new(1, of_key(limits(1000, 60_000)));
    world.call(reserving(50_000, 1000, 6 * LIFE.0));
    // Another one keeps the bucket from filling up, where a refund would be worth nothing.
    world.call(reserving(9000, 9000, 1));
    world.pass(1000);
    for _ in 0..58 {
        world.call(reserving(1000, 1000, 1));
        world.pass(1000);
    }
    world.pass(3000);
    let bucket = world.buckets().into_iter().find(|(name, ..)| name == "key:k0 t").unwrap();
    // 60 000 + 62 s × 1000 less 9000, 58 × 1000 and the 1000 really used: the bucket never was full.
    assert!((52_000..=55_000).contains(&bucket.2), "{bucket:?}");
}

#[test]
fn a_refund_into_a_bucket_that_was_full_is_worth_nothing() {
    let mut world = World::new(1, of_key(limits(1000, 60_000)));
    world.call(reserving(30_000, 0, 60_000));
    world.pass(59_000);
    let tokens = |world: &mut World| world.buckets().pop().unwrap().2;
    assert_eq!(tokens(&mut world), 60_000);
    world.call(reserving(60_000, 60_000, 500));
    world.pass(5000);
    // What was refilled in place of the reservation has been used; it must not come twice.
    assert!(tokens(&mut world) <= 6000, "{}", tokens(&mut world));
}

#[test]
fn calls_that_are_settled_leave_nothing_behind() {
    let mut world = World::new(1, of_key(tokens(60_000)));
    for takes in [10, 20_000, 40_000] {
        world.call(reserving(1000, 500, takes));
        world.pass(3000);
    }
    world.pass(50_000);
    let row = world.row("key:k0", "bucket:t");
    assert!(row.contains(r#""open":[],"spent":[]"#), "{row}");
}

#[test]
fn what_a_call_used_beyond_its_estimate_is_debited() {
    let mut world = World::new(1, of_key(limits(1000, 600)));
    world.call(reserving(100, 1600, 10));
    world.pass(2000);
    world.call(reserving(1, 1, 10));
    world.pass(100);
    assert_eq!(world.refused, 1);
    // 600 − 1600 = −1000, worked off at 10 a second.
    world.pass(97_000);
    world.call(reserving(1, 1, 10));
    world.pass(5000);
    assert_eq!(world.refused, 2);
    world.call(reserving(1, 1, 10));
    world.pass(100);
    assert_eq!(world.refused, 2);
}

#[test]
fn a_cancelled_call_costs_no_tokens() {
    let mut pair = Pair::new();
    let call = Subject::new("k", "m", of_key(limits(60, 1000)));
    for _ in 0..5 {
        let step = pair.drive(&call, NOW, |lessee, call| lessee.reserve(call, Tokens(1000), NOW));
        let Step::Ready(reservation) = step else { panic!("{step:?}") };
        assert_eq!(pair.lessee.standing(&call, NOW).tokens.unwrap().remaining, 0);
        pair.lessee.cancel(reservation, NOW);
        assert_eq!(pair.lessee.standing(&call, NOW).tokens.unwrap().remaining, 1000);
    }
    assert_eq!(pair.messages, 1);
}

#[test]
fn what_an_isolate_holds_does_not_stand_in_its_own_way() {
    let mut pair = Pair::new();
    let call = Subject::new("k", "m", of_key(limits(60, 1000)));
    for tokens in [500, 800, 1000] {
        let step = pair.drive(&call, NOW, |lessee, call| lessee.reserve(call, Tokens(tokens), NOW));
        let Step::Ready(reservation) = step else { panic!("{step:?}") };
        pair.lessee.cancel(reservation, NOW);
    }
}

fn failed(on_unreachable: Unreachable) -> (Lessee, Subject) {
    let mut lessee = Lessee::new(&policy(on_unreachable));
    let mut call = Subject::new("k", "m", of_key(limits(60, 1000)));
    let Step::Ask { group, .. } = lessee.admit(&mut call, NOW) else { panic!("it holds nothing") };
    lessee.answered(&group, Err(Unavailable), NOW);
    (lessee, call)
}

#[test]
fn an_unreachable_object_refuses_calls_and_is_asked_again_after_a_second() {
    let (mut lessee, mut call) = failed(Unreachable::Refuse);
    assert_eq!(lessee.admit(&mut call, NOW), Step::Unreachable);
    assert_eq!(lessee.admit(&mut call, NOW.plus(DurationMs(999))), Step::Unreachable);
    let later = NOW.plus(DurationMs(1000));
    assert!(matches!(lessee.admit(&mut call, later), Step::Ask { .. }));
}

#[test]
fn an_unreachable_object_lets_calls_through_uncounted_where_so_configured() {
    let (mut lessee, mut call) = failed(Unreachable::Admit);
    assert_eq!(lessee.admit(&mut call, NOW), Step::Ready(Admission::Uncounted));
    let Step::Ready(reservation) = lessee.reserve(&mut call, Tokens(10), NOW) else {
        panic!("the configuration admits")
    };
    assert_eq!(reservation.admission(), Admission::Uncounted);
    lessee.settle(reservation, Tokens(1000), NOW);
    let later = NOW.plus(DurationMs(1000));
    assert!(matches!(lessee.admit(&mut call, later), Step::Ask { .. }));
}

#[test]
fn an_answer_that_cannot_be_read_is_no_answer() {
    let mut lessee = Lessee::new(&policy(Unreachable::Refuse));
    let mut call = Subject::new("k", "m", of_key(requests(60)));
    let Step::Ask { group, .. } = lessee.admit(&mut call, NOW) else { panic!("it holds nothing") };
    lessee.answered(&group, Ok(b"<html>"), NOW);
    assert_eq!(lessee.admit(&mut call, NOW), Step::Unreachable);
}

#[test]
fn an_answer_that_comes_too_late_is_not_used_and_not_asked_for_in_circles() {
    let mut world = World::new(1, of_key(requests(60)));
    world.fate = Fate::Arrives(2000, 7000);
    world.call(hit(0));
    world.pass(9500);
    assert_eq!((world.total("key:k0 r"), world.unreachable), (0, 1));
    // The request that it did not use goes back.
    world.fate = Fate::Arrives(5, 5);
    world.pass(2000);
    assert_eq!(world.buckets(), [("key:k0 r".to_owned(), 60, 60, 0)]);
}

#[test]
fn an_answer_to_a_question_that_was_given_up_is_not_used() {
    let mut lessee = Lessee::new(&policy(Unreachable::Refuse));
    let mut limiter = Limiter::default();
    let mut call = Subject::new("k", "m", of_key(requests(60)));
    let Step::Ask { group, message } = lessee.admit(&mut call, NOW) else {
        panic!("it has nothing")
    };
    let first = limiter.handle(&message, NOW).unwrap();
    let later = NOW.plus(DurationMs(3000));
    assert!(matches!(lessee.admit(&mut call, later), Step::Ask { .. }));
    lessee.answered(&group, Ok(&first), later);
    assert!(matches!(lessee.admit(&mut call, later), Step::Wait { .. }));
}

#[test]
fn a_call_that_gets_nowhere_stops_asking() {
    let mut lessee = Lessee::new(&policy(Unreachable::Refuse));
    let mut call = Subject::new("k", "m", of_key(requests(60)));
    let mut asked = 0;
    while let Step::Ask { group, .. } = lessee.admit(&mut call, NOW) {
        asked += 1;
        assert!(asked < 100, "it asks for ever");
        let answer = format!(
            r#"{{"seq":{asked},"buckets":{{"r":{{"level":0,"held":0,"outcome":"Spared"}}}}}}"#
        );
        lessee.answered(&group, Ok(answer.as_bytes()), NOW);
    }
    assert_eq!(lessee.admit(&mut call, NOW), Step::Unreachable);
}

#[test]
fn an_asker_that_vanishes_does_not_block_the_others_for_long() {
    let mut world = World::new(1, of_key(requests(60)));
    world.fate = Fate::Silence(5);
    world.call(hit(0));
    world.pass(10);
    world.fate = Fate::Arrives(5, 5);
    world.call(hit(0));
    world.pass(3100);
    assert_eq!(world.total("key:k0 r"), 1);
}

#[test]
fn a_clock_that_was_set_back_forfeits_the_leases() {
    let mut pair = Pair::new();
    let call = Subject::new("k", "m", of_key(requests(6000)));
    for ms in 0..40 {
        assert!(matches!(pair.admit(&call, NOW.plus(DurationMs(10 * ms))), Step::Ready(_)));
    }
    let before = pair.messages;
    let set_back = UnixMs(NOW.0 - 3_600_000);
    assert!(matches!(pair.admit(&call, set_back), Step::Ready(_)));
    assert_eq!(pair.messages, before + 1, "it must not use what it held");
}

#[test]
fn a_lowered_limit_holds_at_once() {
    let mut pair = Pair::new();
    let generous = Subject::new("k", "m", of_key(requests(6000)));
    for ms in 0..40 {
        assert!(matches!(pair.admit(&generous, NOW.plus(DurationMs(ms))), Step::Ready(_)));
    }
    let strict = Subject::new("k", "m", of_key(requests(2)));
    let now = NOW.plus(DurationMs(50));
    let admitted = (0..10).filter(|_| matches!(pair.admit(&strict, now), Step::Ready(_))).count();
    assert_eq!(admitted, 2);
}

#[test]
fn a_restarted_object_remembers_what_was_spent() {
    let mut world = World::new(2, of_key(limits(3, 1000)));
    for _ in 0..3 {
        world.call(reserving(300, 300, 10));
        world.pass(50);
    }
    world.restart_objects();
    world.call(hit(1));
    world.pass(50);
    assert_eq!((world.total("key:k0 r"), world.refused), (3, 1));
}
