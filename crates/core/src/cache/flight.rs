//! Identical misses at the same time share one call to the provider.
//!
//! The first to come leads and the others wait, each with a token by which it is told. A leader that
//! ends without an answer lets go of the tokens: who waited looks again, and one of them leads.

use std::collections::BTreeMap;

/// The flights under way, by key; `W` is the token of one who waits.
#[derive(Debug)]
pub struct Flights<K, W> {
    waiting: BTreeMap<K, Vec<W>>,
}

impl<K, W> Default for Flights<K, W> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new() }
    }
}

impl<K: Ord, W> Flights<K, W> {
    /// Starts a flight; false when there is one already.
    pub fn lead(&mut self, key: K) -> bool {
        let std::collections::btree_map::Entry::Vacant(place) = self.waiting.entry(key) else {
            return false;
        };
        place.insert(Vec::new());
        true
    }

    /// Waits for the flight under way; does nothing when there is none.
    pub fn wait(&mut self, key: &K, token: W) {
        if let Some(waiting) = self.waiting.get_mut(key) {
            waiting.push(token);
        }
    }

    /// Ends a flight and returns who waited for it.
    pub fn land(&mut self, key: &K) -> Vec<W> {
        self.waiting.remove(key).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_leads_the_others_wait_and_after_landing_another_may_lead() {
        let mut flights = Flights::default();
        assert!(flights.lead("a"));
        assert!(!flights.lead("a"));
        flights.wait(&"a", 1);
        flights.wait(&"a", 2);
        flights.wait(&"b", 3);
        assert_eq!(flights.land(&"a"), [1, 2]);
        assert!(flights.lead("a"));
        assert!(flights.land(&"b").is_empty());
    }
}
