//! Waiting for what another process does.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Looks until `holds`, for a generous while.
///
/// # Panics
/// When it never does; `what` is named.
pub fn eventually(what: &str, holds: impl FnMut() -> bool) {
    eventually_within(Duration::from_secs(30), what, holds);
}

/// Looks until `holds`, for at most `length`.
///
/// # Panics
/// When it never does; `what` is named.
pub fn eventually_within(length: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + length;
    while !holds() {
        assert!(Instant::now() < until, "{what} did not come true");
        thread::sleep(Duration::from_millis(100));
    }
}
