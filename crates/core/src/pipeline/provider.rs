//! One attempt at one target, up to an answer that deserves the name.
//!
//! A whole reply is read and checked; a stream is read until its first real event, so that a
//! provider that sends headers and then nothing, or an error first, can still be fallen over from.

use std::sync::Arc;

use super::{
    Gate,
    exchange::{Arrived, Outbound, ReadFailure, SendFailure, Upstream, UpstreamBody},
    host::Host,
    oip,
};
use crate::{
    config::valid::{Endpoint as Address, ProviderKind, Target},
    http::CallHeaders,
    mock,
    openai::{
        Effective, Endpoint,
        reply::{self, NotAReply},
        upstream::{FailedReply, UpstreamFailure, read_failure},
    },
    price::Usage,
    retry::{AttemptLimits, Outcome},
    stream::{Fault, Relay},
    units::{DurationMs, UnixMs},
};

/// What a target is sent.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) body: Vec<u8>,
}

impl Asked {
    /// The caller's request, afresh.
    pub(super) fn new(request: &Effective, target: &Target) -> Self {
        Self { body: request.body_for(target) }
    }
}

/// Where and within which bounds it is asked.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) target: &'a Arc<Target>,
    pub(super) limits: AttemptLimits,
    pub(super) arrived: &'a Arrived,
    pub(super) headers: &'a CallHeaders<'a>,
}

/// What a target has answered.
#[derive(Debug)]
pub(super) enum Opened<S> {
    /// A whole reply.
    Whole(Whole),
    /// A stream, of which nothing is read yet.
    Stream(Source<S>),
}

/// A whole reply that is what the API promises.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) target: Arc<Target>,
    pub(super) body: Vec<u8>,
    pub(super) usage: Option<Usage>,
    /// Whether the host still holds the very bytes.
    pub(super) held_by_host: bool,
}

/// Where a stream's bytes come from.
#[derive(Debug)]
pub(super) enum Source<S> {
    Network(S),
    Mock(MockStream),
}

/// Why an attempt failed.
#[derive(Debug)]
pub(super) enum Failure {
    Failed(Outcome),
    CallerLeft,
}

impl Failure {
    /// A silence is told apart from a request whose own time was up; see [`AttemptLimits::judge`].
    pub(super) fn judged(self, limits: AttemptLimits, took: DurationMs) -> Self {
        match self {
            Self::Failed(outcome) => Self::Failed(limits.judge(outcome, took)),
            Self::CallerLeft => Self::CallerLeft,
        }
    }
}

/// Asks a target once, up to the head of its answer or to all of one that is not streamed.
pub(super) async fn open<H: Host>(
    host: &H,
    gate: &Gate,
    request: &Effective,
    asked: &Asked,
    call: &Call<'_>,
) -> Result<Opened<H::Stream>, Failure> {
    let Call { target, limits, arrived, headers } = call;
    let body = &asked.body;
    let upstream = match &target.provider.kind {
        ProviderKind::OpenAi(address) => {
            let url = [address.base_url.as_str(), request.endpoint().upstream_path()].concat();
            let line = Line { limits: *limits, headers: Some(headers) };
            post(host, gate, address, &url, body, line).await?
        }
        ProviderKind::Oip(address) => {
            let line = Line { limits: *limits, headers: Some(headers) };
            return oip::embed(host, gate, request, address, target, line).await.map(Opened::Whole);
        }
        ProviderKind::Mock(policy) => {
            let call = gate.next_mock_call(&target.provider.name);
            let script = arrived.header("tollhouse-mock");
            let plan = mock::plan(request.endpoint(), body, policy, call, script, host.now());
            perform(host, plan, *limits).await?
        }
    };
    let key = secret(gate, target);
    let key = key.as_deref();
    let now = host.now();
    if upstream.status != 200 {
        return Err(Failure::Failed(Outcome::Refused(failed_reply(&upstream, key, now))));
    }
    match upstream.body {
        UpstreamBody::Whole(body) if !request.is_streamed() => {
            let held_by_host = matches!(target.provider.kind, ProviderKind::OpenAi(_));
            whole(request, target, body, held_by_host, key, now).map(Opened::Whole)
        }
        UpstreamBody::Whole(body) => Err(not_a_stream(request.endpoint(), &body, key, now)),
        UpstreamBody::Stream(_) if !request.is_streamed() => {
            Err(invalid("the provider streamed an answer that was asked for whole"))
        }
        UpstreamBody::Stream(source) => Ok(Opened::Stream(source)),
    }
}

/// The key with which a provider is called.
pub(super) fn secret(gate: &Gate, target: &Target) -> Option<String> {
    gate.secret(target.provider.kind.endpoint()?.api_key.as_ref()?)
}

