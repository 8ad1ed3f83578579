//! Identical misses at the same time share one call to the provider.
//!
//! The first to come leads and the others wait, each with a token by which it is told. A leader that
//! ends without an answer lets go of the tokens: who waited looks again, and one of them leads. A
//! leader that vanishes without a word, because its request was ended from outside, leads only until
//! its time is up; then whoever comes or looks next takes over, and those who waited for it wait for
//! the new one.

use std::collections::BTreeMap;

use crate::units::{DurationMs, UnixMs};

/// The flights under way, by key; `W` is the token of one who waits.
#[derive(Debug)]
pub struct Flights<K, W> {
    flights: BTreeMap<K, Flight<W>>,
    /// How many have led so far.
    leaders: u64,
}

/// The right to lead a flight, given back by [`Flights::land`].
#[derive(Debug, PartialEq, Eq)]
#[must_use = "those who wait are told when the flight lands"]
pub struct Lead(u64);

#[derive(Debug)]
struct Flight<W> {
    leader: u64,
    until: UnixMs,
    waiting: Vec<W>,
}

impl<K, W> Default for Flights<K, W> {
    fn default() -> Self {
        Self { flights: BTreeMap::new(), leaders: 0 }
    }
}

impl<K: Ord, W> Flights<K, W> {
    /// Leads a flight that takes `within` at most.
    ///
    /// # Errors
    /// How much time is left to the one who leads it already, more than zero.
    pub fn lead(&mut self, key: K, now: UnixMs, within: DurationMs) -> Result<Lead, DurationMs> {
        let until = now.plus(within);
        let leader = self.leaders + 1;
        let flight =
            self.flights.entry(key).or_insert(Flight { leader, until, waiting: Vec::new() });
        if flight.leader != leader && flight.until > now {
            return Err(flight.until.since(now));
        }
        flight.leader = leader;
        flight.until = until;
        self.leaders = leader;
        Ok(Lead(leader))
    }

    /// Waits for the flight under way; does nothing when there is none.
    pub fn wait(&mut self, key: &K, token: W) {
        if let Some(flight) = self.flights.get_mut(key) {
            flight.waiting.push(token);
        }
    }

    /// Ends a flight and returns who waited for it; nobody when another has taken over.
    #[expect(clippy::needless_pass_by_value, reason = "a flight lands once")]
    pub fn land(&mut self, key: &K, lead: Lead) -> Vec<W> {
        if self.flights.get(key).is_none_or(|flight| flight.leader != lead.0) {
            return Vec::new();
        }
        self.flights.remove(key).map(|flight| flight.waiting).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WITHIN: DurationMs = DurationMs(100);

    #[test]
    fn one_leads_the_others_wait_and_after_landing_another_may_lead() {
        let mut flights = Flights::default();
        let lead = flights.lead("a", UnixMs(0), WITHIN).unwrap();
        assert_eq!(flights.lead("a", UnixMs(30), WITHIN), Err(DurationMs(70)));
        flights.wait(&"a", 1);
        flights.wait(&"a", 2);
        flights.wait(&"b", 3);
        assert_eq!(flights.land(&"a", lead), [1, 2]);
        let lead = flights.lead("a", UnixMs(30), WITHIN).unwrap();
        assert!(flights.land(&"a", lead).is_empty());
    }

    #[test]
    fn a_leader_that_vanished_is_followed_by_another_for_whom_the_others_wait() {
        let mut flights = Flights::default();
        let vanished = flights.lead("a", UnixMs(0), WITHIN).unwrap();
        flights.wait(&"a", 1);
        assert_eq!(flights.lead("a", UnixMs(99), WITHIN), Err(DurationMs(1)));
        let lead = flights.lead("a", UnixMs(100), WITHIN).unwrap();
        flights.wait(&"a", 2);
        // It comes back after all, but the flight is no longer its own.
        assert!(flights.land(&"a", vanished).is_empty());
        assert_eq!(flights.lead("a", UnixMs(150), WITHIN), Err(DurationMs(50)));
        assert_eq!(flights.land(&"a", lead), [1, 2]);
    }

    proptest! {
        /// Requests come, land and vanish; time goes on.
        #[test]
        fn one_leader_at_a_time_and_nobody_waits_in_vain(
            steps in prop::collection::vec((0..3_u8, any::<prop::sample::Index>(), 0..60_u64), 0..80),
        ) {
            let mut flights = Flights::default();
            let (mut now, mut leads, mut told, mut waiting) = (UnixMs(0), vec![], vec![], 0..0_u32);
            for (step, which, pause) in steps {
                now = now.plus(DurationMs(pause));
                match step {
                    0 | 1 => match flights.lead((), now, WITHIN) {
                        Ok(lead) => {
                            prop_assert!(leads.iter().all(|(_, until)| *until <= now));
                            leads.push((lead, now.plus(WITHIN)));
                        }
                        Err(left) => {
                            prop_assert!(leads.iter().any(|(_, until)| *until == now.plus(left)));
                            flights.wait(&(), waiting.end);
                            waiting.end += 1;
                        }
                    },
                    _ if leads.is_empty() => {}
                    _ => {
                        let (lead, _) = leads.swap_remove(which.index(leads.len()));
                        told.extend(flights.land(&(), lead));
                    }
                }
            }
            let last = flights.lead((), now.plus(WITHIN), WITHIN).unwrap();
            told.extend(flights.land(&(), last));
            prop_assert_eq!(told, waiting.collect::<Vec<_>>());
        }
    }
}
