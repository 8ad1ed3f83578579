//! What an isolate holds of one bucket: the lease it takes from, and those it must account for.

use super::{REFUND_WINDOW, wire::Statement};
use crate::units::{DurationMs, UnixMs};

/// The lease that calls are taking from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lease {
    pub(super) id: u64,
    pub(super) size: u64,
    /// Pieces that nobody has taken.
    pub(super) free: u64,
    /// Pieces that running calls have reserved.
    pub(super) open: u64,
    /// From then on nothing may be taken: the object may count it as spent.
    pub(super) until: UnixMs,
}

/// A lease that is over, with what the object must be told about it; totals only grow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PastLease {
    id: u64,
    size: u64,
    unused: u64,
    over: u64,
    open: u64,
    /// What the object is known to have heard: unused, over and open.
    heard: Option<(u64, u64, u64)>,
    /// When it last changed.
    changed: UnixMs,
    /// When it was over.
    ended: UnixMs,
}

/// Accounts wait this long for company, unless they are large.
const GATHER: DurationMs = DurationMs::from_secs(1);

impl PastLease {
    /// The end of `lease`, of which `over` pieces too many were used.
    pub(super) fn ending(lease: Lease, over: u64, now: UnixMs) -> Self {
        Self {
            id: lease.id,
            size: lease.size,
            unused: lease.free,
            over,
            open: lease.open,
            heard: None,
            changed: now,
            ended: now,
        }
    }

    /// Its number.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// A call that had reserved `reserved` pieces of it used `actual`.
    pub(super) fn settle(&mut self, reserved: u64, actual: u64, now: UnixMs) {
        self.open = self.open.saturating_sub(reserved);
        self.unused = self.unused.saturating_add(reserved.saturating_sub(actual));
        self.over = self.over.saturating_add(actual.saturating_sub(reserved));
        self.changed = now;
    }

    /// What there is to say about it, or `None` when the object has heard it all.
    pub(super) fn statement(&self, bucket: &str) -> Option<Statement> {
        let Self { id, unused, over, open, .. } = *self;
        let news = self.heard != Some((unused, over, open));
        news.then(|| Statement { bucket: bucket.into(), lease: id, unused, over, open })
    }

    /// The object has heard `said`.
    pub(super) fn acknowledge(&mut self, said: &Statement) {
        self.heard = Some((said.unused, said.over, said.open));
    }

    /// When the news are worth a call of their own, `None` if they are not. The end of a large
    /// lease is: until the object hears of it, the bucket does not refill in its place.
    pub(super) fn due_at(&self, limit: u64) -> Option<UnixMs> {
        if self.heard.is_none() && is_large(self.size, limit) {
            return Some(self.changed);
        }
        let (unused, over, _) = self.heard.unwrap_or_default();
        let news =
            self.unused.saturating_sub(unused).saturating_add(self.over.saturating_sub(over));
        if news == 0 {
            return None;
        }
        Some(if is_large(news, limit) { self.changed } else { self.changed.plus(GATHER) })
    }

    /// Whether nothing more can come of it: all is settled and heard, or the object has forgotten.
    pub(super) fn is_closed(&self, now: UnixMs) -> bool {
        let heard_all = self.open == 0 && self.heard == Some((self.unused, self.over, 0));
        heard_all || now.since(self.ended) > REFUND_WINDOW
    }
}

/// Whether `pieces` are so much of a bucket that the others should not wait for them.
pub(super) fn is_large(pieces: u64, limit: u64) -> bool {
    pieces.saturating_mul(16) >= limit
}
