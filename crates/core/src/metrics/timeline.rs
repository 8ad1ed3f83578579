//! What happened when: what deltas counted, added up by the minute and by the quarter of an hour.
//!
//! A [`Point`] is such a sum. The ledger keeps one row for each [`Step`] and moment, so many as
//! [`Step::kept`] says, and points of one moment add up whatever shard they come from. Counts are
//! those of the families of the same names; lengths are in milliseconds, money in micro-dollars.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{delta::Delta, family::Family};
use crate::units::{DurationMs, UnixMs};

/// How finely time is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A minute; the last three hours of them are kept.
    Minute,
    /// A quarter of an hour; the last two days of them are kept.
    Quarter,
}

/// What happened in one step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Point {
    /// By model as callers name it; empty for calls that named none that is configured.
    pub models: BTreeMap<String, Calls>,
    /// Calls to targets, by target.
    pub targets: BTreeMap<String, Tries>,
    /// How long calls to providers took, by provider: counts by bucket.
    pub providers: BTreeMap<String, Vec<u64>>,
    /// By guard: how often it judged, by stage and action as `input:block`.
    pub guards: BTreeMap<String, BTreeMap<String, u64>>,
    /// Refusals by limits: `key:requests`.
    pub refused: BTreeMap<String, u64>,
}

/// Calls of one model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Calls {
    /// All of them.
    pub requests: u64,
    /// Failed ones, by who can mend it: `caller`, `provider`, `operator`.
    pub errors: BTreeMap<String, u64>,
    /// By what the cache did.
    pub cache: BTreeMap<String, u64>,
    /// Tokens billed.
    pub tokens: u64,
    /// What they cost.
    pub cost_micro_usd: u64,
    /// How long calls took that the cache did not answer: counts by bucket.
    pub lengths: Vec<u64>,
}

/// Calls to one target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tries {
    /// Those that it answered.
    pub answered: u64,
    /// Those that failed, by error code.
    pub failed: BTreeMap<String, u64>,
}

impl Step {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Minute, Self::Quarter];

    /// How long it is.
    pub const fn length(self) -> DurationMs {
        match self {
            Self::Minute => DurationMs::from_secs(60),
            Self::Quarter => DurationMs::from_secs(15 * 60),
        }
    }

    /// How far back points are kept.
    pub const fn kept(self) -> DurationMs {
        match self {
            Self::Minute => DurationMs::from_secs(3 * 3600),
            Self::Quarter => DurationMs::from_secs(48 * 3600),
        }
    }

    /// The beginning of the step that `moment` lies in.
    pub const fn start(self, moment: UnixMs) -> UnixMs {
        let length = self.length().0;
        UnixMs(moment.0 / length * length)
    }
}

impl Point {
    /// What a delta counted.
    pub fn of(delta: &Delta) -> Self {
        let mut point = Self::default();
        point.count_calls(delta);
        point.count_tries(delta);
        point.count_verdicts(delta);
        point
    }

    /// Adds what `other` holds.
    pub fn add(&mut self, other: &Self) {
        for (model, calls) in &other.models {
            self.models.entry(model.clone()).or_default().add(calls);
        }
        for (target, tries) in &other.targets {
            let mine = self.targets.entry(target.clone()).or_default();
            mine.answered = mine.answered.saturating_add(tries.answered);
            add_all(&mut mine.failed, &tries.failed);
        }
        for (provider, lengths) in &other.providers {
            add_buckets(self.providers.entry(provider.clone()).or_default(), lengths);
        }
        for (guard, acts) in &other.guards {
            add_all(self.guards.entry(guard.clone()).or_default(), acts);
        }
        add_all(&mut self.refused, &other.refused);
    }

