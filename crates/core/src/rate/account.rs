//! A bucket's books inside the limiter object: what is on lease, and what may still come back.
//!
//! A lease is *open* until its isolate accounts for it or it expires; then its pieces count as
//! spent. Of spent pieces some may come back, since calls reserve an estimate and outlive leases.
//! Such a refund is worth what it would be worth had the pieces never been taken: the bucket may
//! have been refilled over the limit otherwise, so every spent lease remembers the least *room*
//! there was since it was spent, and gets back no more than that.

use super::{
    REFUND_WINDOW,
    bucket::{Bucket, PerMinute},
    wire::Statement,
};
use crate::units::{DurationMs, UnixMs};

/// A bucket with its leases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub(super) bucket: Bucket,
    pub(super) open: Vec<OpenLease>,
    /// In the order they were spent.
    pub(super) spent: Vec<SpentLease>,
}

/// A lease that an isolate may be taking from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OpenLease {
    pub(super) id: u64,
    pub(super) size: u64,
    pub(super) expires: UnixMs,
}

/// A lease that is over but may bring a refund or a debit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SpentLease {
    pub(super) id: u64,
    pub(super) size: u64,
    /// How many of its pieces were handed back, in all.
    pub(super) credited: u64,
    /// How many were used beyond it, in all.
    pub(super) debited: u64,
    /// The least room the bucket had from when this lease was spent until the next one was.
    pub(super) room: u64,
    /// When it is forgotten: what has not come back by then stays spent.
    pub(super) until: UnixMs,
}

/// At most so many spent leases are remembered; beyond that the oldest stay spent.
const MAX_SPENT: usize = 512;
/// What one isolate may take in advance: this part of what remains, shared with the other isolates,
const SHARE: u64 = 16;
/// or the refill of this part of a minute, a quarter of a second, which hurts nobody either and
/// saves most messages when a bucket is nearly empty all the time. Small limits have neither.
const MOMENT: u64 = 240;

impl Account {
    /// A full bucket and no leases.
    pub fn new(limit: PerMinute, now: UnixMs) -> Self {
        Self { bucket: Bucket::full(limit, now), open: Vec::new(), spent: Vec::new() }
    }

    /// Brings everything up to `now` (steady time): refill, expired leases, forgotten ones.
    pub fn advance(&mut self, now: UnixMs) {
        while let Some(index) = self.next_expired(now) {
            let lease = self.open.swap_remove(index);
            self.refill(lease.expires);
            self.spend(lease, 0);
        }
        self.refill(now);
        while let Some(index) = self.spent.iter().position(|lease| lease.until <= now) {
            self.forget(index);
        }
    }

    /// Whole pieces that can be leased now.
    pub fn available(&self) -> u64 {
        self.bucket.available()
    }

    /// How long until `pieces` are there if nobody else comes, leases expiring on the way; `None`
    /// when they are more than the limit.
    pub fn wait_for(&self, pieces: u64) -> Option<DurationMs> {
        let mut bucket = self.bucket;
        let mut leases = self.open.clone();
        leases.sort_unstable_by_key(|lease| lease.expires);
        for lease in leases {
            match bucket.available_at(pieces) {
                Some(at) if at <= lease.expires => return Some(at.since(self.bucket.at())),
                Some(_) | None => bucket.advance(lease.expires),
            }
            bucket.end_lease(lease.size, 0);
        }
        bucket.available_at(pieces).map(|at| at.since(self.bucket.at()))
    }

    /// Leases `need` pieces, as much as there is of `also`, and of `want` a share of what is left;
    /// returns the size, or `None` when there are not even `need`.
    pub(super) fn lease(
        &mut self,
        id: u64,
        (need, also, want): (u64, u64, u64),
        expires: UnixMs,
    ) -> Option<u64> {
        let needed = need.saturating_add(also).min(self.available()).max(need);
        let isolates = u64::try_from(self.open.len()).unwrap_or(u64::MAX).saturating_add(1);
        let left = self.available().saturating_sub(needed);
        let share = left / isolates.saturating_mul(SHARE);
        let moment = left.min(self.bucket.limit().0 / MOMENT);
        let size = needed.saturating_add(want.min(share.max(moment)));
        if !self.bucket.lease(size) {
            return None;
        }
        self.open.push(OpenLease { id, size, expires });
        Some(size)
    }

    /// Takes an isolate's account of a lease; one that is not known changes nothing.
    pub(super) fn settle(&mut self, said: &Statement) {
        if let Some(index) = self.open.iter().position(|lease| lease.id == said.lease) {
            let lease = self.open.swap_remove(index);
            self.spend(lease, said.unused.min(lease.size));
        }
        let Some(index) = self.spent.iter().position(|lease| lease.id == said.lease) else {
            return;
        };
        self.adjust(index, said);
        if said.open == 0 {
            self.forget(index);
        }
    }

    /// Refunds and debits by how much the totals have grown.
    fn adjust(&mut self, index: usize, said: &Statement) {
        let (_, since) = self.spent.split_at_mut_checked(index).unwrap_or_default();
        let room = since.iter().map(|lease| lease.room).min().unwrap_or(0);
        let Some(lease) = since.first_mut() else { return };
        let unused = said.unused.min(lease.size);
        let refund = unused.saturating_sub(lease.credited).min(room);
        let debit = said.over.saturating_sub(lease.debited);
        lease.credited = lease.credited.max(unused);
        lease.debited = lease.debited.max(said.over);
        for lease in since {
            // As if these pieces had been in the bucket ever since the lease was spent.
            lease.room = lease.room.saturating_sub(refund);
        }
        self.bucket.credit(refund);
        self.bucket.debit(debit);
    }

    /// Drops a spent lease; the one before it remembers the least room for both.
    fn forget(&mut self, index: usize) {
        let room = self.spent.remove(index).room;
        let before = index.checked_sub(1).and_then(|before| self.spent.get_mut(before));
        if let Some(before) = before {
            before.room = before.room.min(room);
        }
    }

    /// Ends an open lease of which `unused` come back at once.
    fn spend(&mut self, lease: OpenLease, unused: u64) {
        self.bucket.end_lease(lease.size, unused);
        if self.spent.len() >= MAX_SPENT {
            self.forget(0);
        }
        self.spent.push(SpentLease {
            id: lease.id,
            size: lease.size,
            credited: unused,
            debited: 0,
            room: self.bucket.room(),
            until: lease.expires.plus(REFUND_WINDOW),
        });
    }

    fn refill(&mut self, now: UnixMs) {
        self.bucket.advance(now);
        let room = self.bucket.room();
        if let Some(latest) = self.spent.last_mut() {
            latest.room = latest.room.min(room);
        }
    }

    fn next_expired(&self, now: UnixMs) -> Option<usize> {
        let (index, first) =
            self.open.iter().enumerate().min_by_key(|(_, lease)| (lease.expires, lease.id))?;
        (first.expires <= now).then_some(index)
    }
}
