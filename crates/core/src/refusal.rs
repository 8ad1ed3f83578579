//! The one place where the gateway says no.
//!
//! Every refusal has a [`Code`] of this closed list. A code never changes meaning; its status and
//! whose fault it is stand beside it in [`Code::facts`], from which the README's table is made.

use crate::units::DurationMs;

/// Why a call was refused; the `code` of the error body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each variant is described in `facts`, where the README reads it")]
pub enum Code {
    BadRequest,
    InvalidJson,
    DuplicateKey,
    InvalidEncoding,
    MissingField,
    InvalidType,
    InvalidValue,
    UnsupportedParameter,
    BodyTooLarge,
    HeadersTooLarge,
    MissingApiKey,
    InvalidApiKey,
    ModelNotAllowed,
    ModelNotFound,
    ModelDeprecated,
    AnswerNotFound,
    RouteNotFound,
    MethodNotAllowed,
    ContextLengthExceeded,
    ContentFilter,
    GuardBlocked,
    GuardUnavailable,
    RateLimitExceeded,
    TokenLimitExceeded,
    BudgetExceeded,
    PriceUnknown,
    LimiterUnavailable,
    LedgerUnavailable,
    UpstreamRejected,
    UpstreamAuth,
    UpstreamRateLimited,
    UpstreamError,
    UpstreamInvalid,
    UpstreamUnreachable,
    UpstreamTimeout,
    DeadlineExceeded,
    StreamInterrupted,
    CircuitOpen,
    ConfigInvalid,
    SecretMissing,
    ClientClosed,
    Internal,
}

/// Who can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The caller: the same call will fail again.
    Caller,
    /// The provider behind the gateway.
    Provider,
    /// Whoever runs the gateway.
    Operator,
}

impl Fault {
    /// The label in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Provider => "provider",
            Self::Operator => "operator",
        }
    }
}

/// What is fixed about a [`Code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The code as callers read it.
    pub name: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// OpenAI's `type` for errors of this kind, from which the SDKs' users tell them apart.
    pub kind: &'static str,
    /// Who can mend it.
    pub fault: Fault,
    /// One sentence for the README.
    pub meaning: &'static str,
}

impl Code {
    /// Every code, in the order of the README's table.
    pub const ALL: [Self; 42] = [
        Self::BadRequest,
        Self::InvalidJson,
        Self::DuplicateKey,
        Self::InvalidEncoding,
        Self::MissingField,
        Self::InvalidType,
        Self::InvalidValue,
        Self::UnsupportedParameter,
        Self::BodyTooLarge,
        Self::HeadersTooLarge,
        Self::MissingApiKey,
        Self::InvalidApiKey,
        Self::ModelNotAllowed,
        Self::ModelNotFound,
        Self::ModelDeprecated,
        Self::AnswerNotFound,
        Self::RouteNotFound,
        Self::MethodNotAllowed,
        Self::ContextLengthExceeded,
        Self::ContentFilter,
        Self::GuardBlocked,
        Self::GuardUnavailable,
        Self::RateLimitExceeded,
        Self::TokenLimitExceeded,
        Self::BudgetExceeded,
        Self::PriceUnknown,
        Self::LimiterUnavailable,
        Self::LedgerUnavailable,
        Self::UpstreamRejected,
        Self::UpstreamAuth,
        Self::UpstreamRateLimited,
        Self::UpstreamError,
        Self::UpstreamInvalid,
        Self::UpstreamUnreachable,
        Self::UpstreamTimeout,
        Self::DeadlineExceeded,
        Self::StreamInterrupted,
        Self::CircuitOpen,
        Self::ConfigInvalid,
        Self::SecretMissing,
        Self::ClientClosed,
        Self::Internal,
    ];

