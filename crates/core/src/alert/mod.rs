//! Alerts: what is found wrong, what of it is news, and who is told.
//!
//! The ledger object calls this by its alarm. [`Signals`] are read off the counts of all isolates and
//! kept in a [`History`]; [`evaluate`] holds the rules of `[alerts]` against the newest of them;
//! [`Board`] knows what has been told, so that each trouble is told once when it begins and once
//! when it has ended; [`Outbox`] holds what receivers have not taken yet. Nothing here has a clock,
//! sends anything or reads a store.

mod board;
mod history;
mod message;
mod outbox;
mod rules;
mod signals;

#[cfg(test)]
mod tests;

pub use board::{Board, Event, Phase};
pub use history::History;
pub use message::{body, log_line};
pub use outbox::{Letter, Outbox};
pub use rules::{Finding, Situation, Spend, evaluate, spends};
pub use signals::Signals;

/// What kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// Too many of a model's calls fail.
    ErrorShare,
    /// A model answers slowly.
    Latency,
    /// A target is rested by its breaker.
    BreakerOpen,
    /// A provider answers no call.
    ProviderDown,
    /// A budget is spent to some share.
    BudgetShare,
    /// A guard acts far more often than before.
    GuardSpike,
    /// A configuration is refused.
    ConfigRejected,
}

/// How soon somebody should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// When there is time.
    Warning,
    /// Now.
    Critical,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 7] = [
        Self::ErrorShare,
        Self::Latency,
        Self::BreakerOpen,
        Self::ProviderDown,
        Self::BudgetShare,
        Self::GuardSpike,
        Self::ConfigRejected,
    ];

    /// The name, also that of its table in `[alerts]`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ErrorShare => "error_share",
            Self::Latency => "latency",
            Self::BreakerOpen => "breaker_open",
            Self::ProviderDown => "provider_down",
            Self::BudgetShare => "budget_share",
            Self::GuardSpike => "guard_spike",
            Self::ConfigRejected => "config_rejected",
        }
    }

    /// The rule of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }
}

impl Severity {
    /// The name, as `PagerDuty` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}
