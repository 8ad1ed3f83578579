//! Series and their counts, without texts: the same for an isolate's few seconds and for all time.

use std::collections::HashMap;

use rustc_hash::FxBuildHasher;

use super::{
    buckets,
    family::{Family, MAX_LABELS},
    names::NameId,
};

/// One line of counts: a family with its label values, in the order of the family's labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Series {
    pub(crate) family: Family,
    pub(crate) labels: [NameId; MAX_LABELS],
}

/// How many values fell between two boundaries, and what all of them add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Histogram {
    /// Not cumulative; the place behind the family's last boundary counts what is above it.
    pub(crate) counts: [u64; buckets::MOST + 1],
    pub(crate) sum: u64,
}

/// Counts by series.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Store {
    pub(crate) counters: HashMap<Series, u64, FxBuildHasher>,
    pub(crate) histograms: HashMap<Series, Histogram, FxBuildHasher>,
}

impl Series {
    /// The series of `family` with these label values; those behind the last are absent.
    pub(crate) fn new(family: Family, values: &[NameId]) -> Self {
        let mut labels = [NameId::ABSENT; MAX_LABELS];
        for (label, value) in labels.iter_mut().zip(values) {
            *label = *value;
        }
        Self { family, labels }
    }

    /// The values of the labels that the family has.
    pub(crate) fn values(&self) -> impl Iterator<Item = NameId> {
        self.labels.into_iter().take(self.family.facts().labels.len())
    }
}

impl Histogram {
    /// Counts `value` against these inclusive upper boundaries.
    pub(crate) fn observe(&mut self, boundaries: &[u64], value: u64) {
        let place = boundaries.partition_point(|boundary| *boundary < value);
        if let Some(count) = self.counts.get_mut(place) {
            *count = count.saturating_add(1);
        }
        self.sum = self.sum.saturating_add(value);
    }

    /// Adds what `other` counted.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(other.counts) {
            *mine = mine.saturating_add(theirs);
        }
        self.sum = self.sum.saturating_add(other.sum);
    }

    /// The sum and the counts, as many as the boundaries ask for.
    pub(crate) fn numbers(&self, boundaries: &[u64]) -> impl Iterator<Item = u64> {
        std::iter::once(self.sum).chain(self.counts.into_iter().take(boundaries.len() + 1))
    }

    /// The histogram that [`Self::numbers`] listed; `None` if there are more or fewer of them.
    pub(crate) fn from_numbers(boundaries: &[u64], numbers: &[u64]) -> Option<Self> {
        let (sum, listed) = numbers.split_first()?;
        let mut counts = [0; buckets::MOST + 1];
        for (count, number) in counts.iter_mut().zip(listed) {
            *count = *number;
        }
        (listed.len() == boundaries.len() + 1).then_some(Self { counts, sum: *sum })
    }
}

impl Store {
    /// Adds `amount` to a counter; adding nothing makes no series.
    pub(crate) fn add(&mut self, family: Family, labels: &[NameId], amount: u64) {
        if amount > 0 {
            let count = self.counters.entry(Series::new(family, labels)).or_default();
            *count = count.saturating_add(amount);
        }
    }

    /// Counts `value` in a histogram; a family that is none ignores it.
    pub(crate) fn observe(&mut self, family: Family, labels: &[NameId], value: u64) {
        let Some(boundaries) = family.boundaries() else { return };
        self.histograms.entry(Series::new(family, labels)).or_default().observe(boundaries, value);
    }

    /// Whether nothing has been counted.
    pub(crate) fn is_empty(&self) -> bool {
        self.counters.is_empty() && self.histograms.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_belongs_to_the_bucket_below_it() {
        let mut histogram = Histogram::default();
        for value in [0, 10, 11, 20, 21, 5000] {
            histogram.observe(&[10, 20], value);
        }
        assert_eq!(&histogram.counts[..4], &[2, 2, 2, 0]);
        assert_eq!(histogram.sum, 5062);
    }

    #[test]
    fn a_histogram_of_other_boundaries_is_not_read() {
        let mut histogram = Histogram::default();
        histogram.observe(&[10, 20], 15);
        let numbers: Vec<_> = histogram.numbers(&[10, 20]).collect();
        assert_eq!(Histogram::from_numbers(&[10, 20], &numbers), Some(histogram));
        assert_eq!(Histogram::from_numbers(&[10], &numbers), None);
        assert_eq!(Histogram::from_numbers(&[10, 20, 30], &numbers), None);
        assert_eq!(Histogram::from_numbers(&[], &[]), None);
    }
}
