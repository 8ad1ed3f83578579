//! What one [`Record`] adds to the counts. This runs once a request and builds no text.

use super::{
    family::Family,
    names::{NameId, Names},
    store::Store,
};
use crate::{
    config::valid::{Target, Variant},
    ledger::{Counts, Day, Slot, Usages},
    price::Usage,
    record::{Aside, Attempt, Bill, CacheResult, LimitScope, Record},
    refusal::Code,
};

/// Where an isolate counts.
#[derive(Debug)]
pub(super) struct Counting {
    pub(super) names: Names,
    pub(super) store: Store,
    pub(super) usage: Usages,
}

/// The labels that most families share, as numbers.
#[derive(Clone, Copy)]
struct Labels {
    endpoint: NameId,
    model: NameId,
    key: NameId,
    target: NameId,
    cache: NameId,
}

/// OpenTelemetry's labels of one operation; absent where no model is called.
#[derive(Clone, Copy)]
struct Operation {
    name: NameId,
    provider: NameId,
    request_model: NameId,
    response_model: NameId,
}

impl Counting {
    pub(super) fn new() -> Self {
        Self { names: Names::new(), store: Store::default(), usage: Usages::default() }
    }

    /// Counts everything that `record` says.
    pub(super) fn observe(&mut self, record: &Record) {
        let labels = self.labels(record);
        self.count_request(record, labels);
        self.count_times(record, labels);
        self.count_usage(record, labels);
        self.count_attempts(record, labels);
        for aside in &record.asides {
            self.count_aside(aside, labels.key, Day::of(record.started));
        }
        self.count_decisions(record, labels);
        if let Some(variant) = record.variant.as_deref() {
            self.count_variant(record, variant, labels);
        }
        if record.endpoint.operation().is_some() {
            let Labels { key, model, target, .. } = labels;
            let day = Day::of(record.started);
            let slot = Slot { day, key, model, target };
            self.usage.entry(slot).or_default().add(&Counts::of(record));
            for bill in record.bills() {
                let slot = Slot { day, key, model, target: self.target(&bill) };
                self.usage.entry(slot).or_default().add(&Counts::of_bill(&bill));
            }
        }
    }

    /// Adds one to the counter of `family` whose only label has this value.
    pub(super) fn count_event(&mut self, family: Family, value: &str) {
        let value = self.names.id(value);
        self.store.add(family, &[value], 1);
    }

    fn labels(&mut self, record: &Record) -> Labels {
        let names = &mut self.names;
        let mut optional = |text: Option<&str>| text.map_or(NameId::ABSENT, |text| names.id(text));
        let key = optional(record.key.as_deref().map(|key| key.id.as_str()));
        let model = optional(record.model.as_deref().map(|model| model.name.as_str()));
        let target = optional(record.target.as_deref().map(|target| target.id.as_str()));
        let endpoint = names.id(record.endpoint.name());
        let cache = names.id(record.cache.name());
        Labels { endpoint, model, key, target, cache }
    }

    fn count_request(&mut self, record: &Record, labels: Labels) {
        let Labels { endpoint, model, key, .. } = labels;
        let status = self.names.status(record.status);
        let code = self.code(record.code);
        self.store.add(Family::Requests, &[endpoint, model, key, status, code], 1);
        if let Some(failure) = record.code {
            let fault = self.names.id(failure.facts().fault.name());
            self.store.add(Family::Errors, &[endpoint, model, code, fault], 1);
        }
        self.store.add(Family::ClientsLeft, &[endpoint, model], record.client_left.into());
        self.store.add(Family::BytesIn, &[endpoint], record.bytes_in);
        self.store.add(Family::BytesOut, &[endpoint], record.bytes_out);
    }

    fn count_times(&mut self, record: &Record, labels: Labels) {
        let Labels { endpoint, model, target, cache, .. } = labels;
        let timings = record.timings;
        self.store.observe(Family::RequestDuration, &[endpoint, model, cache], timings.total.0);
        self.store.observe(Family::Overhead, &[endpoint, cache], timings.overhead().0);
        if let Some(wait) = timings.first_token {
            self.store.observe(Family::FirstToken, &[model, target], wait.0);
        }
    }

