//! A stream that dies midway is finished by another target, or ends with an error; never is a cut
//! answer passed off as whole, and no text is lost or said twice.

use proptest::prelude::*;
use tollhouse_core::units::Tokens;
use tollhouse_tests::fake::{Heard, Play, Request, Step, World};

use crate::{both, isolate, model};

const WORDS: [&str; 6] = ["One ", "two ", "three ", "four ", "fünf ", "six."];
const WHOLE: &str = "One two three four fünf six.";

/// `a` breaks off after three words by `end`; `b` does what `other` says.
fn broken(end: Vec<Step>, other: Play, more: &str) -> (std::rc::Rc<World>, Heard) {
    let world = World::new(7);
    world.provider("a", move |_, _| {
        end.iter().fold(Play::begun(&WORDS[..3]), |play, step| play.then(step.clone()))
    });
    world.provider("b", move |_, _| other.clone());
    let gate = isolate(&world, &both(more));
    let heard = world.serve(&gate, Request::stream("m"));
    (world, heard)
}

#[test]
fn a_cut_answer_is_finished_by_the_next_target_asked_afresh() {
    for end in
        [vec![Step::Cut], vec![Step::Stall], vec![Step::Piece(b"data: {nonsense\n\n".to_vec())]]
    {
        let (world, heard) = broken(end, Play::words(&WORDS).named("chatcmpl-2"), "");
        assert!(heard.is_done(), "{}", heard.text());
        assert_eq!(heard.said(), WHOLE);
        assert_eq!(world.calls("b")[0].body["messages"].as_array().map(Vec::len), Some(1));
        let ids: Vec<_> = heard.events().iter().map(|event| event["id"].clone()).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "one answer has one id: {ids:?}");
        let finishes = heard
            .events()
            .iter()
            .filter(|it| it["choices"][0]["finish_reason"].is_string())
            .count();
        assert_eq!(finishes, 1);
    }
}

#[test]
fn a_target_that_takes_a_prefill_gets_what_was_said() {
    let targets =
        r#"{ provider = "a", model = "x" }, { provider = "b", model = "y", prefill = "prefix" }"#;
    let world = World::new(7);
    world.provider("a", |_, _| Play::begun(&WORDS[..3]).then(Step::Cut));
    world.provider("b", |_, _| Play::words(&[" four ", "fünf ", "six."]));
    let gate = isolate(&world, &model(targets, ""));
    let heard = world.serve(&gate, Request::stream("m"));
    assert_eq!((heard.said().as_str(), heard.is_done()), (WHOLE, true), "{}", heard.text());
    let last = world.calls("b")[0].body["messages"][1].clone();
    assert_eq!(
        (last["role"].as_str(), last["content"].as_str()),
        (Some("assistant"), Some("One two three"))
    );
    assert_eq!(last["prefix"], true);
}

#[test]
fn a_refused_prefill_is_remembered_and_the_target_asked_afresh() {
    let targets = r#"{ provider = "a", model = "x" }, { provider = "b", model = "y", prefill = "assistant" }"#;
    let world = World::new(7);
    world.provider("a", |_, _| Play::begun(&WORDS[..3]).then(Step::Cut));
    world.provider("b", |_, body| match body["messages"].as_array().map(Vec::len) {
        Some(1) => Play::words(&WORDS),
        _ => Play::error(400, "invalid_request_error"),
    });
    let gate = isolate(&world, &model(targets, ""));
    for calls in [2, 3] {
        let heard = world.serve(&gate, Request::stream("m"));
        assert_eq!((heard.said().as_str(), heard.is_done()), (WHOLE, true), "{}", heard.text());
        assert_eq!(world.calls("b").len(), calls, "the refusal is learnt once");
    }
}

#[test]
fn an_answer_that_another_target_words_otherwise_ends_with_the_cause() {
    let (_, heard) = broken(vec![Step::Cut], Play::words(&["Uno ", "dos ", "tres."]), "");
    assert_eq!(heard.said(), "One two three ");
    assert!(!heard.text().contains("[DONE]") && heard.ended);
    assert_eq!(heard.code(), "stream_interrupted");
}

#[test]
fn recovery_that_is_off_calls_nobody_else() {
    let (world, heard) = broken(vec![Step::Cut], Play::words(&WORDS), "recovery = \"off\"");
    assert_eq!((heard.code().as_str(), world.calls("b").len()), ("stream_interrupted", 0));
}

#[test]
fn a_tool_call_in_flight_is_not_gone_on_with() {
    let call = br#"data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{\"a"}}]}}]}"#;
    let piece = Step::Piece([&call[..], b"\n\n"].concat());
    let (world, heard) = broken(vec![piece, Step::Cut], Play::words(&WORDS), "");
    assert_eq!((heard.code().as_str(), world.calls("b").len()), ("stream_interrupted", 0));
}

