//! The ledger object's side: deltas of all isolates added up, each counted once.
//!
//! What is counted only grows. States (breakers, requests in flight, configurations) are the latest
//! report of each isolate, added up over those that reported within [`REPORT_HOLDS`]: isolates vanish
//! without a word, and each has its own breakers, so a state is shown as the number of isolates in it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{
    delta::Delta,
    family::{Family, MAX_LABELS},
    names::{NameId, Names},
    registry::IsolateId,
    report::Report,
    seen::Sequences,
    store::{Series, Store},
};
use crate::{
    alert::Spend,
    experiments::feedback::Opinion,
    gather::Gather,
    ledger::{Slot, Usages},
    pool::probe::Replica,
    record::BreakerState,
    units::{DurationMs, UnixMs},
};

/// How many series of one family are told apart; the rest is counted under the label value `other`.
pub const MAX_SERIES: usize = 10_000;

/// How long an isolate's report holds: twice the longest request by default.
pub(super) const REPORT_HOLDS: DurationMs = DurationMs::from_secs(120);

/// How long it is remembered which deltas of an isolate were counted. Older ones are refused, since
/// they could have been.
pub(super) const MEMORY: DurationMs = DurationMs::from_secs(24 * 60 * 60);

/// What became of a delta. Each of these is final: the isolate may forget it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merged {
    /// Its counts were added.
    Counted,
    /// It had been counted before.
    Duplicate,
    /// It was cut more than a day ago, and whether it was counted is no longer known.
    TooOld,
}

/// The counts of all isolates.
#[derive(Debug)]
pub struct Aggregate {
    pub(super) names: Names,
    pub(super) store: Store,
    pub(super) isolates: BTreeMap<IsolateId, Isolate>,
    /// How many series each family has.
    pub(super) sizes: HashMap<Family, usize>,
    pub(super) changed: Changed,
    /// Budgets and what of them is spent, as [`Aggregate::set_budgets`] was told.
    pub(super) budgets: Vec<Spend>,
    /// What callers have said, as [`Aggregate::set_feedback`] was told.
    pub(super) feedback: Vec<Opinion>,
    /// How replicas stand, as [`Aggregate::set_replicas`] was told.
    pub(super) replicas: Vec<Replica>,
}

/// What is known of one isolate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Isolate {
    pub(super) seen: Sequences,
    /// When its youngest delta was cut.
    pub(super) at: UnixMs,
    /// Which delta `report` came with.
    pub(super) sequence: u64,
    pub(super) report: Report,
}

/// What is not stored yet.
#[derive(Debug, Default)]
pub(super) struct Changed {
    pub(super) series: HashSet<Series>,
    pub(super) isolates: BTreeSet<IsolateId>,
    pub(super) usage: Usages,
}

impl Default for Aggregate {
    fn default() -> Self {
        Self {
            names: Names::new(),
            store: Store::default(),
            isolates: BTreeMap::new(),
            sizes: HashMap::new(),
            changed: Changed::default(),
            budgets: Vec::new(),
            feedback: Vec::new(),
            replicas: Vec::new(),
        }
    }
}

impl Aggregate {
    /// Adds what `delta` counted, unless it was added before.
    ///
    /// The isolate may be told only after [`Self::changes`] are stored: then whatever is lost with
    /// the object's memory will be sent again.
    pub fn merge(&mut self, delta: &Delta, now: UnixMs) -> Merged {
        if now.since(delta.at) > MEMORY {
            return Merged::TooOld;
        }
        let isolate = self.isolates.entry(delta.isolate).or_default();
        if !isolate.seen.insert(delta.sequence) {
            return Merged::Duplicate;
        }
        isolate.update(delta);
        self.changed.isolates.insert(delta.isolate);
        self.add_counts(delta);
        Merged::Counted
    }

    /// Forgets isolates that have been silent for a day.
    pub fn forget_silent(&mut self, now: UnixMs) {
        let changed = &mut self.changed.isolates;
        self.isolates.retain(|id, isolate| {
            let kept = now.since(isolate.at) <= MEMORY;
            if !kept {
                changed.insert(*id);
            }
            kept
        });
    }

    /// Says how budgets stand, to be shown among the states.
    pub fn set_budgets(&mut self, spends: &[Spend]) {
        spends.clone_into(&mut self.budgets);
    }

    /// Says what callers have said of their answers, to be shown among the states.
    pub fn set_feedback(&mut self, opinions: Vec<Opinion>) {
        self.feedback = opinions;
    }

    /// Says how replicas stand, to be shown among the states.
    pub fn set_replicas(&mut self, replicas: Vec<Replica>) {
        self.replicas = replicas;
    }

