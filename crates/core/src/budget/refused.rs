//! A call that a budget has no room for, and how a caller is told.

use super::Scope;
use crate::{
    config::valid::Period,
    refusal::{Code, Refusal},
    units::{DurationMs, MicroUsd},
};

/// Which budget has no room, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Whose budget.
    pub scope: Scope,
    /// The budget.
    pub limit: MicroUsd,
    /// Its period.
    pub per: Period,
    /// What the call can cost at most.
    pub needed: MicroUsd,
    /// What is neither spent nor set aside.
    pub left: MicroUsd,
    /// Whether calls that still run have so much set aside that there may be room after them.
    pub may_come_back: bool,
    /// The model that answers such calls instead, where one is configured.
    pub cheaper: Option<String>,
}

/// How soon it is worth asking again while other calls hold what is missing.
const SOON: DurationMs = DurationMs::from_secs(1);

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        let Refused { scope, limit, per, needed, left, may_come_back, cheaper: _ } = refused;
        let whose = match scope {
            Scope::Key => "this key",
            Scope::Team => "this key's team",
            Scope::Model => "this model",
        };
        let period = per.name();
        let message = format!(
            "the budget of {whose} is {limit} USD a {period}: {left} left, and the call may cost {needed}"
        );
        let refusal = Self::new(Code::BudgetExceeded, message);
        if may_come_back { refusal.after(SOON) } else { refusal.final_answer() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPENT: Refused = Refused {
        scope: Scope::Team,
        limit: MicroUsd(50_000_000),
        per: Period::Month,
        needed: MicroUsd(700),
        left: MicroUsd(120),
        may_come_back: false,
        cheaper: None,
    };

    #[test]
    fn a_spent_budget_is_a_final_answer() {
        let refusal = Refusal::from(SPENT);
        assert_eq!(refusal.code, Code::BudgetExceeded);
        assert_eq!((refusal.should_retry, refusal.retry_after), (Some(false), None));
        assert_eq!(
            refusal.message,
            "the budget of this key's team is 50.000000 USD a month: 0.000120 left, and the call may cost 0.000700"
        );
    }

    #[test]
    fn what_running_calls_have_set_aside_may_come_back() {
        let refusal = Refusal::from(Refused { may_come_back: true, ..SPENT });
        assert_eq!((refusal.should_retry, refusal.retry_after), (None, Some(SOON)));
    }
}
