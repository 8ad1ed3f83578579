//! `[defaults]`, and what a model may set in their place.

use super::{List, Pair, RawRateLimits, Real, Status, Whole};
use crate::config::valid::{CacheScope, DeprecationPolicy, Recovery};

raw! {
    /// What every model inherits, key by key.
    RawDefaults {
        /// Filled in where the caller is silent.
        params: RawParams,
        /// What callers may ask for.
        bounds: RawBounds,
        /// How failures are retried.
        retry: RawRetry,
        /// How long things may take.
        timeout: RawTimeout,
        /// What is cached.
        cache: RawCache,
        /// What all callers together may use of one model.
        limits: RawRateLimits,
        /// What happens to a model past its retirement date.
        deprecated: DeprecationPolicy,
        /// What happens when a stream breaks after a part of its answer was sent.
        recovery: Recovery,
    }
}

raw! {
    /// Sampling parameters filled in where the caller is silent.
    RawParams {
        /// How much chance plays a part.
        temperature: Real<0, 2>,
        /// The most tokens of an answer.
        max_tokens: Whole<1, 10_000_000>,
        /// The share of likely tokens that is sampled from.
        top_p: Real<0, 1>,
    }
}

raw! {
    /// Inclusive bounds on what a caller may ask for, as `[lowest, highest]`.
    RawBounds {
        /// Bounds of `temperature`.
        temperature: Pair<Real<0, 2>>,
        /// Bounds of `max_tokens`; the upper one may be raised to what the provider's model can give.
        max_tokens: Pair<Whole<1, 10_000_000>>,
        /// Bounds of `top_p`.
        top_p: Pair<Real<0, 1>>,
    }
}

raw! {
    /// How failures are retried: exponential backoff with full jitter.
    RawRetry {
        /// Attempts in all, over every target.
        max_attempts: Whole<1, 10>,
        /// The first delay's ceiling, in milliseconds.
        base_delay_ms: Whole<1, 600_000>,
        /// Every delay's ceiling, in milliseconds.
        max_delay_ms: Whole<1, 600_000>,
        /// The longest `retry-after` that is waited for, in milliseconds; above it the next target is asked at once.
        max_retry_after_ms: Whole<0, 600_000>,
        /// Which statuses are retried: of 408, 409, 429 and 500 to 599; `"5xx"` is all of those.
        statuses: List<Status>,
        /// Retries as a share of requests, so that an outage does not multiply load.
        budget: Real<0, 1>,
    }
}

raw! {
    /// How long things may take, in milliseconds.
    #[expect(clippy::struct_field_names, reason = "the unit belongs to the keys")]
    RawTimeout {
        /// Until a connection is made.
        connect_ms: Whole<1, 3_600_000>,
        /// Until the first event of a stream.
        first_token_ms: Whole<1, 3_600_000>,
        /// Until the first byte of a reply that is not streamed; such a reply comes when all of it is made.
        reply_ms: Whole<1, 3_600_000>,
        /// Between two chunks.
        idle_ms: Whole<1, 3_600_000>,
        /// The whole request, retries included.
        total_ms: Whole<1, 3_600_000>,
    }
}

raw! {
    /// What is cached.
    RawCache {
        /// Whether replies are cached.
        enabled: bool,
        /// How long a reply is kept, in seconds: KV keeps nothing for less than 60.
        #[cfg_attr(feature = "schema", schemars(extend("minimum" = 60)))]
        ttl_seconds: Whole<0, 31_536_000>,
        /// Who shares replies.
        scope: CacheScope,
        /// Requests above this temperature are cached only when the caller asks.
        max_temperature: Real<0, 2>,
        /// Whether requests with tools are cached unasked.
        tools: bool,
    }
}
