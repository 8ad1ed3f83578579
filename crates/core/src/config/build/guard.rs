//! Guards, and who is guarded by which.

use std::{collections::BTreeMap, sync::Arc};

use super::Site;
use crate::{
    config::{
        nearest,
        problem::Rule,
        raw::{GuardAction, GuardWord, List, RawConfig, RawGuard},
        secrets,
        tree::Path,
        valid::{
            Guard, GuardKind, GuardStages, Guards, OnError, OnFinding, OperatingPoint, Threshold,
        },
    },
    gather::Gather,
    guard::{Shape, Shapes},
};

/// Guards by name; `None` for one that could not be built, which has been reported.
pub(super) type Built = BTreeMap<Arc<str>, Option<Arc<Guard>>>;

impl Site<'_> {
    pub(super) fn guards(&self, raw: &RawConfig) -> Built {
        let at = Path::Root.key("guards");
        let named = raw.guards.iter().flat_map(|guards| &guards.0);
        let build = |(name, guard): (&String, &Option<RawGuard>)| {
            let built =
                guard.as_ref().and_then(|guard| self.guard(name, guard, raw, &at.key(name)));
            (Arc::from(name.as_str()), built.map(Arc::new))
        };
        named.map(build).gather()
    }

    /// The guards of these names.
    pub(super) fn named_guards(
        &self,
        names: &List<String>,
        guards: &Built,
        at: &Path<'_>,
    ) -> Option<Vec<Arc<Guard>>> {
        let mut found = Vec::new();
        for (index, name) in names.iter() {
            match guards.get(name.as_str()) {
                Some(guard) => found.extend(guard.clone()),
                None => self.report_unknown_guard(name, guards, &at.index(index)),
            }
        }
        (found.len() == names.0.len()).then_some(found)
    }

    /// All guards, once it is known which keys have some of their own.
    pub(super) fn guards_of_keys(&self, raw: &RawConfig, guards: Built) -> Option<Guards> {
        let at = Path::Root.key("auth");
        let at = at.key("keys");
        let mut of_keys = BTreeMap::new();
        let mut is_whole = true;
        let keys = raw.auth.iter().filter_map(|auth| auth.keys.as_ref());
        for (index, key) in keys.flat_map(List::iter) {
            let (Some(id), Some(names)) = (&key.id, &key.guards) else { continue };
            match self.named_guards(names, &guards, &at.index(index).key("guards")) {
                Some(own) if own.is_empty() => {}
                Some(own) => {
                    of_keys.insert(id.clone(), own);
                }
                None => is_whole = false,
            }
        }
        let mut all = BTreeMap::new();
        for (name, guard) in guards {
            all.insert(name, guard?);
        }
        is_whole.then_some(Guards { all, of_keys })
    }

    fn report_unknown_guard(&self, name: &str, guards: &Built, at: &Path<'_>) {
        let known: Vec<&str> = guards.keys().map(|name| &**name).collect();
        let help = match nearest::word(name, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => format!("add it: `[guards.{name}]`"),
            None => format!("the guards are {}", nearest::listing(&known)),
        };
        let message = format!("no guard is named {}", secrets::quoted(name));
        self.report(at, Rule::UnknownGuard, message, help);
    }

    fn guard(&self, name: &str, raw: &RawGuard, root: &RawConfig, at: &Path<'_>) -> Option<Guard> {
        let is_named = self.check_name(name, "", 64, at);
        let kind = self.guard_word(name, raw, at)?;
        let action = raw.action.unwrap_or(GuardAction::Flag);
        let on_finding = self.on_finding(action, kind, raw, root, at);
        let kind = self.guard_kind(kind, action, raw, at);
        let on_error = self.on_error(action, raw.on_error, at);
        let kind = kind?;
        let usual = match &kind {
            GuardKind::Model { .. } => GuardStages::Input,
            GuardKind::Shapes(_) => GuardStages::Both,
        };
        is_named.then_some(Guard {
            name: Arc::from(name),
            kind,
            stages: raw.stage.unwrap_or(usual),
            on_finding: on_finding?,
            on_error,
        })
    }

    /// What kind it is: as written, or as its name says.
    fn guard_word(&self, name: &str, raw: &RawGuard, at: &Path<'_>) -> Option<GuardWord> {
        let by_name = match name {
            "prompt-injection" => Some(GuardWord::PromptInjection),
            "secrets" => Some(GuardWord::Secrets),
            "pii" => Some(GuardWord::Pii),
            _ => None,
        };
        let kind = raw.kind.or(by_name);
        if kind.is_none() {
            self.notes.missing(&at.key("kind"), "write what it looks for: `kind = \"secrets\"`");
        }
        kind
    }

    fn guard_kind(
        &self,
        kind: GuardWord,
        action: GuardAction,
        raw: &RawGuard,
        at: &Path<'_>,
    ) -> Option<GuardKind> {
        let usual = match action {
            GuardAction::Flag => OperatingPoint::OneInAHundred,
            GuardAction::Mask | GuardAction::Block | GuardAction::Escalate => {
                OperatingPoint::OneInAThousand
            }
        };
        let threshold = raw.threshold.unwrap_or(Threshold::At(usual));
        let model = |model: &str| GuardKind::Model { model: Arc::from(model), threshold };
        match kind {
            GuardWord::PromptInjection | GuardWord::Classifier if raw.types.is_some() => {
                let message = "`types` belongs to guards of kind \"secrets\" or \"pii\"";
                self.report(&at.key("types"), Rule::MisplacedKey, message, "take it out");
                None
            }
            GuardWord::PromptInjection => Some(model("prompt-injection")),
            GuardWord::Classifier => {
                self.notes.missing(&at.key("model"), "name the classifier: `model = \"toxicity\"`");
                raw.model.as_deref().map(model)
            }
            GuardWord::Secrets => self.shapes(Shapes::SECRETS, raw, at),
            GuardWord::Pii => self.shapes(Shapes::PERSONAL, raw, at),
        }
    }

    fn shapes(&self, usual: Shapes, raw: &RawGuard, at: &Path<'_>) -> Option<GuardKind> {
        if raw.threshold.is_some() {
            let message =
                "`threshold` belongs to guards of kind \"prompt-injection\" or \"classifier\"";
            let help = "take it out: what is known by its shape has no score";
            self.report(&at.key("threshold"), Rule::MisplacedKey, message, help);
            return None;
        }
        let Some(types) = &raw.types else { return Some(GuardKind::Shapes(usual)) };
        let at = at.key("types");
        let known = Shape::ALL.map(Shape::name);
        let mut shapes = Shapes::default();
        for (index, name) in types.iter() {
            let Some(shape) = Shape::named(name) else {
                let message = format!("`types` cannot be {}", secrets::quoted(name));
                let help = nearest::word(name, &known).map_or_else(
                    || format!("it takes {}", nearest::listing(&known)),
                    |near| format!("did you mean \"{near}\"?"),
                );
                self.report(&at.index(index), Rule::UnknownValue, message, help);
                return None;
            };
            shapes = shapes.and(Shapes::of(&[shape]));
        }
        if shapes.is_empty() {
            let help = "name some, or take `types` out";
            self.report(&at, Rule::Missing, "a guard that looks for nothing finds nothing", help);
            return None;
        }
        Some(GuardKind::Shapes(shapes))
    }

    fn on_finding(
        &self,
        action: GuardAction,
        kind: GuardWord,
        raw: &RawGuard,
        root: &RawConfig,
        at: &Path<'_>,
    ) -> Option<OnFinding> {
        let by_score = match kind {
            GuardWord::PromptInjection | GuardWord::Classifier => true,
            GuardWord::Secrets | GuardWord::Pii => false,
        };
        if let (Some(_), GuardAction::Flag | GuardAction::Mask | GuardAction::Block) =
            (&raw.escalate, action)
        {
            let message = "`escalate` goes with `action = \"escalate\"`";
            self.report(&at.key("escalate"), Rule::MisplacedKey, message, "take one of them out");
        }
        let at_action = at.key("action");
        match action {
            GuardAction::Flag => Some(OnFinding::Flag),
            GuardAction::Block => Some(OnFinding::Block),
            GuardAction::Mask if by_score => {
                let message = "a classifier judges a whole text and cannot say what to mask";
                let help = "use \"flag\" or \"block\", or a guard of kind \"secrets\" or \"pii\"";
                self.report(&at_action, Rule::ImpossibleAction, message, help);
                None
            }
            GuardAction::Mask => Some(OnFinding::Mask),
            GuardAction::Escalate if !by_score => {
                let message = "what is known by its shape is never in doubt";
                let help = "use \"flag\", \"mask\" or \"block\"";
                self.report(&at_action, Rule::ImpossibleAction, message, help);
                None
            }
            GuardAction::Escalate => {
                let at = at.key("escalate");
                self.notes
                    .missing(&at, "name the model that decides: `escalate = \"llama-guard\"`");
                let to = raw.escalate.as_ref()?;
                self.check_model_name(to, root, &at);
                Some(OnFinding::Escalate { to: to.clone() })
            }
        }
    }

    /// To flag is to look on: it never refuses a call.
    fn on_error(&self, action: GuardAction, written: Option<OnError>, at: &Path<'_>) -> OnError {
        match (action, written) {
            (GuardAction::Flag, Some(OnError::Closed)) => {
                let message = "a guard that flags lets texts pass, judged or not";
                let help = "take it out, or let the guard block";
                self.report(&at.key("on_error"), Rule::NoEffect, message, help);
                OnError::Open
            }
            (GuardAction::Flag, None) => OnError::Open,
            (_, Some(written)) => written,
            (GuardAction::Mask | GuardAction::Block | GuardAction::Escalate, None) => {
                OnError::Closed
            }
        }
    }
}
