//! One sum that an isolate has taken out of a budget, and what became of it.

use super::wire::Statement;
use crate::units::UnixMs;

/// A sum taken out: what is free of it, what is set aside, what came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lease {
    pub(super) id: u64,
    /// Paid from by nobody yet.
    free: u64,
    /// Set aside for calls that run.
    open: u64,
    /// How many calls that is.
    calls: u32,
    back: u64,
    over: u64,
    /// From then on nothing is set aside from it.
    dead_at: UnixMs,
    /// What the object has heard last.
    heard: Option<Statement>,
    /// Which message said last that nothing more will be said.
    closed_by: Option<u64>,
}

impl Lease {
    pub(super) fn new(id: u64, size: u64, dead_at: UnixMs) -> Self {
        Self {
            id,
            free: size,
            open: 0,
            calls: 0,
            back: 0,
            over: 0,
            dead_at,
            heard: None,
            closed_by: None,
        }
    }

    /// Whether a call may set `amount` aside.
    pub(super) fn has(&self, amount: u64, now: UnixMs) -> bool {
        now < self.dead_at && amount <= self.free
    }

    pub(super) fn is_dead(&self, now: UnixMs) -> bool {
        now >= self.dead_at
    }

    /// When it stops being paid from.
    pub(super) const fn dies_at(&self) -> UnixMs {
        self.dead_at
    }

    /// Sets `amount` aside, which the caller knows is there.
    pub(super) fn set_aside(&mut self, amount: u64) {
        self.free = self.free.saturating_sub(amount);
        self.open = self.open.saturating_add(amount);
        self.calls = self.calls.saturating_add(1);
    }

    /// Ends a call that had `amount` set aside and cost `actual`.
    pub(super) fn settle(&mut self, amount: u64, actual: u64) {
        self.open = self.open.saturating_sub(amount);
        self.calls = self.calls.saturating_sub(1);
        if let Some(spared) = amount.checked_sub(actual) {
            self.free = self.free.saturating_add(spared);
        } else {
            let excess = actual.saturating_sub(amount);
            let paid = excess.min(self.free);
            self.free = self.free.saturating_sub(paid);
            self.over = self.over.saturating_add(excess.saturating_sub(paid));
        }
    }

    /// Nothing more is set aside from it: what is free goes back.
    pub(super) fn retire(&mut self, now: UnixMs) {
        self.dead_at = self.dead_at.min(now);
        self.back = self.back.saturating_add(std::mem::take(&mut self.free));
    }

    /// What message `seq` should say of it, if there is anything new.
    pub(super) fn statement(&mut self, seq: u64, now: UnixMs) -> Option<Statement> {
        if self.is_dead(now) {
            self.retire(now);
        }
        let said = self.as_it_is(now);
        // What was said is said again until it is known to have been heard.
        if self.heard == Some(said) {
            return None;
        }
        self.closed_by = said.done.then_some(seq);
        Some(said)
    }

    /// Whether there is something to say: never while it lives.
    pub(super) fn is_due(&self, now: UnixMs) -> bool {
        self.is_dead(now) && (self.free > 0 || self.heard != Some(self.as_it_is(now)))
    }

    /// Message `seq`, which held `said`, was answered; true when nothing is left to say.
    pub(super) fn heard(&mut self, seq: u64, said: Statement) -> bool {
        self.heard = Some(said);
        self.closed_by == Some(seq)
    }

    fn as_it_is(&self, now: UnixMs) -> Statement {
        let Self { id, open, calls, back, over, .. } = *self;
        Statement { lease: id, back, over, open, done: calls == 0 && self.is_dead(now) }
    }
}
