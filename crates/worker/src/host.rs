//! The platform under one request: [`Host`] on Cloudflare Workers.
//!
//! Each method starts one operation of `glue/ops.js` and waits for its completion.

use std::cell::{Cell, RefCell};

use tollhouse_core::{
    cache::key::CacheKey,
    pipeline::{
        exchange::{
            Answer, AnswerBody, Arrived, Outbound, Part, ReadFailure, Received, SendFailure,
            Upstream, UpstreamBody,
        },
        host::{CallerLeft, Host, Unavailable},
    },
    record::{Record, log_line},
    units::{DurationMs, UnitInterval, UnixMs},
};

use crate::{
    clock, glue, isolate,
    ops::{Completion, Ending, Op},
};

/// The longest reply of a provider that is read whole.
const MAX_REPLY_BYTES: f64 = 64.0 * 1024.0 * 1024.0;

/// The shortest time that KV keeps a value.
const KV_MIN_TTL: DurationMs = DurationMs(60_000);

/// One request from a caller, as `glue/ops.js` numbers it.
#[derive(Debug)]
pub(crate) struct WorkerHost {
    call: u32,
    /// The length of the body, as the request's head gives it.
    declared: Option<u64>,
    upstreams: Cell<u32>,
    tracing: bool,
    trace: RefCell<Option<String>>,
}

/// A provider's open stream; dropping it calls the provider off.
#[derive(Debug)]
pub(crate) struct OpenStream {
    call: u32,
    upstream: u32,
    ended: bool,
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        if !self.ended {
            glue::drop_upstream(self.call, self.upstream);
        }
    }
}

impl WorkerHost {
    pub(crate) fn new(call: u32, arrived: &Arrived) -> Self {
        let declared = arrived.header("content-length").and_then(|length| length.parse().ok());
        let (upstreams, trace) = (Cell::new(0), RefCell::new(None));
        Self { call, declared, upstreams, tracing: false, trace }
    }

    /// Like [`Self::new`], and what became of the request is kept for [`Self::trace`].
    pub(crate) fn traced(call: u32, arrived: &Arrived) -> Self {
        Self { tracing: true, ..Self::new(call, arrived) }
    }

    /// The log line of a request that was to be traced, once it has ended.
    pub(crate) fn trace(&self) -> Option<String> {
        self.trace.take()
    }

    async fn op(start: impl FnOnce(u32)) -> Completion {
        Op::start(start).await
    }
}

impl Host for WorkerHost {
    type Stream = OpenStream;

    fn now(&self) -> UnixMs {
        clock::now()
    }

    fn dice(&self) -> UnitInterval {
        UnitInterval::new(glue::random())
    }

    async fn sleep(&self, length: DurationMs) -> Result<(), CallerLeft> {
        let done = Self::op(|slot| glue::sleep(self.call, slot, millis(length))).await;
        if done.ending == Ending::CallerLeft { Err(CallerLeft) } else { Ok(()) }
    }

    async fn body(&self, limit: u64) -> Received {
        let declared = self.declared.map_or(f64::NAN, number);
        let done = Self::op(|slot| glue::read_body(self.call, slot, declared, number(limit))).await;
        match done.ending {
            Ending::Done(_) => Received::Body(done.body),
            Ending::TooLong => Received::TooLong,
            Ending::TimedOut
            | Ending::ConnectTimedOut
            | Ending::Failed
            | Ending::CallerLeft
            | Ending::Nothing => Received::CallerLeft,
        }
    }

    async fn limiter(&self, group: &str, message: &[u8]) -> Result<Vec<u8>, Unavailable> {
        let done =
            Self::op(|slot| glue::object(self.call, slot, "LIMITER", group, "/", message)).await;
        let answered = done.ending == Ending::Done(200);
        isolate::this().limiter_answered(answered);
        if answered { Ok(done.body) } else { Err(Unavailable) }
    }

    async fn load(&self, key: &CacheKey) -> Option<Vec<u8>> {
        let name = key.to_hex();
        let done = Self::op(|slot| glue::kv_get(self.call, slot, "CACHE", &name, 60)).await;
        matches!(done.ending, Ending::Done(_)).then_some(done.body)
    }

