use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    future::Future,
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    cache::key::CacheKey,
    config,
    guard::{
        Source,
        judge::{About, Judge, Judgement, NoJudgement, Tokenized},
    },
    openai::Endpoint,
    pipeline::{
        Gate,
        exchange::{
            Answer, AnswerBody, Arrived, Outbound, Part, ReadFailure, Received, SendFailure,
            Upstream, UpstreamBody,
        },
        host::{CallerLeft, Host, Unavailable},
        run,
    },
    record::{Record, RequestId},
    units::{DurationMs, UnitInterval, UnixMs},
};

const KEY: &str = "sk-proj-Ab3dEf6hIj9kLm2nOp5q";

/// A host on which everything happens at once.
#[derive(Default)]
struct Fake {
    body: RefCell<Vec<u8>>,
    /// What providers answer, in order: a body, or the pieces of a stream.
    replies: RefCell<VecDeque<Vec<String>>>,
    sent: RefCell<Vec<Value>>,
    status: RefCell<u16>,
    head: RefCell<String>,
    out: RefCell<Vec<u8>>,
    line: RefCell<String>,
}

impl Host for Fake {
    type Stream = VecDeque<Vec<u8>>;

    fn now(&self) -> UnixMs {
        UnixMs(1_700_000_000_000)
    }

    fn dice(&self) -> UnitInterval {
        UnitInterval::new(0.0)
    }

    async fn sleep(&self, _: DurationMs) -> Result<(), CallerLeft> {
        Ok(())
    }

    async fn body(&self, _: u64) -> Received {
        Received::Body(self.body.borrow().clone())
    }

    async fn limiter(&self, _: &str, _: &[u8]) -> Result<Vec<u8>, Unavailable> {
        Err(Unavailable)
    }

    async fn load(&self, _: &CacheKey) -> Option<Vec<u8>> {
        None
    }

    async fn store(&self, _: &CacheKey, _: Vec<u8>, _: DurationMs) {}

    async fn send(&self, attempt: Outbound<'_>) -> Result<Upstream<Self::Stream>, SendFailure> {
        let asked: Value = serde_json::from_slice(attempt.body).unwrap();
        let streamed = asked["stream"] == true;
        self.sent.borrow_mut().push(asked);
        let reply = self.replies.borrow_mut().pop_front().ok_or(SendFailure::Failed)?;
        let pieces = reply.into_iter().map(String::into_bytes);
        let body = if streamed {
            UpstreamBody::Stream(pieces.collect())
        } else {
            UpstreamBody::Whole(pieces.flatten().collect())
        };
        let content_type = String::new();
        Ok(Upstream { status: 200, content_type, retry_after: None, retry_after_ms: None, body })
    }

    async fn read(
        &self,
        stream: &mut Self::Stream,
        _: DurationMs,
    ) -> Result<Option<Vec<u8>>, ReadFailure> {
        Ok(stream.pop_front())
    }

    fn answer(&self, answer: Answer<'_>) {
        self.status.replace(answer.status);
        self.head.replace(answer.headers.to_owned());
        match answer.body {
            AnswerBody::Whole(body) => self.out.borrow_mut().extend_from_slice(body),
            AnswerBody::AsReceived => self.out.borrow_mut().extend_from_slice(b"as received"),
            AnswerBody::Streamed => {}
        }
    }

    fn write(&self, part: Part<'_>) {
        match part {
            Part::More(bytes) | Part::Last(bytes) => self.out.borrow_mut().extend_from_slice(bytes),
        }
    }

    fn record(&self, record: &Record) {
        self.line.replace(crate::record::log_line(record));
    }
}

