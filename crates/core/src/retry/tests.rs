//! What is tried next, and when.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::{
    breaker::Verdict,
    config::valid::{RetryPolicy, Target, Timeouts},
    openai::{
        UpstreamFailure,
        samples::{PLAIN, model, target},
    },
    refusal::{Code, Refusal},
    units::{DurationMs, Tokens, UnitInterval, UnixMs},
};

const HALF: fn() -> UnitInterval = || UnitInterval::new(0.5);

fn policy() -> RetryPolicy {
    RetryPolicy { statuses: vec![408, 409, 429, 500, 502, 503], ..model("m", &[PLAIN]).retry }
}

fn frame() -> Frame {
    Frame {
        timeouts: model("m", &[PLAIN]).timeout,
        started: UnixMs(0),
        deadline: None,
        streamed: false,
    }
}

fn targets(names: &[&str]) -> Vec<Arc<Target>> {
    names.iter().map(|name| Arc::new(target(name, PLAIN))).collect()
}

fn status(status: u16) -> Outcome {
    Outcome::Refused(UpstreamFailure {
        status,
        code: if status == 429 { Code::UpstreamRateLimited } else { Code::UpstreamError },
        message: "it failed".into(),
        retry_after: None,
        quota_exhausted: false,
    })
}

fn wait(ms: u64) -> Outcome {
    let Outcome::Refused(failure) = status(429) else { unreachable!() };
    Outcome::Refused(UpstreamFailure { retry_after: Some(DurationMs(ms)), ..failure })
}

fn coded(code: Code) -> Outcome {
    let Outcome::Refused(failure) = status(400) else { unreachable!() };
    Outcome::Refused(UpstreamFailure { code, ..failure })
}

/// `name+pause`, or the code of a refusal.
fn said(next: &Next) -> String {
    match next {
        Next::Try { target, after, .. } => format!("{}+{}", target.model, after.0),
        Next::GiveUp(refusal) => refusal.code.name().to_owned(),
    }
}

/// Plays outcomes at time zero, dice at one half, and says what follows each.
fn play(names: &[&str], outcomes: &[Outcome]) -> Vec<String> {
    play_up_to(3, names, outcomes)
}

fn play_up_to(max_attempts: u32, names: &[&str], outcomes: &[Outcome]) -> Vec<String> {
    let policy = RetryPolicy { max_attempts, ..policy() };
    let mut attempts = Attempts::new(policy, frame(), targets(names));
    let mut all = vec![said(&attempts.first(UnixMs(0)))];
    for outcome in outcomes {
        all.push(said(&attempts.failed(outcome, UnixMs(0), HALF(), || true)));
    }
    all
}

#[test]
fn a_lone_target_is_asked_again_with_growing_pauses_and_then_given_up() {
    let end = play(&["a"], &[status(500), Outcome::Unreachable, status(503)]);
    assert_eq!(end, ["a+0", "a+250", "a+500", "upstream_error"]);
}

#[test]
fn other_targets_come_before_a_second_round() {
    let end = play(&["a", "b"], &[status(500), Outcome::Invalid("x".into())]);
    assert_eq!(end, ["a+0", "b+0", "a+250"]);
}

#[test]
fn other_refusals_are_told_at_once() {
    assert_eq!(play(&["a", "b"], &[coded(Code::UpstreamRejected)])[1], "upstream_rejected");
    assert_eq!(play(&["a", "b"], &[coded(Code::ContentFilter)])[1], "content_filter");
}

#[test]
fn what_is_neither_retried_nor_the_callers_fault_is_fallen_over_from() {
    // A model or path that is not there, a redirect, a 5xx that is not to be retried.
    for (code, failed) in
        [(404, Code::UpstreamError), (302, Code::UpstreamInvalid), (501, Code::UpstreamError)]
    {
        let Outcome::Refused(failure) = status(code) else { unreachable!() };
        let outcome = Outcome::Refused(UpstreamFailure { code: failed, ..failure });
        assert_eq!(
            play(&["a", "b"], &[outcome.clone(), status(500)])[1..],
            ["b+0", "b+250"],
            "{code}"
        );
        assert_eq!(play(&["a"], &[outcome])[1], failed.name(), "{code}");
    }
}

