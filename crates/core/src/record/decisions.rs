//! What breakers, limits and guards did to a request: closed lists with their labels.

use std::sync::Arc;

use crate::{
    config::valid::Target,
    placement::{Verdict, cascade::Why},
    units::{DurationMs, UnixMs},
};

/// Where texts were judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placing {
    /// The classifier's name.
    pub classifier: Arc<str>,
    /// Where.
    pub place: Verdict,
    /// Why there; `None` at the edge where it was sure.
    pub why: Option<Why>,
    /// How many texts.
    pub texts: u64,
    /// Calls to the GPU that this has saved.
    pub saved: u64,
}

/// A circuit breaker changed its state.
#[derive(Debug, Clone)]
pub struct BreakerEvent {
    /// Whose breaker.
    pub target: Arc<Target>,
    /// When.
    pub at: UnixMs,
    /// Its state from then on.
    pub state: BreakerState,
}

/// A pool of replicas was waited for while it was being started.
#[derive(Debug, Clone)]
pub struct ColdStart {
    /// The replica that answered, else the one asked last.
    pub target: Arc<Target>,
    /// From the first failure on.
    pub waited: DurationMs,
    /// Whether one of them answered in time.
    pub started: bool,
}

impl ColdStart {
    /// The value of the metric's label.
    pub const fn result(&self) -> &'static str {
        if self.started { "started" } else { "given_up" }
    }
}

/// The state of a target's circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BreakerState {
    /// Calls go through.
    Closed,
    /// One probe may go through.
    HalfOpen,
    /// The target is rested.
    Open,
}

/// What one limit said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitDecision {
    /// Whose limit.
    pub scope: LimitScope,
    /// What it limits.
    pub resource: LimitedResource,
    /// What it said.
    pub verdict: LimitVerdict,
}

/// Whose limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LimitScope {
    /// One key's, over all models.
    Key,
    /// One model's, over all keys.
    Model,
    /// One key's on one model.
    KeyAndModel,
    /// One team's, over all its keys.
    Team,
}

/// What a limit limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LimitedResource {
    /// Requests a minute.
    Requests,
    /// Tokens a minute.
    Tokens,
    /// Money a period.
    Budget,
}

/// What a limit said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LimitVerdict {
    /// There was room.
    Admitted,
    /// There was none.
    Refused,
    /// The limiter could not be asked, and the configuration admits unchecked calls.
    Unchecked,
}

/// What one guard said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardDecision {
    /// The guard's configured name.
    pub guard: Arc<str>,
    /// What it read.
    pub stage: GuardStage,
    /// The label of its own closed list that decided: `injection`, `safe`.
    pub label: Arc<str>,
    /// What followed.
    pub action: GuardAction,
    /// By which score, where a classifier decided.
    pub evidence: Option<GuardEvidence>,
}

/// What a classifier's judgement rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardEvidence {
    /// The first digits of the digest over the model's files.
    pub model: Arc<str>,
    /// The version of the model's calibration.
    pub calibration: Arc<str>,
    /// The highest score of a text, in millionths.
    pub score: u32,
    /// The score from which a text is found guilty, in millionths.
    pub threshold: u32,
}

/// What a guard reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GuardStage {
    /// The caller's text.
    Input,
    /// The model's text.
    Output,
}

/// What follows from a guard's judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GuardAction {
    /// Nothing: the text passed.
    Pass,
    /// The text passed and was noted.
    Flag,
    /// Parts of the text were hidden.
    Mask,
    /// The call was refused.
    Block,
    /// The guard could not judge and is configured to let pass.
    FailedOpen,
    /// The guard could not judge and is configured to refuse.
    FailedClosed,
}

impl GuardEvidence {
    /// The judge and its measure in one word: `3f5a0c9d1e2b/2026-11-23/0.910000`.
    pub fn judge(&self) -> String {
        let Self { model, calibration, threshold, score: _ } = self;
        let (whole, rest) = (threshold / 1_000_000, threshold % 1_000_000);
        format!("{model}/{calibration}/{whole}.{rest:06}")
    }
}

impl BreakerState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Closed, Self::HalfOpen, Self::Open];

    /// The label in metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half_open",
            Self::Open => "open",
        }
    }
}

impl LimitScope {
    /// The label in metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Model => "model",
            Self::KeyAndModel => "key_and_model",
            Self::Team => "team",
        }
    }
}

impl LimitedResource {
    /// The label in metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::Budget => "budget",
        }
    }
}

impl LimitVerdict {
    /// The label in metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admitted => "admitted",
            Self::Refused => "refused",
            Self::Unchecked => "unchecked",
        }
    }
}

impl GuardStage {
    /// The label in metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
        }
    }
}

impl GuardAction {
    /// The label in metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Flag => "flag",
            Self::Mask => "mask",
            Self::Block => "block",
            Self::FailedOpen => "failed_open",
            Self::FailedClosed => "failed_closed",
        }
    }
}
