//! Which deltas of an isolate have been counted: sequence numbers as ranges.
//!
//! Deltas mostly arrive in order, so this is mostly one range; one that is still on its way leaves a
//! gap, which it fills when it comes.

/// A set of numbers as disjoint inclusive ranges, rising, with a gap between any two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sequences(Vec<(u64, u64)>);

impl Sequences {
    /// Adds `number`; false if it was there.
    pub(crate) fn insert(&mut self, number: u64) -> bool {
        let place = self.0.partition_point(|(_, last)| *last < number);
        if self.0.get(place).is_some_and(|(first, _)| *first <= number) {
            return false;
        }
        self.0.insert(place, (number, number));
        self.join(place);
        if let Some(before) = place.checked_sub(1) {
            self.join(before);
        }
        true
    }

    /// The ranges, rising.
    pub(crate) fn ranges(&self) -> &[(u64, u64)] {
        &self.0
    }

    /// The set of these ranges, in any order and overlapping or not.
    pub(crate) fn from_ranges(mut ranges: Vec<(u64, u64)>) -> Self {
        ranges.retain(|(first, last)| first <= last);
        ranges.sort_unstable();
        let mut joined: Vec<(u64, u64)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match joined.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => {
                    before.1 = before.1.max(last);
                }
                Some(_) | None => joined.push((first, last)),
            }
        }
        Self(joined)
    }

    /// Makes one range of the one at `place` and the next, if nothing lies between them.
    fn join(&mut self, place: usize) {
        let (Some(left), Some(right)) = (self.0.get(place), self.0.get(place + 1)) else { return };
        if left.1.saturating_add(1) == right.0 {
            let joined = (left.0, right.1);
            self.0.splice(place..place + 2, [joined]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set_whatever_the_order(numbers in prop::collection::vec(0_u64..40, 0..80)) {
            let mut seen = Sequences::default();
            let mut model = BTreeSet::new();
            for number in numbers {
                prop_assert_eq!(seen.insert(number), model.insert(number));
            }
            let listed: Vec<_> = seen.ranges().iter().flat_map(|(a, b)| *a..=*b).collect();
            prop_assert_eq!(listed, model.into_iter().collect::<Vec<_>>());
            let gaps = seen.ranges().windows(2).all(|pair| pair[0].1 + 1 < pair[1].0);
            prop_assert!(gaps, "{:?}", seen);
            prop_assert_eq!(Sequences::from_ranges(seen.ranges().to_vec()), seen);
        }
    }

    #[test]
    fn the_last_number_is_a_number_like_any_other() {
        let mut seen = Sequences::default();
        assert!(seen.insert(u64::MAX) && !seen.insert(u64::MAX));
    }
}
