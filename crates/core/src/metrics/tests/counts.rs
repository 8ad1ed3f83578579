//! What is counted and how it reads.

use super::*;
use crate::{
    alert::Spend,
    budget::Scope,
    config::valid::{Budget, Period},
    experiments::feedback::{Opinion, Say},
    pool::probe::Replica,
    units::MicroUsd,
};

/// One isolate after one full request and one of each event.
fn busy() -> Aggregate {
    let mut registry = isolate(7);
    registry.config_loaded([0xab; 32]);
    registry.config_rejected();
    registry.count_lease_call(CallResult::Ok);
    registry.count_ledger_call(CallResult::Failed);
    registry.enter();
    registry.observe(&full());
    let mut unpriced = Record { cost: None, ..full() };
    unpriced.usage = unpriced.usage.map(|usage| crate::price::Usage { estimated: true, ..usage });
    registry.observe(&unpriced);
    registry.cut(EVENING);
    let mut aggregate = merged(&deltas(&registry));
    let budget = Budget { limit: MicroUsd(50_000_000), per: Period::Month, cheaper: None };
    let (name, spent) = ("team-a".to_owned(), MicroUsd(12_500_000));
    aggregate.set_budgets(&[Spend { scope: Scope::Key, name, budget, spent }]);
    let replica = |name: &str, waiting| Replica {
        provider: "gpu".to_owned(),
        name: name.to_owned(),
        ready: waiting == Some(3),
        waiting,
    };
    aggregate.set_replicas(vec![replica("gpu-0:8000", Some(3)), replica("gpu-1:8000", None)]);
    aggregate.set_feedback(vec![Opinion {
        model: "fast".to_owned(),
        variant: "tone/warm".to_owned(),
        version: "0a1b2c3d".to_owned(),
        kind: Say::Score,
        value: "0.8".to_owned(),
        count: 2,
        sum: 1_600_000,
    }]);
    aggregate
}

#[test]
fn the_text_of_a_gateway_in_which_everything_happened_once() {
    let text = busy().render(EVENING, Format::Prometheus);
    let lines = text.lines().filter(|line| !line.contains("_bucket{"));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_histogram_s_buckets_add_up_to_its_count() {
    let text = busy().render(EVENING, Format::Prometheus);
    let lines = text.lines().filter(|line| line.starts_with("tollhouse_time_to_first_token"));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn openmetrics_names_families_without_their_suffix_and_ends_with_eof() {
    let text = busy().render(EVENING, Format::OpenMetrics);
    let heads: Vec<_> = text.lines().filter(|line| line.contains("tollhouse_cost_usd")).collect();
    insta::assert_snapshot!(heads.join("\n"));
    assert!(text.ends_with("\n# EOF\n"));
}

#[test]
fn every_family_of_the_table_is_counted_with_all_its_labels() {
    let text = busy().render(EVENING, Format::Prometheus);
    for facts in Family::ALL.map(Family::facts) {
        let lines: Vec<_> = text.lines().filter(|line| line.starts_with(facts.name)).collect();
        let whole = lines
            .iter()
            .any(|line| facts.labels.iter().all(|label| line.contains(&format!("{label}=\""))));
        assert!(whole, "{} lacks a label: {lines:#?}", facts.name);
    }
}

#[test]
fn a_label_value_cannot_break_out_of_its_quotes() {
    let record = Record { key: Some(key("a\"b\\c\nd")), ..full() };
    let text = merged(&[delta_of(1, &[record])]).render(EVENING, Format::Prometheus);
    assert!(text.contains(r#"key="a\"b\\c\nd""#), "{text}");
}

#[test]
fn a_scraper_gets_the_text_that_it_asks_for() {
    let prometheus = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";
    assert_eq!(Format::accepted(prometheus), Format::OpenMetrics);
    for accept in ["", "*/*", "text/plain", "application/openmetrics-text-like"] {
        assert_eq!(Format::accepted(accept), Format::Prometheus, "{accept}");
    }
}

#[test]
fn states_are_the_latest_of_each_isolate_and_fade_with_it() {
    let mut registry = isolate(1);
    registry.enter();
    registry.cut(EVENING);
    registry.enter();
    registry.cut(EVENING.plus(DurationMs(1)));
    let mut cut = deltas(&registry);
    cut.reverse();
    let aggregate = merged(&cut);
    let shows = |after: u64, line: &str| {
        let text = aggregate.render(EVENING.plus(DurationMs(after)), Format::Prometheus);
        assert!(text.lines().any(|shown| shown == line), "{line} in {text}");
    };
    shows(0, "tollhouse_requests_in_flight 2");
    shows(120_001, "tollhouse_isolates 1");
    shows(120_002, "tollhouse_requests_in_flight 0");
    shows(120_002, "tollhouse_isolates 0");
}

#[test]
fn a_breaker_s_state_is_that_of_its_latest_event_not_of_the_latest_record() {
    use crate::record::BreakerState::{Closed, Open};
    let event_at = |after: u64, state| {
        let mut record = full();
        record.breaker_events[0].at = EVENING.plus(DurationMs(after));
        record.breaker_events[0].state = state;
        record
    };
    let records = [event_at(9, Closed), event_at(5, Open)];
    let text = merged(&[delta_of(1, &records)]).render(EVENING, Format::Prometheus);
    let line = r#"tollhouse_breaker_isolates{target="openai/gpt-4o-mini",state="closed"} 1"#;
    assert!(text.contains(line), "{text}");
    assert_eq!(text.matches("tollhouse_breaker_isolates{").count(), 1);
}
