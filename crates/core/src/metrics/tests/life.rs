//! What becomes of deltas and rows: waiting, doubled, old, broken, of another version.

use super::*;

#[test]
fn a_delta_is_kept_until_it_is_confirmed() {
    let mut registry = isolate(1);
    registry.observe(&full());
    registry.cut(EVENING);
    let sent = deltas(&registry);
    registry.cut(EVENING);
    assert_eq!(deltas(&registry), sent, "nothing new was counted");
    registry.confirm(99);
    assert_eq!(deltas(&registry), sent);
    registry.confirm(0);
    assert_eq!(deltas(&registry), vec![]);
}

#[test]
fn while_the_ledger_is_away_counting_goes_on_and_nothing_is_lost() {
    let mut registry = isolate(1);
    for _ in 0..MAX_PENDING + 3 {
        registry.observe(&full());
        registry.cut(EVENING);
    }
    assert_eq!(registry.pending().count(), MAX_PENDING);
    let mut all = deltas(&registry);
    for delta in &all {
        registry.confirm(delta.sequence());
    }
    registry.cut(EVENING);
    all.extend(deltas(&registry));
    let direct = delta_of(2, &vec![full(); MAX_PENDING + 3]);
    assert_eq!(everything(&mut merged(&all)), everything(&mut merged(&[direct])));
}

#[test]
fn a_report_is_due_when_there_is_news_and_the_time_has_come() {
    let every = DurationMs::from_secs(5);
    let mut registry = isolate(1);
    assert!(!registry.is_due(EVENING, every), "nothing happened");
    registry.enter();
    assert!(registry.is_due(EVENING, every));
    registry.cut(EVENING);
    registry.observe(&full());
    assert!(!registry.is_due(EVENING.plus(DurationMs(4999)), every));
    assert!(registry.is_due(EVENING.plus(every), every));
}

#[test]
fn a_delta_is_counted_once_and_an_old_one_not_at_all() {
    let delta = delta_of(1, &[full()]);
    let mut aggregate = Aggregate::default();
    assert_eq!(aggregate.merge(&delta, EVENING), Merged::Counted);
    assert_eq!(aggregate.merge(&delta, EVENING), Merged::Duplicate);
    let tomorrow = EVENING.plus(MEMORY).plus(DurationMs(1));
    aggregate.forget_silent(tomorrow);
    assert_eq!(aggregate.merge(&delta, tomorrow), Merged::TooOld);
}

#[test]
fn a_forgotten_isolate_is_deleted_and_its_counts_stay() {
    let mut stored = Stored::default();
    let mut aggregate = merged(&[delta_of(1, &[full()])]);
    stored.take(&mut aggregate);
    let before = aggregate.render(EVENING.plus(LATER), Format::Prometheus);
    aggregate.forget_silent(EVENING.plus(MEMORY).plus(DurationMs(1)));
    stored.take(&mut aggregate);
    assert!(stored.rows.keys().all(|(table, _)| *table == Table::Series));
    assert_eq!(stored.restore().render(EVENING.plus(LATER), Format::Prometheus), before);
}

#[test]
fn only_what_changed_is_written_again() {
    let mut aggregate = merged(&[delta_of(1, &[full()])]);
    assert_eq!(aggregate.changes(), aggregate.changes(), "asking changes nothing");
    aggregate.stored();
    assert!(aggregate.changes().is_empty());
    let mut registry = isolate(2);
    registry.count_lease_call(CallResult::Ok);
    registry.cut(EVENING);
    aggregate.merge(&deltas(&registry)[0], EVENING);
    let keys: Vec<_> = aggregate.changes().put.into_iter().map(|row| row.key).collect();
    let isolate = IsolateId::new(2).to_string();
    assert_eq!(keys, [r#"tollhouse_lease_calls_total["ok"]"#.to_owned(), isolate]);
}

#[test]
fn rows_of_another_version_are_handed_back_and_the_rest_is_read() {
    let row =
        |table, key: &str, value: &str| Row { table, key: key.to_owned(), value: value.to_owned() };
    let broken = vec![
        row(Table::Series, r#"tollhouse_gone_total["a"]"#, "1"),
        row(Table::Series, r#"tollhouse_lease_calls_total["a","b"]"#, "1"),
        row(Table::Series, "tollhouse_lease_calls_total", "1"),
        row(Table::Series, r#"tollhouse_lease_calls_total["ok"]"#, "-1"),
        row(Table::Series, r#"tollhouse_overhead_seconds["a","b"]"#, "[1,2]"),
        row(Table::Series, "tollhouse_isolates[]", "1"),
        row(Table::Isolates, "not an id", "{}"),
    ];
    let good = row(Table::Series, r#"tollhouse_lease_calls_total["ok"]"#, "5");
    let restored = Aggregate::restore(broken.iter().cloned().chain([good]));
    assert_eq!(restored.unread, broken);
    let text = restored.aggregate.render(EVENING, Format::Prometheus);
    assert!(text.contains("tollhouse_lease_calls_total{result=\"ok\"} 5\n"), "{text}");
}

#[test]
fn a_family_of_a_newer_version_is_left_out_and_said_so() {
    let bytes = delta_of(1, &[full()]).encode();
    let text = String::from_utf8(bytes).unwrap();
    let newer = text.replace("tollhouse_fallbacks_total", "tollhouse_newer_total");
    let delta = Delta::decode(newer.as_bytes()).unwrap();
    assert_eq!(delta.skipped(), 1);
    let exposed = merged(&[delta]).render(EVENING, Format::Prometheus);
    assert!(exposed.contains("tollhouse_requests_total{") && !exposed.contains("fallbacks"));
}

#[test]
fn a_broken_delta_is_refused_whole() {
    let text = String::from_utf8(delta_of(1, &[full()]).encode()).unwrap();
    let decode = |text: String| Delta::decode(text.as_bytes());
    assert!(matches!(decode(text[..text.len() - 9].to_owned()), Err(DeltaError::Json(_))));
    let version = text.replace(r#"{"v":1"#, r#"{"v":2"#);
    assert!(matches!(decode(version), Err(DeltaError::Version { found: 2 })));
    let isolate = text.replace(&IsolateId::new(1).to_string(), "one");
    assert!(matches!(decode(isolate), Err(DeltaError::Isolate)));
    let names = text.replacen(r#""names":["","#, r#""names":["#, 1);
    assert!(matches!(decode(names), Err(DeltaError::Name { .. })));
}

#[test]
fn above_the_cap_series_are_counted_as_other() {
    let mut registry = isolate(1);
    for number in 0..MAX_SERIES + 5 {
        registry.observe(&Record { key: Some(key(&format!("key-{number}"))), ..full() });
    }
    registry.cut(EVENING);
    let text = merged(&deltas(&registry)).render(EVENING, Format::Prometheus);
    let cost: BTreeSet<_> =
        text.lines().filter(|line| line.starts_with("tollhouse_cost_usd_total{")).collect();
    assert_eq!(cost.len(), MAX_SERIES + 1);
    let other = r#"tollhouse_cost_usd_total{model="other",key="other",target="other"} 0.000750"#;
    assert!(cost.contains(other));
}

#[test]
fn a_clock_at_the_epoch_does_no_harm() {
    let mut registry = isolate(1);
    registry.observe(&full());
    registry.cut(UnixMs(0));
    assert_eq!(merged(&[]).merge(&deltas(&registry)[0], UnixMs(0)), Merged::Counted);
}
