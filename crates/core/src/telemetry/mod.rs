//! What is counted and what happened, in OpenTelemetry's words: OTLP over HTTP, encoded as JSON, or as
//! protobuf ([`protobuf`]).
//!
//! [`metrics`](fn@metrics) writes the sums of all isolates, for the ledger object to send by its alarm.
//! [`Spans`] collects traces in an isolate, to be sent after replies: one span for a request and one
//! for each call to a provider, by the semantic conventions for GenAI, and never a prompt, a
//! completion or a key. Sources:
//! <https://opentelemetry.io/docs/specs/otlp/>,
//! <https://opentelemetry.io/docs/specs/semconv/gen-ai/>.

mod attributes;
mod metrics;
mod point;
pub mod protobuf;
mod spans;
mod trace;

#[cfg(test)]
mod tests;

pub use metrics::metrics;
pub use point::{DataPoint, data_points};
pub use spans::Spans;
pub use trace::{is_sampled, keeps};

/// Bytes in base64, as basic authentication has them.
pub fn base64(bytes: &[u8]) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(bytes)
}

/// A moment as RFC 3339 writes it: `2026-11-22T22:51:07.042Z`.
pub fn written(moment: crate::units::UnixMs) -> String {
    crate::record::rfc3339(moment)
}
