//! What the pipeline asks of the platform it runs on.
//!
//! There are two: the Worker, and the fake that tests drive through outages and months. A host does
//! as it is told and reports what happened; it decides nothing.

use std::future::Future;

use super::exchange::{Answer, Outbound, Part, ReadFailure, Received, SendFailure, Upstream};
use crate::{
    cache::key::CacheKey,
    record::Record,
    units::{DurationMs, UnitInterval, UnixMs},
};

/// The caller has hung up; nobody waits for what comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallerLeft;

/// A store or object could not be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unavailable;

/// The platform under one request.
pub trait Host {
    /// A provider's open event stream.
    type Stream;

    /// The time. It may stand still while the CPU works.
    fn now(&self) -> UnixMs;

    /// A throw of the dice.
    fn dice(&self) -> UnitInterval;

    /// Waits, unless the caller leaves first.
    fn sleep(&self, length: DurationMs) -> impl Future<Output = Result<(), CallerLeft>>;

    /// Reads the request's body, at most `limit` bytes of it.
    fn body(&self, limit: u64) -> impl Future<Output = Received>;

    /// Sends `message` to the limiter object of `group` and returns its reply.
    fn limiter(
        &self,
        group: &str,
        message: &[u8],
    ) -> impl Future<Output = Result<Vec<u8>, Unavailable>>;

    /// Reads a cached reply; a store that fails holds nothing.
    fn load(&self, key: &CacheKey) -> impl Future<Output = Option<Vec<u8>>>;

    /// Keeps a cached reply for `ttl`.
    fn store(&self, key: &CacheKey, entry: Vec<u8>, ttl: DurationMs) -> impl Future<Output = ()>;

    /// Sends one attempt to a provider on the network.
    fn send(
        &self,
        attempt: Outbound<'_>,
    ) -> impl Future<Output = Result<Upstream<Self::Stream>, SendFailure>>;

    /// The next bytes of a stream, `None` at its end. One that is silent for `idle` may be asked again;
    /// dropping the stream calls the provider off.
    fn read(
        &self,
        stream: &mut Self::Stream,
        idle: DurationMs,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, ReadFailure>>;

    /// Answers the caller: the whole reply, or the head of a streamed one.
    fn answer(&self, answer: Answer<'_>);

    /// Sends the next part of a streamed reply. That the caller has left, or reads slowly, is felt
    /// by the next `read` or `sleep`.
    fn write(&self, part: Part<'_>);

    /// Takes note of the finished request.
    fn record(&self, record: &Record);
}
