//! Records for tests: a small gateway with two models, and any request to it.

use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;

use super::{
    Attempt, BreakerEvent, BreakerState, CacheResult, ColdStart, Endpoint, GuardAction,
    GuardDecision, GuardEvidence, GuardStage, LimitDecision, LimitScope, LimitVerdict,
    LimitedResource, Placing, Record, RequestId, Stage, Timings, TraceId,
};
use crate::{
    config::valid::{
        self, Bounds, CachePolicy, CacheScope, CallerKey, DeprecationPolicy, Dialect, MockPolicy,
        Model, ModelAccess, Params, Placement, Prefill, Provider, ProviderKind, RateLimits,
        Recovery, RetryPolicy, Target, Template, Timeouts, Variant,
    },
    placement::{Verdict, cascade::Why},
    price::Usage,
    refusal::Code,
    units::{DurationMs, MicroUsd, Tokens, UnixMs},
};

/// 22 November 2026, 22:51:07.042 UTC.
pub(crate) const EVENING: UnixMs = UnixMs(1_795_387_867_042);

pub(crate) fn key(id: &str) -> Arc<CallerKey> {
    Arc::new(CallerKey {
        id: id.to_owned(),
        digest: [0; 32],
        models: ModelAccess::All,
        limits: RateLimits::default(),
        model_limits: BTreeMap::new(),
        budget: None,
        team: None,
        expires: None,
    })
}

pub(crate) fn target(provider: &str, model: &str) -> Arc<Target> {
    Arc::new(Target {
        id: format!("{provider}/{model}"),
        provider: Arc::new(Provider {
            name: provider.to_owned(),
            kind: ProviderKind::Mock(MockPolicy::default()),
            placement: Placement::Api,
            pool: valid::Pool::default(),
        }),
        model: model.to_owned(),
        weight: 1,
        price: None,
        dialect: Dialect {
            max_completion_tokens: false,
            sampling: true,
            stream_usage: true,
            prefill: Prefill::None,
            context: None,
        },
        retirement: None,
        tensors: valid::Tensors::default(),
        replicas: vec![],
        replica_of: None,
    })
}

pub(crate) fn model(name: &str) -> Arc<Model> {
    let second = DurationMs::from_secs(1);
    Arc::new(Model {
        name: name.to_owned(),
        strategy: valid::Strategy::Ordered,
        targets: vec![target("openai", "gpt-4o-mini")],
        fallback: None,
        params: Params { temperature: 0.1, max_tokens: 500, top_p: 1.0 },
        bounds: Bounds { temperature: (0.0, 2.0), max_tokens: (1, 4096), top_p: (0.0, 1.0) },
        retry: RetryPolicy {
            max_attempts: 3,
            base_delay: second,
            max_delay: second,
            max_retry_after: second,
            statuses: vec![],
            budget: 0.2,
        },
        timeout: Timeouts {
            connect: second,
            first_token: second,
            reply: second,
            idle: second,
            total: second,
        },
        cache: CachePolicy {
            enabled: true,
            ttl: second,
            scope: CacheScope::Key,
            max_temperature: 1.0,
            tools: false,
        },
        limits: RateLimits::default(),
        budget: None,
        deprecated: DeprecationPolicy::Allow,
        recovery: Recovery::Continue,
        guards: vec![],
        edge: None,
    })
}

pub(crate) fn variant(experiment: &str, name: &str) -> Arc<Variant> {
    Arc::new(Variant {
        experiment: experiment.to_owned(),
        name: name.to_owned(),
        id: format!("{experiment}/{name}"),
        version: "0a1b2c3d".to_owned(),
        share: 500_000,
        model: model("fast"),
        template: Template::default(),
        settings: vec![("temperature".to_owned(), "0.7".to_owned())],
    })
}

