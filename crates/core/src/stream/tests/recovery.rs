//! Answers told by several providers in turn, cut anywhere: the caller sees one, whole and once.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    answer::{Answer, read},
    properties,
    splits::cut,
};
use crate::{
    price::Usage,
    refusal::{Code, Refusal},
    stream::{Fault, MAX_TRANSCRIPT_BYTES, Relay, Resume, Unrecoverable, write_failure},
    units::Tokens,
};

/// What each attempt that broke is taken to have used.
const SPENT: Usage = Usage {
    prompt: Tokens(100),
    cached: Tokens(30),
    cache_write: Tokens(0),
    completion: Tokens(10),
    reasoning: Tokens(2),
    estimated: true,
};

/// A provider and how it cuts its text into chunks.
#[derive(Debug, Clone)]
struct Provider {
    name: &'static str,
    is_chat: bool,
    lengths: Vec<usize>,
}

impl Provider {
    fn chat(name: &'static str) -> Self {
        Self { name, is_chat: true, lengths: vec![4] }
    }

    /// The whole stream of an answer with these texts.
    fn stream(&self, reasoning: &str, texts: &[String]) -> String {
        let mut out = String::new();
        for index in 0..texts.len() {
            out += &self.event(index, &json!({"role": "assistant", "content": ""}), &Value::Null);
        }
        if self.is_chat {
            for piece in self.pieces(reasoning) {
                out += &self.event(
                    0,
                    &json!({"content": null, "reasoning_content": piece}),
                    &Value::Null,
                );
            }
        }
        let mut left: Vec<_> = texts.iter().map(|text| self.pieces(text).into_iter()).collect();
        loop {
            let before = out.len();
            for (index, pieces) in left.iter_mut().enumerate() {
                if let Some(piece) = pieces.next() {
                    out += &self.event(index, &json!({"content": piece}), &Value::Null);
                }
            }
            if out.len() == before {
                break;
            }
        }
        for index in 0..texts.len() {
            out += &self.event(index, &json!({}), &json!("stop"));
        }
        let usage = json!({"prompt_tokens": 20, "completion_tokens": 7, "total_tokens": 27});
        out += &self.chunk(&json!([]), &usage);
        out + "data: [DONE]\n\n"
    }

    fn event(&self, index: usize, delta: &Value, finish: &Value) -> String {
        let choice = if self.is_chat {
            json!({"index": index, "delta": delta, "logprobs": null, "finish_reason": finish})
        } else {
            let text = delta["content"].as_str().unwrap_or_default();
            json!({"index": index, "text": text, "finish_reason": finish})
        };
        self.chunk(&json!([choice]), &Value::Null)
    }

    fn chunk(&self, choices: &Value, usage: &Value) -> String {
        let Self { name, .. } = self;
        let chunk = json!({"id": format!("id-{name}"), "created": name.len(), "model": name,
                           "choices": choices, "usage": usage});
        format!("data: {chunk}\n\n")
    }

    fn pieces(&self, text: &str) -> Vec<String> {
        let mut lengths = self.lengths.iter().cycle();
        let mut left: Vec<char> = text.chars().collect();
        let mut pieces = Vec::new();
        while !left.is_empty() {
            let length = (*lengths.next().expect("there are lengths")).min(left.len());
            pieces.push(left.drain(..length).collect());
        }
        pieces
    }
}

/// Feeds a stream that breaks off after `until` bytes, in pieces.
fn feed(
    relay: &mut Relay,
    stream: &str,
    until: usize,
    cuts: &[usize],
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    let bytes = &stream.as_bytes()[..until.min(stream.len())];
    cut(bytes, cuts).into_iter().try_for_each(|piece| relay.push(piece, out))?;
    relay.end(out)
}