    /// What callers have said of their answers.
    pub fn feedback(&self) -> &[Opinion] {
        &self.feedback
    }

    /// The label values and the counts of every series of a counter.
    pub fn counters(&self, family: Family) -> impl Iterator<Item = (Vec<&str>, u64)> {
        let series = self.store.counters.iter().filter(move |(series, _)| series.family == family);
        series.map(|(series, count)| (self.texts(series), *count))
    }

    /// The label values and the counts by bucket, not added up, of every series of a histogram. The
    /// last bucket is what lies above every boundary.
    pub fn histograms(&self, family: Family) -> impl Iterator<Item = (Vec<&str>, Vec<u64>)> {
        let boundaries = family.boundaries().unwrap_or_default();
        let series =
            self.store.histograms.iter().filter(move |(series, _)| series.family == family);
        series.map(|(series, histogram)| {
            (self.texts(series), histogram.numbers(boundaries).skip(1).collect())
        })
    }

    /// The label values, the sum and the counts by bucket of every series of a histogram.
    pub fn sums(&self, family: Family) -> impl Iterator<Item = (Vec<&str>, u64, Vec<u64>)> {
        let boundaries = family.boundaries().unwrap_or_default();
        let series =
            self.store.histograms.iter().filter(move |(series, _)| series.family == family);
        series.map(|(series, histogram)| {
            let counts = histogram.numbers(boundaries).skip(1).collect();
            (self.texts(series), histogram.sum, counts)
        })
    }

    /// The label values and the amounts of a gauge.
    pub fn states(&self, family: Family, now: UnixMs) -> BTreeMap<Vec<String>, u64> {
        let rows = self.gauges(now).remove(&family).unwrap_or_default();
        let owned = |labels: Vec<&str>| labels.into_iter().map(str::to_owned).collect();
        rows.into_iter().map(|(labels, amount)| (owned(labels), amount)).gather()
    }

    /// The targets whose breakers are in `state` in some isolate that reported lately.
    pub fn targets_in(&self, state: BreakerState, now: UnixMs) -> BTreeSet<String> {
        let breakers = self.reporting(now).flat_map(|report| &report.breakers);
        breakers.filter(|(_, found)| **found == state).map(|(target, _)| target.clone()).collect()
    }

    fn texts(&self, series: &Series) -> Vec<&str> {
        series.values().map(|name| self.names.text(name)).collect()
    }

    /// The isolates whose reports hold.
    pub(super) fn reporting(&self, now: UnixMs) -> impl Iterator<Item = &Report> {
        let holds = move |isolate: &&Isolate| now.since(isolate.at) <= REPORT_HOLDS;
        self.isolates.values().filter(holds).map(|isolate| &isolate.report)
    }

    /// The series itself while its family has room for it, else the family's series of `other`.
    pub(super) fn place(&mut self, series: Series) -> Series {
        let held = self.store.counters.contains_key(&series)
            || self.store.histograms.contains_key(&series);
        if held {
            return series;
        }
        let size = self.sizes.entry(series.family).or_default();
        if *size < MAX_SERIES {
            *size += 1;
            return series;
        }
        let other = self.names.id("other");
        let labels = series.family.facts().labels.len();
        Series::new(series.family, [other; MAX_LABELS].get(..labels).unwrap_or_default())
    }

    fn add_counts(&mut self, delta: &Delta) {
        let ids: Vec<_> = delta.names.iter().map(|text| self.names.id(text)).collect();
        let id = |place: NameId| {
            let place = usize::try_from(place.0).unwrap_or(usize::MAX);
            ids.get(place).copied().unwrap_or(NameId::ABSENT)
        };
        let translated = |series: &Series| Series { labels: series.labels.map(id), ..*series };
        for (series, count) in &delta.counters {
            let series = self.place(translated(series));
            let total = self.store.counters.entry(series).or_default();
            *total = total.saturating_add(*count);
            self.changed.series.insert(series);
        }
        for (series, histogram) in &delta.histograms {
            let series = self.place(translated(series));
            self.store.histograms.entry(series).or_default().merge(histogram);
            self.changed.series.insert(series);
        }
        for (slot, counts) in &delta.usage {
            let Slot { day, key, model, target } = *slot;
            let slot = Slot { day, key: id(key), model: id(model), target: id(target) };
            self.changed.usage.entry(slot).or_default().add(counts);
        }
    }
}

impl Isolate {
    /// Takes up a delta's report unless a later delta's is known; the order of arrival is no matter.
    fn update(&mut self, delta: &Delta) {
        self.at = self.at.max(delta.at);
        if delta.sequence >= self.sequence {
            self.sequence = delta.sequence;
            self.report = delta.report.clone();
        }
    }
}
