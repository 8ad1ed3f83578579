//! Guards that need a classifier: what follows from the worst text.

use std::sync::Arc;

use super::{super::Stop, blocked, cascade, escalation, is_by_score, unjudged};
use crate::{
    config::valid::{Config, Guard, GuardKind, OnError, OnFinding, Threshold},
    guard::{
        Source,
        judge::{Judgement, NoJudgement, Weight},
    },
    pipeline::{Gate, host::Host},
    record::{GuardAction, GuardDecision, GuardEvidence, GuardStage, Record},
};

/// Lets each of `guards` that needs a classifier judge all `texts`.
pub(super) async fn judge<H: Host>(
    host: &H,
    gate: &Gate,
    config: &Config,
    guards: &[Arc<Guard>],
    texts: &[(String, Source)],
    stage: GuardStage,
    record: &mut Record,
) -> Result<(), Stop> {
    let mut refusal = None;
    for guard in guards.iter().filter(|guard| is_by_score(guard)) {
        let worst = placed(host, gate, config, guard, texts, record).await?;
        let decision = match (&worst, &guard.on_finding) {
            (Ok(Some((judged, weight, at))), OnFinding::Escalate { to })
                if *weight == Weight::Doubtful =>
            {
                let text = texts.get(*at).map_or("", |(text, _)| text);
                let opinion = escalation::ask(host, gate, config, to, text).await?;
                record.asides.extend(opinion.calls);
                second_opinion(guard, judged, opinion.is_unsafe, stage)
            }
            (Ok(_) | Err(NoJudgement), _) => decide(guard, &worst, stage),
        };
        match decision.action {
            GuardAction::Block => {
                refusal.get_or_insert_with(|| blocked(guard, &decision.label, stage));
            }
            GuardAction::FailedClosed => {
                refusal.get_or_insert_with(|| unjudged(guard));
            }
            GuardAction::Pass | GuardAction::Flag | GuardAction::Mask | GuardAction::FailedOpen => {
            }
        }
        record.guards.push(decision);
    }
    refusal.map_or(Ok(()), |refusal| Err(Stop::Refused(refusal)))
}

/// The judgement that weighs most, what it weighs, and of which text it is.
type Worst = Result<Option<(Judgement, Weight, usize)>, NoJudgement>;

/// What is worst about `texts`, in the eyes of `guard`, wherever its classifier is placed.
async fn placed<H: Host>(
    host: &H,
    gate: &Gate,
    config: &Config,
    guard: &Guard,
    texts: &[(String, Source)],
    record: &mut Record,
) -> Result<Worst, Stop> {
    let GuardKind::Model { model, threshold } = &guard.kind else { return Ok(Ok(None)) };
    let judged = cascade::judge(host, gate, config, model, texts, record).await?;
    Ok(heaviest(judged, *threshold))
}

/// The same by the edge alone: a stream is under way and waits for nobody.
pub(super) fn worst(gate: &Gate, guard: &Guard, texts: &[(String, Source)]) -> Worst {
    let GuardKind::Model { model, threshold } = &guard.kind else { return Ok(None) };
    heaviest(texts.iter().map(|(text, source)| gate.judge(model, text, *source)), *threshold)
}

fn heaviest(
    all: impl IntoIterator<Item = Result<Judgement, NoJudgement>>,
    threshold: Threshold,
) -> Worst {
    let mut worst: Option<(Judgement, Weight, usize)> = None;
    for (at, judged) in all.into_iter().enumerate() {
        let judged = judged?;
        let weight = judged.weigh(threshold);
        let is_worse = worst.as_ref().is_none_or(|(known, heaviest, _)| {
            weight > *heaviest || (weight == *heaviest && judged.score > known.score)
        });
        if is_worse {
            worst = Some((judged, weight, at));
        }
    }
    Ok(worst)
}

/// What follows where nobody else is asked.
pub(super) fn decide(guard: &Guard, worst: &Worst, stage: GuardStage) -> GuardDecision {
    match worst {
        Err(NoJudgement) => failed(guard, None, stage),
        Ok(None) => decision(guard, None, "none", GuardAction::Pass, stage),
        Ok(Some((judged, weight, _))) => {
            let action = match (weight, &guard.on_finding) {
                (Weight::Heavy, OnFinding::Flag | OnFinding::Mask)
                | (Weight::Doubtful, OnFinding::Escalate { .. }) => GuardAction::Flag,
                (Weight::Heavy, OnFinding::Block | OnFinding::Escalate { .. }) => {
                    GuardAction::Block
                }
                (Weight::Doubtful | Weight::Light, _) => GuardAction::Pass,
            };
            let label = if action == GuardAction::Pass { "none" } else { &judged.label };
            decision(guard, Some(judged), label, action, stage)
        }
    }
}

/// What follows from the answer of the model that was asked; `None` is no answer.
fn second_opinion(
    guard: &Guard,
    judged: &Judgement,
    is_unsafe: Option<bool>,
    stage: GuardStage,
) -> GuardDecision {
    match is_unsafe {
        Some(true) => decision(guard, Some(judged), &judged.label, GuardAction::Block, stage),
        Some(false) => decision(guard, Some(judged), "none", GuardAction::Pass, stage),
        None => failed(guard, Some(judged), stage),
    }
}

fn failed(guard: &Guard, judged: Option<&Judgement>, stage: GuardStage) -> GuardDecision {
    let action = match guard.on_error {
        OnError::Open => GuardAction::FailedOpen,
        OnError::Closed => GuardAction::FailedClosed,
    };
    decision(guard, judged, "error", action, stage)
}

fn decision(
    guard: &Guard,
    judged: Option<&Judgement>,
    label: &str,
    action: GuardAction,
    stage: GuardStage,
) -> GuardDecision {
    let threshold = match &guard.kind {
        GuardKind::Model { threshold, .. } => *threshold,
        GuardKind::Shapes(_) => Threshold::Score(1.0),
    };
    let evidence = judged.map(|judged| GuardEvidence {
        model: judged.digest.clone(),
        calibration: judged.calibration.clone(),
        score: millionths(judged.score),
        threshold: millionths(judged.threshold(threshold)),
    });
    GuardDecision { guard: guard.name.clone(), stage, label: label.into(), action, evidence }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "0 to 1,000,000 after clamping; a score that is no number becomes 0"
)]
fn millionths(score: f64) -> u32 {
    (score.clamp(0.0, 1.0) * 1e6).round() as u32
}
