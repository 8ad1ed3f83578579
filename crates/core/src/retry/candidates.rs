//! The targets of one request, and which of them may still be asked.

use std::sync::Arc;

use crate::{
    config::valid::Target,
    units::{DurationMs, UnixMs},
};

/// The targets in the order in which they are asked, one of them being the current one.
#[derive(Debug)]
pub(super) struct Candidates {
    all: Vec<Candidate>,
    current: usize,
    /// Those looked at since a look around their pool began.
    looked: Vec<usize>,
}

/// Who is asked next.
#[derive(Debug)]
pub(super) struct Pick {
    pub(super) target: Arc<Target>,
    /// Not to be asked before.
    pub(super) not_before: UnixMs,
    /// Whether everyone left had been asked, so that a new round begins.
    pub(super) new_round: bool,
    /// Whether it was asked before.
    pub(super) again: bool,
}

#[derive(Debug)]
struct Candidate {
    target: Arc<Target>,
    /// Asked since the current round began.
    asked: bool,
    /// Asked at all.
    known: bool,
    /// Not to be asked before; its own wish.
    not_before: UnixMs,
    /// Not to be asked again.
    out: bool,
}

impl Candidates {
    pub(super) fn new(targets: Vec<Arc<Target>>) -> Self {
        let candidate = |target| Candidate {
            target,
            asked: false,
            known: false,
            not_before: UnixMs(0),
            out: false,
        };
        let all = targets.into_iter().map(candidate).collect();
        Self { all, current: 0, looked: Vec::new() }
    }

    /// Makes the next target the current one; `None` when none is left that may be asked before
    /// `ends`.
    ///
    /// Those not asked in this round come first, among them those that need not be waited for, and
    /// the order given decides among equals.
    pub(super) fn pick(&mut self, now: UnixMs, ends: UnixMs) -> Option<Pick> {
        let fresh = self.soonest(now, ends, |candidate| !candidate.asked);
        let new_round = fresh.is_none();
        let index = fresh.or_else(|| self.soonest(now, ends, |_| true))?;
        if new_round {
            self.all.iter_mut().for_each(|candidate| candidate.asked = false);
        }
        self.current = index;
        let chosen = self.current()?;
        Some(Pick {
            target: chosen.target.clone(),
            not_before: chosen.not_before,
            new_round,
            again: chosen.known,
        })
    }

    /// The current target was asked.
    pub(super) fn mark_asked(&mut self) {
        if let Some(candidate) = self.current() {
            candidate.asked = true;
            candidate.known = true;
        }
    }

    /// The current target asks to be left alone for this long.
    pub(super) fn postpone(&mut self, now: UnixMs, wait: DurationMs) {
        if let Some(candidate) = self.current() {
            candidate.not_before = now.plus(wait);
        }
    }

    /// Makes the next replica of the current one's pool the current one; the second value is whether
    /// all of them were looked at and begin anew.
    pub(super) fn look_on(&mut self) -> Option<(Arc<Target>, bool)> {
        self.looked.push(self.current);
        let pool = self.pool();
        let next = pool.iter().find(|at| !self.looked.contains(at)).copied();
        let again = next.is_none();
        if again {
            self.looked.retain(|at| !pool.contains(at));
        }
        self.current = next.or(pool.first().copied())?;
        Some((self.current()?.target.clone(), again))
    }

    /// No replica of the current one's pool is asked again in this round.
    pub(super) fn pass_over_pool(&mut self) {
        for at in self.pool() {
            if let Some(candidate) = self.all.get_mut(at) {
                candidate.asked = true;
            }
        }
    }

    /// Where the replicas of the current one's pool are that may be asked again, it among them.
    fn pool(&self) -> Vec<usize> {
        let Some(current) = self.all.get(self.current) else { return Vec::new() };
        let is_of_pool =
            |it: &Candidate| !it.out && it.target.whole_id() == current.target.whole_id();
        let of_pool = self.all.iter().enumerate().filter(|(_, it)| is_of_pool(it));
        of_pool.map(|(at, _)| at).collect()
    }

    /// Whether a replica of the current one's pool was not asked in this round.
    pub(super) fn has_another_replica(&self) -> bool {
        let Some(current) = self.all.get(self.current) else { return false };
        let of_pool = |it: &&Candidate| {
            current.target.replica_of.is_some() && it.target.replica_of == current.target.replica_of
        };
        self.all.iter().filter(of_pool).any(|it| !it.asked && !it.out)
    }

    /// The current target is not asked again.
    pub(super) fn leave_out(&mut self) {
        if let Some(candidate) = self.current() {
            candidate.out = true;
        }
    }

    /// The prompt did not fit the current target: only a larger known context may take it.
    pub(super) fn leave_out_smaller(&mut self) {
        let context = self.current().and_then(|current| current.target.dialect.context);
        for candidate in &mut self.all {
            let larger = match (candidate.target.dialect.context, context) {
                (Some(other), Some(this)) => other > this,
                (Some(_), None) => !candidate.known,
                (None, _) => false,
            };
            candidate.out |= !larger;
        }
    }

    fn current(&mut self) -> Option<&mut Candidate> {
        self.all.get_mut(self.current)
    }

    fn soonest(
        &self,
        now: UnixMs,
        ends: UnixMs,
        fits: impl Fn(&Candidate) -> bool,
    ) -> Option<usize> {
        let may = |it: &Candidate| !it.out && it.not_before < ends && fits(it);
        let left = self.all.iter().enumerate().filter(|(_, candidate)| may(candidate));
        left.min_by_key(|(_, candidate)| candidate.not_before.max(now)).map(|(index, _)| index)
    }
}
