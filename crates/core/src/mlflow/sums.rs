//! What is known of each variant at one moment: totals since its run began, as MLflow's metrics.
//!
//! Counts and sums are exact. Quantiles are read off the histogram of all calls, straight between the
//! boundaries of a bucket, so they are as fine as its buckets; what lies above the last is told as
//! that boundary.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    experiments::feedback::{Opinion, Say},
    metrics::{Aggregate, Family},
};

/// Metrics of a variant by name.
pub(super) type Metrics = BTreeMap<String, f64>;

/// What is known of one version of a variant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// What is counted and measured.
    pub metrics: Metrics,
    /// Who judged for its guards: `guard.NAME.judge`, and the classifier with its calibration.
    pub tags: BTreeMap<String, String>,
}

/// Variant and version.
pub(super) type Which = (String, String);

const QUANTILES: [(f64, &str); 3] = [(0.5, "p50"), (0.95, "p95"), (0.99, "p99")];

/// What `aggregate` holds of every version of every variant.
pub fn snapshots(aggregate: &Aggregate) -> BTreeMap<Which, Snapshot> {
    let mut all = All::default();
    all.read_requests(aggregate);
    all.read_amounts(aggregate);
    all.read_lengths(aggregate, Family::VariantDuration, "latency");
    all.read_lengths(aggregate, Family::VariantFirstToken, "first_token");
    all.read_guards(aggregate);
    for opinion in aggregate.feedback().iter().filter(|opinion| !opinion.variant.is_empty()) {
        all.read_opinion(opinion);
    }
    for snapshot in all.0.values_mut() {
        finish(&mut snapshot.metrics);
    }
    all.0
}

#[derive(Default)]
struct All(BTreeMap<Which, Snapshot>);

impl All {
    fn of(&mut self, variant: &str, version: &str) -> &mut Snapshot {
        self.0.entry((variant.to_owned(), version.to_owned())).or_default()
    }

    fn add(&mut self, (variant, version): (&str, &str), name: &str, amount: f64) {
        let metrics = &mut self.of(variant, version).metrics;
        *metrics.entry(name.to_owned()).or_default() += amount;
    }

    fn read_requests(&mut self, aggregate: &Aggregate) {
        for (labels, count) in aggregate.counters(Family::VariantRequests) {
            let [variant, version, cache, code] = labels.as_slice() else { continue };
            let (which, count) = ((*variant, *version), real(count));
            self.add(which, "requests", count);
            self.add(which, "cache_hits", if *cache == "hit" { count } else { 0.0 });
            self.add(which, "errors", if code.is_empty() { 0.0 } else { count });
            if !code.is_empty() {
                self.add(which, &format!("errors.{code}"), count);
            }
        }
    }

    fn read_amounts(&mut self, aggregate: &Aggregate) {
        for (labels, count) in aggregate.counters(Family::VariantTokens) {
            let [variant, version, kind] = labels.as_slice() else { continue };
            self.add((variant, version), "tokens", real(count));
            self.add((variant, version), &format!("tokens.{kind}"), real(count));
        }
        for (labels, count) in aggregate.counters(Family::VariantCost) {
            let [variant, version] = labels.as_slice() else { continue };
            self.add((variant, version), "cost_usd", real(count) / 1e6);
        }
        for (labels, count) in aggregate.counters(Family::VariantUnpriced) {
            let [variant, version] = labels.as_slice() else { continue };
            self.add((variant, version), "unpriced_requests", real(count));
        }
    }

    fn read_lengths(&mut self, aggregate: &Aggregate, family: Family, name: &str) {
        let boundaries = family.boundaries().unwrap_or_default();
        for (labels, sum, counts) in aggregate.sums(family) {
            let [variant, version] = labels.as_slice() else { continue };
            let total: u64 = counts.iter().sum();
            if total == 0 {
                continue;
            }
            let which = (*variant, *version);
            self.add(which, &format!("{name}_mean_ms"), real(sum) / real(total));
            for (share, quantile_name) in QUANTILES {
                let value = quantile(boundaries, &counts, share);
                self.add(which, &format!("{name}_{quantile_name}_ms"), value);
            }
        }
    }

    fn read_guards(&mut self, aggregate: &Aggregate) {
        for (labels, count) in aggregate.counters(Family::VariantGuards) {
            let [variant, version, guard, action, judge] = labels.as_slice() else { continue };
            self.add((variant, version), &format!("guard.{guard}.{action}"), real(count));
            if !judge.is_empty() {
                let tags = &mut self.of(variant, version).tags;
                let told = tags.entry(format!("guard.{guard}.judge")).or_default();
                if !told.split(' ').any(|known| known == *judge) {
                    let gap = if told.is_empty() { "" } else { " " };
                    *told = format!("{told}{gap}{judge}");
                }
            }
        }
    }

    fn read_opinion(&mut self, opinion: &Opinion) {
        let Opinion { variant, version, kind, value, count, sum, .. } = opinion;
        let (which, count) = ((variant.as_str(), version.as_str()), real(*count));
        match kind {
            Say::Score => {
                self.add(which, "feedback.scores", count);
                self.add(which, "feedback.score_sum", real(*sum) / 1e6);
            }
            Say::Rating | Say::Label => {
                self.add(which, &format!("feedback.{}.{value}", kind.name()), count);
            }
        }
    }
}

/// What follows from the sums.
fn finish(metrics: &mut Metrics) {
    let get = |name: &str| metrics.get(name).copied();
    let share = |part: Option<f64>, whole: Option<f64>| {
        part.zip(whole).filter(|(_, whole)| *whole > 0.0).map(|(part, whole)| part / whole)
    };
    let derived = [
        ("error_share", share(get("errors"), get("requests"))),
        ("cache_hit_share", share(get("cache_hits"), get("requests"))),
        ("feedback.score_mean", share(get("feedback.score_sum"), get("feedback.scores"))),
    ];
    for (name, value) in derived {
        if let Some(value) = value {
            metrics.insert(name.to_owned(), value);
        }
    }
}

/// The length that this share of the counted ones does not exceed.
fn quantile(boundaries: &[u64], counts: &[u64], share: f64) -> f64 {
    let total: u64 = counts.iter().sum();
    let rank = real(total) * share;
    let (mut below, mut start) = (0.0, 0.0);
    for (end, count) in boundaries.iter().zip(counts) {
        let (end, count) = (real(*end), real(*count));
        if count > 0.0 && below + count >= rank {
            return start + (end - start) * ((rank - below) / count).clamp(0.0, 1.0);
        }
        below += count;
        start = end;
    }
    start
}

#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "MLflow has doubles")]
const fn real(count: u64) -> f64 {
    count as f64
}
