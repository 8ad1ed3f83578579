//! What shows only once everything is built: who uses what.

use std::{collections::BTreeSet, sync::Arc};

use super::Site;
use crate::{
    budget,
    config::{
        Config,
        problem::Rule,
        tree::Path,
        valid::{Auth, CallerKey, Model, ModelAccess, UnknownPrice},
    },
};

impl Site<'_> {
    pub(super) fn check_routes(&self, config: &Config) {
        self.note_unused_providers(config);
        for (name, model) in &config.models {
            let at = Path::Root.key("models");
            let at = at.key(name);
            let limit = model.limits.tokens_per_minute.map(|tokens| tokens.0);
            self.note_low_limit(limit, model, &at.key("limits"));
            if model.budget.is_some() {
                self.note_uncounted(&[model], config, &at.key("budget"));
            }
        }
        let Auth::Keys(keys) = &config.auth else {
            return;
        };
        let at = Path::Root.key("auth");
        let at = at.key("keys");
        for (index, key) in keys.iter().enumerate() {
            self.note_key(key, config, &at.index(index));
        }
    }

    fn note_unused_providers(&self, config: &Config) {
        let mut used = BTreeSet::new();
        let variants = config.experiments.values().flat_map(|experiment| &experiment.variants);
        let models = config.models.values().chain(variants.map(|variant| &variant.model));
        for target in models.flat_map(|model| &model.targets) {
            used.insert(&target.provider.name);
        }
        let at = Path::Root.key("providers");
        for name in config.providers.keys().filter(|name| !used.contains(name)) {
            let message = format!("no model runs at `{name}`");
            self.report(
                &at.key(name),
                Rule::UnusedProvider,
                message,
                "take it out, or name it in a model's `targets`",
            );
        }
    }

    fn note_key(&self, key: &CallerKey, config: &Config, at: &Path<'_>) {
        let models: Vec<_> = config.models.values().filter(|model| may_use(key, model)).collect();
        for model in &models {
            let limit = key.limits.tokens_per_minute.map(|tokens| tokens.0);
            self.note_low_limit(limit, model, &at.key("limits"));
            let limits = at.key("model_limits");
            let limit =
                key.model_limits.get(&model.name).and_then(|limits| limits.tokens_per_minute);
            self.note_low_limit(limit.map(|tokens| tokens.0), model, &limits.key(&model.name));
        }
        if key.budget.is_some() {
            self.note_uncounted(&models, config, &at.key("budget"));
        }
        let team = key.team.as_ref().and_then(|name| config.teams.get(name));
        if team.is_some_and(|team| team.budget.is_some()) {
            self.note_uncounted(&models, config, &at.key("team"));
        }
    }

    fn note_uncounted(&self, models: &[&Arc<Model>], config: &Config, at: &Path<'_>) {
        let uncounted: Vec<_> = models
            .iter()
            .filter(|model| model.targets.iter().any(|target| !budget::has_known_cost(target)))
            .map(|model| format!("`{}`", model.name))
            .collect();
        if uncounted.is_empty() {
            return;
        }
        let names = uncounted.join(", ");
        let (message, help) = match config.budgets.unknown_price {
            UnknownPrice::Refuse => (
                format!("calls to {names}, whose cost is unknown, are refused"),
                "give the model's targets a `price`, or write `budgets.unknown_price = \"zero\"`",
            ),
            UnknownPrice::Zero => (
                format!("the budget does not count {names}, whose cost is unknown"),
                "give the model's targets a `price`",
            ),
        };
        self.report(at, Rule::UncountedBudget, message, help);
    }

    fn note_low_limit(&self, tokens_per_minute: Option<u64>, model: &Model, at: &Path<'_>) {
        let reserved = model.params.max_tokens;
        if let Some(limit) = tokens_per_minute.filter(|limit| *limit < reserved) {
            let message = format!(
                "a call to `{}` reserves {reserved} tokens unless it asks for fewer, above the {limit} a minute",
                model.name
            );
            let help = "raise the limit, or lower the model's `params.max_tokens`";
            self.report(&at.key("tokens_per_minute"), Rule::LimitBelowDefault, message, help);
        }
    }
}

fn may_use(key: &CallerKey, model: &Model) -> bool {
    match &key.models {
        ModelAccess::All => true,
        ModelAccess::Only(names) => names.contains(&model.name),
    }
}
