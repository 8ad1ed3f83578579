//! Every stream of `fixtures/sse`: the bytes of a provider in `NAME.txt`, and beside them in
//! `NAME.toml` what becomes of them, however they are split and whatever their lines end in.

use std::{fs, path::PathBuf};

use serde::Deserialize;

use super::answer::{Answer, read};
use crate::{
    price::Usage,
    stream::{Fault, Passage, Relay, replay},
    units::Tokens,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Expected {
    /// `malformed`, `reported`, `interrupted`; none for a whole answer.
    fault: Option<String>,
    /// A part of the error that the provider reported.
    error: Option<String>,
    /// Whether an answer was begun.
    begun: bool,
    /// Whether the bytes of a whole answer reach a caller who asked for usage as they are.
    as_received: bool,
    /// How many choices were asked for.
    choices: u64,
    id: Option<String>,
    model: Option<String>,
    contents: Vec<String>,
    reasonings: Vec<String>,
    refusals: Vec<String>,
    /// Arguments of the first choice's tool calls.
    arguments: Vec<String>,
    finishes: Vec<String>,
    usage: Option<ExpectedUsage>,
    /// Where it is not the length of contents, reasonings, refusals and arguments.
    content_bytes: Option<usize>,
    /// Comments that reach the caller.
    keep_alives: usize,
    /// What every caller sees.
    shown_to_all: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedUsage {
    prompt: u64,
    completion: u64,
    #[serde(default)]
    cached: u64,
    #[serde(default)]
    cache_write: u64,
    #[serde(default)]
    reasoning: u64,
}

impl Default for Expected {
    fn default() -> Self {
        Self {
            fault: None,
            error: None,
            begun: true,
            as_received: false,
            choices: 1,
            id: None,
            model: None,
            contents: Vec::new(),
            reasonings: Vec::new(),
            refusals: Vec::new(),
            arguments: Vec::new(),
            finishes: Vec::new(),
            usage: None,
            content_bytes: None,
            keep_alives: 0,
            shown_to_all: None,
        }
    }
}

struct Ran {
    relay: Relay,
    out: Vec<u8>,
    result: Result<(), Fault>,
    passages: Vec<Passage>,
}

fn run<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, choices: u64, usage_asked: bool) -> Ran {
    let mut relay = Relay::new(usage_asked).of_choices(choices).recorded().recoverable();
    let (mut out, mut passages) = (Vec::new(), Vec::new());
    let mut result = Ok(());
    for piece in pieces {
        match relay.pass(piece, &mut out) {
            Ok(passage) => passages.push(passage),
            Err(fault) => result = Err(fault),
        }
        if result.is_err() {
            break;
        }
        if passages.last() == Some(&Passage::AsReceived) {
            out.extend_from_slice(piece);
        }
    }
    let result = result.and_then(|()| relay.end(&mut out));
    Ran { relay, out, result, passages }
}

#[test]
fn every_stream_becomes_what_stands_beside_it() {
    let names = names();
    assert!(names.len() > 40, "only {} streams found", names.len());
    for name in names {
        let bytes = fs::read(folder().join(format!("{name}.txt"))).unwrap();
        let expected = fs::read_to_string(folder().join(format!("{name}.toml"))).unwrap();
        let expected: Expected =
            toml::from_str(&expected).unwrap_or_else(|error| panic!("{name}.toml: {error}"));
        for usage_asked in [true, false] {
            check(&name, &bytes, &expected, usage_asked);
        }
    }
}

fn check(name: &str, bytes: &[u8], expected: &Expected, usage_asked: bool) {
    let whole = run([bytes], expected.choices, usage_asked);
    check_facts(name, expected, &whole);
    check_answer(name, expected, &read(&whole.out), usage_asked);
    if let Some(text) = &expected.shown_to_all {
        assert!(String::from_utf8_lossy(&whole.out).contains(text), "{name}: no {text}");
    }
    if usage_asked && whole.result.is_ok() {
        let as_received = whole.passages == [Passage::AsReceived];
        assert_eq!(as_received, expected.as_received, "{name}: passed as received");
    }
    for size in [1, 2, 3, 7, 64, 333] {
        same(name, &whole, &run(bytes.chunks(size), expected.choices, usage_asked));
    }
    for at in (0..bytes.len()).step_by(if usage_asked { 1 } else { 11 }) {
        let (first, second) = bytes.split_at(at);
        same(name, &whole, &run([first, second], expected.choices, usage_asked));
    }
    if !bytes.contains(&b'\r') {
        for line_end in ["\r", "\r\n"] {
            let mut other = Vec::new();
            for byte in bytes {
                if *byte == b'\n' {
                    other.extend_from_slice(line_end.as_bytes());
                } else {
                    other.push(*byte);
                }
            }
            same(name, &whole, &run([other.as_slice()], expected.choices, usage_asked));
            same(name, &whole, &run(other.chunks(1), expected.choices, usage_asked));
        }
    }
    check_replay(name, whole, usage_asked);
}

fn check_facts(name: &str, expected: &Expected, ran: &Ran) {
    let fault = match &ran.result {
        Ok(()) => None,
        Err(Fault::Malformed) => Some("malformed"),
        Err(Fault::Reported(error)) => {
            let text = expected.error.as_deref().unwrap_or("no error was expected");
            assert!(error.contains(text), "{name}: {error}");
            Some("reported")
        }
        Err(Fault::Interrupted) => Some("interrupted"),
        Err(Fault::TooLong) => Some("too long"),
        Err(Fault::Diverged) => Some("diverged"),
    };
    assert_eq!(fault, expected.fault.as_deref(), "{name}: fault");
    assert_eq!(ran.relay.is_done(), fault.is_none(), "{name}: done");
    let summary = ran.relay.summary();
    assert_eq!(summary.begun, expected.begun, "{name}: begun");
    if expected.id.is_some() {
        assert_eq!(summary.id.as_deref(), expected.id.as_deref(), "{name}: id");
    }
    if expected.model.is_some() {
        assert_eq!(summary.model.as_deref(), expected.model.as_deref(), "{name}: model");
    }
    let usage = expected.usage.as_ref().map(|usage| Usage {
        prompt: Tokens(usage.prompt),
        cached: Tokens(usage.cached),
        cache_write: Tokens(usage.cache_write),
        completion: Tokens(usage.completion),
        reasoning: Tokens(usage.reasoning),
        estimated: false,
    });
    assert_eq!(summary.usage, usage, "{name}: usage");
    let texts = [&expected.contents, &expected.reasonings, &expected.refusals, &expected.arguments];
    let length: usize = texts.into_iter().flatten().map(String::len).sum();
    let length = expected.content_bytes.unwrap_or(length);
    assert_eq!(summary.said.kept, length, "{name}: bytes of content");
    if fault.is_none() {
        let finishes: Vec<_> = summary.finishes.iter().flatten().cloned().collect();
        assert_eq!(finishes, expected.finishes, "{name}: finishes");
    }
}

fn check_answer(name: &str, expected: &Expected, answer: &Answer, usage_asked: bool) {
    assert_eq!(answer.done, expected.fault.is_none(), "{name}: done");
    assert_eq!(answer.error, None, "{name}: a provider's error is passed on");
    assert_eq!(answer.comments, expected.keep_alives, "{name}: keep-alives");
    if !usage_asked {
        assert_eq!(answer.usage, None, "{name}: nobody asked for usage");
    } else if expected.usage.is_some() {
        assert!(answer.usage.is_some(), "{name}: usage was asked for");
    }
    let told = |part: fn(&super::answer::Told) -> String| {
        let mut parts: Vec<_> = answer.choices.iter().map(part).collect();
        while parts.last().is_some_and(String::is_empty) {
            parts.pop();
        }
        parts
    };
    let trimmed = |texts: &[String]| {
        let end = texts.iter().rposition(|text| !text.is_empty()).map_or(0, |at| at + 1);
        texts[..end].to_vec()
    };
    assert_eq!(told(|choice| choice.content.clone()), trimmed(&expected.contents), "{name}");
    assert_eq!(told(|choice| choice.reasoning.clone()), expected.reasonings, "{name}: reasoning");
    assert_eq!(told(|choice| choice.refusal.clone()), expected.refusals, "{name}: refusal");
    assert_eq!(told(|choice| choice.finishes.concat()), told_finishes(expected), "{name}: finish");
    let arguments = answer.choices.first().map_or(Vec::new(), |choice| choice.arguments.clone());
    assert_eq!(arguments, expected.arguments, "{name}: arguments");
}

/// A fault in one choice does not take back another one's finish.
fn told_finishes(expected: &Expected) -> Vec<String> {
    match (expected.fault.is_some(), expected.choices) {
        (true, 2) => vec!["stop".to_owned()],
        (true, _) => Vec::new(),
        (false, _) => expected.finishes.clone(),
    }
}

fn check_replay(name: &str, ran: Ran, usage_asked: bool) {
    let done = ran.relay.is_done();
    let comments_out = String::from_utf8(ran.out).unwrap().replace(": keep-alive\n\n", "");
    let recording = ran.relay.into_recording();
    assert_eq!(recording.is_some(), done, "{name}: only a whole answer is kept");
    let Some(recording) = recording else { return };
    let replayed = replay(&recording, usage_asked).unwrap();
    assert_eq!(String::from_utf8_lossy(&replayed), comments_out, "{name}: replayed");
    let again = run([recording.as_slice()], 1, usage_asked);
    assert_eq!(again.result, Ok(()), "{name}: a recording is a stream");
}

fn same(name: &str, whole: &Ran, split: &Ran) {
    assert_eq!(
        String::from_utf8_lossy(&split.out),
        String::from_utf8_lossy(&whole.out),
        "{name}: split otherwise"
    );
    assert_eq!(split.result, whole.result, "{name}: split otherwise");
    let (split, whole) = (split.relay.summary(), whole.relay.summary());
    assert_eq!(format!("{split:?}"), format!("{whole:?}"), "{name}: split otherwise");
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/sse")
}

fn names() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .filter_map(|entry| {
            Some(entry.unwrap().file_name().to_str()?.strip_suffix(".txt")?.to_owned())
        })
        .collect();
    names.sort_unstable();
    names
}
