//! How an attempt failed, and what that says of the target and of the request.

use crate::{
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
            Self::Unreachable | Self::ConnectTimedOut | Self::Silent | Self::SecretMissing(_) => {
                None
            }
        }
    }

    /// Our code for it.
    pub const fn code(&self) -> Code {
        match self {
            Self::Unreachable => Code::UpstreamUnreachable,
            Self::ConnectTimedOut | Self::Silent => Code::UpstreamTimeout,
            Self::Invalid(_) => Code::UpstreamInvalid,
            Self::Refused(failure) => failure.code,
            Self::SecretMissing(_) => Code::SecretMissing,
        }
    }

    /// Whether it is a sign that the target is broken, for its circuit breaker.
    pub const fn counts_against_target(&self) -> bool {
        match self {
            Self::Unreachable | Self::ConnectTimedOut | Self::Silent | Self::Invalid(_) => true,
            Self::Refused(failure) => failure.status >= 500,
            Self::SecretMissing(_) => false,
        }
    }

    /// Whether it is a sign that the target is well and the request is at fault.
    pub fn speaks_for_target(&self) -> bool {
        match self {
            Self::Refused(failure) => failure.status < 500 && failure.status != 429,
            Self::Unreachable
            | Self::ConnectTimedOut
            | Self::Silent
            | Self::Invalid(_)
            | Self::SecretMissing(_) => false,
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
            Self::Invalid(what) => Refusal::new(self.code(), what.clone()),
            Self::Refused(failure) => failure.clone().refusal(),
            Self::SecretMissing(name) => {
                Refusal::new(self.code(), format!("the secret {name} is not set in the gateway"))
            }
        }
    }
}