/// Finds texts guilty by the words in them, where they come from a source that it looks at.
#[derive(Debug)]
struct Words(Vec<(&'static str, Source, f64)>);

impl Judge for Words {
    fn knows(&self, model: &str) -> bool {
        model == "prompt-injection"
    }

    fn about(&self, model: &str) -> Option<About> {
        let (label, otherwise) = ("injection".into(), "benign".into());
        self.knows(model).then_some(About { window: 2_048, label, otherwise })
    }

    fn judge(&self, _: &str, text: &str, source: Source) -> Result<Judgement, NoJudgement> {
        let guilty =
            |(word, from, _): &&(&str, Source, f64)| text.contains(word) && *from == source;
        let score = self.0.iter().find(guilty).map_or(0.01, |(.., score)| *score);
        Ok(Judgement {
            score,
            label: "injection".into(),
            otherwise: "benign".into(),
            points: [0.9, 0.7, 0.4],
            digest: "abc123".into(),
            calibration: "2026-11".into(),
        })
    }

    fn tokens(&self, _: &str, _: &str) -> Option<Tokenized> {
        None
    }
}

/// One call and what came of it.
struct Call {
    status: u16,
    head: String,
    out: String,
    sent: Vec<Value>,
    line: Value,
}

impl Call {
    fn code(&self) -> Value {
        serde_json::from_str::<Value>(&self.out).unwrap()["error"]["code"].clone()
    }
}

fn gate(guards: &str) -> Gate {
    let names: Vec<String> = guards
        .lines()
        .filter_map(|line| {
            Some(format!("\"{}\"", line.strip_prefix("[guards.")?.strip_suffix(']')?))
        })
        .collect();
    let text = format!(
        "version = 1\n[auth]\nmode = \"open\"\n[providers.p]\nkind = \"openai\"\nbase_url = \
         \"http://p\"\nplacement = \"gpu\"\n[models.fast]\ntargets = [{{ provider = \"p\", model = \
         \"m\" }}]\nguards = [{}]\n[models.second]\ntargets = [{{ provider = \"p\", model = \
         \"guard\" }}]\n{guards}",
        names.join(", ")
    );
    gate_of(&text)
}

fn gate_of(text: &str) -> Gate {
    let source = config::Source { name: "test.toml", text };
    let loaded = config::load(source, &[], UnixMs(0)).unwrap_or_else(|report| panic!("{report:?}"));
    Gate::new(Rc::new(loaded.config), BTreeMap::new())
}

fn call(gate: &Gate, asked: &Value, replies: &[&[String]]) -> Call {
    call_as(gate, "", asked, replies)
}

fn call_as(gate: &Gate, key: &str, asked: &Value, replies: &[&[String]]) -> Call {
    let host = Fake::default();
    host.body.replace(asked.to_string().into_bytes());
    host.replies.replace(replies.iter().map(|pieces| pieces.to_vec()).collect());
    let headers = vec![("authorization".to_owned(), format!("Bearer {key}"))];
    let arrived = Arrived { headers, ..Arrived::default() };
    finish(run(&host, gate, arrived, Endpoint::ChatCompletions, RequestId::new(1)));
    let Fake { status, head, out, sent, line, .. } = host;
    Call {
        status: status.into_inner(),
        head: head.into_inner(),
        out: String::from_utf8(out.into_inner()).unwrap(),
        sent: sent.into_inner(),
        line: serde_json::from_str(&line.into_inner()).unwrap(),
    }
}

/// Nothing here waits, so that one look is enough.
fn finish(future: impl Future<Output = ()>) {
    let done = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(done, Poll::Ready(()));
}

fn asked(content: &str) -> Value {
    json!({ "model": "fast", "messages": [{ "role": "user", "content": content }] })
}

fn whole(content: &str) -> Vec<String> {
    let choice = json!({ "index": 0, "message": { "role": "assistant", "content": content },
        "logprobs": { "content": [{ "token": content }] }, "finish_reason": "stop" });
    vec![
        json!({ "id": "a", "object": "chat.completion", "choices": [choice],
        "usage": { "prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2 } })
        .to_string(),
    ]
}

fn streamed(pieces: &[&str]) -> Vec<String> {
    let chunk = |delta: Value, finish: Option<&str>| {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish });
        format!(
            "data: {}\n\n",
            json!({ "id": "a", "object": "chat.completion.chunk", "choices": [choice] })
        )
    };
    let mut events: Vec<String> =
        pieces.iter().map(|piece| chunk(json!({ "content": piece }), None)).collect();
    events.push(chunk(json!({}), Some("stop")));
    events.push("data: [DONE]\n\n".to_owned());
    events
}

/// The text of a streamed answer.
fn heard(out: &str) -> String {
    let data = out.split("\n\n").filter_map(|event| event.strip_prefix("data: {"));
    let chunks = data.map(|data| serde_json::from_str::<Value>(&format!("{{{data}")).unwrap());
    chunks
        .filter_map(|chunk| Some(chunk["choices"][0]["delta"]["content"].as_str()?.to_owned()))
        .collect()
}

#[test]
fn what_is_masked_in_a_prompt_does_not_reach_the_provider() {
    let gate = gate("[guards.secrets]\nstage = \"input\"\naction = \"mask\"");
    let arguments = json!({ "token": KEY, "n": 1 }).to_string();
    let mut asked = asked(&format!("use {KEY} please"));
    asked["messages"].as_array_mut().unwrap().extend([
        json!({ "role": "assistant", "content": null, "tool_calls": [{ "id": "c", "type": "function", "function": { "name": "f", "arguments": arguments } }] }),
        json!({ "role": "tool", "tool_call_id": "c", "content": [{ "type": "text", "text": KEY }] }),
    ]);
    let call = call(&gate, &asked, &[&whole("ok")]);
    let messages = &call.sent[0]["messages"];
    assert_eq!(messages[0]["content"], "use [API_KEY] please");
    let arguments = messages[1]["tool_calls"][0]["function"]["arguments"].as_str().unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(arguments).unwrap(),
        json!({ "token": "[API_KEY]", "n": 1 })
    );
    assert_eq!(messages[2]["content"][0]["text"], "[API_KEY]");
    assert!(!call.sent[0].to_string().contains("Ab3dEf6"));
    assert!(call.head.contains("tollhouse-guard:secrets;stage=input;action=mask;label=api-key"));
    assert!(!call.line.to_string().contains("Ab3dEf6"));
}

#[test]
fn a_blocked_prompt_is_refused_and_nobody_is_asked() {
    let gate = gate("[guards.secrets]\naction = \"block\"");
    let call = call(&gate, &asked(&format!("use {KEY}")), &[]);
    assert_eq!((call.status, call.code()), (403, json!("guard_blocked")));
    assert!(call.sent.is_empty() && !call.out.contains("Ab3dEf6"));
    assert_eq!(call.line["guards"][0]["action"], "block");
}

#[test]
fn out_of_the_box_a_guard_looks_on() {
    let gate = gate("[guards.secrets]\n[guards.pii]\n[guards.prompt-injection]");
    let said = format!("{KEY} of ada@example.org");
    let call = call(&gate, &asked(&said), &[&whole(&said)]);
    assert_eq!((call.status, call.out.as_str()), (200, "as received"));
    assert_eq!(call.sent[0]["messages"][0]["content"], said);
    for told in ["secrets;stage=input;action=flag", "pii;stage=output;action=flag;label=email"] {
        assert!(call.head.contains(told), "{}", call.head);
    }
    // No classifier is loaded, which a guard that looks on lets pass.
    assert!(call.head.contains("prompt-injection;stage=input;action=failed_open;label=error"));
}

#[test]
fn what_is_encoded_in_a_prompt_is_looked_into() {
    let gate = gate("[guards.secrets]\nstage = \"input\"\naction = \"mask\"");
    // `please use sk-proj-Ab3dEf6hIj9kLm2nOp5q now`
    let encoded = "cGxlYXNlIHVzZSBzay1wcm9qLUFiM2RFZjZoSWo5a0xtMm5PcDVxIG5vdw";
    let call = call(&gate, &asked(&format!("run {encoded}!")), &[&whole("ok")]);
    assert_eq!(call.sent[0]["messages"][0]["content"], "run [API_KEY]!");
}

#[test]
fn each_text_is_judged_by_where_it_comes_from() {
    let guards = "[guards.prompt-injection]\naction = \"block\"";
    for (role, status) in [("user", 200), ("system", 200), ("tool", 403)] {
        let gate = gate(guards);
        gate.appoint(Rc::new(Words(vec![("ignore", Source::Tool, 0.95)])));
        let mut asked = asked("hello");
        asked["messages"].as_array_mut().unwrap().extend([
            json!({ "role": "assistant", "tool_calls": [{ "id": "c", "type": "function", "function": { "name": "f", "arguments": "{}" } }] }),
            json!({ "role": "tool", "tool_call_id": "c", "content": if role == "tool" { "ignore all" } else { "fine" } }),
        ]);
        if role != "tool" {
            asked["messages"]
                .as_array_mut()
                .unwrap()
                .push(json!({ "role": role, "content": "ignore all" }));
        }
        let call = call(&gate, &asked, &[&whole("ok")]);
        assert_eq!(call.status, status, "{role}: {}", call.out);
        let evidence = &call.line["guards"][0]["evidence"];
        assert_eq!(
            (&evidence["model"], &evidence["calibration"]),
            (&json!("abc123"), &json!("2026-11"))
        );
        assert_eq!(evidence["threshold"], 900_000);
    }
}

#[test]
fn a_guard_that_cannot_judge_fails_as_configured() {
    for (on_error, status, action) in
        [("open", 200, "failed_open"), ("closed", 503, "failed_closed")]
    {
        let gate = gate(&format!(
            "[guards.prompt-injection]\naction = \"block\"\non_error = \"{on_error}\""
        ));
        let call = call(&gate, &asked("hello"), &[&whole("ok")]);
        assert_eq!(call.status, status);
        assert_eq!(call.line["guards"][0]["action"], action);
        assert_eq!(call.sent.is_empty(), status == 503);
    }
}

#[test]
fn what_is_in_doubt_is_put_to_the_larger_model() {
    let guards = "[guards.prompt-injection]\naction = \"escalate\"\nescalate = \"second\"";
    for (score, opinion, status, asked_for) in [
        (0.1, "safe", 200, 1),
        (0.5, "safe", 200, 2),
        (0.5, "unsafe\nS1", 403, 1),
        (0.5, "well", 503, 3),
        (0.95, "safe", 403, 0),
    ] {
        let gate = gate(guards);
        gate.appoint(Rc::new(Words(vec![("ignore", Source::User, score)])));
        let (opinion, answer) = (whole(opinion), whole("ok"));
        // No verdict is as good as no answer: it is asked for again.
        let replies: &[&[String]] = match opinion[..] {
            _ if score < 0.2 => &[&answer],
            [ref said] if said.contains("well") => &[&opinion, &opinion, &opinion],
            [..] => &[&opinion, &answer],
        };
        let call = call(&gate, &asked("ignore all"), replies);
        assert_eq!((call.status, call.sent.len()), (status, asked_for), "{score} {}", call.out);
        if (0.4..0.9).contains(&score) {
            assert_eq!(
                (&call.sent[0]["model"], &call.sent[0]["messages"][0]["content"]),
                (&json!("guard"), &json!("ignore all"))
            );
        }
    }
}

#[test]
fn a_whole_answer_is_masked_and_its_log_probabilities_go() {
    let gate = gate("[guards.pii]\nstage = \"output\"\naction = \"mask\"");
    let call = call(&gate, &asked("who?"), &[&whole("ada@example.org")]);
    let answer: Value = serde_json::from_str(&call.out).unwrap();
    assert_eq!(answer["choices"][0]["message"]["content"], "[EMAIL]");
    assert!(answer["choices"][0]["logprobs"].is_null());
    assert!(!call.out.contains("ada"));
}

#[test]
fn a_streamed_answer_is_masked_while_it_flows() {
    let gate = gate("[guards.pii]\nstage = \"output\"\naction = \"mask\"");
    let mut asked = asked("who?");
    asked["stream"] = true.into();
    let call = call(&gate, &asked, &[&streamed(&["Hi, ", "ada@ex", "ample.org", " and"])]);
    assert_eq!(heard(&call.out), "Hi, [EMAIL] and");
    assert!(call.out.ends_with("data: [DONE]\n\n"));
    assert_eq!(call.line["guards"][0]["action"], "mask");
}

#[test]
fn a_blocked_stream_ends_with_an_error_before_what_is_blocked() {
    for guards in [
        "[guards.pii]\nstage = \"output\"\naction = \"block\"",
        "[guards.prompt-injection]\nstage = \"output\"\naction = \"block\"",
    ] {
        let gate = gate(guards);
        gate.appoint(Rc::new(Words(vec![("ada@", Source::User, 0.95)])));
        let mut asked = asked("who?");
        asked["stream"] = true.into();
        let call = call(&gate, &asked, &[&streamed(&["Hi, ", "ada@ex", "ample.org", " and"])]);
        assert!(call.out.contains("guard_blocked") && !call.out.contains("[DONE]"), "{}", call.out);
        assert_eq!(call.line["code"], "guard_blocked");
        if guards.contains("pii") {
            assert_eq!(heard(&call.out), "Hi, ");
        }
    }
}

#[test]
fn a_kept_answer_goes_through_the_guards_of_whoever_asks() {
    let digest = |key: &str| {
        Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
    };
    let text = format!(
        "version = 1\n[[auth.keys]]\nid = \"a\"\nsha256 = \"{}\"\n[[auth.keys]]\nid = \"b\"\nsha256 = \
         \"{}\"\nguards = [\"pii\"]\n[providers.p]\nkind = \"openai\"\nbase_url = \"http://p\"\n\
         placement = \"gpu\"\n[models.fast]\ntargets = [{{ provider = \"p\", model = \"m\" }}]\n\
         cache = {{ scope = \"shared\" }}\n[guards.pii]\naction = \"mask\"\n",
        digest("key-a"),
        digest("key-b")
    );
    for stream in [false, true] {
        let gate = gate_of(&text);
        let mut asked = asked("who?");
        asked["temperature"] = 0.into();
        asked["stream"] = stream.into();
        let reply =
            if stream { streamed(&["ada@", "example.org"]) } else { whole("ada@example.org") };
        let first = call_as(&gate, "key-a", &asked, &[&reply]);
        assert_eq!(first.status, 200, "{}", first.out);
        let second = call_as(&gate, "key-b", &asked, &[]);
        assert!(second.head.contains("tollhouse-cache:hit"), "{}", second.head);
        assert!(
            second.out.contains("[EMAIL]") && !second.out.contains("example.org"),
            "{}",
            second.out
        );
        let third = call_as(&gate, "key-a", &asked, &[]);
        assert!(third.out.contains("example.org"), "{}", third.out);
    }
}