#[test]
fn our_own_account_at_one_provider_does_not_stop_another() {
    assert_eq!(play(&["a", "b"], &[coded(Code::UpstreamAuth)])[1], "b+0");
    assert_eq!(play(&["a"], &[coded(Code::UpstreamAuth)])[1], "upstream_auth");
}

#[test]
fn a_wait_is_kept_and_one_beyond_the_cap_is_not_waited_for() {
    assert_eq!(play(&["a"], &[wait(3000)])[1], "a+3000");
    assert_eq!(play(&["a", "b"], &[wait(3000), status(500)])[1..], ["b+0", "b+250"]);
    assert_eq!(play(&["a", "b"], &[wait(3_600_000), status(500)])[1..], ["b+0", "b+250"]);
    assert_eq!(play(&["a"], &[wait(3_600_000)])[1], "upstream_rate_limited");
}

#[test]
fn nobody_is_waited_for_while_another_may_be_asked() {
    // In the second round b is ready before a is, and c before both.
    let end = play_up_to(
        6,
        &["a", "b", "c"],
        &[wait(9000), wait(300), status(500), status(500), status(500)],
    );
    assert_eq!(end, ["a+0", "b+0", "c+0", "c+250", "b+300", "a+9000"]);
}

/// What the caller is told when a lone target has failed like this, given up at once.
fn told(outcome: &Outcome) -> Refusal {
    let mut attempts = Attempts::new(policy(), frame(), targets(&["a"]));
    attempts.first(UnixMs(0));
    match attempts.failed(outcome, UnixMs(0), HALF(), || true) {
        Next::GiveUp(refusal) => refusal,
        Next::Try { .. } => panic!("not given up"),
    }
}

#[test]
fn a_wait_that_the_caller_will_keep_is_left_to_it() {
    let short = told(&wait(45_000));
    assert_eq!((short.retry_after, short.should_retry), (Some(DurationMs(45_000)), None));
    let long = told(&wait(3_600_000));
    assert_eq!((long.retry_after, long.should_retry), (Some(DurationMs(3_600_000)), Some(false)));
    let Outcome::Refused(failure) = wait(45_000) else { unreachable!() };
    let broke = Outcome::Refused(UpstreamFailure { quota_exhausted: true, ..failure });
    assert_eq!(told(&broke).should_retry, Some(false));
    assert_eq!(told(&Outcome::Silent).should_retry, Some(false));
}

#[test]
fn a_wait_beyond_the_end_of_the_request_is_left_to_the_caller_too() {
    let deadline = Some(UnixMs(2000));
    let mut attempts = Attempts::new(policy(), Frame { deadline, ..frame() }, targets(&["a"]));
    attempts.first(UnixMs(0));
    let Next::GiveUp(refusal) = attempts.failed(&wait(3000), UnixMs(0), HALF(), || true) else {
        panic!("a pause that overruns the deadline")
    };
    assert_eq!((refusal.code, refusal.should_retry), (Code::UpstreamRateLimited, None));
    // Another target is still asked, and asked again rather than the one that must be waited for.
    let policy = RetryPolicy { max_attempts: 6, ..policy() };
    let mut attempts = Attempts::new(policy, Frame { deadline, ..frame() }, targets(&["a", "b"]));
    attempts.first(UnixMs(0));
    let mut failed =
        |outcome: &Outcome| said(&attempts.failed(outcome, UnixMs(0), HALF(), || true));
    assert_eq!(failed(&wait(3000)), "b+0");
    assert_eq!(failed(&status(500)), "b+250");
    assert_eq!(failed(&status(500)), "b+500");
}

#[test]
fn a_silent_target_is_not_asked_again() {
    assert_eq!(play(&["a"], &[Outcome::Silent])[1], "upstream_timeout");
    assert_eq!(play(&["a", "b"], &[Outcome::Silent, status(500)])[1..], ["b+0", "b+250"]);
}