/// An answer of `first` that breaks off right after `sent`, told so far to a caller.
fn interrupted(sent: &str) -> (Relay, Vec<u8>) {
    let first = Provider { lengths: vec![1 << 20], ..Provider::chat("first") };
    let stream = first.stream("", &[sent.to_owned()]);
    let until = stream.find("\"stop\"").expect("there is a finish");
    let (mut relay, mut out) = (Relay::new(true).recoverable().recorded(), Vec::new());
    let fault = feed(&mut relay, &stream, until, &[], &mut out);
    assert_eq!(fault, Err(Fault::Interrupted));
    (relay, out)
}

#[test]
fn a_continuation_joins_without_a_seam() {
    let (mut relay, mut out) = interrupted("Once upon ");
    assert_eq!(relay.sent().unwrap().prefill(), Some("Once upon"));
    relay.resume(Resume::Prefill, SPENT).unwrap();
    let rest = Provider::chat("second").stream("", &[" a time.".into()]);
    feed(&mut relay, &rest, usize::MAX, &[], &mut out).unwrap();
    let answer = read(&out);
    assert_eq!(answer.choices[0].content, "Once upon a time.");
    assert_eq!(answer.choices[0].roles, 1);
    assert_eq!(answer.choices[0].finishes, ["stop"]);
    assert_eq!(answer.ids, ["id-first"]);
    // The last chunks say who has served.
    assert_eq!(answer.models, ["first", "second"]);
    let usage = answer.usage.unwrap();
    assert_eq!(usage["prompt_tokens"], 120);
    assert_eq!(usage["completion_tokens"], 17);
    assert_eq!(usage["total_tokens"], 137);
    assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 30);
    // Each attempt is priced by itself.
    assert_eq!(relay.summary().usage.unwrap().prompt, Tokens(20));
    assert_eq!(relay.summary().model.as_deref(), Some("second"));
    assert_eq!(relay.into_recording(), None, "two models' answer is not kept");
}

#[test]
fn another_answer_is_never_joined() {
    for other in ["Twice upon a time.", "Once", "once upon a time", "", "Onceupon a time."] {
        let (mut relay, mut out) = interrupted("Once upon ");
        relay.resume(Resume::Restart, SPENT).unwrap();
        let stream = Provider::chat("second").stream("", &[other.to_owned()]);
        let fault = feed(&mut relay, &stream, usize::MAX, &[], &mut out);
        assert_eq!(fault, Err(Fault::Diverged), "{other:?}");
        let before = read(&out);
        assert_eq!(before.choices[0].content, "Once upon ", "{other:?}");
        assert_eq!(before.choices[0].finishes, [""; 0]);
        write_failure(
            &mut out,
            &Refusal::new(Code::StreamInterrupted, fault.unwrap_err().to_string()),
        );
        let answer = read(&out);
        assert_eq!(answer.error.unwrap()["code"], "stream_interrupted");
        assert!(!answer.done);
    }
}

#[test]
fn after_a_target_that_disagrees_comes_the_next() {
    let (mut relay, mut out) = interrupted("Once upon ");
    for (text, result) in [("Never.", Err(Fault::Diverged)), ("Once upon a time.", Ok(()))] {
        relay.resume(Resume::Restart, SPENT).unwrap();
        let stream = Provider::chat("next").stream("", &[text.to_owned()]);
        assert_eq!(feed(&mut relay, &stream, usize::MAX, &[], &mut out), result);
    }
    assert_eq!(read(&out).choices[0].content, "Once upon a time.");
}