/// A stream that fell over to a second target: a record in which nothing is empty.
pub(crate) fn full() -> Record {
    let (first, second) = (target("openai", "gpt-4o-mini"), target("gpu", "llama-3-8b"));
    let mut record = Record::new(RequestId::new(0x2a), EVENING, Endpoint::ChatCompletions);
    record.trace = Some(TraceId::new(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c));
    record.key = Some(key("team-a"));
    record.model = Some(model("fast"));
    record.variant = Some(variant("tone", "warm"));
    record.target = Some(Arc::clone(&second));
    record.attempts = vec![
        Attempt {
            target: Arc::clone(&first),
            began: EVENING.plus(DurationMs(3)),
            status: Some(503),
            failure: Some(Code::UpstreamError),
            took: DurationMs(120),
            first_chunk: None,
            usage: None,
            cost: None,
        },
        Attempt {
            target: second,
            began: EVENING.plus(DurationMs(130)),
            status: Some(200),
            failure: Some(Code::StreamInterrupted),
            took: DurationMs(900),
            first_chunk: Some(DurationMs(45)),
            usage: None,
            cost: None,
        },
    ];
    record.fallback = true;
    record.stage = Stage::Provider;
    record.cache = CacheResult::Miss;
    record.streamed = true;
    record.status = 200;
    record.code = Some(Code::StreamInterrupted);
    record.usage = Some(Usage {
        prompt: Tokens(1000),
        cached: Tokens(400),
        cache_write: Tokens(100),
        completion: Tokens(50),
        reasoning: Tokens(20),
        estimated: false,
    });
    record.cost = Some(MicroUsd(150));
    record.reserved = Tokens(1500);
    record.settled = Tokens(1050);
    record.timings = Timings {
        total: DurationMs(1325),
        upstream: DurationMs(1020),
        backoff: DurationMs(300),
        first_token: Some(DurationMs(470)),
    };
    record.breaker_events =
        vec![BreakerEvent { target: first, at: EVENING, state: BreakerState::Open }];
    let waited = DurationMs(300);
    let target = record.attempts[1].target.clone();
    record.cold_starts = vec![ColdStart { target, waited, started: true }];
    record.limits =
        [LimitScope::Key, LimitScope::Model, LimitScope::KeyAndModel].map(admitted).into();
    record.guards = vec![GuardDecision {
        guard: "prompt-injection".into(),
        stage: GuardStage::Input,
        label: "safe".into(),
        action: GuardAction::Pass,
        evidence: Some(GuardEvidence {
            model: "3f5a0c9d1e2b".into(),
            calibration: "2026-11-23".into(),
            score: 120_000,
            threshold: 910_000,
        }),
    }];
    let placed = |place, why, texts, saved| Placing {
        classifier: "prompt-injection".into(),
        place,
        why,
        texts,
        saved,
    };
    record.placements =
        vec![placed(Verdict::Edge, None, 2, 2), placed(Verdict::Gpu, Some(Why::Uncertain), 1, 0)];
    (record.bytes_in, record.bytes_out, record.client_left) = (512, 2048, true);
    record
}

fn admitted(scope: LimitScope) -> LimitDecision {
    LimitDecision { scope, resource: LimitedResource::Tokens, verdict: LimitVerdict::Admitted }
}

/// Any request to the small gateway, within two days of [`EVENING`].
pub(crate) fn any_record() -> impl Strategy<Value = Record> {
    let who = (prop::option::of(0_usize..3), prop::option::of(0_usize..2), 0_usize..12);
    let how = (any_cache(), prop::option::of(any_code()), 200_u16..210, any::<bool>());
    let spent = (prop::option::of(any_usage()), prop::option::of(0_u64..5000));
    let times = (0_u64..100_000, 0_u64..50_000, prop::option::of(0_u64..12_000));
    let attempts = prop::collection::vec((0_usize..3, prop::option::of(any_code())), 0..4);
    let breakers = prop::collection::vec((0_usize..3, 0_usize..3, 0_u64..9), 0..2);
    let parts = (who, how, spent, times, attempts, breakers, 0_u64..172_800_000);
    parts.prop_map(|(who, how, spent, times, attempts, breakers, late)| {
        let started = EVENING.plus(DurationMs(late));
        let mut record = Record::new(RequestId::new(1), started, Endpoint::ALL[who.2]);
        let targets =
            [target("openai", "gpt-4o-mini"), target("gpu", "llama-3-8b"), target("mock", "m")];
        record.key = who.0.map(|number| key(["team-a", "team-b", "ops"][number]));
        record.model = who.1.map(|number| model(["fast", "smart \"\\\n"][number]));
        (record.cache, record.code, record.status, record.client_left) = how;
        record.usage = spent.0;
        record.cost = spent.1.map(MicroUsd);
        let (total, upstream, first_token) = times;
        record.timings = Timings {
            total: DurationMs(total),
            upstream: DurationMs(upstream),
            backoff: DurationMs(3),
            first_token: first_token.map(DurationMs),
        };
        record.attempts = attempts
            .into_iter()
            .map(|(number, failure)| Attempt {
                target: Arc::clone(&targets[number]),
                began: EVENING,
                status: None,
                failure,
                took: DurationMs(upstream),
                first_chunk: first_token.map(DurationMs),
                usage: None,
                cost: None,
            })
            .collect();
        record.target = record.attempts.last().map(|attempt| Arc::clone(&attempt.target));
        record.breaker_events = breakers
            .into_iter()
            .map(|(number, state, after)| BreakerEvent {
                target: Arc::clone(&targets[number]),
                at: started.plus(DurationMs(after)),
                state: BreakerState::ALL[state],
            })
            .collect();
        (record.bytes_in, record.bytes_out) = (total, upstream);
        record
    })
}

fn any_cache() -> impl Strategy<Value = CacheResult> {
    use CacheResult::{Bypass, Hit, Miss, None, Refresh};
    prop::sample::select(vec![Hit, Miss, Bypass, Refresh, None])
}

fn any_code() -> impl Strategy<Value = Code> {
    prop::sample::select(vec![Code::UpstreamError, Code::RateLimitExceeded, Code::Internal])
}

fn any_usage() -> impl Strategy<Value = Usage> {
    (0_u64..200_000, 0_u64..100, 0_u64..5000, any::<bool>()).prop_map(
        |(prompt, cached, completion, estimated)| Usage {
            prompt: Tokens(prompt),
            cached: Tokens(cached),
            cache_write: Tokens(0),
            completion: Tokens(completion),
            reasoning: Tokens(completion / 3),
            estimated,
        },
    )
}
