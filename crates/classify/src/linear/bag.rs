//! The buckets that the n-grams of one window fell into, and what each is worth.

use super::logarithmic;
use crate::{manifest::Weighting, numbers::real};

/// Buckets of one window and one table; kept from window to window for its memory.
#[derive(Debug)]
pub(super) struct Bag {
    weighting: Weighting,
    /// One bit a bucket: whether it is in `buckets` already. Used for binary weighting only.
    seen: Vec<u64>,
    buckets: Vec<u32>,
}

impl Bag {
    /// An empty bag for tables of up to `widest` buckets.
    pub(super) fn new(weighting: Weighting, widest: usize) -> Self {
        Self { weighting, seen: vec![0; widest.div_ceil(64)], buckets: Vec::new() }
    }

    /// Puts one n-gram in.
    pub(super) fn put(&mut self, bucket: u32) {
        match self.weighting {
            Weighting::Binary => self.put_once(bucket),
            Weighting::Log => self.buckets.push(bucket),
        }
    }

    fn put_once(&mut self, bucket: u32) {
        let Some(word) = self.seen.get_mut(index(bucket >> 6)) else { return };
        let bit = 1 << (bucket & 63);
        if *word & bit == 0 {
            *word |= bit;
            self.buckets.push(bucket);
        }
    }

    /// Empties the bag, telling `each` every bucket and its value once; the sum of squared values.
    pub(super) fn take(&mut self, mut each: impl FnMut(usize, f64)) -> f64 {
        match self.weighting {
            Weighting::Binary => {
                let norm = real(self.buckets.len());
                for bucket in self.buckets.drain(..) {
                    each(index(bucket), 1.0);
                    if let Some(word) = self.seen.get_mut(index(bucket >> 6)) {
                        *word = 0;
                    }
                }
                norm
            }
            Weighting::Log => {
                self.buckets.sort_unstable();
                let norm = self.buckets.chunk_by(|one, other| one == other).map(|run| {
                    let value = logarithmic(run.len());
                    each(run.first().copied().map(index).unwrap_or_default(), value);
                    value * value
                });
                let norm = norm.sum();
                self.buckets.clear();
                norm
            }
        }
    }
}

/// A bucket as an index; buckets are below 2^20.
#[expect(clippy::as_conversions, reason = "usize has 32 bits or more wherever this runs")]
const fn index(bucket: u32) -> usize {
    bucket as usize
}
