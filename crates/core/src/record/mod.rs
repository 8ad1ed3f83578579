//! What is known about one finished request: the only source of metrics, ledger and log.
//!
//! A [`Record`] names keys, models and targets by their configured entries, never by what the caller
//! wrote. So a label or a log line can hold no text of the caller's: no secret sent as a model name,
//! and no more series than the configuration has names. Lengths are in milliseconds and bytes.

mod decisions;
mod endpoint;
mod failure;
mod ids;
mod log;
mod stage;

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use decisions::{
    BreakerEvent, BreakerState, ColdStart, GuardAction, GuardDecision, GuardEvidence, GuardStage,
    LimitDecision, LimitScope, LimitVerdict, LimitedResource, Placing,
};
pub use endpoint::Endpoint;
pub use failure::{Failure, Failures};
pub(crate) use ids::hex;
pub use ids::{RequestId, TraceId};
pub use log::log_line;
pub(crate) use log::rfc3339;
pub use stage::Stage;

use crate::{
    config::valid::{CallerKey, Model, Target, Variant},
    price::Usage,
    refusal::Code,
    units::{DurationMs, MicroUsd, Tokens, UnixMs},
};

/// Everything known about one finished request.
#[derive(Debug, Clone)]
pub struct Record {
    /// Our own id of the request, as the caller reads it in `x-request-id`.
    pub id: RequestId,
    /// The caller's trace, where `traceparent` was valid.
    pub trace: Option<TraceId>,
    /// The caller's span in that trace.
    pub caller_span: Option<CallerSpan>,
    /// When the request arrived; its UTC day is the day it is booked on.
    pub started: UnixMs,
    /// What was asked for.
    pub endpoint: Endpoint,
    /// The last stage that it came to: a request that failed, failed there.
    pub stage: Stage,
    /// The caller; `None` before authentication and in `open` mode.
    pub key: Option<Arc<CallerKey>>,
    /// The configured model that was asked for; `None` where the name is not configured.
    pub model: Option<Arc<Model>>,
    /// The variant of the model's experiment that was dealt to the caller.
    pub variant: Option<Arc<Variant>>,
    /// The target whose answer the caller got, cached or fresh; else the one tried last.
    pub target: Option<Arc<Target>>,
    /// Every call to a provider, in order.
    pub attempts: Vec<Attempt>,
    /// Calls to models that the gateway made on its own account: what guards and classifiers asked.
    pub asides: Vec<Aside>,
    /// Whether another target answered than the one first chosen.
    pub fallback: bool,
    /// What the cache did.
    pub cache: CacheResult,
    /// Whether the caller asked for a stream.
    pub streamed: bool,
    /// The HTTP status that the caller got; 499 where it left before one.
    pub status: u16,
    /// Why the request failed, also where a stream broke after its status 200.
    pub code: Option<Code>,
    /// What the provider will bill; `None` where no provider was called.
    pub usage: Option<Usage>,
    /// What `usage` costs; `None` beside a usage is an unknown cost.
    pub cost: Option<MicroUsd>,
    /// Tokens set aside from the caller's limits before the call.
    pub reserved: Tokens,
    /// Tokens finally taken from them.
    pub settled: Tokens,
    /// How long things took.
    pub timings: Timings,
    /// What happened to circuit breakers on the way.
    pub breaker_events: Vec<BreakerEvent>,
    /// Pools that were waited for.
    pub cold_starts: Vec<ColdStart>,
    /// What the limits said.
    pub limits: Vec<LimitDecision>,
    /// What the guards said.
    pub guards: Vec<GuardDecision>,
    /// Where classifiers judged, for those whose placement is configured.
    pub placements: Vec<Placing>,
    /// Length of the caller's body.
    pub bytes_in: u64,
    /// Length of the body sent to the caller.
    pub bytes_out: u64,
    /// Whether the caller left before the end.
    pub client_left: bool,
}

/// The caller's span, as its `traceparent` named it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallerSpan {
    /// Its id, never zero.
    pub id: u64,
    /// Whether the caller records the trace.
    pub sampled: bool,
}

/// One call to a provider.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Where it went.
    pub target: Arc<Target>,
    /// When it began.
    pub began: UnixMs,
    /// The provider's HTTP status, where there was one.
    pub status: Option<u16>,
    /// Why it failed; `None` is success.
    pub failure: Option<Code>,
    /// From the call to the last byte of its answer, or to its failure.
    pub took: DurationMs,
    /// From the call to the first chunk; streams only.
    pub first_chunk: Option<DurationMs>,
    /// What the provider will bill for it; `None` where it gave no part of an answer.
    pub usage: Option<Usage>,
    /// What `usage` costs; `None` beside a usage is an unknown cost.
    pub cost: Option<MicroUsd>,
}

/// A call that the gateway made on its own account. It is booked on its own model's name, and no caller's
/// limit or budget is charged for it: who configured it pays.
#[derive(Debug, Clone)]
pub struct Aside {
    /// The model that was asked, as the configuration names it.
    pub model: Arc<Model>,
    /// The call.
    pub attempt: Attempt,
}