    /// The point as text for [`Self::restore`].
    pub fn row(&self) -> String {
        // Texts and numbers cannot fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The point that [`Self::row`] wrote; an empty one where it cannot be read.
    pub fn restore(row: &str) -> Self {
        serde_json::from_str(row).unwrap_or_default()
    }

    fn calls(&mut self, model: &str) -> &mut Calls {
        self.models.entry(model.to_owned()).or_default()
    }

    fn count_calls(&mut self, delta: &Delta) {
        for (labels, count) in delta.counters(Family::Requests) {
            if let [_, model, ..] = labels.as_slice() {
                add(&mut self.calls(model).requests, count);
            }
        }
        for (labels, count) in delta.counters(Family::Errors) {
            if let [_, model, _, fault] = labels.as_slice() {
                add_named(&mut self.calls(model).errors, fault, count);
            }
        }
        for (labels, count) in delta.counters(Family::CacheResults) {
            if let [_, model, result] = labels.as_slice() {
                add_named(&mut self.calls(model).cache, result, count);
            }
        }
        for (labels, count) in delta.counters(Family::Tokens) {
            add(&mut self.calls(labels.first().unwrap_or(&"")).tokens, count);
        }
        for (labels, count) in delta.counters(Family::Cost) {
            add(&mut self.calls(labels.first().unwrap_or(&"")).cost_micro_usd, count);
        }
        for (labels, counts) in delta.histograms(Family::RequestDuration) {
            if let [_, model, cache] = labels.as_slice()
                && *cache != "hit"
            {
                add_buckets(&mut self.calls(model).lengths, &counts);
            }
        }
    }

    fn count_tries(&mut self, delta: &Delta) {
        for (labels, count) in delta.counters(Family::Attempts) {
            if let [target, code] = labels.as_slice() {
                let tries = self.targets.entry((*target).to_owned()).or_default();
                match *code {
                    "" => add(&mut tries.answered, count),
                    code => add_named(&mut tries.failed, code, count),
                }
            }
        }
        for (labels, counts) in delta.histograms(Family::GenAiDuration) {
            if let [_, provider, ..] = labels.as_slice() {
                add_buckets(self.providers.entry((*provider).to_owned()).or_default(), &counts);
            }
        }
    }

    fn count_verdicts(&mut self, delta: &Delta) {
        for (labels, count) in delta.counters(Family::GuardDecisions) {
            if let [_, guard, stage, _, action] = labels.as_slice() {
                let acts = self.guards.entry((*guard).to_owned()).or_default();
                add_named(acts, &format!("{stage}:{action}"), count);
            }
        }
        for (labels, count) in delta.counters(Family::LimitDecisions) {
            if let [_, _, scope, resource, "refused"] = labels.as_slice() {
                add_named(&mut self.refused, &format!("{scope}:{resource}"), count);
            }
        }
    }
}

impl Calls {
    fn add(&mut self, other: &Self) {
        add(&mut self.requests, other.requests);
        add_all(&mut self.errors, &other.errors);
        add_all(&mut self.cache, &other.cache);
        add(&mut self.tokens, other.tokens);
        add(&mut self.cost_micro_usd, other.cost_micro_usd);
        add_buckets(&mut self.lengths, &other.lengths);
    }
}

const fn add(sum: &mut u64, amount: u64) {
    *sum = sum.saturating_add(amount);
}

fn add_named(sums: &mut BTreeMap<String, u64>, name: &str, amount: u64) {
    match sums.get_mut(name) {
        Some(sum) => add(sum, amount),
        None => {
            sums.insert(name.to_owned(), amount);
        }
    }
}

fn add_all(sums: &mut BTreeMap<String, u64>, others: &BTreeMap<String, u64>) {
    for (name, amount) in others {
        add_named(sums, name, *amount);
    }
}

/// Empty buckets at the end are left out: most calls are short.
fn add_buckets(sums: &mut Vec<u64>, counts: &[u64]) {
    let length = counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
    if sums.len() < length {
        sums.resize(length, 0);
    }
    for (sum, count) in sums.iter_mut().zip(counts) {
        add(sum, *count);
    }
}