#[test]
fn reasoning_is_told_once() {
    let first = Provider::chat("first").stream("Let me think.", &["Four.".into()]);
    let cases = [
        // Broken off in the answer: another one's reasoning leads to it as well.
        ("Four", "Hm, hm.", Ok("Let me think.")),
        // Broken off in the reasoning: it must be the same.
        ("me t", "Let me think.", Ok("Let me think.")),
        ("me t", "Hm, hm.", Err(Fault::Diverged)),
        ("me t", "", Err(Fault::Diverged)),
    ];
    for (last, reasoning, expected) in cases {
        let (mut relay, mut out) = (Relay::new(false).recoverable(), Vec::new());
        let at = first.find(last).unwrap();
        let until = at + first[at..].find("\n\n").unwrap() + 2;
        let _ = feed(&mut relay, &first, until, &[], &mut out).unwrap_err();
        relay.resume(Resume::Restart, SPENT).unwrap();
        let stream = Provider::chat("second").stream(reasoning, &["Four.".into()]);
        let result = feed(&mut relay, &stream, usize::MAX, &[], &mut out);
        assert_eq!(result.clone().err(), expected.clone().err(), "{reasoning:?}");
        let told = read(&out).choices.remove(0);
        match expected {
            Ok(reasoning) => assert_eq!((&*told.reasoning, &*told.content), (reasoning, "Four.")),
            Err(_) => assert_eq!((&*told.reasoning, &*told.content), ("Let me t", "")),
        }
    }
}

#[test]
fn a_tool_call_may_follow_text_but_not_precede_it() {
    let call = json!({"tool_calls": [{"index": 0, "id": "c", "type": "function",
                                      "function": {"name": "f", "arguments": "{}"}}]});
    let second = Provider::chat("second");
    let finish = second.event(0, &json!({}), &json!("tool_calls"));
    let call = second.event(0, &call, &Value::Null) + &finish + "data: [DONE]\n\n";
    let (mut relay, mut out) = interrupted("Let me look.");
    relay.resume(Resume::Restart, SPENT).unwrap();
    assert_eq!(relay.push(call.as_bytes(), &mut out), Err(Fault::Diverged));
    relay.resume(Resume::Restart, SPENT).unwrap();
    let text = second.event(0, &json!({"content": "Let me look."}), &Value::Null);
    assert_eq!(relay.push((text + &call).as_bytes(), &mut out), Ok(()));
    let answer = read(&out);
    assert_eq!(answer.choices[0].arguments, ["{}"]);
    assert_eq!(answer.choices[0].content, "Let me look.");
    assert!(answer.done);
}

#[test]
fn a_chunk_of_old_and_new_text_holds_the_new_alone() {
    let (mut relay, mut out) = interrupted("Once upon ");
    let before = out.len();
    relay.resume(Resume::Restart, SPENT).unwrap();
    let choice = |delta: Value| json!([{"index": 0, "delta": delta, "logprobs": {"content": []}}]);
    let usage = json!({"prompt_tokens": 1, "completion_tokens": 2, "cost": 0.1});
    let second = Provider::chat("second");
    let old = json!({"role": "assistant", "content": "Once", "refusal": null});
    relay.push(second.chunk(&choice(old), &usage).as_bytes(), &mut out).unwrap();
    assert_eq!(out.len(), before, "a chunk of old text has nothing for the caller");
    let both = json!({"role": "assistant", "content": " upon a time", "refusal": null});
    relay.push(second.chunk(&choice(both), &usage).as_bytes(), &mut out).unwrap();
    let event = String::from_utf8(out.split_off(before)).unwrap();
    let chunk: Value = serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap();
    let delta = json!({"content": "a time", "refusal": null});
    assert_eq!(chunk["choices"], json!([{"index": 0, "delta": delta, "logprobs": null}]));
    assert_eq!((&chunk["id"], &chunk["created"]), (&json!("id-first"), &json!("first".len())));
    assert_eq!(chunk["usage"]["completion_tokens"], 12);
}

