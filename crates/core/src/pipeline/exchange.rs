//! What passes between the pipeline and its host: plain values.

use crate::units::DurationMs;

/// A request's head, as it came in.
#[derive(Debug, Clone, Default)]
pub struct Arrived {
    /// `GET`, `POST`…
    pub method: String,
    /// The path, without host and query.
    pub path: String,
    /// The query, without its question mark.
    pub query: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Arrived {
    /// The value of header `name` (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A request's body, or why there is none.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// All of it.
    Body(Vec<u8>),
    /// It is longer than was allowed.
    TooLong,
    /// The caller left, or the connection broke.
    CallerLeft,
}

/// One attempt at a provider on the network.
#[derive(Debug)]
pub struct Outbound<'a> {
    /// The whole address.
    pub url: &'a str,
    /// Lines `name:value`, joined by line feeds; the provider's key is among them.
    pub headers: &'a str,
    /// The body; without one it is a GET, else a POST.
    pub body: &'a [u8],
    /// How long a connection may take to be made.
    pub connect: DurationMs,
    /// How long the reply's head may take.
    pub head: DurationMs,
    /// How long the next piece of a reply that is not streamed may take.
    pub idle: DurationMs,
    /// How long a reply that is not streamed may take in all.
    pub whole: DurationMs,
}

/// A provider's reply.
#[derive(Debug)]
pub struct Upstream<S> {
    /// The status.
    pub status: u16,
    /// `content-type`, empty when there is none.
    pub content_type: String,
    /// `retry-after`.
    pub retry_after: Option<String>,
    /// `retry-after-ms`.
    pub retry_after_ms: Option<String>,
    /// The body.
    pub body: UpstreamBody<S>,
}

/// A provider's body.
#[derive(Debug)]
pub enum UpstreamBody<S> {
    /// All of it.
    Whole(Vec<u8>),
    /// An event stream, still to be read.
    Stream(S),
}

/// Why an attempt brought no reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendFailure {
    /// No connection within `connect`.
    ConnectTimedOut,
    /// Connected, but silent.
    TimedOut,
    /// No connection, or it broke.
    Failed,
    /// The reply is longer than a reply may be.
    TooLong,
    /// The caller left, so it was called off.
    CallerLeft,
}

/// Why a stream ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFailure {
    /// Nothing came in the time given; the stream is still open.
    TimedOut,
    /// The connection broke.
    Failed,
    /// The caller left, so it was called off.
    CallerLeft,
}

/// What the caller is told.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The status.
    pub status: u16,
    /// Lines `name:value`, joined by line feeds.
    pub headers: &'a str,
    /// The body.
    pub body: AnswerBody<'a>,
}

/// What the caller gets.
#[derive(Debug)]
pub enum AnswerBody<'a> {
    /// These bytes.
    Whole(&'a [u8]),
    /// The very bytes of the provider's last whole reply, which the host still holds.
    AsReceived,
    /// Parts that follow by `Host::write`.
    Streamed,
}

/// A part of a streamed reply.
#[derive(Debug, Clone, Copy)]
pub enum Part<'a> {
    /// More will follow.
    More(&'a [u8]),
    /// The reply ends with these bytes.
    Last(&'a [u8]),
}
