//! Where a call's buckets stand, for the `x-ratelimit-…` headers.

use super::{Resource, holding::Holding, subject::Draw};
use crate::units::{DurationMs, UnixMs};

/// The tightest bucket of each kind; `None` where no limit applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Of those that count requests.
    pub requests: Option<Level>,
    /// Of those that count tokens.
    pub tokens: Option<Level>,
}

/// How one bucket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// Its limit, in requests or tokens a minute.
    pub limit: u64,
    /// What is left: what this isolate holds of it and what the object had when it last answered,
    /// with the refill since. Other isolates' use shows with the next answer.
    pub remaining: u64,
    /// How long until it is full again if nobody calls.
    pub reset: DurationMs,
}

impl Level {
    /// How the bucket stands that `draw` names; one that nobody has asked for is full.
    pub(super) fn of(draw: &Draw, holding: Option<&Holding>, now: UnixMs) -> Self {
        let limit = draw.limit.0;
        let remaining = holding.map_or(limit, |holding| holding.remaining(now).min(limit));
        Self { limit, remaining, reset: refill(limit - remaining, limit) }
    }

    /// The one that a caller will run into first.
    pub(super) fn tighter(self, other: Self) -> Self {
        let key = |level: Self| (level.remaining, std::cmp::Reverse(level.reset));
        if key(other) < key(self) { other } else { self }
    }
}

impl Standing {
    pub(super) fn with(self, resource: Resource, level: Option<Level>) -> Self {
        match resource {
            Resource::Requests => Self { requests: level, ..self },
            Resource::Tokens => Self { tokens: level, ..self },
        }
    }
}

/// The time that `missing` pieces take at `limit` a minute, rounded up.
fn refill(missing: u64, limit: u64) -> DurationMs {
    let ms = (u128::from(missing) * 60_000).div_ceil(u128::from(limit.max(1)));
    DurationMs(u64::try_from(ms).unwrap_or(u64::MAX))
}