#[test]
fn what_cannot_be_checked_is_not_recovered() {
    let why = |delta: Value, logprobs: Value| {
        let chunk =
            json!({"id": "a", "choices": [{"index": 0, "delta": delta, "logprobs": logprobs}]});
        let mut relay = Relay::new(true).recoverable();
        relay.push(format!("data: {chunk}\n\n").as_bytes(), &mut Vec::new()).unwrap();
        let why = relay.sent().err();
        assert_eq!(relay.resume(Resume::Restart, SPENT).err(), why);
        why
    };
    let call =
        json!({"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "{\"a"}}]});
    assert_eq!(why(call, Value::Null), Some(Unrecoverable::InFlight));
    assert_eq!(why(json!({"audio": {"id": "x"}}), Value::Null), Some(Unrecoverable::InFlight));
    assert_eq!(
        why(json!({"content": [{"type": "text"}]}), Value::Null),
        Some(Unrecoverable::InFlight)
    );
    assert_eq!(why(json!({"content": "a"}), json!({"content": []})), Some(Unrecoverable::Logprobs));
    let long = "x".repeat(MAX_TRANSCRIPT_BYTES + 1);
    assert_eq!(why(json!({"content": long}), Value::Null), Some(Unrecoverable::TooLong));
    let nothing_more =
        json!({"content": "a", "tool_calls": [], "function_call": null, "refusal": null});
    assert_eq!(why(nothing_more, Value::Null), None);
    assert_eq!(Relay::new(true).sent().err(), Some(Unrecoverable::NotKept));
}

#[test]
fn only_one_choice_of_text_can_be_continued() {
    let prefill = |texts: &[&str], delta: &str| {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        let stream = Provider::chat("first").stream("", &texts).replace("\"content\"", delta);
        let mut relay = Relay::new(true).of_choices(texts.len().try_into().unwrap()).recoverable();
        let until = stream.find("\"stop\"").unwrap();
        let _ = feed(&mut relay, &stream, until, &[], &mut Vec::new());
        relay.sent().unwrap().prefill().map(str::to_owned)
    };
    assert_eq!(prefill(&["Hello \n"], "\"content\"").as_deref(), Some("Hello"));
    assert_eq!(prefill(&["  \n"], "\"content\""), None);
    assert_eq!(prefill(&["I cannot"], "\"refusal\""), None);
    assert_eq!(prefill(&["a", "b"], "\"content\""), None);
}

#[test]
fn a_finished_choice_stays_as_it_is() {
    let first = Provider::chat("first");
    let stream = first.event(0, &json!({"role": "assistant", "content": "Heads"}), &json!("stop"))
        + &first.event(1, &json!({"role": "assistant", "content": "Ta"}), &Value::Null);
    let (mut relay, mut out) = (Relay::new(true).of_choices(2).recoverable(), Vec::new());
    assert_eq!(feed(&mut relay, &stream, usize::MAX, &[], &mut out), Err(Fault::Interrupted));
    relay.resume(Resume::Restart, SPENT).unwrap();
    let second = Provider::chat("second").stream("", &["Other".into(), "Tails".into()]);
    feed(&mut relay, &second, usize::MAX, &[], &mut out).unwrap();
    let answer = read(&out);
    assert_eq!([&*answer.choices[0].content, &*answer.choices[1].content], ["Heads", "Tails"]);
    assert!(answer.choices.iter().all(|choice| choice.roles == 1 && choice.finishes == ["stop"]));
    assert!(answer.usage.is_some());
}

/// The same text as another model might set it.
fn reset(text: &str) -> String {
    let text = text.replace('“', "\"").replace('’', "'").replace('—', "-");
    text.chars().map(|char| if char.is_whitespace() { '\n' } else { char }).collect()
}

