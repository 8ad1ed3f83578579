//! Guards: what is looked for in which texts, and what follows.

use std::{collections::BTreeMap, sync::Arc};

use crate::guard::Shapes;

/// All guards.
#[derive(Debug, Clone, Default)]
pub struct Guards {
    /// By name.
    pub all: BTreeMap<Arc<str>, Arc<Guard>>,
    /// What a caller's key adds to those of the model, by the key's id.
    pub of_keys: BTreeMap<String, Vec<Arc<Guard>>>,
}

/// A guard.
#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    /// The name in the configuration, headers, logs and metrics.
    pub name: Arc<str>,
    /// What it looks for.
    pub kind: GuardKind,
    /// What it reads.
    pub stages: GuardStages,
    /// What follows when it finds something.
    pub on_finding: OnFinding,
    /// What follows when it cannot judge.
    pub on_error: OnError,
}

/// What a guard looks for.
#[derive(Debug, Clone, PartialEq)]
pub enum GuardKind {
    /// What a classifier at the edge finds.
    Model {
        /// The classifier's name: `prompt-injection`.
        model: Arc<str>,
        /// From which score on.
        threshold: Threshold,
    },
    /// Secrets or personal data that are known by their shape.
    Shapes(Shapes),
}

/// From which score on a text is found guilty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold {
    /// This one, 0 to 1.
    Score(f64),
    /// The one at which a share of harmless texts is found guilty, as the model's manifest has it.
    At(OperatingPoint),
}

/// The share of harmless texts that is found guilty, by mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OperatingPoint {
    /// 0.1 %.
    OneInAThousand,
    /// 1 %.
    OneInAHundred,
    /// 5 %.
    OneInTwenty,
}

/// What a guard reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardStages {
    /// What the caller sends.
    Input,
    /// What the model answers.
    Output,
    /// Either.
    Both,
}

/// What follows when a guard finds something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnFinding {
    /// The text passes; the header `tollhouse-guard`, metrics and log tell.
    Flag,
    /// What was found is replaced by its name in brackets.
    Mask,
    /// The call is refused with `guard_blocked`.
    Block,
    /// From the threshold on it is refused; what lies between it and 5 % is put to this model, which
    /// answers `safe` or `unsafe`.
    Escalate {
        /// The model's name in the configuration.
        to: String,
    },
}

/// What follows when a guard cannot judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// The text passes, and the log tells.
    Open,
    /// The call is refused with `guard_unavailable`.
    Closed,
}

impl GuardStages {
    /// Whether it reads what the caller sends.
    pub const fn reads_input(self) -> bool {
        match self {
            Self::Input | Self::Both => true,
            Self::Output => false,
        }
    }

    /// Whether it reads what the model answers.
    pub const fn reads_output(self) -> bool {
        match self {
            Self::Output | Self::Both => true,
            Self::Input => false,
        }
    }
}