    fn count_usage(&mut self, record: &Record, labels: Labels) {
        for bill in record.bills() {
            self.count_bill(&bill, labels.model, labels.key);
        }
        let Some(usage) = record.billed() else { return };
        // The conventions want reported tokens or none.
        if !usage.estimated {
            self.observe_tokens(record, labels, usage);
        }
    }

    fn count_bill(&mut self, bill: &Bill<'_>, model: NameId, key: NameId) {
        let target = self.target(bill);
        for (kind, tokens) in disjoint(bill.usage) {
            if tokens > 0 {
                let kind = self.names.id(kind);
                self.store.add(Family::Tokens, &[model, key, target, kind], tokens);
            }
        }
        let cost = bill.cost.unwrap_or_default();
        self.store.add(Family::Cost, &[model, key, target], cost.0);
        self.store.add(Family::Unpriced, &[model, key, target], bill.cost.is_none().into());
        self.store.add(Family::Estimated, &[model, target], bill.usage.estimated.into());
    }

    /// A call on the gateway's own account is one of its own model, and none of the caller's requests.
    fn count_aside(&mut self, aside: &Aside, key: NameId, day: Day) {
        let Aside { model, attempt } = aside;
        let (model, target) = (self.names.id(&model.name), self.names.id(&attempt.target.id));
        let code = self.code(attempt.failure);
        self.store.add(Family::Attempts, &[target, code], 1);
        let slot = Slot { day, key, model, target };
        self.usage.entry(slot).or_default().add(&Counts::of_aside(aside));
        if let Some(bill) = aside.bill() {
            self.count_bill(&bill, model, key);
            self.usage.entry(slot).or_default().add(&Counts::of_bill(&bill));
        }
    }

    fn target(&mut self, bill: &Bill<'_>) -> NameId {
        bill.target.map_or(NameId::ABSENT, |target| self.names.id(&target.id))
    }

    fn observe_tokens(&mut self, record: &Record, labels: Labels, usage: Usage) {
        let Some(target) = record.target.as_deref() else { return };
        let Some(operation) = self.operation(record, labels, target) else { return };
        let Operation { name, provider, request_model, response_model } = operation;
        for (kind, tokens) in [("input", usage.prompt), ("output", usage.completion)] {
            let kind = self.names.id(kind);
            let labels = [name, provider, request_model, response_model, kind];
            self.store.observe(Family::GenAiTokens, &labels, tokens.0);
        }
    }

    fn count_attempts(&mut self, record: &Record, labels: Labels) {
        let mut attempts = record.attempts.iter().peekable();
        while let Some(attempt) = attempts.next() {
            let target = self.names.id(&attempt.target.id);
            let code = self.code(attempt.failure);
            self.store.add(Family::Attempts, &[target, code], 1);
            if attempts.peek().is_some() {
                self.store.add(Family::Retries, &[labels.model, target, code], 1);
            }
            self.observe_attempt(record, labels, attempt, code);
        }
        let fell = record.fallback.into();
        self.store.add(Family::Fallbacks, &[labels.model, labels.target], fell);
    }

    fn observe_attempt(
        &mut self,
        record: &Record,
        labels: Labels,
        attempt: &Attempt,
        code: NameId,
    ) {
        let Some(operation) = self.operation(record, labels, &attempt.target) else { return };
        let Operation { name, provider, request_model, response_model } = operation;
        let labels = [name, provider, request_model, response_model, code];
        self.store.observe(Family::GenAiDuration, &labels, attempt.took.0);
        if let Some(wait) = attempt.first_chunk {
            let labels = [name, provider, request_model, response_model];
            self.store.observe(Family::GenAiFirstChunk, &labels, wait.0);
        }
    }

