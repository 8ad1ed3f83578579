//! What a provider's failure means, and what the caller may read of it.
//!
//! The status decides, and the body can sharpen it: a context that is too long and a content filter
//! are told apart from other refusals, whatever the provider calls them. The provider's text is kept
//! for the caller without anything like a key; it may quote the caller's prompt, so it belongs into
//! the reply and into no log.

mod retry_after;
mod said;

pub use retry_after::retry_after;

use crate::redact::mask_known;
use crate::refusal::{Code, Refusal};
use crate::units::{DurationMs, UnixMs};
use said::Said;

/// The longest text of a provider that is passed on, in characters.
const LONGEST_MESSAGE: usize = 1000;

/// A provider's answer that is not a success.
#[derive(Debug, Clone, Copy)]
pub struct FailedReply<'a> {
    /// Its HTTP status.
    pub status: u16,
    /// Its `content-type`.
    pub content_type: Option<&'a str>,
    /// Its `retry-after`, verbatim.
    pub retry_after: Option<&'a str>,
    /// Its `retry-after-ms`, verbatim.
    pub retry_after_ms: Option<&'a str>,
    /// As much of its body as was read; 64 KiB suffice.
    pub body: &'a [u8],
}

/// What a provider's failure means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamFailure {
    /// The status it answered with.
    pub status: u16,
    /// Our code for it.
    pub code: Code,
    /// For the caller; holds no key, and may hold the caller's own words.
    pub message: String,
    /// How long the provider asks us to wait.
    pub retry_after: Option<DurationMs>,
    /// Whether the account is out of money, so that waiting does not help.
    pub quota_exhausted: bool,
}

impl UpstreamFailure {
    /// Whether the prompt does not fit the model.
    pub fn is_context_length(&self) -> bool {
        self.code == Code::ContextLengthExceeded
    }

    /// Whether the provider refused the content.
    pub fn is_content_filter(&self) -> bool {
        self.code == Code::ContentFilter
    }

    /// What to tell the caller when no attempt is left.
    pub fn refusal(self) -> Refusal {
        let refusal = Refusal::new(self.code, self.message);
        match self.retry_after {
            Some(wait) => refusal.after(wait),
            None => refusal,
        }
    }
}

/// Reads a failure.
///
/// `secrets` are the keys with which the provider was called: they are taken out
/// of its text wherever they stand.
pub fn read_failure(reply: &FailedReply<'_>, secrets: &[&str], now: UnixMs) -> UpstreamFailure {
    let FailedReply { status, content_type, retry_after: after, retry_after_ms, body } = *reply;
    let said = Said::read(content_type, body);
    let meaning = Meaning::of(status, &said);
    UpstreamFailure {
        status,
        code: meaning.code(),
        message: meaning.message(status, &said, secrets),
        retry_after: retry_after(retry_after_ms, after, now),
        quota_exhausted: is_out_of_money(status, &said),
    }
}

/// What a failure comes down to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    ContextLength,
    ContentFilter,
    BadKey,
    Rejected,
    RateLimited,
    TimedOut,
    Failed,
    NotHttp,
}

impl Meaning {
    fn of(status: u16, said: &Said) -> Self {
        match status {
            400 | 413 | 422 | 500 if is_context_length(said) => Self::ContextLength,
            400 | 403 | 422 | 451 if is_content_filter(said) => Self::ContentFilter,
            400 if is_bad_key(said) => Self::BadKey,
            401..=403 => Self::BadKey,
            429 => Self::RateLimited,
            413 if said.has_code("rate_limit_exceeded") => Self::RateLimited,
            408 | 504 | 524 => Self::TimedOut,
            // The caller asked for a model of ours; that the provider has no such model or path is
            // for the operator to mend, and another target may have it.
            404 | 405 | 409 | 410 | 425 | 500..=599 => Self::Failed,
            400..=499 => Self::Rejected,
            // Redirects are not followed, and a success without an answer is none.
            _ => Self::NotHttp,
        }
    }

    const fn code(self) -> Code {
        match self {
            Self::ContextLength => Code::ContextLengthExceeded,
            Self::ContentFilter => Code::ContentFilter,
            Self::BadKey => Code::UpstreamAuth,
            Self::Rejected => Code::UpstreamRejected,
            Self::RateLimited => Code::UpstreamRateLimited,
            Self::TimedOut => Code::UpstreamTimeout,
            Self::Failed => Code::UpstreamError,
            Self::NotHttp => Code::UpstreamInvalid,
        }
    }

    /// Our words, before the provider's.
    const fn words(self) -> &'static str {
        match self {
            Self::ContextLength => "the prompt does not fit the model's context",
            Self::ContentFilter => "the provider refused the content",
            Self::BadKey => "the provider refused the gateway's own key",
            Self::Rejected => "the provider refused the request",
            Self::RateLimited => "the provider is limiting the gateway",
            Self::TimedOut => "the provider did not answer in time",
            Self::Failed => "the provider failed",
            Self::NotHttp => "the provider's answer is no answer",
        }
    }

    fn message(self, status: u16, said: &Said, secrets: &[&str]) -> String {
        let own = self.words();
        let text = said.message.trim();
        // What is said of a bad key is about the gateway's key, not about the call.
        if text.is_empty() || self == Self::BadKey {
            return format!("{own} (HTTP {status})");
        }
        let shown: String = mask_known(text, secrets).chars().take(LONGEST_MESSAGE).collect();
        format!("{own}: {shown}")
    }
}

/// The codes and phrases of OpenAI, Azure, Groq, Mistral, vLLM, SGLang, llama.cpp, TGI, Anthropic
/// and Gemini.
fn is_context_length(said: &Said) -> bool {
    const CODES: [&str; 4] = [
        "context_length_exceeded",
        "exceed_context_size_error",
        "context_window_exceeded",
        "context_exceeded",
    ];
    const PHRASES: [&str; 10] = [
        "maximum context length",
        "maximum model length",
        "model's context length",
        "available context size",
        "context size has been exceeded",
        "context window",
        "context limit",
        "reduce the length of the messages",
        "`inputs` tokens + `max_new_tokens`",
        "prompt is too long",
    ];
    CODES.iter().any(|code| said.has_code(code)) || says_any(said, &PHRASES)
}

/// The codes and phrases of OpenAI, Azure, DeepSeek and Alibaba.
fn is_content_filter(said: &Said) -> bool {
    const CODES: [&str; 7] = [
        "content_filter",
        "content_policy_violation",
        "ResponsibleAIPolicyViolation",
        "moderation_blocked",
        "invalid_prompt",
        "data_inspection_failed",
        "safety_violation",
    ];
    const PHRASES: [&str; 5] = [
        "content management policy",
        "usage policy",
        "safety system",
        "content exists risk",
        "flagged by moderation",
    ];
    CODES.iter().any(|code| said.has_code(code)) || says_any(said, &PHRASES)
}

/// Gemini answers 400 to a bad key.
fn is_bad_key(said: &Said) -> bool {
    ["invalid_api_key", "API_KEY_INVALID"].iter().any(|code| said.has_code(code))
        || says_any(said, &["api key not valid", "api key expired"])
}

/// OpenAI says so with 429, DeepSeek and OpenRouter with 402.
fn is_out_of_money(status: u16, said: &Said) -> bool {
    status == 402 || (status == 429 && said.has_code("insufficient_quota"))
}

/// `phrases` are in lower case.
fn says_any(said: &Said, phrases: &[&str]) -> bool {
    let message = said.message.to_lowercase();
    phrases.iter().any(|phrase| message.contains(phrase))
}

#[cfg(test)]
mod tests;
