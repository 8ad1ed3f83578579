//! The Open Inference Protocol, version 2, over HTTP: what Triton, `KServe` and `MLServer` speak.
//!
//! A model is described by its metadata ([`Metadata`]); texts or token ids become its inputs
//! ([`question()`]), and its output becomes rows of numbers ([`answer()`]), from which embeddings or the
//! scores of classes are made ([`post`]). Shapes and datatypes are held against the metadata before
//! anything is sent and again when the answer is there. Nothing here sends.
//!
//! Source: the protocol's `rest_predict_v2.yaml`, github.com/kserve/open-inference-protocol.

mod answer;
mod known;
mod metadata;
pub mod post;
mod question;

use std::fmt::Write as _;

pub use answer::{Rows, answer};
pub use known::Known;
pub use metadata::{Metadata, Tensor};
pub use question::{Inputs, question};

/// What is asked does not fit the model, or its answer not what it says of itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The configuration or the request does not fit the model.
    #[error("{0}")]
    Asked(String),
    /// The server's metadata or answer is not what the protocol promises.
    #[error("{0}")]
    Answered(String),
}

/// The path of a model's metadata, from the base address on.
pub fn metadata_path(model: &str) -> String {
    format!("/v2/models/{}", escaped(model))
}

/// The path that infers.
pub fn infer_path(model: &str) -> String {
    format!("/v2/models/{}/infer", escaped(model))
}

/// The name of a model as one part of a path; `model/versions/2` stays as it is.
fn escaped(model: &str) -> String {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/');
    let mut escaped = String::with_capacity(model.len());
    for byte in model.bytes() {
        if is_plain(byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
