//! The API that callers speak: OpenAI's.
//!
//! A body is scanned ([`json`]), held against the documented parameters and the model's bounds
//! ([`validate()`]), and becomes an [`Effective`] request, which writes the body for each target.

pub mod effective;
pub mod endpoint;
pub mod error;
pub mod json;
pub mod models;
pub mod reply;
pub mod upstream;
pub(crate) mod usage;
pub mod validate;

pub use effective::{Delivery, Effective};
pub use endpoint::Endpoint;
pub use error::{error_body, error_headers};
pub use json::Envelope;
pub use reply::{NotAReply, ReplyFacts};
pub use upstream::{FailedReply, UpstreamFailure, read_failure};
pub use validate::{requested_model, validate};

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
