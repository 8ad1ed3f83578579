//! The parameters of `POST /v1/embeddings`.
//!
//! Source: OpenAI's API reference.

use super::rule::{FILLED, Field, Rule, TOKEN, optional, required, some_of};
use super::sampling;

/// How many texts one call may hold. An array of tokens is one text and may be longer.
pub(super) const MOST_INPUTS: usize = 2048;

pub(super) const EMBEDDINGS: &[Field] = &[
    required("model", FILLED),
    required("input", Rule::Either(&[FILLED, some_of(&[FILLED, TOKEN, some_of(&[TOKEN])])])),
    optional("encoding_format", Rule::OneOf(&["float", "base64"])),
    optional("dimensions", Rule::Integer { from: 1, to: i64::MAX }),
    sampling::USER,
];
