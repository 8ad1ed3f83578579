//! What openai-python made of a call.

use serde::Deserialize;

/// What the SDK's driver reports of a case.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The case.
    pub name: String,
    /// Of the call that met the fault.
    pub faulty: Told,
    /// Of the call after it.
    pub afterwards: Told,
}

/// What the caller was told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// The exception's class; none is an answer.
    pub raises: Option<String>,
    /// The exception's status.
    pub status: Option<u16>,
    /// The exception's code.
    pub code: Option<String>,
    /// The exception's message.
    pub message: Option<String>,
    /// The header `x-should-retry`.
    pub should_retry: Option<String>,
    /// The header `retry-after`, in seconds.
    pub retry_after: Option<String>,
    /// The header `x-request-id`.
    pub request_id: Option<String>,
    /// The header `tollhouse-attempts`.
    pub attempts: Option<String>,
    /// The text that came.
    pub text: String,
    /// The finish reason of the first choice.
    pub finish: Option<String>,
    /// All tokens, where usage was told.
    pub tokens: Option<u64>,
    /// The ids of a stream's chunks, or that of the answer, without repetition.
    pub ids: Vec<String>,
    /// How many chunks named a role.
    pub roles: usize,
    /// How many chunks named a finish reason.
    pub finishes: usize,
}
