//! N-grams of one window, as buckets of a table.

use crate::{
    fold::{Class, SPACE},
    hash::{START, finish, hash, mix},
    manifest::{TablePlan, Unit},
    tokens::tokens,
};

/// One window, prepared once for all tables.
#[derive(Debug)]
pub(super) struct Window {
    /// The window's code points between two spaces; nothing for an empty window.
    points: Vec<u32>,
    /// The hashes of its tokens.
    hashes: Vec<u32>,
    /// Its words, each between two spaces.
    words: Vec<u32>,
    /// Where each word ends in `words`.
    ends: Vec<usize>,
}

impl Window {
    /// Prepares a slice of folded text.
    pub(super) fn new(slice: &[u32]) -> Self {
        let mut window =
            Self { points: Vec::new(), hashes: Vec::new(), words: Vec::new(), ends: Vec::new() };
        if slice.is_empty() {
            return window;
        }
        window.points.reserve_exact(slice.len() + 2);
        pad(slice, &mut window.points);
        window.words.reserve(slice.len() + slice.len() / 4);
        for token in tokens(slice) {
            window.hashes.push(hash(START, token.points));
            match token.class {
                Class::Word => {
                    pad(token.points, &mut window.words);
                    window.ends.push(window.words.len());
                }
                Class::Space | Class::Ideograph | Class::Symbol => {}
            }
        }
        window
    }

    /// Tells `put` the bucket of every n-gram, repeated ones repeatedly.
    pub(super) fn each(&self, table: &TablePlan, mut put: impl FnMut(u32)) {
        match table.unit {
            Unit::Char => each(&self.points, table, put),
            Unit::Word => each(&self.hashes, table, put),
            Unit::WordChar => {
                let mut start = 0;
                for end in &self.ends {
                    each(self.words.get(start..*end).unwrap_or_default(), table, &mut put);
                    start = *end;
                }
            }
            Unit::Skip => {
                for (one, other) in self.hashes.iter().zip(self.hashes.iter().skip(2)) {
                    put(bucket(mix(mix(table.seed, *one), *other), table));
                }
            }
        }
    }
}

fn pad(points: &[u32], into: &mut Vec<u32>) {
    into.push(SPACE);
    into.extend_from_slice(points);
    into.push(SPACE);
}

fn each(items: &[u32], table: &TablePlan, mut put: impl FnMut(u32)) {
    for start in 0..items.len() {
        let mut hash = table.seed;
        let reach = items.get(start..).unwrap_or_default().iter().take(table.max);
        for (length, item) in (1..).zip(reach) {
            hash = mix(hash, *item);
            if length >= table.min {
                put(bucket(hash, table));
            }
        }
    }
}

/// The bucket of a hash; below 2^20, because tables are no larger.
fn bucket(hash: u32, table: &TablePlan) -> u32 {
    finish(hash) & (u32::try_from(table.buckets).unwrap_or(1) - 1)
}