#[test]
fn a_prompt_that_is_too_long_goes_to_a_larger_context_only() {
    let sized = |name: &str, tokens| {
        let mut target = target(name, PLAIN);
        target.dialect.context = Some(Tokens(tokens));
        Arc::new(target)
    };
    let all = vec![sized("small", 8000), sized("same", 8000), sized("large", 32_000)];
    let mut attempts = Attempts::new(policy(), frame(), all);
    attempts.first(UnixMs(0));
    let next = attempts.failed(&coded(Code::ContextLengthExceeded), UnixMs(0), HALF(), || true);
    assert_eq!(said(&next), "large+0");
    let next = attempts.failed(&coded(Code::ContextLengthExceeded), UnixMs(0), HALF(), || true);
    assert_eq!(said(&next), "context_length_exceeded");
}

#[test]
fn a_missing_secret_is_no_attempt() {
    let missing = Outcome::SecretMissing("KEY".into());
    let end = play(&["a", "b"], &[missing.clone(), status(500), status(500), status(500)]);
    assert_eq!(end, ["a+0", "b+0", "b+250", "b+500", "upstream_error"]);
    assert_eq!(play(&["a"], &[missing])[1], "secret_missing");
}

#[test]
fn a_spent_budget_stops_second_attempts_but_not_other_targets() {
    let mut attempts = Attempts::new(policy(), frame(), targets(&["a", "b"]));
    attempts.first(UnixMs(0));
    assert_eq!(said(&attempts.failed(&status(500), UnixMs(0), HALF(), || false)), "b+0");
    assert_eq!(said(&attempts.failed(&status(500), UnixMs(0), HALF(), || false)), "upstream_error");
}

#[test]
fn the_callers_deadline_is_told_apart() {
    let deadline = Some(UnixMs(2000));
    let mut attempts = Attempts::new(policy(), Frame { deadline, ..frame() }, targets(&["a"]));
    let Next::Try { limits, .. } = attempts.first(UnixMs(500)) else { panic!() };
    assert_eq!(limits.whole, DurationMs(1500));
    let next = attempts.failed(&Outcome::Silent, UnixMs(2000), HALF(), || true);
    assert_eq!(said(&next), "deadline_exceeded");
    let mut late = Attempts::new(policy(), Frame { deadline, ..frame() }, targets(&["a"]));
    assert_eq!(said(&late.first(UnixMs(2000))), "deadline_exceeded");
    let mut late = Attempts::new(policy(), frame(), targets(&["a"]));
    assert_eq!(said(&late.first(UnixMs(0).plus(frame().timeouts.total))), "upstream_timeout");
}

/// The outcome of a silence of `took` ms in an attempt begun `at` by a caller with this deadline.
fn silence(deadline: Option<u64>, at: u64, took: u64) -> Outcome {
    let frame = Frame { deadline: deadline.map(UnixMs), ..frame() };
    let mut attempts = Attempts::new(policy(), frame, targets(&["a"]));
    let Next::Try { limits, .. } = attempts.first(UnixMs(at)) else { panic!() };
    limits.judge(Outcome::Silent, DurationMs(took))
}

#[test]
fn a_hurried_caller_does_not_make_a_target_silent() {
    // A reply has 30 s, the request 60 s.
    assert_eq!(silence(None, 0, 30_000), Outcome::Silent);
    assert_eq!(silence(Some(100), 0, 100), Outcome::OutOfTime);
    assert_eq!(silence(Some(29_999), 0, 29_998), Outcome::OutOfTime, "timers may ring early");
    assert_eq!(silence(Some(30_000), 0, 29_999), Outcome::Silent);
    assert_eq!(silence(Some(40_000), 0, 30_000), Outcome::Silent);
    assert_eq!(silence(Some(40_000), 0, 40_000), Outcome::OutOfTime, "a body that trickled");
    assert_eq!(silence(None, 0, 60_000), Outcome::Silent, "trickled for all the time there is");
    assert_eq!(silence(None, 40_000, 20_000), Outcome::OutOfTime, "had 20 s only");
    assert_eq!(Outcome::OutOfTime.verdict(), Verdict::Unknown);
}

#[test]
fn when_time_is_up_the_failure_before_it_is_told() {
    let mut attempts = Attempts::new(policy(), frame(), targets(&["a", "b"]));
    attempts.first(UnixMs(0));
    attempts.failed(&status(500), UnixMs(50_000), HALF(), || true);
    let next = attempts.failed(&Outcome::OutOfTime, UnixMs(59_999), HALF(), || true);
    assert_eq!(said(&next), "upstream_error");
}

