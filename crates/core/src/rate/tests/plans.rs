//! The words that tests are written in: limits, calls to come, what the network does, what is allowed.

use crate::{
    config::valid::{GatewayLimits, RateLimits, Unreachable},
    units::{DurationMs, Tokens},
};

/// The life of leases in these tests.
pub(in crate::rate) const LIFE: DurationMs = DurationMs(10_000);

pub(in crate::rate) fn policy(on_unreachable: Unreachable) -> GatewayLimits {
    GatewayLimits { max_body_bytes: 1 << 20, lease: LIFE, on_unreachable }
}

pub(in crate::rate) fn limits(requests: u64, tokens: u64) -> RateLimits {
    RateLimits { requests_per_minute: Some(requests), tokens_per_minute: Some(Tokens(tokens)) }
}

pub(in crate::rate) fn requests(a_minute: u64) -> RateLimits {
    RateLimits { requests_per_minute: Some(a_minute), tokens_per_minute: None }
}

pub(in crate::rate) fn tokens(a_minute: u64) -> RateLimits {
    RateLimits { requests_per_minute: None, tokens_per_minute: Some(Tokens(a_minute)) }
}

/// What becomes of messages that are sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rate) enum Fate {
    /// Both ways take this many milliseconds.
    Arrives(u64, u64),
    /// The object never sees it; the isolate is told after a while.
    Lost,
    /// The object acts on it and the answer is lost; the isolate is told after a while.
    AnswerLost(u64),
    /// The object acts on it and whoever asked has gone; the isolate is told so.
    AskerGone(u64),
    /// The object acts on it and nobody ever tells the isolate anything.
    Silence(u64),
}

/// A call to come.
#[derive(Debug, Clone, Copy)]
pub(in crate::rate) struct Plan {
    pub(in crate::rate) isolate: usize,
    pub(in crate::rate) key: usize,
    pub(in crate::rate) model: usize,
    /// `None` for a cache hit.
    pub(in crate::rate) tokens: Option<Usage>,
}

/// What a call reserves and uses.
#[derive(Debug, Clone, Copy)]
pub(in crate::rate) struct Usage {
    pub(in crate::rate) reserve: u64,
    /// `None` when its isolate forgets to settle.
    pub(in crate::rate) actual: Option<u64>,
    pub(in crate::rate) takes: u64,
}

/// Something admitted: when, and how much.
pub(in crate::rate) type Admitted = (u64, u64);

/// Asserts that no window, of whatever length, saw more than the limit and its refill, the refill of
/// `error` milliseconds included.
pub(in crate::rate) fn assert_no_window_exceeds(
    limit: u64,
    admitted: &[Admitted],
    error: u64,
    bucket: &str,
) {
    // The level of an ideal bucket must never be below zero: one pass for all windows.
    let mut level = limit * (60_000 + error);
    let full = level;
    let mut last = 0;
    for (at, amount) in admitted {
        level = full.min(level + limit * (at - last));
        last = *at;
        assert!(
            amount * 60_000 <= level,
            "{bucket}: {amount} at {at}, of {level} sixty-thousandths at {limit} a minute"
        );
        level -= amount * 60_000;
    }
}