/// Within which bounds a server is called, and what of the caller's headers it is sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) limits: AttemptLimits,
    pub(super) headers: Option<&'a CallHeaders<'a>>,
}

/// Sends a body to a server; without one it is only asked.
pub(super) async fn post<H: Host>(
    host: &H,
    gate: &Gate,
    address: &Address,
    url: &str,
    body: &[u8],
    Line { limits, headers: asked }: Line<'_>,
) -> Result<Upstream<Source<H::Stream>>, Failure> {
    let mut headers = String::from("content-type:application/json");
    if let Some(name) = &address.api_key {
        let Some(key) = gate.secret(name) else {
            return Err(Failure::Failed(Outcome::SecretMissing(name.0.clone())));
        };
        headers.push_str("\nauthorization:Bearer ");
        headers.push_str(&key);
    }
    let trace = asked.and_then(|asked| asked.trace).map(|trace| trace.to_string());
    let idempotency_key = asked.and_then(|asked| asked.idempotency_key);
    let passed_on = [("traceparent", trace.as_deref()), ("idempotency-key", idempotency_key)];
    let passed_on = passed_on.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let configured = address.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in configured.chain(passed_on) {
        headers.push('\n');
        headers.push_str(name);
        headers.push(':');
        headers.push_str(value);
    }
    let AttemptLimits { connect, head, idle, whole, .. } = limits;
    let outbound = Outbound { url, headers: &headers, body, connect, head, idle, whole };
    match host.send(outbound).await {
        Ok(upstream) => Ok(Upstream {
            status: upstream.status,
            content_type: upstream.content_type,
            retry_after: upstream.retry_after,
            retry_after_ms: upstream.retry_after_ms,
            body: match upstream.body {
                UpstreamBody::Whole(body) => UpstreamBody::Whole(body),
                UpstreamBody::Stream(stream) => UpstreamBody::Stream(Source::Network(stream)),
            },
        }),
        Err(SendFailure::CallerLeft) => Err(Failure::CallerLeft),
        Err(SendFailure::ConnectTimedOut) => Err(Failure::Failed(Outcome::ConnectTimedOut)),
        Err(SendFailure::TimedOut) => Err(Failure::Failed(Outcome::Silent)),
        Err(SendFailure::Failed) => Err(Failure::Failed(Outcome::Unreachable)),
        Err(SendFailure::TooLong) => Err(invalid("the provider's answer is too long to be read")),
    }
}

/// Lets the mock's plan come true.
async fn perform<H: Host>(
    host: &H,
    plan: mock::Plan,
    limits: AttemptLimits,
) -> Result<Upstream<Source<H::Stream>>, Failure> {
    let silent = matches!(plan.outcome, mock::Outcome::Silence) || plan.latency > limits.head;
    let wait = if silent { limits.head } else { plan.latency };
    if wait > DurationMs(0) {
        host.sleep(wait).await.map_err(|_| Failure::CallerLeft)?;
    }
    if silent {
        return Err(Failure::Failed(Outcome::Silent));
    }
    let (status, retry_after, content_type, body) = match plan.outcome {
        mock::Outcome::Silence => return Err(Failure::Failed(Outcome::Silent)),
        mock::Outcome::Reset => return Err(Failure::Failed(Outcome::Unreachable)),
        mock::Outcome::Whole(reply) => {
            (reply.status, reply.retry_after, reply.content_type, UpstreamBody::Whole(reply.body))
        }
        mock::Outcome::Stream(stream) => {
            let source = Source::Mock(MockStream::new(stream));
            (200, None, "text/event-stream", UpstreamBody::Stream(source))
        }
    };
    Ok(Upstream {
        status,
        content_type: content_type.to_owned(),
        retry_after,
        retry_after_ms: None,
        body,
    })
}

pub(super) fn failed_reply<S>(
    upstream: &Upstream<S>,
    key: Option<&str>,
    now: UnixMs,
) -> UpstreamFailure {
    let body: &[u8] = match &upstream.body {
        UpstreamBody::Whole(body) => body,
        UpstreamBody::Stream(_) => b"",
    };
    let reply = FailedReply {
        status: upstream.status,
        content_type: Some(&upstream.content_type),
        retry_after: upstream.retry_after.as_deref(),
        retry_after_ms: upstream.retry_after_ms.as_deref(),
        body,
    };
    read_failure(&reply, key.as_slice(), now)
}

