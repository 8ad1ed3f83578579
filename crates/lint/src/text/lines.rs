//! Byte offsets to lines and columns, both counted from 1; a column counts characters, not bytes.

use super::{index, offset};
use serde::{Deserialize, Serialize};

/// A line and a column, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// Where each line of a text begins.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Lines {
    starts: Vec<u32>,
}

impl Lines {
    pub(crate) const NONE: Lines = Lines { starts: Vec::new() };

    /// Indexes `text`.
    pub(crate) fn of(text: &str) -> Self {
        let mut starts = vec![0];
        starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| offset(at + 1)));
        Self { starts }
    }

    /// The line `at` lies on, from 1.
    pub(crate) fn line(&self, at: u32) -> u32 {
        offset(self.starts.partition_point(|start| *start <= at)).max(1)
    }

    /// Line and column of the byte `at` of `text`.
    pub(crate) fn position(&self, text: &str, at: u32) -> Position {
        let line = self.line(at);
        let start = self.start_of(line);
        let column = text.get(index(start)..index(at)).map_or(0, |head| head.chars().count());
        Position { line, column: offset(column + 1) }
    }

    /// The byte at which `line` (from 1) begins.
    pub(crate) fn start_of(&self, line: u32) -> u32 {
        self.starts.get(index(line.saturating_sub(1))).copied().unwrap_or_default()
    }

    /// How many lines there are.
    pub(crate) fn count(&self) -> u32 {
        offset(self.starts.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_column_counts_characters() {
        let text = "a\nüb";
        let lines = Lines::of(text);
        assert_eq!(lines.position(text, 4), Position { line: 2, column: 2 });
    }

    proptest! {
        #[test]
        fn every_offset_lies_on_the_line_that_counting_newlines_gives(text in "[ab\n]{0,60}", at in 0usize..60) {
            let at = at.min(text.len());
            let lines = Lines::of(&text);
            let counted = text[..at].matches('\n').count() + 1;
            prop_assert_eq!(lines.line(offset(at)), offset(counted));
        }
    }
}
