//! Models as callers name them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Site, guard::Built, policy::Written};
use crate::config::{
    problem::Rule,
    raw::{Named, RawConfig, RawModel},
    tree::Path,
    valid::{Model, Provider},
};

pub(super) type Providers = BTreeMap<String, Arc<Provider>>;

impl Site<'_> {
    pub(super) fn models(
        &self,
        raw: &RawConfig,
        providers: Option<&Providers>,
        guards: &Built,
    ) -> Option<BTreeMap<String, Arc<Model>>> {
        let at = Path::Root.key("models");
        self.notes.missing(&at, "add a model: `[models.fast]`");
        let models = raw.models.as_ref()?;
        if models.0.is_empty() {
            self.report(
                &at,
                Rule::Missing,
                "no model is configured",
                "add a model: `[models.fast]`",
            );
        }
        let mut built = BTreeMap::new();
        for (name, model) in models.iter() {
            if let Some(model) = self.model(name, model, (raw, guards), providers, &at.key(name)) {
                built.insert(name.clone(), Arc::new(model));
            }
        }
        self.check_cycles(raw);
        (built.len() == models.0.len()).then_some(built)
    }

    fn model(
        &self,
        name: &str,
        raw: &RawModel,
        (root, guards): (&RawConfig, &Built),
        providers: Option<&Providers>,
        at: &Path<'_>,
    ) -> Option<Model> {
        let is_named = self.check_name(name, ":/@", 128, at);
        let policies = self.policies(&Written::from(raw), at);
        let targets = self.targets(raw, root, providers, at);
        if let (Some(policies), Some(raw_targets)) = (&policies, &raw.targets) {
            self.check_maximum(policies.bounds.max_tokens.1, raw_targets, at);
        }
        if let Some(fallback) = &raw.fallback {
            self.check_model_name(fallback, root, &at.key("fallback"));
        }
        let budget = self.budget(raw.budget.as_ref(), Some(name), root, &at.key("budget"));
        let guards = raw
            .guards
            .as_ref()
            .and_then(|names| self.named_guards(names, guards, &at.key("guards")));
        let edge = raw.edge.clone();
        let policies = policies?;
        is_named.then_some(Model {
            name: name.to_owned(),
            strategy: raw.strategy?,
            targets: targets?,
            fallback: raw.fallback.clone(),
            params: policies.params,
            bounds: policies.bounds,
            retry: policies.retry,
            timeout: policies.timeout,
            cache: policies.cache,
            limits: policies.limits,
            budget: budget?,
            deprecated: policies.deprecated,
            recovery: policies.recovery,
            guards: guards?,
            edge,
        })
    }

    /// Reports fallbacks that lead back to where they began, once for each circle.
    fn check_cycles(&self, raw: &RawConfig) {
        let mut walked = BTreeSet::new();
        for (name, _) in raw.models.iter().flat_map(Named::iter) {
            let mut way: Vec<&str> = Vec::new();
            let mut next = Some(name.as_str());
            while let Some(name) = next {
                if let Some(start) = way.iter().position(|walked| *walked == name) {
                    self.report_cycle(way.get(start..).unwrap_or_default());
                }
                if !walked.insert(name) {
                    break;
                }
                way.push(name);
                next = fallback_of(raw, name);
            }
        }
    }

    /// Reports a circle at the first of its names.
    fn report_cycle(&self, circle: &[&str]) {
        let first = circle.iter().enumerate().min_by_key(|(_, name)| **name);
        let Some((start, name)) = first else {
            return;
        };
        let mut names: Vec<_> =
            circle.iter().cycle().skip(start).take(circle.len()).copied().collect();
        names.push(name);
        let message = format!("fallbacks go round: {}", names.join(" → "));
        let at = Path::Root.key("models");
        let at = at.key(name);
        let help = "let the last model have no fallback";
        self.report(&at.key("fallback"), Rule::FallbackCycle, message, help);
    }
}

fn fallback_of<'a>(raw: &'a RawConfig, name: &str) -> Option<&'a str> {
    raw.models.as_ref()?.0.get(name)?.as_ref()?.fallback.as_deref()
}
