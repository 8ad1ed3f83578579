//! The parameters of `POST /v1/completions`.
//!
//! Source: OpenAI's API reference.

use super::rule::{FILLED, Field, Rule, TEXT, TOKEN, nullable, required, some_of};
use super::sampling;

pub(super) const COMPLETIONS: &[Field] = &[
    required("model", FILLED),
    required("prompt", Rule::Either(&[TEXT, some_of(&[TEXT, TOKEN, some_of(&[TOKEN])])])),
    sampling::TEMPERATURE,
    sampling::TOP_P,
    sampling::MAX_TOKENS,
    sampling::STREAM,
    sampling::STREAM_OPTIONS,
    sampling::N,
    nullable("best_of", Rule::Integer { from: 1, to: 20 }),
    nullable("echo", Rule::Bool),
    nullable("logprobs", Rule::Integer { from: 0, to: 5 }),
    nullable("suffix", TEXT),
    sampling::STOP,
    sampling::SEED,
    sampling::FREQUENCY_PENALTY,
    sampling::PRESENCE_PENALTY,
    sampling::LOGIT_BIAS,
    sampling::USER,
];
