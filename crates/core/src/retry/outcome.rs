//! How an attempt failed, and what that says of the target and of the request.

use crate::{
    breaker::Verdict,
    openai::upstream::UpstreamFailure,
    refusal::{Code, Refusal},
};

/// How an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// No connection, or one that broke before the answer.
    Unreachable,
    /// No connection in the time given for it.
    ConnectTimedOut,
    /// Connected, but no answer in the time given for it.
    Silent,
    /// The request's own time was up before the target had the time that is its due.
    OutOfTime,
    /// A 200 that is not what the API promises; here is what is wrong with it.
    Invalid(String),
    /// An error of the provider's.
    Refused(UpstreamFailure),
    /// The secret of this name, with which the provider is called, is not set.
    SecretMissing(String),
}

impl Outcome {
    /// The provider's HTTP status, where there was one.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(failure) => Some(failure.status),
            Self::Invalid(_) => Some(200),
            Self::Unreachable
            | Self::ConnectTimedOut
            | Self::Silent
            | Self::OutOfTime
            | Self::SecretMissing(_) => None,
        }
    }

    /// Our code for it.
    pub const fn code(&self) -> Code {
        match self {
            Self::Unreachable => Code::UpstreamUnreachable,
            Self::ConnectTimedOut | Self::Silent | Self::OutOfTime => Code::UpstreamTimeout,
            Self::Invalid(_) => Code::UpstreamInvalid,
            Self::Refused(failure) => failure.code,
            Self::SecretMissing(_) => Code::SecretMissing,
        }
    }

    /// Whether a server that is being started fails like that: it is not there yet, or still loads.
    pub fn may_be_starting(&self) -> bool {
        match self {
            Self::Unreachable | Self::ConnectTimedOut => true,
            Self::Refused(failure) => failure.status == 503,
            Self::Silent | Self::OutOfTime | Self::Invalid(_) | Self::SecretMissing(_) => false,
        }
    }

    /// What it says of the target's health, for its circuit breaker.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Unreachable | Self::ConnectTimedOut | Self::Silent | Self::Invalid(_) => {
                Verdict::Broken
            }
            Self::OutOfTime | Self::SecretMissing(_) => Verdict::Unknown,
            Self::Refused(failure) => verdict_of(failure),
        }
    }

    /// What the caller is told when nothing is left to try.
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::Unreachable => Refusal::new(self.code(), "the connection to the provider failed"),
            Self::ConnectTimedOut => {
                Refusal::new(self.code(), "no connection to the provider could be made in time")
            }
            Self::Silent => Refusal::new(self.code(), "the provider did not answer in time"),
            Self::OutOfTime => {
                Refusal::new(self.code(), "the time for the request was up before an answer came")
            }
            Self::Invalid(what) => Refusal::new(self.code(), what.clone()),
            Self::Refused(failure) if failure.quota_exhausted => {
                failure.clone().refusal().final_answer()
            }
            Self::Refused(failure) => failure.clone().refusal(),
            Self::SecretMissing(name) => {
                Refusal::new(self.code(), format!("the secret {name} is not set in the gateway"))
            }
        }
    }
}

/// By its meaning before its status, because some servers answer 500 to a prompt that is too long.
///
/// A 429 and a refusal of the gateway's own key say nothing: a busy provider is no broken one and
/// its `Retry-After` keeps callers off already, and a key is mended by the operator, not by rest.
fn verdict_of(failure: &UpstreamFailure) -> Verdict {
    const CALLERS: [Code; 3] =
        [Code::ContextLengthExceeded, Code::ContentFilter, Code::UpstreamRejected];
    const BROKEN: [Code; 2] = [Code::UpstreamInvalid, Code::UpstreamTimeout];
    if CALLERS.contains(&failure.code) {
        Verdict::Answered
    } else if failure.status >= 500 || BROKEN.contains(&failure.code) {
        Verdict::Broken
    } else {
        Verdict::Unknown
    }
}