    async fn store(&self, key: &CacheKey, entry: Vec<u8>, ttl: DurationMs) {
        let name = key.to_hex();
        let seconds = number(ttl.max(KV_MIN_TTL).secs_ceil());
        // A value that cannot be kept is a miss next time.
        Self::op(|slot| glue::kv_put(self.call, slot, "CACHE", &name, &entry, seconds)).await;
    }

    async fn send(&self, attempt: Outbound<'_>) -> Result<Upstream<OpenStream>, SendFailure> {
        let upstream = self.upstreams.get();
        self.upstreams.set(upstream.wrapping_add(1));
        let done = Self::op(|slot| {
            glue::send(
                self.call,
                slot,
                upstream,
                attempt.url,
                attempt.headers,
                attempt.body,
                millis(attempt.connect),
                millis(attempt.head),
                millis(attempt.idle),
                millis(attempt.whole),
                MAX_REPLY_BYTES,
            );
        })
        .await;
        let status = match done.ending {
            Ending::Done(status) => status,
            Ending::TimedOut => return Err(SendFailure::TimedOut),
            Ending::ConnectTimedOut => return Err(SendFailure::ConnectTimedOut),
            Ending::Failed => return Err(SendFailure::Failed),
            Ending::CallerLeft => return Err(SendFailure::CallerLeft),
            Ending::TooLong => return Err(SendFailure::TooLong),
            // Without a body of its own: the stream is open.
            Ending::Nothing => 200,
        };
        let header = |name: &str| {
            done.head
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
                .map(str::to_owned)
        };
        let body = if done.ending == Ending::Nothing {
            UpstreamBody::Stream(OpenStream { call: self.call, upstream, ended: false })
        } else {
            UpstreamBody::Whole(done.body)
        };
        Ok(Upstream {
            status,
            content_type: header("content-type").unwrap_or_default(),
            retry_after: header("retry-after"),
            retry_after_ms: header("retry-after-ms"),
            body,
        })
    }

    async fn read(
        &self,
        stream: &mut OpenStream,
        idle: DurationMs,
    ) -> Result<Option<Vec<u8>>, ReadFailure> {
        let done =
            Self::op(|slot| glue::read(self.call, slot, stream.upstream, millis(idle))).await;
        stream.ended = done.ending == Ending::Nothing;
        match done.ending {
            Ending::Done(_) => Ok(Some(done.body)),
            Ending::Nothing => Ok(None),
            Ending::TimedOut | Ending::ConnectTimedOut => Err(ReadFailure::TimedOut),
            Ending::Failed | Ending::TooLong => Err(ReadFailure::Failed),
            Ending::CallerLeft => Err(ReadFailure::CallerLeft),
        }
    }

    fn answer(&self, answer: Answer<'_>) {
        match answer.body {
            AnswerBody::Whole(bytes) => {
                glue::answer(self.call, answer.status, answer.headers, bytes);
            }
            AnswerBody::AsReceived => {
                let last = self.upstreams.get().wrapping_sub(1);
                glue::answer_received(self.call, last, answer.status, answer.headers);
            }
            AnswerBody::Streamed => glue::answer_stream(self.call, answer.status, answer.headers),
        }
    }

    fn write(&self, part: Part<'_>) {
        match part {
            Part::More(bytes) => glue::write(self.call, bytes),
            Part::Last(bytes) => {
                glue::write(self.call, bytes);
                glue::close(self.call);
            }
        }
    }

    fn record(&self, record: &Record) {
        isolate::this().record(record);
        if self.tracing {
            self.trace.replace(Some(log_line(record)));
        }
    }
}

fn millis(length: DurationMs) -> f64 {
    number(length.0)
}

/// JavaScript's numbers hold integers up to 2⁵³ exactly, which no time or length here reaches.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "below 2^53, see above")]
pub(crate) const fn number(value: u64) -> f64 {
    value as f64
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from float saturates, and the clock is positive"
)]
pub(crate) const fn whole(number: f64) -> u64 {
    number as u64
}

/// 128 random bits.
pub(crate) fn random_u128() -> u128 {
    let bytes = glue::random_bytes(16);
    bytes.iter().fold(0, |bits, byte| bits << 8 | u128::from(*byte))
}
