//! The table of everything that is counted: name, kind, unit, labels and help of each family.
//!
//! Names follow Prometheus' habits (base units, `_total` on counters) and, for `gen_ai_…`, its
//! translation of OpenTelemetry's GenAI conventions. In those, `gen_ai_request_model` is the name the
//! caller used and `gen_ai_response_model` the provider's model it led to.

use super::buckets;

/// What is counted together: one metric name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each variant is described in `facts`, where the README reads it")]
pub enum Family {
    Requests,
    Errors,
    ClientsLeft,
    InFlight,
    RequestDuration,
    FirstToken,
    Overhead,
    BytesIn,
    BytesOut,
    Tokens,
    Cost,
    Unpriced,
    Estimated,
    Attempts,
    Retries,
    Fallbacks,
    BreakerTransitions,
    BreakerStates,
    ColdStarts,
    ReplicasReady,
    ReplicasWaiting,
    CacheResults,
    LimitDecisions,
    LeaseCalls,
    GuardDecisions,
    /// Texts by where they were judged.
    PlacedTexts,
    /// Calls to the GPU that were not needed.
    SavedCalls,
    VariantRequests,
    VariantDuration,
    VariantFirstToken,
    VariantTokens,
    VariantCost,
    VariantUnpriced,
    VariantGuards,
    Feedback,
    BudgetLimits,
    BudgetSpent,
    ConfigLoads,
    ConfigIsolates,
    LedgerCalls,
    Isolates,
    Build,
    GenAiDuration,
    GenAiFirstChunk,
    GenAiTokens,
}

/// What is fixed about a [`Family`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The metric's name; counters end in `_total`.
    pub name: &'static str,
    /// How its values behave.
    pub kind: Kind,
    /// What is counted.
    pub unit: Unit,
    /// Label names, at most six; a label without a value is left out.
    pub labels: &'static [&'static str],
    /// One sentence for `# HELP` and the README.
    pub help: &'static str,
}

/// How a family's values behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// A state, added up over the isolates that reported it lately.
    Gauge,
    /// Counts by size; the boundaries are inclusive upper ends in the counted integers.
    Histogram(&'static [u64]),
}

/// What a family's integers are, and how they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things; written as they are.
    None,
    /// Milliseconds; written as seconds.
    Seconds,
    /// Bytes; written as they are.
    Bytes,
    /// Micro-dollars; written as US dollars.
    Usd,
}

/// The most labels that a family has.
pub(crate) const MAX_LABELS: usize = 6;

impl Family {
    /// Every family, in the order of the exposition.
    pub const ALL: [Self; 45] = [
        Self::Requests,
        Self::Errors,
        Self::ClientsLeft,
        Self::InFlight,
        Self::RequestDuration,
        Self::FirstToken,
        Self::Overhead,
        Self::BytesIn,
        Self::BytesOut,
        Self::Tokens,
        Self::Cost,
        Self::Unpriced,
        Self::Estimated,
        Self::Attempts,
        Self::Retries,
        Self::Fallbacks,
        Self::BreakerTransitions,
        Self::BreakerStates,
        Self::ColdStarts,
        Self::ReplicasReady,
        Self::ReplicasWaiting,
        Self::CacheResults,
        Self::LimitDecisions,
        Self::LeaseCalls,
        Self::GuardDecisions,
        Self::PlacedTexts,
        Self::SavedCalls,
        Self::VariantRequests,
        Self::VariantDuration,
        Self::VariantFirstToken,
        Self::VariantTokens,
        Self::VariantCost,
        Self::VariantUnpriced,
        Self::VariantGuards,
        Self::Feedback,
        Self::BudgetLimits,
        Self::BudgetSpent,
        Self::ConfigLoads,
        Self::ConfigIsolates,
        Self::LedgerCalls,
        Self::Isolates,
        Self::Build,
        Self::GenAiDuration,
        Self::GenAiFirstChunk,
        Self::GenAiTokens,
    ];

