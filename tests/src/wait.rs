//! Waiting for what another process does.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Looks until `holds`, for a generous while.
///
/// # Panics
/// When it never does; `what` is named.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < until, "{what} did not come true");
        thread::sleep(Duration::from_millis(100));
    }
}
