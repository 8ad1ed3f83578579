//! One request's platform in the fake world, and what its caller heard.

use std::{cell::RefCell, rc::Rc};

use serde_json::Value;
use tollhouse_core::{
    cache::key::CacheKey,
    pipeline::{
        exchange::{
            Answer, AnswerBody, Outbound, Part, ReadFailure, Received, SendFailure, Upstream,
            UpstreamBody,
        },
        host::{CallerLeft, Host, Unavailable},
    },
    record::Record,
    units::{DurationMs, UnitInterval, UnixMs},
};

use super::{
    play::{Play, Step},
    world::{Request, World},
};

/// What a caller heard, and what was recorded of its request.
#[derive(Debug, Default)]
pub struct Heard {
    /// The status; 0 when there was no answer.
    pub status: u16,
    /// Header lines, `name:value`.
    pub headers: String,
    /// All bytes of the body.
    pub body: Vec<u8>,
    /// Whether a streamed body was ended.
    pub ended: bool,
    /// The record, once for each time that the pipeline handed one over.
    pub records: Vec<Record>,
}

impl Heard {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("bodies are UTF-8")
    }

    /// The body's JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    /// The code of the error in the body, in a stream that of its error event.
    pub fn code(&self) -> String {
        let events = self.events();
        let event = events.iter().find(|event| event.get("error").is_some());
        let body = event.cloned().unwrap_or_else(|| self.json());
        body["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The events of a streamed body, `[DONE]` apart.
    pub fn events(&self) -> Vec<Value> {
        let text = self.text();
        let data = text.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
        data.filter(|data| *data != "[DONE]")
            .map(|data| serde_json::from_str(data).unwrap_or_else(|_| panic!("no JSON: {data}")))
            .collect()
    }

    /// The text of the first choice of a streamed body.
    pub fn said(&self) -> String {
        let words = self.events();
        let word =
            |event: &Value| event["choices"][0]["delta"]["content"].as_str().map(str::to_owned);
        words.iter().filter_map(word).collect()
    }

    /// Whether a streamed body is whole.
    pub fn is_done(&self) -> bool {
        self.ended && self.text().ends_with("data: [DONE]\n\n")
    }

    /// The only record.
    pub fn record(&self) -> &Record {
        assert_eq!(self.records.len(), 1, "a request is recorded once");
        &self.records[0]
    }
}

/// One request's platform.
pub struct FakeHost {
    world: Rc<World>,
    request: Request,
    leaves_at: u64,
    heard: Rc<RefCell<Heard>>,
    received: RefCell<Vec<u8>>,
}

/// A provider's open stream.
#[derive(Debug)]
pub struct FakeStream {
    steps: std::vec::IntoIter<Step>,
    /// What is left of a wait.
    wait: u64,
}

impl FakeHost {
    pub(super) fn new(world: Rc<World>, request: Request, heard: Rc<RefCell<Heard>>) -> Self {
        let leaves_at = request.leaves_after.map_or(u64::MAX, |ms| world.now().0 + ms);
        Self { world, request, leaves_at, heard, received: RefCell::default() }
    }

    /// Waits `ms`; tells whether the caller left or `limit` was over before.
    async fn wait(&self, ms: u64, limit: u64) -> Waited {
        let now = self.world.now().0;
        let ends = now.saturating_add(ms.min(limit));
        self.world.until(ends.min(self.leaves_at)).await;
        if self.world.now().0 >= self.leaves_at {
            Waited::CallerLeft
        } else if limit < ms {
            Waited::TooLong
        } else {
            Waited::Well
        }
    }
}

enum Waited {
    Well,
    TooLong,
    CallerLeft,
}

impl Host for FakeHost {
    type Stream = FakeStream;

    fn now(&self) -> UnixMs {
        self.world.now()
    }

    fn dice(&self) -> UnitInterval {
        UnitInterval::new(
            f64::from(u32::try_from(self.world.throw() >> 32).unwrap_or(0)) / 4_294_967_296.0,
        )
    }

    async fn sleep(&self, length: DurationMs) -> Result<(), CallerLeft> {
        match self.wait(length.0, u64::MAX).await {
            Waited::CallerLeft => Err(CallerLeft),
            Waited::Well | Waited::TooLong => Ok(()),
        }
    }

    async fn body(&self, limit: u64) -> Received {
        let body = self.request.body.to_string().into_bytes();
        if body.len() as u64 > limit { Received::TooLong } else { Received::Body(body) }
    }

    async fn limiter(&self, group: &str, message: &[u8]) -> Result<Vec<u8>, Unavailable> {
        self.world.sleep(DurationMs(1)).await;
        if !self.world.limiter_up.get() {
            return Err(Unavailable);
        }
        let reply = self.world.limit(group, message);
        self.world.sleep(DurationMs(1)).await;
        Ok(reply)
    }

    async fn load(&self, key: &CacheKey) -> Option<Vec<u8>> {
        self.world.sleep(DurationMs(1)).await;
        let store = self.world.store.borrow();
        let (entry, until) = store.get(&key.to_hex())?;
        (self.world.store_up.get() && *until > self.world.now().0).then(|| entry.clone())
    }

    async fn store(&self, key: &CacheKey, entry: Vec<u8>, ttl: DurationMs) {
        self.world.sleep(DurationMs(1)).await;
        if self.world.store_up.get() {
            let until = self.world.now().plus(ttl).0;
            self.world.store.borrow_mut().insert(key.to_hex(), (entry, until));
        }
    }

    async fn send(&self, attempt: Outbound<'_>) -> Result<Upstream<FakeStream>, SendFailure> {
        let host = attempt.url.split('/').nth(2).unwrap_or_default();
        let play = self.world.call(host, attempt.body);
        match self.wait(play.latency, attempt.head.0).await {
            Waited::CallerLeft => return Err(SendFailure::CallerLeft),
            Waited::TooLong => return Err(SendFailure::TimedOut),
            Waited::Well if play.status == 0 => return Err(SendFailure::Failed),
            Waited::Well => {}
        }
        let Play { status, content_type, retry_after, body, .. } = play;
        let mut stream = FakeStream { steps: body.into_iter(), wait: 0 };
        let body = if status == 200 && content_type == "text/event-stream" {
            UpstreamBody::Stream(stream)
        } else {
            let mut whole = Vec::new();
            loop {
                match self.read(&mut stream, attempt.idle).await {
                    Ok(Some(piece)) => whole.extend(piece),
                    Ok(None) => break,
                    Err(ReadFailure::TimedOut) => return Err(SendFailure::TimedOut),
                    Err(ReadFailure::Failed) => return Err(SendFailure::Failed),
                    Err(ReadFailure::CallerLeft) => return Err(SendFailure::CallerLeft),
                }
            }
            self.received.replace(whole.clone());
            UpstreamBody::Whole(whole)
        };
        Ok(Upstream {
            status,
            content_type: content_type.to_owned(),
            retry_after: retry_after.map(|seconds| seconds.to_string()),
            retry_after_ms: None,
            body,
        })
    }

    async fn read(
        &self,
        stream: &mut FakeStream,
        idle: DurationMs,
    ) -> Result<Option<Vec<u8>>, ReadFailure> {
        let mut left = idle.0;
        loop {
            if stream.wait > 0 {
                let wait = stream.wait;
                let waited = self.wait(wait, left).await;
                stream.wait = wait - wait.min(left);
                left -= wait.min(left);
                match waited {
                    Waited::CallerLeft => return Err(ReadFailure::CallerLeft),
                    Waited::TooLong => return Err(ReadFailure::TimedOut),
                    Waited::Well => {}
                }
            }
            if self.world.now().0 >= self.leaves_at {
                return Err(ReadFailure::CallerLeft);
            }
            match stream.steps.next() {
                None => return Ok(None),
                Some(Step::Piece(bytes)) => return Ok(Some(bytes)),
                Some(Step::Cut) => return Err(ReadFailure::Failed),
                Some(Step::Wait(ms)) => stream.wait = ms,
                Some(Step::Stall) => stream.wait = u64::MAX / 4,
            }
        }
    }

    fn answer(&self, answer: Answer<'_>) {
        let mut heard = self.heard.borrow_mut();
        assert_eq!(heard.status, 0, "a caller is answered once");
        heard.status = answer.status;
        answer.headers.clone_into(&mut heard.headers);
        match answer.body {
            AnswerBody::Whole(bytes) => heard.body = bytes.to_vec(),
            AnswerBody::AsReceived => heard.body.clone_from(&self.received.borrow()),
            AnswerBody::Streamed => {}
        }
    }

    fn write(&self, part: Part<'_>) {
        let mut heard = self.heard.borrow_mut();
        assert!(!heard.ended, "nothing follows the last part");
        let (bytes, last) = match part {
            Part::More(bytes) => (bytes, false),
            Part::Last(bytes) => (bytes, true),
        };
        heard.body.extend_from_slice(bytes);
        heard.ended = last;
    }

    fn record(&self, record: &Record) {
        self.heard.borrow_mut().records.push(record.clone());
    }
}
