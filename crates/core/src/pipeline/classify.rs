//! Texts put to the classifiers of a configured model, one target after the other.

use std::sync::Arc;

use super::{Gate, Stop, attempt, host::Host, oip, provider::Failure};
use crate::{
    breaker::Verdict,
    config::valid::{Config, Model, ProviderKind, Target},
    oip::post::Scored,
    record::{Attempt, Record},
    refusal::{Code, Refusal},
    retry::{AttemptLimits, Frame},
    units::UnixMs,
};

/// Whether a target of the model classifies texts.
pub(super) fn classifies(model: &Model) -> bool {
    model.targets.iter().any(|target| is_classifier(target))
}

fn is_classifier(target: &Target) -> bool {
    matches!(target.provider.kind, ProviderKind::Oip(_)) && !target.tensors.labels.is_empty()
}

/// The classes of each text by the first target that answers, and that target. Each is asked once.
///
/// # Errors
/// The caller left, or why the last target did not answer.
pub(super) async fn classify<H: Host>(
    host: &H,
    gate: &Gate,
    config: &Config,
    model: &Arc<Model>,
    texts: &[String],
    record: &mut Record,
) -> Result<(Arc<Target>, Vec<Vec<Scored>>), Stop> {
    let targets = attempt::order(host, gate, config, model)?;
    let mut last = Refusal::new(Code::CircuitOpen, Code::CircuitOpen.facts().meaning);
    for target in targets.iter().filter(|target| is_classifier(target)) {
        let ProviderKind::Oip(address) = &target.provider.kind else { continue };
        let began = host.now();
        let limits = limits(model, began);
        let Ok(pass) = gate.breakers.borrow_mut().admit(&target.id, began, limits.whole) else {
            continue;
        };
        let in_flight = gate.pools.borrow_mut().enter(&target.id);
        let answered = oip::classify(host, gate, address, target, texts, limits).await;
        drop(in_flight);
        let now = host.now();
        let (verdict, failure, status) = match &answered {
            Ok(_) => {
                gate.latencies.borrow_mut().measured(&target.id, now.since(began), now);
                (Verdict::Well, None, Some(200))
            }
            Err(Failure::Failed(outcome)) => {
                (outcome.verdict(), Some(outcome.code()), outcome.status())
            }
            Err(Failure::CallerLeft) => (Verdict::Unknown, Some(Code::ClientClosed), None),
        };
        let changed = gate.breakers.borrow_mut().report(&target.id, pass, verdict, now);
        record.breaker_events.extend(changed.map(|state| attempt::event(target, now, state)));
        record.target = Some(Arc::clone(target));
        record.attempts.push(Attempt {
            target: Arc::clone(target),
            began,
            status,
            failure,
            took: now.since(began),
            first_chunk: None,
            usage: None,
            cost: None,
        });
        match answered {
            Ok(scored) => return Ok((Arc::clone(target), scored)),
            Err(Failure::CallerLeft) => return Err(Stop::CallerLeft),
            Err(Failure::Failed(outcome)) => last = outcome.refusal(),
        }
    }
    Err(Stop::Refused(last))
}

fn limits(model: &Model, now: UnixMs) -> AttemptLimits {
    Frame { timeouts: model.timeout, started: now, deadline: None, streamed: false }.limits(now)
}
