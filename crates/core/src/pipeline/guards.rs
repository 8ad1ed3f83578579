//! Guards over what the caller sends and what the model answers.
//!
//! What is known by its shape is looked for by all guards together, in one pass; classifiers judge
//! each text by its source, and the worst text counts. A guard leaves one decision in the record for
//! each stage that it judged, never the text.

pub(super) mod cascade;
mod escalation;
mod output;
mod score;

use std::sync::Arc;

pub(super) use output::{Veiled, kept_stream, whole};

use super::{
    Gate, Stop,
    host::Host,
    stages::{Guarded, Validated},
};
use crate::{
    config::valid::{Config, Guard, GuardKind, OnFinding},
    guard::{
        Shapes, Source,
        texts::{self, Text},
        watch::Watch,
    },
    openai::{self, Envelope},
    record::{GuardAction, GuardDecision, GuardStage, Record},
    refusal::{Code, Refusal},
};

/// Judges what the caller sends; what is to be hidden is hidden from the provider and the cache.
pub(super) async fn input<H: Host>(
    host: &H,
    gate: &Gate,
    config: &Config,
    validated: Validated,
    record: &mut Record,
) -> Result<Guarded, Stop> {
    let guards = applying(config, &validated);
    let (reading, _) = split(&guards, GuardStage::Input);
    if reading.is_empty() {
        return Ok(Guarded(validated, guards));
    }
    let body = validated.request.body().clone();
    let texts = texts::of_request(validated.request.endpoint(), &body);
    let watch = Watch::of(reading.iter());
    let (found, changed) = watch.look(&body, &texts);
    let stage = GuardStage::Input;
    note_shapes(&watch, found, stage, record)?;
    let said: Vec<(String, Source)> = texts.iter().filter_map(said).collect();
    score::judge(host, gate, config, &reading, &said, stage, record).await?;
    let Some(changed) = changed else { return Ok(Guarded(validated, guards)) };
    let body = Arc::new(Envelope::parse(changed.into_bytes())?);
    let endpoint = validated.request.endpoint();
    let request = openai::validate(endpoint, body, &validated.model)?;
    Ok(Guarded(Validated { request, ..validated }, guards))
}

fn said(text: &Text<'_>) -> Option<(String, Source)> {
    Some((text.value.as_str()?.into_owned(), text.source))
}

/// The model's guards and those that the caller's key adds.
fn applying(config: &Config, validated: &Validated) -> Vec<Arc<Guard>> {
    let mut guards = validated.model.guards.clone();
    let key = validated.caller.key().and_then(|key| config.guards.of_keys.get(&key.id));
    for guard in key.into_iter().flatten() {
        if !guards.iter().any(|known| known.name == guard.name) {
            guards.push(guard.clone());
        }
    }
    guards
}

/// Those that read `stage`, and those that do not.
fn split(guards: &[Arc<Guard>], stage: GuardStage) -> (Vec<Arc<Guard>>, Vec<Arc<Guard>>) {
    guards.iter().cloned().partition(|guard| match stage {
        GuardStage::Input => guard.stages.reads_input(),
        GuardStage::Output => guard.stages.reads_output(),
    })
}

/// Whether a guard needs a classifier.
fn is_by_score(guard: &Guard) -> bool {
    match guard.kind {
        GuardKind::Model { .. } => true,
        GuardKind::Shapes(_) => false,
    }
}

/// Notes what guards found by its shape, and refuses where one of them blocks.
fn note_shapes(
    watch: &Watch,
    found: Shapes,
    stage: GuardStage,
    record: &mut Record,
) -> Result<(), Refusal> {
    let mut refusal = None;
    for guard in watch.guards() {
        let shape = watch.findings(found).find(|(finder, _)| finder.name == guard.name);
        let shape = shape.map(|(_, shape)| shape);
        let action = match (shape, &guard.on_finding) {
            (None, _) => GuardAction::Pass,
            (Some(_), OnFinding::Flag) => GuardAction::Flag,
            (Some(_), OnFinding::Mask) => GuardAction::Mask,
            (Some(_), OnFinding::Block | OnFinding::Escalate { .. }) => GuardAction::Block,
        };
        let label: Arc<str> = shape.map_or("none", crate::guard::Shape::name).into();
        if action == GuardAction::Block {
            refusal.get_or_insert_with(|| blocked(guard, &label, stage));
        }
        let guard = guard.name.clone();
        record.guards.push(GuardDecision { guard, stage, label, action, evidence: None });
    }
    refusal.map_or(Ok(()), Err)
}

/// The refusal of a text in which `guard` has found something.
fn blocked(guard: &Guard, label: &str, stage: GuardStage) -> Refusal {
    let what = match stage {
        GuardStage::Input => "request",
        GuardStage::Output => "answer",
    };
    let message = format!("the guard `{}` found `{label}` in the {what}", guard.name);
    Refusal::new(Code::GuardBlocked, message).final_answer()
}

/// The refusal of a text that `guard` could not judge.
fn unjudged(guard: &Guard) -> Refusal {
    let message = format!("the guard `{}` cannot judge at the moment", guard.name);
    Refusal::new(Code::GuardUnavailable, message)
}

#[cfg(test)]
mod tests;
