//! May this request be answered from the cache, and may its answer be kept?
//!
//! The configuration decides, then the nature of the request, and the caller has the last word:
//! `cache-control: no-store` bypasses, `no-cache` asks anew and keeps the answer, and
//! `tollhouse-cache-ttl` asks for caching where the request's nature would speak against it.

use super::entry::Entry;
use crate::{
    config::valid::CachePolicy,
    http::CacheWish,
    record::CacheResult,
    units::{DurationMs, UnixMs},
};

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Whether a kept answer may be used.
    pub reads: bool,
    /// Whether the answer is kept.
    pub writes: bool,
    /// For how long.
    pub ttl: DurationMs,
    /// What the caller is told, unless a kept answer is found.
    pub result: CacheResult,
}

impl Plan {
    /// Whether a kept answer may be used: one that is not older than it may become, nor older than
    /// this request would have its own answer become.
    pub fn accepts(&self, entry: &Entry, now: UnixMs) -> bool {
        self.reads && entry.is_fresh(now) && now.since(entry.stored_at) < self.ttl
    }
}

/// What a request is like, as far as caching is concerned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nature {
    /// How much chance there is in its answer: its temperature, 0 for embeddings, and infinite where
    /// no target takes a temperature.
    pub temperature: f64,
    /// Whether it offers tools.
    pub tools: bool,
}

/// Decides for a request of this nature, under the caller's wish and its own TTL if it named one.
pub fn plan(
    policy: &CachePolicy,
    nature: Nature,
    wish: CacheWish,
    asked: Option<DurationMs>,
) -> Plan {
    let ttl = asked.unwrap_or(policy.ttl);
    let plan = |reads, writes, result| Plan { reads, writes, ttl, result };
    // Warm answers differ each time, and tools answer for a moment in the world.
    let settled = nature.temperature <= policy.max_temperature && (policy.tools || !nature.tools);
    if !policy.enabled || !(settled || asked.is_some()) {
        return plan(false, false, CacheResult::Bypass);
    }
    match wish {
        CacheWish::Normal => plan(true, true, CacheResult::Miss),
        CacheWish::Refresh => plan(false, true, CacheResult::Refresh),
        CacheWish::Bypass => plan(false, false, CacheResult::Bypass),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cache::entry::Body, config::valid::CacheScope};

    const POLICY: CachePolicy = CachePolicy {
        enabled: true,
        ttl: DurationMs(300_000),
        scope: CacheScope::Key,
        max_temperature: 0.3,
        tools: false,
    };
    const COOL: Nature = Nature { temperature: 0.1, tools: false };
    const WARM: Nature = Nature { temperature: 0.9, tools: true };
    const ASKED: Option<DurationMs> = Some(DurationMs(5000));

    #[test]
    fn cool_requests_are_kept_and_warm_ones_only_when_asked() {
        assert_eq!(plan(&POLICY, COOL, CacheWish::Normal, None).result, CacheResult::Miss);
        assert_eq!(plan(&POLICY, WARM, CacheWish::Normal, None).result, CacheResult::Bypass);
        let warm = plan(&POLICY, WARM, CacheWish::Normal, ASKED);
        assert_eq!((warm.result, warm.ttl), (CacheResult::Miss, DurationMs(5000)));
    }

    #[test]
    fn the_caller_may_refresh_or_stay_out() {
        let refresh = plan(&POLICY, COOL, CacheWish::Refresh, None);
        assert_eq!((refresh.reads, refresh.writes), (false, true));
        let out = plan(&POLICY, COOL, CacheWish::Bypass, None);
        assert_eq!((out.reads, out.writes), (false, false));
    }

    #[test]
    fn an_answer_older_than_the_caller_would_keep_its_own_is_not_used() {
        let entry = Entry {
            target: String::new(),
            content_type: String::new(),
            body: Body::Whole(vec![]),
            usage: None,
            stored_at: UnixMs(0),
            ttl: DurationMs(60_000),
        };
        let accepts =
            |wish, asked, now| plan(&POLICY, COOL, wish, asked).accepts(&entry, UnixMs(now));
        assert!(accepts(CacheWish::Normal, None, 59_999));
        assert!(!accepts(CacheWish::Normal, None, 60_000));
        assert!(accepts(CacheWish::Normal, ASKED, 4999));
        assert!(!accepts(CacheWish::Normal, ASKED, 5000));
        assert!(!accepts(CacheWish::Refresh, None, 0));
    }

    #[test]
    fn what_the_configuration_forbids_no_caller_can_ask_for() {
        let off = CachePolicy { enabled: false, ..POLICY };
        assert_eq!(plan(&off, COOL, CacheWish::Normal, ASKED).result, CacheResult::Bypass);
    }
}