    /// Status, type, fault and meaning.
    #[rustfmt::skip]
    pub const fn facts(self) -> Facts {
        use Fault::{Caller, Operator, Provider};
        const INVALID: &str = "invalid_request_error";
        const AUTH: &str = "authentication_error";
        const RATE: &str = "rate_limit_error";
        const SERVER: &str = "server_error";
        let (name, status, kind, fault, meaning) = match self {
            Self::BadRequest => ("bad_request", 400, INVALID, Caller, "The request cannot be understood."),
            Self::InvalidJson => ("invalid_json", 400, INVALID, Caller, "The body is not JSON in UTF-8, or is nested too deeply."),
            Self::DuplicateKey => ("duplicate_key", 400, INVALID, Caller, "An object in the body names a key twice, so readers would disagree about it."),
            Self::InvalidEncoding => ("invalid_encoding", 415, INVALID, Caller, "The body is not encoded as its headers say, or not as JSON."),
            Self::MissingField => ("missing_required_parameter", 400, INVALID, Caller, "A required parameter is absent."),
            Self::InvalidType => ("invalid_type", 400, INVALID, Caller, "A parameter has the wrong type."),
            Self::InvalidValue => ("invalid_value", 400, INVALID, Caller, "A parameter is outside its range or this model's bounds."),
            Self::UnsupportedParameter => ("unsupported_parameter", 400, INVALID, Caller, "The model does not take this parameter."),
            Self::BodyTooLarge => ("body_too_large", 413, INVALID, Caller, "The body is longer than `limits.max_body_bytes`."),
            Self::HeadersTooLarge => ("headers_too_large", 431, INVALID, Caller, "The headers are longer than 32 KiB together."),
            Self::MissingApiKey => ("missing_api_key", 401, AUTH, Caller, "No `Authorization: Bearer` key was sent."),
            Self::InvalidApiKey => ("invalid_api_key", 401, AUTH, Caller, "The key is not one of this gateway's."),
            Self::ModelNotAllowed => ("model_not_allowed", 403, "permission_error", Caller, "The key may not use this model."),
            Self::ModelNotFound => ("model_not_found", 404, INVALID, Caller, "No model of that name is configured."),
            Self::ModelDeprecated => ("model_deprecated", 410, INVALID, Caller, "The model is past its retirement date and the configuration refuses it; the message names the successor."),
            Self::AnswerNotFound => ("answer_not_found", 404, INVALID, Caller, "No answer of that id was given to this key by a model and variant that are configured still."),
            Self::RouteNotFound => ("not_found", 404, INVALID, Caller, "There is nothing at this path."),
            Self::MethodNotAllowed => ("method_not_allowed", 405, INVALID, Caller, "The path takes another method."),
            Self::ContextLengthExceeded => ("context_length_exceeded", 400, INVALID, Caller, "The prompt does not fit the model's context."),
            Self::ContentFilter => ("content_filter", 400, INVALID, Caller, "The provider refused the content."),
            Self::GuardBlocked => ("guard_blocked", 403, "permission_error", Caller, "A guard of the gateway refused the content."),
            Self::GuardUnavailable => ("guard_unavailable", 503, SERVER, Operator, "A guard could not judge the content and is configured to fail closed."),
            Self::RateLimitExceeded => ("rate_limit_exceeded", 429, RATE, Caller, "The request limit of the key or model is reached; retry after `retry-after`."),
            Self::TokenLimitExceeded => ("token_limit_exceeded", 429, RATE, Caller, "The token limit of the key or model is reached; retry after `retry-after`."),
            Self::BudgetExceeded => ("budget_exceeded", 429, "insufficient_quota", Caller, "The budget of the key, team or model is spent; retrying does not help."),
            Self::PriceUnknown => ("price_unknown", 503, SERVER, Operator, "The call is held to a budget, what it costs is unknown, and the configuration refuses such calls."),
            Self::LimiterUnavailable => ("limiter_unavailable", 503, SERVER, Operator, "The limits could not be checked and the configuration refuses unchecked calls."),
            Self::LedgerUnavailable => ("ledger_unavailable", 503, SERVER, Operator, "What was sent could not be kept; sending it again helps."),
            Self::UpstreamRejected => ("upstream_rejected", 400, INVALID, Caller, "The provider refused the request as invalid."),
            Self::UpstreamAuth => ("upstream_auth", 502, SERVER, Operator, "The provider refused the gateway's own key."),
            Self::UpstreamRateLimited => ("upstream_rate_limited", 429, RATE, Provider, "The provider is limiting the gateway, and every attempt is used up."),
            Self::UpstreamError => ("upstream_error", 502, SERVER, Provider, "The provider failed, and every attempt is used up."),
            Self::UpstreamInvalid => ("upstream_invalid_reply", 502, SERVER, Provider, "The provider's answer is not what its API promises."),
            Self::UpstreamUnreachable => ("upstream_unreachable", 502, SERVER, Provider, "No connection to the provider could be made."),
            Self::UpstreamTimeout => ("upstream_timeout", 504, SERVER, Provider, "The provider did not answer within the configured time."),
            Self::DeadlineExceeded => ("deadline_exceeded", 504, SERVER, Caller, "The caller's own deadline passed before an answer came."),
            Self::StreamInterrupted => ("stream_interrupted", 502, SERVER, Provider, "The provider's stream ended before its answer did."),
            Self::CircuitOpen => ("circuit_open", 503, SERVER, Provider, "Every target of the model has failed lately and is being rested."),
            Self::ConfigInvalid => ("config_invalid", 503, SERVER, Operator, "The gateway's configuration is invalid; `/health/ready` lists the problems."),
            Self::SecretMissing => ("secret_missing", 503, SERVER, Operator, "A secret that the configuration names is not set."),
            Self::ClientClosed => ("client_closed_request", 499, INVALID, Caller, "The caller left before the answer; seen in logs and metrics only."),
            Self::Internal => ("internal_error", 500, SERVER, Operator, "A defect in the gateway."),
        };
        Facts { name, status, kind, fault, meaning }
    }

    /// The code as callers read it.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }
}

/// A refused call: what to answer and what a caller may do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Which of the closed list.
    pub code: Code,
    /// What was found, where, and what to do; never a key and never a prompt.
    pub message: String,
    /// The offending field, in OpenAI's dotted form: `messages[0].role`.
    pub param: Option<String>,
    /// How long to wait before the same call can succeed.
    pub retry_after: Option<DurationMs>,
    /// False tells the SDKs not to try again: the attempts or the budget are used up.
    pub should_retry: Option<bool>,
}

impl Refusal {
    /// A refusal with nothing but its code and message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), param: None, retry_after: None, should_retry: None }
    }

    /// Names the offending field.
    pub fn at(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// Says when the same call can succeed.
    pub fn after(mut self, wait: DurationMs) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Tells SDKs that trying again does not help.
    pub fn final_answer(mut self) -> Self {
        self.should_retry = Some(false);
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_has_a_name_of_its_own() {
        let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
    }

    #[test]
    fn no_code_answers_408() {
        assert!(Code::ALL.iter().all(|code| code.facts().status != 408));
    }
}
