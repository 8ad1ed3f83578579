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