/// What one provider will bill for one attempt.
#[derive(Debug, Clone, Copy)]
pub struct Bill<'a> {
    /// Where it was used.
    pub target: Option<&'a Arc<Target>>,
    /// What was used.
    pub usage: Usage,
    /// What that costs; `None` is unknown.
    pub cost: Option<MicroUsd>,
}

/// What the cache did, as the caller reads it in `tollhouse-cache`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CacheResult {
    /// Answered from the cache.
    Hit,
    /// Looked up, not found.
    Miss,
    /// Not looked up, by the configuration, the request's nature or the caller's wish.
    Bypass,
    /// Not looked up, but stored anew, by the caller's wish.
    Refresh,
    /// The request never came that far, or has no cache.
    None,
}

/// How long a request took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timings {
    /// From arrival to the last byte handed to the caller.
    pub total: DurationMs,
    /// Of this, spent waiting for providers, all attempts together.
    pub upstream: DurationMs,
    /// Of this, spent resting between attempts.
    pub backoff: DurationMs,
    /// From arrival to the first chunk handed to the caller; streams only.
    pub first_token: Option<DurationMs>,
}

impl Record {
    /// A request of which nothing is known yet but that it arrived.
    pub fn new(id: RequestId, started: UnixMs, endpoint: Endpoint) -> Self {
        Self {
            id,
            trace: None,
            caller_span: None,
            started,
            endpoint,
            stage: Stage::Authenticate,
            key: None,
            model: None,
            variant: None,
            target: None,
            attempts: Vec::new(),
            asides: Vec::new(),
            fallback: false,
            cache: CacheResult::None,
            streamed: false,
            status: 0,
            code: None,
            usage: None,
            cost: None,
            reserved: Tokens(0),
            settled: Tokens(0),
            timings: Timings::default(),
            breaker_events: Vec::new(),
            cold_starts: Vec::new(),
            limits: Vec::new(),
            guards: Vec::new(),
            placements: Vec::new(),
            bytes_in: 0,
            bytes_out: 0,
            client_left: false,
        }
    }

    /// Notes what the last attempt's provider will bill, and adds it to what the request has used.
    pub fn bill(&mut self, usage: Usage) {
        let Some(attempt) = self.attempts.last_mut() else { return };
        attempt.usage = Some(usage);
        attempt.cost = attempt.target.price.map(|price| price.cost(usage));
        self.cost = match self.usage {
            None => attempt.cost,
            Some(_) => self.cost.zip(attempt.cost).map(|(before, now)| before.saturating_add(now)),
        };
        self.usage = Some(self.usage.unwrap_or_default().plus(usage));
    }

    /// The last attempt's answer ended at `now`.
    pub fn lasted(&mut self, now: UnixMs) {
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.took = now.since(attempt.began);
        }
    }

    /// What each provider will bill. There are several where one target went on with the answer of
    /// another.
    pub fn bills(&self) -> Vec<Bill<'_>> {
        let Some(usage) = self.billed() else { return Vec::new() };
        let bills = self.attempts.iter().filter_map(|attempt| {
            let Attempt { target, usage, cost, .. } = attempt;
            usage.map(|usage| Bill { target: Some(target), usage, cost: *cost })
        });
        let bills: Vec<_> = bills.collect();
        if bills.len() > 1 {
            return bills;
        }
        vec![Bill { target: self.target.as_ref(), usage, cost: self.cost }]
    }

    /// What a provider will bill; nothing on a cache hit, whatever the stored reply reports.
    pub fn billed(&self) -> Option<Usage> {
        self.usage.filter(|_| self.cache != CacheResult::Hit)
    }

    /// The cost of what is billed; `None` beside a [`Self::billed`] usage is an unknown cost.
    pub fn billed_cost(&self) -> Option<MicroUsd> {
        self.billed().and(self.cost)
    }

    /// Whether tokens were used whose price is not known.
    pub fn is_unpriced(&self) -> bool {
        self.billed().is_some() && self.cost.is_none()
    }

    /// How many calls to providers followed a failed one.
    pub fn retries(&self) -> usize {
        self.attempts.len().saturating_sub(1)
    }
}

impl Aside {
    /// What the provider will bill for it.
    pub fn bill(&self) -> Option<Bill<'_>> {
        let Attempt { target, usage, cost, .. } = &self.attempt;
        usage.map(|usage| Bill { target: Some(target), usage, cost: *cost })
    }
}

impl Timings {
    /// Our own share: limits, cache, guards, reading and writing. Time on the CPU is not seen where
    /// the clock stands still during it, as in Workers.
    pub const fn overhead(self) -> DurationMs {
        self.total.saturating_sub(self.upstream).saturating_sub(self.backoff)
    }
}

impl CacheResult {
    /// The value of the header, the label and the log's field.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Bypass => "bypass",
            Self::Refresh => "refresh",
            Self::None => "none",
        }
    }
}