fn normal(text: &str) -> String {
    reset(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn provider(name: &'static str, is_chat: bool) -> impl Strategy<Value = Provider> {
    prop::collection::vec(1usize..6, 1..5).prop_map(move |lengths| Provider {
        name,
        is_chat,
        lengths,
    })
}

#[derive(Debug, Clone)]
struct Attempt {
    until: prop::sample::Index,
    cuts: Vec<usize>,
    prefill: bool,
    lengths: Vec<usize>,
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let cuts = prop::collection::vec(any::<usize>(), 0..12);
    let lengths = prop::collection::vec(1usize..6, 1..5);
    (any::<prop::sample::Index>(), cuts, any::<bool>(), lengths)
        .prop_map(|(until, cuts, prefill, lengths)| Attempt { until, cuts, prefill, lengths })
}

/// Tells `texts` by as many providers as there are attempts, of which the last one is not cut.
fn told(
    texts: &[String],
    is_chat: bool,
    attempts: &[Attempt],
    set: fn(&str) -> String,
) -> (Answer, u64) {
    let names = ["first", "second", "third", "fourth"];
    let (mut relay, mut out) =
        (Relay::new(true).of_choices(texts.len().try_into().unwrap()).recoverable(), Vec::new());
    let mut resumed = 0;
    for (at, attempt) in attempts.iter().enumerate() {
        let Attempt { until, cuts, prefill, lengths } = attempt;
        let provider = Provider { name: names[at], is_chat, lengths: lengths.clone() };
        let mut texts = texts.to_vec();
        if at > 0 {
            let given = relay.sent().unwrap().prefill().filter(|_| *prefill).map(str::to_owned);
            relay.resume(if *prefill { Resume::Prefill } else { Resume::Restart }, SPENT).unwrap();
            resumed += 1;
            match given {
                Some(given) => texts[0].drain(..given.len()).for_each(drop),
                None => texts.iter_mut().for_each(|text| *text = set(text)),
            }
        }
        let stream = provider.stream("", &texts);
        let is_last = at + 1 == attempts.len();
        let until = if is_last { stream.len() } else { until.index(stream.len()) };
        match feed(&mut relay, &stream, until, cuts, &mut out) {
            Ok(()) => break,
            Err(fault) => assert_eq!((fault, is_last), (Fault::Interrupted, false)),
        }
        let so_far = read(&out);
        assert!(!so_far.done, "a cut looks whole");
    }
    (read(&out), resumed)
}

proptest! {
    #![proptest_config(properties(300))]

    #[test]
    fn any_cuts_and_chunks_give_the_text_once(
        texts in prop::collection::vec("[a-c \n\"“’ü🌍]{0,60}", 1..4),
        is_chat: bool,
        attempts in prop::collection::vec(attempt(), 1..5),
    ) {
        let (answer, resumed) = told(&texts, is_chat, &attempts, str::to_owned);
        prop_assert!(answer.done);
        prop_assert_eq!(answer.ids.len(), 1);
        for (choice, text) in answer.choices.iter().zip(&texts) {
            prop_assert_eq!(&choice.content, text);
            prop_assert_eq!(&choice.finishes, &["stop"]);
            prop_assert_eq!(choice.roles, usize::from(is_chat));
        }
        prop_assert_eq!(answer.choices.len(), texts.len());
        if let Some(usage) = answer.usage {
            prop_assert_eq!(usage["completion_tokens"].as_u64(), Some(7 + 10 * resumed));
            prop_assert_eq!(usage["prompt_tokens"].as_u64(), Some(20 + 100 * resumed));
        }
    }

    #[test]
    fn a_text_set_otherwise_is_the_same_text(
        text in "[a-c “’—ü]{0,60}",
        mut attempts in prop::collection::vec(attempt(), 2..5),
    ) {
        for attempt in &mut attempts {
            attempt.prefill = false;
        }
        let (answer, _) = told(std::slice::from_ref(&text), true, &attempts, reset);
        prop_assert!(answer.done);
        prop_assert_eq!(normal(&answer.choices[0].content), normal(&text));
    }

    #[test]
    fn one_other_character_in_what_was_sent_ends_the_answer(
        text in "[a-c ]{0,20}[a-c][a-c ]{0,20}",
        at in any::<prop::sample::Index>(),
        second in provider("second", true),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let places: Vec<usize> = text.char_indices().filter(|(_, char)| *char != ' ').map(|(at, _)| at).collect();
        let at = places[at.index(places.len())];
        let mut other = text.clone();
        other.replace_range(at..=at, "x");
        let (mut relay, mut out) = interrupted(&text);
        relay.resume(Resume::Restart, SPENT).unwrap();
        let stream = second.stream("", &[other]);
        let result = feed(&mut relay, &stream, usize::MAX, &cuts, &mut out);
        prop_assert_eq!(result, Err(Fault::Diverged));
        prop_assert_eq!(&read(&out).choices[0].content, &text);
    }
}
