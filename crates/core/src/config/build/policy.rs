//! What `[defaults]` and models say alike: parameters, bounds, retries, timeouts, cache, limits.

use super::{Site, caller::rate_limits};
use crate::{
    config::{
        problem::Rule,
        raw::{
            Pair, RawBounds, RawCache, RawConfig, RawDefaults, RawModel, RawParams, RawRateLimits,
            RawRetry, RawTimeout, Real, Status,
        },
        tree::Path,
        valid::{
            Bounds, CachePolicy, DeprecationPolicy, Params, RateLimits, Recovery, RetryPolicy,
            Timeouts,
        },
    },
    units::DurationMs,
};

/// What both say, as written.
pub(super) struct Written<'a> {
    params: Option<&'a RawParams>,
    bounds: Option<&'a RawBounds>,
    retry: Option<&'a RawRetry>,
    timeout: Option<&'a RawTimeout>,
    cache: Option<&'a RawCache>,
    limits: Option<&'a RawRateLimits>,
    deprecated: Option<DeprecationPolicy>,
    recovery: Option<Recovery>,
}

/// What both say, checked.
pub(super) struct Policies {
    pub(super) params: Params,
    pub(super) bounds: Bounds,
    pub(super) retry: RetryPolicy,
    pub(super) timeout: Timeouts,
    pub(super) cache: CachePolicy,
    pub(super) limits: RateLimits,
    pub(super) deprecated: DeprecationPolicy,
    pub(super) recovery: Recovery,
}

impl<'a> From<&'a RawDefaults> for Written<'a> {
    fn from(raw: &'a RawDefaults) -> Self {
        let RawDefaults { params, bounds, retry, timeout, cache, limits, deprecated, recovery } =
            raw;
        Self {
            params: params.as_ref(),
            bounds: bounds.as_ref(),
            retry: retry.as_ref(),
            timeout: timeout.as_ref(),
            cache: cache.as_ref(),
            limits: limits.as_ref(),
            deprecated: *deprecated,
            recovery: *recovery,
        }
    }
}

impl<'a> From<&'a RawModel> for Written<'a> {
    fn from(raw: &'a RawModel) -> Self {
        Self {
            params: raw.params.as_ref(),
            bounds: raw.bounds.as_ref(),
            retry: raw.retry.as_ref(),
            timeout: raw.timeout.as_ref(),
            cache: raw.cache.as_ref(),
            limits: raw.limits.as_ref(),
            deprecated: raw.deprecated,
            recovery: raw.recovery,
        }
    }
}

