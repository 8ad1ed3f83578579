//! Replicas of one provider: which of them is asked first.
//!
//! Of two drawn by lot the one with less work before it is asked: calls in flight from here and those
//! that wait there by its own metrics, times the time that it takes. A replica that is rested by its
//! breaker or was found not ready is asked only where no other one is left. Nothing here waits or
//! asks: reports come from [`probe`], latencies from the calls themselves.

mod cost;
pub mod probe;

use std::{cell::Cell, collections::BTreeMap, rc::Rc, sync::Arc};

use cost::cheaper_first;
use probe::Report;

use crate::{
    breaker::Breakers,
    config::valid::{Provider, Target},
    route::Latencies,
    units::{DurationMs, UnitInterval, UnixMs},
};

/// What an isolate knows of replicas.
#[derive(Debug, Default)]
pub struct Pools {
    /// Calls in flight from this isolate, by the target's id.
    in_flight: BTreeMap<String, Rc<Cell<u32>>>,
    /// What was last found by asking.
    reports: Vec<Report>,
    /// Until when nobody waits for a pool to start, by the provider's name.
    given_up: Vec<(String, UnixMs)>,
}

/// A call in flight; dropping it ends the count.
#[derive(Debug)]
pub struct InFlight(Rc<Cell<u32>>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

/// The replicas of one target, best first, and whether any of them can be expected to answer.
#[derive(Debug)]
pub struct Ranked {
    /// Who is asked, in this order; none where all of them rest.
    pub replicas: Vec<Arc<Target>>,
    /// False where each was found not ready: whoever else there is should be asked before.
    pub expected: bool,
}

impl Pools {
    /// A call to `target` begins.
    pub fn enter(&mut self, target: &str) -> InFlight {
        let known = self.in_flight.get(target).map(Rc::clone);
        let count = known
            .unwrap_or_else(|| Rc::clone(self.in_flight.entry(target.to_owned()).or_default()));
        count.set(count.get().saturating_add(1));
        InFlight(count)
    }

    /// Calls in flight to `target` from this isolate.
    pub fn in_flight(&self, target: &str) -> u32 {
        self.in_flight.get(target).map_or(0, |count| count.get())
    }

    /// What asking the replicas has brought, all of it anew.
    pub fn told(&mut self, reports: Vec<Report>) {
        self.reports = reports;
    }

    /// How long a call may wait for the pool of `provider` to start; zero where it has no pool that
    /// is waited for, or has been waited for in vain lately.
    pub fn patience(&self, provider: &Provider, now: UnixMs) -> DurationMs {
        let is_given_up = |(name, until): &(String, UnixMs)| *name == provider.name && now < *until;
        if self.given_up.iter().any(is_given_up) { DurationMs(0) } else { provider.pool.patience }
    }

    /// The pool of `provider` did not start in time: nobody waits for it for as long as `rest`.
    pub fn give_up(&mut self, provider: &str, now: UnixMs, rest: DurationMs) {
        self.given_up.retain(|(name, _)| name != provider);
        self.given_up.push((provider.to_owned(), now.plus(rest)));
    }

    /// The replicas of `target`, best first. `dice` are thrown anew for every call.
    pub fn rank(
        &self,
        target: &Target,
        breakers: &Breakers,
        latencies: &Latencies,
        now: UnixMs,
        dice: &mut impl FnMut() -> UnitInterval,
    ) -> Ranked {
        let awake = |replica: &&Arc<Target>| breakers.rest(&replica.id, now) == DurationMs(0);
        let mut replicas: Vec<Arc<Target>> =
            target.replicas.iter().filter(awake).cloned().collect();
        let is_patient = self.patience(&target.provider, now) > DurationMs(0);
        if replicas.is_empty() && is_patient {
            // All of them have failed, as those do that are just being started.
            replicas.clone_from(&target.replicas);
        }
        let (ready, unready): (Vec<_>, Vec<_>) =
            replicas.into_iter().partition(|replica| self.is_ready(replica, now));
        let expected = !ready.is_empty() || is_patient;
        let replicas = if ready.is_empty() { unready } else { ready };
        let costs = cost::all(&replicas, latencies, now, |replica| {
            u64::from(self.in_flight(&replica.id)) + self.waiting(replica, now)
        });
        Ranked {
            replicas: cheaper_first(replicas.into_iter().zip(costs).collect(), dice),
            expected,
        }
    }

    fn is_ready(&self, replica: &Target, now: UnixMs) -> bool {
        self.report(replica, now).is_none_or(|report| report.ready)
    }

    /// Calls that wait at the replica, by its own metrics.
    fn waiting(&self, replica: &Target, now: UnixMs) -> u64 {
        self.report(replica, now).and_then(|report| report.waiting).unwrap_or(0)
    }

    /// The last report of a replica, while it is news.
    fn report(&self, replica: &Target, now: UnixMs) -> Option<&Report> {
        let probe = replica.provider.pool.probe.as_ref()?;
        let address = replica.provider.kind.address()?;
        let report = self.reports.iter().find(|report| report.address == address)?;
        (now.since(report.at) <= probe.every.saturating_mul(3)).then_some(report)
    }
}

#[cfg(test)]
mod tests;
