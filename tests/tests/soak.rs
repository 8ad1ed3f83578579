//! A short soak: faults, streams and vanishing callers, and every account of them agrees.
//!
//! Whether memory is flat takes minutes to see: `cargo xtask soak`.

use std::time::Duration;

use tollhouse_tests::soak::{Plan, run};

#[test]
fn after_twenty_seconds_of_faults_nothing_is_missing_and_nothing_is_held_back() {
    let plan = Plan {
        length: Duration::from_secs(20),
        callers: 60,
        isolates: 2,
        interval: Duration::from_secs(5),
    };
    let outcome = run(plan).unwrap();
    assert!(outcome.problems.is_empty(), "{:#?}\n{}", outcome.problems, outcome.table);
    let served = outcome.table.line_of("requests");
    assert!(served > 1000, "only {served} calls were made");
}
