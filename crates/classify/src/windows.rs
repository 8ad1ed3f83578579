//! Where the windows of a long sequence start: overlapping, covering it all, the last one at its end.

use std::ops::Range;

/// How a long sequence is cut, in items (code points or tokens).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Items a window holds; at least 1.
    pub(crate) window: usize,
    /// Items from one start to the next; at least 1, at most `window`.
    pub(crate) stride: usize,
}

impl Cut {
    /// The windows of `length` items, in order; one, perhaps short, if they fit.
    pub(crate) fn windows(self, length: usize) -> impl Iterator<Item = Range<usize>> {
        let last = length.saturating_sub(self.window);
        let inner = (0..last).step_by(self.stride.max(1));
        inner.chain([last]).map(move |start| start..length.min(start + self.window))
    }

    /// How many windows there are.
    pub(crate) fn count(self, length: usize) -> usize {
        length.saturating_sub(self.window).div_ceil(self.stride.max(1)) + 1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn starts(length: usize) -> Vec<usize> {
        Cut { window: 10, stride: 4 }.windows(length).map(|range| range.start).collect()
    }

    #[test]
    fn what_fits_is_one_window() {
        assert_eq!(starts(0), [0]);
        assert_eq!(starts(10), [0]);
        assert_eq!(starts(11), [0, 1]);
        assert_eq!(starts(18), [0, 4, 8]);
        assert_eq!(starts(19), [0, 4, 8, 9]);
    }

    proptest! {
        #[test]
        fn windows_cover_every_item(length in 0_usize..200, window in 1_usize..40, part in 1_usize..40) {
            let cut = Cut { window, stride: part.min(window) };
            let windows: Vec<_> = cut.windows(length).collect();
            prop_assert_eq!(windows.len(), cut.count(length));
            let mut covered = 0;
            for range in &windows {
                prop_assert!(range.start <= covered);
                prop_assert!(range.len() == window.min(length));
                covered = range.end;
            }
            prop_assert_eq!(covered, length);
        }
    }
}
