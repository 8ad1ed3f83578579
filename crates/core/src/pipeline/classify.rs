//! Texts put to the classifiers of a configured model: retried, shared out among replicas and waited
//! for as other calls are.

use std::sync::Arc;

use super::{
    Gate, Stop,
    course::{self, Course, Turn},
    host::Host,
    oip,
    provider::Failure,
};
use crate::{
    breaker::Verdict,
    config::valid::{Config, Model, ProviderKind, Target},
    oip::post::Scored,
    record::{Attempt, Record},
    refusal::Code,
    retry::Frame,
};

/// Whether a target of the model classifies texts.
pub(super) fn classifies(model: &Model) -> bool {
    model.targets.iter().any(|target| is_classifier(target))
}

fn is_classifier(target: &Target) -> bool {
    matches!(target.provider.kind, ProviderKind::Oip(_)) && !target.tensors.labels.is_empty()
}

/// The classes of each text by the first target that answers, and that target.
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
    let mut targets = course::order(host, gate, config, model)?;
    targets.retain(|target| is_classifier(target));
    let (timeouts, started) = (model.timeout, host.now());
    let frame = Frame { timeouts, started, deadline: None, streamed: false };
    let mut course = Course::new(host, gate, config, model, targets, frame);
    let mut next = course.first();
    loop {
        let turn = course.turn(next, record).await?;
        let target = Arc::clone(&turn.target);
        match ask(host, gate, turn, texts, record).await {
            Ok(scored) => {
                course.answered(&target, record);
                return Ok((target, scored));
            }
            Err(Failure::CallerLeft) => return Err(Stop::CallerLeft),
            Err(Failure::Failed(outcome)) => next = course.after(&target, &outcome, record),
        }
    }
}

/// One attempt, of which breaker, latencies and record are told.
async fn ask<H: Host>(
    host: &H,
    gate: &Gate,
    Turn { target, pass, limits }: Turn,
    texts: &[String],
    record: &mut Record,
) -> Result<Vec<Vec<Scored>>, Failure> {
    let began = host.now();
    let in_flight = gate.pools.borrow_mut().enter(&target.id);
    let answered = oip::classify(host, gate, &target, texts, limits).await;
    drop(in_flight);
    let took = host.now().since(began);
    record.timings.upstream = record.timings.upstream.plus(took);
    let answered = answered.map_err(|failure| failure.judged(limits, took));
    let (verdict, failure, status) = match &answered {
        Ok(_) => {
            course::measure(host, gate, &target, began);
            (Verdict::Well, None, Some(200))
        }
        Err(Failure::Failed(outcome)) => {
            (outcome.verdict(), Some(outcome.code()), outcome.status())
        }
        Err(Failure::CallerLeft) => (Verdict::Unknown, Some(Code::ClientClosed), None),
    };
    course::report(host, gate, &target, pass, verdict, record);
    let (first_chunk, usage, cost) = (None, None, None);
    record.attempts.push(Attempt {
        target,
        began,
        status,
        failure,
        took,
        first_chunk,
        usage,
        cost,
    });
    answered
}