fn whole(
    request: &Effective,
    target: &Arc<Target>,
    body: Vec<u8>,
    held_by_host: bool,
    key: Option<&str>,
    now: UnixMs,
) -> Result<Whole, Failure> {
    match reply::read(request.endpoint(), &body) {
        Ok(facts) => {
            let usage = facts.usage;
            Ok(Whole { target: target.clone(), body, usage, held_by_host })
        }
        Err(NotAReply::Failure { status }) => Err(error_inside(status, &body, key, now)),
        Err(other) => Err(invalid(&other.to_string())),
    }
}

/// An error object where an answer should be, under the status that it names itself.
fn error_inside(status: u16, body: &[u8], key: Option<&str>, now: UnixMs) -> Failure {
    let content_type = Some("application/json");
    let reply = FailedReply { status, content_type, retry_after: None, retry_after_ms: None, body };
    Failure::Failed(Outcome::Refused(read_failure(&reply, key.as_slice(), now)))
}

fn not_a_stream(endpoint: Endpoint, body: &[u8], key: Option<&str>, now: UnixMs) -> Failure {
    match reply::read(endpoint, body) {
        Err(NotAReply::Failure { status }) => error_inside(status, body, key, now),
        Ok(_) | Err(_) => invalid("the provider answered whole where a stream was asked for"),
    }
}

pub(super) fn invalid(what: &str) -> Failure {
    Failure::Failed(Outcome::Invalid(what.to_owned()))
}

/// Reads up to the first real event, for at most `left`; what the caller gets of it is added to `out`.
pub(super) async fn begin_stream<H: Host>(
    host: &H,
    source: &mut Source<H::Stream>,
    relay: &mut Relay,
    out: &mut Vec<u8>,
    left: DurationMs,
    key: Option<&str>,
) -> Result<(), Failure> {
    let until = host.now().plus(left);
    while !relay.summary().begun {
        let wait = until.since(host.now());
        let pushed = match source.next(host, wait).await {
            Ok(Some(bytes)) => relay.push(&bytes, out),
            Ok(None) => relay.end(out),
            Err(ReadFailure::CallerLeft) => return Err(Failure::CallerLeft),
            Err(ReadFailure::TimedOut) => return Err(Failure::Failed(Outcome::Silent)),
            Err(ReadFailure::Failed) => return Err(Failure::Failed(Outcome::Unreachable)),
        };
        match pushed {
            Ok(()) => {}
            Err(Fault::Reported(error)) => {
                let body = ["{\"error\":", &error, "}"].concat();
                return Err(error_inside(502, body.as_bytes(), key, host.now()));
            }
            Err(fault) => return Err(invalid(&fault.to_string())),
        }
    }
    Ok(())
}

impl<S> Source<S> {
    /// The next bytes, `None` at the end.
    pub(super) async fn next<H: Host<Stream = S>>(
        &mut self,
        host: &H,
        wait: DurationMs,
    ) -> Result<Option<Vec<u8>>, ReadFailure> {
        let stream = match self {
            Self::Network(stream) => return host.read(stream, wait).await,
            Self::Mock(stream) => stream,
        };
        let pause = stream.pause();
        if pause > DurationMs(0) {
            host.sleep(pause.min(wait)).await.map_err(|_| ReadFailure::CallerLeft)?;
            stream.waited(wait);
        }
        if pause > wait { Err(ReadFailure::TimedOut) } else { stream.next() }
    }
}

/// The mock's planned chunks, played one by one.
#[derive(Debug)]
pub(super) struct MockStream {
    chunks: std::vec::IntoIter<Vec<u8>>,
    interval: DurationMs,
    /// How long until the next piece.
    pause: DurationMs,
    ending: mock::Ending,
}

impl MockStream {
    fn new(stream: mock::Stream) -> Self {
        let mock::Stream { chunks, interval, ending } = stream;
        Self { chunks: chunks.into_iter(), interval, pause: DurationMs(0), ending }
    }

    fn pause(&self) -> DurationMs {
        match self.ending {
            mock::Ending::Stall if self.chunks.len() == 0 => DurationMs(u64::MAX),
            mock::Ending::Stall | mock::Ending::Done | mock::Ending::Cut => self.pause,
        }
    }

    fn waited(&mut self, wait: DurationMs) {
        self.pause = self.pause.saturating_sub(wait);
    }

    /// The next piece, which has come.
    fn next(&mut self) -> Result<Option<Vec<u8>>, ReadFailure> {
        self.pause = if self.chunks.len() > 1 { self.interval } else { DurationMs(0) };
        match (self.chunks.next(), self.ending) {
            (Some(chunk), _) => Ok(Some(chunk)),
            (None, mock::Ending::Done) => Ok(None),
            (None, mock::Ending::Cut | mock::Ending::Stall) => Err(ReadFailure::Failed),
        }
    }
}