#[test]
fn a_skipped_target_is_no_attempt_and_no_way_round_the_pause() {
    let mut attempts = Attempts::new(policy(), frame(), targets(&["a", "b"]));
    attempts.first(UnixMs(0));
    attempts.failed(&status(500), UnixMs(0), HALF(), || true);
    let skip = |attempts: &mut Attempts, rest, budget: fn() -> bool| {
        said(&attempts.skipped(DurationMs(rest), UnixMs(0), HALF(), budget))
    };
    assert_eq!(skip(&mut attempts, 900, || true), "a+250");
    let mut attempts = Attempts::new(policy(), frame(), targets(&["a", "b"]));
    attempts.first(UnixMs(0));
    attempts.failed(&status(500), UnixMs(0), HALF(), || true);
    assert_eq!(skip(&mut attempts, 900, || false), "upstream_error");
    let mut attempts = Attempts::new(policy(), frame(), targets(&["a", "b"]));
    attempts.first(UnixMs(0));
    assert_eq!(skip(&mut attempts, 900, || true), "b+0");
    let Next::GiveUp(refusal) = attempts.skipped(DurationMs(2000), UnixMs(0), HALF(), || true)
    else {
        panic!()
    };
    assert_eq!((refusal.code, refusal.retry_after), (Code::CircuitOpen, Some(DurationMs(900))));
}

#[test]
fn a_targets_health_is_judged_by_what_failed() {
    let of = |http, code| {
        let Outcome::Refused(failure) = status(http) else { unreachable!() };
        Outcome::Refused(UpstreamFailure { code, ..failure }).verdict()
    };
    for broken in [Outcome::Silent, Outcome::Unreachable, Outcome::Invalid("x".into()), status(500)]
    {
        assert_eq!(broken.verdict(), Verdict::Broken, "{broken:?}");
    }
    assert_eq!(of(302, Code::UpstreamInvalid), Verdict::Broken);
    assert_eq!(of(400, Code::UpstreamRejected), Verdict::Answered);
    assert_eq!(of(500, Code::ContextLengthExceeded), Verdict::Answered);
    assert_eq!(of(429, Code::UpstreamRateLimited), Verdict::Unknown);
    assert_eq!(of(401, Code::UpstreamAuth), Verdict::Unknown);
    assert_eq!(Outcome::SecretMissing("KEY".into()).verdict(), Verdict::Unknown);
}

#[test]
fn streams_and_whole_replies_have_their_own_patience() {
    let head = |streamed| {
        let mut attempts = Attempts::new(policy(), Frame { streamed, ..frame() }, targets(&["a"]));
        let Next::Try { limits, .. } = attempts.first(UnixMs(0)) else { panic!() };
        limits.head
    };
    let Timeouts { first_token, reply, .. } = frame().timeouts;
    assert_eq!((head(true), head(false)), (first_token, reply));
}

proptest! {
    #[test]
    fn attempts_and_time_are_bounded(
        outcomes in prop::collection::vec((0..6_usize, 0..30_000_u64, 0.0..1.0_f64), 1..40),
        count in 1..4_usize,
        deadline in prop::option::of(0..90_000_u64),
    ) {
        let names = &["a", "b", "c"][..count];
        let deadline = deadline.map(UnixMs);
        let mut attempts = Attempts::new(policy(), Frame { deadline, ..frame() }, targets(names));
        let kinds = [status(500), wait(400), Outcome::Unreachable, Outcome::Silent, wait(99_000), Outcome::Invalid("x".into())];
        let ends = deadline.unwrap_or(UnixMs(u64::MAX)).min(UnixMs(0).plus(frame().timeouts.total));
        let (mut now, mut made) = (UnixMs(0), 0);
        let mut next = attempts.first(now);
        for (kind, took, dice) in outcomes {
            let Next::Try { after, limits, .. } = &next else { break };
            made += 1;
            prop_assert!(after.0 <= policy().max_delay.0.max(400));
            now = now.plus(*after);
            prop_assert!(now < ends);
            prop_assert!(now.plus(limits.whole) <= ends && limits.head <= limits.whole);
            now = now.plus(DurationMs(took.min(limits.whole.0)));
            next = attempts.failed(&kinds[kind], now, UnitInterval::new(dice), || true);
        }
        prop_assert!(made <= policy().max_attempts);
    }
}