#[test]
fn each_target_is_billed_for_what_it_said() {
    let targets = r#"
        { provider = "a", model = "x", price = { input = 1.0, output = 10.0 } },
        { provider = "b", model = "y", price = { input = 2.0, output = 20.0 } },
    "#;
    let world = World::new(7);
    world.provider("a", |_, _| Play::begun(&WORDS[..3]).then(Step::Cut));
    world.provider("b", |_, _| Play::words(&WORDS));
    let gate = isolate(&world, &model(targets, ""));
    let heard = world.serve(&gate, Request::stream("m"));
    let record = heard.record();
    let bills = record.bills();
    let spent: Vec<_> =
        bills.iter().map(|bill| (bill.target.unwrap().id.as_str(), bill.usage.estimated)).collect();
    assert_eq!(spent, [("a/x", true), ("b/y", false)]);
    assert_eq!(bills[1].cost.unwrap().0, 2 * 10 + 20 * 6);
    let sum: u64 = bills.iter().map(|bill| bill.cost.unwrap().0).sum();
    assert_eq!(record.cost.unwrap().0, sum);
    let told = heard
        .events()
        .iter()
        .filter_map(|event| event["usage"]["total_tokens"].as_u64())
        .next_back();
    assert_eq!(told, record.usage.map(|usage| usage.total().0), "the caller is told the sum");
    assert_eq!(record.settled, Tokens(told.unwrap()));
}

#[test]
fn a_caller_who_waits_is_told_that_the_answer_is_under_way() {
    let slow = Play { latency: 9_000, ..Play::words(&WORDS) };
    let slow = Play { body: [vec![Step::Wait(8_000)], slow.body.clone()].concat(), ..slow };
    let (_, heard) =
        broken(vec![Step::Stall], slow, "timeout = { first_token_ms = 20000, idle_ms = 15000 }");
    assert_eq!((heard.said().as_str(), heard.is_done()), (WHOLE, true), "{}", heard.text());
    assert!(heard.text().matches("\n\n:").count() >= 2, "one while stalled, one while waiting");
}

#[test]
fn a_streamed_call_lasts_until_the_last_byte_of_its_answer() {
    let words = Play::begun(&["Hello"]).then(Step::Wait(700));
    let play = Play { latency: 30, body: [words.body, Play::words(&["!"]).body].concat(), ..words };
    let world = World::new(7);
    world.provider("a", move |_, _| play.clone());
    let gate = isolate(&world, &model(r#"{ provider = "a", model = "x" }"#, ""));
    let heard = world.serve(&gate, Request::stream("m"));
    let attempt = heard.record().attempts[0].clone();
    let first = attempt.first_chunk.unwrap();
    assert!(attempt.took.0 >= first.0 + 700, "{attempt:?}");
}

#[test]
fn a_provider_that_cuts_every_answer_is_rested() {
    let world = World::new(7);
    world.provider("a", |_, _| Play::begun(&WORDS[..3]).then(Step::Cut));
    world.provider("b", |_, _| Play::words(&WORDS));
    let gate = isolate(&world, &both(""));
    for _ in 0..20 {
        assert!(world.serve(&gate, Request::stream("m")).is_done());
    }
    assert_eq!(world.calls("a").len(), 5, "the breaker opens after five");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Wherever two targets in turn break and however their bytes are split: the caller has the whole
    /// answer or an error, and what it has is a beginning of the answer.
    #[test]
    fn an_answer_is_whole_or_ends_with_an_error(
        first in 0_usize..7,
        second in 0_usize..7,
        stalls in any::<bool>(),
        pieces in 1_usize..90,
        prefill in any::<bool>(),
        third in any::<bool>(),
    ) {
        let world = World::new(11);
        let end = if stalls { Step::Stall } else { Step::Cut };
        let cut = end.clone();
        world.provider("a", move |_, _| Play::begun(&WORDS[..first.min(6)]).then(end.clone()).in_pieces_of(pieces));
        world.provider("b", move |call, body| {
            // A target that goes on begins where the assistant's message ends.
            let begun = body["messages"][1]["content"].as_str().unwrap_or_default().to_owned();
            let rest: Vec<String> = WHOLE.strip_prefix(begun.as_str()).unwrap_or(WHOLE).split_inclusive(' ').map(str::to_owned).collect();
            let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
            if call == 1 || !third {
                Play::begun(&rest[..second.min(rest.len())]).then(cut.clone()).in_pieces_of(pieces)
            } else {
                Play::words(&rest).in_pieces_of(pieces)
            }
        });
        let prefill = if prefill { "assistant" } else { "none" };
        let targets = format!(r#"{{ provider = "a", model = "x" }}, {{ provider = "b", model = "y", prefill = "{prefill}" }}"#);
        let retry = "retry = { max_attempts = 4, base_delay_ms = 1, budget = 1.0 }\ntimeout = { idle_ms = 3000, total_ms = 60000 }";
        let gate = isolate(&world, &model(&targets, retry));
        let heard = world.serve(&gate, Request::stream("m"));
        let record = heard.record();
        if heard.status != 200 {
            prop_assert!(record.code.is_some() && !heard.code().is_empty());
            return Ok(());
        }
        prop_assert!(heard.ended);
        let said = heard.said();
        if heard.text().contains("[DONE]") {
            prop_assert_eq!(said, WHOLE);
            prop_assert_eq!(record.code, None);
        } else {
            prop_assert!(WHOLE.starts_with(&said), "{said}");
            prop_assert!(!heard.code().is_empty(), "{}", heard.text());
            prop_assert!(record.code.is_some());
        }
        let billed: u64 = record.bills().iter().map(|bill| bill.usage.total().0).sum();
        prop_assert_eq!(record.settled.0, billed);
    }
}