impl Site<'_> {
    /// Checks `[defaults]` even where no model inherits them.
    pub(super) fn check_defaults(&self, raw: &RawConfig) {
        if let Some(defaults) = &raw.defaults {
            self.policies(&Written::from(defaults), &Path::Root.key("defaults"));
        }
    }

    pub(super) fn policies(&self, written: &Written<'_>, at: &Path<'_>) -> Option<Policies> {
        let params = written.params.and_then(params);
        let bounds = written.bounds.and_then(|raw| self.bounds(raw, &at.key("bounds")));
        let retry = written.retry.and_then(|raw| self.retry(raw, &at.key("retry")));
        let timeout = written.timeout.and_then(|raw| self.timeouts(raw, &at.key("timeout")));
        let cache = written.cache.and_then(|raw| self.cache(raw, &at.key("cache")));
        if let (Some(params), Some(bounds)) = (&params, &bounds) {
            self.check_defaults_in_bounds(params, bounds, at);
        }
        Some(Policies {
            params: params?,
            bounds: bounds?,
            retry: retry?,
            timeout: timeout?,
            cache: cache?,
            limits: written.limits.map(rate_limits)?,
            deprecated: written.deprecated?,
            recovery: written.recovery?,
        })
    }

    fn bounds(&self, raw: &RawBounds, at: &Path<'_>) -> Option<Bounds> {
        let real = |Pair(low, high): Pair<Real<0, 2>>| (low.0, high.0);
        let temperature = raw.temperature.map(real);
        let top_p = raw.top_p.map(|Pair(low, high)| (low.0, high.0));
        let max_tokens = raw.max_tokens.map(|Pair(low, high)| (low.0, high.0));
        self.check_ends(temperature, &at.key("temperature"));
        self.check_ends(max_tokens, &at.key("max_tokens"));
        self.check_ends(top_p, &at.key("top_p"));
        Some(Bounds { temperature: temperature?, max_tokens: max_tokens?, top_p: top_p? })
    }

    pub(super) fn check_ends<T: PartialOrd + std::fmt::Display>(
        &self,
        ends: Option<(T, T)>,
        at: &Path<'_>,
    ) {
        if let Some((low, high)) = ends
            && low > high
        {
            let message = format!("the lowest, {low}, is above the highest, {high}");
            self.report(at, Rule::InvertedRange, message, format!("write `[{high}, {low}]`"));
        }
    }

    pub(super) fn check_defaults_in_bounds(&self, params: &Params, bounds: &Bounds, at: &Path<'_>) {
        let Params { temperature, max_tokens, top_p } = params;
        self.check_inside("temperature", *temperature, bounds.temperature, at);
        self.check_inside("max_tokens", *max_tokens, bounds.max_tokens, at);
        self.check_inside("top_p", *top_p, bounds.top_p, at);
    }

    fn check_inside<T>(&self, key: &str, default: T, (low, high): (T, T), at: &Path<'_>)
    where
        T: Copy + PartialOrd + std::fmt::Display,
    {
        // Inverted ends have been reported as such.
        if low <= default && default <= high || low > high {
            return;
        }
        let message =
            format!("the default `{key}`, {default}, is outside the bounds, {low} to {high}");
        let help = format!("set `params.{key}` within the bounds, or widen `bounds.{key}`");
        let (params, bounds) = (at.key("params"), at.key("bounds"));
        self.report(
            &self.nearer(params.key(key), bounds.key(key)),
            Rule::DefaultOutsideBounds,
            message,
            help,
        );
    }

    /// The first of two places, unless only the second was written.
    fn nearer<'p>(&self, first: Path<'p>, second: Path<'p>) -> Path<'p> {
        if !self.notes.is_written(&first) && self.notes.is_written(&second) {
            second
        } else {
            first
        }
    }

    fn retry(&self, raw: &RawRetry, at: &Path<'_>) -> Option<RetryPolicy> {
        if let (Some(base), Some(max)) = (raw.base_delay_ms, raw.max_delay_ms)
            && base.0 > max.0
        {
            let message = format!(
                "the first delay's ceiling, {} ms, is above every delay's, {} ms",
                base.0, max.0
            );
            let place = self.nearer(at.key("base_delay_ms"), at.key("max_delay_ms"));
            self.report(&place, Rule::InvertedRange, message, "raise `max_delay_ms`");
        }
        let statuses = raw.statuses.as_ref()?;
        let at = at.key("statuses");
        let mut built: Vec<u16> = Vec::new();
        for (index, status) in statuses.iter() {
            match *status {
                Status::One(status @ (408 | 409 | 429 | 500..=599)) => built.push(status),
                Status::Class(5) => built.extend(500..=599),
                Status::One(status) => self.refuse_status(&status.to_string(), &at.index(index)),
                Status::Class(class) => self.refuse_status(&format!("{class}xx"), &at.index(index)),
            }
        }
        built.sort_unstable();
        built.dedup();
        Some(RetryPolicy {
            max_attempts: u32::try_from(raw.max_attempts?.0).ok()?,
            base_delay: DurationMs(raw.base_delay_ms?.0),
            max_delay: DurationMs(raw.max_delay_ms?.0),
            max_retry_after: DurationMs(raw.max_retry_after_ms?.0),
            statuses: built,
            budget: raw.budget?.0,
        })
    }

    fn refuse_status(&self, status: &str, at: &Path<'_>) {
        let message = format!("a second attempt does not mend a {status}");
        let help = "of statuses, 408, 409, 429 and 500 to 599 (`\"5xx\"`) can be retried";
        self.report(at, Rule::RetryStatus, message, help);
    }

    fn timeouts(&self, raw: &RawTimeout, at: &Path<'_>) -> Option<Timeouts> {
        let parts = [
            ("connect_ms", raw.connect_ms, "first_token_ms", raw.first_token_ms),
            ("first_token_ms", raw.first_token_ms, "total_ms", raw.total_ms),
        ];
        for (part, part_ms, whole, whole_ms) in parts {
            if let (Some(part_ms), Some(whole_ms)) = (part_ms, whole_ms)
                && part_ms.0 > whole_ms.0
            {
                let message =
                    format!("`{part}` is {}, above `{whole}`, which is {}", part_ms.0, whole_ms.0);
                let place = self.nearer(at.key(part), at.key(whole));
                self.report(
                    &place,
                    Rule::TimeoutOrder,
                    message,
                    format!("raise `{whole}` or lower `{part}`"),
                );
            }
        }
        let (idle, total) = (raw.idle_ms?, raw.total_ms?);
        if idle.0 > total.0 {
            let message = format!(
                "`idle_ms` is {} and never runs out before `total_ms`, {}",
                idle.0, total.0
            );
            let place = self.nearer(at.key("idle_ms"), at.key("total_ms"));
            self.report(&place, Rule::NoEffect, message, "lower `idle_ms`");
        }
        Some(Timeouts {
            connect: DurationMs(raw.connect_ms?.0),
            first_token: DurationMs(raw.first_token_ms?.0),
            reply: DurationMs(raw.reply_ms?.0),
            idle: DurationMs(idle.0),
            total: DurationMs(total.0),
        })
    }

    fn cache(&self, raw: &RawCache, at: &Path<'_>) -> Option<CachePolicy> {
        let enabled = raw.enabled?;
        let ttl = raw.ttl_seconds?.0;
        if enabled && ttl < 60 {
            let message = format!("`ttl_seconds` is {ttl}, and KV keeps nothing for less than 60");
            let help = "write 60 or more, or `enabled = false`";
            self.report(&at.key("ttl_seconds"), Rule::ShortTtl, message, help);
        }
        Some(CachePolicy {
            enabled,
            ttl: DurationMs::from_secs(ttl),
            scope: raw.scope?,
            max_temperature: raw.max_temperature?.0,
            tools: raw.tools?,
        })
    }
}

fn params(raw: &RawParams) -> Option<Params> {
    Some(Params {
        temperature: raw.temperature?.0,
        max_tokens: raw.max_tokens?.0,
        top_p: raw.top_p?.0,
    })
}
