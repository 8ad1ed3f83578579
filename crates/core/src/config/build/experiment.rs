//! Experiments: whose calls they deal out, and what their variants change.

use std::{collections::BTreeMap, sync::Arc};

use sha2::{Digest, Sha256};

use super::{Site, model::Providers};
use crate::{
    config::{
        findings::Found,
        nearest,
        problem::Rule,
        raw::{Named, RawConfig, RawExperiment, RawVariant},
        secrets,
        tree::Path,
        valid::{
            Experiment, Guard, GuardKind, Model, OperatingPoint, Sticky, Template, Threshold,
            Variant,
        },
    },
    record::hex,
};

/// Where the caller's text stands in a template.
const PLACE: &str = "{prompt}";

/// Experiments by the model whose calls they deal out.
type Experiments = BTreeMap<String, Arc<Experiment>>;
type Models = BTreeMap<String, Arc<Model>>;

/// What variants are built from.
#[derive(Clone, Copy)]
struct Ground<'a> {
    raw: &'a RawConfig,
    models: &'a Models,
    providers: Option<&'a Providers>,
    /// The name of the experiment, and the model whose calls it deals out.
    experiment: &'a str,
    base: &'a Arc<Model>,
}

impl Site<'_> {
    pub(super) fn experiments(
        &self,
        raw: &RawConfig,
        models: Option<&Models>,
        providers: Option<&Providers>,
    ) -> Option<Experiments> {
        let at = Path::Root.key("experiments");
        let written = raw.experiments.as_ref()?;
        let mut built = Experiments::new();
        let mut is_whole = true;
        for (name, experiment) in written.iter() {
            let at = at.key(name);
            let is_named = self.check_name(name, "", 64, &at);
            self.check_shares(experiment, &at);
            if let Some(header) = &experiment.header {
                self.check_sticky(header, &at.key("header"));
            }
            let model = self.route(experiment, raw, &at);
            // Models that could not be built have been reported.
            let base = model.and_then(|model| models?.get(model));
            let ground = models.zip(base).map(|(models, base)| Ground {
                raw,
                models,
                providers,
                experiment: name,
                base,
            });
            match ground.and_then(|ground| self.experiment(experiment, ground, &at)) {
                Some((base, experiment)) if is_named => {
                    is_whole &= self.add(&mut built, base, experiment, &at);
                }
                Some(_) | None => is_whole = false,
            }
        }
        (is_whole && built.len() == written.0.len()).then_some(built)
    }

    fn add(
        &self,
        built: &mut Experiments,
        model: &str,
        experiment: Experiment,
        at: &Path<'_>,
    ) -> bool {
        if let Some(other) = built.get(model) {
            let message = format!("`{}` deals out the calls of `{model}` already", other.name);
            let help = "a model is part of one experiment at a time: add its variants there";
            self.report(&at.key("model"), Rule::MisplacedKey, message, help);
            return false;
        }
        built.insert(model.to_owned(), Arc::new(experiment));
        true
    }

    fn route<'r>(
        &self,
        raw: &'r RawExperiment,
        root: &RawConfig,
        at: &Path<'_>,
    ) -> Option<&'r str> {
        let at_model = at.key("model");
        self.notes
            .missing(&at_model, "name the model whose calls are dealt out: `model = \"fast\"`");
        let help = "add variants: `[experiments.NAME.variants.one]`, each with its `share`";
        self.notes.missing(&at.key("variants"), help);
        if raw.variants.as_ref().is_some_and(|variants| variants.0.is_empty()) {
            self.report(&at.key("variants"), Rule::Missing, "there are no variants", help);
        }
        let model = raw.model.as_deref()?;
        self.check_model_name(model, root, &at_model);
        Some(model)
    }

    /// Reports shares that are more than the whole.
    fn check_shares(&self, raw: &RawExperiment, at: &Path<'_>) {
        let at = at.key("variants");
        let variants = raw.variants.iter().flat_map(Named::iter);
        let mut sum = 0_u64;
        for (name, variant) in variants {
            self.notes.missing(&at.key(name).key("share"), "write its share: `share = 0.5`");
            sum += variant.share.map_or(0, |share| u64::from(millionths(share.0)));
        }
        if sum > 1_000_000 {
            let message = format!("the shares of the variants are {} together", decimal(sum));
            let help = "let them be 1 together at most; what is left over is no part of it";
            self.report(&at, Rule::OutOfRange, message, help);
        }
    }

    fn experiment<'g>(
        &self,
        raw: &RawExperiment,
        ground: Ground<'g>,
        at: &Path<'_>,
    ) -> Option<(&'g str, Experiment)> {
        let by = match &raw.header {
            None => Sticky::Key,
            Some(header) => Sticky::Header(header.to_ascii_lowercase()),
        };
        let written = raw.variants.as_ref()?;
        let at_variants = at.key("variants");
        let mut variants = Vec::new();
        for (name, variant) in written.iter() {
            let at = at_variants.key(name);
            let is_named = self.check_name(name, "", 64, &at);
            variants.extend(self.variant(name, variant, ground, &at).filter(|_| is_named));
        }
        let is_whole = !variants.is_empty() && variants.len() == written.0.len();
        let variants = variants.into_iter().map(Arc::new).collect();
        let experiment = Experiment { name: ground.experiment.to_owned(), by, variants };
        is_whole.then_some((ground.base.name.as_str(), experiment))
    }

    fn check_sticky(&self, header: &str, at: &Path<'_>) {
        let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if header.is_empty() || !header.chars().all(is_token) {
            let message = format!("{} is no name of a header", secrets::quoted(header));
            self.report(at, Rule::BadHeader, message, "use letters, digits, `-` and `_`");
        } else if header.eq_ignore_ascii_case("authorization") {
            let message = "callers are told apart by their keys already";
            self.report(at, Rule::BadHeader, message, "take `header` out");
        }
    }

    fn variant(
        &self,
        name: &str,
        raw: &RawVariant,
        ground: Ground<'_>,
        at: &Path<'_>,
    ) -> Option<Variant> {
        let mut model = Model::clone(ground.base);
        let mut is_whole = self.place(&mut model, raw, ground, at);
        is_whole &= self.tune(&mut model, raw, at);
        let template = self.template(raw, at);
        let settings = settings(&model, raw, template.as_ref()?);
        let experiment = ground.experiment;
        is_whole.then_some(Variant {
            experiment: experiment.to_owned(),
            name: name.to_owned(),
            id: format!("{experiment}/{name}"),
            version: version(&settings),
            share: millionths(raw.share?.0),
            model: Arc::new(model),
            template: template?,
            settings,
        })
    }

    /// Where the variant runs.
    fn place(
        &self,
        model: &mut Model,
        raw: &RawVariant,
        ground: Ground<'_>,
        at: &Path<'_>,
    ) -> bool {
        if let (Some(_), Some(_)) = (&raw.model, &raw.targets) {
            let message = "`model` and `targets` both say where it runs";
            self.report(&at.key("model"), Rule::MisplacedKey, message, "take one of them out");
            return false;
        }
        if let Some(name) = &raw.model {
            self.check_model_name(name, ground.raw, &at.key("model"));
            let Some(other) = ground.models.get(name) else { return false };
            model.targets.clone_from(&other.targets);
            model.strategy = other.strategy;
        }
        if let Some(targets) = &raw.targets {
            let ways = (Some(model.strategy), Some(model.deprecated));
            let at = at.key("targets");
            match self.target_list(targets, ways, ground.raw, ground.providers, &at) {
                Some(targets) if !targets.is_empty() => model.targets = targets,
                Some(_) | None => return false,
            }
        }
        true
    }

    /// What the variant asks for where the caller is silent, and when its guards find.
    fn tune(&self, model: &mut Model, raw: &RawVariant, at: &Path<'_>) -> bool {
        if let Some(params) = &raw.params {
            let own = &mut model.params;
            own.temperature = params.temperature.map_or(own.temperature, |value| value.0);
            own.max_tokens = params.max_tokens.map_or(own.max_tokens, |value| value.0);
            own.top_p = params.top_p.map_or(own.top_p, |value| value.0);
            self.check_defaults_in_bounds(&model.params, &model.bounds, at);
        }
        let at = at.key("thresholds");
        let mut is_whole = true;
        for (name, threshold) in raw.thresholds.iter().flat_map(Named::iter) {
            is_whole &= self.set_threshold(model, name, *threshold, &at.key(name));
        }
        is_whole
    }

    fn set_threshold(
        &self,
        model: &mut Model,
        name: &str,
        wanted: Threshold,
        at: &Path<'_>,
    ) -> bool {
        let known: Vec<String> = model.guards.iter().map(|guard| guard.name.to_string()).collect();
        let Some(guard) = model.guards.iter_mut().find(|guard| *guard.name == *name) else {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let message = format!("the model `{}` has no guard `{name}`", model.name);
            let help = match nearest::word(name, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "name it among the model's `guards`, or take the threshold out".to_owned(),
            };
            self.notes.at_key(at, Found::new(Rule::MisplacedKey, message).help(help));
            return false;
        };
        match &guard.kind {
            GuardKind::Model { model, threshold: _ } => {
                let kind = GuardKind::Model { model: model.clone(), threshold: wanted };
                *guard = Arc::new(Guard { kind, ..Guard::clone(guard) });
                true
            }
            GuardKind::Shapes(_) => {
                let message = "what is known by its shape has no score";
                self.report(at, Rule::MisplacedKey, message, "take it out");
                false
            }
        }
    }

    fn template(&self, raw: &RawVariant, at: &Path<'_>) -> Option<Template> {
        let around = match &raw.template {
            None => None,
            Some(text) => match text.split_once(PLACE) {
                Some((before, behind)) if !behind.contains(PLACE) => {
                    Some((before.to_owned(), behind.to_owned()))
                }
                Some(_) | None => {
                    let message = format!("`{PLACE}` must stand in a template once");
                    let help = "it is where the caller's text goes";
                    self.report(&at.key("template"), Rule::UnknownValue, message, help);
                    return None;
                }
            },
        };
        let system = raw.system.clone().filter(|text| !text.is_empty());
        Some(Template { system, around })
    }
}

