use serde_json::Value;

use super::{CacheResult, Endpoint, Record, RequestId, Timings, log_line, sample};
use crate::units::{DurationMs, MicroUsd};

fn read(record: &Record) -> Value {
    serde_json::from_str(&log_line(record)).unwrap()
}

#[test]
fn the_line_of_a_request_in_which_everything_happened() {
    insta::assert_snapshot!(log_line(&sample::full()).replace(",\"", ",\n\""));
}

#[test]
fn it_is_one_line_and_money_is_exact() {
    let line = log_line(&sample::full());
    assert!(!line.contains('\n'));
    assert!(line.contains(r#""cost_usd":0.000150,"#), "{line}");
}

#[test]
fn a_request_refused_at_the_door_has_a_line_without_names() {
    let mut record = Record::new(RequestId::new(1), sample::EVENING, Endpoint::Unknown);
    record.status = 404;
    let line = read(&record);
    for absent in ["key", "model", "target", "code", "usage", "cost_usd", "trace_id"] {
        assert_eq!(line[absent], Value::Null, "{absent}");
    }
    assert_eq!(line["time"], "2026-11-22T22:51:07.042Z");
}

#[test]
fn a_cache_hit_bills_nothing_whatever_the_stored_reply_reports() {
    let hit = Record { cache: CacheResult::Hit, ..sample::full() };
    assert_eq!((hit.billed(), hit.billed_cost(), hit.is_unpriced()), (None, None, false));
    assert_eq!(read(&hit)["cost_usd"], Value::Null);
}

#[test]
fn a_usage_without_a_cost_is_unpriced_and_not_free() {
    let unpriced = Record { cost: None, ..sample::full() };
    assert!(unpriced.is_unpriced() && unpriced.billed_cost().is_none());
    let free = Record { cost: Some(MicroUsd(0)), ..sample::full() };
    assert!(!free.is_unpriced());
}

#[test]
fn overhead_is_neither_the_provider_s_time_nor_rest_and_never_negative() {
    let timings = Timings {
        total: DurationMs(100),
        upstream: DurationMs(70),
        backoff: DurationMs(20),
        first_token: None,
    };
    assert_eq!(timings.overhead(), DurationMs(10));
    assert_eq!(Timings { total: DurationMs(50), ..timings }.overhead(), DurationMs(0));
}