    /// Name, kind, unit, labels and help.
    #[rustfmt::skip]
    pub const fn facts(self) -> Facts {
        use Kind::{Counter, Gauge, Histogram};
        use Unit::{Bytes, None, Seconds, Usd};
        let (name, kind, unit, labels, help): (_, _, _, &'static [&'static str], _) = match self {
            Self::Requests => ("tollhouse_requests_total", Counter, None, &["endpoint", "model", "key", "status", "code"], "Requests answered; code is absent where all went well."),
            Self::Errors => ("tollhouse_errors_total", Counter, None, &["endpoint", "model", "code", "fault"], "Requests that failed, by error code and by who can mend it (caller, provider, operator)."),
            Self::ClientsLeft => ("tollhouse_clients_left_total", Counter, None, &["endpoint", "model"], "Requests whose caller left before the end of the answer."),
            Self::InFlight => ("tollhouse_requests_in_flight", Gauge, None, &[], "Requests being served, over the isolates that reported lately."),
            Self::RequestDuration => ("tollhouse_request_duration_seconds", Histogram(buckets::OPERATION_MS), Seconds, &["endpoint", "model", "cache"], "From arrival to the last byte handed to the caller."),
            Self::FirstToken => ("tollhouse_time_to_first_token_seconds", Histogram(buckets::FIRST_TOKEN_MS), Seconds, &["model", "target"], "From arrival to the first chunk handed to the caller; streams only."),
            Self::Overhead => ("tollhouse_overhead_seconds", Histogram(buckets::OVERHEAD_MS), Seconds, &["endpoint", "cache"], "The gateway's own share of a request: neither waiting for providers nor resting between attempts."),
            Self::BytesIn => ("tollhouse_received_bytes_total", Counter, Bytes, &["endpoint"], "Bytes of request bodies."),
            Self::BytesOut => ("tollhouse_sent_bytes_total", Counter, Bytes, &["endpoint"], "Bytes of reply bodies."),
            Self::Tokens => ("tollhouse_tokens_total", Counter, None, &["model", "key", "target", "type"], "Tokens billed by providers; types do not overlap, so their sum is the total."),
            Self::Cost => ("tollhouse_cost_usd_total", Counter, Usd, &["model", "key", "target"], "Cost of tokens whose price is known, in US dollars."),
            Self::Unpriced => ("tollhouse_unpriced_requests_total", Counter, None, &["model", "key", "target"], "Requests whose cost is unknown because the target has no price."),
            Self::Estimated => ("tollhouse_estimated_usage_requests_total", Counter, None, &["model", "target"], "Requests to providers that reported no usage, so that tokens and cost are estimates."),
            Self::Attempts => ("tollhouse_attempts_total", Counter, None, &["target", "code"], "Calls to providers; code is absent where they succeeded."),
            Self::Retries => ("tollhouse_retries_total", Counter, None, &["model", "target", "code"], "Calls made because the one before failed, by the target and the error of the one that failed."),
            Self::Fallbacks => ("tollhouse_fallbacks_total", Counter, None, &["model", "target"], "Requests that ended at another target than the one first chosen."),
            Self::BreakerTransitions => ("tollhouse_breaker_transitions_total", Counter, None, &["target", "state"], "Times a circuit breaker entered a state."),
            Self::BreakerStates => ("tollhouse_breaker_isolates", Gauge, None, &["target", "state"], "Isolates that hold a target's circuit breaker in a state; breakers that never moved are not reported."),
            Self::ColdStarts => ("tollhouse_cold_start_wait_seconds", Histogram(buckets::OPERATION_MS), Seconds, &["provider", "result"], "How long calls waited for a pool of which no server was there or each answered 503, by how that ended (started, given_up)."),
            Self::ReplicasReady => ("tollhouse_replica_ready", Gauge, None, &["provider", "replica"], "1 where a replica that is asked says that it is ready, else 0."),
            Self::ReplicasWaiting => ("tollhouse_replica_waiting_requests", Gauge, None, &["provider", "replica"], "Requests that wait at a replica, by its own metrics; absent where those do not say."),
            Self::CacheResults => ("tollhouse_cache_results_total", Counter, None, &["endpoint", "model", "result"], "Requests by what the cache did (hit, miss, bypass, refresh)."),
            Self::LimitDecisions => ("tollhouse_limit_decisions_total", Counter, None, &["key", "model", "scope", "resource", "verdict"], "What limits said (admitted, refused, unchecked), by whose limit it is: of one key, of its team, of one model, or of key and model."),
            Self::LeaseCalls => ("tollhouse_lease_calls_total", Counter, None, &["result"], "Calls of isolates to the limiter (ok, failed)."),
            Self::GuardDecisions => ("tollhouse_guard_decisions_total", Counter, None, &["model", "guard", "stage", "label", "action"], "What guards said of texts, and what followed."),
            Self::PlacedTexts => ("tollhouse_placed_texts_total", Counter, None, &["classifier", "place", "reason"], "Texts judged at the edge or on the GPU; reason is absent where the edge was sure."),
            Self::SavedCalls => ("tollhouse_saved_gpu_calls_total", Counter, None, &["classifier"], "Texts that the edge judged for sure, so that no GPU was asked."),
            Self::VariantRequests => ("tollhouse_variant_requests_total", Counter, None, &["variant", "version", "cache", "code"], "Requests for which a variant of an experiment was dealt; version changes with what the variant does."),
            Self::VariantDuration => ("tollhouse_variant_request_duration_seconds", Histogram(buckets::OPERATION_MS), Seconds, &["variant", "version"], "From arrival to the last byte handed to the caller, by variant; cache hits are in it."),
            Self::VariantFirstToken => ("tollhouse_variant_time_to_first_token_seconds", Histogram(buckets::FIRST_TOKEN_MS), Seconds, &["variant", "version"], "From arrival to the first chunk handed to the caller, by variant; streams only."),
            Self::VariantTokens => ("tollhouse_variant_tokens_total", Counter, None, &["variant", "version", "type"], "Tokens billed by providers, by variant; types do not overlap."),
            Self::VariantCost => ("tollhouse_variant_cost_usd_total", Counter, Usd, &["variant", "version"], "Cost of tokens whose price is known, by variant, in US dollars."),
            Self::VariantUnpriced => ("tollhouse_variant_unpriced_requests_total", Counter, None, &["variant", "version"], "Requests of a variant whose cost is unknown because the target has no price."),
            Self::VariantGuards => ("tollhouse_variant_guard_decisions_total", Counter, None, &["variant", "version", "guard", "action", "judge"], "What guards did to a variant's texts; judge is the classifier's digest, its calibration and the threshold."),
            Self::Feedback => ("tollhouse_feedback", Gauge, None, &["model", "variant", "version", "kind", "value"], "Answers that callers have spoken of, by what they said (rating, label, score to the tenth); who changes their mind counts once."),
            Self::BudgetLimits => ("tollhouse_budget_limit_usd", Gauge, Usd, &["scope", "name", "period"], "What a key, team or model may spend in a period, in US dollars."),
            Self::BudgetSpent => ("tollhouse_budget_spent_usd", Gauge, Usd, &["scope", "name", "period"], "What calls under a budget have cost in its current period, in US dollars; calls that still run are not in it."),
            Self::ConfigLoads => ("tollhouse_config_loads_total", Counter, None, &["result"], "Configurations that isolates read (loaded, rejected)."),
            Self::ConfigIsolates => ("tollhouse_config_isolates", Gauge, None, &["digest"], "Isolates that run a configuration, by the first 12 digits of its digest."),
            Self::LedgerCalls => ("tollhouse_ledger_calls_total", Counter, None, &["result"], "Calls of isolates to the ledger (ok, failed)."),
            Self::Isolates => ("tollhouse_isolates", Gauge, None, &[], "Isolates that reported lately."),
            Self::Build => ("tollhouse_build_info", Gauge, None, &["version"], "The version that wrote this text; always 1."),
            Self::GenAiDuration => ("gen_ai_client_operation_duration_seconds", Histogram(buckets::OPERATION_MS), Seconds, &["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "gen_ai_response_model", "error_type"], "GenAI operation duration: one call to a provider."),
            Self::GenAiFirstChunk => ("gen_ai_client_operation_time_to_first_chunk_seconds", Histogram(buckets::OPERATION_MS), Seconds, &["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "gen_ai_response_model"], "Time from a call to a provider to the first chunk of its stream."),
            Self::GenAiTokens => ("gen_ai_client_token_usage", Histogram(buckets::TOKENS), None, &["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "gen_ai_response_model", "gen_ai_token_type"], "Tokens of one operation as the provider reported them; input includes cached and output includes reasoning tokens."),
        };
        Facts { name, kind, unit, labels, help }
    }

    /// The inclusive upper boundaries of a histogram, in the counted integers; `None` for others.
    pub const fn boundaries(self) -> Option<&'static [u64]> {
        match self.facts().kind {
            Kind::Histogram(boundaries) => Some(boundaries),
            Kind::Counter | Kind::Gauge => None,
        }
    }

    /// The family of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.facts().name == name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_family_has_a_name_of_its_own_and_is_found_by_it() {
        let names: BTreeSet<_> = Family::ALL.iter().map(|family| family.facts().name).collect();
        assert_eq!(names.len(), Family::ALL.len());
        assert!(
            Family::ALL.iter().all(|family| Family::named(family.facts().name) == Some(*family))
        );
    }

    #[test]
    fn the_order_of_the_table_is_the_order_of_the_variants() {
        assert!(Family::ALL.is_sorted());
    }

    #[test]
    fn names_say_what_kind_and_unit_they_are() {
        for facts in Family::ALL.map(Family::facts) {
            let counts = facts.kind == Kind::Counter;
            assert_eq!(facts.name.ends_with("_total"), counts, "{}", facts.name);
            let bare = facts.name.trim_end_matches("_total");
            let suffix = match facts.unit {
                Unit::None => "",
                Unit::Seconds => "_seconds",
                Unit::Bytes => "_bytes",
                Unit::Usd => "_usd",
            };
            assert!(bare.ends_with(suffix), "{}", facts.name);
        }
    }

    #[test]
    fn labels_fit_and_help_is_a_sentence() {
        for facts in Family::ALL.map(Family::facts) {
            assert!(facts.labels.len() <= MAX_LABELS, "{}", facts.name);
            assert!(
                facts.help.ends_with('.') && !facts.help.contains(['\\', '\n']),
                "{}",
                facts.name
            );
        }
    }
}
