//! One token bucket: holds a minute's limit, refills at limit/60 s, in exact integers.
//!
//! It counts *pieces*, requests or tokens. The level is kept in sixty-thousandths of a piece, so a
//! millisecond's refill is `limit` of them and nothing is ever rounded, however often it is asked.
//! Pieces on lease are still the bucket's: level and lease together never exceed the limit.

use crate::units::{DurationMs, UnixMs};

/// A limit in pieces (requests or tokens) a minute; the bucket's size as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PerMinute(pub u64);

/// A token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    limit: PerMinute,
    /// In [`FRACTIONS`] of a piece; negative after a debit.
    level: i128,
    /// Pieces on lease.
    held: u64,
    /// When `level` was right.
    at: UnixMs,
}

/// Parts of a piece: as many as milliseconds in a minute.
const FRACTIONS: i128 = 60_000;

impl Bucket {
    /// A full bucket.
    pub fn full(limit: PerMinute, now: UnixMs) -> Self {
        Self { limit, level: fractions(limit.0), held: 0, at: now }
    }

    /// A bucket of known contents: `level` in sixty-thousandths of a piece, `held` in pieces.
    pub(super) fn known(limit: PerMinute, level: i128, held: u64, at: UnixMs) -> Self {
        Self { limit, level, held, at }
    }

    /// The level in sixty-thousandths of a piece, and the pieces on lease.
    pub(super) fn contents(&self) -> (i128, u64) {
        (self.level, self.held)
    }

    /// The limit.
    pub fn limit(&self) -> PerMinute {
        self.limit
    }

    /// When it was last brought up to date.
    pub(super) fn at(&self) -> UnixMs {
        self.at
    }

    /// Refills up to `now`; an earlier `now` than the last changes nothing.
    pub fn advance(&mut self, now: UnixMs) {
        let elapsed = i128::from(now.since(self.at).0);
        let refill = i128::from(self.limit.0).saturating_mul(elapsed);
        self.level = self.level.saturating_add(refill).min(self.ceiling());
        self.at = self.at.max(now);
    }

    /// The bucket as it will be at `now` if nobody touches it.
    pub fn advanced(mut self, now: UnixMs) -> Self {
        self.advance(now);
        self
    }

    /// Changes the limit. A raised limit fills at its new rate; a lowered one cannot call leases
    /// back.
    pub fn set_limit(&mut self, limit: PerMinute) {
        self.limit = limit;
        self.level = self.level.min(self.ceiling());
    }

    /// Whole pieces that can be leased now.
    pub fn available(&self) -> u64 {
        u64::try_from(self.level.max(0) / FRACTIONS).unwrap_or(u64::MAX)
    }

    /// Whole pieces between what it accounts for (level and leases) and the limit.
    pub(super) fn room(&self) -> u64 {
        u64::try_from((self.ceiling() - self.level).max(0) / FRACTIONS).unwrap_or(u64::MAX)
    }

    /// Whether the refill is going to waste.
    pub(super) fn is_full(&self) -> bool {
        self.level >= self.ceiling()
    }

    /// Puts `pieces` on lease, or does nothing and says no when there are not as many.
    pub fn lease(&mut self, pieces: u64) -> bool {
        let enough = pieces <= self.available();
        if enough {
            self.level -= fractions(pieces);
            self.held = self.held.saturating_add(pieces);
        }
        enough
    }

    /// Ends a lease of `pieces`, of which `unused` (at most `pieces`) come back.
    pub fn end_lease(&mut self, pieces: u64, unused: u64) {
        self.held = self.held.saturating_sub(pieces);
        self.credit(unused.min(pieces));
    }

    /// Puts `pieces` back, as far as there is room.
    pub(super) fn credit(&mut self, pieces: u64) {
        self.level = (self.level + fractions(pieces)).min(self.ceiling());
    }

    /// Takes `pieces` whether they are there or not.
    pub fn debit(&mut self, pieces: u64) {
        self.level = self.level.saturating_sub(fractions(pieces));
    }

    /// The first moment at which `pieces` are there if nobody touches it; `None` when leases or the
    /// limit itself stand in the way for ever.
    pub fn available_at(&self, pieces: u64) -> Option<UnixMs> {
        let wanted = fractions(pieces);
        if wanted <= self.level || pieces == 0 {
            return Some(self.at);
        }
        (wanted <= self.ceiling()).then(|| self.at.plus(self.refill_time(wanted - self.level)))
    }

    /// How long until it is full, its leases apart.
    pub fn until_full(&self) -> DurationMs {
        self.refill_time((self.ceiling() - self.level).max(0))
    }

