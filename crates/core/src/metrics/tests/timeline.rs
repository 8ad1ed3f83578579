//! What charts are drawn from adds up to what was counted.

use super::*;
use crate::{
    metrics::{Point, Step},
    record::CacheResult,
    refusal::Code,
};

fn summed(deltas: &[Delta]) -> Point {
    deltas.iter().map(Point::of).fold(Point::default(), |mut sum, point| {
        sum.add(&point);
        sum
    })
}

#[test]
fn a_point_tells_calls_tries_guards_and_lengths() {
    let mut hit = full();
    (hit.code, hit.cache, hit.attempts) = (None, CacheResult::Hit, vec![]);
    let point = Point::of(&delta_of(1, &[full(), hit]));
    let calls = &point.models["fast"];
    assert_eq!((calls.requests, calls.tokens, calls.cost_micro_usd), (2, 1050, 150));
    assert_eq!(calls.errors, BTreeMap::from([("provider".to_owned(), 1)]));
    assert_eq!(calls.cache, BTreeMap::from([("hit".to_owned(), 1), ("miss".to_owned(), 1)]));
    assert_eq!(
        calls.lengths.iter().sum::<u64>(),
        1,
        "what the cache answers says nothing of models"
    );
    let failed = &point.targets["openai/gpt-4o-mini"].failed;
    assert_eq!(failed, &BTreeMap::from([("upstream_error".to_owned(), 1)]));
    assert_eq!(point.guards["prompt-injection"]["input:pass"], 2);
    assert_eq!(point.providers["openai"].iter().sum::<u64>(), 1);
}

#[test]
fn steps_begin_on_the_clock_and_hold_whole_numbers_of_each_other() {
    let noon = UnixMs(1_795_348_800_000);
    for step in Step::ALL {
        assert_eq!(step.start(noon.plus(DurationMs(59_999))), noon);
        assert_eq!(step.kept().0 % step.length().0, 0);
    }
    assert_eq!(Step::Quarter.length().0 % Step::Minute.length().0, 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn however_records_are_split_the_points_add_up(
        records in prop::collection::vec(any_record(), 1..20), cut in any::<prop::sample::Index>(),
    ) {
        let (left, right) = records.split_at(cut.index(records.len()));
        let parts = [left, right].into_iter().filter(|part| !part.is_empty());
        let parts: Vec<_> = parts.zip(1..).map(|(part, number)| delta_of(number, part)).collect();
        let whole = Point::of(&delta_of(3, &records));
        prop_assert_eq!(summed(&parts), whole.clone());
        let requests: u64 = whole.models.values().map(|calls| calls.requests).sum();
        prop_assert_eq!(requests, u64::try_from(records.len()).unwrap());
        let failed = records.iter().filter(|record| record.code.is_some()).count();
        let errors: u64 = whole.models.values().flat_map(|calls| calls.errors.values()).sum();
        prop_assert_eq!(errors, u64::try_from(failed).unwrap());
    }

    #[test]
    fn a_point_is_read_as_it_was_written(records in prop::collection::vec(any_record(), 1..9)) {
        let point = Point::of(&delta_of(1, &records));
        prop_assert_eq!(Point::restore(&point.row()), point);
    }

    #[test]
    fn any_text_is_a_point(text in "\\PC{0,60}") {
        prop_assert_eq!(Point::restore(&text), Point::default());
    }
}

#[test]
fn failures_travel_with_the_counts_once() {
    let mut registry = isolate(1);
    let mut failed = full();
    failed.code = Some(Code::UpstreamTimeout);
    registry.observe(&failed);
    registry.cut(EVENING);
    registry.observe(&full());
    registry.cut(EVENING.plus(DurationMs(1)));
    let codes: Vec<Vec<String>> = deltas(&registry)
        .iter()
        .map(|delta| delta.failures().iter().map(|failure| failure.code.clone()).collect())
        .collect();
    assert_eq!(codes, [vec!["upstream_timeout".to_owned()], vec!["stream_interrupted".to_owned()]]);
}
