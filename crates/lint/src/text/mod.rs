//! Source text: where lines begin, and what a lexer alone can tell of it.

use serde::{Deserialize, Serialize};

mod lines;
mod scan;
mod table;

pub(crate) use lines::Lines;
pub use lines::Position;
pub(crate) use scan::{Comment, Scan, group, scan};

/// A half-open byte range of one file.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub(crate) struct Span {
    /// First byte.
    pub(crate) start: u32,
    /// One past the last byte.
    pub(crate) end: u32,
}

impl Span {
    /// A span over `start..end`, clamped to four gigabytes.
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self { start: offset(start), end: offset(end) }
    }

    /// Whether `other` lies within this span.
    pub(crate) fn holds(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The text under the span; empty where it is out of range.
    pub(crate) fn of(self, text: &str) -> &str {
        text.get(index(self.start)..index(self.end)).unwrap_or_default()
    }
}

/// A byte offset as this crate stores it: files end at four gigabytes.
pub(crate) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// A stored offset as an index.
pub(crate) fn index(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}
