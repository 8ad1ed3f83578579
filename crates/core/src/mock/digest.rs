//! Where the mock's variety comes from: SHA-256 of the request, and numbers drawn from it.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// SHA-256 of a request, or of a part of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digest([u8; 32]);

impl Digest {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of one of several answers. The first is the whole's own.
    pub(super) fn branch(self, index: u64) -> Self {
        if index == 0 {
            return self;
        }
        self.with(&index.to_le_bytes())
    }

    /// The digest of this digest and `bytes` after it.
    pub(super) fn with(self, bytes: &[u8]) -> Self {
        Self(Sha256::new().chain_update(self.0).chain_update(bytes).finalize().into())
    }

    /// The first `digits` hexadecimal digits, at most 64, in lower case.
    pub(super) fn hex(self, digits: usize) -> String {
        let mut text = String::with_capacity(64);
        for byte in self.0 {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text.truncate(digits);
        text
    }

    /// Dice that always fall the same way for the same digest.
    pub(super) fn dice(self) -> Dice {
        let seed = self.0.first_chunk().copied().unwrap_or_default();
        Dice(u64::from_le_bytes(seed))
    }
}

/// A sequence of numbers: `SplitMix64` (Steele, Lea, Flood 2014). Not for secrets.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to and without `end`; 0 when `end` is 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or_default()
    }

    /// One of `items`; `None` when there are none.
    pub(super) fn pick<'i, T>(&mut self, items: &'i [T]) -> Option<&'i T> {
        let index = self.below(u64::try_from(items.len()).unwrap_or(u64::MAX));
        items.get(usize::try_from(index).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_branch_is_the_trunk_and_the_others_differ() {
        let digest = Digest::of(b"question");
        assert_eq!(digest.branch(0), digest);
        assert_ne!(digest.branch(1), digest);
        assert_ne!(digest.branch(1), digest.branch(2));
    }

    #[test]
    fn dice_follow_the_published_sequence() {
        // The reference implementation's first numbers from seed 0.
        let mut dice = Dice(0);
        assert_eq!(dice.next(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(dice.next(), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn hexadecimal_digits_are_the_beginning_of_the_digest() {
        // SHA-256 of nothing.
        assert_eq!(Digest::of(b"").hex(8), "e3b0c442");
    }
}
