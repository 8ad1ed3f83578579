//! Models that tests speak of by name.

use std::sync::Arc;

use crate::config::valid::{
    Bounds, CachePolicy, CacheScope, DeprecationPolicy, Dialect, MockPolicy, Model, Params,
    Placement, Prefill, Provider, ProviderKind, RateLimits, Recovery, RetryPolicy, Strategy,
    Target, Timeouts,
};
use crate::units::DurationMs;

/// What OpenAI's chat models take.
pub(crate) const PLAIN: Dialect = Dialect {
    max_completion_tokens: false,
    sampling: true,
    stream_usage: true,
    prefill: Prefill::None,
    context: None,
};
/// What its reasoning models take.
pub(crate) const REASONING: Dialect =
    Dialect { max_completion_tokens: true, sampling: false, ..PLAIN };
/// What an old server takes.
pub(crate) const OLD: Dialect = Dialect { stream_usage: false, ..PLAIN };

/// A target `test/{model}`.
pub(crate) fn target(model: &str, dialect: Dialect) -> Target {
    let provider = Provider {
        name: "test".to_owned(),
        kind: ProviderKind::Mock(MockPolicy::default()),
        placement: Placement::Edge,
        pool: crate::config::valid::Pool::default(),
    };
    Target {
        id: format!("test/{model}"),
        provider: Arc::new(provider),
        model: model.to_owned(),
        weight: 1,
        price: None,
        dialect,
        retirement: None,
        tensors: crate::config::valid::Tensors::default(),
        replicas: vec![],
        replica_of: None,
    }
}

/// A model with the defaults and bounds of the standard.
pub(crate) fn model(name: &str, dialects: &[Dialect]) -> Model {
    let targets = dialects.iter().map(|dialect| Arc::new(target("there", *dialect)));
    Model {
        name: name.to_owned(),
        strategy: Strategy::Ordered,
        targets: targets.collect(),
        fallback: None,
        params: Params { temperature: 0.1, max_tokens: 500, top_p: 1.0 },
        bounds: Bounds { temperature: (0.0, 2.0), max_tokens: (1, 4096), top_p: (0.0, 1.0) },
        retry: RetryPolicy {
            max_attempts: 3,
            base_delay: DurationMs(500),
            max_delay: DurationMs(8000),
            max_retry_after: DurationMs(10_000),
            statuses: vec![],
            budget: 0.2,
        },
        timeout: Timeouts {
            connect: DurationMs(5000),
            first_token: DurationMs(10_000),
            reply: DurationMs(30_000),
            idle: DurationMs(15_000),
            total: DurationMs(60_000),
        },
        cache: CachePolicy {
            enabled: true,
            ttl: DurationMs(300_000),
            scope: CacheScope::Key,
            max_temperature: 0.3,
            tools: false,
        },
        limits: RateLimits::default(),
        budget: None,
        deprecated: DeprecationPolicy::Warn,
        recovery: Recovery::Continue,
        guards: vec![],
        edge: None,
    }
}
