//! A classifier's texts, judged where they belong: at the edge, on the GPU, or at the edge and then, where
//! that was not sure, on the GPU.
//!
//! The GPU is asked as guard models are, and answers `safe` or `unsafe`. Several texts are put to it at
//! once. Streamed answers are judged at the edge alone.

use std::{future::Future, pin::Pin, sync::Arc, task::Poll};

use super::{
    super::{Gate, Stop, host::Host},
    escalation::{self, Opinion},
};
use crate::{
    config::valid::{Classifier, Config},
    guard::{
        Source,
        judge::{About, Judgement, NoJudgement},
    },
    placement::{
        Verdict,
        cascade::{Placed, Way, Why},
    },
    record::{Placing, Record},
};

/// Texts put to the GPU at once: a Worker may wait for the heads of six replies.
const AT_ONCE: usize = 6;

type Judged = Result<Judgement, NoJudgement>;
type Pending<'a> = Pin<Box<dyn Future<Output = Result<Opinion, Stop>> + 'a>>;

/// What is known of a text before the GPU is asked.
struct First {
    edge: Option<Judged>,
    /// Why the GPU is asked, if it is.
    why: Option<Why>,
}

/// What the classifier `model` says of each text, in order.
pub(in crate::pipeline) async fn judge<H: Host>(
    host: &H,
    gate: &Gate,
    config: &Config,
    model: &str,
    texts: &[(String, Source)],
    record: &mut Record,
) -> Result<Vec<Judged>, Stop> {
    let at_the_edge = |(text, source): &(String, Source)| gate.judge(model, text, *source);
    let Some(classifier) = config.classifiers.get(model) else {
        return Ok(texts.iter().map(at_the_edge).collect());
    };
    let about = gate.about(model);
    let batch = u64::try_from(texts.len()).unwrap_or(u64::MAX);
    let mut firsts: Vec<First> = texts
        .iter()
        .map(|text| first(classifier, about.as_ref(), batch, text, at_the_edge))
        .collect();
    let asked: Vec<usize> =
        (0..).zip(&firsts).filter(|(_, first)| first.why.is_some()).map(|(at, _)| at).collect();
    let mut answers = vec![None; texts.len()];
    if let Some(to) = &classifier.gpu {
        for some in asked.chunks(AT_ONCE) {
            let questions = some.iter().filter_map(|at| texts.get(*at)).map(|(text, _)| {
                let pending: Pending<'_> = Box::pin(escalation::ask(host, gate, config, to, text));
                pending
            });
            for (at, answer) in some.iter().zip(together(questions.collect()).await) {
                let opinion = answer?;
                record.asides.extend(opinion.calls);
                if let Some(slot) = answers.get_mut(*at) {
                    *slot = opinion.is_unsafe;
                }
            }
        }
    }
    let mut judged = Vec::with_capacity(texts.len());
    let name: Arc<str> = model.into();
    for ((first, answer), text) in firsts.drain(..).zip(answers).zip(texts) {
        let (verdict, placing) =
            settle(classifier, about.as_ref(), first, answer, || at_the_edge(text));
        if let Some((place, why)) = placing {
            note(record, &name, classifier, place, why);
        }
        judged.push(verdict);
    }
    Ok(judged)
}

/// Judges a text at the edge where that may do, and says whether it did.
fn first(
    classifier: &Classifier,
    about: Option<&About>,
    batch: u64,
    text: &(String, Source),
    at_the_edge: impl Fn(&(String, Source)) -> Judged,
) -> First {
    let chars = u64::try_from(text.0.chars().count()).unwrap_or(u64::MAX);
    match classifier.placed.way(chars, batch, about.map(|about| about.window)) {
        Way::Gpu(why) => First { edge: None, why: Some(why) },
        Way::Edge => First { edge: Some(at_the_edge(text)), why: None },
        Way::EdgeFirst => {
            let edge = at_the_edge(text);
            let why = match (&edge, &classifier.placed) {
                (Err(NoJudgement), _) => Some(Why::EdgeFailed),
                (Ok(judged), Placed::Auto(shares))
                    if !shares.is_certain(judged.score, judged.points) =>
                {
                    Some(Why::Uncertain)
                }
                (Ok(_), Placed::Auto(_) | Placed::Edge | Placed::Gpu) => None,
            };
            First { edge: Some(edge), why }
        }
    }
}

/// What is said of a text in the end, and who said it, if anybody did.
fn settle(
    classifier: &Classifier,
    about: Option<&About>,
    first: First,
    answer: Option<bool>,
    at_the_edge: impl FnOnce() -> Judged,
) -> (Judged, Option<(Verdict, Option<Why>)>) {
    match (first.why, answer) {
        (None, _) => (first.edge.unwrap_or(Err(NoJudgement)), Some((Verdict::Edge, None))),
        (Some(why), Some(is_unsafe)) => {
            (Ok(by_gpu(classifier, about, is_unsafe)), Some((Verdict::Gpu, Some(why))))
        }
        (Some(_), None) if classifier.fallback => {
            let edge = first.edge.unwrap_or_else(at_the_edge);
            let placing = edge.is_ok().then_some((Verdict::Edge, Some(Why::GpuFailed)));
            (edge, placing)
        }
        (Some(_), None) => (Err(NoJudgement), None),
    }
}

/// A GPU's word as a judgement: there is nothing between guilty and not, so every threshold lies halfway.
fn by_gpu(classifier: &Classifier, about: Option<&About>, is_unsafe: bool) -> Judgement {
    let label = about.map_or_else(|| "unsafe".into(), |about| about.label.clone());
    let otherwise = about.map_or_else(|| "safe".into(), |about| about.otherwise.clone());
    Judgement {
        score: if is_unsafe { 1.0 } else { 0.0 },
        label,
        otherwise,
        points: [0.5; 3],
        digest: classifier.gpu.as_deref().unwrap_or_default().into(),
        calibration: "gpu".into(),
    }
}

fn note(
    record: &mut Record,
    name: &Arc<str>,
    classifier: &Classifier,
    place: Verdict,
    why: Option<Why>,
) {
    // Only where the GPU might have been asked is not asking it a saving.
    let saved = match (&classifier.placed, place, why) {
        (Placed::Auto(_), Verdict::Edge, None) => 1,
        (Placed::Auto(_) | Placed::Edge | Placed::Gpu, Verdict::Edge | Verdict::Gpu, _) => 0,
    };
    let known = record.placements.iter_mut().find(|placing| {
        placing.classifier == *name && placing.place == place && placing.why == why
    });
    if let Some(placing) = known {
        placing.texts += 1;
        placing.saved += saved;
    } else {
        let classifier = Arc::clone(name);
        record.placements.push(Placing { classifier, place, why, texts: 1, saved });
    }
}

/// Waits for all of them at once; what they say, in order.
async fn together(mut pending: Vec<Pending<'_>>) -> Vec<Result<Opinion, Stop>> {
    let mut done: Vec<Option<Result<Opinion, Stop>>> = pending.iter().map(|_| None).collect();
    std::future::poll_fn(move |context| {
        for (slot, future) in done.iter_mut().zip(&mut pending).filter(|(slot, _)| slot.is_none()) {
            if let Poll::Ready(answer) = future.as_mut().poll(context) {
                *slot = Some(answer);
            }
        }
        if done.iter().any(Option::is_none) {
            return Poll::Pending;
        }
        Poll::Ready(done.drain(..).flatten().collect())
    })
    .await
}

#[cfg(test)]
mod tests;
