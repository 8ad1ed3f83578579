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
    price::Usage,
    record::{Attempt, Record},
    refusal::Code,
    retry::{AttemptLimits, Frame},
    tokens::{self, Millitokens},
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

async fn ask<H: Host>(
    host: &H,
    gate: &Gate,
    turn: Turn,
    texts: &[String],
    record: &mut Record,
) -> Result<Vec<Vec<Scored>>, Failure> {
    let put = async |target: &Arc<Target>, limits| {
        let scored = oip::classify(host, gate, target, texts, limits).await?;
        Ok((scored, used(target, texts)))
    };
    attempt(host, gate, turn, record, put).await
}

/// What a server that is paid by the token read, as our estimate: the protocol does not tell.
fn used(target: &Target, texts: &[String]) -> Option<Usage> {
    target.price?;
    let prompt = texts.iter().map(|text| tokens::count(text)).sum::<Millitokens>().round_up();
    Some(Usage { prompt, estimated: true, ..Usage::default() })
}

/// One attempt, of which breaker, latencies and record are told; `put` says what it used, where the
/// provider tells.
pub(super) async fn attempt<H: Host, T>(
    host: &H,
    gate: &Gate,
    Turn { target, pass, limits }: Turn,
    record: &mut Record,
    put: impl AsyncFnOnce(&Arc<Target>, AttemptLimits) -> Result<(T, Option<Usage>), Failure>,
) -> Result<T, Failure> {
    let began = host.now();
    let in_flight = gate.pools.borrow_mut().enter(&target.id);
    let answered = put(&target, limits).await;
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
    let (answer, used) = answered?;
    if let Some(used) = used {
        record.bill(used);
    }
    Ok(answer)
}
