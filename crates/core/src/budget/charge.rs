//! Which budgets a call is held to, and for how much.

use std::sync::Arc;

use super::GROUP_PREFIX;
use crate::{
    auth::Caller,
    config::valid::{Budget, Config, Model, Period},
    units::MicroUsd,
};

/// Whose budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// One key's, over all models.
    Key,
    /// One team's, over all its keys.
    Team,
    /// One model's, over all callers.
    Model,
}

/// One call as the budgets see it. One that no budget covers, or that costs nothing, draws on none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    pub(super) amount: MicroUsd,
    draws: Vec<Draw>,
    /// How often this call was told to ask or to wait.
    rounds: u32,
}

/// A budget that a call draws on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draw {
    pub(super) scope: Scope,
    /// The object that has the account.
    pub(super) group: String,
    pub(super) limit: MicroUsd,
    pub(super) per: Period,
    pub(super) cheaper: Option<String>,
}

/// A call that is still undecided after so many rounds gives up; two or three are usual.
const MAX_ROUNDS: u32 = 32;

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Key, Self::Team, Self::Model];

    /// The name in object names, metrics and alerts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Team => "team",
            Self::Model => "model",
        }
    }
}

impl Period {
    /// The name in the configuration, object names and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

impl Charge {
    /// The budgets that cover a call by `caller` for `model`; nothing is asked of them yet.
    pub fn new(config: &Config, caller: &Caller, model: &Arc<Model>) -> Self {
        let key = caller.key();
        let team = key.and_then(|key| {
            let name = key.team.as_ref()?;
            Some((name, config.teams.get(name)?.budget.as_ref()?))
        });
        let owners = [
            key.and_then(|key| Some((Scope::Key, &key.id, key.budget.as_ref()?))),
            team.map(|(name, budget)| (Scope::Team, name, budget)),
            model.budget.as_ref().map(|budget| (Scope::Model, &model.name, budget)),
        ];
        let draws = owners.into_iter().flatten().map(|(scope, name, budget)| {
            let Budget { limit, per, cheaper } = budget;
            let group = [GROUP_PREFIX, scope.name(), ":", name, ":", per.name()].concat();
            Draw { scope, group, limit: *limit, per: *per, cheaper: cheaper.clone() }
        });
        Self { amount: MicroUsd(0), draws: draws.collect(), rounds: 0 }
    }

    /// Whether no budget covers the call.
    pub fn is_free_of_budgets(&self) -> bool {
        self.draws.is_empty()
    }

    /// The same call, which costs at most `amount`.
    pub fn of(mut self, amount: MicroUsd) -> Self {
        self.amount = amount;
        self
    }

    /// The budgets it draws on, at most three; a call that costs nothing draws on none.
    pub(super) fn draws(&self) -> impl Iterator<Item = &Draw> + Clone {
        self.draws.iter().filter(|_| self.amount > MicroUsd(0))
    }

    /// Counts a round; false when there have been too many.
    pub(super) fn next_round(&mut self) -> bool {
        self.rounds = self.rounds.saturating_add(1);
        self.rounds <= MAX_ROUNDS
    }

    #[cfg(test)]
    pub(super) fn drawing(draws: Vec<Draw>, amount: MicroUsd) -> Self {
        Self { amount, draws, rounds: 0 }
    }
}
