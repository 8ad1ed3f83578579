//! What the rules look at, read off the counts of all isolates: only sums that grow, so that the
//! difference of two moments is what happened between them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    gather::Gather,
    metrics::{Aggregate, Family},
    record::BreakerState,
    units::UnixMs,
};

/// The sums at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signals {
    /// By model: requests, and those that failed through no fault of the caller.
    pub(super) calls: BTreeMap<String, (u64, u64)>,
    /// By model: requests by length, cache hits left out, in the buckets of the histogram.
    pub(super) lengths: BTreeMap<String, Vec<u64>>,
    /// By provider: calls that were answered, and calls that failed through its fault.
    pub(super) attempts: BTreeMap<String, (u64, u64)>,
    /// By guard: how often it did more than let pass.
    pub(super) acts: BTreeMap<String, u64>,
    /// Targets whose breakers are open somewhere; a state, not a sum.
    #[serde(skip)]
    pub(super) resting: BTreeSet<String>,
}

impl Signals {
    /// What `aggregate` holds at `now`.
    pub fn read(aggregate: &Aggregate, now: UnixMs) -> Self {
        let mut signals = Self::default();
        signals.read_calls(aggregate);
        signals.read_attempts(aggregate);
        for (labels, count) in aggregate.counters(Family::GuardDecisions) {
            if let [_, guard, _, _, action] = labels.as_slice()
                && *action != "pass"
            {
                *signals.acts.entry((*guard).to_owned()).or_default() += count;
            }
        }
        signals.resting = aggregate.targets_in(BreakerState::Open, now);
        signals
    }

    /// The sums as text for [`Self::restore`].
    pub fn row(&self) -> String {
        // Texts and numbers cannot fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The sums that [`Self::row`] wrote; none where they cannot be read.
    pub fn restore(row: &str) -> Self {
        serde_json::from_str(row).unwrap_or_default()
    }

    /// What happened since `before`; a sum that fell was begun anew.
    pub(super) fn since(&self, before: &Self) -> Self {
        let pair = |(a, b): (u64, u64), (c, d): (u64, u64)| (grown(a, c), grown(b, d));
        let lengths = self.lengths.iter().map(|(model, counts)| {
            let then = before.lengths.get(model).map(Vec::as_slice).unwrap_or_default();
            let then = then.iter().copied().chain(std::iter::repeat(0));
            (model.clone(), counts.iter().zip(then).map(|(now, then)| grown(*now, then)).collect())
        });
        Self {
            calls: difference(&self.calls, &before.calls, pair),
            lengths: lengths.gather(),
            attempts: difference(&self.attempts, &before.attempts, pair),
            acts: difference(&self.acts, &before.acts, grown),
            resting: self.resting.clone(),
        }
    }

    fn read_calls(&mut self, aggregate: &Aggregate) {
        for (labels, count) in aggregate.counters(Family::Requests) {
            if let [_, model, ..] = labels.as_slice()
                && !model.is_empty()
            {
                self.calls.entry((*model).to_owned()).or_default().0 += count;
            }
        }
        for (labels, count) in aggregate.counters(Family::Errors) {
            if let [_, model, _, fault] = labels.as_slice()
                && !model.is_empty()
                && *fault != "caller"
            {
                self.calls.entry((*model).to_owned()).or_default().1 += count;
            }
        }
        for (labels, counts) in aggregate.histograms(Family::RequestDuration) {
            if let [_, model, cache] = labels.as_slice()
                && !model.is_empty()
                && *cache != "hit"
            {
                let sums = self.lengths.entry((*model).to_owned()).or_default();
                sums.resize(counts.len().max(sums.len()), 0);
                sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            }
        }
    }

    fn read_attempts(&mut self, aggregate: &Aggregate) {
        for (labels, count) in aggregate.counters(Family::Attempts) {
            let [target, code] = labels.as_slice() else { continue };
            let provider = target.split('/').next().unwrap_or_default();
            let sums = self.attempts.entry(provider.to_owned()).or_default();
            match *code {
                "" => sums.0 += count,
                // It answered, and what it said was no.
                "upstream_rejected" | "content_filter" | "context_length_exceeded" => {
                    sums.0 += count;
                }
                "client_closed_request" | "deadline_exceeded" => {}
                _ => sums.1 += count,
            }
        }
    }
}

fn grown(now: u64, then: u64) -> u64 {
    now.checked_sub(then).unwrap_or(now)
}

fn difference<T: Copy + Default>(
    now: &BTreeMap<String, T>,
    then: &BTreeMap<String, T>,
    minus: impl Fn(T, T) -> T,
) -> BTreeMap<String, T> {
    let then = |name: &String| then.get(name).copied().unwrap_or_default();
    now.iter().map(|(name, value)| (name.clone(), minus(*value, then(name)))).gather()
}
