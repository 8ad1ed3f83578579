//! A call that a bucket refuses, and how a caller is told.

use super::{Resource, Scope};
use crate::{
    refusal::{Code, Refusal},
    units::DurationMs,
};

/// Which bucket refused, and how it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Whose bucket.
    pub scope: Scope,
    /// What it counts.
    pub resource: Resource,
    /// Its limit, in requests or tokens a minute.
    pub limit: u64,
    /// What is left of it, as far as this isolate knows.
    pub remaining: u64,
    /// What the call needed of it.
    pub needed: u64,
    /// When the same call can succeed.
    pub retry: Retry,
}

/// When a refused call can succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// After this time, if nobody else is quicker.
    After(DurationMs),
    /// Never: it needs more than the whole bucket.
    Never,
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        let Refused { scope, resource, limit, remaining, needed, retry } = refused;
        let (code, unit) = match resource {
            Resource::Requests => (Code::RateLimitExceeded, "requests"),
            Resource::Tokens => (Code::TokenLimitExceeded, "tokens"),
        };
        let whose = match scope {
            Scope::Key => "this key",
            Scope::KeyModel => "this key for this model",
            Scope::Model => "this model",
        };
        match retry {
            Retry::After(wait) => {
                let message = format!(
                    "the limit of {whose} is {limit} {unit} a minute: {remaining} left, {needed} needed"
                );
                Self::new(code, message).after(wait)
            }
            Retry::Never => {
                let message = format!(
                    "the call needs {needed} {unit}, more than the {limit} a minute that {whose} is \
                     limited to, so it can never succeed"
                );
                Self::new(code, message).final_answer()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKENS: Refused = Refused {
        scope: Scope::KeyModel,
        resource: Resource::Tokens,
        limit: 1000,
        remaining: 40,
        needed: 500,
        retry: Retry::After(DurationMs(900)),
    };

    #[test]
    fn a_refusal_says_what_was_found_and_when_to_come_back() {
        let refusal = Refusal::from(TOKENS);
        assert_eq!(refusal.code, Code::TokenLimitExceeded);
        assert_eq!(refusal.retry_after, Some(DurationMs(900)));
        assert_eq!(
            refusal.message,
            "the limit of this key for this model is 1000 tokens a minute: 40 left, 500 needed"
        );
    }

    #[test]
    fn a_call_that_can_never_succeed_is_not_tried_again() {
        let refusal = Refusal::from(Refused { needed: 1001, retry: Retry::Never, ..TOKENS });
        assert_eq!((refusal.should_retry, refusal.retry_after), (Some(false), None));
    }
}
