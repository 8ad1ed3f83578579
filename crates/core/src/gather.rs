//! Maps that are made one entry after the other.
//!
//! `collect` sorts what goes into a `BTreeMap`, and the compiler writes that sort out anew for every
//! pair of types: five to eight kilobytes of WebAssembly each, which maps as small as ours never pay
//! back. This inserts.

/// Of what there are pairs of keys and values.
pub trait Gather: Iterator + Sized {
    /// What `collect` gives; of two entries with the same key the later one stays.
    fn gather<M: Default + Extend<Self::Item>>(self) -> M {
        let mut map = M::default();
        map.extend(self);
        map
    }
}

impl<I: Iterator> Gather for I {}