    fn count_decisions(&mut self, record: &Record, labels: Labels) {
        let Labels { endpoint, model, key, cache, .. } = labels;
        if record.cache != CacheResult::None {
            self.store.add(Family::CacheResults, &[endpoint, model, cache], 1);
        }
        for limit in &record.limits {
            let parts = [limit.scope.name(), limit.resource.name(), limit.verdict.name()];
            let [scope, resource, verdict] = parts.map(|part| self.names.id(part));
            let (key, model) = match limit.scope {
                LimitScope::Key | LimitScope::Team => (key, NameId::ABSENT),
                LimitScope::Model => (NameId::ABSENT, model),
                LimitScope::KeyAndModel => (key, model),
            };
            self.store.add(Family::LimitDecisions, &[key, model, scope, resource, verdict], 1);
        }
        for guard in &record.guards {
            let parts = [&*guard.guard, guard.stage.name(), &guard.label, guard.action.name()];
            let [guard, stage, label, action] = parts.map(|part| self.names.id(part));
            self.store.add(Family::GuardDecisions, &[model, guard, stage, label, action], 1);
        }
        for start in &record.cold_starts {
            let parts = [start.target.provider.name.as_str(), start.result()];
            let labels = parts.map(|part| self.names.id(part));
            self.store.observe(Family::ColdStarts, &labels, start.waited.0);
        }
        for placing in &record.placements {
            let why = placing.why.map_or(NameId::ABSENT, |why| self.names.id(why.name()));
            let parts = [&*placing.classifier, placing.place.name()];
            let [classifier, place] = parts.map(|part| self.names.id(part));
            self.store.add(Family::PlacedTexts, &[classifier, place, why], placing.texts);
            self.store.add(Family::SavedCalls, &[classifier], placing.saved);
        }
        for event in &record.breaker_events {
            let parts = [event.target.id.as_str(), event.state.name()];
            let labels = parts.map(|part| self.names.id(part));
            self.store.add(Family::BreakerTransitions, &labels, 1);
        }
    }

    fn count_variant(&mut self, record: &Record, variant: &Variant, labels: Labels) {
        let (name, version) = (self.names.id(&variant.id), self.names.id(&variant.version));
        let code = self.code(record.code);
        self.store.add(Family::VariantRequests, &[name, version, labels.cache, code], 1);
        let timings = record.timings;
        self.store.observe(Family::VariantDuration, &[name, version], timings.total.0);
        if let Some(wait) = timings.first_token {
            self.store.observe(Family::VariantFirstToken, &[name, version], wait.0);
        }
        for bill in record.bills() {
            for (kind, tokens) in disjoint(bill.usage) {
                let kind = self.names.id(kind);
                self.store.add(Family::VariantTokens, &[name, version, kind], tokens);
            }
            let cost = bill.cost.unwrap_or_default();
            self.store.add(Family::VariantCost, &[name, version], cost.0);
            self.store.add(Family::VariantUnpriced, &[name, version], bill.cost.is_none().into());
        }
        for decision in &record.guards {
            let judge = match &decision.evidence {
                Some(evidence) => self.names.id(&evidence.judge()),
                None => NameId::ABSENT,
            };
            let parts = [&*decision.guard, decision.action.name()];
            let [guard, action] = parts.map(|part| self.names.id(part));
            self.store.add(Family::VariantGuards, &[name, version, guard, action, judge], 1);
        }
    }

    fn operation(&mut self, record: &Record, labels: Labels, target: &Target) -> Option<Operation> {
        let name = self.names.id(record.endpoint.operation()?);
        let provider = self.names.id(&target.provider.name);
        let response_model = self.names.id(&target.model);
        Some(Operation { name, provider, request_model: labels.model, response_model })
    }

    fn code(&mut self, code: Option<Code>) -> NameId {
        code.map_or(NameId::ABSENT, |code| self.names.id(code.name()))
    }
}

/// Tokens by types that do not overlap.
fn disjoint(usage: Usage) -> [(&'static str, u64); 5] {
    let plain = usage.prompt.saturating_sub(usage.cached).saturating_sub(usage.cache_write);
    [
        ("input", plain.0),
        ("cached_input", usage.cached.0),
        ("cache_write", usage.cache_write.0),
        ("output", usage.completion.saturating_sub(usage.reasoning).0),
        ("reasoning", usage.reasoning.0),
    ]
}
