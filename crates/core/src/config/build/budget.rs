//! Budgets of keys, teams and models.

use std::collections::BTreeMap;

use super::Site;
use crate::{
    config::{
        findings::Found,
        nearest,
        problem::Rule,
        raw::{List, RawBudget, RawConfig},
        secrets,
        tree::Path,
        valid::{Budget, BudgetPolicy, Team},
    },
    units::MicroUsd,
};

impl Site<'_> {
    /// The teams, if each of them could be built.
    pub(super) fn teams(&self, raw: &RawConfig) -> Option<BTreeMap<String, Team>> {
        let Some(teams) = &raw.teams else { return Some(BTreeMap::new()) };
        let at = Path::Root.key("teams");
        let mut built = BTreeMap::new();
        for (name, team) in teams.iter() {
            let at = at.key(name);
            let is_named = self.check_name(name, "@", 64, &at);
            self.note_unused_team(name, raw, &at);
            let budget = self.budget(team.budget.as_ref(), None, raw, &at.key("budget"));
            if let (true, Some(budget)) = (is_named, budget) {
                built.insert(name.clone(), Team { budget });
            }
        }
        (built.len() == teams.0.len()).then_some(built)
    }

    /// The budget of a key, a team, or the model named `owner`. The outer `None` is one that is
    /// written and cannot be built.
    #[expect(clippy::option_option, reason = "most keys, teams and models have no budget")]
    pub(super) fn budget(
        &self,
        budget: Option<&RawBudget>,
        owner: Option<&str>,
        root: &RawConfig,
        at: &Path<'_>,
    ) -> Option<Option<Budget>> {
        let Some(budget) = budget else { return Some(None) };
        self.notes.missing(&at.key("usd"), "write the amount: `usd = 50.0`");
        if let Some(cheaper) = &budget.cheaper {
            self.check_cheaper(cheaper, owner, root, &at.key("cheaper"));
        }
        let limit = self.amount(budget.usd?.0, &at.key("usd"))?;
        Some(Some(Budget { limit, per: budget.per?, cheaper: budget.cheaper.clone() }))
    }

    fn amount(&self, usd: f64, at: &Path<'_>) -> Option<MicroUsd> {
        let limit = micro_usd(usd);
        if limit > MicroUsd(0) {
            return Some(limit);
        }
        let message = "a budget of 0 refuses every call that costs anything";
        let help = "write an amount above 0, or leave the budget out";
        self.report(at, Rule::OutOfRange, message, help);
        None
    }

    fn check_cheaper(&self, name: &str, owner: Option<&str>, root: &RawConfig, at: &Path<'_>) {
        self.check_model_name(name, root, at);
        if owner == Some(name) {
            let message = format!("`{name}` cannot stand in for itself");
            self.report(at, Rule::FallbackCycle, message, "name a cheaper model");
        }
    }

    /// Reports a team that is not configured.
    pub(super) fn check_team(&self, name: &str, raw: &RawConfig, at: &Path<'_>) {
        let known: Vec<_> =
            raw.teams.iter().flat_map(|teams| teams.0.keys()).map(String::as_str).collect();
        if known.contains(&name) {
            return;
        }
        let help = match nearest::word(name, &known) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None if known.is_empty() => "no team is configured: add `[teams.…]`".to_owned(),
            None => format!("the teams are {}", nearest::listing(&known)),
        };
        let message = format!("no team is named {}", secrets::quoted(name));
        self.notes.at_value(at, Found::new(Rule::UnknownTeam, message).help(help));
    }

    fn note_unused_team(&self, name: &str, raw: &RawConfig, at: &Path<'_>) {
        let keys = raw.auth.iter().filter_map(|auth| auth.keys.as_ref());
        if keys.flat_map(List::iter).any(|(_, key)| key.team.as_deref() == Some(name)) {
            return;
        }
        let message = format!("no key belongs to the team `{name}`");
        self.report(at, Rule::NoEffect, message, "write `team = \"…\"` at its keys");
    }
}

/// What holds for every budget.
pub(super) fn policy(raw: &RawConfig) -> Option<BudgetPolicy> {
    Some(BudgetPolicy { unknown_price: raw.budgets.as_ref()?.unknown_price? })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::as_conversions,
    reason = "0 to 10^9 dollars are 0 to 10^15 micro-dollars"
)]
const fn micro_usd(usd: f64) -> MicroUsd {
    MicroUsd((usd * 1_000_000.0).round() as u64)
}
