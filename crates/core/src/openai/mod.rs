//! The API that callers speak: OpenAI's.
//!
//! A body is scanned ([`json`]), held against the documented parameters and the model's bounds
//! ([`validate`]), and becomes an [`Effective`] request, which writes the body for each target.

pub mod effective;
pub mod endpoint;
pub mod json;
pub mod validate;

pub use effective::{Delivery, Effective};
pub use endpoint::Endpoint;
pub use json::Envelope;
pub use validate::{requested_model, validate};

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
