//! One bucket as an isolate knows it: what it holds of it and what the object last said.
//!
//! Counts pieces (requests or tokens) in steady time. It decides nothing about other buckets.

use super::{
    bucket::{Bucket, PerMinute},
    demand::Demand,
    lease::{Lease, PastLease, is_large},
    wire::{Line, Outcome, Position, Statement},
};
use crate::units::{DurationMs, UnixMs};

/// An isolate's part of one bucket.
#[derive(Debug, Clone)]
pub(super) struct Holding {
    /// The object's bucket when it last answered; runs on with our clock.
    seen: Bucket,
    current: Option<Lease>,
    past: Vec<PastLease>,
    dry: Option<Dry>,
    demand: Demand,
    /// Pieces that calls wait for while a question is out.
    waiting: u64,
    /// When something was last taken.
    taken: UnixMs,
}

/// The object has said that there is nothing to be had.
#[derive(Debug, Clone, Copy)]
struct Dry {
    /// For this many pieces,
    need: u64,
    /// before this moment.
    until: UnixMs,
}

/// How an isolate may use a bucket for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// What it holds is enough.
    Enough,
    /// It must ask the object.
    Short,
    /// The object has said that there is not enough for this long.
    Dry(DurationMs),
}

/// A dry bucket is not asked again sooner, however fast it refills: a flood costs an isolate two
/// messages a second at most, and some pieces gather meanwhile.
const HOLD_OFF: DurationMs = DurationMs(500);
/// A bucket that nothing was taken from for so long is forgotten; longer than [`REFUND_WINDOW`].
///
/// [`REFUND_WINDOW`]: super::REFUND_WINDOW
const FORGET: DurationMs = DurationMs::from_secs(900);

impl Holding {
    /// A bucket nobody has heard of: taken to be full.
    pub(super) fn new(limit: PerMinute, now: UnixMs) -> Self {
        Self {
            seen: Bucket::full(limit, now),
            current: None,
            past: Vec::new(),
            dry: None,
            demand: Demand::starting(now),
            waiting: 0,
            taken: now,
        }
    }

    /// Ends the lease when its time is over or the limit is another one now.
    pub(super) fn refresh(&mut self, limit: PerMinute, now: UnixMs) {
        if self.seen.limit() != limit {
            self.end_lease(now);
            self.seen.set_limit(limit);
            self.dry = None;
        }
        if self.current.is_some_and(|lease| lease.until <= now) {
            self.end_lease(now);
        }
    }

    /// Whether a call can have `pieces`; call [`Self::refresh`] first.
    pub(super) fn look(&self, pieces: u64, now: UnixMs) -> Look {
        if self.free() >= pieces {
            return Look::Enough;
        }
        let Some(dry) = self.dry.filter(|dry| now < dry.until) else { return Look::Short };
        let seen = self.seen.advanced(now);
        if pieces < dry.need && pieces <= seen.available() {
            return Look::Short;
        }
        let promised = if pieces < dry.need { now } else { dry.until };
        let refilled = seen.available_at(pieces).unwrap_or(dry.until);
        Look::Dry(promised.max(refilled).since(now).max(DurationMs(1)))
    }

    /// Takes `pieces` for good; the caller has looked.
    pub(super) fn take(&mut self, pieces: u64, now: UnixMs) {
        if let Some(lease) = &mut self.current {
            lease.free = lease.free.saturating_sub(pieces);
        }
        self.note_taken(pieces, now);
    }

    /// Takes `pieces` that some of may come back, and says from which lease; the caller has looked.
    pub(super) fn reserve(&mut self, pieces: u64, now: UnixMs) -> Option<u64> {
        let lease = self.current.as_mut()?;
        lease.free = lease.free.saturating_sub(pieces);
        lease.open = lease.open.saturating_add(pieces);
        let id = lease.id;
        self.note_taken(pieces, now);
        Some(id)
    }

    /// Ends a reservation of `reserved` pieces of `lease`, of which `actual` were used.
    pub(super) fn settle(&mut self, lease: u64, reserved: u64, actual: u64, now: UnixMs) {
        if let Some(current) = self.current.as_mut().filter(|current| current.id == lease) {
            current.open = current.open.saturating_sub(reserved);
            current.free = current.free.saturating_add(reserved.saturating_sub(actual));
            let over = actual.saturating_sub(reserved);
            let beyond = over.saturating_sub(current.free);
            current.free = current.free.saturating_sub(over);
            if beyond > 0 {
                // Nothing is left of the lease, so ending it costs nothing and carries the debit.
                self.end_lease_with(beyond, now);
            }
        } else if let Some(past) = self.past.iter_mut().find(|past| past.id() == lease) {
            past.settle(reserved, actual, now);
        }
    }

