//! Spans that wait in an isolate until their receiver has taken them.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::{
    attributes::{resource, scope},
    trace::{is_sampled, spans},
};
use crate::{
    record::Record,
    units::{DurationMs, UnixMs},
};

/// Spans that are not sent yet, the oldest first.
#[derive(Debug, Default)]
pub struct Spans {
    waiting: VecDeque<Value>,
    /// How many of them the last batch took.
    sent: usize,
    failures: u32,
    not_before: UnixMs,
    dropped: u64,
}

/// How many wait at most; the oldest make room.
const MOST: usize = 1000;
/// How many go at a time.
const BATCH: usize = 200;
const FIRST_PAUSE: DurationMs = DurationMs::from_secs(1);
const LONGEST_PAUSE: DurationMs = DurationMs::from_secs(60);

impl Spans {
    /// Takes the request's spans in, where its trace is one of the `share` (0 to 1) that are kept.
    pub fn observe(&mut self, record: &Record, share: f64) {
        if !is_sampled(record, share) {
            return;
        }
        self.waiting.extend(spans(record));
        while self.waiting.len() > MOST {
            self.waiting.pop_front();
            self.sent = self.sent.saturating_sub(1);
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// The body of a POST to `/v1/traces` with the oldest spans, if it is time. [`Self::taken`] or
    /// [`Self::refused`] says what came of it.
    pub fn batch(&mut self, now: UnixMs) -> Option<Vec<u8>> {
        if self.waiting.is_empty() || now < self.not_before {
            return None;
        }
        self.sent = self.waiting.len().min(BATCH);
        let batch: Vec<_> = self.waiting.iter().take(self.sent).collect();
        let request = json!({ "resourceSpans": [{
            "resource": resource(),
            "scopeSpans": [{ "scope": scope(), "spans": batch }],
        }]});
        Some(request.to_string().into_bytes())
    }

    /// The batch is in good hands.
    pub fn taken(&mut self) {
        self.waiting.drain(..self.sent.min(self.waiting.len()));
        (self.sent, self.failures) = (0, 0);
    }

    /// The batch was not taken: it is sent again after a pause, the longer the more often.
    pub fn refused(&mut self, now: UnixMs) {
        let pause = FIRST_PAUSE.0.saturating_mul(1 << self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        self.not_before = now.plus(DurationMs(pause.min(LONGEST_PAUSE.0)));
        self.sent = 0;
    }

    /// How long until [`Self::batch`] has one, if any span waits.
    pub fn due_in(&self, now: UnixMs) -> Option<DurationMs> {
        (!self.waiting.is_empty()).then(|| self.not_before.since(now))
    }

    /// How many spans made room for younger ones.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}
