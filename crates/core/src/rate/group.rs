//! The buckets of one limiter object as an isolate knows them, and the one message that is out.
//!
//! At most one message a group is out at a time, so an answer always belongs to it; what would ask
//! meanwhile waits and is counted into the next question.

use std::collections::BTreeMap;

use super::{
    bounded_life,
    holding::{Holding, Look},
    subject::Draw,
    wire::{Answer, Line, Message, Position, Statement},
};
use crate::units::{DurationMs, UnixMs};

/// One object's buckets.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    buckets: BTreeMap<String, Holding>,
    pending: Option<Pending>,
    /// The object could not be reached; it is not asked again before.
    down_until: UnixMs,
}

/// How long things may take, all derived from the life of a lease.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// The life of a lease in the object.
    pub(super) life: DurationMs,
    /// How long after asking for it an isolate may use it: a fifth less, for clocks that disagree.
    pub(super) usable: DurationMs,
    /// A step back of the wall clock that those margins cover.
    pub(super) tolerance: DurationMs,
    /// How far ahead a lease is meant to reach.
    pub(super) horizon: DurationMs,
    /// After this long an answer is not expected any more.
    pub(super) patience: DurationMs,
}

/// A message that is out.
#[derive(Debug, Clone)]
struct Pending {
    seq: u64,
    sent: UnixMs,
    said: Vec<Statement>,
}

/// An object that could not be reached is let be for this long.
pub(super) const REST: DurationMs = DurationMs::from_secs(1);

impl Terms {
    pub(super) fn of(lease: DurationMs) -> Self {
        let life = bounded_life(lease);
        let usable = DurationMs(life.0 - life.0 / 5);
        Self {
            life,
            usable,
            tolerance: DurationMs(life.0 / 10),
            horizon: DurationMs(life.0 / 8),
            patience: usable.min(DurationMs::from_secs(3)),
        }
    }
}

impl Group {
    /// The bucket that `draw` names, brought up to date.
    pub(super) fn holding(&mut self, draw: &Draw, now: UnixMs) -> &mut Holding {
        let holding = self
            .buckets
            .entry(draw.bucket.clone())
            .or_insert_with(|| Holding::new(draw.limit, now));
        holding.refresh(draw.limit, now);
        holding
    }

    /// The bucket that `draw` names, if it is known.
    pub(super) fn known(&self, bucket: &str) -> Option<&Holding> {
        self.buckets.get(bucket)
    }

    /// The same, to change it.
    pub(super) fn known_mut(&mut self, bucket: &str) -> Option<&mut Holding> {
        self.buckets.get_mut(bucket)
    }

    /// Whether the object is being let be.
    pub(super) fn is_down(&self, now: UnixMs) -> bool {
        now < self.down_until
    }

    /// How much longer the answer to the message that is out may take; `None` when none is out.
    pub(super) fn answer_within(&mut self, terms: Terms, now: UnixMs) -> Option<DurationMs> {
        let waited = now.since(self.pending.as_ref()?.sent);
        if waited < terms.patience {
            return Some(terms.patience.saturating_sub(waited));
        }
        self.pending = None;
        None
    }

    /// Makes the question for a call that needs `pieces` of each of `draws`.
    pub(super) fn question<'a>(
        &mut self,
        draws: impl Iterator<Item = &'a Draw>,
        (pieces, waited): (u64, bool),
        (seq, terms): (u64, Terms),
        now: UnixMs,
    ) -> Vec<u8> {
        let mut asks = BTreeMap::new();
        for draw in draws {
            let holding = self.holding(draw, now);
            if holding.look(pieces, now) == Look::Short {
                asks.insert(draw.bucket.clone(), holding.ask(pieces, waited, terms.horizon, now));
            }
        }
        self.send(asks, (seq, terms), now)
    }

    /// When there is something to report that is worth a call.
    pub(super) fn due_at(&self, terms: Terms, now: UnixMs) -> Option<UnixMs> {
        let first = self.buckets.values().filter_map(|bucket| bucket.due_at(terms.life, now)).min();
        // Not while a message is out, or while the object is let be.
        let free =
            self.pending.as_ref().map_or(self.down_until, |out| out.sent.plus(terms.patience));
        first.map(|due| due.max(free))
    }

    /// Makes the report that is due, ending leases that idle or run out; `None` if nothing is.
    pub(super) fn report(&mut self, seq: u64, terms: Terms, now: UnixMs) -> Option<Vec<u8>> {
        if self.due_at(terms, now).is_none_or(|due| now < due) {
            return None;
        }
        for holding in self.buckets.values_mut() {
            holding.end_if_due(terms.life, now);
        }
        Some(self.send(BTreeMap::new(), (seq, terms), now))
    }

    /// Takes in an answer; one to another message than that which is out changes nothing.
    pub(super) fn answered(&mut self, answer: &Answer, terms: Terms, now: UnixMs) {
        let Some(pending) = self.pending.take_if(|pending| pending.seq == answer.seq) else {
            return;
        };
        for said in &pending.said {
            if let Some(holding) = self.buckets.get_mut(&said.bucket) {
                holding.acknowledge(said, now);
            }
        }
        let until = pending.sent.plus(terms.usable);
        let rest = if until <= now { now.plus(REST) } else { UnixMs::default() };
        // An answer too late to be used is as good as none: nobody shall ask in circles.
        self.down_until = rest;
        for (name, position) in &answer.buckets {
            self.learn(name, position, until, now);
        }
    }

    /// Nobody listens for the answer any more: what it leases will expire unused.
    pub(super) fn abandoned(&mut self) {
        self.pending = None;
    }

    /// The object could not be reached with the message that is out.
    pub(super) fn unanswered(&mut self, now: UnixMs) {
        if self.pending.take().is_some() {
            self.down_until = now.plus(REST);
        }
    }

    /// The wall clock was set: nothing that was leased or asked before can be trusted.
    pub(super) fn forfeit(&mut self, now: UnixMs) {
        self.pending = None;
        for holding in self.buckets.values_mut() {
            holding.end_lease(now);
        }
    }

    /// Drops what nothing can come of any more; true when nothing is left.
    pub(super) fn forget(&mut self, now: UnixMs) -> bool {
        self.buckets.retain(|_, holding| !holding.is_stale(now));
        self.buckets.is_empty() && self.pending.is_none()
    }

    fn learn(&mut self, name: &str, position: &Position, until: UnixMs, now: UnixMs) {
        if let Some(holding) = self.buckets.get_mut(name) {
            holding.learn(position, until, now);
        }
    }

    fn send(
        &mut self,
        asks: BTreeMap<String, Line>,
        (seq, terms): (u64, Terms),
        now: UnixMs,
    ) -> Vec<u8> {
        let said: Vec<_> =
            self.buckets.iter().flat_map(|(name, bucket)| bucket.statements(name)).collect();
        let message = Message { seq, life: terms.life.0, said, asks };
        // Maps with string keys, numbers and strings always have a JSON text.
        let text = serde_json::to_vec(&message).unwrap_or_default();
        self.pending = Some(Pending { seq, sent: now, said: message.said });
        text
    }
}