    /// The time that `missing` fractions take, rounded up.
    fn refill_time(&self, missing: i128) -> DurationMs {
        let rate = i128::from(self.limit.0.max(1));
        let whole = missing / rate + i128::from(missing % rate != 0);
        DurationMs(u64::try_from(whole).unwrap_or(u64::MAX))
    }

    /// How high the level may stand beside what is on lease.
    fn ceiling(&self) -> i128 {
        fractions(self.limit.0.saturating_sub(self.held))
    }
}

fn fractions(pieces: u64) -> i128 {
    i128::from(pieces) * FRACTIONS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: UnixMs = UnixMs(1_000_000);

    fn after(ms: u64) -> UnixMs {
        START.plus(DurationMs(ms))
    }

    #[test]
    fn a_third_of_a_minute_brings_back_one_of_three() {
        let mut bucket = Bucket::full(PerMinute(3), START);
        assert!(bucket.lease(3));
        bucket.end_lease(3, 0);
        assert!(!bucket.lease(1));
        assert_eq!(bucket.available_at(1), Some(after(20_000)));
        assert_eq!(bucket.advanced(after(19_999)).available(), 0);
        assert_eq!(bucket.advanced(after(20_000)).available(), 1);
        assert_eq!(bucket.until_full(), DurationMs(60_000));
    }

    #[test]
    fn a_debit_goes_below_zero_and_is_worked_off() {
        let mut bucket = Bucket::full(PerMinute(60), START);
        bucket.debit(70);
        assert_eq!(bucket.available(), 0);
        assert_eq!(bucket.available_at(1), Some(after(11_000)));
    }

    #[test]
    fn what_is_on_lease_is_not_refilled() {
        let mut bucket = Bucket::full(PerMinute(60), START);
        assert!(bucket.lease(10));
        bucket.advance(after(600_000));
        assert_eq!(bucket.available(), 50);
        assert_eq!(bucket.available_at(51), None);
        bucket.end_lease(10, 4);
        assert_eq!(bucket.available(), 54);
    }

    #[test]
    fn a_bucket_of_nothing_never_gives() {
        let bucket = Bucket::full(PerMinute(0), START);
        assert_eq!(bucket.advanced(after(1 << 40)).available(), 0);
        assert_eq!(bucket.available_at(1), None);
    }

    #[test]
    fn a_lowered_limit_takes_the_surplus_and_a_raised_one_gives_nothing_at_once() {
        let mut bucket = Bucket::full(PerMinute(60), START);
        bucket.set_limit(PerMinute(3));
        assert_eq!(bucket.available(), 3);
        bucket.set_limit(PerMinute(60));
        assert_eq!(bucket.available(), 3);
    }

    proptest! {
        #[test]
        fn how_often_it_is_asked_never_matters(
            limit in 1u64..5000, steps in proptest::collection::vec(0u64..700, 1..80),
        ) {
            let mut often = Bucket::full(PerMinute(limit), START);
            often.debit(limit * 2);
            let once = often;
            let mut now = START;
            for step in steps {
                now = now.plus(DurationMs(step));
                often.advance(now);
            }
            prop_assert_eq!(often, once.advanced(now));
        }

        #[test]
        fn the_promised_moment_is_the_first_one(limit in 1u64..100_000, debit in 0u64..200_000, share in 0u64..=100) {
            let mut bucket = Bucket::full(PerMinute(limit), START);
            bucket.debit(debit);
            let wanted = (limit * share / 100).max(1);
            let at = bucket.available_at(wanted).unwrap();
            prop_assert!(bucket.advanced(at).available() >= wanted);
            if at > START {
                prop_assert!(bucket.advanced(UnixMs(at.0 - 1)).available() < wanted);
            }
        }

        #[test]
        fn clocks_that_step_back_add_nothing(limit in 1u64..5000, readings in proptest::collection::vec(0u64..60_000, 1..60)) {
            let mut bucket = Bucket::full(PerMinute(limit), START);
            bucket.debit(limit);
            let latest = readings.iter().copied().max().unwrap();
            let straight = bucket.advanced(after(latest));
            for reading in readings {
                bucket.advance(after(reading));
            }
            prop_assert_eq!(bucket, straight);
        }

        #[test]
        fn extreme_numbers_saturate(limit: u64, level_debit: u64, now: u64, pieces: u64) {
            let mut bucket = Bucket::full(PerMinute(limit), UnixMs(0));
            bucket.debit(level_debit);
            bucket.advance(UnixMs(now));
            let leased = bucket.lease(pieces);
            prop_assert!(!leased || pieces <= limit);
            bucket.end_lease(pieces, u64::MAX);
            prop_assert!(bucket.available() <= limit);
        }
    }
}
