use std::{cell::Cell, rc::Rc, task::Context, task::Waker};

use super::*;
use crate::{placement::cascade::Shares, record::sample};

fn about() -> About {
    About { window: 10, label: "injection".into(), otherwise: "benign".into() }
}

fn auto() -> Classifier {
    let shares = Shares { max_chars: None, max_batch: 2, uncertain: None };
    Classifier { placed: Placed::Auto(shares), gpu: Some("guard".to_owned()), fallback: true }
}

fn judged(score: f64) -> Judgement {
    Judgement {
        score,
        label: "injection".into(),
        otherwise: "benign".into(),
        points: [0.9, 0.7, 0.4],
        digest: "d".into(),
        calibration: "c".into(),
    }
}

fn looked_at(score: &Judged, text: &str, batch: u64) -> (First, bool) {
    let asked = Cell::new(false);
    let text = (text.to_owned(), Source::User);
    let first = first(&auto(), Some(&about()), batch, &text, |_| {
        asked.set(true);
        score.clone()
    });
    (first, asked.get())
}

#[test]
fn the_edge_is_spared_what_it_may_not_judge() {
    for (text, batch, expected) in
        [("long beyond a window", 1, Why::Length), ("short", 3, Why::Batch)]
    {
        let (first, asked) = looked_at(&Ok(judged(0.0)), text, batch);
        assert_eq!((first.why, asked), (Some(expected), false), "{text}");
    }
}

#[test]
fn the_gpu_is_asked_where_the_edge_is_not_sure() {
    for (score, expected) in [
        (Ok(judged(0.1)), None),
        (Ok(judged(0.95)), None),
        (Ok(judged(0.5)), Some(Why::Uncertain)),
        (Err(NoJudgement), Some(Why::EdgeFailed)),
    ] {
        let (first, asked) = looked_at(&score, "short", 1);
        assert_eq!((first.why, asked), (expected, true), "{score:?}");
    }
}

#[test]
fn the_gpus_word_stands_and_the_edges_takes_its_place() {
    let doubtful = || First { edge: Some(Ok(judged(0.5))), why: Some(Why::Uncertain) };
    let settled = |first, answer| {
        let (verdict, placing) = settle(&auto(), Some(&about()), first, answer, || Ok(judged(0.3)));
        (verdict.map(|judged| judged.score), placing)
    };
    let gpu = Some((Verdict::Gpu, Some(Why::Uncertain)));
    assert_eq!(settled(doubtful(), Some(true)), (Ok(1.0), gpu));
    assert_eq!(settled(doubtful(), Some(false)), (Ok(0.0), gpu));
    let after_all = Some((Verdict::Edge, Some(Why::GpuFailed)));
    assert_eq!(settled(doubtful(), None), (Ok(0.5), after_all));
    let unseen = First { edge: None, why: Some(Why::Length) };
    assert_eq!(settled(unseen, None), (Ok(0.3), after_all));
    let sure = First { edge: Some(Ok(judged(0.1))), why: None };
    assert_eq!(settled(sure, None), (Ok(0.1), Some((Verdict::Edge, None))));
}

#[test]
fn without_a_fallback_a_silent_gpu_leaves_no_judgement() {
    let strict = Classifier { fallback: false, ..auto() };
    let first = First { edge: Some(Ok(judged(0.5))), why: Some(Why::Uncertain) };
    let (verdict, placing) = settle(&strict, Some(&about()), first, None, || Ok(judged(0.5)));
    assert_eq!((verdict, placing), (Err(NoJudgement), None));
}

#[test]
fn a_gpus_word_is_heavy_or_light_under_every_threshold_between() {
    let (guilty, innocent) = (by_gpu(&auto(), Some(&about()), true), by_gpu(&auto(), None, false));
    assert_eq!((&*guilty.label, &*guilty.digest), ("injection", "guard"));
    assert_eq!((&*innocent.label, innocent.score), ("unsafe", 0.0));
}

#[test]
fn texts_of_the_same_fate_are_counted_together_and_savings_where_there_are_some() {
    let mut record = sample::full();
    record.placements.clear();
    let name: Arc<str> = "prompt-injection".into();
    note(&mut record, &name, &auto(), Verdict::Edge, None);
    note(&mut record, &name, &auto(), Verdict::Edge, None);
    note(&mut record, &name, &auto(), Verdict::Gpu, Some(Why::Length));
    let edge_only = Classifier { placed: Placed::Edge, gpu: None, fallback: true };
    note(&mut record, &"other".into(), &edge_only, Verdict::Edge, None);
    let counts: Vec<_> =
        record.placements.iter().map(|of| (of.place, of.texts, of.saved)).collect();
    assert_eq!(counts, [(Verdict::Edge, 2, 2), (Verdict::Gpu, 1, 0), (Verdict::Edge, 1, 0)]);
}

#[test]
fn answers_come_in_the_order_of_the_questions_whoever_is_done_first() {
    // The first is done at the third look, the second at once, the last at the second look.
    let looks = |needed: u32, answer: bool| -> Pending<'static> {
        let seen = Rc::new(Cell::new(0));
        Box::pin(std::future::poll_fn(move |_| {
            seen.set(seen.get() + 1);
            let opinion = Opinion { is_unsafe: Some(answer), calls: Vec::new() };
            if seen.get() < needed { Poll::Pending } else { Poll::Ready(Ok(opinion)) }
        }))
    };
    let mut all = Box::pin(together(vec![looks(3, true), looks(1, false), looks(2, true)]));
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..2 {
        assert!(all.as_mut().poll(&mut context).is_pending());
    }
    let Poll::Ready(answers) = all.as_mut().poll(&mut context) else { panic!("not done") };
    let answers: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().is_unsafe).collect();
    assert_eq!(answers, [Some(true), Some(false), Some(true)]);
}
