//! Where a model runs, and what it takes there.

use std::sync::Arc;

use super::{Site, model::Providers, pool};
use crate::{
    config::{
        findings::Found,
        nearest,
        problem::Rule,
        raw::{Kind, List, RawConfig, RawModel, RawPrice, RawTarget},
        secrets,
        tree::Path,
        valid::{DeprecationPolicy, Dialect, Placement, Retirement, Strategy, Target},
    },
    price::{PicoUsdPerToken, Price},
    units::{DurationMs, Tokens},
};

/// The upper bound of `max_tokens` that needs no knowledge of the model (clause C1.3).
const STANDARD_MAX_TOKENS: u64 = 4096;

/// How long before its retirement a model is warned of.
const NOTICE: DurationMs = DurationMs::from_secs(60 * 86_400);

impl Site<'_> {
    pub(super) fn targets(
        &self,
        model: &RawModel,
        root: &RawConfig,
        providers: Option<&Providers>,
        at: &Path<'_>,
    ) -> Option<Vec<Arc<Target>>> {
        let at = at.key("targets");
        let help = "say where the model runs: `targets = [{ provider = \"…\", model = \"…\" }]`";
        self.notes.missing(&at, help);
        let targets = model.targets.as_ref()?;
        let ways = (model.strategy, model.deprecated);
        self.target_list(targets, ways, root, providers, &at)
    }

    /// The targets of a model, or of a variant of it.
    pub(super) fn target_list(
        &self,
        targets: &List<RawTarget>,
        (strategy, deprecated): (Option<Strategy>, Option<DeprecationPolicy>),
        root: &RawConfig,
        providers: Option<&Providers>,
        at: &Path<'_>,
    ) -> Option<Vec<Arc<Target>>> {
        if targets.0.is_empty() {
            let help =
                "say where the model runs: `targets = [{ provider = \"…\", model = \"…\" }]`";
            self.report(at, Rule::Missing, "the model runs nowhere", help);
        }
        let mut built = Vec::new();
        for (index, target) in targets.iter() {
            let at = at.index(index);
            let before = targets.0.get(..index).unwrap_or_default();
            self.check_chosen(target, before, strategy, &at);
            if let Some(target) = self.target(target, deprecated, root, providers, &at) {
                built.push(Arc::new(target));
            }
        }
        (built.len() == targets.0.len()).then_some(built)
    }

    /// Reports targets that are never chosen, and weights that nobody reads.
    fn check_chosen(
        &self,
        target: &RawTarget,
        before: &[Option<RawTarget>],
        strategy: Option<Strategy>,
        at: &Path<'_>,
    ) {
        let is_same = |other: &Option<RawTarget>| {
            other.as_ref().is_some_and(|other| {
                other.provider == target.provider && other.model == target.model
            })
        };
        if let (Some(_), Some(_)) = (&target.provider, &target.model)
            && let Some(first) = before.iter().position(is_same)
        {
            let message = format!("`targets[{first}]` is the same target");
            let help = "take it out; a larger share is a larger `weight`";
            self.report(at, Rule::UnreachableTarget, message, help);
        }
        let weight = at.key("weight");
        match (target.weight, strategy) {
            (Some(written), _) if written.0 == 0 => {
                let message = "a target of weight 0 is never chosen";
                self.report(
                    &weight,
                    Rule::UnreachableTarget,
                    message,
                    "take it out, or give it a weight",
                );
            }
            (Some(_), Some(Strategy::Ordered | Strategy::Fastest))
                if self.notes.is_written(&weight) =>
            {
                let found =
                    Found::new(Rule::NoEffect, "weights count under the strategy `weighted` alone");
                self.notes.at_key(&weight, found.help("write `strategy = \"weighted\"`"));
            }
            (Some(_) | None, _) => {}
        }
    }

    fn target(
        &self,
        raw: &RawTarget,
        deprecated: Option<DeprecationPolicy>,
        root: &RawConfig,
        providers: Option<&Providers>,
        at: &Path<'_>,
    ) -> Option<Target> {
        self.notes.missing(&at.key("provider"), "name a provider: `provider = \"openai\"`");
        self.notes.missing(
            &at.key("model"),
            "name the model as the provider does: `model = \"gpt-4o-mini\"`",
        );
        if let Some(provider) = &raw.provider {
            self.check_provider(provider, root, &at.key("provider"));
        }
        let price = raw.price.as_ref().map(|price| self.price(price, &at.key("price")));
        let retirement = self.retirement(raw, at);
        if let Some(Some(retirement)) = &retirement
            && deprecated != Some(DeprecationPolicy::Allow)
        {
            self.note_retirement(raw, retirement, deprecated, at);
        }
        if raw.model.as_deref().is_some_and(str::is_empty) {
            let help = "name the model as the provider does: `model = \"gpt-4o-mini\"`";
            self.report(&at.key("model"), Rule::BadName, "the model has no name", help);
        }
        self.note_price(raw, root, at);
        let tensors = self.tensors(raw, root, at);
        let (provider, model) = (raw.provider.as_ref()?, raw.model.as_ref()?);
        let target = Target {
            id: format!("{provider}/{model}"),
            provider: Arc::clone(providers?.get(provider)?),
            model: model.clone(),
            weight: u32::try_from(raw.weight?.0).ok()?,
            price: super::caller::optional(price)?,
            dialect: Dialect {
                max_completion_tokens: raw.max_completion_tokens?,
                sampling: raw.sampling?,
                stream_usage: raw.stream_usage?,
                prefill: raw.prefill?,
                context: raw.context.map(|tokens| Tokens(tokens.0)),
            },
            retirement: retirement?,
            tensors: tensors?,
            replicas: vec![],
            replica_of: None,
        };
        Some(Target { replicas: pool::replicas(&target), ..target })
    }

    fn check_provider(&self, name: &str, root: &RawConfig, at: &Path<'_>) {
        let known: Vec<_> =
            root.providers.iter().flat_map(|named| named.0.keys()).map(String::as_str).collect();
        if known.contains(&name) {
            return;
        }
        let help = match nearest::word(name, &known) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None if known.is_empty() => "no provider is configured: add `[providers.…]`".to_owned(),
            None => format!("the providers are {}", nearest::listing(&known)),
        };
        let message = format!("no provider is named {}", secrets::quoted(name));
        self.report(at, Rule::UnknownProvider, message, help);
    }

    fn price(&self, raw: &RawPrice, at: &Path<'_>) -> Option<Price> {
        let help = "write the price in US dollars per million tokens; 0.0 if it costs nothing";
        self.notes.missing(&at.key("input"), help);
        self.notes.missing(&at.key("output"), help);
        let (input, output) = (raw.input?, raw.output?);
        let pico = PicoUsdPerToken::from_usd_per_million;
        Some(Price {
            input: pico(input.0),
            cached_input: pico(raw.cached_input.unwrap_or(input).0),
            cache_write: pico(raw.cache_write.unwrap_or(input).0),
            output: pico(output.0),
        })
    }

    /// Outer `None` for a day that cannot be read.
    #[expect(clippy::option_option, reason = "most models are not retired")]
    fn retirement(&self, raw: &RawTarget, at: &Path<'_>) -> Option<Option<Retirement>> {
        let Some(date) = &raw.retires else {
            if self.notes.is_written(&at.key("successor")) {
                let message = "a successor counts beside a retirement day";
                self.report(
                    &at.key("successor"),
                    Rule::NoEffect,
                    message,
                    "add `retires = \"2027-01-31\"`",
                );
            }
            return Some(None);
        };
        let on = self.day(date, &at.key("retires"))?;
        Some(Some(Retirement { on, date: date.clone(), successor: raw.successor.clone() }))
    }

    fn note_retirement(
        &self,
        raw: &RawTarget,
        retirement: &Retirement,
        deprecated: Option<DeprecationPolicy>,
        at: &Path<'_>,
    ) {
        let model = raw.model.as_deref().unwrap_or_default();
        let date = &retirement.date;
        let consequence = match deprecated {
            Some(DeprecationPolicy::Refuse) => ", and calls to it are refused from then on",
            Some(DeprecationPolicy::Warn | DeprecationPolicy::Allow) | None => "",
        };
        let (rule, message) = if retirement.on <= self.today {
            (Rule::RetiredModel, format!("`{model}` was retired on {date}{consequence}"))
        } else if retirement.on.since(self.today) <= NOTICE {
            (Rule::RetiringModel, format!("`{model}` is retired on {date}{consequence}"))
        } else {
            return;
        };
        let help = match &retirement.successor {
            Some(successor) => format!("use `{successor}`"),
            None => "see the provider's list of deprecations for what follows it".to_owned(),
        };
        self.report(&at.key("model"), rule, message, help);
    }

    fn note_price(&self, raw: &RawTarget, root: &RawConfig, at: &Path<'_>) {
        let provider = raw.provider.as_ref().and_then(|name| {
            root.providers.as_ref().and_then(|providers| providers.0.get(name)?.as_ref())
        });
        let is_billed = provider.is_some_and(|provider| {
            provider.kind == Some(Kind::OpenAi) && provider.placement == Some(Placement::Api)
        });
        let price_at = at.key("price");
        if let (true, Some(model), None) = (is_billed, &raw.model, self.notes.tree.at(&price_at)) {
            let message = format!("what {} costs is unknown", secrets::quoted(model));
            let help = "write `price = { input = …, output = … }` in US dollars per million tokens, or \
                        for hardware of your own `placement = \"gpu\"` at its provider";
            self.report(&at.key("model"), Rule::NoPrice, message, help);
        }
    }

    /// Reports a bound above what a target can answer with.
    pub(super) fn check_maximum(&self, highest: u64, targets: &List<RawTarget>, at: &Path<'_>) {
        if highest <= STANDARD_MAX_TOKENS {
            return;
        }
        for (_, target) in targets.iter() {
            let maximum = target.max_output.or(target.context);
            if let (Some(maximum), Some(model)) = (maximum, &target.model)
                && highest > maximum.0
            {
                let bounds = at.key("bounds");
                let message =
                    format!("`{model}` answers with {} tokens at most, not {highest}", maximum.0);
                let help = format!("lower the highest `max_tokens` to {}", maximum.0);
                self.report(&bounds.key("max_tokens"), Rule::BoundAboveMaximum, message, help);
            }
        }
    }
}