    /// Remembers that a call waits for `pieces`.
    pub(super) fn wait(&mut self, pieces: u64) {
        self.waiting = self.waiting.saturating_add(pieces);
    }

    /// What to ask the object for on behalf of a call that needs `pieces`; `waited` when the call
    /// was counted among those that wait. The lease held ends, since it was not enough.
    pub(super) fn ask(
        &mut self,
        pieces: u64,
        waited: bool,
        horizon: DurationMs,
        now: UnixMs,
    ) -> Line {
        self.end_lease(now);
        let own = if waited { pieces } else { 0 };
        let also = std::mem::take(&mut self.waiting).saturating_sub(own);
        let want = self.demand.take(now, horizon);
        Line { limit: self.seen.limit().0, need: pieces, also, want }
    }

    /// Takes in the object's answer; a lease in it may be used before `until`.
    pub(super) fn learn(&mut self, position: &Position, until: UnixMs, now: UnixMs) {
        self.end_lease(now);
        self.seen = Bucket::known(self.seen.limit(), position.level, position.held, now);
        match position.outcome {
            Outcome::Lease { id, size } => {
                self.dry = None;
                self.current = Some(Lease { id, size, free: size, open: 0, until });
            }
            Outcome::Dry { need, wait } => {
                self.dry = Some(Dry { need, until: now.plus(DurationMs(wait).max(HOLD_OFF)) });
            }
            Outcome::Spared => self.dry = None,
        }
    }

    /// Stops taking from the lease held; what is free of it goes back.
    pub(super) fn end_lease(&mut self, now: UnixMs) {
        self.end_lease_with(0, now);
    }

    /// Ends the lease if it idles, runs out soon or keeps the bucket from refilling.
    pub(super) fn end_if_due(&mut self, life: DurationMs, now: UnixMs) {
        if self.lease_due_at(life, now).is_some_and(|due| due <= now) {
            self.end_lease(now);
        }
    }

    /// When there is something to do that is worth a call.
    pub(super) fn due_at(&self, life: DurationMs, now: UnixMs) -> Option<UnixMs> {
        let accounts = self.past.iter().filter_map(|past| past.due_at(self.seen.limit().0));
        accounts.chain(self.lease_due_at(life, now)).min()
    }

    /// What there is to say about past leases.
    pub(super) fn statements(&self, bucket: &str) -> impl Iterator<Item = Statement> {
        self.past.iter().filter_map(move |past| past.statement(bucket))
    }

    /// The object has heard `said`.
    pub(super) fn acknowledge(&mut self, said: &Statement, now: UnixMs) {
        if let Some(past) = self.past.iter_mut().find(|past| past.id() == said.lease) {
            past.acknowledge(said);
        }
        self.past.retain(|past| !past.is_closed(now));
    }

    /// Whether it can be forgotten.
    pub(super) fn is_stale(&self, now: UnixMs) -> bool {
        now.since(self.taken) > FORGET
    }

    /// How many pieces are left: what it holds and what the object had, as far as is known.
    pub(super) fn remaining(&self, now: UnixMs) -> u64 {
        let free = self.current.filter(|lease| now < lease.until).map_or(0, |lease| lease.free);
        self.seen.advanced(now).available().saturating_add(free).min(self.seen.limit().0)
    }

    fn free(&self) -> u64 {
        self.current.map_or(0, |lease| lease.free)
    }

    fn note_taken(&mut self, pieces: u64, now: UnixMs) {
        self.demand.note(pieces);
        self.taken = now;
    }

    fn end_lease_with(&mut self, over: u64, now: UnixMs) {
        let Some(lease) = self.current.take() else { return };
        self.past.retain(|past| !past.is_closed(now));
        self.past.push(PastLease::ending(lease, over, now));
        self.seen.advance(now);
        self.seen.end_lease(lease.size, lease.free);
        self.seen.debit(over);
    }

    fn lease_due_at(&self, life: DurationMs, now: UnixMs) -> Option<UnixMs> {
        let lease = self.current?;
        let quarter = DurationMs(life.0 / 4);
        if lease.free > 0 {
            let ending = UnixMs(lease.until.0.saturating_sub(quarter.0));
            return Some(ending.min(self.taken.plus(quarter)));
        }
        // All of it is in use. A small lease says so with the next question; a large one must once
        // the bucket has no more room beside it.
        let seen = self.seen.advanced(now);
        let full = now.plus(seen.until_full());
        (is_large(lease.size, seen.limit().0) && full < lease.until).then_some(full)
    }
}