/// What the variant does, by name.
fn settings(model: &Model, raw: &RawVariant, template: &Template) -> Vec<(String, String)> {
    let targets: Vec<_> = model.targets.iter().map(|target| target.id.as_str()).collect();
    let mut settings = vec![
        ("model".to_owned(), raw.model.clone().unwrap_or_else(|| model.name.clone())),
        ("targets".to_owned(), targets.join(", ")),
        ("strategy".to_owned(), format!("{:?}", model.strategy).to_ascii_lowercase()),
        ("temperature".to_owned(), model.params.temperature.to_string()),
        ("top_p".to_owned(), model.params.top_p.to_string()),
        ("max_tokens".to_owned(), model.params.max_tokens.to_string()),
    ];
    if let Some(system) = &template.system {
        settings.push(("system".to_owned(), system.clone()));
    }
    if let (Some(_), Some(text)) = (&template.around, &raw.template) {
        settings.push(("template".to_owned(), text.clone()));
    }
    for guard in &model.guards {
        let threshold = match &guard.kind {
            GuardKind::Model { threshold: Threshold::Score(score), .. } => score.to_string(),
            GuardKind::Model { threshold: Threshold::At(point), .. } => point_name(*point),
            GuardKind::Shapes(_) => "by shape".to_owned(),
        };
        settings.push((format!("guard.{}.threshold", guard.name), threshold));
    }
    settings
}

fn point_name(point: OperatingPoint) -> String {
    match point {
        OperatingPoint::OneInAThousand => "0.1%",
        OperatingPoint::OneInAHundred => "1%",
        OperatingPoint::OneInTwenty => "5%",
    }
    .to_owned()
}

/// Changes with every setting. Each text has its length before it, so that no two lists are alike.
fn version(settings: &[(String, String)]) -> String {
    let mut hash = Sha256::new();
    for (name, value) in settings {
        for text in [name, value] {
            hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(text.as_bytes());
        }
    }
    let digest: [u8; 32] = hash.finalize().into();
    digest.get(..4).map(hex).unwrap_or_default()
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "shares are 0 to 1"
)]
fn millionths(share: f64) -> u32 {
    (share * 1e6).round() as u32
}

/// Millionths as a decimal: `1.2`.
fn decimal(millionths: u64) -> String {
    let text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
